"""What is seen about the junctions of synthetic sections, and where they truly are."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import ienfd
from benchmarks.accuracy.images import image_path, make_images, truth_path
from benchmarks.accuracy.plan import PlannedSection
from benchmarks.accuracy.truth import TrueSection, read_true_section
from ienfd.analysis import find
from ienfd.geometry import resample
from ienfd.protocol import Protocol
from ienfd.result import FloatArray
from ienfd.skin.learned import JunctionView
from ienfd.stain.grid import Grid
from ienfd.stain.overview import read_overview

__all__ = ["make_views", "signed_um"]

_AT_ENDS_UM = 5.0  # a place whose nearest junction is an end of it lies above or below nothing
_FARTHEST_UM = 60.0
_STEP_UM = 0.25  # of the true junction
_LEAST_KNOWN = 0.4
_TRACING = "tracing fibers"


class _Enough(Exception):  # noqa: N818 - no mistake: what follows is not needed
    """The junction has been drawn."""


def make_views(out: Path, sections: Sequence[PlannedSection], workers: int) -> list[Path]:
    """A file in `out/views` for each section that shows a junction; those that are there are kept."""
    folder = out / "views"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [s for s in sections if not (folder / f"{s.name}.npz").is_file()]
    make_images(out, missing, workers, print)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_make, [out] * len(missing), missing))
    return [path for s in sections if (path := folder / f"{s.name}.npz").is_file()]


def _make(out: Path, section: PlannedSection) -> None:
    views: list[JunctionView] = []

    def draw(view: JunctionView) -> FloatArray:
        views.append(view)
        middle = np.full(len(view.inside), view.inside.shape[1] / 2)
        return np.column_stack([np.arange(len(middle)), middle]).astype(float)

    def told(doing: str, _share: float) -> None:
        if doing == _TRACING:
            raise _Enough

    image = ienfd.read(image_path(out, section))
    with suppress(_Enough):
        find(image, Protocol(), progress=told, draw=draw)
    truth = read_true_section(truth_path(out, section), section.generator)
    _, grid = read_overview(image)
    arrays: dict[str, NDArray[np.floating]] = {}
    for view in views:
        signed = signed_um(view, grid, truth)
        if np.isfinite(signed).mean() >= _LEAST_KNOWN:
            arrays[f"planes{len(arrays) // 2}"] = view.planes.astype(np.float16)
            arrays[f"signed{len(arrays) // 2}"] = signed.astype(np.float16)
    if arrays:
        np.savez_compressed(out / "views" / f"{section.name}.npz", **arrays)  # type: ignore[arg-type]


def signed_um(view: JunctionView, grid: Grid, truth: TrueSection) -> FloatArray:
    """(S, D) distance of every sample below the true junction; NaN where that is not known."""
    points = grid.to_image(view.strip.positions.reshape(-1, 2))
    above = np.zeros(len(points), bool)
    nearest = np.full(len(points), np.inf)
    known = np.zeros(len(points), bool)
    for junction, surface in zip(truth.junctions_px, truth.surfaces_px, strict=True):
        if np.hypot(*(surface[0] - junction[-1])) > np.hypot(*(surface[-1] - junction[-1])):
            surface = surface[::-1]
        above |= shapely.contains_xy(shapely.Polygon(np.concatenate([junction, surface])).buffer(0), points)
        line = resample(junction, _STEP_UM / truth.pixel_size_um)
        distance, at = cKDTree(line).query(points)
        inner = np.minimum(at, len(line) - 1 - at) * _STEP_UM > _AT_ENDS_UM
        known = np.where(distance < nearest, inner, known)
        nearest = np.minimum(nearest, distance)
    distance_um = nearest * truth.pixel_size_um
    signed = np.where(above, -distance_um, distance_um)
    signed[~known | (distance_um > _FARTHEST_UM)] = np.nan
    result = signed.reshape(view.inside.shape)
    return np.where(view.inside, result, np.nan)
