"""Where a fiber forks, and whether two fibers run through the junction along one line.

Nerves part on their way out of the dermis, they do not join again. Two that are seen apart below the
junction and apart above it are two, though they lie upon each other where they cross it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ienfd.counting.evidence import ROUNDING_UM, is_seen
from ienfd.counting.network import Intersection, Network, join, walk
from ienfd.geometry import FloatArray, points_at

__all__ = ["Fork", "next_fork", "seen_apart", "together_until"]

APART_UM = 10.0
"""Two fibers are told apart on a side where each is seen at least this far by itself."""

TOGETHER_UM = 15.0
"""Two fibers that lie upon each other do so no farther than this; longer, one may have joined a plexus."""

AGAIN_UM = 15.0
"""Arms that meet again within this are both sides of one thick or beaded fiber."""

STRAIGHT_DEG = 150.0
DIRECTION_UM = 8.0
"""Two arms that go on straight over 8 um are one fiber, which another leaves."""


@dataclass(frozen=True, eq=False)
class Fork:
    """Where a line that comes from the junction parts.

    Parameters
    ----------
    vertex : int
        Of the network.
    point_um : (2,) ndarray of float
        (row, col) in micrometers.
    along_um : float
        Length of the way to it from the junction.
    arms : tuple of int
        The arcs that go on from there.
    """

    vertex: int
    point_um: FloatArray
    along_um: float
    arms: tuple[int, ...]


def next_fork(
    network: Network, place: Intersection, upper: bool, min_reach_um: float, within_um: float
) -> Fork | None:
    """The first fork of a fiber on one side of the junction.

    Parameters
    ----------
    network : Network
        Fibers cut at the junction.
    place : Intersection
        Where it crosses.
    upper : bool
        Whether to look in the epidermis rather than in the dermis.
    min_reach_um : float
        Arms that are seen less far are spurs; the way goes past them.
    within_um : float
        How far to look.

    Returns
    -------
    Fork or None
        None where it ends, meets the junction or does not fork as far as that.
    """
    at, arc, along_um = place.vertex, place.above if upper else place.below, 0.0
    while True:
        here = network.arcs[arc]
        at, last = (here.end, -1) if here.start == at else (here.start, 0)
        along_um += here.trace.length_um
        if network.is_intersection(at) or along_um > within_um:
            return None
        arms = [
            other
            for other in network.at_vertex[at]
            if other != arc and is_seen(network, at, other, min_reach_um)
        ]
        if len(arms) != 1:
            break
        arc = arms[0]
    if not arms or _meet_again(network, at, arms):
        return None
    return Fork(at, here.trace.points_um[last], along_um, tuple(arms))


def together_until(network: Network, place: Intersection) -> Fork | None:
    """Where two fibers part above that come out of the dermis apart and cross the junction as one line."""
    above = next_fork(network, place, True, APART_UM, TOGETHER_UM)
    if above is None:
        return None
    below = next_fork(network, place, False, APART_UM, TOGETHER_UM - above.along_um)
    return None if below is None or _goes_on_straight(network, below) else above


def seen_apart(network: Network, one: Intersection, two: Intersection) -> bool:
    """Whether two lines that meet above come out of the dermis apart."""
    return all(is_seen(network, place.vertex, place.below, APART_UM) for place in (one, two))


def _meet_again(network: Network, vertex: int, arms: Sequence[int]) -> bool:
    reached = [set(walk(network, vertex, [arm], AGAIN_UM).came_by) for arm in arms]
    return any(one & two for one, two in itertools.combinations(reached, 2))


def _goes_on_straight(network: Network, fork: Fork) -> bool:
    """Whether two of its arms are one fiber that runs past."""
    ways = [_direction(network, fork.vertex, arm) for arm in fork.arms]
    least = np.cos(np.radians(STRAIGHT_DEG))
    return any(one @ two < least for one, two in itertools.combinations(ways, 2))


def _direction(network: Network, vertex: int, arm: int) -> FloatArray:
    """(2,) unit vector of the way by which an arm leaves."""
    trace = join(network, [(arm, network.arcs[arm].start == vertex)])
    start, end = points_at(trace.points_um, np.array([0.0, min(DIRECTION_UM, trace.length_um)]))
    return np.asarray((end - start) / max(float(np.hypot(*(end - start))), ROUNDING_UM), float)
