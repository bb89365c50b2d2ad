"""Every situation in which a number would not be honest, one by one: what becomes of it, and its code.

The numbers are those of the table "When to refuse, withhold or qualify" that the program is built on.
Images go through `ienfd.read` and `ienfd.analyze`; biopsies through a study and its tables, as after a run.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from quality_scenes import as_section, blurred, phantom, saturated, without_epidermis
from review_of_a_study import review_all

import ienfd
from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.collect import collect
from ienfd.batch.exchange import export_dicom, export_fhir
from ienfd.batch.norms import keep_norms
from ienfd.batch.reporting import write_reports
from ienfd.errors import UsageError
from ienfd.norms.laboratory import enter
from ienfd.phantom import Phantom
from ienfd.protocol import CallRules, ImageChoices, Protocol
from ienfd.reasons import REASONS, Effect
from ienfd.report.signing import sign_biopsy
from ienfd.result import SectionResult, Status
from ienfd.study.store import Store

Rows = list[dict[str, str]]

BUILT_IN = Protocol()
FRAMED = Protocol(call=CallRules(norm_bright_field="framed"))


# 1, 4, 7, 8: what becomes of an image


def png(folder: Path, **options: Any) -> Path:
    Image.new("RGB", (600, 600), (230, 225, 235)).save(folder / "a.png", **options)
    return folder / "a.png"


def tiff(folder: Path, x_um: float, y_um: float) -> Path:
    grey = np.random.default_rng(7).integers(0, 255, (600, 600), np.uint8)
    path = folder / "a.tif"
    tifffile.imwrite(path, grey, resolution=(1e4 / x_um, 1e4 / y_um), resolutionunit="CENTIMETER")
    return path


UNCALIBRATED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "1: no pixel size": (png, "uncalibrated"),
    "1: 72 dpi": (lambda folder: png(folder, dpi=(72, 72)), "calibration_default_dpi"),
    "1: 96 dpi": (lambda folder: png(folder, dpi=(96, 96)), "calibration_default_dpi"),
    "1: different in x and y": (lambda folder: tiff(folder, 0.5, 0.6), "calibration_anisotropic"),
}


@pytest.mark.parametrize("name", UNCALIBRATED)
def test_a_section_whose_scale_is_not_known_is_refused(name: str, tmp_path: Path) -> None:
    make, code = UNCALIBRATED[name]
    assert_refused(ienfd.analyze(ienfd.read(make(tmp_path))), code)


@cache
def good() -> SectionResult:
    return ienfd.analyze(as_section(phantom()))


def sure_only(share: float) -> Protocol:
    """A protocol for which no junction is certain enough."""
    return Protocol(image=ImageChoices(junction_confidence_min=share))


SPOILT: dict[str, tuple[Callable[[], Phantom], Protocol, str]] = {
    "4: junction uncertain over too much of the length": (phantom, sure_only(1.01), "junction_uncertain"),
    "4: no epidermis": (lambda: without_epidermis(phantom()), BUILT_IN, "no_epidermis"),
    "7: saturated": (lambda: saturated(phantom(), 0.4), BUILT_IN, "saturated"),
    "7: out of focus": (lambda: blurred(phantom(), 6.0), BUILT_IN, "out_of_focus"),
    "8: no nerve anywhere": (lambda: phantom(nerves=False), BUILT_IN, "no_nerve_stain"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_an_image_that_cannot_be_counted_is_refused(name: str) -> None:
    make, protocol, code = SPOILT[name]
    assert_refused(ienfd.analyze(as_section(make()), protocol), code)


def assert_refused(result: SectionResult, code: str) -> None:
    assert (result.status, result.reason) == (Status.REFUSED, code)
    assert REASONS[code].effect is Effect.REFUSED
    assert REASONS[code].text
    assert REASONS[code].remedy
    assert (result.count, result.density_per_mm) == (None, None)
    assert not any(crossing.counted for crossing in result.crossings)


def test_4_an_uncertain_stretch_is_excluded_with_its_length() -> None:
    junction = np.concatenate([piece.junction_confidence for piece in good().findings.pieces])
    result = ienfd.analyze(as_section(phantom()), sure_only(float(np.quantile(junction, 0.2))))
    assert result.status is Status.OK
    assert result.lengths is not None
    assert good().lengths is not None
    assert 0 < result.lengths.excluded_mm < result.lengths.surface_mm
    assert result.lengths.evaluable_mm < good().lengths.evaluable_mm
    assert "junction_partly_uncertain" in result.flags


def test_8_nerves_in_the_dermis_and_no_crossing_is_a_density_of_zero() -> None:
    result = ienfd.analyze(as_section(phantom(crossings=False)))
    assert (result.status, result.count, result.density_per_mm) == (Status.OK, 0, 0.0)


# 1b, 2, 3, 5, 6, 7b, 9, 12 and the unstated frame: what becomes of a biopsy


def three(case_id: str = "C1", **changes: Any) -> list[File]:
    """Three sections of 60 crossings on 4 mm each, which nothing keeps from being called."""
    return [
        of_biopsy(f"{case_id}-{n}.tif", case_id, "B1", **{"crossings": 60, "evaluable_mm": 4.0, **changes})
        for n in range(3)
    ]


def with_one(**changes: Any) -> list[File]:
    files = three()
    case = {**files[2].case, **changes.pop("case", {})}
    return [*files[:2], replace(files[2], case=case, **changes)]


def by_thigh() -> list[File]:
    """Two biopsies of one case."""
    thigh = [replace(file, path=f"t{file.path}", case={**file.case, "biopsy_id": "B2"}) for file in three()]
    return [*three(), *thigh]


@dataclass(frozen=True)
class Case:
    """A biopsy named after its situation, and the code that must say so."""

    name: str
    code: str
    files: list[File] = field(default_factory=three)
    protocol: Protocol = BUILT_IN


TISSUE = phantom_print = "x"  # replaced below

WITHHELD = [
    Case("1b: twice the pixel size", "calibration_inconsistent", with_one(pixel_size_um=0.65)),
    Case("2: no stain that a norm is set for", "no_norm", protocol=Protocol(call=CallRules(""))),
    Case("2: the norm of another stain", "stain_outside_norm",
         protocol=Protocol(call=CallRules("bursova2012"))),
    Case("2: no site", "site_missing", three(site=None)),
    Case("2: another site", "site_outside_norm", three(site="thigh")),
    Case("2: no thickness for a norm of 50 um", "section_um_missing", three(section_um=None), FRAMED),
    Case("2: 39 um for a norm of 50 um", "section_um_outside_norm", three(section_um=39.0), FRAMED),
    Case("2: 61 um for a norm of 50 um", "section_um_outside_norm", three(section_um=61.0), FRAMED),
    Case("2: another line than the norm", "length_line_outside_norm",
         protocol=replace(FRAMED, density=replace(FRAMED.density, length_line="junction"))),
    Case("3: no age", "age_missing", three(age_years=None)),
    Case("3: a child", "age_outside_norm", three(age_years=12.0)),
    Case("3: too old", "age_outside_norm", three(age_years=81.0)),
    Case("3: no sex", "sex_missing", three(sex=None)),
    Case("5: two sections", "too_few_sections", three()[:2]),
    Case("5: two and a refused one", "too_few_sections", with_one(status="refused", reason="blank")),
    Case("5: under 3 mm in all", "too_short", three(evaluable_mm=0.9)),
    Case("7b: a single plane of 50 um", "single_plane", three(planes="single")),
    Case("12: a copy under another name", "duplicate_field",
         [*three(), replace(three()[0], path="copy.tif", content="C1-0.tif")]),
]  # fmt: skip
