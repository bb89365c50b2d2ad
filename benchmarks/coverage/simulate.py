"""Biopsies of known density and known overdispersion, and what their intervals make of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ienfd.protocol import CallRules
from ienfd.statistics import dispersed_interval, overdispersion, poisson_interval

SECTIONS = (3, 6, 10)
DENSITIES_PER_MM = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
OVERDISPERSIONS = (1.0, 1.5, 2.0, 2.5)
BEYOND = 3.5  # shown, and not judged
LEVEL = 0.95

Arrangement = Literal["equal", "short", "uneven", "patchy"]
ARRANGEMENTS: dict[Arrangement, str] = {
    "equal": "sections of 1.75 mm, counts negative binomial",
    "short": "sections of 1 mm, the least that three are called with, counts negative binomial",
    "uneven": "sections of 0.8 to 2.7 mm, counts negative binomial",
    "patchy": "sections of 0.8 to 2.7 mm, each with a density of its own, gamma distributed",
}
_MEAN_MM, _SHORT_MM, _UNEVEN_MM = 1.75, 1.0, (0.8, 2.7)


@dataclass(frozen=True)
class Cell:
    """One kind of biopsy.

    Parameters
    ----------
    arrangement : str
        How its sections are drawn, a key of `ARRANGEMENTS`.
    sections : int
        How many it has.
    density_per_mm : float
        True density.
    overdispersion : float
        Variance of a section's count by its mean; of a patchy section of 1.75 mm.
    """

    arrangement: Arrangement
    sections: int
    density_per_mm: float
    overdispersion: float


@dataclass(frozen=True)
class Covered:
    """What became of the intervals of a cell.

    Parameters
    ----------
    coverage : float
        Share that holds the true density.
    too_low, too_high : float
        Share that lies below it, and above it.
    width_ratio : float
        Mean width by that of the Poisson interval of the same counts.
    overdispersion : float
        Mean of what they reckon with.
    """

    coverage: float
    too_low: float
    too_high: float
    width_ratio: float
    overdispersion: float


def cells(arrangement: Arrangement, overdispersions: tuple[float, ...]) -> Iterator[Cell]:
    """All kinds of biopsies of one arrangement."""
    for sections, density, dispersion in product(SECTIONS, DENSITIES_PER_MM, overdispersions):
        yield Cell(arrangement, sections, density, dispersion)


def draw(cell: Cell, repeats: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts and lengths in millimeters of (repeats, sections)."""
    shape = repeats, cell.sections
    if cell.arrangement in ("equal", "short"):
        lengths_mm = np.full(shape, _SHORT_MM if cell.arrangement == "short" else _MEAN_MM)
    else:
        lengths_mm = rng.uniform(*_UNEVEN_MM, shape)
    mean = cell.density_per_mm * lengths_mm
    excess = cell.overdispersion - 1
    if excess > 0 and cell.arrangement == "patchy":
        # a gamma of mean 1 times the mean: the variance by the mean grows with the length
        mean = mean * rng.gamma(cell.density_per_mm * _MEAN_MM / excess, size=shape)
        mean = mean * excess / (cell.density_per_mm * _MEAN_MM)
    elif excess > 0:
        # shape in proportion to the mean: the variance by the mean is the same for every length
        mean = rng.gamma(mean / excess) * excess
    return rng.poisson(mean), lengths_mm


def cover(cell: Cell, repeats: int, seed: int, rules: CallRules) -> Covered:
    """Draw biopsies of a cell and compare their intervals with the density they were drawn from."""
    rng = np.random.default_rng(seed)
    low, high, poisson, reckoned = np.empty((4, repeats))
    for row, (counts, lengths_mm) in enumerate(zip(*draw(cell, repeats, rng), strict=True)):
        total, length_mm = int(counts.sum()), float(lengths_mm.sum())
        reckoned[row] = overdispersion(
            counts.tolist(), lengths_mm.tolist(), rules.overdispersion, rules.overdispersion_weight
        )
        low[row], high[row] = dispersed_interval(total, length_mm, float(reckoned[row]), LEVEL)
        poisson[row] = np.diff(poisson_interval(total, length_mm, LEVEL))[0]
    too_low, too_high = high < cell.density_per_mm, low > cell.density_per_mm
    return Covered(
        coverage=float(1 - np.mean(too_low | too_high)),
        too_low=float(np.mean(too_low)),
        too_high=float(np.mean(too_high)),
        width_ratio=float((high - low).mean() / poisson.mean()),
        overdispersion=float(reckoned.mean()),
    )
