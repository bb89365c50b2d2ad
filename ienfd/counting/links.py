"""Which intersections belong to one fiber.

Two intersections are linked when one can walk from one to the other without meeting a third. What
the link means depends on its side and shape: a fiber that wanders in and out, a fiber that forks
below or within the junction band, two fibers that merely touch in the projection, or two fibers
that come from the same plexus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ienfd.counting.evidence import DEPTH_STEP_UM, DEPTH_WINDOW_UM, is_seen
from ienfd.counting.forks import seen_apart
from ienfd.counting.junctions import Junction
from ienfd.counting.network import Intersection, Network, join, walk
from ienfd.counting.trace import Trace
from ienfd.geometry import FloatArray, points_at
from ienfd.protocol import CountingRules

__all__ = ["Group", "Link", "deepest_link_um", "fiber_groups"]

EPIDERMAL_LINK_UM = 60.0
"""Longest way through the epidermis between the entry and the exit of one fiber that does not fork on it."""

DERMAL_LINK_UM = 40.0
DERMAL_LINK_DEPTH_UM = 15.0
"""Longest and deepest way through the dermis of a fiber that leaves the epidermis and re-enters."""

DERMAL_BRANCH_UM = 60.0
DERMAL_BRANCH_DEPTH_UM = 25.0
ONE_FORK_UM = 4.0
"""Two fibers that part at one fork, this near to the junction, are daughters of one stem; farther
apart, or with several forks between them, they are fibers of one plexus."""

LONGEST_LINK_UM = max(EPIDERMAL_LINK_UM, DERMAL_LINK_UM, DERMAL_BRANCH_UM)
"""No way from one intersection to another that is longer makes them one fiber."""

TURN_WINDOW_UM = 6.0
SHORT_UM, LONG_UM = 15.0, 30.0
SHARP_TURN_DEG, LONG_TURN_DEG = 90.0, 60.0
"""A fiber does not turn more sharply than this over 6 um, the less the longer its excursion is; a short one
may turn as it likes. Two fibers whose ends meet make a corner."""


class Link(StrEnum):
    """What joins two intersections of one fiber."""

    SAME_FIBER = "same_fiber"
    JUNCTION_BRANCH = "junction_branch"


@dataclass(frozen=True)
class Group:
    """Intersections of one fiber, in order, and why each is not a fiber of its own."""

    members: tuple[int, ...]
    links: Mapping[int, Link]


def deepest_link_um(rules: CountingRules) -> float:
    """No way through the dermis that goes deeper makes two intersections one fiber."""
    branch = DERMAL_BRANCH_DEPTH_UM if rules.dermal_branch == "one" else 0.0
    return max(rules.junction_band_um, DERMAL_LINK_DEPTH_UM, branch)


def fiber_groups(
    network: Network, junctions: Mapping[int, Junction], rules: CountingRules
) -> tuple[Group, ...]:
    """Put the intersections of one fiber together.

    Parameters
    ----------
    network : Network
        Fibers cut at the junction.
    junctions : mapping of int to Junction
        Of every piece that has one.
    rules : CountingRules
        `reentry`, `junction_branch` and `dermal_branch` decide what counts as one fiber.

    Returns
    -------
    tuple of Group
        Every intersection is in exactly one group; groups are in order of their first member.
    """
    number = {place.vertex: index for index, place in enumerate(network.intersections)}
    parent = list(range(len(network.intersections)))
    reasons: dict[int, Link] = {}

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    for index, place in enumerate(network.intersections):
        for upper in (True, False):
            for other, steps in _neighbors(network, place, upper, number):
                if other <= index:
                    continue
                pair = place, network.intersections[other]
                link = _judge(network, pair, steps, upper, junctions[place.spot.piece], rules)
                if link is None:
                    continue
                for one in (index, other):
                    if reasons.get(one) is not Link.JUNCTION_BRANCH:
                        reasons[one] = link
                low, high = sorted((root(index), root(other)))
                parent[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(parent)):
        groups.setdefault(root(index), []).append(index)
    return tuple(
        Group(tuple(members), {m: reasons[m] for m in members if m in reasons}) for members in groups.values()
    )


def _neighbors(
    network: Network, place: Intersection, upper: bool, number: Mapping[int, int]
) -> list[tuple[int, tuple[tuple[int, bool], ...]]]:
    """Intersections of the same piece reached on one side, arrived at from that same side."""
    ways = walk(network, place.vertex, [place.above if upper else place.below], LONGEST_LINK_UM)
    out = []
    for vertex, (last_arc, _, _) in ways.came_by.items():
        if vertex not in number:
            continue
        other = network.intersections[number[vertex]]
        if other.spot.piece == place.spot.piece and last_arc == (other.above if upper else other.below):
            out.append((number[vertex], ways.steps_to(vertex)))
    return out


def _judge(
    network: Network,
    pair: tuple[Intersection, Intersection],
    steps: tuple[tuple[int, bool], ...],
    upper: bool,
    junction: Junction,
    rules: CountingRules,
) -> Link | None:
    """What a way from one intersection to another on one side of the junction means."""
    trace = join(network, steps)
    if _depth_jumps(trace):
        return None
    if not upper and not junction.all_within(trace.points_um, deepest_link_um(rules)):
        return None
    arms = _arms(network, pair[0].vertex, steps, rules.min_reach_um)
    if arms and junction.all_within(trace.points_um, rules.junction_band_um):
        # two fibers that cross within the band have two arms here, a fork has one, and a single stem
        fork = len(arms) == 1 and not (upper and seen_apart(network, *pair))
        return Link.JUNCTION_BRANCH if fork and rules.junction_branch == "one" else None
    if not upper and arms:
        one_fork = rules.dermal_branch == "one" and max(arms) - min(arms) <= ONE_FORK_UM
        near = one_fork and trace.length_um <= DERMAL_BRANCH_UM
        return (
            Link.SAME_FIBER if near and junction.all_within(trace.points_um, DERMAL_BRANCH_DEPTH_UM) else None
        )
    if rules.reentry == "each":
        return None
    if not upper:
        near = trace.length_um <= DERMAL_LINK_UM and _is_smooth(trace)
        return (
            Link.SAME_FIBER if near and junction.all_within(trace.points_um, DERMAL_LINK_DEPTH_UM) else None
        )
    if arms:  # branches seldom turn back and leave the epidermis, fibers that go up side by side often touch
        return None
    return Link.SAME_FIBER if trace.length_um <= EPIDERMAL_LINK_UM and _is_smooth(trace) else None


def _arms(
    network: Network, origin: int, steps: Sequence[tuple[int, bool]], min_reach_um: float
) -> list[float]:
    """Where along a way others leave it that are seen for at least `min_reach_um`."""
    on_way = {arc for arc, _ in steps}
    out = []
    at, along = origin, 0.0
    for arc, forward in steps[:-1]:
        at = network.arcs[arc].end if forward else network.arcs[arc].start
        along += network.arcs[arc].trace.length_um
        for other in network.at_vertex[at]:
            if other not in on_way and is_seen(network, at, other, min_reach_um):
                out.append(along)
    return out


def _is_smooth(trace: Trace) -> bool:
    """Whether one fiber may run like this: where two meet, there is a corner."""
    if trace.length_um <= SHORT_UM:
        return True
    return _sharpest_turn_deg(trace) < (SHARP_TURN_DEG if trace.length_um <= LONG_UM else LONG_TURN_DEG)


def _sharpest_turn_deg(trace: Trace) -> float:
    """Largest change of direction between the 6 um before and the 6 um after any point."""
    points = points_at(trace.points_um, _every_um(0.0, trace.length_um))
    window = int(TURN_WINDOW_UM)
    if len(points) <= 2 * window:
        return 0.0
    before = points[window:-window] - points[: -2 * window]
    after = points[2 * window :] - points[window:-window]
    across = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return float(np.degrees(np.arctan2(np.abs(across), (before * after).sum(axis=1)).max()))


def _depth_jumps(trace: Trace) -> bool:
    """Whether the depth changes too suddenly along a way for it to be one fiber."""
    known = np.isfinite(trace.z_um) & ~trace.bridged
    if known.sum() < 2:
        return False
    along, z = trace.along_um[known], trace.z_um[known]
    window = max(1, int(DEPTH_WINDOW_UM))
    at = _every_um(along[0], along[-1])
    if len(at) < 2 * window:
        return bool(abs(z[-1] - z[0]) > DEPTH_STEP_UM + along[-1] - along[0])
    nearest = z[np.abs(along[None, :] - at[:, None]).argmin(axis=1)]
    median = np.median(np.lib.stride_tricks.sliding_window_view(nearest, window), axis=1)
    # both windows together span this length, over which a fiber may change its depth as much
    return bool(np.abs(median[window:] - median[:-window]).max(initial=0.0) > DEPTH_STEP_UM + DEPTH_WINDOW_UM)


def _every_um(start: float, end: float) -> FloatArray:
    """Places about 1 um apart from one end to the other, the same ones from whichever end one walks."""
    return np.linspace(start, end, round(end - start) + 1)
