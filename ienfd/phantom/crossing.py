"""Fibers that pass the junction: the ones that count."""

from __future__ import annotations

import numpy as np

from ienfd.phantom.curves import FloatArray
from ienfd.phantom.growth import STEP_UM, TRIES, Grower, TrueCrossing, first_true, rotate, unit

__all__ = ["crossing_fibers"]


def crossing_fibers(grower: Grower) -> None:
    """Fibers that count, some in pairs that split below the junction."""
    wanted = grower.poisson(grower.spec.density_per_mm)
    made = tries = 0
    while made < wanted and tries < 60 * (wanted + 1):
        tries += 1
        index, z = grower.place()
        grown = _through(grower, index, z, grower.rng.uniform(14, 85))
        if grown is None:
            continue
        crossing, dermal, upper = grown
        brightness, caliber = grower.brightness(), grower.caliber()
        paths = [np.concatenate([dermal[::-1], upper[1:]])]
        crossings = [(crossing, index)]
        made += 1
        if grower.rng.random() < grower.spec.branching:
            paths += _branch(grower, upper)
        if made < wanted and grower.rng.random() < grower.spec.splitting:
            sister = _sister(grower, index, crossing[2], dermal)
            if sister is not None:
                paths.append(sister[0])
                crossings.append((sister[1], sister[2]))
                made += 1
        number = grower.add("crossing", paths, brightness, caliber)
        grower.crossings += [TrueCrossing(point, number, at) for point, at in crossings]


def _through(
    grower: Grower, index: float, z: float, depth_um: float
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Crossing point, dermal path (downward) and epidermal path (upward), or None when it fails."""
    point, normal, up = grower.skin.junction_at(index, z)
    start = np.append(point, z)
    side = np.array([-up[1], up[0]]) * grower.rng.choice([-1.0, 1.0])
    for attempt in range(TRIES):
        calm = 1.0 - attempt / (TRIES + 5)
        lean = grower.rng.normal(0, 0.45) * calm
        first = unit(0.7 * normal + 0.5 * up + lean * side)
        reach = float(grower.rng.beta(1.6, 1.3)) * 0.85 + 0.1
        length = max(12.0, reach * grower.spec.epidermis_um * grower.rng.uniform(0.8, 1.3))
        upper = grower.walk(start, first, unit(up + grower.rng.normal(0, 0.35) * calm * side), length,
                           wander=grower.spec.tortuosity * calm)  # fmt: skip
        below = grower.skin.below_surface_um(upper)
        too_high = np.flatnonzero(below < 5.0)
        if len(too_high):
            upper = upper[: too_high[0]]
        along = unit(-up + 0.6 * grower.rng.normal() * side * calm)
        dermal = grower.walk(start, -first, along, depth_um, wander=0.8 * grower.spec.tortuosity * calm)
        dermal = grower.inside(dermal)
        if min(len(upper), len(dermal)) * STEP_UM >= 9.0 and _passes(grower, upper, dermal):
            return start, dermal, upper
    return None


def _passes(grower: Grower, upper: FloatArray, dermal: FloatArray) -> bool:
    """Whether the two arms lie clearly on their own sides of the local and of the mean junction."""
    for arm, sign in ((upper, 1.0), (dermal, -1.0)):
        local = sign * grower.skin.height_um(arm)
        mean = sign * grower.skin.mean_height_um(arm)
        far = np.arange(len(arm)) * STEP_UM
        if local[far >= 6.0].min(initial=99.0) < 2.5 or local.max() < 6.0 or mean.max() < 6.0:
            return False
        if local[(far > 1.0)].min(initial=99.0) < 0.05:
            return False
    return True


def _branch(grower: Grower, upper: FloatArray) -> list[FloatArray]:
    """One side branch of the epidermal arm, at least 6 um above the junction; [] when there is no room."""
    height = grower.skin.height_um(upper)
    able = np.flatnonzero(height > 6.0)
    able = able[able < len(upper) - 4]
    if len(able) == 0:
        return []
    for _ in range(TRIES // 2):
        at = int(grower.rng.choice(able))
        heading = unit(upper[min(at + 3, len(upper) - 1), :2] - upper[at - 1, :2])
        angle = np.deg2rad(grower.rng.uniform(22, 70)) * grower.rng.choice([-1.0, 1.0])
        turned = rotate(heading, angle)
        arm = grower.walk(upper[at], turned, unit(turned + heading), grower.rng.uniform(8, 40))
        arm = arm[: first_true(grower.skin.below_surface_um(arm) < 5.0, len(arm))]
        if len(arm) * STEP_UM > 6.0 and grower.skin.height_um(arm).min() > 4.0:
            return [arm]
    return []


def _sister(
    grower: Grower, index: float, z: float, dermal: FloatArray
) -> tuple[FloatArray, FloatArray, float] | None:
    """A second passage that leaves the dermal arm below the junction: path, crossing, index."""
    for _ in range(TRIES // 2):
        other = index + grower.rng.choice([-1.0, 1.0]) * grower.rng.uniform(10, 28)
        low, high = grower.skin.span
        if not low + 3 < other < high - 3:
            continue
        depth = float(np.clip(z + grower.rng.normal(0, 3), 0.5, grower.spec.thickness_um - 0.5))
        grown = _through(grower, other, depth, 12.0)
        if grown is None:
            continue
        crossing, short, upper = grown
        reach = np.linalg.norm(dermal - crossing, axis=1)
        ways = np.flatnonzero((np.arange(len(dermal)) * STEP_UM > 7.0) & (reach < 45.0))
        if len(ways) == 0:
            continue
        fork = dermal[int(ways[np.argmin(np.abs(reach[ways] - grower.rng.uniform(12, 40)))])]
        end = short[-1]
        gap = float(np.linalg.norm(fork - end))
        count = max(int(gap / STEP_UM), 2)
        part = np.linspace(0, 1, count)[:, None]
        # a cubic that leaves `end` in its own direction
        pull = end + (end - short[-6]) / (5 * STEP_UM) * gap * 0.4
        link = (1 - part) ** 2 * end + 2 * part * (1 - part) * pull + part**2 * fork
        if grower.skin.height_um(link).max() > -3.0:
            continue
        return np.concatenate([upper[::-1], short[1:], link[1:]]), crossing, other
    return None
