"""Nerve fibers as steered random walks, with crossings found on the polylines; look-alikes beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from .geometry import Maps, Piece, Scene, smooth_noise

__all__ = ["Cell", "Strand", "Tangle", "grow"]


@dataclass(frozen=True, eq=False)
class Strand:
    """A drawn line: (N, 2) points in um at 1 um steps and how it looks."""

    points: np.ndarray
    kind: str
    strength: float
    sigma_um: float
    beaded: float = 1.0
    fade: tuple[float, float] = (3.0, 3.0)


@dataclass(frozen=True, eq=False)
class Cell:
    """A dendritic cell: body and processes."""

    center: np.ndarray
    radius_um: float
    elongation: float
    angle: float
    strength: float


@dataclass(eq=False)
class Tangle:
    """Everything that carries the nerve stain, and the true crossings (in um)."""

    strands: list[Strand] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    crossings: list[np.ndarray] = field(default_factory=list)


def _walk(
    rng: np.random.Generator,
    maps: Maps,
    start: np.ndarray,
    direction: np.ndarray | Sequence[float],
    steps: float,
    *,
    side: int,
    wobble: float = 0.16,
    pull: float = 0.0,
    pull_to: float | None = None,
    margin: float = 3.0,
    home: float = 0.0,
) -> np.ndarray:
    """Walk of 1 um steps that stays on its side of the junction (+1 epidermis, -1 dermis, 0 either)."""
    points = [np.asarray(start, float)]
    heading = aim = np.arctan2(direction[0], direction[1])
    drift = 0.0
    for step in range(int(steps)):
        drift = 0.9 * drift + rng.normal(0, wobble * 0.25)
        heading += drift * 0.6 + rng.normal(0, wobble * 0.3) + home * np.sin(aim - heading)
        here = points[-1]
        away = maps.look(maps.junction, here)
        gr, gc = maps.look(maps.gradient[0], here), maps.look(maps.gradient[1], here)
        move = np.array([np.sin(heading), np.cos(heading)])
        if pull_to is not None:
            move += pull * np.clip((pull_to - away) / 8.0, -1, 1) * np.array([gr, gc])
        elif side and side * away < margin + 4.0:
            move += 0.5 * side * np.array([gr, gc])
        move /= np.hypot(*move) + 1e-9
        heading = np.arctan2(move[0], move[1])
        new = here + move
        value = maps.look(maps.junction, new)
        region = maps.epidermis if side > 0 else maps.dermis
        size = maps.junction.shape
        if not (-4 < new[0] < size[0] + 4 and -4 < new[1] < size[1] + 4):
            break
        if side and step > 3 and (side * value < 1.0 or not maps.look(region, new)):
            break
        if side > 0 and maps.look(maps.surface, new) < 4.0:
            break
        points.append(new)
    return np.array(points)


def _eased(path: np.ndarray) -> np.ndarray:
    """The path with its corners rounded and its ends kept."""
    if len(path) < 9:
        return path
    soft = np.stack([gaussian_filter1d(path[:, k], 3.0, mode="nearest") for k in (0, 1)], 1)
    keep = np.exp(-np.minimum(np.arange(len(path)), np.arange(len(path))[::-1]) / 3.0)[:, None]
    return np.asarray(keep * path + (1 - keep) * soft)


def _look(rng: np.random.Generator, kind: str, points: np.ndarray, base: float, **changes: Any) -> Strand:
    wide = {"plexus": (0.45, 0.8), "bundle": (0.7, 1.6)}.get(kind, (0.33, 0.62))
    return Strand(points, kind, base * rng.uniform(0.7, 1.25), rng.uniform(*wide), **changes)


def _cross_at(junction: np.ndarray, tree: cKDTree, path: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Exact intersections of a path with the junction polyline: (path position, point)."""
    found = []
    near = np.asarray(tree.query(path, distance_upper_bound=6.0)[0])
    for i in np.flatnonzero(np.isfinite(near[:-1])):
        p, d = path[i], path[i + 1] - path[i]
        for j in tree.query_ball_point(p, 6.0):
            if j + 1 >= len(junction):
                continue
            q, e = junction[j], junction[j + 1] - junction[j]
            det = d[0] * e[1] - d[1] * e[0]
            if abs(det) < 1e-12:
                continue
            t = ((q[0] - p[0]) * e[1] - (q[1] - p[1]) * e[0]) / det
            u = ((q[0] - p[0]) * d[1] - (q[1] - p[1]) * d[0]) / det
            if 0 <= t < 1 and 0 <= u < 1:
                found.append((i + t, p + t * d))
    return sorted(found, key=lambda item: item[0])


