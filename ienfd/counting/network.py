"""The fiber graph cut where it crosses the junction, and walks on it.

Each arc of the network lies on one side of the junction. Its vertices are the nodes of the fiber
graph, numbered as there, followed by the intersections. Lengths are in micrometers throughout.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ienfd.counting.fibers import Fibers
from ienfd.counting.junctions import Junction, Spot
from ienfd.counting.trace import Trace, end_to_end
from ienfd.geometry import FloatArray, meetings

__all__ = [
    "Arc",
    "Intersection",
    "Network",
    "Patch",
    "Walk",
    "build_network",
    "join",
    "near_junction",
    "walk",
]

TOUCH_DEPTH_UM = 1.0
"""A line that goes over the junction by less than this and comes back has touched it, not crossed it."""


class _Cut(NamedTuple):
    """Where a branch crosses a junction."""

    on_branch_um: float
    piece: int
    position_um: float
    toward: int  # 1 where it goes over to the epidermis
    spot: Spot


@dataclass(frozen=True, eq=False)
class Arc:
    """A trace between two vertices, on one branch of the fiber graph."""

    start: int
    end: int
    trace: Trace
    branch: int


@dataclass(frozen=True, eq=False)
class Intersection:
    """One place where a fiber crosses the junction of a piece.

    Parameters
    ----------
    vertex : int
        Its vertex in the network.
    branch : int
        The branch of the fiber graph on which it lies.
    spot : Spot
        Its place on the junction.
    point_um : (2,) ndarray of float
        (row, col) in micrometers.
    z_um : float
        Depth; NaN where it is not known.
    above, below : int
        Arcs that leave it on the side of the epidermis and of the dermis.
    """

    vertex: int
    branch: int
    spot: Spot
    point_um: FloatArray
    z_um: float
    above: int
    below: int


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of the fibers that is looked at.

    Parameters
    ----------
    asked : (B,) ndarray of bool
        Branches whose candidates are asked for.
    within : (B,) ndarray of bool
        Every branch that must be known for that.
    """

    asked: NDArray[np.bool_]
    within: NDArray[np.bool_]

    @classmethod
    def whole(cls, fibers: Fibers) -> Patch:
        """All of them."""
        every = np.ones(len(fibers), dtype=bool)
        return cls(every, every)


@dataclass(frozen=True, eq=False)
class Network:
    """Arcs, the intersections between them, and which arcs meet at every vertex that has any.

    Of a patch, these are all arcs within it and the intersections that are asked for.
    """

    fibers: Fibers
    patch: Patch
    arcs: tuple[Arc, ...]
    intersections: tuple[Intersection, ...]
    at_vertex: Mapping[int, tuple[int, ...]]

    def is_intersection(self, vertex: int) -> bool:
        """Whether a vertex is an intersection rather than a node of the fiber graph."""
        return vertex >= len(self.fibers.graph.nodes_px)


@dataclass(frozen=True)
class Walk:
    """Shortest ways from a vertex to others.

    Parameters
    ----------
    came_by : dict of int to (int, bool, int)
        For every vertex reached: the last arc, whether it was walked forward, and from which vertex.
    distance_um, seen_um : dict of int to float
        Length of the way to every vertex reached, and how much of it is seen rather than bridged.
    entered : tuple of (int, bool, int)
        Every arc that was entered, whether forward, and from which vertex.
    """

    came_by: dict[int, tuple[int, bool, int]]
    distance_um: dict[int, float]
    seen_um: dict[int, float]
    entered: tuple[tuple[int, bool, int], ...]

    def steps_to(self, vertex: int) -> tuple[tuple[int, bool], ...]:
        """Arcs, each forward or backward, from the start to a vertex."""
        steps: list[tuple[int, bool]] = []
        while vertex in self.came_by:
            arc, forward, vertex = self.came_by[vertex]
            steps.append((arc, forward))
        return tuple(reversed(steps))


def build_network(fibers: Fibers, junctions: Mapping[int, Junction], patch: Patch | None = None) -> Network:
    """Cut the fibers where they cross the junctions.

    Parameters
    ----------
    fibers : Fibers
        All of them.
    junctions : mapping of int to Junction
        Of every piece that has one.
    patch : Patch, optional
        What is looked at; all when not given.

    Returns
    -------
    Network
        Its intersections are in order of piece and position.
    """
    patch = patch or Patch.whole(fibers)
    cuts: dict[int, list[_Cut]] = {}
    for junction in junctions.values():
        near = near_junction(fibers, patch.within, junction)
        for number, every in _crossed(fibers, near, junction).items():
            cuts.setdefault(number, []).extend(_without_touches(every, fibers.traces[number], junction))
    return _assemble(fibers, patch, cuts)


