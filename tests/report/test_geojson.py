"""What QuPath gets: valid for a reader that is not ours, in place, complete, and without any name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, shape

from benchmarks.reliability import studies
from benchmarks.reliability.studies import fill, of_biopsy
from ienfd.batch.export import export_csv, export_geojson
from ienfd.cli.export import export
from ienfd.correction.commands import remove_crossing
from ienfd.draw.palette import DARK, LIGHT, Theme
from ienfd.errors import UsageError
from ienfd.protocol import Stain
from ienfd.report.geojson import geojson_bytes, section_geojson
from ienfd.result import Branch, Crossing, FiberGraph, Findings, Piece, SectionResult, Status, Stretch
from ienfd.skin.lengths import effective_exclusions
from ienfd.study.encoding import encode_objects
from ienfd.study.log import Target
from ienfd.study.store import Store

SECTION = "5b1c7c0e-57c1-5a53-9d1d-3a1f6a9c5e00"
PX = 0.5  # micrometers


def line(row: float, wave: float = 0.0, start: float = 0.0, end: float = 400.0) -> np.ndarray:
    cols = np.linspace(start, end, 81)
    return np.column_stack([row + wave * np.sin(cols / 40.0), cols])


def piece(surface: np.ndarray, junction: np.ndarray) -> Piece:
    return Piece(surface, junction, np.full(len(junction), 0.9), cut_ends=(True, False))


def branch(*points: tuple[float, float]) -> Branch:
    path = np.array(points, dtype=float)
    return Branch(0, 1, path, np.ones(len(path)), np.zeros(len(path), bool), width_um=1.25)


def crossing(number: int, counted: bool, **more: Any) -> Crossing:
    reason = "crosses" if counted else "fragment"
    given = {"reach_epidermis_um": 9.0, "reach_dermis_um": 12.5, "contrast": 4.5, **more}
    return Crossing(
        str(UUID(int=number)), str(UUID(int=99)), 0, 150.25 + number, 40.5 * number, None, 20.25 * number,
        counted, reason, 0.875, **given,
    )  # fmt: skip


FINDINGS = Findings(
    section_id=SECTION,
    analysis_key="key",
    stain="bright-field",
    pixel_size_um=PX,
    shape=(400, 500),
    pieces=(
        piece(line(100.0, 10.0), line(150.0, 20.0)),
        piece(line(300.0, 15.0), line(305.0, -15.0)),  # the lines cross each other
    ),
    exclusions=(
        Stretch(0, 50.0, 80.0, "appendage"),
        Stretch(1, 10.0, 90.0, "junction_low_confidence"),
    ),
    graph=FiberGraph(
        np.array([[120.0, 40.0], [180.0, 44.0]]),
        (branch((120, 40), (150, 41), (180, 44)), branch((130, 80), (190, 81)), branch((7, 7), (7, 7.001))),
    ),
)
CROSSINGS = (crossing(1, True), crossing(2, False), crossing(3, True, origin="manual"), crossing(4, False))
RESULT = SectionResult(FINDINGS, Status.OK, None, CROSSINGS, None)


def features(collection: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Those of a class, as another program reads them from the bytes."""
    read = json.loads(geojson_bytes(collection))["features"]
    return [f for f in read if f["properties"]["classification"]["name"].startswith(name)]


def classes(read: dict[str, Any]) -> Counter[str]:
    return Counter(f["properties"]["classification"]["name"] for f in read["features"])


