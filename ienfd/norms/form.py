"""A norm file as it lies on disk, validated: the border at which a figure becomes a clinical limit.

What the publication does not say stands there as "not stated": a value cannot be left out by oversight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ienfd.norms.norm import (
    FIRM_SUBJECTS,
    LEAST_SUBJECTS,
    SEXES,
    Entered,
    Fit,
    FitInterval,
    Limit,
    Norm,
    PercentileLine,
)
from ienfd.protocol import LengthLine, Stain, canonical_json

__all__ = ["NormForm", "content_values"]


def _plain(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise ValueError("blanks at its ends, or characters that cannot be printed")
    return text


_Text = Annotated[str, Field(min_length=1), AfterValidator(_plain)]
_TextOrNone = _Text | Literal[""]
_Age = Annotated[float, Field(ge=0, le=120)]
_Sex = Literal["F", "M"]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# TOML knows no null, so that None comes from these words only
_Stated = BeforeValidator(lambda value: None if value == "not stated" else value)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class LimitRow(_Table):
    """One limit: a level one (`limit_per_mm`), or a straight line over age."""

    sex: _Sex
    age_lo: _Age
    age_hi: _Age
    limit_per_mm: float | None = None
    intercept_per_mm: float | None = None
    slope_per_mm_per_year: float | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> LimitRow:
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
        """The limit that it gives."""
        if self.limit_per_mm is not None:
            return Limit(self.sex, self.age_lo, self.age_hi, self.limit_per_mm)
        intercept, slope = self.intercept_per_mm or 0.0, self.slope_per_mm_per_year or 0.0
        return Limit(self.sex, self.age_lo, self.age_hi, intercept, slope)


class PercentileRow(_Table):
    """A further percentile of one sex, as a straight line over all ages of the norm."""

    percentile: Annotated[float, Field(gt=0, lt=100)]
    sex: _Sex
    intercept_per_mm: float
    slope_per_mm_per_year: float = 0.0

    def line(self) -> PercentileLine:
        """The line that it gives."""
        return PercentileLine(self.percentile, self.sex, self.intercept_per_mm, self.slope_per_mm_per_year)


class IntervalRow(_Table):
    """The limit at an age, with its bootstrap interval."""

    sex: _Sex
    age_years: _Age
    limit_per_mm: float
    low_per_mm: float
    high_per_mm: float


class FitTable(_Table):
    """How the limits were fitted."""

    by: _Text
    software_version: _Text
    method: _Text
    data_sha256: _Hash
    subjects_below: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    level: Annotated[float, Field(gt=0, lt=1)]
    intervals: list[IntervalRow]

    def fit(self) -> Fit:
        """The same as a noun of the core."""
        values = self.model_dump()
        values["intervals"] = tuple(FitInterval(**row) for row in values["intervals"])
        return Fit(**values)


class EnteredTable(_Table):
    """The stamp of `ienfd norms add`."""

    by: _Text
    account: _Text
    at: _Text
    software_version: _Text
    sha256: _Hash


class NormForm(_Table):
    """All that a norm file may say."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    title: _Text
    citation: _Text
    doi: Annotated[str, Field(pattern=r"^(10\.\S+)?$")] = ""
    unit: Literal["/mm"]  # some publications count per mm2: never mixed
    source: _TextOrNone = ""
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
    caveat: _TextOrNone
    why_rising: _TextOrNone = ""
    why_men_above_women: _TextOrNone = ""
    notes: list[_Text] = []
    provisional: bool = False
    fit: FitTable | None = None
    percentiles: list[PercentileRow] = []
    limits: Annotated[list[LimitRow], Field(min_length=1)]
    entered: EnteredTable | None = None

    @model_validator(mode="after")
    def _complete(self) -> NormForm:
        problems = [text for sex in SEXES for text in self._uncovered(sex)]
        if None not in (self.n_men, self.n_women) and self.n != (self.n_men or 0) + (self.n_women or 0):
            problems.append(f"n: {self.n_men} men and {self.n_women} women are not {self.n}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _uncovered(self, sex: str) -> Iterator[str]:
        """Where the limits of a sex overlap, leave a gap, or do not reach the ages of the norm."""
        age = self.age_lo
        for row in sorted((row for row in self.limits if row.sex == sex), key=lambda row: row.age_lo):
            if row.age_lo != age:
                what = "overlap" if row.age_lo < age else "leave a gap"
                yield f"the limits for {sex} {what} at {min(age, row.age_lo):g} years"
            age = row.age_hi
        if age != self.age_hi or age == self.age_lo:
            yield f"the limits for {sex} end at {age:g} years, the norm at {self.age_hi:g}"

    @model_validator(mode="after")
    def _percentiles_in_order(self) -> NormForm:
        """Each lies above the one before, from the limit on, at both ends of the ages."""
        for sex in SEXES:
            rows = [row for row in self.percentiles if row.sex == sex]
            if rows and self.percentile is None:
                raise ValueError("percentiles: it is not stated which percentile the limit is")
            places = [self.percentile or 0.0, *(row.percentile for row in rows)]
            if places != sorted(set(places)):
                raise ValueError(f"percentiles, {sex}: they do not rise from that of the limit")
            for age in (self.age_lo, self.age_hi):
                limits = [row.limit() for row in self.limits if row.sex == sex]
                below = [limit.at(age) for limit in limits if limit.age_lo <= age <= limit.age_hi]
                densities = [*below[:1], *(row.line().at(age) for row in rows)]
                if densities != sorted(densities):
                    raise ValueError(f"percentiles, {sex}: at {age:g} years a higher one has a lower density")
        return self

    @model_validator(mode="after")
    def _fitted_to_enough(self) -> NormForm:
        if self.fit is not None and self.n < LEAST_SUBJECTS:
            raise ValueError(f"n: fitted to {self.n} subjects, and not to {LEAST_SUBJECTS} or more")
        if self.fit is not None and self.n < FIRM_SUBJECTS and not self.provisional:
            raise ValueError(f"provisional: it must be true for one fitted to under {FIRM_SUBJECTS} subjects")
        return self

    def norm(self) -> Norm:
        """The norm that the file describes."""
        told = (
            ("The limit rises with age", self.why_rising),
            ("The limit of men lies above that of women", self.why_men_above_women),
        )
        apart = {"unit", "why_rising", "why_men_above_women"}
        values: dict[str, Any] = {
            name: getattr(self, name) for name in type(self).model_fields if name not in apart
        }
        values |= {
            "limits": tuple(row.limit() for row in self.limits),
            "percentiles": tuple(row.line() for row in self.percentiles),
            "notes": (*self.notes, *(f"{what}: {why}" for what, why in told if why)),
            "fit": self.fit.fit() if self.fit else None,
            "entered": Entered(**self.entered.model_dump()) if self.entered else None,
            "sha256": hashlib.sha256(canonical_json(content_values(self)).encode()).hexdigest(),
        }
        return Norm(**values)


def content_values(form: NormForm) -> dict[str, Any]:
    """All that a norm file says but for who entered it, in JSON's types; what is left open is left out.

    So the hash of what was entered stays what it is when a later version knows more fields.
    """
    return form.model_dump(mode="json", exclude_defaults=True, exclude={"entered"})
