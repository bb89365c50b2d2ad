"""How far pixels of a grid lie from curves."""

from __future__ import annotations

import numpy as np

from ienfd.stain.grid import distance_to


def test_every_pixel_knows_the_nearest_curve() -> None:
    top, right = np.array([[0.0, 0.0], [0.0, 9.0]]), np.array([[0.0, 9.0], [9.0, 9.0]])
    distance = distance_to([top, right], (10, 10))
    assert distance[4, 1] == 4
    assert distance[7, 6] == 3
    assert distance[0, 5] == 0


def test_what_lies_beyond_the_grid_counts_as_on_its_rim() -> None:
    assert distance_to([np.array([[-8.0, 0.0], [-8.0, 9.0]])], (10, 10))[3, 3] == 3


def test_without_curves_everything_is_infinitely_far() -> None:
    assert np.isinf(distance_to([], (4, 5))).all()
