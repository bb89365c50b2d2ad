"""Lines drawn at random on textures drawn at random: nerves, wide and narrow, sharp and blurred, and decoys.

Not a section: nothing lies where it lies in skin. What a network learns from it is what a nerve looks like on
whatever it is drawn: a long line that wanders, beaded and here and there interrupted, which stands out from
cells, bundles, grains, rims and short processes of cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

__all__ = ["PIXEL_UM", "DrawnLines", "draw_lines"]

_Float32 = NDArray[np.float32]
_Floats = NDArray[np.float64]
_Rng = np.random.Generator

PIXEL_UM = 0.45

_SHAPE = (640, 768)
_STEP_UM = 0.3  # between the points of a line
_SIGMAS_UM = np.geomspace(0.2, 4.0, 9)  # widths that a line is put together of


@dataclass(frozen=True, eq=False)
class DrawnLines:
    """A drawing of `PIXEL_UM`.

    Parameters
    ----------
    signal : (H, W) ndarray of float32
        Nerve signal, bright where there is nerve.
    density : (H, W) ndarray of float32 or None
        Optical density of all colors; None for fluorescence.
    nerves : tuple of (N, 2) ndarray of float
        Center lines (row, col) in pixels.
    """

    signal: _Float32
    density: _Float32 | None
    nerves: tuple[_Floats, ...]


@dataclass(frozen=True, eq=False)
class _Line:
    """Points of a line (row, col in pixels), its standard deviation and its height at each of them."""

    points: _Floats
    sigma_um: _Floats
    height: _Floats


class _Ink:
    """Lines and spots, until they are drawn."""

    def __init__(self) -> None:
        self._parts: list[_Floats] = [np.empty((0, 4))]  # row, col, standard deviation, weight

    def line(self, line: _Line) -> None:
        weight = line.height * line.sigma_um * np.sqrt(2 * np.pi) * _STEP_UM / PIXEL_UM**2
        self._parts.append(np.column_stack([line.points, line.sigma_um, weight]))

    def spot(self, point: _Floats, sigma_um: float, height: float) -> None:
        weight = height * 2 * np.pi * sigma_um**2 / PIXEL_UM**2
        self._parts.append(np.array([[*point, sigma_um, weight]]))

    def drawn(self) -> _Float32:
        """(H, W) all of them together, each of the nearest width there is."""
        row, col, sigma_um, weight = np.concatenate(self._parts).T
        nearest = np.abs(np.log(sigma_um[:, None] / _SIGMAS_UM)).argmin(axis=1)
        out = np.zeros(_SHAPE, np.float32)
        for level, sigma in enumerate(_SIGMAS_UM):
            here = nearest == level
            out += _sown(row[here], col[here], weight[here], sigma / PIXEL_UM)
        return out


def draw_lines(seed: int) -> DrawnLines:
    """The drawing of a seed."""
    rng = np.random.default_rng(seed)
    tissue = _tissue(rng)
    fine = ndimage.gaussian_filter(tissue, 1.5)
    rough = float(np.std(fine - ndimage.gaussian_filter(tissue, 12.0)))
    nerves, ink = _nerves(rng, rough), _Ink()
    for nerve in nerves:
        ink.line(nerve)
    lines = ink.drawn()
    others = _others(rng, rough, float(np.median([nerve.height.mean() for nerve in nerves] or [rough])))
    signal = tissue + lines + others
    signal = ndimage.gaussian_filter(signal, rng.uniform(0.1, 0.5) / PIXEL_UM)
    signal = signal + _slow(rng, 60.0) * rough * rng.uniform(0, 2)
    signal = signal + rng.normal(0, 1, _SHAPE) * rough * rng.choice([0.05, 0.2, 0.4, 0.7, 1.1])
    if rng.random() < 0.4:  # as a camera or its driver sharpens or smooths
        smooth = ndimage.gaussian_filter(signal, 1.0)
        signal = signal + rng.uniform(-0.7, 0.8) * (signal - smooth)
    density = None
    if rng.random() < 0.6:
        counterstain = _tissue(rng) if rng.random() < 0.5 else tissue
        stained = (lines + others) * rng.uniform(0.2, 1.2)
        density = (counterstain + stained).astype(np.float32)
    return DrawnLines(signal.astype(np.float32), density, tuple(nerve.points for nerve in nerves))


def _tissue(rng: _Rng) -> _Float32:
    """(H, W) of two textures, one on each side of a wavy border, of a standard deviation near 1."""
    one, other = _texture(rng), _texture(rng)
    height = _slow(rng, rng.uniform(25, 80)) * rng.uniform(10, 50)
    rows, cols = np.indices(_SHAPE)
    angle = rng.uniform(0, 2 * np.pi)
    across = (rows - _SHAPE[0] / 2) * np.cos(angle) + (cols - _SHAPE[1] / 2) * np.sin(angle)
    side = 1 / (1 + np.exp(-(across * PIXEL_UM + height) / rng.uniform(0.5, 4)))
    step = rng.normal(0, 1.5)
    border = rng.choice([0, 0, 0, rng.uniform(0, 1.5)]) * side * (1 - side) * 4
    return np.asarray(one * side + other * (1 - side) + step * side + border, np.float32)


def _texture(rng: _Rng) -> _Float32:
    """(H, W) grain of several sizes, cells or bundles, as it comes."""
    out = np.zeros(_SHAPE, np.float32)
    for size_um in (0.6, 1.2, 2.5, 6.0, 15.0):
        out += _slow(rng, size_um) * rng.exponential(0.35)
    kind = rng.choice(["cells", "bundles", "plain"], p=[0.5, 0.35, 0.15])
    if kind == "cells":
        out += _cells(rng) * rng.uniform(0.5, 2.0)
    elif kind == "bundles":
        out += _bundles(rng) * rng.uniform(0.3, 1.2)
    return out


def _cells(rng: _Rng) -> _Float32:
    """(H, W) cells beside each other: each with its own brightness, its rim and its nucleus."""
    size_px = rng.uniform(6, 15) / PIXEL_UM
    count = int(_SHAPE[0] * _SHAPE[1] / size_px**2)
    stretch = np.exp(rng.normal(0, 0.25))
    centers = rng.uniform(0, 1, (count, 2)) * np.array(_SHAPE) * [1, stretch]
    shifts = np.stack([_slow(rng, 2.0), _slow(rng, 2.0)], -1)
    places = np.indices(_SHAPE).reshape(2, -1).T + shifts.reshape(-1, 2)
    nearest = cKDTree(centers).query(places * [1, stretch], k=2)
    away = np.asarray(nearest[0]).reshape(*_SHAPE, 2) * PIXEL_UM
    mine = np.asarray(nearest[1])[:, 0].reshape(_SHAPE)
    rim = np.exp(-0.5 * ((away[..., 1] - away[..., 0]) / rng.uniform(0.5, 1.8)) ** 2) * rng.normal(0, 0.8)
    radius = size_px * PIXEL_UM * rng.uniform(0.22, 0.4) * np.exp(rng.normal(0, 0.15, count))[mine]
    inside = 1 / (1 + np.exp((away[..., 0] - radius) / rng.uniform(0.2, 0.8)))
    ring = np.exp(-0.5 * ((away[..., 0] - radius) / 0.6) ** 2) * rng.choice([0, 0, rng.normal(0, 0.5)])
    has = rng.random(count) < rng.uniform(0.4, 1.0)
    nucleus = (inside * rng.normal(0, 1.0) + ring) * has[mine]
    return np.asarray(rng.normal(0, 0.3, count)[mine] + rim + nucleus, np.float32)


def _bundles(rng: _Rng) -> _Float32:
    """(H, W) wavy bundles: noise that is long along a direction which turns slowly."""
    size = 2 * max(_SHAPE)
    noise = rng.standard_normal((size, size)).astype(np.float32)
    long_um, wide_um = rng.uniform(8, 40), rng.uniform(0.6, 3.0)
    noise = ndimage.gaussian_filter(noise, (wide_um / PIXEL_UM, long_um / PIXEL_UM), mode="wrap")
    noise /= noise.std()
    if rng.random() < 0.5:  # bundles with clefts between them
        noise = np.minimum(noise, rng.uniform(-0.3, 0.8))
    rows, cols = np.indices(_SHAPE).astype(np.float32)
    angle, turn = rng.uniform(0, np.pi), _slow(rng, 40.0) * rng.uniform(5, 40)
    along = cols * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - cols * np.sin(angle) + turn
    return np.asarray(ndimage.map_coordinates(noise, [across, along], order=1, mode="wrap"), np.float32)


def _nerves(rng: _Rng, rough: float) -> list[_Line]:
    """Center lines with their width and height at every point."""
    count = rng.poisson(rng.choice([8, 25, 60]))
    width_um, faint = rng.uniform(0.25, 1.0), rng.uniform(2.0, 12.0)
    depth_um = rng.choice([0.0, 2.0, 5.0, 9.0])  # how far out of focus they lie
    beaded, broken = rng.uniform(0, 1.2), rng.choice([0, 0.3, 1.0])
    lines = []
    for _ in range(count):
        length_um = 15 + rng.gamma(1.6, 30)
        points = _walk(rng, length_um, rng.uniform(0.01, 0.07))
        n = len(points)
        along: _Floats = np.arange(n, dtype=np.float64) * _STEP_UM
        height = rough * faint * np.exp(rng.normal(0, 0.4)) * np.exp(0.25 * _wavy(rng, n, 20.0))
        height = height * _beads(rng, along, beaded) * _gaps(rng, along, broken)
        height = height * np.clip(np.minimum(along, along[-1] - along) / 4 + 0.2, 0, 1)
        z_um = depth_um * (rng.normal() + 0.5 * _wavy(rng, n, 25.0))
        own_um = width_um * np.exp(rng.normal(0, 0.25))
        sigma_um = np.sqrt(own_um**2 + (0.14 * z_um) ** 2)
        lines.append(_Line(points, sigma_um, height * own_um / sigma_um))
        if rng.random() < 0.2 and n > 40:  # a branch
            begin = rng.integers(10, n - 10)
            branch = _walk(rng, rng.uniform(8, 50), 0.04, points[begin])
            m = len(branch)
            fade = np.clip((m - np.arange(m)) * _STEP_UM / 5, 0, 1)
            lines.append(_Line(branch, np.full(m, sigma_um[begin]), height.mean() * fade))
    return lines


def _others(rng: _Rng, rough: float, height: float) -> _Float32:
    """(H, W) what is bright and no nerve: cells with processes, grains, rims, smooth pale fibers, dirt."""
    ink = _Ink()
    for _ in range(rng.poisson(rng.choice([0, 10, 30]))):
        _cell_with_processes(rng, ink, height * np.exp(rng.normal(0.2, 0.5)))
    for _ in range(rng.poisson(rng.choice([0, 30, 200]))):  # grains
        at = rng.uniform(0, 1, 2) * _SHAPE
        ink.spot(at, rng.uniform(0.25, 1.1), height * np.exp(rng.normal(-0.3, 0.6)))
    for _ in range(rng.poisson(rng.choice([0, 1, 3]))):  # grains in a heap
        at, spread = rng.uniform(0, 1, 2) * _SHAPE, rng.uniform(2, 6) / PIXEL_UM
        for _ in range(rng.integers(8, 40)):
            ink.spot(
                at + rng.normal(0, spread, 2), rng.uniform(0.3, 0.8), height * np.exp(rng.normal(-0.5, 0.4))
            )
    for _ in range(rng.poisson(rng.choice([0, 0, 15]))):  # elastic fibers
        points = _walk(rng, rng.uniform(15, 90), 0.01)
        pale = min(height * 0.4, 1.5 * rough) * np.exp(rng.normal(-0.4, 0.3))
        n = len(points)
        ink.line(_Line(points, np.full(n, rng.uniform(0.25, 0.7)), np.full(n, pale)))
    for _ in range(rng.poisson(rng.choice([0, 1, 4]))):  # vessels, ducts and hairs: rims
        ink.line(_rim(rng, height * rng.uniform(0.2, 1.2)))
    return ink.drawn()


def _cell_with_processes(rng: _Rng, ink: _Ink, height: float) -> None:
    """A dendritic cell or a melanocyte: a body, or none in focus, and short processes all around."""
    center = rng.uniform(0, 1, 2) * _SHAPE
    size_um = rng.uniform(0.4, 1.8)
    for _ in range(rng.integers(0, 10)):
        ink.spot(center + rng.normal(0, size_um / PIXEL_UM, 2), rng.uniform(0.8, 2.4), height * 0.4)
    sigma_um, wander, count = rng.uniform(0.3, 0.9), rng.uniform(0.0, 0.07), int(rng.integers(0, 8))
    for way in rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, count, endpoint=False):
        points = _walk(rng, rng.uniform(4, 18), wander, center, way + rng.normal(0, 0.4))
        n = len(points)
        fading = height * rng.uniform(0.7, 1.5) * np.linspace(1, rng.uniform(0.1, 0.5), n)
        ink.line(_Line(points, np.full(n, sigma_um), fading))
        if rng.random() < 0.25:  # it forks
            fork = _walk(rng, rng.uniform(3, 8), wander, points[n // 2], way + rng.choice([-0.7, 0.7]))
            ink.line(_Line(fork, np.full(len(fork), sigma_um), np.full(len(fork), fading[n // 2] * 0.7)))


def _rim(rng: _Rng, height: float) -> _Line:
    center, radius_um = rng.uniform(0, 1, 2) * _SHAPE, rng.uniform(4, 20)
    turn = np.arange(0, 2 * np.pi, _STEP_UM / radius_um)
    flat, tilt = rng.uniform(0.4, 1.0), rng.uniform(0, np.pi)
    x, y = np.cos(turn), flat * np.sin(turn)
    ring = np.stack([x * np.sin(tilt) + y * np.cos(tilt), x * np.cos(tilt) - y * np.sin(tilt)], -1)
    n = len(turn)
    wobble = 1 + 0.08 * _wavy(rng, n, 8.0)
    points = center + ring * (radius_um / PIXEL_UM) * wobble[:, None]
    bright = height * np.clip(0.6 + 0.5 * _wavy(rng, n, 10.0), 0, 2)
    return _Line(points, np.full(n, rng.uniform(0.5, 1.6)), bright)


def _walk(
    rng: _Rng, length_um: float, wander: float, begin: _Floats | None = None, way: float | None = None
) -> _Floats:
    """(N, 2) points every `_STEP_UM` of a line that turns as it likes."""
    n = max(3, int(length_um / _STEP_UM))
    bend = ndimage.gaussian_filter1d(rng.standard_normal(n), 4.0, mode="nearest") * wander * 3
    first_way = rng.uniform(0, 2 * np.pi) if way is None else way
    ways = first_way + np.cumsum(bend) + 0.25 * _wavy(rng, n, 3.0) * wander * 15
    steps = np.stack([np.sin(ways), np.cos(ways)], -1) * _STEP_UM / PIXEL_UM
    first = rng.uniform(0, 1, 2) * _SHAPE if begin is None else begin
    return np.asarray(first + np.cumsum(steps, axis=0), np.float64)


def _beads(rng: _Rng, along: _Floats, how: float) -> _Floats:
    """(n,) factors of the height of a line that swells every 2 to 11 um."""
    out = np.full(len(along), 1 - 0.5 * min(how, 1.0))
    at = rng.uniform(0, 4)
    while at < along[-1]:
        out += how * rng.uniform(0.3, 1.6) * np.exp(-0.5 * ((along - at) / rng.uniform(0.5, 1.1)) ** 2)
        at += rng.uniform(2, 11)
    return out


def _gaps(rng: _Rng, along: _Floats, how: float) -> _Floats:
    """(n,) factors of the height of a line that is interrupted here and there."""
    out = np.ones(len(along))
    at = rng.exponential(25)
    while how and at < along[-1]:
        half = rng.uniform(0.8, 3.5)
        out *= 1 - np.clip(half + 0.5 - np.abs(along - at), 0, 1) * rng.uniform(0.5, 1)
        at += 2 * half + rng.exponential(18 / how)
    return out


def _wavy(rng: _Rng, n: int, size_um: float) -> _Floats:
    """(n,) values of a standard deviation near 1 that change over so many micrometers along a line."""
    knots = rng.standard_normal(int(n * _STEP_UM / size_um) + 4)
    at = np.arange(n) * _STEP_UM / size_um + rng.uniform(0, 1)
    return np.asarray(ndimage.map_coordinates(knots, [at], order=3, mode="nearest"), np.float64)


def _slow(rng: _Rng, size_um: float) -> _Float32:
    """(H, W) noise of that standard deviation of its grain, with standard deviation 1."""
    sigma = size_um / PIXEL_UM
    every = max(1, int(sigma / 2))
    shape = [n // every + 3 for n in _SHAPE]
    out = ndimage.gaussian_filter(rng.standard_normal(shape).astype(np.float32), sigma / every, mode="wrap")
    if every > 1:
        rows, cols = (np.arange(n, dtype=np.float32) / every + 1 for n in _SHAPE)
        out = ndimage.map_coordinates(out, np.meshgrid(rows, cols, indexing="ij"), order=1)
    return np.asarray((out - out.mean()) / max(out.std(), 1e-6), np.float32)[: _SHAPE[0], : _SHAPE[1]]


def _sown(row: _Floats, col: _Floats, weight: _Floats, sigma_px: float) -> _Float32:
    """(H, W) weights at places between pixels, blurred."""
    top, left = np.floor(row).astype(int), np.floor(col).astype(int)
    down, right = row - top, col - left
    out = np.zeros(_SHAPE)
    for r, c, share in (
        (top, left, (1 - down) * (1 - right)),
        (top + 1, left, down * (1 - right)),
        (top, left + 1, (1 - down) * right),
        (top + 1, left + 1, down * right),
    ):
        inside = (r >= 0) & (c >= 0) & (r < _SHAPE[0]) & (c < _SHAPE[1])
        np.add.at(out, (r[inside], c[inside]), (weight * share)[inside])
    return np.asarray(ndimage.gaussian_filter(out, sigma_px), np.float32)
