"""The marks of a section as lines over its picture (SVG), so that a page can switch them on and off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ienfd.draw.palette import DARK, LIGHT, Color, mark_for
from ienfd.draw.picture import Picture
from ienfd.draw.svg import css
from ienfd.geometry import FloatArray
from ienfd.result import Crossing, SectionResult, Stretch
from ienfd.skin.lengths import stretch_outline_px

__all__ = ["marks_svg"]

_RING, _SMALL = 9.0, 5.0


def marks_svg(base: Picture, result: SectionResult, stretches: Sequence[Stretch]) -> str:
    """Surface, junction, fibers, what is not evaluated, and every candidate with its reason as a tooltip.

    Parameters
    ----------
    base : Picture
        The picture that it lies over.
    result : SectionResult
        What was found and counted.
    stretches : sequence of Stretch
        All stretches that are not evaluated.
    """
    theme = DARK if base.dark else LIGHT
    findings = result.findings
    height, width = base.pixels.shape[:2]
    parts: list[str] = []
    size = findings.pixel_size_um
    if size is not None:
        for stretch in stretches:
            outline = base.to_picture(stretch_outline_px(findings.pieces[stretch.piece], stretch, size))
            parts.append(
                f'<polygon points="{_points(outline)}" fill="{css(theme.hatch)}" fill-opacity="0.4"/>'
            )
    parts += [_line(base.to_picture(b.path_px), theme.fiber, 1.2, 0.7) for b in findings.graph.branches]
    for piece in findings.pieces:
        parts.append(_line(base.to_picture(piece.surface_px), theme.surface, 1.6, 0.9))
        parts.append(_line(base.to_picture(piece.junction_px), theme.junction, 2.0, 0.95))
    number = 0
    for crossing in result.crossings:
        number += crossing.counted
        color = theme.counted if crossing.counted else theme.excluded
        parts.append(_mark(base, crossing, number, color))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
    return f'{head} aria-hidden="true">{"".join(parts)}</svg>'


def _mark(base: Picture, crossing: Crossing, number: int, color: Color) -> str:
    row, col = base.to_picture(np.array([[crossing.row_px, crossing.col_px]]))[0]
    look = f'fill="none" stroke="{css(color)}" stroke-width="2"'
    label = mark_for(crossing.reason, crossing.counted).label
    title = f"<title>{label}, {crossing.confidence:.0%}</title>"
    if crossing.counted:
        text = (
            f'<text x="{col + 11:.1f}" y="{row - 8:.1f}" font-size="17" fill="{css(color)}">{number}</text>'
        )
        return f'<g>{title}<circle cx="{col:.1f}" cy="{row:.1f}" r="{_RING:g}" {look}/>{text}</g>'
    corner = f'x="{col - _SMALL:.1f}" y="{row - _SMALL:.1f}" width="{2 * _SMALL:g}" height="{2 * _SMALL:g}"'
    return f'<g>{title}<rect {corner} transform="rotate(45 {col:.1f} {row:.1f})" {look}/></g>'


def _line(points: FloatArray, color: Color, width: float, opacity: float) -> str:
    look = f'fill="none" stroke="{css(color)}" stroke-width="{width:g}" stroke-opacity="{opacity:g}"'
    return f'<polyline points="{_points(points)}" {look}/>'


def _points(points: FloatArray) -> str:
    return " ".join(f"{col:.1f},{row:.1f}" for row, col in points)
