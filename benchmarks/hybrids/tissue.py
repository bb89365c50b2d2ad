"""Fibers of the second generator drawn into real skin, along a junction that was traced by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import ienfd
from benchmarks.second_look.draw import draw_nerve
from benchmarks.second_look.geometry import Maps, Piece, Scene, make_maps, raster
from benchmarks.second_look.nerves import grow
from benchmarks.second_look.textures import blur

__all__ = ["COUNTERSTAINS", "Hybrid", "Tissue", "in_one_dye", "make", "read_tissue", "with_counterstain"]

_ROOT = Path(__file__).parents[2]
_TRACED = Path(__file__).with_name("traced.json")
# Ruifrok and Johnston 2001
_DAB = np.array([0.27, 0.57, 0.78])
_HEMATOXYLIN, _EOSIN = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])
_WHITE = 255.0
_HAZE_UM, _HAZE = 4.0, 0.3
COUNTERSTAINS = {"light hematoxylin": (0.45, 0.12), "hardly any": (0.12, 0.25), "as it is": (1.0, 1.0)}
"""What is left of hematoxylin and of eosin: nobody stains for nerves on top of both in full."""
_FEWEST = 3  # a section without any crossing says little of this tissue


@dataclass(frozen=True, eq=False)
class Tissue:
    """Real skin in a window of a slide, with what was traced in it.

    Parameters
    ----------
    pixels : (H, W, 3) ndarray of uint8
        The window.
    pixel_size_um : float
        Edge of a pixel.
    junction, surface : (N, 2) ndarray of float
        Row and column in micrometers, from the corner of the window.
    islands : tuple of (N, 2) ndarray of float
        Dermis within the epidermis, in micrometers.
    """

    pixels: np.ndarray
    pixel_size_um: float
    junction: np.ndarray
    surface: np.ndarray
    islands: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Hybrid:
    """One image with its true crossings and the traced junction, as (row, col) in pixels."""

    counterstain: str
    pixels: np.ndarray
    pixel_size_um: float
    crossings_px: np.ndarray
    junction_px: np.ndarray


def read_tissue() -> Tissue:
    """The real tissue that comes with the sample images."""
    traced = json.loads(_TRACED.read_text(encoding="utf-8"))
    top, bottom, left, right = traced["window"]
    section = ienfd.read(_ROOT / traced["image"])
    size = float(traced["pixel_size_um"])

    def um(points: Any) -> np.ndarray:
        return np.asarray((np.array(points, dtype=float) - (top, left)) * size)

    return Tissue(
        np.asarray(section.pixels[0, top:bottom, left:right]),
        size,
        _dense(um(traced["junction"])),
        _dense(um(traced["surface"])),
        tuple(um(island) for island in traced["islands"]),
    )


def make(tissue: Tissue, seed: int) -> Hybrid:
    """Draw nerves into the tissue and turn the image; the same seed gives the same pixels.

    Crossings, fragments, approaching fibers, plexus and dendritic cells come from the second generator,
    which knows nothing but the traced lines. The stain absorbs what light the tissue lets through.
    """
    rng = np.random.default_rng([4, seed])
    scene, maps = _scene(tissue)
    tangle = grow(rng, scene, maps)
    while len(tangle.crossings) < _FEWEST:
        tangle = grow(rng, scene, maps)
    nerve = draw_nerve(rng, tangle, tissue.pixels.shape[:2], tissue.pixel_size_um)
    amount = np.tanh((nerve + _HAZE * blur(nerve, _HAZE_UM / tissue.pixel_size_um)) / 1.6) * 1.6
    color = _DAB * np.exp(rng.normal(0, 0.06, 3))
    density = rng.uniform(0.5, 1.0) * amount[..., None] * color / np.linalg.norm(color)
    counterstain = list(COUNTERSTAINS)[seed % len(COUNTERSTAINS)]
    ground = with_counterstain(tissue.pixels, *COUNTERSTAINS[counterstain])
    pixels = np.rint(ground * 10.0**-density).astype(np.uint8)
    crossings = np.array(tangle.crossings).reshape(-1, 2) / tissue.pixel_size_um
    junction = tissue.junction / tissue.pixel_size_um
    hybrid = Hybrid(counterstain, pixels, tissue.pixel_size_um, crossings, junction)
    turn = int(rng.integers(8))
    return _turned(hybrid, turn % 4, turn >= 4)


def with_counterstain(pixels: np.ndarray, hematoxylin: float, eosin: float) -> np.ndarray:
    """(H, W, 3) light through the same tissue with so much of either dye; pigment and ink stay."""
    amounts, dyes = _unmixed(pixels)
    return _light(amounts * (hematoxylin, eosin, 1.0) @ dyes)


def in_one_dye(pixels: np.ndarray, toward_eosin: float) -> np.ndarray:
    """(H, W, 3) light through what hematoxylin stains and nothing else, in a hue that may be another.

    What a negative control is, and a section whose nerve stain failed. Hematoxylins differ: the hue is that
    of the slide, moved by so much of eosin's, below 0 away from it.
    """
    amounts, dyes = _unmixed(pixels)
    hue = np.maximum(dyes[0] + toward_eosin * dyes[1], 0)
    return _light(np.maximum(amounts[..., :1], 0) * hue / np.linalg.norm(hue))


def _unmixed(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) amounts of hematoxylin, eosin and what is neither, and (3, 3) their colors."""
    dyes = np.stack([_HEMATOXYLIN, _EOSIN, np.cross(_HEMATOXYLIN, _EOSIN)])
    dyes /= np.linalg.norm(dyes, axis=1, keepdims=True)
    return -np.log10(np.maximum(pixels, 1) / _WHITE) @ np.linalg.inv(dyes), dyes


