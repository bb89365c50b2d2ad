"""From many measured sections to figures with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.measure import Measured
from benchmarks.scoring import Pooled, pool
from ienfd.statistics import bland_altman, icc_2_1

__all__ = ["Agreement", "Figures", "agreement", "figures_of", "grouped", "icc_2_1"]

_RESAMPLES = 2000
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Agreement:
    """How well given densities agree with the true ones, over the sections that have one.

    `bias_per_mm` is the mean of given minus true, `sd_per_mm` the standard deviation of these differences,
    and `icc` the intraclass correlation of absolute agreement, single measures (ICC(2,1)).
    """

    sections: int
    icc: float
    bias_per_mm: float
    sd_per_mm: float


@dataclass(frozen=True)
class Figures:
    """A group of sections: sums, medians, and the interval of F1 over resampled sections."""

    pooled: Pooled
    f1_low: float
    f1_high: float
    agreement: Agreement


def agreement(measured: Sequence[Measured]) -> Agreement:
    """Agreement of densities; sections without one are left out."""
    pairs = np.array(
        [(m.truth.density_per_mm, m.density_per_mm) for m in measured if np.isfinite(m.density_per_mm)]
    ).reshape(-1, 2)
    differences = bland_altman(pairs[:, 1], pairs[:, 0])
    return Agreement(differences.n, icc_2_1(pairs), differences.bias, differences.sd)


def figures_of(measured: Sequence[Measured]) -> Figures:
    """Figures of a group."""
    low, high = _f1_interval(measured)
    return Figures(pool([m.score for m in measured]), low, high, agreement(measured))


def _f1_interval(measured: Sequence[Measured]) -> tuple[float, float]:
    """Percentile bootstrap over sections: crossings of one section are not independent of each other.

    NaN for a single section, whose resamples are all the same.
    """
    if len(measured) < 2:
        return float("nan"), float("nan")
    sums = np.array([(m.score.matched, m.score.spurious, m.score.missed) for m in measured])
    drawn = np.random.default_rng(0).integers(0, len(sums), (_RESAMPLES, len(sums)))
    matched, spurious, missed = sums[drawn].sum(axis=1).T
    total = 2 * matched + spurious + missed
    if not total.any():
        return float("nan"), float("nan")
    low, high = np.percentile(2 * matched[total > 0] / total[total > 0], _INTERVAL)
    return float(low), float(high)


def grouped(measured: Sequence[Measured], key: Callable[[Measured], str]) -> dict[str, Figures]:
    """Figures of every group, by its name in alphabetical order."""
    groups: dict[str, list[Measured]] = {}
    for m in measured:
        groups.setdefault(key(m), []).append(m)
    return {name: figures_of(groups[name]) for name in sorted(groups)}
