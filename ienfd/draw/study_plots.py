"""All biopsies of a study at a glance (SVG): density by age and by group, and how counts are distributed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, lgamma, log

import numpy as np

from ienfd.draw.norm_plot import Course
from ienfd.draw.palette import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from ienfd.draw.svg import FAINT, GRID, INK, Shape, css, drawing, line, marker, step_of, text

__all__ = ["AgePanel", "Dot", "count_plot", "density_by_age", "density_by_group"]

_FONT = "Helvetica, Arial, sans-serif"
_PANEL, _HEIGHT = 430.0, 400.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 16.0, 86.0, 52.0
_LEGEND_ROW, _LETTER = 18.0, 6.2
_SIZE, _GROUP = 4.4, 140.0
_COLORS = (BLUE, VERMILION, GREEN, PURPLE, SKY)
_SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond")
_LONGEST = 28


@dataclass(frozen=True)
class Dot:
    """One biopsy: age, density and its interval in years and per mm, and its group (empty for none)."""

    age_years: float
    density_per_mm: float
    low_per_mm: float
    high_per_mm: float
    group: str = ""


@dataclass(frozen=True)
class AgePanel:
    """The biopsies of one sex, and the norms that they were called by."""

    title: str
    dots: tuple[Dot, ...]
    courses: tuple[Course, ...] = ()


@dataclass(frozen=True)
class _Axes:
    """From values to places in one panel."""

    left: float
    right: float
    low: float
    high: float
    top: float
    head: float = _TOP

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * (value - self.low) / (self.high - self.low)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - self.head - _BOTTOM) * value / self.top


def density_by_age(panels: Sequence[AgePanel], title: str) -> str:
    """Densities with their intervals over age, with the limits of the norms that called them.

    Parameters
    ----------
    panels : sequence of AgePanel
        Side by side, with the same axes.
    title : str
        What stands over them.
    """
    dots = [dot for panel in panels for dot in panel.dots]
    groups = sorted({dot.group for dot in dots if dot.group})
    pieces = [p for panel in panels for course in panel.courses for p in course.pieces]
    ages = [*(dot.age_years for dot in dots), *(age for piece in pieces for age, _ in piece)] or [20.0, 80.0]
    limits = [limit for piece in pieces for _, limit in piece]
    top = 1.06 * max([4.0, *limits, *(dot.high_per_mm for dot in dots)])
    width = _PANEL * max(1, len(panels))
    legend, deep = _legend(groups, width)
    parts = [_title(title), *legend]
    for number, panel in enumerate(panels):
        left = number * _PANEL + _LEFT
        low, high = 10 * floor(min(ages) / 10), 10 * ceil((max(ages) + 0.1) / 10)
        axes = _Axes(left, (number + 1) * _PANEL - _RIGHT, low, high, top, _TOP + deep)
        parts += _grid(axes, "crossings per mm")
        parts.append(text(left, axes.head - 12, panel.title, "start", INK, _FONT, 12))
        for tick in range(int(low), int(high) + 1, 10):
            parts.append(line(axes.x(tick), axes.y(0), axes.x(tick), axes.y(0) + 4, INK, 1))
            parts.append(text(axes.x(tick), axes.y(0) + 17, str(tick), "middle", FAINT, _FONT))
        parts.append(text((axes.left + axes.right) / 2, _HEIGHT - 14, "age in years", "middle", FAINT, _FONT))
        for course in panel.courses:
            for (age_a, limit_a), (age_b, limit_b) in course.pieces:
                ends = axes.x(age_a), axes.y(limit_a), axes.x(age_b), axes.y(limit_b)
                parts.append(line(*ends, css(ORANGE), 2.4 if course.calls else 1.2))
            if course.pieces and len(panel.courses) > 1:
                age, limit = course.pieces[0][0]
                parts.append(text(axes.x(age) + 4, axes.y(limit) - 6, course.name, "start", FAINT, _FONT))
        for dot in panel.dots:
            color, shape = _look(groups, dot.group)
            x = axes.x(dot.age_years)
            whisker = x, axes.y(dot.low_per_mm), x, axes.y(dot.high_per_mm)
            parts.append(line(*whisker, color, 1, 'stroke-opacity="0.45"'))
        for dot in panel.dots:
            color, shape = _look(groups, dot.group)
            parts.append(marker(shape, axes.x(dot.age_years), axes.y(dot.density_per_mm), _SIZE, color))
    return drawing(width, _HEIGHT, parts)


def density_by_group(groups: Mapping[str, Sequence[float]], title: str) -> str:
    """Densities of each group as dots, with the median and the quartiles.

    Parameters
    ----------
    groups : mapping of str to sequence of float
        Densities per mm of each group, in the order in which they are drawn; none is empty.
    title : str
        What stands over them.
    """
    top = 1.06 * max([4.0, *(value for values in groups.values() for value in values)])
    width = max(_PANEL, _LEFT + _RIGHT + _GROUP * len(groups))
    axes = _Axes(_LEFT, width - _RIGHT, 0.0, float(len(groups)), top)
    parts = [_title(title), *_grid(axes, "crossings per mm")]
    for number, (name, values) in enumerate(groups.items()):
        middle = axes.x(number + 0.5)
        color, shape = _look(list(groups), name)
        low, median, high = (float(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
        for value, size in ((low, 1.2), (median, 2.6), (high, 1.2)):
            parts.append(line(middle - 34, axes.y(value), middle + 34, axes.y(value), INK, size))
        for value, aside in _swarm(values, top):
            parts.append(marker(shape, middle + aside, axes.y(value), _SIZE, color))
        parts.append(text(middle, axes.y(0) + 18, _short(name, 22), "middle", INK, _FONT))
        parts.append(text(middle, axes.y(0) + 33, f"n = {len(values)}", "middle", FAINT, _FONT))
    return drawing(width, _HEIGHT, parts)


def count_plot(counts: Sequence[int], expected: Sequence[float], title: str) -> str:
    """How many sections have how many crossings, beside what chance alone would give.

    Parameters
    ----------
    counts : sequence of int
        Crossings of each section.
    expected : sequence of float
        Crossings that each would have by its length, had its biopsy the same density throughout.
    title : str
        What stands over it.
    """
    highest = max(counts, default=0) + 1
    width = max(1, ceil((highest + 1) / 30))  # counts in one bar
    bars = [0] * (highest // width + 1)
    for count in counts:
        bars[count // width] += 1
    chance = [
        sum(_poisson(k, mean) for mean in expected for k in range(width * bar, width * (bar + 1)))
        for bar in range(len(bars))
    ]
    axes = _Axes(_LEFT, _PANEL + 150 - _RIGHT, 0.0, float(len(bars)), 1.08 * max([4.0, *bars, *chance]))
    parts = [_title(title), *_grid(axes, "sections")]
    for bar, number in enumerate(bars):
        left, wide = axes.x(bar) + 1.5, axes.x(1) - axes.x(0) - 3
        box = f'x="{left:.1f}" y="{axes.y(number):.1f}" width="{wide:.1f}"'
        parts.append(f'<rect {box} height="{axes.y(0) - axes.y(number):.1f}" fill="{css(SKY)}"/>')
        if bar % max(1, len(bars) // 15) == 0:
            parts.append(text(left + wide / 2, axes.y(0) + 17, str(bar * width), "middle", FAINT, _FONT))
    for bar, share in enumerate(chance):
        parts.append(marker("circle", axes.x(bar + 0.5), axes.y(share), 3.4, css(VERMILION)))
    said = "Bars: sections with so many crossings. Dots: by chance alone, at the density of each biopsy."
    parts.append(text(_LEFT, 46, said, "start", FAINT, _FONT))
    words = "crossings in a section" + (f", {width} in each bar" if width > 1 else "")
    parts.append(text((axes.left + axes.right) / 2, _HEIGHT - 14, words, "middle", FAINT, _FONT))
    return drawing(_PANEL + 150, _HEIGHT, parts)


def _poisson(count: int, mean: float) -> float:
    if mean <= 0:
        return float(count == 0)
    return exp(count * log(mean) - mean - lgamma(count + 1))


def _swarm(values: Sequence[float], top: float) -> Iterator[tuple[float, float]]:
    """Each value with how far it is put aside, so that none covers another while there is room."""
    scale = (_HEIGHT - _TOP - _BOTTOM) / top
    step, most = 2.1 * _SIZE, int((_GROUP / 2 - 8) / (2.1 * _SIZE))
    places = [0.0, *(sign * step * n for n in range(1, most + 1) for sign in (1, -1))]
    near: list[tuple[float, float]] = []
    for value in sorted(values):
        near = [(other, aside) for other, aside in near if (value - other) * scale < step]
        taken = {aside for _, aside in near}
        aside = next((place for place in places if place not in taken), 0.0)
        near.append((value, aside))
        yield value, aside


def _grid(axes: _Axes, words: str) -> list[str]:
    parts = []
    step = step_of(axes.top)
    for value in range(0, int(axes.top) + 1, step):
        parts.append(line(axes.left, axes.y(value), axes.right, axes.y(value), GRID if value else INK, 1))
        parts.append(text(axes.left - 7, axes.y(value) + 4, str(value), "end", FAINT, _FONT))
    at = f'transform="rotate(-90 {axes.left - 34:.1f} {(axes.head + _HEIGHT - _BOTTOM) / 2:.1f})"'
    label = text(axes.left - 34, (axes.head + _HEIGHT - _BOTTOM) / 2, words, "middle", FAINT, _FONT)
    return [*parts, label.replace("<text ", f"<text {at} ", 1)]


def _title(words: str) -> str:
    return text(_LEFT, 24, words, "start", INK, _FONT, 14)


def _legend(groups: Sequence[str], width: float) -> tuple[list[str], float]:
    """The groups with their marks, and how much room they take."""
    parts, x, y = [], _LEFT, 46.0
    for name in groups:
        color, shape = _look(groups, name)
        wide = 22 + _LETTER * len(_short(name)) + 14
        if x > _LEFT and x + wide > width - _RIGHT:
            x, y = _LEFT, y + _LEGEND_ROW
        parts += [
            marker(shape, x + 5, y - 4, _SIZE, color),
            text(x + 16, y, _short(name), "start", INK, _FONT),
        ]
        x += wide
    return parts, y - 46.0


def _look(groups: Sequence[str], name: str) -> tuple[str, Shape]:
    """Color and shape of a group: both, because the color-blind and printers need the second."""
    number = groups.index(name) if name in groups else 0
    return css(_COLORS[number % len(_COLORS)]), _SHAPES[number % len(_SHAPES)]


def _short(name: str, longest: int = _LONGEST) -> str:
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."
