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
from ienfd.review.queue import stage_of
from ienfd.review.reviewer import Reviewer
from ienfd.review.sheet import Sheet
from ienfd.study.log import Target
from ienfd.study.store import Store
from ienfd.study.verify import check_store

SEQUENCES = int(os.environ.get("IENFD_REVIEW_SEQUENCES", "15"))
STEPS = 25

ALONG = st.integers(0, 400)
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
        tuple((s.piece, round(s.start_um, 6), round(s.end_um, 6), s.reason) for s in result.findings.exclusions),
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
        self.done: list[tuple[Any, ...]] = []  # what was before each thing that can be undone
        self.undone: list[tuple[Any, ...]] = []  # what was before each undo

    def teardown(self) -> None:
        self.canvas.close()
        assert [*self.viewer.layers] == []
        self.store.close()
        self._room.cleanup()

    def started(self) -> Canvas:
        canvas = Canvas(self.viewer, Reviewer(Desk(self.store), "A. Reader"))
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

    def entries(self) -> int:
        """How many entries of the log are no blind marks."""
        return sum(entry.edit.command not in BLIND for entry in self.sheet.log if entry.edit.undoes is None)

    def do(self, name: str, act: Callable[[], None]) -> None:
        """Something that may write an entry."""
        before, entries = state(self.sheet.corrected), self.entries()
        act()
        new = self.entries() - entries
        note(f"{name}: {new} new, {len(self.sheet.result.crossings)} candidates")
        assert new in (0, 1)
        if new:
            self.done.append(before)
            self.undone.clear()
        else:
            assert state(self.sheet.corrected) == before

    def point(self, along: int, below: int) -> None:
        row, col = at(along, below)
        self.viewer.cursor.position = (row * SIZE, col * SIZE)

    def pick(self, which: int) -> None:
        """Click at one of the candidates."""
        every = self.sheet.result.crossings
        if every:
            one = every[which % len(every)]
            self.canvas.click((one.row_px, one.col_px))

    # what is done to candidates

    @rule(which=WHICH, name=st.sampled_from(["accept", "reject", "not_sure", "remove"]))
    def judge(self, which: int, name: str) -> None:
        self.pick(which)
        self.do(name, lambda: deed(name).do(self.canvas))

    @rule(name=st.sampled_from(["accept", "reject", "not_sure", "remove"]))
    def judge_what_is_picked(self, name: str) -> None:
        self.do(name, lambda: deed(name).do(self.canvas))

    @rule(along=ALONG, below=BESIDE)
    def add(self, along: int, below: int) -> None:
        self.point(along, below)
        self.do("add", lambda: deed("add").do(self.canvas))

    @rule(which=WHICH, along=ALONG, below=BESIDE)
    def move(self, which: int, along: int, below: int) -> None:
        self.pick(which)
        self.point(along, below)
        self.do("move", lambda: deed("move").do(self.canvas))

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

    @precondition(lambda self: stretches(self.sheet))
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
        before = state(self.sheet.corrected)
        deed("undo").do(self.canvas)
        if self.done:
            assert state(self.sheet.corrected) == self.done.pop()
            self.undone.append(before)
        else:
            assert state(self.sheet.corrected) == before

    @rule()
    def redo(self) -> None:
        before = state(self.sheet.corrected)
        deed("redo").do(self.canvas)
        if self.undone:
            assert state(self.sheet.corrected) == self.undone.pop()
            self.done.append(before)
        else:
            assert state(self.sheet.corrected) == before

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
        (item,) = self.reviewer.desk.items
        assert item.stage is stage_of(item.row, log, False)
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
