"""A large bright-field section with brown fibers: for time and memory, not for accuracy.

It is made in strips of columns, so that making it takes little memory; the strips are sewn together by
fields that are drawn once for the whole section.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.draw import line as pixels_of_line

__all__ = ["LargeSection", "make_section", "write_section"]

FloatImage = NDArray[np.float32]

_HEMATOXYLIN = np.array([0.65, 0.70, 0.29], dtype=np.float32)
_DAB = np.array([0.27, 0.57, 0.78], dtype=np.float32)
_WHITE = 240.0
_STRIP = 1500


@dataclass(frozen=True)
class LargeSection:
    """What is to be made: size in pixels, and how many fibers cross the junction per mm."""

    height: int = 4000
    width: int = 12_000
    pixel_size_um: float = 0.3
    density_per_mm: float = 8.0
    dermal_per_mm: float = 40.0
    epidermis_um: float = 75.0
    glass_um: float = 300.0
    seed: int = 1


def make_section(section: LargeSection) -> NDArray[np.uint8]:
    """Red, green, blue of the section: glass above, epidermis, dermis down to the lower border."""
    rng = np.random.default_rng(section.seed)
    surface, junction = _lines(section, rng)
    fibers = _fibers(section, junction, rng)
    nuclei = _nuclei(section, surface, junction, rng)
    mottle = rng.standard_normal((section.height // 40 + 3, section.width // 40 + 3), dtype=np.float32)
    image = np.empty((section.height, section.width, 3), dtype=np.uint8)
    for start in range(0, section.width, _STRIP):
        columns = slice(start, min(start + _STRIP, section.width))
        image[:, columns] = _strip(
            columns, surface, junction, fibers[:, columns], nuclei[:, columns], mottle, rng
        )
    return image


def _lines(
    section: LargeSection, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows of surface and junction in every column."""
    um = np.arange(section.width) * section.pixel_size_um
    phase = rng.uniform(0, 2 * np.pi, 4)
    bow = 60 * np.sin(um / 900 + phase[0]) + 25 * np.sin(um / 350 + phase[1])
    rete = 14 * np.sin(um / 16 + 2 * np.sin(um / 140 + phase[2])) + 6 * np.sin(um / 6.5 + phase[3])
    surface = section.glass_um + bow
    return surface / section.pixel_size_um, (surface + section.epidermis_um + rete) / section.pixel_size_um


def _fibers(
    section: LargeSection, junction: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Center lines of fibers as they wander: some cross the junction, more run in the dermis."""
    drawn = np.zeros((section.height, section.width), dtype=np.uint8)
    step = 2.0 / section.pixel_size_um
    mm = section.width * section.pixel_size_um / 1000

    def draw(row: float, col: float, heading: float, steps: int, wander: float) -> None:
        at = np.array([row, col])
        path = [at]
        for turn in rng.normal(0, wander, steps):
            heading += turn
            at = at + step * np.array([np.sin(heading), np.cos(heading)])
            path.append(at)
        points = np.rint(path).astype(int)
        for (r0, c0), (r1, c1) in pairwise(points):
            rows, cols = pixels_of_line(r0, c0, r1, c1)
            inside = (rows >= 0) & (rows < section.height) & (cols >= 0) & (cols < section.width)
            drawn[rows[inside], cols[inside]] = int(rng.integers(110, 256))  # beaded

    for col in rng.uniform(0, section.width, rng.poisson(section.density_per_mm * mm)):
        below = rng.uniform(15, 40) / section.pixel_size_um
        draw(junction[int(col)] + below, float(col), -np.pi / 2, int(rng.integers(22, 42)), 0.12)
    for col in rng.uniform(0, section.width, rng.poisson(section.dermal_per_mm * mm)):
        depth = rng.gamma(1.5, 60) / section.pixel_size_um + 15 / section.pixel_size_um
        draw(junction[int(col)] + depth, float(col), rng.choice([0.0, np.pi]), int(rng.integers(20, 90)), 0.1)
    return drawn


def _nuclei(
    section: LargeSection,
    surface: NDArray[np.float64],
    junction: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Round nuclei, dense in the epidermis and sparse below."""
    drawn = np.zeros((section.height, section.width), dtype=np.uint8)
    area = float((junction - surface).sum()) * section.pixel_size_um**2
    radius = 3.0 / section.pixel_size_um
    reach = int(np.ceil(radius * 1.4))
    disk_row, disk_col = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    for within, share in ((True, area / 110), (False, area / 300)):
        for col in rng.integers(0, section.width, int(share)):
            low, high = (surface[col], junction[col]) if within else (junction[col], section.height)
            row = int(rng.uniform(low, high))
            long, tilt = rng.uniform(0.8, 1.35), rng.uniform(0, np.pi)
            along = disk_row * np.cos(tilt) + disk_col * np.sin(tilt)
            across = disk_col * np.cos(tilt) - disk_row * np.sin(tilt)
            body = (along / long) ** 2 + (across * long) ** 2 <= radius**2
            rows, cols = row + disk_row[body], col + disk_col[body]
            inside = (rows >= 0) & (rows < section.height) & (cols >= 0) & (cols < section.width)
            drawn[rows[inside], cols[inside]] = 255
    return drawn


def _strip(
    columns: slice,
    surface: NDArray[np.float64],
    junction: NDArray[np.float64],
    fibers: NDArray[np.uint8],
    nuclei: NDArray[np.uint8],
    mottle: FloatImage,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Light through one strip of columns."""
    height, width = fibers.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    below_surface = 1 / (
        1 + np.exp(-np.clip((rows - surface[None, columns].astype(np.float32)) / 2, -30, 30))
    )
    dermis = 1 / (1 + np.exp(-np.clip((rows - junction[None, columns].astype(np.float32)) / 2, -30, 30)))
    epidermis = below_surface - dermis
    grid = np.meshgrid(
        np.arange(height) / 40 + 1, np.arange(columns.start, columns.stop) / 40 + 1, indexing="ij"
    )
    cloud = map_coordinates(mottle, grid, order=1, output=np.float32)
    body = gaussian_filter(nuclei.astype(np.float32), 1.5) / 255
    nerve = gaussian_filter(fibers.astype(np.float32), 1.3) / 255 * 3.5
    blue = 0.5 * epidermis * (1 + 0.2 * cloud) + 0.16 * dermis * (1 + 0.35 * cloud) + 0.8 * body
    brown = 1.5 * nerve * below_surface + 0.08 * dermis + 0.05 * epidermis
    strip = np.empty((height, width, 3), dtype=np.uint8)
    for channel in range(3):
        light = _WHITE * np.exp(-blue * _HEMATOXYLIN[channel] - brown * _DAB[channel])
        light += 3 * rng.standard_normal(light.shape, dtype=np.float32)
        strip[..., channel] = np.clip(light + 0.5, 0, 255)
    return strip


def write_section(path: Path, section: LargeSection) -> None:
    """Write it as a tiled OME-TIFF, uncompressed."""
    size = section.pixel_size_um
    tifffile.imwrite(
        path,
        make_section(section),
        photometric="rgb",
        tile=(512, 512),
        ome=True,
        metadata={
            "axes": "YXS",
            "PhysicalSizeX": size,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": size,
            "PhysicalSizeYUnit": "µm",
            "Description": "synthetic, for timing",
        },
    )
