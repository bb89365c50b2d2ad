"""The pixels of a section for a viewer: its stored picture at once, the image itself when it is read."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ienfd.errors import IenfdError
from ienfd.io import file_sha256, read
from ienfd.protocol import Protocol
from ienfd.section import ChannelRole, Section
from ienfd.stain.roles import assign_roles
from ienfd.study.records import Placement

__all__ = ["ImageView", "Loaded", "load_image", "picture_view", "section_views"]

_SMALLEST_PX = 700  # longest side of the coarsest level
_SAMPLE = 300_000
_COLORMAPS = {
    ChannelRole.NERVE: "gray",
    ChannelRole.BASEMENT_MEMBRANE: "bop orange",
    ChannelRole.NUCLEI: "bop blue",
}
_NAMES = {
    ChannelRole.NERVE: "nerve",
    ChannelRole.BASEMENT_MEMBRANE: "basement membrane",
    ChannelRole.NUCLEI: "nuclei",
}


@dataclass(frozen=True, eq=False)
class ImageView:
    """One image layer.

    Parameters
    ----------
    name : str
        What it shows.
    levels : list of ndarray
        The image, and for big ones its halves: (Z, H, W), (H, W) or (H, W, 3).
    scale_um, translate_um : tuple of float
        Size of a pixel of the first level along each axis, and where its first pixel lies; the center
        of the first pixel of the section is at 0.
    rgb : bool
        Whether the last axis is color.
    colormap : str
        How a grey image is colored.
    limits : (float, float) or None
        What is shown as black and as white.
    """

    name: str
    levels: list[NDArray[Any]]
    scale_um: tuple[float, ...]
    translate_um: tuple[float, ...]
    rgb: bool
    colormap: str = "gray"
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Loaded:
    """What came of reading an image: its layers, or why there are none."""

    views: list[ImageView] = field(default_factory=list)
    problem: str = ""


def picture_view(jpeg: bytes, shape: tuple[int, int], pixel_size_um: float) -> ImageView | None:
    """The stored picture of a section of `shape` (H, W) as a layer; None when it is damaged."""
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, ValueError):
        return None
    factors = [full / shown for full, shown in zip(shape, pixels.shape[:2], strict=True)]
    return ImageView(
        "picture",
        _pyramid(pixels, leading=0),
        tuple(factor * pixel_size_um for factor in factors),
        tuple((factor - 1) / 2 * pixel_size_um for factor in factors),  # of pixel centers
        rgb=True,
    )


def load_image(place: Placement, protocol: Protocol) -> Loaded:
    """Read the image of a row at full resolution, if it is still what was analyzed.

    Nothing is raised: this runs beside the viewer, and what is wrong is said in its result.
    """
    path = Path(place.root) / place.path
    size = place.calibration.get("pixel_size_um")
    try:
        if file_sha256(path) != place.sha256:
            return Loaded(problem=f"{path} is not the image that was analyzed: only its picture is shown.")
        section = read(path, scene=place.scene, sha256=place.sha256)
        return Loaded(section_views(section, protocol, float(size) if size else 1.0))
    except IenfdError as error:
        return Loaded(problem=f"{path}: {error} Only its picture is shown.")
    except OSError as error:
        return Loaded(problem=f"{path}: {error.strerror or error}. Only its picture is shown.")
    except MemoryError:
        return Loaded(problem=f"{path} does not fit into memory. Only its picture is shown.")


def section_views(section: Section, protocol: Protocol, pixel_size_um: float) -> list[ImageView]:
    """The channels of a section, or its colors, as layers; a stack keeps its planes."""
    z_um = section.calibration.z_step_um or 1.0
    scale: tuple[float, ...] = (pixel_size_um, pixel_size_um)
    if section.planes > 1:
        scale = (z_um, *scale)
    origin = (0.0,) * len(scale)
    if section.rgb:
        pixels = section.pixels if section.planes > 1 else section.pixels[0]
        levels = _pyramid(_to_bytes(pixels, section.bit_depth), leading=section.planes > 1)
        return [ImageView("image", levels, scale, origin, rgb=True)]
    named, _ = assign_roles(section, protocol.image)
    views = []
    for index, channel in enumerate(named.channels):
        stack = named.pixels[..., index]
        levels = _pyramid(stack if named.planes > 1 else stack[0], leading=named.planes > 1)
        said = " ".join(
            w for w in (channel.name, f"({_NAMES[channel.role]})" if channel.role in _NAMES else "") if w
        )
        views.append(
            ImageView(
                said or f"channel {index + 1}",
                levels,
                scale,
                origin,
                rgb=False,
                colormap=_COLORMAPS.get(channel.role, "gray") if channel.role else "gray",
                limits=_limits(levels[-1], faint=channel.role in (ChannelRole.NERVE, None)),
            )
        )
    views.sort(key=lambda view: view.colormap == "gray")  # the nerves lie above the rest
    return views


def _pyramid(pixels: NDArray[Any], leading: int) -> list[NDArray[Any]]:
    """The image and its halves along rows and columns; `leading` axes before them stay whole."""
    levels = [pixels]
    while max(levels[-1].shape[leading : leading + 2]) > _SMALLEST_PX:
        levels.append(_halved(levels[-1], leading))
    return levels


def _halved(pixels: NDArray[Any], leading: int) -> NDArray[Any]:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    rows, cols = (side // 2 * 2 for side in pixels.shape[leading : leading + 2])
    even = pixels[(slice(None),) * leading + (slice(0, rows), slice(0, cols))]
    every = (slice(None),) * leading
    wide = np.float32 if pixels.dtype.kind == "f" else np.uint32
    parts = [even[(*every, slice(row, None, 2), slice(col, None, 2))] for row in (0, 1) for col in (0, 1)]
    total = parts[0].astype(wide)
    for part in parts[1:]:
        np.add(total, part, out=total, casting="unsafe")
    return np.asarray(total / 4 if pixels.dtype.kind == "f" else total // 4, pixels.dtype)


def _to_bytes(pixels: NDArray[Any], bit_depth: int | None) -> NDArray[np.uint8]:
    """Color samples as a viewer takes them."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)
    if pixels.dtype.kind in "ui":
        top = float(2 ** (bit_depth or 8 * pixels.dtype.itemsize) - 1)
    else:
        top = 1.0 if float(np.nanmax(pixels)) <= 1.0 else 255.0
    return np.asarray(np.clip(np.nan_to_num(pixels) * (255.0 / top), 0, 255), np.uint8)


def _limits(coarse: NDArray[Any], *, faint: bool) -> tuple[float, float]:
    """Black and white so that what is faint is seen, or only what stands out."""
    sample = coarse.ravel()[:: max(1, coarse.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(sample, [1.0 if faint else 60.0, 99.8])
    return float(low), float(max(high, low + 1e-6))
