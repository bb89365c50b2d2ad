"""The margin of a mosaic: where nothing was photographed, and the file holds one value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["find_margin"]

_Mask = NDArray[np.bool_]

_LEAST_UM = 30.0  # of a straight side
_STRAIGHT = 0.9  # of the outline within the image


def find_margin(light: NDArray[np.float32], px_um: float) -> _Mask:
    """Find what a mosaic leaves black at the border of an image.

    It is of one value, the least of the image, and has straight sides along rows and columns: dark glass of
    one value ends at tissue, which is not straight.

    Parameters
    ----------
    light : (H, W, C) ndarray of float32
        Sample values at low resolution.
    px_um : float
        Its pixel edge in micrometers.

    Returns
    -------
    (H, W) ndarray of bool
        Empty where there is none.
    """
    darkest = (light == light.min(axis=(0, 1))).all(axis=-1)
    margin = np.zeros(darkest.shape, bool)
    least = max(2, round(_LEAST_UM / px_um))
    labels, _ = ndimage.label(darkest)
    large = np.bincount(labels.ravel()) >= least**2
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    for number in np.unique(rim[(rim > 0) & large[rim]]):
        part = labels == number
        if not part.all() and _straight_share(part, least) >= _STRAIGHT:
            margin |= part
    return margin


def _straight_share(part: _Mask, least: int) -> float:
    """Share of the outline within the image that runs straight for at least so many pixels."""
    straight = whole = 0
    for mask in (part, part.T):
        steps = mask[1:] != mask[:-1]
        whole += int(steps.sum())
        straight += int(ndimage.binary_opening(steps, np.ones((1, least), bool)).sum())
    return straight / max(whole, 1)
