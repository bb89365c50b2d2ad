"""Parts of a drawing of lines (SVG): text in it is text, and never markup."""

from __future__ import annotations

from xml.sax.saxutils import escape

from ienfd.draw.palette import Color

__all__ = ["FAINT", "INK", "css", "line", "text"]

INK, FAINT = "#141416", "#8a8a8d"


def css(color: Color) -> str:
    """A color as CSS has it."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A straight line; `style` are further attributes."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def text(x: float, y: float, words: str, anchor: str, color: str, font: str) -> str:
    """Words at a place; `anchor` is start, middle or end."""
    look = f'font-family="{escape(font, {chr(34): ""})}" font-size="11" fill="{color}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {look}>{escape(words)}</text>'
