"""What ImageJ gets: read by roifile, and byte by byte as the header of a ROI is documented."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import roifile

from ienfd.draw.palette import DARK, LIGHT, Theme
from ienfd.protocol import Stain
from ienfd.report.rois import roi_set_bytes
from ienfd.result import Branch, Crossing, FiberGraph, Findings, Piece, SectionResult, Status, Stretch
from ienfd.skin.lengths import effective_exclusions, stretch_outline_px

PX = 0.5  # micrometers


def line(row: float, wave: float) -> np.ndarray:
    cols = np.linspace(0.0, 400.0, 81)
    return np.column_stack([row + wave * np.sin(cols / 40.0), cols])


def crossing(number: int, counted: bool, reason: str) -> Crossing:
    return Crossing(
        str(UUID(int=number)), str(UUID(int=99)), 0, 150.25 + number, 40.5 * number, None, 20.25 * number,
        counted, reason, 0.875,
    )  # fmt: skip


PIECES = tuple(
    Piece(line(row, 10.0), line(row + 50.0, 20.0), np.full(81, 0.9), cut_ends=(True, False))
    for row in (100.0, 300.0)
)
EXCLUSIONS = (Stretch(0, 50.0, 80.0, "appendage"), Stretch(1, 10.0, 90.0, "junction_low_confidence"))
FIBERS = FiberGraph(
    np.empty((0, 2)), (Branch(0, 1, np.array([[1.0, 1.0], [9.0, 9.0]]), np.ones(2), np.zeros(2, bool)),)
)
FINDINGS = Findings("section", "key", "bright-field", PX, (400, 500), PIECES, EXCLUSIONS, FIBERS)
CROSSINGS = (
    crossing(1, True, "crosses"),
    crossing(2, False, "fragment"),
    crossing(3, True, "crosses"),
    crossing(4, False, "fragment"),
)
RESULT = SectionResult(FINDINGS, Status.OK, None, CROSSINGS, None)
NAMES = [
    "surface 1", "junction 1", "surface 2", "junction 2", "excluded 1 (appendage)",
    "excluded 2 (junction_low_confidence)", "crossing 1 (crosses)", "not counted, candidate 2 (fragment)",
    "crossing 2 (crosses)", "not counted, candidate 4 (fragment)",
]  # fmt: skip


def written(result: SectionResult) -> bytes:
    data = roi_set_bytes(result)
    assert data is not None
    return data


def read(result: SectionResult, folder: Path) -> dict[str, roifile.ImagejRoi]:
    (folder / "set.zip").write_bytes(written(result))
    rois = roifile.roiread(folder / "set.zip")
    assert isinstance(rois, list)
    return {roi.name: roi for roi in rois}


def raw(result: SectionResult, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(written(result))) as archive:
        return archive.read(f"{name}.roi")


def test_each_object_is_a_roi_under_its_name(tmp_path: Path) -> None:
    found = read(RESULT, tmp_path)
    assert list(found) == NAMES
    assert [roi.roitype.name for roi in found.values()] == [
        *["POLYLINE"] * 4,
        *["POLYGON"] * 2,
        *["POINT"] * 4,
    ]
    with zipfile.ZipFile(io.BytesIO(written(RESULT))) as archive:
        assert archive.namelist() == [f"{name}.roi" for name in NAMES]


def test_lines_and_points_have_pixel_centers_at_integers_as_here(tmp_path: Path) -> None:
    found = read(RESULT, tmp_path)
    assert np.allclose(found["junction 1"].coordinates(), PIECES[0].junction_px[:, ::-1], atol=0.0051)
    for number, expected in (("crossing 1 (crosses)", CROSSINGS[0]), ("crossing 2 (crosses)", CROSSINGS[2])):
        assert np.array_equal(found[number].coordinates(), [[expected.col_px, expected.row_px]])


def test_areas_have_pixel_corners_at_integers(tmp_path: Path) -> None:
    found = read(RESULT, tmp_path)["excluded 1 (appendage)"]
    outline = stretch_outline_px(PIECES[0], EXCLUSIONS[0], PX)[:, ::-1]
    assert np.allclose(found.coordinates(), outline + 0.5, atol=0.0051)


def test_the_bytes_of_a_point_are_those_of_the_documented_header() -> None:
    data = raw(RESULT, "crossing 1 (crosses)")
    assert data[:4] == b"Iout"
    version, kind, top, left, bottom, right, count = struct.unpack(">hBx4hH", data[4:18])
    assert (version, kind, count) == (227, 10, 1)
    assert (top, left, bottom, right) == (151, 40, 152, 41)
    (size,) = struct.unpack(">h", data[34:36])
    assert (size, data[52]) == (7, 3)  # a large circle
    assert data[40:44] == bytes((255, *LIGHT.counted))
    subtype, options = struct.unpack(">hh", data[48:52])
    assert (subtype, options) == (0, 128)  # sub-pixel coordinates
    assert struct.unpack(">ff", data[64 + 4 : 64 + 12]) == (40.5, 151.25)  # after the whole numbers
    (header2,) = struct.unpack(">i", data[60:64])
    at, length = struct.unpack(">ii", data[header2 + 16 : header2 + 24])
    assert data[at : at + 2 * length].decode("utf-16-be") == "crossing 1 (crosses)"


def test_the_bytes_of_a_polyline_hold_its_columns_and_then_its_rows() -> None:
    data = raw(RESULT, "surface 1")
    kind, (count,) = data[6], struct.unpack(">H", data[16:18])
    assert (kind, count) == (5, 81)
    values = np.frombuffer(data, ">f4", 2 * count, 64 + 4 * count).reshape(2, count)
    assert np.allclose(values, PIECES[0].surface_px[:, ::-1].T, atol=0.0051)


def test_a_candidate_says_which_it_is(tmp_path: Path) -> None:
    found = read(RESULT, tmp_path)
    assert found["not counted, candidate 2 (fragment)"].props.splitlines() == [
        f"crossing_id: {UUID(int=2)}", "counted: false", "reason: fragment", "origin: automatic",
        "confidence: 0.875",
    ]  # fmt: skip
    assert found["surface 1"].props == ""


@pytest.mark.parametrize(("stain", "theme"), [("bright-field", LIGHT), ("fluorescence", DARK)])
def test_colors_are_those_of_the_overlay_and_shapes_tell_the_same(
    tmp_path: Path, stain: Stain, theme: Theme
) -> None:
    found = read(replace(RESULT, findings=replace(FINDINGS, stain=stain)), tmp_path)
    colors = {name: tuple(roi.stroke_color) for name, roi in found.items()}
    for start, color in (
        ("surface", theme.surface), ("junction", theme.junction), ("excluded", theme.hatch),
        ("crossing", theme.counted), ("not counted", theme.excluded),
    ):  # fmt: skip
        assert {c for name, c in colors.items() if name.startswith(start)} == {(255, *color)}
    marks = {name.split(" ")[0]: roi.arrow_style_or_aspect_ratio for name, roi in found.items()}
    assert (marks["crossing"], marks["not"]) == (3, 1)


def test_all_that_is_not_evaluated_is_shown_when_it_is_given(tmp_path: Path) -> None:
    stretches = effective_exclusions(PIECES, EXCLUSIONS, pixel_size_um=PX, cut_edge_um=25.0)
    data = roi_set_bytes(RESULT, exclusions=stretches)
    assert data is not None
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.startswith("excluded")]
    assert sum("cut_edge" in name for name in names) == 2
    assert len(names) == 4


def test_it_asks_no_clock() -> None:
    with zipfile.ZipFile(io.BytesIO(written(RESULT))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert written(RESULT) == written(RESULT)


def test_a_section_wider_than_whole_numbers_reach_keeps_its_places(tmp_path: Path) -> None:
    far = replace(CROSSINGS[0], row_px=70_000.25, col_px=90_000.5)
    found = read(replace(RESULT, crossings=(far,)), tmp_path)
    assert np.array_equal(found["crossing 1 (crosses)"].coordinates(), [[90_000.5, 70_000.25]])


def test_where_nothing_was_found_there_is_no_set() -> None:
    bare = Findings("section", "key", None, None, (0, 0), refusal="uncalibrated")
    assert roi_set_bytes(SectionResult(bare, Status.REFUSED, "uncalibrated", (), None)) is None


def test_without_a_pixel_size_nothing_is_excluded() -> None:
    data = written(replace(RESULT, findings=replace(FINDINGS, pixel_size_um=None)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not [name for name in archive.namelist() if name.startswith("excluded")]


def test_what_is_nowhere_is_not_written() -> None:
    nowhere = replace(RESULT, crossings=(replace(CROSSINGS[0], row_px=float("nan")),))
    with pytest.raises(ValueError, match="finite"):
        roi_set_bytes(nowhere)
