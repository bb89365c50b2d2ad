"""After a run: the tables are written anew from the store, and the report of the run is made."""

from __future__ import annotations

from collections import Counter

from ienfd.batch.files import StudyFiles, write_atomic
from ienfd.batch.report import BiopsyLine, RunReport, Trouble
from ienfd.biopsy import call_sentence
from ienfd.report.content import Content, gather
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.tables import make_tables
from ienfd.study.store import Store

__all__ = ["collect"]


def collect(store: Store) -> RunReport:
    """Write the tables of a study, remove overlays that belong to no row, and say what it holds.

    Raises
    ------
    EnvironmentProblem
        If a table cannot be written, for example because a spreadsheet program holds it open.
    """
    content = gather(store)
    for name, data in make_tables(content).items():
        write_atomic(store.folder / name, data)
    files = StudyFiles(store.folder)
    files.keep_overlays(
        files.overlay(place.path, place.section_id, place.scene)
        for place in (entry.placement for entry in content.sections)
        if place.section_id is not None and place.status != "failed"
    )
    return _report(store, content)


def _report(store: Store, content: Content) -> RunReport:
    counts = Counter(entry.status for entry in content.sections)
    return RunReport(
        folder=store.folder,
        ok=counts["ok"],
        refused=counts["refused"],
        failed=counts["failed"],
        pending=counts["pending"],
        biopsies=tuple(_line(entry) for entry in content.biopsies),
        troubles=tuple(_trouble(entry) for entry in content.sections if entry.reason is not None),
        warnings=content.warnings,
    )


def _line(entry: BiopsyEntry) -> BiopsyLine:
    call = entry.call
    return BiopsyLine(
        name=entry.name,
        sections_evaluable=call.sections_evaluable,
        sections=len(entry.sections),
        density_per_mm=call.density_per_mm,
        low_per_mm=call.density_low_per_mm,
        high_per_mm=call.density_high_per_mm,
        limit_per_mm=call.norm_limit_per_mm,
        call=call_sentence(call),
        below=call.below_norm,
        borderline=call.certainty == "borderline",
    )


def _trouble(entry: SectionEntry) -> Trouble:
    return Trouble(entry.placement.path, entry.status, entry.reason or "", entry.reason_text, entry.remedy)
