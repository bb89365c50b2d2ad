"""The report of a biopsy as a PDF."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from ienfd.report.case_report import CaseReport, SectionPage
from ienfd.report.course_page import CoursePage
from ienfd.report.typeset import as_moment, typeset

__all__ = ["pdf_bytes"]


def pdf_bytes(report: CaseReport) -> bytes:
    """Render a report; see `ienfd.report.typeset` for letters that no font can show."""
    moment = as_moment(report.dated)
    files: dict[str, bytes] = {}
    said = _said(report, moment, files)
    return typeset("report", said, files, moment)


def _said(report: CaseReport, moment: datetime, files: dict[str, bytes]) -> dict[str, Any]:
    """What the template reads; its pictures are put to the files."""
    wording = report.template.wording
    plot = logo = None
    if report.plot:
        plot = "plot.svg"
        files[plot] = report.plot.encode()
    if report.template.logo is not None:
        logo = f"logo{report.template.logo.suffix.lower()}"
        files[logo] = report.template.logo.read_bytes()
    return {
        "title": wording.title,
        "subtitle": wording.subtitle,
        "laboratory": report.template.laboratory,
        "lines": list(report.template.lines),
        "logo": logo,
        "biopsy": report.biopsy,
        "date": {"year": moment.year, "month": moment.month, "day": moment.day},
        "status_words": f"{report.status}, {moment.date().isoformat()}",
        "watermark": report.watermark,
        "density": report.density,
        "interval": report.interval,
        "call": report.call,
        "below": report.below,
        "borderline": report.borderline,
        "flags": report.flags,
        "plot": plot,
        "plot_words": report.plot_words,
        "patient": report.patient,
        "specimen": report.specimen,
        "assay": report.assay,
        "imaging": report.imaging,
        "result": report.result,
        "method": report.method,
        "interpretation": report.interpretation,
        "comment": report.comment,
        "signatures": report.signatures,
        "signed_words": wording.signed,
        "amendments": report.amendments,
        "course": None if report.course is None else _course(report.course, files),
        "limitations": wording.limitations,
        "sections": [_section(page, index, files) for index, page in enumerate(report.sections)],
    }


def _course(course: CoursePage, files: dict[str, bytes]) -> dict[str, Any]:
    plot = None
    if course.plot:
        plot = "course.svg"
        files[plot] = course.plot.encode()
    return {**asdict(course), "plot": plot}


def _section(page: SectionPage, index: int, files: dict[str, bytes]) -> dict[str, Any]:
    overlay = None
    if page.overlay is not None:
        overlay = f"overlay{index}.jpg"
        files[overlay] = page.overlay
    shown = []
    for tile in page.tiles:
        file = f"tile{index}-{tile.number}.jpg"
        files[file] = tile.jpeg
        shown.append({"file": file, "number": tile.number, "caption": tile.caption})
    return {
        "name": page.name,
        "summary": page.summary,
        "rows": page.rows,
        "remarks": page.remarks,
        "overlay": overlay,
        "tall": page.is_tall,
        "tiles": shown,
    }
