"""The skin of a phantom without its nerves: junction, surface, corneum, outline.

All coordinates are micrometers in the frame of the image: (row, col), rows downward. Depth in the
section, z, runs from 0 to the thickness of the section. Curves run with the epidermis on their left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.signal import hilbert
from scipy.spatial import cKDTree
from shapely import LineString, Polygon

from ienfd.phantom.curves import FloatArray, left_normals, resample, smooth_noise
from ienfd.phantom.spec import PhantomSpec

__all__ = ["LEVELS", "Skin", "build_skin"]

LEVELS = 5  # depths at which the junction is modelled; between them it is interpolated
_STEP_UM = 1.0


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
    def _trees(self) -> list[tuple[cKDTree, FloatArray]]:
        out = []
        for curve in (*self.junctions_um, self.mean_junction_um):
            dense = resample(curve, 0.5)
            out.append((cKDTree(dense), np.hstack([dense, left_normals(dense)])))
        return out

    @cached_property
    def _surface_tree(self) -> tuple[cKDTree, FloatArray]:
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


def _signed(tree: tuple[cKDTree, FloatArray], points: FloatArray) -> FloatArray:
    distance, index = tree[0].query(points)
    nearest = tree[1][index]
    offset = points - nearest[:, :2]
    side = np.einsum("ij,ij->i", offset, nearest[:, 2:])
    return np.where(side >= 0, distance, -distance)


def _undulation(spec: PhantomSpec, rng: np.random.Generator, size: int) -> FloatArray:
    """Height of the junction along the baseline: irregular ridges of varied width and depth."""
    at = np.arange(size, dtype=np.float64) * _STEP_UM
    warp = spec.rete_period_um * 0.28 * smooth_noise(rng, size, spec.rete_period_um * 0.8)
    phase = 2 * np.pi * (at + warp * 2) / spec.rete_period_um + rng.uniform(0, 2 * np.pi)
    peaked = np.cos(phase) + rng.uniform(-0.3, 0.3) * np.cos(2 * phase + rng.uniform(0, 6.28))
    swell = np.clip(1 + 0.45 * smooth_noise(rng, size, spec.rete_period_um * 1.1), 0.15, 1.7)
    height = 0.40 * spec.rete_um * swell * peaked
    height += 0.14 * spec.rete_um * smooth_noise(rng, size, spec.rete_period_um * 0.7)
    height += min(1.6, 0.05 * spec.rete_um + 0.4) * smooth_noise(rng, size, 9.0)
    return np.asarray(height - height.mean())


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
    spare = 500.0 + spec.dermis_um
    size = int(round((length_um + 2 * spare) / _STEP_UM)) + 1
    at = np.arange(size) * _STEP_UM - spare
    inside = np.clip(at / length_um, 0, 1)
    bend = np.deg2rad(spec.bend_deg) * (inside - 0.5)
    wiggle = np.deg2rad(3.0) * smooth_noise(rng, size, 180.0)
    heading = np.deg2rad(spec.rotation_deg) + bend + wiggle
    tangent = np.stack([np.sin(heading), np.cos(heading)], axis=1)
    base = np.cumsum(tangent, axis=0) * _STEP_UM
    base -= base[int(spare)]
    up = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)

    def world(along: FloatArray, height: FloatArray) -> FloatArray:
        position = np.clip(along + spare, 0, (size - 1) * _STEP_UM)
        points = [
            np.interp(position, np.arange(size) * _STEP_UM, base[:, k])
            + height * np.interp(position, np.arange(size) * _STEP_UM, up[:, k])
            for k in range(2)
        ]
        return np.stack(points, axis=1)

    rise = _undulation(spec, rng, size)
    tilt = spec.junction_tilt * smooth_noise(rng, size, 60.0)
    shift = spec.junction_tilt * 1.2 * rng.standard_normal()
    levels = np.linspace(0.0, spec.thickness_um, LEVELS)
    junctions = _junctions(spec, rng, at, rise, tilt, shift, levels, world)

    relief = gaussian_filter1d(rise, 45.0) * rng.uniform(0.2, 0.9)
    relief += rng.uniform(1.0, 5.0) * smooth_noise(rng, size, 70.0) + 1.2 * smooth_noise(rng, size, 14.0)
    top = spec.epidermis_um + relief - relief.mean()
    needed = maximum_filter1d(rise, 31) + 28.0
    top = gaussian_filter1d(np.maximum(top, needed), 7.0)
    horn = spec.corneum_um * np.clip(1 + 0.22 * smooth_noise(rng, size, 25.0), 0.35, 2.0)
    horn += spec.flaking * 2.0 * smooth_noise(rng, size, 5.0)
    outer = top + np.maximum(horn, 3.0)

    low_end = -spare if not closed[0] else 0.0
    high_end = length_um + (spare if not closed[1] else 0.0)
    deep = spec.dermis_um if not spec.open_bottom else spec.dermis_um + 450.0
    deep = min(deep, 0.75 * length_um / max(abs(np.deg2rad(spec.bend_deg)), 1e-3))
    outline = _outline(rng, at, outer, low_end, high_end, closed, deep, spec.open_bottom, world)
    keep = np.flatnonzero((at > low_end + 4) & (at < high_end - 4))
    return Skin(
        levels_um=levels,
        junctions_um=junctions,
        surface_um=world(at, top),
        outer_um=world(at, outer),
        up=up,
        outline_um=outline,
        span=(int(keep[0]), int(keep[-1])),
    )


def _junctions(spec, rng, at, rise, tilt, shift, levels, world):  # type: ignore[no-untyped-def]
    """Junction curves at all levels; the lean is reduced until no curve crosses itself."""
    quadrature = np.imag(hilbert(rise))
    sign = rng.choice([-1.0, 1.0], 2)
    lean = gaussian_filter1d(spec.rete_lean * (0.75 * sign[0] * quadrature + 0.5 * sign[1] * rise), 4.0)
    local_lean = np.clip(0.5 + 0.6 * smooth_noise(rng, len(at), 120.0), 0, 1)
    for factor in (1.0, 0.8, 0.6, 0.4, 0.2, 0.0):
        curves = []
        for z in levels:
            depth = z - levels[-1] / 2
            height = np.interp(at + shift * depth, at, rise) + tilt * depth
            curves.append(world(at + factor * local_lean * lean, height))
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


def _outline(rng, at, outer, low_end, high_end, closed, deep, open_bottom, world):  # type: ignore[no-untyped-def]
    """Polygon of the tissue: outside of the corneum, ends, and the bottom."""
    keep = (at >= low_end) & (at <= high_end)
    top = world(at[keep], outer[keep])
    bottom_height = -deep + (0.0 if open_bottom else 1.0) * 0.07 * deep * smooth_noise(
        rng, int(keep.sum()), 40.0
    )
    bottom_along = at[keep]
    sides = []
    for is_closed, end, height_from, height_to in (
        (closed[1], high_end, outer[keep][-1], bottom_height[-1]),
        (closed[0], low_end, bottom_height[0], outer[keep][0]),
    ):
        count = max(int(abs(height_from - height_to) / 2), 4)
        heights = np.linspace(height_from, height_to, count)
        ramp = np.sin(np.linspace(0, np.pi, count))
        rough = 6.0 * smooth_noise(rng, count, 12.0) * ramp if is_closed else np.zeros(count)
        slant = rng.normal(0, 0.12) * (heights - heights.max()) if is_closed else 0.0
        sides.append(world(end + rough + slant * ramp, heights))
    return np.concatenate([top, sides[0], world(bottom_along, bottom_height)[::-1], sides[1]])
