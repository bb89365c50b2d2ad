"""The outline of the tissue: against glass, and where the image cuts through it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from ienfd.result import FloatArray

__all__ = ["Outline", "trace_outlines"]

_SHORTEST_UM = 100.0
_HEADING_UM = 100.0
_RETURNS_DEG, _GOES_ON_DEG = 50.0, 25.0


@dataclass(frozen=True, eq=False)
class Outline:
    """One stretch of the boundary of the tissue.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Grid coordinates, at most about two grid pixels apart.
    closed : bool
        True when it goes round a whole piece of tissue.
    on_border : (N,) ndarray of bool
        Where it is the border of the image, beyond which the tissue may go on.
    """

    points: FloatArray
    closed: bool
    on_border: NDArray[np.bool_]


def trace_outlines(level: NDArray[np.float32], px: float) -> tuple[Outline, ...]:
    """Trace the boundary of what exceeds one half, at sub-pixel places.

    Where tissue reaches the border of the image, its boundary with glass ends, and the border takes its
    place: corneum may touch it, or the image begin within the epidermis. The two are one outline below a
    corneum that leaves the image and returns, and where one goes on in the direction of the other. An
    epidermis that leaves the image at an angle is cut across by the border, and ends there.

    Parameters
    ----------
    level : (H, W) ndarray of float32
    px : float
        Edge of its pixels in micrometers.

    Returns
    -------
    tuple of Outline
        Longest first.
    """
    outlines: list[Outline] = []
    for contour in find_contours(np.pad(level, 1), 0.5):
        outlines += _stretches(contour[:-1] - 1, level.shape, px)
    long = [outline for outline in outlines if len(outline.points) * px >= _SHORTEST_UM]
    return tuple(sorted(long, key=lambda outline: -len(outline.points)))


def _stretches(around: FloatArray, shape: tuple[int, ...], px: float) -> list[Outline]:
    """The stretches of one closed contour: glass, or one edge of the image, or both where they go on."""
    beyond = np.column_stack([around < 0, around > np.array(shape) - 1])
    edge = np.where(beyond.any(axis=1), beyond.argmax(axis=1), -1)
    points = np.clip(around, 0, np.array(shape) - 1)
    starts = np.flatnonzero(edge != np.roll(edge, 1))
    if not len(starts):
        return [Outline(np.concatenate([points, points[:1]]), True, np.zeros(len(points) + 1, bool))]
    points, edge = np.roll(points, -starts[0], axis=0), np.roll(edge, -starts[0])
    ends = [*(starts - starts[0]), len(points)]
    parts = [slice(a, b) for a, b in itertools.pairwise(ends)]
    turns = [_turn_deg(points[a], points[b], px) for a, b in zip(parts, [*parts[1:], parts[0]], strict=True)]
    joints = _joints([bool(edge[part.start] == -1) for part in parts], turns)
    closed = all(joints)
    first = 0 if closed else joints.index(False) + 1
    order = [(first + k) % len(parts) for k in range(len(parts))]
    groups: list[list[int]] = [[order[0]]]
    for index in order[1:]:
        if joints[index - 1]:
            groups[-1].append(index)
        else:
            groups.append([index])
    return [
        Outline(
            np.concatenate([points[parts[k]] for k in group]),
            closed,
            np.concatenate([edge[parts[k]] != -1 for k in group]),
        )
        for group in groups
    ]


def _joints(glass: list[bool], turns_deg: list[float]) -> list[bool]:
    """Whether each stretch, of glass or of one edge of the image, is one outline with the next.

    An edge between two stretches of glass joins both or neither: the tissue returns, or a corner is cut off.
    """
    joints = []
    for k, turn_deg in enumerate(turns_deg):
        following = (k + 1) % len(glass)
        border = following if glass[k] else k
        if glass[border - 1] and glass[(border + 1) % len(glass)]:
            goes_on = max(abs(turns_deg[border - 1]), abs(turns_deg[border])) < _RETURNS_DEG
        else:
            goes_on = abs(turn_deg) < _GOES_ON_DEG
        joints.append(goes_on and glass[k] != glass[following])
    return joints


def _turn_deg(one: FloatArray, other: FloatArray, px: float) -> float:
    """Angle by which a stretch turns into the next one, from -180 to 180; 180 when one is too short."""
    reach = max(2, round(_HEADING_UM / px))
    before, after = one[-reach:], other[:reach]
    if min(len(before), len(after)) < 2:
        return 180.0
    ahead, then = before[-1] - before[0], after[-1] - after[0]
    return float(np.rad2deg(np.arctan2(ahead[0] * then[1] - ahead[1] * then[0], float(ahead @ then))))
