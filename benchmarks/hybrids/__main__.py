"""Measure ienfd on real skin into which fibers were drawn, and on the same skin without any.

One piece of tissue, turned and mirrored: it says how the analysis stands real epidermis, collagen, nuclei
and pigment, not how it stands many patients. Only what lies along the traced junction is judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

import ienfd
from benchmarks.accuracy.measure import analyze_images, found_junctions, read_table
from benchmarks.accuracy.plan import TEST_SEEDS_FROM, check_seeds
from benchmarks.hybrids.tissue import (
    COUNTERSTAINS,
    Hybrid,
    Tissue,
    in_one_dye,
    make,
    read_tissue,
    with_counterstain,
)
from benchmarks.scoring import SectionScore, curve_distance_um, match, pool, refused_score
from ienfd.analysis_key import ALGORITHM_VERSION
from ienfd.geometry import Projector

_SECTIONS = 40
_SCALES = (0.25, 0.35, 0.499, 0.65)
_JUDGED_UM = 60.0  # found crossings this near to the traced junction, and not beyond its ends
_BARE = "bare"
_HUES = {"bluer": -0.25, "blue": 0.0, "purple": 0.25}  # of hematoxylin alone: toward eosin


@dataclass(frozen=True)
class Scored:
    """One hybrid: its score, and how far the found junction lies from the traced one."""

    score: SectionScore
    off_um: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, or 1 when skin without a nerve stain was given a density."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hybrids", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, study and figures")
    parser.add_argument("--sections", type=int, default=_SECTIONS, help=f"hybrids (default {_SECTIONS})")
    parser.add_argument("--first-seed", type=int, default=TEST_SEEDS_FROM, help="as in benchmarks.accuracy")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(arguments)
    check_seeds(args.sections, args.first_seed)
    seeds = range(args.first_seed, args.first_seed + args.sections)
    tissue = read_tissue()
    hybrids = {f"{seed:07d}.ome.tif": make(tissue, seed) for seed in seeds}
    images = args.out / "images"
    images.mkdir(parents=True, exist_ok=True)
    for name, hybrid in hybrids.items():
        _write(images / name, hybrid.pixels, hybrid.pixel_size_um)
    for name, (scale, pixels) in _bare(tissue).items():
        _write(images / name, pixels, scale)
    analyze_images(images, args.out / "study", args.workers)
    summary = _summary(args.out / "study", hybrids)
    (args.out / "hybrids.json").write_text(
        json.dumps(summary, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    print(json.dumps({name: value for name, value in summary.items() if name != "sections"}, indent=1))
    return 1 if summary["bare_given_a_density"] else 0


def _bare(tissue: Tissue) -> dict[str, tuple[float, np.ndarray]]:
    """The tissue without any fiber, by file name: in several scales, and with other counterstain."""
    size = tissue.pixel_size_um
    shown = {
        **{f"{scale:g}": (scale, _rescaled(tissue.pixels, size / scale)) for scale in _SCALES},
        **{name: (size, in_one_dye(tissue.pixels, hue)) for name, hue in _HUES.items()},
        **{
            name.replace(" ", "_"): (size, with_counterstain(tissue.pixels, *dyes))
            for name, dyes in COUNTERSTAINS.items()
        },
    }
    return {
        f"{_BARE}_{name}_{quarters}.ome.tif": (scale, np.rot90(np.rint(pixels).astype(np.uint8), quarters))
        for name, (scale, pixels) in shown.items()
        for quarters in range(4)
    }


def _write(path: Path, pixels: np.ndarray, pixel_size_um: float) -> None:
    if path.exists():
        return
    size = {"PhysicalSizeX": pixel_size_um, "PhysicalSizeY": pixel_size_um}
    units = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    metadata = {"axes": "YXS", **size, **units}
    pixels = np.ascontiguousarray(pixels)
    tifffile.imwrite(path, pixels, ome=True, photometric="rgb", metadata=metadata, compression="zlib")


def _rescaled(pixels: np.ndarray, by: float) -> np.ndarray:
    height, width = (round(size * by) for size in pixels.shape[:2])
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))


def _summary(study: Path, hybrids: dict[str, Hybrid]) -> dict[str, Any]:
    rows = {row["file"]: row for row in read_table(study / "sections.csv")}
    crossings: dict[str, list[tuple[float, float]]] = {}
    for row in read_table(study / "crossings.csv"):
        if row["counted"] == "true":
            crossings.setdefault(row["section_id"], []).append((float(row["row_px"]), float(row["col_px"])))
    junctions = found_junctions(study)
    scored = [
        _scored(name, hybrid, rows[name], crossings.get(rows[name]["section_id"], []), junctions)
        for name, hybrid in hybrids.items()
    ]
    stains = {
        name: [s for s, h in zip(scored, hybrids.values(), strict=True) if h.counterstain == name]
        for name in COUNTERSTAINS
    }
    bare = [row for file, row in rows.items() if file.startswith(_BARE)]
    return {
        "ienfd": ienfd.__version__,
        "algorithm_version": ALGORITHM_VERSION,
        "hybrids": {"all": _pooled(scored), **{name: _pooled(some) for name, some in stains.items() if some}},
        "bare_images": len(bare),
        "bare_given_a_density": sorted(row["file"] for row in bare if row["status"] == "ok"),
        "sections": [
            [s.name, s.status, s.matched, s.spurious, s.missed, _rounded(each.off_um)]
            for each in scored
            for s in (each.score,)
        ],
    }


def _pooled(scored: Sequence[Scored]) -> dict[str, Any]:
    pooled = pool([each.score for each in scored])
    off_um = [each.off_um for each in scored if np.isfinite(each.off_um)]
    return {
        "sections": pooled.sections,
        "refused": pooled.refused,
        "true": pooled.matched + pooled.missed,
        "precision": _rounded(pooled.precision),
        "recall": _rounded(pooled.recall),
        "f1": _rounded(pooled.f1),
        "junction_off_um": _rounded(float(np.median(off_um))) if off_um else None,
    }


def _scored(
    name: str,
    hybrid: Hybrid,
    row: dict[str, str],
    counted: Sequence[tuple[float, float]],
    junctions: dict[str, tuple[np.ndarray, ...]],
) -> Scored:
    if row["status"] != "ok":
        score = refused_score(name, "bright-field", row["status"], len(hybrid.crossings_px))
        return Scored(score, float("nan"))
    size = hybrid.pixel_size_um
    traced = Projector(hybrid.junction_px * size)
    found = np.array(counted, dtype=float).reshape(-1, 2)
    found = found[_along(traced, found * size)]
    pairs = match(hybrid.crossings_px, found, size)
    score = SectionScore(
        name, "bright-field", "ok", len(pairs), len(found) - len(pairs), len(hybrid.crossings_px) - len(pairs)
    )
    lines = [line[_along(traced, line * size)] for line in junctions.get(name, ())]
    kept = [line for line in lines if len(line) > 1]
    return Scored(score, curve_distance_um([hybrid.junction_px], kept, size))


def _along(traced: Projector, points_um: np.ndarray) -> np.ndarray:
    """Which points lie beside the traced stretch."""
    view = traced(points_um)
    return (np.abs(view.signed) < _JUDGED_UM) & ~view.beyond


def _rounded(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(main())
