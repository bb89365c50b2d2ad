"""From many measured sections to figures with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.measure import Measured
from benchmarks.scoring import Pooled, match, pool
from ienfd.statistics import Bin, bland_altman, icc_2_1
from ienfd.statistics import calibration as calibrated

__all__ = [
    "Agreement",
    "Figures",
    "Point",
    "agreement",
    "calibration",
    "figures_of",
    "grouped",
    "icc_2_1",
    "precision_recall",
]

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
    """A group of sections: sums, medians, and the interval of F1 over resampled sections.

    `without_a_count` is the number of sections in which nothing was counted.
    """

    pooled: Pooled
    without_a_count: int
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
    empty = sum(m.score.counted_crossings == 0 for m in measured)
    return Figures(pool([m.score for m in measured]), empty, low, high, agreement(measured))


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
    """Figures of every group, in the order in which the groups first come."""
    groups: dict[str, list[Measured]] = {}
    for m in measured:
        groups.setdefault(key(m), []).append(m)
    return {name: figures_of(groups[name]) for name in groups}


@dataclass(frozen=True)
class Point:
    """Precision and recall where only candidates of at least this confidence count."""

    least_confidence: float
    precision: float
    recall: float


def calibration(measured: Sequence[Measured]) -> list[Bin]:
    """How often candidates are right, by the confidence given to them; empty bins are left out.

    A candidate is right when it has a true crossing of its own within the limit.
    """
    confidence = np.concatenate([np.empty(0), *(m.confidence for m in measured)])
    right = np.concatenate([np.empty(0, bool), *(_right(m, m.confidence >= 0) for m in measured)])
    return calibrated(confidence, right)


def precision_recall(measured: Sequence[Measured]) -> list[Point]:
    """Precision and recall over the least confidence; crossings of refused sections are missed."""
    true = sum(m.score.true_crossings for m in measured)
    points = []
    for least in np.linspace(0.0, 0.95, 20):
        kept = [m.confidence >= least for m in measured]
        counted = sum(int(mask.sum()) for mask in kept)
        right = sum(int(_right(m, mask).sum()) for m, mask in zip(measured, kept, strict=True))
        if counted and true:
            points.append(Point(float(least), right / counted, right / true))
    return points


def _right(m: Measured, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the kept candidates of a section are matched."""
    pairs = match(m.truth.crossings_px, m.candidates_px[kept], m.truth.pixel_size_um)
    right = np.zeros(int(kept.sum()), bool)
    right[[found for _, found in pairs]] = True
    return right
