"""Whose section a file is: by the case table, by a pattern of its name, or else nobody's but its own.

An exact name in the table beats a glob, and both beat the pattern. A file that nothing is said of is a
biopsy of its own: nothing is pooled by folder or by guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ienfd.batch.case_file import CASE_TABLE
from ienfd.batch.case_table import (
    CaseEntry,
    CaseTable,
    contradictions,
    doubts,
    make_biopsies,
    read_case_table,
)
from ienfd.batch.name_pattern import NamePattern
from ienfd.batch.plan import BatchOptions, FileCase
from ienfd.errors import UsageError
from ienfd.study.records import BiopsyRecord

__all__ = ["CASES_NAME", "Casework", "MatchedCases", "load_casework"]

CASES_NAME = "cases.csv"
_SHOWN = 5


@dataclass(frozen=True)
class MatchedCases:
    """What is known of each file of a run.

    Parameters
    ----------
    cases : mapping of str to FileCase
        Files that something is said of.
    warnings : tuple of str
        What a person should know.
    """

    cases: Mapping[str, FileCase]
    warnings: tuple[str, ...] = ()

    def case_of(self, name: str) -> FileCase:
        """What is known of a file; of one that nothing is said of, that it is its own biopsy."""
        return self.cases.get(name) or FileCase(BiopsyRecord(name, name))


@dataclass(frozen=True)
class Casework:
    """Everything that a person has said about files.

    Parameters
    ----------
    table : CaseTable or None
        The case table.
    pattern : NamePattern or None
        How to read the names of files that the table does not name.
    whole_folder : bool
        Whether all files of the folder are in the run, so that a row without a file is odd.
    """

    table: CaseTable | None = None
    pattern: NamePattern | None = None
    whole_folder: bool = True

    def is_named(self, name: str) -> bool:
        """Whether the table names this file itself; a glob picks among images and makes none."""
        return _nfc(name) in self._named

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(entry.file for entry in self.table.entries) if self.table else frozenset()

    def match(self, names: Sequence[str]) -> MatchedCases:
        """Find out what is said of each of these files.

        Parameters
        ----------
        names : sequence of str
            Paths relative to the image folder, with `/`.

        Raises
        ------
        UsageError
            If a file has two equal matches, or what is said of its biopsy contradicts itself.
        """
        entries, warnings = self._listed(names)
        everything = list(self.table.entries) if self.table else []
        unlisted = [name for name in names if name not in entries]
        if self.pattern is not None:
            read, unread = _read(self.pattern, unlisted)
            entries |= read
            everything += read.values()
            warnings += unread
        elif self.table is not None and unlisted:
            warnings.append(f"no row of the case table for {_some(unlisted)}: each is a biopsy of its own")
        self._check(everything, [name for name in names if name not in entries])
        biopsies = make_biopsies(everything)
        cases = {name: _file_case(entry, biopsies[entry.key]) for name, entry in entries.items()}
        said = self.table.warnings if self.table else ()
        return MatchedCases(cases, (*said, *doubts(everything), *warnings))

    def _listed(self, names: Sequence[str]) -> tuple[dict[str, CaseEntry], list[str]]:
        """What the table says of each file."""
        if self.table is None:
            return {}, []
        spelled: dict[str, list[str]] = {}
        for name in names:
            spelled.setdefault(_nfc(name), []).append(name)
        problems = [
            f"{entry.where}: {entry.file} names two files that only differ in how their letters are encoded"
            for entry in self.table.entries
            if len(spelled.get(entry.file, ())) > 1
        ]
        exact = {entry.file: entry for entry in self.table.entries if entry.file in spelled}
        globs = [
            (entry, _glob(entry.file))
            for entry in self.table.entries
            if entry.file not in spelled and any(mark in entry.file for mark in "*?[")
        ]
        entries: dict[str, CaseEntry] = {}
        used = {entry.number for entry in exact.values()}
        for plain, files in spelled.items():
            matches = [entry for entry, pattern in globs if pattern.fullmatch(plain)]
            used.update(entry.number for entry in matches)
            if plain in exact:
                matches = [exact[plain]]
            if len(matches) > 1:
                rows = " and ".join(f"{entry.number} ({entry.file})" for entry in matches)
                problems.append(f"rows {rows} both match {plain}: name the file itself")
            entries |= {file: matches[0] for file in files if matches}
        if problems:
            raise CASE_TABLE.invalid(self.table.path, problems)
        return entries, _without_file(self.table, used, names) if self.whole_folder else []

    def _check(self, entries: Sequence[CaseEntry], unlisted: Iterable[str]) -> None:
        if self.pattern is not None and (problems := contradictions(entries)):
            raise UsageError("case_table_invalid", "; ".join(problems))
        cases = {entry.values.case_id for entry in entries}
        for name in unlisted:
            if _nfc(name) in cases:  # it would share the case of a patient whom nobody gave it to
                raise UsageError(
                    "case_table_invalid", f"{name} has no row, and is called as a case of the table is"
                )


def load_casework(options: BatchOptions) -> Casework:
    """Read what a person says about the files of a run.

    Raises
    ------
    UsageError
        If the case table or the pattern is not valid.
    """
    try:
        path = options.cases or _lying_in(options.images)
        whole_folder = not options.images.is_file()
    except OSError as error:
        raise UsageError("no_images", f"{options.images}: {error.strerror or error}") from error
    return Casework(
        table=None if path is None else read_case_table(path),
        pattern=None if options.name_pattern is None else NamePattern(options.name_pattern),
        whole_folder=whole_folder,
    )


def _lying_in(images: Path) -> Path | None:
    """The case table that lies in the image folder, or beside a single image."""
    folder = images if images.is_dir() else images.parent
    path = folder / CASES_NAME
    return path if path.exists() else None


def _read(pattern: NamePattern, names: Iterable[str]) -> tuple[dict[str, CaseEntry], list[str]]:
    """What the names of files say."""
    entries: dict[str, CaseEntry] = {}
    unread = []
    for name in names:
        values, problem = pattern.read(_nfc(name))
        if values is None:
            unread.append(f"{name} ({problem})")
        else:
            entries[name] = CaseEntry(f"the name of {name}", name, values)
    if unread:
        return entries, [f"--name-pattern cannot read {_some(unread)}: each is a biopsy of its own"]
    return entries, []


def _without_file(table: CaseTable, used: Collection[int], names: Iterable[str]) -> list[str]:
    """What to say of rows that no file is there for."""
    alike = {_nfc(name).casefold(): name for name in names}
    warnings = []
    lost = []
    for entry in table.entries:
        if not entry.file:
            warnings.append(f"{entry.where} of the case table names no file")
        elif entry.number not in used and entry.file.casefold() in alike:
            there = alike[entry.file.casefold()]
            warnings.append(f"{entry.where} of the case table names {entry.file}; there is only {there}")
        elif entry.number not in used:
            lost.append(f"{entry.file} ({entry.where})")
    if lost:
        warnings.append(f"the case table names what is not there: {_some(lost)}")
    return warnings


def _file_case(entry: CaseEntry, biopsy: BiopsyRecord) -> FileCase:
    said = entry.values.model_dump(exclude_none=True)
    shared = {
        name: getattr(biopsy, name)
        for name in ("site", "side", "collection_date", "age_years", "sex", "patient_id")
        if getattr(biopsy, name) is not None and entry.values.control is None
    }
    values = {**shared, **said, "biopsy_id": biopsy.biopsy_id}
    if entry.extra:
        values["extra"] = dict(entry.extra)
    return FileCase(biopsy, values, entry.values.stain, entry.values.pixel_size_um)


def _glob(text: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*` and `?` stay within a folder, `**/` goes through folders."""
    parts = []
    position = 0
    while position < len(text):
        found = re.compile(r"\*\*/|\*+|\?|\[!?\]?[^]/]*\]|.", re.DOTALL).match(text, position)
        assert found is not None
        mark = found.group()
        if mark == "**/":
            parts.append("(?:.*/)?")
        elif mark.startswith("**"):
            parts.append(".*")
        elif mark == "*":
            parts.append("[^/]*")
        elif mark == "?":
            parts.append("[^/]")
        elif mark.startswith("[") and len(mark) > 1:
            inside = mark[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{'^/' + inside[1:] if inside.startswith('!') else inside}]")
        else:
            parts.append(re.escape(mark))
        position = found.end()
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:  # a range that runs backwards stands for itself
        return re.compile(re.escape(text))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)
