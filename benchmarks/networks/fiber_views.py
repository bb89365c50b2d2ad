"""What is seen of lines in synthetic sections, and where the nerves truly are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from benchmarks.accuracy.truth import TrueSection
from benchmarks.networks.drawn_lines import DrawnLines, draw_lines
from benchmarks.networks.textures import PIXEL_UM
from benchmarks.networks.views import Arrays, Enough, enough
from ienfd.analysis import find
from ienfd.geometry import resample
from ienfd.nerve.field import LineField, line_field
from ienfd.nerve.learned import fiber_planes
from ienfd.protocol import Protocol
from ienfd.result import FloatArray
from ienfd.section import Calibration, Channel, ChannelRole, Section
from ienfd.stain.grid import Grid
from ienfd.stain.nerve import NerveSource
from ienfd.stain.overview import Overview

__all__ = ["FARTHEST_UM", "SIZE", "distance_um", "see_drawn", "see_fibers", "see_softened"]

SIZE = 144
"""Edge of a view in pixels of the working grid."""

FARTHEST_UM = 3.0
"""Distances are told up to this."""

_EVERY, _SCATTER = 64.0, 30.0  # pixels: views along the junction, and how far off it they lie
_ELSEWHERE = 6  # for every so many of them one lies anywhere in the band
_LEAST_BAND = 0.35
_SOFTENED_UM, _NOISIER = (0.2, 0.9), 0.006  # standard deviations: in um, and of the brightest, up to that
_ANYWHERE, _NEAR_NERVES = 4, 10  # views of a drawing


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
    rng = np.random.default_rng(len(truth.crossings_px))
    return _views(fields[0], truth.fibers_px, _centers(fields[0], truth.junctions_px, rng))


def see_softened(image: Section, truth: TrueSection) -> Arrays:
    """As `see_fibers`, of a section that is less in focus, where fibers are wide and faint."""
    rng = np.random.default_rng(len(truth.fibers_px))
    sigma_px = rng.uniform(*_SOFTENED_UM) / image.pixel_size_um
    pixels = ndimage.gaussian_filter(image.pixels.astype(np.float32), (0, sigma_px, sigma_px, 0))
    pixels += rng.normal(0, rng.uniform(0, _NOISIER) * np.quantile(pixels, 0.99), pixels.shape)
    low, high = image.pixels.min(), image.pixels.max()
    return see_fibers(replace(image, pixels=pixels.clip(low, high).astype(image.pixels.dtype)), truth)


def see_drawn(seed: int) -> Arrays:
    """Views of a drawing of lines (`draw_lines`), as `see_fibers` gives them."""
    drawn = draw_lines(seed)
    rng, shape = np.random.default_rng(seed), np.array(drawn.signal.shape)
    points = np.concatenate([rng.uniform(0, 1, (_ANYWHERE, 2)) * shape, *drawn.nerves])
    near = points[rng.integers(0, len(points), _NEAR_NERVES)] + rng.normal(0, _SCATTER, (_NEAR_NERVES, 2))
    return _views(_field_of(drawn), drawn.nerves, [*points[:_ANYWHERE], *near])


def _field_of(drawn: DrawnLines) -> LineField:
    """Its lines, filtered as those of a section are."""
    nerve, grid = ChannelRole.NERVE, Grid(1.0, PIXEL_UM)
    section = Section(drawn.signal[None, :, :, None], Calibration(PIXEL_UM), (Channel(role=nerve),))
    signals = np.zeros((1, 1, 1), np.float32)  # nothing of an overview is needed but which channel it is
    overview = Overview(grid, signals, np.zeros(1), (nerve,), None, None, signals[0], signals[0] > 0, (0,))
    source = NerveSource(section, "fluorescence", overview, grid)
    band = np.ones(drawn.signal.shape, bool)
    field = line_field(source, None, band, Protocol().image.fiber_scales_um)
    if drawn.density is None:
        return field
    return replace(field, light=drawn.density[..., None].astype(np.float16))


def _views(field: LineField, fibers_px: Sequence[FloatArray], centers: Sequence[FloatArray]) -> Arrays:
    """What is seen about centers that lie in the band."""
    around = [_around(center, field.band.shape) for center in centers]
    views = [here for here in around if field.band[here].mean() >= _LEAST_BAND]
    if not views:
        return {}
    planes, away_um = fiber_planes(field), distance_um(field, fibers_px)
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
