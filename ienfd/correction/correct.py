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
from ienfd.correction.geometry import judged_anew, with_edit
from ienfd.counting import Candidates, find_all
from ienfd.density import count, with_crossings
from ienfd.protocol import Protocol
from ienfd.result import Findings, SectionResult

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


@dataclass(frozen=True, eq=False)
class _Course:
    """What follows from some corrections of the geometry.

    Parameters
    ----------
    key : tuple of int
        Their numbers.
    findings : Findings
        With them, before it is judged anew.
    lost : tuple of int
        Those whose place is no longer there.
    result : SectionResult
        Counted.
    """

    key: tuple[int, ...]
    findings: Findings
    lost: tuple[int, ...]
    result: SectionResult


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
        self._courses: dict[tuple[int, ...], _Course] = {}
        self._known: Candidates | None = None

    def warm_up(self) -> None:
        """Look for the candidates now, so that the first change of the geometry need not."""
        findings = self._findings()
        known = self._candidates(findings)
        if known is not None:
            known.network.fibers.prepare()
            count(findings, self._protocol, known)

    def _candidates(self, findings: Findings) -> Candidates | None:
        """Candidates of these junctions: what can have changed since the last is looked for again."""
        self._known = find_all(findings, self._protocol.counting, self._known)
        return self._known

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
            begun = next(
                (self._courses[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self._courses), None
            )
            findings, lost = (begun.findings, begun.lost) if begun else (self._findings(), ())
            for entry in edits[len(begun.key) if begun else 0 :]:
                changed = with_edit(findings, entry, self._protocol)
                findings, lost = (findings, (*lost, entry.seq)) if changed is None else (changed, lost)
            judged = judged_anew(findings, self._protocol)
            result = count(judged, self._protocol, self._candidates(judged))
            while len(self._courses) >= _KEPT_COURSES:
                del self._courses[next(iter(self._courses))]
            self._courses[key] = _Course(key, findings, lost, result)
        course = self._courses[key]
        return course.result, course.lost


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
