"""The present state of a section: the analysis plus its edits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ienfd.correction.commands import (
    OF_CROSSINGS,
    OF_GEOMETRY,
    Command,
    LoggedEdit,
    same_person,
    standing,
)
from ienfd.correction.crossings import correct_crossings
from ienfd.correction.geometry import correct_geometry
from ienfd.counting import Candidates, find_all
from ienfd.density import count, with_crossings
from ienfd.protocol import Protocol
from ienfd.result import Findings, Piece, SectionResult

__all__ = ["Corrected", "Corrector", "ReviewState", "correct", "last_said", "reviewed_figures"]

_DIGITS = 6
_KEPT_COURSES = 8  # an undo or two away
_OF_A_REVIEW = OF_CROSSINGS | OF_GEOMETRY | {Command.ASSESS_CROSSING}


class ReviewState(StrEnum):
    """How far the review of a section has come."""

    UNREVIEWED = "unreviewed"
    IN_REVIEW = "in_review"
    REVIEWED = "reviewed"
    NEEDS_SECOND_READER = "needs_second_reader"
    NEEDS_REVIEW = "needs_review"


@dataclass(frozen=True, eq=False)
class Corrected:
    """A section as it stands now.

    Parameters
    ----------
    result : SectionResult
        With all corrections.
    edits : int
        Corrections that hold.
    review : ReviewState
        How far its review has come.
    unmatched : tuple of int
        Entries of the log whose object is no longer there: a person must look.
    last_seq : int
        The last entry of the log about it; 0 where there is none.
    readers : tuple of str
        Who has reviewed it as it stands, each once.
    """

    result: SectionResult
    edits: int = 0
    review: ReviewState = ReviewState.UNREVIEWED
    unmatched: tuple[int, ...] = ()
    last_seq: int = 0
    readers: tuple[str, ...] = ()


class Corrector:
    """Applies the edits of one section, again and again as they grow in number.

    What follows from corrections of the geometry is kept until there are others: counting anew is the
    slow part.

    Parameters
    ----------
    result : SectionResult
        Without any edit.
    protocol : Protocol
        Under which it was counted.
    findings : callable
        Gives all of what was found, with every fiber; only asked when something was corrected.
    """

    def __init__(self, result: SectionResult, protocol: Protocol, findings: Callable[[], Findings]) -> None:
        self._result = result
        self._protocol = protocol
        self._findings = findings
        self._courses: dict[tuple[int, ...], tuple[SectionResult, tuple[int, ...]]] = {}
        self._known: tuple[tuple[Piece, ...], Candidates | None] | None = None

    def warm_up(self) -> None:
        """Look for the candidates now, so that the first change of the geometry need not."""
        self._candidates(self._findings())

    def _candidates(self, findings: Findings) -> Candidates | None:
        """Candidates of these junctions: those known already, where the junctions are the same."""
        known = self._known
        if known is None or not _same_pieces(known[0], findings.pieces):
            known = self._known = findings.pieces, find_all(findings, self._protocol.counting)
        return known[1]

    def __call__(self, entries: Sequence[LoggedEdit]) -> Corrected:
        """The section after all of `entries`, those of the log about this section, in order."""
        held = standing(entries)
        geometry = [e for e in held if e.edit.command in OF_GEOMETRY]
        crossings = [e for e in held if e.edit.command in OF_CROSSINGS]
        result, unmatched = self._with_geometry(geometry) if geometry else (self._result, ())
        if crossings:
            found = result.findings if geometry else self._findings()
            decided, lost = correct_crossings(
                found, result.crossings, result.reason, crossings, self._protocol, [e.seq for e in geometry]
            )
            result = with_crossings(found, result.reason, result.lengths, decided, self._protocol)
            unmatched = (*unmatched, *lost)
        last_seq = max((e.seq for e in entries), default=0)
        review = _review(held, result, unmatched)
        corrections = len(geometry) + len(crossings)
        return Corrected(result, corrections, review, unmatched, last_seq, _readers(held, result))

    def _with_geometry(self, edits: Sequence[LoggedEdit]) -> tuple[SectionResult, tuple[int, ...]]:
        key = tuple(entry.seq for entry in edits)
        if key not in self._courses:
            changed, unmatched = correct_geometry(self._findings(), edits, self._protocol)
            while len(self._courses) >= _KEPT_COURSES:
                del self._courses[next(iter(self._courses))]
            self._courses[key] = count(changed, self._protocol, self._candidates(changed)), unmatched
        return self._courses[key]


def _same_pieces(one: Sequence[Piece], other: Sequence[Piece]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def correct(
    result: SectionResult,
    entries: Sequence[LoggedEdit],
    protocol: Protocol,
    findings: Callable[[], Findings],
) -> Corrected:
    """Apply the edits of a section to what was counted in it; see `Corrector`."""
    return Corrector(result, protocol, findings)(entries)


def reviewed_figures(result: SectionResult) -> dict[str, Any]:
    """What a review vouches for: the count, the evaluable length, and which crossings are counted."""
    return {
        "crossings": result.count,
        "evaluable_mm": round(result.lengths.evaluable_mm, _DIGITS) if result.lengths else None,
        "counted": sorted([round(c.row_px, 1), round(c.col_px, 1)] for c in result.crossings if c.counted),
    }


def _review(held: Sequence[LoggedEdit], result: SectionResult, unmatched: Sequence[int]) -> ReviewState:
    if unmatched:
        return ReviewState.NEEDS_REVIEW
    state, last = last_said(held)
    seen = (last.edit.after or {}).get("figures") if last is not None else None
    if state is ReviewState.REVIEWED and seen != reviewed_figures(result):
        return ReviewState.NEEDS_REVIEW
    return state


def _readers(held: Sequence[LoggedEdit], result: SectionResult) -> tuple[str, ...]:
    """Who has said `reviewed` of these figures, each person once, however the name was spaced."""
    figures = reviewed_figures(result)
    said = [
        e.who
        for e in held
        if e.edit.command is Command.REVIEW
        and (e.edit.after or {}).get("state") == ReviewState.REVIEWED
        and (e.edit.after or {}).get("figures") == figures
    ]
    return tuple({same_person(name): name for name in reversed(said)}.values())[::-1]


def last_said(held: Sequence[LoggedEdit]) -> tuple[ReviewState, LoggedEdit | None]:
    """What the standing entries of a section say of its review, and which of them says it last."""
    said = [e for e in held if e.edit.command in (Command.REVIEW, Command.REOPEN)]
    if not said:
        begun = any(e.edit.command in _OF_A_REVIEW for e in held)
        return ReviewState.IN_REVIEW if begun else ReviewState.UNREVIEWED, None
    last = said[-1]
    corrected = any(e.seq > last.seq and e.edit.command in OF_CROSSINGS | OF_GEOMETRY for e in held)
    if corrected or last.edit.command is Command.REOPEN:
        return ReviewState.NEEDS_REVIEW, last
    return ReviewState((last.edit.after or {})["state"]), last
