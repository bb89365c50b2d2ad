"""The table of healthy subjects that a laboratory fits its own norm to."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

from ienfd.errors import UsageError
from ienfd.norms.checking import HIGHEST_PER_MM
from ienfd.norms.norm import SEXES

__all__ = ["COLUMNS", "Cohort", "Subject", "read_cohort"]

COLUMNS = ("age_years", "sex", "density_per_mm")
_OLDEST_YEARS = 120.0
_SEPARATORS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MANY = 20


@dataclass(frozen=True)
class Subject:
    """One healthy person: age in years, sex F or M, density in fibers per mm."""

    age_years: float
    sex: str
    density_per_mm: float


@dataclass(frozen=True)
class Cohort:
    """All subjects of a table, in its order, with the name and hash of the file."""

    subjects: tuple[Subject, ...]
    name: str
    sha256: str

    def of(self, sex: str) -> tuple[Subject, ...]:
        """Those of one sex."""
        return tuple(subject for subject in self.subjects if subject.sex == sex)


def read_cohort(path: Path) -> Cohort:
    """Read a table with one row for each subject.

    CSV with the columns `age_years`, `sex` (F or M) and `density_per_mm`; others are not looked at. Comma,
    semicolon or tab; a decimal comma is accepted in a cell. Rows are numbered as a spreadsheet does, the
    header being row 1.

    Raises
    ------
    UsageError
        `cohort_invalid` with every row that is not valid.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(path, [f"it cannot be read as text in UTF-8: {error}"]) from error
    records = _records(path, text)
    if not records:
        raise _invalid(path, ["it is empty"])
    header = [cell.strip().casefold() for cell in records[0]]
    wrong = [f"row 1: there is no column {name}" for name in COLUMNS if name not in header]
    wrong += [f"row 1: the column {name} stands twice" for name in COLUMNS if header.count(name) > 1]
    if wrong:
        raise _invalid(path, wrong)
    subjects, problems = [], []
    for number, record in enumerate(records[1:], 2):
        if not any(cell.strip() for cell in record):
            continue
        cells = {name: cell.strip() for name, cell in zip(header, record, strict=False)}
        mistakes = [f"row {number}: {text}" for text in _mistakes(cells, len(record) - len(header))]
        problems += mistakes
        if not mistakes:
            age, density = _number(cells["age_years"]), _number(cells["density_per_mm"])
            subjects.append(Subject(age, cells["sex"].upper(), density))
    if problems:
        raise _invalid(path, problems)
    return Cohort(tuple(subjects), path.name, hashlib.sha256(content).hexdigest())


def _records(path: Path, text: str) -> list[list[str]]:
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise _invalid(path, [f"{error} (is a quotation mark missing?)"]) from error


def _mistakes(cells: dict[str, str], surplus: int) -> list[str]:
    if surplus > 0:
        return ["it has more cells than the header (a decimal comma?)"]
    said = []
    age, density = _number(cells.get("age_years", "")), _number(cells.get("density_per_mm", ""))
    if not 0 <= age <= _OLDEST_YEARS:
        said.append(f"age_years: {cells.get('age_years', '')!r} is not an age from 0 to 120")
    if cells.get("sex", "").upper() not in SEXES:
        said.append(f"sex: {cells.get('sex', '')!r} is not F or M")
    if not 0 <= density <= HIGHEST_PER_MM:
        said.append(
            f"density_per_mm: {cells.get('density_per_mm', '')!r} is not a density from 0 to"
            f" {HIGHEST_PER_MM:g} /mm"
        )
    return said


def _number(text: str) -> float:
    """A finite number, or NaN, which lies in no range."""
    try:
        value = float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        return math.nan
    return math.nan if "_" in text or not math.isfinite(value) else value  # Python reads 1_0 as a number


def _invalid(path: Path, problems: list[str]) -> UsageError:
    lines = problems[:_MANY]
    if len(problems) > _MANY:
        lines = [*lines, f"... and {len(problems) - _MANY} more"]
    return UsageError("cohort_invalid", "\n".join([f"{path}:", *(f"  {line}" for line in lines)]))
