"""The margin of a mosaic: where nothing was photographed, and the file holds one value, black or white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

__all__ = ["find_margin"]

_Mask = NDArray[np.bool_]

_LEAST_UM, _LEAST_ASLANT_UM = 30.0, 200.0  # of a straight side along rows or columns, and of any other
_STRAIGHT = 0.9  # of the outline within the image
_OFF = 1.5  # pixels that a side may stray
_GROWN = 3  # pixels beside it that means, or blocks of JPEG, mix with it


def find_margin(light: NDArray[np.float32], full_scale: float, px_um: float) -> _Mask:
    """Find what a mosaic leaves empty at the border of an image.

    It is of one value, the least of the image or that of white, and has straight sides along rows and
    columns, or long ones, where a mosaic was turned: glass of one value, black or white, ends at tissue,
    which is not straight.

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
            if not part.all() and _straight_share(part, px_um) >= _STRAIGHT:
                margin |= part
    return np.asarray(ndimage.binary_dilation(margin, np.ones((3, 3), bool), _GROWN), bool)


def _straight_share(part: _Mask, px_um: float) -> float:
    """Share of the outline within the image that is made of straight sides."""
    straight_um = whole_um = 0.0
    for contour in find_contours(part.astype(np.float32), 0.5):
        along = np.abs(np.diff(approximate_polygon(contour, _OFF), axis=0))
        sides_um = np.hypot(*along.T) * px_um
        least_um = np.where(along.min(axis=1) <= _OFF, _LEAST_UM, _LEAST_ASLANT_UM)
        straight_um += float(sides_um[sides_um >= least_um].sum())
        whole_um += float(sides_um.sum())
    return straight_um / max(whole_um, 1e-9)