def _arc(points: np.ndarray) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def _sites(rng: np.random.Generator, junction: np.ndarray, per_mm: float) -> list[int]:
    """Places on the junction for crossings, in clusters, at least 9 um apart."""
    length = _arc(junction)
    wanted = rng.poisson(1.25 * per_mm * length / 1000.0)  # a fifth is dropped later
    arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(junction, axis=0).T))])
    chosen: list[float] = []
    for _ in range(wanted * 6):
        if len(chosen) >= wanted:
            break
        near = chosen and rng.random() < 0.3
        at = chosen[rng.integers(len(chosen))] + rng.normal(0, 30) if near else rng.uniform(10, length - 10)
        if 10 < at < length - 10 and all(abs(at - c) > 12 for c in chosen):
            chosen.append(at)
    return [int(np.searchsorted(arc, at)) for at in chosen]


def grow(rng: np.random.Generator, scene: Scene, maps: Maps) -> Tangle:
    """All strands and cells of a scene with its crossings."""
    tangle = Tangle()
    per_mm = float(
        rng.choice([rng.uniform(0, 2), rng.uniform(2, 7), rng.uniform(6, 14)], p=[0.2, 0.35, 0.45])
    )
    level = rng.uniform(0.6, 1.0)
    for piece in scene.pieces:
        _grow_piece(rng, piece, scene, maps, tangle, per_mm, level)
    return tangle


def _inside(scene: Scene, point: np.ndarray, margin: float) -> bool:
    return bool(margin < point[0] < scene.height_um - margin and margin < point[1] < scene.width_um - margin)


def _grow_piece(
    rng: np.random.Generator,
    piece: Piece,
    scene: Scene,
    maps: Maps,
    tangle: Tangle,
    per_mm: float,
    level: float,
) -> None:
    junction = piece.junction
    tree = cKDTree(junction)
    length_mm = _arc(piece.surface) / 1000.0
    deep = np.array([np.cos(piece.heading_rad), -np.sin(piece.heading_rad)])
    taken: list[np.ndarray] = []

    def free(point: np.ndarray, radius: float) -> bool:
        return all(np.hypot(*(point - t)) > radius for t in taken)

    def normal_at(i: int) -> np.ndarray:
        a, b = junction[max(i - 2, 0)], junction[min(i + 2, len(junction) - 1)]
        t = (b - a) / (np.hypot(*(b - a)) + 1e-9)
        return np.array([t[1], -t[0]])

    def down_from(start: np.ndarray, direction: np.ndarray, reach: float) -> np.ndarray:
        path = _walk(rng, maps, start, direction, reach, side=-1)
        if len(path) > 12 and rng.random() < 0.5:  # bends into the plexus
            turn = path[-1] - path[-3]
            side = np.array([-turn[1], turn[0]]) * rng.choice([-1, 1]) + 0.4 * turn
            more = _walk(rng, maps, path[-1], side, rng.uniform(15, 60), side=-1, home=0.03)
            path = _eased(np.concatenate([path, more[1:]]))
        return path

    for i in _sites(rng, junction, per_mm):
        start, into = junction[i] + rng.uniform(-0.3, 0.3, 2), normal_at(i)
        tilt = rng.normal(0, 0.35)
        into = into @ np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
        thick = maps.look(maps.surface, start)
        up = _walk(
            rng, maps, start + 0.7 * -into, -into, rng.uniform(0.25, 1.3) * max(thick, 40), side=1, home=0.02
        )
        down = down_from(start + 0.7 * into, into + 0.4 * deep, rng.uniform(10, 70))
        path = np.concatenate([up[::-1], down])
        hits = _cross_at(junction, tree, path)
        if len(hits) != 1 or not _inside(scene, hits[0][1], 8.0) or not free(hits[0][1], 9.0):
            continue
        at, point = hits[0]
        if _arc(path[: int(at) + 1]) < 7 or _arc(path[int(at) + 1 :]) < 7:
            continue
        if maps.look(maps.junction, path[0]) < 4 or maps.look(maps.junction, path[-1]) > -4:
            continue
        tangle.strands.append(_look(rng, "crossing", path, level))
        tangle.crossings.append(point)
        taken.append(point)
        if rng.random() < 0.3 and len(up) > 18:  # branch inside the epidermis
            k = int(rng.integers(8, len(up) - 6))
            turn = up[k] - up[k - 2]
            side = np.array([-turn[1], turn[0]]) * rng.choice([-1, 1]) + 0.8 * turn
            branch = _walk(rng, maps, up[k], side, rng.uniform(10, 45), side=1)
            if len(branch) > 7 and all(maps.look(maps.junction, p) > 3 for p in branch):
                tangle.strands.append(_look(rng, "branch", branch, 0.9 * level))

    for _ in range(rng.poisson(3.0 * length_mm)):  # fragments
        i = int(rng.integers(8, len(junction) - 8))
        start = junction[i] - normal_at(i) * rng.uniform(9, 35)
        if not maps.look(maps.epidermis, start) or not free(start, 16) or maps.look(maps.junction, start) < 7:
            continue
        turn = rng.uniform(0, 2 * np.pi)
        path = _walk(rng, maps, start, (np.sin(turn), np.cos(turn)), rng.uniform(8, 35), side=1, margin=6)
        if len(path) > 7 and all(maps.look(maps.junction, p) > 4 for p in path):
            tangle.strands.append(_look(rng, "fragment", path, level * rng.uniform(0.7, 1)))
            taken.append(path[0])

    for _ in range(rng.poisson(5.0 * length_mm)):  # approaching
        i = int(rng.integers(8, len(junction) - 8))
        start = junction[i] + normal_at(i) * rng.uniform(4, 10)
        gap = -maps.look(maps.junction, start)
        if not 3.0 <= gap <= 10.0 or not maps.look(maps.dermis, start) or not free(start, 18):
            continue
        path = down_from(start, normal_at(i) + 0.3 * deep, rng.uniform(15, 60))
        if len(path) > 10 and all(maps.look(maps.junction, p) < -2.5 for p in path):
            tangle.strands.append(_look(rng, "approaching", path, level * rng.uniform(0.7, 1)))
            taken.append(start)

    plexus = rng.uniform(2, 16)
    for _ in range(rng.poisson(plexus * length_mm)):
        i = int(rng.integers(4, len(junction) - 4))
        depth = 5 + 85 * rng.beta(1.2, 2.2)
        start = junction[i] + normal_at(i) * depth
        if not maps.look(maps.dermis, start):
            continue
        along = np.array([-deep[1], deep[0]]) * rng.choice([-1, 1])
        path = _walk(
            rng,
            maps,
            start,
            along,
            rng.uniform(30, 220),
            side=-1,
            pull=0.2,
            home=0.06,
            pull_to=-max(depth, 6.0),
            wobble=0.13,
        )
        path = _eased(path)
        if len(path) > 14 and all(maps.look(maps.junction, p) < -2.5 for p in path):
            tangle.strands.append(_look(rng, "plexus", path, level * rng.uniform(0.8, 1.5), beaded=0.6))

    for _ in range(rng.poisson(2.0 * length_mm)):  # bundles
        i = int(rng.integers(4, len(junction) - 4))
        start = junction[i] + deep * rng.uniform(70, 260)
        angle = rng.uniform(0, 2 * np.pi)
        path = _walk(
            rng, maps, start, (np.sin(angle), np.cos(angle)), rng.uniform(30, 180), side=-1, wobble=0.08
        )
        if len(path) < 20 or any(maps.look(maps.junction, p) > -30 for p in path):
            continue
        thick = rng.uniform(2.0, 9.0)
        side = np.gradient(path, axis=0)[:, ::-1] * np.array([-1.0, 1.0])
        number = int(thick * 1.3) + 2
        for _fiber in range(number):
            offset = rng.uniform(-0.5, 0.5) * thick + 0.5 * smooth_noise(rng, len(path), 12)
            tangle.strands.append(
                _look(
                    rng,
                    "bundle",
                    path + side * offset[:, None],
                    level * 1.6 / np.sqrt(number),
                    beaded=0.3,
                    fade=(rng.uniform(3, 25), rng.uniform(3, 25)),
                )
            )

    per_mm_cells = rng.choice([rng.uniform(0, 6), rng.uniform(6, 30)], p=[0.4, 0.6])
    tone = rng.uniform(0.45, 1.25)
    for _ in range(rng.poisson(per_mm_cells * length_mm)):
        _langerhans(rng, piece, maps, tangle, normal_at, level * tone, free)