def walk(network: Network, vertex: int, first: Iterable[int], limit_um: float) -> Walk:
    """Walk from a vertex by its arcs `first`, not beyond intersections, as far as `limit_um`.

    Vertices at which a walk ends because they are intersections are part of the result.
    """
    came_by: dict[int, tuple[int, bool, int]] = {}
    distance, seen = {vertex: 0.0}, {vertex: 0.0}
    entered: list[tuple[int, bool, int]] = []
    queue: list[tuple[float, int, int, bool, int]] = []

    def enter(arc: int, at: int) -> None:
        ends = network.arcs[arc]
        for forward in (True, False):
            if at != (ends.start if forward else ends.end):
                continue
            entered.append((arc, forward, at))
            total = distance[at] + ends.trace.length_um
            if total <= limit_um:
                heapq.heappush(queue, (total, ends.end if forward else ends.start, arc, forward, at))

    for arc in first:
        enter(arc, vertex)
    while queue:
        total, at, arc, forward, previous = heapq.heappop(queue)
        if at in distance:
            continue
        distance[at] = total
        seen[at] = seen[previous] + network.arcs[arc].trace.seen_length_um
        came_by[at] = (arc, forward, previous)
        if network.is_intersection(at):
            continue
        for other in network.at_vertex[at]:
            if other != arc:
                enter(other, at)
    return Walk(came_by, distance, seen, tuple(entered))


def join(network: Network, steps: Sequence[tuple[int, bool]]) -> Trace:
    """One trace along several arcs, each forward or backward."""
    return end_to_end(
        [network.arcs[arc].trace if forward else network.arcs[arc].trace.backward() for arc, forward in steps]
    )


def near_junction(fibers: Fibers, among: NDArray[np.bool_], junction: Junction) -> NDArray[np.intp]:
    """Those of some branches, in order, that may touch a junction: their boxes do."""
    branches = np.flatnonzero(among)
    low, high = (box[branches] for box in fibers.boxes_um)
    return branches[junction.near_boxes(low, high, TOUCH_DEPTH_UM)]


def _crossed(fibers: Fibers, branches: NDArray[np.intp], junction: Junction) -> dict[int, list[_Cut]]:
    """Where some branches cross a junction, in order along each that does."""
    found = meetings([fibers.traces[number].points_um for number in branches], junction.points)
    out: dict[int, list[_Cut]] = {}
    for k, number in enumerate(branches[found.path].tolist()):
        position = float(found.on_curve[k])
        spot = Spot(junction.index, position, int(found.segment[k]), float(found.past[k]), met=True)
        cut = _Cut(float(found.on_path[k]), junction.index, position, int(found.toward[k]), spot)
        out.setdefault(number, []).append(cut)
    return out


def _without_touches(every: list[_Cut], trace: Trace, junction: Junction) -> list[_Cut]:
    """Drop pairs of crossings between which the trace hardly leaves the junction, shallowest first."""
    kept = list(every)
    while len(kept) > 1:
        parts = [trace.between(one.on_branch_um, two.on_branch_um) for one, two in itertools.pairwise(kept)]
        depths = [float(np.abs(junction(part.points_um).signed).max()) for part in parts]
        shallowest = int(np.argmin(depths))
        if depths[shallowest] >= TOUCH_DEPTH_UM:
            break
        del kept[shallowest : shallowest + 2]
    return kept


def _assemble(fibers: Fibers, patch: Patch, cuts: Mapping[int, Sequence[_Cut]]) -> Network:
    arcs: list[Arc] = []
    intersections: list[Intersection] = []
    for number in np.flatnonzero(patch.within).tolist():
        branch, trace = fibers.graph.branches[number], fibers.traces[number]
        mine = sorted(cuts.get(number, ()), key=lambda cut: cut[:-1])
        if not mine:
            arcs.append(Arc(branch.start, branch.end, trace, number))
            continue
        first = len(fibers.graph.nodes_px) + len(intersections)
        vertices = [branch.start, *range(first, first + len(mine)), branch.end]
        for k, cut in enumerate(mine):
            before, after = len(arcs) + k, len(arcs) + k + 1
            at = trace.at(cut.on_branch_um)
            above, below = (after, before) if cut.toward > 0 else (before, after)
            intersections.append(
                Intersection(
                    vertices[k + 1], number, cut.spot, at.points_um[0], float(at.z_um[0]), above, below
                )
            )
        places = [0.0, *(cut.on_branch_um for cut in mine), trace.length_um]
        for k, ends in enumerate(itertools.pairwise(places)):
            arcs.append(Arc(vertices[k], vertices[k + 1], trace.between(*ends), number))
    at_vertex: dict[int, list[int]] = {}
    for index, arc in enumerate(arcs):
        at_vertex.setdefault(arc.start, []).append(index)
        if arc.end != arc.start:
            at_vertex.setdefault(arc.end, []).append(index)
    asked = [one for one in intersections if patch.asked[one.branch]]
    return Network(
        fibers,
        patch,
        tuple(arcs),
        tuple(sorted(asked, key=lambda i: (i.spot.piece, i.spot.position_um, *i.point_um))),
        {vertex: tuple(found) for vertex, found in sorted(at_vertex.items())},
    )
