"""The exact interval of a density that was counted over a length."""

from __future__ import annotations

from math import isfinite

from scipy.special import gammaincinv

__all__ = ["expected_interval", "poisson_interval"]


def poisson_interval(count: int, length_mm: float, level: float = 0.95) -> tuple[float, float]:
    """Exact (central) Poisson interval of a density.

    Parameters
    ----------
    count : int
        Crossings counted, 0 or more.
    length_mm : float
        Evaluable epidermis in millimeters over which they were counted.
    level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    (float, float)
        Lower and upper limit of the density per mm; the lower one of a count of 0 is 0.

    Raises
    ------
    ValueError
        If the count is negative or no whole number, the length not positive and finite, or the level
        not between 0 and 1.

    Notes
    -----
    Garwood, Biometrika 1936;28:437-442. Crossings cluster, so that counts vary more than this: the
    interval is the narrowest that can honestly be given.

    Examples
    --------
    >>> [round(limit, 3) for limit in poisson_interval(10, 2.0)]
    [2.398, 9.195]
    """
    if count % 1 != 0:
        raise ValueError(f"a count is a whole number, not {count}")
    return expected_interval(float(count), length_mm, level)


def expected_interval(expected: float, length_mm: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of a density for a count that is only expected, so that it need not be whole.

    The limits of Garwood are quantiles of gamma distributions with shape `count` and `count + 1`,
    which fill the steps between whole counts smoothly. Parameters, result and errors are those of
    `poisson_interval`, except that `expected` may be fractional.
    """
    if not (isfinite(expected) and expected >= 0):
        raise ValueError(f"a count is 0 or more, not {expected}")
    if not (isfinite(length_mm) and length_mm > 0):
        raise ValueError(f"a length is positive and finite, not {length_mm} mm")
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not at {level}")
    tail = (1 - level) / 2
    low = float(gammaincinv(expected, tail)) if expected > 0 else 0.0
    high = float(gammaincinv(expected + 1, 1 - tail))
    return low / length_mm, high / length_mm
