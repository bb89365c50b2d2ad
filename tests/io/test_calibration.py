"""What a stated pixel size is worth: every way in which a file can say it, or fail to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ienfd.io.calibration import Resolution, given, length_um, of_resolution, of_sizes
from ienfd.io.descriptions import aperio_calibration, imagej_calibration, parse_aperio, parse_imagej
from ienfd.section import Calibration, CalibrationSource


@dataclass(frozen=True)
class Case:
    name: str
    resolution: Resolution | None
    pixel_size_um: float | None = None
    problem: str | None = None


def both(numerator: int, denominator: int, unit: str | None) -> Resolution:
    return Resolution((numerator, denominator), (numerator, denominator), unit)


RESOLUTIONS = [
    Case("half a micrometer per centimeter", both(20_000, 1, "cm"), 0.5),
    Case("half a micrometer per inch", both(50_800, 1, "inch"), 0.5),
    Case("no unit tag is an inch", both(50_800, 1, None), 0.5),
    Case("absent", None, problem="uncalibrated"),
    Case("screen default", both(72, 1, "inch"), problem="calibration_default_dpi"),
    Case("another screen default", both(96, 1, "inch"), problem="calibration_default_dpi"),
    Case("one dot per inch", both(1, 1, "inch"), problem="calibration_default_dpi"),
    Case("printer default", both(300, 1, "inch"), problem="calibration_default_dpi"),
    Case("72 dpi per centimeter", both(2835, 100, "cm"), problem="calibration_default_dpi"),
    Case("72 dpi in whole pixels per centimeter", both(28, 1, "cm"), problem="calibration_default_dpi"),
    Case("96 dpi per meter", both(3780, 1, "m"), problem="calibration_default_dpi"),
    Case("pixels are no unit", both(2, 1, "none"), problem="calibration_unit"),
    Case("zero", both(0, 1000, "cm"), problem="calibration_unit"),
    Case("division by zero", both(1000, 0, "cm"), problem="calibration_unit"),
    Case("negative", both(-5, 1, "cm"), problem="calibration_unit"),
    Case("twice as wide", Resolution((10_000, 1), (20_000, 1), "cm"), problem="calibration_anisotropic"),
    Case("within rounding", Resolution((20_000, 1), (20_100, 1), "cm"), 0.49875621890547),
    Case("too coarse to be a microscope", both(1000, 1, "cm"), problem="calibration_range"),
    Case("finer than light", both(10_000_000, 1, "cm"), problem="calibration_range"),
]


@pytest.mark.parametrize("case", RESOLUTIONS, ids=lambda case: case.name)
def test_resolution_tags(case: Case) -> None:
    found = of_resolution(case.resolution)
    assert found.problem == case.problem
    assert found.pixel_size_um == (None if case.pixel_size_um is None else pytest.approx(case.pixel_size_um))


@dataclass(frozen=True)
class Unit:
    unit: str
    one_um: float | None


UNITS = [
    Unit("um", 1.0), Unit("\u00b5m", 1.0), Unit("\u03bcm", 1.0), Unit("micron", 1.0), Unit("Microns", 1.0),
    Unit("nm", 1e-3), Unit("mm", 1e3), Unit("cm", 1e4), Unit("m", 1e6), Unit("inch", 25_400.0),
    Unit("\u00c5", 1e-4), Unit("pixel", None), Unit("reference frame", None), Unit("", None), Unit("s", None),
]  # fmt: skip


@pytest.mark.parametrize("case", UNITS, ids=lambda case: case.unit)
def test_units_of_length(case: Unit) -> None:
    found = length_um(1.0, case.unit)
    assert found == (None if case.one_um is None else pytest.approx(case.one_um))


@dataclass(frozen=True)
class Sizes:
    name: str
    x_um: float | None
    y_um: float | None
    pixel_size_um: float | None
    problem: str | None = None


SIZES = [
    Sizes("square", 0.25, 0.25, 0.25),
    Sizes("the smallest", 0.05, 0.05, 0.05),
    Sizes("the largest", 2.5, 2.5, 2.5),
    Sizes("just too small", 0.0499, 0.0499, None, "calibration_range"),
    Sizes("just too large", 2.51, 2.51, None, "calibration_range"),
    Sizes("one percent apart", 0.500, 0.505, 0.5025),
    Sizes("two percent apart", 0.50, 0.51, None, "calibration_anisotropic"),
    Sizes("only x", 0.5, None, None, "uncalibrated"),
    Sizes("not a number", float("nan"), 0.5, None, "uncalibrated"),
    Sizes("infinite", float("inf"), float("inf"), None, "uncalibrated"),
    Sizes("zero", 0.0, 0.0, None, "uncalibrated"),
]


@pytest.mark.parametrize("case", SIZES, ids=lambda case: case.name)
def test_sizes(case: Sizes) -> None:
    found = of_sizes(case.x_um, case.y_um, source=CalibrationSource.OME, stated="as said")
    assert found.problem == case.problem
    assert found.pixel_size_um == (None if case.pixel_size_um is None else pytest.approx(case.pixel_size_um))
    assert found.stated == "as said"


@dataclass(frozen=True)
class ImageJ:
    name: str
    lines: str
    per_unit: float
    pixel_size_um: float | None
    problem: str | None = None
    z_step_um: float | None = None
    source: CalibrationSource = CalibrationSource.IMAGEJ


IMAGEJ = [
    ImageJ("micron", "unit=micron", 2, 0.5),
    ImageJ("escaped mu", "unit=\\u00B5m", 2, 0.5),
    ImageJ("with step", "unit=um\nspacing=0.7", 2, 0.5, z_step_um=0.7),
    ImageJ("negative step", "unit=um\nspacing=-0.7", 2, 0.5, z_step_um=0.7),
    ImageJ("step in its own unit", "unit=um\nspacing=700\nzunit=nm", 2, 0.5, z_step_um=0.7),
    ImageJ("millimeter", "unit=mm", 2000, 0.5),
    ImageJ("centimeter", "unit=cm", 20_000, 0.5),
    ImageJ("inch", "unit=inch", 50_800, 0.5),
    ImageJ("inch by default", "unit=inch", 72, None, "calibration_default_dpi",
           source=CalibrationSource.TIFF_RESOLUTION),
    ImageJ("pixel", "unit=pixel", 2, None, "calibration_unit"),
    ImageJ("null", "unit=null", 2, None, "calibration_unit", source=CalibrationSource.TIFF_RESOLUTION),
    ImageJ("no unit", "", 2, None, "calibration_unit", source=CalibrationSource.TIFF_RESOLUTION),
    ImageJ("y in another unit", "unit=um\nyunit=nm", 2, None, "calibration_anisotropic"),
]  # fmt: skip


@pytest.mark.parametrize("case", IMAGEJ, ids=lambda case: case.name)
def test_imagej(case: ImageJ) -> None:
    resolution = both(round(case.per_unit * 1_000_000), 1_000_000, "none")
    found = imagej_calibration(parse_imagej(f"ImageJ=1.54f\n{case.lines}\n"), resolution)
    assert (found.problem, found.source) == (case.problem, case.source)
    assert found.pixel_size_um == (None if case.pixel_size_um is None else pytest.approx(case.pixel_size_um))
    assert found.z_step_um == (None if case.z_step_um is None else pytest.approx(case.z_step_um))


def test_aperio_takes_the_first_of_equal_fields() -> None:
    values = parse_aperio("Aperio Image Library v11\r\n46000x32914|AppMag = 20|MPP = 0.4990|MPP = 0.1")
    found = aperio_calibration(values)
    assert (found.pixel_size_um, found.source) == (0.499, CalibrationSource.APERIO)
    assert found.stated == "MPP = 0.4990"
    assert aperio_calibration({"MPP": "unknown"}).problem == "uncalibrated"


def test_a_given_size_clears_the_problem_of_the_file_and_keeps_its_step() -> None:
    of_file = Calibration(None, CalibrationSource.OME, z_step_um=0.7, problem="calibration_unit")
    found = given(0.4, CalibrationSource.CASES, of_file)
    assert found == Calibration(0.4, CalibrationSource.CASES, 0.7, None, "0.4 um/px")
    assert given(40.0, CalibrationSource.OPTION, of_file).problem == "calibration_range"
