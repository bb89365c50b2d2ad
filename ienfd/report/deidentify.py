"""A study without anything that could tell whose it is.

Cases, biopsies, patients, staining runs and files get numbers; dates become years; ages over 89 are left
out; further columns of the case table, free text and the particulars of a reason, which may hold a file
name, are dropped. A number is made of the id and of the secret id of the study: nobody can tell the one
from the other, and it is the same in every export of the same study.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ienfd.report.content import Content
from ienfd.report.course import PatientCourse
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.study.records import BiopsyRecord, Placement

__all__ = ["deidentified", "place_of", "without_detail"]

_KEPT = ("age_years", "section_um", "pixel_size_um")  # numbers
_WORDS: dict[str, Collection[str]] = {  # of a cell in which a person may have written something else
    "sex": ("F", "M"),
    "site": ("distal_leg", "thigh", "foot", "other"),
    "side": ("left", "right"),
    "stain": ("bright-field", "fluorescence"),
    "planes": ("single", "stack", "projection", "extended-focus"),
    "control": ("positive", "negative"),
}
_DIGITS = 10
_OLDEST_SHOWN = 89


Place = tuple[str, str, int, int]


def place_of(row: Placement) -> Place:
    """What tells a row of a study from all others."""
    return row.root, row.path, row.scene, row.region


def deidentified(content: Content, study_id: str) -> tuple[Content, dict[Place, Placement]]:
    """The same content under numbers, and the new row of each place.

    Parameters
    ----------
    content : Content
        All of a study.
    study_id : str
        Keeps the ids from being guessed from their numbers.
    """
    placements = [entry.placement for entry in content.sections]
    names = _Names(placements, study_id)
    sections = {id(entry): _section(entry, names) for entry in content.sections}
    shown = {
        id(entry): replace(
            entry,
            record=_record(entry.record, names),
            sections=tuple(sections[id(section)] for section in entry.sections),
        )
        for entry in content.biopsies
    }
    courses = sorted((_course(one, names, shown) for one in content.courses), key=lambda course: course.name)
    ordered = sorted(sections.values(), key=lambda e: (e.placement.path, e.placement.scene))
    rows = {place_of(entry.placement): sections[id(entry)].placement for entry in content.sections}
    biopsies = tuple(sorted(shown.values(), key=_order))
    controls = tuple(replace(one, section=sections[id(one.section)]) for one in content.controls)
    hidden = Content(tuple(ordered), biopsies, content.protocols, (), tuple(courses), controls)
    return hidden, rows


class _Names:
    """A number for every id."""

    def __init__(self, placements: Iterable[Placement], study_id: str) -> None:
        rows = list(placements)
        self._study_id = study_id
        self.files = self._numbered({f"{row.root}/{row.path}" for row in rows}, "section")
        self.cases = self._numbered({row.case_id for row in rows}, "case")
        runs = {str(row.case["staining_run"]) for row in rows if row.case.get("staining_run")}
        self.runs = self._numbered(runs, "run")
        patients = {str(row.case["patient_id"]) for row in rows if row.case.get("patient_id")}
        self.patients = self._numbered(patients, "patient")
        biopsies = {(row.case_id, row.biopsy_id) for row in rows}
        self.biopsies: dict[tuple[str, str], str] = {}
        for case_id, name in self.cases.items():
            own = self._numbered({biopsy for case, biopsy in biopsies if case == case_id}, name)
            self.biopsies |= {(case_id, biopsy): number for biopsy, number in own.items()}

    def _numbered(self, ids: Iterable[str], word: str) -> dict[str, str]:
        names: dict[str, str] = {}
        for name in ids:
            hidden = hashlib.sha256(f"{self._study_id}/{name}".encode()).hexdigest()
            names[name] = f"{word}-{hidden[:_DIGITS]}"
        return names


def _section(entry: SectionEntry, names: _Names) -> SectionEntry:
    place = entry.placement
    case = _kept(place.case, names)
    if entry.listed:
        case["case_id"] = names.cases[place.case_id]
    anonymous = replace(
        place,
        path=names.files[f"{place.root}/{place.path}"],
        root="",
        case_id=names.cases[place.case_id],
        biopsy_id=names.biopsies[place.case_id, place.biopsy_id],
        case=case,
        detail="",
    )
    same = tuple(("", names.files[f"{root}/{path}"]) for root, path in entry.same_tissue)
    return replace(without_detail(entry), placement=anonymous, same_tissue=same)


def without_detail(entry: SectionEntry) -> SectionEntry:
    """The same without the particulars of its refusal, which may hold a name."""
    corrected = entry.corrected
    if corrected is None:
        return entry
    result = corrected.result
    bare = replace(result, findings=replace(result.findings, detail=""))
    return replace(entry, corrected=replace(corrected, result=bare))


def _kept(case: Mapping[str, Any], names: _Names) -> dict[str, Any]:
    kept = {name: case[name] for name in _KEPT if isinstance(case.get(name), int | float)}
    kept |= {name: case[name] for name, words in _WORDS.items() if case.get(name) in words}
    if kept.get("age_years", 0) > _OLDEST_SHOWN:
        del kept["age_years"]
    year = _year(case.get("collection_date"))
    if year is not None:
        kept["collection_date"] = year
    if case.get("patient_id"):
        kept["patient_id"] = names.patients[str(case["patient_id"])]
    if case.get("staining_run"):
        kept["staining_run"] = names.runs[str(case["staining_run"])]
    return kept


def _year(date: Any) -> str | None:
    return str(date)[:4] if str(date or "")[:4].isdigit() else None


def _record(record: BiopsyRecord, names: _Names) -> BiopsyRecord:
    old = isinstance(record.age_years, int | float) and record.age_years > _OLDEST_SHOWN
    return replace(
        record,
        case_id=names.cases[record.case_id],
        biopsy_id=names.biopsies[record.case_id, record.biopsy_id],
        site=record.site if record.site in _WORDS["site"] else None,
        side=record.side if record.side in _WORDS["side"] else None,
        sex=record.sex if record.sex in _WORDS["sex"] else None,
        age_years=record.age_years if isinstance(record.age_years, int | float) and not old else None,
        collection_date=_year(record.collection_date),
        patient_id=names.patients[record.patient_id] if record.patient_id else None,
        extra={},
    )


def _course(course: PatientCourse, names: _Names, shown: Mapping[int, BiopsyEntry]) -> PatientCourse:
    """The same course of the same patient under numbers; what was compared had whole dates."""
    numbers = names.patients if course.known_by == "patient" else names.cases
    return replace(
        course,
        name=numbers[course.name],
        series=tuple(tuple(shown[id(entry)] for entry in one) for one in course.series),
        comparisons=tuple(
            replace(one, earlier=shown[id(one.earlier)], later=shown[id(one.later)])
            for one in course.comparisons
        ),
    )


def _order(entry: BiopsyEntry) -> tuple[str, str]:
    return entry.record.case_id, entry.record.biopsy_id
