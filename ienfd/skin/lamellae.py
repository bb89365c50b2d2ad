"""Thick corneum is told from epidermis by its lamellae, which run along the surface."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ienfd.result import FloatArray, Piece
from ienfd.skin.strip import COARSE_STEP_UM, best_path, make_strip
from ienfd.stain.overview import Overview

__all__ = ["lamellae_end"]

_DETAIL_UM = 2.0
_DEEPEST_UM = 260.0
_HEADING_UM = 40.0
_ALONG_UM, _ACROSS_UM = 40.0, 2.5
_LAYERED = 0.72  # share of the slope that lies across: 1 for lamellae, 0.5 for what has no direction
_STIFF = 0.5  # cost per step of depth, in the unit of that share
_THICK_UM = 45.0  # thinner corneum is known by its light or stain


def lamellae_end(piece: Piece, overview: Overview) -> FloatArray | None:
    """Where the lamellae end that lie below a surface.

    In skin of palms and soles corneum is as thick as an epidermis, and may be taken for one. It shows
    lines along the surface; an epidermis shows cells, or nothing.

    Parameters
    ----------
    piece : Piece
        A stretch of what may be epidermis.
    overview : Overview
        The section at low resolution.

    Returns
    -------
    (N, 2) ndarray of float or None
        Coordinates on the grid of the overview, the lamellae on the left; None where these are no thicker
        than usual corneum.
    """
    px = overview.grid.pixel_size_um
    strip = make_strip(
        overview.grid.from_image(piece.surface_px),
        px,
        above_um=0.0,
        below_um=_DEEPEST_UM,
        step_um=COARSE_STEP_UM,
        down=1,
        heading_um=_HEADING_UM,
    )
    signal = ndimage.gaussian_filter(overview.signals.mean(axis=0), _DETAIL_UM / px)
    along, across = np.gradient(strip.sample(signal))
    layered = across**2 / np.maximum(along**2 + across**2, 1e-12)
    layered = ndimage.gaussian_filter(layered, (_ALONG_UM / COARSE_STEP_UM, _ACROSS_UM / COARSE_STEP_UM))
    depth = best_path(-np.cumsum(layered - _LAYERED, axis=1), max_step=1, step_cost=_STIFF)
    if float(np.median(depth)) * COARSE_STEP_UM < _THICK_UM:
        return None
    return strip.to_grid(np.column_stack([np.arange(len(depth)), depth]).astype(float))
