"""Stretches of a fiber that nuclei hide: their stain takes the light that the fiber would take.

The basal cells stand in a row just where fibers cross the junction. Two ends of clear fibers are
linked when they are likely of one fiber: near to each other, in line, long, clear, and with
something dark between them. Where nothing hides a fiber, as in fluorescence, a long gap is one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ienfd.geometry import arc_lengths
from ienfd.nerve.bridging import on_the_way
from ienfd.nerve.untangle import heading
from ienfd.nerve.web import Web
from ienfd.result import FloatArray

__all__ = ["link_hidden"]

_LONGEST_UM = 20.0
_LEAST_STRAIGHT = 0.3  # least cosine between the direction of an end and the gap
_DIRECTIONS_UM = (5.0, 10.0)  # lengths over which the direction of an end is taken
_CLEAR_OVER_UM = 10.0
_LONG_UM = 15.0  # a longer piece is not more likely to go on
_LEAST_DARK = 0.05  # optical density

# Log odds that two ends are of one fiber, fitted on 1,105 pairs of ends in synthetic bright-field sections by
# two generators, 112 of them of one fiber.
_BIAS, _GAP, _BEND, _LENGTH, _CLEAR, _DARK = -2.74, -0.184, -4.24, 0.84, 0.88, 1.67
# Those from which ends are linked: with odds of 1 to 3 most crossings of 130 development sections are right.
_LIKELY = np.log(1 / 3)

_PROCESS_UM = 25.0  # processes of a cell end within this distance of its body
_BODY_MARGIN_UM = 3.0


def link_hidden(
    web: Web,
    contrast: NDArray[np.float32],
    light: NDArray[np.float16],
    px_um: float,
    bodies: Iterable[tuple[FloatArray, float]],
) -> None:
    """Link ends that point at each other over something dark, in place.

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
    used: set[int] = set()
    for a, b in _likely_pairs(web, tips, contrast, light, px_um):
        if a in used or b in used:
            continue
        used |= {a, b}
        web.bridge(tips[a][0], tips[b][0])


def _ends_of_processes(web: Web, px_um: float, bodies: Iterable[tuple[FloatArray, float]]) -> set[int]:
    """Nodes of connected parts with a body of a cell that lie as near to it as its processes reach."""
    parts = list(web.components())
    if not parts:
        return set()
    points = [np.concatenate([web.strands[key].points for key in part]) for part in parts]
    owner = np.repeat(np.arange(len(parts)), [len(some) for some in points])
    tree = cKDTree(np.concatenate(points))
    out: set[int] = set()
    for center, radius in bodies:
        for number in np.unique(owner[tree.query_ball_point(center, radius + _BODY_MARGIN_UM / px_um)]):
            nodes = {node for key in parts[number] for node in (web.strands[key].start, web.strands[key].end)}
            out |= {node for node in nodes if np.hypot(*(web.nodes[node] - center)) < _PROCESS_UM / px_um}
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
    a, b = cKDTree(ends).query_pairs(_LONGEST_UM / px_um, output_type="ndarray").reshape(-1, 2).T
    keys = np.array([key for _, key in tips])
    a, b = a[keys[a] != keys[b]], b[keys[a] != keys[b]]
    way = ends[b] - ends[a]
    gap_px = np.hypot(*way.T)
    way = way / np.maximum(gap_px, 1e-9)[:, None]
    straight = []
    for over_um in _DIRECTIONS_UM:
        headings = np.array([heading(web.strands[key], node, over_um / px_um) for node, key in tips])
        straight += [(headings[a] * way).sum(1), -(headings[b] * way).sum(1)]
    length_um = px_um * np.array([web.strands[key].length for key in keys])
    clear = np.array([_clear(web.strands[key].from_node(node), contrast, px_um) for node, key in tips])
    dark = _density_between(ends[a], ends[b], light)
    logit = (
        _BIAS
        + _GAP * gap_px * px_um
        + _BEND * (2 - 0.5 * np.sum(straight, axis=0))
        + _LENGTH * np.log(np.clip(np.minimum(length_um[a], length_um[b]), px_um, _LONG_UM))
        + _CLEAR * np.log(np.maximum(np.minimum(clear[a], clear[b]), 1.0))
        + _DARK * np.log(np.maximum(dark, 0.0) + _LEAST_DARK)
    )
    logit[np.minimum(straight[0], straight[1]) <= _LEAST_STRAIGHT] = -np.inf
    order = np.argsort(-logit, kind="stable")
    return [(int(a[k]), int(b[k])) for k in order if logit[k] > _LIKELY]


def _clear(points: FloatArray, contrast: NDArray[np.float32], px_um: float) -> float:
    """Median contrast of a line near its first point."""
    near = points[arc_lengths(points) * px_um <= _CLEAR_OVER_UM]
    return float(np.median(ndimage.map_coordinates(contrast, near.T, order=1, mode="nearest")))


def _density_between(start: FloatArray, end: FloatArray, light: NDArray[np.float16]) -> NDArray[np.float64]:
    """Mean optical density on the straight way between two ends, all colors together."""
    places = np.rint(on_the_way(start, end, 9)).astype(np.intp)
    rows, cols = np.moveaxis(np.clip(places, 0, np.array(light.shape[:2]) - 1), -1, 0)
    return np.asarray(light[rows, cols].astype(np.float64).sum(axis=-1).mean(axis=1))
