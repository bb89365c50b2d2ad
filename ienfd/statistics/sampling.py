"""How many sections it takes to tell a density from a limit."""

from __future__ import annotations

from ienfd.statistics.dispersion import dispersed_interval

__all__ = ["SETTLE_AT_MOST", "sections_to_settle"]

SETTLE_AT_MOST = 20  # more sections than this are not cut from a 3 mm punch


def sections_to_settle(
    count: int,
    length_mm: float,
    sections: int,
    limit_per_mm: float,
    level: float = 0.95,
    overdispersion: float = 1.0,
) -> int | None:
    """Fewest further sections after which the interval would exclude the limit.

    Further sections add to those that are there. They are taken to be as long as the present ones are
    on average, to hold the present density, and to vary as the present ones do.

    Parameters
    ----------
    count : int
        Crossings counted so far.
    length_mm : float
        Evaluable epidermis so far, in millimeters.
    sections : int
        Sections it was measured on, 1 or more.
    limit_per_mm : float
        The limit to tell the density from.
    level : float
        Level of the interval, between 0 and 1.
    overdispersion : float
        Variance of the count by its mean, 1 or more: that of the present sections.

    Returns
    -------
    int or None
        From 0 (the interval excludes the limit already) to `SETTLE_AT_MOST`; None when it takes more.

    Raises
    ------
    ValueError
        If there is no section, or as `dispersed_interval`.

    Notes
    -----
    Engelstad, Neurology 2012;79:2187: the number of sections should follow the interval, few where it
    lies clear of the limit and more where it does not.

    Examples
    --------
    >>> sections_to_settle(42, 7.5, 3, limit_per_mm=4.86)
    12
    >>> sections_to_settle(42, 7.5, 3, limit_per_mm=4.5, overdispersion=1.5)
    7
    """
    if sections < 1:
        raise ValueError(f"a density is measured on at least one section, not on {sections}")
    for further in range(SETTLE_AT_MOST + 1):
        growth = (sections + further) / sections
        low, high = dispersed_interval(count * growth, length_mm * growth, overdispersion, level)
        if not low <= limit_per_mm <= high:
            return further
    return None
