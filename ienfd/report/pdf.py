"""The report as a PDF: tagged, for the archive (PDF/A-3a, PDF/UA-1), the same bytes for the same report."""

from __future__ import annotations

import json
import re
import tempfile
import unicodedata
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from ienfd.report.case_report import CaseReport, SectionPage
from ienfd.report.course_page import CoursePage

__all__ = ["pdf_bytes"]

_FOR_THE_ARCHIVE: list[Literal["a-3a", "ua-1"]] = ["a-3a", "ua-1"]
_UNSHOWN = re.compile(r"the text [`'\"]+(?P<text>.+?)[`'\"]+ could not be displayed", re.DOTALL)
_TRIES = 60


def pdf_bytes(report: CaseReport) -> bytes:
    """Render a report.

    Letters that no font at hand can show are written as their code points, as in `U+1F600`: an archive
    takes no page on which a letter is missing.
    """
    import typst

    template = resources.files("ienfd.report").joinpath("templates", "report.typ").read_bytes()
    moment = (
        datetime.fromisoformat(report.dated or "1970-01-01T00:00:00+00:00")
        .astimezone(UTC)
        .replace(microsecond=0)
    )
    unshown: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="ienfd-") as room:
        folder = Path(room)
        (folder / "report.typ").write_bytes(template)
        said = _said(report, moment, folder)
        for _ in range(_TRIES):
            text = json.dumps(_shown(said, unshown), ensure_ascii=False)
            (folder / "report.json").write_text(text, encoding="utf-8")
            try:
                return _compiled(folder, moment)
            except typst.TypstError as error:
                missing = _missing(error) - unshown
                if not missing:
                    raise
                unshown |= missing
    raise ValueError("the report holds more kinds of letters than its fonts can show")


def _compiled(folder: Path, moment: datetime) -> bytes:
    import typst

    return typst.compile(
        folder / "report.typ",
        root=folder,
        ignore_system_fonts=True,  # the same page on every machine
        pdf_standards=[*_FOR_THE_ARCHIVE],
        timestamp=moment,
    )


def _missing(error: Exception) -> set[str]:
    """Letters that an error says could not be shown, and all like them."""
    found = _UNSHOWN.search(f"{error} {getattr(error, 'message', '')}")
    if found is None:
        return set()
    text = re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda code: chr(int(code[1], 16)), found["text"])
    return set(text)


def _shown(said: Any, unshown: set[str]) -> Any:
    """The same with code points in the place of letters that cannot be shown."""
    if isinstance(said, str):
        return "".join(f"[U+{ord(c):04X}]" if c in unshown or _is_never_shown(c) else c for c in said)
    if isinstance(said, dict):
        return {key: _shown(value, unshown) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [_shown(value, unshown) for value in said]
    return said


def _is_never_shown(letter: str) -> bool:
    """Whether it is a control, a private or an unassigned code point, or beyond what the fonts hold."""
    if letter in "\n\t":
        return False
    return unicodedata.category(letter) in ("Cc", "Cn", "Co", "Cs") or ord(letter) > 0x2E7F


def _said(report: CaseReport, moment: datetime, folder: Path) -> dict[str, Any]:
    """What the template reads; its pictures are written beside it."""
    wording = report.template.wording
    plot = logo = None
    if report.plot:
        plot = "plot.svg"
        (folder / plot).write_text(report.plot, encoding="utf-8")
    if report.template.logo is not None:
        logo = f"logo{report.template.logo.suffix.lower()}"
        (folder / logo).write_bytes(report.template.logo.read_bytes())
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
        "course": None if report.course is None else _course(report.course, folder),
        "limitations": wording.limitations,
        "sections": [_section(page, index, folder) for index, page in enumerate(report.sections)],
    }


def _course(course: CoursePage, folder: Path) -> dict[str, Any]:
    plot = None
    if course.plot:
        plot = "course.svg"
        (folder / plot).write_text(course.plot, encoding="utf-8")
    return {**asdict(course), "plot": plot}


def _section(page: SectionPage, index: int, folder: Path) -> dict[str, Any]:
    overlay = None
    if page.overlay is not None:
        overlay = f"overlay{index}.jpg"
        (folder / overlay).write_bytes(page.overlay)
    shown = []
    for tile in page.tiles:
        file = f"tile{index}-{tile.number}.jpg"
        (folder / file).write_bytes(tile.jpeg)
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
