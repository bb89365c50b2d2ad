"""From stain signals to stretches of epidermis with surface, junction and confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ienfd.result import FloatArray, Piece
from ienfd.section import ChannelRole
from ienfd.skin.features import Features, cellularity, make_features
from ienfd.skin.junction import refine_junction
from ienfd.skin.layers import (
    COARSE_STEP_UM,
    Layers,
    coarse_junctions,
    coarse_surface,
    find_layers,
    local_mean,
    straighten,
)
from ienfd.skin.sides import ABOVE_UM, DEEPEST_UM, HEADING_UM, Side, down_side, epidermal_sides
from ienfd.skin.strip import arc_um, best_path, inside_tissue, make_strip, smooth_curve
from ienfd.skin.telling import telling_by_level
from ienfd.skin.tissue import Tissue
from ienfd.stain.chromogen import Chromogen
from ienfd.stain.grid import Grid, polygon_mask
from ienfd.stain.overview import Overview

__all__ = ["Skin", "find_skin"]

_Float32 = NDArray[np.float32]

_EXTEND_UM = 200.0
_MIN_PIECE_UM = 120.0
_OPPOSED = -0.3  # cosine between the directions in which two stretches face
_ALONG_GLASS_UM = 14.0  # nearer to glass than this a junction runs along a cut side
_HEADING_END_UM = 30.0
_SURFACE_UM = 14.0  # the surface lies within this distance of its coarse course


@dataclass(frozen=True, eq=False)
class Skin:
    """What the skin room found, in coordinates of the overview grid.

    Parameters
    ----------
    tissue : Tissue
    pieces : tuple of Piece
        Geometry in full-resolution pixels.
    """

    tissue: Tissue
    pieces: tuple[Piece, ...]


def find_skin(overview: Overview, tissue: Tissue, chromogen: Chromogen | None) -> Skin:
    """Find epidermis, surface and junction.

    Returns
    -------
    Skin
        Without pieces when there is no epidermis.
    """
    px = overview.grid.pixel_size_um
    if not tissue.outlines:
        return Skin(tissue, ())
    features = make_features(overview, chromogen, tissue.mask)
    membrane = next(
        (
            s
            for s, r in zip(overview.signals, overview.roles, strict=True)
            if r is ChannelRole.BASEMENT_MEMBRANE
        ),
        None,
    )
    traced: list[_Candidate] = []
    for side in epidermal_sides(tissue, features, membrane, cellularity(overview), px):
        traced += _trace(side, tissue, features, overview, membrane)
    return Skin(tissue, tuple(candidate.piece for candidate in _agreeing(traced, tissue.mask, overview.grid)))


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A traced stretch, before it is compared with the others."""

    piece: Piece
    difference: FloatArray  # mean features of what would be epidermis minus dermis
    weight: float


def _agreeing(candidates: list[_Candidate], mask: NDArray[np.bool_], grid: Grid) -> list[_Candidate]:
    """Leave out stretches that contradict the best one.

    The junction of a thin piece of tissue is found from both of its sides; the epidermis is the
    side that lies nearer. What is epidermis in one stretch cannot be dermis in another. And one piece of
    tissue has no epidermis on two opposite sides: a punch has one.
    """
    regions = np.asarray(ndimage.label(mask)[0], np.int32)
    kept: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.weight):
        if kept and candidate.difference @ kept[0].difference <= 0:
            continue
        if any(_opposed(candidate.piece, other.piece, regions, grid) for other in kept):
            continue
        tree = [cKDTree(other.piece.junction_px) for other in kept]
        near = [np.asarray(t.query(candidate.piece.junction_px)[0]) < 15 * grid.factor for t in tree]
        if not any(n.mean() > 0.3 for n in near):
            kept.append(candidate)
    return kept


def _opposed(one: Piece, other: Piece, regions: NDArray[np.signedinteger], grid: Grid) -> bool:
    """Whether two stretches of one piece of tissue face away from each other."""
    facing, places = [], []
    for piece in (one, other):
        outward = piece.surface_px.mean(axis=0) - piece.junction_px.mean(axis=0)
        facing.append(outward / max(float(np.hypot(*outward)), 1e-9))
        at = np.rint(grid.from_image(piece.junction_px)).astype(int)
        rows, cols = (np.clip(at[:, k], 0, regions.shape[k] - 1) for k in (0, 1))
        places.append(set(np.unique(regions[rows, cols]).tolist()) - {0})
    return bool(places[0] & places[1]) and float(facing[0] @ facing[1]) < _OPPOSED


