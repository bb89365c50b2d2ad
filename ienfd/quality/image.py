"""How sharp, how noisy and how strongly stained an image is where nerves are looked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.nerve.field import LineField

__all__ = ["ImageFigures", "image_figures"]

_Float32 = NDArray[np.float32]

_EDGE = 256  # pixels of a part that is measured
_MOST_PARTS = 8  # more say no more
_LEAST_SHARE = 0.5  # of a part that is tissue
_SCALES_UM = (0.6, 1.2, 2.4, 4.8)
_CLEAR = 8.0  # contrast of a line that surely is one
_FEWEST_PIXELS = 60
_ROUGH_QUANTILE, _OF_ROUGHNESS = 0.75, 1.1503 * 20**0.5  # of the Laplacian of white noise


@dataclass(frozen=True)
class ImageFigures:
    """Figures of the nerve signal, as far as there is enough to take them from.

    Parameters
    ----------
    detail_ratio : float or None
        Contrast at 1 um by contrast at 4 um, noise taken off: about 0.9 in focus, below 0.2 where everything
        is blurred by 2.5 um.
    noise_ratio : float or None
        Standard deviation of the noise of a pixel by the height of a clear fiber.
    nerve_contrast : float or None
        Height of a clear fiber above what is round about: optical density in bright-field, in fluorescence
        the share of the light there.
    """

    detail_ratio: float | None = None
    noise_ratio: float | None = None
    nerve_contrast: float | None = None


def image_figures(field: LineField, band: NDArray[np.bool_]) -> ImageFigures:
    """Measure parts of the tissue that are spread over all of it.

    Parameters
    ----------
    field : LineField
        Nerve signal and line contrast.
    band : (H, W) ndarray of bool
        Where both were measured, on the grid of the field.
    """
    um = field.grid.pixel_size_um
    parts = [_part(field.signal[here], field.contrast[here], band[here], um) for here in _parts(band)]
    if not parts:
        return ImageFigures()
    rough, fine, coarse = (np.concatenate(values) for values in zip(*(p[:3] for p in parts), strict=True))
    height, ground = (np.concatenate(values) for values in zip(*(p[3:] for p in parts), strict=True))
    if len(fine) < _FEWEST_PIXELS:
        return ImageFigures()
    noise = float(np.quantile(rough, _ROUGH_QUANTILE)) / _OF_ROUGHNESS
    detail = max(float(fine.var()) - _passed(um) * noise**2, 0.0) ** 0.5 / max(float(coarse.std()), 1e-12)
    if len(height) < _FEWEST_PIXELS:
        return ImageFigures(detail)
    tall = float(np.median(height))
    around = 1.0 if field.light is not None else max(float(np.median(ground)), 1e-12)
    return ImageFigures(detail, noise / max(tall, 1e-12), tall / around)


def _parts(band: NDArray[np.bool_]) -> list[tuple[slice, slice]]:
    """Squares with tissue, evenly chosen among all of them."""
    rows, cols = (max(1, size // _EDGE) for size in band.shape)
    squares = [
        (slice(r * _EDGE, (r + 1) * _EDGE), slice(c * _EDGE, (c + 1) * _EDGE))
        for r in range(rows)
        for c in range(cols)
    ]
    shares = np.array([band[here].mean() for here in squares])
    full = np.flatnonzero(shares >= min(_LEAST_SHARE, float(shares.max())))
    chosen = np.linspace(0, len(full) - 1, min(_MOST_PARTS, len(full))).round().astype(int)
    return [squares[full[index]] for index in np.unique(chosen)]


def _part(
    signal: _Float32, contrast: _Float32, band: NDArray[np.bool_], um: float
) -> tuple[_Float32, _Float32, _Float32, _Float32, _Float32]:
    """Roughness, fine and coarse detail of the tissue; height of clear lines and what is about them."""
    inside = ndimage.binary_erosion(band, iterations=3)
    one, two, three, four = (_blurred(signal, scale / um) for scale in _SCALES_UM)
    line = inside & (contrast > _CLEAR)
    rough = np.abs(ndimage.laplace(signal))
    return rough[inside], (one - two)[inside], (three - four)[inside], (one - four)[line], four[line]


def _passed(um: float) -> float:
    """Share of the variance of white noise that the fine detail lets through."""
    impulse = np.zeros((33, 33), np.float32)
    impulse[16, 16] = 1.0
    one, two = (_blurred(impulse, scale / um) for scale in _SCALES_UM[:2])
    return float(((one - two) ** 2).sum())


def _blurred(image: _Float32, sigma: float) -> _Float32:
    return np.asarray(ndimage.gaussian_filter(image, sigma, truncate=3.0), np.float32)
