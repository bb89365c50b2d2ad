"""The second reader, blind: own marks only; afterwards both readings side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ienfd.correction.commands import Command, LoggedEdit, same_person, standing
from ienfd.correction.geometry import excluded_at
from ienfd.result import Crossing
from ienfd.review.picking import Selection, of_crossing, of_mark, stretches
from ienfd.review.readings import compared, marks
from ienfd.review.sheet import Sheet
from ienfd.statistics import SAME_UM, cohen_kappa, f1, icc_2_1, match_places

__all__ = ["Agreement", "Comparison", "compare", "disagreements", "past_comparison", "study_agreement"]


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
    first_readers : tuple of str
        Other people who had reviewed the section as it stood; empty when only the program had.
    ended_seq : int
        The entry of the log with which the reading ended; 0 while it goes on.
    """

    both: tuple[tuple[Crossing, LoggedEdit], ...]
    only_first: tuple[Crossing, ...]
    only_second: tuple[LoggedEdit, ...]
    kappa: float
    length_mm: float
    first_readers: tuple[str, ...] = ()
    ended_seq: int = 0

    @property
    def f1(self) -> float:
        """Share of crossings that both see; NaN where neither sees one."""
        return f1(len(self.both), len(self.only_first), len(self.only_second))

    def figures(self) -> dict[str, Any]:
        """What the log keeps of it."""
        first, second = len(self.both) + len(self.only_first), len(self.both) + len(self.only_second)
        return {
            "first_readers": list(self.first_readers),
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


def compare(sheet: Sheet, who: str) -> Comparison:
    """The marks of a blind reader beside the crossings as they stand.

    Marks in stretches that are not evaluated are left out, as crossings there are.
    """
    size, crossings = sheet.pixel_size_um, sheet.result.crossings
    own = [mark for mark in marks(sheet.log, who) if _is_evaluated(sheet, mark)]
    counted = [c for c in crossings if c.counted]
    matching = match_places(_um(counted, size), _places(own, size), SAME_UM)
    both = tuple((counted[i], own[j]) for i, j in matching.pairs)
    others = [c for c in crossings if not c.counted]
    left = [own[j] for j in matching.only_two]
    beside = match_places(_um(others, size), _places(left, size), SAME_UM)
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
        first_readers=tuple(r for r in sheet.corrected.readers if same_person(r) != same_person(who)),
    )


def past_comparison(sheet: Sheet, who: str) -> Comparison | None:
    """The comparison with which a blind reading ended, as it was then; None where it has not."""
    ended = compared(sheet.log, who)
    if ended is None:
        return None
    then = sheet.with_log([entry for entry in sheet.log if entry.seq < ended.seq])
    return replace(compare(then, who), ended_seq=ended.seq)


def _is_evaluated(sheet: Sheet, mark: LoggedEdit) -> bool:
    pieces, place = sheet.result.findings.pieces, of_mark(mark).place_px
    return excluded_at(pieces, stretches(sheet), place, sheet.pixel_size_um) is None


def _um(crossings: Sequence[Crossing], size: float) -> list[tuple[float, float]]:
    return [(c.row_px * size, c.col_px * size) for c in crossings]


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
    """Agreement over all sections that two people have read; each reading counts as it first ended."""
    first: dict[tuple[str | None, str], dict[str, Any]] = {}
    for entry in entries:
        if entry.edit.command is Command.COMPARE_READERS and (entry.edit.after or {}).get("first_readers"):
            first.setdefault((entry.section_id, same_person(entry.who)), dict(entry.edit.after or {}))
    sums = [sum(one[name] for one in first.values()) for name in ("both", "only_first", "only_second")]
    pairs = [one["densities_per_mm"] for one in first.values() if one["densities_per_mm"] is not None]
    densities = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    difference = float((densities[:, 1] - densities[:, 0]).mean()) if len(densities) else float("nan")
    return Agreement(len(first), f1(*sums), icc_2_1(densities), difference)


def _places(entries: Sequence[LoggedEdit], size: float) -> list[tuple[float, float]]:
    after = [entry.edit.after or {} for entry in entries]
    return [(place["row_px"] * size, place["col_px"] * size) for place in after]


def _known(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def disagreements(comparison: Comparison, sheet: Sheet) -> list[Selection]:
    """What only one of two readers saw, and nobody has decided since."""
    since = {e.edit.object_id for e in standing(sheet.log) if e.seq > comparison.ended_seq}
    crossings = [of_crossing(c) for c in comparison.only_first if c.crossing_id not in since]
    return [*crossings, *(of_mark(m) for m in comparison.only_second if m.edit.object_id not in since)]
