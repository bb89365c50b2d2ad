"""The edge itself: what lies just above the junction against what lies just below it.

Epidermis and dermis as wholes may hardly differ where basal cells and papillary dermis do: basal cells
are smaller, denser and often pigmented. So the last step compares only what is next to the junction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.result import FloatArray
from ienfd.skin.partition import boundary, least_variation, single_valued
from ienfd.skin.strip import best_path
from ienfd.skin.telling import TissueModel, tissue_model

__all__ = ["Edge", "mean_along", "plainness", "sharpen"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_BLURRED_UM, _NEAR_UM = 2.0, 10.0  # what counts as just above or below
_FEW = 100
_FARTHEST_UM, _SHIFT_UM = 24.0, 2.0
_BASAL_UM = 26.0  # a row of basal cells, or pigment of two, is no thicker
_AS_CLEAR = 0.6  # as its upper edge
# Standard deviations of the way from the junction of the wholes to the edge: a dense row of basal cells
# has two edges, and the lower one is the junction.
_PLAUSIBLE_UP_UM, _PLAUSIBLE_DOWN_UM = 18.0, 30.0
_ROUNDS = 3
_WINDOW_UM = 6.0
_STEEPEST = 4.0
_HELD_UM = 15.0
_FREE_UM = 8.0  # folds of the edge are no deeper
_LOCAL_UM = 40.0
_NOT_WORSE = 0.8
_TELLING = 0.5  # of what lies between both sides of an edge


@dataclass(frozen=True, eq=False)
class Edge:
    """An edge in a strip.

    Parameters
    ----------
    curve : (N, 2) ndarray of float
        Strip coordinates.
    parted : float
        How well what is just above and just below it are told apart, in standard deviations (d').
    change : (S,) ndarray of float
        How far the one lies from the other near every position along the strip, in the same unit.
    """

    curve: FloatArray
    parted: float
    change: FloatArray


def sharpen(
    levels: _Float32, inside: _Mask, curve: FloatArray, step_um: float, *, dense: bool = False
) -> Edge:
    """Bring a curve to the edge near it.

    First the whole curve is shifted to where both of its sides differ most; then it follows the
    steepest change, and the model of both sides is learned anew along it.

    Parameters
    ----------
    levels : (K, S, D) ndarray of float32
        Fine levels in a strip.
    inside : (S, D) ndarray of bool
        Where there is viable tissue.
    curve : (N, 2) ndarray of float
        Strip coordinates.
    step_um : float
        Distance of samples in the strip.
    dense : bool
        Whether the levels are optical densities, in which basal cells stand out.

    Returns
    -------
    Edge
        The curve as it was where no better edge is found.
    """
    strip = _Sides(levels, inside, step_um)
    given = single_valued(curve, len(inside))
    before = strip.model(given)
    if before is None:
        return Edge(curve, 0.0, np.zeros(len(inside)))
    at = given + strip.best_shift(given, dense=dense)
    for _ in range(_ROUNDS):
        model = strip.model(at)
        if model is None:
            return strip.edge(curve, before)
        at = strip.steepest(model.of(levels), at)
    model = strip.model(at)
    if model is None or model.separation < _NOT_WORSE * before.separation:
        return strip.edge(curve, before)
    return strip.edge(strip.folded(model.of(levels), at), model)


def _plausible_um(shift_um: float) -> float:
    return _PLAUSIBLE_DOWN_UM if shift_um > 0 else _PLAUSIBLE_UP_UM


class _Sides:
    """A strip, and what lies just above and just below curves through it."""

    def __init__(self, levels: _Float32, inside: _Mask, step_um: float) -> None:
        self.levels, self.inside, self.step_um = levels, inside, step_um
        self._across = np.arange(inside.shape[1])[None, :]

    def _signed_um(self, at: FloatArray) -> FloatArray:
        return (self._across - at[:, None]) * self.step_um

    def beside(self, at: FloatArray) -> tuple[_Mask, _Mask]:
        """What lies just above and just below a curve, without the blur of the edge."""
        signed = self._signed_um(at)
        near = self.inside & (np.abs(signed) >= _BLURRED_UM) & (np.abs(signed) <= _NEAR_UM)
        return near & (signed < 0), near & (signed > 0)

    def model(self, at: FloatArray) -> TissueModel | None:
        """What tells both sides of a curve apart; None where there is too little of one."""
        above, below = self.beside(at)
        if min(above.sum(), below.sum()) < _FEW:
            return None
        return tissue_model(self.levels, above, below)

    def edge(self, curve: FloatArray, model: TissueModel) -> Edge:
        """How clear an edge is along a curve, under a model of its sides."""
        projected = model.of(self.levels)
        sides = self.beside(single_valued(curve, len(self.inside)))
        above, below = (mean_along(projected, side, self.step_um) for side in sides)
        return Edge(curve, model.separation, above - below)

    def best_shift(self, at: FloatArray, *, dense: bool) -> float:
        """By how many samples a curve is shifted as a whole to where its sides differ most.

        Where that is the upper edge of a dark band (`dense`: the levels are densities), the band is
        basal cells, dense with nuclei and pigment, and the junction is its lower edge.
        """
        near = self._parted(at, -_FARTHEST_UM, _FARTHEST_UM)
        if not near:
            return 0.0
        best = max(near, key=lambda um: near[um] - 0.5 * (um / _plausible_um(um)) ** 2)
        if dense and self._drop(at + best / self.step_um) < 0:
            below = self._parted(at, best + _SHIFT_UM, best + _BASAL_UM)
            below = {um: parted for um, parted in below.items() if self._drop(at + um / self.step_um) > 0}
            lower = max(below, key=lambda um: below[um], default=best)
            if lower > best and below[lower] >= _AS_CLEAR * near[best]:
                best = lower
        return best / self.step_um

    def _parted(self, at: FloatArray, first_um: float, last_um: float) -> dict[float, float]:
        """How well both sides of a curve are told apart where it is shifted by so many micrometers."""
        shifts_um = np.arange(first_um, last_um + _SHIFT_UM / 2, _SHIFT_UM).tolist()
        models = {um: self.model(at + um / self.step_um) for um in shifts_um}
        return {um: model.separation for um, model in models.items() if model is not None}

    def _drop(self, at: FloatArray) -> float:
        """How much higher the levels are just above a curve than just below it."""
        above, below = self.beside(at)
        return float(self.levels[:, above].mean() - self.levels[:, below].mean())

    def steepest(self, projected: FloatArray, at: FloatArray) -> FloatArray:
        """The curve along the steepest change from above to below, held near where it was."""
        window = max(1, round(_WINDOW_UM / self.step_um))
        count, size = self.inside.shape
        zero = np.zeros((count, 1))
        total = np.concatenate([zero, np.cumsum(np.where(self.inside, projected, 0), axis=1)], axis=1)
        known = np.concatenate([zero, np.cumsum(self.inside, axis=1)], axis=1)
        place = np.arange(size)
        first, last = np.maximum(place - window, 0), np.minimum(place + 1 + window, size)

        def mean(start: NDArray[np.intp], stop: NDArray[np.intp]) -> FloatArray:
            there = np.maximum(known[:, stop] - known[:, start], 1)
            return np.asarray((total[:, stop] - total[:, start]) / there, float)

        change = np.clip(mean(first, place) - mean(place + 1, last), -_STEEPEST, _STEEPEST)
        cost = (self._signed_um(at) / _HELD_UM) ** 2 - change
        cost[:, [0, 1, 2, -3, -2, -1]] += 50.0
        return best_path(cost, max_step=3, step_cost=0.6, curve_cost=0.1).astype(float)

    def folded(self, projected: FloatArray, at: FloatArray) -> FloatArray:
        """The boundary near a curve, free to fold back; strip coordinates."""
        above, below = self.beside(at)
        middle = 0.5 * (
            mean_along(projected, above, self.step_um) + mean_along(projected, below, self.step_um)
        )
        signed = self._signed_um(at)
        evidence = np.where(self.inside, np.clip(projected - middle[:, None], -2, 2), -0.3 * np.sign(signed))
        evidence = np.where(np.abs(signed) > _FREE_UM, -np.sign(signed), evidence)
        return boundary(least_variation(evidence, self.step_um))


def plainness(
    levels: _Float32, inside: _Mask, curve: FloatArray, step_um: float, within_um: float
) -> tuple[float, FloatArray]:
    """How plain an edge a curve is as a whole, and what of it is seen near each place.

    Parameters
    ----------
    levels, inside, curve, step_um
        See `sharpen`.
    within_um : float
        How far along the curve is near (standard deviation).

    Returns
    -------
    parted : float
        How far both sides lie apart, in standard deviations (d'): the median along the curve; 0 where there
        is too little of one.
    share : (S,) ndarray of float
        How far they lie apart near each position along the strip, divided by that; 1 where one of them is
        not seen.
    """
    over, under = _Sides(levels, inside, step_um).beside(single_valued(curve, len(inside)))
    known = over.any(axis=1) & under.any(axis=1)
    parted, share = 0.0, np.ones(len(inside))
    for _ in range(2):  # where one tissue lies on both sides, nothing is learned the second time
        telling = (share > _TELLING)[:, None]
        if min((over & telling).sum(), (under & telling).sum()) < _FEW:
            break
        projected = tissue_model(levels, over & telling, under & telling).of(levels)
        above, below = (mean_along(projected, side, step_um, within_um) for side in (over, under))
        parted = float(np.median((above - below)[known]))
        if parted <= 0:
            return 0.0, np.ones(len(inside))
        share = np.where(known, (above - below) / parted, 1.0)
    return parted, share


def mean_along(values: FloatArray, which: _Mask, step_um: float, within_um: float = _LOCAL_UM) -> FloatArray:
    """(S,) mean of (S, D) values over the chosen places near each position along a strip."""
    sigma = within_um / step_um
    total = ndimage.gaussian_filter1d(np.where(which, values, 0).sum(axis=1), sigma, mode="nearest")
    weight = ndimage.gaussian_filter1d(which.sum(axis=1).astype(float), sigma, mode="nearest")
    return np.asarray(total / np.maximum(weight, 1e-3), float)
