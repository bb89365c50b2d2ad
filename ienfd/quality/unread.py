"""Outline of the tissue that faces as its epidermis does, and along which no epidermis was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from ienfd.geometry import left_normals, length
from ienfd.result import Piece
from ienfd.skin.faces import find_faces
from ienfd.skin.sides import down_side
from ienfd.skin.strip import COARSE_STEP_UM, smooth_curve
from ienfd.skin.tissue import Tissue
from ienfd.stain.grid import Grid

__all__ = ["unread_fraction"]

_EVENED_UM = 20.0  # what is finer does not tell which way an outline faces
_NEAR_UM = 60.0  # of the surface: there an outline belongs to it
_ALIKE = 0.5  # cosine


def unread_fraction(pieces: Sequence[Piece], tissue: Tissue, grid: Grid) -> float:
    """Share of what seems to be surface of the skin, along which no epidermis was found.

    Where a section is torn, a part of it turned aside, or its stain fades, its epidermis may go unseen. Then
    the outline goes on beyond the surface that was found, and faces as that does. The cut sides of a punch,
    and its lower one, face elsewhere.

    Parameters
    ----------
    pieces : sequence of Piece
        Stretches of epidermis, one at least.
    tissue : Tissue
        Where there is tissue.
    grid : Grid
        The grid of its mask.
    """
    px = grid.pixel_size_um
    surfaces = cKDTree(np.concatenate([grid.from_image(piece.surface_px) for piece in pieces]))
    facing = np.concatenate([np.tile(piece.facing, (len(piece.surface_px), 1)) for piece in pieces])
    read_um = sum(length(piece.surface_px) for piece in pieces) * px / grid.factor
    unread_um = 0.0
    for face in find_faces(tissue.outlines, px):
        outward = down_side(face.points, tissue.mask, px) * left_normals(
            smooth_curve(face.points, _EVENED_UM / COARSE_STEP_UM)
        )
        away, nearest = surfaces.query(face.points)
        alike = (outward * facing[nearest]).sum(axis=1) > _ALIKE
        unread = alike & (away * px > _NEAR_UM) & ~face.on_border
        unread_um += COARSE_STEP_UM * float(unread.sum())
    return unread_um / (read_um + unread_um)
