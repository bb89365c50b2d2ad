"""One small phantom in fluorescence, whole and spoilt in one way at a time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from scipy import ndimage

import ienfd
from ienfd.phantom import Phantom, PhantomSpec, make
from ienfd.protocol import Protocol
from ienfd.result import SectionResult
from ienfd.section import Calibration, CalibrationSource, Channel, Section

SPEC = PhantomSpec(
    stain="fluorescence", length_mm=0.5, pixel_size_um=0.5, dermis_um=120.0, density_per_mm=10.0,
    elastin_per_mm=2.0, clustering=0.2, fiber_photons=200.0, open_left=False, open_right=False,
)  # fmt: skip
NO_CROSSING: dict[str, Any] = {"density_per_mm": 0.0, "fragments_per_mm": 0.0, "grazing_per_mm": 0.0}
NO_NERVE: dict[str, Any] = {
    **NO_CROSSING, "plexus_per_mm": 0.0, "bundles_per_mm": 0.0, "approaching_per_mm": 0.0,
    "dermal_per_mm": 0.0, "langerhans_per_mm2": 0.0, "melanocytes_per_mm": 0.0, "elastin_per_mm": 0.0,
    "mast_cells_per_mm": 0.0, "vessels_per_mm": 0.0, "clefts_per_mm": 0.0, "collagen_contrast": 0.0,
}  # fmt: skip


@cache
def phantom(*, nerves: bool = True, crossings: bool = True, seed: int = 41) -> Phantom:
    spec = SPEC if nerves else replace(SPEC, **NO_NERVE)
    return make(spec if crossings else replace(spec, **NO_CROSSING), seed)


def as_section(shown: Phantom) -> Section:
    channels = tuple(Channel(name) for name in shown.channels)
    size = Calibration(shown.spec.pixel_size_um, CalibrationSource.OME)
    return Section(shown.pixels, size, channels, bit_depth=shown.spec.bits)


def analyzed(shown: Phantom, protocol: Protocol | None = None) -> SectionResult:
    """With its stain stated, as in a case table: a spoilt image need not look like what it is."""
    protocol = protocol or Protocol()
    stated = replace(protocol, image=replace(protocol.image, stain="fluorescence"))
    return ienfd.analyze(as_section(shown), stated)


def blurred(shown: Phantom, sigma_um: float) -> Phantom:
    sigma = sigma_um / shown.spec.pixel_size_um
    return with_pixels(shown, ndimage.gaussian_filter(shown.pixels.astype(float), (0, sigma, sigma, 0)))


def saturated(shown: Phantom, share: float) -> Phantom:
    """Exposed so long that this share of the image is at the end of the scale."""
    top = 2**shown.spec.bits - 1
    return with_pixels(shown, shown.pixels * (top / float(np.quantile(shown.pixels, 1 - share))))


def noisy(shown: Phantom, of_a_fiber: float) -> Phantom:
    """With noise of this share of the height of its brightest fibers."""
    height = float(np.quantile(shown.pixels, 0.999) - np.median(shown.pixels))
    noise = np.random.default_rng(3).normal(0, of_a_fiber * height, shown.pixels.shape)
    return with_pixels(shown, shown.pixels + noise)


def folded(shown: Phantom, width_um: float = 70.0) -> Phantom:
    """With twice the light in a band across all layers."""
    pixels = shown.pixels.astype(float)
    middle, half = pixels.shape[2] // 2, round(width_um / shown.spec.pixel_size_um / 2)
    pixels[:, :, middle - half : middle + half] *= 2
    return with_pixels(shown, pixels)


def one_piece(shown: Phantom) -> Phantom:
    """A clot: an even round piece without any layer."""
    rows, cols = np.mgrid[:400, :400]
    disk = ((rows - 200) ** 2 + (cols - 200) ** 2 < 120**2)[None, :, :, None]
    soft = ndimage.gaussian_filter(disk.astype(float), (0, 2, 2, 0))
    noise = np.random.default_rng(5).normal(0, 2, soft.shape)
    return with_pixels(shown, 10 + 80 * soft + noise)


def with_pixels(shown: Phantom, pixels: np.ndarray) -> Phantom:
    top = 2**shown.spec.bits - 1
    return replace(shown, pixels=np.clip(np.rint(pixels), 0, top).astype(shown.pixels.dtype))
