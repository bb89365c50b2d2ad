"""The second reader, blind: own marks only; afterwards both readings side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ienfd.correction.commands import Command, LoggedEdit, of_reading, standing
from ienfd.result import Crossing
from ienfd.review.sheet import Sheet
from ienfd.statistics import cohen_kappa, f1, icc_2_1, match_places

__all__ = ["Agreement", "Comparison", "compare", "marks", "study_agreement"]

SAME_UM = 10.0
"""Marks of two readers that lie no farther apart may be about one crossing."""


@dataclass(frozen=True)
class Comparison:
    """Two readings of one section.

    Parameters
    ----------
    both : tuple of (Crossing, LoggedEdit)
        Counted crossings that the second reader marked, too.
    only_first : tuple of Crossing
        Counted, but not marked.
    only_second : tuple of LoggedEdit
        Marked, but not counted.
    kappa : float
        Over all candidates of the program and all marks: counted or not, marked or not. NaN where it
        is not defined.
    length_mm : float
        What was evaluated.
    """

    both: tuple[tuple[Crossing, LoggedEdit], ...]
    only_first: tuple[Crossing, ...]
    only_second: tuple[LoggedEdit, ...]
    kappa: float
    length_mm: float

    @property
    def f1(self) -> float:
        """Share of crossings that both see; NaN where neither sees one."""
        return f1(len(self.both), len(self.only_first), len(self.only_second))

    def figures(self) -> dict[str, Any]:
        """What the log keeps of it."""
        first, second = len(self.both) + len(self.only_first), len(self.both) + len(self.only_second)
        return {
            "both": len(self.both),
            "only_first": len(self.only_first),
            "only_second": len(self.only_second),
            "f1": _known(self.f1),
            "kappa": _known(self.kappa),
            "evaluable_mm": round(self.length_mm, 6),
            "densities_per_mm": [_known(count / self.length_mm) for count in (first, second)]
            if self.length_mm > 0
            else None,
        }


def marks(log: Iterable[LoggedEdit], who: str) -> tuple[LoggedEdit, ...]:
    """The marks of a blind reader that stand."""
    held = standing(of_reading(log, who))
    gone = {e.edit.object_id for e in held if e.edit.command is Command.UNMARK_CROSSING}
    return tuple(e for e in held if e.edit.command is Command.MARK_CROSSING and e.edit.object_id not in gone)


def compare(sheet: Sheet, who: str) -> Comparison:
    """The marks of a blind reader beside the crossings as they stand."""
    size, crossings, own = sheet.pixel_size_um, sheet.result.crossings, marks(sheet.log, who)
    counted = [c for c in crossings if c.counted]
    places = _places(own, size)
    matching = match_places([(c.row_px * size, c.col_px * size) for c in counted], places, SAME_UM)
    both = tuple((counted[i], own[j]) for i, j in matching.pairs)
    others = [c for c in crossings if not c.counted]
    left = [own[j] for j in matching.only_two]
    beside = match_places([(c.row_px * size, c.col_px * size) for c in others], _places(left, size), SAME_UM)
    # candidates: seen by both, by the first, by the second (a candidate or a place of its own), by neither
    first = [True] * len(counted) + [False] * (len(left) + len(beside.only_one))
    second = [True] * len(both) + [False] * len(matching.only_one)
    second += [True] * len(left) + [False] * len(beside.only_one)
    lengths = sheet.result.lengths
    return Comparison(
        both=both,
        only_first=tuple(counted[i] for i in matching.only_one),
        only_second=tuple(left),
        kappa=cohen_kappa(first, second),
        length_mm=lengths.evaluable_mm if lengths else 0.0,
    )


@dataclass(frozen=True)
class Agreement:
    """How far blind readings of a study agree with the first ones.

    Parameters
    ----------
    sections : int
        Sections that were read twice.
    f1 : float
        Over all crossings of all of them.
    icc : float
        ICC(2,1) of the densities.
    mean_difference_per_mm : float
        Second minus first reading.
    """

    sections: int
    f1: float
    icc: float
    mean_difference_per_mm: float


def study_agreement(entries: Iterable[LoggedEdit]) -> Agreement:
    """Agreement over all sections that a second reader has read blind; each counts with its last reading."""
    last: dict[str | None, dict[str, Any]] = {}
    for entry in standing(entries):
        if entry.edit.command is Command.COMPARE_READERS:
            last[entry.section_id] = dict(entry.edit.after or {})
    sums = [sum(one[name] for one in last.values()) for name in ("both", "only_first", "only_second")]
    pairs = [one["densities_per_mm"] for one in last.values() if one["densities_per_mm"] is not None]
    densities = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    difference = float((densities[:, 1] - densities[:, 0]).mean()) if len(densities) else float("nan")
    return Agreement(len(last), f1(*sums), icc_2_1(densities), difference)


def _places(entries: Sequence[LoggedEdit], size: float) -> list[tuple[float, float]]:
    after = [entry.edit.after or {} for entry in entries]
    return [(place["row_px"] * size, place["col_px"] * size) for place in after]


def _known(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None
