"""A fluorescence microscope: photons of nerves, background and autofluorescence through focus."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ienfd.phantom.folds import lay_over
from ienfd.phantom.microscope import Specimen, focuses, illumination, level_weights, widen
from ienfd.phantom.optics import Focus, Image, render_cloud
from ienfd.phantom.spec import PhantomSpec

__all__ = ["fluorescence_image"]


def fluorescence_image(
    spec: PhantomSpec, specimen: Specimen, rng: np.random.Generator
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Photograph a specimen.

    Returns
    -------
    pixels : (Z, H, W, C) ndarray of uint8 or uint16
        One plane for a single image or a projection.
    channels : tuple of str
        Names of the channels.
    """
    names = ["PGP9.5"]
    if spec.basement_membrane_channel:
        names.append("Collagen IV")
    if spec.nuclei_channel:
        names.append("DAPI")
    light = illumination(spec, specimen.shape, rng)
    takers = {"PGP9.5": _nerve_plane, "Collagen IV": _membrane_plane, "DAPI": _nuclei_plane}
    planes = focuses(spec)
    stacks = []
    for name in names:
        taken: list[Image] = []
        for focus in planes:
            emitted = lay_over(takers[name](spec, specimen, focus), specimen.folds, spec.pixel_size_um)
            photons = emitted * light
            noisy = _camera(spec, photons, rng)
            if spec.planes == "projection" and taken:
                np.maximum(taken[0], noisy, out=taken[0])
            else:
                taken.append(noisy)
        stacks.append(_digitize(spec, np.stack(taken), rng))
    return np.stack(stacks, axis=-1), tuple(names)


def _background(spec: PhantomSpec, specimen: Specimen, focus: Focus) -> Image:
    tissue = specimen.tissue
    weights = level_weights(specimen.scene.skins[0].levels_um, focus).astype(np.float32)
    dermis = np.tensordot(weights, tissue.dermis, axes=1)
    epidermis = np.tensordot(weights, tissue.epidermis, axes=1)
    field = dermis * tissue.collagen + spec.epidermis_gain * epidermis
    field = field * tissue.mottle + spec.corneum_gain * tissue.corneum
    # light of the tissue scattered into its surroundings
    field = 0.93 * field + 0.07 * gaussian_filter(field, 25.0, truncate=2.5)
    return widen(np.asarray(field, dtype=np.float32), spec, specimen.shape)


def _nerve_plane(spec: PhantomSpec, specimen: Specimen, focus: Focus) -> Image:
    shape, pixel = specimen.shape, spec.pixel_size_um
    photons = _background(spec, specimen, focus) * np.float32(spec.background_photons)
    # a cell's own stain is seen against its neighbors in depth only near the focus
    near = replace(focus, rejection_um=min(focus.rejection_um, 4.0))
    nuclei = render_cloud(specimen.nuclei, shape, pixel, near)
    photons *= 1 + np.float32(spec.nuclear_signal) * nuclei / (0.6 + nuclei)
    photons += np.float32(spec.fiber_photons) * render_cloud(specimen.stained, shape, pixel, focus)
    return np.asarray(np.maximum(photons, 0), dtype=np.float32)


def _membrane_plane(spec: PhantomSpec, specimen: Specimen, focus: Focus) -> Image:
    sheet = render_cloud(specimen.membrane, specimen.shape, spec.pixel_size_um, focus)
    return np.asarray(
        90 * sheet + 0.25 * spec.background_photons * _background(spec, specimen, focus), dtype=np.float32
    )


def _nuclei_plane(spec: PhantomSpec, specimen: Specimen, focus: Focus) -> Image:
    nuclei = render_cloud(specimen.nuclei, specimen.shape, spec.pixel_size_um, focus)
    return np.asarray(
        70 * nuclei + 0.2 * spec.background_photons * _background(spec, specimen, focus), dtype=np.float32
    )


def _camera(spec: PhantomSpec, photons: Image, rng: np.random.Generator) -> Image:
    """Shot noise (its Gaussian limit above some light, exact below) and read noise."""
    noise = rng.standard_normal(photons.shape, dtype=np.float32)
    shot = np.sqrt(photons + np.float32(spec.read_noise_photons**2)) * noise
    return np.asarray(photons + shot, dtype=np.float32)


def _digitize(spec: PhantomSpec, photons: Image, rng: np.random.Generator) -> NDArray[Any]:
    full = float(2**spec.bits - 1)
    sample = photons[:, ::3, ::3]
    top = float(np.percentile(sample, 99.9)) * float(rng.uniform(1.0, 1.6))
    black = float(rng.uniform(0.01, 0.05)) * full
    values = np.clip(black + photons * np.float32((full - black) / max(top, 1.0)), 0, full)
    values += np.float32(0.5)
    return np.asarray(values, dtype=np.uint8 if spec.bits == 8 else np.uint16)
