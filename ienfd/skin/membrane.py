"""The basement membrane: a bright line or, where it lies slanted in the depth of the section, a band.

The junction of a thick section is the middle of that band.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import hessian_matrix, hessian_matrix_eigvals
from skimage.graph import MCP_Geometric

from ienfd.result import FloatArray
from ienfd.skin.partition import single_valued
from ienfd.skin.strip import smooth_curve

__all__ = ["along_membrane", "ridge"]

_Float32 = NDArray[np.float32]

_WIDTHS = (1.2, 2.4, 4.8)  # standard deviations of a line and of bands, in samples of the fine strip
_FAINT = 1.5  # in units of the noise
_CLEAR = 1.0  # above that
_END = 12  # samples: how far from the curve that is given the line may begin and end
_NEAR, _BEYOND = 10, 0.01
_NOWHERE = 0.15
_PLAIN = 8.0  # more than that makes a line no likelier
_BESIDE, _MIDDLE = 17, 6  # samples; power


def ridge(membrane: _Float32, widths: Sequence[float], faint: float) -> FloatArray:
    """How clear a line or band is, in units of the noise beyond the faintest.

    Each place has the height of the ridge that is as wide as it looks there: of a thin line that of the
    least width, which is highest at its middle; of a band that of a greater one.

    Parameters
    ----------
    membrane : (S, D) ndarray of float32
        Signal of the basement membrane in a strip.
    widths : sequence of float
        Standard deviations in samples, the least first; by it the noise is known.
    faint : float
        In units of the noise.

    Returns
    -------
    (S, D) ndarray of float
        0 where there is nothing.
    """
    noise, highest = 0.0, np.zeros(membrane.shape)
    for width in widths:
        hessian = hessian_matrix(
            membrane, sigma=width, order="rc", use_gaussian_derivatives=True, mode="nearest"
        )
        height = -hessian_matrix_eigvals(hessian)[1] * width**2
        noise = noise or float(np.median(np.abs(height))) / 0.6745
        highest = np.maximum(highest, height)
    return np.asarray(np.maximum(highest / max(noise, 1e-9) - faint, 0.0), float)


def along_membrane(membrane: _Float32, curve: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Shortest path along the ridge of the basement membrane, near `curve` (strip coordinates).

    With how clear the ridge is along it; the curve as it was, and None, where there is no ridge.
    """
    strength = ridge(membrane, _WIDTHS, _FAINT)
    count, size = membrane.shape
    across = single_valued(curve, count)
    distance = np.abs(np.arange(size)[None, :] - across[:, None])
    beside = strength / np.maximum(ndimage.maximum_filter(strength, _BESIDE), 1e-9)
    cost = 1 / (_NOWHERE + np.minimum(strength, _PLAIN) * beside**_MIDDLE) + _BEYOND * np.maximum(
        distance - _NEAR, 0
    )
    start, stop = (
        [(row, int(k)) for k in range(max(0, int(at) - _END), min(size, int(at) + _END + 1))]
        for row, at in ((0, across[0]), (count - 1, across[-1]))
    )
    finder = MCP_Geometric(cost)
    total, _ = finder.find_costs(start)
    path = np.array(finder.traceback(min(stop, key=lambda place: float(total[place]))), float)
    along = strength[path[:, 0].astype(int), path[:, 1].astype(int)]
    if float(np.median(along)) <= _CLEAR:
        return curve, None
    return smooth_curve(path, 1.5), np.asarray(ndimage.gaussian_filter1d(along, 12.0, mode="nearest"), float)
