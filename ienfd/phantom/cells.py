"""Dendritic cells, granular cells and dust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.clouds import LINE, ball, tube
from ienfd.phantom.curves import FloatArray, smooth_noise
from ienfd.phantom.optics import Cloud, merge_clouds
from ienfd.phantom.spec import PhantomSpec

__all__ = ["TrueCell", "blob_clouds", "cell_clouds"]


@dataclass(frozen=True)
class TrueCell:
    """A dendritic cell: center in micrometers (row, col, z), radius, kind, dendrites."""

    kind: Literal["langerhans", "melanocyte"]
    row_um: float
    col_um: float
    z_um: float
    radius_um: float
    dendrites: int


def cell_clouds(
    spec: PhantomSpec, skin: Skin, rng: np.random.Generator
) -> tuple[Cloud, Cloud, list[TrueCell]]:
    """Langerhans cells and melanocytes: their clouds and their truth."""
    truth: list[TrueCell] = []
    length_mm = (skin.span[1] - skin.span[0]) / 1000
    langerhans = []
    share = 0.35 + 0.65 * min(spec.thickness_um / 50, 1)
    for _ in range(int(rng.poisson(spec.langerhans_per_mm2 * length_mm * spec.epidermis_um / 1000 * share))):
        index = float(rng.uniform(*skin.span))
        z = float(rng.uniform(0, spec.thickness_um))
        point, _, up = skin.junction_at(index, z)
        height = spec.epidermis_um * rng.uniform(0.15, 0.95)
        center = np.append(point + up * height, z)
        if skin.height_um(center[None])[0] < 10 or skin.below_surface_um(center[None])[0] < 10:
            continue
        cloud, cell = _dendritic(
            rng, center, rng.uniform(3.2, 5.2), int(rng.integers(2, 6)), "langerhans", skin
        )
        langerhans.append(Cloud(cloud.points_um, cloud.weights * np.exp(rng.normal(0, 0.35))))
        truth.append(cell)
    melanocytes = []
    for _ in range(int(rng.poisson(spec.melanocytes_per_mm * length_mm))):
        index = float(rng.uniform(*skin.span))
        z = float(rng.uniform(0, spec.thickness_um))
        point, normal, _ = skin.junction_at(index, z)
        center = np.append(point + normal * rng.uniform(3.5, 6.5), z)
        if skin.height_um(center[None])[0] < 3:
            continue
        cloud, cell = _dendritic(
            rng, center, rng.uniform(2.6, 3.8), int(rng.integers(0, 4)), "melanocyte", skin
        )
        melanocytes.append(cloud)
        truth.append(cell)
    return merge_clouds(langerhans), merge_clouds(melanocytes), truth


def _dendritic(
    rng: np.random.Generator,
    center: FloatArray,
    radius: float,
    dendrites: int,
    kind: Literal["langerhans", "melanocyte"],
    skin: Skin,
) -> tuple[Cloud, TrueCell]:
    angle = rng.uniform(0, np.pi)
    long = np.array([np.sin(angle), np.cos(angle), rng.normal(0, 0.2)]) * radius * rng.uniform(0.9, 1.25)
    wide = np.array([np.cos(angle), -np.sin(angle), 0.0]) * radius * rng.uniform(0.55, 0.8)
    deep = np.array([0.0, 0.0, 0.7 * radius])
    parts = [ball(rng, center, np.stack([long, wide, deep]), 2500, 0.75)]
    nucleus = ball(rng, center, 0.55 * np.stack([long, wide, deep]), 900, -0.3)
    parts.append(nucleus)
    start_angle = rng.uniform(0, 2 * np.pi)
    drawn = 0
    thick = rng.uniform(0.7, 1.4)
    for number in range(dendrites):
        heading = start_angle + 2 * np.pi * number / dendrites + rng.normal(0, 0.35)
        length = rng.uniform(5, 17) if kind == "langerhans" else rng.uniform(3, 9)
        count = max(int(length / 0.5), 4)
        turn = heading + 0.5 * smooth_noise(rng, count, 10.0)
        step = np.stack([np.sin(turn), np.cos(turn)], axis=1) * 0.5
        flat = center[:2] + 0.6 * radius * step[0] / 0.5 + np.cumsum(step, axis=0)
        depth = center[2] + rng.normal(0, 0.4) * np.arange(count) * 0.5
        path = np.column_stack([flat, depth])
        path = path[: int(np.argmax(skin.height_um(path) < 1.0)) or len(path)]
        if len(path) < 4:
            continue
        taper = np.linspace(1, 0.25, len(path))
        bumps = np.clip(1 + 0.3 * smooth_noise(rng, len(path), 3.0), 0.4, 2)
        parts.append(tube(rng, path, 0.25 + thick * taper, LINE * 1.5 * taper**0.6 * bumps, 90))
        drawn += 1
    cloud = merge_clouds(parts)
    cell = TrueCell(kind, float(center[0]), float(center[1]), float(center[2]), float(radius), drawn)
    return cloud, cell


def blob_clouds(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> tuple[Cloud, Cloud]:
    """Mast-cell like granular cells of the dermis, and dirt anywhere."""
    length_mm = (skin.span[1] - skin.span[0]) / 1000
    cells = []
    for _ in range(int(rng.poisson(spec.mast_cells_per_mm * length_mm))):
        point, _, up = skin.junction_at(float(rng.uniform(*skin.span)), 0.0)
        deep = rng.uniform(15, 0.7 * spec.dermis_um + 20)
        center = np.append(point - up * deep, rng.uniform(0, spec.thickness_um))
        if skin.mean_height_um(center[None])[0] > -12:
            continue
        axes = np.diag(rng.uniform(3, 6, 3))
        cells.append(ball(rng, center, axes, 1500, 0.4 * rng.lognormal(0, 0.4)))
    dirt = []
    for _ in range(int(rng.poisson(spec.dirt_per_mm * length_mm))):
        point, _, up = skin.junction_at(float(rng.uniform(*skin.span)), 0.0)
        center = np.append(point + up * rng.uniform(-spec.dermis_um, 110), rng.uniform(0, spec.thickness_um))
        axes = np.diag(rng.uniform(0.4, 2.2, 3))
        dirt.append(ball(rng, center, axes, 150, rng.uniform(0.4, 1.6)))
    return merge_clouds(cells), merge_clouds(dirt)
