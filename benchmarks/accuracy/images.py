"""Sections as files with a case table, made once: what lies there is not made again."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.accuracy.plan import PlannedSection
from benchmarks.second_look import files as second_look_files
from ienfd.phantom import make, random_spec, write
from ienfd.phantom.kinds import ordinary_spec

__all__ = ["image_path", "make_images", "truth_path", "write_cases"]

_SMALL_UM = 700.0
_SMALL_PIXEL_UM = 0.5
_COLUMNS = ("file", "case_id", "biopsy_id", "age_years", "sex", "site", "section_um", "planes")


def image_path(out: Path, section: PlannedSection) -> Path:
    """Where the image of a section lies."""
    return out / "images" / f"{section.name}.ome.tif"


def truth_path(out: Path, section: PlannedSection) -> Path:
    """Where its truth lies; it is written last, so that it tells a finished section."""
    return out / "truth" / f"{section.name}.json"


def make_images(
    out: Path, sections: Sequence[PlannedSection], workers: int, said: Callable[[str], None]
) -> None:
    """Make those sections that are not there yet, in `workers` processes."""
    missing = [section for section in sections if not truth_path(out, section).is_file()]
    for folder in ("images", "truth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        made = {pool.submit(_make, out, section): section for section in missing}
        for number, done in enumerate(as_completed(made), 1):
            done.result()
            said(f"made {made[done].name} ({number} of {len(missing)})")
    shutil.rmtree(out / "unfinished", ignore_errors=True)


def _make(out: Path, section: PlannedSection) -> None:
    room = out / "unfinished" / section.name
    shutil.rmtree(room, ignore_errors=True)
    if section.generator == "phantom":
        image, truth = _make_phantom(room, section)
    else:
        image, truth = _make_painted(room, section)
    image.replace(image_path(out, section))
    truth.replace(truth_path(out, section))


def _make_phantom(room: Path, section: PlannedSection) -> tuple[Path, Path]:
    if section.variant is not None:
        spec = section.variant.spec(np.random.default_rng([3, section.seed]))
    elif section.kind is not None:
        spec = ordinary_spec(np.random.default_rng([2, section.seed]), section.kind)
    else:
        spec = random_spec(np.random.default_rng([1, section.seed]), section.stain)
    if section.small:
        spec = replace(
            spec,
            length_mm=_SMALL_UM / 1000,
            pixel_size_um=_SMALL_PIXEL_UM,
            pieces=1,
            z_step_um=max(spec.z_step_um, 3.0),
        )
    image = write(make(spec, section.seed), room, section.name, "ome-tiff")
    return image, room / "truth" / f"{section.name}.truth.json"


def _make_painted(room: Path, section: PlannedSection) -> tuple[Path, Path]:
    image, _ = second_look_files.write(
        room,
        section.seed,
        family=section.family,
        length_um=_SMALL_UM if section.small else None,
        pixel_size_um=_SMALL_PIXEL_UM if section.small else None,
    )
    return image, room / "truth" / f"{image.name.removesuffix('.ome.tif')}.json"


def write_cases(out: Path, sections: Sequence[PlannedSection]) -> None:
    """Write the case table: each section a biopsy of its own; its stain is not told."""
    with (out / "images" / "cases.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for section in sections:
            case = f"SYN-{section.name}"
            writer.writerow(
                (image_path(out, section).name, case, f"{case}-1", 50, "F", "distal_leg", 50, "projection")
            )
