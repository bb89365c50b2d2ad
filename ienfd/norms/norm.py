"""A norm: where its figures come from, what they hold for, and the limits themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from ienfd.protocol import LengthLine, Stain

__all__ = [
    "FIRM_SUBJECTS",
    "LEAST_OF_A_SEX",
    "LEAST_SUBJECTS",
    "SEXES",
    "Entered",
    "Fit",
    "FitInterval",
    "Limit",
    "Norm",
    "PercentileLine",
]

SEXES = ("F", "M")
LEAST_SUBJECTS = 40
"""Subjects below which no norm is fitted."""
FIRM_SUBJECTS = 120
"""Subjects below which a fitted norm is provisional."""
LEAST_OF_A_SEX = 20
"""Below this not even one subject of a sex is expected under its 5th percentile."""


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
class PercentileLine:
    """A further percentile of one sex over all ages of its norm: a straight line.

    Parameters
    ----------
    percentile : float
        Which, between that of the limit and 100.
    sex : {"F", "M"}
        For whom it holds.
    intercept_per_mm, slope_per_mm_per_year : float
        As those of a limit.
    """

    percentile: float
    sex: str
    intercept_per_mm: float
    slope_per_mm_per_year: float = 0.0

    def at(self, age_years: float) -> float:
        """Density in fibers per mm at an age, unrounded."""
        return self.intercept_per_mm + self.slope_per_mm_per_year * age_years


@dataclass(frozen=True)
class Entered:
    """Who entered a norm of a laboratory.

    Parameters
    ----------
    by, account : str
        The name that was given; the account and the machine it was done from.
    at : str
        When, UTC in ISO 8601.
    software_version : str
        Version of ienfd that checked it.
    sha256 : str
        `Norm.sha256` of what was entered.
    """

    by: str
    account: str
    at: str
    software_version: str
    sha256: str


@dataclass(frozen=True)
class FitInterval:
    """The limit of a fitted norm at one age, in fibers per mm, with its bootstrap interval."""

    sex: str
    age_years: float
    limit_per_mm: float
    low_per_mm: float
    high_per_mm: float


@dataclass(frozen=True)
class Fit:
    """How a norm was fitted to a laboratory's own healthy subjects.

    Parameters
    ----------
    by : str
        Who had it fitted.
    software_version : str
        Version of ienfd that did it.
    method : str
        The model in words.
    data_sha256 : str
        Content of the table of subjects.
    subjects_below : int
        How many of them lie under their limit.
    resamples, seed : int
        Of the bootstrap.
    level : float
        Level of the intervals.
    intervals : tuple of FitInterval
        The limit at a few ages.
    """

    by: str
    software_version: str
    method: str
    data_sha256: str
    subjects_below: int
    resamples: int
    seed: int
    level: float
    intervals: tuple[FitInterval, ...]


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
    percentiles : tuple of PercentileLine
        Further percentiles, where it states them: then it tells at which one a density lies.
    verification : str
        How the figures were checked.
    caveat : str
        What has to be said with every call from it; may be empty.
    notes : tuple of str
        What else a reader should know.
    provisional : bool
        Whether it rests on so few subjects that every call from it must say so.
    source : str
        Where a laboratory has its figures from; empty for a norm that comes with ienfd.
    fit : Fit or None
        How it was fitted; None for a published one.
    entered : Entered or None
        Who entered it; None for a norm that comes with ienfd.
    sha256 : str
        Hash of all that its file says, but for who entered it.
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
    provisional: bool = False
    source: str = ""
    fit: Fit | None = None
    entered: Entered | None = None
    sha256: str = ""
    percentiles: tuple[PercentileLine, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether it is what somebody entered; never for one that nobody has."""
        return self.entered is not None and self.entered.sha256 == self.sha256

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

    def percentile_of(self, density_per_mm: float, age_years: float, sex: str) -> str | None:
        """At which percentile of its healthy persons a density lies, in whole numbers.

        Between two percentiles that the norm states it is interpolated; beyond the outer ones no number is
        given: `<5`, `>95`. A density that is not below the limit never lies under the percentile of the
        limit.

        Returns
        -------
        str or None
            None where the norm states no further percentile, or not which one its limit is.

        Raises
        ------
        ValueError
            As `limit_per_mm`.
        """
        own = sorted((line for line in self.percentiles if line.sex == sex), key=lambda one: one.percentile)
        if self.percentile is None or not own:
            return None
        places = [self.percentile, *(line.percentile for line in own)]
        densities = [self.limit_per_mm(age_years, sex), *(line.at(age_years) for line in own)]
        steps = list(zip(places, accumulate(densities, max), strict=True))
        if density_per_mm < steps[0][1]:
            return f"<{places[0]:g}"
        for (place, density), (next_place, next_density) in pairwise(steps):
            if density_per_mm < next_density:
                share = (density_per_mm - density) / (next_density - density)
                return f"{place + share * (next_place - place):.0f}"
        return f"{places[-1]:g}" if density_per_mm == steps[-1][1] else f">{places[-1]:g}"
