"""How far chance alone would move a figure of agreement: 95 % intervals.

An interval that is not defined is NaN at both ends, and never the figure itself: complete agreement of
a few is not certainty.
"""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, fdtri, stdtrit  # scipy.stats takes a third of a second to import

from ienfd.statistics.agreement import MIDDLE_95, BlandAltman, cohen_kappa, icc_2_1

__all__ = ["Interval", "bias_interval", "icc_interval", "kappa_interval", "limit_intervals", "share_interval"]

Interval = tuple[float, float]

_LEVEL = 0.95
_TAILS = (1 - _LEVEL) / 2, (1 + _LEVEL) / 2
_NOT_DEFINED = nan, nan
_DRAWS = 20_000
_SEED = 0


def bias_interval(figures: BlandAltman) -> Interval:
    """Interval of the mean difference, by Student's t; NaN for fewer than two pairs."""
    if figures.n < 2:
        return _NOT_DEFINED
    half = _quantile(figures.n) * figures.sd / sqrt(figures.n)
    return figures.bias - half, figures.bias + half


def limit_intervals(figures: BlandAltman) -> tuple[Interval, Interval]:
    """Intervals of the lower and the upper limit of agreement; NaN for fewer than two pairs.

    References
    ----------
    Bland and Altman, Statistical Methods in Medical Research 8:135 (1999): the variance of a limit is
    sd^2 (1 / n + 1.96^2 / (2 (n - 1))).
    """
    n = figures.n
    if n < 2:
        return _NOT_DEFINED, _NOT_DEFINED
    half = _quantile(n) * figures.sd * sqrt(1 / n + MIDDLE_95**2 / (2 * (n - 1)))
    return (figures.low - half, figures.low + half), (figures.high - half, figures.high + half)


def icc_interval(ratings: NDArray[np.float64]) -> Interval:
    """Interval of ICC(2,1), by the F distribution.

    Parameters
    ----------
    ratings : (N, K) ndarray of float
        N subjects as rated by K raters.

    Returns
    -------
    (float, float)
        NaN where the coefficient is not defined, and where the raters do not differ at all.

    References
    ----------
    McGraw and Wong, Psychological Methods 1:30 (1996), table 7, case 2 A.
    """
    icc = icc_2_1(ratings)
    if not icc < 1:  # NaN, too
        return _NOT_DEFINED
    n, k = ratings.shape
    mean = ratings.mean()
    rows, cols = ratings.mean(axis=1), ratings.mean(axis=0)
    of_rows = k * float(((rows - mean) ** 2).sum()) / (n - 1)
    of_cols = n * float(((cols - mean) ** 2).sum()) / (k - 1)
    rest = float(((ratings - rows[:, None] - cols + mean) ** 2).sum()) / ((n - 1) * (k - 1))
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    whole = a * of_cols + b * rest
    spread = (a * of_cols) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1))
    if spread <= 0:
        return _NOT_DEFINED
    freedom = whole**2 / spread
    up = float(fdtri(n - 1, freedom, _TAILS[1]))
    down = float(fdtri(freedom, n - 1, _TAILS[1]))
    others = k * of_cols + (k * n - k - n) * rest
    low = n * (of_rows - up * rest) / (up * others + n * of_rows)
    high = n * (down * of_rows - rest) / (others + n * down * of_rows)
    return low, high


def kappa_interval(one: ArrayLike, two: ArrayLike) -> Interval:
    """Interval of Cohen's kappa of two readers who say yes or no.

    The shares of the four combinations are drawn from what is left possible by the readings, beginning
    with half a reading of each (Jeffreys' prior); always with the same random numbers. Where the readers
    always agree, the upper end is 1, as is the custom for a share of all.

    Parameters
    ----------
    one, two : (N,) array_like of bool
        What each reader says of the same N things.

    Returns
    -------
    (float, float)
        It holds kappa; NaN where kappa is not defined.
    """
    first, second = (np.asarray(said, dtype=bool).ravel() for said in (one, two))
    kappa = cohen_kappa(first.tolist(), second.tolist())
    if np.isnan(kappa):
        return _NOT_DEFINED
    cells = [np.sum((first == a) & (second == b)) for a in (True, False) for b in (True, False)]
    shares = np.random.default_rng(_SEED).dirichlet(np.array(cells) + 0.5, _DRAWS)
    yes_one, yes_two = shares[:, 0] + shares[:, 1], shares[:, 0] + shares[:, 2]
    expected = yes_one * yes_two + (1 - yes_one) * (1 - yes_two)
    drawn = (shares[:, 0] + shares[:, 3] - expected) / (1 - expected)
    low, high = (float(end) for end in np.quantile(drawn, _TAILS))
    return min(low, kappa), max(high, kappa)


def share_interval(hits: ArrayLike, of: ArrayLike) -> Interval:
    """Interval of a share whose trials come in groups that may be more alike than chance has it.

    The exact binomial interval of as many trials as are left after their groups are allowed for, never
    more than there are.

    Parameters
    ----------
    hits, of : (G,) array_like of int
        Hits and trials of each group.

    Returns
    -------
    (float, float)
        NaN where there is no trial, or only one group with any.

    References
    ----------
    Korn and Graubard, Survey Methodology 24:193 (1998).
    """
    trials = np.asarray(of, dtype=np.float64).ravel()
    found = np.asarray(hits, dtype=np.float64).ravel()[trials > 0]
    trials = trials[trials > 0]
    groups, n = len(trials), float(trials.sum())
    if groups < 2:
        return _NOT_DEFINED
    share = float(found.sum()) / n
    by_chance = share * (1 - share) / n
    variance = groups / (groups - 1) * float(((found - share * trials) ** 2).sum()) / n**2
    alike = max(1.0, variance / by_chance) if by_chance > 0 else 1.0
    few = (_quantile(int(n)) / _quantile(groups)) ** 2 if n > groups else 1.0
    left = n / alike * few
    inside = share * left
    low = float(betaincinv(inside, left - inside + 1, _TAILS[0])) if inside > 0 else 0.0
    high = float(betaincinv(inside + 1, left - inside, _TAILS[1])) if inside < left else 1.0
    return low, high


def _quantile(n: int) -> float:
    """Of Student's t for the mean of n values, two-sided."""
    return float(stdtrit(n - 1, _TAILS[1]))
