"""Crossing tiles: every counted crossing as a small picture, for a second pair of eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ienfd.draw.canvas import Canvas
from ienfd.draw.palette import DARK, LIGHT
from ienfd.draw.picture import Picture
from ienfd.geometry import FloatArray
from ienfd.result import Crossing, SectionResult

__all__ = ["Tile", "tiles"]

_WIDE_UM = 60.0
_SIDE_PX = 240


@dataclass(frozen=True, eq=False)
class Tile:
    """One counted crossing.

    Parameters
    ----------
    number : int
        Its number in the section.
    crossing : Crossing
        What was decided of it.
    image : PIL.Image.Image
        60 um about it, with the junction; corners point at the crossing and leave it free.
    """

    number: int
    crossing: Crossing
    image: Image.Image


def tiles(base: Picture, result: SectionResult) -> list[Tile]:
    """A tile for every counted crossing, in the order of their numbers.

    Parameters
    ----------
    base : Picture
        The stored picture of the section.
    result : SectionResult
        With its junction.
    """
    if base.um_per_px is None:
        return []
    counted = [crossing for crossing in result.crossings if crossing.counted]
    return [
        Tile(number, crossing, _tile(base, base.um_per_px, result, crossing))
        for number, crossing in enumerate(counted, 1)
    ]


def _tile(base: Picture, um_per_px: float, result: SectionResult, crossing: Crossing) -> Image.Image:
    theme = DARK if base.dark else LIGHT
    half = round(_WIDE_UM / um_per_px / 2)
    row, col = np.rint(base.to_picture(np.array([[crossing.row_px, crossing.col_px]]))[0]).astype(int)
    part = Image.new("RGB", (2 * half + 1, 2 * half + 1), theme.page)  # what lies beyond the image
    part.paste(Image.fromarray(base.pixels), (half - int(col), half - int(row)))
    part = part.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC)
    factor = _SIDE_PX / (2 * half + 1)

    def on_tile(points_px: FloatArray) -> FloatArray:
        local = base.to_picture(points_px) - [row - half, col - half]
        return np.asarray((local + 0.5) * factor - 0.5)

    canvas = Canvas(part)
    lines = [_near(on_tile(piece.junction_px)) for piece in result.findings.pieces]
    canvas.lines([line for line in lines if len(line) > 1], theme.junction, 1.6, opacity=0.8)
    center = on_tile(np.array([[crossing.row_px, crossing.col_px]]))[0]
    canvas.lines(_corners(center, 26.0, 9.0), theme.counted, 2.6, casing=theme.casing)
    return canvas.image


def _near(line: FloatArray) -> FloatArray:
    """The part of a line that a tile shows, from its first point inside to its last."""
    inside = np.flatnonzero(((line > -_SIDE_PX) & (line < 2 * _SIDE_PX)).all(axis=1))
    return line[inside[0] : inside[-1] + 1] if len(inside) else line[:0]


def _corners(center: FloatArray, radius: float, arm: float) -> list[FloatArray]:
    """Four corners of a square about a place."""
    out = []
    for down, right in ((-1, -1), (-1, 1), (1, 1), (1, -1)):
        corner = center + radius * np.array([down, right])
        ends = corner - arm * np.array([[down, 0], [0, right]])
        out.append(np.stack([ends[0], corner, ends[1]]))
    return out
