"""The basement membrane: a bright line or, where it lies slanted in the depth of the section, a band.

The junction of a thick section is the middle of that band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP_Geometric

from ienfd.result import FloatArray
from ienfd.skin.partition import single_valued
from ienfd.skin.strip import beyond_image, make_strip, smooth_curve
from ienfd.stain.grid import distance_to

__all__ = ["along_membrane", "is_membrane", "line_along", "ridge"]

_Float32 = NDArray[np.float32]

# samples are micrometers: those of the fine strip
_LINE = (1.2, 2.4)  # standard deviations of a line
_BAND = (*_LINE, 4.8)  # and of one that lies slanted: narrow pegs of bright epidermis are as wide
_FAR_PLAINER = 1.05  # a band is only where it is so much plainer along the way than a line
_FAINT = 1.5  # in units of the noise
_HIGHEST, _LEAST_NOISE = 0.98, 0.04  # the height of plain lines, and what of it is noise where there is none
_CLEAR, _CLEARER = 1.0, 0.4  # above the faintest: as likely a line as not, and how fast it becomes one
_PLAIN = 8.0  # a line that is clearer than this is no likelier
_BESIDE = 17  # the middle is what stands out from this far about it
_MIDDLE, _MIDDLE_OF_BAND = 4, 6  # by what power
_NOWHERE = 0.02  # the clearness of a way without any line: it crosses a gap, and cuts off no papilla
_NEAR, _BEYOND = 10, 0.02  # how far the line may lie from the curve, and the cost of every sample beyond
_END = 12  # how far from the ends of the curve it may begin and end
_HALF_UM = 40.0  # of the strip about a junction in which a line is looked for
_PLAIN_LINE, _FAR_PLAINER_LINE = 5.0, 2.0  # in units of the noise, all along; times another line


def ridge(membrane: _Float32, widths: Sequence[float], faint: float) -> FloatArray:
    """How clear a line or band is, in units of the noise beyond the faintest.

    Each place has the height of the ridge that is as wide as it looks there: of a thin line that of the
    least width, which is highest at its middle; of a band that of a greater one.

    Parameters
    ----------
    membrane : (S, D) ndarray of float32
        Signal of the basement membrane in a strip.
    widths : sequence of float
        Standard deviations in samples, the least first; by it the noise is known. Texture far lower than
        the highest lines is noise, too: of a clean image the median tells nothing.
    faint : float
        In units of the noise.

    Returns
    -------
    (S, D) ndarray of float
        0 where there is nothing.
    """
    from skimage.feature import hessian_matrix, hessian_matrix_eigvals  # takes half a second

    noise, highest = 0.0, np.zeros(membrane.shape)
    for width in widths:
        hessian = hessian_matrix(
            membrane, sigma=width, order="rc", use_gaussian_derivatives=True, mode="nearest"
        )
        height = -hessian_matrix_eigvals(hessian)[1] * width**2
        noise = noise or float(np.median(np.abs(height))) / 0.6745
        highest = np.maximum(highest, height)
    noise = max(noise, _LEAST_NOISE * float(np.quantile(highest, _HIGHEST)), 1e-9)
    return np.asarray(np.maximum(highest / noise - faint, 0.0), float)


def line_along(signal: _Float32, junction: FloatArray, px: float) -> float:
    """How clear a line is along most of a junction, near to it: an unbroken one, as a membrane draws it.

    Parameters
    ----------
    signal : (H, W) ndarray of float32
        On the grid.
    junction : (N, 2) ndarray of float
        Grid coordinates.
    px : float
        Pixel edge of the grid in micrometers.

    Returns
    -------
    float
        Lower quartile along the junction, in units of the noise.
    """
    strip = make_strip(junction, px, above_um=_HALF_UM, below_um=_HALF_UM, step_um=1.0, down=1)
    clear = ridge(strip.sample(signal), _BAND, _FAINT) * ~beyond_image(strip, signal.shape)
    middle = clear.shape[1] // 2
    return float(np.quantile(clear[:, middle - _NEAR : middle + _NEAR + 1].max(axis=1), 0.25))


def is_membrane(line: float, other: float) -> bool:
    """Whether a line is as clear as a membrane is (`line_along`), and far clearer than another one."""
    return line >= max(_PLAIN_LINE, _FAR_PLAINER_LINE * other)


def along_membrane(
    membrane: _Float32, curve: FloatArray, within: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray | None]:
    """Lay a junction along the middle of the basement membrane.

    Parameters
    ----------
    membrane : (S, D) ndarray of float32
        Its signal in a strip.
    curve : (N, 2) ndarray of float
        The junction so far, strip coordinates; the membrane is sought near it.
    within : (S, D) ndarray of bool
        Where a membrane may lie: beyond the border of the image none is known, and corneum holds none.

    Returns
    -------
    curve : (M, 2) ndarray of float
        The cheapest way along the ridge; the curve as it was where there is none.
    sure : (M,) ndarray of float or None
        Probability, about, that there is a membrane at every point; None where there is no ridge.
    """
    across = single_valued(curve, len(membrane))
    far = _BEYOND * np.maximum(distance_to([curve], membrane.shape) - _NEAR, 0)
    line = _way(ridge(membrane, _LINE, _FAINT) * within, _MIDDLE, across, far)
    band = _way(ridge(membrane, _BAND, _FAINT) * within, _MIDDLE_OF_BAND, across, far)
    way = band if band.plain.mean() > _FAR_PLAINER * line.plain.mean() else line
    if way.strength <= _CLEAR:
        return curve, None
    # across a narrow peg of bright epidermis there is a ridge, too, but the way does not keep to its middle
    clear = ndimage.gaussian_filter1d(way.plain, 12.0, mode="nearest") - _CLEAR
    return smooth_curve(way.path, 1.5), np.asarray(1 / (1 + np.exp(-clear / _CLEARER)), float)


@dataclass(frozen=True, eq=False)
class _Way:
    """The cheapest way along a ridge.

    Parameters
    ----------
    path : (M, 2) ndarray of float
        Strip coordinates.
    plain : (M,) ndarray of float
        How clear the ridge is there, and how near its middle.
    strength : float
        Median of how clear it is.
    """

    path: FloatArray
    plain: FloatArray
    strength: float


def _way(strength: FloatArray, power: int, across: FloatArray, far: FloatArray) -> _Way:
    """The cheapest way along the middle of a ridge (`ridge`), not far from a curve.

    `across` is where the curve runs along the strip, and `far` what places cost for their distance from it.
    """
    count, size = strength.shape
    beside = strength / np.maximum(ndimage.maximum_filter(strength, _BESIDE), 1e-9)
    height = np.minimum(strength, _PLAIN)
    cost = 1 / (_NOWHERE + height * beside**power) + far
    start, stop = (
        [(row, int(k)) for k in range(max(0, int(at) - _END), min(size, int(at) + _END + 1))]
        for row, at in ((0, across[0]), (count - 1, across[-1]))
    )
    finder = MCP_Geometric(cost)
    total, _ = finder.find_costs(start)
    path = np.array(finder.traceback(min(stop, key=lambda place: float(total[place]))), float)
    at = tuple(path.astype(int).T)
    return _Way(path, height[at] * beside[at] ** _MIDDLE_OF_BAND, float(np.median(strength[at])))
