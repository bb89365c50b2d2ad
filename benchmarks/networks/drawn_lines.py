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
from scipy.special import expit

from benchmarks.networks.ink import STEP_UM, Ink, Line, beads, cell_with_processes, gaps, walk, wavy
from benchmarks.networks.textures import PIXEL_UM, anywhere, bundles, cells, grain, slow

__all__ = ["DrawnLines", "draw_lines"]

_Float32 = NDArray[np.float32]
_Floats = NDArray[np.float64]
_Rng = np.random.Generator

_SHAPE = (640, 768)


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


def draw_lines(seed: int) -> DrawnLines:
    """The drawing of a seed."""
    rng = np.random.default_rng(seed)
    tissue = _tissue(rng)
    fine = ndimage.gaussian_filter(tissue, 1.5)
    rough = float(np.std(fine - ndimage.gaussian_filter(tissue, 12.0)))
    nerves, ink = _nerves(rng, rough), Ink(_SHAPE)
    for nerve in nerves:
        ink.line(nerve)
    lines = ink.drawn()
    others = _others(rng, rough, float(np.median([nerve.height.mean() for nerve in nerves] or [rough])))
    signal = tissue + lines + others
    signal = ndimage.gaussian_filter(signal, rng.uniform(0.1, 0.5) / PIXEL_UM)
    signal = signal + slow(rng, _SHAPE, 60.0) * rough * rng.uniform(0, 2)
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
    height = slow(rng, _SHAPE, rng.uniform(25, 80)) * rng.uniform(10, 50)
    rows, cols = np.indices(_SHAPE)
    angle = rng.uniform(0, 2 * np.pi)
    across = (rows - _SHAPE[0] / 2) * np.cos(angle) + (cols - _SHAPE[1] / 2) * np.sin(angle)
    side = expit((across * PIXEL_UM + height) / rng.uniform(0.5, 4))
    step = rng.normal(0, 1.5)
    border = rng.choice([0, 0, 0, rng.uniform(0, 1.5)]) * side * (1 - side) * 4
    return np.asarray(one * side + other * (1 - side) + step * side + border, np.float32)


def _texture(rng: _Rng) -> _Float32:
    """(H, W) grain of several sizes, cells or bundles, as it comes."""
    out = grain(rng, _SHAPE, 0.35)
    kind = rng.choice(["cells", "bundles", "plain"], p=[0.5, 0.35, 0.15])
    if kind == "cells":
        out += cells(rng, _SHAPE) * rng.uniform(0.5, 2.0)
    elif kind == "bundles":
        out += bundles(rng, _SHAPE) * rng.uniform(0.3, 1.2)
    return out


def _nerves(rng: _Rng, rough: float) -> list[Line]:
    """Center lines with their width and height at every point."""
    count = rng.poisson(rng.choice([8, 25, 60]))
    width_um, faint = rng.uniform(0.25, 1.0), rng.uniform(2.0, 12.0)
    depth_um = rng.choice([0.0, 2.0, 5.0, 9.0])  # how far out of focus they lie
    beaded, broken = rng.uniform(0, 1.2), rng.choice([0, 0.3, 1.0])
    lines = []
    for _ in range(count):
        length_um = 15 + rng.gamma(1.6, 30)
        points = walk(rng, length_um, rng.uniform(0.01, 0.07), anywhere(rng, _SHAPE))
        n = len(points)
        along: _Floats = np.arange(n, dtype=np.float64) * STEP_UM
        height = rough * faint * np.exp(rng.normal(0, 0.4)) * np.exp(0.25 * wavy(rng, n, 20.0))
        height = height * beads(rng, along, beaded) * gaps(rng, along, broken)
        height = height * np.clip(np.minimum(along, along[-1] - along) / 4 + 0.2, 0, 1)
        z_um = depth_um * (rng.normal() + 0.5 * wavy(rng, n, 25.0))
        own_um = width_um * np.exp(rng.normal(0, 0.25))
        sigma_um = np.sqrt(own_um**2 + (0.14 * z_um) ** 2)
        lines.append(Line(points, sigma_um, height * own_um / sigma_um))
        if rng.random() < 0.2 and n > 40:  # a branch
            begin = rng.integers(10, n - 10)
            branch = walk(rng, rng.uniform(8, 50), 0.04, points[begin])
            m = len(branch)
            fade = np.clip((m - np.arange(m)) * STEP_UM / 5, 0, 1)
            lines.append(Line(branch, np.full(m, sigma_um[begin]), height.mean() * fade))
    return lines


def _others(rng: _Rng, rough: float, height: float) -> _Float32:
    """(H, W) what is bright and no nerve: cells with processes, grains, rims, smooth pale fibers, dirt."""
    ink = Ink(_SHAPE)
    for _ in range(rng.poisson(rng.choice([0, 10, 30]))):
        cell_with_processes(rng, ink, height * np.exp(rng.normal(0.2, 0.5)))
    for _ in range(rng.poisson(rng.choice([0, 30, 200]))):  # grains
        ink.spot(anywhere(rng, _SHAPE), rng.uniform(0.25, 1.1), height * np.exp(rng.normal(-0.3, 0.6)))
    for _ in range(rng.poisson(rng.choice([0, 1, 3]))):  # grains in a heap
        at, spread = anywhere(rng, _SHAPE), rng.uniform(2, 6) / PIXEL_UM
        for _ in range(rng.integers(8, 40)):
            ink.spot(
                at + rng.normal(0, spread, 2), rng.uniform(0.3, 0.8), height * np.exp(rng.normal(-0.5, 0.4))
            )
    for _ in range(rng.poisson(rng.choice([0, 0, 15]))):  # elastic fibers
        points = walk(rng, rng.uniform(15, 90), 0.01, anywhere(rng, _SHAPE))
        pale = min(height * 0.4, 1.5 * rough) * np.exp(rng.normal(-0.4, 0.3))
        n = len(points)
        ink.line(Line(points, np.full(n, rng.uniform(0.25, 0.7)), np.full(n, pale)))
    for _ in range(rng.poisson(rng.choice([0, 1, 4]))):  # vessels, ducts and hairs: rims
        ink.line(_rim(rng, height * rng.uniform(0.2, 1.2)))
    return ink.drawn()


def _rim(rng: _Rng, height: float) -> Line:
    center, radius_um = anywhere(rng, _SHAPE), rng.uniform(4, 20)
    turn = np.arange(0, 2 * np.pi, STEP_UM / radius_um)
    flat, tilt = rng.uniform(0.4, 1.0), rng.uniform(0, np.pi)
    x, y = np.cos(turn), flat * np.sin(turn)
    ring = np.stack([x * np.sin(tilt) + y * np.cos(tilt), x * np.cos(tilt) - y * np.sin(tilt)], -1)
    n = len(turn)
    wobble = 1 + 0.08 * wavy(rng, n, 8.0)
    points = center + ring * (radius_um / PIXEL_UM) * wobble[:, None]
    bright = height * np.clip(0.6 + 0.5 * wavy(rng, n, 10.0), 0, 2)
    return Line(points, np.full(n, rng.uniform(0.5, 1.6)), bright)
