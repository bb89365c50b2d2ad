"""The fiber graph cut where it crosses the junction, and walks on it.

Each arc of the network lies on one side of the junction. Its vertices are the nodes of the fiber
graph, numbered as there, and the intersections, in order of the branches. Lengths are in micrometers
throughout.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
    "Step",
    "Walk",
    "build_network",
    "join",
    "near_junction",
    "walk",
]

TOUCH_DEPTH_UM = 1.0
"""A line that goes over the junction by less than this and comes back has touched it, not crossed it."""

_PARTS = 1 << 20  # more than a branch has parts: numbers of arcs and intersections are in their order


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
class Network:
    """Arcs, the intersections between them, and which arcs meet at every vertex.

    Parameters
    ----------
    fibers : Fibers
        What is cut.
    arcs : mapping of int to Arc
        By their numbers, which tell branch and part: no arc has another one because others are cut.
    at_vertex : mapping of int to tuple of int
        The arcs that meet at every vertex, in order.
    cuts : mapping of int to tuple of Intersection
        In order along every branch that is cut.
    asked : (B,) ndarray of bool
        Branches whose candidates are asked for.
    """

    fibers: Fibers
    arcs: Mapping[int, Arc]
    at_vertex: Mapping[int, tuple[int, ...]]
    cuts: Mapping[int, tuple[Intersection, ...]]
    asked: NDArray[np.bool_]

    def is_intersection(self, vertex: int) -> bool:
        """Whether a vertex is an intersection rather than a node of the fiber graph."""
        return vertex >= len(self.fibers.graph.nodes_px)

    @cached_property
    def intersections(self) -> tuple[Intersection, ...]:
        """Those that are asked for, in order of piece and position."""
        asked = [
            place for branch, places in sorted(self.cuts.items()) if self.asked[branch] for place in places
        ]
        return tuple(sorted(asked, key=lambda i: (i.spot.piece, i.spot.position_um, *i.point_um)))

    @cached_property
    def cut_branches(self) -> NDArray[np.intp]:
        """(C,) branch of every intersection, asked for or not."""
        return np.array([place.branch for places in self.cuts.values() for place in places], dtype=np.intp)

    @cached_property
    def cuts_um(self) -> FloatArray:
        """(C, 2) (row, col) of them."""
        points = [place.point_um for places in self.cuts.values() for place in places]
        return np.array(points).reshape(-1, 2)

    def of_branch(self, branch: int) -> list[Arc]:
        """The parts of a branch, in order along it."""
        return [self.arcs[_PARTS * branch + k] for k in range(len(self.cuts.get(branch, ())) + 1)]

    def asking(self, asked: NDArray[np.bool_]) -> Network:
        """The same, asked about some branches."""
        return replace(self, asked=asked)

    def cut_by(self, junctions: Mapping[int, Junction], branches: NDArray[np.intp]) -> Network:
        """The same with some branches cut where they cross the junctions, however they were cut before."""
        cuts: dict[int, list[_Cut]] = {branch: [] for branch in branches.tolist() if branch in self.cuts}
        for junction in junctions.values():
            near = near_junction(self.fibers, branches, junction)
            for number, every in _crossed(self.fibers, near, junction).items():
                cut = _without_touches(every, self.fibers.traces[number], junction)
                cuts.setdefault(number, []).extend(cut)
        return self._with(cuts)

    def following(self, follow: Callable[[Spot], Spot], but: NDArray[np.intp]) -> Network:
        """The same with its intersections at other spots of the junctions, but for those of some branches.

        Raises
        ------
        LookupError
            If one of them does not stay where it is.
        """
        left = set(but.tolist())

        def there(place: Intersection) -> Intersection:
            spot = follow(place.spot)
            return place if spot is place.spot else replace(place, spot=spot)

        cuts = {
            branch: places if branch in left else tuple(map(there, places))
            for branch, places in self.cuts.items()
        }
        return replace(self, cuts=cuts)

    def _with(self, cuts: Mapping[int, Sequence[_Cut]]) -> Network:
        """The same with some branches cut otherwise."""
        arcs, at_vertex, places = dict(self.arcs), dict(self.at_vertex), dict(self.cuts)
        branches, nodes = self.fibers.graph.branches, set[int]()
        for number, mine in cuts.items():
            for place in places.pop(number, ()):
                del at_vertex[place.vertex]
                del arcs[max(place.above, place.below)]
            parts, own = _parts(self.fibers, number, sorted(mine, key=lambda cut: cut[:-1]))
            arcs.update(parts)
            at_vertex.update({place.vertex: tuple(sorted((place.above, place.below))) for place in own})
            if own:
                places[number] = own
            nodes |= {branches[number].start, branches[number].end}
        for node in nodes:
            at = self.fibers.at_node[node]
            first = {_PARTS * one for one in at if branches[one].start == node}
            last = {_PARTS * one + len(places.get(one, ())) for one in at if branches[one].end == node}
            at_vertex[node] = tuple(sorted(first | last))
        return replace(self, arcs=arcs, at_vertex=at_vertex, cuts=places)


Step = tuple[int, bool, int]
"""An arc, whether it is walked forward, and from which vertex."""


@dataclass(frozen=True)
class Walk:
    """Shortest ways from a vertex to others.

    Parameters
    ----------
    came_by : dict of int to Step
        For every vertex reached: the last step of the way to it.
    distance_um, seen_um : dict of int to float
        Length of the way to every vertex reached, and how much of it is seen rather than bridged.
    entered : tuple of Step
        Every arc that was entered.
    """

    came_by: dict[int, Step]
    distance_um: dict[int, float]
    seen_um: dict[int, float]
    entered: tuple[Step, ...]

    def steps_to(self, vertex: int) -> tuple[tuple[int, bool], ...]:
        """Arcs, each forward or backward, from the start to a vertex."""
        steps: list[tuple[int, bool]] = []
        while vertex in self.came_by:
            arc, forward, vertex = self.came_by[vertex]
            steps.append((arc, forward))
        return tuple(reversed(steps))


def build_network(fibers: Fibers, junctions: Mapping[int, Junction]) -> Network:
    """Cut the fibers where they cross the junctions.

    Parameters
    ----------
    fibers : Fibers
        All of them.
    junctions : mapping of int to Junction
        Of every piece that has one.

    Returns
    -------
    Network
        All of it is asked for.
    """
    branches = enumerate(fibers.graph.branches)
    arcs = {
        _PARTS * number: Arc(branch.start, branch.end, fibers.traces[number], number)
        for number, branch in branches
    }
    at_vertex = {
        node: tuple(_PARTS * number for number in numbers) for node, numbers in fibers.at_node.items()
    }
    every = np.arange(len(fibers))
    uncut = Network(fibers, arcs, at_vertex, {}, np.ones(len(fibers), dtype=bool))
    return uncut.cut_by(junctions, every)


def walk(network: Network, vertex: int, first: Iterable[int], limit_um: float) -> Walk:
    """Walk from a vertex by its arcs `first`, not beyond intersections, as far as `limit_um`.

    Vertices at which a walk ends because they are intersections are part of the result.
    """
    came_by: dict[int, Step] = {}
    distance, seen = {vertex: 0.0}, {vertex: 0.0}
    entered: list[Step] = []
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


def near_junction(fibers: Fibers, branches: NDArray[np.intp], junction: Junction) -> NDArray[np.intp]:
    """Those of some branches, in their order, that may touch a junction: their boxes do."""
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
        depths = [_depth_um(part.points_um, junction) for part in parts]
        shallowest = int(np.argmin(depths))
        if depths[shallowest] >= TOUCH_DEPTH_UM:
            break
        del kept[shallowest : shallowest + 2]
    return kept


def _depth_um(points_um: FloatArray, junction: Junction) -> float:
    """Largest distance from the junction; infinite where it is more than a touch."""
    if not junction.all_within(points_um, TOUCH_DEPTH_UM):
        return float("inf")
    return float(np.abs(junction(points_um).signed).max())


def _parts(
    fibers: Fibers, number: int, cuts: Sequence[_Cut]
) -> tuple[dict[int, Arc], tuple[Intersection, ...]]:
    """A branch cut at some places in order along it."""
    branch, trace, base = fibers.graph.branches[number], fibers.traces[number], _PARTS * number
    if not cuts:
        return {base: Arc(branch.start, branch.end, trace, number)}, ()
    first = len(fibers.graph.nodes_px) + base
    vertices = [branch.start, *range(first, first + len(cuts)), branch.end]
    places = []
    for k, cut in enumerate(cuts):
        at = trace.at(cut.on_branch_um)
        above, below = (base + k + 1, base + k) if cut.toward > 0 else (base + k, base + k + 1)
        z_um = float(at.z_um[0])
        places.append(Intersection(vertices[k + 1], number, cut.spot, at.points_um[0], z_um, above, below))
    ends = itertools.pairwise([0.0, *(cut.on_branch_um for cut in cuts), trace.length_um])
    arcs = {
        base + k: Arc(vertices[k], vertices[k + 1], trace.between(*pair), number)
        for k, pair in enumerate(ends)
    }
    return arcs, tuple(places)
