"""What lies along the surface: how it turns, how thick the epidermis is below it, how dark the tissue is.

The surface is followed, and not the junction, because it is found in the same place again in an image that
was taken or stored a little differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.geometry import FloatArray, left_normals, length, points_at, to_shapely
from ienfd.result import Piece
from ienfd.stain.grid import Grid
from ienfd.stain.overview import Overview

__all__ = ["STEP_UM", "Course", "courses"]

STEP_UM = 8.0
"""Distance of the places along the surface that are looked at."""

_FINE = 1.0  # steps: what is finer is noise of the outline
_BLUR_UM = 3.0
_STRIPS_UM = ((-8.0, -16.0, -24.0), (-36.0, -46.0, -56.0), (-75.0, -90.0, -105.0))  # to the right of it
_LEAST_STEPS = 4


@dataclass(frozen=True, eq=False)
class Course:
    """The surface of one piece of epidermis, in steps of `STEP_UM`.

    Parameters
    ----------
    turn_rad : (N,) ndarray of float
        Its direction.
    thickness_um : (N,) ndarray of float
        Distance to the junction.
    strips : (3, N) ndarray of float
        How much stain or light there is at depths about 16, 46 and 90 um: optical density, or light above
        the ground in a unit of the image.
    """

    turn_rad: FloatArray
    thickness_um: FloatArray
    strips: FloatArray

    @property
    def length_um(self) -> float:
        """Its length."""
        return len(self.turn_rad) * STEP_UM


def courses(pieces: Sequence[Piece], overview: Overview) -> list[Course]:
    """The surfaces of a section that are long enough to look at.

    Parameters
    ----------
    pieces : sequence of Piece
        Stretches of epidermis.
    overview : Overview
        The section at low resolution.
    """
    grid = overview.grid
    um = grid.pixel_size_um / grid.factor
    long = [piece for piece in pieces if length(piece.surface_px) * um >= _LEAST_STEPS * STEP_UM]
    density = overview.signals.mean(axis=0)
    if overview.white is None:
        density = np.expm1(density)  # light, which adds up where tissue lies double, as density does
    blurred = ndimage.gaussian_filter(density, _BLUR_UM / grid.pixel_size_um)
    return [_course(piece, blurred, grid, um) for piece in long if len(piece.junction_px) > 1]


def _course(piece: Piece, density: NDArray[np.float32], grid: Grid, um: float) -> Course:
    count = int(length(piece.surface_px) * um / STEP_UM) + 1
    even = points_at(piece.surface_px, STEP_UM / um * np.arange(count))
    even = ndimage.gaussian_filter1d(even, _FINE, axis=0)
    step = np.gradient(even, axis=0)
    normals = left_normals(even)
    strips = [
        np.mean([grid.sampled(density, even + depth / um * normals) for depth in depths], axis=0)
        for depths in _STRIPS_UM
    ]
    return Course(
        turn_rad=np.unwrap(np.arctan2(step[:, 0], step[:, 1])),
        thickness_um=np.asarray(
            shapely.distance(to_shapely(piece.junction_px), shapely.points(even[:, ::-1])) * um
        ),
        strips=np.stack(strips),
    )