class TestSection:
    def test_every_geometry_is_valid_for_another_reader(self) -> None:
        read = json.loads(geojson_bytes(section_geojson(RESULT, "a.tif")))
        for feature in read["features"]:
            geometry = shape(feature["geometry"])
            assert geometry.is_valid
            assert not geometry.is_empty

    def test_each_class_has_what_the_result_has(self) -> None:
        read = json.loads(geojson_bytes(section_geojson(RESULT, "a.tif")))
        assert classes(read) == {
            "Epidermis": 2,
            "Surface": 2,
            "Junction": 2,
            "Exclusion": 2,
            "Fiber": 2,  # the third branch is a point
            "Crossing: counted": 2,
            "Crossing: not counted": 2,
        }

    def test_it_has_the_form_of_qupath(self) -> None:
        read = json.loads(geojson_bytes(section_geojson(RESULT, "a.tif")))
        assert read["type"] == "FeatureCollection"
        assert read["ienfd"] == {
            "section_id": SECTION, "image": "a.tif", "pixel_size_um": PX, "status": "ok", "reason": None,
        }  # fmt: skip
        ids = [feature["id"] for feature in read["features"]]
        assert len({str(UUID(object_id)) for object_id in ids}) == len(ids)
        for feature in read["features"]:
            properties = feature["properties"]
            assert feature["type"] == "Feature"
            assert properties["objectType"] == "annotation"
            red, green, blue = properties["classification"]["color"]
            assert all(0 <= part <= 255 for part in (red, green, blue))
            assert all(isinstance(value, int | float) for value in properties["measurements"].values())
            assert all(isinstance(value, str) for value in properties.get("metadata", {}).values())

    def test_ids_are_those_of_the_store(self) -> None:
        collection = section_geojson(RESULT, "a.tif")
        stored = {row.object_id for row in encode_objects(FINDINGS)}
        for name in ("Surface", "Junction", "Exclusion", "Fiber"):
            assert {feature["id"] for feature in features(collection, name)} <= stored
        ours = [feature["id"] for feature in features(collection, "Crossing")]
        assert ours == [crossing.crossing_id for crossing in CROSSINGS]

    def test_a_crossing_lies_half_a_pixel_further_than_the_center_of_its_pixel(self) -> None:
        found = features(section_geojson(RESULT, "a.tif"), "Crossing")
        for feature, expected in zip(found, CROSSINGS, strict=True):
            assert feature["geometry"]["type"] == "Point"
            assert feature["geometry"]["coordinates"] == [expected.col_px + 0.5, expected.row_px + 0.5]

    def test_a_crossing_says_all_that_is_known_of_it(self) -> None:
        deep = replace(RESULT, crossings=(replace(CROSSINGS[0], z_um=3.5), *CROSSINGS[1:]))
        first, second, third, _ = (f["properties"] for f in features(section_geojson(deep, "a"), "Crossing"))
        assert first["measurements"] == {
            "counted": 1, "confidence": 0.875, "reach_epidermis_um": 9.0, "reach_dermis_um": 12.5,
            "contrast": 4.5, "z_um": 3.5, "junction_position_um": 20.25,
        }  # fmt: skip
        assert "z_um" not in second["measurements"]
        assert second["measurements"]["counted"] == 0
        assert second["metadata"] == {"reason": "fragment", "origin": "automatic"}
        assert third["metadata"] == {"reason": "crosses", "origin": "manual"}
        # numbered as in the overlay: counted ones only
        assert (first["name"], third["name"]) == ("1", "2")
        assert "name" not in second

    def test_lines_lie_where_they_were_found(self) -> None:
        collection = section_geojson(RESULT, "a.tif")
        first, second = (f["geometry"] for f in features(collection, "Fiber"))
        assert (first["type"], second["type"]) == ("LineString", "LineString")
        assert first["coordinates"] == [[40.5, 120.5], [41.5, 150.5], [44.5, 180.5]]
        (junction, _) = features(collection, "Junction")
        expected = FINDINGS.pieces[0].junction_px[:, ::-1] + 0.5
        assert np.allclose(junction["geometry"]["coordinates"], expected, atol=0.0051)

    def test_the_epidermis_lies_between_surface_and_junction(self) -> None:
        plain, crossed = (
            shape(f["geometry"]) for f in features(section_geojson(RESULT, "a.tif"), "Epidermis")
        )
        assert plain.geom_type == "Polygon"
        assert plain.contains(Point(200.5, 130.5))
        assert not plain.contains(Point(200.5, 60.5))
        expected = Polygon(np.concatenate([line(100.0, 10.0), line(150.0, 20.0)[::-1]])[:, ::-1] + 0.5)
        assert plain.symmetric_difference(expected).area < 0.01 * expected.area
        assert crossed.geom_type == "MultiPolygon"

    def test_what_is_excluded_lies_in_the_epidermis(self) -> None:
        collection = section_geojson(RESULT, "a.tif")
        excluded, _ = features(collection, "Exclusion")
        assert excluded["properties"]["metadata"] == {"reason": "appendage"}
        epidermis = shape(features(collection, "Epidermis")[0]["geometry"])
        area = shape(excluded["geometry"])
        assert 0 < area.area < epidermis.area
        assert area.difference(epidermis.buffer(3.0)).is_empty

    def test_cut_ends_are_shown_when_they_are_given(self) -> None:
        stretches = effective_exclusions(
            FINDINGS.pieces, FINDINGS.exclusions, pixel_size_um=PX, cut_edge_um=25.0
        )
        found = features(section_geojson(RESULT, "a.tif", exclusions=stretches), "Exclusion")
        reasons = [feature["properties"]["metadata"]["reason"] for feature in found]
        assert reasons == [stretch.reason for stretch in stretches]
        assert reasons.count("cut_edge") == 2

    @pytest.mark.parametrize(("stain", "theme"), [("bright-field", LIGHT), ("fluorescence", DARK)])
    def test_colors_are_those_of_the_overlay(self, stain: Stain, theme: Theme) -> None:
        collection = section_geojson(replace(RESULT, findings=replace(FINDINGS, stain=stain)), "a.tif")
        colors = {
            f["properties"]["classification"]["name"]: tuple(f["properties"]["classification"]["color"])
            for f in features(collection, "")
        }
        assert colors == {
            "Epidermis": theme.surface, "Surface": theme.surface, "Junction": theme.junction,
            "Exclusion": theme.hatch, "Fiber": theme.fiber,
            "Crossing: counted": theme.counted, "Crossing: not counted": theme.excluded,
        }  # fmt: skip

    def test_the_same_result_gives_the_same_bytes(self) -> None:
        assert geojson_bytes(section_geojson(RESULT, "a.tif")) == geojson_bytes(
            section_geojson(RESULT, "a.tif")
        )

    def test_a_section_that_was_refused_before_it_was_looked_at_is_empty(self) -> None:
        bare = Findings(SECTION, "key", None, None, (0, 0), refusal="uncalibrated")
        refused = SectionResult(bare, Status.REFUSED, "uncalibrated", (), None)
        read = json.loads(geojson_bytes(section_geojson(refused, "a.tif")))
        assert read["features"] == []
        assert (read["ienfd"]["status"], read["ienfd"]["reason"]) == ("refused", "uncalibrated")

    def test_what_is_nowhere_is_not_written(self) -> None:
        nowhere = replace(RESULT, crossings=(replace(CROSSINGS[0], row_px=float("nan")),))
        with pytest.raises(ValueError, match="finite"):
            section_geojson(nowhere, "a.tif")
        unknown = replace(RESULT, crossings=(replace(CROSSINGS[0], contrast=float("nan")),))
        (found,) = features(section_geojson(unknown, "a.tif"), "Crossing")
        assert "contrast" not in found["properties"]["measurements"]


