"""How well a section was analyzed: crossings, junction, lengths, against exact truth.

Pure functions on arrays; coordinates are (row, col) in pixels unless a name says micrometers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ienfd.statistics import f1, match_places

__all__ = [
    "MATCH_LIMIT_UM",
    "Pooled",
    "SectionScore",
    "curve_distance_um",
    "match",
    "pool",
    "refused_score",
    "relative_error",
    "score_section",
]

FloatArray = NDArray[np.float64]

MATCH_LIMIT_UM = 10.0


@dataclass(frozen=True)
class SectionScore:
    """One section against its truth.

    Parameters
    ----------
    name, stain, status : str
        Which section, and how its row ended.
    matched, spurious, missed : int
        Counted crossings with a true one within the limit, those without, and true ones without.
    junction_length_error, surface_length_error : float
        (found - true) / true; NaN where there is no found length.
    junction_distance_um : float
        Mean of the two mean distances between found and true junction; NaN where there is none.
    """

    name: str
    stain: str
    status: str
    matched: int
    spurious: int
    missed: int
    junction_length_error: float = np.nan
    surface_length_error: float = np.nan
    junction_distance_um: float = np.nan

    @property
    def true_crossings(self) -> int:
        return self.matched + self.missed

    @property
    def counted_crossings(self) -> int:
        return self.matched + self.spurious


@dataclass(frozen=True)
class Pooled:
    """Many sections together: sums of crossings, medians of lengths and distances."""

    sections: int
    refused: int
    failed: int
    matched: int
    spurious: int
    missed: int
    junction_length_error: float
    surface_length_error: float
    junction_distance_um: float

    @property
    def precision(self) -> float:
        counted = self.matched + self.spurious
        return self.matched / counted if counted else np.nan

    @property
    def recall(self) -> float:
        true = self.matched + self.missed
        return self.matched / true if true else np.nan

    @property
    def f1(self) -> float:
        return f1(self.matched, self.spurious, self.missed)


def match(
    true_px: FloatArray, counted_px: FloatArray, pixel_size_um: float, limit_um: float = MATCH_LIMIT_UM
) -> list[tuple[int, int]]:
    """Pairs (true, counted) of a one-to-one assignment within the limit.

    As many pairs as possible, and among those the closest in sum.

    Parameters
    ----------
    true_px, counted_px : (N, 2), (M, 2) ndarray of float
        Row and column in pixels.
    pixel_size_um : float
        Edge of a pixel in micrometers.
    limit_um : float
        Largest distance of a pair, inclusive.
    """
    true_um = np.asarray(true_px, dtype=np.float64) * pixel_size_um
    counted_um = np.asarray(counted_px, dtype=np.float64) * pixel_size_um
    return list(match_places(true_um, counted_um, limit_um).pairs)


def _every_um(curves: Iterable[FloatArray], pixel_size_um: float) -> FloatArray:
    """All curves as points one micrometer apart, in micrometers."""
    out = []
    for curve in curves:
        points = np.asarray(curve, dtype=np.float64) * pixel_size_um
        arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        at = np.arange(0.0, arc[-1] + 1e-9, 1.0)
        out.append(np.stack([np.interp(at, arc, column) for column in points.T], axis=1))
    return np.concatenate(out) if out else np.empty((0, 2))


def curve_distance_um(
    true_px: Sequence[FloatArray], found_px: Sequence[FloatArray], pixel_size_um: float
) -> float:
    """Mean symmetric distance of two sets of curves, resampled every micrometer; NaN if one is empty."""
    true, found = _every_um(true_px, pixel_size_um), _every_um(found_px, pixel_size_um)
    if len(true) == 0 or len(found) == 0:
        return float("nan")
    there, _ = cKDTree(found).query(true)
    back, _ = cKDTree(true).query(found)
    return float((np.mean(there) + np.mean(back)) / 2)


def relative_error(found: float | None, true: float) -> float:
    """(found - true) / true, NaN when nothing was found."""
    return float("nan") if found is None else (found - true) / true


def score_section(
    name: str,
    stain: str,
    true_crossings_px: FloatArray,
    counted_px: FloatArray,
    pixel_size_um: float,
    *,
    junctions_px: tuple[Sequence[FloatArray], Sequence[FloatArray]] = ((), ()),
    junction_mm: tuple[float, float | None] = (np.nan, None),
    surface_mm: tuple[float, float | None] = (np.nan, None),
) -> SectionScore:
    """Score of a section that was analyzed; pairs of curves and lengths are (true, found)."""
    pairs = match(true_crossings_px, counted_px, pixel_size_um)
    return SectionScore(
        name,
        stain,
        "ok",
        matched=len(pairs),
        spurious=len(counted_px) - len(pairs),
        missed=len(true_crossings_px) - len(pairs),
        junction_length_error=relative_error(junction_mm[1], junction_mm[0]),
        surface_length_error=relative_error(surface_mm[1], surface_mm[0]),
        junction_distance_um=curve_distance_um(*junctions_px, pixel_size_um),
    )


def refused_score(name: str, stain: str, status: str, true_crossings: int) -> SectionScore:
    """Score of a section without a density: all its crossings are missed."""
    return SectionScore(name, stain, status, 0, 0, true_crossings)


def _median(values: Iterable[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")


def pool(scores: Sequence[SectionScore]) -> Pooled:
    """Sum of crossings; medians of absolute errors and distances over the sections that have them."""
    return Pooled(
        sections=len(scores),
        refused=sum(score.status == "refused" for score in scores),
        failed=sum(score.status == "failed" for score in scores),
        matched=sum(score.matched for score in scores),
        spurious=sum(score.spurious for score in scores),
        missed=sum(score.missed for score in scores),
        junction_length_error=_median(abs(score.junction_length_error) for score in scores),
        surface_length_error=_median(abs(score.surface_length_error) for score in scores),
        junction_distance_um=_median(score.junction_distance_um for score in scores),
    )
