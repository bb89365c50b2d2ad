"""The commands with which a person corrects a study, each as one value that a log can keep.

A command says what it is about, what stood there before, and what shall stand there after. Positions
are (row, col) in pixels of the full-resolution image, depths in micrometers; both are rounded to a
hundredth, as everything that a study stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

import numpy as np

from ienfd.geometry import common_ends
from ienfd.result import Crossing, FloatArray, Piece

__all__ = [
    "ALTERING",
    "BLIND",
    "CHANGING",
    "HARMLESS",
    "Command",
    "Edit",
    "LoggedEdit",
    "add_crossing",
    "assess_crossing",
    "assess_mark",
    "compare_readers",
    "edit_case",
    "edit_junction",
    "exclude_stretch",
    "first_done",
    "include_stretch",
    "mark_crossing",
    "move_crossing",
    "note",
    "of_reading",
    "reclassify_crossing",
    "redo",
    "redoable",
    "remove_crossing",
    "reopen",
    "review",
    "rounded_px",
    "same_person",
    "standing",
    "undo",
    "undoable",
    "unmark_crossing",
]

_PLACES = 2
REVIEW_STATES = ("in_review", "reviewed", "needs_second_reader")
VERDICTS = ("agreed", "not_sure")


class Command(StrEnum):
    """What a person can do."""

    ADD_CROSSING = "add_crossing"
    REMOVE_CROSSING = "remove_crossing"
    MOVE_CROSSING = "move_crossing"
    RECLASSIFY_CROSSING = "reclassify_crossing"
    ASSESS_CROSSING = "assess_crossing"
    EDIT_JUNCTION = "edit_junction"
    EXCLUDE_STRETCH = "exclude_stretch"
    INCLUDE_STRETCH = "include_stretch"
    NOTE = "note"
    MARK_CROSSING = "mark_crossing"
    UNMARK_CROSSING = "unmark_crossing"
    COMPARE_READERS = "compare_readers"
    REVIEW = "review"
    REOPEN = "reopen"
    EDIT_CASE = "edit_case"
    SIGN = "sign"
    UNDO = "undo"
    REDO = "redo"


OF_CROSSINGS = frozenset(
    {Command.ADD_CROSSING, Command.REMOVE_CROSSING, Command.MOVE_CROSSING, Command.RECLASSIFY_CROSSING}
)
OF_GEOMETRY = frozenset({Command.EDIT_JUNCTION, Command.EXCLUDE_STRETCH, Command.INCLUDE_STRETCH})
CHANGING = OF_CROSSINGS | OF_GEOMETRY | {Command.EDIT_CASE, Command.UNDO, Command.REDO}
"""What changes, or may change, a result."""

ALTERING = CHANGING | {Command.REOPEN}
"""What takes a signed result back to a preliminary one."""

HARMLESS = frozenset({Command.NOTE, Command.COMPARE_READERS})
"""What changes nothing, so that nobody need have seen it."""

BLIND = frozenset({Command.MARK_CROSSING, Command.UNMARK_CROSSING})
"""What a second reader does who sees nobody else's marks; it changes no result."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Edit:
    """One command before it is logged.

    Parameters
    ----------
    command : Command
        What is done.
    object_id : str or None
        The crossing or stretch that it is done to.
    before, after : mapping or None
        What stood there and what shall stand there, in JSON's types, with geometry.
    why : str
        The person's reason.
    undoes : int or None
        Number of the entry that is taken back (undo) or whose taking back is taken back (redo).
    """

    command: Command
    object_id: str | None = None
    before: Values | None = None
    after: Values | None = None
    why: str = ""
    undoes: int | None = None


@dataclass(frozen=True)
class LoggedEdit:
    """An entry of the log.

    Parameters
    ----------
    seq : int
        Its number in the study, from 1, without gaps.
    edit : Edit
        What was done.
    at : str
        When, UTC in ISO 8601.
    who, account : str
        The name that was given; the account and the machine it was done from.
    case_id, biopsy_id, section_id, analysis_id : str or None
        What it is about: a section under an analysis, or a biopsy.
    base_seq : int
        The last entry about the same thing that the person had seen.
    prev_hash, hash : str
        Hash of the entry before, and of this one.
    """

    seq: int
    edit: Edit
    at: str
    who: str
    account: str
    case_id: str | None
    biopsy_id: str | None
    section_id: str | None
    analysis_id: str | None
    base_seq: int
    prev_hash: str
    hash: str


def add_crossing(row_px: float, col_px: float, z_um: float | None = None, why: str = "") -> Edit:
    """A crossing that the program did not find."""
    return Edit(Command.ADD_CROSSING, str(uuid4()), None, _place(row_px, col_px, z_um), why)


def remove_crossing(crossing: Crossing, why: str = "") -> Edit:
    """A crossing that is none; it stays in the tables as excluded."""
    return Edit(Command.REMOVE_CROSSING, crossing.crossing_id, _standing_place(crossing), None, why)


