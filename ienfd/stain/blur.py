"""Wide Gaussian means, by cosine transforms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["wide_blur", "wide_mean"]

_LEAST_WEIGHT = 1e-3  # where hardly any of the chosen places is near


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


def wide_mean(where: NDArray[np.bool_], sigma: float) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Gaussian mean over chosen places, of any number of images; what lies elsewhere does not enter.

    Parameters
    ----------
    where : (H, W) ndarray of bool
        The chosen places.
    sigma : float
        Standard deviation in pixels.
    """
    weight = np.maximum(wide_blur(where.astype(np.float32), sigma), _LEAST_WEIGHT)

    def mean(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(wide_blur(np.where(where, image, 0), sigma) / weight, np.float32)

    return mean
