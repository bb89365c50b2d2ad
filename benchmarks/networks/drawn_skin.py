"""Skin drawn at random: one texture upon another, along a border that runs as it likes.

Cornified layer, epidermis and dermis lie where they lie in skin; what they look like has nothing to do with
skin. What a network learns from it is that the junction runs where one texture ends and another begins,
whichever is the brighter, whatever lies in them: cells, bundles, vessels, nerves, a gradient, grain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit
from skimage.measure import find_contours

from benchmarks.networks.ink import STEP_UM, Ink, Line, beads, cell_with_processes, walk, wavy
from benchmarks.networks.textures import PIXEL_UM, anywhere, bundles, cells, grain, slow
from ienfd.section import Calibration, Channel, ChannelRole, Section

__all__ = ["DrawnSkin", "draw_skin"]

_Float32 = NDArray[np.float32]
_Floats = NDArray[np.float64]
_Rng = np.random.Generator

_SHAPE = (704, 1280)
_ROLES = (ChannelRole.NERVE, ChannelRole.NUCLEI)
_LEAST_UM = 14.0  # thickness of an epidermis


@dataclass(frozen=True, eq=False)
class DrawnSkin:
    """A drawing of `PIXEL_UM`.

    Parameters
    ----------
    section : Section
        One or two channels, or colors.
    junction_px, surface_px : (N, 2) ndarray of float
        Both from left to right.
    """

    section: Section
    junction_px: _Floats
    surface_px: _Floats


@dataclass(frozen=True, eq=False)
class _Layers:
    """(H, W) distances down from the junction and from the surface, and shares of tissue and its layers."""

    below_um: _Float32
    under_um: _Float32
    relative: _Float32  # depth within the epidermis, 0 to 1
    dermis: _Float32
    living: _Float32
    tissue: _Float32
    junction_row: _Floats  # by column, before everything is bent sideways


def draw_skin(seed: int) -> DrawnSkin:
    """The drawing of a seed."""
    rng = np.random.default_rng(seed)
    layers = _layers(rng)
    stains = [_stained(rng, layers) for _ in range(rng.choice([1, 2]))]
    nerves = _nerves(rng, layers.junction_row) * (layers.under_um > 2)
    draw = _fluorescence if rng.random() < 0.65 else _colors
    return DrawnSkin(draw(rng, stains, nerves, layers), _border(layers.below_um), _border(layers.under_um))


def _layers(rng: _Rng) -> _Layers:
    """Where everything lies."""
    width = _SHAPE[1]
    along = np.arange(width)
    tilt = rng.normal(0, 0.08) * (along - width / 2)
    surface = (rng.uniform(45, 110) + _course(rng, 60, 250) * rng.uniform(3, 18)) / PIXEL_UM + tilt
    thickness_um = rng.choice([rng.uniform(12, 30), rng.uniform(25, 50), rng.uniform(40, 90)])
    waves = _course(rng, 15, 70)
    if rng.random() < 0.5:
        waves = waves * rng.uniform(1, 8)
    else:  # ridges
        waves = np.abs(waves) ** rng.uniform(0.6, 1.5) * rng.uniform(8, 40)
    waves = ndimage.gaussian_filter1d(waves, rng.uniform(3, 8) / PIXEL_UM)
    rough = _course(rng, 5, 5) * rng.uniform(0, 1.5)
    junction = surface + np.maximum(thickness_um + waves + rough, _LEAST_UM) / PIXEL_UM
    cornified_um = rng.choice([0, rng.uniform(5, 45)]) * np.exp(0.2 * _course(rng, 30, 30))
    rows, cols = np.indices(_SHAPE).astype(np.float32)
    sideways = slow(rng, _SHAPE, rng.uniform(25, 60)) * rng.choice([0, 3, 8]) / PIXEL_UM
    lean = rng.choice([0, rng.normal(0, 0.35)])  # ridges lean, and hang over
    bent = np.clip(cols + sideways + lean * (rows - surface.mean()), 0, width - 1)

    def below_um(line: _Floats) -> _Float32:
        return np.asarray((rows - np.interp(bent, along, line)) * PIXEL_UM, np.float32)

    under_um, beneath_um = below_um(surface), below_um(junction)
    return _Layers(
        beneath_um,
        under_um,
        np.clip(under_um / np.maximum(under_um - beneath_um, 1), 0, 1),
        expit(beneath_um / rng.uniform(0.3, 2.5)),
        expit(under_um / rng.uniform(0.4, 1.2)),
        expit(below_um(surface - cornified_um / PIXEL_UM) / 0.6),
        junction,
    )


def _stained(rng: _Rng, layers: _Layers) -> _Float32:
    """(H, W) how much of one stain there is: about 1 in tissue, 0 in the glass."""
    epidermis = _texture(rng, cells_in=0.8, bundles_in=0.05) + rng.normal(0, 0.8) * (layers.relative - 0.5)
    if rng.random() < 0.33:  # a basal layer
        above_um = np.maximum(-layers.below_um, 0)
        epidermis += rng.normal(0, 1.2) * np.exp(-above_um / rng.uniform(4, 10))
    dermis = _texture(rng, cells_in=0.15, bundles_in=0.65) * rng.uniform(0.5, 1.5)
    if rng.random() < 0.5:  # a papillary dermis
        dermis += rng.normal(0, 1.0) * np.exp(-np.maximum(layers.below_um, 0) / rng.uniform(10, 60))
    if rng.random() < 0.5:  # a reticular one below it: its upper border is no junction, however plain
        papillary_um = rng.uniform(20, 100) + slow(rng, _SHAPE, 40.0) * rng.uniform(0, 10)
        reticular = expit((layers.below_um - papillary_um) / rng.uniform(1, 12))
        other = _texture(rng, cells_in=0.05, bundles_in=0.85) * rng.uniform(0.5, 1.5) + rng.normal(0, 1.0)
        dermis += reticular * (other - dermis)
    dermis += _bodies(rng) + _tubes(rng)
    step, border = rng.choice([0, 1, 1]) * rng.normal(0, 1.0), rng.choice([0, 0, 0, rng.uniform(0, 1.2)])
    living = epidermis * (1 - layers.dermis) + (dermis + step) * layers.dermis
    living += border * 4 * layers.dermis * (1 - layers.dermis)
    scales = np.sin(layers.under_um / rng.uniform(0.8, 2) + 3 * slow(rng, _SHAPE, 12.0)) * rng.uniform(0, 1)
    cornified = 0.5 * _texture(rng, cells_in=0.1, bundles_in=0.2) + scales + rng.normal(0, 2.5)
    both = living * layers.living + cornified * (1 - layers.living)
    return np.asarray(np.maximum(1 + rng.uniform(0.08, 0.4) * both, 0.05) * layers.tissue, np.float32)


def _texture(rng: _Rng, *, cells_in: float, bundles_in: float) -> _Float32:
    """(H, W) grain, with cells or bundles in those shares of the drawings."""
    out = grain(rng, _SHAPE, 0.3)
    kind = rng.random()
    if kind < cells_in:
        out += cells(rng, _SHAPE) * rng.uniform(0.4, 2.0)
    elif kind < cells_in + bundles_in:
        out += bundles(rng, _SHAPE) * rng.uniform(0.4, 1.8)
        if rng.random() < 0.5:
            out += bundles(rng, _SHAPE) * rng.uniform(0.2, 1.0)
    return out


def _bodies(rng: _Rng) -> _Float32:
    """(H, W) cells that lie alone, in some drawings."""
    ink = Ink(_SHAPE)
    sigma_um, height = rng.uniform(1.2, 3.0), rng.normal(0, 2)
    for _ in range(int(rng.integers(20, 300)) if rng.random() < 0.5 else 0):
        ink.spot(anywhere(rng, _SHAPE), sigma_um, height)
    return ink.drawn()


def _tubes(rng: _Rng) -> _Float32:
    """(H, W) vessels and ducts, with or without a wall, in some drawings."""
    rows, cols = np.indices(_SHAPE)
    out = np.zeros(_SHAPE, np.float32)
    for _ in range(rng.poisson(rng.choice([0, 2, 6]))):
        (row, col), radii, angle = anywhere(rng, _SHAPE), rng.uniform(4, 25, 2), rng.uniform(0, np.pi)
        y, x = (rows - row) * PIXEL_UM, (cols - col) * PIXEL_UM
        across = (y * np.cos(angle) + x * np.sin(angle)) / radii[0]
        along = (x * np.cos(angle) - y * np.sin(angle)) / radii[1]
        beyond_um = (np.hypot(across, along) - 1) * radii.min()
        wall = rng.choice([0, rng.normal(0, 1.5)]) * np.exp(-((beyond_um / rng.uniform(1, 3)) ** 2))
        out += rng.normal(0, 1.5) * expit(-beyond_um / 0.5) + wall
    return out


def _nerves(rng: _Rng, junction_row: _Floats) -> _Float32:
    """(H, W) nerves along the junction and up from it, and cells with processes: more or less of 1."""
    ink, height = Ink(_SHAPE), rng.choice([0, 1, 1, 1, 1, 1]) * rng.uniform(0.5, 3)

    def nerves(count: int, deep_um: float, long_um: tuple[float, float], way: float, spread: float) -> None:
        for _ in range(count):
            col = rng.uniform(0, _SHAPE[1] - 1)
            begin = np.array([junction_row[int(col)] + rng.uniform(0, deep_um) / PIXEL_UM, col])
            points = walk(rng, rng.uniform(*long_um), 0.045, begin, way + rng.normal(0, spread))
            own = height * np.exp(rng.normal(0, 0.4))
            beaded = beads(rng, STEP_UM * np.arange(len(points), dtype=np.float64), rng.uniform(0, 1))
            ink.line(Line(points, np.full(len(points), rng.uniform(0.3, 1.1)), own * beaded))

    for way in (0, np.pi):
        nerves(rng.poisson(rng.choice([2, 5, 12])), 90.0, (30, 150), way, 0.6)
    nerves(rng.poisson(rng.choice([0, 4, 12])), 30.0, (20, 90), -np.pi / 2, 0.5)
    for _ in range(rng.poisson(rng.choice([0, 5, 20]))):
        cell_with_processes(rng, ink, height * np.exp(rng.normal(0, 0.5)))
    return ink.drawn()


def _fluorescence(rng: _Rng, stains: list[_Float32], nerves: _Float32, layers: _Layers) -> Section:
    """Nerves and tissue in the first channel, tissue in the second if there is one."""
    glass, photons = rng.uniform(0.02, 0.35), rng.choice([60, 200, 1000, 6000])
    blur, shaded, haze = _blur_px(rng), _shading(rng, 0.15), rng.uniform(0, 0.3)
    channels = []
    for number, stain in enumerate(stains):
        light = stain + glass * (1 - layers.tissue) + (number == 0) * rng.uniform(0.1, 1.0) * nerves
        light = np.maximum(ndimage.gaussian_filter(light, blur) * shaded, 0)
        light = light + haze * ndimage.gaussian_filter(light, rng.uniform(5, 15) / PIXEL_UM)
        light = rng.poisson(light * photons) / photons + rng.normal(0, rng.choice([0, 0.03]), _SHAPE)
        channels.append(light / np.quantile(light, 0.9995))
    pixels = np.clip(np.stack(channels, -1) * 50_000, 0, 65_535).astype(np.uint16)[None]
    roles = tuple(Channel(role=role) for role in _ROLES[: len(stains)])
    return Section(pixels, Calibration(PIXEL_UM), roles, bit_depth=16)


def _colors(rng: _Rng, stains: list[_Float32], nerves: _Float32, layers: _Layers) -> Section:
    """Nerves in a dye of any color on tissue in one or two of any color."""
    dyes = rng.uniform(0.05, 1.0, (3, 3))
    dyes /= np.linalg.norm(dyes, axis=1, keepdims=True)
    amounts = [*(stain * rng.uniform(0.08, 0.4) for stain in stains), nerves * rng.uniform(0.1, 0.35)]
    dense = np.stack(amounts, -1) @ dyes[-len(amounts) :]
    blur = _blur_px(rng)
    dense = (ndimage.gaussian_filter(dense, (blur, blur, 0)) + 0.02) * _shading(rng, 0.1)[..., None]
    light = 10**-dense * 245 * np.array([1.0, rng.uniform(0.95, 1), rng.uniform(0.93, 1)])
    pixels = light + rng.normal(0, rng.uniform(0.5, 5), light.shape)
    return Section(
        np.clip(pixels, 0, 255).astype(np.uint8)[None], Calibration(PIXEL_UM), rgb=True, bit_depth=8
    )


def _blur_px(rng: _Rng) -> float:
    return float(rng.uniform(0.1, 0.6) / PIXEL_UM)


def _shading(rng: _Rng, height: float) -> _Float32:
    """(H, W) factors, in half of the drawings other than 1."""
    return np.asarray(1 + rng.choice([0, height]) * slow(rng, _SHAPE, 100.0), np.float32)


def _course(rng: _Rng, least_um: float, most_um: float) -> _Floats:
    """(W,) course across the drawing that changes over micrometers between those."""
    size_um = rng.uniform(least_um, most_um)
    return wavy(rng, _SHAPE[1], size_um, PIXEL_UM)


def _border(below_um: _Float32) -> _Floats:
    """(N, 2) the longest line where a distance is zero, from left to right."""
    line = max(find_contours(below_um, 0.0), key=lambda line: float(np.ptp(line[:, 1])))
    return np.asarray(line if line[0, 1] < line[-1, 1] else line[::-1], np.float64)
