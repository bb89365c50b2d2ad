"""Why an object was decided as it was, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from ienfd.correction.commands import Command, Edit, LoggedEdit
from ienfd.reasons import REASONS
from ienfd.result import Crossing, Stretch
from ienfd.review.tour import SURE, is_doubtful

__all__ = ["explain_crossing", "explain_stretch", "said_of", "what_is_done", "where_it_is"]

_DONE = {
    Command.ADD_CROSSING: "added",
    Command.REMOVE_CROSSING: "removed",
    Command.MOVE_CROSSING: "moved",
    Command.EDIT_JUNCTION: "junction redrawn",
    Command.EXCLUDE_STRETCH: "stretch excluded",
    Command.INCLUDE_STRETCH: "stretch taken in",
    Command.EDIT_CASE: "case data changed",
    Command.MARK_CROSSING: "marked",
    Command.UNMARK_CROSSING: "mark taken away",
    Command.COMPARE_READERS: "blind reading compared",
    Command.REOPEN: "opened again",
    Command.SIGN: "signed",
    Command.UNDO: "undone",
    Command.REDO: "redone",
}
_STRETCHES = {
    "junction_low_confidence": "It is not certain where the junction runs here.",
    "cut_edge": "It is a cut end of the epidermis.",
    "appendage": "It is the mouth of a hair follicle or sweat duct.",
}
_VERDICTS = {"agreed": "agreed", "not_sure": "not sure"}


def explain_crossing(crossing: Crossing, number: int | None = None) -> list[str]:
    """What was decided of a candidate, by which rule and on which evidence; one sentence a line.

    Parameters
    ----------
    crossing : Crossing
        As it stands.
    number : int or None
        Its number in the section, when it is counted.
    """
    name = f"Crossing {number}" if number is not None else "Candidate"
    lines = [f"{name}, {'counted' if crossing.counted else 'not counted'}."]
    lines.append(REASONS[crossing.reason].text if crossing.reason in REASONS else crossing.reason)
    if crossing.fiber_id == crossing.crossing_id:  # added by a person: nothing was measured there
        return lines
    above, below = crossing.reach_epidermis_um, crossing.reach_dermis_um
    lines.append(f"Seen {above:.0f} um above and {below:.0f} um below the junction.")
    lines.append(f"Its contrast there is {crossing.contrast:.1f} times the noise.")
    if crossing.z_um is not None:
        lines.append(f"At a depth of {crossing.z_um:.1f} um.")
    lines.append(f"That a fiber crosses here: {crossing.confidence:.0%} sure.")
    if is_doubtful(crossing):
        lines.append(
            "Worth a second look." if crossing.confidence < SURE else "A matter of the counting rules."
        )
    return lines


def explain_stretch(stretch: Stretch) -> list[str]:
    """Why a stretch of the junction is not evaluated."""
    return [
        f"Not evaluated: {stretch.end_um - stretch.start_um:.0f} um of the junction.",
        _STRETCHES.get(stretch.reason, "A reviewer has excluded it."),
        "Neither its crossings nor its length are part of the density.",
    ]


def said_of(entries: Sequence[LoggedEdit]) -> list[str]:
    """What people did, each in a line: when, who, what, why."""
    return [_line(entry) for entry in entries]


def _line(entry: LoggedEdit) -> str:
    when = entry.at[:16].replace("T", " ")
    why = f" ({entry.edit.why})" if entry.edit.why else ""
    return f"{when} UTC  {entry.who}: {what_is_done(entry.edit)}{where_it_is(entry.edit)}{why}"


def where_it_is(edit: Edit) -> str:
    """The place of a crossing or mark, as in `, row 120, column 340`; empty for what has none."""
    place = {**(edit.after or {}), **(edit.before or {})}
    if "row_px" not in place:
        return ""
    return f", row {place['row_px']:.0f}, column {place['col_px']:.0f}"


def what_is_done(edit: Edit) -> str:
    """A command in a word or two."""
    after = edit.after or {}
    match edit.command:
        case Command.RECLASSIFY_CROSSING:
            return "counted" if after["counted"] else "not counted"
        case Command.ASSESS_CROSSING:
            return _VERDICTS[after["verdict"]]
        case Command.NOTE:
            return f"“{after['text']}”"
        case Command.REVIEW:
            return str(after["state"]).replace("_", " ")
        case command:
            return _DONE[command]
