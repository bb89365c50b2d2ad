"""Where there are lines: the contrast of the best line through every place of a band of tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.chromogen import Chromogen
from ienfd.stain.grid import Grid, of_nearest, spread_blocks
from ienfd.stain.nerve import NerveSource
from ienfd.stain.ridge import BLOCK, filter_bank, local_noise

__all__ = ["LineField", "line_field"]

_Float32 = NDArray[np.float32]

TILE = 256
MARGIN = BLOCK  # one block on each side: wider than the reach of a filter
_CORE = TILE - 2 * MARGIN
_AROUND = 3 * BLOCK  # pixels about the band that its noise and its cells are compared with
_CLEAR_QUANTILE = 0.998
_FAINTEST = 0.015
_NOISE_FLOOR = 0.5  # of the section's median noise: places without any texture are not noiseless


@dataclass(frozen=True, eq=False)
class LineField:
    """Line contrast in the part of the working grid that holds the band.

    Parameters
    ----------
    grid : Grid
        The working grid from the first pixel of that part on.
    contrast : (H, W) ndarray of float32
        Response of the best line, in units of the local noise; 0 outside of the band.
    signal : (H, W) ndarray of float32
        Nerve signal, bright where there is nerve; 0 outside of the band.
    light : (H, W, C) ndarray of float16 or None
        Optical density of the colors (bright-field).
    plane : (H, W) ndarray of int16 or None
        Plane of the stack where the signal is sharpest.
    band : (H, W) ndarray of bool
        Where lines are looked for.
    """

    grid: Grid
    contrast: _Float32
    signal: _Float32
    light: NDArray[np.float16] | None
    plane: NDArray[np.int16] | None
    band: NDArray[np.bool_]


def line_field(
    source: NerveSource,
    chromogen: Chromogen | None,
    band: NDArray[np.bool_],
    scales_um: tuple[float, ...],
) -> LineField:
    """Filter the tiles that hold a part of the band.

    Parameters
    ----------
    source : NerveSource
        Reads the nerve signal.
    chromogen : Chromogen or None
        Color of the nerve stain (bright-field).
    band : (H, W) ndarray of bool
        Where fibers are looked for, on the working grid.
    scales_um : tuple of float
        Standard deviations of the filters in micrometers.
    """
    top, left, rows, cols = _whole_tiles(band)
    band = band[top : top + rows, left : left + cols]
    px_um = source.grid.pixel_size_um
    bank = filter_bank(TILE, px_um, scales_um)
    best = np.zeros((len(scales_um), rows, cols), np.float32)
    signal = np.zeros((rows, cols), np.float32)
    weights = None if chromogen is None else chromogen.weights
    light = None if weights is None else np.zeros((rows, cols, len(weights)), np.float16)
    plane = np.zeros((rows, cols), np.int16) if source.section.planes > 1 else None
    noise = np.full((len(scales_um), rows // BLOCK, cols // BLOCK), np.nan, np.float32)
    core = slice(MARGIN, MARGIN + _CORE)
    for row in range(0, rows, _CORE):
        for col in range(0, cols, _CORE):
            here = (slice(row, row + _CORE), slice(col, col + _CORE))
            if not band[here].any():
                continue
            colors, depth = source.tile(top + row - MARGIN, left + col - MARGIN, TILE, TILE, weights)
            tile = colors[..., 0] if chromogen is None else chromogen.amount(colors, px_um)
            signal[here] = tile[core, core]
            if light is not None:
                light[here] = colors[core, core]
            if plane is not None and depth is not None:
                plane[here] = depth[core, core]
            there = (
                slice(row // BLOCK, (row + _CORE) // BLOCK),
                slice(col // BLOCK, (col + _CORE) // BLOCK),
            )
            for scale, response in enumerate(bank.respond(tile, core)):
                best[scale][here] = response.max(axis=0)
                noise[scale][there] = local_noise(response)
    rows, cols = band.shape  # the last tiles may reach beyond the image
    cut = (slice(rows), slice(cols))
    contrast = np.zeros((rows, cols), np.float32)
    for response, spread in zip(best, noise, strict=True):
        # what is far fainter than the clear lines of the section is structure of the file, not of the tissue
        clear = float(np.quantile(response[cut][band][::7], _CLEAR_QUANTILE))
        np.maximum(contrast, response[cut] / np.maximum(_even(spread)[cut], _FAINTEST * clear), out=contrast)
    contrast[~band] = 0
    return LineField(
        source.grid.starting_at(top, left),
        contrast,
        signal[cut],
        None if light is None else light[cut],
        None if plane is None else plane[cut],
        band,
    )


def _whole_tiles(band: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """First row and column, and numbers of both, of the tiles with the band and what lies about it."""
    spans = []
    for axis, size in enumerate(band.shape):
        at = np.flatnonzero(band.any(axis=1 - axis))
        first = max(0, int(at[0]) - _AROUND) // _CORE if len(at) else 0
        last = min(size - 1, int(at[-1]) + _AROUND) // _CORE if len(at) else 0
        spans.append((first * _CORE, (last + 1 - first) * _CORE))
    (top, rows), (left, cols) = spans
    return top, left, rows, cols


def _even(noise: _Float32) -> _Float32:
    """Noise of every pixel from that of the blocks: the median of 3 x 3 blocks, then linear between them."""
    known = np.isfinite(noise)
    if not known.any():
        return np.ones((noise.shape[0] * BLOCK, noise.shape[1] * BLOCK), np.float32)
    filled = ndimage.median_filter(of_nearest(noise, known), size=3, mode="nearest")
    middle = float(np.median(noise[known]))
    filled = np.maximum(filled, max(_NOISE_FLOOR * middle, 1e-6))
    return spread_blocks(filled, BLOCK)
