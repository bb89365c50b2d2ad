"""From stain signals to stretches of epidermis with surface, junction and confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray, Piece
from ienfd.section import ChannelRole
from ienfd.skin.candidates import MIN_PIECE_UM, Candidate, agreeing, is_long_enough
from ienfd.skin.ends import apart_at_border, squared
from ienfd.skin.features import Features, cellularity, make_features
from ienfd.skin.junction import ABOVE_UM, refine_junction
from ienfd.skin.lamellae import lamellae_end
from ienfd.skin.layers import coarse_junctions, coarse_surface, find_layers, straightened_below
from ienfd.skin.learned import DrawJunction
from ienfd.skin.membrane import is_membrane, line_along
from ienfd.skin.nerves import deep_nerves, nerve_amount
from ienfd.skin.plexus import lies_right_below
from ienfd.skin.side import Side
from ienfd.skin.sides import down_side, epidermal_sides
from ienfd.skin.strip import COARSE_STEP_UM, arc_um
from ienfd.skin.surface import opposite_part, refine_surface
from ienfd.skin.tissue import Tissue, straight_across, tissue_below
from ienfd.stain.chromogen import Chromogen
from ienfd.stain.grid import Grid, polygon_mask
from ienfd.stain.overview import Overview

__all__ = ["Skin", "find_skin"]

_Float32 = NDArray[np.float32]

_EXTEND_UM = 200.0
_THIN_UM = 15.0  # the thinnest bare epidermis
_HARDLY_SURE = 0.75  # junctions on average: there may be ridges longer than those that were followed
_AS_PLAIN = 0.9  # of what had been taken for an epidermis
_PLAIN = 0.5  # of the weight above: below a true epidermis the next best has a sixth of it at most


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


def find_skin(
    overview: Overview,
    tissue: Tissue,
    chromogen: Chromogen | None,
    draw: DrawJunction | None = None,
) -> Skin:
    """Find epidermis, surface and junction.

    Parameters
    ----------
    overview : Overview
    tissue : Tissue
    chromogen : Chromogen or None
        Color of the nerve stain; None for fluorescence, where a channel holds it.
    draw : callable or None
        Draws the junction last; None for what the section alone tells.

    Returns
    -------
    Skin
        Without pieces when there is no epidermis.
    """
    found = _found(overview, tissue, chromogen, draw)
    if found and _has_fewer_nuclei(found[0], overview):
        # it may be pale, or the corneum of palms and soles, as thick as an epidermis
        edges = [overview.grid.from_image(candidate.piece.junction_px) for candidate in found]
        below = _below(tissue, edges, overview.grid)
        deeper = _found(overview, below, chromogen, draw)
        if _lies_below(found, deeper, overview):
            tissue, found = below, deeper
    ends = [end for each in found if (end := lamellae_end(each.piece, overview)) is not None]
    if ends:  # corneum without doubt
        tissue = _below(tissue, ends, overview.grid)
        found = _found(overview, tissue, chromogen, draw)
    if found and (_sure(found) < _HARDLY_SURE or _has_fewer_nuclei(found[0], overview)):
        nerves = deep_nerves(nerve_amount(overview, chromogen), overview, tissue)
        if _may_be_dermis(found, overview.grid, nerves):
            bare = _found(overview, tissue, chromogen, draw, bare=True)
            if _is_all_epidermis(bare, found, overview, nerves):
                found = bare
    # only now: thick corneum looks like an epidermis with long ridges
    if found and _sure(found) < _HARDLY_SURE:
        longer = _found(overview, tissue, chromogen, draw, longest=True)
        found = max(found, longer, key=_weight)
    return Skin(tissue, tuple(candidate.piece for candidate in found))


def _below(tissue: Tissue, edges: Sequence[FloatArray], grid: Grid) -> Tissue:
    """The tissue below lower edges of thick corneum, which lies on their left."""
    for edge in edges:
        whole = straight_across(edge, tissue.mask, grid.pixel_size_um)
        tissue = tissue_below(tissue, whole, grid.pixel_size_um)
    return tissue


def _has_fewer_nuclei(candidate: Candidate, overview: Overview) -> bool:
    """Whether what seems to be epidermis holds fewer nuclei than what lies below."""
    return float(cellularity(overview) @ candidate.difference) < 0


def _lies_below(found: list[Candidate], deeper: list[Candidate], overview: Overview) -> bool:
    """Whether below what seemed to be epidermis lies another one, which faces the same way and has nuclei.

    It need not be as plain as what lies above, where corneum is even and its edge sharp.
    """
    if _weight(deeper) <= _PLAIN * _weight(found):
        return False
    return float(found[0].piece.facing @ deeper[0].piece.facing) > 0 and not _has_fewer_nuclei(
        deeper[0], overview
    )


def _may_be_dermis(found: list[Candidate], grid: Grid, nerves: NDArray[np.bool_]) -> bool:
    """Whether dermis may have been taken for epidermis."""
    return _sure(found) < _HARDLY_SURE or not _is_above_plexus(found, grid, nerves)


def _is_all_epidermis(
    bare: list[Candidate], found: list[Candidate], overview: Overview, nerves: NDArray[np.bool_]
) -> bool:
    """Whether what had been taken for corneum is all of the epidermis.

    Thin skin may wear no corneum. Where it wears some, its edge is as sharp as a junction: what lies above
    has more nuclei then, or none are stained, and the plexus lies right below, or a basement membrane.
    """
    if not bare or _sure(bare) < _HARDLY_SURE or _weight(bare) < _AS_PLAIN * _weight(found):
        return False
    if _has_fewer_nuclei(bare[0], overview):
        return False
    return _is_above_plexus(bare, overview.grid, nerves) or is_membrane(
        _line_along(bare[0], overview), _line_along(found[0], overview)
    )


def _is_above_plexus(candidates: list[Candidate], grid: Grid, nerves: NDArray[np.bool_]) -> bool:
    junctions = [grid.from_image(candidate.piece.junction_px) for candidate in candidates]
    return lies_right_below(junctions, nerves, grid.pixel_size_um)


def _line_along(candidate: Candidate, overview: Overview) -> float:
    """How clear a line the basement membrane draws along a junction; 0 where it is not stained."""
    membrane, grid = _membrane(overview), overview.grid
    if membrane is None:
        return 0.0
    return line_along(membrane, grid.from_image(candidate.piece.junction_px), grid.pixel_size_um)


def _membrane(overview: Overview) -> _Float32 | None:
    """Signal of the basement membrane, where it has a channel."""
    shown = zip(overview.signals, overview.roles, strict=True)
    return next((signal for signal, role in shown if role is ChannelRole.BASEMENT_MEMBRANE), None)


def _sure(candidates: list[Candidate]) -> float:
    """How sure their junctions are on average."""
    return float(np.concatenate([candidate.piece.junction_confidence for candidate in candidates]).mean())


def _weight(candidates: list[Candidate]) -> float:
    return sum(candidate.weight for candidate in candidates)


def _found(
    overview: Overview,
    tissue: Tissue,
    chromogen: Chromogen | None,
    draw: DrawJunction | None,
    *,
    longest: bool = False,
    bare: bool = False,
) -> list[Candidate]:
    """Stretches of epidermis that agree with one another, the plainest first.

    `longest` follows the longest ridges, too; `bare` takes for epidermis what lies above the surface.
    """
    px = overview.grid.pixel_size_um
    if not tissue.outlines:
        return []
    features = make_features(overview, chromogen, tissue)
    membrane = _membrane(overview)
    traced: list[Candidate] = []
    for side in epidermal_sides(tissue, features, membrane, cellularity(overview), px):
        traced += _trace(side, tissue, features, overview, membrane, draw, longest=longest, bare=bare)
    return agreeing(traced, tissue.mask, overview.grid)


def _trace(
    side: Side,
    tissue: Tissue,
    features: Features,
    overview: Overview,
    membrane: _Float32 | None,
    draw: DrawJunction | None,
    *,
    longest: bool,
    bare: bool,
) -> list[Candidate]:
    """Trace the layers below a side; where the tissue is torn there are several pieces."""
    px = overview.grid.pixel_size_um
    mask = tissue.regions == side.region  # what lies ahead of its ends may be another piece
    down = down_side(side.points, mask, px)
    base = _extend(side.points, _EXTEND_UM, _EXTEND_UM, px)
    below = straightened_below(base, down, features, mask, membrane, px)
    thin = features.levels_and_grain(below.strip, below.values)
    layers = find_layers(below, _depths(side, len(below.inside), bare=bare), thin)
    if layers is None:
        return []
    surface = refine_surface(coarse_surface(below, layers), features, mask, px, down)
    viable = mask & ~_area_between(below.strip.positions[:, 0], surface, mask.shape)
    runs = []
    above_um = _THIN_UM if bare else ABOVE_UM
    for coarse in coarse_junctions(
        below, layers, mask.shape, px, shortest_um=MIN_PIECE_UM, above_um=above_um
    ):
        refined = refine_junction(
            coarse,
            features,
            viable,
            px,
            down,
            membrane=membrane,
            draw=draw,
            longest=longest,
            above_um=above_um,
        )
        for stretch in apart_at_border(*refined, mask.shape, px):
            junction, confidence = squared(*stretch, mask, tissue.clearance * px, px)
            if is_long_enough(junction, px):
                runs.append((junction, confidence))
    found = []
    for number, (junction, confidence) in enumerate(runs):
        cut = (side.cut[0] or number > 0, side.cut[1] or number < len(runs) - 1)
        others = [other for other, _ in runs if other is not junction]
        part = opposite_part(surface, junction, mask, px, others)
        piece = _piece(junction, confidence, part, cut, down, overview.grid)
        if piece is not None:
            sure_um = float(confidence.mean() * arc_um(junction, px)[-1])
            found.append(
                Candidate(piece, side.region, layers.difference, side.likely * side.quality * sure_um)
            )
    return found


def _piece(
    junction: FloatArray,
    confidence: FloatArray,
    surface: FloatArray,
    cut: tuple[bool, bool],
    down: int,
    grid: Grid,
) -> Piece | None:
    """A stretch of epidermis with its own part of the surface, epidermis on the left."""
    if len(surface) < 10:
        return None
    if down == -1:  # dermis on the left: turn round
        junction, confidence, surface, cut = junction[::-1], confidence[::-1], surface[::-1], cut[::-1]
    return Piece(grid.to_image(surface), grid.to_image(junction), confidence.astype(float), cut)


def _depths(side: Side, count: int, *, bare: bool) -> FloatArray:
    """Rough depths of surface and junction along the strip below a side, which is longer than the side.

    What is `bare` has its surface at the outline, and its junction where the surface would be.
    """
    at = np.arange(count) - round(_EXTEND_UM / COARSE_STEP_UM)
    surface, junction = (np.interp(at, np.arange(len(um)), um) for um in side.depths_um.T)
    return np.column_stack([np.zeros(count), surface] if bare else [surface, junction])


def _extend(curve: FloatArray, before_um: float, after_um: float, px: float) -> FloatArray:
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


def _area_between(one: FloatArray, other: FloatArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of the grid between two curves that run in the same sense."""
    return polygon_mask(np.concatenate([one, other[::-1]]), shape)
