"""Polylines: arc length, smoothing, sides, projection, and the one converter to shapely.

A polyline is an (N, 2) array of (row, col), in pixels or in micrometers: nothing here depends on
the unit, and what comes back is in the unit that went in.

Left and right are those of a person who walks along the polyline **on the displayed image** (row
0 on top, rows growing downwards). Walking to the right of the screen, left is up; walking down
the screen, left is the right of the screen. The left normal of a direction (d_row, d_col) is
therefore (-d_col, d_row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

__all__ = [
    "FloatArray",
    "Meetings",
    "Projection",
    "Projector",
    "arc_lengths",
    "common_ends",
    "from_shapely",
    "inside",
    "left_normals",
    "length",
    "meeting_lengths",
    "meetings",
    "points_at",
    "resample",
    "smooth",
    "smooth_even",
    "to_shapely",
]

FloatArray = NDArray[np.float64]

_EVERY_SIGMA = 5.0  # samples per standard deviation when smoothing
_TRUNCATE = 4.0  # half-width of the kernel in standard deviations
_TINY = np.array([1.7e-9, 2.9e-9])  # a direction that no pixel grid and no rotated drawing has


def to_shapely(points: FloatArray) -> shapely.LineString:
    """Polyline of (row, col) as a shapely LineString of (x = col, y = row)."""
    return shapely.LineString(np.asarray(points, dtype=np.float64)[:, ::-1])


def from_shapely(geometry: shapely.Geometry) -> FloatArray:
    """(N, 2) array of (row, col) from a shapely geometry of (x = col, y = row)."""
    return np.ascontiguousarray(shapely.get_coordinates(geometry)[:, ::-1])


def arc_lengths(points: FloatArray) -> FloatArray:
    """Arc length from the first point to every point of an (N, 2) polyline; the first is 0."""
    steps = points[1:] - points[:-1]
    out = np.zeros(max(len(points), 1))
    np.cumsum(np.hypot(steps[:, 0], steps[:, 1]), out=out[1:])
    return out


def length(points: FloatArray) -> float:
    """Length of an (N, 2) polyline."""
    return float(np.hypot(*np.diff(points, axis=0).T).sum()) if len(points) > 1 else 0.0


def common_ends(one: FloatArray, other: FloatArray) -> tuple[int, int]:
    """How many rows two arrays share from the first on, and how many of the rest up to the last."""
    shorter = min(len(one), len(other))
    differ = np.flatnonzero((one[:shorter] != other[:shorter]).any(axis=1))
    head = int(differ[0]) if len(differ) else shorter
    left = shorter - head
    differ = np.flatnonzero((one[len(one) - left :] != other[len(other) - left :]).any(axis=1))
    return head, left - 1 - int(differ[-1]) if len(differ) else left


def points_at(points: FloatArray, positions: ArrayLike) -> FloatArray:
    """Points of an (N, 2) polyline at the given arc lengths, clipped to its ends.

    Returns
    -------
    (K, 2) ndarray of float
        One point for each of the K positions.
    """
    arc = arc_lengths(points)
    at = np.atleast_1d(np.asarray(positions, dtype=np.float64))
    return np.stack([np.interp(at, arc, points[:, axis]) for axis in range(2)], axis=1)


def resample(points: FloatArray, step: float) -> FloatArray:
    """Resample an (N, 2) polyline at an even arc length of at most `step`; both ends are kept.

    Raises
    ------
    ValueError
        If `step` is not positive or the polyline is empty.
    """
    if step <= 0 or len(points) == 0:
        raise ValueError(f"cannot resample {len(points)} points at a step of {step}")
    total = length(points)
    count = max(2, int(np.ceil(total / step - 1e-9)) + 1)
    return points_at(points, np.linspace(0.0, total, count))


def smooth(points: FloatArray, sigma: float) -> FloatArray:
    """Smooth a polyline along its arc length with a Gaussian.

    The ends stay where they are: beyond them the polyline is continued by point reflection, so
    that a straight line stays what it is and no curve is shortened at its ends.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Polyline.
    sigma : float
        Standard deviation of the kernel, in the unit of the polyline.

    Returns
    -------
    (M, 2) ndarray of float
        Smoothed polyline; its points correspond to even steps along the original one.
    """
    if sigma <= 0:
        return np.array(points, dtype=np.float64)
    return smooth_even(resample(points, sigma / _EVERY_SIGMA), sigma)


def smooth_even(even: FloatArray, sigma: float) -> FloatArray:
    """Smooth a polyline whose points lie at even steps, point by point (see `smooth`)."""
    total = length(even)
    if len(even) < 3 or total <= 0 or sigma <= 0:
        return np.array(even, dtype=np.float64)
    in_samples = sigma * (len(even) - 1) / total
    pad = int(np.ceil(_TRUNCATE * in_samples))
    longer = np.pad(even, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
    filtered = gaussian_filter1d(longer, in_samples, axis=0, truncate=_TRUNCATE)
    out = np.asarray(filtered[pad : pad + len(even)], dtype=np.float64)
    out[[0, -1]] = even[[0, -1]]
    return out


def left_normals(points: FloatArray) -> FloatArray:
    """Unit normals at every point of an (N, 2) polyline, pointing to its left as displayed."""
    tangent = np.gradient(points, axis=0)
    tangent = tangent / np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-12)[:, None]
    return np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)


def inside(points: FloatArray, outline: FloatArray) -> NDArray[np.bool_]:
    """(K,) whether points lie inside a closed outline, which may cross itself, by the even-odd rule.

    Parameters
    ----------
    points : (K, 2) ndarray of float
        One or more points.
    outline : (N, 2) ndarray of float
        Corners in order; the last is joined to the first.
    """
    start, end = outline, np.roll(outline, -1, axis=0)
    low, high = np.minimum(start, end), np.maximum(start, end)
    met = (low <= points.max(axis=0)) & (high >= points.min(axis=0))
    axis = int(np.argmin(met.sum(axis=0)))  # rays along the other one meet fewer edges
    start, end = start[met[:, axis]], end[met[:, axis]]
    at, across = points[:, None, axis], points[:, None, 1 - axis]
    crosses = (start[:, axis] <= at) != (end[:, axis] <= at)
    run = np.where(crosses, end[:, axis] - start[:, axis], 1.0)
    where = start[:, 1 - axis] + (at - start[:, axis]) / run * (end - start)[:, 1 - axis]
    return np.asarray((crosses & (where > across)).sum(axis=1) % 2 == 1)


@dataclass(frozen=True, eq=False)
class Projection:
    """Points seen from a polyline.

    Parameters
    ----------
    position : (K,) ndarray of float
        Arc length of the nearest point of the polyline.
    signed : (K,) ndarray of float
        Distance to it, positive on the left, negative on the right.
    beyond : (K,) ndarray of bool
        Whether the point lies beyond an end of the polyline rather than beside it.
    segment : (K,) ndarray of int
        Segment of the polyline on which the nearest point lies.
    past : (K,) ndarray of float
        Length from the start of that segment: `position` is this and `arc_lengths` at the segment.
    """

    position: FloatArray
    signed: FloatArray
    beyond: NDArray[np.bool_]
    segment: NDArray[np.intp]
    past: FloatArray


@dataclass(frozen=True, eq=False)
class Projector:
    """Finds the nearest point of one polyline, exactly, for many points.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Polyline of at least two points; repeated points are ignored.
    """

    points: FloatArray

    @cached_property
    def _parts(self) -> tuple[FloatArray, NDArray[np.intp], FloatArray, FloatArray, shapely.STRtree]:
        steps = np.any(np.diff(self.points, axis=0) != 0, axis=1)
        which = np.concatenate([[0], np.flatnonzero(steps) + 1]) if len(self.points) else np.empty(0, np.intp)
        corners = np.asarray(self.points, dtype=np.float64)[which]
        if len(corners) < 2:
            raise ValueError("a polyline needs at least two different points")
        normals = _unit_left(np.diff(corners, axis=0))
        # the nearest of many short segments in a row is found fastest where the tree is deep
        tree = shapely.STRtree(_lines(corners[:-1], corners[1:]), node_capacity=2)
        return corners, which[1:] - 1, arc_lengths(corners), normals, tree

    @cached_property
    def _corners(self) -> tuple[cKDTree, float]:
        """Its corners, and half the length of its longest segment."""
        corners = self._parts[0]
        return cKDTree(corners), float(np.hypot(*np.diff(corners, axis=0).T).max()) / 2.0

    def within(self, points: FloatArray, distance: float) -> NDArray[np.bool_]:
        """(K,) whether points lie within a distance of the polyline: faster than to project them."""
        near, open_ = self._surely_within(points, distance)
        near[open_] = np.abs(self(points[open_]).signed) <= distance
        return near

    def all_within(self, points: FloatArray, distance: float) -> bool:
        """Whether all (K, 2) points, of which there is one or more, lie within a distance of the polyline."""
        middle = len(points) // 2  # tells for most lines that leave it
        if not any(which.any() for which in self._surely_within(points[middle : middle + 1], distance)):
            return False
        near, open_ = self._surely_within(points, distance)
        return bool((near | open_).all() and (np.abs(self(points[open_]).signed) <= distance).all())

    def _surely_within(
        self, points: FloatArray, distance: float
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which points lie within a distance of a corner, and which may lie so near to a segment only."""
        tree, half = self._corners
        reach = distance + half * (1 + 1e-9)
        to_corner = tree.query(points, distance_upper_bound=np.nextafter(reach, np.inf))[0]
        near: NDArray[np.bool_] = np.asarray(to_corner <= distance)
        return near, ~near & np.asarray(to_corner <= reach)

    def near_boxes(self, low: FloatArray, high: FloatArray, distance: float) -> NDArray[np.bool_]:
        """(K,) whether boxes with these (K, 2) corners may come within a distance of the polyline."""
        near = np.zeros(len(low), dtype=bool)
        near[self._parts[-1].query(_lines(low - distance, high + distance))[0]] = True
        return near

    def __call__(self, points: FloatArray) -> Projection:
        """Project (K, 2) points onto the polyline."""
        corners, numbers, arc, normals, tree = self._parts
        points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if len(points) == 0:
            none = np.empty(0)
            return Projection(none, none, np.empty(0, dtype=bool), np.empty(0, dtype=np.intp), none)
        which, segment = tree.query_nearest(shapely.points(points[:, ::-1]), all_matches=True)
        order = np.lexsort((segment, which))
        first = order[np.unique(which[order], return_index=True)[1]]
        at = segment[first]
        start, step = corners[at], corners[at + 1] - corners[at]
        share = np.clip(((points - start) * step).sum(axis=1) / (step**2).sum(axis=1), 0.0, 1.0)
        offset = points - (start + share[:, None] * step)
        # at a corner the normals of both sides decide: either alone would be wrong in a sharp bend
        facing = normals[at].copy()
        lower, upper = (share <= 0) & (at > 0), (share >= 1) & (at < len(normals) - 1)
        facing[lower] += normals[at[lower] - 1]
        facing[upper] += normals[at[upper] + 1]
        sign = np.where((offset * facing).sum(axis=1) >= 0, 1.0, -1.0)
        beyond = ((share <= 0) & (at == 0)) | ((share >= 1) & (at == len(normals) - 1))
        along = (points - np.where((at == 0)[:, None], corners[0], corners[-1])) * step
        beyond &= np.abs(along.sum(axis=1)) > 1e-9
        past = share * np.hypot(step[:, 0], step[:, 1])
        signed = sign * np.hypot(offset[:, 0], offset[:, 1])
        return Projection(arc[at] + past, signed, beyond, numbers[at], past)