def _trace(
    side: Side, tissue: Tissue, features: Features, overview: Overview, membrane: _Float32 | None
) -> list[_Candidate]:
    """Trace the layers below a side; where the tissue is torn there are several pieces."""
    px = overview.grid.pixel_size_um
    down = down_side(side.points, tissue.mask, px)
    base = extend(side.points, _EXTEND_UM, _EXTEND_UM, px)
    strip = make_strip(
        base,
        px,
        above_um=ABOVE_UM,
        below_um=DEEPEST_UM,
        step_um=COARSE_STEP_UM,
        down=down,
        heading_um=HEADING_UM,
    )
    below = straighten(strip, features, tissue.mask, membrane)
    layers = find_layers(below, starts=1)
    if layers is None:
        return []
    surface = _refine_surface(coarse_surface(below, layers), features, tissue, px, down)
    viable = tissue.mask & ~_area_between(below.strip.positions[:, 0], surface, tissue.mask.shape)
    clearance = ndimage.distance_transform_edt(tissue.mask) * px
    found = []
    runs = coarse_junctions(below, layers, _MIN_PIECE_UM)
    for number, coarse in enumerate(runs):
        cut = (side.cut[0] or number > 0, side.cut[1] or number < len(runs) - 1)
        junction, confidence = refine_junction(coarse, features, viable, px, down, membrane)
        junction, confidence = _squared(junction, confidence, tissue.mask, clearance, px)
        piece = _piece(junction, confidence, surface, cut, down, overview)
        if piece is not None:
            found.append(_candidate(piece, layers, overview.grid))
    return found


def _squared(
    junction: FloatArray, confidence: FloatArray, mask: NDArray[np.bool_], clearance_um: FloatArray, px: float
) -> tuple[FloatArray, FloatArray]:
    """End a junction squarely where the tissue ends, instead of along its cut side.

    What runs along glass at an end is left out, and the junction continued straight on to the edge.
    """
    if len(junction) < 2:
        return junction, confidence
    clear = ndimage.map_coordinates(clearance_um, junction.T, order=1, mode="nearest") > _ALONG_GLASS_UM
    inner = np.flatnonzero(clear)
    if not len(inner):
        return junction[:0], confidence[:0]
    first, last = int(inner[0]), int(inner[-1])
    middle, sure = junction[first : last + 1], confidence[first : last + 1]
    head = _straight_on(middle[::-1], mask, px)[::-1] if first > 0 else middle[:0]
    tail = _straight_on(middle, mask, px) if last < len(junction) - 1 else middle[:0]
    return (
        np.concatenate([head, middle, tail]),
        np.concatenate([np.full(len(head), sure[0]), sure, np.full(len(tail), sure[-1])]),
    )


def _straight_on(curve: FloatArray, mask: NDArray[np.bool_], px: float) -> FloatArray:
    """Points beyond the end of a curve in its direction, as far as there is tissue."""
    arc = arc_um(curve, px)
    back = curve[int(np.searchsorted(arc, max(arc[-1] - _HEADING_END_UM, 0.0)))]
    way = curve[-1] - back
    size = float(np.hypot(*way))
    if size < 1e-9:
        return curve[:0]
    steps = np.arange(1.0, 1.6 * _ALONG_GLASS_UM)[:, None] / px
    ahead = curve[-1] + steps * way / size
    rows, cols = np.rint(ahead).astype(int).T
    inside = (rows >= 0) & (cols >= 0) & (rows < mask.shape[0]) & (cols < mask.shape[1])
    inside[inside] = mask[rows[inside], cols[inside]]
    stop = int(np.argmin(inside)) if not inside.all() else len(ahead)
    return np.asarray(ahead[:stop], float)


def _piece(
    junction: FloatArray,
    confidence: FloatArray,
    surface: FloatArray,
    cut: tuple[bool, bool],
    down: int,
    overview: Overview,
) -> Piece | None:
    """A stretch of epidermis with its own part of the surface, epidermis on the left."""
    grid = overview.grid
    if len(junction) < 20 or arc_um(junction, grid.pixel_size_um)[-1] < _MIN_PIECE_UM:
        return None
    surface = _opposite(surface, junction)
    if len(surface) < 10:
        return None
    if down == -1:  # dermis on the left: turn round
        junction, confidence, surface, cut = junction[::-1], confidence[::-1], surface[::-1], cut[::-1]
    return Piece(grid.to_image(surface), grid.to_image(junction), confidence.astype(float), cut)


