from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ienfd import geometry

RIGHT = np.array([[5.0, 0.0], [5.0, 10.0]])  # towards the right of the screen
DOWN = np.array([[0.0, 5.0], [10.0, 5.0]])  # towards the bottom of the screen


def ray(angle_deg: float, length: float, count: int) -> np.ndarray:
    turn = np.radians(angle_deg)
    return np.asarray(np.linspace(0.0, length, count)[:, None] * np.array([np.sin(turn), np.cos(turn)]))


def circle(radius: float, angle: float, count: int = 4000) -> np.ndarray:
    turn = np.linspace(0.0, angle, count)
    return radius * np.stack([-np.cos(turn), np.sin(turn)], axis=1)


def test_left_is_that_of_a_walker_on_the_displayed_image() -> None:
    # walking to the right of the screen, up (a smaller row) is on the left
    assert geometry.left_normals(RIGHT) == pytest.approx(np.array([[-1.0, 0.0]] * 2))
    assert geometry.Projector(RIGHT)(np.array([[2.0, 5.0], [9.0, 5.0]])).signed == pytest.approx([3.0, -4.0])
    # walking down the screen, the right of the screen (a larger col) is on the left
    assert geometry.left_normals(DOWN) == pytest.approx(np.array([[0.0, 1.0]] * 2))
    assert geometry.Projector(DOWN)(np.array([[5.0, 9.0], [5.0, 3.0]])).signed == pytest.approx([4.0, -2.0])


def test_shapely_gets_x_as_column_and_y_as_row() -> None:
    line = geometry.to_shapely(np.array([[1.0, 2.0], [3.0, 7.0]]))
    assert list(line.coords) == [(2.0, 1.0), (7.0, 3.0)]
    assert geometry.from_shapely(line) == pytest.approx(np.array([[1.0, 2.0], [3.0, 7.0]]))


def test_arc_lengths_and_points_on_the_way() -> None:
    bent = np.array([[0.0, 0.0], [0.0, 4.0], [3.0, 4.0]])
    assert geometry.arc_lengths(bent) == pytest.approx([0.0, 4.0, 7.0])
    assert geometry.length(bent) == 7.0
    assert geometry.length(bent[:1]) == 0.0
    assert geometry.points_at(bent, [-1.0, 5.0, 99.0]) == pytest.approx(np.array([[0, 0], [1, 4], [3, 4]]))


def test_resampling_keeps_the_ends_and_evens_the_steps() -> None:
    even = geometry.resample(ray(30.0, 10.0, 17), 0.3)
    steps = np.hypot(*np.diff(even, axis=0).T)
    assert even[[0, -1]] == pytest.approx(ray(30.0, 10.0, 2))
    assert steps == pytest.approx(np.full(34, 10.0 / 34))
    assert len(geometry.resample(ray(0.0, 10.0, 3), 2.0)) == 6  # a step that divides the length is kept
    with pytest.raises(ValueError, match="step of 0"):
        geometry.resample(RIGHT, 0.0)


@pytest.mark.parametrize("angle_deg", [0.0, 22.5, 45.0])
@pytest.mark.parametrize("sigma", [2.5, 100.0, 2000.0])
def test_a_straight_line_stays_as_long_as_it_is(angle_deg: float, sigma: float) -> None:
    line = ray(angle_deg, 1000.0, 321)
    smoothed = geometry.smooth(line, sigma)
    assert geometry.length(smoothed) == pytest.approx(1000.0, rel=1e-9)
    assert smoothed[[0, -1]] == pytest.approx(line[[0, -1]])


@pytest.mark.parametrize("angle_deg", [0.0, 22.5, 45.0])
def test_a_chain_of_pixels_comes_down_to_its_true_length(angle_deg: float) -> None:
    chain = np.round(ray(angle_deg, 1000.0, 4001))
    chain = chain[np.r_[True, np.any(np.diff(chain, axis=0) != 0, axis=1)]]
    assert geometry.length(geometry.smooth(chain, 5.0)) == pytest.approx(1000.0, rel=2e-3)


