"""A norm: where its figures come from, what they hold for, and the limits themselves."""

from __future__ import annotations

from dataclasses import dataclass

from ienfd.protocol import LengthLine, Stain

__all__ = ["SEXES", "Limit", "Norm"]

SEXES = ("F", "M")


@dataclass(frozen=True)
class Limit:
    """The lower limit of one sex over a range of ages: a straight line, level for a band.

    Parameters
    ----------
    sex : {"F", "M"}
        For whom it holds.
    age_lo, age_hi : float
        Ages in years from `age_lo` up to, but not including, `age_hi`.
    intercept_per_mm : float
        Limit at age 0, in fibers per mm.
    slope_per_mm_per_year : float
        Change per year; 0 for a band.
    """

    sex: str
    age_lo: float
    age_hi: float
    intercept_per_mm: float
    slope_per_mm_per_year: float = 0.0

    def at(self, age_years: float) -> float:
        """Limit in fibers per mm at an age, unrounded."""
        return self.intercept_per_mm + self.slope_per_mm_per_year * age_years

    @property
    def formula(self) -> str:
        """The limit as a reader would write it."""
        if self.slope_per_mm_per_year == 0:
            return f"{self.intercept_per_mm:g}"
        sign = "-" if self.slope_per_mm_per_year < 0 else "+"
        return f"{self.intercept_per_mm:g} {sign} {abs(self.slope_per_mm_per_year):g} x age"


@dataclass(frozen=True)
class Norm:
    """One reference set and the frame inside which it holds.

    Parameters
    ----------
    id : str
        Stable name.
    title, citation, doi : str
        Which study, where it was published, and its DOI (empty where it has none).
    stain : {"bright-field", "fluorescence"}
        How its sections were stained.
    site : str
        Where its biopsies were taken, in the words of the case table.
    section_um : float or None
        Thickness of its sections in micrometers; None when the publication does not state it.
    length_line : {"surface", "junction", "chord"} or None
        Line whose millimeters it counts per; None when the publication does not state it.
    n, n_men, n_women : int or None
        Persons in it, and how many of them were men and women where that is known.
    statistic : str
        What the limit is, in the words of the publication.
    percentile : float or None
        Percentile of the limit; None when the publication does not state it.
    age_lo, age_hi : float
        Ages in years from `age_lo` up to, but not including, `age_hi`.
    limits : tuple of Limit
        For each sex without gap or overlap from `age_lo` to `age_hi`.
    verification : str
        How the figures were checked.
    caveat : str
        What has to be said with every call from it; may be empty.
    notes : tuple of str
        What else a reader should know.
    """

    id: str
    title: str
    citation: str
    doi: str
    stain: Stain
    site: str
    section_um: float | None
    length_line: LengthLine | None
    n: int
    n_men: int | None
    n_women: int | None
    statistic: str
    percentile: float | None
    age_lo: float
    age_hi: float
    limits: tuple[Limit, ...]
    verification: str
    caveat: str = ""
    notes: tuple[str, ...] = ()

    def covers(self, age_years: float) -> bool:
        """Whether the norm holds for an age; False for one that is no number."""
        return self.age_lo <= age_years < self.age_hi

    @property
    def ages(self) -> str:
        """The range of ages in words."""
        return f"{self.age_lo:g} to under {self.age_hi:g} years"

    def limit_per_mm(self, age_years: float, sex: str) -> float:
        """Lower limit in fibers per mm for an age and sex, unrounded.

        Raises
        ------
        ValueError
            If the age lies outside the range of the norm or is no number, or the sex is not F or M.
        """
        if sex not in SEXES:
            raise ValueError(f"{self.id} has limits for F and M, not for {sex!r}")
        if not self.covers(age_years):
            raise ValueError(f"{self.id} holds from {self.ages}, not at {age_years}")
        return next(
            limit.at(age_years)
            for limit in self.limits
            if limit.sex == sex and limit.age_lo <= age_years < limit.age_hi
        )
