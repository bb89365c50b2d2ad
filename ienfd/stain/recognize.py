"""Bright-field or fluorescence, told from the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.protocol import Stain
from ienfd.stain.grid import mean_of_colors

__all__ = ["recognize_stain"]


def recognize_stain(
    small: NDArray[np.float32], margin: NDArray[np.bool_], full_scale: float
) -> tuple[Stain, float]:
    """Tell bright-field from fluorescence.

    In bright-field what is empty is bright and tissue takes light away; in fluorescence what is
    empty is dark. Empty is where the image varies least.

    Parameters
    ----------
    small : (H, W, C) ndarray of float32
        The image at low resolution.
    margin : (H, W) ndarray of bool
        Where nothing was photographed.
    full_scale : float
        Largest value that the format of the image can hold.

    Returns
    -------
    stain : {"bright-field", "fluorescence"}
    certainty : float
        From 0 to 1.
    """
    light = mean_of_colors(small)
    smooth = ndimage.gaussian_filter(light, 1.5)
    texture = ndimage.gaussian_filter(np.abs(light - smooth), 3.0)[~margin]
    smooth = smooth[~margin]
    low, high = np.quantile(smooth, [0.005, 0.995])
    if high <= low:
        return "fluorescence", 0.0
    level = (smooth - low) / (high - low)
    flat = texture <= np.quantile(texture, 0.15)
    # three witnesses, each from -1 (dark ground) to 1 (bright ground)
    ground = 2 * float(np.median(level[flat])) - 1
    skew = float(np.clip((np.median(level) - 0.5) * 2, -1, 1))
    brightness = float(np.clip((high / full_scale - 0.5) * 4, -1, 1)) if full_scale > 1 else 0.0
    colorless = 1.0 if small.shape[-1] == 3 and low > 0.05 * high else 0.0
    vote = 0.5 * ground + 0.3 * skew + 0.2 * brightness + 0.2 * colorless
    return ("bright-field" if vote > 0 else "fluorescence"), float(min(1.0, abs(vote)))