def move_crossing(
    crossing: Crossing, row_px: float, col_px: float, z_um: float | None = None, why: str = ""
) -> Edit:
    """A crossing that lies elsewhere."""
    after = _place(row_px, col_px, crossing.z_um if z_um is None else z_um)
    return Edit(Command.MOVE_CROSSING, crossing.crossing_id, _standing_place(crossing), after, why)


def reclassify_crossing(crossing: Crossing, counted: bool, why: str = "") -> Edit:
    """A candidate that a person counts, or does not count."""
    return Edit(
        Command.RECLASSIFY_CROSSING,
        crossing.crossing_id,
        _standing_place(crossing),
        {"counted": counted},
        why,
    )


def assess_crossing(crossing: Crossing, verdict: str, why: str = "") -> Edit:
    """A candidate that a person has looked at and left as it is.

    Parameters
    ----------
    crossing : Crossing
        As it stands.
    verdict : {"agreed", "not_sure"}
        Whether the person agrees.
    why : str
        The person's reason.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"{verdict!r} is none of {', '.join(VERDICTS)}")
    after = {"verdict": verdict, "counted": crossing.counted}
    return Edit(Command.ASSESS_CROSSING, crossing.crossing_id, _standing_place(crossing), after, why)


def mark_crossing(row_px: float, col_px: float, z_um: float | None = None) -> Edit:
    """A crossing that a blind reader sees."""
    return Edit(Command.MARK_CROSSING, str(uuid4()), None, _place(row_px, col_px, z_um))


def unmark_crossing(mark: LoggedEdit) -> Edit:
    """A blind reader's mark taken away; `mark` is the entry that set it."""
    return Edit(Command.UNMARK_CROSSING, mark.edit.object_id, mark.edit.after, None)


def assess_mark(mark: LoggedEdit, counts: bool) -> Edit:
    """What two readers agreed on for a crossing that only the second one saw; `mark` set it."""
    after = {"verdict": "agreed", "counted": counts}
    return Edit(Command.ASSESS_CROSSING, mark.edit.object_id, mark.edit.after, after)


def compare_readers(figures: Values) -> Edit:
    """The end of a blind reading: its marks beside the crossings as they stand.

    Parameters
    ----------
    figures : mapping
        How far the two agree, in JSON's types.
    """
    return Edit(Command.COMPARE_READERS, None, None, dict(figures))


def edit_junction(piece: Piece, junction_px: FloatArray, why: str = "") -> Edit:
    """Another course of the junction of one piece, with the epidermis on its left.

    Only the part that differs is said, from the last point that stays to the first that stays again, so
    that it can be taken back, or found again, whatever else has been drawn elsewhere.

    Raises
    ------
    ValueError
        If it has fewer than two different points.
    """
    before, after = _curve(piece.junction_px), _curve(junction_px)
    if not (after != after[:1]).any():
        raise ValueError("a junction needs at least two different points")
    head, tail = common_ends(before, after)
    first, left = max(head - 1, 0), max(tail - 1, 0)
    part, drawn = before[first : len(before) - left], after[first : len(after) - left]
    reaches = [first == 0, left == 0]
    return Edit(
        Command.EDIT_JUNCTION,
        None,
        {"junction_px": part.tolist(), "reaches_end": reaches},
        {"junction_px": drawn.tolist()},
        why,
    )


def exclude_stretch(start_px: Sequence[float], end_px: Sequence[float], why: str = "") -> Edit:
    """A stretch of the junction, between two places near it, that is not evaluated."""
    return Edit(Command.EXCLUDE_STRETCH, str(uuid4()), None, _ends(start_px, end_px), why)


def include_stretch(start_px: Sequence[float], end_px: Sequence[float], why: str = "") -> Edit:
    """A stretch of the junction that is evaluated, whatever excluded it."""
    return Edit(Command.INCLUDE_STRETCH, str(uuid4()), None, _ends(start_px, end_px), why)


def note(text: str, object_id: str | None = None) -> Edit:
    """A remark on a section, or on one object of it."""
    return Edit(Command.NOTE, object_id, None, {"text": text})


def review(state: str, figures: Values, why: str = "", rules_key: str = "") -> Edit:
    """How far the review of a section has come.

    Parameters
    ----------
    state : {"in_review", "reviewed", "needs_second_reader"}
        Where it stands.
    figures : mapping
        `reviewed_figures` of the result that the person saw: when they no longer hold, the section
        needs another look.
    why : str
        The person's reason.
    rules_key : str
        The counting rules under which it was seen; counted by others, it needs another look.
    """
    if state not in REVIEW_STATES:
        raise ValueError(f"{state!r} is none of {', '.join(REVIEW_STATES)}")
    after = {"state": state, "figures": dict(figures), **({"rules_key": rules_key} if rules_key else {})}
    return Edit(Command.REVIEW, None, None, after, why)


def reopen(why: str) -> Edit:
    """A section that is to be reviewed again."""
    return Edit(Command.REOPEN, why=why)


def edit_case(before: Values, after: Values, why: str) -> Edit:
    """Case data that the case table gives otherwise: `age_years`, `sex`, `site`, `side` ..."""
    return Edit(Command.EDIT_CASE, None, dict(before), dict(after), why)


