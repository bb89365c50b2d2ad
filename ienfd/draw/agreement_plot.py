"""Two methods against each other, and their differences over their means, as a drawing of lines (SVG)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from ienfd.draw.palette import BLUE, ORANGE
from ienfd.draw.svg import FAINT, INK, css, drawing, line, text

__all__ = ["Limits", "agreement_plot"]

_WIDTH, _HEIGHT = 680.0, 270.0
_PANEL = 310.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 14.0, 40.0  # on the right there is room for words
_AT_MOST = 7  # figures on an axis
_INTERVAL = 0.14
_NAMES = ("upper", "bias", "lower")


@dataclass(frozen=True)
class Limits:
    """Bias and limits of agreement, each with its interval as (value, low, high)."""

    bias: tuple[float, float, float]
    lower: tuple[float, float, float]
    upper: tuple[float, float, float]


@dataclass(frozen=True)
class _Axes:
    """From values to places of one panel, whose left edge lies at `left`."""

    left: float
    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        low, high = self.x
        return self.left + _LEFT + (_PANEL - _LEFT - _RIGHT) * (value - low) / (high - low)

    def down(self, value: float) -> float:
        low, high = self.y
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low)


def agreement_plot(
    manual: Sequence[float], program: Sequence[float], limits: Limits | None, *, unit: str, font: str
) -> str:
    """Draw both panels: the program over the manual figures with the line of identity, and Bland-Altman.

    Parameters
    ----------
    manual, program : sequence of float
        Pairs; at least one.
    limits : Limits or None
        Bias and limits of agreement; None where there are too few pairs for them.
    unit : str
        What the figures are, for the axes.
    font : str
        Family of the letters.

    Returns
    -------
    str
        An SVG element.
    """
    pairs = list(zip(manual, program, strict=True))
    parts = _scatter(pairs, unit, font) + _differences(pairs, limits, unit, font)
    return drawing(_WIDTH, _HEIGHT, parts)


def _scatter(pairs: Sequence[tuple[float, float]], unit: str, font: str) -> list[str]:
    top = 1.06 * max(max(*pair) for pair in pairs) or 1.0
    axes = _Axes(0.0, (0.0, top), (0.0, top))
    parts = _frame(axes, f"by hand, {unit}", f"program, {unit}", font)
    parts.append(_straight(axes, (0.0, 0.0), (top, top), FAINT, 'stroke-dasharray="4 3"'))
    return parts + [_dot(axes, *pair) for pair in pairs]


def _differences(
    pairs: Sequence[tuple[float, float]], limits: Limits | None, unit: str, font: str
) -> list[str]:
    dots = [((one + two) / 2, two - one) for one, two in pairs]
    bounds = [] if limits is None else [*limits.bias, *limits.lower, *limits.upper]
    extent = 1.12 * max([abs(v) for v in (*(d for _, d in dots), *bounds) if isfinite(v)]) or 1.0
    axes = _Axes(_PANEL, (0.0, 1.06 * max(mean for mean, _ in dots) or 1.0), (-extent, extent))
    parts = _frame(axes, f"mean of both, {unit}", f"program minus manual, {unit}", font)
    parts.append(_straight(axes, (axes.x[0], 0.0), (axes.x[1], 0.0), FAINT, ""))
    if limits is not None:
        dashed = 'stroke-dasharray="6 3"'
        for (value, low, high), style in ((limits.bias, ""), (limits.lower, dashed), (limits.upper, dashed)):
            parts.append(_band(axes, low, high))
            parts.append(_straight(axes, (axes.x[0], value), (axes.x[1], value), css(ORANGE), style, 2.0))
        right = axes.across(axes.x[1]) + 5
        for (value, _, _), name in zip((limits.upper, limits.bias, limits.lower), _NAMES, strict=True):
            parts.append(text(right, axes.down(value) + 4, f"{name} {value:+.2f}", "start", INK, font))
    return parts + [_dot(axes, *dot) for dot in dots]


def _frame(axes: _Axes, across: str, up: str, font: str) -> list[str]:
    left, bottom = axes.across(axes.x[0]), axes.down(axes.y[0])
    parts = [
        line(left, bottom, axes.across(axes.x[1]), bottom, INK, 1),
        line(left, bottom, left, axes.down(axes.y[1]), INK, 1),
    ]
    for value in _steps(*axes.x):
        parts.append(line(axes.across(value), bottom, axes.across(value), bottom + 4, INK, 1))
        parts.append(text(axes.across(value), bottom + 16, f"{value:g}", "middle", INK, font))
    for value in _steps(*axes.y):
        parts.append(line(left - 4, axes.down(value), left, axes.down(value), INK, 1))
        parts.append(text(left - 7, axes.down(value) + 4, f"{value:g}", "end", INK, font))
    middle = (left + axes.across(axes.x[1])) / 2
    parts.append(text(middle, _HEIGHT - 6, across, "middle", INK, font))
    parts.append(text(left + 6, _TOP + 4, up, "start", INK, font))
    return parts


def _steps(low: float, high: float) -> list[float]:
    """Round figures from one end to the other, 0 among them."""
    sizes = (size * 10.0**power for power in range(-6, 7) for size in (1, 2, 5))
    step = next(size for size in sizes if (high - low) / size <= _AT_MOST)
    return [round(step * k, 9) for k in range(int(low / step), int(high / step) + 1)]


def _straight(
    axes: _Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    color: str,
    style: str,
    width: float = 1.2,
) -> str:
    ends = axes.across(start[0]), axes.down(start[1]), axes.across(end[0]), axes.down(end[1])
    return line(*ends, color, width, style)


def _band(axes: _Axes, low: float, high: float) -> str:
    top, height = axes.down(high), axes.down(low) - axes.down(high)
    left, width = axes.across(axes.x[0]), axes.across(axes.x[1]) - axes.across(axes.x[0])
    look = f'fill="{css(ORANGE)}" fill-opacity="{_INTERVAL:g}"'
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" {look}/>'


def _dot(axes: _Axes, x: float, y: float) -> str:
    look = f'fill="{css(BLUE)}" fill-opacity="0.75" stroke="white" stroke-width="0.8"'
    return f'<circle cx="{axes.across(x):.1f}" cy="{axes.down(y):.1f}" r="3.6" {look}/>'
