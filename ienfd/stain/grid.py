"""Images at a coarser grid, and the way back to full-resolution coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from ienfd.geometry import resample
from ienfd.result import FloatArray

__all__ = [
    "Grid",
    "block_mean",
    "continued",
    "distance_to",
    "enlarged",
    "mean_of_colors",
    "of_nearest",
    "polygon_mask",
    "spread_blocks",
]


@dataclass(frozen=True)
class Grid:
    """A coarser sampling of the image, `factor` full-resolution pixels to one of its own.

    Parameters
    ----------
    factor : float
        Full-resolution pixels per pixel of this grid, along both axes.
    pixel_size_um : float
        Edge of a pixel of this grid in micrometers.
    origin_px : (float, float)
        Full-resolution coordinate (row, col) of the outer corner of the first pixel of this grid;
        (-0.5, -0.5) for a grid that begins with the image.
    """

    factor: float
    pixel_size_um: float
    origin_px: tuple[float, float] = (-0.5, -0.5)

    def to_image(self, points: FloatArray) -> FloatArray:
        """(N, 2) grid coordinates as full-resolution pixel coordinates."""
        placed: FloatArray = (np.asarray(points, float) + 0.5) * self.factor + np.asarray(self.origin_px)
        return placed

    def from_image(self, points: FloatArray) -> FloatArray:
        """(N, 2) full-resolution pixel coordinates as grid coordinates."""
        placed: FloatArray = (np.asarray(points, float) - np.asarray(self.origin_px)) / self.factor - 0.5
        return placed

    def sampled(self, plane: NDArray[np.float32], points: FloatArray) -> FloatArray:
        """(N,) values of an (H, W) plane of this grid at (N, 2) full-resolution pixel coordinates.

        Linear between its pixels; beyond its rim as at the rim.
        """
        at = self.from_image(points).T
        return np.asarray(ndimage.map_coordinates(plane, at, order=1, mode="nearest"), float)

    def starting_at(self, row: int, col: int) -> Grid:
        """The same grid from one of its pixels on."""
        top, left = self.origin_px
        return replace(self, origin_px=(top + row * self.factor, left + col * self.factor))


def block_mean(image: NDArray[Any], factor: int) -> NDArray[np.float32]:
    """Mean over blocks of `factor` x `factor` pixels; a remainder at the far edges is left out.

    Parameters
    ----------
    image : (H, W, ...) ndarray
        Any real dtype.
    factor : int
        Edge of a block in pixels.

    Returns
    -------
    (H // factor, W // factor, ...) ndarray of float32
    """
    rows, cols = image.shape[0] // factor, image.shape[1] // factor
    if factor == 1:
        return image.astype(np.float32)
    out = np.empty((rows, cols, *image.shape[2:]), np.float32)
    whole = np.float32 if image.dtype.kind == "f" else np.uint32
    strip = max(1, 2**20 // max(1, image.shape[1] * factor))  # rows of blocks at a time: bounded memory
    for start in range(0, rows, strip):
        stop = min(rows, start + strip)
        part = image[start * factor : stop * factor, : cols * factor]
        # adding up every n-th row, then every n-th column, is several times faster than a mean over blocks
        down: NDArray[Any] = part[::factor].astype(whole)
        for k in range(1, factor):
            down += part[k::factor]
        total = down[:, ::factor].copy()
        for k in range(1, factor):
            total += down[:, k::factor]
        out[start:stop] = total / np.float32(factor**2)
    return out


def spread_blocks(blocks: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Values of blocks of `factor` x `factor` pixels at every pixel, linear between their centers."""
    rows, cols = blocks.shape
    size = (cols * factor, rows * factor)
    return np.asarray(Image.fromarray(blocks).resize(size, Image.Resampling.BILINEAR), np.float32)


def enlarged(blocks: NDArray[np.float32], factor: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(H, W) the value of its block of `factor` x `factor` pixels at every pixel of an image."""
    large = np.repeat(np.repeat(blocks, factor, axis=0), factor, axis=1)
    return continued(large[: shape[0], : shape[1]], shape)


def continued(image: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(H, W) an image continued to a greater shape by its last row and column.

    Of images made from blocks a remainder at the far edges is missing.
    """
    missing = [(0, size - have) for size, have in zip(shape, image.shape, strict=True)]
    return np.pad(image, missing, mode="edge")


def of_nearest(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(..., H, W) values where they are known, elsewhere those of the nearest place where they are.

    As they were where nothing is known at all.
    """
    if not known.any():
        return values
    rows, cols = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(values[..., rows, cols], np.float32)


def mean_of_colors(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) mean over the colors of an (H, W, C) image."""
    share = np.full(image.shape[-1], 1 / image.shape[-1], np.float32)
    return np.asarray(image @ share, np.float32)  # 20 times faster than a mean over a short axis


def distance_to(curves: Sequence[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Distance of every pixel of a grid to the nearest curve.

    Parameters
    ----------
    curves : sequence of (N, 2) ndarray of float
        Grid coordinates; what lies beyond the grid counts as on its rim.
    shape : (int, int)
        Height and width of the grid.

    Returns
    -------
    (H, W) ndarray of float
        In pixels; infinite where there are no curves.
    """
    away = np.ones(shape, bool)
    for curve in curves:
        rows, cols = np.rint(resample(curve, 0.5)).astype(int).T
        away[np.clip(rows, 0, shape[0] - 1), np.clip(cols, 0, shape[1] - 1)] = False
    if away.all():
        return np.full(shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(away), float)


def polygon_mask(outline: FloatArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of a grid inside a closed outline.

    Parameters
    ----------
    outline : (N, 2) ndarray of float
        Corners (row, col) in grid coordinates; the last is joined to the first.
    shape : (int, int)
        Height and width of the grid.

    Returns
    -------
    (H, W) ndarray of bool
    """
    image = Image.new("1", (shape[1], shape[0]))
    if len(outline) > 2:
        ImageDraw.Draw(image).polygon([(float(col), float(row)) for row, col in outline], fill=1, outline=1)
    return np.array(image, bool)
