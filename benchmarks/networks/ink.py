"""Lines and spots of any width, and how they are put together: nerves, processes of cells, rims."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.networks.textures import PIXEL_UM, anywhere

__all__ = ["STEP_UM", "Ink", "Line", "beads", "cell_with_processes", "gaps", "walk", "wavy"]

_Float32 = NDArray[np.float32]
_Floats = NDArray[np.float64]
_Rng = np.random.Generator

STEP_UM = 0.3
"""Between the points of a line."""

_SIGMAS_UM = np.geomspace(0.2, 4.0, 9)  # widths that a line is put together of


@dataclass(frozen=True, eq=False)
class Line:
    """Points of a line (row, col in pixels), its standard deviation and its height at each of them."""

    points: _Floats
    sigma_um: _Floats
    height: _Floats


class Ink:
    """Lines and spots on an image of a shape, until they are drawn."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._parts: list[_Floats] = [np.empty((0, 4))]  # row, col, standard deviation, weight

    def line(self, line: Line) -> None:
        weight = line.height * line.sigma_um * np.sqrt(2 * np.pi) * STEP_UM / PIXEL_UM**2
        self._parts.append(np.column_stack([line.points, line.sigma_um, weight]))

    def spot(self, point: _Floats, sigma_um: float, height: float) -> None:
        weight = height * 2 * np.pi * sigma_um**2 / PIXEL_UM**2
        self._parts.append(np.array([[*point, sigma_um, weight]]))

    def drawn(self) -> _Float32:
        """(H, W) all of them together, each of the nearest width there is."""
        row, col, sigma_um, weight = np.concatenate(self._parts).T
        nearest = np.abs(np.log(sigma_um[:, None] / _SIGMAS_UM)).argmin(axis=1)
        out = np.zeros(self.shape, np.float32)
        for level, sigma in enumerate(_SIGMAS_UM):
            here = nearest == level
            out += _sown(self.shape, row[here], col[here], weight[here], sigma / PIXEL_UM)
        return out


def cell_with_processes(rng: _Rng, ink: Ink, height: float) -> None:
    """A dendritic cell or a melanocyte: a body, or none in focus, and short processes all around."""
    center = anywhere(rng, ink.shape)
    size_um = rng.uniform(0.4, 1.8)
    for _ in range(rng.integers(0, 10)):
        ink.spot(center + rng.normal(0, size_um / PIXEL_UM, 2), rng.uniform(0.8, 2.4), height * 0.4)
    sigma_um, wander, count = rng.uniform(0.3, 0.9), rng.uniform(0.0, 0.07), int(rng.integers(0, 8))
    for way in rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, count, endpoint=False):
        points = walk(rng, rng.uniform(4, 18), wander, center, way + rng.normal(0, 0.4))
        n = len(points)
        fading = height * rng.uniform(0.7, 1.5) * np.linspace(1, rng.uniform(0.1, 0.5), n)
        ink.line(Line(points, np.full(n, sigma_um), fading))
        if rng.random() < 0.25:  # it forks
            fork = walk(rng, rng.uniform(3, 8), wander, points[n // 2], way + rng.choice([-0.7, 0.7]))
            ink.line(Line(fork, np.full(len(fork), sigma_um), np.full(len(fork), fading[n // 2] * 0.7)))


def walk(rng: _Rng, length_um: float, wander: float, begin: _Floats, way: float | None = None) -> _Floats:
    """(N, 2) points every `STEP_UM` of a line that turns as it likes, from a place on and in any way."""
    n = max(3, int(length_um / STEP_UM))
    bend = ndimage.gaussian_filter1d(rng.standard_normal(n), 4.0, mode="nearest") * wander * 3
    first_way = rng.uniform(0, 2 * np.pi) if way is None else way
    ways = first_way + np.cumsum(bend) + 0.25 * wavy(rng, n, 3.0) * wander * 15
    steps = np.stack([np.sin(ways), np.cos(ways)], -1) * STEP_UM / PIXEL_UM
    return np.asarray(begin + np.cumsum(steps, axis=0), np.float64)


def beads(rng: _Rng, along: _Floats, how: float) -> _Floats:
    """(n,) factors of the height of a line that swells every 2 to 11 um."""
    out = np.full(len(along), 1 - 0.5 * min(how, 1.0))
    at = rng.uniform(0, 4)
    while at < along[-1]:
        out += how * rng.uniform(0.3, 1.6) * np.exp(-0.5 * ((along - at) / rng.uniform(0.5, 1.1)) ** 2)
        at += rng.uniform(2, 11)
    return out


def gaps(rng: _Rng, along: _Floats, how: float) -> _Floats:
    """(n,) factors of the height of a line that is interrupted here and there."""
    out = np.ones(len(along))
    at = rng.exponential(25)
    while how and at < along[-1]:
        half = rng.uniform(0.8, 3.5)
        out *= 1 - np.clip(half + 0.5 - np.abs(along - at), 0, 1) * rng.uniform(0.5, 1)
        at += 2 * half + rng.exponential(18 / how)
    return out


def wavy(rng: _Rng, n: int, size_um: float, step_um: float = STEP_UM) -> _Floats:
    """(n,) values of a standard deviation near 1 that change over so many micrometers along a line."""
    knots = rng.standard_normal(int(n * step_um / size_um) + 4)
    at = np.arange(n) * step_um / size_um + rng.uniform(0, 1)
    return np.asarray(ndimage.map_coordinates(knots, [at], order=3, mode="nearest"), np.float64)


def _sown(shape: tuple[int, int], row: _Floats, col: _Floats, weight: _Floats, sigma_px: float) -> _Float32:
    """(H, W) weights at places between pixels, blurred."""
    top, left = np.floor(row).astype(int), np.floor(col).astype(int)
    down, right = row - top, col - left
    out = np.zeros(shape)
    for r, c, share in (
        (top, left, (1 - down) * (1 - right)),
        (top + 1, left, down * (1 - right)),
        (top, left + 1, (1 - down) * right),
        (top + 1, left + 1, down * right),
    ):
        inside = (r >= 0) & (c >= 0) & (r < shape[0]) & (c < shape[1])
        np.add.at(out, (r[inside], c[inside]), (weight * share)[inside])
    return np.asarray(ndimage.gaussian_filter(out, sigma_px), np.float32)
