"""From candidate to candidate: where a tour stops, and in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from review_scenes import PROTOCOL, Heard, at, by_place, reviewer_of, sheet_of, skin, slide, study

from ienfd.density import count
from ienfd.result import Crossing
from ienfd.review.picking import Selection, of_crossing
from ienfd.review.tour import DOUBTFUL, SURE, is_doubtful, neighbor, stops, unseen
from ienfd.study.store import Store

FOUND = count(skin(), PROTOCOL).crossings


def crossing(counted: bool, confidence: float, reason: str = "", origin: str = "automatic") -> Crossing:
    return replace(
        FOUND[0], counted=counted, confidence=confidence, reason=reason or "crosses", origin=origin
    )


@pytest.mark.parametrize(
    ("one", "doubtful"),
    [
        (crossing(True, SURE), False),
        (crossing(True, SURE - 0.01), True),
        (crossing(False, DOUBTFUL, "approaching"), True),
        (crossing(False, DOUBTFUL - 0.01, "approaching"), False),
        (crossing(False, 0.0, "same_fiber"), True),
        (crossing(False, 0.0, "junction_branch"), True),
        (crossing(False, 0.0, "depth_mismatch"), True),
        (crossing(False, 0.0, "too_faint"), True),
        (crossing(False, 0.0, "fragment"), False),
        (crossing(False, 1.0, "excluded_stretch"), False),  # the stretch, not the candidate
        (crossing(False, 1.0, "cut_edge"), False),
        (crossing(False, 1.0, "appendage"), False),
        (crossing(False, 1.0, "junction_low_confidence"), False),
        (crossing(False, 1.0, "section_refused"), False),
        (crossing(True, 0.1, "reviewer_counted"), False),
        (crossing(False, 0.5, "reviewer_rejected"), False),
        (crossing(True, 0.1, "crosses", "manual"), False),
    ],
)
def test_what_might_as_well_have_been_decided_otherwise(one: Crossing, doubtful: bool) -> None:
    assert is_doubtful(one) is doubtful


def test_a_tour_stops_at_what_is_counted_or_doubtful_along_the_junction() -> None:
    assert [round(c.junction_position_um) for c in FOUND] == [50, 100, 150, 250, 300, 350]
    assert [round(c.junction_position_um) for c in stops(FOUND)] == [50, 100, 150, 250, 300]


def test_a_tour_stops_at_what_a_reviewer_left_out(store: Store) -> None:
    reviewer = reviewer_of(store)
    for along in (350, 150):
        reviewer.pick_at(*at(along))
        reviewer.accept()
        reviewer.pick_at(*at(along))
        reviewer.reject()
    assert by_place(sheet_of(reviewer).result)[350] == (False, "reviewer_rejected")
    assert len(stops(sheet_of(reviewer).result.crossings)) == 6


def ids(*names: str) -> list[Selection]:
    return [Selection("crossing", name, (0.0, 0.0)) for name in names]


A, B, C = ids("a", "b", "c")


@pytest.mark.parametrize(
    ("current", "step", "there"),
    [
        (None, 1, A), (None, -1, C), (A, 1, B), (A, -1, C), (C, 1, A), (B, -1, A),
        (Selection("crossing", "gone", (0.0, 0.0)), 1, A), (Selection("crossing", "gone", (0.0, 0.0)), -1, C),
    ],
)  # fmt: skip
def test_the_tour_goes_round(current: Selection | None, step: int, there: Selection) -> None:
    assert neighbor([A, B, C], current, step) is there


def test_a_tour_of_nothing_stops_nowhere() -> None:
    assert neighbor([], None, 1) is None
    assert unseen([], A, set()) == []


def test_what_nobody_has_judged_comes_from_the_present_stop_on() -> None:
    assert unseen([A, B, C], None, {"a"}) == [B, C]
    assert unseen([A, B, C], B, set()) == [C, A, B]
    assert unseen([A, B, C], B, {"b", "c"}) == [A]
    assert unseen([A, B, C], A, {"a", "b", "c"}) == []


def test_the_view_flies_from_stop_to_stop(store: Store) -> None:
    reviewer = reviewer_of(store, close_um=120.0)
    heard = Heard(reviewer)
    for _ in range(6):
        reviewer.tour()
    assert [round(col * 0.5) for _, col, _ in heard.flights] == [50, 100, 150, 250, 300, 50]
    assert {width for *_, width in heard.flights} == {120.0}
    reviewer.tour(-1)
    assert reviewer.selection == of_crossing(stops(sheet_of(reviewer).result.crossings)[-1])


def test_a_judgment_flies_to_the_next_that_nobody_has_judged(store: Store) -> None:
    reviewer = reviewer_of(store)
    heard = Heard(reviewer)
    reviewer.next_unseen()
    for judge in (reviewer.accept, reviewer.reject, reviewer.not_sure, reviewer.accept, reviewer.accept):
        judge()
    assert [round(col * 0.5) for _, col, _ in heard.flights] == [50, 100, 150, 250, 300]
    assert heard.said == ["Every stop of this section has been seen."]


def test_a_section_without_candidates_has_no_tour(tmp_path: Path) -> None:
    with study(tmp_path, slide(findings=skin([]))) as store:
        reviewer = reviewer_of(store)
        heard = Heard(reviewer)
        reviewer.tour()
        assert heard.said == ["This section has no candidate to look at."]
        assert heard.flights == []
