"""What is near the junction and does not cross it: fragments and approaching ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.counting.evidence import REACH_CAP_UM, ROUNDING_UM, Side, side_of
from ienfd.counting.fibers import Fibers
from ienfd.counting.junctions import Junction, Spot
from ienfd.counting.network import TOUCH_DEPTH_UM, Network, near_junction, walk
from ienfd.counting.trace import Trace
from ienfd.geometry import FloatArray, inside
from ienfd.protocol import CountingRules
from ienfd.result import Piece

__all__ = ["TIP_UM", "Bystander", "Insider", "approaching_ends", "fragments"]

TOWARD_JUNCTION = 0.35
TIP_UM = 6.0
"""An end approaches the junction when its last 6 um gain at least 35 % of their length in height."""


@dataclass(frozen=True, eq=False)
class Bystander:
    """A fiber near the junction that does not cross it there.

    Parameters
    ----------
    spot : Spot
        Place on the junction that is nearest to it.
    branch : int
        A branch of it.
    point_um : (2,) ndarray of float
        Its own point nearest to the junction.
    side : Side
        What is seen of it.
    """

    spot: Spot
    branch: int
    point_um: FloatArray
    side: Side


@dataclass(frozen=True, eq=False)
class Insider:
    """A component that lies in the epidermis of a piece and meets no junction.

    Parameters
    ----------
    component : int
        The component.
    distance_um : float
        From the junction of that piece to its own nearest point.
    found : Bystander or None
        The fragment that it is; None where it lies beyond an end of the junction, or is too short.
    """

    component: int
    distance_um: float
    found: Bystander | None


def fragments(
    fibers: Fibers,
    components: Iterable[int],
    junctions: Mapping[int, Junction],
    rules: CountingRules,
) -> list[Insider]:
    """Those of some components, which meet no junction, that lie in the epidermis.

    One that is no fragment of a piece may still be one of the next.
    """
    outlines = {
        index: _epidermis(junction.piece, junction.pixel_size_um) for index, junction in junctions.items()
    }
    out = []
    for component in components:
        branches = fibers.of_component(component)
        traces = [fibers.traces[branch] for branch in branches]
        points = np.concatenate([trace.points_um for trace in traces])
        for index, outline in outlines.items():
            if inside(points, outline).mean() <= 0.5:
                continue
            view = junctions[index](points)
            nearest = int(np.argmin(np.abs(view.signed)))
            side = _whole(traces)
            spot = junctions[index].spot(view, nearest)
            found = Bystander(spot, int(branches[0]), points[nearest], side)
            is_one = not view.beyond[nearest] and side.reach_um >= rules.min_reach_um - ROUNDING_UM
            out.append(Insider(component, float(abs(view.signed[nearest])), found if is_one else None))
            if is_one:
                break
    return out


def approaching_ends(
    network: Network, junctions: Mapping[int, Junction], rules: CountingRules
) -> list[Bystander]:
    """Ends of fibers below the junction that come up to it, and fibers that touch it from below."""
    nodes = np.unique(network.fibers.ends[network.asked]).tolist()
    tips = [node for node in nodes if _is_tip(network, network.at_vertex[node])]
    if not tips:
        return _grazing(network, junctions, rules)
    ends = np.array([_end_points(network, vertex) for vertex in tips])
    run = np.hypot(*(ends[:, 0] - ends[:, 1]).T)
    best = np.full(len(tips), np.inf)
    chosen: list[Bystander | None] = [None] * len(tips)
    for junction in junctions.values():
        near = np.flatnonzero(junction.within(ends[:, 0], rules.approach_um) & (run > 0))
        tip, back = junction(ends[near, 0]), junction(ends[near, 1])
        distance = -tip.signed
        gain = -back.signed - distance
        below = (distance >= 0) & (distance <= rules.approach_um) & ~tip.beyond & (distance < best[near])
        for k in np.flatnonzero(below & (gain >= TOWARD_JUNCTION * run[near])).tolist():
            vertex = tips[near[k]]
            arcs = network.at_vertex[vertex]
            side = side_of(network, walk(network, vertex, arcs, REACH_CAP_UM))
            if side.reach_um >= rules.min_reach_um - ROUNDING_UM:
                best[near[k]] = distance[k]
                branch = network.arcs[arcs[0]].branch
                chosen[near[k]] = Bystander(junction.spot(tip, k), branch, ends[near[k], 0], side)
    out = [found for found in chosen if found is not None]
    return [*out, *_grazing(network, junctions, rules)]


def _grazing(network: Network, junctions: Mapping[int, Junction], rules: CountingRules) -> list[Bystander]:
    """Fibers that come up from the dermis, touch the junction and go down again."""
    out = []
    for junction in junctions.values():
        near = near_junction(network.fibers, np.flatnonzero(network.asked), junction)
        arcs = [arc for branch in near.tolist() for arc in network.of_branch(branch)]
        if not arcs:
            continue
        points = np.concatenate([arc.trace.points_um for arc in arcs])
        needed = junction.within(points, TOUCH_DEPTH_UM)
        needed[1:] |= needed[:-1]  # and the next on both sides of each
        needed[:-1] |= needed[1:]
        number = np.cumsum(needed) - 1
        view = junction(points[needed])
        height_um, close = np.full(len(points), np.nan), np.zeros(len(points), dtype=bool)
        height_um[needed] = view.signed
        close[needed] = (np.abs(view.signed) < TOUCH_DEPTH_UM) & ~view.beyond
        first = 0
        for arc in arcs:
            part = slice(first, first + len(arc.trace.points_um))
            for top in _touches(height_um[part], close[part]):
                side = _whole([arc.trace])
                if side.reach_um >= rules.min_reach_um - ROUNDING_UM:
                    spot = junction.spot(view, int(number[first + top]))
                    out.append(Bystander(spot, arc.branch, arc.trace.points_um[top], side))
            first = part.stop
    return out


def _touches(height_um: FloatArray, close: NDArray[np.bool_]) -> list[int]:
    """Highest points of the runs of close ones that a line comes up to from below and leaves so."""
    return [
        start + int(np.argmax(height_um[start:end]))
        for start, end in _runs(close)
        if start > 0 and end < len(close) and max(height_um[start - 1], height_um[end]) <= -TOUCH_DEPTH_UM
    ]


def _runs(flag: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last-plus-one index of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flag.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _epidermis(piece: Piece, pixel_size_um: float) -> FloatArray:
    """(N, 2) outline of the area between junction and surface, in micrometers."""
    return np.concatenate([piece.junction_px, piece.surface_px[::-1]]) * pixel_size_um


def _whole(traces: Sequence[Trace]) -> Side:
    """All of them as one side: what is seen up to the cap, and the mean contrast there."""
    contrast = np.concatenate([trace.contrast[~trace.bridged] for trace in traces])
    z = np.concatenate([trace.z_um[~trace.bridged] for trace in traces])
    z = z[np.isfinite(z)]
    return Side(
        reach_um=min(sum(trace.seen_length_um for trace in traces), REACH_CAP_UM),
        contrast=float(contrast.mean()) if len(contrast) else 0.0,
        z_um=float(np.median(z)) if len(z) else np.nan,
    )


def _is_tip(network: Network, arcs: Sequence[int]) -> bool:
    return len(arcs) == 1 and network.arcs[arcs[0]].start != network.arcs[arcs[0]].end


def _end_points(network: Network, vertex: int) -> tuple[FloatArray, FloatArray]:
    """The end of a fiber at a tip, and the point some micrometers before it."""
    arc = network.arcs[network.at_vertex[vertex][0]]
    trace = arc.trace if arc.start == vertex else arc.trace.backward()
    back = int(np.searchsorted(trace.along_um, min(TIP_UM, trace.length_um)))
    return trace.points_um[0], trace.points_um[min(back, len(trace.points_um) - 1)]
