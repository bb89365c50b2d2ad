"""Nuclei, pigment, basement membrane and elastic fibers as clouds of points."""

from __future__ import annotations

import numpy as np

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.clouds import LINE, many_balls, tube
from ienfd.phantom.curves import smooth_noise
from ienfd.phantom.growth import first_true
from ienfd.phantom.optics import Cloud, merge_clouds
from ienfd.phantom.spec import PhantomSpec
from ienfd.phantom.structures import Structure, ring

__all__ = ["basement_membrane_cloud", "elastin_cloud", "melanin_cloud", "nuclei_cloud"]


def nuclei_cloud(
    spec: PhantomSpec, skin: Skin, structures: list[Structure], rng: np.random.Generator
) -> Cloud:
    """Nuclei: a palisade at the junction, rounder above, flat at the top; sparse and thin in the dermis."""
    low, high = skin.span
    corners = skin.mean_junction_um[low:high]
    clouds = [_palisade(spec, skin, rng)]
    margin = spec.epidermis_um + spec.rete_um + 30
    first, last = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    layers = max(1, round(spec.thickness_um / 11))
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
    keep = (height > 11) & (below > 5) & skin.contains(grid)
    grid, below = grid[keep], below[keep]
    flatness = np.clip(1 - below / 22, 0, 1)
    normals = skin.nearest_normals(grid)
    clouds.append(many_balls(rng, grid, normals, 3.4 + 1.3 * flatness, 2.9 - 1.5 * flatness, 200))
    clouds.append(_dermal_nuclei(spec, skin, rng))
    clouds += [_structure_nuclei(spec, structure, rng) for structure in structures]
    return merge_clouds(clouds, softness_um=0.3)


def _palisade(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> Cloud:
    layers = max(1, round(spec.thickness_um / 8))
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
    keep = (skin.height_um(grid) > 3.2) & skin.contains(grid)
    turned = np.stack([across[:, 1], -across[:, 0]], axis=1)
    return many_balls(rng, grid[keep], turned[keep], 3.8, 2.3, 200)


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
    keep = (height < -5) & skin.contains(grid) & (rng.random(count) < 0.35 + 0.65 * np.exp(height / 60))
    grid = grid[keep]
    normals = skin.nearest_normals(grid)
    tilt = rng.normal(0, 0.7, len(grid))
    c, s = np.cos(tilt)[:, None], np.sin(tilt)[:, None]
    normals = c * normals + s * np.stack([normals[:, 1], -normals[:, 0]], axis=1)
    return many_balls(rng, grid, normals, 4.6, 1.3, 120)


def _structure_nuclei(spec: PhantomSpec, structure: Structure, rng: np.random.Generator) -> Cloud:
    """Flat nuclei in the wall of a vessel, dense round ones in the epithelium of an adnexum."""
    if structure.kind == "cleft":
        return Cloud(np.empty((0, 3)), np.empty(0))
    short = structure.half_axes_um[1]
    layers = max(1, round(spec.thickness_um / 10))
    vessel = structure.kind == "vessel"
    rings = [1 - 1.0 / short] if vessel else list(1 - np.arange(4.0, structure.wall_um, 7.5) / short)
    centers, normals = [], []
    for relative in rings:
        outline = ring(structure, relative, 72)
        length = float(np.linalg.norm(np.diff(outline, axis=0), axis=1).sum())
        for _ in range(layers):
            chosen = rng.permutation(72)[: max(2, int(length / (11.0 if vessel else 7.5)))]
            depth = rng.uniform(0, spec.thickness_um, len(chosen))
            centers.append(np.column_stack([outline[chosen] + rng.normal(0, 0.8, (len(chosen), 2)), depth]))
            outward = outline[chosen] - structure.center_um
            normals.append(outward / np.linalg.norm(outward, axis=1, keepdims=True))
    along, across = (4.5, 1.2) if vessel else (3.2, 2.7)
    return many_balls(rng, np.concatenate(centers), np.concatenate(normals), along, across, 200)


def melanin_cloud(spec: PhantomSpec, skin: Skin, rng: np.random.Generator) -> Cloud:
    """Pigment granules of the basal layer, in patches; weights are optical densities."""
    low, high = skin.span
    count = int((high - low) * spec.thickness_um * 1.2)
    if spec.melanin_od == 0:
        return Cloud(np.empty((0, 3)), np.empty(0))
    patches = np.clip(0.4 + 0.6 * smooth_noise(rng, skin.junctions_um.shape[1], 20.0), 0, None)
    index = rng.uniform(low, high, count)
    z = rng.uniform(0, spec.thickness_um, count)
    level = np.rint(z / spec.thickness_um * (len(skin.levels_um) - 1)).astype(int)
    at = index.astype(int)
    points = skin.junctions_um[level, at] + skin.up[at] * (1.0 + rng.gamma(2.0, 3.0, count))[:, None]
    points = np.column_stack([points + rng.normal(0, 1.0, points.shape), z])
    keep = skin.contains(points) & (skin.height_um(points) > 1.0)
    weights = patches[at] * rng.lognormal(0, 0.8, count)
    # a column of basal layer, 8 um high, then has a density of about `melanin_od`
    weights *= spec.melanin_od * 8.0 / (1.2 * spec.thickness_um)
    return Cloud(points[keep], weights[keep], 0.2)


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
        good = (skin.mean_height_um(path) < -8) & skin.contains(path)
        path = path[: first_true(~good, len(path))]
        if len(path) > 6:
            strength = LINE * rng.uniform(0.08, 0.3)
            clouds.append(tube(rng, path, np.full(len(path), 0.5), np.full(len(path), strength), 12))
    return merge_clouds(clouds, softness_um=0.15)


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
    inside = skin.contains(points)
    return Cloud(points[inside], gain[inside] / 3.0 / spec.thickness_um * 6.0)
