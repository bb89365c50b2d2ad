"""Procedural textures of skin on the pixel grid, all (H, W) float32."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from .geometry import Maps, smooth_noise

__all__ = ["Texture", "blur", "cloud", "collagen", "corneum", "keratinocytes", "stamp_nuclei"]


def _stretch(small: np.ndarray, shape: tuple[int, int], step: float, start: float) -> np.ndarray:
    """Linear enlargement by `step` of a grid, from `start` cells into it."""
    box = (start, start, start + shape[1] / step, start + shape[0] / step)
    image = Image.fromarray(np.ascontiguousarray(small, np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR, box=box))


def cloud(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> np.ndarray:
    """Smooth noise of unit variance with the given correlation length."""
    step = max(1.0, scale_px / 2.5)
    if step == 1.0:  # fine grain: one large tile, repeated
        tile = rng.standard_normal((min(shape[0], 1103), min(shape[1], 1259)), np.float32)
        tile = gaussian_filter(tile, scale_px, mode="wrap")
        tile /= tile.std() + 1e-9
        repeats = (-(-shape[0] // tile.shape[0]), -(-shape[1] // tile.shape[1]))
        return np.tile(tile, repeats)[: shape[0], : shape[1]]
    small = rng.standard_normal((int(shape[0] / step) + 12, int(shape[1] / step) + 12), np.float32)
    small = gaussian_filter(small, scale_px / step)
    small /= small.std() + 1e-9
    return _stretch(small, shape, step, 5.0)


def blur(image: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur; a wide one on a reduced grid, where it costs little."""
    step = int(sigma_px / 1.6)
    if step < 2:
        return gaussian_filter(image, sigma_px, truncate=3.0)
    height, width = image.shape
    rows, cols = -(-height // step), -(-width // step)
    padded = np.pad(image, ((0, rows * step - height), (0, cols * step - width)))
    small = padded.reshape(rows, step, cols, step).mean((1, 3), dtype=np.float32)
    inner = np.sqrt(max((sigma_px / step) ** 2 - 0.25, 0.3))  # what box and interpolation leave to do
    return _stretch(gaussian_filter(small, inner, truncate=3.0), image.shape, step, 0.0)


def _tile(rng: np.random.Generator, along: float, across: float) -> np.ndarray:
    tile = gaussian_filter(rng.standard_normal((512, 512)).astype(np.float32), (across, along), mode="wrap")
    return np.asarray(tile / tile.std())


def collagen(
    rng: np.random.Generator, shape: tuple[int, int], pixel_um: float, heading: float, coarse: np.ndarray
) -> np.ndarray:
    """Wavy bundles of collagen, fine where `coarse` is 0 (papillary) and thick where it is 1 (reticular)."""
    half = ((shape[0] + 1) // 2, (shape[1] + 1) // 2)
    rows, cols = np.mgrid[: half[0], : half[1]].astype(np.float32) * np.float32(2 * pixel_um)
    bend = cloud(rng, half, 25 / pixel_um) * rng.uniform(14, 30)
    wave = cloud(rng, half, 9 / pixel_um) * rng.uniform(3, 7)
    u = rows * np.sin(heading) + cols * np.cos(heading)
    v = rows * np.cos(heading) - cols * np.sin(heading) + bend + wave
    u += cloud(rng, half, 40 / pixel_um) * 12
    thick, fine = _tile(rng, 22, 2.6), _tile(rng, 9, 1.3)
    thin = map_coordinates(fine, np.stack([v, u]) * 0.9, order=1, mode="grid-wrap")
    bundle = map_coordinates(thick, np.stack([v, u]) * 0.55, order=1, mode="grid-wrap")
    other = map_coordinates(thick, np.stack([v + 0.9 * u, u - 0.9 * v]) * 0.45, order=1, mode="grid-wrap")
    bundle = np.tanh(1.2 * np.maximum(bundle, other) - 0.3)
    mix = coarse[::2, ::2][: half[0], : half[1]]
    out = 0.45 * thin * (1 - 0.5 * mix) + bundle * mix
    return _stretch(out, shape, 2.0, 0.0)


class Texture:
    """Cells of the epidermis: `membrane` (0..1 at borders), `cell` (one value a cell), `centers` in um."""

    def __init__(self, membrane: np.ndarray, cell: np.ndarray, centers: np.ndarray, depth: np.ndarray):
        self.membrane = membrane
        self.cell = cell
        self.centers = centers
        self.depth = depth


def keratinocytes(
    rng: np.random.Generator, shape: tuple[int, int], pixel_um: float, maps: Maps, mask: np.ndarray
) -> Texture:
    """Cobblestones: small upright cells at the junction, larger flat ones above."""
    size_r, size_c = maps.junction.shape
    want = rng.uniform(0, 1, (int(size_r * size_c / 9), 2)) * (size_r - 1, size_c - 1)
    at = want.astype(int)
    ok = maps.epidermis[at[:, 0], at[:, 1]]
    want, at = want[ok], at[ok]
    depth = maps.junction[at[:, 0], at[:, 1]] / (
        maps.junction[at[:, 0], at[:, 1]] + maps.surface[at[:, 0], at[:, 1]] + 1e-3
    )
    tree = cKDTree(want)
    alive = np.ones(len(want), bool)
    for i in range(len(want)):  # dart throwing with a radius that grows with height
        if alive[i]:
            near = tree.query_ball_point(want[i], 6.0 + 3.5 * depth[i])
            alive[[j for j in near if j > i]] = False
    centers, depth = want[alive], depth[alive]
    membrane = np.zeros(shape, np.float32)
    cell = np.zeros(shape, np.float32)
    rr, cc = np.nonzero(mask > 0.02)
    if len(centers) < 3 or rr.size == 0:
        return Texture(membrane, cell, centers, depth)
    where = np.stack([rr, cc], 1) * pixel_um
    wobble = np.stack(
        [cloud(rng, shape, 2.5 / pixel_um)[rr, cc], cloud(rng, shape, 2.5 / pixel_um)[rr, cc]], 1
    )
    dist, index = (np.asarray(found) for found in cKDTree(centers).query(where + 0.9 * wobble, k=2))
    membrane[rr, cc] = np.exp(-(((dist[:, 1] - dist[:, 0]) / 1.3) ** 2))
    cell[rr, cc] = rng.standard_normal(len(centers)).astype(np.float32)[index[:, 0]]
    return Texture(membrane, cell, centers, depth)


def corneum(
    rng: np.random.Generator, shape: tuple[int, int], pixel_um: float, distance: np.ndarray, heading: float
) -> np.ndarray:
    """Lamellae or basket weave along the surface: values near 1 in keratin, near 0 in the gaps."""
    warp = cloud(rng, shape, 18 / pixel_um) * 2.5 + cloud(rng, shape, 5 / pixel_um) * 0.8
    profile = np.clip(0.55 + 0.3 * smooth_noise(rng, 2048, rng.uniform(3.0, 9.0)), 0.05, 1.0)
    depth = np.clip((distance + warp + 20) * 10, 0, 2047).astype(np.int16)
    layers = profile.astype(np.float32)[depth]
    if rng.random() < 0.5:
        rows = np.arange(shape[0], dtype=np.float32)[:, None] * pixel_um
        cols = np.arange(shape[1], dtype=np.float32)[None, :] * pixel_um
        along = rows * np.float32(np.sin(heading)) + cols * np.float32(np.cos(heading))
        tile = _tile(rng, 9, 3)
        size = rng.uniform(1.5, 3.0)
        where = np.stack([(distance + 0.4 * warp) * size, along * 0.8 * size])
        net = np.abs(map_coordinates(tile, where, order=1, mode="grid-wrap"))
        layers = np.clip(np.exp(-((net / 0.45) ** 2)) + 0.35 * layers, 0, 1)
    return (0.08 + 0.92 * layers).astype(np.float32)


def stamp_nuclei(
    rng: np.random.Generator,
    canvas: np.ndarray,
    centers: np.ndarray,
    radii: np.ndarray,
    angles: np.ndarray,
    strengths: np.ndarray,
    pixel_um: float,
) -> None:
    """Textured ellipses (chromatin, rim, nucleoli) drawn into `canvas` by maximum."""
    for center, (a, b), angle, strength in zip(centers, radii, angles, strengths, strict=True):
        reach = int(np.ceil(1.3 * max(a, b) / pixel_um)) + 2
        r0, c0 = round(center[0] / pixel_um), round(center[1] / pixel_um)
        top, left = max(r0 - reach, 0), max(c0 - reach, 0)
        bottom, right = min(r0 + reach + 1, canvas.shape[0]), min(c0 + reach + 1, canvas.shape[1])
        if top >= bottom or left >= right:
            continue
        rows = (np.arange(top, bottom) * pixel_um - center[0])[:, None]
        cols = (np.arange(left, right) * pixel_um - center[1])[None, :]
        along = (rows * np.sin(angle) + cols * np.cos(angle)) / a
        across = (rows * np.cos(angle) - cols * np.sin(angle)) / b
        radius = np.hypot(along, across) * (1 + 0.08 * np.cos(3 * np.arctan2(across, along) + angle * 7))
        inside = 1 / (1 + np.exp((radius - 1) * min(a, b) * 3.0))
        grain = gaussian_filter(rng.standard_normal(inside.shape), max(0.45 / pixel_um, 0.7))
        grain /= grain.std() + 1e-6
        value = strength * inside * (0.75 + 0.2 * grain + 0.3 * np.exp(-(((radius - 0.85) / 0.2) ** 2)))
        view = canvas[top:bottom, left:right]
        np.maximum(view, value, out=view)
