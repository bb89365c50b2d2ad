"""All layers of a section on the pixel grid, free of any stain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from . import textures
from .draw import draw_elastin, draw_nerve
from .geometry import Maps, Scene, enlarge, raster, sample
from .nerves import Tangle

__all__ = ["Layers", "paint_layers"]


@dataclass(frozen=True, eq=False)
class Layers:
    """(H, W) float32 layers; masks 0..1, textures about zero mean unless said."""

    epidermis: np.ndarray
    dermis: np.ndarray
    corneum: np.ndarray
    debris: np.ndarray
    nerve: np.ndarray
    elastin: np.ndarray
    collagen: np.ndarray
    membrane: np.ndarray
    cell: np.ndarray
    keratin: np.ndarray
    nuclei: np.ndarray
    granular: np.ndarray
    basal: np.ndarray
    junction_um: np.ndarray
    duct: np.ndarray
    lumen: np.ndarray
    shaft: np.ndarray


def _duct(
    rng: np.random.Generator, maps: Maps, shape: tuple[int, int], pixel_um: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A sweat duct (rings and coils) or a follicle-like cell nest in the dermis, sometimes."""
    wall, lumen, shaft = (np.zeros(shape, np.float32) for _ in range(3))
    centers: list[np.ndarray] = []
    deep = np.argwhere(maps.dermis & (maps.junction < -75) & (maps.junction > -300))
    if rng.random() < 0.35 and len(deep):
        spot = deep[rng.integers(len(deep))]
        for _ in range(int(rng.integers(1, 5))):
            place = spot + rng.normal(0, 22, 2)
            if sample(maps.junction, place[None])[0] > -55:
                continue
            angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            a, b = rng.uniform(9, 17), rng.uniform(0.6, 1.0)
            ring = (
                place
                + np.stack([a * np.sin(angle), a * b * np.cos(angle)], 1)
                * (1 + 0.08 * np.cos(3 * angle + rng.uniform(0, 6)))[:, None]
            )
            wall = np.maximum(wall, raster([ring], shape, pixel_um))
            if rng.random() < 0.75:
                lumen = np.maximum(
                    lumen, raster([place + (ring - place) * rng.uniform(0.15, 0.35)], shape, pixel_um)
                )
            for share, number in ((0.78, 13), (0.5, 8)):
                turn = np.linspace(0, 2 * np.pi, number, endpoint=False) + rng.uniform(0, 6)
                centers.append(place + share * np.stack([a * np.sin(turn), a * b * np.cos(turn)], 1))
    if rng.random() < 0.2 and len(deep):  # a follicle cut across: epithelium round a hair
        place, size = deep[rng.integers(len(deep))].astype(float), rng.uniform(24, 42)
        angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        ring = np.stack([np.sin(angle), rng.uniform(0.7, 1.0) * np.cos(angle)], 1) * size
        wall = np.maximum(wall, raster([place + ring], shape, pixel_um))
        lumen = np.maximum(lumen, raster([place + 0.42 * ring], shape, pixel_um))
        shaft = raster([place + 0.3 * ring], shape, pixel_um)
        for share in (0.93, 0.75, 0.57):
            turn = np.linspace(0, 2 * np.pi, int(size * share * 0.8), endpoint=False)
            centers.append(place + share * size * np.stack([np.sin(turn), 0.85 * np.cos(turn)], 1))
    return wall, lumen, shaft, np.concatenate(centers) if centers else np.zeros((0, 2))


