"""After a run: the tables are written anew from the store, and the report of the run is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ienfd.batch.engine import Engine
from ienfd.batch.files import StudyFiles, overlay_title, write_atomic
from ienfd.batch.norms import write_norms
from ienfd.batch.report import BiopsyLine, RunReport, Trouble
from ienfd.batch.tasks import CORRECTED, draw_overlay, label_of, read_label
from ienfd.biopsy import call_sentence
from ienfd.protocol import Protocol
from ienfd.report.content import Content, gather
from ienfd.report.controls import course_of
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.tables import make_tables
from ienfd.study.records import Placement
from ienfd.study.store import Store

__all__ = ["CONTROL_PLOT", "collect", "drawn_overlay", "present_overlay"]


CONTROL_PLOT = "controls.svg"


def collect(store: Store, engine: Engine | None = None) -> RunReport:
    """Write the tables of a study and the overlays of what was corrected, and say what it holds.

    Overlays that belong to no row are removed. `engine` draws; the program's own when it is not given.

    Raises
    ------
    EnvironmentProblem
        If a table cannot be written, for example because a spreadsheet program holds it open.
    """
    content = gather(store)
    for name, data in make_tables(content).items():
        write_atomic(store.folder / name, data)
    _write_course(store, content)
    write_norms(store)
    files = StudyFiles(store.folder)
    signed = {
        id(entry)
        for biopsy in content.biopsies
        if biopsy.status != "preliminary"
        for entry in biopsy.sections
    }
    for entry in content.sections:  # the others were drawn by the run
        if id(entry) in signed or (entry.corrected is not None and entry.corrected.last_seq):
            protocol = content.protocols[entry.placement.protocol_hash]
            _draw_corrected(store, files, entry, protocol, engine or Engine())
    files.keep_overlays(
        files.overlay(place.path, place.section_id, place.scene)
        for place in (entry.placement for entry in content.sections)
        if place.section_id is not None and place.status != "failed"
    )
    return _report(store, content)


def _write_course(store: Store, content: Content) -> None:
    """Draw how the controls ran; one that holds no longer is taken away."""
    course = course_of(content.controls)
    path = store.folder / CONTROL_PLOT
    if course is not None:
        write_atomic(path, course.encode())
    else:
        path.unlink(missing_ok=True)


def _draw_corrected(
    store: Store, files: StudyFiles, entry: SectionEntry, protocol: Protocol, engine: Engine
) -> None:
    """Draw the overlay of a section as it was corrected, unless that is what it shows."""
    place = entry.placement
    if entry.corrected is None:
        return
    target = files.overlay(place.path, str(place.section_id), place.scene)
    if read_label(target) == _label(entry, place, protocol):
        return
    drawn = drawn_overlay(store, files, entry, place, protocol, engine)
    if drawn is not None:  # else the next run makes it anew from the image
        write_atomic(target, drawn)


def present_overlay(
    store: Store, files: StudyFiles, entry: SectionEntry, protocol: Protocol, engine: Engine
) -> bytes | None:
    """The overlay of a section as it stands: the one in the study if it shows that, else a new one."""
    place = entry.placement
    if place.section_id is not None:
        target = files.overlay(place.path, place.section_id, place.scene)
        if read_label(target) == _label(entry, place, protocol):
            return target.read_bytes()
    return drawn_overlay(store, files, entry, place, protocol, engine)


def drawn_overlay(
    store: Store,
    files: StudyFiles,
    entry: SectionEntry,
    shown: Placement,
    protocol: Protocol,
    engine: Engine,
) -> bytes | None:
    """The overlay of a section as it stands; None where there is no picture to draw over.

    Parameters
    ----------
    store : Store
        The study.
    files : StudyFiles
        Its pictures.
    entry : SectionEntry
        The section.
    shown : Placement
        Under which names it is shown.
    protocol : Protocol
        Under which it was counted.
    engine : Engine
        Who draws.
    """
    place, corrected = entry.placement, entry.corrected
    if corrected is None or place.section_id is None or place.analysis_id is None:
        return None
    if not place.facts.pictured:  # it was refused before it had pixels
        return None
    picture = files.read_picture(place.section_id)
    if picture is None:
        return None
    result = corrected.result
    if not corrected.edits:  # what was read for the tables has no geometry
        found = replace(store.findings(place.analysis_id), detail=result.findings.detail)
        result = replace(result, findings=found)
    label = _label(entry, shown, protocol)
    return draw_overlay(engine, picture, result, _title(shown), protocol, label)


def _label(entry: SectionEntry, shown: Placement, protocol: Protocol) -> str:
    label = label_of(str(entry.placement.analysis_id), protocol, _title(shown))
    last = entry.corrected.last_seq if entry.corrected else 0
    return f"{label}{CORRECTED}{last}" if last else label


def _title(place: Placement) -> str:
    return overlay_title(place.path, place.scene, place.case_id, place.biopsy_id)


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
