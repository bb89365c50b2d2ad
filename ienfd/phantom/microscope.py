"""What both kinds of microscopy share: planes of focus, shading, camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ienfd.phantom.cells import blob_clouds
from ienfd.phantom.clouds import fiber_clouds
from ienfd.phantom.curves import FloatArray
from ienfd.phantom.folds import Fold, place_folds
from ienfd.phantom.matrix import basement_membrane_cloud, elastin_cloud, melanin_cloud, nuclei_cloud
from ienfd.phantom.optics import Cloud, Focus, Image, enlarge, merge_clouds
from ienfd.phantom.scene import Scene
from ienfd.phantom.spec import PhantomSpec
from ienfd.phantom.tissue import GRID_UM, Tissue, fill_tissue

__all__ = ["Specimen", "focuses", "illumination", "level_weights", "prepare", "widen"]


@dataclass(frozen=True, eq=False)
class Specimen:
    """A stained scene: clouds by what they are (`nerves`: one for each fiber), and the coarse fields."""

    scene: Scene
    tissue: Tissue
    nerves: list[Cloud]
    stained: Cloud
    nuclei: Cloud
    dirt: Cloud
    membrane: Cloud
    melanin: Cloud
    shape: tuple[int, int]
    folds: tuple[Fold, ...] = ()


def prepare(spec: PhantomSpec, scene: Scene, rng: np.random.Generator) -> Specimen:
    """Turn a scene into clouds and fields."""
    shape = (
        int(scene.extent_um[0] / spec.pixel_size_um) + 1,
        int(scene.extent_um[1] / spec.pixel_size_um) + 1,
    )
    elastin, mast_cells, dirt, nuclei, membrane, melanin = [], [], [], [], [], []
    for skin, structures in zip(scene.skins, scene.structures, strict=True):
        elastin.append(elastin_cloud(spec, skin, rng))
        granules, specks = blob_clouds(spec, skin, rng)
        mast_cells.append(granules)
        dirt.append(specks)
        nuclei.append(nuclei_cloud(spec, skin, structures, rng))
        melanin.append(melanin_cloud(spec, skin, rng))
        membrane.append(basement_membrane_cloud(spec, skin, rng))
    tissue = fill_tissue(spec, scene.skins, scene.structures, scene.extent_um, rng)
    nerves = fiber_clouds(spec, scene.fibers, rng)
    return Specimen(
        scene=scene,
        tissue=tissue,
        nerves=nerves,
        stained=_stained(spec, scene, merge_clouds(nerves), elastin, mast_cells, dirt),
        nuclei=merge_clouds(nuclei, softness_um=0.3),
        dirt=merge_clouds(dirt),
        membrane=merge_clouds(membrane),
        melanin=merge_clouds(melanin, softness_um=0.2),
        shape=shape,
        folds=place_folds(spec, scene.skins, rng),
    )


def _stained(
    spec: PhantomSpec,
    scene: Scene,
    nerves: Cloud,
    elastin: list[Cloud],
    mast_cells: list[Cloud],
    dirt: list[Cloud],
) -> Cloud:
    """All that appears in the nerve stain; a typical varicosity of the plexus has a weight of one."""
    dim = spec.dim_to_plexus
    clouds = [nerves, scene.langerhans, scene.melanocytes, *mast_cells]
    gains = [dim, 0.9 * dim, spec.melanocyte_signal * dim] + [0.5] * len(mast_cells)
    if spec.stain == "fluorescence":  # autofluorescence, and dust that shines
        clouds += [*elastin, *dirt]
        gains += [1.0] * len(elastin) + [0.6] * len(dirt)
    return merge_clouds(clouds, gains)


def focuses(spec: PhantomSpec) -> list[Focus]:
    """The planes that the microscope takes."""
    sharp = float(np.hypot(0.21 * 0.55 / spec.numerical_aperture + 0.06, spec.defocus_um))
    spread = 0.42 * spec.numerical_aperture
    rejection = 2.5 if spec.stain == "fluorescence" and spec.confocal else np.inf
    depth = 0.35 / spec.numerical_aperture**2
    if spec.planes == "stack":
        count = max(2, int(spec.thickness_um / spec.z_step_um) + 1)
        start = (spec.thickness_um - (count - 1) * spec.z_step_um) / 2
        return [Focus(start + i * spec.z_step_um, sharp, spread, depth, rejection) for i in range(count)]
    if spec.planes == "single":
        return [Focus(spec.thickness_um / 2, sharp, spread, depth, rejection)]
    count = max(3, round(spec.thickness_um / 8))
    step = spec.thickness_um / count
    return [
        Focus((i + 0.5) * step, sharp, spread, max(depth, 0.5 * step - 0.8), rejection) for i in range(count)
    ]


def level_weights(levels_um: FloatArray, focus: Focus) -> FloatArray:
    """How much every level of the tissue contributes to the background of a plane."""
    away = np.maximum(np.abs(levels_um - focus.z_um) - focus.depth_um, 0)
    reach = 10.0 if np.isfinite(focus.rejection_um) else 25.0
    weights = np.exp(-0.5 * (away / reach) ** 2) + 1e-3
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def widen(field: Image, spec: PhantomSpec, shape: tuple[int, int]) -> Image:
    """A coarse field at the resolution of the image."""
    return enlarge(np.asarray(field, dtype=np.float32), GRID_UM / spec.pixel_size_um, shape)


def illumination(spec: PhantomSpec, shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Relative light: falls off from a center that need not be the middle; tiles of a mosaic repeat it."""
    rows, cols = np.arange(shape[0], dtype=np.float32), np.arange(shape[1], dtype=np.float32)
    if spec.stitching > 0:
        tile = int(min(700.0 / spec.pixel_size_um, 2048))
        offset = rng.integers(0, tile, 2)
        r = ((rows + offset[0]) % tile) / tile - 0.5
        c = ((cols + offset[1]) % tile) / tile - 0.5
        steps = 1 + spec.stitching * rng.uniform(-1, 1, (shape[0] // tile + 2, shape[1] // tile + 2))
        gain = steps[((rows + offset[0]) // tile).astype(int)][:, ((cols + offset[1]) // tile).astype(int)]
        strength = spec.shading * 0.25
    else:
        center = rng.uniform(-0.2, 0.2, 2)
        r, c = rows / shape[0] - 0.5 - center[0], cols / shape[1] - 0.5 - center[1]
        gain, strength = np.ones((1, 1)), spec.shading
    fall = 1 - strength * np.minimum((r[:, None] ** 2 + c[None, :] ** 2) / 0.5, 1.0)
    return np.asarray(fall * gain, dtype=np.float32)
