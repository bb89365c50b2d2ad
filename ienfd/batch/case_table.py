"""The case table understood: what it says of each file, and the biopsies that follow from it.

Pooling two patients is the worst error that this program could make. So nothing is joined that the
table does not join in so many words, and everything that contradicts itself is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ienfd.batch.case_file import CASE_TABLE
from ienfd.batch.case_values import CaseValues, validated
from ienfd.study.records import BiopsyRecord
from ienfd.text_table import TextRow, read_table

__all__ = [
    "BiopsyKey",
    "CaseEntry",
    "CaseTable",
    "contradictions",
    "doubts",
    "make_biopsies",
    "read_case_table",
]

BiopsyKey = tuple[str, str]
_OF_ONE_BIOPSY = ("site", "side", "collection_date", "age_years", "sex", "patient_id")
_FOLDER = re.compile(r"^(/|[A-Za-z]:)")


@dataclass(frozen=True)
class CaseEntry:
    """What is said of one file, or of the files that a glob stands for.

    Parameters
    ----------
    where : str
        Who says so: "row 3", or the file whose name says it.
    file : str
        Name or glob relative to the image folder, with `/`; empty where the row names none.
    values : CaseValues
        What is said.
    extra : dict of str to str
        Further columns.
    number : int
        Row of the table; 0 for a file name.
    """

    where: str
    file: str
    values: CaseValues
    extra: dict[str, str] = field(default_factory=dict)
    number: int = 0

    @property
    def key(self) -> BiopsyKey:
        """Which biopsy it belongs to: the same biopsy id under two cases is two biopsies."""
        return self.values.case_id, self.values.biopsy


@dataclass(frozen=True)
class CaseTable:
    """A valid case table.

    Parameters
    ----------
    path : Path
        Where it lies.
    entries : tuple of CaseEntry
        Its rows.
    warnings : tuple of str
        What a person should know.
    """

    path: Path
    entries: tuple[CaseEntry, ...]
    warnings: tuple[str, ...] = ()


def read_case_table(path: Path) -> CaseTable:
    """Read and check a case table.

    Raises
    ------
    UsageError
        If it is not valid; the message lists the rows and columns of all problems, up to twenty.
    """
    raw = read_table(path, CASE_TABLE)
    if any("there is no column" in problem for problem in raw.problems):
        raise CASE_TABLE.invalid(path, raw.problems)  # each of its rows would complain of that, too
    problems = list(raw.problems)
    entries: list[CaseEntry] = []
    for row in raw.rows:
        entry, mistakes = _entry(row)
        problems += mistakes
        if entry is not None:
            entries.append(entry)
    problems += _named_twice(entries)
    problems += contradictions(entries)
    if problems:
        raise CASE_TABLE.invalid(path, sorted(problems, key=_first_row))
    return CaseTable(path, tuple(entries), raw.warnings)


def make_biopsies(entries: Iterable[CaseEntry]) -> dict[BiopsyKey, BiopsyRecord]:
    """The biopsies of entries that do not contradict each other.

    What one row leaves blank is taken from another of the same biopsy. Controls say nothing of a
    biopsy, unless there is nothing else under its id.
    """
    groups: dict[BiopsyKey, list[CaseEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.key, []).append(entry)
    return {key: _biopsy(key, _of_patient(group) or group) for key, group in groups.items()}


def contradictions(entries: Sequence[CaseEntry]) -> list[str]:
    """Biopsies that are given two ages, sexes, sites, sides or dates; cases that are given two patients."""
    problems: list[str] = []
    biopsies: dict[BiopsyKey, list[CaseEntry]] = {}
    cases: dict[str, list[CaseEntry]] = {}
    for entry in _of_patient(entries):
        biopsies.setdefault(entry.key, []).append(entry)
        cases.setdefault(entry.values.case_id, []).append(entry)
    for (case_id, biopsy_id), group in biopsies.items():
        name = f"case {case_id}, biopsy {biopsy_id}"
        problems += _differing(name, group, [column for column in _OF_ONE_BIOPSY if column != "patient_id"])
    for case_id, group in cases.items():
        problems += _differing(f"case {case_id}", group, ["patient_id"])
    return problems


def doubts(entries: Sequence[CaseEntry]) -> list[str]:
    """What is valid and yet may be a slip: ids that look alike, a case of both sexes, a vague site."""
    return [*_alike(entries), *_of_both_sexes(entries), *_vague(entries)]


def _of_patient(entries: Iterable[CaseEntry]) -> list[CaseEntry]:
    return [entry for entry in entries if entry.values.control is None]


def _biopsy(key: BiopsyKey, group: Sequence[CaseEntry]) -> BiopsyRecord:
    stated = {column: next(iter(_said(group, column)), None) for column in _OF_ONE_BIOPSY}
    headers = dict.fromkeys(header for entry in group for header in entry.extra)
    extra = {}
    for header in headers:
        said = {entry.extra[header] for entry in group if entry.extra.get(header)}
        if len(said) == 1:  # otherwise it is a fact of the file, not of the biopsy
            extra[header] = said.pop()
    return BiopsyRecord(*key, **stated, extra=extra)  # type: ignore[arg-type]


def _said(group: Iterable[CaseEntry], column: str) -> dict[str | float, str]:
    """Each value of a column, and who says it first."""
    said: dict[str | float, str] = {}
    for entry in group:
        value = getattr(entry.values, column)
        if value is not None:
            said.setdefault(value, entry.where)
    return said


def _differing(name: str, group: Sequence[CaseEntry], columns: Iterable[str]) -> list[str]:
    problems = []
    for column in columns:
        said = _said(group, column)
        if len(said) > 1:
            listed = ", ".join(f"{where} says {_shown(value)}" for value, where in said.items())
            problems.append(f"{name} is given more than one {column}: {listed}")
    return problems


def _shown(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else value


def _entry(row: TextRow) -> tuple[CaseEntry | None, list[str]]:
    where = f"row {row.number}"
    file, problem = _relative(row.cells.get("file", ""))
    values, mistakes = validated({column: cell for column, cell in row.cells.items() if column != "file"})
    problems = [f"{where}: {mistake}" for mistake in ([problem] if problem else []) + mistakes]
    if values is None or problems:
        return None, problems
    return CaseEntry(where, file, values, row.extra, row.number), []


def _relative(cell: str) -> tuple[str, str]:
    """A path as the image folder sees it, or what is wrong with it."""
    path = cell.replace("\\", "/")
    if _FOLDER.match(path):
        return "", f"file: {cell!r} must be relative to the image folder"
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        return "", f"file: {cell!r} leaves the image folder"
    return "/".join(parts), ""


def _named_twice(entries: Iterable[CaseEntry]) -> list[str]:
    rows: dict[str, list[CaseEntry]] = {}
    for entry in entries:
        if entry.file:
            rows.setdefault(entry.file, []).append(entry)
    return [
        f"{_listed(group)}: the file {file} is named more than once"
        for file, group in rows.items()
        if len(group) > 1
    ]


def _alike(entries: Sequence[CaseEntry]) -> list[str]:
    """Ids that a person could take for one another: they are kept apart, and that is said."""
    warnings = []
    cases = {entry.values.case_id: entry.where for entry in reversed(entries)}
    biopsies = {entry.key: entry.where for entry in reversed(entries)}
    for names, kind in ((cases, "cases"), (biopsies, "biopsies")):
        groups: dict[str, list[str]] = {}
        for name, where in names.items():
            text = name if isinstance(name, str) else f"{name[1]} of case {name[0]}"
            groups.setdefault(_folded(text), []).append(f"{text} ({where})")
        warnings += [
            f"{' and '.join(sorted(group))} are taken for different {kind}"
            for group in groups.values()
            if len(group) > 1
        ]
    return warnings


def _of_both_sexes(entries: Iterable[CaseEntry]) -> list[str]:
    cases: dict[str, list[CaseEntry]] = {}
    for entry in _of_patient(entries):
        cases.setdefault(entry.values.case_id, []).append(entry)
    warnings = []
    for case_id, group in cases.items():
        said = _said(group, "sex")
        if len(said) > 1:
            listed = ", ".join(f"{sex} in {where}" for sex, where in said.items())
            warnings.append(f"case {case_id} has biopsies of both sexes: {listed}")
    return warnings


def _vague(entries: Iterable[CaseEntry]) -> list[str]:
    """Biopsies that have no id of their own, and whose site tells nothing."""
    groups: dict[BiopsyKey, list[CaseEntry]] = {}
    for entry in _of_patient(entries):
        if entry.values.biopsy_id is None and entry.values.site == "other":
            groups.setdefault(entry.key, []).append(entry)
    return [
        f"{_listed(group)} of case {case_id} are one biopsy, because they are of one site (other);"
        " give them a biopsy_id each if they are not"
        for (case_id, _), group in groups.items()
        if len(group) > 1
    ]


def _folded(name: str) -> str:
    return "".join(name.casefold().split())


def _listed(entries: Sequence[CaseEntry]) -> str:
    if all(entry.number for entry in entries):
        numbers = [str(entry.number) for entry in entries]
        return f"rows {', '.join(numbers[:-1])} and {numbers[-1]}"
    return " and ".join(entry.where for entry in entries)


def _first_row(problem: str) -> int:
    found = re.search(r"\brows? (\d+)", problem)
    return int(found.group(1)) if found else 0
