"""Figures of agreement of pairs: each with its interval, or with the reason why it is not given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isfinite, nan

import numpy as np

from ienfd.agree.pairs import Pair, Reading, Unit
from ienfd.correction.commands import same_person
from ienfd.statistics import (
    bias_interval,
    bland_altman,
    cohen_kappa,
    f1,
    icc_2_1,
    icc_interval,
    kappa_interval,
    limit_intervals,
    share_interval,
)

__all__ = ["LEAST_FOR_COEFFICIENTS", "LEAST_FOR_LIMITS", "QUANTITIES", "Measure", "measures", "readers"]

LEAST_FOR_LIMITS = 5
"""Pairs (sections, for crossings by place) below which no bias, limit or share is given."""

LEAST_FOR_COEFFICIENTS = 10
"""Pairs below which neither intraclass correlation nor kappa is given."""

QUANTITIES: dict[str, tuple[str, Callable[[Reading], float | None]]] = {
    "crossings": ("1", lambda reading: reading.crossings),
    "length_mm": ("mm", lambda reading: reading.length_mm),
    "density_per_mm": ("/mm", lambda reading: reading.density_per_mm),
}
"""What is compared as numbers: its unit, and where it stands in a reading."""

_DIGITS = 9
_UNITS: tuple[Unit, ...] = ("section", "biopsy")


@dataclass(frozen=True)
class Measure:
    """One figure.

    Parameters
    ----------
    reader : str
        Whose readings by hand were compared.
    unit : {"section", "biopsy"}
        What a pair is.
    quantity : str
        What was compared: a key of `QUANTITIES`, `call` or `places`.
    name : str
        Which figure.
    pairs : int
        Of how many.
    value, low, high : float or None
        The figure with its 95 % interval; None where it is not given or not defined.
    of_unit : str
        Unit of all three.
    reason : str or None
        Why `value` is not given.
    other : str or None
        The reader that takes the place of the program; None for the program.
    """

    reader: str
    unit: Unit
    quantity: str
    name: str
    pairs: int
    value: float | None
    low: float | None
    high: float | None
    of_unit: str = "1"
    reason: str | None = None
    other: str | None = None


def readers(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Who has counted, each once, as first written."""
    names: dict[str, str] = {}
    for pair in pairs:
        names.setdefault(same_person(pair.reader), pair.reader)
    return tuple(names.values())


def measures(pairs: Sequence[Pair]) -> tuple[Measure, ...]:
    """All figures: each reader against the program, then the readers among each other.

    Figures of what no pair has are left out. Readers are never thrown together: a section that two of them
    have read would count twice.
    """
    found: list[Measure] = []
    of_reader = {
        name: [p for p in pairs if p.is_used and same_person(p.reader) == same_person(name)]
        for name in readers(pairs)
    }
    for name, own in of_reader.items():
        found += [*_all(name, None, own), *_of_places(name, own)]
    for one, two in combinations(of_reader, 2):
        found += _all(one, two, _between(of_reader[one], of_reader[two]))
    return tuple(found)


def _between(one: Sequence[Pair], two: Sequence[Pair]) -> list[Pair]:
    """What both readers have read, the second one in the place of the program."""
    others = {_thing(pair): pair for pair in two}
    both = [(pair, others[_thing(pair)]) for pair in one if _thing(pair) in others]
    return [
        replace(
            pair,
            program=other.manual,
            call=replace(pair.call, program_below=other.call.manual_below)
            if pair.call is not None and other.call is not None
            else None,
        )
        for pair, other in both
    ]


def _thing(pair: Pair) -> tuple[str, ...]:
    return (pair.unit, pair.section_id or f"{pair.case_id}\n{pair.biopsy_id}")


def _all(reader: str, other: str | None, pairs: Sequence[Pair]) -> list[Measure]:
    found = []
    for unit in _UNITS:
        of_unit = [pair for pair in pairs if pair.unit == unit]
        for quantity in QUANTITIES:
            found += _of_numbers(_About(reader, other, unit, quantity), of_unit)
    return [*found, *_of_calls(_About(reader, other, "biopsy", "call"), pairs)]


def _of_numbers(about: _About, pairs: Sequence[Pair]) -> list[Measure]:
    of_unit, value = QUANTITIES[about.quantity]
    both = [(value(pair.manual), value(pair.program)) for pair in pairs]
    table = np.array([pair for pair in both if None not in pair], dtype=np.float64).reshape(-1, 2)
    table = np.round(table, _DIGITS)  # sums of equal lengths need not be equal to the last bit
    n = len(table)
    if n == 0:
        return []
    figures = bland_altman(table[:, 1], table[:, 0])
    low, high = limit_intervals(figures)
    limits = {
        "bias": (figures.bias, bias_interval(figures)),
        "lower_limit": (figures.low, low),
        "upper_limit": (figures.high, high),
    }
    return [
        *(about.figure(name, n, LEAST_FOR_LIMITS, *found, of_unit) for name, found in limits.items()),
        about.figure("icc_2_1", n, LEAST_FOR_COEFFICIENTS, icc_2_1(table), icc_interval(table)),
    ]


def _of_calls(about: _About, pairs: Sequence[Pair]) -> list[Measure]:
    calls = [pair.call for pair in pairs if pair.call is not None]
    if not calls:
        return []
    said = [call.manual_below for call in calls], [call.program_below for call in calls]
    return [
        about.figure("kappa", len(calls), LEAST_FOR_COEFFICIENTS, cohen_kappa(*said), kappa_interval(*said))
    ]


def _of_places(reader: str, pairs: Sequence[Pair]) -> list[Measure]:
    places = [pair.places for pair in pairs if pair.places is not None]
    if not places:
        return []
    both = np.array([place.matched for place in places])
    manual = both + np.array([place.only_manual for place in places])
    program = both + np.array([place.only_program for place in places])
    matched, missed, false = int(both.sum()), int((manual - both).sum()), int((program - both).sum())
    # F1 is 2 j / (1 + j) of the share j of all crossings, whoever saw them, that both have seen
    shared = [2 * end / (1 + end) for end in share_interval(both, manual + program - both)]
    shares = {
        "precision": (_share(matched, matched + false), share_interval(both, program)),
        "recall": (_share(matched, matched + missed), share_interval(both, manual)),
        "f1": (f1(matched, missed, false), (shared[0], shared[1])),
    }
    about = _About(reader, None, "section", "places")
    return [about.figure(name, len(places), LEAST_FOR_LIMITS, *found) for name, found in shares.items()]


@dataclass(frozen=True)
class _About:
    """What a figure is about."""

    reader: str
    other: str | None
    unit: Unit
    quantity: str

    def figure(
        self,
        name: str,
        pairs: int,
        least: int,
        value: float,
        interval: tuple[float, float],
        of_unit: str = "1",
    ) -> Measure:
        """A figure; without its value where there are too few pairs or it is not defined."""
        reason = "too_few_pairs" if pairs < least else None if isfinite(value) else "not_defined"
        ends = value, *interval
        known = [end if isfinite(end) and reason is None else None for end in ends]
        return Measure(
            self.reader, self.unit, self.quantity, name, pairs, known[0], known[1], known[2], of_unit,
            reason, self.other,
        )  # fmt: skip


def _share(part: int, whole: int) -> float:
    return part / whole if whole else nan
