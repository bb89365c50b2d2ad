"""Light through a thick section: clouds of points brought to an image at one focus.

Everything small (nerves, nuclei, cells, granules) is a cloud of points with a weight each, drawn at
random inside the object like antibody molecules. A plane of focus adds each point with a blur that
grows with its distance from the plane; strongly blurred points are drawn on a coarser grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ienfd.phantom.curves import FloatArray

__all__ = ["Cloud", "Focus", "Image", "enlarge", "merge_clouds", "render_cloud", "splat"]

Image = NDArray[np.float32]


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


def merge_clouds(clouds: list[Cloud], softness_um: float = 0.0) -> Cloud:
    """One cloud of many."""
    if not clouds:
        return Cloud(np.empty((0, 3)), np.empty(0), softness_um)
    return Cloud(
        np.concatenate([cloud.points_um for cloud in clouds]),
        np.concatenate([cloud.weights for cloud in clouds]),
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
    sharp = float(np.hypot(focus.sharp_um, cloud.softness_um))
    sigma = np.hypot(sharp, focus.spread * away) / pixel_size_um
    least = sharp / pixel_size_um
    edges = least * np.array([1.0, 1.25, 1.7, 2.4, 3.6, 5.5, 8.5, 13.0, 20.0, 32.0, np.inf])
    groups = np.digitize(sigma, edges[1:-1] + 1e-9)
    total: Image | None = None
    coarse_factor = 1
    for group in range(len(edges) - 2, -1, -1):
        chosen = groups == group
        if not chosen.any() and total is None:
            continue
        factor = 1
        if chosen.any():
            blur = float(np.sqrt((sigma[chosen] ** 2).mean()))
            while blur / (2 * factor) > 1.6 and factor < 16:
                factor *= 2
        if total is not None and factor < coarse_factor:
            total = enlarge(total, coarse_factor / factor, _coarse(shape, factor))
            coarse_factor = factor
        if total is None:
            total = np.zeros(_coarse(shape, factor), dtype=np.float32)
            coarse_factor = factor
        if chosen.any():
            layer = np.zeros(total.shape, dtype=np.float32)
            splat(layer, cloud.points_um[chosen, :2] / (pixel_size_um * coarse_factor),
                   weights[chosen] / coarse_factor**2)  # fmt: skip
            total += gaussian_filter(layer, max(blur / coarse_factor, 0.3), truncate=3.5)
    if total is None:
        return np.zeros(shape, dtype=np.float32)
    return enlarge(total, coarse_factor, shape) if coarse_factor > 1 else total[: shape[0], : shape[1]]


def _coarse(shape: tuple[int, int], factor: int) -> tuple[int, int]:
    return (shape[0] - 1) // factor + 2, (shape[1] - 1) // factor + 2


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
