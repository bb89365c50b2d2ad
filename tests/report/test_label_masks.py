"""The masks, read by tifffile and measured by scikit-image: where things lie, and what labels mean."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pytest
import shapely
import tifffile
from defusedxml.ElementTree import fromstring
from hypothesis import example, given
from hypothesis import strategies as st
from skimage.measure import label, regionprops

from ienfd.report import label_masks as module
from ienfd.report.label_masks import LABELS, label_mask_bytes
from ienfd.report.raster import inside, near
from ienfd.result import Branch, Cell, Crossing, FiberGraph, Findings, Piece, SectionResult, Status, Stretch

PX = 0.5  # micrometers
OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"


def level(row: float) -> np.ndarray:
    """A line across the section at half a row, so that no center of a pixel lies on it."""
    return np.column_stack([np.full(101, row), np.linspace(49.5, 149.5, 101)])


def branch(*points: tuple[float, float], bridged: tuple[int, ...] = (), width_um: float = 1.5) -> Branch:
    path = np.array(points, dtype=float)
    gaps = np.isin(np.arange(len(path)), bridged)
    return Branch(0, 1, path, np.ones(len(path)), gaps, width_um=width_um)


def crossing(row: float, col: float, counted: bool) -> Crossing:
    reason = "crosses" if counted else "fragment"
    return Crossing("id", "fiber", 0, row, col, None, 0.0, counted, reason, 0.9)


FINDINGS = Findings(
    section_id="5b1c7c0e-57c1-5a53-9d1d-3a1f6a9c5e00",
    analysis_key="key",
    stain="bright-field",
    pixel_size_um=PX,
    shape=(120, 200),
    pieces=(Piece(level(19.5), level(59.5), np.full(101, 0.9)),),
    exclusions=(Stretch(0, 10.0, 20.0, "appendage"),),
    graph=FiberGraph(
        np.empty((0, 2)),
        (
            branch((70, 160), (80, 160), (90, 160), (100, 160), bridged=(2,)),
            branch((30, 100), (100, 100)),
        ),
        (Cell(40.0, 140.0, 2.5, 9.0),),
    ),
)
CROSSINGS = (
    crossing(60, 100, True),
    crossing(60, 130, True),
    crossing(60, 80, False),
    crossing(62, 132, False),
)
RESULT = SectionResult(FINDINGS, Status.OK, None, CROSSINGS, None)


def written(result: SectionResult, **options: Any) -> bytes:
    data = label_mask_bytes(result, "a_5b1c7c0e", **options)
    assert data is not None
    return data


def masks(result: SectionResult, **options: Any) -> np.ndarray:
    return tifffile.imread(io.BytesIO(written(result, **options)))


def described(result: SectionResult) -> Element:
    with tifffile.TiffFile(io.BytesIO(written(result))) as file:
        assert file.ome_metadata is not None
        root: Element = fromstring(file.ome_metadata)
        return root


class TestPixels:
    def test_they_are_those_of_the_image(self) -> None:
        found = masks(RESULT)
        assert found.shape == (2, 120, 200)
        assert found.dtype == np.uint8

    def test_epidermis_lies_between_surface_and_junction(self) -> None:
        (tissue, _) = masks(RESULT)
        rows, cols = np.nonzero(tissue)
        assert (rows.min(), rows.max(), cols.min(), cols.max()) == (20, 59, 50, 149)
        assert (tissue > 0).sum() == 40 * 100

    def test_an_excluded_stretch_takes_out_the_epidermis_above_it(self) -> None:
        (tissue, _) = masks(RESULT)
        rows, cols = np.nonzero(tissue == 2)
        # from 10 to 20 um along the junction, which begins at column 49.5, two pixels to the micrometer
        assert (cols.min(), cols.max()) == (70, 89)
        assert (rows.min(), rows.max()) == (20, 59)
        assert (masks(RESULT, exclusions=())[0] == 2).sum() == 0

    def test_a_fiber_is_as_wide_as_it_appears(self) -> None:
        (_, nerve) = masks(RESULT)
        assert np.flatnonzero(nerve[75, 150:]).tolist() == [9, 10, 11]  # 1.5 um
        thin = replace(
            FINDINGS, graph=FiberGraph(np.empty((0, 2)), (branch((5, 5), (15, 15), width_um=0.1),))
        )
        (_, nerve) = masks(replace(RESULT, findings=thin, crossings=()))
        assert label(nerve == 1).max() == 1
        assert all(nerve[n, n] for n in range(5, 16))

    def test_a_gap_is_what_no_two_neighbors_saw(self) -> None:
        (_, nerve) = masks(RESULT)
        assert [int(nerve[row, 160]) for row in (75, 84, 90, 96)] == [1, 2, 2, 2]
        assert {int(value) for value in nerve[:, 160]} == {0, 1, 2}

    def test_each_crossing_is_a_disk(self) -> None:
        (_, nerve) = masks(RESULT)
        counted = regionprops(label(nerve == 4))
        assert sorted(tuple(np.round(one.centroid)) for one in counted) == [(60, 100), (60, 130)]
        for one in counted:
            assert one.equivalent_diameter_area == pytest.approx(2 * 3.0 / PX, rel=0.05)
        assert nerve[60, 80] == 5

    def test_what_is_counted_lies_on_top(self) -> None:
        (_, nerve) = masks(RESULT)
        assert nerve[60, 100] == nerve[61, 131] == 4
        assert nerve[67, 135] == 5

    def test_a_cell_is_its_body(self) -> None:
        (_, nerve) = masks(RESULT)
        (cell,) = regionprops(label(nerve == 3))
        assert np.round(cell.centroid).tolist() == [40, 140]
        assert cell.equivalent_diameter_area == pytest.approx(2 * 2.5 / PX, rel=0.05)

    def test_what_reaches_beyond_the_image_ends_there(self) -> None:
        beyond = replace(
            FINDINGS,
            pieces=(Piece(level(-30.5), level(19.5), np.full(101, 0.9)),),
            shape=(40, 100),
            exclusions=(),
        )
        tissue, nerve = masks(replace(RESULT, findings=beyond, crossings=(crossing(-1, 99, True),)))
        assert (tissue > 0).sum() == 20 * 50
        assert nerve[0, 99] == 4


class TestScale:
    def test_a_large_section_is_reduced_by_a_whole_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_MOST_PX", 6000)
        found = masks(RESULT)
        assert found.shape == (2, 60, 100)
        rows, cols = np.nonzero(found[0])
        # pixels 20 to 59 and 50 to 149 of the image, in squares of two
        assert (rows.min(), rows.max(), cols.min(), cols.max()) == (10, 29, 25, 74)
        assert (found[1] == 4).sum() * 4 == pytest.approx((masks_at_full(RESULT)[1] == 4).sum(), rel=0.15)
        pixels = described(RESULT).find(f".//{OME}Pixels")
        assert pixels is not None
        assert pixels.get("PhysicalSizeX") == pixels.get("PhysicalSizeY") == "1.0"
        text = described(RESULT).findtext(f".//{OME}Description")
        assert "A pixel stands for 2 x 2 pixels of the image" in str(text)

    @pytest.mark.parametrize(
        ("shape", "times"),
        [((10, 10), 1), ((4000, 12_000), 1), ((10_000, 10_000), 1), ((10_000, 10_001), 2),
         ((30_000, 30_000), 3), ((100_000, 1), 1), ((101_000, 100_000), 11)],
    )  # fmt: skip
    def test_how_much(self, shape: tuple[int, int], times: int) -> None:
        assert module._reduction(shape) == times


class TestDescription:
    def test_it_says_what_the_axes_and_labels_are(self) -> None:
        with tifffile.TiffFile(io.BytesIO(written(RESULT))) as file:
            assert file.is_ome
            assert file.series[0].axes == "CYX"
        root = described(RESULT)
        text = str(root.findtext(f".//{OME}Description"))
        assert "Axes CYX: channel, row, column." in text
        for channel, meanings in LABELS.items():
            assert channel in text
            assert all(f"{number} {meaning}" in text for number, meaning in meanings.items())
        assert "pixel of the image at full resolution in the same row and column" in text
        assert text.endswith("The section is ok.")
        assert [one.get("Name") for one in root.iter(f"{OME}Channel")] == ["epidermis", "nerve"]

    def test_it_says_the_same_to_programs(self) -> None:
        said = {str(one.get("K")): one.text or "" for one in described(RESULT).iter(f"{OME}M")}
        assert said["section_id"] == FINDINGS.section_id
        assert (said["status"], said["reason"], said["image_px_per_mask_px"]) == ("ok", "", "1")
        assert said["nerve 4"] == "counted crossing"

    def test_it_knows_the_size_of_a_pixel(self) -> None:
        pixels = described(RESULT).find(f".//{OME}Pixels")
        assert pixels is not None
        assert {pixels.get(f"PhysicalSize{axis}") for axis in "XY"} == {"0.5"}
        assert {pixels.get(f"PhysicalSize{axis}Unit") for axis in "XY"} == {"\u00b5m"}
        with tifffile.TiffFile(io.BytesIO(written(RESULT))) as file:
            assert file.pages.first.tags["XResolution"].value == (20_000, 1)  # per cm
            assert file.pages.first.tags["ResolutionUnit"].value == 3
        unknown = replace(RESULT, findings=replace(FINDINGS, pixel_size_um=None))
        assert "PhysicalSize" not in str(tifffile.TiffFile(io.BytesIO(written(unknown))).ome_metadata)

    def test_a_refused_section_says_so_and_counts_nothing(self) -> None:
        off = tuple(replace(one, counted=False, reason="section_refused") for one in CROSSINGS)
        refused = replace(RESULT, status=Status.REFUSED, reason="junction_uncertain", crossings=off)
        text = str(described(refused).findtext(f".//{OME}Description"))
        assert text.endswith("The section is refused (junction_uncertain: nothing is counted).")
        assert (masks(refused)[1] == 4).sum() == 0

    def test_it_is_tiled_and_compressed_and_asks_no_clock(self) -> None:
        data = written(RESULT)
        assert data == written(RESULT)
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            assert page.is_tiled
            assert page.compression == 8  # Adobe's deflate
            assert "DateTime" not in page.tags
            assert page.tags["Software"].value.startswith("ienfd ")

    def test_another_mask_is_another_file_to_those_who_go_by_its_id(self) -> None:
        corrected = replace(RESULT, crossings=CROSSINGS[1:])
        assert described(RESULT).get("UUID") != described(corrected).get("UUID")


def test_where_no_epidermis_was_found_there_is_no_mask() -> None:
    assert (
        label_mask_bytes(replace(RESULT, findings=replace(FINDINGS, pieces=(), exclusions=())), "a") is None
    )
    bare = Findings("section", "key", None, None, (0, 0), refusal="uncalibrated")
    assert label_mask_bytes(SectionResult(bare, Status.REFUSED, "uncalibrated", (), None), "a") is None


def masks_at_full(result: SectionResult) -> np.ndarray:
    return module.label_masks(result, 1, result.findings.exclusions)


places = st.integers(-600, 2600).map(lambda n: n / 100 + 0.0049)  # none on the center of a pixel
outlines = st.lists(st.tuples(places, places), min_size=3, max_size=12)


@given(outlines)
@example([(0.5, 0.5), (0.5, 3.5), (3.5, 3.5), (3.5, 0.5)])
@example([(0.5, 0.5), (9.5, 9.5), (0.5, 9.5), (9.5, 0.5)])
def test_a_pixel_is_inside_when_its_center_is(outline: list[tuple[float, float]]) -> None:
    found = np.zeros((20, 22), dtype=bool)
    area = inside(np.array(outline), found.shape)
    if area is not None:
        found[area.rows, area.cols] = area.pixels
    rows, cols = np.mgrid[:20, :22]
    expected = np.zeros(found.shape, dtype=bool)
    ring = [*outline, outline[0]]
    for (r0, c0), (r1, c1) in itertools.pairwise(ring):
        meets = (r0 <= rows) != (r1 <= rows)
        at = c0 + (rows - r0) * (c1 - c0) / (r1 - r0 if r1 != r0 else 1.0)
        expected ^= meets & (at <= cols)
    assert (found == expected).all()


@given(outlines)
def test_an_outline_that_does_not_cross_itself_is_a_polygon(outline: list[tuple[float, float]]) -> None:
    polygon = shapely.convex_hull(shapely.MultiPoint(outline))
    if not isinstance(polygon, shapely.Polygon):
        return
    found = np.zeros((20, 22), dtype=bool)
    area = inside(np.array(polygon.exterior.coords[:-1]), found.shape)
    if area is not None:
        found[area.rows, area.cols] = area.pixels
    rows, cols = np.mgrid[:20, :22]
    sure = np.abs(shapely.distance(polygon.exterior, shapely.points(rows, cols))) > 1e-9
    assert (found == shapely.contains_xy(polygon, rows, cols))[sure].all()


@given(st.lists(st.tuples(places, places), min_size=1, max_size=5), st.floats(0.0, 4.0))
def test_near_a_line_is_what_lies_within_the_radius(line: list[tuple[float, float]], radius: float) -> None:
    found = np.zeros((20, 22), dtype=bool)
    found[near(np.array(line), radius, found.shape)] = True
    shape = shapely.LineString(line) if len(set(line)) > 1 else shapely.Point(line[0])
    away = shapely.distance(shape, shapely.points(*np.mgrid[:20, :22]))
    assert not found[away > max(radius, 0.7072)].any()
    assert found[away <= max(0.0, radius - 0.26)].all() if radius >= 0.5 else True
