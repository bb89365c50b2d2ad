"""Textures drawn at random: grain of several sizes, cells beside each other, wavy bundles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import expit

__all__ = ["PIXEL_UM", "anywhere", "bundles", "cells", "grain", "slow"]

_Float32 = NDArray[np.float32]
_Rng = np.random.Generator
_Shape = tuple[int, int]

PIXEL_UM = 0.45
"""Edge of a pixel of all that is drawn."""

_SIZES_UM = (0.6, 1.2, 2.5, 6.0, 15.0)


def grain(rng: _Rng, shape: _Shape, height: float) -> _Float32:
    """(H, W) grain of several sizes, each of a standard deviation that is exponential with that mean."""
    return np.asarray(
        sum(slow(rng, shape, size_um) * rng.exponential(height) for size_um in _SIZES_UM), np.float32
    )


def cells(rng: _Rng, shape: _Shape) -> _Float32:
    """(H, W) cells beside each other: each with its own brightness, its rim and its nucleus."""
    size_px = rng.uniform(6, 15) / PIXEL_UM
    count = int(shape[0] * shape[1] / size_px**2)
    stretch = np.exp(rng.normal(0, 0.25))
    centers = rng.uniform(0, 1, (count, 2)) * np.array(shape) * [1, stretch]
    shifts = np.stack([slow(rng, shape, 2.0), slow(rng, shape, 2.0)], -1)
    places = np.indices(shape).reshape(2, -1).T + shifts.reshape(-1, 2)
    nearest = cKDTree(centers).query(places * [1, stretch], k=2)
    away = np.asarray(nearest[0]).reshape(*shape, 2) * PIXEL_UM
    mine = np.asarray(nearest[1])[:, 0].reshape(shape)
    rim = np.exp(-0.5 * ((away[..., 1] - away[..., 0]) / rng.uniform(0.5, 1.8)) ** 2) * rng.normal(0, 0.8)
    radius = size_px * PIXEL_UM * rng.uniform(0.22, 0.4) * np.exp(rng.normal(0, 0.15, count))[mine]
    inside = expit((radius - away[..., 0]) / rng.uniform(0.2, 0.8))
    ring = np.exp(-0.5 * ((away[..., 0] - radius) / 0.6) ** 2) * rng.choice([0, 0, rng.normal(0, 0.5)])
    has = rng.random(count) < rng.uniform(0.4, 1.0)
    nucleus = (inside * rng.normal(0, 1.0) + ring) * has[mine]
    return np.asarray(rng.normal(0, 0.3, count)[mine] + rim + nucleus, np.float32)


def bundles(rng: _Rng, shape: _Shape) -> _Float32:
    """(H, W) wavy bundles: noise that is long along a direction which turns slowly."""
    size = 2 * max(shape)
    noise = rng.standard_normal((size, size)).astype(np.float32)
    long_um, wide_um = rng.uniform(8, 40), rng.uniform(0.6, 3.0)
    noise = ndimage.gaussian_filter(noise, (wide_um / PIXEL_UM, long_um / PIXEL_UM), mode="wrap")
    noise /= noise.std()
    if rng.random() < 0.5:  # bundles with clefts between them
        noise = np.minimum(noise, rng.uniform(-0.3, 0.8))
    rows, cols = np.indices(shape).astype(np.float32)
    angle, turn = rng.uniform(0, np.pi), slow(rng, shape, 40.0) * rng.uniform(5, 40)
    along = cols * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - cols * np.sin(angle) + turn
    return np.asarray(ndimage.map_coordinates(noise, [across, along], order=1, mode="wrap"), np.float32)


def slow(rng: _Rng, shape: _Shape, size_um: float) -> _Float32:
    """(H, W) noise of that standard deviation of its grain, with standard deviation 1."""
    sigma = size_um / PIXEL_UM
    every = max(1, int(sigma / 2))
    coarse = [n // every + 3 for n in shape]
    out = ndimage.gaussian_filter(rng.standard_normal(coarse).astype(np.float32), sigma / every, mode="wrap")
    if every > 1:
        rows, cols = (np.arange(n, dtype=np.float32) / every + 1 for n in shape)
        out = ndimage.map_coordinates(out, np.meshgrid(rows, cols, indexing="ij"), order=1)
    return np.asarray((out - out.mean()) / max(out.std(), 1e-6), np.float32)[: shape[0], : shape[1]]


def anywhere(rng: _Rng, shape: _Shape) -> NDArray[np.float64]:
    """(2,) a place in an image of that shape."""
    return rng.uniform(0, 1, 2) * shape
