"""A sheet as the data of layers: shapes, colors and places, without any viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from review_scenes import (
    EVERYTHING,
    PROTOCOL,
    ROW,
    SIZE,
    SURE,
    Fiber,
    at,
    reviewer_of,
    sheet_of,
    skin,
)

from ienfd.correction.commands import mark_crossing
from ienfd.density import count
from ienfd.geometry import length
from ienfd.protocol import CountingRules
from ienfd.result import Branch, Cell, Crossing, FiberGraph, Findings, Piece, Stretch
from ienfd.review.layers import (
    FiberLines,
    Marks,
    cells,
    crossing_marks,
    excluded_areas,
    junction_segments,
    mark_marks,
    surface_segments,
    theme_of,
)
from ienfd.review.sheet import Sheet
from ienfd.review.single import loose_sheet
from ienfd.study.store import Store

VERMILION, SKY, DARK_GREY = (213, 94, 0), (86, 180, 233), (40, 40, 40)
SURFACE = (0, 158, 115)
ORANGE, GREEN, WHITE = (230, 159, 0), (0, 158, 115), (255, 255, 255)


def looks(marks: Marks) -> dict[int, tuple[str, tuple[int, ...], str, bool]]:
    """By place along the junction in um: shape, color, what is written beside it, whether it is filled."""
    return {
        round(col * SIZE): (symbol, tuple(round(255 * part) for part in color[:3]), label, face[3] > 0)
        for (_, col), symbol, color, label, face in zip(
            marks.places_px, marks.symbols, marks.colors, marks.labels, marks.faces, strict=True
        )
    }


def sheet(**options: Any) -> Sheet:
    """A sheet that belongs to no study."""
    return loose_sheet(count(skin(**options), PROTOCOL), PROTOCOL, "a.tif")


def test_every_candidate_has_its_shape_and_color() -> None:
    assert looks(crossing_marks(sheet())) == {
        50: ("disc", VERMILION, "1", False),
        100: ("star", SKY, "", False),  # too faint: a matter of the rules, so a person decides
        150: ("disc", VERMILION, "2", False),
        250: ("disc", VERMILION, "3", False),
        300: ("star", SKY, "4", False),
        350: ("triangle_down", DARK_GREY, "", False),
    }


def test_on_fluorescence_colors_are_those_of_a_dark_ground() -> None:
    shown = looks(crossing_marks(sheet(stain="fluorescence")))
    assert [shown[along][1] for along in (50, 300, 350)] == [ORANGE, GREEN, WHITE]
    assert theme_of(None) is theme_of("bright-field") is not theme_of("fluorescence")


def test_what_a_person_has_looked_at_is_filled_and_no_longer_uncertain(store: Store) -> None:
    reviewer = reviewer_of(store)
    for along, judge in (
        (50, reviewer.reject),
        (100, reviewer.accept),
        (150, reviewer.accept),
        (250, reviewer.not_sure),
        (300, reviewer.accept),
        (350, reviewer.reject),
    ):
        reviewer.pick_at(*at(along))
        judge()
    reviewer.add_at(*at(200))
    assert looks(crossing_marks(sheet_of(reviewer))) == {
        50: ("x", DARK_GREY, "", True),
        100: ("disc", VERMILION, "1", True),
        150: ("disc", VERMILION, "2", True),
        200: ("disc", VERMILION, "3", True),
        250: ("star", SKY, "4", True),
        300: ("disc", VERMILION, "5", True),
        350: ("triangle_down", DARK_GREY, "", True),
    }


@pytest.mark.parametrize(
    ("reason", "symbol"),
    [
        ("fragment", "triangle_up"), ("approaching", "triangle_down"), ("dendritic_cell", "diamond"),
        ("excluded_stretch", "hbar"), ("appendage", "hbar"), ("cut_edge", "hbar"),
        ("junction_low_confidence", "hbar"), ("reviewer_rejected", "x"), ("reviewer_removed", "x"),
        ("section_refused", "hbar"), ("something_new", "x"),
    ],
)  # fmt: skip
def test_what_is_not_counted_has_a_shape_for_its_reason(reason: str, symbol: str) -> None:
    result = count(skin(SURE[:1]), PROTOCOL)
    one = replace(result.crossings[0], counted=False, reason=reason, confidence=0.0)
    shown = crossing_marks(loose_sheet(replace(result, crossings=(one,)), PROTOCOL, "a.tif"))
    assert shown.symbols == (symbol,)
    assert shown.labels == ("",)


def test_only_what_deserves_a_look_is_large() -> None:
    shown = crossing_marks(sheet())
    assert shown.sizes_um.tolist() == [9.0, 9.0, 9.0, 9.0, 9.0, 5.0]
    assert shown.places_px[:, 1].tolist() == [100.0, 200.0, 300.0, 500.0, 600.0, 700.0]


def test_a_candidate_keeps_its_own_place() -> None:
    """One that comes up from below is shown at its end, 4 um under the junction."""
    shown = crossing_marks(sheet(fibers=[Fiber(350.0, above_um=-4.0)]))
    assert shown.places_px.tolist() == [[ROW + 8.0, 700.0]]


def test_nothing_is_shown_of_nothing() -> None:
    empty = sheet(fibers=[])
    for shown in (crossing_marks(empty), cells(empty), mark_marks(empty, ())):
        assert (shown.places_px.shape, shown.colors.shape, shown.faces.shape) == ((0, 2), (0, 4), (0, 4))
        assert (shown.ids, shown.labels, shown.symbols, shown.sizes_um.tolist()) == ((), (), (), [])
    lines = FiberLines.of(empty.findings)
    assert lines.segments(empty).vectors_px.shape == (0, 2, 2)
    assert lines.segments(empty).colors.shape == (0, 4)
    assert fiber_classes(empty.findings, SOME) == []


def test_dendritic_cells_are_as_large_as_their_bodies() -> None:
    shown = cells(sheet(cells=(Cell(80.0, 60.0, 4.0, 10.0), Cell(90.0, 400.0, 3.0, 10.0))))
    assert shown.places_px.tolist() == [[80.0, 60.0], [90.0, 400.0]]
    assert shown.sizes_um.tolist() == [8.0, 6.0]
    assert set(shown.symbols) == {"diamond"}


def test_marks_of_a_blind_reader_are_their_own(store: Store) -> None:
    reviewer = reviewer_of(store, "B. Reader", blind=True)
    reviewer.add_at(*at(60))
    reviewer.add_at(*at(160))
    one = sheet_of(reviewer)
    shown = mark_marks(one, [entry for entry in one.log if entry.edit.command == mark_crossing(0, 0).command])
    assert shown.places_px.tolist() == [[ROW, 120.0], [ROW, 320.0]]
    assert shown.ids == tuple(entry.edit.object_id for entry in one.log)
    assert shown.symbols == ("cross", "cross")
    assert set(map(tuple, np.round(255 * shown.colors[:, :3]))) == {SURFACE}
    assert (shown.faces[:, 3] > 0).all()


# fibers

SOME = count(skin(), PROTOCOL).crossings


def fiber_classes(found: Findings, crossings: Sequence[Crossing]) -> list[str]:
    return FiberLines.of(found).classes(crossings, SIZE)


def test_a_fiber_is_of_the_class_of_its_crossing() -> None:
    result = count(skin(), PROTOCOL)
    classes = fiber_classes(result.findings, result.crossings)
    assert dict(zip([fiber.along_um for fiber in EVERYTHING], classes, strict=True)) == {
        50: "counted", 150: "counted", 250: "counted", 300: "counted", 100: "candidate", 350: "candidate",
    }  # fmt: skip


def test_a_fiber_without_any_crossing_is_another_one() -> None:
    found = skin([SURE[0], Fiber(200.0, above_um=-15.0)])
    assert fiber_classes(found, count(found, PROTOCOL).crossings) == ["counted", "other"]
    assert fiber_classes(found, ()) == ["other", "other"]


def test_what_a_reviewer_decides_decides_the_class(store: Store) -> None:
    reviewer = reviewer_of(store)
    for along, judge in ((50, reviewer.reject), (350, reviewer.accept)):
        reviewer.pick_at(*at(along))
        judge()

    def classes() -> dict[float, str]:
        now = sheet_of(reviewer).result
        found = fiber_classes(now.findings, now.crossings)
        return dict(zip([fiber.along_um for fiber in EVERYTHING], found, strict=True))

    assert (classes()[50], classes()[350]) == ("candidate", "counted")
    reviewer.add_at(*at(52))  # a crossing of no fiber that is known, counted or not
    assert classes()[50] == "candidate"
    reviewer.add_at(*at(148))
    reviewer.remove()
    assert classes()[150] == "counted"


def test_of_one_plexus_only_what_is_near_the_crossing_is_of_its_class() -> None:
    """Branches hang together at (260, 100) and (260, 500); a crossing says something of 60 um about it."""

    def branch(start: int, end: int, path: list[list[float]]) -> Branch:
        points = np.array(path)
        return Branch(start, end, points, np.full(len(points), 12.0), np.zeros(len(points), bool))

    nodes = np.array([[100.0, 100.0], [260.0, 100.0], [260.0, 500.0], [100.0, 500.0]])
    graph = FiberGraph(
        nodes,
        (
            branch(0, 1, [[100.0, 100.0], [160.0, 100.0], [260.0, 100.0]]),
            branch(1, 2, [[260.0, float(col)] for col in range(240, 361, 20)]),
            branch(2, 3, [[260.0, 500.0], [160.0, 500.0], [100.0, 500.0]]),
        ),
    )
    found = replace(skin([]), graph=graph)
    here = Crossing("c", "f", 0, ROW, 100.0, None, 50.0, True, "crosses", 0.9)
    there = replace(here, crossing_id="d", col_px=500.0, counted=False, reason="same_fiber")
    assert fiber_classes(found, [here]) == ["counted", "other", "other"]
    assert fiber_classes(found, [here, there]) == ["counted", "other", "candidate"]


def test_fibers_are_drawn_from_end_to_end_in_the_color_of_their_class() -> None:
    one = sheet(fibers=[SURE[0], Fiber(200.0, above_um=-15.0)])
    shown = FiberLines.of(one.findings).segments(one)
    assert shown.vectors_px.tolist() == [[[80.0, 100.0], [140.0, 0.0]], [[190.0, 400.0], [30.0, 0.0]]]
    assert np.round(255 * shown.colors[:, :3]).tolist() == [list(VERMILION), [204, 121, 167]]
    assert shown.colors[0, 3] > shown.colors[1, 3]


# lines


def test_the_surface_is_one_line_per_piece() -> None:
    shown = surface_segments(skin([]))
    assert shown.vectors_px.tolist() == [[[ROW - 120, 0.0], [0.0, 796.0]]]


def drawn_um(found: Findings) -> list[tuple[float, float]]:
    """Runs of the junction that are drawn, as ranges along it."""
    shown = junction_segments(found)
    runs: list[tuple[float, float]] = []
    for (_, col), (_, step) in shown.vectors_px:
        start, end = col * SIZE, (col + step) * SIZE
        if runs and abs(runs[-1][1] - start) < 1e-6:
            runs[-1] = runs[-1][0], end
        else:
            runs.append((start, end))
    return runs


def test_a_certain_junction_is_unbroken() -> None:
    (only,) = drawn_um(skin([]))
    assert only == pytest.approx((0.0, 398.0))


def test_an_uncertain_junction_is_broken_where_it_is_uncertain() -> None:
    runs = drawn_um(skin([], unsure_um=(100.0, 200.0)))
    assert runs[0] == pytest.approx((0.0, 100.0), abs=6.0)
    assert runs[-1] == pytest.approx((200.0, 398.0), abs=6.0)
    dashes = runs[1:-1]
    assert len(dashes) == pytest.approx(100 / 12, abs=1.5)
    assert all(3.0 < end - start <= 6.0 for start, end in dashes)
    assert all(two[0] - one[1] == pytest.approx(7.5, abs=0.1) for one, two in pairwise(dashes))


def test_a_junction_that_is_uncertain_throughout_is_broken_throughout() -> None:
    whole = sum(end - start for start, end in drawn_um(skin([], confidence=0.3)))
    assert whole == pytest.approx(398.0 * 3 / 8, rel=0.05)


def test_what_is_excluded_is_outlined_from_junction_to_surface(store: Store) -> None:
    reviewer = reviewer_of(store)
    assert excluded_areas(sheet_of(reviewer)) == []
    reviewer.exclude(at(100), at(140))
    (outline,) = excluded_areas(sheet_of(reviewer))
    assert (outline[:, 0].min(), outline[:, 0].max()) == pytest.approx((ROW - 120, ROW), abs=0.5)
    assert (outline[:, 1].min(), outline[:, 1].max()) == pytest.approx((200.0, 280.0), abs=2.0)
    reviewer.include(at(110), at(130))
    assert len(excluded_areas(sheet_of(reviewer))) == 2


def test_cut_ends_are_excluded_and_a_stretch_of_no_width_is_not_shown() -> None:
    found = replace(skin([]), exclusions=(Stretch(0, 0.0, 0.0, "appendage"),))
    piece: Piece = replace(found.pieces[0], cut_ends=(False, True))
    found = replace(found, pieces=(piece,))
    assert excluded_areas(loose_sheet(count(found, PROTOCOL), PROTOCOL, "a.tif")) == []
    strict = replace(PROTOCOL, counting=CountingRules(cut_edge_um=25.0))
    (outline,) = excluded_areas(loose_sheet(count(found, strict), strict, "a.tif"))
    assert outline[:, 1].min() == pytest.approx(796.0 - 50.0, abs=2.0)
    assert length(outline) > 0
