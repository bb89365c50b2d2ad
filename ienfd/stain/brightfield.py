"""Bright-field: the light of the glass, optical density, and the direction of the nerve chromogen.

Optical density is linear in the amount of dye (Beer-Lambert), so the colors of dyes add up as
vectors (Ruifrok and Johnston 2001). The vector of the nerve chromogen is estimated from the
thinnest dark structures of the image itself, with the published vector of DAB as a prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.grid import mean_of_colors

__all__ = ["WhiteField", "fit_white_field", "optical_density"]

_Float32 = NDArray[np.float32]

_STRUCTURE_UM = (1.5, 6.0)
_POOL_UM = 10.0
_GLASS_TEXTURE, _FLATTEST = 2.5, 1.6  # times the texture of the flattest places
_SHADE, _DEEP_SHADE = 0.12, 0.4  # optical density below the brightest glass


@dataclass(frozen=True, eq=False)
class WhiteField:
    """Logarithm of the light through glass, a quadratic surface for every color.

    Parameters
    ----------
    coefficients : (6, C) ndarray of float
        Of 1, y, x, y^2, xy, x^2 with x and y running from -1 to 1 over the image.
    noise : (C,) ndarray of float
        Standard deviation of the optical density of glass at the resolution of the fit.
    """

    coefficients: NDArray[np.float64]
    noise: NDArray[np.float64]

    def at(self, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> _Float32:
        """(len(rows), len(cols), C) logarithm of the light at normalized positions."""
        one, y, x, yy, xy, xx = self.coefficients
        constant = one + np.outer(cols, x) + np.outer(cols**2, xx)
        linear = y + np.outer(cols, xy)
        by_power = np.stack([constant, linear, np.broadcast_to(yy, constant.shape)])
        powers = np.column_stack([np.ones_like(rows), rows, rows**2])
        field = powers @ by_power.reshape(3, -1)  # a product of matrices: this is asked for every tile
        return np.asarray(field.reshape(len(rows), *constant.shape), np.float32)


def positions(start: float, stop: float, count: int, size: int) -> NDArray[np.float64]:
    """Normalized positions (-1 to 1 over `size` pixels) of `count` samples from `start` to `stop`."""
    step = (stop - start) / count
    return (start + (np.arange(count) + 0.5) * step) / size * 2 - 1


def fit_white_field(log_light: _Float32, px_um: float, *, iterations: int = 10) -> WhiteField:
    """Fit a quadratic surface to the light of the glass.

    Glass is flat and bright: the fit begins with the least textured of the bright places and then
    takes in whatever agrees with it. Of three such fits, two of which begin with the flattest places of
    all, one of them deep in the shade, too, it is the one that leaves fewest of those unexplained.
    Curvature is held back unless the glass shows it: a strip of glass along one edge says nothing about
    the other end of the image.

    Parameters
    ----------
    log_light : (H, W, C) ndarray of float32
        Logarithm of the intensities at low resolution.
    px_um : float
        Its pixel edge in micrometers.

    Returns
    -------
    WhiteField
    """
    rows, cols, colors = log_light.shape
    step = max(1, int(np.sqrt(rows * cols / 60_000)))
    total = mean_of_colors(log_light)
    # structures of the size of fibers and cells: finer than that, noise is as strong on glass
    fine, coarse = (ndimage.gaussian_filter(total, size / px_um) for size in _STRUCTURE_UM)
    texture = ndimage.gaussian_filter(np.abs(fine - coarse), _POOL_UM / px_um)[::step, ::step].ravel()
    sample = ndimage.gaussian_filter(log_light, (1.5, 1.5, 0))[::step, ::step].astype(np.float64)
    y = positions(0, rows, rows, rows)[::step, None] + 0 * sample[..., 0]
    x = positions(0, cols, cols, cols)[None, ::step] + 0 * sample[..., 0]
    design = np.stack([np.ones_like(x), y, x, y * y, x * y, x * x], -1).reshape(-1, 6)
    values = sample.reshape(-1, colors)
    even = np.quantile(texture, 0.02)
    # a pale dermis may be brighter than glass in the shade, but it is not as flat
    glassy, flattest = (texture <= times * even for times in (_GLASS_TEXTURE, _FLATTEST))
    smooth = texture <= np.quantile(texture, 0.25)
    fits = [
        _fitted(design, values, texture, flat & smooth, glassy, darkest, iterations)
        for flat, darkest in ((glassy, _SHADE), (flattest, _SHADE), (flattest, _DEEP_SHADE))
    ]
    return max(fits, key=lambda fit: float(fit[1][flattest].mean()))[0]


def _fitted(
    design: NDArray[np.float64],
    values: NDArray[np.float64],
    texture: NDArray[np.float64],
    start: NDArray[np.bool_],
    glassy: NDArray[np.bool_],
    shade: float,
    iterations: int,
) -> tuple[WhiteField, NDArray[np.bool_]]:
    """The surface through the bright ones of some places and what agrees with it; and what does."""
    light, colors = values.mean(1), values.shape[1]
    penalty = np.diag([0.0, 1, 1, 3, 3, 3]) * 2e-3
    coefficients, spread = np.zeros((6, colors)), np.full(colors, 0.02)
    agrees = chosen = start & (light > np.quantile(light[start], 0.95) - shade)
    for round_ in range(iterations):
        used = design[chosen]
        normal = used.T @ used / len(used) + penalty
        coefficients = np.linalg.solve(normal, used.T @ values[chosen] / len(used))
        residual = values - design @ coefficients
        spread = 1.4826 * np.median(np.abs(residual[chosen]), axis=0)
        spread = np.clip(spread, 1e-3, 0.015)
        score = residual / spread
        agrees = (score > -3).all(1) & (score < 6).all(1)
        # textured places are taken in only once the surface is settled
        grown = (
            agrees & glassy
            if round_ >= 3
            else agrees & glassy & (texture <= np.quantile(texture, 0.25 + 0.1 * round_))
        )
        if grown.sum() < 100:
            break
        chosen = grown
    return WhiteField(coefficients, np.asarray(spread, float)), agrees


def optical_density(light: _Float32, white: _Float32, floor: float) -> _Float32:
    """Optical density (natural logarithm) against the light of the glass.

    Parameters
    ----------
    light : (..., C) ndarray
        Intensities.
    white : (..., C) ndarray
        Logarithm of the light of the glass at the same places.
    floor : float
        Lowest intensity that is told from black, in the units of `light`.

    Returns
    -------
    (..., C) ndarray of float32
    """
    return white - np.log(np.maximum(light, floor))
