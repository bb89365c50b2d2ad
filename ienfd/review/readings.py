"""A blind reading in the log: its marks, and where it ended."""

from __future__ import annotations

from collections.abc import Iterable

from ienfd.correction.commands import Command, LoggedEdit, of_reading, same_person, standing

__all__ = ["compared", "marks"]


def marks(log: Iterable[LoggedEdit], who: str) -> tuple[LoggedEdit, ...]:
    """The marks of a blind reader that stand."""
    held = standing(of_reading(log, who))
    gone = {e.edit.object_id for e in held if e.edit.command is Command.UNMARK_CROSSING}
    return tuple(e for e in held if e.edit.command is Command.MARK_CROSSING and e.edit.object_id not in gone)


def compared(log: Iterable[LoggedEdit], who: str) -> LoggedEdit | None:
    """The entry with which a blind reading ended: the first one, after which the reader is blind no more."""
    person = same_person(who)
    for entry in log:
        if entry.edit.command is Command.COMPARE_READERS and same_person(entry.who) == person:
            return entry
    return None
