"""Where a junction ends."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.skin.ends import apart_at_border, squared

PX = 1.25
TISSUE = np.zeros((200, 300), bool)
TISSUE[20:, :240] = True  # glass above, and on the right of a cut side
CLEARANCE_UM = ndimage.distance_transform_edt(TISSUE) * PX


def ended(junction: NDArray[np.float64]) -> NDArray[np.float64]:
    found, confidence = squared(junction, np.ones(len(junction)), TISSUE, CLEARANCE_UM, PX)
    assert len(confidence) == len(found)
    assert (confidence == 1).all()
    return found


def along(*corners: tuple[float, float]) -> NDArray[np.float64]:
    """Points half a pixel apart along a line with corners."""
    places = np.array(corners, float)
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    at = np.arange(0, arc[-1], 0.5)
    return np.column_stack([np.interp(at, arc, places[:, k]) for k in (0, 1)])


@pytest.mark.parametrize("reverse", [False, True])
def test_what_runs_along_a_cut_side_is_left_out(reverse: bool) -> None:
    junction = along((100, 50), (100, 232), (30, 232))
    found = ended(junction[::-1] if reverse else junction)
    last = found[0] if reverse else found[-1]
    assert last == pytest.approx((100, 239.5), abs=1.5)


@pytest.mark.parametrize("slope", [-1.0, 0.0, 1.0, 1.5])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_junction_that_reaches_a_cut_side_at_an_angle_ends_there(slope: float, reverse: bool) -> None:
    crest = (100, 228)  # so near the side that what lies before it says nothing of the rest
    junction = along((140, 200), crest, (100 + slope * 8, 236))
    found = ended(junction[::-1] if reverse else junction)
    last = found[0] if reverse else found[-1]
    assert last == pytest.approx((100 + slope * 12, 240), abs=2.0)


def test_it_goes_on_to_the_border_of_the_image_but_to_no_glass_that_it_does_not_come_near() -> None:
    found = ended(along((100, 10), (100, 150)))
    assert found[0, 1] < 1.0
    assert found[-1, 1] == pytest.approx(150, abs=1.0)


def test_what_lies_wholly_along_glass_is_no_junction() -> None:
    assert not len(ended(along((100, 235), (180, 235))))


def apart(junction: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    sure = np.arange(len(junction), dtype=float)
    stretches = apart_at_border(junction, sure, TISSUE.shape, PX)
    for course, its in stretches:
        assert (course == junction[its.astype(int)]).all()
    return [course for course, _ in stretches]


def test_what_runs_along_the_border_of_the_image_is_no_junction() -> None:
    (only,) = apart(along((30, 0), (100, 0), (100, 200)))
    assert only[0] == pytest.approx((100, 2), abs=1.0)
    assert only[-1] == pytest.approx((100, 200), abs=1.0)


def test_an_epidermis_that_leaves_the_image_and_comes_back_is_two() -> None:
    first, second = apart(along((100, 50), (199, 80), (199, 120), (100, 150)))
    assert first[:, 1].max() < 80 < 120 < second[:, 1].min()


def test_what_only_touches_the_border_of_the_image_is_one() -> None:
    assert len(apart(along((100, 50), (199, 80), (199, 86), (100, 120)))) == 1
    assert len(apart(along((100, 0), (100, 200)))) == 1
