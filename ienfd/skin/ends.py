"""The ends of a junction: at the cut sides of the tissue, and at the border of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.result import FloatArray
from ienfd.skin.strip import arc_um, extent, on_tissue, within_image

__all__ = ["apart_at_border", "squared"]

_ALONG_GLASS_UM = 20.0  # nearer to glass than this a junction may run along a cut side
_AHEAD_UM, _TOWARD = 4.0, 0.5  # but not where, so far ahead, it has come nearer by so much of its way
_NEAR_BORDER_UM = 25.0
_HEADING_UM = 12.0
# what keeps as near to the border of the image, for as long, runs along it
_ON_BORDER_UM, _ALONG_BORDER_UM = 2.5, 15.0


def squared(
    junction: FloatArray, confidence: FloatArray, mask: NDArray[np.bool_], clearance_um: FloatArray, px: float
) -> tuple[FloatArray, FloatArray]:
    """End a junction where the tissue ends, instead of along its cut side.

    What runs along glass at an end, and not toward it, is left out, and the junction continued straight on
    to the edge, as it is to the image border.

    Parameters
    ----------
    junction : (N, 2) ndarray of float
        Grid coordinates.
    confidence : (N,) ndarray of float
    mask : (H, W) ndarray of bool
        Tissue.
    clearance_um : (H, W) ndarray of float
        Distance of every pixel from glass.
    px : float
        Pixel edge of the grid in micrometers.

    Returns
    -------
    junction : (M, 2) ndarray of float
    confidence : (M,) ndarray of float
        What is continued is as sure as the end it continues.
    """
    if len(junction) < 2:
        return junction, confidence
    clear_um = ndimage.map_coordinates(clearance_um, junction.T, order=1, mode="nearest")
    inner = extent(clear_um > _ALONG_GLASS_UM)
    if inner.start == inner.stop:
        return junction[inner], confidence[inner]
    way_um = arc_um(junction, px)
    first = inner.start - _toward_glass(clear_um[inner.start :: -1], way_um[inner.start :: -1])
    last = inner.stop - 1 + _toward_glass(clear_um[inner.stop - 1 :], way_um[inner.stop - 1 :])
    middle, sure = junction[first : last + 1], confidence[first : last + 1]
    head = _straight_on(middle[::-1], mask, px, cut=inner.start > 0)[::-1]
    tail = _straight_on(middle, mask, px, cut=inner.stop < len(junction))
    return (
        np.concatenate([head, middle, tail]),
        np.concatenate([np.full(len(head), sure[0]), sure, np.full(len(tail), sure[-1])]),
    )


def apart_at_border(
    junction: FloatArray, confidence: FloatArray, shape: tuple[int, ...], px: float
) -> list[tuple[FloatArray, FloatArray]]:
    """The stretches of a junction between those that run along the border of the image.

    Where the epidermis leaves the image a curve may go on along its border, to glass or to the next ridge.

    Parameters
    ----------
    junction : (N, 2) ndarray of float
        Grid coordinates.
    confidence : (N,) ndarray of float
    shape : tuple of int
        Rows and columns of the grid.
    px : float
        Pixel edge of the grid in micrometers.

    Returns
    -------
    list of tuple
        Junction and confidence of every stretch, in order.
    """
    if len(junction) < 2:
        return [(junction, confidence)]
    on_border = ~within_image(junction, shape, -_ON_BORDER_UM / px)
    way_um = arc_um(junction, px)
    free = np.ones(len(junction), bool)
    for (run,) in ndimage.find_objects(ndimage.label(on_border)[0]):
        free[run] = way_um[run.stop - 1] - way_um[run.start] < _ALONG_BORDER_UM
    runs = ndimage.find_objects(ndimage.label(free)[0])
    return [(junction[run], confidence[run]) for (run,) in runs]


def _toward_glass(clear_um: FloatArray, way_um: FloatArray) -> int:
    """How many places of a curve, after the first, lead toward glass and not along it."""
    gone_um = np.abs(way_um - way_um[0])
    ahead_um = np.interp(gone_um + _AHEAD_UM, gone_um, clear_um)
    toward = clear_um - ahead_um >= _TOWARD * _AHEAD_UM
    return len(toward) - 1 if toward.all() else int(toward.argmin())


def _straight_on(curve: FloatArray, mask: NDArray[np.bool_], px: float, *, cut: bool) -> FloatArray:
    """Points beyond the end of a curve in its direction.

    At a cut side as far as there is tissue; else to the image border, if it is near.
    """
    arc = arc_um(curve, px)
    back = curve[int(np.searchsorted(arc, max(arc[-1] - _HEADING_UM, 0.0)))]
    way = curve[-1] - back
    size = float(np.hypot(*way))
    if size < 1e-9:
        return curve[:0]
    steps = np.arange(1.0, 1.6 * (_ALONG_GLASS_UM if cut else _NEAR_BORDER_UM))[:, None] / px
    ahead = curve[-1] + steps * way / size
    inside = on_tissue(ahead, mask)
    stop = int(np.argmin(inside)) if not inside.all() else len(ahead)
    if not cut and (stop == len(ahead) or within_image(ahead, mask.shape)[stop]):
        return curve[:0]
    return np.asarray(ahead[:stop], float)
