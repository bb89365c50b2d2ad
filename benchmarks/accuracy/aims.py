"""What is aimed at, beside what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.figures import calibration, figures_of
from benchmarks.accuracy.measure import Measured
from benchmarks.scoring import pool
from ienfd.statistics import BlandAltman, bland_altman, calibration_error

__all__ = ["Aim", "aims_of", "biopsy_differences"]

_FEWEST = 3  # pairs without which limits of agreement say nothing
_ORDINARY_MM = (1.0, 1.4)  # of epidermis: limits of agreement depend on it, and are asked of about 1.2 mm


@dataclass(frozen=True)
class Aim:
    """A figure with the bound it should keep.

    Parameters
    ----------
    name : str
    bound : float
        The least that is aimed at, or the most.
    at_least : bool
        Which of the two.
    measured : float
        NaN where these sections do not tell.
    """

    name: str
    bound: float
    at_least: bool
    measured: float

    @property
    def reached(self) -> bool | None:
        """Whether the bound is kept; None where nothing was measured."""
        if math.isnan(self.measured):
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


def aims_of(measured: Sequence[Measured]) -> list[Aim]:
    """Every aim but those of single levels and of sections with nothing to count."""
    every = figures_of(measured)
    density, pooled = every.agreement, every.pooled
    short, long = _ORDINARY_MM
    ordinary = [m for m in measured if short <= m.truth.surface_mm <= long]
    each, biopsies = biopsy_differences(ordinary, least_mm=0.0), biopsy_differences(measured)
    lengths = np.abs([m.score.junction_length_error for m in measured if m.score.status == "ok"])
    return [
        Aim("F1", 0.95, True, pooled.f1),
        *(
            Aim(f"F1, {stain}", 0.94, True, _f1(measured, stain))
            for stain in ("bright-field", "fluorescence")
        ),
        Aim("precision", 0.93, True, pooled.precision),
        Aim("recall", 0.93, True, pooled.recall),
        Aim("share of sections refused", 0.02, False, pooled.refused / len(measured)),
        Aim("ICC(2,1) of the density", 0.97, True, density.icc),
        Aim("bias of the density, either way (/mm)", 0.15, False, abs(density.bias_per_mm)),
        Aim(
            f"limit of agreement of a section of {short} to {long} mm, the farther (/mm)",
            1.4,
            False,
            _farther(each),
        ),
        Aim("limit of agreement of 8 mm, the farther (/mm)", 0.8, False, _farther(biopsies)),
        Aim("error of the junction's length, median", 0.02, False, pooled.junction_length_error),
        Aim("error of the junction's length, worst", 0.06, False, _largest(lengths)),
        Aim("error of the surface's length, median", 0.02, False, pooled.surface_length_error),
        Aim("distance of the junction (um)", 2.0, False, pooled.junction_distance_um),
        Aim("calibration error of the confidence", 0.05, False, calibration_error(calibration(measured))),
    ]


def biopsy_differences(measured: Sequence[Measured], *, least_mm: float = 8.0) -> BlandAltman:
    """Given and true density of sections taken together, in their order, until they have so much epidermis.

    What is left over at the end is no biopsy; sections without a density belong to none.
    """
    given, true = [], []
    counted = there = 0
    evaluable_mm = surface_mm = 0.0
    for m in measured:
        if not np.isfinite(m.density_per_mm):
            continue
        counted, there = counted + m.score.counted_crossings, there + m.score.true_crossings
        evaluable_mm, surface_mm = evaluable_mm + m.evaluable_mm, surface_mm + m.truth.surface_mm
        if evaluable_mm >= least_mm:
            given.append(counted / evaluable_mm)
            true.append(there / surface_mm)
            counted, there, evaluable_mm, surface_mm = 0, 0, 0.0, 0.0
    return bland_altman(np.array(given), np.array(true))


def _farther(differences: BlandAltman) -> float:
    """The limit of agreement that lies farther from zero."""
    return max(abs(differences.low), abs(differences.high)) if differences.n >= _FEWEST else math.nan


def _f1(measured: Sequence[Measured], stain: str) -> float:
    mine = [m for m in measured if m.section.stain == stain]
    return pool([m.score for m in mine]).f1 if mine else math.nan


def _largest(errors: NDArray[np.float64]) -> float:
    known = errors[np.isfinite(errors)]
    return float(known.max()) if known.size else math.nan