@dataclass(frozen=True, eq=False)
class Meetings:
    """Where polylines cross a curve; one entry a crossing, by polyline and along each of them.

    Parameters
    ----------
    path : (K,) ndarray of int
        Index of the polyline.
    on_path, on_curve : (K,) ndarray of float
        Arc length of the crossing along the polyline and along the curve.
    toward : (K,) ndarray of int
        1 where the polyline goes over to the left of the curve, -1 where it goes to the right.
    segment : (K,) ndarray of int
        Segment of the curve on which the crossing lies.
    past : (K,) ndarray of float
        Length from the start of that segment: `on_curve` is this and `meeting_lengths` at the segment.
    """

    path: NDArray[np.intp]
    on_path: FloatArray
    on_curve: FloatArray
    toward: NDArray[np.int8]
    segment: NDArray[np.intp]
    past: FloatArray


def meeting_lengths(curve: FloatArray) -> FloatArray:
    """Arc length from the first point to every point of a curve, as `meetings` measures it."""
    return arc_lengths(np.asarray(curve, dtype=np.float64) + _TINY)


def meetings(paths: Sequence[FloatArray], curve: FloatArray) -> Meetings:
    """Where polylines cross a curve, segment by segment, to sub-pixel accuracy.

    Exact coincidences (a corner on the curve, a shared corner) are settled by a shift of the curve
    that is far below any accuracy of measurement, so that a touch yields no crossing or two at the
    same place, and never one; and a polyline that passes through a corner crosses once.

    Parameters
    ----------
    paths : sequence of (N, 2) ndarray of float
        The polylines.
    curve : (M, 2) ndarray of float
        The curve.

    Returns
    -------
    Meetings
        All crossings.
    """
    many = [path for path in paths if len(path) > 1]
    if not many or len(curve) < 2:
        none, nothing = np.empty(0), np.empty(0, np.intp)
        return Meetings(nothing, none, none, np.empty(0, np.int8), nothing, none)
    curve = np.asarray(curve, dtype=np.float64) + _TINY
    index = np.concatenate([np.full(len(path) - 1, i) for i, path in enumerate(paths) if len(path) > 1])
    start, end = np.concatenate([path[:-1] for path in many]), np.concatenate([path[1:] for path in many])
    before = np.concatenate([arc_lengths(path)[:-1] for path in many])
    beside = np.flatnonzero(_overlapping(curve[:-1], curve[1:], start, end))
    p, q = shapely.STRtree(_lines(curve[beside], curve[beside + 1])).query(_lines(start, end))
    q = beside[q]
    a, b, c, d = start[p], end[p], curve[q], curve[q + 1]
    side_a, side_b = _cross(d - c, a - c), _cross(d - c, b - c)
    side_c, side_d = _cross(b - a, c - a), _cross(b - a, d - a)
    hit = ((side_a >= 0) != (side_b >= 0)) & ((side_c >= 0) != (side_d >= 0))
    p, q = p[hit], q[hit]
    share_path = side_a[hit] / (side_a[hit] - side_b[hit])
    share_curve = side_c[hit] / (side_c[hit] - side_d[hit])
    on_path = before[p] + share_path * np.hypot(*(end[p] - start[p]).T)
    past = share_curve * np.hypot(*(curve[q + 1] - curve[q]).T)
    on_curve = arc_lengths(curve)[q] + past
    toward = np.where(side_b[hit] >= 0, 1, -1).astype(np.int8)
    order = np.lexsort((on_curve, on_path, index[p]))
    return Meetings(index[p][order], on_path[order], on_curve[order], toward[order], q[order], past[order])


def _overlapping(start: FloatArray, end: FloatArray, low: FloatArray, high: FloatArray) -> NDArray[np.bool_]:
    """(K,) whether segments may lie in the box about all of some others."""
    least = np.minimum(low.min(axis=0), high.min(axis=0))
    most = np.maximum(low.max(axis=0), high.max(axis=0))
    inside = (np.maximum(start, end) >= least) & (np.minimum(start, end) <= most)
    return np.asarray(inside.all(axis=1))


def _lines(start: FloatArray, end: FloatArray) -> NDArray[Any]:
    """Segments from (K, 2) points to others, for shapely."""
    return np.asarray(shapely.linestrings(np.stack([start[:, ::-1], end[:, ::-1]], axis=1)))


def _cross(direction: FloatArray, to: FloatArray) -> FloatArray:
    """Positive where `to` points to the left of `direction`, both (K, 2) of (row, col)."""
    product: FloatArray = direction[:, 0] * to[:, 1] - direction[:, 1] * to[:, 0]
    return product


def _unit_left(direction: FloatArray) -> FloatArray:
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1)
    unit: FloatArray = normal / np.hypot(normal[:, 0], normal[:, 1])[:, None]
    return unit
