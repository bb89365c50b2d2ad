"""The junction where fibers cross it, in an image whose only channel is that of the nerves.

Where the dermis is brighter than the epidermis, the light of a fiber and of what lies around it looks like
dermis: the edge that is found climbs up along the fiber. So the junction is drawn across a fiber as it comes
to it from either side.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from ienfd.geometry import arc_lengths, left_normals, resample
from ienfd.result import FiberGraph, FloatArray, Piece
from ienfd.stain.overview import Overview

__all__ = ["across_fibers"]

_STEP_UM = 1.0
_BESIDE_UM = 8.0  # so near to a fiber its light is in the way
_ACROSS_UM = 10.0  # standard deviation
_LEAST_KNOWN = 0.05  # how much the edge beside a fiber counts
_LOOKED_AT_UM = (6.0, 10.0, 14.0)  # from the junction, on either side


def across_fibers(piece: Piece, graph: FiberGraph, overview: Overview) -> Piece:
    """Draw the junction of a piece across its fibers, if its dermis is brighter than its epidermis.

    Parameters
    ----------
    piece : Piece
        With the junction as it was found.
    graph : FiberGraph
        What was traced.
    overview : Overview
        Of a fluorescence section with no other channel.

    Returns
    -------
    Piece
        Its junction is the same some twenty micrometers away from fibers, and at its ends.
    """
    px_um = overview.grid.pixel_size_um / overview.grid.factor
    even = resample(piece.junction_px, _STEP_UM / px_um)
    if not graph.branches or not _dermis_is_brighter(even, overview, px_um):
        return piece
    fibers = cKDTree(np.concatenate([branch.path_px for branch in graph.branches]))
    beside = np.exp(-((fibers.query(even)[0] * px_um / _BESIDE_UM) ** 2))[:, None]
    beside[[0, -1]] = 0
    known = 1 - beside + _LEAST_KNOWN
    across = _spread(even * known) / _spread(known)
    along = arc_lengths(piece.junction_px)
    at = np.linspace(0.0, along[-1], len(even))
    return replace(
        piece,
        junction_px=even + beside * (across - even),
        junction_confidence=np.interp(at, along, piece.junction_confidence),
    )


def _dermis_is_brighter(junction_px: FloatArray, overview: Overview, px_um: float) -> bool:
    """Whether the tissue on the right of a junction is brighter than that on its left."""
    normals = left_normals(junction_px)

    def level(side: int) -> float:
        points = np.concatenate([junction_px + side * um / px_um * normals for um in _LOOKED_AT_UM])
        return float(np.median(overview.grid.sampled(overview.signals[0], points)))

    return level(-1) > level(1)


def _spread(values: FloatArray) -> FloatArray:
    return np.asarray(gaussian_filter1d(values, _ACROSS_UM / _STEP_UM, axis=0, mode="nearest"))
