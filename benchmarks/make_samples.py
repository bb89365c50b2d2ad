"""`python -m benchmarks.make_samples [FOLDER] [--real FILE]`: writes `sample_images/`.

Nine synthetic sections of three biopsies that do not exist: one clearly below the limit of its norm,
one clearly not, one borderline; beside them lies a real fragment of skin without nerve stain, which
must be refused. All seeds are development seeds: nothing is measured on these images.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import tifffile

from ienfd.norms import load
from ienfd.phantom import Phantom, PhantomSpec, make, write

__all__ = ["BIOPSIES", "REAL_FILE", "REAL_SHA256", "Biopsy", "Sample", "main"]

Format = Literal["ome-tiff", "svs", "tiff", "imagej"]

REAL_FILE = "real_skin_HE_cmu_small_region.svs"
REAL_SHA256 = "ed92d5a9f2e86df67640d6f92ce3e231419ce127131697fbbce42ad5e002c8a7"


@dataclass(frozen=True)
class Sample:
    """One section: its seed, its file format, and how its spec differs from that of its biopsy."""

    seed: int
    format: Format
    differs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Biopsy:
    """Three sections of one invented biopsy."""

    name: str
    age_years: int
    sex: str
    spec: PhantomSpec
    samples: tuple[Sample, ...]

    @property
    def norm_id(self) -> str:
        """The built-in norm for its stain."""
        return {"bright-field": "collongues2018", "fluorescence": "bursova2012"}[self.spec.stain]


# what a careful laboratory sends: even light, sharp, little else that is stained
_GOOD = PhantomSpec(
    length_mm=1.3, dermis_um=150.0, glass_um=30.0, rete_um=25.0, bend_deg=10.0, langerhans_per_mm2=200.0,
    melanocytes_per_mm=5.0, melanocyte_signal=0.2, elastin_per_mm=6.0, fragments_per_mm=1.0,
    approaching_per_mm=1.5, grazing_per_mm=1.0, clefts_per_mm=1.0, dirt_per_mm=1.0, adnexa_per_mm=0.0,
    collagen_contrast=0.3, clustering=0.3, beading=0.5, junction_tilt=0.05, shading=0.1,
)  # fmt: skip
_BRIGHT = replace(
    _GOOD, stain="bright-field", pixel_size_um=0.5, chromogen="dab", background_od=0.05, fiber_od=1.2,
)  # fmt: skip
_DARK = replace(
    _GOOD, stain="fluorescence", pixel_size_um=0.5, bits=8, fiber_photons=300.0, background_photons=24.0,
    epidermis_gain=1.8, corneum_gain=3.0,
)  # fmt: skip

BIOPSIES = (
    Biopsy(
        "low", 45, "F", replace(_BRIGHT, density_per_mm=1.6),
        (
            Sample(101, "svs"),
            Sample(102, "ome-tiff", {"rotation_deg": 3.0, "bend_deg": 5.0, "dermis_um": 130.0}),
            Sample(103, "svs", {"bend_deg": -15.0, "open_left": False}),
        ),
    ),
    Biopsy(
        "normal", 38, "M", replace(_BRIGHT, density_per_mm=11.0, counterstain="light"),
        (
            Sample(201, "svs", {"open_right": False}),
            Sample(242, "svs", {"rotation_deg": -6.0}),
            Sample(203, "tiff", {"rotation_deg": 180.0, "bend_deg": 5.0, "dermis_um": 130.0}),
        ),
    ),
    Biopsy(
        "borderline", 52, "F", replace(_DARK, density_per_mm=6.5),
        (
            Sample(304, "ome-tiff", {"basement_membrane_channel": True}),
            Sample(321, "imagej", {"rotation_deg": 90.0, "open_left": False, "open_right": False}),
            Sample(
                348, "ome-tiff",
                {"planes": "stack", "z_step_um": 6.0, "bend_deg": 4.0, "dermis_um": 100.0},
            ),
        ),
    ),
)  # fmt: skip

_CASES = ("file", "case_id", "biopsy_id", "age_years", "sex", "site", "stain", "section_um", "planes")
_TRUTH = ("file", "true_crossings", "surface_length_mm", "junction_length_mm", "true_density_per_mm")
_BIOPSIES = (
    "biopsy", "sex, age", "true crossings", "surface (mm)", "true density (per mm)", "limit (per mm)",
)  # fmt: skip
_CROSSINGS = ("file", "row_px", "col_px", "z_um", "fiber_id")

_REAL_CASE = (REAL_FILE, "REAL-SKIN-HE", "REAL-SKIN-HE-1", "", "", "other", "bright-field", "", "")

_README = """# Sample images

