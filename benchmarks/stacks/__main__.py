"""Measure what is gained where a z-stack is counted as a stack: the same sections as stacks, and as the
maximum projection of each.

    python -m benchmarks.stacks OUT

Sections of 50 um at ordinary and at high density, in fluorescence: fibers that cross only in the projection
are what a stack can tell apart.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

import ienfd
from benchmarks.accuracy.figures import figures_of, grouped
from benchmarks.accuracy.images import image_path, make_images, truth_path, write_cases
from benchmarks.accuracy.measure import Measured, analyze_images, measure
from benchmarks.accuracy.plan import TEST_SEEDS_FROM, PlannedSection, plan_sweeps
from benchmarks.accuracy.report import values_of
from benchmarks.accuracy.sweeps import Level, Sweep
from ienfd.analysis_key import ALGORITHM_VERSION

_PER_CELL = 8
_STACK = {"planes": "stack", "z_step_um": 2.0, "pixel_size_um": 0.4, "length_mm": 0.9}
STACKS = Sweep(
    "stack",
    tuple(Level(f"{density:g} /mm", {**_STACK, "density_per_mm": density}) for density in (8.0, 20.0)),
    ("fluorescence",),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures, and write them to OUT/stacks.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stacks", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, studies and figures")
    parser.add_argument("--sections", type=int, default=_PER_CELL, help="of each density")
    parser.add_argument("--first-seed", type=int, default=TEST_SEEDS_FROM + 900)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(arguments)
    sections = plan_sweeps([STACKS], args.sections, args.first_seed)
    folders = {"stack": args.out / "stack", "projection": args.out / "projection"}
    make_images(folders["stack"], sections, args.workers, print)
    project_all(folders["stack"], folders["projection"], sections)
    figures: dict[str, Any] = {"algorithm_version": ALGORITHM_VERSION, "first_seed": args.first_seed}
    for name, folder in folders.items():
        write_cases(folder, sections)
        analyze_images(folder / "images", folder / "study", args.workers)
        figures[name] = _figures(measure(folder, sections))
    text = json.dumps(figures, indent=1) + "\n"
    (args.out / "stacks.json").write_text(text, encoding="utf-8")
    print(text)
    return 0


def project_all(stacks: Path, out: Path, sections: Sequence[PlannedSection]) -> None:
    """The same sections with one plane, the maximum over depth; those that are there are left alone."""
    for folder in ("images", "truth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for section in sections:
        if truth_path(out, section).is_file():
            continue
        stack = ienfd.read(image_path(stacks, section))
        size = stack.calibration.pixel_size_um
        tifffile.imwrite(
            image_path(out, section),
            np.moveaxis(stack.pixels.max(axis=0), -1, 0),
            photometric="minisblack",
            ome=True,
            metadata={
                "axes": "CYX",
                "PhysicalSizeX": size,
                "PhysicalSizeY": size,
                "Channel": {"Name": [channel.name for channel in stack.channels]},
            },
        )
        shutil.copy(truth_path(stacks, section), truth_path(out, section))


def _figures(measured: Sequence[Measured]) -> dict[str, Any]:
    groups = {"all": figures_of(measured)} | grouped(measured, _cell)
    return {name: values_of(one) for name, one in groups.items()}


def _cell(measured: Measured) -> str:
    variant = measured.section.variant
    return variant.cell if variant is not None else ""


if __name__ == "__main__":
    raise SystemExit(main())
