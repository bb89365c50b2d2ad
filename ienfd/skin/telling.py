"""What tells two tissues apart: linear discriminants from the section itself, and where along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.result import FloatArray
from ienfd.skin.strip import COARSE_STEP_UM

__all__ = ["TissueModel", "border_between", "halfway_between", "telling", "tissue_model"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_LOCAL_UM = 200.0
_MOST_OF_IT = (0.16, 0.84)  # two standard deviations
_LEAST_SHARE, _HALFWAY = 0.15, 0.5  # of the way to the lower tissue
_ENOUGH = 3000  # samples
_SUFFICES = 1.8  # standard deviations
_WORTH = 1.25  # textures are asked when they part the tissues this many times better than the levels do


def telling(values: _Float32, upper: _Mask, lower: _Mask, *, sharp: bool) -> FloatArray:
    """What tells an upper tissue (positive) from a lower one, in standard deviations.

    Levels show an edge where it is; textures, which are means over some area, blur it, and are asked
    only where the levels hardly tell what the textures do.

    Parameters
    ----------
    values : (4 * K + 1, S, D) ndarray of float32
        Features in the order of `Features.along`.
    upper, lower : (S, D) ndarray of bool
        Places taken for the one and the other.
    sharp : bool
        Ask the fine levels, where they suffice, instead of the wide ones.

    Returns
    -------
    (S, D) ndarray of float
    """
    count = (len(values) - 1) // 4
    fine, wide, blunt = values[:count], values[count : 2 * count], values[count:]
    everything, levels = tissue_model(blunt, upper, lower), tissue_model(wide, upper, lower)
    if levels.separation < _SUFFICES or levels.separation * _WORTH < everything.separation:
        return everything.of(blunt)
    if sharp:
        model = tissue_model(fine, upper, lower)
        if model.separation > _SUFFICES:
            return model.of(fine)
    return levels.of(wide)


def border_between(values: FloatArray, upper: _Mask, lower: _Mask) -> FloatArray:
    """(S,) value near each position that parts two tissues: halfway, or nearer to an even upper one.

    Epidermis is a sheet and dermis a felt of bundles with gaps: what is a little off an even epidermis
    belongs to the dermis. Then the border lies as many spreads of the one from the one as of the other from
    the other.
    """
    over, under = _local_mean(values, upper), _local_mean(values, lower)
    varies, felt_varies = (
        float(np.subtract(*np.quantile((values - mean[:, None])[which], _MOST_OF_IT[::-1])))
        for mean, which in ((over, upper), (under, lower))
    )
    share = np.clip(varies / max(varies + felt_varies, 1e-9), _LEAST_SHARE, _HALFWAY)
    return np.asarray(over + share * (under - over), float)


def halfway_between(values: FloatArray, upper: _Mask, lower: _Mask) -> FloatArray:
    """(S,) value in the middle between two tissues near each position."""
    over, under = _local_mean(values, upper), _local_mean(values, lower)
    return np.asarray(over + _HALFWAY * (under - over), float)


def _local_mean(values: FloatArray, which: _Mask) -> FloatArray:
    """(S,) mean over the chosen places near each position, drawn to the overall mean where few."""
    sigma = _LOCAL_UM / COARSE_STEP_UM
    total = ndimage.gaussian_filter1d(np.where(which, values, 0).sum(1), sigma, mode="nearest")
    weight = ndimage.gaussian_filter1d(which.sum(1).astype(float), sigma, mode="nearest")
    overall = float(values[which].mean())
    prior = 0.3 * float(weight.max())
    return np.asarray((total + prior * overall) / (weight + prior), float)


@dataclass(frozen=True, eq=False)
class TissueModel:
    """Two-class linear discriminant between epidermis and dermis (Fisher).

    Parameters
    ----------
    direction : (K,) ndarray
        Weights of the features.
    separation : float
        Distance of the two means along it, in standard deviations (d').
    """

    direction: FloatArray
    separation: float

    def of(self, values: _Float32) -> FloatArray:
        """(S, D) projection of (K, S, D) features."""
        return np.asarray(np.tensordot(self.direction, values, 1), float)


def tissue_model(values: _Float32, upper: _Mask, lower: _Mask) -> TissueModel:
    """Fit a discriminant to (K, S, D) features at the places taken for the one and the other."""
    return _fit_model(_samples(values, upper), _samples(values, lower))


def _samples(values: _Float32, where: _Mask) -> _Float32:
    """(N, K) features of chosen places, evenly thinned out: neighbors are much alike."""
    places = np.flatnonzero(where)
    places = places[:: max(1, len(places) // _ENOUGH)]
    return values.reshape(len(values), -1)[:, places].T


def _fit_model(upper: _Float32, lower: _Float32, shrinkage: float = 0.1) -> TissueModel:
    """Fit the discriminant from samples of both sides.

    Parameters
    ----------
    upper, lower : (N, K), (M, K) ndarray
        Features of places taken for epidermis and for dermis.
    shrinkage : float
        Weight of the diagonal in the pooled covariance, against few samples.
    """
    above, above_varies = _middle_and_covariance(upper)
    below, below_varies = _middle_and_covariance(lower)
    difference = above.astype(float) - below
    pooled = 0.5 * (above_varies + below_varies)
    pooled = (1 - shrinkage) * pooled + shrinkage * np.diag(np.diag(pooled)) + 1e-9 * np.eye(len(pooled))
    direction = np.linalg.solve(pooled, difference)
    variance = float(direction @ pooled @ direction)
    if variance <= 0:
        return TissueModel(np.zeros(len(pooled)), 0.0)
    spread = float(np.sqrt(variance))
    return TissueModel(np.asarray(direction / spread, float), float(direction @ difference) / spread)


def _middle_and_covariance(samples: _Float32) -> tuple[_Float32, FloatArray]:
    """Median, and covariance of the inner 96 % of the samples: vessels and dirt do not widen it."""
    low, middle, high = np.quantile(samples, [0.02, 0.5, 0.98], axis=0)
    clipped = np.clip(samples, low, high).astype(float)
    return middle, np.atleast_2d(np.cov(clipped, rowvar=False))
