"""Where fibers are looked for: the epidermis and the dermis near it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray, Piece
from ienfd.stain.grid import Grid, distance_to, polygon_mask

__all__ = ["DERMIS_UM", "epidermis_mask", "nerve_band", "on_grid"]

DERMIS_UM = 90.0
"""Fibers are traced down to this depth below the junction."""


def epidermis_mask(pieces: Sequence[Piece], grid: Grid, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Viable epidermis on a grid: between surface and junction of every piece."""
    mask = np.zeros(shape, bool)
    for piece in pieces:
        outline = grid.from_image(np.concatenate([piece.junction_px, piece.surface_px[::-1]]))
        mask |= polygon_mask(outline, shape)
    return mask


def nerve_band(
    pieces: Sequence[Piece], tissue: NDArray[np.bool_], epidermis: NDArray[np.bool_], grid: Grid
) -> NDArray[np.bool_]:
    """Epidermis and the upper dermis, on the grid of the overview.

    Parameters
    ----------
    pieces : sequence of Piece
        Stretches of epidermis.
    tissue, epidermis : (H, W) ndarray of bool
        On `grid`.
    grid : Grid
        Grid of the overview.
    """
    to_junction = _distance_um([piece.junction_px for piece in pieces], grid, tissue.shape)
    to_surface = _distance_um([piece.surface_px for piece in pieces], grid, tissue.shape)
    dermis = tissue & (to_junction <= DERMIS_UM) & (to_junction < to_surface)
    return dermis | epidermis


def _distance_um(curves: Sequence[FloatArray], grid: Grid, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Distance of every pixel of a grid to the nearest curve."""
    return distance_to([grid.from_image(curve) for curve in curves], shape) * grid.pixel_size_um


def on_grid(mask: NDArray[np.bool_], of: Grid, to: Grid, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask of one grid on another one, by nearest pixels."""
    centers = [to.to_image(np.column_stack([np.arange(n), np.arange(n)]).astype(float)) for n in shape]
    places = [
        np.clip(np.rint(of.from_image(c)[:, k]).astype(int), 0, mask.shape[k] - 1)
        for k, c in enumerate(centers)
    ]
    return mask[np.ix_(*places)]
