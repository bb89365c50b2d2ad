"""Gaps between pieces of one fiber: beads fade into each other, and nuclei hide what lies behind them.

Two pieces belong together when they lie in line and the way between them is not darker than it
would be by chance. Links are made in the order of their cost, each free end once; a free end may
also run onto the side of another strand. Longer gaps are bridged between clear fibers only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ienfd.geometry import arc_lengths
from ienfd.nerve.untangle import heading
from ienfd.nerve.web import Strand, Web
from ienfd.result import FloatArray

__all__ = ["bridge_far", "bridge_gaps"]

_DIRECTION_UM = 5.0  # length over which the direction of an end is taken
_STRAIGHT = 0.55  # least cosine between the direction of an end and the gap
_SIDE_UM = 4.0  # an end runs onto the side of another strand over a gap of no more than this
_EVIDENCE_WEIGHT = 0.6
_MAX_COST = 1.0

# How likely two ends are of one fiber, fitted on 1,105 pairs of ends in synthetic sections by two generators,
# 112 of them of one fiber; a link that is wrong costs less than one that is missed.
_FAR_UM = 20.0
_LIKELY = 0.25
_LONG_DIRECTION_UM = 10.0
_LEAST_STRAIGHT = 0.3
_CLEAR_OVER_UM = 10.0
_LEAST_DARK = 0.05  # optical density
_LONG_UM = 15.0  # a longer piece is not more likely to go on
_BIAS, _GAP, _BEND, _LENGTH, _CLEAR, _DARK = -2.74, -0.184, -4.24, 0.84, 0.88, 1.67

_PROCESS_UM = 25.0  # processes of a cell end within this distance of its body
_BODY_MARGIN_UM = 3.0


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
        line = np.array([web.nodes[node], web.nodes[other]])
        web.add(Strand(node, other, line, np.array([True, True])))


def bridge_far(
    web: Web,
    contrast: NDArray[np.float32],
    light: NDArray[np.float16],
    px_um: float,
    bodies: Iterable[tuple[FloatArray, float]],
) -> None:
    """Link ends of clear fibers that point at each other, in place: dark nuclei hide what lies behind them.

    In fluorescence nothing hides a fiber, and a long gap is one.

    Parameters
    ----------
    web : Web
        Fibers that were found clear enough, on the working grid.
    contrast : (H, W) ndarray of float32
        Line contrast.
    light : (H, W, C) ndarray of float16
        Optical density of the colors.
    px_um : float
        Pixel edge in micrometers.
    bodies : iterable of ((2,) ndarray of float, float)
        Place on the working grid and radius in pixels of the bodies of cells: the end of a process goes
        nowhere.
    """
    processes = _ends_of_processes(web, px_um, bodies)
    tips = [tip for tip in web.tips() if tip[0] not in processes]
    if len(tips) < 2:
        return
    likely = _likely_pairs(web, tips, contrast, light, px_um)
    used: set[int] = set()
    for a, b in likely:
        if a in used or b in used:
            continue
        used |= {a, b}
        ends = tips[a][0], tips[b][0]
        web.add(Strand(*ends, np.array([web.nodes[node] for node in ends]), np.array([True, True])))


def _ends_of_processes(web: Web, px_um: float, bodies: Iterable[tuple[FloatArray, float]]) -> set[int]:
    """Nodes of connected parts with a body of a cell that lie as near to it as its processes reach."""
    bodies = list(bodies)
    out: set[int] = set()
    for part in web.components() if bodies else ():
        tree = cKDTree(np.concatenate([web.strands[key].points for key in part]))
        nodes = {node for key in part for node in (web.strands[key].start, web.strands[key].end)}
        for center, radius in bodies:
            if tree.query(center)[0] < radius + _BODY_MARGIN_UM / px_um:
                near = _PROCESS_UM / px_um
                out |= {node for node in nodes if np.hypot(*(web.nodes[node] - center)) < near}
    return out


def _likely_pairs(
    web: Web,
    tips: list[tuple[int, int]],
    contrast: NDArray[np.float32],
    light: NDArray[np.float16],
    px_um: float,
) -> list[tuple[int, int]]:
    """Pairs of tips that are likely of one fiber, the likeliest first."""
    ends = np.array([web.nodes[node] for node, _ in tips])
    a, b = cKDTree(ends).query_pairs(_FAR_UM / px_um, output_type="ndarray").reshape(-1, 2).T
    keys = np.array([key for _, key in tips])
    a, b = a[keys[a] != keys[b]], b[keys[a] != keys[b]]
    way = ends[b] - ends[a]
    gap_px = np.hypot(*way.T)
    way = way / np.maximum(gap_px, 1e-9)[:, None]
    straight = []
    for over_um in (_DIRECTION_UM, _LONG_DIRECTION_UM):
        headings = np.array([heading(web.strands[key], node, over_um / px_um) for node, key in tips])
        straight += [(headings[a] * way).sum(1), -(headings[b] * way).sum(1)]
    length_um = px_um * np.array([web.strands[key].length for key in keys])
    clear = np.array([_clear(web.strands[key].from_node(node), contrast, px_um) for node, key in tips])
    dark = _density_between(ends[a], ends[b], light)
    logit = (
        _BIAS
        + _GAP * gap_px * px_um
        + _BEND * (2 - 0.5 * np.sum(straight, axis=0))
        + _LENGTH * np.log(np.minimum(np.minimum(length_um[a], length_um[b]), _LONG_UM))
        + _CLEAR * np.log(np.maximum(np.minimum(clear[a], clear[b]), 1.0))
        + _DARK * np.log(np.maximum(dark, 0.0) + _LEAST_DARK)
    )
    logit[np.minimum(straight[0], straight[1]) <= _LEAST_STRAIGHT] = -np.inf
    order = np.argsort(-logit, kind="stable")
    return [(int(a[k]), int(b[k])) for k in order if logit[k] > np.log(_LIKELY / (1 - _LIKELY))]


def _clear(points: FloatArray, contrast: NDArray[np.float32], px_um: float) -> float:
    """Median contrast of a line near its first point."""
    near = points[arc_lengths(points) * px_um <= _CLEAR_OVER_UM]
    return float(np.median(ndimage.map_coordinates(contrast, near.T, order=1, mode="nearest")))


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
    places = np.moveaxis(_on_the_way(start, end, 5), -1, 0)
    values = ndimage.map_coordinates(contrast, places, order=1, mode="nearest")
    return np.asarray(values.mean(axis=1), float)


def _density_between(start: FloatArray, end: FloatArray, light: NDArray[np.float16]) -> NDArray[np.float64]:
    """Mean optical density there, all colors together."""
    rows, cols = np.moveaxis(np.rint(_on_the_way(start, end, 9)).astype(np.intp), -1, 0)
    return np.asarray(light[rows, cols].astype(np.float64).sum(axis=-1).mean(axis=1))


def _on_the_way(start: FloatArray, end: FloatArray, places: int) -> FloatArray:
    """(N, places, 2) places on the straight ways between N pairs of ends, ends left out."""
    share = np.linspace(0.2, 0.8, places)
    return np.asarray(start[:, None] + share[None, :, None] * (end - start)[:, None])
