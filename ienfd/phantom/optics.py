"""Light through a thick section: clouds of points brought to an image at one focus.

Everything small (nerves, nuclei, cells, granules) is a cloud of points with a weight each, drawn at
random inside the object like antibody molecules. A plane of focus adds each point with a blur that
grows with its distance from the plane; strongly blurred points are drawn on a coarser grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ienfd.phantom.curves import FloatArray

__all__ = ["Cloud", "Focus", "Image", "enlarge", "merge_clouds", "render_cloud", "splat"]

Image = NDArray[np.float32]

_OCTAVES = 7


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points (N, 3) in micrometers (row, col, z), their weights, and the softness of each point."""

    points_um: FloatArray
    weights: FloatArray
    softness_um: float = 0.0


@dataclass(frozen=True)
class Focus:
    """How a microscope sees one plane.

    Parameters
    ----------
    z_um : float
        Depth in focus.
    sharp_um : float
        Standard deviation of the blur in focus.
    spread : float
        Growth of the blur per micrometer out of focus.
    depth_um : float
        Half-depth that counts as in focus (a projection of several planes has more).
    rejection_um : float
        Distance at which a confocal microscope sees half of the light; infinite for none.
    """

    z_um: float
    sharp_um: float
    spread: float
    depth_um: float = 0.5
    rejection_um: float = np.inf


def merge_clouds(
    clouds: Sequence[Cloud], gains: Sequence[float] | None = None, softness_um: float = 0.0
) -> Cloud:
    """One cloud of many, each with its own gain."""
    gains = [1.0] * len(clouds) if gains is None else gains
    kept = [(cloud, gain) for cloud, gain in zip(clouds, gains, strict=True) if len(cloud.points_um) and gain]
    if not kept:
        return Cloud(np.empty((0, 3)), np.empty(0), softness_um)
    return Cloud(
        np.concatenate([cloud.points_um for cloud, _ in kept]),
        np.concatenate([cloud.weights * gain for cloud, gain in kept]),
        softness_um,
    )


def enlarge(image: Image, factor: float, shape: tuple[int, int], origin: float = 0.0) -> Image:
    """Bilinear enlargement of a coarse grid whose sample (i, j) lies at fine pixel i * factor + origin."""
    rows = np.clip((np.arange(shape[0]) - origin) / factor, 0, image.shape[0] - 1)
    cols = np.clip((np.arange(shape[1]) - origin) / factor, 0, image.shape[1] - 1)
    low = np.minimum(rows.astype(int), max(image.shape[0] - 2, 0))
    part = (rows - low).astype(np.float32)[:, None]
    tall = image[low] * (1 - part) + image[np.minimum(low + 1, image.shape[0] - 1)] * part
    low = np.minimum(cols.astype(int), max(image.shape[1] - 2, 0))
    part = (cols - low).astype(np.float32)[None, :]
    return np.asarray(
        tall[:, low] * (1 - part) + tall[:, np.minimum(low + 1, image.shape[1] - 1)] * part, dtype=np.float32
    )


