"""The skin of a phantom without its nerves: junction, surface, corneum, outline.

All coordinates are micrometers in the frame of the image: (row, col), rows downward. Depth in the
section, z, runs from 0 to the thickness of the section. Curves run with the epidermis on their left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.signal import hilbert
from scipy.spatial import cKDTree
from shapely import LineString, Polygon, contains_xy

from ienfd.phantom.curves import FloatArray, left_normals, resample, smooth_noise
from ienfd.phantom.spec import PhantomSpec

__all__ = ["LEVELS", "Skin", "build_skin", "spare_length_um"]

LEVELS = 5  # depths at which the junction is modelled; between them it is interpolated

_Tree: TypeAlias = Any  # scipy's cKDTree; its stubs are generic in what it does not need here


@dataclass(frozen=True, eq=False)
class Skin:
    """One piece of skin.

    Parameters
    ----------
    levels_um : (L,) ndarray
        Depths of the junction curves.
    junctions_um : (L, N, 2) ndarray
        The junction at every level; equal indices belong together.
    surface_um, outer_um : (M, 2) ndarray
        Boundary of viable epidermis and corneum, and the outside of the corneum.
    up : (N, 2) ndarray
        Direction of the surface at every junction point (normal of the baseline).
    outline_um : (K, 2) ndarray
        Polygon of the tissue.
    span : (int, int)
        Range of junction indices that lies inside the tissue.
    """

    levels_um: FloatArray
    junctions_um: FloatArray
    surface_um: FloatArray
    outer_um: FloatArray
    up: FloatArray
    outline_um: FloatArray
    span: tuple[int, int]

    @property
    def thickness_um(self) -> float:
        """Thickness of the section."""
        return float(self.levels_um[-1])

    @cached_property
    def mean_junction_um(self) -> FloatArray:
        """(N, 2) junction, mean over the depth of the section."""
        return np.asarray(self.junctions_um.mean(axis=0), dtype=np.float64)

    @cached_property
    def _trees(self) -> list[tuple[_Tree, FloatArray]]:
        out = []
        for curve in (*self.junctions_um, self.mean_junction_um):
            dense = resample(curve, 0.5)
            out.append((cKDTree(dense), np.hstack([dense, left_normals(dense)])))
        return out

    @cached_property
    def _surface_tree(self) -> tuple[_Tree, FloatArray]:
        dense = resample(self.surface_um, 0.5)
        return cKDTree(dense), np.hstack([dense, left_normals(dense)])

    @cached_property
    def polygon(self) -> Polygon:
        """The outline as a shapely polygon in (x, y) = (col, row)."""
        return Polygon(self.outline_um[:, ::-1]).buffer(0)

    def height_um(self, points_um: FloatArray) -> FloatArray:
        """Signed distance to the junction at each point's own depth, positive in the epidermis.

        Parameters
        ----------
        points_um : (N, 3) ndarray of float
            Row, column, depth.
        """
        at = np.clip(points_um[:, 2] / self.thickness_um, 0, 1) * (len(self.levels_um) - 1)
        low = np.minimum(at.astype(int), len(self.levels_um) - 2)
        part = at - low
        heights = np.zeros(len(points_um))
        for level in np.unique(np.concatenate([low, low + 1])):
            weight = np.where(low == level, 1 - part, np.where(low + 1 == level, part, 0.0))
            used = weight > 0
            if used.any():
                heights[used] += weight[used] * _signed(self._trees[level], points_um[used, :2])
        return heights

    def mean_height_um(self, points_um: FloatArray) -> FloatArray:
        """Signed distance of (N, 2+) points to the mean junction, positive in the epidermis."""
        return _signed(self._trees[-1], points_um[:, :2])

    def contains(self, points_um: FloatArray) -> NDArray[np.bool_]:
        """Whether each of (N, 2+) points lies inside the tissue."""
        return np.asarray(contains_xy(self.polygon, points_um[:, 1], points_um[:, 0]), dtype=np.bool_)

    def nearest_index(self, point_um: FloatArray) -> int:
        """Index of the junction point nearest to one point."""
        return int(np.argmin(((self.mean_junction_um - point_um[:2]) ** 2).sum(axis=1)))

    def nearest_normals(self, points_um: FloatArray) -> FloatArray:
        """Normal of the mean junction at the junction point nearest to each of (N, 2+) points."""
        tree, curve = self._trees[-1]
        _, nearest = tree.query(points_um[:, :2])
        return np.asarray(curve[nearest, 2:], dtype=np.float64)

    def below_surface_um(self, points_um: FloatArray) -> FloatArray:
        """Distance of (N, 2+) points below the surface, negative in corneum and glass."""
        return -_signed(self._surface_tree, points_um[:, :2])

    def junction_at(self, index: float, z_um: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Point, normal into the epidermis and upward direction at a (fractional) junction index."""
        at = np.clip(z_um / self.thickness_um, 0, 1) * (len(self.levels_um) - 1)
        low = min(int(at), len(self.levels_um) - 2)
        middle = int(np.clip(round(index), 2, self.junctions_um.shape[1] - 3))
        window = slice(middle - 2, middle + 3)
        low_curve, high_curve = self.junctions_um[low, window], self.junctions_um[low + 1, window]
        local = low_curve + (at - low) * (high_curve - low_curve)
        return local[2].copy(), left_normals(local)[2], self.up[middle].copy()


