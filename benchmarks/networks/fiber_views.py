"""What is seen of lines in synthetic sections, and where the nerves truly are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from benchmarks.accuracy.truth import TrueSection
from benchmarks.networks.views import Arrays, Enough, enough
from ienfd.analysis import find
from ienfd.geometry import resample
from ienfd.nerve.field import LineField
from ienfd.nerve.learned import fiber_planes
from ienfd.protocol import Protocol
from ienfd.result import FloatArray
from ienfd.section import Section

__all__ = ["FARTHEST_UM", "SIZE", "distance_um", "see_fibers"]

SIZE = 144
"""Edge of a view in pixels of the working grid."""

FARTHEST_UM = 3.0
"""Distances are told up to this."""

_EVERY, _SCATTER = 64.0, 30.0  # pixels: views along the junction, and how far off it they lie
_ELSEWHERE = 6  # for every so many of them one lies anywhere in the band
_LEAST_BAND = 0.35


def see_fibers(image: Section, truth: TrueSection) -> Arrays:
    """Views of a section: `planes` (N, 3, S, S), `distance_um` and `band` (N, S, S)."""
    fields: list[LineField] = []

    def weigh(field: LineField) -> LineField:
        fields.append(field)
        return enough(field)

    with suppress(Enough):
        find(image, Protocol(), weigh=weigh)
    if not fields or min(fields[0].band.shape) < SIZE:
        return {}
    field = fields[0]
    planes = fiber_planes(field)
    away_um = distance_um(field, truth.fibers_px)
    views = [
        here
        for center in _centers(field, truth.junctions_px, np.random.default_rng(len(truth.crossings_px)))
        if field.band[here := _around(center, field.band.shape)].mean() >= _LEAST_BAND
    ]
    if not views:
        return {}
    return {
        "planes": np.stack([planes[:, rows, cols] for rows, cols in views]).astype(np.float16),
        "distance_um": np.stack([away_um[here] for here in views]).astype(np.float16),
        "band": np.stack([field.band[here] for here in views]),
    }


def distance_um(field: LineField, fibers_px: Sequence[FloatArray]) -> NDArray[np.float32]:
    """(H, W) distance of every pixel to the nearest center line of a nerve, up to `FARTHEST_UM`."""
    px_um, shape = field.grid.pixel_size_um, field.band.shape
    out = np.full(shape, FARTHEST_UM, np.float32)
    lines = [resample(field.grid.from_image(line), 0.5) for line in fibers_px if len(line) > 1]
    points = np.concatenate([np.empty((0, 2)), *lines])
    points = points[((points >= 0) & (points <= np.array(shape) - 1)).all(axis=1)]
    if not len(points):
        return out
    near = np.zeros(shape, bool)
    near[tuple(np.rint(points).astype(int).T)] = True
    near = ndimage.binary_dilation(near, iterations=int(FARTHEST_UM / px_um) + 1)
    out[near] = np.minimum(cKDTree(points).query(np.argwhere(near))[0] * px_um, FARTHEST_UM)
    return out


def _centers(
    field: LineField, junctions_px: Sequence[FloatArray], rng: np.random.Generator
) -> list[FloatArray]:
    """About the junction, where it counts, and some elsewhere."""
    along = [resample(field.grid.from_image(junction), _EVERY) for junction in junctions_px]
    centers = np.concatenate([np.empty((0, 2)), *along])
    band = np.argwhere(field.band)
    elsewhere = band[rng.integers(0, len(band), len(centers) // _ELSEWHERE + 1)]
    return [*(centers + rng.normal(0, _SCATTER, centers.shape)), *elsewhere.astype(float)]


def _around(center: FloatArray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The view about a place, shifted so that it lies within the image."""
    first = np.clip(np.rint(center).astype(int) - SIZE // 2, 0, np.array(shape) - SIZE)
    return slice(first[0], first[0] + SIZE), slice(first[1], first[1] + SIZE)
