"""A polyline with what was measured at its points, its parts, and several of them as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ienfd.geometry import FloatArray, arc_lengths
from ienfd.result import Branch

__all__ = ["Trace", "end_to_end", "weighted_mean"]


@dataclass(frozen=True, eq=False)
class Trace:
    """A polyline with what was measured at its points.

    Parameters
    ----------
    points_um : (N, 2) ndarray of float
        (row, col) in micrometers.
    contrast : (N,) ndarray of float
        Ridge contrast in units of the local noise.
    bridged : (N,) ndarray of bool
        True where a gap was bridged.
    z_um : (N,) ndarray of float
        Depth; NaN where it is not known.
    width_um : float
        Mean apparent caliber; NaN where it is not known.
    """

    points_um: FloatArray
    contrast: FloatArray
    bridged: NDArray[np.bool_]
    z_um: FloatArray
    width_um: float = np.nan

    @classmethod
    def of(cls, branch: Branch, pixel_size_um: float) -> Trace:
        """A whole branch of the fiber graph."""
        path = np.asarray(branch.path_px, dtype=np.float64)
        return cls(
            path * pixel_size_um,
            np.asarray(branch.contrast, dtype=np.float64),
            np.asarray(branch.bridged, dtype=bool),
            np.full(len(path), np.nan) if branch.z_um is None else np.asarray(branch.z_um, dtype=np.float64),
            branch.width_um if branch.width_um > 0 else np.nan,
        )

    @cached_property
    def along_um(self) -> FloatArray:
        """(N,) length from its first point to every point."""
        return arc_lengths(self.points_um)

    @cached_property
    def seen_um(self) -> FloatArray:
        """(N,) the same of what is seen as a fiber, not bridged."""
        along = self.along_um
        seen = np.where(self.bridged[1:] | self.bridged[:-1], 0.0, along[1:] - along[:-1])
        return np.concatenate([[0.0], np.cumsum(seen)])

    @cached_property
    def length_um(self) -> float:
        """Whole length, gaps included."""
        return float(self.along_um[-1])

    @cached_property
    def seen_length_um(self) -> float:
        """Length that is seen as a fiber."""
        return float(self.seen_um[-1])

    def seen_within(self, limit_um: float, forward: bool) -> float:
        """Length seen as a fiber within the first (or, if not `forward`, the last) `limit_um`."""
        if limit_um >= self.length_um:
            return self.seen_length_um
        if forward:
            return float(np.interp(limit_um, self.along_um, self.seen_um))
        return self.seen_length_um - float(np.interp(self.length_um - limit_um, self.along_um, self.seen_um))

    def backward(self) -> Trace:
        """The same trace from its other end."""
        return Trace(
            self.points_um[::-1], self.contrast[::-1], self.bridged[::-1], self.z_um[::-1], self.width_um
        )

    def at(self, position_um: float) -> Trace:
        """The trace at one place of it, as a trace of one point."""
        along = self.along_um
        i = int(np.clip(np.searchsorted(along, position_um, side="right") - 1, 0, len(along) - 2))
        span = along[i + 1] - along[i]
        t = (position_um - along[i]) / span if span > 0 else 0.0
        return Trace(
            (self.points_um[i] * (1 - t) + self.points_um[i + 1] * t)[None],
            (self.contrast[i] * (1 - t) + self.contrast[i + 1] * t)[None],
            (self.bridged[i] | self.bridged[i + 1])[None],
            (self.z_um[i] * (1 - t) + self.z_um[i + 1] * t)[None],
        )

    def between(self, start_um: float, end_um: float) -> Trace:
        """The part of it between two places."""
        inside = slice(
            int(np.searchsorted(self.along_um, start_um, side="right")),
            int(np.searchsorted(self.along_um, end_um, side="left")),
        )
        first, last = self.at(start_um), self.at(end_um)
        return Trace(
            np.concatenate([first.points_um, self.points_um[inside], last.points_um]),
            np.concatenate([first.contrast, self.contrast[inside], last.contrast]),
            np.concatenate([first.bridged, self.bridged[inside], last.bridged]),
            np.concatenate([first.z_um, self.z_um[inside], last.z_um]),
            self.width_um,
        )


def end_to_end(parts: Sequence[Trace]) -> Trace:
    """Several traces as one."""
    if len(parts) == 1:
        return parts[0]
    return Trace(
        np.concatenate([part.points_um for part in parts]),
        np.concatenate([part.contrast for part in parts]),
        np.concatenate([part.bridged for part in parts]),
        np.concatenate([part.z_um for part in parts]),
        _mean_width(parts),
    )


def _mean_width(parts: Sequence[Trace]) -> float:
    """Mean caliber over the parts of which it is known, by their length."""
    known = [part for part in parts if isfinite(part.width_um) and part.length_um > 0]
    if not known:
        return float(np.nan)
    widths, lengths = np.array([(part.width_um, part.length_um) for part in known]).T
    return weighted_mean(widths, lengths)


def weighted_mean(values: FloatArray, weights: FloatArray) -> float:
    """Mean of (N,) values by (N,) weights, not all of which are 0."""
    return float((values * weights).sum() / weights.sum())
