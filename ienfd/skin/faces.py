"""The faces of the tissue: stretches of its outline between corners.

A section is cut: its outline turns sharply where the epidermal side ends and a cut side begins. Each
face is looked at by itself, so that no layer is followed round a corner.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray
from ienfd.skin.outline import Outline
from ienfd.skin.strip import COARSE_STEP_UM, arc_um, smooth_curve

__all__ = ["Face", "find_faces"]

_SMOOTH_UM = 12.0
_NEAR_UM, _FAR_UM = 25.0, 110.0  # the direction on each side of a place is taken between these distances
_TURN_DEG = 50.0
_APART_UM = 80.0  # corners closer together than this are one
_TRIM_UM = 12.0  # rounded off by the smoothing
_SHORTEST_UM = 120.0
_OVERLAP_UM = 320.0  # a round outline without corners is followed beyond its start


@dataclass(frozen=True, eq=False)
class Face:
    """A stretch of outline without corners.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Grid coordinates at even steps of `COARSE_STEP_UM`.
    corners : (bool, bool)
        Whether its first and its last end are corners of the tissue (else the image border).
    on_border : (N,) ndarray of bool
        Where it is the border of the image.
    """

    points: FloatArray
    corners: tuple[bool, bool]
    on_border: NDArray[np.bool_]


def find_faces(outlines: Iterable[Outline], px: float) -> tuple[Face, ...]:
    """Take outlines apart at their corners.

    Parameters
    ----------
    outlines : iterable of Outline
    px : float
        Pixel edge of their grid in micrometers.
    """
    found: list[Face] = []
    for outline in outlines:
        found += _faces(outline, px)
    return tuple(face for face in found if len(face.points) * COARSE_STEP_UM >= _SHORTEST_UM)


def _faces(outline: Outline, px: float) -> list[Face]:
    arc = arc_um(outline.points, px)
    count = int(arc[-1] / COARSE_STEP_UM)
    if count < 8:
        return []
    at = np.arange(count) * COARSE_STEP_UM
    points = np.column_stack([np.interp(at, arc, outline.points[:, k]) for k in (0, 1)])
    border = np.interp(at, arc, outline.on_border) > 0.5
    pad = round(_FAR_UM / COARSE_STEP_UM) + 1
    if outline.closed:
        pad = min(pad, count - 1)
        round_about = np.concatenate([points[-pad:], points, points[:pad]])
        points = smooth_curve(round_about, _SMOOTH_UM / COARSE_STEP_UM)[pad:-pad]
        round_about = np.concatenate([points[-pad:], points, points[:pad]])
    else:
        points = smooth_curve(points, _SMOOTH_UM / COARSE_STEP_UM)
        # beyond its ends an outline goes straight on: the image border is no corner
        head = 2 * points[0] - points[min(pad, count - 1) : 0 : -1]
        tail = 2 * points[-1] - points[-2 : -min(pad, count - 1) - 2 : -1]
        round_about = np.concatenate([head, points, tail])
        pad = len(head)
    corners = _corners(round_about, pad, count)
    trim = round(_TRIM_UM / COARSE_STEP_UM)
    if outline.closed:
        if not len(corners):
            overlap = min(count, round(_OVERLAP_UM / COARSE_STEP_UM))
            points, border = (np.concatenate([x, x[:overlap]]) for x in (points, border))
            return [Face(points, (False, False), border)]
        points, border = (np.roll(x, -corners[0], axis=0) for x in (points, border))
        cuts = [*(corners - corners[0]), count]
    else:
        cuts = [0, *corners, count]
    faces = []
    for a, b in itertools.pairwise(cuts):
        cut = (outline.closed or a > 0, outline.closed or b < count)
        kept = slice(a + trim * cut[0], b - trim * cut[1])
        faces.append(Face(points[kept], cut, border[kept]))
    return faces


def _corners(padded: FloatArray, pad: int, count: int) -> NDArray[np.intp]:
    """Indices at which an outline turns sharply; `padded` holds `pad` further points before it."""
    near, far = round(_NEAR_UM / COARSE_STEP_UM), min(round(_FAR_UM / COARSE_STEP_UM), pad)
    if far <= near:
        return np.empty(0, np.intp)
    at = np.arange(count) + pad
    last = len(padded) - 1
    before = padded[at - near] - padded[np.maximum(at - far, 0)]
    after = padded[np.minimum(at + far, last)] - padded[np.minimum(at + near, last)]
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.rad2deg(np.abs(np.arctan2(cross, (before * after).sum(axis=1))))
    found: list[int] = []
    for index in np.argsort(-turn):
        if turn[index] < _TURN_DEG:
            break
        if all(abs(index - other) * COARSE_STEP_UM > _APART_UM for other in found):
            found.append(int(index))
    return np.array(sorted(found), np.intp)
