"""The fiber graph cut where it crosses the junction, and walks on it.

Each arc of the network lies on one side of the junction. Its vertices are the nodes of the fiber
graph, numbered as there, followed by the intersections. Lengths are in micrometers throughout.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ienfd.geometry import FloatArray, Projector, arc_lengths, length, meetings
from ienfd.result import Branch, FiberGraph, Piece

__all__ = ["Arc", "Intersection", "Network", "Trace", "Walk", "build_network", "walk"]

TOUCH_DEPTH_UM = 1.0
"""A line that goes over the junction by less than this and comes back has touched it, not crossed it."""

_Cut = tuple[float, int, float, int]  # place on the trace, piece, place on its junction, side gone to


@dataclass(frozen=True, eq=False)
class Trace:
    """A polyline with what was measured at its points.

    Parameters
    ----------
    points_um : (N, 2) ndarray of float
        (row, col) in micrometers.
    contrast : (N,) ndarray of float
        Ridge contrast in units of the local noise.
    bridged : (N,) ndarray of bool
        True where a gap was bridged.
    z_um : (N,) ndarray of float
        Depth; NaN where it is not known.
    width_um : float
        Mean apparent caliber; NaN where it is not known.
    """

    points_um: FloatArray
    contrast: FloatArray
    bridged: np.ndarray
    z_um: FloatArray
    width_um: float = np.nan
    along_um: FloatArray = field(init=False)
    seen_um: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        along = arc_lengths(self.points_um)
        seen = np.where(self.bridged[1:] | self.bridged[:-1], 0.0, np.diff(along))
        object.__setattr__(self, "along_um", along)
        object.__setattr__(self, "seen_um", np.concatenate([[0.0], np.cumsum(seen)]))

    @property
    def length_um(self) -> float:
        """Whole length, gaps included."""
        return float(self.along_um[-1])

    def seen_within(self, limit_um: float, forward: bool) -> float:
        """Length seen as a fiber within the first (or, if not `forward`, the last) `limit_um`."""
        whole = float(self.seen_um[-1])
        if limit_um >= self.length_um:
            return whole
        if forward:
            return float(np.interp(limit_um, self.along_um, self.seen_um))
        return whole - float(np.interp(self.length_um - limit_um, self.along_um, self.seen_um))

    def backward(self) -> Trace:
        """The same trace from its other end."""
        return Trace(
            self.points_um[::-1], self.contrast[::-1], self.bridged[::-1], self.z_um[::-1], self.width_um
        )


@dataclass(frozen=True, eq=False)
class Arc:
    """A trace between two vertices."""

    start: int
    end: int
    trace: Trace


@dataclass(frozen=True, eq=False)
class Intersection:
    """One place where a fiber crosses the junction of a piece.

    Parameters
    ----------
    vertex : int
        Its vertex in the network.
    piece : int
        Index of the piece.
    point_um : (2,) ndarray of float
        (row, col) in micrometers.
    position_um : float
        Position along the junction as stored.
    z_um : float
        Depth; NaN where it is not known.
    above, below : int
        Arcs that leave it on the side of the epidermis and of the dermis.
    """

    vertex: int
    piece: int
    point_um: FloatArray
    position_um: float
    z_um: float
    above: int
    below: int


@dataclass(frozen=True, eq=False)
class Network:
    """Arcs, the intersections between them, and which arcs meet at every vertex."""

    arcs: tuple[Arc, ...]
    intersections: tuple[Intersection, ...]
    nodes: int
    at_vertex: dict[int, tuple[int, ...]]
    component: tuple[int, ...]

    def is_intersection(self, vertex: int) -> bool:
        """Whether a vertex is an intersection rather than a node of the fiber graph."""
        return vertex >= self.nodes


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


def build_network(graph: FiberGraph, pieces: Sequence[Piece], pixel_size_um: float) -> Network:
    """Cut the fiber graph where it crosses the junctions.

    Parameters
    ----------
    graph : FiberGraph
        Fibers in pixels.
    pieces : sequence of Piece
        Stretches of epidermis in pixels.
    pixel_size_um : float
        Pixel edge in micrometers.

    Returns
    -------
    Network
        Its intersections are in order of piece and position.
    """
    traces = [_trace(branch, pixel_size_um) for branch in graph.branches]
    cuts: list[list[_Cut]] = [[] for _ in traces]
    for index, piece in enumerate(pieces):
        junction = piece.junction_px * pixel_size_um
        if length(junction) <= 0:
            continue
        found = meetings([trace.points_um for trace in traces], junction)
        projector = Projector(junction)
        for number in np.unique(found.path):
            mine = found.path == number
            every = [
                (float(s), index, float(p), int(toward))
                for s, p, toward in zip(
                    found.on_path[mine], found.on_curve[mine], found.toward[mine], strict=True
                )
            ]
            cuts[number] += _without_touches(every, traces[number], projector)
    return _assemble(graph, traces, cuts)


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
        seen[at] = seen[previous] + float(network.arcs[arc].trace.seen_um[-1])
        came_by[at] = (arc, forward, previous)
        if network.is_intersection(at):
            continue
        for other in network.at_vertex[at]:
            if other != arc:
                enter(other, at)
    return Walk(came_by, distance, seen, tuple(entered))


def join(network: Network, steps: Sequence[tuple[int, bool]]) -> Trace:
    """One trace along several arcs, each forward or backward."""
    parts = [
        network.arcs[arc].trace if forward else network.arcs[arc].trace.backward() for arc, forward in steps
    ]
    if len(parts) == 1:
        return parts[0]
    return Trace(
        np.concatenate([part.points_um for part in parts]),
        np.concatenate([part.contrast for part in parts]),
        np.concatenate([part.bridged for part in parts]),
        np.concatenate([part.z_um for part in parts]),
        _mean_width(parts),
    )


def _mean_width(parts: Sequence[Trace]) -> float:
    """Mean caliber over the parts of which it is known, by their length."""
    known = [part for part in parts if np.isfinite(part.width_um) and part.length_um > 0]
    if not known:
        return float(np.nan)
    weights = [part.length_um for part in known]
    return float(np.average([part.width_um for part in known], weights=weights))


def _trace(branch: Branch, pixel_size_um: float) -> Trace:
    count = len(branch.path_px)
    return Trace(
        np.asarray(branch.path_px, dtype=np.float64) * pixel_size_um,
        np.asarray(branch.contrast, dtype=np.float64),
        np.asarray(branch.bridged, dtype=bool),
        np.full(count, np.nan) if branch.z_um is None else np.asarray(branch.z_um, dtype=np.float64),
        branch.width_um if branch.width_um > 0 else np.nan,
    )


def _without_touches(every: list[_Cut], trace: Trace, projector: Projector) -> list[_Cut]:
    """Drop pairs of crossings between which the trace hardly leaves the junction, shallowest first."""
    kept = list(every)
    while len(kept) > 1:
        depths = [
            float(np.abs(projector(_between(trace, one[0], two[0]).points_um).signed).max())
            for one, two in itertools.pairwise(kept)
        ]
        shallowest = int(np.argmin(depths))
        if depths[shallowest] >= TOUCH_DEPTH_UM:
            break
        del kept[shallowest : shallowest + 2]
    return kept


def _at(trace: Trace, position: float) -> Trace:
    """The trace at one place of it, as a trace of one point."""
    i = int(np.clip(np.searchsorted(trace.along_um, position, side="right") - 1, 0, len(trace.along_um) - 2))
    span = trace.along_um[i + 1] - trace.along_um[i]
    t = (position - trace.along_um[i]) / span if span > 0 else 0.0
    return Trace(
        (trace.points_um[i] * (1 - t) + trace.points_um[i + 1] * t)[None],
        (trace.contrast[i] * (1 - t) + trace.contrast[i + 1] * t)[None],
        (trace.bridged[i] | trace.bridged[i + 1])[None],
        (trace.z_um[i] * (1 - t) + trace.z_um[i + 1] * t)[None],
    )


def _between(trace: Trace, start: float, end: float) -> Trace:
    """The part of a trace between two places of it."""
    inside = slice(
        int(np.searchsorted(trace.along_um, start, side="right")),
        int(np.searchsorted(trace.along_um, end, side="left")),
    )
    first, last = _at(trace, start), _at(trace, end)
    return Trace(
        np.concatenate([first.points_um, trace.points_um[inside], last.points_um]),
        np.concatenate([first.contrast, trace.contrast[inside], last.contrast]),
        np.concatenate([first.bridged, trace.bridged[inside], last.bridged]),
        np.concatenate([first.z_um, trace.z_um[inside], last.z_um]),
        trace.width_um,
    )


def _assemble(graph: FiberGraph, traces: Sequence[Trace], cuts: Sequence[Sequence[_Cut]]) -> Network:
    nodes = len(graph.nodes_px)
    arcs: list[Arc] = []
    unordered: list[Intersection] = []
    for number, branch in enumerate(graph.branches):
        trace, mine = traces[number], sorted(cuts[number])
        places = [0.0, *(cut[0] for cut in mine), trace.length_um]
        vertices = [
            branch.start,
            *range(nodes + len(unordered), nodes + len(unordered) + len(mine)),
            branch.end,
        ]
        base = len(arcs)
        for k in range(len(places) - 1):
            part = trace if not mine else _between(trace, places[k], places[k + 1])
            arcs.append(Arc(vertices[k], vertices[k + 1], part))
        for k, (s, piece, position, toward) in enumerate(mine):
            before, after = base + k, base + k + 1
            spot = _at(trace, s)
            above, below = (after, before) if toward > 0 else (before, after)
            unordered.append(
                Intersection(
                    nodes + len(unordered),
                    piece,
                    spot.points_um[0],
                    position,
                    float(spot.z_um[0]),
                    above,
                    below,
                )
            )
    at_vertex: dict[int, list[int]] = {vertex: [] for vertex in range(nodes + len(unordered))}
    for index, arc in enumerate(arcs):
        at_vertex[arc.start].append(index)
        if arc.end != arc.start:
            at_vertex[arc.end].append(index)
    ordered = sorted(unordered, key=lambda i: (i.piece, i.position_um, *i.point_um))
    return Network(
        tuple(arcs),
        tuple(ordered),
        nodes,
        {vertex: tuple(found) for vertex, found in at_vertex.items()},
        _components(nodes + len(unordered), arcs),
    )


def _components(vertices: int, arcs: Sequence[Arc]) -> tuple[int, ...]:
    """Smallest vertex of the connected component of every vertex."""
    parent = list(range(vertices))

    def root(vertex: int) -> int:
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    for arc in arcs:
        one, two = sorted((root(arc.start), root(arc.end)))
        parent[two] = one
    return tuple(root(vertex) for vertex in range(vertices))
