"""A phantom before it is looked at: pieces of skin, fibers and cells in the frame of the image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from shapely import LineString, box
from shapely.affinity import translate
from shapely.geometry import MultiLineString
from shapely.geometry.base import BaseGeometry

from ienfd.phantom.anatomy import Skin, build_skin, spare_length_um
from ienfd.phantom.cells import TrueCell, cell_clouds
from ienfd.phantom.curves import FloatArray, polyline_length
from ienfd.phantom.fibers import grow_fibers
from ienfd.phantom.growth import Fiber, TrueCrossing
from ienfd.phantom.optics import Cloud, merge_clouds
from ienfd.phantom.spec import PhantomSpec
from ienfd.phantom.structures import Structure, place_structures

__all__ = ["Scene", "build_scene", "visible_parts"]


@dataclass(frozen=True, eq=False)
class Scene:
    """Geometry of a phantom; micrometers, (0, 0) is the center of the first pixel."""

    skins: list[Skin]
    structures: list[list[Structure]]
    fibers: list[Fiber]
    crossings: list[TrueCrossing]
    cells: list[TrueCell]
    langerhans: Cloud
    melanocytes: Cloud
    extent_um: tuple[float, float]


def build_scene(spec: PhantomSpec, rng: np.random.Generator) -> Scene:
    """Model skin, nerves and dendritic cells; the image is the window that shows them."""
    skins = _pieces(spec, rng)
    first, last = _window(spec, skins)
    extent = (float(last[0] - first[0]), float(last[1] - first[1]))
    skins = [_bounded(_moved(skin, -first), extent) for skin in skins]
    fibers: list[Fiber] = []
    crossings: list[TrueCrossing] = []
    cells: list[TrueCell] = []
    clouds: tuple[list[Cloud], list[Cloud]] = ([], [])
    structures = [place_structures(spec, skin, rng) for skin in skins]
    for skin, placed in zip(skins, structures, strict=True):
        grown, passed = grow_fibers(spec, skin, placed, rng, first_id=len(fibers))
        fibers += grown
        crossings += passed
        langerhans, melanocytes, found = cell_clouds(spec, skin, rng)
        clouds[0].append(langerhans)
        clouds[1].append(melanocytes)
        cells += found
    return Scene(
        skins, structures, fibers, crossings, cells, merge_clouds(clouds[0]), merge_clouds(clouds[1]), extent
    )


def _pieces(spec: PhantomSpec, rng: np.random.Generator) -> list[Skin]:
    length = spec.length_mm * 1000
    if spec.pieces == 1:
        return [build_skin(spec, rng, length, (not spec.open_left, not spec.open_right))]
    cut = float(rng.uniform(0.4, 0.6))
    first = build_skin(
        replace(spec, bend_deg=spec.bend_deg / 2), rng, length * cut, (not spec.open_left, True)
    )
    turned = replace(
        spec, rotation_deg=spec.rotation_deg + float(rng.uniform(-18, 18)), bend_deg=spec.bend_deg / 2
    )
    second = build_skin(turned, rng, length * (1 - cut), (True, not spec.open_right))
    start = second.mean_junction_um[second.span[0]]
    end = first.mean_junction_um[first.span[1]]
    ahead = np.array([first.up[first.span[1]][1], -first.up[first.span[1]][0]])
    for gap in np.arange(25.0, 600.0, 10.0):
        offset = end - start + ahead * gap
        moved = translate(second.polygon, offset[1], offset[0])
        if first.polygon.distance(moved) > 12:
            return [first, _moved(second, offset)]
    raise AssertionError("two pieces of tissue cannot overlap at a distance of 0.6 mm")


def _moved(skin: Skin, offset: FloatArray) -> Skin:
    return replace(
        skin,
        junctions_um=skin.junctions_um + offset,
        surface_um=skin.surface_um + offset,
        outer_um=skin.outer_um + offset,
        outline_um=skin.outline_um + offset,
    )


def _window(spec: PhantomSpec, skins: list[Skin]) -> tuple[FloatArray, FloatArray]:
    """Corners of the image: glass beyond closed sides, the tissue cut by the border on open ones."""
    core = []
    spare = spare_length_um(spec)
    for skin in skins:
        part = slice(spare, len(skin.up) - spare)
        core += [skin.outer_um[part], skin.mean_junction_um[part] - spec.dermis_um * skin.up[part]]
    points = np.concatenate(core)
    first, last = points.min(axis=0), points.max(axis=0)
    angle = np.deg2rad(spec.rotation_deg)
    up = np.array([-np.cos(angle), np.sin(angle)])
    right = np.array([np.sin(angle), np.cos(angle)])
    for outward, corner in (
        (np.array([-1.0, 0.0]), first), (np.array([0.0, -1.0]), first),
        (np.array([1.0, 0.0]), last), (np.array([0.0, 1.0]), last),
    ):  # fmt: skip
        upward, sideways = float(outward @ up), float(outward @ right)
        if abs(upward) >= abs(sideways):
            is_open = upward < 0 and spec.open_bottom
        else:
            is_open = spec.open_right if sideways > 0 else spec.open_left
        corner += outward * (-8.0 if is_open else spec.glass_um)
    return first, last


def _bounded(skin: Skin, extent: tuple[float, float]) -> Skin:
    """The same skin with its span limited to what the image shows (and a little more)."""
    curve = skin.mean_junction_um
    margin = 25.0
    seen = np.all((curve > -margin) & (curve < np.array(extent) + margin), axis=1)
    seen[: skin.span[0]] = False
    seen[skin.span[1] + 1 :] = False
    index = np.flatnonzero(seen)
    return replace(skin, span=(int(index[0]), int(index[-1])))


def visible_parts(skin: Skin, curve_um: FloatArray, extent: tuple[float, float]) -> list[FloatArray]:
    """Stretches of a curve inside the tissue and inside the image, at least 20 um long."""
    window = box(0.0, 0.0, extent[1], extent[0])
    seen: BaseGeometry = (
        LineString(curve_um[:, ::-1]).intersection(skin.polygon.buffer(0.05)).intersection(window)
    )
    lines = list(seen.geoms) if isinstance(seen, MultiLineString) else [seen]
    parts = [
        np.asarray(line.coords, dtype=np.float64)[:, ::-1]
        for line in lines
        if isinstance(line, LineString) and not line.is_empty
    ]
    return [part for part in parts if polyline_length(part) >= 20.0]