def test_an_arc_hardly_shrinks() -> None:
    arc = circle(1500.0, 1.6)
    smoothed = geometry.smooth(arc, 100.0)
    assert geometry.length(smoothed) == pytest.approx(1500.0 * 1.6, rel=5e-3)
    assert smoothed[[0, -1]] == pytest.approx(arc[[0, -1]])
    # inside, the theory of Gaussian smoothing: the radius shrinks by exp(-sigma^2 / (2 R^2))
    middle = np.hypot(*smoothed[len(smoothed) // 2])
    assert middle == pytest.approx(1500.0 * np.exp(-(100.0**2) / (2 * 1500.0**2)), rel=1e-5)


def test_smoothing_does_nothing_to_points_and_without_a_kernel() -> None:
    assert geometry.smooth(RIGHT, 0.0) == pytest.approx(RIGHT)
    assert geometry.smooth(np.zeros((4, 2)), 3.0) == pytest.approx(np.zeros((2, 2)))


def test_projection_in_and_beyond_a_corner() -> None:
    corner = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 10.0]])  # right, then down: the left is outside
    view = geometry.Projector(corner)(np.array([[-1, 5], [1, 5], [-1, 11], [5, 9], [0, -5], [12, 10]]))
    assert view.position == pytest.approx([5, 5, 10, 15, 0, 20])
    assert view.signed == pytest.approx([1, -1, np.sqrt(2), -1, 5, 2])
    assert view.beyond.tolist() == [False] * 4 + [True] * 2


def test_the_side_is_right_behind_a_sharp_spike() -> None:
    spike = np.array([[0.0, 0.0], [-10.0, 10.0], [0.0, 10.1]])  # up to the right, then straight down
    view = geometry.Projector(spike)(np.array([[-11.0, 9.0], [-11.0, 11.0], [-12.0, 10.0]]))
    assert (view.signed > 0).all()


def test_a_projector_needs_two_different_points() -> None:
    with pytest.raises(ValueError, match="two different points"):
        geometry.Projector(np.zeros((3, 2)))(np.zeros((1, 2)))
    empty = geometry.Projector(RIGHT)(np.empty((0, 2)))
    assert len(empty.position) == 0


def test_meetings_are_sub_pixel_and_say_where_they_lead() -> None:
    zigzag = np.array([[8.0, 1.0], [2.0, 3.0], [8.0, 7.0]])  # up over the line, and down again
    found = geometry.meetings([np.array([[9.0, 0.0], [9.0, 9.0]]), zigzag], RIGHT)
    assert found.path.tolist() == [1, 1]
    assert found.on_curve == pytest.approx([2.0, 5.0])
    assert found.on_path == pytest.approx([np.hypot(3, 1), np.hypot(6, 2) + np.hypot(3, 2)])
    assert found.toward.tolist() == [1, -1]


def test_a_path_through_a_corner_of_the_curve_meets_it_once() -> None:
    roof = np.array([[5.0, 0.0], [5.0, 5.0], [5.0, 10.0]])
    through = np.array([[9.0, 5.0], [5.0, 5.0], [1.0, 5.0]])
    assert len(geometry.meetings([through], roof).path) == 1
    assert len(geometry.meetings([through[::-1]], roof).path) == 1


def test_a_touch_meets_the_curve_twice_or_never() -> None:
    for touch in ([[9.0, 1.0], [5.0, 5.0], [9.0, 9.0]], [[1.0, 1.0], [5.0, 5.0], [1.0, 9.0]]):
        assert len(geometry.meetings([np.array(touch)], RIGHT).path) in {0, 2}


def test_nothing_meets_nothing() -> None:
    assert len(geometry.meetings([], RIGHT).path) == 0
    assert len(geometry.meetings([RIGHT], RIGHT[:1]).path) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=12),
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=12),
)
def test_meetings_change_sides_in_turn(
    path: list[tuple[float, float]], bends: list[tuple[float, float]]
) -> None:
    # a curve that runs all across from left to right parts the plane
    cols = np.linspace(-60.0, 60.0, len(bends) + 2)
    curve = np.stack([np.array([0.0, *(row for row, _ in bends), 0.0]), cols], axis=1)
    found = geometry.meetings([np.array(path)], curve)
    assert (np.diff(found.toward) != 0).all()
    ends = geometry.Projector(curve)(np.array(path)[[0, -1]]).signed
    if (np.abs(ends) > 1e-6).all():
        assert len(found.path) % 2 == int(ends[0] * ends[1] < 0)


@settings(deadline=None)
@given(
    outline=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=12, unique=True),
    seed=st.integers(0, 99),
)
def test_inside_is_what_a_polygon_made_valid_contains(outline: list[tuple[int, int]], seed: int) -> None:
    corners = np.array(outline, dtype=float)
    points = np.random.default_rng(seed).uniform(-5.0, 45.0, (40, 2))
    area = shapely.make_valid(shapely.Polygon(corners[:, ::-1]))
    expected = shapely.contains_xy(area, points[:, 1], points[:, 0])
    assert np.array_equal(geometry.inside(points, corners), expected)
