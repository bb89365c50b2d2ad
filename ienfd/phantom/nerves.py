"""Nerves that do not pass the junction."""

from __future__ import annotations

import numpy as np

from ienfd.phantom.curves import FloatArray, resample, smooth_noise
from ienfd.phantom.growth import STEP_UM, TRIES, Grower, first_true, fold, unit
from ienfd.phantom.structures import Structure, nerve_round

__all__ = [
    "approaching_fibers",
    "bundles",
    "dermal_fibers",
    "fibers_along_the_junction",
    "fragments",
    "plexus",
    "round_structures",
]


def approaching_fibers(grower: Grower) -> None:
    """Fibers that rise towards the junction and end 2.5 to 10 um below it."""
    for _ in range(grower.poisson(grower.spec.approaching_per_mm)):
        for _ in range(TRIES):
            index, z = grower.place()
            point, normal, up = grower.skin.junction_at(index, z)
            side = np.array([-up[1], up[0]])
            start = np.append(point - normal * grower.rng.uniform(3.2, 9.5), z)
            first = unit(-normal - 0.6 * up + grower.rng.normal(0, 0.3) * side)
            target = unit(-up + grower.rng.normal(0, 0.5) * side)
            path = grower.inside(grower.walk(start, first, target, grower.rng.uniform(18, 85)))
            if len(path) * STEP_UM > 14 and grower.stays(path, -2.5):
                grower.add("approaching", [path[::-1]], grower.brightness(), grower.caliber())
                break


def fragments(grower: Grower) -> None:
    """Pieces inside the epidermis that enter it in another section."""
    for _ in range(grower.poisson(grower.spec.fragments_per_mm)):
        for _ in range(TRIES):
            index, z = grower.place(clustered=False)
            point, _, up = grower.skin.junction_at(index, z)
            side = np.array([-up[1], up[0]])
            height = grower.rng.uniform(7, 0.8 * grower.spec.epidermis_um)
            start = np.append(point + up * height, z)
            direction = unit(up + grower.rng.normal(0, 0.7) * side)
            path = grower.walk(start, direction, unit(direction + up), grower.rng.uniform(7, 38))
            path = path[: first_true(grower.skin.below_surface_um(path) < 5.0, len(path))]
            if len(path) * STEP_UM > 6 and grower.stays(path, 4.0):
                grower.add("fragment", [path], grower.brightness(), grower.caliber())
                break


def fibers_along_the_junction(grower: Grower) -> None:
    """Fibers that run just below the junction and along it."""
    for _ in range(grower.poisson(grower.spec.grazing_per_mm)):
        for _ in range(TRIES):
            index, z = grower.place(clustered=False)
            path = grower.offset(
                index, z, grower.rng.uniform(20, 90), grower.rng.uniform(4.5, 10.0), 0.8, 3.0
            )
            path = grower.inside(path)
            if len(path) * STEP_UM > 14 and grower.stays(path, -2.5):
                grower.add("grazing", [path], grower.brightness(), grower.caliber())
                break


