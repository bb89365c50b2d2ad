"""Traced stretches of epidermis, and which of them stand beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ienfd.result import FloatArray, Piece
from ienfd.skin.strip import arc_um, on_tissue
from ienfd.skin.surface import opposite_part
from ienfd.stain.grid import Grid

__all__ = ["FEWEST", "MIN_PIECE_UM", "Candidate", "agreeing", "is_long_enough"]

MIN_PIECE_UM, FEWEST = 120.0, 20
"""Length of the shortest stretch, and how many points its curves have at least."""

_SAME_PX = 15  # of the grid: two junctions as near as that are one
_MUCH = 0.3
_OPPOSED = -0.3  # cosine between the directions in which two stretches face
_BETWEEN = 60  # lines between two such stretches, and places on each


@dataclass(frozen=True, eq=False)
class Candidate:
    """A traced stretch, before it is compared with the others.

    Parameters
    ----------
    piece : Piece
    region : int
        The piece of tissue it lies in, see `Tissue.regions`.
    difference : (K,) ndarray of float
        Mean features of what would be epidermis minus those of dermis.
    weight : float
        How plain it is, times its length.
    """

    piece: Piece
    region: int
    difference: FloatArray
    weight: float


def is_long_enough(junction: FloatArray, px: float) -> bool:
    """Whether a junction of the grid, whose pixel is `px` micrometers, is worth keeping."""
    return len(junction) >= FEWEST and bool(arc_um(junction, px)[-1] >= MIN_PIECE_UM)


def agreeing(candidates: list[Candidate], mask: NDArray[np.bool_], grid: Grid) -> list[Candidate]:
    """Leave out stretches that contradict the best one.

    The junction of a thin piece of tissue is found from both of its sides; the epidermis is the
    side that lies nearer. What is epidermis in one stretch cannot be dermis in another. And one piece of
    tissue has no epidermis on two opposite sides: a punch has one. Pieces that touch are two.

    Parameters
    ----------
    candidates : list of Candidate
    mask : (H, W) ndarray of bool
        Where there is tissue.
    grid : Grid
        The grid of the mask.

    Returns
    -------
    list of Candidate
        The plainest first; what two would claim is left to the plainer.
    """
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.weight):
        if kept and candidate.difference @ kept[0].difference <= 0:
            continue
        if any(_opposed(candidate, other, mask, grid) for other in kept):
            continue
        rest = _uncovered(candidate, kept, mask, grid)
        if rest is not None:
            kept.append(rest)
    return kept


def _uncovered(
    candidate: Candidate, kept: Sequence[Candidate], mask: NDArray[np.bool_], grid: Grid
) -> Candidate | None:
    """What plainer stretches leave of one: at a duct or a cleft, what two would claim is counted once.

    None when nothing is left, and when it runs along one that faces another way.
    """
    piece = candidate.piece
    free = np.ones(len(piece.junction_px), bool)
    for other in kept:
        away = np.asarray(cKDTree(other.piece.junction_px).query(piece.junction_px)[0])
        near = away < _SAME_PX * grid.factor
        if float(piece.facing @ other.piece.facing) > 0:
            free &= ~near
        elif near.mean() > _MUCH:
            return None
    if free.all():
        return candidate
    runs = ndimage.find_objects(ndimage.label(free)[0])
    if not runs:
        return None
    (run,) = max(runs, key=lambda each: each[0].stop - each[0].start)
    ends = (piece.cut_ends[0] and run.start == 0, piece.cut_ends[1] and run.stop == len(free))
    junction = grid.from_image(piece.junction_px[run])
    px, others = grid.pixel_size_um, [grid.from_image(other.piece.junction_px) for other in kept]
    surface = opposite_part(grid.from_image(piece.surface_px), junction, mask, px, others)
    if not is_long_enough(junction, px) or len(surface) < FEWEST:
        return None
    part = Piece(grid.to_image(surface), piece.junction_px[run], piece.junction_confidence[run], ends)
    return replace(candidate, piece=part, weight=candidate.weight * (run.stop - run.start) / len(free))


def _opposed(one: Candidate, other: Candidate, mask: NDArray[np.bool_], grid: Grid) -> bool:
    """Whether two stretches of one piece of tissue face away from each other."""
    if one.region != other.region or float(one.piece.facing @ other.piece.facing) >= _OPPOSED:
        return False
    junction, opposite = (grid.from_image(candidate.piece.junction_px) for candidate in (one, other))
    return _tissue_between(junction, opposite, mask)


def _tissue_between(one: FloatArray, other: FloatArray, mask: NDArray[np.bool_]) -> bool:
    """Whether tissue alone lies between curves that run in opposite ways, not two pieces that touch."""
    shares = np.linspace(0, 1, _BETWEEN)
    begin = one[np.rint(shares * (len(one) - 1)).astype(int)]
    end = other[np.rint((1 - shares) * (len(other) - 1)).astype(int)]
    lines = begin + shares[:, None, None] * (end - begin)
    whole = on_tissue(lines.reshape(-1, 2), mask).reshape(_BETWEEN, _BETWEEN).all(axis=0)
    return bool(whole.mean() > 0.5)
