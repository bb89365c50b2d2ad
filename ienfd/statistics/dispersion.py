"""How much more the sections of a biopsy vary than by chance alone, and the interval that allows for it."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, isfinite

from scipy.special import gammaincinv

from ienfd.statistics.poisson import expected_interval

__all__ = ["dispersed_interval", "overdispersion", "pearson_dispersion"]

_LEAST_EXPECTED = 1e-9  # crossings on a section of hardly any length, so that their inverse is a number


def pearson_dispersion(counts: Sequence[int], lengths_mm: Sequence[float]) -> float | None:
    """Variance of the sections' counts, in multiples of what chance alone gives, as the sections show it.

    Parameters
    ----------
    counts : sequence of int
        Crossings of each section.
    lengths_mm : sequence of float
        Evaluable epidermis of each section in millimeters, in the same order.

    Returns
    -------
    float or None
        Pearson's chi-square of the counts about the pooled density, by its degrees of freedom (sections
        less one). None where it is not defined: for one section, and without any crossing.

    Raises
    ------
    ValueError
        If there is no section, not one length for each count, a count that is negative or no whole
        number, or a length that is not positive and finite.

    Notes
    -----
    Its mean is exactly 1 for crossings that fall independently, however few they are: given their sum,
    the counts are multinomial.

    References
    ----------
    McCullagh and Nelder, Generalized Linear Models, 2nd edition, Chapman and Hall (1989).

    Examples
    --------
    >>> pearson_dispersion([4, 10, 16], [2.0, 2.0, 2.0])
    3.6
    """
    total, length_mm = _totals(counts, lengths_mm)
    if total == 0 or len(counts) == 1:
        return None
    expected = [max(total * length / length_mm, _LEAST_EXPECTED) for length in lengths_mm]
    squares = fsum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))
    return squares / (len(counts) - 1)


def overdispersion(
    counts: Sequence[int], lengths_mm: Sequence[float], toward: float = 1.0, weight: float = 0.0
) -> float:
    """Overdispersion to reckon with: that of the sections, drawn toward a value known beforehand.

    Parameters
    ----------
    counts : sequence of int
        Crossings of each section.
    lengths_mm : sequence of float
        Evaluable epidermis of each section in millimeters, in the same order.
    toward : float
        What to reckon with where the sections say nothing, 1 or more.
    weight : float
        Degrees of freedom that it counts for, 0 or more; those of the sections are one less than they are.

    Returns
    -------
    float
        Variance of a count by its mean, 1 or more. It does not depend on the order of the sections.

    Raises
    ------
    ValueError
        If `toward` or `weight` is out of range, or as `pearson_dispersion`.

    Notes
    -----
    The mean of `toward` and of `pearson_dispersion`, weighted by degrees of freedom, as variances are
    drawn together in empirical Bayes estimates. Those of n sections with k crossings in all are taken as
    (n - 1) (1 - 1/k), because with few crossings the chi-square can hardly depart from its mean: its
    variance given k is that of (n - 1) degrees of freedom times (1 - 1/k) for sections of one length. A
    single crossing says nothing. What the sections show is held at the number of all crossings, which
    sections of one length reach when all crossings lie in one of them, and only a very short section
    exceeds. Less variation than by chance is taken for chance: the result is never below 1.

    References
    ----------
    Smyth, Statistical Applications in Genetics and Molecular Biology 3:3 (2004).

    Examples
    --------
    >>> round(overdispersion([4, 10, 16], [2.0, 2.0, 2.0], toward=2.0, weight=3.0), 3)
    2.627
    """
    if not (isfinite(toward) and toward >= 1):
        raise ValueError(f"an overdispersion is 1 or more, not {toward}")
    if not (isfinite(weight) and weight >= 0):
        raise ValueError(f"a weight is 0 or more, not {weight}")
    seen, total = pearson_dispersion(counts, lengths_mm), sum(counts)
    freedom = (len(counts) - 1) * (1 - 1 / total) if total else 0.0
    if seen is None or freedom == 0:
        return toward
    shown = min(seen, float(total))
    return max(1.0, (weight * toward + freedom * shown) / (weight + freedom))


def dispersed_interval(
    expected: float, length_mm: float, overdispersion: float, level: float = 0.95
) -> tuple[float, float]:
    """Interval of a density whose count varies more than by chance.

    Parameters
    ----------
    expected : float
        Crossings counted, or expected: 0 or more, not necessarily whole.
    length_mm : float
        Evaluable epidermis in millimeters over which they were counted.
    overdispersion : float
        Variance of the count by its mean, 1 or more.
    level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    (float, float)
        Lower and upper limit of the density per mm. The lower one of a count of 0 is 0; with an
        overdispersion of 1 they are those of `expected_interval`, and never inside them.

    Raises
    ------
    ValueError
        If the overdispersion is below 1 or not finite, or as `expected_interval`.

    Notes
    -----
    The exact limits of a Poisson count are quantiles of gamma distributions whose mean, and variance, is
    the count and the count plus one. Here the variance is `overdispersion` times the mean. The interval
    covers sampling only: where sections were cut and how fibers happen to lie in them. What is seen
    wrongly in all sections alike, by a program or a reader, is not in it.

    How often it holds the true density, and how wide it is: `python -m benchmarks.coverage`.

    References
    ----------
    Garwood, Biometrika 28:437 (1936), for the limits without overdispersion.
    Wedderburn, Biometrika 61:439 (1974), for a variance in proportion to the mean without more said of
    the distribution.

    Examples
    --------
    >>> [round(limit, 3) for limit in dispersed_interval(10, 2.0, 1.0)]
    [2.398, 9.195]
    >>> [round(limit, 3) for limit in dispersed_interval(10, 2.0, 2.0)]
    [1.623, 10.96]
    """
    if not (isfinite(overdispersion) and overdispersion >= 1):
        raise ValueError(f"an overdispersion is 1 or more, not {overdispersion}")
    low, high = expected_interval(expected, length_mm, level)
    tail = (1 - level) / 2
    wide_low = overdispersion * float(gammaincinv(expected / overdispersion, tail)) if expected > 0 else 0.0
    wide_high = overdispersion * float(gammaincinv((expected + 1) / overdispersion, 1 - tail))
    # a gamma distribution of tiny shape is so skewed that its quantiles come back toward 0
    return min(low, wide_low / length_mm), max(high, wide_high / length_mm)


def _totals(counts: Sequence[int], lengths_mm: Sequence[float]) -> tuple[int, float]:
    """All crossings and all millimeters."""
    if not counts or len(counts) != len(lengths_mm):
        raise ValueError(f"{len(counts)} counts and {len(lengths_mm)} lengths are no sections")
    if not all(isfinite(count) and count >= 0 and count % 1 == 0 for count in counts):
        raise ValueError(f"a count is a whole number, 0 or more: {counts}")
    if not all(isfinite(length_mm) and length_mm > 0 for length_mm in lengths_mm):
        raise ValueError(f"a length is positive and finite: {lengths_mm} mm")
    return sum(counts), fsum(lengths_mm)
