"""Reading and checking a norm file: the border at which a figure becomes a clinical limit.

A norm file is TOML. What the publication does not say stands there as "not stated": a value cannot
be left out by oversight.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ienfd.errors import UsageError
from ienfd.norms.norm import SEXES, Limit, Norm
from ienfd.protocol import LengthLine, Stain

__all__ = ["parse_norm", "read_norm"]


def _plain(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("blanks at its ends, or characters that cannot be printed")
    return text


_Text = Annotated[str, Field(min_length=1), AfterValidator(_plain)]
_Age = Annotated[float, Field(ge=0, le=120)]
# TOML knows no null, so that None comes from these words only
_Stated = BeforeValidator(lambda value: None if value == "not stated" else value)


class _Row(BaseModel):
    """One limit: a level one (`limit_per_mm`), or a straight line over age."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    sex: Literal["F", "M"]
    age_lo: _Age
    age_hi: _Age
    limit_per_mm: float | None = None
    intercept_per_mm: float | None = None
    slope_per_mm_per_year: float | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> _Row:
        line = (self.intercept_per_mm, self.slope_per_mm_per_year)
        if self.limit_per_mm is not None and line != (None, None):
            raise ValueError("give limit_per_mm, or intercept_per_mm and slope_per_mm_per_year, not both")
        if self.limit_per_mm is None and None in line:
            raise ValueError("give limit_per_mm, or intercept_per_mm and slope_per_mm_per_year")
        if not self.age_lo < self.age_hi:
            raise ValueError(f"age_lo {self.age_lo:g} is not under age_hi {self.age_hi:g}")
        # a straight line is positive throughout when it is at both of its ends
        if min(self.limit().at(self.age_lo), self.limit().at(self.age_hi)) <= 0:
            raise ValueError(f"the limit is not positive from {self.age_lo:g} to {self.age_hi:g} years")
        return self

    def limit(self) -> Limit:
        if self.limit_per_mm is not None:
            return Limit(self.sex, self.age_lo, self.age_hi, self.limit_per_mm)
        intercept, slope = self.intercept_per_mm or 0.0, self.slope_per_mm_per_year or 0.0
        return Limit(self.sex, self.age_lo, self.age_hi, intercept, slope)


class _File(BaseModel):
    """A norm file as it lies on disk."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    title: _Text
    citation: _Text
    doi: Annotated[str, Field(pattern=r"^(10\.\S+)?$")] = ""
    unit: Literal["/mm"]  # some publications count per mm2: never mixed
    stain: Stain
    site: _Text
    section_um: Annotated[Annotated[float, Field(gt=0, le=200)] | None, _Stated]
    length_line: Annotated[LengthLine | None, _Stated]
    n: Annotated[int, Field(ge=1)]
    n_men: Annotated[int, Field(ge=0)] | None = None
    n_women: Annotated[int, Field(ge=0)] | None = None
    statistic: _Text
    percentile: Annotated[Annotated[float, Field(gt=0, lt=100)] | None, _Stated]
    age_lo: _Age
    age_hi: _Age
    verification: _Text
    caveat: _Text | Literal[""]
    notes: list[_Text] = []
    limits: Annotated[list[_Row], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> _File:
        for sex in SEXES:
            age = self.age_lo
            for row in sorted((row for row in self.limits if row.sex == sex), key=lambda row: row.age_lo):
                if row.age_lo != age:
                    what = "overlap" if row.age_lo < age else "leave a gap"
                    raise ValueError(f"the limits for {sex} {what} at {min(age, row.age_lo):g} years")
                age = row.age_hi
            if age != self.age_hi or age == self.age_lo:
                raise ValueError(f"the limits for {sex} end at {age:g} years, the norm at {self.age_hi:g}")
        if None not in (self.n_men, self.n_women) and self.n != (self.n_men or 0) + (self.n_women or 0):
            raise ValueError(f"{self.n_men} men and {self.n_women} women are not {self.n}")
        return self

    def norm(self) -> Norm:
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "unit"}
        values |= {"limits": tuple(row.limit() for row in self.limits), "notes": tuple(self.notes)}
        return Norm(**values)


def parse_norm(text: str, name: str = "norm") -> Norm:
    """Read a norm from the text of its file.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        What to call the file in a message.

    Raises
    ------
    UsageError
        `norm_invalid` if it is no TOML, names something unknown, leaves something out, or holds limits
        that are not positive, overlap, or do not cover the ages of the norm.
    """
    try:
        return _File.model_validate(tomllib.loads(text)).norm()
    except tomllib.TOMLDecodeError as error:
        raise UsageError("norm_invalid", f"{name}: {error}") from error
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}".lstrip(": ") for e in error.errors())
        raise UsageError("norm_invalid", f"{name}: {lines}") from error


def read_norm(path: Path) -> Norm:
    """Read a norm file; errors are those of `parse_norm`, also when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("norm_invalid", f"{path}: {error}") from error
    return parse_norm(text, str(path))
