"""What a phantom truly holds, in pixels of its image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ienfd.phantom.curves import FloatArray, polyline_length, smooth_polyline
from ienfd.phantom.scene import Scene, visible_parts
from ienfd.phantom.spec import PhantomSpec

__all__ = ["Truth", "TruthCell", "TruthCrossing", "TruthFiber", "describe", "read_truth", "write_truth"]


@dataclass(frozen=True)
class TruthCrossing:
    """A fiber's passage through the junction at its own depth.

    `visibility` says how far it stands out in the image, see `ienfd.phantom.visibility`; from about 5 on
    a reader can be sure of it.
    """

    row: float
    col: float
    z_um: float
    fiber_id: int
    visibility: float


@dataclass(frozen=True, eq=False)
class TruthFiber:
    """A fiber with its class and its center lines, each an (N, 3) array of row, col, z_um."""

    fiber_id: int
    kind: str
    paths: tuple[FloatArray, ...]


@dataclass(frozen=True)
class TruthCell:
    """A dendritic cell."""

    kind: str
    row: float
    col: float
    z_um: float
    radius_um: float


@dataclass(frozen=True, eq=False)
class Truth:
    """Everything that is to be found, and what is not to be mistaken for it.

    Coordinates are (row, col) in full-resolution pixels, the center of a pixel at the integer, with
    the depth in micrometers beside them. The curves run with the epidermis on their left; the
    junction is its mean over the depth of the section. Lengths are those of the visible curves,
    smoothed at 15 (surface), 5 (junction) and 200 (chord) micrometers: along the arc, with a Gaussian of
    half that standard deviation.
    """

    stain: str
    seed: int
    spec: PhantomSpec
    pixel_size_um: float
    shape: tuple[int, int]
    crossings: tuple[TruthCrossing, ...]
    junctions: tuple[FloatArray, ...]
    surfaces: tuple[FloatArray, ...]
    fibers: tuple[TruthFiber, ...]
    cells: tuple[TruthCell, ...]
    surface_length_mm: float
    junction_length_mm: float
    chord_length_mm: float

    @property
    def density_per_mm(self) -> float:
        """True crossings per millimeter of surface."""
        return len(self.crossings) / self.surface_length_mm


def describe(
    spec: PhantomSpec, seed: int, scene: Scene, shape: tuple[int, int], visibility: Sequence[float]
) -> Truth:
    """The truth of a scene as seen in an image of `shape` pixels; `visibility` of each of its crossings."""
    pixel = spec.pixel_size_um
    limit = np.array(shape) - 1

    def seen(point: FloatArray) -> bool:
        return bool(np.all(point[:2] / pixel >= 0) and np.all(point[:2] / pixel <= limit))

    junctions, surfaces = [], []
    for skin in scene.skins:
        junctions += visible_parts(skin, skin.mean_junction_um, scene.extent_um)
        surfaces += visible_parts(skin, skin.surface_um, scene.extent_um)
    fibers = []
    for fiber in scene.fibers:
        paths = []
        for path in fiber.paths_um:
            inside = np.all((path[:, :2] / pixel >= 0) & (path[:, :2] / pixel <= limit), axis=1)
            edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
            paths += [
                path[a:b] / [pixel, pixel, 1.0]
                for a, b in zip(edges[::2], edges[1::2], strict=True)
                if b - a > 3
            ]
        if paths:
            fibers.append(TruthFiber(fiber.fiber_id, fiber.kind, tuple(paths)))
    return Truth(
        stain=spec.stain,
        seed=seed,
        spec=spec,
        pixel_size_um=pixel,
        shape=shape,
        crossings=tuple(
            TruthCrossing(
                float(c.point_um[0] / pixel),
                float(c.point_um[1] / pixel),
                float(c.point_um[2]),
                c.fiber_id,
                visible,
            )
            for c, visible in zip(scene.crossings, visibility, strict=True)
            if seen(c.point_um)
        ),
        junctions=tuple(part / pixel for part in junctions),
        surfaces=tuple(part / pixel for part in surfaces),
        fibers=tuple(fibers),
        cells=tuple(
            TruthCell(cell.kind, cell.row_um / pixel, cell.col_um / pixel, cell.z_um, cell.radius_um)
            for cell in scene.cells
            if seen(np.array([cell.row_um, cell.col_um]))
        ),
        surface_length_mm=sum(polyline_length(smooth_polyline(p, 15.0 / 2)) for p in surfaces) / 1000,
        junction_length_mm=sum(polyline_length(smooth_polyline(p, 5.0 / 2)) for p in junctions) / 1000,
        chord_length_mm=sum(polyline_length(smooth_polyline(p, 200.0 / 2)) for p in surfaces) / 1000,
    )


def _rounded(array: FloatArray, digits: int = 2) -> list[list[float]]:
    return [[round(float(value), digits) for value in row] for row in array]


def _thinned(path: FloatArray) -> FloatArray:
    """Every second point of a path, and its last."""
    return path if len(path) < 8 else np.concatenate([path[:-1:2], path[-1:]])


def write_truth(truth: Truth, path: Path) -> None:
    """Write the truth as JSON."""
    values: dict[str, Any] = {
        "synthetic": True,
        "coordinates": "row, col in pixels (center of a pixel at the integer), z in micrometers",
        "stain": truth.stain,
        "seed": truth.seed,
        "pixel_size_um": truth.pixel_size_um,
        "shape": list(truth.shape),
        "surface_length_mm": round(truth.surface_length_mm, 6),
        "junction_length_mm": round(truth.junction_length_mm, 6),
        "chord_length_mm": round(truth.chord_length_mm, 6),
        "density_per_mm": round(truth.density_per_mm, 6),
        "crossings": [
            {"row": round(c.row, 2), "col": round(c.col, 2), "z_um": round(c.z_um, 2), "fiber_id": c.fiber_id,
             "visibility": round(c.visibility, 1)}
            for c in truth.crossings
        ],
        "junctions": [_rounded(curve) for curve in truth.junctions],
        "surfaces": [_rounded(curve) for curve in truth.surfaces],
        "fibers": [
            {"fiber_id": f.fiber_id, "class": f.kind, "paths": [_rounded(_thinned(p), 1) for p in f.paths]}
            for f in truth.fibers
        ],
        "cells": [
            {"kind": c.kind, "row": round(c.row, 2), "col": round(c.col, 2), "z_um": round(c.z_um, 2),
             "radius_um": round(c.radius_um, 2)}
            for c in truth.cells
        ],
        "spec": asdict(truth.spec),
    }  # fmt: skip
    path.write_text(json.dumps(values, separators=(",", ":"), allow_nan=False) + "\n", encoding="utf-8")


def read_truth(path: Path) -> Truth:
    """Read what `write_truth` wrote."""
    values = json.loads(path.read_text(encoding="utf-8"))
    spec = PhantomSpec(**{**values["spec"], "white": tuple(values["spec"]["white"])})
    return Truth(
        stain=values["stain"],
        seed=values["seed"],
        spec=spec,
        pixel_size_um=values["pixel_size_um"],
        shape=(values["shape"][0], values["shape"][1]),
        crossings=tuple(TruthCrossing(**item) for item in values["crossings"]),
        junctions=tuple(np.array(curve, dtype=np.float64) for curve in values["junctions"]),
        surfaces=tuple(np.array(curve, dtype=np.float64) for curve in values["surfaces"]),
        fibers=tuple(
            TruthFiber(
                item["fiber_id"], item["class"], tuple(np.array(p, dtype=np.float64) for p in item["paths"])
            )
            for item in values["fibers"]
        ),
        cells=tuple(TruthCell(**item) for item in values["cells"]),
        surface_length_mm=values["surface_length_mm"],
        junction_length_mm=values["junction_length_mm"],
        chord_length_mm=values["chord_length_mm"],
    )
