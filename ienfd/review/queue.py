"""The queue: every section of a study, how far its review has come, and in which order to take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ienfd.correction.commands import CHANGING, Command, LoggedEdit
from ienfd.correction.correct import ReviewState
from ienfd.report.entries import SectionEntry
from ienfd.report.summary import review_of
from ienfd.review.readings import compared
from ienfd.study.records import Standing

__all__ = [
    "QueueItem",
    "Stage",
    "by_uncertainty",
    "filtered",
    "make_queue",
    "next_to_look_at",
    "progress_of",
    "stage_of",
]


class Stage(StrEnum):
    """How far a section has come, in the words of the queue."""

    NEW = "new"
    IN_REVIEW = "in review"
    NEEDS_REVIEW = "needs another look"
    SECOND_READER = "second reader"
    REVIEWED = "reviewed"
    SIGNED = "signed"
    CHANGED = "changed after signing"
    TO_READ = "to read"
    COMPARED = "read and compared"
    REFUSED = "refused"
    FAILED = "failed"
    PENDING = "not analyzed yet"


_OF_REVIEW = {
    ReviewState.UNREVIEWED: Stage.NEW,
    ReviewState.IN_REVIEW: Stage.IN_REVIEW,
    ReviewState.NEEDS_REVIEW: Stage.NEEDS_REVIEW,
    ReviewState.NEEDS_SECOND_READER: Stage.SECOND_READER,
    ReviewState.REVIEWED: Stage.REVIEWED,
}
_OPEN = frozenset({Stage.TO_READ, Stage.NEW, Stage.IN_REVIEW, Stage.NEEDS_REVIEW, Stage.SECOND_READER})


@dataclass(frozen=True)
class QueueItem:
    """One section of one file.

    Parameters
    ----------
    row : Standing
        How its analysis ended.
    stage : Stage
        How far it has come.
    """

    row: Standing
    stage: Stage

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What tells it from all others, in the order of the queue."""
        return self.row.root, self.row.path, self.row.scene, self.row.region

    @property
    def name(self) -> str:
        """File, and its scene where it has several."""
        return f"{self.row.path}, scene {self.row.scene}" if self.row.scene else self.row.path

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to look at it."""
        return self.stage in _OPEN

    @property
    def viewable(self) -> bool:
        """Whether there is anything to show."""
        return self.row.analysis_id is not None and self.row.section_id is not None


def make_queue(
    rows: Iterable[Standing],
    of_section: Mapping[str, Sequence[LoggedEdit]],
    signed: Mapping[tuple[str, str], bool],
    blind_reader: str | None = None,
) -> tuple[QueueItem, ...]:
    """All sections, those of a case and biopsy together.

    Parameters
    ----------
    rows : iterable of Standing
        From the store.
    of_section : mapping of str to sequence of LoggedEdit
        Entries of the log by section.
    signed : mapping of (str, str) to bool
        Case and biopsy of those that are signed, and whether they still are what was signed.
    blind_reader : str, optional
        Who reads blind: then the stages are those of this reading alone.
    """
    items = []
    for row in rows:
        entries = of_section.get(row.section_id or "", ())
        if blind_reader is None:
            stage = stage_of(row, entries, signed.get((row.case_id, row.biopsy_id)) if row.listed else None)
        else:
            stage = stage_of_reading(row, entries, blind_reader)
        items.append(QueueItem(row, stage))
    return tuple(sorted(items, key=lambda item: (item.row.case_id, item.row.biopsy_id, item.key)))


def stage_of(row: Standing, entries: Sequence[LoggedEdit], signed: bool | None) -> Stage:
    """How far a section has come, as far as its row and the log tell.

    Parameters
    ----------
    row : Standing
        Its row.
    entries : sequence of LoggedEdit
        Everything that the log says about it.
    signed : bool or None
        Whether its biopsy still is what was signed; None where it is not signed.
    """
    if row.status in ("failed", "pending"):
        return Stage(row.status) if row.status == "failed" else Stage.PENDING
    stage = _OF_REVIEW[review_of(row, entries)]
    if stage is Stage.REVIEWED and signed is not None:
        return Stage.SIGNED if signed else Stage.CHANGED
    if row.status == "refused" and stage is Stage.NEW:
        return Stage.REFUSED
    return stage


def stage_of_reading(row: Standing, entries: Sequence[LoggedEdit], who: str) -> Stage:
    """How far a blind reader has come with a section; what others did is not told."""
    if row.status in ("failed", "pending"):
        return Stage(row.status) if row.status == "failed" else Stage.PENDING
    return Stage.COMPARED if compared(entries, who) is not None else Stage.TO_READ


def filtered(items: Iterable[QueueItem], text: str = "", only_open: bool = False) -> tuple[QueueItem, ...]:
    """Items whose file, case, biopsy or stage holds all words of `text`."""
    words = text.casefold().split()

    def matches(item: QueueItem) -> bool:
        said = " ".join([item.name, item.row.case_id, item.row.biopsy_id, item.stage]).casefold()
        return all(word in said for word in words) and (item.is_open or not only_open)

    return tuple(item for item in items if matches(item))


def next_to_look_at(items: Sequence[QueueItem], after: QueueItem | None) -> QueueItem | None:
    """The first open item that can be shown, from the one after `after` on, round the whole queue."""
    keys = [item.key for item in items]
    start = keys.index(after.key) + 1 if after is not None and after.key in keys else 0
    for item in (*items[start:], *items[:start]):
        if item.is_open and item.viewable and (after is None or item.key != after.key):
            return item
    return None


def by_uncertainty(
    items: Sequence[QueueItem], entries: Mapping[tuple[str, str, int, int], SectionEntry | None]
) -> tuple[QueueItem, ...]:
    """Items whose result is least certain first; those without a result last.

    Notes
    -----
    A candidate that is a crossing with probability p adds p (1 - p) to the variance of the count; the
    square root of the sum, by the length, is how far the density may be off by wrong decisions alone.
    """

    def doubt(item: QueueItem) -> float:
        entry = entries.get(item.key)
        if entry is None or entry.result is None or entry.result.lengths is None:
            return -1.0
        variance = sum(c.confidence * (1.0 - c.confidence) for c in entry.result.crossings)
        return float(variance**0.5 / max(entry.result.lengths.evaluable_mm, 1e-9))

    return tuple(sorted(items, key=lambda item: -doubt(item)))


def progress_of(items: Sequence[QueueItem], log: Iterable[LoggedEdit], who: str, day: str) -> str:
    """How far the queue has come, and what a person has done in it on a day.

    Parameters
    ----------
    items : sequence of QueueItem
        The queue.
    log : iterable of LoggedEdit
        Everything that was done in the study.
    who : str
        The person.
    day : str
        The day in UTC, in ISO 8601.
    """
    ended = (Stage.REVIEWED, Stage.SIGNED, Stage.CHANGED, Stage.COMPARED)
    done, left = sum(item.stage in ended for item in items), sum(item.is_open for item in items)
    today = [e for e in log if e.who == who and e.at.startswith(day)]
    reviewed = {e.section_id for e in today if _ends_review(e)}
    edits = sum(e.edit.command in CHANGING for e in today)
    return f"{done} of {done + left} reviewed. Today: {len(reviewed)} reviewed, {edits} corrections."


def _ends_review(entry: LoggedEdit) -> bool:
    said = (entry.edit.after or {}).get("state")
    return entry.edit.command is Command.REVIEW and said == ReviewState.REVIEWED
