"""Where there are lines: the contrast of the best line through every place of a band of tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.nerve import NerveSource
from ienfd.stain.ridge import BLOCK, filter_bank, local_noise

__all__ = ["LineField", "line_field"]

_Float32 = NDArray[np.float32]

TILE = 256
MARGIN = BLOCK  # one block on each side: wider than the reach of a filter
_CORE = TILE - 2 * MARGIN
_CLEAR_QUANTILE = 0.998
_FAINTEST = 0.015
_NOISE_FLOOR = 0.5  # of the section's median noise: places without any texture are not noiseless


@dataclass(frozen=True, eq=False)
class LineField:
    """Line contrast on the working grid.

    Parameters
    ----------
    contrast : (H, W) ndarray of float32
        Response of the best line, in units of the local noise; 0 outside of the band.
    signal : (H, W) ndarray of float32
        Nerve signal, bright where there is nerve; 0 outside of the band.
    light : (H, W, C) ndarray of float16 or None
        Optical density of the colors (bright-field).
    plane : (H, W) ndarray of int16 or None
        Plane of the stack where the signal is sharpest.
    """

    contrast: _Float32
    signal: _Float32
    light: NDArray[np.float16] | None
    plane: NDArray[np.int16] | None


def line_field(
    source: NerveSource,
    weights: NDArray[np.float64] | None,
    band: NDArray[np.bool_],
    scales_um: tuple[float, ...],
) -> LineField:
    """Filter the tiles that hold a part of the band.

    Parameters
    ----------
    source : NerveSource
        Reads the nerve signal.
    weights : (C,) ndarray or None
        Weights of the colors (bright-field).
    band : (H, W) ndarray of bool
        Where fibers are looked for, on the working grid.
    scales_um : tuple of float
        Standard deviations of the filters in micrometers.
    """
    rows, cols = band.shape
    shape = (-(-rows // _CORE) * _CORE, -(-cols // _CORE) * _CORE)
    blocks = (shape[0] // BLOCK, shape[1] // BLOCK)
    bank = filter_bank(TILE, source.grid.pixel_size_um, scales_um)
    best = np.zeros((len(scales_um), *shape), np.float32)
    signal = np.zeros(shape, np.float32)
    light = None if weights is None else np.zeros((*shape, len(weights)), np.float16)
    plane = np.zeros(shape, np.int16) if source.section.planes > 1 else None
    noise = np.full((len(scales_um), *blocks), np.nan, np.float32)
    core = slice(MARGIN, MARGIN + _CORE)
    few = slice(MARGIN // BLOCK, (MARGIN + _CORE) // BLOCK)
    for row in range(0, shape[0], _CORE):
        for col in range(0, shape[1], _CORE):
            if not band[row : row + _CORE, col : col + _CORE].any():
                continue
            here = (slice(row, row + _CORE), slice(col, col + _CORE))
            tile, colors, depth = source.tile(row - MARGIN, col - MARGIN, TILE, TILE, weights)
            responses = bank.respond(tile)
            signal[here] = tile[core, core]
            if light is not None:
                light[here] = colors[core, core]
            if plane is not None and depth is not None:
                plane[here] = depth[core, core]
            there = (
                slice(row // BLOCK, (row + _CORE) // BLOCK),
                slice(col // BLOCK, (col + _CORE) // BLOCK),
            )
            for scale, response in enumerate(responses):
                best[scale][here] = response[:, core, core].max(axis=0)
                noise[scale][there] = local_noise(response)[few, few]
    contrast = np.zeros(band.shape, np.float32)
    for scale in range(len(scales_um)):
        # what is far fainter than the clear lines of the section is structure of the file, not of the tissue
        clear = float(np.quantile(best[scale][:rows, :cols][band][::7], _CLEAR_QUANTILE))
        spread = np.maximum(_even(noise[scale])[:rows, :cols], _FAINTEST * clear)
        np.maximum(contrast, best[scale][:rows, :cols] / spread, out=contrast)
    contrast[~band] = 0
    cut = (slice(rows), slice(cols))
    return LineField(
        contrast,
        signal[cut],
        None if light is None else light[cut],
        None if plane is None else plane[cut],
    )


def _even(noise: _Float32) -> _Float32:
    """Noise of every pixel from that of the blocks: the median of 3 x 3 blocks, then linear between them."""
    known = np.isfinite(noise)
    if not known.any():
        return np.ones((noise.shape[0] * BLOCK, noise.shape[1] * BLOCK), np.float32)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = ndimage.median_filter(noise[tuple(nearest)], size=3, mode="nearest")
    middle = float(np.median(noise[known]))
    filled = np.maximum(filled, max(_NOISE_FLOOR * middle, 1e-6))
    return np.asarray(ndimage.zoom(filled, BLOCK, order=1, grid_mode=True, mode="nearest"), np.float32)
