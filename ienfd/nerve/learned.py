"""Lines as a network weighs them that has learned what nerve fibers look like.

A filter answers to everything that is thin and long: processes of dendritic cells, rims of nuclei, grains of
pigment in a row, seams of the corneum. The network was taught on synthetic sections of several independent
generators, and on lines drawn at random, which of these lines are nerves (`benchmarks.networks`). It is shown
no color: how far the nerve signal stands out from what lies around it, the response of the filters, and how
dark it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.nerve.field import LineField
from ienfd.networks.files import trained
from ienfd.networks.network import Network
from ienfd.stain.grid import block_mean, spread_blocks

__all__ = ["WeighLines", "fiber_planes", "weighed"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

WeighLines = Callable[[LineField], LineField]
"""Gives a field of lines with their contrast weighed by how much they look like nerves."""

_SOME = 7  # of so many pixels one is enough
_BLOCK = 8  # pixels: what changes slowly is measured in blocks
_AROUND_UM = 8.0  # standard deviation of what a signal is compared with
_NOISE_UM = 15.0  # of the place whose noise is measured
_ORDINARY = 3.0  # what differs by more times the median is no noise
_CLEAR_QUANTILE, _FAINTEST = 0.998, 0.01
_BRIGHTEST, _DARKEST = 5.0, -3.0  # asinh of standard deviations
_DENSEST = 4.0

_TILE, _MARGIN = 96, 16  # pixels
_FAINTEST_LINE = 3.0  # contrast: where there is none that is clearer, the network is not asked

# A logit of -0.5 is worth a contrast of 4, the faintest that is followed; each one more e^0.5 times as much.
_AS_CLEAR, _EVEN, _PER_LOGIT = 4.0, -0.5, 0.5
_CLEAREST = 60.0


def fiber_planes(field: LineField) -> _Float32:
    """What is seen of lines, even in whatever stain and brightness.

    Returns
    -------
    (3, H, W) ndarray of float32
        How far the nerve signal stands out (asinh of standard deviations), logarithm of the line contrast,
        and optical density of all colors together (bright-field, else 0); 0 outside of the band.
    """
    band, px_um = field.band, field.grid.pixel_size_um
    above = field.signal - _local_mean(field.signal, band, _AROUND_UM / px_um)
    known = np.abs(above[band])[::_SOME]
    ordinary = _ORDINARY * float(np.median(known)) if len(known) else 0.0
    spread = 1.25 * _local_mean(np.minimum(np.abs(above), ordinary), band, _NOISE_UM / px_um)
    faintest = _FAINTEST * float(np.quantile(known, _CLEAR_QUANTILE)) if len(known) else 0.0
    out = np.arcsinh(above / np.maximum(spread, max(faintest, 1e-9)))
    planes = np.stack([np.clip(out, _DARKEST, _BRIGHTEST), np.log1p(field.contrast), _density(field)])
    return np.asarray(planes * band, np.float32)


def weighed(field: LineField) -> LineField:
    """The field with the contrast of its lines weighed by how much they look like nerves.

    The contrast becomes the geometric mean of what the filters measured and what the network says.

    Raises
    ------
    EnvironmentProblem
        If the file of the network is not the one of this version.
    """
    lines = field.band & (field.contrast >= _FAINTEST_LINE)
    logit = _said(trained("fibers_2"), fiber_planes(field), lines)
    said = np.minimum(_AS_CLEAR * np.exp(_PER_LOGIT * (logit - _EVEN)), _CLEAREST)
    return replace(field, contrast=np.asarray(np.sqrt(field.contrast * said) * field.band, np.float32))


def _said(network: Network, planes: _Float32, lines: _Mask) -> _Float32:
    """(H, W) what a network says, tile by tile where there are lines; 0, neither yes nor no, elsewhere."""
    out = np.zeros(lines.shape, np.float32)
    padded = np.pad(planes, [(0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)])
    for top in range(0, lines.shape[0], _TILE):
        for left in range(0, lines.shape[1], _TILE):
            rows, cols = np.nonzero(lines[top : top + _TILE, left : left + _TILE])
            if not len(rows):
                continue
            row, col = top + rows.min(), left + cols.min()
            height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
            shown = padded[:, row : row + height + 2 * _MARGIN, col : col + width + 2 * _MARGIN]
            said = network.of(shown)[_MARGIN : _MARGIN + height, _MARGIN : _MARGIN + width]
            out[row : row + height, col : col + width] = said
    return out


def _density(field: LineField) -> _Float32:
    """(H, W) optical density of all colors, in units of its range in the band, 0 in its middle."""
    if field.light is None or not field.band.any():
        return np.zeros(field.band.shape, np.float32)
    density = field.light.astype(np.float32).mean(axis=-1)
    low, middle, high = np.quantile(density[field.band][::_SOME], [0.1, 0.5, 0.9])
    even = (density - middle) / max(0.5 * float(high - low), 1e-6)
    return np.asarray(np.clip(even, _DARKEST, _DENSEST), np.float32)


def _local_mean(values: _Float32, band: _Mask, over_px: float) -> _Float32:
    """(H, W) mean over the band near every pixel."""
    height, width = band.shape
    rest = [(0, -height % _BLOCK), (0, -width % _BLOCK)]

    def near(image: _Float32) -> _Float32:
        means = block_mean(np.pad(image, rest), _BLOCK)
        return np.asarray(ndimage.gaussian_filter(means, over_px / _BLOCK), np.float32)

    share = near(band.astype(np.float32))
    means = near(np.where(band, values, np.float32(0))) / np.maximum(share, np.float32(1e-3))
    return spread_blocks(means.astype(np.float32), _BLOCK)[:height, :width]
