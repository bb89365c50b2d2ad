"""The nerve stain at working resolution, tile by tile, with the depth it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ienfd.protocol import Stain
from ienfd.section import Section
from ienfd.stain.brightfield import optical_density, positions
from ienfd.stain.grid import Grid
from ienfd.stain.overview import Overview, full_scale

__all__ = ["WORK_PIXEL_UM", "NerveSource", "work_grid"]

_Float32 = NDArray[np.float32]

WORK_PIXEL_UM = 0.45


def work_grid(section: Section) -> Grid:
    """The grid on which fibers are traced: 0.45 um, or full resolution where that is coarser."""
    factor = max(1.0, WORK_PIXEL_UM / section.pixel_size_um)
    return Grid(factor, factor * section.pixel_size_um)


@dataclass(frozen=True, eq=False)
class NerveSource:
    """Reads light of any tile of the working grid.

    Parameters
    ----------
    section : Section
    stain : {"bright-field", "fluorescence"}
    overview : Overview
        Gives the light of the glass.
    grid : Grid
        The working grid.
    """

    section: Section
    stain: Stain
    overview: Overview
    grid: Grid

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the working grid."""
        rows, cols = self.section.shape
        return int(rows / self.grid.factor), int(cols / self.grid.factor)

    def light(self, row: int, col: int, rows: int, cols: int, plane: int) -> _Float32:
        """(rows, cols, C) stain signal of one plane; beyond the image it is mirrored.

        Optical density per color in bright-field; in fluorescence the nerve channel as it is.
        """
        height, width = self.shape
        top, left = max(0, row), max(0, col)
        bottom, right = min(height, row + rows), min(width, col + cols)
        f = self.grid.factor
        r0, c0 = int(top * f), int(left * f)
        r1 = min(self.section.shape[0], int(np.ceil(bottom * f)) + 1)
        c1 = min(self.section.shape[1], int(np.ceil(right * f)) + 1)
        part = self.section.pixels[plane, r0:r1, c0:c1]
        if self.stain == "fluorescence":
            assert self.overview.nerve is not None  # sections without a nerve stain are refused before
            part = part[..., [self.overview.nerve]]
        box = (left * f - c0, top * f - r0, right * f - c0, bottom * f - r0)
        size = (right - left, bottom - top)
        light = np.stack([_resize(part[..., c], size, box) for c in range(part.shape[-1])], -1)
        if self.stain == "bright-field":
            white = self.overview.white
            assert white is not None
            field = white.at(
                positions(top, bottom, bottom - top, height), positions(left, right, right - left, width)
            )
            light = optical_density(light, field, full_scale(self.section) / 255)
        if self.overview.margin.any():
            light[self._margin(slice(top, bottom), slice(left, right))] = self._empty
        pad = ((top - row, row + rows - bottom), (left - col, col + cols - right), (0, 0))
        return np.pad(light, pad, mode="symmetric")

    @property
    def _empty(self) -> float:
        """The light of glass."""
        if self.overview.dark is None:
            return 0.0
        assert self.overview.nerve is not None
        return float(self.overview.dark[self.overview.samples.index(self.overview.nerve)])

    def _margin(self, rows: slice, cols: slice) -> NDArray[np.bool_]:
        """Where nothing was photographed in a part of the working grid."""
        step = self.grid.factor / self.overview.grid.factor
        at = [
            np.minimum(((np.arange(part.start, part.stop) + 0.5) * step).astype(np.intp), size - 1)
            for part, size in zip((rows, cols), self.overview.margin.shape, strict=True)
        ]
        return self.overview.margin[np.ix_(*at)]

    def tile(
        self, row: int, col: int, rows: int, cols: int, weights: NDArray[np.float64] | None
    ) -> tuple[_Float32, NDArray[np.int16] | None]:
        """Stain signal of a tile, in every pixel that of the sharpest plane, and which plane that is.

        Parameters
        ----------
        weights : (C,) ndarray or None
            Weights of the colors (bright-field), by which planes are compared; None for fluorescence.

        Returns
        -------
        light : (rows, cols, C) ndarray of float32
            As `light` gives it.
        plane : (rows, cols) ndarray of int16 or None
            None when there is one plane only.
        """
        light = np.nan_to_num(self.light(row, col, rows, cols, 0), copy=False)
        if self.section.planes == 1:
            return light, None
        # the sharpest plane, not the brightest pixel: noise must not choose the depth
        sigma = 0.5 / self.grid.pixel_size_um
        best = ndimage.gaussian_filter(_weighted(light, weights), sigma)
        depth = np.zeros(best.shape, np.int16)
        for plane in range(1, self.section.planes):
            there = np.nan_to_num(self.light(row, col, rows, cols, plane), copy=False)
            smooth = ndimage.gaussian_filter(_weighted(there, weights), sigma)
            better = smooth > best
            best = np.where(better, smooth, best)
            light = np.where(better[..., None], there, light)
            depth[better] = plane
        return light, depth


def _weighted(light: _Float32, weights: NDArray[np.float64] | None) -> _Float32:
    signal = light[..., 0] if weights is None else light @ weights.astype(np.float32)
    return np.asarray(signal, np.float32)


def _resize(
    plane: NDArray[np.generic], size: tuple[int, int], box: tuple[float, float, float, float]
) -> NDArray[np.float32]:
    """Area-averaging resize of one plane to (width, height) from a sub-pixel box."""
    values = np.ascontiguousarray(plane, np.float32)
    box = (box[0], box[1], min(box[2], values.shape[1]), min(box[3], values.shape[0]))
    if box == (0, 0, *size) and values.shape == size[::-1]:
        return values
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BOX, box=box), np.float32)
