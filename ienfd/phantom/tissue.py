"""What fills the tissue between the small things: regions, collagen, lamellae, on a coarse grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw
from scipy.ndimage import gaussian_filter

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.curves import FloatArray, smooth_noise
from ienfd.phantom.optics import Image, splat
from ienfd.phantom.spec import PhantomSpec
from ienfd.phantom.structures import Structure

__all__ = ["GRID_UM", "Tissue", "fill_tissue"]

GRID_UM = 1.0


@dataclass(frozen=True, eq=False)
class Tissue:
    """Coarse fields (one sample per `GRID_UM`); regions have one layer per level of depth.

    Parameters
    ----------
    epidermis, dermis : (L, h, w) ndarray of float32
        Share of viable epidermis and of dermis at every level.
    corneum : (h, w) ndarray of float32
        Share of corneum with its lamellae.
    collagen : (h, w) ndarray of float32
        Texture of the dermis, about one on average.
    mottle : (h, w) ndarray of float32
        Slow variation of staining, about one on average.
    """

    epidermis: Image
    dermis: Image
    corneum: Image
    collagen: Image
    mottle: Image


def _fill(polygon_um: FloatArray, shape: tuple[int, int]) -> Image:
    """Area share of a polygon in every cell of the coarse grid."""
    canvas = PilImage.new("L", (shape[1] * 2, shape[0] * 2))
    xy = ((polygon_um[:, ::-1] / GRID_UM + 0.5) * 2 - 0.5).ravel().tolist()
    ImageDraw.Draw(canvas).polygon(xy, fill=255)
    array: NDArray[np.uint8] = np.asarray(canvas)
    share = array.reshape(shape[0], 2, shape[1], 2).mean(axis=(1, 3), dtype=np.float32) / 255
    return np.asarray(share, dtype=np.float32)


def fill_tissue(
    spec: PhantomSpec,
    skins: list[Skin],
    structures: list[list[Structure]],
    extent_um: tuple[float, float],
    rng: np.random.Generator,
) -> Tissue:
    """Fields of all pieces of skin within an image of `extent_um`."""
    shape = int(np.ceil(extent_um[0] / GRID_UM)) + 2, int(np.ceil(extent_um[1] / GRID_UM)) + 2
    levels = len(skins[0].levels_um)
    epidermis = np.zeros((levels, *shape), dtype=np.float32)
    dermis = np.zeros_like(epidermis)
    corneum = np.zeros(shape, dtype=np.float32)
    collagen = np.zeros(shape, dtype=np.float32)
    rim = np.zeros(shape, dtype=np.float32)
    for skin, placed in zip(skins, structures, strict=True):
        outline = _fill(skin.outline_um, shape)
        inside = _fill(_closed_below(skin, skin.surface_um), shape)
        below = np.stack([_fill(_closed_below(skin, curve), shape) for curve in skin.junctions_um])
        below = gaussian_filter(below, (0, spec.edge_softness_um, spec.edge_softness_um))
        own_dermis = outline * np.minimum(below, inside)
        own_epidermis = outline * np.clip(inside - below, 0, 1)
        for structure in placed:
            _carve(structure, own_dermis, own_epidermis)
        np.maximum(dermis, own_dermis, out=dermis)
        np.maximum(epidermis, own_epidermis, out=epidermis)
        corneum = np.maximum(corneum, _corneum(spec, skin, outline * (1 - inside), rng))
        collagen = np.maximum(collagen, _collagen(skin, shape, rng))
        near_rim = 1.6 * (1 - gaussian_filter(outline, 22.0, truncate=2.5))
        rim = np.maximum(rim, outline * np.clip(near_rim, 0, 1))
    collagen = (1 - spec.collagen_contrast) + spec.collagen_contrast * collagen
    mottle = 1 + 0.10 * _noise(rng, shape, 60.0) + 0.06 * _noise(rng, shape, 12.0)
    mottle = np.clip(mottle + 0.04 * _noise(rng, shape, 2.5), 0.5, 1.6) + spec.edge_effect * rim
    return Tissue(epidermis, dermis, corneum, collagen.astype(np.float32), mottle.astype(np.float32))


def _carve(structure: Structure, dermis: Image, epidermis: Image) -> None:
    """Put a structure into the fields in place: lumen, wall, epithelium, or nothing where a cleft gapes."""
    reach = 1.6 * structure.half_axes_um[0] + 2
    first = np.maximum(((structure.center_um - reach) / GRID_UM).astype(int), 0)
    last = np.minimum(((structure.center_um + reach) / GRID_UM).astype(int) + 1, dermis.shape[1:])
    if np.any(last <= first):
        return
    rows, cols = np.mgrid[first[0] : last[0], first[1] : last[1]] * GRID_UM
    radius = structure.radius(rows, cols)
    short = structure.half_axes_um[1]
    inside = np.clip((1 - radius) * short + 0.5, 0, 1).astype(np.float32)
    lumen = np.clip((1 - structure.wall_um / short - radius) * short + 0.5, 0, 1).astype(np.float32)
    window = (slice(None), slice(first[0], last[0]), slice(first[1], last[1]))
    if structure.kind == "adnexum":
        epidermis[window] = np.maximum(epidermis[window], inside - lumen)
        dermis[window] *= 1 - inside
        return
    gain = 0.0 if structure.kind == "cleft" else 1.25
    content = 0.05 if structure.kind == "cleft" else 0.1 + 2.0 * structure.filled
    dermis[window] *= (1 - inside) + (inside - lumen) * gain + lumen * content


def _closed_below(skin: Skin, curve: FloatArray) -> FloatArray:
    """Polygon between a curve and a line far below it."""
    depth = 2000.0
    up = skin.up[[-1, len(skin.up) // 2, 0]]
    deep = np.stack([curve[-1] - depth * up[0], curve[len(curve) // 2] - 2 * depth * up[1],
                     curve[0] - depth * up[2]])  # fmt: skip
    return np.concatenate([curve, deep])


def _noise(rng: np.random.Generator, shape: tuple[int, int], correlation_um: float) -> Image:
    """Smooth unit-variance noise made on a grid as coarse as it allows."""
    from ienfd.phantom.optics import enlarge

    factor = max(1, int(correlation_um / GRID_UM / 3))
    small = (shape[0] // factor + 3, shape[1] // factor + 3)
    white = rng.standard_normal(small).astype(np.float32)
    smooth = gaussian_filter(white, correlation_um / GRID_UM / factor)
    smooth /= max(float(smooth.std()), 1e-6)
    return enlarge(smooth, factor, shape) if factor > 1 else smooth[: shape[0], : shape[1]]


def _corneum(spec: PhantomSpec, skin: Skin, mask: Image, rng: np.random.Generator) -> Image:
    """Lamellae between surface and outside, gaps between them, and flakes that came off."""
    lines = np.zeros(mask.shape, dtype=np.float32)
    low, high = max(skin.span[0] - 30, 0), min(skin.span[1] + 30, len(skin.up))
    surface, outer, up = skin.surface_um[low:high], skin.outer_um[low:high], skin.up[low:high]
    count = int(spec.corneum_um * rng.uniform(0.7, 1.3))
    billow = spec.flaking * 0.10 * smooth_noise(rng, len(surface), 9.0)
    for layer in range(count):
        level = (layer + 0.5) / count + billow + 0.05 * smooth_noise(rng, len(surface), 12.0)
        dense = np.repeat(surface + level[:, None] * (outer - surface), 2, axis=0)
        dense[1:-1:2] = (dense[:-2:2] + dense[2::2]) / 2
        strength = np.clip(0.6 + 0.9 * smooth_noise(rng, len(dense), 16.0), 0, None) * rng.uniform(0.3, 1.0)
        splat(lines, dense / GRID_UM, strength)
    lines = gaussian_filter(lines, 0.45)
    loose = np.clip(1 - spec.flaking * (0.35 + 0.4 * _noise(rng, mask.shape, 4.0)), 0.1, 1)
    field = mask * loose * (0.45 + 0.9 * lines)
    for _ in range(int(rng.poisson(spec.flaking * 5 * (high - low) / 1000))):
        start = int(rng.integers(0, max(1, high - low - 60)))
        length = int(rng.uniform(25, 160))
        part = slice(start, min(start + length, high - low))
        lift = rng.uniform(2, 10) + rng.uniform(0.0, 0.18) * np.arange(len(surface[part]))
        lift = lift + 2 * smooth_noise(rng, len(lift), 15.0)
        path = outer[part] + up[part] * lift[:, None]
        flake = np.zeros(mask.shape, dtype=np.float32)
        splat(flake, path / GRID_UM, np.full(len(path), rng.uniform(1.0, 3.0)))
        field = np.maximum(field, gaussian_filter(flake, rng.uniform(0.6, 1.2), truncate=3))
    return np.asarray(np.clip(field, 0, 1.6), dtype=np.float32)


def _collagen(skin: Skin, shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Wavy bundles, fine below the junction and coarse deeper down."""
    total = np.zeros(shape, dtype=np.float32)
    extent = np.array(shape) * GRID_UM
    area = float(np.prod(extent))
    for width, length, share in ((0.9, 40.0, 0.9), (1.8, 70.0, 0.9), (3.5, 110.0, 0.7)):
        strands = int(np.clip(area / (width * 2.2 * length) * share, 10, 12_000))
        count = int(length)
        centers = rng.uniform(-20, extent + 20, (strands, 2))
        normal = skin.nearest_normals(centers)
        base = np.arctan2(normal[:, 1], -normal[:, 0])
        spread = rng.normal(0, 0.45, strands)
        turn = gaussian_filter(rng.standard_normal((strands, count)), (0, 9.0)) * 1.6
        heading = base[:, None] + spread[:, None] + turn
        rows = centers[:, :1] + np.cumsum(np.sin(heading), axis=1)
        cols = centers[:, 1:] + np.cumsum(np.cos(heading), axis=1)
        weight = np.repeat(rng.lognormal(0, 0.5, strands), count)
        layer = np.zeros(shape, dtype=np.float32)
        splat(layer, np.column_stack([rows.ravel(), cols.ravel()]) / GRID_UM, weight)
        total += gaussian_filter(layer, width)
    total /= max(float(total.mean()), 1e-6)
    return np.asarray(np.clip(total, 0, 3), dtype=np.float32)
