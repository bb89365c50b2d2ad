"""Line responses: elongated second-derivative filters at many angles, in units of local noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["ANGLES", "BLOCK", "LONG_UM", "FilterBank", "filter_bank", "local_noise"]

_Float32 = NDArray[np.float32]

ANGLES = 12
BLOCK = 32  # pixels: edge of the blocks in which noise is measured
_ALONG_UM = 1.8
LONG_UM = 4.5  # no nucleus is a line of this length


@dataclass(frozen=True, eq=False)
class FilterBank:
    """Transforms of the filters for tiles of one size.

    Parameters
    ----------
    kernels : (S, A, H, W // 2 + 1) ndarray
        One filter per scale and angle; unit response to noise of unit variance.
    size : int
        Edge of a tile in pixels.
    """

    kernels: NDArray[np.complex64]
    size: int

    def respond(self, tile: _Float32, core: slice = slice(None)) -> list[_Float32]:
        """(A, H, W) responses of a square tile at every scale, positive on bright lines.

        Only the rows and columns in `core` are given.
        """
        spectrum = fft.rfft2(tile)
        responses = []
        for kernels in self.kernels:
            by_column = fft.ifft(spectrum * kernels, axis=-2, overwrite_x=True)[:, core]
            response = fft.irfft(by_column, n=self.size, axis=-1)[:, :, core]
            responses.append(np.asarray(response, np.float32))
        return responses


@lru_cache(maxsize=8)
def filter_bank(
    size: int, px_um: float, scales_um: tuple[float, ...], along_um: float = _ALONG_UM
) -> FilterBank:
    """Build the filters.

    Each is the negative second derivative of a Gaussian across (standard deviation = scale), times
    a longer Gaussian along: a bead alone responds less than beads in a row.

    Parameters
    ----------
    size : int
        Edge of a tile in pixels.
    px_um : float
        Pixel edge in micrometers.
    scales_um : tuple of float
        Standard deviations across.
    along_um : float
        Standard deviation along.
    """
    axis = fft.fftfreq(size, 1 / size)  # pixel offsets, 0 first
    y, x = np.meshgrid(axis, axis, indexing="ij")
    bank = []
    for scale in scales_um:
        across_px, along_px = max(scale / px_um, 0.7), along_um / px_um
        for k in range(ANGLES):
            angle = np.pi * k / ANGLES
            u = x * np.cos(angle) + y * np.sin(angle)  # along
            v = -x * np.sin(angle) + y * np.cos(angle)  # across
            kernel = (1 - (v / across_px) ** 2) * np.exp(
                -0.5 * (v / across_px) ** 2 - 0.5 * (u / along_px) ** 2
            )
            kernel -= kernel.mean()
            kernel /= np.sqrt((kernel**2).sum())
            bank.append(fft.rfft2(kernel.astype(np.float32)))
    kernels = np.stack(bank).reshape(len(scales_um), ANGLES, size, -1)
    return FilterBank(kernels.astype(np.complex64), size)


def local_noise(responses: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spread of the responses in every block, from their smaller values, which lines do not touch.

    Parameters
    ----------
    responses : (A, H, W) ndarray
        At one scale; H and W multiples of `BLOCK`.

    Returns
    -------
    (H // BLOCK, W // BLOCK) ndarray of float32
    """
    few = np.abs(responses[::3])
    angles, rows, cols = few.shape
    blocks = few.reshape(angles, rows // BLOCK, BLOCK, cols // BLOCK, BLOCK)
    blocks = blocks.transpose(1, 3, 0, 2, 4).reshape(rows // BLOCK, cols // BLOCK, -1)[..., ::3]
    # the 40th percentile of |x| of a Gaussian lies at 0.524 standard deviations
    rank = round(0.4 * (blocks.shape[-1] - 1))
    return np.asarray(np.partition(blocks, rank, axis=-1)[..., rank] / 0.5244, np.float32)
