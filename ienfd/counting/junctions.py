"""The junction of a piece in micrometers, and places on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ienfd.geometry import FloatArray, Projection, Projector, arc_lengths, length, meeting_lengths
from ienfd.result import Piece

__all__ = ["Junction", "Spot", "junctions_of"]

_MARGIN_UM = 0.01  # far above any rounding


@dataclass(frozen=True)
class Spot:
    """A place on a junction, which is found again on one that was drawn anew elsewhere.

    Parameters
    ----------
    piece : int
        Index of the piece.
    position_um : float
        Position along its junction as stored.
    segment : int
        Segment of the junction.
    past_um : float
        How far past the start of that segment.
    met : bool
        Whether a fiber crosses there, rather than comes nearest there.
    """

    piece: int
    position_um: float
    segment: int
    past_um: float
    met: bool


@dataclass(frozen=True, eq=False)
class Junction:
    """The junction of a piece of epidermis.

    Parameters
    ----------
    index : int
        Which piece.
    piece : Piece
        In pixels.
    pixel_size_um : float
        Pixel edge in micrometers.
    """

    index: int
    piece: Piece
    pixel_size_um: float

    @cached_property
    def points(self) -> FloatArray:
        """(N, 2) polyline in micrometers."""
        return self.piece.junction_px * self.pixel_size_um

    @cached_property
    def _projector(self) -> Projector:
        return Projector(self.points)

    @cached_property
    def _lengths(self) -> dict[bool, FloatArray]:
        return {False: arc_lengths(self.points), True: meeting_lengths(self.points)}

    @cached_property
    def _known_at(self) -> FloatArray:
        return arc_lengths(self.piece.junction_px) * self.pixel_size_um

    def __call__(self, points_um: FloatArray) -> Projection:
        """Points as seen from it."""
        return self._projector(points_um)

    def within(self, points_um: FloatArray, distance_um: float) -> NDArray[np.bool_]:
        """(K,) whether points lie within a distance of it; a little farther counts, too."""
        return self._projector.within(points_um, distance_um + _MARGIN_UM)

    def all_within(self, points_um: FloatArray, distance_um: float) -> bool:
        """Whether all points lie within a distance of it."""
        return self._projector.all_within(points_um, distance_um)

    def near_boxes(self, low_um: FloatArray, high_um: FloatArray, distance_um: float) -> NDArray[np.bool_]:
        """(K,) whether something in a box, given by two (K, 2) corners, may lie within a distance of it."""
        return self._projector.near_boxes(low_um, high_um, distance_um + _MARGIN_UM)

    def spot(self, view: Projection, which: int) -> Spot:
        """The place on it that is nearest to one of the points seen."""
        at = float(view.position[which]), int(view.segment[which]), float(view.past[which])
        return Spot(self.index, *at, met=False)

    def moved(self, spot: Spot, by: int) -> Spot:
        """A spot where its segment has another number, `by` more."""
        segment = spot.segment + by
        position = float(self._lengths[spot.met][segment] + spot.past_um)
        return Spot(self.index, position, segment, spot.past_um, spot.met)

    def confidence(self, spot: Spot) -> float:
        """Confidence of the junction at a place on it."""
        return float(np.interp(spot.position_um, self._known_at, self.piece.junction_confidence))


def junctions_of(pieces: Sequence[Piece], pixel_size_um: float) -> dict[int, Junction]:
    """Of every piece that has one."""
    return {
        index: Junction(index, piece, pixel_size_um)
        for index, piece in enumerate(pieces)
        if length(piece.junction_px) > 0
    }
