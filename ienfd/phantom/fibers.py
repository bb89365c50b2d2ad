"""Nerve fibers of a phantom: where they run, and what they truly are.

A fiber is one tree of 3-D center lines in micrometers, (row, col, z). Its class is decided by
construction and then checked against the junction at the fiber's own depth: a crossing fiber passes
from at least 5 um below to at least 5 um above it, an approaching fiber and a dermal one stay below,
a fragment stays above.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.curves import FloatArray, left_normals, resample, smooth_noise
from ienfd.phantom.spec import PhantomSpec

__all__ = ["Fiber", "FiberClass", "TrueCrossing", "grow_fibers"]

FiberClass = Literal["crossing", "approaching", "fragment", "grazing", "dermal", "plexus", "bundle"]
_STEP_UM = 0.5
_TRIES = 40


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


def grow_fibers(
    spec: PhantomSpec, skin: Skin, rng: np.random.Generator, first_id: int = 0
) -> tuple[list[Fiber], list[TrueCrossing]]:
    """Grow all nerves of one piece of skin.

    Returns
    -------
    fibers : list of Fiber
    crossings : list of TrueCrossing
        One for every passage of a fiber through the junction.
    """
    grower = _Grower(spec, skin, rng, first_id)
    grower.crossing_fibers()
    grower.approaching_fibers()
    grower.fragments()
    grower.along_the_junction()
    grower.plexus()
    grower.bundles()
    grower.dermal_fibers()
    return grower.fibers, grower.crossings


class _Grower:
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

    # -- shared tools -----------------------------------------------------------------------------

    def _add(self, kind: FiberClass, paths: list[FloatArray], brightness: float, caliber: float) -> int:
        number = self.first_id + len(self.fibers)
        self.fibers.append(Fiber(number, kind, tuple(paths), brightness, caliber))
        return number

    def _brightness(self) -> float:
        return float(np.clip(np.exp(self.rng.normal(0, 0.3)), 0.45, 2.2))

    def _caliber(self) -> float:
        return float(np.clip(self.spec.caliber_um * np.exp(self.rng.normal(0, 0.2)), 0.5, 1.6))

    def _place(self, clustered: bool = True) -> tuple[float, float]:
        """A junction index and a depth."""
        low, high = self.skin.span
        if clustered:
            index = float(np.interp(self.rng.uniform(0, self.cumulative[-1]), self.cumulative,
                                    np.arange(len(self.cumulative))))  # fmt: skip
        else:
            index = float(self.rng.uniform(low + 3, high - 3))
        return index, self._depth()

    def _depth(self) -> float:
        margin = min(2.0, 0.15 * self.spec.thickness_um)
        return float(self.rng.uniform(margin, self.spec.thickness_um - margin))

    def _poisson(self, per_mm: float) -> int:
        return int(self.rng.poisson(per_mm * self.length_mm))

    def _walk(
        self, start: FloatArray, first: FloatArray, target: FloatArray, length_um: float,
        *, relax_um: float = 12.0, wander: float | None = None, z_slope: float = 0.25,
    ) -> FloatArray:  # fmt: skip
        """A tortuous path from `start` (row, col, z) that turns from `first` to the direction `target`."""
        wander = self.spec.tortuosity if wander is None else wander
        count = max(3, int(length_um / _STEP_UM) + 1)
        arc = np.arange(count) * _STEP_UM
        goal = np.arctan2(target[0], target[1])
        initial = np.arctan2(first[0], first[1])
        turn = (initial - goal + np.pi) % (2 * np.pi) - np.pi
        noise = wander * (
            0.75 * smooth_noise(self.rng, count, 9.0 / _STEP_UM)
            + 0.45 * smooth_noise(self.rng, count, 3.0 / _STEP_UM)
        )
        ramp = 1 - np.exp(-arc / 4.0)
        heading = goal + turn * np.exp(-arc / relax_um) + noise * ramp
        step = np.stack([np.sin(heading), np.cos(heading)], axis=1) * _STEP_UM
        flat = start[:2] + np.concatenate([np.zeros((1, 2)), np.cumsum(step[1:], axis=0)])
        slope = self.rng.normal(0, z_slope)
        depth = start[2] + slope * arc + 1.5 * np.cumsum(smooth_noise(self.rng, count, 24.0)) * 0.06
        return np.column_stack([flat, _fold(depth, self.spec.thickness_um)])

    def _inside(self, path: FloatArray) -> FloatArray:
        """Cut a path where it leaves the tissue."""
        from shapely import contains_xy

        outside = np.flatnonzero(~contains_xy(self.skin.polygon, path[:, 1], path[:, 0]))
        return path if len(outside) == 0 else path[: outside[0]]

    # -- through the junction ---------------------------------------------------------------------

    def crossing_fibers(self) -> None:
        """Fibers that count, some in pairs that split below the junction."""
        wanted = self._poisson(self.spec.density_per_mm)
        made = tries = 0
        while made < wanted and tries < 60 * (wanted + 1):
            tries += 1
            index, z = self._place()
            grown = self._through(index, z, self.rng.uniform(14, 85))
            if grown is None:
                continue
            crossing, dermal, upper = grown
            brightness, caliber = self._brightness(), self._caliber()
            paths = [np.concatenate([dermal[::-1], upper[1:]])]
            crossings = [(crossing, index)]
            made += 1
            if self.rng.random() < self.spec.branching:
                paths += self._branch(upper)
            if made < wanted and self.rng.random() < self.spec.splitting:
                sister = self._sister(index, crossing[2], dermal)
                if sister is not None:
                    paths.append(sister[0])
                    crossings.append((sister[1], sister[2]))
                    made += 1
            number = self._add("crossing", paths, brightness, caliber)
            self.crossings += [TrueCrossing(point, number, at) for point, at in crossings]

    def _through(
        self, index: float, z: float, depth_um: float
    ) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Crossing point, dermal path (downward) and epidermal path (upward), or None when it fails."""
        point, normal, up = self.skin.junction_at(index, z)
        start = np.append(point, z)
        side = np.array([-up[1], up[0]]) * self.rng.choice([-1.0, 1.0])
        for attempt in range(_TRIES):
            calm = 1.0 - attempt / (_TRIES + 5)
            lean = self.rng.normal(0, 0.45) * calm
            first = _unit(0.7 * normal + 0.5 * up + lean * side)
            reach = float(self.rng.beta(1.6, 1.3)) * 0.85 + 0.1
            length = max(12.0, reach * self.spec.epidermis_um * self.rng.uniform(0.8, 1.3))
            upper = self._walk(start, first, _unit(up + self.rng.normal(0, 0.35) * calm * side), length,
                               wander=self.spec.tortuosity * calm)  # fmt: skip
            below = self.skin.below_surface_um(upper)
            too_high = np.flatnonzero(below < 5.0)
            if len(too_high):
                upper = upper[: too_high[0]]
            along = _unit(-up + 0.6 * self.rng.normal() * side * calm)
            dermal = self._walk(start, -first, along, depth_um, wander=0.8 * self.spec.tortuosity * calm)
            dermal = self._inside(dermal)
            if min(len(upper), len(dermal)) * _STEP_UM >= 9.0 and self._passes(upper, dermal):
                return start, dermal, upper
        return None

    def _passes(self, upper: FloatArray, dermal: FloatArray) -> bool:
        """Whether the two arms lie clearly on their own sides of the local and of the mean junction."""
        for arm, sign in ((upper, 1.0), (dermal, -1.0)):
            local = sign * self.skin.height_um(arm)
            mean = sign * self.skin.mean_height_um(arm)
            far = np.arange(len(arm)) * _STEP_UM
            if local[far >= 6.0].min(initial=99.0) < 2.5 or local.max() < 6.0 or mean.max() < 6.0:
                return False
            if local[(far > 1.0)].min(initial=99.0) < 0.05:
                return False
        return True

    def _branch(self, upper: FloatArray) -> list[FloatArray]:
        """One side branch of the epidermal arm, at least 6 um above the junction; [] when there is no room."""
        height = self.skin.height_um(upper)
        able = np.flatnonzero(height > 6.0)
        able = able[able < len(upper) - 4]
        if len(able) == 0:
            return []
        for _ in range(_TRIES // 2):
            at = int(self.rng.choice(able))
            heading = _unit(upper[min(at + 3, len(upper) - 1), :2] - upper[at - 1, :2])
            angle = np.deg2rad(self.rng.uniform(22, 70)) * self.rng.choice([-1.0, 1.0])
            turned = _rotate(heading, angle)
            arm = self._walk(upper[at], turned, _unit(turned + heading), self.rng.uniform(8, 40))
            arm = arm[: _first(self.skin.below_surface_um(arm) < 5.0, len(arm))]
            if len(arm) * _STEP_UM > 6.0 and self.skin.height_um(arm).min() > 4.0:
                return [arm]
        return []

    def _sister(
        self, index: float, z: float, dermal: FloatArray
    ) -> tuple[FloatArray, FloatArray, float] | None:
        """A second passage that leaves the dermal arm below the junction: path, crossing, index."""
        for _ in range(_TRIES // 2):
            other = index + self.rng.choice([-1.0, 1.0]) * self.rng.uniform(10, 28)
            low, high = self.skin.span
            if not low + 3 < other < high - 3:
                continue
            depth = float(np.clip(z + self.rng.normal(0, 3), 0.5, self.spec.thickness_um - 0.5))
            grown = self._through(other, depth, 12.0)
            if grown is None:
                continue
            crossing, short, upper = grown
            reach = np.linalg.norm(dermal - crossing, axis=1)
            ways = np.flatnonzero((np.arange(len(dermal)) * _STEP_UM > 7.0) & (reach < 45.0))
            if len(ways) == 0:
                continue
            fork = dermal[int(ways[np.argmin(np.abs(reach[ways] - self.rng.uniform(12, 40)))])]
            end = short[-1]
            gap = float(np.linalg.norm(fork - end))
            count = max(int(gap / _STEP_UM), 2)
            part = np.linspace(0, 1, count)[:, None]
            # a cubic that leaves `end` in its own direction
            pull = end + (end - short[-6]) / (5 * _STEP_UM) * gap * 0.4
            link = (1 - part) ** 2 * end + 2 * part * (1 - part) * pull + part**2 * fork
            if self.skin.height_um(link).max() > -3.0:
                continue
            return np.concatenate([upper[::-1], short[1:], link[1:]]), crossing, other
        return None

    # -- not through the junction -----------------------------------------------------------------

    def approaching_fibers(self) -> None:
        """Fibers that rise towards the junction and end 2.5 to 10 um below it."""
        for _ in range(self._poisson(self.spec.approaching_per_mm)):
            for _ in range(_TRIES):
                index, z = self._place()
                point, normal, up = self.skin.junction_at(index, z)
                side = np.array([-up[1], up[0]])
                start = np.append(point - normal * self.rng.uniform(3.2, 9.5), z)
                first = _unit(-normal - 0.6 * up + self.rng.normal(0, 0.3) * side)
                target = _unit(-up + self.rng.normal(0, 0.5) * side)
                path = self._inside(self._walk(start, first, target, self.rng.uniform(18, 85)))
                if len(path) * _STEP_UM > 14 and self._stays(path, -2.5):
                    self._add("approaching", [path[::-1]], self._brightness(), self._caliber())
                    break

    def _stays(self, path: FloatArray, bound: float) -> bool:
        """Whether a path stays below (bound < 0) or above (bound > 0) by that much, locally and on average."""
        sign = np.sign(bound)
        local = sign * self.skin.height_um(path)
        mean = sign * self.skin.mean_height_um(path)
        return bool(min(local.min(), mean.min()) > abs(bound))

    def fragments(self) -> None:
        """Pieces inside the epidermis that enter it in another section."""
        for _ in range(self._poisson(self.spec.fragments_per_mm)):
            for _ in range(_TRIES):
                index, z = self._place(clustered=False)
                point, _, up = self.skin.junction_at(index, z)
                side = np.array([-up[1], up[0]])
                height = self.rng.uniform(7, 0.8 * self.spec.epidermis_um)
                start = np.append(point + up * height, z)
                direction = _unit(up + self.rng.normal(0, 0.7) * side)
                path = self._walk(start, direction, _unit(direction + up), self.rng.uniform(7, 38))
                path = path[: _first(self.skin.below_surface_um(path) < 5.0, len(path))]
                if len(path) * _STEP_UM > 6 and self._stays(path, 4.0):
                    self._add("fragment", [path], self._brightness(), self._caliber())
                    break

    def along_the_junction(self) -> None:
        """Fibers that run just below the junction and along it."""
        for _ in range(self._poisson(self.spec.grazing_per_mm)):
            for _ in range(_TRIES):
                index, z = self._place(clustered=False)
                path = self._offset(index, z, self.rng.uniform(20, 90), self.rng.uniform(4.5, 10.0), 0.8, 3.0)
                path = self._inside(path)
                if len(path) * _STEP_UM > 14 and self._stays(path, -2.5):
                    self._add("grazing", [path], self._brightness(), self._caliber())
                    break

    def _offset(
        self, index: float, z: float, length: float, depth: float, wander: float, smooth_um: float
    ) -> FloatArray:
        """A path along the junction at a depth below it."""
        low = int(max(index - length / 2, self.skin.span[0]))
        high = int(min(index + length / 2, self.skin.span[1]))
        if high - low < 8:
            return np.empty((0, 3))
        level = int(round(z / self.spec.thickness_um * (len(self.skin.levels_um) - 1)))
        pad = int(min(4 * smooth_um, low, self.skin.junctions_um.shape[1] - high))
        curve = self.skin.junctions_um[level, low - pad : high + pad]
        curve = gaussian_filter1d(curve, smooth_um, axis=0)
        normals = left_normals(curve)
        away = depth + wander * smooth_noise(self.rng, len(curve), 10.0)
        moved = (curve - normals * np.maximum(away, 0.6 * depth)[:, None])[pad : len(curve) - pad]
        depth_z = (
            z
            + self.rng.normal(0, 0.05) * np.arange(len(moved))
            + 1.5 * smooth_noise(self.rng, len(moved), 40.0)
        )
        path = np.column_stack([moved, _fold(depth_z, self.spec.thickness_um)])
        return resample(path, _STEP_UM)

    def plexus(self) -> None:
        """The subepidermal plexus: strands along the junction, 5 to 90 um below it, brighter."""
        for _ in range(self._poisson(self.spec.plexus_per_mm)):
            index, z = self._place(clustered=False)
            depth = 8.0 + 82.0 * self.rng.beta(1.2, 2.2)
            length = float(np.clip(self.rng.lognormal(np.log(130), 0.6), 40, 600))
            smooth = 14.0 + depth * 0.9
            trunk = self._offset(index, z, length, depth + 0.25 * self.spec.rete_um, 0.22 * depth, smooth)
            if len(trunk) * _STEP_UM < 20:
                continue
            paths = []
            for strand in range(int(self.rng.choice([1, 1, 2, 2, 3]))):
                shift = np.zeros_like(trunk)
                if strand:
                    for axis in range(3):
                        shift[:, axis] = self.rng.uniform(0.8, 2.2) * smooth_noise(self.rng, len(trunk), 40.0)
                path = trunk + shift
                path[:, 2] = _fold(path[:, 2], self.spec.thickness_um)
                start = int(self.rng.integers(0, max(1, len(path) // 3)))
                path = path[start : len(path) - int(self.rng.integers(0, max(1, len(path) // 3)))]
                paths += self._below(path, 20)
            if paths:
                bright = self._brightness() * 1.25 / self.spec.dim_to_plexus
                self._add("plexus", paths, bright, 1.15 * self._caliber())

    def _below(self, path: FloatArray, least: int) -> list[FloatArray]:
        """The stretches of a path that stay inside the tissue and at least 3 um below the junction."""
        from shapely import contains_xy

        good = contains_xy(self.skin.polygon, path[:, 1], path[:, 0])
        good &= self.skin.height_um(path) < -3.0
        good &= self.skin.mean_height_um(path) < -3.0
        edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(int), [0]])))
        return [path[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]

    def bundles(self) -> None:
        """Bundles of many axons, 5 to 20 um thick, deep in the dermis."""
        for _ in range(self._poisson(self.spec.bundles_per_mm)):
            index, z = self._place(clustered=False)
            point, _, up = self.skin.junction_at(index, z)
            side = np.array([-up[1], up[0]]) * self.rng.choice([-1.0, 1.0])
            start = np.append(point - up * self.rng.uniform(70, max(90, self.spec.dermis_um)), z)
            direction = _unit(side + self.rng.normal(0, 0.6) * up)
            trunk = self._walk(
                start, direction, direction, self.rng.uniform(50, 260), wander=0.3, z_slope=0.1
            )
            width = self.rng.uniform(2.5, 9.0)
            paths: list[FloatArray] = []
            for _ in range(int(4 + 1.6 * width)):
                shift = self.rng.normal(0, 0.5 * width, 3) + 0.25 * width * np.stack(
                    [smooth_noise(self.rng, len(trunk), 35.0) for _ in range(3)], axis=1
                )
                path = trunk + shift
                path[:, 2] = _fold(path[:, 2], self.spec.thickness_um)
                paths += self._below(path, 24)
            if paths:
                self._add("bundle", paths, self._brightness() / self.spec.dim_to_plexus, 1.0)

    def dermal_fibers(self) -> None:
        """Single fibers anywhere in the dermis."""
        for _ in range(self._poisson(self.spec.dermal_per_mm)):
            index, z = self._place(clustered=False)
            point, _, up = self.skin.junction_at(index, z)
            deep = 10.0 + (self.spec.dermis_um - 10.0) * self.rng.beta(1.0, 2.0)
            start = np.append(point - up * deep, z)
            angle = self.rng.uniform(0, 2 * np.pi)
            direction = np.array([np.sin(angle), np.cos(angle)])
            path = self._walk(start, direction, direction, self.rng.uniform(15, 120))
            for part in self._below(path, 20)[:1]:
                self._add("dermal", [part], self._brightness(), self._caliber())


def renumber(fiber: Fiber, number: int) -> Fiber:
    """The same fiber under another number."""
    return replace(fiber, fiber_id=number)


def _fold(depth: FloatArray, thickness_um: float) -> FloatArray:
    """Reflect a depth at both faces of the section."""
    period = 2 * thickness_um
    folded = np.mod(depth, period)
    return np.asarray(np.where(folded > thickness_um, period - folded, folded), dtype=np.float64)


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float64)


def _rotate(vector: FloatArray, angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])


def _first(mask: np.ndarray, otherwise: int) -> int:  # type: ignore[type-arg]
    hits = np.flatnonzero(mask)
    return int(hits[0]) if len(hits) else otherwise
