"""Which strands that meet are fibers that only lie on each other."""

from __future__ import annotations

import numpy as np

from ienfd.nerve.untangle import untangle
from ienfd.nerve.web import Strand, Web


def web(*ways: tuple[int, int], nodes: dict[int, tuple[float, float]]) -> Web:
    """Straight strands between nodes, with a point every pixel; a pixel is a micrometer."""
    places = np.array([nodes[number] for number in range(len(nodes))], float)
    strands = []
    for start, end in ways:
        count = round(float(np.hypot(*(places[end] - places[start])))) + 1
        points = np.linspace(places[start], places[end], count)
        strands.append(Strand(start, end, points, np.zeros(count, bool)))
    return Web(places, strands)


def parted(*ways: tuple[int, int], nodes: dict[int, tuple[float, float]]) -> int:
    """Number of components after untangling."""
    built = web(*ways, nodes=nodes)
    untangle(built, 1.0)
    return len(list(built.components()))


# two fibers that run together from (0, 0) to (0, 8)
SHARED = {0: (0.0, 0.0), 1: (0.0, 8.0), 2: (-14.0, -20.0), 3: (14.0, -20.0), 4: (-14.0, 28.0)}
WAYS = ((0, 1), (0, 2), (0, 3), (1, 4), (1, 5))


def test_fibers_that_share_a_way_are_told_apart() -> None:
    assert parted(*WAYS, nodes={**SHARED, 5: (14.0, 28.0)}) == 2


def test_a_short_strand_that_ends_shared_no_way() -> None:
    assert parted(*WAYS, nodes={**SHARED, 5: (5.0, 15.0)}) == 1


def test_one_that_forks_soon_goes_on() -> None:
    nodes = {**SHARED, 5: (5.0, 15.0), 6: (5.0, 40.0), 7: (30.0, 20.0)}
    assert parted(*WAYS, (5, 6), (5, 7), nodes=nodes) == 2


def test_nor_does_one_share_a_way_that_is_longer_than_two_fibers_lie_on_each_other() -> None:
    nodes = {
        0: (0.0, 0.0),
        1: (0.0, 18.0),
        2: (-14.0, -20.0),
        3: (14.0, -20.0),
        4: (-14.0, 38.0),
        5: (14.0, 38.0),
    }
    assert parted(*WAYS, nodes=nodes) == 1


def test_where_fibers_cross_within_a_few_pixels_a_short_end_counts() -> None:
    nodes = {0: (0.0, 0.0), 1: (0.0, 3.0), 2: (-8.0, -8.0), 3: (8.0, -8.0), 4: (-8.0, 11.0), 5: (8.0, 11.0)}
    assert parted(*WAYS, nodes=nodes) == 2
