"""The truth of either generator in one form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.plan import Generator
from ienfd.phantom import read_truth
from ienfd.phantom.curves import polyline_length, smooth_polyline
from ienfd.phantom.kinds import kind_of

__all__ = ["SEEN_FROM", "TrueSection", "read_true_section"]

FloatArray = NDArray[np.float64]

SEEN_FROM = 5.0
"""Visibility from which on an observer is sure (Rose 1948, see `ienfd.phantom.visibility`)."""


@dataclass(frozen=True, eq=False)
class TrueSection:
    """What a section truly holds.

    Parameters
    ----------
    family : str
        Stain, counterstain or channels, as in `bf-dab-hematoxylin` or `fl-pgp-col4`.
    planes : {"single", "stack", "projection", "painted"}
        What the file holds of the depth; `painted` has none.
    pixel_size_um : float
        Edge of a pixel.
    crossings_px : (N, 2) ndarray of float
        Row and column.
    seen : (N,) ndarray of bool
        Which of them a reader could be sure of; all of them where it is not known.
    junctions_px, surfaces_px : tuple of (M, 2) ndarray of float
        Visible curves.
    fibers_px : tuple of (M, 2) ndarray of float
        Center lines of all nerves; processes of cells are none.
    junction_mm, surface_mm : float
        Their lengths as the contract defines them, smoothed at 5 and 15 um.
    """

    family: str
    planes: str
    pixel_size_um: float
    crossings_px: FloatArray
    seen: NDArray[np.bool_]
    junctions_px: tuple[FloatArray, ...]
    surfaces_px: tuple[FloatArray, ...]
    fibers_px: tuple[FloatArray, ...]
    junction_mm: float
    surface_mm: float

    @property
    def density_per_mm(self) -> float:
        """True crossings per millimeter of surface."""
        return len(self.crossings_px) / self.surface_mm


def read_true_section(path: Path, generator: Generator) -> TrueSection:
    """Read the truth that `generator` wrote."""
    return _phantom(path) if generator == "phantom" else _painted(json.loads(path.read_text("utf-8")))


def _phantom(path: Path) -> TrueSection:
    truth = read_truth(path)
    return TrueSection(
        family=kind_of(truth.spec).name,
        planes=truth.spec.planes,
        pixel_size_um=truth.pixel_size_um,
        crossings_px=np.array([(c.row, c.col) for c in truth.crossings], dtype=np.float64).reshape(-1, 2),
        seen=np.array([c.visibility >= SEEN_FROM for c in truth.crossings], dtype=bool),
        junctions_px=truth.junctions,
        surfaces_px=truth.surfaces,
        fibers_px=tuple(path[:, :2] for fiber in truth.fibers for path in fiber.paths),
        junction_mm=truth.junction_length_mm,
        surface_mm=truth.surface_length_mm,
    )


def _painted(values: dict[str, Any]) -> TrueSection:
    size = float(values["pixel_size_um"])
    junctions, surfaces = (
        tuple(np.asarray(curve, dtype=np.float64) for curve in values[name])
        for name in ("junctions", "surfaces")
    )
    crossings = np.asarray(values["crossings"], dtype=np.float64).reshape(-1, 2)
    return TrueSection(
        family=values["family"],
        planes="painted",
        pixel_size_um=size,
        crossings_px=crossings,
        seen=np.ones(len(crossings), dtype=bool),
        junctions_px=junctions,
        surfaces_px=surfaces,
        fibers_px=tuple(
            np.asarray(fiber["points"], dtype=np.float64)
            for fiber in values["fibers"]
            if fiber["kind"] != "dendrite"
        ),
        junction_mm=_length_mm(junctions, size, 5.0),
        surface_mm=_length_mm(surfaces, size, 15.0),
    )


def _length_mm(curves_px: tuple[FloatArray, ...], pixel_size_um: float, smoothing_um: float) -> float:
    """Length of curves smoothed at `smoothing_um`, with the Gaussian that the phantoms' truth uses."""
    return (
        sum(polyline_length(smooth_polyline(c * pixel_size_um, smoothing_um / 2)) for c in curves_px) / 1000
    )