def undo(entry: LoggedEdit, why: str = "") -> Edit:
    """Take an entry back."""
    return Edit(Command.UNDO, entry.edit.object_id, entry.edit.after, entry.edit.before, why, entry.seq)


def redo(entry: LoggedEdit, why: str = "") -> Edit:
    """Take back that an entry was taken back; `entry` is the undo."""
    return Edit(Command.REDO, entry.edit.object_id, entry.edit.after, entry.edit.before, why, entry.seq)


def standing(entries: Iterable[LoggedEdit]) -> tuple[LoggedEdit, ...]:
    """The entries that hold: neither taken back, nor only about taking back.

    Parameters
    ----------
    entries : iterable of LoggedEdit
        In the order of the log; an undo and what it takes back are both among them.
    """
    return tuple(e for e in _in_force(entries) if e.edit.undoes is None)


def first_done(entry: LoggedEdit, by_seq: Mapping[int, LoggedEdit]) -> LoggedEdit:
    """What an undo or a redo is about in the end; every other entry is about itself."""
    while entry.edit.undoes is not None and entry.edit.undoes in by_seq:
        entry = by_seq[entry.edit.undoes]
    return entry


def of_reading(entries: Iterable[LoggedEdit], who: str | None) -> tuple[LoggedEdit, ...]:
    """The entries of one blind reader or, without one, of the review that all see.

    An undo belongs to what it takes back.
    """
    every = list(entries)
    by_seq = {entry.seq: entry for entry in every}

    def belongs(entry: LoggedEdit) -> bool:
        done = first_done(entry, by_seq)
        if who is None:
            return done.edit.command not in BLIND
        return done.edit.command in BLIND and same_person(done.who) == same_person(who)

    return tuple(entry for entry in every if belongs(entry))


def undoable(entries: Iterable[LoggedEdit], who: str | None = None) -> LoggedEdit | None:
    """What an undo takes back now: the last thing done or redone.

    Parameters
    ----------
    entries : iterable of LoggedEdit
        In the order of the log.
    who : str, optional
        Only what this person did: nobody takes back another's work by a key.

    Notes
    -----
    A signature is not taken back, but withdrawn; a comparison of two readings stays as it was.
    """
    every = _of_person(entries, who)
    kept = (Command.UNDO, Command.COMPARE_READERS)
    done = [e for e in _in_force(every) if e.edit.command not in kept]
    return done[-1] if done and done[-1].edit.command is not Command.SIGN else None


def redoable(entries: Iterable[LoggedEdit], who: str | None = None) -> LoggedEdit | None:
    """The undo that a redo takes back now; None once something else was done after it."""
    every = _of_person(entries, who)
    last = max((e.seq for e in every if e.edit.undoes is None), default=0)
    undone = [e for e in _in_force(every) if e.edit.command is Command.UNDO and e.seq > last]
    return undone[-1] if undone else None


def same_person(name: str) -> str:
    """A name as it is compared with others: neither case nor blanks tell two people apart."""
    return " ".join(name.split()).casefold()


def _of_person(entries: Iterable[LoggedEdit], who: str | None) -> list[LoggedEdit]:
    """Entries about what one person did."""
    every = list(entries)
    by_seq = {entry.seq: entry for entry in every}
    return [
        entry
        for entry in every
        if who is None or same_person(first_done(entry, by_seq).who) == same_person(who)
    ]


def _in_force(entries: Iterable[LoggedEdit]) -> list[LoggedEdit]:
    """Entries that no other entry in force takes back."""
    taken_back: set[int] = set()
    held = []
    for entry in reversed(list(entries)):  # whatever takes an entry back comes later, and is known by then
        if entry.seq in taken_back:
            continue
        held.append(entry)
        if entry.edit.undoes is not None:
            taken_back.add(entry.edit.undoes)
    return held[::-1]


def _place(row_px: float, col_px: float, z_um: float | None) -> dict[str, Any]:
    return {
        "row_px": round(float(row_px), _PLACES),
        "col_px": round(float(col_px), _PLACES),
        "z_um": None if z_um is None else round(float(z_um), _PLACES),
    }


def _standing_place(crossing: Crossing) -> dict[str, Any]:
    place = _place(crossing.row_px, crossing.col_px, crossing.z_um)
    return {**place, "counted": crossing.counted, "reason": crossing.reason}


def rounded_px(points_px: FloatArray) -> FloatArray:
    """Points as the log says them."""
    return np.asarray(np.round(points_px, _PLACES), dtype=np.float64)


def _curve(points_px: FloatArray) -> FloatArray:
    """(N, 2) points as they are said."""
    points = rounded_px(points_px)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("a curve is an (N, 2) array of finite numbers")
    return points


def _ends(start_px: Sequence[float], end_px: Sequence[float]) -> dict[str, Any]:
    return {
        "start_px": [round(float(value), _PLACES) for value in start_px],
        "end_px": [round(float(value), _PLACES) for value in end_px],
    }