**The nine images `synthetic_*` are synthetic**: no patient, no tissue. `python -m benchmarks.make_samples` computed every pixel, and computes the same ones every time. They make up three biopsies of invented people (`cases.csv`): one clearly below the limit of its norm, one clearly not below it, one borderline. They are as a careful laboratory sends them, so they say little about harder ones; how well ienfd counts is measured on other images (`benchmarks/`).

**`{real}` is real human skin**: OpenSlide's test image CMU-1-Small-Region, released under CC0 1.0. It is stained with hematoxylin and eosin, not for nerves; a torn, inked fragment with a hair follicle. ienfd must refuse it.

    ienfd run sample_images --out results

## What is truly in them

Look here after you have counted yourself. The automatic count need not be the true one.

{sections}

{biopsies}

Lengths are those of the visible lines, the surface smoothed at 15 um and the junction at 5 um; densities are crossings per mm of surface. `truth.csv` holds the first table, `truth_crossings.csv` the place of every true crossing: row and column in pixels, counted from 0, the center of a pixel at the integer; z is the depth in the section in um.
"""  # noqa: E501


def write_samples(folder: Path) -> None:
    """Write the synthetic images, `cases.csv`, `README.md`, `truth.csv` and `truth_crossings.csv`."""
    cases, truths, crossings, biopsies = [], [], [], []
    for biopsy in BIOPSIES:
        counted, length_mm = 0, 0.0
        case = f"SYNTHETIC-{biopsy.name.upper()}"
        for number, sample in enumerate(biopsy.samples, start=1):
            phantom = make(replace(biopsy.spec, **sample.differs), sample.seed)
            file = _write(phantom, folder, f"synthetic_{biopsy.name}_{number}", sample.format).name
            spec, truth = phantom.spec, phantom.truth
            counted, length_mm = counted + len(truth.crossings), length_mm + truth.surface_length_mm
            cases.append(
                (
                    file,
                    case,
                    f"{case}-1",
                    biopsy.age_years,
                    biopsy.sex,
                    "distal_leg",
                    spec.stain,
                    50,
                    spec.planes,
                )
            )
            lengths = (f"{truth.surface_length_mm:.4f}", f"{truth.junction_length_mm:.4f}")
            truths.append((file, len(truth.crossings), *lengths, f"{truth.density_per_mm:.2f}"))
            crossings += [
                (file, f"{c.row:.1f}", f"{c.col:.1f}", f"{c.z_um:.1f}", c.fiber_id) for c in truth.crossings
            ]
        norm = load(biopsy.norm_id)
        limit = norm.limit_per_mm(biopsy.age_years, biopsy.sex)
        density = (f"{length_mm:.2f}", f"{counted / length_mm:.2f}", f"{limit:.2f} ({norm.id})")
        biopsies.append((f"{case}-1", f"{biopsy.sex}, {biopsy.age_years}", counted, *density))
    _table(folder / "cases.csv", _CASES, [*cases, _REAL_CASE])
    _table(folder / "truth.csv", _TRUTH, truths)
    _table(folder / "truth_crossings.csv", _CROSSINGS, crossings)
    text = _README.format(
        real=REAL_FILE, sections=_markdown(_TRUTH, truths), biopsies=_markdown(_BIOPSIES, biopsies)
    )
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")


def _write(phantom: Phantom, folder: Path, name: str, format: Format) -> Path:
    if format == "imagej":
        return _write_imagej(phantom, folder / f"{name}.tif")
    with TemporaryDirectory() as room:  # its truth goes into the tables
        made = write(phantom, Path(room), name, format)
        return Path(shutil.move(made, folder / made.name))


def _write_imagej(phantom: Phantom, path: Path) -> Path:
    """One plane of one channel, as ImageJ saves it."""
    per_um = 1 / phantom.spec.pixel_size_um
    tifffile.imwrite(
        path,
        phantom.pixels[0, :, :, 0],
        imagej=True,
        resolution=(per_um, per_um),
        metadata={"unit": "micron", "Info": "synthetic phantom, not a patient"},
    )
    return path


def _table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (header, rule, *rows))


def copy_real(source: Path, folder: Path) -> None:
    """Copy the real fragment.

    Raises
    ------
    ValueError
        If it is another file.
    """
    if hashlib.sha256(source.read_bytes()).hexdigest() != REAL_SHA256:
        raise ValueError(f"{source} is not CMU-1-Small-Region")
    shutil.copyfile(source, folder / REAL_FILE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_samples", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("sample_images"))
    parser.add_argument("--real", type=Path, help="OpenSlide's CMU-1-Small-Region.svs, to be copied")
    args = parser.parse_args(arguments)
    args.folder.mkdir(parents=True, exist_ok=True)
    for old in args.folder.glob("synthetic_*"):
        old.unlink()
    write_samples(args.folder)
    if args.real is not None:
        copy_real(args.real, args.folder)


if __name__ == "__main__":
    main()
