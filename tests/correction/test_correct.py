"""Commands on a section: what they do to count, length and density, and that all can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ienfd.correction.commands import (
    Command,
    Edit,
    LoggedEdit,
    add_crossing,
    edit_junction,
    exclude_stretch,
    include_stretch,
    move_crossing,
    reclassify_crossing,
    redo,
    redoable,
    remove_crossing,
    reopen,
    review,
    standing,
    undo,
    undoable,
)
from ienfd.correction.correct import Corrected, Corrector, correct, reviewed_figures
from ienfd.density import count
from ienfd.geometry import FloatArray, points_at, resample
from ienfd.protocol import Protocol
from ienfd.result import Branch, Crossing, FiberGraph, Findings, Piece, SectionResult, Stretch
from ienfd.review.drawing import with_stretch

PROTOCOL = Protocol()
SIZE = 0.5
JUNCTION_ROW = 240.0  # px: 120 um below the upper edge
ALONG_UM = (50.0, 100.0, 200.0, 300.0)


def fiber(along_um: float, above_um: float = 40.0, z_um: float | None = None) -> tuple[np.ndarray, Branch]:
    ends = np.array([[120.0 - above_um, along_um], [160.0, along_um]]) / SIZE
    path = resample(ends, 1.0)
    depth = None if z_um is None else np.full(len(path), z_um)
    return ends, Branch(0, 1, path, np.full(len(path), 12.0), np.zeros(len(path), bool), depth, 1.0)


def findings(
    along_um: Sequence[float] = ALONG_UM, key: str = "one", shift_px: float = 0.0, confidence: float = 0.9
) -> Findings:
    """Straight skin of 400 um, the epidermis above, with fibers that cross; `shift_px` moves all of it."""
    junction = np.array([[JUNCTION_ROW, float(col)] for col in range(0, 801, 4)])
    nodes, branches = [], []
    for number, along in enumerate(along_um):
        ends, branch = fiber(along)
        nodes += list(ends + shift_px)
        branches.append(
            replace(branch, start=2 * number, end=2 * number + 1, path_px=branch.path_px + shift_px)
        )
    piece = Piece(junction - [160, 0] + shift_px, junction + shift_px, np.full(len(junction), confidence))
    return Findings(
        "0b7c1d2e-0000-5000-8000-000000000000", key, "bright-field", SIZE, (600, 900), (piece,),
        graph=FiberGraph(np.array(nodes).reshape(-1, 2), tuple(branches)),
    )  # fmt: skip


def logged(*edits: Edit) -> list[LoggedEdit]:
    return [
        LoggedEdit(n, edit, "", "A. Reader", "", None, None, "s", "a", n - 1, "", "")
        for n, edit in enumerate(edits, 1)
    ]


def corrected(*edits: Edit, of: Findings | None = None) -> Corrected:
    found = of or findings()
    return correct(count(found, PROTOCOL), logged(*edits), PROTOCOL, lambda: found)


def crossings(of: Findings | None = None) -> tuple[Crossing, ...]:
    return count(of or findings(), PROTOCOL).crossings


def by_place(result: SectionResult) -> dict[float, tuple[bool, str]]:
    return {round(c.junction_position_um): (c.counted, c.reason) for c in result.crossings}


def test_without_edits_nothing_changes() -> None:
    now = corrected()
    assert (now.result.count, now.edits, now.review.value, now.unmatched) == (4, 0, "unreviewed", ())


def test_a_crossing_is_added_with_its_place_along_the_junction() -> None:
    now = corrected(add_crossing(JUNCTION_ROW, 500.0))
    assert now.result.count == 5
    assert by_place(now.result)[250] == (True, "reviewer_added")
    (added,) = [c for c in now.result.crossings if c.reason == "reviewer_added"]
    assert (added.origin, added.piece, added.row_px, added.col_px) == ("manual", 0, 240.0, 500.0)
    assert now.result.lengths is not None
    assert now.result.density_per_mm == 5 / now.result.lengths.evaluable_mm
    assert now.result.density_low_per_mm is not None
    assert now.result.density_low_per_mm < now.result.density_per_mm
    assert now.edits == 1


def test_a_removed_crossing_stays_listed_with_its_reason() -> None:
    now = corrected(remove_crossing(crossings()[1]))
    assert now.result.count == 3
    assert by_place(now.result)[100] == (False, "reviewer_removed")


def test_a_candidate_is_counted_or_not_as_a_person_says() -> None:
    out = corrected(reclassify_crossing(crossings()[0], False))
    assert by_place(out.result)[50] == (False, "reviewer_rejected")
    there = [
        reclassify_crossing(crossings()[0], False),
        reclassify_crossing(crossings()[0], True),
    ]
    assert by_place(corrected(*there).result)[50] == (True, "reviewer_counted")


def test_a_moved_crossing_has_a_new_place_and_keeps_its_id() -> None:
    one = crossings()[2]
    now = corrected(move_crossing(one, JUNCTION_ROW + 2, 440.0))
    (moved,) = [c for c in now.result.crossings if c.crossing_id == one.crossing_id]
    assert (moved.row_px, moved.col_px, moved.junction_position_um) == (242.0, 440.0, 220.0)
    assert (moved.origin, moved.counted) == ("manual", True)


def test_an_excluded_stretch_takes_its_crossings_and_its_length() -> None:
    whole, now = corrected(), corrected(exclude_stretch((JUNCTION_ROW, 160), (JUNCTION_ROW, 260)))
    assert by_place(now.result)[100] == (False, "excluded_stretch")
    assert now.result.count == 3
    assert whole.result.lengths is not None
    assert now.result.lengths is not None
    assert now.result.lengths.excluded_mm == pytest.approx(0.05, abs=0.002)
    assert now.result.lengths.surface_mm == whole.result.lengths.surface_mm


def test_what_a_person_added_in_an_excluded_stretch_is_not_counted() -> None:
    excluded = exclude_stretch((JUNCTION_ROW, 300), (JUNCTION_ROW, 380))
    for order in ([excluded, add_crossing(240, 340)], [add_crossing(240, 340), excluded]):
        now = corrected(*order)
        assert by_place(now.result)[170] == (False, "excluded_stretch")
        assert now.result.count == 4


def test_a_stretch_is_taken_in_again() -> None:
    found = replace(findings(), exclusions=(Stretch(0, 80.0, 260.0, "junction_low_confidence"),))
    before = corrected(of=found)
    assert before.result.count == 2
    now = corrected(include_stretch((JUNCTION_ROW, 170), (JUNCTION_ROW, 300)), of=found)
    assert now.result.count == 3  # the one at 100 um; that at 200 um is still excluded
    assert before.result.lengths is not None
    assert now.result.lengths is not None
    gained = before.result.lengths.excluded_mm - now.result.lengths.excluded_mm
    assert gained == pytest.approx(0.065, abs=0.002)


def test_a_junction_drawn_elsewhere_is_counted_anew_and_trusted() -> None:
    found = findings(confidence=0.6)
    lower = found.pieces[0].junction_px.copy()
    lower[40:90, 0] += 120  # 60 um down between 80 and 180 um: below the ends of the fibers
    now = corrected(edit_junction(found.pieces[0], lower), of=found)
    assert by_place(now.result)[50] == (True, "crosses")
    assert now.result.count == 3  # the fiber at 100 um ends above the new junction
    confidence = now.result.findings.pieces[0].junction_confidence
    assert confidence[60] == 1.0
    assert confidence[0] == pytest.approx(0.6)
    assert now.result.lengths is not None
    assert now.result.lengths.junction_mm > 0.45


def moved(piece: Piece, start: int, end: int, by_px: float) -> FloatArray:
    """The junction of a piece, lower between two of its points."""
    course = piece.junction_px.copy()
    course[start:end, 0] += by_px
    return course


def test_stretches_drawn_one_after_the_other_are_taken_back_in_any_order() -> None:
    found = findings(confidence=0.6)
    first = edit_junction(found.pieces[0], moved(found.pieces[0], 20, 40, 8.0))
    between = corrected(first).result.findings.pieces[0]
    second = edit_junction(between, moved(between, 60, 90, 10.0))
    entries = logged(first, second, undo(logged(first)[0]))
    now = correct(count(found, PROTOCOL), entries, PROTOCOL, lambda: found)
    assert now.unmatched == ()
    assert np.array_equal(
        now.result.findings.pieces[0].junction_px, moved(found.pieces[0], 60, 90, 10.0)
    )  # fmt: skip


def test_a_stretch_drawn_anew_finds_its_place_in_another_analysis() -> None:
    found, again = findings(), findings(key="two", shift_px=2.0)
    drawn = moved(found.pieces[0], 60, 90, 10.0)
    now = corrected(edit_junction(found.pieces[0], drawn), of=again)
    assert now.unmatched == ()
    course = now.result.findings.pieces[0].junction_px
    assert np.array_equal(course[60:90], drawn[60:90])
    assert np.array_equal(course[:59], again.pieces[0].junction_px[:59])
    assert np.array_equal(course[-100:], again.pieces[0].junction_px[-100:])


def test_a_whole_course_replaces_all_of_another_analysis() -> None:
    longer = findings(key="two", shift_px=2.0)
    drawn = findings().pieces[0].junction_px[10:-10] + np.array([5.0, 0.0])
    now = corrected(edit_junction(findings().pieces[0], drawn), of=longer)
    assert now.unmatched == ()
    assert np.array_equal(now.result.findings.pieces[0].junction_px, drawn)


def test_a_correction_of_a_crossing_survives_a_junction_that_is_moved_a_little() -> None:
    found = findings()
    lower = found.pieces[0].junction_px + np.array([4.0, 0.0])
    edits = [remove_crossing(crossings()[1]), edit_junction(found.pieces[0], lower)]
    for order in (edits, edits[::-1]):
        now = corrected(*order)
        assert now.unmatched == ()
        assert now.result.count == 3


def test_edits_find_their_objects_in_another_analysis() -> None:
    """Another key gives other ids; everything lies a micrometer and a half away."""
    old = crossings()
    again = findings(key="two", shift_px=3.0)
    now = corrected(remove_crossing(old[0]), add_crossing(240, 700), of=again)
    assert {c.crossing_id for c in old}.isdisjoint(c.crossing_id for c in crossings(again))
    assert now.unmatched == ()
    assert now.result.count == 4
    assert by_place(now.result)[50] == (False, "reviewer_removed")


def test_edits_are_matched_one_to_one_as_near_as_possible() -> None:
    """Two corrections between two crossings 4 um apart: each gets its own, also where both like the same."""
    close = findings(along_um=(100.0, 106.0))
    one, two = crossings(close)
    again = findings(along_um=(103.0, 108.0), key="two")
    now = corrected(remove_crossing(one), reclassify_crossing(two, True), of=again)
    assert now.unmatched == ()
    assert by_place(now.result) == {103: (False, "reviewer_removed"), 108: (True, "reviewer_counted")}


def test_ids_of_two_analyses_may_mean_one_crossing() -> None:
    """Removed under the first analysis, counted again under the second: no neighbor takes its place."""
    again = findings(along_um=(103.0, 108.5), key="two")
    old, new = crossings(findings(along_um=(104.0,)))[0], crossings(again)[0]
    entries = logged(remove_crossing(old), reclassify_crossing(new, True))
    entries = [replace(e, analysis_id=name) for e, name in zip(entries, ("one", "two"), strict=True)]
    now = correct(count(again, PROTOCOL), entries, PROTOCOL, lambda: again)
    assert now.unmatched == ()
    places = by_place(now.result)
    assert places[103] == (True, "reviewer_counted")
    assert sorted(places.values())[0] == (True, "crosses")


def test_a_correction_without_its_object_asks_for_review() -> None:
    gone = findings(along_um=ALONG_UM[1:], key="two")
    now = corrected(remove_crossing(crossings()[0]), add_crossing(240, 700), of=gone)
    assert now.unmatched == (1,)
    assert now.review.value == "needs_review"
    assert by_place(now.result)[350] == (True, "reviewer_added")  # a manual crossing always survives


def test_a_crossing_at_another_depth_is_another_crossing() -> None:
    here = replace(crossings()[0], z_um=5.0)
    again = findings(key="two")
    deep = replace(
        again, graph=replace(again.graph, branches=tuple(
            replace(b, z_um=np.full(len(b.path_px), 30.0)) for b in again.graph.branches
        )),
    )  # fmt: skip
    assert corrected(remove_crossing(here), of=deep).unmatched == (1,)
    assert corrected(remove_crossing(replace(here, z_um=24.0)), of=deep).unmatched == ()


def test_a_stretch_whose_junction_went_elsewhere_is_unmatched() -> None:
    far = findings(key="two", shift_px=40.0)
    assert corrected(exclude_stretch((240, 100), (240, 200)), of=far).unmatched == (1,)
    assert corrected(edit_junction(findings().pieces[0], np.array([[240, 0], [250, 800]])), of=far).unmatched


def test_nothing_is_counted_in_a_refused_section() -> None:
    refused = replace(findings(), refusal="out_of_focus")
    now = corrected(add_crossing(240, 500), of=refused)
    assert now.result.count is None
    assert by_place(now.result)[250] == (False, "section_refused")


@pytest.mark.parametrize("confidence", [0.1, 0.4])
def test_a_section_refused_for_its_junction_can_be_saved_by_drawing_it(confidence: float) -> None:
    found = replace(findings(confidence=confidence), refusal="junction_uncertain", detail="")
    if confidence < PROTOCOL.image.junction_confidence_min:
        found = replace(found, exclusions=(Stretch(0, 0.0, 400.0, "junction_low_confidence"),))
    assert corrected(of=found).result.status == "refused"
    drawn = found.pieces[0].junction_px + np.array([3.0, 0.0])
    now = corrected(edit_junction(found.pieces[0], drawn), of=found)
    assert (now.result.status, now.result.count) == ("ok", 4)


def test_a_junction_drawn_anew_is_doubtful_no_longer() -> None:
    found = replace(findings(confidence=0.7), flags=("junction_doubtful", "soft_focus"))
    assert corrected(of=found).result.flags == found.flags
    drawn = found.pieces[0].junction_px + np.array([3.0, 0.0])
    assert corrected(edit_junction(found.pieces[0], drawn), of=found).result.flags == ("soft_focus",)


def test_a_review_stands_as_long_as_what_was_seen_holds() -> None:
    seen = count(findings(), PROTOCOL)
    done = review("reviewed", reviewed_figures(seen))
    assert corrected(done).review.value == "reviewed"
    assert corrected(review("needs_second_reader", {})).review.value == "needs_second_reader"
    assert corrected(done, add_crossing(240, 500)).review.value == "needs_review"
    assert corrected(done, of=findings(along_um=(50.0, 100.0))).review.value == "needs_review"
    assert corrected(done, reopen("the wrong slide?")).review.value == "needs_review"
    with pytest.raises(ValueError, match="none of"):
        review("done", {})


def test_undo_and_redo_walk_through_everything_done() -> None:
    def play(*moves: Callable[[list[LoggedEdit]], Edit]) -> list[LoggedEdit]:
        entries: list[LoggedEdit] = []
        for move in moves:
            entries = logged(*[e.edit for e in entries], move(entries))
        return entries

    def back(entries: list[LoggedEdit]) -> Edit:
        entry = undoable(entries)
        assert entry is not None
        return undo(entry)

    def forth(entries: list[LoggedEdit]) -> Edit:
        entry = redoable(entries)
        assert entry is not None
        return redo(entry)

    def add(col: float) -> Callable[[list[LoggedEdit]], Edit]:
        return lambda entries: add_crossing(240, col)

    def cols(entries: list[LoggedEdit]) -> list[float]:
        return [(e.edit.after or {})["col_px"] for e in standing(entries)]

    assert cols(play(add(1), add(2), back)) == [1]
    assert cols(play(add(1), add(2), back, back)) == []
    assert cols(play(add(1), add(2), back, back, forth)) == [1]
    assert cols(play(add(1), add(2), back, back, forth, forth)) == [1, 2]
    assert cols(play(add(1), back, forth, back)) == []
    assert cols(play(add(1), back, forth, back, forth)) == [1]
    assert cols(play(add(1), back, add(2))) == [2]
    assert redoable(play(add(1), back, add(2))) is None
    assert undoable(play(add(1), back)) is None


@given(st.lists(st.sampled_from(["add", "undo", "redo"]), max_size=14))
def test_undo_and_redo_are_those_of_a_stack(moves: list[str]) -> None:
    entries: list[LoggedEdit] = []
    done: list[str] = []
    undone: list[str] = []
    for number, move in enumerate(moves):
        if move == "add":
            edit = Edit(Command.ADD_CROSSING, str(number))
            done.append(str(number))
            undone.clear()
        else:
            entry = undoable(entries) if move == "undo" else redoable(entries)
            assert (entry is None) == (not (done if move == "undo" else undone))
            if entry is None:
                continue
            edit = undo(entry) if move == "undo" else redo(entry)
            if move == "undo":
                undone.append(done.pop())
            else:
                done.append(undone.pop())
        entries = logged(*[e.edit for e in entries], edit)
    assert [e.edit.object_id for e in standing(entries)] == done


@given(st.lists(st.tuples(st.integers(10, 390), st.integers(5, 60)), max_size=4))
def test_exclusions_take_no_more_than_there_is(whole: list[tuple[int, int]]) -> None:
    stretches = [(at + 0.5, long) for at, long in whole]
    edits = [exclude_stretch((240, at / SIZE), (240, min(400, at + long) / SIZE)) for at, long in stretches]
    now = corrected(*edits)
    assert now.result.lengths is not None
    total = now.result.lengths.excluded_mm + now.result.lengths.evaluable_mm
    assert total == pytest.approx(now.result.lengths.surface_mm)
    inside = sum(any(at <= position <= at + long for at, long in stretches) for position in ALONG_UM)
    assert now.result.count == len(ALONG_UM) - inside
    positions = [c.junction_position_um for c in now.result.crossings]
    assert all(a <= b for a, b in pairwise(positions))


@pytest.mark.parametrize(
    "points", [[[0, 0]], [[5, 5], [5, 5]], [[0, 0, 0], [1, 1, 1]], [[0, 0], [float("nan"), 1]]]
)
def test_a_junction_that_is_none_is_not_logged(points: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=r"junction|curve"):
        edit_junction(findings().pieces[0], np.array(points))


GEOMETRY = st.lists(
    st.tuples(
        st.sampled_from(["draw", "exclude", "include", "undo"]), st.integers(0, 380), st.integers(5, 200),
        st.integers(-9, 9),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(deeds=GEOMETRY)
def test_a_correction_after_others_gives_what_all_of_them_give(
    deeds: list[tuple[str, int, int, int]],
) -> None:
    found = findings(confidence=0.4)
    base = count(found, PROTOCOL)
    corrector = Corrector(base, PROTOCOL, lambda: found)
    log: list[LoggedEdit] = []
    now = corrector(log)
    for kind, start, width, down in deeds:
        (piece,) = now.result.findings.pieces
        places = points_at(piece.junction_px, np.linspace(start, start + width, 6) / SIZE)
        if kind == "draw":
            edit = edit_junction(piece, with_stretch(piece, places + np.array([down, 0.0])))
        elif kind == "exclude":
            edit = exclude_stretch(places[0], places[-1])
        elif kind == "include":
            edit = include_stretch(places[0], places[-1])
        else:
            last = undoable(log)
            if last is None:
                continue
            edit = undo(last)
        log = logged(*(entry.edit for entry in log), edit)
        now, fresh = corrector(log), correct(base, log, PROTOCOL, lambda: found)
        assert now.result.crossings == fresh.result.crossings
        assert now.result.lengths == fresh.result.lengths
        assert now.result.findings.exclusions == fresh.result.findings.exclusions
        assert (now.result.reason, now.unmatched) == (fresh.result.reason, fresh.unmatched)
        (piece,), (other,) = now.result.findings.pieces, fresh.result.findings.pieces
        assert np.array_equal(piece.junction_confidence, other.junction_confidence)
