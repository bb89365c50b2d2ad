"""Outlines of tissue as free-form curves, rasterized, with distance maps. All lengths in micrometers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import distance_transform_edt, gaussian_filter, gaussian_filter1d, map_coordinates

__all__ = ["Maps", "Piece", "Scene", "clip_to_frame", "make_maps", "make_scene", "raster", "smooth_noise"]

STEP_UM = 2.0


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece of tissue: two traced lines and three polygons, (N, 2) as (row, col) in um."""

    surface: np.ndarray
    junction: np.ndarray
    corneum_area: np.ndarray
    epidermis_area: np.ndarray
    dermis_area: np.ndarray
    corneum_um: float
    heading_rad: float


@dataclass(frozen=True, eq=False)
class Scene:
    """Pieces inside a frame of `height_um` x `width_um`; debris are polygons of dermis alone."""

    pieces: tuple[Piece, ...]
    debris: tuple[np.ndarray, ...]
    height_um: float
    width_um: float
    layout: str


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps on a grid of 1 um: signed distance to the junction (epidermis > 0), distance to the surface."""

    junction: np.ndarray
    surface: np.ndarray
    epidermis: np.ndarray
    dermis: np.ndarray
    corneum: np.ndarray
    gradient: tuple[np.ndarray, np.ndarray]

    def look(self, grid: np.ndarray, point: np.ndarray) -> float:
        row = min(max(round(point[0]), 0), grid.shape[0] - 1)
        col = min(max(round(point[1]), 0), grid.shape[1] - 1)
        return float(grid[row, col])


def smooth_noise(rng: np.random.Generator, count: int, scale: float) -> np.ndarray:
    """(count,) noise of unit variance, correlated over `scale` samples."""
    pad = int(4 * scale) + 4
    noise = gaussian_filter1d(rng.standard_normal(count + 2 * pad), scale)[pad : pad + count]
    return np.asarray(noise * np.sqrt(2.0 * np.sqrt(np.pi) * max(scale, 0.3)))


def _ridges(rng: np.random.Generator, s: np.ndarray, amplitude_um: float) -> np.ndarray:
    """Depth added by rete ridges (0..amplitude), knots at irregular distances, shallow and deep in turn."""
    knots, depths, at, deep = [], [], float(s[0]) - 200.0, False
    narrow, wide = sorted(rng.uniform(30, 150, 2))
    while at < s[-1] + 200.0:
        knots.append(at)
        depths.append(amplitude_um * (rng.uniform(0.35, 1.0) if deep else rng.uniform(0.0, 0.25)))
        if deep and rng.random() < 0.25:
            knots.append(at + rng.uniform(8, 25))
            depths.append(depths[-1] * rng.uniform(0.85, 1.1))
            at = knots[-1]
        at += max(14.0, 0.5 * rng.uniform(narrow, wide))
        deep = not deep
        if rng.random() < 0.12:
            at += rng.uniform(0, 120)
    return gaussian_filter1d(PchipInterpolator(knots, depths)(s), 2.0)


def _make_piece(rng: np.random.Generator, length_um: float, heading: float, flat: bool) -> Piece:
    count = int(length_um / STEP_UM)
    s = np.arange(count) * STEP_UM
    turn = rng.normal(0, 0.5) if rng.random() < 0.75 else rng.uniform(-1.9, 1.9)
    phi = heading + turn * (s / length_um - 0.5) + 0.12 * smooth_noise(rng, count, 60)
    tangent = np.stack([np.sin(phi), np.cos(phi)], 1)
    normal = np.stack([np.cos(phi), -np.sin(phi)], 1)
    base = np.cumsum(tangent * STEP_UM, 0)

    def place(along: np.ndarray, depth: np.ndarray) -> np.ndarray:
        index = np.clip(along / STEP_UM, 0, count - 1)
        rest = along - index * STEP_UM
        pick = [np.interp(index, np.arange(count), a[:, k]) for a in (base, normal, tangent) for k in (0, 1)]
        b, n, t = (np.stack(pick[k : k + 2], 1) for k in (0, 2, 4))
        return np.asarray(b + n * depth[:, None] + t * rest[:, None])

    thickness = rng.uniform(45, 110) if not flat else rng.uniform(40, 70)
    amplitude = rng.uniform(12, 50) if not flat else rng.uniform(0, 6)
    surface_depth = rng.uniform(0.5, 4.0) * smooth_noise(rng, count, 12)
    if rng.random() < 0.4:  # skin furrows
        for at in rng.uniform(80, length_um - 80, rng.integers(1, 4)):
            surface_depth += rng.uniform(6, 25) * np.exp(-(((s - at) / rng.uniform(10, 25)) ** 2))
    ridges = _ridges(rng, s, amplitude)
    slow = 1.0 + 0.1 * smooth_noise(rng, count, 100)
    depth = surface_depth + np.maximum(thickness * slow - 0.45 * amplitude, 26.0) + ridges
    depth += rng.uniform(0.3, 0.9) * smooth_noise(rng, count, 2.0)
    skew = rng.uniform(0.0, 0.45) * smooth_noise(rng, count, 25)
    along = s + np.clip(skew, -0.8, 0.8) * (ridges - 0.4 * amplitude)
    junction = place(gaussian_filter1d(along, 1.0), depth)
    surface = place(s, surface_depth)

    corneum_um = rng.uniform(8, 20)
    top = corneum_um * np.clip(1 + 0.25 * smooth_noise(rng, count, 15), 0.3, 2.0)
    top += rng.uniform(0.2, 1.6) * np.abs(smooth_noise(rng, count, 1.2))  # loose flakes
    outer = place(s, surface_depth - top)
    radius = length_um / max(abs(turn), 0.3)
    below = min(rng.uniform(170, 420), 0.55 * radius)
    bottom = thickness + below * np.clip(1 + 0.2 * smooth_noise(rng, count, 50), 0.4, 1.6)
    taper = np.minimum(s, s[-1] - s) / rng.uniform(60, 180)
    bottom = np.maximum(bottom * (1 - np.exp(-0.6 - taper)), depth + 18)
    side = np.linspace(0, 1, 30)[1:-1]

    def wall(from_depth: float, to_depth: float, at: float, sign: float) -> np.ndarray:
        bulge = sign * (rng.uniform(2, 45) * np.sin(np.pi * side) + 2 * smooth_noise(rng, side.size, 2))
        return place(at + bulge, from_depth + (to_depth - from_depth) * side)

    right = wall(depth[-1], bottom[-1], along[-1], 1.0)
    left = wall(bottom[0], depth[0], along[0], -1.0)
    floor = place(s, bottom + 3.0 * smooth_noise(rng, count, 3) + 1.2 * smooth_noise(rng, count, 1))
    return Piece(
        surface,
        junction,
        np.concatenate([outer, surface[::-1]]),
        np.concatenate([surface, junction[::-1]]),
        np.concatenate([junction, right, floor[::-1], left]),
        corneum_um,
        heading,
    )


def _moved(piece: Piece, shift: np.ndarray) -> Piece:
    names = ("surface", "junction", "corneum_area", "epidermis_area", "dermis_area")
    return replace(piece, **{name: getattr(piece, name) + shift for name in names})


def _blob(rng: np.random.Generator, radius_um: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = np.full(angle.size, radius_um)
    for order in range(2, 8):
        radius += radius_um * rng.normal(0, 0.35 / order) * np.cos(order * angle + rng.uniform(0, 6.3))
    return np.stack([radius * np.sin(angle), radius * rng.uniform(0.5, 1.8) * np.cos(angle)], 1)


def make_scene(rng: np.random.Generator, length_um: float) -> Scene:
    """One or two pieces with glass round them, or cut by the frame on some of its sides."""
    heading = rng.normal(0, 0.12) if rng.random() < 0.4 else rng.uniform(-np.pi, np.pi)
    flat = bool(rng.random() < 0.2)
    two = length_um > 700 and rng.random() < 0.15
    pieces = [_make_piece(rng, length_um * (0.6 if two else 1.0), heading, flat)]
    if two:
        other = _make_piece(rng, length_um * 0.4, heading + rng.normal(0, 0.4), flat)
        first, second = pieces[0].dermis_area, other.dermis_area
        down = np.array([np.cos(heading), -np.sin(heading)])
        gap = (first @ down).max() - (other.corneum_area @ down).min() + rng.uniform(25, 80)
        pieces.append(_moved(other, gap * down + (first.mean(0) - second.mean(0)) * 0.1))
    everything = np.concatenate([np.concatenate([p.corneum_area, p.dermis_area]) for p in pieces])
    low, high = everything.min(0), everything.max(0)
    kept = np.concatenate([p.junction for p in pieces])
    layout = rng.choice(["island", "cut", "overview"], p=[0.4, 0.4, 0.2])
    sides = []
    for side in range(4):
        axis, end = side // 2, side % 2
        margin = rng.uniform(15, 110)
        chance = {"island": 0.0, "cut": 0.45, "overview": 1.0}[layout]
        if rng.random() < chance:
            spot = np.quantile(kept[:, axis], 0.06 if end == 0 else 0.94)
            wanted = rng.uniform(30, 140)
            inside = low[axis] + wanted if end == 0 else high[axis] - wanted
            # cut glass or dermis as deep as wished, the epidermis only at its ends
            level = min(inside, spot) if end == 0 else max(inside, spot)
            facing = np.array([-np.cos(heading), np.sin(heading)])[axis] * (-1 if end == 0 else 1)
            if facing < 0.55:
                sides.append(level)
                continue
        sides.append(low[axis] - margin if end == 0 else high[axis] + margin)
    origin = np.array([sides[0], sides[2]])
    size = np.array([sides[1], sides[3]]) - origin
    debris = []
    if layout == "island" and rng.random() < 0.25:
        corner = np.array([rng.choice([0.06, 0.94]), rng.choice([0.06, 0.94])]) * size
        debris.append(_blob(rng, rng.uniform(10, 35)) + corner)
    moved = tuple(_moved(p, -origin) for p in pieces)
    return Scene(moved, tuple(debris), float(size[0]), float(size[1]), str(layout))


def raster(polygons: list[np.ndarray], shape: tuple[int, int], pixel_um: float) -> np.ndarray:
    """(H, W) float32 coverage of the union of polygons given in um (twice supersampled)."""
    image = Image.new("L", (2 * shape[1], 2 * shape[0]))
    draw = ImageDraw.Draw(image)
    for polygon in polygons:
        flat = (2.0 * polygon[:, ::-1] / pixel_um + 0.5).ravel().tolist()
        draw.polygon(flat, fill=255)
    return np.asarray(image.reduce(2), np.float32) / 255.0


def make_maps(scene: Scene) -> Maps:
    """Distance maps of a scene on a grid of 1 um."""
    shape = (int(np.ceil(scene.height_um)) + 1, int(np.ceil(scene.width_um)) + 1)
    pieces = scene.pieces
    dermis = raster([p.dermis_area for p in pieces], shape, 1.0) > 0.5
    epidermis = (raster([p.epidermis_area for p in pieces], shape, 1.0) > 0.5) & ~dermis
    corneum = (raster([p.corneum_area for p in pieces], shape, 1.0) > 0.5) & ~epidermis & ~dermis

    def distance(lines: list[np.ndarray]) -> np.ndarray:
        far = np.ones(shape, bool)
        for line in lines:
            fine = np.concatenate([np.linspace(a, b, 5) for a, b in itertools.pairwise(line)])
            at = np.rint(fine).astype(int)
            ok = (at >= 0).all(1) & (at[:, 0] < shape[0]) & (at[:, 1] < shape[1])
            far[at[ok, 0], at[ok, 1]] = False
        return distance_transform_edt(far).astype(np.float32)

    signed = distance([p.junction for p in pieces]) * np.where(dermis, -1, 1).astype(np.float32)
    rows, cols = np.gradient(gaussian_filter(signed, 2.0))
    norm = np.hypot(rows, cols) + 1e-3
    return Maps(
        signed, distance([p.surface for p in pieces]), epidermis, dermis, corneum, (rows / norm, cols / norm)
    )


def enlarge(grid: np.ndarray, shape: tuple[int, int], pixel_um: float) -> np.ndarray:
    """A 1 um grid resampled to pixels, (H, W) float32."""
    start = 0.5 - 0.5 * pixel_um  # grid point i lies at i um, pixel j at j * pixel_um
    box = (start, start, start + shape[1] * pixel_um, start + shape[0] * pixel_um)
    image = Image.fromarray(np.ascontiguousarray(grid, np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR, box=box))


def sample(grid: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bilinear values of a 1 um grid at (N, 2) points."""
    return map_coordinates(grid, points.T, order=1, mode="nearest")


def clip_to_frame(line: np.ndarray, height: float, width: float) -> list[np.ndarray]:
    """The parts of a polyline inside [0, height] x [0, width], vertices outside dropped."""
    dense = np.concatenate([np.linspace(a, b, 5)[:-1] for a, b in itertools.pairwise(line)])
    dense = np.concatenate([dense, line[-1:]])
    ok = (dense[:, 0] >= 0) & (dense[:, 0] <= height) & (dense[:, 1] >= 0) & (dense[:, 1] <= width)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ok.astype(int), [0]])))
    parts = [dense[a:b] for a, b in edges.reshape(-1, 2) if b - a >= 12]
    return parts
