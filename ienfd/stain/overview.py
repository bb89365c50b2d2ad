"""The section at low resolution: what the skin room looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ienfd.protocol import Stain
from ienfd.section import ChannelRole, Section
from ienfd.stain.brightfield import WhiteField, fit_white_field, positions
from ienfd.stain.grid import Grid, block_mean
from ienfd.stain.ground import Ground, find_ground
from ienfd.stain.margin import find_margin
from ienfd.stain.mosaic import field_light

__all__ = [
    "BLUE",
    "OVERVIEW_PIXEL_UM",
    "LowResolution",
    "Overview",
    "full_scale",
    "make_overview",
    "read_overview",
    "signal_of",
]

_Float32 = NDArray[np.float32]

OVERVIEW_PIXEL_UM = 1.25
BLUE = 2
"""The color that shows nuclei in a color photograph of fluorescence, beside another."""

_DARKEST = -0.9  # light below the ground is noise
_ROUNDING = 0.3  # standard deviation of what is rounded to whole numbers
_HARDLY = 0.1  # of the light of the brightest color
_SHOWS_LAYERS = ChannelRole.NUCLEI, ChannelRole.BASEMENT_MEMBRANE
_MIDDLE = 1 / 3  # of the planes of a stack


@dataclass(frozen=True, eq=False)
class LowResolution:
    """Samples of the image at low resolution.

    Parameters
    ----------
    light : (H, W, C) ndarray of float32
        Mean over all planes.
    grid : Grid
        The way back to full resolution.
    margin : (H, W) ndarray of bool
        Where nothing was photographed, see `find_margin`.
    """

    light: _Float32
    grid: Grid
    margin: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Overview:
    """Stain signals on a grid of about 1.25 um.

    Parameters
    ----------
    grid : Grid
        The way back to full resolution.
    signals : (K, H, W) ndarray of float32
        One plane per color or channel: optical density, or logarithm of fluorescence; tissue is
        positive and glass is near 0.
    noise : (K,) ndarray of float
        Standard deviation of the glass in every signal.
    roles : tuple of ChannelRole or None
        What each signal shows; None for a color of a bright-field image.
    white : WhiteField or None
        Light of the glass (bright-field).
    dark : (K,) ndarray of float or None
        Light of the empty ground (fluorescence), in sample values.
    saturated : (H, W) ndarray of float32
        Fraction of saturated samples.
    margin : (H, W) ndarray of bool
        Where nothing was photographed: all signals are 0, as on glass.
    samples : tuple of int
        Channel or color of the image that each signal was made of (fluorescence).
    """

    grid: Grid
    signals: _Float32
    noise: NDArray[np.float64]
    roles: tuple[ChannelRole | None, ...]
    white: WhiteField | None
    dark: NDArray[np.float64] | None
    saturated: _Float32
    margin: NDArray[np.bool_]
    samples: tuple[int, ...] = ()

    @property
    def nerve(self) -> int | None:
        """Channel or color of the image that holds the nerve stain (fluorescence)."""
        shown = zip(self.samples, self.roles, strict=False)
        return next((sample for sample, role in shown if role is ChannelRole.NERVE), None)


def full_scale(section: Section) -> float:
    """Largest sample value that the format can hold (1 for float images up to 1)."""
    if section.pixels.dtype.kind in "ui":
        bits = section.bit_depth or section.pixels.dtype.itemsize * 8
        return float(2**bits - 1)
    top = float(np.nanmax(section.pixels[:, ::7, ::7])) if section.pixels.size else 1.0
    return 1.0 if top <= 1.0 else top


def read_overview(section: Section) -> LowResolution:
    """The section in blocks of about 1.25 um."""
    factor = max(1, round(OVERVIEW_PIXEL_UM / section.pixel_size_um))
    factor = max(1, min(factor, *section.shape))
    grid = Grid(factor, factor * section.pixel_size_um)
    light = _mean_of_planes(section.pixels, factor)
    return LowResolution(light, grid, find_margin(light, full_scale(section), grid.pixel_size_um))


def _mean_of_planes(planes: NDArray[Any], factor: int) -> _Float32:
    """(H, W, C) mean over blocks of (P, rows, columns, C) planes."""
    total: Any = 0
    for plane in planes:
        total = total + block_mean(plane, factor)
    return np.nan_to_num(np.asarray(total / len(planes), np.float32), copy=False)


def make_overview(section: Section, low: LowResolution, stain: Stain) -> Overview:
    """Turn low-resolution samples into stain signals.

    Parameters
    ----------
    section : Section
    low : LowResolution
        From `read_overview`. Of a stack, what shows the layers is read once more, from its middle.
    stain : {"bright-field", "fluorescence"}

    Returns
    -------
    Overview
    """
    small, grid, margin = low.light, low.grid, low.margin
    top = full_scale(section)
    saturated = _saturated(section, int(grid.factor), stain, top)
    if stain == "bright-field":
        floor = top / 255
        log_light = np.log(np.maximum(small, floor))
        log_light -= field_light(log_light, ~margin)[..., None]
        white = fit_white_field(log_light, ~margin, grid.pixel_size_um)
        rows, cols = small.shape[:2]
        field = white.at(positions(0, rows, rows, rows), positions(0, cols, cols, cols))
        density = np.ascontiguousarray(np.moveaxis(field - log_light, -1, 0))
        density[:, margin] = 0
        return Overview(grid, density, white.noise, (None,) * small.shape[2], white, None, saturated, margin)
    shown = _colors(small) if section.rgb else [channel.role for channel in section.channels]
    used = [c for c, role in enumerate(shown) if role is not ChannelRole.IGNORE]
    roles = tuple(shown[c] for c in used)
    rounding = _ROUNDING if section.pixels.dtype.kind in "ui" else 0.0
    signals, noises, grounds = [], [], []
    for c, role in zip(used, roles, strict=True):
        layers_of_a_stack = section.planes > 1 and role in _SHOWS_LAYERS
        light = _midway(section, c, int(grid.factor)) if layers_of_a_stack else small[..., c]
        ground = find_ground(light, margin, grid.pixel_size_um, rounding)
        signal, noise = _fluorescence_signal(light, ground)
        signals.append(np.where(margin, np.float32(0), signal))
        noises.append(noise)
        grounds.append(ground.level)
    dark = np.array(grounds)
    return Overview(
        grid, np.stack(signals), np.array(noises), roles, None, dark, saturated, margin, tuple(used)
    )


def _midway(section: Section, channel: int, factor: int) -> _Float32:
    """A channel by the planes about the middle of the section.

    The junction is its mean over the depth, and where it slants, all planes together are as blurred as it is
    wide: the walls of narrow papillae are lost in them.
    """
    last = section.planes - 1
    aside = int(_MIDDLE * section.planes / 2)
    middle = section.pixels[last // 2 - aside : (last + 1) // 2 + aside + 1, ..., channel : channel + 1]
    return _mean_of_planes(middle, factor)[..., 0]


def _colors(small: _Float32) -> list[ChannelRole | None]:
    """What each color of a color photograph of fluorescence shows.

    Nerves have the color with most light in it, but blue only where there is no other: beside them it shows
    nuclei (DAPI, Hoechst), unless the photograph is grey. A color that is hardly there is ignored.
    """
    light = np.array([np.quantile(small[..., c], 0.995) - np.quantile(small[..., c], 0.05) for c in range(3)])
    there = light > _HARDLY * light.max()
    nerve = int(np.argmax(light[:BLUE])) if there[:BLUE].any() else BLUE
    shown: list[ChannelRole | None] = [None if seen else ChannelRole.IGNORE for seen in there]
    shown[nerve] = ChannelRole.NERVE
    return shown


def _fluorescence_signal(light: _Float32, ground: Ground) -> tuple[_Float32, float]:
    """Logarithm of the light above the dark ground, scaled so that the ground is 0, and the noise of that."""
    scale = max(0.2 * (ground.tissue - ground.level), 3 * ground.noise, 1e-6)
    return signal_of((light - ground.level) / scale), ground.noise / scale


def signal_of(light: _Float32) -> _Float32:
    """The signal of fluorescence: the logarithm of light above the ground, which `numpy.expm1` takes back."""
    return np.log1p(np.maximum(light, _DARKEST)).astype(np.float32)


def _saturated(section: Section, factor: int, stain: Stain, top: float) -> _Float32:
    """Fraction of samples at the end of the scale where there is tissue: black, or full."""
    if section.pixels.dtype.kind == "f":
        return np.zeros((section.shape[0] // factor, section.shape[1] // factor), np.float32)
    plane = section.pixels[section.planes // 2]
    highest = reduce(np.maximum, np.moveaxis(plane, -1, 0))  # ten times faster than plane.max(axis=-1)
    if stain == "bright-field":
        at_end = highest <= 1
    else:
        nerve = [c for c, channel in enumerate(section.channels) if channel.role is ChannelRole.NERVE]
        at_end = (plane[..., nerve[0]] if nerve and not section.rgb else highest) >= top
    return block_mean(at_end.view(np.uint8), factor)
