"""Lines that a person draws: the live wire, a stretch drawn anew, points to drag."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_scenes import ROW, SIZE, line, skin

from ienfd.correction.geometry import course_along
from ienfd.geometry import FloatArray, Projector, length
from ienfd.result import Piece
from ienfd.review.drawing import LiveWire, bent, handles, with_stretch

STRAIGHT = skin([]).pieces[0]


def wavy(cols: FloatArray) -> FloatArray:
    """Row of an edge that goes up and down by 6 um, every 94 um."""
    return 100.0 + 12.0 * np.sin(cols / 30.0)


def edge(noise: float = 0.0) -> FloatArray:
    """Dark above a wavy edge and bright below it, 200 by 480 px."""
    rows, cols = np.indices((200, 480), dtype=np.float64)
    below = np.clip(rows - wavy(cols) + 0.5, 0.0, 1.0)
    pixels: FloatArray = 60.0 + 120.0 * below + np.random.default_rng(3).normal(0.0, noise, below.shape)
    return pixels


def on_edge(*cols: float) -> list[tuple[float, float]]:
    return [(float(wavy(np.array(col))), float(col)) for col in cols]


def away(drawn: FloatArray) -> float:
    """How far a line is from the edge at most."""
    cols = np.linspace(0.0, 479.0, 2000)
    return float(np.abs(Projector(np.column_stack([wavy(cols), cols]))(drawn).signed).max())


# the live wire


@pytest.mark.parametrize(("noise", "within_px"), [(0.0, 1.5), (8.0, 2.5)])
def test_a_live_wire_follows_an_edge_between_clicks_far_apart(noise: float, within_px: float) -> None:
    """The contrast of the edge is 120."""
    drawn = LiveWire(edge(noise), (1.0, 1.0), (0.0, 0.0), SIZE).along(on_edge(15, 165, 315, 465))
    assert away(drawn) < within_px
    assert np.abs(Projector(drawn)(line(*on_edge(*range(15, 466, 5)))).signed).max() < within_px


def test_it_goes_through_every_click_in_their_order() -> None:
    clicks = on_edge(15, 165, 315)
    drawn = LiveWire(edge(), (1.0, 1.0), (0.0, 0.0), SIZE).along(clicks)
    seen = Projector(drawn)(line(*clicks))
    assert seen.signed == pytest.approx(0.0, abs=1e-9)
    assert list(seen.position) == sorted(seen.position)
    assert drawn[[0, -1]] == pytest.approx(line(clicks[0], clicks[-1]))


def test_it_follows_the_edges_of_a_color_picture() -> None:
    pixels = np.full((200, 480, 3), 128, np.uint8)
    pixels[..., 1] = edge().astype(np.uint8)
    assert away(LiveWire(pixels, (1.0, 1.0), (0.0, 0.0), SIZE).along(on_edge(15, 165, 315))) < 1.5


def test_what_it_draws_is_in_pixels_of_the_section() -> None:
    """Of a picture at half the size, whose first pixel lies at (0.5, 0.5) of the section."""
    half = edge().reshape(100, 2, 240, 2).mean(axis=(1, 3))
    drawn = LiveWire(half, (2.0, 2.0), (0.5, 0.5), 2 * SIZE).along(on_edge(15, 165, 315, 465))
    assert away(drawn) < 1.5


def test_a_click_beyond_the_picture_ends_where_it_was_made() -> None:
    wire = LiveWire(edge(), (1.0, 1.0), (0.0, 0.0), SIZE)
    drawn = wire.along([*on_edge(400), (100.0, 520.0)])
    assert tuple(drawn[-1]) == (100.0, 520.0)
    far = wire.along([(-500.0, 10.0), (-500.0, 20.0)])  # nothing to follow there
    assert far.tolist() == [[-500.0, 10.0], [-500.0, 20.0]]


def test_one_click_or_two_at_one_place_are_no_line() -> None:
    wire = LiveWire(edge(), (1.0, 1.0), (0.0, 0.0), SIZE)
    assert wire.along([]).shape == (0, 2)
    assert wire.along([(100.0, 20.0)]).tolist() == [[100.0, 20.0]]
    assert length(wire.along([(100.0, 20.0), (100.0, 20.0)])) == 0.0


def test_a_picture_without_any_edge_gives_a_straight_line() -> None:
    wire = LiveWire(np.full((50, 80), 7, np.uint8), (1.0, 1.0), (0.0, 0.0), SIZE)
    drawn = wire.along([(25.0, 5.0), (25.0, 70.0)])
    assert np.ptp(drawn[:, 0]) == pytest.approx(0.0, abs=1e-9)


# a stretch drawn anew

DRAWN = line((ROW, 200.0), (ROW + 20, 240.0), (ROW + 20, 260.0), (ROW, 300.0))


@pytest.mark.parametrize("drawn", [DRAWN, DRAWN[::-1]], ids=["along", "against"])
def test_a_drawn_stretch_takes_the_place_of_what_lies_beside_it(drawn: FloatArray) -> None:
    course = with_stretch(STRAIGHT, drawn)
    assert course[[0, -1]].tolist() == STRAIGHT.junction_px[[0, -1]].tolist()
    assert (np.diff(course[:, 1]) >= 0).all()  # in the sense of the junction
    kept = (course[:, 1] < 200) | (course[:, 1] > 300)
    assert set(map(tuple, course[kept])) == {
        tuple(point) for point in STRAIGHT.junction_px if point[1] < 200 or point[1] > 300
    }
    assert course[~kept].tolist() == DRAWN.tolist()


@pytest.mark.parametrize("sense", [1, -1])
def test_a_line_beyond_the_end_of_a_junction_is_its_end(sense: int) -> None:
    drawn = line((ROW + 6, 700.0), (ROW + 6, 790.0), (ROW + 9, 830.0))[::sense]
    course = with_stretch(STRAIGHT, drawn)
    assert course[-1].tolist() == [ROW + 9, 830.0]
    assert course[0].tolist() == [ROW, 0.0]
    whole = with_stretch(STRAIGHT, line((ROW - 5, -10.0), (ROW - 5, 900.0))[::sense])
    assert whole.tolist() == [[ROW - 5, -10.0], [ROW - 5, 900.0]]


def test_a_line_without_length_changes_nothing() -> None:
    for drawn in (line((ROW, 200.0)), line((ROW, 200.0), (ROW, 200.0))):
        assert with_stretch(STRAIGHT, drawn) is STRAIGHT.junction_px


@given(st.integers(0, 199), st.integers(0, 199), st.floats(-30, 30))
def test_whatever_is_drawn_the_junction_stays_one_line(start: int, end: int, down: float) -> None:
    """From end to end, without a step back, and with all of what was drawn."""
    drawn = line((ROW + down, 4.0 * start), (ROW + down, 4.0 * end))
    course = with_stretch(STRAIGHT, drawn)
    assert (np.diff(course[:, 1]) >= 0).all()
    assert course[[0, -1], 1].tolist() == [0.0, 796.0]
    if start != end:
        assert length(course) <= length(STRAIGHT.junction_px) + 2 * abs(down) + 1e-6


# points to drag


def piece(junction: FloatArray) -> Piece:
    return Piece(junction - [60.0, 0.0], junction, np.full(len(junction), 0.9))


COLS = np.arange(0.0, 800.0)
COURSES = {
    "straight": STRAIGHT,
    "wavy": piece(np.column_stack([wavy(COLS), COLS])),
    "in steps": piece(np.column_stack([100.0 + COLS // 2 % 2, COLS])),
    "upright": piece(np.column_stack([COLS, np.full(800, 50.0)])),
}


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES.keys())
def test_handles_lie_on_the_junction_about_40_um_apart(course: Piece) -> None:
    places = handles(course, SIZE)
    assert Projector(course.junction_px)(places).signed == pytest.approx(0.0, abs=1e-9)
    assert places[[0, -1]] == pytest.approx(course.junction_px[[0, -1]])
    along = Projector(course.junction_px)(places).position * SIZE
    assert all(30 < step <= 40 for step in np.diff(along))


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES.keys())
@pytest.mark.parametrize("index", [0, 1, 5, -1])
def test_a_dragged_handle_takes_the_junction_along_between_its_neighbors(course: Piece, index: int) -> None:
    places = handles(course, SIZE)
    index = index % len(places)
    to = places[index] + [9.0, 4.0]
    changed = bent(course, index, (to[0], to[1]), SIZE)
    # 1 um: the course between is drawn anew with a point every 2 um
    assert np.hypot(*(changed - to).T).min() * SIZE < 1.0
    where = Projector(course.junction_px)(places).position
    low = where[index - 1] if index > 0 else -1.0
    high = where[index + 1] if index + 1 < len(places) else np.inf
    along = Projector(course.junction_px)(changed)
    moved = along.position[np.abs(along.signed) * SIZE > 1.0]
    assert ((moved > low - 2) & (moved < high + 2)).all()
    others = np.delete(places, index, axis=0)
    assert np.abs(Projector(changed)(others).signed).max() * SIZE < 1.0


def test_dragging_a_handle_to_where_it_is_leaves_the_junction() -> None:
    places = handles(STRAIGHT, SIZE)
    changed = bent(STRAIGHT, 3, (places[3][0], places[3][1]), SIZE)
    assert Projector(STRAIGHT.junction_px)(changed).signed == pytest.approx(0.0, abs=1e-9)
    assert all(one[1] < two[1] for one, two in pairwise(changed))


# along which junction

UPPER, LOWER = piece(line((100.0, 0.0), (100.0, 400.0))), piece(line((300.0, 0.0), (300.0, 400.0)))
NONE = piece(line((5.0, 5.0), (5.0, 5.0)))


@pytest.mark.parametrize(
    ("row", "found"), [(90.0, (0, 10.0)), (190.0, (0, 90.0)), (210.0, (1, 90.0)), (310.0, (1, 10.0))]
)
def test_a_line_belongs_to_the_junction_it_runs_along(row: float, found: tuple[int, float]) -> None:
    assert course_along([UPPER, LOWER], line((row, 50.0), (row, 90.0))) == pytest.approx(found)


def test_where_there_is_no_junction_a_line_runs_along_none() -> None:
    assert course_along([], line((1.0, 2.0), (3.0, 4.0))) is None
    assert course_along([NONE], line((1.0, 2.0), (3.0, 4.0))) is None
    found = course_along([NONE, LOWER], line((1.0, 2.0), (3.0, 4.0)))
    assert found is not None
    assert found[0] == 1


@pytest.mark.parametrize("outward", [True, False])
@pytest.mark.parametrize("at_start", [True, False])
def test_a_junction_drawn_beyond_its_end_grows_by_what_was_drawn(at_start: bool, outward: bool) -> None:
    junction = np.column_stack([np.full(11, 50.0), np.arange(11) * 10.0])
    piece = Piece(junction, junction, np.ones(11))
    drawn = np.array([[50.0, -5.0], [50.0, -35.0]]) if at_start else np.array([[50.0, 105.0], [50.0, 135.0]])
    longer = with_stretch(piece, drawn if outward else drawn[::-1])
    assert length(longer) == pytest.approx(length(junction) + 35.0)
