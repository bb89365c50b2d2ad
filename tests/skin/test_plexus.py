"""The plexus lies right below an epidermis."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ienfd.skin.plexus import lies_right_below

PIXEL_UM = 1.25
SHAPE = (300, 400)
JUNCTION = np.column_stack([np.full(381, 100.0), np.arange(10.0, 391.0)])


def stained(depth_um: float, thick_um: float = 10.0) -> NDArray[np.bool_]:
    """A layer of nerves so far below the junction, which runs along row 100."""
    below_um = (np.arange(SHAPE[0])[:, None] - 100) * PIXEL_UM
    return np.array(np.broadcast_to(np.abs(below_um - depth_um) < thick_um / 2, SHAPE))


@pytest.mark.parametrize(("depth_um", "right_below"), [(-30, False), (25, True), (50, True), (90, False)])
def test_a_plexus_lies_less_than_an_epidermis_below_it(depth_um: float, right_below: bool) -> None:
    assert lies_right_below([JUNCTION], stained(depth_um), PIXEL_UM) is right_below


def test_few_fibers_of_the_epidermis_and_a_bundle_deeper_down_do_not_matter() -> None:
    nerves = stained(25.0, 20.0) | stained(-30.0, 5.0) | stained(150.0, 20.0)
    assert lies_right_below([JUNCTION], nerves, PIXEL_UM)


def test_without_nerves_there_is_no_plexus() -> None:
    assert not lies_right_below([JUNCTION], np.zeros(SHAPE, bool), PIXEL_UM)
