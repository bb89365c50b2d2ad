"""Whatever a reviewer does in whatever order: model, layers and store say the same after every step.

IENFD_REVIEW_SEQUENCES is the number of sequences that are drawn; 1,000 are a full trial.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from napari.components import ViewerModel
from review_scenes import (
    APPROACHING,
    DOUBTFUL,
    FAINT,
    PROTOCOL,
    SIZE,
    Fiber,
    at,
    go_to,
    reviewer_of,
    sheet_of,
    skin,
    slide,
    study,
)

from ienfd.correction.commands import BLIND
from ienfd.correction.correct import Corrected, ReviewState, correct
from ienfd.density import count
from ienfd.geometry import points_at
from ienfd.result import Crossing, Findings
from ienfd.review.canvas import Canvas
from ienfd.review.deeds import deed
from ienfd.review.desk import Desk
from ienfd.review.drawing import bent, handles, with_stretch
from ienfd.review.layers import FiberLines, crossing_marks, excluded_areas, junction_segments
from ienfd.review.picking import stretches
from ienfd.review.reviewer import Reviewer
from ienfd.review.sheet import Sheet
from ienfd.study.log import Target
from ienfd.study.store import Store
from ienfd.study.verify import check_store

SEQUENCES = int(os.environ.get("IENFD_REVIEW_SEQUENCES", "7"))
STEPS = 25

OF_ITS_PLACE = ("excluded_stretch", "section_refused")
"""Why what a person counts is not counted all the same."""

NAME = "A. Reader"
ALONG = st.integers(0, 399)
BESIDE = st.integers(-12, 12)
WHICH = st.integers(0, 20)


def in_two_pieces() -> Findings:
    """The junction is torn between 190 and 210 um."""
    found = skin([Fiber(50), Fiber(150), Fiber(250), Fiber(254), DOUBTFUL, FAINT, APPROACHING])
    (whole,) = found.pieces
    along = whole.junction_px[:, 1] * SIZE
    parts = [
        replace(whole, surface_px=whole.surface_px[part], junction_px=whole.junction_px[part],
                junction_confidence=whole.junction_confidence[part])
        for part in (along < 190, along > 210)
    ]  # fmt: skip
    return replace(found, pieces=tuple(parts))


SLIDE = slide(findings=in_two_pieces())


@cache
def template() -> TemporaryDirectory[str]:
    """A study to be copied: making one takes longer than a sequence of edits."""
    folder = TemporaryDirectory()
    with study(Path(folder.name), SLIDE):
        pass
    return folder


def state(of: Corrected) -> tuple[Any, ...]:
    """Everything that corrections decide."""
    result = of.result
    return (
        tuple(sorted(map(_crossing, result.crossings))),
        result.status, result.density_per_mm, result.density_low_per_mm, result.lengths,
        result.findings.exclusions,
        tuple((p.junction_px.tobytes(), p.junction_confidence.tobytes()) for p in result.findings.pieces),
        of.edits, of.review, of.unmatched, of.readers,
    )  # fmt: skip


def _crossing(one: Crossing) -> tuple[Any, ...]:
    return one.crossing_id, one.counted, one.reason, one.row_px, one.col_px, one.piece, one.origin


class Sequences(RuleBasedStateMachine):
    """One person before one section, who starts the program anew now and then, and others beside."""

    def __init__(self) -> None:
        super().__init__()
        self._room = TemporaryDirectory()
        folder = Path(self._room.name) / "study"
        copytree(Path(template().name) / "study", folder)
        self.store = Store(folder)
        self.viewer = ViewerModel()
        self.canvas = self.started()
        self.base = count(self.sheet.findings, PROTOCOL)
        self.done: list[int] = []  # what this person did and can undo: numbers of entries
        self.undone: list[int] = []  # and what can be done again
        self.gone: list[int] = []  # and what cannot, as something else was done since

    def teardown(self) -> None:
        self.canvas.close()
        assert [*self.viewer.layers] == []
        self.store.close()
        self._room.cleanup()

    def started(self) -> Canvas:
        canvas = Canvas(self.viewer, Reviewer(Desk(self.store), NAME))
        go_to(canvas.reviewer, SLIDE.path)
        return canvas

    @rule()
    def start_the_program_anew(self) -> None:
        before = state(self.sheet.corrected)
        self.canvas.close()
        self.canvas = self.started()
        assert state(self.sheet.corrected) == before

    @property
    def reviewer(self) -> Reviewer:
        return self.canvas.reviewer

    @property
    def sheet(self) -> Sheet:
        return sheet_of(self.reviewer)

    def own(self) -> list[int]:
        """Numbers of what this person did, undo and redo aside."""
        return [e.seq for e in self.sheet.log if e.who == NAME and e.edit.undoes is None]

    def told(self) -> tuple[Any, ...]:
        """What is to be expected: everything that anybody did, without what this person has undone."""
        plain = [e for e in self.sheet.log if e.edit.undoes is None and e.edit.command not in BLIND]
        held = [e for e in plain if e.seq not in (*self.undone, *self.gone)]
        return state(correct(self.base, held, PROTOCOL, lambda: self.base.findings))

    def do(self, name: str, act: Callable[[], None]) -> None:
        """Something that may write an entry."""
        before, own, length = state(self.sheet.corrected), self.own(), len(self.sheet.log)
        act()
        new = [seq for seq in self.own() if seq not in own]
        note(f"{name}: {len(new)} new, {len(self.sheet.result.crossings)} candidates")
        assert len(new) <= 1
        if new:
            self.done += new
            self.undone_for_good()
        elif len(self.sheet.log) == length:
            assert state(self.sheet.corrected) == before

    def undone_for_good(self) -> None:
        """What was undone can no longer be done again."""
        self.gone += self.undone
        self.undone.clear()

    def point(self, along: int, below: int) -> None:
        row, col = at(along, below)
        self.viewer.cursor.position = (row * SIZE, col * SIZE)

    def sheet_crossing(self, of: Corrected, crossing_id: str) -> Crossing | None:
        return next((one for one in of.result.crossings if one.crossing_id == crossing_id), None)

    def pick(self, which: int) -> None:
        """Click at one of the candidates."""
        every = self.sheet.result.crossings
        if every:
            one = every[which % len(every)]
            self.canvas.click((one.row_px, one.col_px))

    # what is done to candidates

    @rule(which=WHICH, name=st.sampled_from(["accept", "reject", "not_sure", "remove", "move"]))
    def judge(self, which: int, name: str) -> None:
        self.pick(which)
        self.judge_what_is_picked(name)

    @rule(name=st.sampled_from(["accept", "reject", "not_sure", "remove", "move"]))
    def judge_what_is_picked(self, name: str) -> None:
        picked, before = self.reviewer.selection, self.sheet.corrected
        self.do(name, lambda: deed(name).do(self.canvas))
        if picked is None or picked.kind != "crossing":
            return
        now, former = self.sheet.crossing(picked.object_id), self.sheet_crossing(before, picked.object_id)
        assert now is not None
        assert self.sheet.corrected.unmatched == before.unmatched
        match name:
            case "accept":
                assert now.counted or now.reason in OF_ITS_PLACE
            case "reject" | "remove":
                assert not now.counted
            case "not_sure":
                assert now == former
            case "move":
                place = self.canvas.pointer
                assert (now.row_px, now.col_px) == (round(place[0], 2), round(place[1], 2))

    @rule(along=ALONG, below=BESIDE)
    def add(self, along: int, below: int) -> None:
        self.point(along, below)
        self.do("add", lambda: deed("add").do(self.canvas))

    @rule(which=WHICH, along=ALONG, below=BESIDE)
    def move(self, which: int, along: int, below: int) -> None:
        self.pick(which)
        self.point(along, below)
        self.judge_what_is_picked("move")

    @rule(along=ALONG, below=BESIDE)
    def click(self, along: int, below: int) -> None:
        self.do("click", lambda: self.canvas.click(at(along, below)))

    @rule(name=st.sampled_from(["next", "back", "unseen", "marks", "overview", "cancel"]))
    def look(self, name: str) -> None:
        self.do(name, lambda: deed(name).do(self.canvas))

    # what is done to the junction

    @rule(start=ALONG, end=ALONG, below=BESIDE, name=st.sampled_from(["exclude", "include"]))
    def stretch(self, start: int, end: int, below: int, name: str) -> None:
        deed("cancel").do(self.canvas)
        self.point(start, below)
        self.do(f"begin to {name}", lambda: deed(name).do(self.canvas))
        self.point(end, below)
        self.do(name, lambda: deed(name).do(self.canvas))

    @precondition(lambda self: bool(stretches(self.sheet)))
    @rule(which=WHICH)
    def take_in_what_is_clicked(self, which: int) -> None:
        every = stretches(self.sheet)
        one = every[which % len(every)]
        course = self.sheet.result.findings.pieces[one.piece].junction_px
        ((row, col),) = points_at(course, 0.5 * (one.start_um + one.end_um) / SIZE)
        self.canvas.click((float(row), float(col)))
        self.do("remove", lambda: deed("remove").do(self.canvas))

    @rule(piece=st.integers(0, 1), which=WHICH, down=BESIDE, right=st.integers(-3, 3))
    def bend(self, piece: int, which: int, down: int, right: int) -> None:
        one = self.sheet.result.findings.pieces[piece]
        places = handles(one, SIZE)
        index = which % len(places)
        to = places[index] + np.array([down, right]) / SIZE
        course = bent(one, index, (float(to[0]), float(to[1])), SIZE)
        self.do("bend", lambda: self.reviewer.redraw_junction(piece, course))

    @rule(piece=st.integers(0, 1), start=ALONG, end=ALONG, down=BESIDE)
    def draw(self, piece: int, start: int, end: int, down: int) -> None:
        one = self.sheet.result.findings.pieces[piece]
        drawn = np.array([at(start, down), at((start + end) / 2, down + 3), at(end, down)])
        course = with_stretch(one, drawn)
        self.do("draw", lambda: self.reviewer.redraw_junction(piece, course))

    @rule(which=WHICH, down=st.integers(1, 4), names=st.tuples(*[st.sampled_from(["accept", "reject"])] * 2))
    def judge_before_and_after_the_junction_moves(
        self, which: int, down: int, names: tuple[str, str]
    ) -> None:
        """A crossing may have another id on another course, and is the same one."""
        self.judge(which, names[0])
        every = self.sheet.result.crossings
        one = every[which % len(every)]
        piece = self.sheet.result.findings.pieces[one.piece]
        places = handles(piece, SIZE)
        index = int(np.argmin(np.hypot(*(places - [one.row_px, one.col_px]).T)))
        to = places[index] + [down / SIZE, 0.0]
        course = bent(piece, index, (float(to[0]), float(to[1])), SIZE)
        self.do("bend", lambda: self.reviewer.redraw_junction(one.piece, course))
        self.judge(which, names[1])

    # the section

    @rule(words=st.sampled_from(["thin", "a fold"]))
    def remark(self, words: str) -> None:
        self.do("note", lambda: self.reviewer.note(words))

    @rule(name=st.sampled_from(["reviewed", "second_reader"]))
    def say(self, name: str) -> None:
        self.do(name, lambda: deed(name).do(self.canvas))
        if not self.sheet.corrected.unmatched:
            wanted = ReviewState.REVIEWED if name == "reviewed" else ReviewState.NEEDS_SECOND_READER
            assert self.sheet.corrected.review is wanted

    @rule()
    def undo(self) -> None:
        length = len(self.sheet.log)
        deed("undo").do(self.canvas)
        assert len(self.sheet.log) - length == bool(self.done)
        if self.done:
            self.undone.append(self.done.pop())
        assert state(self.sheet.corrected) == self.told()

    @rule()
    def redo(self) -> None:
        length = len(self.sheet.log)
        deed("redo").do(self.canvas)
        assert len(self.sheet.log) - length == bool(self.undone)
        if self.undone:
            self.done.append(self.undone.pop())
        assert state(self.sheet.corrected) == self.told()

    # others

    @rule()
    def refresh(self) -> None:
        self.do("refresh", lambda: deed("refresh").do(self.canvas))

    @rule(along=ALONG, mine=ALONG)
    def somebody_else_is_first(self, along: int, mine: int) -> None:
        """What the other did stands; what this person wanted to do is not written."""
        other = reviewer_of(self.store, "B. Reader")
        troubled: list[str] = []
        self.reviewer.troubled.connect(lambda words: troubled.append(words))

        def both() -> None:
            other.add_at(*at(along))
            self.point(mine, 0)
            deed("add").do(self.canvas)

        self.do("somebody else", both)
        self.reviewer.troubled.disconnect()
        assert troubled[0].startswith("Somebody else has just changed this section:")

    @rule(along=ALONG)
    def a_blind_reader_marks(self, along: int) -> None:
        """Not what this person can undo, and nothing that changes the result."""
        blind = reviewer_of(self.store, "C. Reader", blind=True)
        before = state(self.sheet.corrected)
        blind.add_at(*at(along))
        if along % 3 == 0:
            blind.undo()
        self.reviewer.refresh()
        assert state(self.sheet.corrected) == before

    # what holds after every step

    @invariant()
    def model_and_store_agree(self) -> None:
        log = self.store.edits(Target(section_id=SLIDE.section_id))
        assert tuple(log) == self.sheet.log
        findings = self.store.findings(str(self.sheet.target.analysis_id))
        fresh = correct(replace(self.base, findings=findings), log, PROTOCOL, lambda: findings)
        assert state(fresh) == state(self.sheet.corrected)
        assert self.reviewer.desk.items == Desk(self.store).items
        with self.store.reading() as session:
            assert check_store(session) == []

    @invariant()
    def layers_and_model_agree(self) -> None:
        sheet, layers = self.sheet, self.viewer.layers
        marks, shown = crossing_marks(sheet), layers["crossings"]
        assert shown.features["object_id"].tolist() == [c.crossing_id for c in sheet.result.crossings]
        assert np.array_equal(shown.data, marks.places_px)
        assert [str(symbol) for symbol in shown.symbol] == list(marks.symbols)
        assert np.allclose(shown.border_color, marks.colors)
        assert np.allclose(shown.face_color, marks.faces)
        numbers = [number for number in shown.features["number"] if number]
        assert numbers == [str(n + 1) for n in range(sheet.result.count or 0)]
        lines = FiberLines.of(sheet.findings).segments(sheet)
        assert np.array_equal(layers["fibers"].data, lines.vectors_px)
        assert np.allclose(layers["fibers"].edge_color, lines.colors)
        junction = junction_segments(sheet.result.findings)
        assert np.array_equal(layers["junction"].data, junction.vectors_px)
        areas = excluded_areas(sheet)
        assert ("excluded" in layers) == bool(areas)
        if areas:
            assert len(layers["excluded"].data) == len(areas)
        assert not layers.selection

    @invariant()
    def what_is_picked_is_there(self) -> None:
        picked = self.reviewer.selection
        ring = self.viewer.layers["picked"].data if "picked" in self.viewer.layers else np.empty((0, 2))
        assert len(ring) == (picked is not None)
        if picked is not None:
            assert ring[0].tolist() == [*picked.place_px]
            if picked.kind == "crossing":
                one = self.sheet.crossing(picked.object_id)
                assert one is not None
                assert (one.row_px, one.col_px) == picked.place_px
            assert self.reviewer.explain()


TestSequences = Sequences.TestCase
TestSequences.settings = settings(
    max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip
