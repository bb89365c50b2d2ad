"""Wide Gaussian means, by cosine transforms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["wide_blur"]


def wide_blur(image: NDArray[np.float32], sigma: float, *, truncate: float = 3.0) -> NDArray[np.float32]:
    """What `ndimage.gaussian_filter` gives, several times faster where `sigma` is large.

    A cosine transform continues an image as that filter does, mirrored at its borders, so that under
    it the filter is a product.

    Parameters
    ----------
    image : (H, W) ndarray of float32
    sigma : float
        Standard deviation in pixels.
    truncate : float
        Half-width of the kernel in standard deviations.
    """
    reach = int(truncate * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    kernel[1:] *= 2  # both sides
    kernel /= kernel.sum()
    spectrum = fft.dctn(image)
    for axis, size in enumerate(image.shape):
        waves = np.cos(np.pi / size * np.outer(np.arange(size), np.arange(reach + 1)))
        spectrum *= np.expand_dims((waves @ kernel).astype(np.float32), 1 - axis)
    return np.asarray(fft.idctn(spectrum, overwrite_x=True), np.float32)
