"""The report as one HTML file: it opens without a network, prints, and shows every section to zoom into."""

from __future__ import annotations

import base64
import io
from importlib import resources
from typing import Any

from PIL import Image

from ienfd.report.case_report import CaseReport, SectionPage

__all__ = ["html_bytes"]


def html_bytes(report: CaseReport) -> bytes:
    """Render a report; every text is escaped."""
    from jinja2 import Environment
    from markupsafe import Markup

    source = resources.files("ienfd.report").joinpath("templates", "report.html").read_text("utf-8")
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
    logo = report.template.logo
    text = page.render(
        report=report,
        plot=Markup(report.plot),
        course_plot=Markup(report.course.plot if report.course else ""),
        logo=None if logo is None else _data(logo.read_bytes(), logo.suffix.lstrip(".").lower()),
        sections=[_section(one) for one in report.sections],
        atlas=any(one.tiles for one in report.sections),
    )
    return text.encode("utf-8", "xmlcharrefreplace")


def _section(page: SectionPage) -> dict[str, Any]:
    from markupsafe import Markup

    said: dict[str, Any] = {
        "name": page.name,
        "summary": page.summary,
        "rows": page.rows,
        "remarks": page.remarks,
        "overlay": None if page.overlay is None else _data(page.overlay),
        "tiles": [
            {"image": _data(one.jpeg), "number": one.number, "caption": one.caption} for one in page.tiles
        ],
    }
    if page.picture is not None:
        with Image.open(io.BytesIO(page.picture)) as image:
            said["width"], said["height"] = image.size
        said["image"], said["marks"] = _data(page.picture), Markup(page.marks)
    return said


def _data(encoded: bytes, kind: str = "jpeg") -> str:
    """A picture inside the page."""
    name = "jpeg" if kind == "jpg" else kind
    return f"data:image/{name};base64,{base64.b64encode(encoded).decode('ascii')}"
