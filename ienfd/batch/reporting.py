"""Reports as files: those that are asked for, and those of every signature, which stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ienfd.batch.collect import present_overlay
from ienfd.batch.engine import Engine
from ienfd.batch.files import StudyFiles, write_atomic
from ienfd.errors import UsageError
from ienfd.report.case_report import CaseReport, Pictures, case_report
from ienfd.report.content import Content, gather
from ienfd.report.course import PatientCourse
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.wording import Template, load_template
from ienfd.study.log import Target
from ienfd.study.store import Store

__all__ = ["TEMPLATE_NAME", "file_signed", "make_report", "pdf_maker", "study_template", "write_reports"]

TEMPLATE_NAME = "report.toml"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def write_reports(
    store: Store, out: Path, *, case_id: str | None, form: str, template: Path | None = None
) -> list[Path]:
    """Write the report of every biopsy of a study, or of one case; returns the files.

    Parameters
    ----------
    store : Store
        The study.
    out : Path
        Folder; made if it does not exist.
    case_id : str or None
        Which case; all of them when None.
    form : {"pdf", "html"}
        What is written.
    template : Path, optional
        The laboratory's template; `report.toml` of the study by default.

    Raises
    ------
    UsageError
        If there is no such case, or the template is not valid.
    EnvironmentProblem
        If a file cannot be written.
    """
    content = gather(store, case_id)
    if not content.biopsies:
        raise UsageError("report_nothing", case_id or str(store.folder))
    chosen = study_template(store, template)
    courses = _courses(store, content, case_id)
    written = []
    names: dict[str, int] = {}
    for entry in content.biopsies:
        stem = _stem(entry)
        names[stem] = names.get(stem, 0) + 1
        if names[stem] > 1:
            stem = f"{stem}_{names[stem]}"
        path = out / f"{stem}.{form}"
        write_atomic(path, _renderer(form)(make_report(store, content, entry, chosen, courses)))
        written.append(path)
    return written


def file_signed(store: Store, case_id: str, biopsy_id: str) -> Path:
    """File the report of the last signature of a biopsy in the study, beside those of earlier ones.

    Raises
    ------
    EnvironmentProblem
        If it cannot be written.
    """
    content = gather(store, case_id)
    entry = next(
        one for one in content.biopsies if (one.record.case_id, one.record.biopsy_id) == (case_id, biopsy_id)
    )
    signs = store.sign_offs(Target(case_id, biopsy_id))
    name = f"{_stem(entry)}_{len(signs)}_{signs[-1].kind}.pdf"
    path = store.folder / "signed" / name
    courses = _courses(store, content, case_id)
    report = make_report(store, content, entry, study_template(store), courses)
    write_atomic(path, _renderer("pdf")(report))
    return path


def pdf_maker(store: Store) -> Callable[[BiopsyEntry], bytes]:
    """A function that gives the report of a biopsy of this study as PDF."""
    content, template = gather(store), study_template(store)
    render = _renderer("pdf")
    return lambda entry: render(make_report(store, content, entry, template, content.courses))


def _courses(store: Store, content: Content, case_id: str | None) -> Sequence[PatientCourse]:
    """The courses of the patients of a case, or of all."""
    if case_id is None or not any(entry.record.patient_id for entry in content.biopsies):
        return content.courses
    return gather(store).courses  # a patient may have other cases


def make_report(
    store: Store,
    content: Content,
    entry: BiopsyEntry,
    template: Template,
    courses: Sequence[PatientCourse] = (),
) -> CaseReport:
    """Put together what a report says, with its pictures."""
    files = StudyFiles(store.folder)
    last = store.last_run() or {}
    return case_report(
        entry,
        [_pictures(store, files, content, one) for one in entry.sections],
        sign_offs=store.sign_offs(Target(entry.record.case_id, entry.record.biopsy_id)),
        head=store.head(),
        dated=str(last.get("ended_at") or last.get("started_at") or ""),
        template=template,
        known_norms=entry.norms,
        courses=courses,
    )


def _pictures(store: Store, files: StudyFiles, content: Content, entry: SectionEntry) -> Pictures:
    place = entry.placement
    if entry.corrected is None or place.analysis_id is None or place.section_id is None:
        return Pictures()
    protocol = content.protocols[place.protocol_hash]
    result = entry.corrected.result
    if not entry.corrected.edits:  # what was read for the tables has no geometry
        result = replace(result, findings=store.findings(place.analysis_id))
    overlay = present_overlay(store, files, entry, protocol, Engine())
    return Pictures(overlay, files.read_picture(place.section_id) if place.facts.pictured else None, result)


def study_template(store: Store, path: Path | None = None) -> Template:
    """The template of a study: the one at `path`, else its own `report.toml`, else a plain one."""
    own = store.folder / TEMPLATE_NAME
    if path is None and not own.is_file():
        return Template()
    return load_template(path or own)


def _renderer(form: str) -> Callable[[CaseReport], bytes]:
    if form == "pdf":
        from ienfd.report.pdf import pdf_bytes

        return pdf_bytes
    from ienfd.report.html import html_bytes

    return html_bytes


def _stem(entry: BiopsyEntry) -> str:
    record = entry.record
    named = (
        record.biopsy_id
        if record.biopsy_id.startswith(record.case_id)
        else f"{record.case_id}_{record.biopsy_id}"
    )
    return _UNSAFE.sub("_", named).strip("._-")[:80] or "biopsy"
