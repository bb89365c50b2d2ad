"""Parting a strip in two: the partition with the least boundary, and the curve between its halves."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.measure import find_contours

from ienfd.result import FloatArray

__all__ = ["boundary", "least_variation", "single_valued"]


def least_variation(
    unary: FloatArray, step_um: float, *, variation_um: float = 4.0, iterations: int = 120
) -> FloatArray:
    """Partition (0..1) that maximizes `unary` with least boundary (Chan, Esedoglu, Nikolova 2006).

    Samples lie `step_um` apart; `variation_um` is the weight of the boundary against evidence of 1.
    Solved by the primal-dual method of Chambolle and Pock (2011).
    """
    along = unary.T  # strips are long: what lies along them is kept together in memory
    u = (along > 0).astype(np.float32, order="C")
    bar = u.copy()
    force = (along / (variation_um / step_um)).astype(np.float32, order="C")
    py, px = np.zeros_like(u), np.zeros_like(u)
    tau = sigma = 0.35
    for _ in range(iterations):
        py[:-1] += sigma * (bar[1:] - bar[:-1])
        px[:, :-1] += sigma * (bar[:, 1:] - bar[:, :-1])
        norm = np.maximum(1.0, np.sqrt(py * py + px * px))
        py /= norm
        px /= norm
        divergence = py + px
        divergence[:, 1:] -= px[:, :-1]
        divergence[1:] -= py[:-1]
        new = np.clip(u + tau * (divergence + force), 0, 1)
        bar = 2 * new - u
        u = new
    return np.asarray(u.T, float, order="C")


def boundary(partition: FloatArray) -> FloatArray:
    """The one boundary that runs from the first to the last position; (N, 2) strip coordinates."""
    count, size = partition.shape
    padded = partition.copy()
    padded[:, :2], padded[:, -2:] = 1, 0
    padded = ndimage.gaussian_filter(padded, 1.0, mode="nearest")
    contours = find_contours(padded, 0.5)
    through = [c for c in contours if abs(c[-1, 0] - c[0, 0]) > count - 2]
    if not through:  # cannot happen with the clamped rims, but a curve is owed
        return np.column_stack([np.arange(count), np.full(count, size / 2)]).astype(float)
    curve = np.asarray(max(through, key=len), float)
    return curve if curve[0, 0] < curve[-1, 0] else curve[::-1]


def single_valued(curve: FloatArray, count: int) -> FloatArray:
    """(count,) place of a curve across a strip at every position along it; folds are cut off."""
    order = np.argsort(curve[:, 0], kind="stable")
    return np.asarray(np.interp(np.arange(count), curve[order, 0], curve[order, 1]), float)
