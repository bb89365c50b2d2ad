"""Small parts of drawings in lines (SVG), which any page can hold and any browser shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal
from xml.sax.saxutils import escape

from ienfd.draw.palette import Color

__all__ = ["FAINT", "GRID", "INK", "css", "drawing", "line", "marker", "step_of", "text"]

Shape = Literal["circle", "square", "triangle", "diamond"]

INK, FAINT, GRID = "#141416", "#6f6f72", "#e1e1e4"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def css(color: Color) -> str:
    """A color as a page writes it."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def line(x1: float, y1: float, x2: float, y2: float, color: str, width: float, more: str = "") -> str:
    """A straight line; `more` holds further attributes."""
    look = f'stroke="{color}" stroke-width="{width:g}"{more and " "}{more}'
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {look}/>'


def text(x: float, y: float, words: str, anchor: str, color: str, font: str, size: float = 11) -> str:
    """Words at a place, whatever they hold: `anchor` is start, middle or end."""
    look = f'font-family="{escape(font, {chr(34): ""})}" font-size="{size:g}" fill="{color}"'
    said = escape(_NO_XML.sub("\ufffd", words))
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {look}>{said}</text>'


def drawing(width: float, height: float, parts: Iterable[str]) -> str:
    """The SVG element that holds all parts."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
    return f'{head} width="{width:g}" height="{height:g}" role="img">{"".join(parts)}</svg>'


def step_of(top: float, most: int = 8) -> int:
    """Distance of the ticks of an axis from 0 to `top`, so that there are no more than `most`."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if top / step <= most or step == 1000)


def marker(shape: Shape, x: float, y: float, size: float, color: str) -> str:
    """A mark about a place, with a white rim: circle, square, triangle or diamond."""
    look = f'fill="{color}" stroke="white" stroke-width="1"'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" {look}/>'
    corners = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "triangle": ((0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)),
        "diamond": ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)),
    }[shape]
    points = " ".join(f"{x + size * right:.1f},{y + size * down:.1f}" for right, down in corners)
    return f'<polygon points="{points}" {look}/>'
