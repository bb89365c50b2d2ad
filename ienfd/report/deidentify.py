"""A study without anything that could tell whose it is.

Cases, biopsies, patients and files get numbers; dates become years; ages over 89 are left out; further
columns of the case table, free text and the particulars of a reason, which may hold a file name, are
dropped. The numbers follow an order that nobody can tell the ids from, and are the same in every export
of the same study.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ienfd.report.content import Content
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.result import SectionResult
from ienfd.study.records import BiopsyRecord, Placement

__all__ = ["deidentified", "place_of"]

_KEPT = ("age_years", "sex", "site", "side", "stain", "section_um", "planes", "pixel_size_um", "control")
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
        Keeps the order of the numbers from being guessed.
    """
    placements = [entry.placement for entry in content.sections]
    names = _Names(placements, study_id)
    sections = {id(entry): _section(entry, names) for entry in content.sections}
    biopsies = [
        replace(
            entry,
            record=_record(entry.record, names),
            sections=tuple(sections[id(section)] for section in entry.sections),
        )
        for entry in content.biopsies
    ]
    ordered = sorted(sections.values(), key=lambda e: (e.placement.path, e.placement.scene))
    rows = {place_of(entry.placement): sections[id(entry)].placement for entry in content.sections}
    return Content(tuple(ordered), tuple(sorted(biopsies, key=_order))), rows


class _Names:
    """A number for every id."""

    def __init__(self, placements: Iterable[Placement], study_id: str) -> None:
        rows = list(placements)
        self._study_id = study_id
        self.files = self._numbered({f"{row.root}/{row.path}" for row in rows}, "section")
        self.cases = self._numbered({row.case_id for row in rows}, "case")
        patients = {str(row.case["patient_id"]) for row in rows if row.case.get("patient_id")}
        self.patients = self._numbered(patients, "patient")
        biopsies = {(row.case_id, row.biopsy_id) for row in rows}
        self.biopsies: dict[tuple[str, str], str] = {}
        for case_id, name in self.cases.items():
            own = self._numbered({biopsy for case, biopsy in biopsies if case == case_id}, name)
            self.biopsies |= {(case_id, biopsy): number for biopsy, number in own.items()}

    def _numbered(self, ids: Iterable[str], word: str) -> dict[str, str]:
        def hidden(name: str) -> str:
            return hashlib.sha256(f"{self._study_id}/{name}".encode()).hexdigest()

        ordered = sorted(ids, key=hidden)
        digits = max(3, len(str(len(ordered))))
        return {name: f"{word}-{number:0{digits}}" for number, name in enumerate(ordered, 1)}


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
    corrected = entry.corrected
    if corrected is not None:
        corrected = replace(corrected, result=_without_detail(corrected.result))
    return SectionEntry(anonymous, corrected)


def _without_detail(result: SectionResult) -> SectionResult:
    return replace(result, findings=replace(result.findings, detail=""))


def _kept(case: Mapping[str, Any], names: _Names) -> dict[str, Any]:
    kept = {name: case[name] for name in _KEPT if case.get(name) is not None}
    if kept.get("age_years", 0) > _OLDEST_SHOWN:
        del kept["age_years"]
    if case.get("collection_date"):
        kept["collection_date"] = str(case["collection_date"])[:4]
    if case.get("patient_id"):
        kept["patient_id"] = names.patients[str(case["patient_id"])]
    return kept


def _record(record: BiopsyRecord, names: _Names) -> BiopsyRecord:
    old = record.age_years is not None and record.age_years > _OLDEST_SHOWN
    return replace(
        record,
        case_id=names.cases[record.case_id],
        biopsy_id=names.biopsies[record.case_id, record.biopsy_id],
        age_years=None if old else record.age_years,
        collection_date=record.collection_date[:4] if record.collection_date else None,
        patient_id=names.patients[record.patient_id] if record.patient_id else None,
        extra={},
    )


def _order(entry: BiopsyEntry) -> tuple[str, str]:
    return entry.record.case_id, entry.record.biopsy_id
