"""The base picture of a section: its pixels reduced to what a screen or a page can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ienfd.geometry import FloatArray
from ienfd.section import ChannelRole, Section

__all__ = ["Picture", "picture"]

TARGET_UM_PER_PX = 0.5
"""Finer pixels show nothing more of a fiber to a person who looks at a whole section."""

_SAMPLE = 400_000  # pixels looked at to choose the contrast
_TINTS = {ChannelRole.BASEMENT_MEMBRANE: (0, 95, 80), ChannelRole.NUCLEI: (30, 60, 125)}
_NERVE_TINT = (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture of a section, and how its pixels lie in the section.

    Parameters
    ----------
    pixels : (H, W, 3) ndarray of uint8
        Red, green, blue.
    scale : (float, float)
        Picture pixels per full-resolution pixel along rows and columns.
    um_per_px : float or None
        Size of a picture pixel in micrometers; None when the section is not calibrated.
    """

    pixels: NDArray[np.uint8]
    scale: tuple[float, float]
    um_per_px: float | None

    @property
    def dark(self) -> bool:
        """Whether bright lines are needed on it."""
        thinned = self.pixels[:: max(1, self.pixels.shape[0] // 256), :: max(1, self.pixels.shape[1] // 256)]
        return float(thinned.mean()) < 110.0

    def to_picture(self, points_px: FloatArray) -> FloatArray:
        """(N, 2) full-resolution (row, col) as (row, col) of the picture, pixel centers at integers."""
        placed: FloatArray = (np.asarray(points_px, dtype=np.float64) + 0.5) * np.array(self.scale) - 0.5
        return placed


def picture(section: Section, max_px: int = 6000) -> Picture:
    """Make the base picture of a section.

    A color image is shown as it is (the darkest plane of a stack at each pixel). In fluorescence the
    nerve channel is a maximum projection in grey with its contrast stretched between percentiles,
    basement membrane and nuclei lie beneath it in subdued colors.

    Parameters
    ----------
    section : Section
        Calibrated or not.
    max_px : int
        Longest side of the picture in pixels.

    Returns
    -------
    Picture
        No finer than 0.5 um per pixel where the pixel size is known.

    Raises
    ------
    ValueError
        If `max_px` is less than 1.
    """
    if max_px < 1:
        raise ValueError(f"max_px must be at least 1, not {max_px}")
    pixel_size_um = section.calibration.pixel_size_um
    factor = min(1.0, max_px / max(section.shape))
    if pixel_size_um is not None and pixel_size_um > 0:
        factor = min(factor, pixel_size_um / TARGET_UM_PER_PX)
    height, width = (max(1, round(side * factor)) for side in section.shape)
    pixels = _color(section, (width, height)) if section.rgb else _channels(section, (width, height))
    scale = (height / section.shape[0], width / section.shape[1])
    return Picture(pixels, scale, None if pixel_size_um is None else pixel_size_um / scale[1])


def _color(section: Section, size: tuple[int, int]) -> NDArray[np.uint8]:
    plane = section.pixels[0] if section.planes == 1 else section.pixels.min(axis=0)
    return _resized(_to_bytes(plane, section.bit_depth), size)


def _channels(section: Section, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Add the channels up, each in its tint: nerve in white, the others subdued."""
    total = np.zeros((size[1], size[0], 3), dtype=np.float32)
    tints = _channel_tints(section)
    for index, tint in tints.items():
        shown = _resized(_stretched(section.pixels[..., index]), size).astype(np.float32)
        total += shown[..., None] * (np.array(tint, dtype=np.float32) / 255.0)
    return np.minimum(total, 255.0).astype(np.uint8)


def _channel_tints(section: Section) -> dict[int, tuple[int, int, int]]:
    tints = {
        index: _TINTS[channel.role]
        for index, channel in enumerate(section.channels)
        if channel.role in _TINTS
    }
    nerve = [i for i, channel in enumerate(section.channels) if channel.role is ChannelRole.NERVE]
    open_ones = [
        i
        for i, channel in enumerate(section.channels)
        if i not in tints and channel.role is not ChannelRole.IGNORE
    ]
    tints[(nerve or open_ones or [0])[0]] = _NERVE_TINT
    return tints


def _stretched(stack: NDArray[Any]) -> NDArray[np.uint8]:
    """(Z, H, W) samples as one (H, W) plane of bytes between the 1st and the 99.8th percentile."""
    thin = max(1, int(np.sqrt(stack[0].size / _SAMPLE)))
    sample = np.asarray(stack[:, ::thin, ::thin], dtype=np.float32)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return np.zeros(stack.shape[1:], dtype=np.uint8)
    # a bright field in grey: what matters is dark, so the darkest plane is shown
    bright = bool(np.median(sample) > 0.5 * (sample.min() + sample.max()))
    plane = stack[0] if len(stack) == 1 else stack.min(axis=0) if bright else stack.max(axis=0)
    shown = np.asarray(plane[::thin, ::thin], dtype=np.float32)
    low, high = np.percentile(shown[np.isfinite(shown)] if np.isfinite(shown).any() else sample, [1.0, 99.8])
    return _rescaled(plane, float(low), float(max(high, low + 1e-6)))


def _to_bytes(plane: NDArray[Any], bit_depth: int | None) -> NDArray[np.uint8]:
    """Color samples as bytes without changing their balance."""
    if plane.dtype == np.uint8:
        return np.asarray(plane, dtype=np.uint8)
    if plane.dtype.kind in "ui":
        return _rescaled(plane, 0.0, float(2 ** (bit_depth or 8 * plane.dtype.itemsize) - 1))
    finite = plane[np.isfinite(plane)]
    top = float(finite.max()) if finite.size else 1.0
    return _rescaled(plane, 0.0, 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else top)


def _rescaled(plane: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    if plane.dtype in (np.uint8, np.uint16):  # a table is ten times faster than arithmetic
        table = np.arange(2 ** (8 * plane.dtype.itemsize), dtype=np.float32)
        return np.asarray(_rescaled(table, low, high)[plane], dtype=np.uint8)
    values = np.nan_to_num(plane.astype(np.float32), nan=low, posinf=high, neginf=low)
    shown: NDArray[np.uint8] = np.clip((values - low) * (255.0 / (high - low)) + 0.5, 0, 255).astype(np.uint8)
    return shown


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Reduce with anti-aliasing: every pixel of the picture is the mean of those it covers."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
