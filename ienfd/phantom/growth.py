"""The course of nerve fibers: what all kinds of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.curves import FloatArray, left_normals, resample, smooth_noise
from ienfd.phantom.spec import PhantomSpec

__all__ = [
    "STEP_UM",
    "TRIES",
    "Fiber",
    "FiberClass",
    "Grower",
    "TrueCrossing",
    "first_true",
    "fold",
    "rotate",
    "unit",
]

FiberClass = Literal["crossing", "approaching", "fragment", "grazing", "dermal", "plexus", "bundle"]
STEP_UM = 0.5
TRIES = 40


@dataclass(frozen=True, eq=False)
class TrueCrossing:
    """Where a fiber passes the junction at its own depth: (row, col, z) in micrometers."""

    point_um: FloatArray
    fiber_id: int
    junction_index: float


@dataclass(frozen=True, eq=False)
class Fiber:
    """One tree of center lines.

    Parameters
    ----------
    fiber_id : int
        Number within the phantom.
    kind : FiberClass
        What it truly is.
    paths_um : tuple of (N, 3) ndarray
        Center lines; the first is the trunk.
    brightness, caliber_um : float
        Relative to a typical fiber, and mean apparent diameter.
    """

    fiber_id: int
    kind: FiberClass
    paths_um: tuple[FloatArray, ...]
    brightness: float
    caliber_um: float


class Grower:
    """Carries what all kinds of fibers need: skin, randomness, and the lists that grow."""

    def __init__(self, spec: PhantomSpec, skin: Skin, rng: np.random.Generator, first_id: int) -> None:
        self.spec, self.skin, self.rng = spec, skin, rng
        self.first_id = first_id
        self.fibers: list[Fiber] = []
        self.crossings: list[TrueCrossing] = []
        low, high = skin.span
        self.length_mm = (high - low) / 1000.0
        swell = spec.clustering * smooth_noise(rng, skin.junctions_um.shape[1], 70.0)
        rate = np.exp(swell - spec.clustering**2 / 2)
        rate[: low + 3] = 0
        rate[high - 2 :] = 0
        self.cumulative = np.concatenate([[0.0], np.cumsum(rate)])

    def add(self, kind: FiberClass, paths: list[FloatArray], brightness: float, caliber: float) -> int:
        """Add a fiber and return its number."""
        number = self.first_id + len(self.fibers)
        self.fibers.append(Fiber(number, kind, tuple(paths), brightness, caliber))
        return number

    def brightness(self) -> float:
        """Draw a relative brightness."""
        return float(np.clip(np.exp(self.rng.normal(0, 0.3)), 0.45, 2.2))

    def caliber(self) -> float:
        """Draw a mean apparent caliber in micrometers."""
        return float(np.clip(self.spec.caliber_um * np.exp(self.rng.normal(0, 0.2)), 0.5, 1.6))

    def place(self, clustered: bool = True) -> tuple[float, float]:
        """A junction index and a depth."""
        low, high = self.skin.span
        if clustered:
            index = float(np.interp(self.rng.uniform(0, self.cumulative[-1]), self.cumulative,
                                    np.arange(len(self.cumulative))))  # fmt: skip
        else:
            index = float(self.rng.uniform(low + 3, high - 3))
        return index, self.depth()

    def depth(self) -> float:
        """Draw a depth inside the section."""
        margin = min(2.0, 0.15 * self.spec.thickness_um)
        return float(self.rng.uniform(margin, self.spec.thickness_um - margin))

    def poisson(self, per_mm: float) -> int:
        """Draw how many there are on this piece of skin."""
        return int(self.rng.poisson(per_mm * self.length_mm))

    def walk(
        self, start: FloatArray, first: FloatArray, target: FloatArray, length_um: float,
        *, relax_um: float = 12.0, wander: float | None = None, z_slope: float = 0.25,
    ) -> FloatArray:  # fmt: skip
        """A tortuous path from `start` (row, col, z) that turns from `first` to the direction `target`."""
        wander = self.spec.tortuosity if wander is None else wander
        count = max(3, int(length_um / STEP_UM) + 1)
        arc = np.arange(count) * STEP_UM
        goal = np.arctan2(target[0], target[1])
        initial = np.arctan2(first[0], first[1])
        turn = (initial - goal + np.pi) % (2 * np.pi) - np.pi
        noise = wander * (
            0.75 * smooth_noise(self.rng, count, 9.0 / STEP_UM)
            + 0.45 * smooth_noise(self.rng, count, 3.0 / STEP_UM)
        )
        ramp = 1 - np.exp(-arc / 4.0)
        heading = goal + turn * np.exp(-arc / relax_um) + noise * ramp
        step = np.stack([np.sin(heading), np.cos(heading)], axis=1) * STEP_UM
        flat = start[:2] + np.concatenate([np.zeros((1, 2)), np.cumsum(step[1:], axis=0)])
        slope = self.rng.normal(0, z_slope)
        depth = start[2] + slope * arc + 1.5 * np.cumsum(smooth_noise(self.rng, count, 24.0)) * 0.06
        return np.column_stack([flat, fold(depth, self.spec.thickness_um)])

    def inside(self, path: FloatArray) -> FloatArray:
        """Cut a path where it leaves the tissue."""
        outside = np.flatnonzero(~self.skin.contains(path))
        return path if len(outside) == 0 else path[: outside[0]]

    def stays(self, path: FloatArray, bound: float) -> bool:
        """Whether a path stays below (bound < 0) or above (bound > 0) by that much."""
        sign = np.sign(bound)  # against the junction at its depth and against the mean one
        local = sign * self.skin.height_um(path)
        mean = sign * self.skin.mean_height_um(path)
        return bool(min(local.min(), mean.min()) > abs(bound))

    def offset(
        self, index: float, z: float, length: float, depth: float, wander: float, smooth_um: float
    ) -> FloatArray:
        """A path along the junction at a depth below it."""
        low = int(max(index - length / 2, self.skin.span[0]))
        high = int(min(index + length / 2, self.skin.span[1]))
        if high - low < 8:
            return np.empty((0, 3))
        level = round(z / self.spec.thickness_um * (len(self.skin.levels_um) - 1))
        pad = int(min(4 * smooth_um, low, self.skin.junctions_um.shape[1] - high))
        curve = self.skin.junctions_um[level, low - pad : high + pad]
        curve = gaussian_filter1d(curve, smooth_um, axis=0)
        normals = left_normals(curve)
        away = depth + wander * smooth_noise(self.rng, len(curve), max(14.0, 0.9 * depth))
        away += min(1.0, 0.25 * wander) * smooth_noise(self.rng, len(curve), 9.0)
        moved = (curve - normals * np.maximum(away, 0.6 * depth)[:, None])[pad : len(curve) - pad]
        depth_z = (
            z
            + self.rng.normal(0, 0.05) * np.arange(len(moved))
            + 1.5 * smooth_noise(self.rng, len(moved), 40.0)
        )
        path = np.column_stack([moved, fold(depth_z, self.spec.thickness_um)])
        return resample(path, STEP_UM)

    def stretches_below(self, path: FloatArray, least: int) -> list[FloatArray]:
        """The stretches of a path that stay inside the tissue and at least 3 um below the junction."""
        good = self.skin.contains(path)
        good &= self.skin.height_um(path) < -3.0
        good &= self.skin.mean_height_um(path) < -3.0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(int), [0]])))
        return [path[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]


def fold(depth: FloatArray, thickness_um: float) -> FloatArray:
    """Reflect a depth at both faces of the section."""
    period = 2 * thickness_um
    folded = np.mod(depth, period)
    return np.asarray(np.where(folded > thickness_um, period - folded, folded), dtype=np.float64)


def unit(vector: FloatArray) -> FloatArray:
    """The vector scaled to a length of one."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float64)


def rotate(vector: FloatArray, angle: float) -> FloatArray:
    """A (row, col) vector turned by an angle in radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])


def first_true(mask: NDArray[np.bool_], otherwise: int) -> int:
    """Index of the first true element, or `otherwise`."""
    hits = np.flatnonzero(mask)
    return int(hits[0]) if len(hits) else otherwise
