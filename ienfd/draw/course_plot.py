"""The densities of one patient: a panel for each place, side by side, with time to the right (SVG)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from ienfd.draw.palette import BLUE, ORANGE
from ienfd.draw.svg import FAINT, GRID, INK, css, drawing, line, step_of, text

__all__ = ["LEGEND", "CoursePanel", "CoursePoint", "course_plot"]

LEGEND = (
    "Crossings per mm over time, with their intervals; the diamond is the biopsy of this report. A line joins"
    " a biopsy to the one before it where they can be compared: a thick one where the change is larger than"
    " sampling and reading noise explain, a thin one where it is within. A short orange line is the limit of"
    " the norm at that age."
)
"""What the drawing shows, for the page that it stands on."""

_WIDTH, _HEIGHT, _IN_A_ROW = 630.0, 205.0, 3
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 10.0, 26.0, 22.0
_INSIDE = 24.0  # between the axis and the first and last point
_LABEL = 44.0  # a label of the time axis
_LAST_LETTER = "\u017f"  # of Latin
_LIMIT = 11.0  # half the width of the mark of a limit


@dataclass(frozen=True)
class CoursePoint:
    """One biopsy.

    Parameters
    ----------
    day : date or None
        When it was taken.
    density_per_mm, low_per_mm, high_per_mm : float
        Its density with its interval.
    limit_per_mm : float or None
        Limit of the norm that it was called by.
    here : bool
        Whether it is the one that the page is about.
    """

    day: date | None
    density_per_mm: float
    low_per_mm: float
    high_per_mm: float
    limit_per_mm: float | None = None
    here: bool = False


@dataclass(frozen=True)
class CoursePanel:
    """One place.

    Parameters
    ----------
    title : str
        Site and side.
    points : tuple of CoursePoint
        Its biopsies, those without a day last.
    steps : tuple of (int, int, bool)
        Which points were compared, and whether their change is larger than noise explains.
    """

    title: str
    points: tuple[CoursePoint, ...]
    steps: tuple[tuple[int, int, bool], ...] = ()


@dataclass(frozen=True)
class _Axes:
    """From days and densities to places in one panel; all panels have the same axes."""

    left: float
    width: float
    top: float
    days: tuple[date, date] | None
    undated: bool
    top_per_mm: float

    def x(self, day: date | None) -> float:
        first, last = self.left + _LEFT + _INSIDE, self.left + self.width - _RIGHT - _INSIDE
        if self.days is None:
            return (first + last) / 2
        if day is None:
            return last
        if self.undated:
            last -= _LABEL
        span = (self.days[1] - self.days[0]).days
        return (first + last) / 2 if span == 0 else first + (last - first) * (day - self.days[0]).days / span

    def y(self, per_mm: float) -> float:
        return self.top + _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * per_mm / self.top_per_mm


def course_plot(panels: Sequence[CoursePanel], font: str) -> str:
    """Draw every density with its interval; lines join what was compared.

    Parameters
    ----------
    panels : sequence of CoursePanel
        The places; one without points is drawn empty.
    font : str
        Family of the letters.

    Returns
    -------
    str
        An SVG element; `LEGEND` says what is what.
    """
    points = [point for panel in panels for point in panel.points]
    days = [point.day for point in points if point.day is not None]
    highest = max([4.0, *(max(p.high_per_mm, p.limit_per_mm or 0.0) for p in points)])
    width, rows = _WIDTH / min(len(panels), _IN_A_ROW), ceil(len(panels) / _IN_A_ROW)
    parts: list[str] = []
    for number, panel in enumerate(panels):
        axes = _Axes(
            left=width * (number % _IN_A_ROW),
            width=width,
            top=_HEIGHT * (number // _IN_A_ROW),
            days=(min(days), max(days)) if days else None,
            undated=any(point.day is None for point in points),
            top_per_mm=1.08 * highest,
        )
        parts += [*_frame(axes, panel, font), *_steps(axes, panel)]
        for point in panel.points:
            parts += _point(axes, point)
    return drawing(_WIDTH, _HEIGHT * rows, parts)


def _frame(axes: _Axes, panel: CoursePanel, font: str) -> list[str]:
    left, right = axes.left + _LEFT, axes.left + axes.width - _RIGHT
    parts = [text(left, axes.top + 14, _short(panel.title), "start", INK, font)]
    for value in range(0, int(axes.top_per_mm) + 1, step_of(axes.top_per_mm)):
        parts.append(line(left, axes.y(value), right, axes.y(value), GRID, 1))
        parts.append(text(left - 5, axes.y(value) + 3.5, str(value), "end", FAINT, font))
    parts.append(line(left, axes.y(0), right, axes.y(0), INK, 1))
    free = left
    for point in panel.points:
        x = axes.x(point.day)
        parts.append(line(x, axes.y(0), x, axes.y(0) + 4, INK, 1))
        if x - _LABEL / 2 >= free - 1:
            words = "undated" if point.day is None else f"{point.day.year:04d}-{point.day.month:02d}"
            parts.append(text(x, axes.y(0) + 16, words, "middle", FAINT, font))
            free = x + _LABEL / 2
    return parts


def _steps(axes: _Axes, panel: CoursePanel) -> list[str]:
    parts = []
    for first, last, larger in panel.steps:
        one, two = panel.points[first], panel.points[last]
        ends = axes.x(one.day), axes.y(one.density_per_mm), axes.x(two.day), axes.y(two.density_per_mm)
        parts.append(line(*ends, css(BLUE) if larger else FAINT, 2.6 if larger else 1.0))
    return parts


def _point(axes: _Axes, point: CoursePoint) -> list[str]:
    x, y, blue = axes.x(point.day), axes.y(point.density_per_mm), css(BLUE)
    low, high = axes.y(point.low_per_mm), axes.y(point.high_per_mm)
    parts = []
    if point.limit_per_mm is not None:
        limit = axes.y(point.limit_per_mm)
        parts.append(line(x - _LIMIT, limit, x + _LIMIT, limit, css(ORANGE), 2.4))
    parts.append(line(x, low, x, high, blue, 1.6))
    parts += [line(x - 4, end, x + 4, end, blue, 1.6) for end in (low, high)]
    if point.here:
        tips = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in ((0, -6), (6, 0), (0, 6), (-6, 0)))
        return [*parts, f'<polygon points="{tips}" fill="{blue}" stroke="white" stroke-width="1"/>']
    return [
        *parts,
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.2" fill="white" stroke="{blue}" stroke-width="2"/>',
    ]


def _short(title: str) -> str:
    """A title that fits over a panel, in letters that the fonts of every report hold."""
    shown = "".join(letter if letter.isprintable() and letter <= _LAST_LETTER else "?" for letter in title)
    return shown if len(shown) <= 30 else f"{shown[:27]}..."
