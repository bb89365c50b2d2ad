"""The course of the controls from run to run, with mean and standard deviations (Levey-Jennings), as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from xml.sax.saxutils import escape

from ienfd.draw.palette import BLUE, ORANGE, VERMILION, Color

__all__ = ["FEWEST", "ControlPoint", "control_plot"]

FEWEST = 5
"""Fewer controls than this have no course."""

_WIDTH, _PANEL = 720.0, 210.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 70.0, 30.0, 34.0
_INK, _FAINT = "#141416", "#6b6b6e"
_FONT = "Libertinus Serif, Georgia, serif"
_LONGEST, _MOST_NAMES = 14, 8
_EDGES = (-3, -2, 0, 2, 3)


@dataclass(frozen=True)
class ControlPoint:
    """One control: its run, its figure, and whether it passed."""

    run: str
    value: float
    passed: bool


def control_plot(panels: Sequence[tuple[str, Sequence[ControlPoint]]]) -> str:
    """Draw one panel below the other.

    Parameters
    ----------
    panels : sequence of (str, sequence of ControlPoint)
        What is drawn, and the controls in the order of their runs: `FEWEST` or more. Mean and standard
        deviation are those of the controls that passed.

    Returns
    -------
    str
        An SVG document.
    """
    height = _PANEL * len(panels)
    parts = [_panel(title, points, index * _PANEL) for index, (title, points) in enumerate(panels)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height:g}"'
    ground = f'<rect width="{_WIDTH:g}" height="{height:g}" fill="white"/>'
    return f'{head} width="{_WIDTH:g}" height="{height:g}" role="img">{ground}{"".join(parts)}</svg>\n'


def _panel(title: str, points: Sequence[ControlPoint], top: float) -> str:
    usual = [point.value for point in points if point.passed]
    mean = fmean(usual) if usual else 0.0
    spread = stdev(usual) if len(usual) > 1 else 0.0
    lines = [mean + edge * spread for edge in _EDGES] if spread > 0 else [mean]
    low = min([*lines, *(point.value for point in points)])
    high = max([*lines, *(point.value for point in points)])
    room = 0.06 * (high - low) or 1.0

    def x(place: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (place + 0.5) / len(points)

    def y(value: float) -> float:
        share = (value - low + room) / (high - low + 2 * room)
        return top + _PANEL - _BOTTOM - (_PANEL - _TOP - _BOTTOM) * share

    right = _WIDTH - _RIGHT
    parts = [_text(_LEFT, top + 18, title, "start", _INK)]
    for edge, value in zip(_EDGES if spread > 0 else (0,), lines, strict=True):
        color = {0: _INK, 2: _css(ORANGE), 3: _css(VERMILION)}[abs(edge)]
        dash = "" if edge == 0 else ' stroke-dasharray="5 4"'
        parts.append(_line(_LEFT, y(value), right, y(value), f'stroke="{color}" stroke-width="1"{dash}'))
        name = "mean" if edge == 0 else f"{edge:+d} SD"
        parts.append(_text(right + 6, y(value) + 4, name, "start", color))
        parts.append(_text(_LEFT - 6, y(value) + 4, f"{value:.3g}", "end", _FAINT))
    course = " ".join(f"{x(place):.1f},{y(point.value):.1f}" for place, point in enumerate(points))
    parts.append(f'<polyline points="{course}" fill="none" stroke="{_FAINT}" stroke-width="1"/>')
    every = -(-len(points) // _MOST_NAMES)
    for place, point in enumerate(points):
        parts.append(_mark(x(place), y(point.value), point.passed))
        if place % every == 0:
            parts.append(_text(x(place), top + _PANEL - 10, _short(point.run), "middle", _INK))
    return "".join(parts)


def _mark(x: float, y: float, passed: bool) -> str:
    """A dot; a cross for one that failed, so that color is not the only cue."""
    if passed:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_css(BLUE)}"/>'
    style = f'stroke="{_css(VERMILION)}" stroke-width="2.4"'
    return _line(x - 5, y - 5, x + 5, y + 5, style) + _line(x - 5, y + 5, x + 5, y - 5, style)


def _short(run: str) -> str:
    return run if len(run) <= _LONGEST else f"{run[: _LONGEST - 1]}…"


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _text(x: float, y: float, words: str, anchor: str, color: str) -> str:
    shown = "".join(letter for letter in words if letter.isprintable())
    look = f'font-family="{_FONT}" font-size="12" fill="{color}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {look}>{escape(shown)}</text>'


def _css(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
