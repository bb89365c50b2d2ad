"""The presenter: what a reviewer can do, and what is shown of it, without any screen.

Every deed is an entry of the log, written before anything shows it. What is shown follows from the
sheet alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from psygnal import Signal

from ienfd.batch.reporting import file_signed
from ienfd.correction import commands
from ienfd.correction.commands import CHANGING, Edit, LoggedEdit, of_reading, redoable, undoable
from ienfd.correction.correct import ReviewState, reviewed_figures
from ienfd.correction.geometry import nearest_piece
from ienfd.errors import ConflictError, IenfdError
from ienfd.geometry import points_at
from ienfd.protocol import Protocol
from ienfd.reasons import REASONS
from ienfd.report.signing import obstacles, sign_biopsy
from ienfd.result import Crossing, FloatArray
from ienfd.review import picking, queue
from ienfd.review.blind import Comparison, compare, disagreements, past_comparison
from ienfd.review.concerns import Concern, concerns
from ienfd.review.desk import Desk
from ienfd.review.explain import said_of, what_is_done, where_it_is
from ienfd.review.picking import Selection
from ienfd.review.queue import QueueItem
from ienfd.review.readings import marks
from ienfd.review.sheet import Sheet
from ienfd.review.tour import neighbor, stops, unseen
from ienfd.review.waiting import garbage_waits
from ienfd.study.records import Placement
from ienfd.study.signing import SignOffKind

__all__ = ["CLOSE_UM", "Reviewer"]

CLOSE_UM = 160.0
"""From corneum to plexus."""

_SHORTEST_UM = 1.0


class Reviewer:
    """One person at the desk.

    Parameters
    ----------
    desk : Desk
        The study.
    name : str
        Who reviews; every edit bears this name.
    blind : bool
        Show nobody else's marks until the reading is compared.
    close_um : float
        Width of what is shown when the view flies to a candidate.
    ask : callable
        Asks the person for a sentence; returns an empty one when it is not given.
    confirm : callable
        Asks the person whether something that cannot be undone shall be done.
    """

    opened = Signal(object)
    changed = Signal(object)
    picked = Signal(object)
    flew = Signal(float, float, float)
    queue_changed = Signal()
    said = Signal(str)
    troubled = Signal(str)

    def __init__(
        self,
        desk: Desk,
        name: str,
        *,
        blind: bool = False,
        close_um: float = CLOSE_UM,
        ask: Callable[[str], str] = lambda _: "",
        confirm: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.desk = desk
        self.name = name
        self.blind = blind
        self.close_um = close_um
        self.ask = ask
        self.confirm = confirm
        self.shown: Callable[[], Sequence[QueueItem]] = lambda: desk.items
        self.item: QueueItem | None = None
        self.sheet: Sheet | None = None
        self.selection: Selection | None = None
        self.comparison: Comparison | None = None
        self.wrote = False

    # the queue

    def open(self, item: QueueItem) -> None:
        """Lay a section on the desk."""
        if not item.viewable:
            self.troubled.emit(f"{item.name}: there is nothing to show of it ({item.stage}).")
            return
        try:
            self.sheet = self.desk.sheet(item)
        except (IenfdError, LookupError) as error:
            self.troubled.emit(f"{item.name}: {error}")
            return
        self.item, self.selection = item, None
        self.comparison = past_comparison(self.sheet, self.name) if self.blind else None
        self.opened.emit(self.sheet)
        self.queue_changed.emit()

    def step(self, by: int) -> None:
        """Open the section before or after in the queue."""
        items = [item for item in self.shown() if item.viewable]
        keys = [item.key for item in items]
        here = keys.index(self.item.key) if self.item is not None and self.item.key in keys else -1
        place = max(here + by, 0) if here < 0 else here + by
        if 0 <= place < len(items):
            self.open(items[place])
        else:
            self.said.emit("That was the last section." if by > 0 else "That was the first section.")

    def following(self) -> tuple[Placement, Protocol] | None:
        """The section that is likely to be opened next, and its protocol, so that it can be prepared."""
        item = queue.next_to_look_at(self.shown(), self.item)
        entry = self.desk.entry(item) if item is not None else None
        if item is None or entry is None:
            return None
        return entry.placement, self.desk.content(item.row.case_id).protocols[entry.placement.protocol_hash]

    def open_next(self) -> None:
        """Open the next section that somebody has still to look at."""
        item = queue.next_to_look_at(self.shown(), self.item)
        if item is None:
            self.said.emit("There is no other section left to look at.")
        else:
            self.open(item)

    def refresh(self) -> None:
        """Show what others have done in the meantime."""
        try:
            self.desk.reload()
        except IenfdError as error:
            self.troubled.emit(f"{error.text}\n{error.remedy}".strip())
            return
        if self.item is not None:
            same = [item for item in self.desk.items if item.key == self.item.key]
            if same:
                self.open(same[0])
        self.queue_changed.emit()

    # what is picked

    @property
    def hides(self) -> bool:
        """Whether the marks of the program and of others are hidden."""
        return self.blind and self.comparison is None

    def pick_at(self, row_px: float, col_px: float, within_um: float = picking.REACH_UM) -> None:
        """Pick what lies at a place."""
        if self.sheet is None:
            return
        place = row_px, col_px
        mark = picking.mark_at(self.sheet, self.name, place, within_um) if self.blind else None
        found = None if self.hides else picking.pick(self.sheet, place, within_um)
        if mark is not None and (found is None or found.kind != "crossing" or self._is_open(mark)):
            found = mark
        self._pick(found)

    def _is_open(self, mark: Selection) -> bool:
        """Whether it has still to be decided what becomes of a blind mark."""
        if self.comparison is None or self.sheet is None:
            return True
        return any(one.object_id == mark.object_id for one in disagreements(self.comparison, self.sheet))

    def fly_to(self, concern: Concern) -> None:
        """Fly to what is noticed, and pick what lies there."""
        if concern.place_px is not None:
            self.pick_at(*concern.place_px)
            self.flew.emit(*concern.place_px, self.close_um)

    def tour(self, step: int = 1) -> None:
        """Fly to the next (or previous) stop of the tour; after a blind reading, to the disagreements."""
        if self.sheet is None:
            return
        if self.hides:
            self.said.emit("There is no tour for a blind reader: go along the junction.")
            return
        if self.comparison is not None:
            all_stops = disagreements(self.comparison, self.sheet)
        else:
            all_stops = [picking.of_crossing(c) for c in stops(self.sheet.result.crossings)]
        stop = neighbor(all_stops, self.selection, step)
        if stop is not None:
            self._fly(stop)
        elif self.comparison is not None:
            self.said.emit("Nothing is left on which both readings differ.")
        else:
            self.said.emit("This section has no candidate to look at.")

    def next_unseen(self) -> None:
        """Fly to the next stop that nobody has said anything of."""
        if self.sheet is None or self.hides:
            return
        all_stops = [picking.of_crossing(c) for c in stops(self.sheet.result.crossings)]
        left = unseen(all_stops, self.selection, self.sheet.verdicts())
        if left:
            self._fly(left[0])
        else:
            self.said.emit("Every stop of this section has been seen.")

    def explain(self) -> list[str]:
        """What is picked, and why it was decided so; one sentence a line."""
        return picking.explain(self.sheet, self.selection) if self.sheet is not None else []

    def concerns(self) -> tuple[Concern, ...]:
        """What does not look plausible; nothing for a blind reader."""
        return concerns(self.sheet) if self.sheet is not None and not self.hides else ()

    # what can be done to candidates

    def accept(self) -> None:
        """It crosses: count it, or agree that it is counted."""
        self._judge(True)

    def reject(self) -> None:
        """It does not cross: leave it out, or agree that it is left out."""
        self._judge(False)

    def not_sure(self) -> None:
        """Leave it as it is, and say that it is not certain."""
        crossing = self._picked_crossing()
        if crossing is not None:
            self._write([commands.assess_crossing(crossing, "not_sure")], then_on=True)

    def _judge(self, counts: bool) -> None:
        if self.sheet is None:
            return
        if self.comparison is not None and self.selection is not None and self.selection.kind == "mark":
            self._judge_mark(self.sheet, self.selection, counts)
            return
        crossing = self._picked_crossing()
        if crossing is None:
            return
        if crossing.counted is counts:
            edit = commands.assess_crossing(crossing, "agreed")
        else:
            edit = commands.reclassify_crossing(crossing, counts)
        if self._write([edit], then_on=True) and counts:
            self._say_if_not_counted(crossing.crossing_id)

    def _say_if_not_counted(self, crossing_id: str) -> None:
        """A crossing that a person counts is none where nothing is evaluated."""
        now = self.sheet.crossing(crossing_id) if self.sheet is not None else None
        if now is not None and not now.counted and now.reason in REASONS:
            self.said.emit(f"Written, but not counted: {REASONS[now.reason].text}")

    def _judge_mark(self, sheet: Sheet, picked: Selection, counts: bool) -> None:
        """Decide on what only the second reader has seen."""
        mark = next((m for m in marks(sheet.log, self.name) if m.edit.object_id == picked.object_id), None)
        if mark is None:
            return
        edits = [commands.assess_mark(mark, counts)]
        near = picking.nearest_crossing(sheet, picked.place_px)
        if near is not None and near.counted is not counts:
            edits.append(commands.reclassify_crossing(near, counts))
        elif near is None and counts:
            z_um = (mark.edit.after or {}).get("z_um")
            edits.append(commands.add_crossing(*picked.place_px, z_um, why="second reader"))
        self._write(edits, then_on=True)

    def add_at(self, row_px: float, col_px: float, z_um: float | None = None) -> None:
        """Add a crossing, or a blind mark."""
        if self.sheet is None:
            return
        if self.hides:
            edit = commands.mark_crossing(row_px, col_px, z_um)
        else:
            edit = commands.add_crossing(row_px, col_px, z_um)
        kind: Literal["mark", "crossing"] = "mark" if self.hides else "crossing"
        if self._write([edit]):
            self._pick(Selection(kind, str(edit.object_id), (row_px, col_px)))
            self._say_if_not_counted(str(edit.object_id))

    def move_to(self, row_px: float, col_px: float) -> None:
        """Move what is picked."""
        crossing = self._picked_crossing()
        if crossing is not None:
            self._write([commands.move_crossing(crossing, row_px, col_px)])

    def remove(self) -> None:
        """Take away what is picked: a crossing that is none, or a blind mark."""
        if self.sheet is None or self.selection is None:
            self.said.emit("Pick something first.")
            return
        if self.selection.kind == "mark":
            picked = self.selection.object_id
            own = [m for m in marks(self.sheet.log, self.name) if m.edit.object_id == picked]
            if own and self._write([commands.unmark_crossing(own[0])]):
                self._pick(None)
            return
        if self.selection.kind == "stretch":
            self._include_picked(self.sheet, self.selection)
            return
        crossing = self._picked_crossing()
        if crossing is not None:
            self._write([commands.remove_crossing(crossing)])

    def note(self, text: str) -> None:
        """Write a remark on what is picked, or on the section."""
        if self.sheet is None or not text.strip():
            return
        if self.hides:
            self.said.emit("A blind reader writes no remark that others read: compare first.")
            return
        text, picked = text.strip(), self.selection
        if picked is not None and picked.kind in ("stretch", "junction"):  # they have no lasting id
            text = f"at row {picked.place_px[0]:.0f}, column {picked.place_px[1]:.0f}: {text}"
        on = picked.object_id if picked is not None and picked.kind in ("crossing", "mark") else None
        self._write([commands.note(text, on)])

    # what can be done to the junction

    def exclude(self, start_px: Sequence[float], end_px: Sequence[float], why: str = "") -> None:
        """Leave a stretch of the junction out, from one place near it to another."""
        self._stretch(commands.exclude_stretch, start_px, end_px, why)

    def include(self, start_px: Sequence[float], end_px: Sequence[float], why: str = "") -> None:
        """Take a stretch of the junction in, whatever excluded it."""
        self._stretch(commands.include_stretch, start_px, end_px, why)

    @garbage_waits()
    def redraw_junction(self, piece: int, junction_px: FloatArray, why: str = "") -> None:
        """Give the junction of a piece another course."""
        if self.sheet is None:
            return
        present = self.sheet.result.findings.pieces[piece]
        try:
            edit = commands.edit_junction(present, junction_px, why)
        except ValueError as error:
            self.troubled.emit(f"{error}".capitalize() + ".")
            return
        self._write([edit])

    def _stretch(
        self, make: Callable[..., Edit], start_px: Sequence[float], end_px: Sequence[float], why: str
    ) -> None:
        if self.sheet is None:
            return
        pieces, size = self.sheet.result.findings.pieces, self.sheet.pixel_size_um
        ends = [nearest_piece(pieces, place) for place in (start_px, end_px)]
        if ends[0] is None or ends[1] is None or ends[0][0] != ends[1][0]:
            self.troubled.emit("Both ends of a stretch lie on the junction of one piece of epidermis.")
            return
        if abs(ends[1][1] - ends[0][1]) * size < _SHORTEST_UM:
            self.troubled.emit("That stretch has no length.")
            return
        on = points_at(pieces[ends[0][0]].junction_px, [ends[0][1], ends[1][1]])
        self._write([make(on[0], on[1], why)])

    def _include_picked(self, sheet: Sheet, picked: Selection) -> None:
        stretch = picking.stretches(sheet)[int(picked.object_id)]
        junction = sheet.result.findings.pieces[stretch.piece].junction_px
        ends = points_at(junction, np.array([stretch.start_um, stretch.end_um]) / sheet.pixel_size_um)
        if self._write([commands.include_stretch(ends[0], ends[1])]):
            self._pick(None)

    # the log

    def undo(self) -> None:
        """Take back the last thing that was done to this section."""
        entry = undoable(self._own_entries(), self.name)
        if entry is None:
            self.said.emit("There is nothing of yours to undo in this section.")
        elif self._write([commands.undo(entry)]):
            self.said.emit(f"Undone: {self._first_of(entry)}.")

    def redo(self) -> None:
        """Take back the last undo."""
        entry = redoable(self._own_entries(), self.name)
        if entry is None:
            self.said.emit("There is nothing of yours to redo in this section.")
        elif self._write([commands.redo(entry)]):
            self.said.emit(f"Done again: {self._first_of(entry)}.")

    def _own_entries(self) -> tuple[LoggedEdit, ...]:
        if self.sheet is None:
            return ()
        return of_reading(self.sheet.log, self.name if self.hides else None)

    def _first_of(self, entry: LoggedEdit) -> str:
        """What an undo or redo is about in the end, in words."""
        by_seq = {one.seq: one for one in (self.sheet.log if self.sheet else ())}
        while entry.edit.undoes in by_seq:
            entry = by_seq[entry.edit.undoes]
        return what_is_done(entry.edit)

    def set_review(self, state: ReviewState) -> None:
        """Say how far the review of this section has come."""
        if self.sheet is None:
            return
        if self.hides:
            self.said.emit("Compare your reading first.")
            return
        rules = self.sheet.entry.placement.rules_key
        edit = commands.review(state.value, reviewed_figures(self.sheet.result), rules_key=rules)
        if self._write([edit]):
            self.said.emit(f"This section is said to be: {state.replace('_', ' ')}.")

    def compare_readings(self) -> None:
        """End a blind reading: keep how far it agrees, and show both."""
        if self.sheet is None or not self.hides:
            return
        own = len(marks(self.sheet.log, self.name))
        marked = f"{own} mark{'' if own == 1 else 's'}"
        if not self.confirm(f"End this reading with {marked}? It can no longer be changed then."):
            return
        if self._write([commands.compare_readers(compare(self.sheet, self.name).figures())]):
            self.comparison, self.selection = past_comparison(self.sheet, self.name), None
            self.opened.emit(self.sheet)

    @property
    def is_signed(self) -> bool:
        """Whether the biopsy of this section is signed, changed since or not."""
        return self.item is not None and self.desk.is_signed(self.item)

    def signing_obstacles(self, why: str = "") -> list[str]:
        """What stands against signing the biopsy of this section."""
        if self.blind:
            return ["a blind reader does not sign: open the study without --blind"]
        if self.sheet is None or self.sheet.biopsy is None:
            return ["there is no biopsy to sign"]
        return obstacles(self.sheet.biopsy, why)

    def sign(
        self,
        name: str,
        why: str = "",
        kind: SignOffKind = "final",
        *,
        interpretation: str = "",
        comment: str = "",
    ) -> bool:
        """Sign the biopsy of this section and file its report; says why where that cannot be."""
        if self.sheet is None or self.sheet.biopsy is None or self.item is None:
            return False
        record, store = self.sheet.biopsy.record, self.desk.store
        try:
            signed = sign_biopsy(
                store, record.case_id, record.biopsy_id, name=name, why=why, kind=kind,
                interpretation=interpretation, comment=comment, seen=self.sheet.biopsy,
            )  # fmt: skip
        except IenfdError as error:
            self.troubled.emit(f"{error.text}\n{error.remedy}".strip())
            return False
        self.wrote = True
        self.refresh()
        said = f"Signed in ienfd ({kind}) by {signed.name}."
        try:
            self.said.emit(f"{said} Report: {file_signed(store, record.case_id, record.biopsy_id)}")
        except Exception as error:  # it is signed, whatever becomes of the document
            self.troubled.emit(f"{said} Its report could not be filed: {error}")
        return True

    @garbage_waits()
    def _write(self, edits: Sequence[Edit], *, then_on: bool = False) -> bool:
        """Write edits of this section; shows what follows from them. False when nothing was written."""
        if self.sheet is None or self.item is None:
            return False
        edits = self._with_reasons(edits)
        if not edits:
            return False
        try:
            self.sheet = self.desk.write(self.item, self.sheet, edits, self.name)
        except ConflictError as error:
            theirs = said_of(error.since)
            self.sheet = self.desk.fresh(self.item, self.sheet)
            self._show()
            self.troubled.emit(_conflict_words(theirs, edits))
            return False
        except IenfdError as error:
            self.troubled.emit(f"{error.text}\n{error.remedy}".strip())
            return False
        self.wrote = True
        self._show()
        if then_on:
            self.tour() if self.comparison is not None else self.next_unseen()
        return True

    def _with_reasons(self, edits: Sequence[Edit]) -> Sequence[Edit]:
        """Edits of what is signed get the reason that they need; none at all when it is not given."""
        if not self.is_signed or all(edit.command not in CHANGING or edit.why.strip() for edit in edits):
            return edits
        why = self.ask("This biopsy is signed. Why is it changed?").strip()
        if not why:
            self.said.emit("Nothing was changed: a change of what is signed needs a reason.")
            return ()
        return [replace(edit, why=edit.why or why) for edit in edits]

    def _show(self) -> None:
        self.selection = self._still_picked()
        self.changed.emit(self.sheet)
        self.queue_changed.emit()
        self.picked.emit(self.selection)

    def _pick(self, selection: Selection | None) -> None:
        self.selection = selection
        self.picked.emit(selection)

    def _still_picked(self) -> Selection | None:
        """What is picked, where it lies now; None when it is gone."""
        picked, sheet = self.selection, self.sheet
        if picked is None or sheet is None:
            return None
        if picked.kind == "crossing":
            crossing = sheet.crossing(picked.object_id)
            return picking.of_crossing(crossing) if crossing is not None else None
        if picked.kind == "mark":
            own = [picking.of_mark(one) for one in marks(sheet.log, self.name)]
            return next((one for one in own if one.object_id == picked.object_id), None)
        there = picking.pick(sheet, picked.place_px)
        return there if there is not None and there.kind == picked.kind else None

    def _picked_crossing(self) -> Crossing | None:
        crossing = None
        if self.sheet is not None and self.selection is not None and self.selection.kind == "crossing":
            crossing = self.sheet.crossing(self.selection.object_id)
        if crossing is None:
            self.said.emit("Pick a candidate first: click on it, or take the tour.")
        return crossing

    def _fly(self, stop: Selection) -> None:
        self._pick(stop)
        self.flew.emit(*stop.place_px, self.close_um)


def _conflict_words(theirs: Sequence[str], own: Sequence[Edit]) -> str:
    """Both versions: what somebody else did first, and what was not written."""
    mine = "; ".join(f"{what_is_done(edit)}{where_it_is(edit)}" for edit in own)
    said = ["Somebody else has just changed this section:", *theirs]
    return "\n".join([*said, f"Not written: {mine}. Look, and repeat it if you still want it."])