def _light(density: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(_WHITE * 10.0**-density, 0, _WHITE))


def _scene(tissue: Tissue) -> tuple[Scene, Maps]:
    height, width = (size * tissue.pixel_size_um for size in tissue.pixels.shape[:2])
    junction, surface = tissue.junction, tissue.surface
    low, high = junction[0], junction[-1]
    dermis = np.concatenate([junction, [[high[0], 0.0], [low[0], 0.0]]])
    epidermis = np.concatenate([surface, junction[::-1]])
    # it runs down the image with the epidermis on its right; the generator has it on top at heading 0
    piece = Piece(surface, junction, surface[:2], epidermis, dermis, 0.0, np.pi / 2)
    scene = Scene((piece,), (), height, width, "real")
    maps = make_maps(scene)
    island = raster(list(tissue.islands), maps.epidermis.shape, 1.0) > 0.5
    return scene, replace(maps, epidermis=maps.epidermis & ~island)


def _dense(points: np.ndarray, step_um: float = 1.0) -> np.ndarray:
    arc = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, arc[-1], int(arc[-1] / step_um) + 1)
    return np.stack([np.interp(at, arc, points[:, k]) for k in (0, 1)], 1)


def _turned(hybrid: Hybrid, quarters: int, mirrored: bool) -> Hybrid:
    """The same by quarter turns against the clock, and mirrored left to right."""
    pixels, places = hybrid.pixels, [hybrid.crossings_px, hybrid.junction_px]
    for _ in range(quarters):
        width = pixels.shape[1]
        pixels = np.rot90(pixels)
        places = [np.stack([width - 1 - each[:, 1], each[:, 0]], 1) for each in places]
    if mirrored:
        width = pixels.shape[1]
        pixels = pixels[:, ::-1]
        places = [np.stack([each[:, 0], width - 1 - each[:, 1]], 1) for each in places]
    crossings, junction = places
    return replace(hybrid, pixels=np.ascontiguousarray(pixels), crossings_px=crossings, junction_px=junction)
