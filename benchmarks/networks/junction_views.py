"""What is seen about the junctions of synthetic sections and of drawings, and where they truly are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import shapely
from scipy.spatial import cKDTree

from benchmarks.accuracy.truth import TrueSection
from benchmarks.networks.drawn_skin import draw_skin
from benchmarks.networks.textures import PIXEL_UM
from benchmarks.networks.views import Arrays, Enough, enough
from ienfd.analysis import find
from ienfd.geometry import resample
from ienfd.protocol import Protocol
from ienfd.result import FloatArray
from ienfd.section import Section
from ienfd.skin.learned import Drawn, JunctionView
from ienfd.stain.overview import read_overview

__all__ = ["as_found", "see_drawn_skin", "see_junctions", "signed_um"]

_AT_ENDS_UM = 5.0  # a place whose nearest junction is an end of it lies above or below nothing
_FARTHEST_UM = 60.0
_STEP_UM = 0.25  # of the true junction
_LEAST_KNOWN = 0.4


def see_junctions(image: Section, truth: TrueSection) -> Arrays:
    """Views of the junctions of a section, `planes` and `signed` with a number."""
    return _views(image, list(zip(truth.junctions_px, truth.surfaces_px, strict=True)), truth.pixel_size_um)


def see_drawn_skin(seed: int) -> Arrays:
    """Views of the junctions of a drawing (`draw_skin`), as `see_junctions` gives them."""
    drawn = draw_skin(seed)
    return _views(drawn.section, [(drawn.junction_px, drawn.surface_px)], PIXEL_UM)


def as_found(view: JunctionView) -> FloatArray:
    """(S, 2) the junction where it was found before anyone draws it, coordinates of the strip."""
    across = np.abs(view.planes[-1]).argmin(axis=1)
    return np.column_stack([np.arange(len(across)), across]).astype(float)


def signed_um(points_um: FloatArray, epidermises_um: Sequence[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """(N,) distance of points below the true junction; NaN where that is not known, and above the surface."""
    above, known = np.zeros((2, len(points_um)), bool)
    nearest, surface_um = np.full((2, len(points_um)), np.inf)
    for junction, surface in epidermises_um:
        if np.hypot(*(surface[0] - junction[-1])) > np.hypot(*(surface[-1] - junction[-1])):
            surface = surface[::-1]
        epidermis = shapely.Polygon(np.concatenate([junction, surface])).buffer(0)
        above |= shapely.contains_xy(epidermis, points_um)
        line = resample(junction, _STEP_UM)
        distance, at = cKDTree(line).query(points_um)
        inner = np.minimum(at, len(line) - 1 - at) * _STEP_UM > _AT_ENDS_UM
        known = np.where(distance < nearest, inner, known)
        nearest = np.minimum(nearest, distance)
        surface_um = np.minimum(surface_um, cKDTree(resample(surface, _STEP_UM)).query(points_um)[0])
    cornified = ~above & (surface_um < nearest)
    signed = np.where(above, -nearest, nearest)
    signed[~known | cornified | (nearest > _FARTHEST_UM)] = np.nan
    return signed


def _views(image: Section, epidermises: Sequence[tuple[FloatArray, FloatArray]], pixel_um: float) -> Arrays:
    """What is seen about the junctions of an image; given are junction and surface of each epidermis."""
    views: list[JunctionView] = []

    def draw(view: JunctionView) -> Drawn:
        views.append(view)
        return Drawn(as_found(view), np.zeros(view.inside.shape))  # who draws it elsewhere is asked again

    with suppress(Enough):
        find(image, Protocol(), draw=draw, weigh=enough)
    grid = read_overview(image).grid
    arrays: Arrays = {}
    for view in views:
        points_um = grid.to_image(view.strip.positions.reshape(-1, 2)) * pixel_um
        signed = signed_um(points_um, [(j * pixel_um, s * pixel_um) for j, s in epidermises])
        signed = np.where(view.inside, signed.reshape(view.inside.shape), np.nan)
        if np.isfinite(signed).mean() >= _LEAST_KNOWN:
            arrays[f"planes{len(arrays) // 2}"] = view.planes.astype(np.float16)
            arrays[f"signed{len(arrays) // 2}"] = signed.astype(np.float16)
    return arrays