def _nuclei(
    rng: np.random.Generator,
    scene: Scene,
    maps: Maps,
    cells: textures.Texture,
    duct_centers: np.ndarray,
    epidermis: np.ndarray,
    dermis: np.ndarray,
    pixel_um: float,
) -> np.ndarray:
    canvas = np.zeros(dermis.shape, np.float32)
    heading = scene.pieces[0].heading_rad
    keep = rng.random(len(cells.centers)) < np.where(cells.depth > 0.9, 0.25, 0.9)
    centers, depth = cells.centers[keep], cells.depth[keep]
    if len(centers):
        low = depth < 0.15
        gr, gc = sample(maps.gradient[0], centers), sample(maps.gradient[1], centers)
        upright = np.arctan2(gr, gc)
        a = np.where(low, rng.uniform(3.2, 4.6, len(centers)), rng.uniform(3.2, 4.8, len(centers)))
        b = np.where(low, a * rng.uniform(0.5, 0.75, len(a)), a * np.clip(1.0 - 0.5 * depth, 0.35, 1))
        angles = np.where(low, upright, upright + np.pi / 2) + rng.normal(0, 0.25, len(a))
        strengths = rng.uniform(0.6, 1.0, len(a)) * np.where(low, 1.15, 1.0 - 0.3 * depth)
        textures.stamp_nuclei(rng, canvas, centers, np.stack([a, b], 1), angles, strengths, pixel_um)
    deep = np.argwhere(maps.dermis & (maps.junction < -3))
    if len(deep):
        near = np.exp(maps.junction[deep[:, 0], deep[:, 1]] / 60.0)
        share = (near + 0.25) / (near + 0.25).sum()
        count = int(len(deep) / 1e6 * rng.uniform(500, 1800))
        spots = deep[rng.choice(len(deep), size=count, p=share)] + rng.uniform(-0.5, 0.5, (count, 2))
        a = rng.uniform(3.0, 7.0, count)
        b = rng.uniform(0.9, 2.4, count)
        angles = heading + rng.normal(0, 0.7, count)
        textures.stamp_nuclei(
            rng, canvas, spots, np.stack([a, b], 1), angles, rng.uniform(0.4, 1, count), pixel_um
        )
    if len(duct_centers):
        size = rng.uniform(2.4, 3.2, (len(duct_centers), 2))
        turn, tone = rng.uniform(0, 3, len(size)), rng.uniform(0.7, 1, len(size))
        textures.stamp_nuclei(rng, canvas, duct_centers, size, turn, tone, pixel_um)
    thick = rng.uniform(0.2, 0.6)  # nuclei above and below the focus of a thick section
    roll = (int(9 / pixel_um), int(-7 / pixel_um))
    for region in (epidermis, dermis):
        ghost = gaussian_filter(np.roll(canvas * region, roll, (0, 1)), 1.8 / pixel_um) * region
        np.maximum(canvas, thick * ghost, out=canvas)
    return np.asarray(canvas * np.clip(epidermis + dermis, 0, 1))


def paint_layers(
    rng: np.random.Generator,
    scene: Scene,
    maps: Maps,
    tangle: Tangle,
    shape: tuple[int, int],
    pixel_um: float,
) -> Layers:
    """Masks, textures and nerve of one scene."""
    pieces = scene.pieces
    dermis = raster([p.dermis_area for p in pieces], shape, pixel_um)
    epidermis = raster([p.epidermis_area for p in pieces], shape, pixel_um) * (1 - dermis)
    corneum = raster([p.corneum_area for p in pieces], shape, pixel_um) * (1 - dermis) * (1 - epidermis)
    debris = raster(list(scene.debris), shape, pixel_um) if scene.debris else np.zeros(shape, np.float32)
    junction = enlarge(maps.junction, shape, pixel_um)
    surface = enlarge(maps.surface, shape, pixel_um)
    wall, lumen, shaft, duct_centers = _duct(rng, maps, shape, pixel_um)
    cells = textures.keratinocytes(rng, shape, pixel_um, maps, epidermis)
    coarse = np.clip((-junction - 40) / 90, 0, 1).astype(np.float32)
    collagen = textures.collagen(rng, shape, pixel_um, pieces[0].heading_rad, coarse)
    keratin = textures.corneum(rng, shape, pixel_um, surface, pieces[0].heading_rad)
    band = np.exp(-((surface / rng.uniform(6, 12)) ** 2)) * epidermis
    grains = np.clip(textures.cloud(rng, shape, 0.5 / pixel_um), 0, None)
    tilt = rng.uniform(0.2, 1.6)  # the junction leans through the thickness of the section
    solid = np.clip(epidermis + dermis, 0, 1)
    upper = gaussian_filter(epidermis, tilt / pixel_um)
    lower = gaussian_filter(dermis, tilt / pixel_um)
    share = upper / np.maximum(upper + lower, 1e-3)
    soft_epidermis, soft_dermis = solid * share, solid * (1 - share)
    basal = np.exp(-(((junction - 4) / 4.5) ** 2)) * epidermis
    return Layers(
        soft_epidermis,
        soft_dermis,
        corneum,
        debris,
        draw_nerve(rng, tangle, shape, pixel_um) * np.clip(epidermis + dermis, 0, 1),
        draw_elastin(rng, scene, maps, shape, pixel_um) * dermis,
        collagen,
        cells.membrane,
        cells.cell,
        keratin,
        _nuclei(rng, scene, maps, cells, duct_centers, epidermis, dermis, pixel_um),
        band * (0.4 + 0.6 * grains),
        basal,
        junction,
        wall * dermis,
        lumen * dermis,
        shaft * dermis,
    )
