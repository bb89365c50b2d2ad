"""Strands, beads, cells and elastin splatted as Gaussians onto the pixel grid."""

from __future__ import annotations

import numpy as np

from .geometry import Maps, Scene, smooth_noise
from .nerves import Strand, Tangle, _walk
from .textures import blur

__all__ = ["draw_elastin", "draw_nerve"]

_SIGMAS_UM = np.array([0.35, 0.5, 0.75, 1.15, 1.8, 3.0])


class _Splats:
    """Weighted points collected by blur, summed and blurred once per bin."""

    def __init__(self, shape: tuple[int, int], pixel_um: float):
        self.shape = shape
        self.pixel_um = pixel_um
        self.items: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(
        self, points_um: np.ndarray, sigma_um: np.ndarray, peak: np.ndarray, spacing_um: float | None
    ) -> None:
        """Points of a line sampled every `spacing_um` (None: single spots) with the peak they shall reach."""
        index = np.clip(np.searchsorted(_SIGMAS_UM, sigma_um * 0.999), 0, len(_SIGMAS_UM) - 1)
        sigma_px = np.maximum(_SIGMAS_UM[index] / self.pixel_um, 0.55)
        if spacing_um is None:
            weight = peak * 2 * np.pi * sigma_px**2
        else:
            weight = peak * np.sqrt(2 * np.pi) * sigma_px * spacing_um / self.pixel_um
        self.items.append((points_um / self.pixel_um, index, weight))

    def image(self) -> np.ndarray:
        out = np.zeros(self.shape, np.float32)
        if not self.items:
            return out
        points, index, weight = (np.concatenate(parts) for parts in zip(*self.items, strict=True))
        height, width = self.shape
        for k, sigma in enumerate(_SIGMAS_UM):
            use = index == k
            if not use.any():
                continue
            px = max(sigma / self.pixel_um, 0.55)
            p, w = points[use], weight[use]
            reach = 4 * px + 4  # only the box round the points is filtered
            top, left = np.clip(np.floor(p.min(0) - reach), 0, (height, width)).astype(int)
            bottom, right = np.clip(np.ceil(p.max(0) + reach), 0, (height, width)).astype(int)
            rows, cols = bottom - top, right - left
            if rows < 2 or cols < 2:
                continue
            base = np.floor(p).astype(int)
            frac = p - base
            layer = np.zeros(rows * cols)
            for dr in (0, 1):
                for dc in (0, 1):
                    r, c = base[:, 0] + dr - top, base[:, 1] + dc - left
                    ok = (r >= 0) & (r < rows) & (c >= 0) & (c < cols)
                    part = (
                        w
                        * np.where(dr, frac[:, 0], 1 - frac[:, 0])
                        * np.where(dc, frac[:, 1], 1 - frac[:, 1])
                    )
                    layer += np.bincount(r[ok] * cols + c[ok], part[ok], rows * cols)
            out[top:bottom, left:right] += blur(layer.reshape(rows, cols).astype(np.float32), px)
        return out


def _strand(rng: np.random.Generator, splats: _Splats, strand: Strand, defocus: float, gaps: float) -> None:
    points = strand.points
    arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    spacing = 0.25
    at = np.arange(0, arc[-1], spacing)
    line = np.stack([np.interp(at, arc, points[:, k]) for k in (0, 1)], 1)
    count = at.size
    if count < 8:
        return
    slow = np.exp(0.28 * smooth_noise(rng, count, 40))
    taper = np.minimum(1, (at + 0.5) / strand.fade[0]) * np.minimum(1, (arc[-1] - at + 0.5) / strand.fade[1])
    focus = np.abs(smooth_noise(rng, count, 90)) * defocus
    sigma = np.sqrt((strand.sigma_um * np.exp(0.15 * smooth_noise(rng, count, 30))) ** 2 + focus**2)
    dim = strand.sigma_um / sigma
    level = strand.strength * slow * dim
    if strand.kind == "crossing":  # difficult, but never beyond what a person can see
        level = np.maximum(level, 0.45)
    thread = 1.0 - strand.beaded * gaps
    splats.add(line, sigma, level * thread * taper, spacing)
    if strand.beaded <= 0:
        return
    gap_um = rng.uniform(3.5, 6.5)
    places, here = [], rng.uniform(0, gap_um)
    while here < arc[-1]:
        places.append(here)
        here += np.clip(gap_um * np.exp(rng.normal(0, 0.4)), 2.5, 12.0)
    if not places:
        return
    k = np.clip((np.array(places) / spacing).astype(int), 0, count - 1)
    size = rng.uniform(0.45, 0.72, k.size)
    peak = strand.beaded * (level / dim)[k] * rng.uniform(0.35, 1.1, k.size) * np.sqrt(taper[k])
    big = np.sqrt(size**2 + focus[k] ** 2)
    splats.add(line[k] + rng.normal(0, 0.12, (k.size, 2)), big, peak * (size / big) ** 1.5, None)


def draw_nerve(
    rng: np.random.Generator, tangle: Tangle, shape: tuple[int, int], pixel_um: float
) -> np.ndarray:
    """(H, W) nerve stain, about 1 on a good fiber."""
    defocus, gaps = rng.uniform(0.1, 0.6), rng.uniform(0.3, 0.65)
    splats = _Splats(shape, pixel_um)
    for strand in tangle.strands:
        deeper = defocus * (1.6 if strand.kind in ("plexus", "bundle") else 1.0)
        _strand(rng, splats, strand, deeper, gaps)
    for cell in tangle.cells:
        count = 90
        radius, turn = np.sqrt(rng.uniform(0, 1, count)) * cell.radius_um, rng.uniform(0, 2 * np.pi, count)
        a, b = radius * np.cos(turn) * cell.elongation, radius * np.sin(turn)
        spots = cell.center + np.stack(
            [
                a * np.sin(cell.angle) + b * np.cos(cell.angle),
                a * np.cos(cell.angle) - b * np.sin(cell.angle),
            ],
            1,
        )
        area = np.pi * cell.radius_um**2 * cell.elongation
        one = cell.strength * area / (count * 2 * np.pi * 0.75**2)
        splats.add(spots, np.full(count, 0.75), one * rng.uniform(0.5, 1.5, count), None)
    return splats.image()


def draw_elastin(
    rng: np.random.Generator, scene: Scene, maps: Maps, shape: tuple[int, int], pixel_um: float
) -> np.ndarray:
    """(H, W) smooth wavy elastic fibers of the dermis; they never pass the junction."""
    splats = _Splats(shape, pixel_um)
    where = np.argwhere(maps.dermis & (maps.junction < -6))
    if len(where):
        for start in where[rng.integers(len(where), size=int(len(where) / 1e6 * rng.uniform(60, 500)))]:
            angle = scene.pieces[0].heading_rad + rng.normal(0, 0.6) + np.pi * rng.integers(2)
            aim = (np.sin(angle), np.cos(angle))
            path = _walk(rng, maps, start.astype(float), aim, rng.uniform(15, 70), side=-1, wobble=0.13)
            if len(path) > 8 and all(maps.look(maps.junction, p) < -3 for p in path):
                strength = rng.uniform(0.3, 1.0)
                strand = Strand(path, "elastin", strength, rng.uniform(0.4, 1.0), beaded=0.0, fade=(5, 5))
                _strand(rng, splats, strand, 0.8, 0.0)
    return splats.image()
