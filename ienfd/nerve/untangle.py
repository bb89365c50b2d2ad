"""Fibers that pass over each other in the projection are told apart.

A nerve fiber divides, but two of them never fuse: where four strands meet and go straight on in
pairs, or where two strands run together for a while and part again, these are two fibers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ienfd.geometry import arc_lengths
from ienfd.nerve.web import Strand, Web
from ienfd.result import FloatArray

__all__ = ["heading", "untangle"]

_DIRECTION_UM = 6.0  # length over which the direction of a strand is taken
_CROSSING_UM = 4.0  # a crossing seen as two forks no farther apart than this
_SHARED_UM = 14.0  # two fibers lie on each other for no longer than this
_ARM_UM = 15.0  # a strand that ends sooner is no fiber that shared its way
_STRAIGHT = 0.7  # least cosine of a strand that goes on
_FORK = 0.2  # least cosine between strands that part from a shared way


def heading(strand: Strand, node: int, over: float) -> FloatArray:
    """Unit vector in which a strand would go on beyond one of its nodes.

    Parameters
    ----------
    over : float
        Length in pixels over which its direction is taken.
    """
    points = strand.from_node(node)
    inner = points[min(int(np.searchsorted(arc_lengths(points), over)), len(points) - 1)]
    way = points[0] - inner
    return np.asarray(way / max(float(np.hypot(*way)), 1e-9), float)


def untangle(web: Web, px_um: float) -> None:
    """Take apart what only lies over each other, in place."""
    for key in sorted(web.strands):
        if key in web.strands and web.strands[key].length * px_um <= _SHARED_UM:
            _part_shared(web, key, px_um)
    for node in sorted(web.nodes):
        if web.degree(node) == 4:
            _part_crossing(web, node, px_um)
    web.merge()


def _part_crossing(web: Web, node: int, px_um: float) -> None:
    """Four strands that meet at one node and go straight on in pairs."""
    keys = web.at(node)
    if len(set(keys)) < 4:
        return
    headings = [heading(web.strands[key], node, _DIRECTION_UM / px_um) for key in keys]
    pairs = _straight_pairs(headings)
    if pairs is not None:
        web.detach(node, [keys[k] for k in pairs[1]])


def _part_shared(web: Web, key: int, px_um: float) -> None:
    """A short strand with two others at each end: two fibers share it."""
    shared = web.strands[key]
    first, last = shared.start, shared.end
    if first == last or web.degree(first) != 3 or web.degree(last) != 3:
        return
    ones = [k for k in web.at(first) if k != key]
    others = [k for k in web.at(last) if k != key]
    if len({*ones, *others}) < 4:
        return
    arms = [*((k, first) for k in ones), *((k, last) for k in others)]
    into = [heading(web.strands[k], node, _DIRECTION_UM / px_um) for k, node in arms]
    way = web.nodes[last] - web.nodes[first]
    along = way / max(float(np.hypot(*way)), 1e-9)
    if shared.length * px_um <= _CROSSING_UM:
        pairs = _straight_pairs(into)
        if pairs is None:
            return
    else:  # both ends must be forks that open away from the shared way
        if not all(_goes_on(web, k, node, px_um) for k, node in arms):
            return
        if min(into[0] @ along, into[1] @ along, -into[2] @ along, -into[3] @ along) < _FORK:
            return
        straight = [[float(-(into[a] @ into[b])) for b in (2, 3)] for a in (0, 1)]
        crosswise = straight[0][0] + straight[1][1] < straight[0][1] + straight[1][0]
        pairs = ((0, 3), (1, 2)) if crosswise else ((0, 2), (1, 3))
    web.share(key, [[arms[k] for k in pair] for pair in pairs])


def _goes_on(web: Web, key: int, node: int, px_um: float) -> bool:
    """Whether a strand does not end soon after a node."""
    strand = web.strands[key]
    return strand.length * px_um >= _ARM_UM or web.degree(strand.other(node)) > 1


def _straight_pairs(headings: Sequence[FloatArray]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The pairing of four strands in which both pairs go straight on, None when there is none."""
    best, chosen = _STRAIGHT, None
    for pairs in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))):
        straight = min(float(-(headings[a] @ headings[b])) for a, b in pairs)
        if straight > best:
            best, chosen = straight, pairs
    return chosen
