"""Ends of fibers are linked where something dark hides what lies between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ienfd.nerve.hidden import link_hidden
from ienfd.nerve.web import Strand, Web
from ienfd.result import FloatArray

PIXEL_UM = 0.5
SIZE = 200
MIDDLE = 100.0

Ends = tuple[tuple[float, float], tuple[float, float]]


def web_of(*lines: Ends) -> Web:
    """Straight pieces from place to place, in pixels."""
    nodes = np.array([place for line in lines for place in line])
    strands = []
    for number, (start, end) in enumerate(lines):
        points = np.linspace(start, end, 1 + round(float(np.hypot(*np.subtract(end, start)))))
        strands.append(Strand(2 * number, 2 * number + 1, points, np.zeros(len(points), bool)))
    return Web(nodes, strands)


def gap_of(length_um: float, aside_um: float = 0.0) -> Web:
    """Two pieces of 20 um in a column, so far from each other, one of them shifted."""
    half, aside = length_um / 2 / PIXEL_UM, aside_um / PIXEL_UM
    return web_of(
        ((MIDDLE - half - 40, MIDDLE), (MIDDLE - half, MIDDLE)),
        ((MIDDLE + half, MIDDLE + aside), (MIDDLE + half + 40, MIDDLE + aside)),
    )


def linked(web: Web, density: float = 2.5, bodies: Sequence[tuple[FloatArray, float]] = ()) -> bool:
    before = len(web.strands)
    light = np.full((SIZE, SIZE, 3), density / 3, np.float16)
    link_hidden(web, np.full((SIZE, SIZE), 20.0, np.float32), light, PIXEL_UM, bodies)
    return len(web.strands) > before


def test_a_nucleus_hides_a_fiber() -> None:
    assert linked(gap_of(10.0))
    assert not linked(gap_of(10.0), density=0.1)  # there one would see it
    assert not linked(gap_of(25.0))


def test_ends_that_do_not_point_at_each_other_stay_apart() -> None:
    assert not linked(gap_of(8.0, aside_um=10.0))


def test_a_process_of_a_cell_goes_nowhere() -> None:
    body = (np.array([MIDDLE - 30.0, MIDDLE]), 8.0)
    assert not linked(gap_of(10.0), bodies=(body,))
    assert linked(gap_of(10.0), bodies=((np.array([30.0, 30.0]), 8.0),))


def test_an_end_is_linked_once() -> None:
    web = gap_of(10.0)
    straight, beside = (web.strands[key] for key in sorted(web.strands))
    third = ((MIDDLE + 16, MIDDLE + 3.0), (MIDDLE + 56, MIDDLE + 3.0))
    lines = [(tuple(s.points[0]), tuple(s.points[-1])) for s in (straight, beside)]
    web = web_of(*lines, third)
    assert linked(web)
    assert len(web.strands) == 4
    assert sum(strand.bridged.all() for strand in web.strands.values()) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0)])
def test_a_gap_keeps_its_mark_when_pieces_are_merged(order: tuple[int, ...]) -> None:
    nodes = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0]])
    parts = [
        Strand(0, 1, np.linspace(nodes[0], nodes[1], 11), np.zeros(11, bool)),
        Strand(1, 2, nodes[1:3], np.ones(2, bool)),
        Strand(2, 3, np.linspace(nodes[2], nodes[3], 11), np.zeros(11, bool)),
    ]
    for turned in range(8):
        strands = [parts[k].reversed() if turned >> k & 1 else parts[k] for k in order]
        web = Web(nodes, strands)
        web.merge()
        (whole,) = web.strands.values()
        assert len(whole.points) == 22
        assert whole.bridged.sum() == 2
        assert 18.0 <= whole.seen_length <= 20.0
