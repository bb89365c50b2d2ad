"""Fibers, cells, nuclei and other small things as clouds of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.curves import FloatArray, resample, smooth_noise
from ienfd.phantom.fibers import Fiber
from ienfd.phantom.optics import Cloud, merge_clouds
from ienfd.phantom.spec import PhantomSpec

__all__ = [
    "TrueCell",
    "ball",
    "basement_membrane_cloud",
    "blob_clouds",
    "cell_clouds",
    "elastin_cloud",
    "fiber_cloud",
    "nuclei_cloud",
]

_LINE = 1.13  # weight per um that gives a thin line a peak of one at a blur of 0.45 um


@dataclass(frozen=True)
class TrueCell:
    """A dendritic cell: center in micrometers (row, col, z), radius, kind, dendrites."""

    kind: Literal["langerhans", "melanocyte"]
    row_um: float
    col_um: float
    z_um: float
    radius_um: float
    dendrites: int


def _tube(
    rng: np.random.Generator, path: FloatArray, radius: FloatArray, weight: FloatArray, per_um: int
) -> Cloud:
    """Points at random inside a tube about `path`; `radius` and `weight` (per um) at its vertices."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    count = max(int(arc[-1] * per_um), 4)
    at = np.sort(rng.uniform(0, arc[-1], count))
    center = np.stack([np.interp(at, arc, column) for column in path.T], axis=1)
    offset = rng.standard_normal((count, 3))
    offset *= (np.cbrt(rng.uniform(0, 1, count)) / np.maximum(np.linalg.norm(offset, axis=1), 1e-9))[:, None]
    points = center + offset * np.interp(at, arc, radius)[:, None]
    return Cloud(points, np.interp(at, arc, weight) * arc[-1] / count)


def _beads(rng: np.random.Generator, arc: FloatArray, beading: float) -> tuple[FloatArray, FloatArray]:
    """Relative brightness along a fiber, and how much of a varicosity is there (0 to 1)."""
    swelling = np.zeros(len(arc))
    height = np.zeros(len(arc))
    at = float(rng.uniform(0, 6))
    while at < arc[-1]:
        size = rng.uniform(0.45, 0.75)
        bump = np.exp(-0.5 * ((arc - at) / size) ** 2)
        swelling = np.maximum(swelling, bump)
        height += bump * rng.lognormal(0.0, 0.3)
        at += float(np.clip(rng.lognormal(np.log(5.5), 0.45), 3.0, 12.0))
    between = (1 - beading) + 0.06
    patchy = np.clip(1 + 0.3 * smooth_noise(rng, len(arc), 16.0), 0.35, 1.8)
    return (between * patchy + (0.6 + 0.7 * beading) * height), swelling


def fiber_cloud(spec: PhantomSpec, fibers: list[Fiber], rng: np.random.Generator) -> Cloud:
    """All fibers; a typical varicosity of weight one has a peak of about one in focus."""
    clouds = []
    for fiber in fibers:
        beading = spec.beading * (0.45 if fiber.kind in ("plexus", "bundle") else 1.0)
        gain = _LINE * fiber.brightness * (0.4 if fiber.kind == "bundle" else 1.0)
        for path in fiber.paths_um:
            fine = resample(path, 0.25)
            arc = np.arange(len(fine)) * 0.25
            profile, swelling = _beads(rng, arc, beading)
            taper = np.clip(np.minimum(arc, arc[-1] - arc) / 1.5 + 0.3, 0, 1)
            radius = 0.5 * fiber.caliber_um * (0.65 + 0.75 * swelling)
            clouds.append(_tube(rng, fine, radius, gain * profile * taper, 30))
    return merge_clouds(clouds)


def ball(rng: np.random.Generator, center: FloatArray, axes: FloatArray, count: int, weight: float) -> Cloud:
    """Points inside an ellipsoid; rows of `axes` are its half-axes; `weight` is its mean projected density."""
    offset = rng.standard_normal((count, 3))
    offset *= (np.cbrt(rng.uniform(0, 1, count)) / np.maximum(np.linalg.norm(offset, axis=1), 1e-9))[:, None]
    lengths = np.sort(np.linalg.norm(axes, axis=1))
    area = np.pi * lengths[-1] * lengths[-2]
    return Cloud(center + offset @ axes, np.full(count, weight * area / count))


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
    parts = [ball(rng, center, np.stack([long, wide, deep]), 900, 0.75)]
    nucleus = ball(rng, center, 0.55 * np.stack([long, wide, deep]), 250, -0.3)
    parts.append(nucleus)
    start_angle = rng.uniform(0, 2 * np.pi)
    drawn = 0
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
        parts.append(_tube(rng, path, 0.9 * taper, _LINE * 1.3 * taper**0.5 * bumps, 40))
        drawn += 1
    cloud = merge_clouds(parts)
    cell = TrueCell(kind, float(center[0]), float(center[1]), float(center[2]), float(radius), drawn)
    return cloud, cell


