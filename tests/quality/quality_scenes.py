"""One small phantom in fluorescence, whole and spoilt in one way at a time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from scipy import ndimage

from ienfd.phantom import Phantom, PhantomSpec, make
from ienfd.section import Calibration, CalibrationSource, Channel, Section

SPEC = PhantomSpec(
    stain="fluorescence", length_mm=0.6, pixel_size_um=0.5, dermis_um=150.0, density_per_mm=10.0,
    elastin_per_mm=2.0, clustering=0.2, fiber_photons=200.0, open_left=False, open_right=False,
)  # fmt: skip
NO_CROSSING = {"density_per_mm": 0.0, "fragments_per_mm": 0.0, "grazing_per_mm": 0.0}
NO_NERVE = {
    **NO_CROSSING, "plexus_per_mm": 0.0, "bundles_per_mm": 0.0, "approaching_per_mm": 0.0,
    "dermal_per_mm": 0.0, "langerhans_per_mm2": 0.0, "elastin_per_mm": 0.0,
}  # fmt: skip


@cache
def phantom(*, nerves: bool = True, crossings: bool = True, seed: int = 41) -> Phantom:
    spec = SPEC if nerves else replace(SPEC, **NO_NERVE)
    return make(spec if crossings else replace(spec, **NO_CROSSING), seed)


def as_section(shown: Phantom) -> Section:
    channels = tuple(Channel(name) for name in shown.channels)
    size = Calibration(shown.spec.pixel_size_um, CalibrationSource.OME)
    return Section(shown.pixels, size, channels, bit_depth=shown.spec.bits)


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


def without_epidermis(shown: Phantom) -> Phantom:
    """Dermis alone, up to every border of the image."""
    rows, cols = shown.pixels.shape[1:3]
    return with_pixels(shown, shown.pixels[:, rows * 2 // 3 : rows * 5 // 6, cols // 3 : cols * 2 // 3])


def with_pixels(shown: Phantom, pixels: np.ndarray) -> Phantom:
    top = 2**shown.spec.bits - 1
    return replace(shown, pixels=np.clip(np.rint(pixels), 0, top).astype(shown.pixels.dtype))