def _signed(tree: tuple[_Tree, FloatArray], points: FloatArray) -> FloatArray:
    distance, index = tree[0].query(points)
    nearest = tree[1][index]
    offset = points - nearest[:, :2]
    side = np.einsum("ij,ij->i", offset, nearest[:, 2:])
    return np.asarray(np.where(side >= 0, distance, -distance), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Baseline:
    """The course of a piece of skin: position and upward direction along it."""

    at_um: FloatArray
    points_um: FloatArray
    up: FloatArray

    def world(self, along_um: FloatArray, height_um: FloatArray) -> FloatArray:
        """(N, 2) points at a distance along the baseline and a height above it."""
        columns = [
            np.interp(along_um, self.at_um, self.points_um[:, k])
            + height_um * np.interp(along_um, self.at_um, self.up[:, k])
            for k in range(2)
        ]
        return np.stack(columns, axis=1)


def _baseline(spec: PhantomSpec, rng: np.random.Generator, length_um: float, spare_um: int) -> _Baseline:
    size = round(length_um) + 2 * spare_um + 1
    at = np.arange(size, dtype=np.float64) - spare_um
    bend = np.deg2rad(spec.bend_deg) * (np.clip(at / length_um, 0, 1) - 0.5)
    heading = np.deg2rad(spec.rotation_deg) + bend + np.deg2rad(3.0) * smooth_noise(rng, size, 180.0)
    tangent = np.stack([np.sin(heading), np.cos(heading)], axis=1)
    points = np.cumsum(tangent, axis=0)
    return _Baseline(at, points - points[spare_um], np.stack([-tangent[:, 1], tangent[:, 0]], axis=1))


def _undulation(spec: PhantomSpec, rng: np.random.Generator, size: int) -> FloatArray:
    """Height of the junction along the baseline: irregular ridges of varied width and depth."""
    at = np.arange(size, dtype=np.float64)
    warp = spec.rete_period_um * 0.56 * smooth_noise(rng, size, spec.rete_period_um * 0.8)
    phase = 2 * np.pi * (at + warp) / spec.rete_period_um + rng.uniform(0, 2 * np.pi)
    peaked = np.cos(phase) + rng.uniform(-0.3, 0.3) * np.cos(2 * phase + rng.uniform(0, 6.28))
    swell = np.clip(1 + 0.45 * smooth_noise(rng, size, spec.rete_period_um * 1.1), 0.15, 1.7)
    height = 0.40 * spec.rete_um * swell * peaked
    height += 0.14 * spec.rete_um * smooth_noise(rng, size, spec.rete_period_um * 0.7)
    height += min(1.6, 0.05 * spec.rete_um + 0.4) * smooth_noise(rng, size, 9.0)
    return np.asarray(height - height.mean(), dtype=np.float64)


def spare_length_um(spec: PhantomSpec) -> int:
    """How far a piece of skin is modelled beyond each of its ends."""
    return int(500.0 + spec.dermis_um)


def build_skin(
    spec: PhantomSpec, rng: np.random.Generator, length_um: float, closed: tuple[bool, bool]
) -> Skin:
    """Model one piece of skin whose baseline starts at the origin.

    Parameters
    ----------
    spec : PhantomSpec
        Thicknesses, undulation, bend, rotation.
    rng : numpy.random.Generator
        Source of randomness.
    length_um : float
        Length along the baseline.
    closed : (bool, bool)
        Whether the left and the right end are cut ends; an open end is continued beyond the length.
    """
    spare = spare_length_um(spec)
    base = _baseline(spec, rng, length_um, spare)
    at = base.at_um
    size = len(at)
    rise = _undulation(spec, rng, size)
    junctions = _junctions(spec, rng, base, rise)

    relief = gaussian_filter1d(rise, 45.0) * rng.uniform(0.2, 0.9)
    relief += rng.uniform(1.0, 5.0) * smooth_noise(rng, size, 70.0) + 1.2 * smooth_noise(rng, size, 14.0)
    top = spec.epidermis_um + relief - relief.mean()
    top = gaussian_filter1d(np.maximum(top, maximum_filter1d(rise, 31) + 28.0), 7.0)
    horn = spec.corneum_um * np.clip(1 + 0.22 * smooth_noise(rng, size, 25.0), 0.35, 2.0)
    horn += spec.flaking * 2.0 * smooth_noise(rng, size, 5.0)
    outer = top + np.maximum(horn, 3.0)

    low_end = 0.0 if closed[0] else -float(spare)
    high_end = length_um + (0.0 if closed[1] else float(spare))
    keep = np.flatnonzero((at > low_end + 4) & (at < high_end - 4))
    return Skin(
        levels_um=np.linspace(0.0, spec.thickness_um, LEVELS),
        junctions_um=junctions,
        surface_um=base.world(at, top),
        outer_um=base.world(at, outer),
        up=base.up,
        outline_um=_outline(spec, rng, base, outer, (low_end, high_end), closed, length_um),
        span=(int(keep[0]), int(keep[-1])),
    )


def _junctions(spec: PhantomSpec, rng: np.random.Generator, base: _Baseline, rise: FloatArray) -> FloatArray:
    """Junction curves at all levels; the lean is reduced until no curve crosses itself."""
    at, levels = base.at_um, np.linspace(0.0, spec.thickness_um, LEVELS)
    tilt = spec.junction_tilt * smooth_noise(rng, len(at), 60.0)
    shift = spec.junction_tilt * 1.2 * rng.standard_normal()
    quadrature = np.imag(hilbert(rise))
    sign = rng.choice([-1.0, 1.0], 2)
    lean = gaussian_filter1d(spec.rete_lean * (0.75 * sign[0] * quadrature + 0.5 * sign[1] * rise), 4.0)
    local_lean = np.clip(0.5 + 0.6 * smooth_noise(rng, len(at), 120.0), 0, 1)
    curves: list[FloatArray] = []
    for factor in (1.0, 0.8, 0.6, 0.4, 0.2, 0.0):
        curves = []
        for z in levels:
            depth = z - levels[-1] / 2
            height = np.interp(at + shift * depth, at, rise) + tilt * depth
            curves.append(base.world(at + factor * local_lean * lean, height))
        if all(LineString(curve).is_simple for curve in curves) and _is_smooth(curves):
            break
    return np.stack(curves)


def _is_smooth(curves: list[FloatArray]) -> bool:
    """Whether no curve turns more sharply than a radius of about 4 um."""
    for curve in curves:
        even = resample(curve, 2.0)
        heading = np.unwrap(np.arctan2(*np.diff(even, axis=0).T))
        if np.abs(np.diff(heading)).max() > 0.6:
            return False
    return True


def _outline(
    spec: PhantomSpec,
    rng: np.random.Generator,
    base: _Baseline,
    outer: FloatArray,
    ends: tuple[float, float],
    closed: tuple[bool, bool],
    length_um: float,
) -> FloatArray:
    """Polygon of the tissue: outside of the corneum, ends, and the bottom."""
    keep = (base.at_um >= ends[0]) & (base.at_um <= ends[1])
    at, top = base.at_um[keep], outer[keep]
    deep = spec.dermis_um + (450.0 if spec.open_bottom else 0.0)
    # the inside of a bend has no room below its center
    deep = min(deep, 0.75 * length_um / max(abs(np.deg2rad(spec.bend_deg)), 1e-3))
    bottom = np.full(len(at), -deep)
    if not spec.open_bottom:
        bottom += deep * (0.06 * smooth_noise(rng, len(at), 60.0) + 0.02 * smooth_noise(rng, len(at), 12.0))
    right = _end(rng, base, ends[1], (top[-1], bottom[-1]), closed[1])
    left = _end(rng, base, ends[0], (bottom[0], top[0]), closed[0])
    return np.concatenate([base.world(at, top), right, base.world(at, bottom)[::-1], left])


def _end(
    rng: np.random.Generator, base: _Baseline, end: float, heights: tuple[float, float], closed: bool
) -> FloatArray:
    """One end of the tissue from one height to another: ragged and slanting where it was cut."""
    count = max(int(abs(heights[0] - heights[1]) / 2), 4)
    height = np.linspace(heights[0], heights[1], count)
    if not closed:
        return base.world(np.full(count, end), height)
    ramp = np.sin(np.linspace(0, np.pi, count))
    rough = (6.0 * smooth_noise(rng, count, 12.0) + 1.5 * smooth_noise(rng, count, 2.0)) * ramp
    slant = rng.normal(0, 0.12) * (height - height.max()) * ramp
    return base.world(end + rough + slant, height)