def nuclei_cloud(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> Cloud:
    """Nuclei: a palisade at the junction, rounder above, flat at the top; sparse and thin in the dermis."""
    low, high = skin.span
    corners = skin.mean_junction_um[low:high]
    clouds = [_palisade(spec, skin, rng)]
    margin = spec.epidermis_um + spec.rete_um + 30
    first, last = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    layers = max(1, int(round(spec.thickness_um / 11)))
    points = []
    for layer in range(layers):
        rows, cols = np.mgrid[first[0] : last[0] : 9.2, first[1] : last[1] : 10.6]
        cols[::2] += 5.3
        flat = np.column_stack([rows.ravel(), cols.ravel()]) + rng.normal(0, 1.9, (rows.size, 2))
        flat += rng.uniform(0, 10, 2)
        z = (layer + 0.5 + rng.uniform(-0.45, 0.45, len(flat))) * spec.thickness_um / layers
        points.append(np.column_stack([flat, z]))
    grid = np.concatenate(points)
    near = np.abs(skin.mean_height_um(grid)) < spec.epidermis_um + spec.rete_um + 40
    grid = grid[near]
    height, below = skin.height_um(grid), skin.below_surface_um(grid)
    _, nearest = skin._trees[-1][0].query(grid[:, :2])
    keep = (height > 11) & (below > 5) & _inside(skin, grid)
    grid, below, nearest = grid[keep], below[keep], nearest[keep]
    flatness = np.clip(1 - below / 22, 0, 1)
    tangents = skin._trees[-1][1][nearest, 2:]
    clouds.append(_many_balls(rng, grid, tangents, 3.4 + 1.3 * flatness, 2.9 - 1.5 * flatness, 90))
    clouds.append(_dermal_nuclei(spec, skin, rng))
    return merge_clouds(clouds, softness_um=0.25)


def _inside(skin: Skin, points: FloatArray) -> np.ndarray:  # type: ignore[type-arg]
    from shapely import contains_xy

    return np.asarray(contains_xy(skin.polygon, points[:, 1], points[:, 0]))


def _many_balls(
    rng: np.random.Generator, centers: FloatArray, normals: FloatArray, along: FloatArray | float,
    across: FloatArray | float, count: int,
) -> Cloud:  # fmt: skip
    """Ellipsoids whose long half-axis lies along the tangent (perpendicular to `normals`)."""
    total = len(centers)
    if total == 0:
        return Cloud(np.empty((0, 3)), np.empty(0))
    angle = rng.normal(0, 0.3, total)
    tangent = np.stack([normals[:, 1], -normals[:, 0]], axis=1)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    long, wide = c * tangent + s * normals, c * normals - s * tangent
    a = np.broadcast_to(along, total) * rng.uniform(0.85, 1.15, total)
    b = np.broadcast_to(across, total) * rng.uniform(0.85, 1.15, total)
    offset = rng.standard_normal((total, count, 3))
    radius = np.cbrt(rng.uniform(0, 1, (total, count)))
    offset *= (radius / np.maximum(np.linalg.norm(offset, axis=2), 1e-9))[..., None]
    flat = (
        offset[..., :1] * (a[:, None] * long)[:, None, :] + offset[..., 1:2] * (b[:, None] * wide)[:, None, :]
    )
    points = np.empty((total, count, 3))
    points[..., :2] = centers[:, None, :2] + flat
    points[..., 2] = centers[:, None, 2] + offset[..., 2] * 2.8
    strength = rng.lognormal(0, 0.25, total)
    weights = np.repeat(strength * np.pi * a * b / count, count)
    return Cloud(points.reshape(-1, 3), weights)


def _palisade(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> Cloud:
    layers = max(1, int(round(spec.thickness_um / 8)))
    centers, normals = [], []
    for layer in range(layers):
        z = (layer + 0.5) * spec.thickness_um / layers
        at = float(skin.span[0] + rng.uniform(0, 6))
        while at < skin.span[1]:
            point, normal, _ = skin.junction_at(at, z)
            centers.append(np.append(point + normal * rng.uniform(4.2, 6.6), z + rng.uniform(-3, 3)))
            normals.append(normal)
            at += rng.uniform(5.2, 8.6)
    grid, across = np.array(centers), np.array(normals)
    keep = (skin.height_um(grid) > 3.2) & _inside(skin, grid)
    turned = np.stack([across[:, 1], -across[:, 0]], axis=1)
    return _many_balls(rng, grid[keep], turned[keep], 3.8, 2.3, 90)


def _dermal_nuclei(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> Cloud:
    bounds = skin.outline_um.min(axis=0), skin.outline_um.max(axis=0)
    core = skin.mean_junction_um[skin.span[0] : skin.span[1]]
    first = np.maximum(bounds[0], core.min(axis=0) - spec.dermis_um - 60)
    last = np.minimum(bounds[1], core.max(axis=0) + spec.dermis_um + 60)
    area = float(np.prod(last - first))
    count = int(area * 0.00075 * max(spec.thickness_um / 50, 0.2))
    flat = rng.uniform(first, last, (count, 2))
    grid = np.column_stack([flat, rng.uniform(0, spec.thickness_um, count)])
    height = skin.mean_height_um(grid)
    keep = (height < -5) & _inside(skin, grid) & (rng.random(count) < 0.35 + 0.65 * np.exp(height / 60))
    grid = grid[keep]
    _, nearest = skin._trees[-1][0].query(grid[:, :2])
    normals = skin._trees[-1][1][nearest, 2:]
    tilt = rng.normal(0, 0.7, len(grid))
    c, s = np.cos(tilt)[:, None], np.sin(tilt)[:, None]
    normals = c * normals + s * np.stack([normals[:, 1], -normals[:, 0]], axis=1)
    return _many_balls(rng, grid, normals, 4.6, 1.3, 60)


def elastin_cloud(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> Cloud:
    """Thin, even, autofluorescent fibers of the dermis."""
    clouds = []
    length_mm = (skin.span[1] - skin.span[0]) / 1000
    for _ in range(int(rng.poisson(spec.elastin_per_mm * length_mm))):
        index = float(rng.uniform(*skin.span))
        point, _, up = skin.junction_at(index, 0.0)
        deep = rng.uniform(12, max(20.0, spec.dermis_um))
        side = np.array([-up[1], up[0]])
        count = int(rng.uniform(16, 90))
        base = np.arctan2(side[0], side[1]) + rng.normal(0, 0.5)
        turn = base + 0.4 * smooth_noise(rng, count, 12.0)
        flat = point - up * deep + np.cumsum(np.stack([np.sin(turn), np.cos(turn)], axis=1), axis=0)
        z = rng.uniform(0, spec.thickness_um) + 0.15 * np.cumsum(smooth_noise(rng, count, 10.0))
        path = np.column_stack([flat, z])
        good = (skin.mean_height_um(path) < -8) & _inside(skin, path)
        path = path[: _stop(good)]
        if len(path) > 6:
            strength = _LINE * rng.uniform(0.08, 0.3)
            clouds.append(_tube(rng, path, np.full(len(path), 0.5), np.full(len(path), strength), 12))
    return merge_clouds(clouds, softness_um=0.15)


def _stop(good: np.ndarray) -> int:  # type: ignore[type-arg]
    bad = np.flatnonzero(~good)
    return int(bad[0]) if len(bad) else len(good)


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
        cells.append(ball(rng, center, axes, 500, 0.4 * rng.lognormal(0, 0.4)))
    dirt = []
    for _ in range(int(rng.poisson(spec.dirt_per_mm * length_mm))):
        point, _, up = skin.junction_at(float(rng.uniform(*skin.span)), 0.0)
        center = np.append(point + up * rng.uniform(-spec.dermis_um, 110), rng.uniform(0, spec.thickness_um))
        axes = np.diag(rng.uniform(0.4, 2.2, 3))
        dirt.append(ball(rng, center, axes, 150, rng.uniform(0.4, 1.6)))
    return merge_clouds(cells), merge_clouds(dirt)


def basement_membrane_cloud(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> Cloud:
    """The basement membrane as a sheet of points through the depth of the section."""
    low, high = skin.span
    count = int((high - low) * spec.thickness_um * 3.0)
    index = rng.uniform(max(low - 20, 0), min(high + 20, skin.junctions_um.shape[1] - 2), count)
    z = rng.uniform(0, spec.thickness_um, count)
    level = z / spec.thickness_um * (len(skin.levels_um) - 1)
    row, part = np.minimum(level.astype(int), len(skin.levels_um) - 2), index - index.astype(int)
    col = index.astype(int)
    fraction = (level - row)[:, None]
    part = part[:, None]
    curves = skin.junctions_um
    flat = (1 - fraction) * ((1 - part) * curves[row, col] + part * curves[row, col + 1]) + fraction * (
        (1 - part) * curves[row + 1, col] + part * curves[row + 1, col + 1]
    )
    flat += rng.normal(0, 0.25, flat.shape)
    gain = np.interp(index, np.arange(curves.shape[1]),
                     np.clip(1 + 0.35 * smooth_noise(rng, curves.shape[1], 15.0), 0.2, 2.5))  # fmt: skip
    points = np.column_stack([flat, z])
    inside = _inside(skin, points)
    return Cloud(points[inside], gain[inside] / 3.0 / spec.thickness_um * 6.0)