def render_cloud(cloud: Cloud, shape: tuple[int, int], pixel_size_um: float, focus: Focus) -> Image:
    """Image of a cloud at one focus.

    Parameters
    ----------
    cloud : Cloud
        Points in the frame of the image (the center of pixel (0, 0) is at 0, 0).
    shape : (int, int)
        Height and width in pixels.
    pixel_size_um : float
        Edge of a pixel.
    focus : Focus
        Plane and blur.

    Returns
    -------
    (H, W) ndarray of float32
        Sum of the weights, per square micrometer.
    """
    away = np.maximum(np.abs(cloud.points_um[:, 2] - focus.z_um) - focus.depth_um, 0.0)
    weights = cloud.weights / pixel_size_um**2
    if np.isfinite(focus.rejection_um):
        weights = weights / (1.0 + (away / focus.rejection_um) ** 2)
    sharp = max(float(np.hypot(focus.sharp_um, cloud.softness_um)) / pixel_size_um, 0.35)
    sigma = np.hypot(sharp, focus.spread * away / pixel_size_um)
    # every octave of blur has its own grid; a point is shared between the two octaves about its blur
    octave = np.minimum(np.log2(sigma / sharp), _OCTAVES - 1.001)
    lower = octave.astype(int)
    share = octave - lower
    total: Image | None = None
    factor = 1
    for group in range(_OCTAVES - 1, -1, -1):
        part = np.where(lower == group, 1 - share, np.where(lower == group - 1, share, 0.0)) * weights
        used = np.flatnonzero(part)
        if len(used) == 0 and total is None:
            continue
        blur = sharp * 2.0**group
        finer = 1
        while blur / (2 * finer) >= 1.0:
            finer *= 2
        if total is None:
            total, factor = np.zeros(_coarse(shape, finer), dtype=np.float32), finer
        elif finer < factor:
            while factor > finer:
                factor //= 2
                total = _doubled(total, _coarse(shape, factor))
        if len(used):
            # sharing between four pixels and enlarging have blurred it by a quarter pixel squared or so
            rest = np.sqrt(max((blur / factor) ** 2 - (0.17 if factor == 1 else 0.4), 0.05))
            points = cloud.points_um[used, :2] / (pixel_size_um * factor)
            _add_blurred(total, points, part[used] / factor**2, float(rest))
    if total is None:
        return np.zeros(shape, dtype=np.float32)
    while factor > 1:
        factor //= 2
        total = _doubled(total, _coarse(shape, factor))
    return total[: shape[0], : shape[1]]


def _add_blurred(image: Image, points: FloatArray, weights: FloatArray, sigma: float) -> None:
    """Add points with a Gaussian blur (pixels) to an image in place; only where they lie is looked at."""
    margin = int(3.2 * sigma) + 3
    first = np.clip(np.floor(points.min(axis=0)).astype(int) - margin, 0, image.shape)
    last = np.clip(np.ceil(points.max(axis=0)).astype(int) + margin + 1, 0, image.shape)
    if (first >= last).any():
        return
    part = image[first[0] : last[0], first[1] : last[1]]
    layer = np.zeros(part.shape, dtype=np.float32)
    splat(layer, points - first, weights)
    part += gaussian_filter(layer, sigma, truncate=3.2)


def _doubled(image: Image, shape: tuple[int, int]) -> Image:
    """Bilinear enlargement by two; sample (i, j) goes to (2i, 2j)."""
    tall = np.empty((shape[0], image.shape[1]), dtype=np.float32)
    odd = (shape[0]) // 2
    tall[::2] = image[: shape[0] - odd]
    np.add(image[:odd], image[1 : odd + 1], out=tall[1::2])
    tall[1::2] *= np.float32(0.5)
    wide = np.empty(shape, dtype=np.float32)
    odd = (shape[1]) // 2
    wide[:, ::2] = tall[:, : shape[1] - odd]
    np.add(tall[:, :odd], tall[:, 1 : odd + 1], out=wide[:, 1::2])
    wide[:, 1::2] *= np.float32(0.5)
    return wide


def _coarse(shape: tuple[int, int], factor: int) -> tuple[int, int]:
    # one more than needed on every level, so that doubling always finds a right neighbor
    rows, cols = shape
    while factor > 1:
        rows, cols, factor = rows // 2 + 1, cols // 2 + 1, factor // 2
    return rows, cols


def splat(image: Image, points: FloatArray, weights: FloatArray) -> None:
    """Add points to an image in place, shared between the four nearest pixels."""
    low = np.floor(points).astype(np.int64)
    part = points - low
    height, width = image.shape
    flat = image.reshape(-1)
    for down in (0, 1):
        for right in (0, 1):
            row, col = low[:, 0] + down, low[:, 1] + right
            share = np.where(down, part[:, 0], 1 - part[:, 0]) * np.where(right, part[:, 1], 1 - part[:, 1])
            good = (row >= 0) & (row < height) & (col >= 0) & (col < width)
            index = row[good] * width + col[good]
            np.add.at(flat, index, (weights[good] * share[good]).astype(np.float32))
