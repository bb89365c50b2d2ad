"""Gaps between pieces of one fiber: beaded fibers fade between their varicosities.

Two pieces belong together when they lie in line and the way between them is not darker than it
would be by chance. Links are made in the order of their cost, each free end once; a free end may
also run onto the side of another strand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ienfd.nerve.untangle import heading
from ienfd.nerve.web import Web
from ienfd.result import FloatArray

__all__ = ["bridge_gaps", "on_the_way"]

_DIRECTION_UM = 5.0  # length over which the direction of an end is taken
_STRAIGHT = 0.55  # least cosine between the direction of an end and the gap
_SIDE_UM = 4.0  # an end runs onto the side of another strand over a gap of no more than this
_EVIDENCE_WEIGHT = 0.6
_MAX_COST = 1.0


@dataclass(frozen=True)
class _Gap:
    """A possible link: cost, the tip, and the tip or the strand and point it leads to."""

    cost: float
    tip: int
    to_tip: int = -1
    to_strand: int = -1
    to_point: int = -1


def bridge_gaps(web: Web, contrast: NDArray[np.float32], px_um: float, max_gap_um: float) -> None:
    """Link pieces that line up, in place.

    Parameters
    ----------
    web : Web
        Pieces of fibers on the working grid.
    contrast : (H, W) ndarray of float32
        Line contrast: what is seen in a gap speaks for it.
    px_um : float
        Pixel edge in micrometers.
    max_gap_um : float
        Longest gap.
    """
    tips = web.tips()
    if not tips:
        return
    ends = np.array([web.nodes[node] for node, _ in tips])
    headings = np.array([heading(web.strands[key], node, _DIRECTION_UM / px_um) for node, key in tips])
    gaps = _tip_to_tip(tips, ends, headings, contrast, px_um, max_gap_um)
    gaps += _tip_to_side(web, tips, ends, headings, contrast, px_um)
    used: set[int] = set()
    for gap in sorted(gaps, key=lambda g: (g.cost, g.tip, g.to_tip, g.to_strand)):
        if gap.tip in used or gap.to_tip in used:
            continue
        node = tips[gap.tip][0]
        if gap.to_tip >= 0:
            other = tips[gap.to_tip][0]
            used.add(gap.to_tip)
        elif gap.to_strand in web.strands:
            other = web.split(gap.to_strand, gap.to_point)
        else:
            continue  # the strand was cut by an earlier link
        used.add(gap.tip)
        web.bridge(node, other)


def _tip_to_tip(
    tips: list[tuple[int, int]],
    ends: FloatArray,
    headings: FloatArray,
    contrast: NDArray[np.float32],
    px_um: float,
    max_gap_um: float,
) -> list[_Gap]:
    pairs = cKDTree(ends).query_pairs(max_gap_um / px_um, output_type="ndarray")
    if not len(pairs):
        return []
    a, b = pairs.T
    way = ends[b] - ends[a]
    gap_um = np.hypot(*way.T) * px_um
    way = way / np.maximum(np.hypot(*way.T), 1e-9)[:, None]
    straight_a, straight_b = (headings[a] * way).sum(1), -(headings[b] * way).sum(1)
    onward = -(headings[a] * headings[b]).sum(1)
    touching = gap_um < 1.5 * px_um + 0.7  # nearly in contact: their directions say little
    fits = touching | (np.minimum(straight_a, straight_b) > _STRAIGHT)
    fits &= onward > -0.2
    strands = np.array([key for _, key in tips])
    fits &= (strands[a] != strands[b]) | (gap_um < 2.0)
    seen = _between(ends[a], ends[b], contrast)
    bend = 2 - straight_a - straight_b
    cost = (
        gap_um / max_gap_um + 0.5 * np.where(touching, 0, bend) - _EVIDENCE_WEIGHT * np.clip(seen / 4, 0, 1)
    )
    return [
        _Gap(float(cost[k]), int(a[k]), to_tip=int(b[k])) for k in np.flatnonzero(fits & (cost < _MAX_COST))
    ]


def _tip_to_side(
    web: Web,
    tips: list[tuple[int, int]],
    ends: FloatArray,
    headings: FloatArray,
    contrast: NDArray[np.float32],
    px_um: float,
) -> list[_Gap]:
    points, owner, place = [], [], []
    for key, strand in web.strands.items():
        if len(strand.points) > 2:
            points.append(strand.points[1:-1])
            owner.append(np.full(len(strand.points) - 2, key))
            place.append(np.arange(1, len(strand.points) - 1))
    if not points:
        return []
    every, owners, places = np.concatenate(points), np.concatenate(owner), np.concatenate(place)
    out = []
    tree = cKDTree(every)
    for number, end in enumerate(ends):
        near = tree.query_ball_point(end, _SIDE_UM / px_um)
        candidates = np.array([k for k in near if owners[k] != tips[number][1]], np.intp)
        if not len(candidates):
            continue
        way = every[candidates] - ends[number]
        distance = np.hypot(*way.T)
        straight = (way * headings[number]).sum(1) / np.maximum(distance, 1e-9)
        seen = _between(np.broadcast_to(ends[number], way.shape), every[candidates], contrast)
        cost = distance * px_um / _SIDE_UM + 0.7 * (1 - straight) - _EVIDENCE_WEIGHT * np.clip(seen / 4, 0, 1)
        cost[(straight < _STRAIGHT) & (distance * px_um > 1.2)] = np.inf
        best = int(np.argmin(cost))
        if cost[best] < _MAX_COST:
            k = candidates[best]
            out.append(
                _Gap(float(cost[best]) + 0.1, number, to_strand=int(owners[k]), to_point=int(places[k]))
            )
    return out


def _between(start: FloatArray, end: FloatArray, contrast: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean contrast on the straight way between two ends, ends left out."""
    places = np.moveaxis(on_the_way(start, end, 5), -1, 0)
    values = ndimage.map_coordinates(contrast, places, order=1, mode="nearest")
    return np.asarray(values.mean(axis=1), float)


def on_the_way(start: FloatArray, end: FloatArray, places: int) -> FloatArray:
    """(N, places, 2) places on the straight ways between N pairs of ends, ends left out."""
    share = np.linspace(0.2, 0.8, places)
    return np.asarray(start[:, None] + share[None, :, None] * (end - start)[:, None])
