"""Where the numbers go: beside their crossings, not on them, not on each other, and off the fibers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ienfd.geometry import FloatArray

__all__ = ["Label", "place_labels"]

_CELL = 4  # pixels of the grid on which fibers are in the way
_ANGLES_DEG = (40, -40, 70, -70, 15, -15, 100, -100, 140, -140, 180)
_STEPS = (0.0, 0.7, 1.5, 2.5, 4.0, 6.0)


@dataclass(frozen=True)
class Label:
    """A number beside a place.

    Parameters
    ----------
    text : str
        What is written.
    row, col : float
        Center of the text.
    height, width : float
        Its size in pixels.
    """

    text: str
    row: float
    col: float
    height: float
    width: float


def place_labels(
    texts: Sequence[str],
    widths: Sequence[float],
    height: float,
    places: FloatArray,
    outward: FloatArray,
    *,
    marks: FloatArray,
    radius: float,
    traces: Sequence[FloatArray],
    shape: tuple[int, int],
) -> list[Label]:
    """Find a place for every label, one after the other.

    Parameters
    ----------
    texts : sequence of str
        The labels.
    widths : sequence of float
        Width of each in pixels.
    height : float
        Height of all of them in pixels.
    places : (N, 2) ndarray of float
        What they belong to, (row, col) of the picture.
    outward : (N, 2) ndarray of float
        Unit vectors towards which the label would rather lie.
    marks : (M, 2) ndarray of float
        Everything that no label may cover.
    radius : float
        Radius of a mark in pixels.
    traces : sequence of (K, 2) ndarray of float
        Lines that a label should rather not cover.
    shape : (int, int)
        Height and width of the picture; labels stay inside.

    Returns
    -------
    list of Label
        In the order of `texts`.
    """
    covered = _coverage(traces, shape)
    boxes = np.empty((0, 4))
    out: list[Label] = []
    for text, width, place, direction in zip(texts, widths, places, outward, strict=True):
        centers, detour = _around(place, direction, radius, height, width)
        half = np.array([height, width]) / 2.0
        tried = np.concatenate([centers - half, centers + half], axis=1)
        cost = 1.0 * detour
        cost += 8.0 * _overlap(tried, boxes, pad=height * 0.12)
        cost += 8.0 * _overlap(tried, _squares(marks, radius), pad=0.0)
        cost += 1.5 * _on_traces(tried, covered)
        low, high = tried[:, :2].min(axis=1), (tried[:, 2:] - np.array(shape)).max(axis=1)
        cost += 1000.0 * ((low < 0) | (high > 0))
        best = int(np.argmin(cost))
        boxes = np.vstack([boxes, tried[best]])
        row, col = centers[best]
        out.append(Label(text, float(row), float(col), height, width))
    return out


def _around(
    place: FloatArray, direction: FloatArray, radius: float, height: float, width: float
) -> tuple[FloatArray, FloatArray]:
    """Possible centers about a place, and how far each is from the one liked best."""
    centers, detour = [], []
    for step in _STEPS:
        for rank, angle in enumerate(_ANGLES_DEG):
            turn = np.radians(angle)
            row = direction[0] * np.cos(turn) - direction[1] * np.sin(turn)
            col = direction[0] * np.sin(turn) + direction[1] * np.cos(turn)
            # from the edge of the mark to the edge of the box in this direction
            reach = min(height / 2 / max(abs(row), 1e-6), width / 2 / max(abs(col), 1e-6))
            away = radius * 1.5 + height * (0.35 + step) + reach
            centers.append((place[0] + row * away, place[1] + col * away))
            detour.append(0.6 * step + 0.05 * rank)
    return np.array(centers), np.array(detour)


def _squares(marks: FloatArray, radius: float) -> FloatArray:
    if len(marks) == 0:
        return np.empty((0, 4))
    return np.concatenate([marks - 1.35 * radius, marks + 1.35 * radius], axis=1)


def _overlap(tried: FloatArray, boxes: FloatArray, pad: float) -> FloatArray:
    """How many boxes each tried box meets."""
    if len(boxes) == 0:
        return np.zeros(len(tried))
    apart = (
        (tried[:, None, 0] - pad >= boxes[None, :, 2])
        | (tried[:, None, 2] + pad <= boxes[None, :, 0])
        | (tried[:, None, 1] - pad >= boxes[None, :, 3])
        | (tried[:, None, 3] + pad <= boxes[None, :, 1])
    )
    return np.asarray((~apart).sum(axis=1), dtype=np.float64)


def _coverage(traces: Sequence[FloatArray], shape: tuple[int, int]) -> FloatArray:
    """Summed-area table of the grid cells through which lines run."""
    grid = np.zeros((shape[0] // _CELL + 2, shape[1] // _CELL + 2))
    for trace in traces:
        cells = np.clip((trace // _CELL).astype(int), 0, np.array(grid.shape) - 2)
        grid[cells[:, 0] + 1, cells[:, 1] + 1] = 1.0
    return np.asarray(grid.cumsum(axis=0).cumsum(axis=1))


def _on_traces(tried: FloatArray, covered: FloatArray) -> FloatArray:
    """Share of each box that lines run through."""
    limit = np.array([*covered.shape, *covered.shape]) - 1
    r0, c0, r1, c1 = np.clip(np.round(tried / _CELL).astype(int), 0, limit).T
    inside = covered[r1, c1] - covered[r0, c1] - covered[r1, c0] + covered[r0, c0]
    return np.asarray(inside / np.maximum((r1 - r0) * (c1 - c0), 1))
