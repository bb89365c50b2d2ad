"""The dark ground of fluorescence: the light of the glass, and how much it varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["Ground", "find_ground"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_SHARES = 1 / 12, 1 / 24, 1 / 48  # of the values are ground; tissue may fill nearly all of an image
_AS_DENSE = 2.5  # the window of the ground is at most so many times as wide as the narrowest
_EVEN_UM, _FAR_BELOW = 30.0, 5.0  # glass is dark for so far; so many times its spread below is far
_RISES, _SOME_TISSUE = 6.0, 0.25  # where less rises so many times the noise above it, the ground is tissue
_CLEARLY = 5.0  # times the noise above the ground: tissue
_SMOOTH, _SMOOTHER = 1.5, 4.0  # pixels
_GRAIN_LEFT = 0.22  # of the grain of noise less is left between the one and the other
_BLURRED = 2  # pixels beside a margin that it changes when the light is smoothed
_NO_NOISE = 1e-6


@dataclass(frozen=True, eq=False)
class Ground:
    """The dark ground of one channel.

    Parameters
    ----------
    level, noise : float
        Its light, smoothed, and the standard deviation of that, in sample values.
    tissue : float
        Median of what clearly rises above it; its own level where nothing does.
    """

    level: float
    noise: float
    tissue: float


def find_ground(light: _Float32, margin: _Mask, px_um: float, rounding: float) -> Ground:
    """Find the ground, which is the darkest of the levels that much of the image has.

    It is none where other places are even, and far darker: there is little glass then, and they are it. Where
    there is no glass but a black margin, that is the ground.

    Parameters
    ----------
    light : (H, W) ndarray of float32
        Sample values at low resolution.
    margin : (H, W) ndarray of bool
        From `find_margin`.
    px_um : float
        Pixel edge in micrometers.
    rounding : float
        Standard deviation of what is rounded to whole numbers: a ground of one value has no noise but that;
        where it has more, means are finer.

    Returns
    -------
    Ground
    """
    smooth = ndimage.gaussian_filter(light, _SMOOTH)
    beside = ~ndimage.binary_dilation(margin, iterations=_BLURRED)
    darkest, spread, structure = _darkest(light, np.where(beside, smooth, np.inf), px_um)
    black = margin.any() and np.median(light[margin]) < darkest
    if black and structure >= _GRAIN_LEFT:  # tissue alone is nowhere as even as noise
        return find_ground(light, np.zeros_like(margin), px_um, rounding)
    spread = max(spread, rounding, _NO_NOISE)
    step = max(1, int(np.sqrt(light.size / 200_000)))
    values = np.sort(smooth[::step, ::step][beside[::step, ::step]])

    def may_be_it(level: float, noise: float) -> bool:
        """Whether tissue rises above this level, and nothing even lies far below."""
        rising = float(np.mean(values > level + _RISES * noise))
        return rising > _SOME_TISSUE and level - darkest < _FAR_BELOW * spread

    candidates = [*(_densest(values, share, rounding) for share in _SHARES), (darkest, spread)]
    nothing_else = candidates[0]  # there is nothing but ground
    level, noise = next((one for one in candidates if may_be_it(*one)), nothing_else)
    tissue = values[values > level + _CLEARLY * noise]
    return Ground(level, noise, float(np.median(tissue)) if tissue.size else level)


def _densest(values: _Float32, share: float, rounding: float) -> tuple[float, float]:
    """Level and noise of the darkest of the dense parts of the lower half of the sorted (N,) values.

    It takes at least such a share of them; where there is little ground, tissue of one level is denser.
    """
    half = values[: max(8, int(0.6 * values.size))]
    width = max(2, int(share * values.size))
    spans = half[width:] - half[:-width]
    start = 0
    if spans.size:
        first = int(np.argmax(spans <= _AS_DENSE * spans.min()))
        start = first + int(np.argmin(spans[first : first + width]))
    level = float(np.median(half[start : start + width]))
    below = values[values <= level]
    noise = float(np.median(level - below)) / 0.6745 if below.size else 0.0
    return level, max(noise if noise > _NO_NOISE else rounding, _NO_NOISE)


def _darkest(light: _Float32, smooth: NDArray[np.floating], px_um: float) -> tuple[float, float, float]:
    """Level, spread and structure of the darkest places about which it is dark, too: glass, however little.

    Gaps in the collagen are as dark now and then, but narrow. Where there is one value only, nothing was
    photographed, or it is all black: it says nothing of the glass elsewhere. The spread is that of the smooth
    light; structure is what is coarser than the grain, but no shading, in units of the grain; without any
    grain it is infinite. Where `smooth` is infinite it is not known.
    """
    smaller, window = smooth[::2, ::2], max(2, round(_EVEN_UM / (2 * px_um)))
    around = ndimage.maximum_filter(smaller, window)
    photographed = np.isfinite(around) & (around > ndimage.minimum_filter(smaller, window))
    if not photographed.any():
        return float(smaller.min()), 0.0, 0.0
    there = photographed & (around <= np.quantile(around[photographed], _SHARES[-1]))
    level, spread = _level_and_spread(smaller[there])
    _, grain = _level_and_spread(light[::2, ::2][there] - smaller[there])
    _, coarser = _level_and_spread(
        smaller[there] - ndimage.gaussian_filter(light, _SMOOTHER)[::2, ::2][there]
    )
    return level, spread, coarser / grain if grain > _NO_NOISE else np.inf


def _level_and_spread(values: NDArray[np.floating]) -> tuple[float, float]:
    """Median, and standard deviation by the median of what differs from it."""
    level = float(np.median(values))
    return level, float(np.median(np.abs(values - level))) / 0.6745