def _candidate(piece: Piece, layers: Layers, grid: Grid) -> _Candidate:
    """A piece with what tells it from a wrong one."""
    um = grid.pixel_size_um / grid.factor
    thickness = float(np.median(cKDTree(piece.surface_px).query(piece.junction_px)[0])) * um
    length = float(arc_um(piece.junction_px, um)[-1])
    # a band of usual thickness is what an epidermis looks like; the dermal side of a thin piece is not
    usual = float(np.exp(-0.5 * (np.log(max(thickness, 1.0) / 70) / 0.5) ** 2))
    weight = length * float(piece.junction_confidence.mean()) * usual * (0.3 + layers.membrane)
    return _Candidate(piece, layers.difference, weight)


def extend(curve: FloatArray, before_um: float, after_um: float, px: float) -> FloatArray:
    """Prolong a polyline straight on at both ends, along the mean heading of its last 60 um."""
    step = float(np.median(np.hypot(*np.diff(curve, axis=0).T)))
    span = min(len(curve) - 1, max(2, int(60 / (step * px))))

    def ray(tip: FloatArray, inner: FloatArray, length_um: float) -> FloatArray:
        heading = (tip - inner) / max(float(np.hypot(*(tip - inner))), 1e-9)
        count = int(length_um / px / step)
        return np.asarray(tip + heading * step * np.arange(1, count + 1)[:, None], float)

    head = ray(curve[0], curve[span], before_um)[::-1]
    tail = ray(curve[-1], curve[-1 - span], after_um)
    return np.concatenate([head, curve, tail])


def _refine_surface(
    coarse: FloatArray, features: Features, tissue: Tissue, px: float, down: int
) -> FloatArray:
    """Boundary of viable epidermis and corneum, near its coarse course (grid coordinates)."""
    base = smooth_curve(coarse, 20.0 / COARSE_STEP_UM)
    strip = make_strip(base, px, above_um=_SURFACE_UM, below_um=_SURFACE_UM, step_um=1.25, down=down)
    values = features.along(strip)
    inside = inside_tissue(strip, tissue.mask)
    across = np.broadcast_to(np.arange(inside.shape[1]) * 1.25 - _SURFACE_UM, inside.shape)
    corneum, viable = inside & (across < -3), inside & (across > 3)
    if min(corneum.sum(), viable.sum()) < 50:
        return base
    projected = telling_by_level(values, corneum, viable)
    middle = 0.5 * (local_mean(projected, corneum) + local_mean(projected, viable))
    evidence = np.where(inside, np.clip(projected - middle[:, None], -1.5, 1.5), 0.0)
    # above the tissue there is nothing: a surface must not leave it
    cost = -np.cumsum(np.where(inside, evidence, 1.5), axis=1)
    depth = best_path(cost, max_step=2, step_cost=1.5, curve_cost=0.5)
    curve = strip.to_grid(np.column_stack([np.arange(len(depth)), depth]).astype(float))
    return smooth_curve(curve, 4.0)


def _area_between(one: FloatArray, other: FloatArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of the grid between two curves that run in the same sense."""
    return polygon_mask(np.concatenate([one, other[::-1]]), shape)


def _opposite(surface: FloatArray, junction: FloatArray) -> FloatArray:
    """The part of the surface that lies opposite the junction: between the normals at its ends."""
    wide = smooth_curve(junction, 40.0)
    span = min(len(wide) - 1, 60)
    first = (wide[span] - wide[0]) / max(float(np.hypot(*(wide[span] - wide[0]))), 1e-9)
    last = (wide[-1] - wide[-1 - span]) / max(float(np.hypot(*(wide[-1] - wide[-1 - span]))), 1e-9)
    near = max(200.0, float(np.hypot(*(junction[-1] - junction[0]))) / 2)
    after = ((surface - junction[0]) @ first >= 0) | (np.hypot(*(surface - junction[0]).T) > near)
    before = ((surface - junction[-1]) @ last <= 0) | (np.hypot(*(surface - junction[-1]).T) > near)
    at = np.flatnonzero(after & before)
    if not at.size:
        return surface[:0]
    part = surface[at[0] : at[-1] + 1]
    return part if (part[-1] - part[0]) @ (junction[-1] - junction[0]) >= 0 else part[::-1]
