"""Straightened coordinates: position along a curve, depth across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.geometry import left_normals
from ienfd.result import FloatArray

__all__ = [
    "COARSE_STEP_UM",
    "Strip",
    "arc_um",
    "best_path",
    "beyond_image",
    "extent",
    "inside_tissue",
    "make_strip",
    "on_tissue",
    "smooth_curve",
    "within_image",
]

COARSE_STEP_UM = 2.5
"""Step of outlines, and of the strips in which layers are looked for."""


def arc_um(points: FloatArray, px: float) -> FloatArray:
    """Position along a polyline in micrometers, 0 at its first point."""
    steps = np.hypot(*np.diff(points, axis=0).T) * px
    return np.concatenate([[0.0], np.cumsum(steps)])


def best_path(cost: FloatArray, max_step: int, step_cost: float, curve_cost: float = 0.0) -> NDArray[np.intp]:
    """Globally optimal curve: one column index per row of `cost` (dynamic programming).

    Parameters
    ----------
    cost : (S, D) ndarray
        Cost of passing each place.
    max_step : int
        Largest change of column from one row to the next.
    step_cost : float
        Cost per column of change.
    curve_cost : float
        Additional cost per squared column of change.

    Returns
    -------
    (S,) ndarray of int
    """
    rows, cols = cost.shape
    steps = np.arange(-max_step, max_step + 1)
    penalty = step_cost * np.abs(steps) + curve_cost * steps**2
    totals = np.full((rows, cols + 2 * max_step), np.inf)  # no path runs beyond the first or last column
    inner = slice(max_step, max_step + cols)
    totals[0, inner] = cost[0]
    at_steps = np.lib.stride_tricks.sliding_window_view(totals, cols, axis=1)  # (S, steps, D)
    for row in range(1, rows):
        totals[row, inner] = (at_steps[row - 1] + penalty[:, None]).min(axis=0) + cost[row]
    path = np.empty(rows, np.intp)
    path[-1] = int(totals[-1, inner].argmin())
    for row in range(rows - 1, 0, -1):
        path[row - 1] = path[row] + steps[(at_steps[row - 1, :, path[row]] + penalty).argmin()]
    return path


@dataclass(frozen=True, eq=False)
class Strip:
    """Sampling positions along the normals of a curve.

    Parameters
    ----------
    positions : (S, D, 2) ndarray of float
        Grid coordinates; axis 0 runs along the curve, axis 1 from above it to below it.
    step_um : float
        Distance of samples along and across.
    above_um : float
        Height of the first sample above the curve.
    """

    positions: FloatArray
    step_um: float
    above_um: float

    def sample(self, image: NDArray[np.float32], coarser: int = 1) -> NDArray[np.float32]:
        """(S, D) values of an image of the grid, linear between pixels.

        The pixels of the image may be `coarser` times those of the grid.
        """
        coordinates = np.moveaxis((self.positions + 0.5) / coarser - 0.5, -1, 0)
        return np.asarray(ndimage.map_coordinates(image, coordinates, order=1, mode="nearest"), np.float32)

    def to_grid(self, points: FloatArray) -> FloatArray:
        """(N, 2) strip coordinates (along, across) as grid coordinates."""
        return np.column_stack(
            [
                ndimage.map_coordinates(self.positions[..., k], points.T, order=1, mode="nearest")
                for k in (0, 1)
            ]
        )


def make_strip(
    curve: FloatArray,
    px: float,
    *,
    above_um: float,
    below_um: float,
    step_um: float,
    down: int,
    heading_um: float = 0.0,
) -> Strip:
    """Lay a strip along a curve.

    Parameters
    ----------
    curve : (N, 2) ndarray
        Smooth polyline in grid coordinates.
    heading_um : float
        The normals are those of the curve smoothed with this standard deviation, so that they do not
        cross under a notch.
    down : {1, -1}
        1 when the dermis lies to the right of the curve as displayed, -1 when to its left.
    """
    arc = arc_um(curve, px)
    count = max(2, int(arc[-1] / step_um) + 1)
    at = np.linspace(0, arc[-1], count)
    points = np.column_stack([np.interp(at, arc, curve[:, k]) for k in (0, 1)])
    normal = -down * left_normals(smooth_curve(points, heading_um / step_um) if heading_um else points)
    offsets = np.arange(-above_um, below_um + step_um / 2, step_um) / px
    return Strip(points[:, None, :] + offsets[None, :, None] * normal[:, None, :], step_um, above_um)


def inside_tissue(strip: Strip, tissue: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, D) where a strip lies within the image and on tissue."""
    on = strip.sample(tissue.astype(np.float32)) > 0.5
    return np.asarray(~beyond_image(strip, tissue.shape) & on, bool)


def beyond_image(strip: Strip, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(S, D) where a strip lies beyond the border of an image: the tissue may go on there."""
    rows, cols = strip.positions[..., 0], strip.positions[..., 1]
    return np.asarray((rows < 0) | (cols < 0) | (rows > shape[0] - 1) | (cols > shape[1] - 1), bool)


def extent(chosen: NDArray[np.bool_]) -> slice:
    """From the first to the last place that is chosen; empty where none is."""
    at = np.flatnonzero(chosen)
    return slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, 0)


def within_image(points: FloatArray, shape: tuple[int, ...], beyond: float = 0.0) -> NDArray[np.bool_]:
    """Which (N, 2) grid coordinates lie in an image, or no farther `beyond` its border."""
    least, most = -0.5 - beyond, np.array(shape) - 0.5 + beyond
    return np.asarray(((points >= least) & (points <= most)).all(axis=1), bool)


def on_tissue(points: FloatArray, tissue: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which (N, 2) grid coordinates lie in the image and on tissue."""
    rows, cols = np.clip(np.rint(points).astype(int), 0, np.array(tissue.shape) - 1).T
    return np.asarray(within_image(points, tissue.shape) & tissue[rows, cols], bool)


def smooth_curve(curve: FloatArray, sigma: float) -> FloatArray:
    """Gaussian smoothing along a polyline of even steps that keeps straight ends straight."""
    pad = min(len(curve) - 1, int(4 * sigma) + 1)
    head = 2 * curve[0] - curve[pad:0:-1]
    tail = 2 * curve[-1] - curve[-2 : -pad - 2 : -1]
    padded = np.concatenate([head, curve, tail])
    return np.asarray(ndimage.gaussian_filter1d(padded, sigma, axis=0)[pad : pad + len(curve)], float)
