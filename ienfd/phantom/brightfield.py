"""A bright-field microscope: light weakened by stains (Beer-Lambert) through focus."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from scipy.ndimage import gaussian_filter

from ienfd.phantom.curves import FloatArray
from ienfd.phantom.folds import lay_over
from ienfd.phantom.microscope import Specimen, focuses, illumination, level_weights, widen
from ienfd.phantom.optics import Focus, Image, enlarge, render_cloud
from ienfd.phantom.spec import PhantomSpec

__all__ = ["bright_field_image", "chromogen_vector"]

_HEMATOXYLIN = np.array([0.65, 0.70, 0.29])  # Ruifrok & Johnston 2001
_EOSIN = np.array([0.07, 0.99, 0.11])
_DAB = np.array([0.27, 0.57, 0.78])
_VIP = np.array([0.46, 0.80, 0.38])  # no published vectors for these two: plausible means, varied at random
_SG = np.array([0.66, 0.55, 0.51])
_MELANIN = np.array([0.36, 0.56, 0.75])
_GREY = np.array([0.50, 0.57, 0.65])  # scatter of unstained tissue


def chromogen_vector(spec: PhantomSpec) -> FloatArray:
    """Unit vector of optical density (red, green, blue) of the nerve stain."""
    mean = {"dab": _DAB, "vip": _VIP, "sg": _SG}[spec.chromogen]
    rng = np.random.default_rng(spec.chromogen_seed)
    spread = 0.03 if spec.chromogen == "dab" else 0.06
    vector = np.clip(mean + (rng.normal(0, spread, 3) if spec.chromogen_seed else 0.0), 0.03, None)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def bright_field_image(spec: PhantomSpec, specimen: Specimen, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Photograph a specimen: (Z, H, W, 3) red, green, blue, one plane for a single image or a projection."""
    light = illumination(spec, specimen.shape, rng)[..., None] * np.array(spec.white, dtype=np.float32)
    best: Image | None = None
    sharpest: Image | None = None
    taken = []
    for focus in focuses(spec):
        density = lay_over(_optical_density(spec, specimen, focus), specimen.folds, spec.pixel_size_um)
        if spec.planes != "projection":
            taken.append(_photograph(spec, density, light, rng))
            continue
        detail = _detail(density, spec)
        if best is None or sharpest is None:
            best, sharpest = density, detail
        else:
            better = detail > sharpest
            for layer, sharper in zip(best, density, strict=True):
                layer[better] = sharper[better]
            sharpest[better] = detail[better]
    if best is not None:
        taken.append(_photograph(spec, best, light, rng))
    return np.stack(taken)


def _optical_density(spec: PhantomSpec, specimen: Specimen, focus: Focus) -> Image:
    """(3, H, W) optical density of one plane in red, green, blue."""
    tissue, scene, shape, pixel = specimen.tissue, specimen.scene, specimen.shape, spec.pixel_size_um
    weights = level_weights(scene.skins[0].levels_um, focus).astype(np.float32)
    dermis = np.tensordot(weights, tissue.dermis, axes=1) * tissue.mottle
    epidermis = np.tensordot(weights, tissue.epidermis, axes=1) * tissue.mottle
    fibrous = dermis * tissue.collagen
    nerve, hematoxylin, eosin = _amounts(spec, epidermis, fibrous, tissue.corneum)
    grey = 0.05 * epidermis + 0.05 * spec.dermis_od * fibrous + 0.12 * tissue.corneum
    stain = chromogen_vector(spec)
    coarse = (
        nerve[..., None] * stain + hematoxylin[..., None] * _HEMATOXYLIN
        + eosin[..., None] * _EOSIN + grey[..., None] * _GREY
    )  # fmt: skip
    density = np.stack([widen(coarse[..., k].astype(np.float32), spec, shape) for k in range(3)])
    gain = {"none": 0.0, "light": 0.16, "eosin": 0.0}.get(spec.counterstain, 0.5)
    nuclei = render_cloud(specimen.nuclei, shape, pixel, focus)
    _add(density, nuclei, max(gain, 0.012), _HEMATOXYLIN if gain else _GREY)
    _add(density, render_cloud(specimen.stained, shape, pixel, focus), spec.fiber_od, stain)
    if len(specimen.melanin.points_um):
        _add(density, render_cloud(specimen.melanin, shape, pixel, focus), 1.0, _MELANIN)
    if len(specimen.dirt.points_um):
        _add(density, render_cloud(specimen.dirt, shape, pixel, focus), 0.8, _GREY)
    return density


def _amounts(
    spec: PhantomSpec, epidermis: Image, fibrous: Image, corneum: Image
) -> tuple[Image, Image, Image]:
    nerve = spec.background_od * (epidermis + spec.dermis_od * fibrous + 1.5 * corneum)
    strength = {"none": 0.0, "light": 0.05, "eosin": 0.0}.get(spec.counterstain, 0.14)
    hematoxylin = strength * (epidermis + 0.35 * spec.dermis_od * fibrous + 0.6 * corneum)
    pink = 0.25 if "eosin" in spec.counterstain else 0.0
    eosin = pink * (0.8 * epidermis + spec.dermis_od * fibrous + 1.5 * corneum)
    return nerve, hematoxylin, eosin


def _add(density: Image, amount: Image, strength: float, vector: FloatArray) -> None:
    for k in range(3):
        density[k] += amount * np.float32(strength * vector[k])


def _detail(density: Image, spec: PhantomSpec) -> Image:
    """Local contrast that decides which plane an extended-focus image takes a pixel from."""
    half = density[:, ::2, ::2].sum(axis=0)
    pixel = 2 * spec.pixel_size_um
    fine = half - gaussian_filter(half, 1.5 / pixel, truncate=2.5)
    contrast = gaussian_filter(np.abs(fine), 2.0 / pixel, truncate=2.5)
    return enlarge(contrast, 2, (density.shape[1], density.shape[2]))


def _photograph(
    spec: PhantomSpec, density: Image, light: Image, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Transmitted light with noise, rounded, and through JPEG if the spec says so."""
    photons = light * np.moveaxis(np.exp(-np.clip(density, 0, 6)), 0, -1)
    grain = rng.standard_normal(photons.shape, dtype=np.float32)
    photons += grain * np.sqrt(np.float32(0.35) + photons * np.float32(0.012 * spec.read_noise_photons))
    pixels = np.clip(photons + np.float32(0.5), 0, 255).astype(np.uint8)
    if spec.jpeg_quality:
        buffer = io.BytesIO()
        PilImage.fromarray(pixels).save(buffer, format="JPEG", quality=spec.jpeg_quality)
        pixels = np.asarray(PilImage.open(buffer).convert("RGB"))
    return np.asarray(pixels, dtype=np.uint8)