corners = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(0, 3000)).map(lambda p: (p[0] / 300, p[1] / 300)),
    min_size=1,
    max_size=12,
)


@given(corners, corners)
def test_any_two_lines_make_a_valid_epidermis_or_none(
    surface: list[tuple[float, float]], junction: list[tuple[float, float]]
) -> None:
    tangled = Findings(
        SECTION, "key", "bright-field", PX, (20, 20), (piece(np.array(surface), np.array(junction)),)
    )
    found = features(section_geojson(SectionResult(tangled, Status.OK, None, (), None), "a"), "Epidermis")
    for feature in found:
        geometry = shape(feature["geometry"])
        assert geometry.geom_type in ("Polygon", "MultiPolygon")
        assert geometry.is_valid
        assert geometry.area > 0


SECRET = ("Miller", "1943-02-17", "MRN-778", "Dr. Hope", "left leg", "other", "C-77")
FILES = [
    of_biopsy("Miller 1943-02-17/left leg.tif", "Miller", "Miller-left", patient_id="MRN-778",
              extra={"orderer": "Dr. Hope"}),
    of_biopsy("Miller/other.ome.tif", "C-77", "C-77-1", scene=2, crossings=2),
    of_biopsy("Miller minus.tif", "C-77", "C-77-2", control="negative"),
    of_biopsy("b.tif", "Miller", "Miller-left", status="refused", reason="junction_uncertain",
              detail="Miller"),
    of_biopsy("failed.tif", "Miller", "Miller-left", status="failed", reason="truncated", detail="Miller"),
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    def found(file: studies.File, key: str) -> Findings:
        return replace(
            FINDINGS, section_id=file.section_id, analysis_key=key, detail=file.detail,
            refusal=file.reason if file.status == "refused" else None,
        )  # fmt: skip

    monkeypatch.setattr(studies, "_findings", found)
    with Store(tmp_path / "study", create=True) as opened:
        fill(opened, FILES)
        yield opened


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def of_image(written: dict[str, bytes], name: str) -> dict[str, Any]:
    (found,) = (read for data in written.values() if (read := json.loads(data))["ienfd"]["image"] == name)
    return dict(found)


class TestExport:
    def test_every_section_with_a_result_has_a_file_named_as_its_overlay(
        self, store: Store, tmp_path: Path
    ) -> None:
        assert export_geojson(store, tmp_path / "out", deidentify=False) == 4
        assert set(contents(tmp_path / "out")) == {
            f"left_leg_{FILES[0].section_id[:8]}.geojson",
            f"other_scene2_{FILES[1].section_id[:8]}.geojson",
            f"Miller_minus_{FILES[2].section_id[:8]}.geojson",
            f"b_{FILES[3].section_id[:8]}.geojson",
        }

    def test_they_hold_what_was_found(self, store: Store, tmp_path: Path) -> None:
        export_geojson(store, tmp_path / "out", deidentify=False)
        read = of_image(contents(tmp_path / "out"), "Miller/other.ome.tif")
        assert classes(read) == {
            "Epidermis": 2, "Surface": 2, "Junction": 2, "Exclusion": 2, "Fiber": 2,
            "Crossing: counted": 2, "Crossing: not counted": 3,
        }  # fmt: skip
        assert read["ienfd"]["section_id"] == FILES[1].section_id
        assert all(shape(feature["geometry"]).is_valid for feature in read["features"])

    def test_they_count_what_the_tables_count(self, store: Store, tmp_path: Path) -> None:
        export_geojson(store, tmp_path / "out", deidentify=False)
        for name, reason in (("Miller minus.tif", "negative_control"), ("b.tif", "junction_uncertain")):
            read = of_image(contents(tmp_path / "out"), name)
            assert (read["ienfd"]["status"], read["ienfd"]["reason"]) == ("refused", reason)
            assert classes(read)["Crossing: counted"] == 0
            assert classes(read)["Crossing: not counted"] == 7
            assert classes(read)["Epidermis"] == 2

    def test_two_exports_are_the_same_bytes(self, store: Store, tmp_path: Path) -> None:
        for name in ("one", "two"):
            export_geojson(store, tmp_path / name, deidentify=False)
        assert contents(tmp_path / "one") == contents(tmp_path / "two")

    def test_a_correction_is_in_it(self, store: Store, tmp_path: Path) -> None:
        (place,) = (row for row in store.placements() if row.path == "Miller/other.ome.tif")
        result = store.results([str(place.analysis_id)], place.rules_key)[str(place.analysis_id)]
        gone = next(c for c in result.crossings if c.counted)
        target = Target(section_id=place.section_id, analysis_id=place.analysis_id)
        store.append([remove_crossing(gone, "a hair")], target, who="A. Reader", base_seq=0)
        export_geojson(store, tmp_path / "out", deidentify=False)
        read = of_image(contents(tmp_path / "out"), "Miller/other.ome.tif")
        assert (classes(read)["Crossing: counted"], classes(read)["Fiber"]) == (1, 2)
        (removed,) = (f["properties"] for f in read["features"] if f["id"] == gone.crossing_id)
        assert removed["metadata"]["reason"] == "reviewer_removed"

    def test_under_numbers_it_holds_no_name(self, store: Store, tmp_path: Path) -> None:
        assert export_geojson(store, tmp_path / "plain", deidentify=False) == 4
        assert export_geojson(store, tmp_path / "hidden", deidentify=True) == 4
        hidden = contents(tmp_path / "hidden")
        for name, data in hidden.items():
            text = name + data.decode("ascii")
            assert not [secret for secret in SECRET if secret in text]
            assert json.loads(data)["ienfd"]["image"].startswith("section-")
        # only the names differ
        shapes = [
            sorted(json.dumps(json.loads(data)["features"]) for data in contents(tmp_path / folder).values())
            for folder in ("plain", "hidden")
        ]
        assert shapes[0] == shapes[1]

    def test_its_numbers_are_those_of_the_tables(self, store: Store, tmp_path: Path) -> None:
        export_geojson(store, tmp_path / "geojson", deidentify=True)
        export_csv(store, tmp_path / "csv", deidentify=True)
        table = (tmp_path / "csv" / "sections.csv").read_text(encoding="utf-8")
        for data in contents(tmp_path / "geojson").values():
            assert f",{json.loads(data)['ienfd']['image']}," in table

    def test_names_are_not_left_beside_numbers_nor_anything_in_the_study(
        self, store: Store, tmp_path: Path
    ) -> None:
        export_geojson(store, tmp_path / "out", deidentify=False)
        with pytest.raises(UsageError, match="not empty"):
            export_geojson(store, tmp_path / "out", deidentify=True)
        with pytest.raises(UsageError, match="lies in the study"):
            export_geojson(store, store.folder / "out", deidentify=False)

    def test_the_command_writes_them(self, store: Store, tmp_path: Path) -> None:
        out = tmp_path / "out"
        asked = [str(store.folder), "--format", "geojson", "--out", str(out), "--deidentify"]
        done = CliRunner().invoke(export, asked, standalone_mode=False)
        assert (done.exception, done.return_value) == (None, 0)
        assert "4 sections written" in done.output
        assert {path.suffix for path in out.iterdir()} == {".geojson"}
        assert CliRunner().invoke(export, [*asked[:2], "xml", *asked[3:]]).exit_code == 2
