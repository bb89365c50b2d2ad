"""What is wrong with a norm that a person has typed: every empty cell, every figure that cannot be right.

A figure that goes in here is what patients are compared with, and nobody checks it after this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from ienfd.norms.form import NormForm
from ienfd.norms.norm import SEXES, Limit, Norm
from ienfd.norms.registry import available

__all__ = ["EXPLANATIONS", "HIGHEST_PER_MM", "SITES", "checked"]

HIGHEST_PER_MM = 30.0
"""No lower limit lies anywhere near: such a figure is a slip, or counts per something else."""
SITES = ("distal_leg", "thigh", "foot")
"""The case table's words; `other` is no place that a norm could hold for."""

_MAY_BE_EMPTY = ("doi", "caveat")
_MUST_BE_GIVEN = ("source",)
EXPLANATIONS = ("why_rising", "why_men_above_women")
"""Fields in which a person says why a norm is unlike others."""
_ROUNDED_PER_MM = 1e-3
_SLACK_PER_MM = 1e-9  # limits of a line that are the same but for rounding

Cell = tuple[int | str, ...]


def checked(values: Mapping[str, Any]) -> tuple[NormForm | None, list[str]]:
    """A norm as it was typed, and what keeps it from being entered.

    Parameters
    ----------
    values : mapping
        Of the TOML file. An empty text is a cell that has not been filled in; a former stamp is no
        part of what is checked.

    Returns
    -------
    NormForm or None
        What the file says; None where that is not even complete.
    list of str
        Every problem with the cell that it is in; empty when there is none.
    """
    values = {name: value for name, value in values.items() if name != "entered"}  # of a former time
    empty = list(_empty_cells(values))
    problems = [f"{_named(cell, values)} is empty" for cell in empty]
    problems += [f"{name} is missing" for name in _MUST_BE_GIVEN if name not in values]
    try:
        form = NormForm.model_validate(values)
    except ValidationError as error:
        for mistake in error.errors():
            if not any(mistake["loc"][: len(cell)] == cell for cell in empty):
                where = _named(mistake["loc"], values)
                text = mistake["msg"].removeprefix("Value error, ")
                problems.append(f"{where}: {text}" if where else text)
        return None, problems
    norm = form.norm()
    problems += _frame(norm)
    problems += _not_the_fit(norm)
    problems += [text for limit in norm.limits for text in _implausible(limit)]
    if not form.why_rising:
        problems += [f"{text}: say why in why_rising" for sex in SEXES for text in _rising(norm, sex)]
    if not form.why_men_above_women:
        problems += [f"{text}: say why in why_men_above_women" for text in _men_above_women(norm)]
    return form, problems


def _empty_cells(values: Mapping[str, Any]) -> Iterator[Cell]:
    for name, value in values.items():
        if isinstance(value, str) and not value.strip() and name not in (*_MAY_BE_EMPTY, *EXPLANATIONS):
            yield (name,)
    rows = values.get("limits")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        for name, value in row.items() if isinstance(row, Mapping) else ():
            if isinstance(value, str) and not value.strip():
                yield ("limits", number, name)


def _named(cell: Sequence[Any], values: Mapping[str, Any]) -> str:
    """A cell as a person finds it: `limits 2 (F, 30 to 40): limit_per_mm`."""
    if len(cell) < 2 or cell[0] != "limits":
        return ".".join(str(part) for part in cell[:1])
    row = values["limits"][cell[1]]
    words = [f"limits {int(cell[1]) + 1}"]
    if isinstance(row, Mapping):
        said = [str(row.get(name) or "?") for name in ("sex", "age_lo", "age_hi")]
        words = [f"limits {int(cell[1]) + 1} ({said[0]}, {said[1]} to {said[2]})"]
    return ": ".join([*words, *(str(part) for part in cell[2:3])])


def _frame(norm: Norm) -> Iterator[str]:
    if norm.id in available():
        yield f"id: {norm.id} is the name of a norm that comes with ienfd"
    if norm.site not in SITES:
        yield f"site: {norm.site!r} is none of {', '.join(SITES)}"


def _not_the_fit(norm: Norm) -> Iterator[str]:
    """Where limits were changed that are said to have been fitted."""
    for one in norm.fit.intervals if norm.fit else ():
        at = norm.limit_per_mm(one.age_years, one.sex) if norm.covers(one.age_years) else None
        if at is None or abs(at - one.limit_per_mm) > _ROUNDED_PER_MM:
            yield (
                f"fit: at {one.age_years:g} years, {one.sex}, {one.limit_per_mm:g} /mm was fitted, which is"
                " not what the limits say"
            )


def _implausible(limit: Limit) -> Iterator[str]:
    """A line lies between its ends."""
    highest = max(limit.at(limit.age_lo), limit.at(limit.age_hi))
    if highest > HIGHEST_PER_MM:
        yield f"{_band(limit)}: {highest:g} /mm is more than {HIGHEST_PER_MM:g}"


def _rising(norm: Norm, sex: str) -> Iterator[str]:
    before: Limit | None = None
    for limit in sorted((one for one in norm.limits if one.sex == sex), key=lambda one: one.age_lo):
        start = limit.at(limit.age_lo)
        if before is not None and start > before.at(limit.age_lo) + _SLACK_PER_MM:
            yield f"{_band(limit)}: {start:g} /mm is more than {before.at(limit.age_lo):g} before that age"
        if limit.slope_per_mm_per_year > 0:
            yield f"{_band(limit)}: the limit rises with age"
        before = limit


def _men_above_women(norm: Norm) -> Iterator[str]:
    ages = sorted({age for limit in norm.limits for age in (limit.age_lo, limit.age_hi)})
    for start, end in pairwise(ages):
        women, men = (_over(norm, sex, start, end) for sex in SEXES)
        worst = max((start, end), key=lambda age: men.at(age) - women.at(age))
        if men.at(worst) > women.at(worst) + _SLACK_PER_MM:
            yield (
                f"{start:g} to {end:g} years: the limit of men ({men.at(worst):g} /mm) is more than"
                f" that of women ({women.at(worst):g} /mm)"
            )


def _over(norm: Norm, sex: str, start: float, end: float) -> Limit:
    """The limit of a sex over a range of ages in which it does not change."""
    return next(
        limit for limit in norm.limits if limit.sex == sex and limit.age_lo <= start and end <= limit.age_hi
    )


def _band(limit: Limit) -> str:
    return f"{limit.sex}, {limit.age_lo:g} to {limit.age_hi:g} years"
