"""How well two readers agree: on places, on labels, on numbers.

A figure that is not defined, for example because nothing varies, is NaN and never 0 or 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

__all__ = [
    "MIDDLE_95",
    "SAME_UM",
    "BlandAltman",
    "Matching",
    "bland_altman",
    "cohen_kappa",
    "f1",
    "icc_2_1",
    "match_places",
]

MIDDLE_95 = 1.96
"""Standard deviations to either side that hold 95 % of a normal distribution."""

SAME_UM = 10.0
"""Marks of two readers that lie no farther apart may be about one crossing."""

_NAN = float("nan")


@dataclass(frozen=True)
class Matching:
    """Which places of two readers are the same one.

    Parameters
    ----------
    pairs : tuple of (int, int)
        Index of the first reader's place and of the second reader's; by the first.
    only_one, only_two : tuple of int
        Indices of the places that only the first or only the second reader has, in order.
    """

    pairs: tuple[tuple[int, int], ...]
    only_one: tuple[int, ...]
    only_two: tuple[int, ...]


def match_places(one_um: ArrayLike, two_um: ArrayLike, within_um: float) -> Matching:
    """Assign the places of two readers to each other, one to one.

    As many pairs as possible, and among those the closest in sum: taking the nearest first may leave
    places over that had a partner.

    Parameters
    ----------
    one_um, two_um : (N, 2), (M, 2) array_like of float
        Row and column in micrometers; either may be empty.
    within_um : float
        Largest distance of a pair in micrometers, inclusive.

    Raises
    ------
    ValueError
        If the distance is negative or no number.
    """
    if not within_um >= 0:
        raise ValueError(f"a distance is not negative, as {within_um} um is")
    one = np.asarray(one_um, dtype=np.float64).reshape(-1, 2)
    two = np.asarray(two_um, dtype=np.float64).reshape(-1, 2)
    distance = np.hypot(*(one[:, None] - two[None]).transpose(2, 0, 1))
    near = distance <= within_um
    # A pair out of reach costs more than all pairs within it together, so it is taken last; the 1 keeps
    # that true where only the very same place is within reach.
    beyond = within_um * (min(distance.shape) + 1) + 1.0
    rows, cols = linear_sum_assignment(np.where(near, distance, beyond))
    pairs = sorted((int(i), int(j)) for i, j in zip(rows, cols, strict=True) if near[i, j])
    taken_one, taken_two = {i for i, _ in pairs}, {j for _, j in pairs}
    return Matching(
        tuple(pairs),
        tuple(i for i in range(len(one)) if i not in taken_one),
        tuple(j for j in range(len(two)) if j not in taken_two),
    )


def f1(matched: int, only_one: int, only_two: int) -> float:
    """Share of common places: 2 m / (2 m + a + b), from 0 to 1.

    Parameters
    ----------
    matched : int
        Pairs.
    only_one, only_two : int
        Places without a partner on either side.

    Returns
    -------
    float
        NaN where there is no place at all: nothing found where nothing is was not put to the test.
    """
    total = 2 * matched + only_one + only_two
    return 2 * matched / total if total else _NAN


def cohen_kappa(one: Sequence[Hashable], two: Sequence[Hashable]) -> float:
    """Agreement of two readers on categories beyond what chance gives.

    Parameters
    ----------
    one, two : sequence of hashable
        What each reader calls the same N items, in the same order.

    Returns
    -------
    float
        1 where they always agree, 0 where no more often than by chance. NaN where it is not defined:
        for no items, and where both call everything the same, so that chance alone gives full agreement.

    Raises
    ------
    ValueError
        If the readers did not call the same number of items.

    References
    ----------
    Cohen, Educational and Psychological Measurement 20:37 (1960).
    """
    agreed = sum(a == b for a, b in zip(one, two, strict=True))
    of_one, of_two = Counter(one), Counter(two)
    # in whole numbers, as multiples of 1 / N^2: an expected agreement of 1 is then exactly that
    n = len(one)
    expected = sum(count * of_two[label] for label, count in of_one.items())
    return (n * agreed - expected) / (n * n - expected) if expected < n * n else _NAN


def icc_2_1(ratings: NDArray[np.float64]) -> float:
    """Intraclass correlation, two-way random effects, absolute agreement, single measures.

    Parameters
    ----------
    ratings : (N, K) ndarray of float
        N subjects as rated by K raters.

    Returns
    -------
    float
        At most 1; it may be negative. NaN for fewer than two subjects or raters, or where nothing varies.

    References
    ----------
    ICC(2,1) of Shrout and Fleiss, Psychological Bulletin 86:420 (1979).
    """
    n, k = ratings.shape
    # told by the values: sums of squares of equal values need not be exactly 0
    if n < 2 or k < 2 or ratings.min() == ratings.max():
        return _NAN
    mean = ratings.mean()
    rows, cols = ratings.mean(axis=1), ratings.mean(axis=0)
    between_subjects = k * float(((rows - mean) ** 2).sum()) / (n - 1)
    between_raters = n * float(((cols - mean) ** 2).sum()) / (k - 1)
    residual = float(((ratings - rows[:, None] - cols + mean) ** 2).sum()) / ((n - 1) * (k - 1))
    whole = between_subjects + (k - 1) * residual + k * (between_raters - residual) / n
    return (between_subjects - residual) / whole if whole > 0 else _NAN


@dataclass(frozen=True)
class BlandAltman:
    """How far two measurements of the same things lie apart.

    Parameters
    ----------
    n : int
        Number of things measured twice.
    bias : float
        Mean of the differences, first minus second; NaN for none.
    sd : float
        Standard deviation of the differences; NaN for fewer than two.
    low, high : float
        Limits of agreement, `bias` -/+ 1.96 `sd`, between which 95 % of differences are expected where
        they are normally distributed.
    """

    n: int
    bias: float
    sd: float
    low: float
    high: float


def bland_altman(one: ArrayLike, two: ArrayLike) -> BlandAltman:
    """Bias and limits of agreement of two measurements, in their unit.

    Parameters
    ----------
    one, two : (N,) array_like of float
        Two measurements of the same N things; a difference is the first minus the second.

    Raises
    ------
    ValueError
        If they are not equally many.

    References
    ----------
    Bland and Altman, Lancet 327:307 (1986).
    """
    first, second = (np.asarray(values, dtype=np.float64).ravel() for values in (one, two))
    if len(first) != len(second):  # numpy would stretch a single value
        raise ValueError(f"{len(first)} measurements cannot be compared with {len(second)}")
    difference = first - second
    bias = float(difference.mean()) if len(difference) else _NAN
    sd = float(difference.std(ddof=1)) if len(difference) > 1 else _NAN
    return BlandAltman(len(difference), bias, sd, bias - MIDDLE_95 * sd, bias + MIDDLE_95 * sd)
