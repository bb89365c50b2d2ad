"""The surface: boundary of viable epidermis and corneum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ienfd.result import FloatArray
from ienfd.skin.features import Features
from ienfd.skin.strip import (
    COARSE_STEP_UM,
    arc_um,
    best_path,
    beyond_image,
    extent,
    inside_tissue,
    make_strip,
    on_tissue,
    smooth_curve,
)
from ienfd.skin.telling import halfway_between, tissue_model

__all__ = ["opposite_part", "refine_surface"]

_Mask = NDArray[np.bool_]

_WITHIN_UM = 14.0  # the surface lies within this distance of its coarse course
_STEP_UM = 1.25
_BOUND = 1.5
_AT_END_UM = 20.0  # a junction that ends nearer to glass or image border ends with the tissue
_TORN_UM = 40.0  # wider breaks in the tissue end a surface
_BESIDE_UM = 15.0  # a surface so far beside the tissue still runs along it
_OBLIQUE = 1.8  # thicknesses of epidermis by which a surface may outrun its junction at an oblique end


def refine_surface(coarse: FloatArray, features: Features, tissue: _Mask, px: float, down: int) -> FloatArray:
    """Find the surface near its coarse course.

    Parameters
    ----------
    coarse : (N, 2) ndarray of float
        Grid coordinates at steps of about `COARSE_STEP_UM`.
    features : Features
    tissue : (H, W) ndarray of bool
    px : float
        Pixel edge of the grid in micrometers.
    down : {1, -1}
        Side of the dermis, see `make_strip`.

    Returns
    -------
    (M, 2) ndarray of float
        Grid coordinates, in the sense of `coarse`.
    """
    base = smooth_curve(coarse, 20.0 / COARSE_STEP_UM)
    strip = make_strip(base, px, above_um=_WITHIN_UM, below_um=_WITHIN_UM, step_um=_STEP_UM, down=down)
    inside = inside_tissue(strip, tissue)
    across = np.broadcast_to(np.arange(inside.shape[1]) * _STEP_UM - _WITHIN_UM, inside.shape)
    corneum, viable = inside & (across < -3), inside & (across > 3)
    if min(corneum.sum(), viable.sum()) < 50:
        return base
    fine = features.levels_and_grain(strip, features.along(strip))
    projected = tissue_model(fine, corneum, viable).of(fine)
    middle = halfway_between(projected, corneum, viable)
    evidence = np.where(inside, np.clip(projected - middle[:, None], -_BOUND, _BOUND), 0.0)
    # on glass there is nothing, a surface must not leave the tissue; beyond the image nothing is known
    glass = ~inside & ~beyond_image(strip, tissue.shape)
    cost = -np.cumsum(np.where(glass, _BOUND, evidence), axis=1)
    depth = best_path(cost, max_step=2, step_cost=5.0, curve_cost=2.0)
    curve = strip.to_grid(np.column_stack([np.arange(len(depth)), depth]).astype(float))
    return smooth_curve(curve, 4.0)


def opposite_part(
    surface: FloatArray,
    junction: FloatArray,
    tissue: _Mask,
    px: float,
    others: Sequence[FloatArray] = (),
) -> FloatArray:
    """The part of a surface that belongs to a junction.

    Where the junction ends with the tissue, or at the image border, the surface does, too; elsewhere
    it ends opposite the end of the junction.

    Parameters
    ----------
    surface, junction : (N, 2), (M, 2) ndarray of float
        Grid coordinates.
    tissue : (H, W) ndarray of bool
    px : float
        Pixel edge of the grid in micrometers.
    others : sequence of (L, 2) ndarray of float
        Further junctions below the same surface: what lies nearer to one of them is its part.

    Returns
    -------
    (K, 2) ndarray of float
        In the sense of the junction; empty when no part lies opposite.
    """
    found = cKDTree(junction).query(surface)
    distance, nearest = np.asarray(found[0], float), np.asarray(found[1], np.intp)
    beyond = (nearest == 0) | (nearest == len(junction) - 1)
    if beyond.all():
        return surface[:0]
    thickness = float(np.median(distance[~beyond]))
    reach = np.full(len(surface), np.inf)
    for end in (0, -1):
        free = _clearance_um(junction[end], tissue, px) > _AT_END_UM
        reach[nearest == end % len(junction)] = thickness * (1.0 if free else _OBLIQUE)
    inside = on_tissue(surface, tissue)
    beside = ndimage.binary_dilation(tissue, iterations=max(1, round(_BESIDE_UM / px)))
    there = (distance <= reach) & on_tissue(surface, beside)
    for other in others:
        there &= distance <= np.asarray(cKDTree(other).query(surface)[0], float)
    step = max(float(arc_um(surface, px)[-1]) / len(surface), 1e-9)
    width = max(1, round(_TORN_UM / step))
    closed = ndimage.binary_closing(np.pad(there, width), np.ones(width, bool))[width:-width]
    labels, count = ndimage.label(closed)
    runs = np.asarray(labels)
    if count == 0:
        return surface[:0]
    best = 1 + int(np.argmax(np.bincount(runs[~beyond], minlength=count + 1)[1:]))
    run = np.flatnonzero(runs == best)
    run = run[extent(inside[run])]  # at a cut end the surface ends with the tissue
    part = np.asarray(surface[run], float)
    return part if not len(run) or nearest[run[0]] <= nearest[run[-1]] else part[::-1]


def _clearance_um(point: FloatArray, tissue: _Mask, px: float) -> float:
    """Distance of a place from glass or the image border, at most a bit more than `_AT_END_UM`."""
    reach = int(_AT_END_UM / px) + 2
    row, col = (round(float(x)) for x in point)
    rows, cols = np.arange(row - reach, row + reach + 1), np.arange(col - reach, col + reach + 1)
    near = np.zeros((len(rows), len(cols)), bool)
    r, c = (rows >= 0) & (rows < tissue.shape[0]), (cols >= 0) & (cols < tissue.shape[1])
    near[np.ix_(r, c)] = tissue[np.ix_(rows[r], cols[c])]
    off = np.argwhere(~near)
    return float(np.hypot(*(off - reach).T).min()) * px if len(off) else np.inf
