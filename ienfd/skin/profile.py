"""Where the mean profile over depth is cut into corneum, epidermis and dermis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray

__all__ = ["CORNEUM_UM", "EPIDERMIS_UM", "Cut", "cut_profile", "usual_cost"]

_Index = NDArray[np.intp]

CORNEUM_UM = (0.0, 45.0)  # range of its thickness
EPIDERMIS_UM = (20.0, 150.0)
_USUAL_CORNEUM_UM, _CORNEUM_SPREAD = 15.0, 0.8  # median, and standard deviation of the logarithm
_USUAL_EPIDERMIS_UM, _EPIDERMIS_SPREAD = 70.0, 0.45
_PRIOR_WEIGHT = 15.0
_INDEPENDENT_UM2 = 900.0  # area of tissue that counts as one independent sample
_FEW = 12
_THINNEST_DERMIS = 6  # samples
_SLOPE_SCALE_UM = 50.0
_STIFFNESS = 3.0  # samples by which a slope is held back
_NO_BETTER = 0.3  # of the variance over depth: unevenness that every layer has


@dataclass(frozen=True)
class Cut:
    """Depths below the outline of surface and junction.

    Parameters
    ----------
    surface_um, junction_um : float
    gain : float
        How much better three layers explain the profile than corneum and one tissue below it do
        (difference of the logarithms of the likelihoods).
    """

    surface_um: float
    junction_um: float
    gain: float


def usual_cost(corneum_um: FloatArray | float | None, epidermis_um: FloatArray | float) -> FloatArray:
    """How unusual thicknesses are: half the squared deviations of their logarithms (corneum: if given)."""
    cost = np.log(np.maximum(epidermis_um, 1.0) / _USUAL_EPIDERMIS_UM) / _EPIDERMIS_SPREAD
    cost = 0.5 * cost**2
    if corneum_um is not None:
        cost = cost + 0.5 * (np.log(np.maximum(corneum_um, 3.0) / _USUAL_CORNEUM_UM) / _CORNEUM_SPREAD) ** 2
    return np.asarray(cost, float)


def cut_profile(values: NDArray[np.float32], inside: NDArray[np.bool_], across_um: FloatArray) -> Cut | None:
    """Cut the mean profile into the three layers that explain it best.

    Layers run along the outline, more or less: the mean over the position along it shows them with
    little noise. All pairs of depths are tried; what remains of the variation within the layers,
    against what neighboring places differ in anyhow, is weighed against usual thicknesses. Within
    epidermis and dermis the profile may change steadily with depth: cells mature, and the papillary
    dermis passes into the reticular one.

    Parameters
    ----------
    values : (4 * K + 1, S, D) ndarray of float32
        Features in the order of `Features.along` at positions along the outline and depths below it.
    inside : (S, D) ndarray of bool
        Where there is tissue.
    across_um : (D,) ndarray of float
        Depths, in even steps; at the first of them there may still be glass in the blur.

    Returns
    -------
    Cut or None
        None where there is too little tissue.
    """
    share = inside.mean(axis=0)
    used = np.flatnonzero(share > 0.5)
    if len(used) < _FEW or len(inside) < _FEW:
        return None
    depth, step = across_um[used], float(across_um[1] - across_um[0])
    profile = _whitened_mean(values[:, :, used], inside[:, used])
    layer = _Layer(profile, depth / _SLOPE_SCALE_UM)
    one, two = np.meshgrid(np.arange(len(used)), np.arange(len(used)), indexing="ij")
    thick = depth[two] - depth[one]
    allowed = (depth[one] <= CORNEUM_UM[1]) & (thick >= EPIDERMIS_UM[0]) & (thick <= EPIDERMIS_UM[1])
    allowed &= two <= len(used) - _THINNEST_DERMIS
    one, two, thick = one[allowed], two[allowed], thick[allowed]
    if not len(one):
        return None
    end = np.full(len(one), len(used))
    scatter = layer.scatter(np.zeros_like(one), one, steady=False)
    scatter = scatter + layer.scatter(one, two, steady=True) + layer.scatter(two, end, steady=True)
    samples = step**2 * len(inside) / _INDEPENDENT_UM2
    cost = 0.5 * samples * scatter + _PRIOR_WEIGHT * usual_cost(depth[one], thick)
    only = np.flatnonzero(depth <= CORNEUM_UM[1])
    without = layer.scatter(np.zeros_like(only), only, steady=False)
    without = without + layer.scatter(only, np.full(len(only), len(used)), steady=True)
    best = int(np.argmin(cost))
    gain = 0.5 * samples * (float(without.min()) - float(scatter[best]))
    surface = _cut_surface(
        values[: (len(values) - 1) // 4, :, used], inside[:, used], depth, int(two[best]), samples
    )
    return Cut(surface, float(depth[two[best]]), gain)


def _cut_surface(
    fine: NDArray[np.float32], inside: NDArray[np.bool_], depth: FloatArray, junction: int, samples: float
) -> float:
    """Depth of the surface above a known junction: a corneum is thin, and only fine levels show its edge."""
    layer = _Layer(_whitened_mean(fine, inside), depth / _SLOPE_SCALE_UM)
    thick = depth[junction] - depth
    one = np.flatnonzero((depth <= CORNEUM_UM[1]) & (thick >= EPIDERMIS_UM[0]))
    scatter = layer.scatter(np.zeros_like(one), one, steady=False)
    scatter = scatter + layer.scatter(one, np.full(len(one), junction), steady=True)
    cost = 0.5 * samples * scatter + _PRIOR_WEIGHT * usual_cost(depth[one], thick[one])
    return float(depth[one[int(np.argmin(cost))]])


def _whitened_mean(values: NDArray[np.float32], inside: NDArray[np.bool_]) -> FloatArray:
    """(K, D) mean over the positions, in units of what the features vary by at one depth."""
    known = np.where(inside, values, 0).astype(np.float64)
    mean = known.sum(axis=1) / np.maximum(inside.sum(axis=0), 1)
    residual = np.where(inside, known - mean[:, None], 0).reshape(len(values), -1)
    covariance = residual @ residual.T / inside.sum()
    covariance += np.diag(np.diag(covariance)) * 0.3 + 1e-9 * np.eye(len(covariance))
    covariance += np.diag(_NO_BETTER * mean.var(axis=1))  # no layer is as even as that
    return np.asarray(np.linalg.solve(np.linalg.cholesky(covariance), mean), float)


class _Layer:
    """Sums of a profile, from which the variation within any range of depths follows at once."""

    def __init__(self, profile: FloatArray, depth: FloatArray) -> None:
        self._y, self._x = _running(profile), _running(depth)
        self._yy, self._xx = _running((profile**2).sum(axis=0)), _running(depth**2)
        self._xy = _running(profile * depth)

    def scatter(self, first: _Index, last: _Index, *, steady: bool) -> FloatArray:
        """Variation within the ranges, about their mean or, if `steady`, about a line."""
        count = np.maximum(last - first, 1)
        y = self._y[:, last] - self._y[:, first]
        rest = self._yy[last] - self._yy[first] - (y**2).sum(axis=0) / count
        if steady:
            x = self._x[last] - self._x[first]
            xx = self._xx[last] - self._xx[first] - x * x / count
            xy = self._xy[:, last] - self._xy[:, first] - x * y / count
            rest = rest - (xy**2).sum(axis=0) / (xx + _STIFFNESS)
        return np.asarray(rest, float)


def _running(values: FloatArray) -> FloatArray:
    """Running sum along the last axis, beginning with 0."""
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