def _langerhans(
    rng: np.random.Generator,
    piece: Piece,
    maps: Maps,
    tangle: Tangle,
    normal_at: Callable[[int], np.ndarray],
    level: float,
    free: Callable[[np.ndarray, float], bool],
) -> None:
    i = int(rng.integers(8, len(piece.junction) - 8))
    basal = rng.random() < 0.15
    center = piece.junction[i] - normal_at(i) * (rng.uniform(5, 9) if basal else rng.uniform(12, 50))
    if not maps.look(maps.epidermis, center) or maps.look(maps.junction, center) < 5 or not free(center, 15):
        return
    if maps.look(maps.surface, center) < 10 or any(np.hypot(*(c.center - center)) < 14 for c in tangle.cells):
        return
    strength = level * rng.uniform(0.6, 1.3)
    radius = rng.uniform(2.2, 4.2)
    tangle.cells.append(Cell(center, radius, rng.uniform(1.0, 1.9), rng.uniform(0, np.pi), strength))
    turn = rng.uniform(0, 2 * np.pi)
    for k in range(int(rng.integers(2, 6))):
        angle = turn + 2 * np.pi * k / 4 + rng.normal(0, 0.4)
        aim = np.array([np.sin(angle), np.cos(angle)])
        path = _walk(rng, maps, center + aim * radius * 0.6, aim, rng.uniform(6, 22), side=1, wobble=0.25)
        if len(path) < 4 or any(maps.look(maps.junction, p) < 2.0 for p in path):
            continue
        sigma = rng.uniform(0.5, 0.9)
        tangle.strands.append(Strand(path, "dendrite", strength * 0.75, sigma, beaded=0.25, fade=(1.0, 6.0)))
