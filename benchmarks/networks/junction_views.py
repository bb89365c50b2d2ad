"""What is seen about the junctions of synthetic sections, and where they truly are."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import shapely
from scipy.spatial import cKDTree

from benchmarks.accuracy.truth import TrueSection
from benchmarks.networks.views import Arrays, Enough, enough
from ienfd.analysis import find
from ienfd.geometry import resample
from ienfd.protocol import Protocol
from ienfd.result import FloatArray
from ienfd.section import Section
from ienfd.skin.learned import Drawn, JunctionView
from ienfd.stain.grid import Grid
from ienfd.stain.overview import read_overview

__all__ = ["as_found", "see_junctions", "signed_um"]

_AT_ENDS_UM = 5.0  # a place whose nearest junction is an end of it lies above or below nothing
_FARTHEST_UM = 60.0
_STEP_UM = 0.25  # of the true junction
_LEAST_KNOWN = 0.4


def see_junctions(image: Section, truth: TrueSection) -> Arrays:
    """Views of the junctions of a section, `planes` and `signed` with a number."""
    views: list[JunctionView] = []

    def draw(view: JunctionView) -> Drawn:
        views.append(view)
        return Drawn(as_found(view), np.zeros(view.inside.shape))  # who draws it elsewhere is asked again

    with suppress(Enough):
        find(image, Protocol(), draw=draw, weigh=enough)
    _, grid = read_overview(image)
    arrays: Arrays = {}
    for view in views:
        signed = signed_um(view, grid, truth)
        if np.isfinite(signed).mean() >= _LEAST_KNOWN:
            arrays[f"planes{len(arrays) // 2}"] = view.planes.astype(np.float16)
            arrays[f"signed{len(arrays) // 2}"] = signed.astype(np.float16)
    return arrays


def as_found(view: JunctionView) -> FloatArray:
    """(S, 2) the junction where it was found before anyone draws it, coordinates of the strip."""
    across = np.abs(view.planes[-1]).argmin(axis=1)
    return np.column_stack([np.arange(len(across)), across]).astype(float)


def signed_um(view: JunctionView, grid: Grid, truth: TrueSection) -> FloatArray:
    """(S, D) distance of every sample below the true junction; NaN where that is not known."""
    points = grid.to_image(view.strip.positions.reshape(-1, 2))
    above = np.zeros(len(points), bool)
    nearest = np.full(len(points), np.inf)
    known = np.zeros(len(points), bool)
    for junction, surface in zip(truth.junctions_px, truth.surfaces_px, strict=True):
        if np.hypot(*(surface[0] - junction[-1])) > np.hypot(*(surface[-1] - junction[-1])):
            surface = surface[::-1]
        above |= shapely.contains_xy(shapely.Polygon(np.concatenate([junction, surface])).buffer(0), points)
        line = resample(junction, _STEP_UM / truth.pixel_size_um)
        distance, at = cKDTree(line).query(points)
        inner = np.minimum(at, len(line) - 1 - at) * _STEP_UM > _AT_ENDS_UM
        known = np.where(distance < nearest, inner, known)
        nearest = np.minimum(nearest, distance)
    distance_um = nearest * truth.pixel_size_um
    signed = np.where(above, -distance_um, distance_um)
    signed[~known | (distance_um > _FARTHEST_UM)] = np.nan
    result = signed.reshape(view.inside.shape)
    return np.where(view.inside, result, np.nan)
