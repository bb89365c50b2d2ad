"""The subjects of a norm and the limit that was fitted to them, one panel for each sex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ienfd.draw.canvas import Canvas
from ienfd.draw.palette import LIGHT
from ienfd.geometry import FloatArray

__all__ = ["CohortPanel", "cohort_plot"]

_PANEL, _HEIGHT = 560, 520  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 92, 60
_TEXT, _TITLE = 15.0, 19.0
_BAND = 0.25
_AGE_STEP = 10


@dataclass(frozen=True, eq=False)
class CohortPanel:
    """One sex.

    Parameters
    ----------
    title : str
        What stands over it.
    ages_years, densities_per_mm : (N,) ndarray of float
        The subjects.
    below : (N,) ndarray of bool
        Which of them lie under the limit.
    line_years, limits_per_mm, low_per_mm, high_per_mm : (K,) ndarray of float
        The limit over age with both ends of its interval.
    """

    title: str
    ages_years: FloatArray
    densities_per_mm: FloatArray
    below: NDArray[np.bool_]
    line_years: FloatArray
    limits_per_mm: FloatArray
    low_per_mm: FloatArray
    high_per_mm: FloatArray


@dataclass(frozen=True)
class _Axes:
    """From years and fibers per mm to (row, col) of the picture."""

    left: float
    ages: tuple[float, float]
    top_per_mm: float

    def at(self, years: FloatArray, per_mm: FloatArray) -> FloatArray:
        width, height = _PANEL - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        low, high = self.ages
        col = self.left + width * (np.asarray(years, dtype=np.float64) - low) / (high - low)
        row = _TOP + height * (1 - np.asarray(per_mm, dtype=np.float64) / self.top_per_mm)
        return np.column_stack([row, col])


def cohort_plot(panels: Sequence[CohortPanel], title: str, note: str) -> Image.Image:
    """Draw subjects, limit and interval; subjects under the limit are triangles.

    Parameters
    ----------
    panels : sequence of CohortPanel
        Side by side, all with the same axes.
    title, note : str
        Two lines over them.
    """
    theme = LIGHT
    canvas = Canvas(Image.new("RGB", (_PANEL * len(panels), _HEIGHT), theme.page))
    canvas.text((24, 20), title, _TITLE, theme.ink, anchor="lm")
    canvas.text((50, 20), note, _TEXT, theme.faint, anchor="lm")
    every = [age for panel in panels for age in (*panel.ages_years, *panel.line_years)]
    ages = _AGE_STEP * floor(min(every) / _AGE_STEP), _AGE_STEP * ceil(max(every) / _AGE_STEP)
    top = max(float(max(panel.densities_per_mm.max(), panel.high_per_mm.max())) for panel in panels)
    for number, panel in enumerate(panels):
        axes = _Axes(number * _PANEL + _LEFT, (float(ages[0]), float(ages[1])), max(1.0, ceil(1.05 * top)))
        _draw_axes(canvas, axes, panel.title)
        _draw_band(canvas, axes, panel)
        _draw_subjects(canvas, axes, panel)
    return canvas.image


def _draw_axes(canvas: Canvas, axes: _Axes, title: str) -> None:
    theme = LIGHT
    (low, high), top = axes.ages, axes.top_per_mm
    canvas.text((74, axes.left), title, _TEXT, theme.ink, anchor="lm")
    step = next(step for step in (1, 2, 5, 10) if top / step <= 10)
    for per_mm in np.arange(0, top + 0.5 * step, step):
        line = axes.at(np.array([low, high]), np.full(2, min(per_mm, top)))
        canvas.lines([line], (225, 225, 228), 1.0)
        canvas.text((line[0, 0], axes.left - 8), f"{per_mm:g}", _TEXT, theme.faint, anchor="rm")
    for age in np.arange(low, high + 1, _AGE_STEP):
        row, col = axes.at(np.array([age]), np.zeros(1))[0]
        canvas.text((row + 16, col), f"{age:g}", _TEXT, theme.faint)
    floor_line = axes.at(np.array([low, high]), np.zeros(2))
    canvas.lines([floor_line], theme.ink, 1.0)
    middle = float(floor_line[:, 1].mean())
    canvas.text((_HEIGHT - 18, middle), "age, years; density, fibers per mm", _TEXT, theme.faint)


def _draw_band(canvas: Canvas, axes: _Axes, panel: CohortPanel) -> None:
    there = axes.at(panel.line_years, np.maximum(panel.low_per_mm, 0.0))
    back = axes.at(panel.line_years, np.maximum(panel.high_per_mm, 0.0))[::-1]
    mask = Image.new("L", canvas.image.size, 0)
    outline = [(float(col), float(row)) for row, col in np.concatenate([there, back])]
    ImageDraw.Draw(mask).polygon(outline, fill=round(255 * _BAND))
    canvas.image.paste(LIGHT.junction, (0, 0), mask)
    canvas.lines([axes.at(panel.line_years, panel.limits_per_mm)], LIGHT.junction, 2.5)


def _draw_subjects(canvas: Canvas, axes: _Axes, panel: CohortPanel) -> None:
    places = axes.at(panel.ages_years, panel.densities_per_mm)
    for place, below in zip(places, panel.below, strict=True):
        color = LIGHT.counted if below else LIGHT.faint
        canvas.shape("triangle" if below else "circle", place, 5.0 if below else 4.0, color, LIGHT.casing)