def plexus(grower: Grower) -> None:
    """The subepidermal plexus: strands along the junction, 5 to 90 um below it, brighter.

    Half of the strands pass where a fiber that rises to the epidermis comes from.
    """
    skin, rng = grower.skin, grower.rng
    origins = [f.paths_um[0][0] for f in grower.fibers if f.kind in ("crossing", "approaching")]
    rng.shuffle(origins)
    for _ in range(grower.poisson(grower.spec.plexus_per_mm)):
        index, z = grower.place(clustered=False)
        depth = 8.0 + 82.0 * rng.beta(1.2, 2.2) + 0.25 * grower.spec.rete_um
        if origins and rng.random() < 0.5:
            origin = origins.pop()
            index, z = float(skin.nearest_index(origin)), float(origin[2])
            depth = float(np.clip(-skin.mean_height_um(origin[None])[0], 8.0, 90.0))
        length = float(np.clip(rng.lognormal(np.log(130), 0.6), 40, 600))
        trunk = grower.offset(index, z, length, depth, 0.3 * depth, 14.0 + depth * 0.9)
        if len(trunk) * STEP_UM < 20:
            continue
        paths = []
        for strand in range(int(rng.choice([1, 1, 2, 2, 3]))):
            shift = np.zeros_like(trunk)
            if strand:
                for axis in range(3):
                    shift[:, axis] = rng.uniform(0.8, 2.2) * smooth_noise(rng, len(trunk), 40.0)
            path = trunk + shift
            path[:, 2] = fold(path[:, 2], grower.spec.thickness_um)
            start = int(rng.integers(0, max(1, len(path) // 3)))
            path = path[start : len(path) - int(rng.integers(0, max(1, len(path) // 3)))]
            paths += grower.stretches_below(path, 20)
        if paths:
            bright = grower.brightness() * 1.25 / grower.spec.dim_to_plexus
            grower.add("plexus", paths, bright, 1.15 * grower.caliber())


def bundles(grower: Grower) -> None:
    """Bundles of many axons, 5 to 20 um thick, deep in the dermis."""
    for _ in range(grower.poisson(grower.spec.bundles_per_mm)):
        index, z = grower.place(clustered=False)
        point, _, up = grower.skin.junction_at(index, z)
        side = np.array([-up[1], up[0]]) * grower.rng.choice([-1.0, 1.0])
        start = np.append(point - up * grower.rng.uniform(70, max(90, grower.spec.dermis_um)), z)
        direction = unit(side + grower.rng.normal(0, 0.6) * up)
        trunk = grower.walk(
            start, direction, direction, grower.rng.uniform(60, 280), wander=0.22, z_slope=0.08
        )
        arc = np.arange(len(trunk)) * STEP_UM
        wave = grower.rng.uniform(0.3, 1.6) * np.sin(
            2 * np.pi * arc / grower.rng.uniform(18, 40) + 0.8 * smooth_noise(grower.rng, len(arc), 60.0)
        )
        width = grower.rng.uniform(2.5, 10.0)
        spindle = np.sqrt(np.clip(np.sin(np.pi * (0.08 + 0.84 * arc / arc[-1])), 0.2, 1))
        paths: list[FloatArray] = []
        for _ in range(int(6 + 3.0 * width)):
            place = grower.rng.standard_normal(3)
            place *= 0.5 * width * np.cbrt(grower.rng.random()) / np.linalg.norm(place)
            drift = np.stack([smooth_noise(grower.rng, len(trunk), 40.0) for _ in range(3)], axis=1)
            path = trunk + spindle[:, None] * (place + 0.13 * width * drift)
            path[:, :2] += wave[:, None] * np.array([direction[1], -direction[0]])
            path[:, 2] = fold(path[:, 2], grower.spec.thickness_um)
            paths += grower.stretches_below(path, 24)
        if paths:
            grower.add("bundle", paths, grower.brightness() / grower.spec.dim_to_plexus, 1.0)


def dermal_fibers(grower: Grower) -> None:
    """Single fibers anywhere in the dermis."""
    for _ in range(grower.poisson(grower.spec.dermal_per_mm)):
        index, z = grower.place(clustered=False)
        point, _, up = grower.skin.junction_at(index, z)
        deep = 10.0 + (grower.spec.dermis_um - 10.0) * grower.rng.beta(1.0, 2.0)
        start = np.append(point - up * deep, z)
        angle = grower.rng.uniform(0, 2 * np.pi)
        direction = np.array([np.sin(angle), np.cos(angle)])
        path = grower.walk(start, direction, direction, grower.rng.uniform(15, 120))
        for part in grower.stretches_below(path, 20)[:1]:
            grower.add("dermal", [part], grower.brightness(), grower.caliber())


def round_structures(grower: Grower, structures: list[Structure]) -> None:
    """Nerves that accompany vessels and ducts."""
    for structure in structures:
        if structure.kind == "cleft":
            continue
        often = 2.5 if structure.kind == "adnexum" else 0.7
        for _ in range(int(grower.rng.poisson(often))):
            path = resample(nerve_round(structure, grower.rng, grower.spec.thickness_um), STEP_UM)
            for part in grower.stretches_below(path, 16)[:1]:
                grower.add("dermal", [part], grower.brightness(), grower.caliber())
