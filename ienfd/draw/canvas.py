"""A picture to draw on: smooth lines, hatched areas, shapes and text, all with a casing.

Pillow draws lines with hard edges. Here lines go into masks of twice the size that are reduced and
laid over the picture, and shapes are stamps drawn once at four times their size.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ienfd.draw.palette import Color, Shape
from ienfd.geometry import FloatArray, arc_lengths, points_at

__all__ = ["Canvas", "font", "plain", "stamp", "text_width"]

_LINE_DETAIL = 2
_STAMP_DETAIL = 4
_BEYOND_ASCII = frozenset("\u00b1\u00b0\u00b7")  # what the font that comes with Pillow has


class Canvas:
    """An RGB image with anti-aliased drawing; coordinates are (row, col), pixel centers at integers."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    def lines(
        self,
        polylines: Iterable[FloatArray],
        color: Color,
        width: float,
        *,
        casing: Color | None = None,
        opacity: float = 1.0,
    ) -> None:
        """Draw polylines `width` pixels wide, with a casing of about one pixel on both sides."""
        kept = [np.asarray(line) for line in polylines if len(line) > 1]
        if not kept:
            return
        every = np.concatenate(kept)
        margin = int(np.ceil(width)) + 4
        low = np.maximum(np.floor(every.min(axis=0)).astype(int) - margin, 0)
        high = np.minimum(np.ceil(every.max(axis=0)).astype(int) + margin, self._shape)
        if np.any(high <= low):
            return
        size = int(high[1] - low[1]), int(high[0] - low[0])
        flat = [
            ((line[:, ::-1] - low[::-1] + 0.5) * _LINE_DETAIL - 0.5).round(1).ravel().tolist()
            for line in kept
        ]
        if casing is not None:
            mask = _line_mask(flat, size, width + 2.0)
            self.image.paste(casing, (int(low[1]), int(low[0])), _faded(mask, 0.55 * opacity))
        mask = _line_mask(flat, size, width)
        self.image.paste(color, (int(low[1]), int(low[0])), _faded(mask, opacity))

    def hatch(self, outline: FloatArray, color: Color, spacing: float, width: float, opacity: float) -> None:
        """Fill an area with diagonal lines."""
        low = np.maximum(np.floor(outline.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, self._shape)
        if np.any(high <= low) or len(outline) < 3:
            return
        height, breadth = int(high[0] - low[0]), int(high[1] - low[1])
        area = Image.new("L", (breadth, height), 0)
        ImageDraw.Draw(area).polygon([tuple(p) for p in (outline - low)[:, ::-1]], fill=255)
        rows = np.arange(low[0], high[0], dtype=np.float32)[:, None]
        cols = np.arange(low[1], high[1], dtype=np.float32)[None, :]
        phase = np.abs((rows + cols) / np.sqrt(2.0) % spacing - spacing / 2)
        stripes = np.clip(width / 2 + 0.5 - phase, 0.0, 1.0) * (255.0 * opacity)
        mask = np.minimum(stripes, np.asarray(area, dtype=np.float32)).astype(np.uint8)
        self.image.paste(color, (int(low[1]), int(low[0])), Image.fromarray(mask))

    def shape(self, kind: Shape, at: Sequence[float], radius: float, color: Color, casing: Color) -> None:
        """Draw an outlined shape about a place."""
        drawn = stamp(kind, round(radius * 2) / 2, color, casing)
        row, col = round(at[0] - drawn.height / 2 + 0.5), round(at[1] - drawn.width / 2 + 0.5)
        self.image.paste(drawn, (col, row), drawn)

    def text(
        self,
        at: Sequence[float],
        words: str,
        size: float,
        color: Color,
        *,
        casing: Color | None = None,
        anchor: str = "mm",
    ) -> None:
        """Write at a place; `anchor` is Pillow's (first letter across, second down)."""
        ImageDraw.Draw(self.image).text(
            (at[1], at[0]),
            plain(words),
            font=font(size),
            fill=color,
            anchor=anchor,
            stroke_width=0 if casing is None else max(1, round(size / 9)),
            stroke_fill=casing,
        )

    def box(self, top: float, left: float, bottom: float, right: float, color: Color, opacity: float) -> None:
        """Lay a plain rectangle over the picture."""
        size = max(1, round(right - left)), max(1, round(bottom - top))
        mask = Image.new("L", size, round(255 * opacity))
        self.image.paste(color, (round(left), round(top)), mask)

    @property
    def _shape(self) -> tuple[int, int]:
        return self.image.height, self.image.width


def dashed(line: FloatArray, dash: float, gap: float) -> list[FloatArray]:
    """A polyline as dashes of a given length with gaps between them."""
    along = arc_lengths(line)
    if along[-1] <= dash:
        return [line]
    out = []
    for start in np.arange(0.0, along[-1], dash + gap):
        end = min(start + dash, along[-1])
        inside = (along > start) & (along < end)
        ends = points_at(line, [start, end])
        out.append(np.concatenate([ends[:1], line[inside], ends[1:]]))
    return out


@lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow, so that a picture is the same on every machine."""
    return ImageFont.load_default(max(6.0, float(size)))


def text_width(words: str, size: float) -> float:
    """Width of a text in pixels."""
    return float(font(size).getlength(plain(words)))


def plain(words: str) -> str:
    """A text in the letters that the font has: accents are dropped, the micro sign becomes u."""
    out = []
    for letter in words:
        if letter in _BEYOND_ASCII or " " <= letter <= "~":
            out.append(letter)
            continue
        if letter in "\u00b5\u03bc":
            out.append("u")
            continue
        if letter in "\u2010\u2011\u2012\u2013\u2014\u2212":
            out.append("-")
            continue
        base = "".join(c for c in unicodedata.normalize("NFKD", letter) if " " <= c <= "~")
        out.append(base or "?")
    return "".join(out)


@lru_cache(maxsize=256)
def stamp(kind: Shape, radius: float, color: Color, casing: Color) -> Image.Image:
    """A shape as a small RGBA image, drawn once."""
    line = max(1.2, radius * 0.26)
    half = int(np.ceil(radius + 2 * line)) + 1
    side = (2 * half + 1) * _STAMP_DETAIL
    masks = []
    for width in (line + 2.0, line):
        mask = Image.new("L", (side, side), 0)
        _outline(
            ImageDraw.Draw(mask), kind, side / 2, radius * _STAMP_DETAIL, max(1, round(width * _STAMP_DETAIL))
        )
        masks.append(mask.reduce(_STAMP_DETAIL))
    out = Image.new("RGBA", masks[0].size, (*casing, 0))
    out.putalpha(masks[0].point(lambda v: int(v * 0.75)))
    out.paste((*color, 255), (0, 0), masks[1])
    return out


def _outline(draw: ImageDraw.ImageDraw, kind: Shape, center: float, radius: float, width: int) -> None:
    c, r = center, radius
    if kind == "circle":
        out = r + width / 2
        draw.ellipse((c - out, c - out, c + out, c + out), outline=255, width=width)
        return
    corners = {
        "triangle": [(0, -1.0), (0.95, 0.7), (-0.95, 0.7)],
        "wedge": [(0, 1.0), (0.95, -0.7), (-0.95, -0.7)],
        "diamond": [(0, -1.15), (1.15, 0), (0, 1.15), (-1.15, 0)],
        "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
    }
    if kind in corners:
        points = [(c + x * r, c + y * r) for x, y in corners[kind]]
        draw.line([*points, points[0], points[1]], fill=255, width=width, joint="curve")
        return
    strokes = [[(-0.75, -0.75), (0.75, 0.75)], [(-0.75, 0.75), (0.75, -0.75)]]
    if kind == "bar":
        strokes = [[(-0.9, 0), (0.9, 0)]]
    for stroke in strokes:
        draw.line([(c + x * r, c + y * r) for x, y in stroke], fill=255, width=width)


def _line_mask(flat: Sequence[list[float]], size: tuple[int, int], width: float) -> Image.Image:
    mask = Image.new("L", (size[0] * _LINE_DETAIL, size[1] * _LINE_DETAIL), 0)
    draw = ImageDraw.Draw(mask)
    for line in flat:
        draw.line(line, fill=255, width=max(1, round(width * _LINE_DETAIL)), joint="curve")
    return mask.reduce(_LINE_DETAIL)


def _faded(mask: Image.Image, opacity: float) -> Image.Image:
    return mask if opacity >= 1.0 else mask.point(lambda v: int(v * opacity))
