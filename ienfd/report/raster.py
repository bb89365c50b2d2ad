"""Outlines and lines as pixels of a mask: exact, and the same on every machine.

Places are (row, col) in pixels of the mask, with the center of a pixel at the integer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.geometry import FloatArray, length, resample

__all__ = ["Inside", "inside", "near"]

_STEP_PX = 0.5  # between the places on a line about which pixels are looked for


@dataclass(frozen=True, eq=False)
class Inside:
    """The pixels within an outline.

    Parameters
    ----------
    rows, cols : slice
        The part of the mask that they lie in.
    pixels : (H, W) ndarray of bool
        Which of that part.
    """

    rows: slice
    cols: slice
    pixels: NDArray[np.bool_]


def inside(outline: FloatArray, shape: tuple[int, int]) -> Inside | None:
    """The pixels whose center lies within an outline.

    An outline that crosses itself takes out what it goes round twice, as in the GeoJSON of a section and
    in ImageJ. A center that lies on the outline belongs to one of two outlines that share the edge.

    Parameters
    ----------
    outline : (N, 2) ndarray of float
        Its corners; it closes itself.
    shape : (int, int)
        Of the mask; what lies beyond is left out.

    Returns
    -------
    Inside or None
        None where there are no such pixels.
    """
    points = np.asarray(outline, dtype=np.float64)
    if len(points) < 3:
        return None
    low = np.maximum(np.ceil(points.min(axis=0)), 0.0).astype(np.int64)
    high = np.minimum(np.floor(points.max(axis=0)) + 1.0, shape).astype(np.int64)
    if np.any(high <= low):
        return None
    height, width = (int(side) for side in high - low)
    row, col = _meetings(points, int(low[0]), int(high[0]))
    first = np.clip(np.ceil(col).astype(np.int64) - low[1], 0, width)  # pixel that the inside begins with
    place, times = np.unique((row - low[0]) * (width + 1) + first, return_counts=True)
    pixels = np.zeros((height, width + 1), dtype=np.uint8)
    pixels.ravel()[place[times % 2 == 1]] = 1
    np.bitwise_xor.accumulate(pixels, axis=1, out=pixels)
    found = pixels[:, :width].astype(np.bool_)
    return Inside(slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])), found)


def _meetings(points: FloatArray, first_row: int, past_row: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Where the edges of an outline meet the center lines of rows: each row, and its column there."""
    start, end = points, np.roll(points, -1, axis=0)
    upper, lower = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    # a row belongs to an edge from its upper end on, its lower end left out: corners are met once
    begin = np.clip(np.ceil(upper).astype(np.int64), first_row, past_row)
    counts = np.clip(np.ceil(lower).astype(np.int64), first_row, past_row) - begin
    edge = np.repeat(np.arange(len(points)), counts)
    passed = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    row = begin[edge] + passed
    rise = np.where(end[:, 0] == start[:, 0], 1.0, end[:, 0] - start[:, 0])
    slope = (end[:, 1] - start[:, 1]) / rise
    return row, start[edge, 1] + (row - start[edge, 0]) * slope[edge]


def near(
    line: FloatArray, radius: float, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixels within a radius of a line or point, and those that it runs through.

    Parameters
    ----------
    line : (N, 2) ndarray of float
        A polyline; a single point is one, too.
    radius : float
        In pixels, 0 or greater.
    shape : (int, int)
        Of the mask; what lies beyond is left out.

    Returns
    -------
    tuple of (M,) ndarray of int
        Rows and columns, some of them more than once: an index for a mask.
    """
    points = resample(line, _STEP_PX) if length(line) > 0 else np.asarray(line[:1], dtype=np.float64)
    through = np.rint(points).astype(np.int64)
    reach = int(np.ceil(radius + 0.5))
    row, col = (through[:, axis, None] + np.arange(-reach, reach + 1) for axis in (0, 1))
    kept = (row - points[:, :1])[:, :, None] ** 2 + (col - points[:, 1:])[:, None, :] ** 2 <= radius**2
    kept[:, reach, reach] = True
    kept &= ((row >= 0) & (row < shape[0]))[:, :, None] & ((col >= 0) & (col < shape[1]))[:, None, :]
    place, down, across = np.nonzero(kept)
    return row[place, down], col[place, across]
