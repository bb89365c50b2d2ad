"""The margin of a mosaic: where nothing was photographed, and the file holds one value, black or white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["find_margin"]

_Mask = NDArray[np.bool_]

_LEAST_UM = 30.0  # of a straight side
_STRAIGHT = 0.9  # of the outline within the image
_GROWN = 3  # pixels beside it that means, or blocks of JPEG, mix with it


def find_margin(light: NDArray[np.float32], full_scale: float, px_um: float) -> _Mask:
    """Find what a mosaic leaves empty at the border of an image.

    It is of one value, the least of the image or that of white, and has straight sides along rows and
    columns: glass of one value, black or white, ends at tissue, which is not straight.

    Parameters
    ----------
    light : (H, W, C) ndarray of float32
        Sample values at low resolution.
    full_scale : float
        The value of white.
    px_um : float
        Its pixel edge in micrometers.

    Returns
    -------
    (H, W) ndarray of bool
        Empty where there is none.
    """
    margin = np.zeros(light.shape[:2], bool)
    least = max(2, round(_LEAST_UM / px_um))
    for empty in (light == light.min(axis=(0, 1)), light >= full_scale):
        labels, _ = ndimage.label(empty.all(axis=-1))
        large = np.bincount(labels.ravel()) >= least**2
        rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        for number in np.unique(rim[(rim > 0) & large[rim]]):
            part = labels == number
            if not part.all() and _straight_share(part, least) >= _STRAIGHT:
                margin |= part
    return np.asarray(ndimage.binary_dilation(margin, np.ones((3, 3), bool), _GROWN), bool)


def _straight_share(part: _Mask, least: int) -> float:
    """Share of the outline within the image that runs straight for at least so many pixels."""
    straight = whole = 0
    for mask in (part, part.T):
        steps = mask[1:] != mask[:-1]
        whole += int(steps.sum())
        straight += int(ndimage.binary_opening(steps, np.ones((1, least), bool)).sum())
    return straight / max(whole, 1)
