"""What is near the junction and does not cross it: fragments, approaching ends, dendritic cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from ienfd.counting.evidence import REACH_CAP_UM, ROUNDING_UM, Side, side_of
from ienfd.counting.network import TOUCH_DEPTH_UM, Network, walk
from ienfd.geometry import FloatArray, Projector
from ienfd.protocol import CountingRules
from ienfd.result import Cell, Piece

__all__ = ["Bystander", "approaching_ends", "cell_components", "fragments"]

CELL_SPAN_UM = 40.0
"""A dendritic cell with its processes is no larger than this; a fiber that passes by a cell is."""

CELL_MARGIN_UM = 3.0
"""Processes start within this distance of the body as found."""

TOWARD_JUNCTION = 0.35
TIP_UM = 6.0
"""An end approaches the junction when its last 6 um gain at least 35 % of their length in height."""


@dataclass(frozen=True, eq=False)
class Bystander:
    """A fiber near the junction that does not cross it there.

    Parameters
    ----------
    piece : int
        Index of the piece.
    vertex : int
        A vertex of its component.
    position_um : float
        Position along the junction of the place nearest to it.
    point_um : (2,) ndarray of float
        Its own point nearest to the junction.
    side : Side
        What is seen of it.
    """

    piece: int
    vertex: int
    position_um: float
    point_um: FloatArray
    side: Side


def cell_components(network: Network, cells: Sequence[Cell], pixel_size_um: float) -> frozenset[int]:
    """Components that are a dendritic cell: they touch a body and are no larger than such a cell."""
    if not cells or not network.arcs:
        return frozenset()
    points = np.concatenate([arc.trace.points_um for arc in network.arcs])
    owner = np.concatenate(
        [np.full(len(arc.trace.points_um), network.component[arc.start]) for arc in network.arcs]
    )
    centers = np.array([(cell.row_px, cell.col_px) for cell in cells]) * pixel_size_um
    margins = np.array([cell.radius_um for cell in cells]) + CELL_MARGIN_UM
    touching = {int(owner[i]) for found in cKDTree(points).query_ball_point(centers, margins) for i in found}
    return frozenset(c for c in touching if _span_um(points[owner == c]) < CELL_SPAN_UM)


def fragments(
    network: Network,
    pieces: Sequence[Piece],
    junctions: Mapping[int, Projector],
    pixel_size_um: float,
    rules: CountingRules,
) -> list[Bystander]:
    """Components that lie in the epidermis and meet no junction."""
    crossing = {network.component[place.vertex] for place in network.intersections}
    members: dict[int, list[int]] = {}
    for index, arc in enumerate(network.arcs):
        if network.component[arc.start] not in crossing:
            members.setdefault(network.component[arc.start], []).append(index)
    areas = {index: _epidermis(pieces[index], pixel_size_um) for index in junctions}
    out = []
    for component, arcs in members.items():
        points = np.concatenate([network.arcs[arc].trace.points_um for arc in arcs])
        for index, area in areas.items():
            if shapely.contains_xy(area, points[:, 1], points[:, 0]).mean() <= 0.5:
                continue
            view = junctions[index](points)
            nearest = int(np.argmin(np.abs(view.signed)))
            side = _whole(network, arcs)
            if view.beyond[nearest] or side.reach_um < rules.min_reach_um - ROUNDING_UM:
                continue
            out.append(Bystander(index, component, float(view.position[nearest]), points[nearest], side))
            break
    return out


def approaching_ends(
    network: Network, junctions: Mapping[int, Projector], rules: CountingRules
) -> list[Bystander]:
    """Ends of fibers below the junction that come up to it, and fibers that touch it from below."""
    tips = [vertex for vertex, arcs in network.at_vertex.items() if _is_tip(network, vertex, arcs)]
    if not tips:
        return _grazing(network, junctions, rules)
    ends = np.array([_end_points(network, vertex) for vertex in tips])
    best = np.full(len(tips), np.inf)
    chosen: list[Bystander | None] = [None] * len(tips)
    for index, junction in junctions.items():
        tip, back = junction(ends[:, 0]), junction(ends[:, 1])
        distance = -tip.signed
        gain = -back.signed - distance
        run = np.hypot(*(ends[:, 0] - ends[:, 1]).T)
        near = (distance >= 0) & (distance <= rules.approach_um) & ~tip.beyond & (distance < best)
        for k in np.flatnonzero(near & (gain >= TOWARD_JUNCTION * run) & (run > 0)):
            vertex = tips[k]
            side = side_of(network, walk(network, vertex, network.at_vertex[vertex], REACH_CAP_UM))
            if side.reach_um >= rules.min_reach_um - ROUNDING_UM:
                best[k] = distance[k]
                chosen[k] = Bystander(index, vertex, float(tip.position[k]), ends[k, 0], side)
    out = [found for found in chosen if found is not None]
    return [*out, *_grazing(network, junctions, rules)]


def _grazing(network: Network, junctions: Mapping[int, Projector], rules: CountingRules) -> list[Bystander]:
    """Fibers that come up from the dermis, touch the junction and go down again."""
    out = []
    lines = [
        shapely.LineString(arc.trace.points_um) if len(arc.trace.points_um) > 1 else None
        for arc in network.arcs
    ]
    tree = shapely.STRtree(np.array(lines, dtype=object))
    for index, junction in junctions.items():
        line = shapely.LineString(junction.points)
        for number in np.sort(tree.query(line, predicate="dwithin", distance=TOUCH_DEPTH_UM)):
            arc = network.arcs[number]
            view = junction(arc.trace.points_um)
            near = (np.abs(view.signed) < TOUCH_DEPTH_UM) & ~view.beyond
            for start, end in _runs(near):
                inner = start > 0 and end < len(near)
                if not inner or max(view.signed[start - 1], view.signed[end]) > -TOUCH_DEPTH_UM:
                    continue
                top = start + int(np.argmax(view.signed[start:end]))
                side = _whole(network, [int(number)])
                if side.reach_um >= rules.min_reach_um - ROUNDING_UM:
                    place = arc.trace.points_um[top]
                    out.append(Bystander(index, arc.start, float(view.position[top]), place, side))
    return out


def _runs(flag: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last-plus-one index of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flag.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _span_um(points: FloatArray) -> float:
    """Largest distance between any two of (N, 2) points."""
    corners = shapely.get_coordinates(shapely.convex_hull(shapely.multipoints(points)))
    return float(pdist(corners).max()) if len(corners) > 1 else 0.0


def _epidermis(piece: Piece, pixel_size_um: float) -> shapely.Geometry:
    """Area between junction and surface, in micrometers, as (x = col, y = row)."""
    outline = np.concatenate([piece.junction_px, piece.surface_px[::-1]]) * pixel_size_um
    return shapely.make_valid(shapely.Polygon(outline[:, ::-1]))


def _whole(network: Network, arcs: Sequence[int]) -> Side:
    """A whole component as one side: its seen length up to the cap, and its mean contrast there."""
    traces = [network.arcs[arc].trace for arc in arcs]
    contrast = np.concatenate([trace.contrast[~trace.bridged] for trace in traces])
    z = np.concatenate([trace.z_um[~trace.bridged] for trace in traces])
    z = z[np.isfinite(z)]
    return Side(
        reach_um=min(sum(float(trace.seen_um[-1]) for trace in traces), REACH_CAP_UM),
        contrast=float(contrast.mean()) if len(contrast) else 0.0,
        z_um=float(np.median(z)) if len(z) else np.nan,
    )


def _is_tip(network: Network, vertex: int, arcs: Sequence[int]) -> bool:
    if network.is_intersection(vertex) or len(arcs) != 1:
        return False
    return network.arcs[arcs[0]].start != network.arcs[arcs[0]].end


def _end_points(network: Network, vertex: int) -> tuple[FloatArray, FloatArray]:
    """The end of a fiber at a tip, and the point some micrometers before it."""
    arc = network.arcs[network.at_vertex[vertex][0]]
    trace = arc.trace if arc.start == vertex else arc.trace.backward()
    back = int(np.searchsorted(trace.along_um, min(TIP_UM, trace.length_um)))
    return trace.points_um[0], trace.points_um[min(back, len(trace.points_um) - 1)]
