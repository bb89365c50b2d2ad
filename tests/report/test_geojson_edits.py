"""What comes back from QuPath: every change becomes an edit, or is said; nothing else happens."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from benchmarks.reliability import studies
from benchmarks.reliability.studies import fill, of_biopsy
from ienfd.batch.edits_back import Returned, import_edits, returned_files
from ienfd.batch.export import export_geojson
from ienfd.batch.leaving import as_tabled
from ienfd.cli.import_edits import import_edits as command
from ienfd.correction.commands import Command, note, review
from ienfd.correction.correct import reviewed_figures
from ienfd.density import count
from ienfd.errors import ConflictError, UsageError
from ienfd.protocol import CountingRules, Protocol
from ienfd.report.content import gather
from ienfd.report.geojson import geojson_bytes, section_geojson
from ienfd.report.geojson_state import state_of
from ienfd.report.signing import sign_biopsy
from ienfd.result import Branch, FiberGraph, Findings, Piece, SectionResult, Stretch
from ienfd.review.desk import Desk
from ienfd.review.picking import stretches
from ienfd.study.log import Target
from ienfd.study.store import Store

FILE = of_biopsy("a.tif", "C1", "B1", crossings=4)
OTHERS = [of_biopsy("b.tif", "C1", "B1"), of_biopsy("c.tif", "C1", "B1")]
PX = 0.5
WHO = "A. Reader"


CROSSING, FRAGMENT = (20, 70, 170, 270), (120, 220)  # columns


def _found(file: studies.File, key: str) -> Findings:
    """A straight junction with four fibers that cross it and two pieces above it; one stretch is left out."""
    cols = np.linspace(0.0, 400.0, 81)
    surface, junction = (np.column_stack([np.full(81, row), cols]) for row in (60.0, 150.0))
    paths = [np.column_stack([np.linspace(110.0, 190.0, 41), np.full(41, float(col))]) for col in CROSSING]
    paths += [np.column_stack([np.linspace(90.0, 140.0, 41), np.full(41, float(col))]) for col in FRAGMENT]
    branches = tuple(
        Branch(2 * n, 2 * n + 1, path, np.full(41, 12.0), np.zeros(41, bool)) for n, path in enumerate(paths)
    )
    return Findings(
        section_id=file.section_id,
        analysis_key=key,
        stain="bright-field",
        pixel_size_um=PX,
        shape=(400, 500),
        pieces=(Piece(surface, junction, np.full(81, 0.9)),),
        exclusions=(Stretch(0, 155.0, 175.0, "appendage"),),
        graph=FiberGraph(np.concatenate([path[[0, -1]] for path in paths]), branches),
    )


def _result(file: studies.File, findings: Findings, protocol: Protocol) -> SectionResult:
    return count(findings, protocol)


@pytest.fixture(scope="module", autouse=True)
def _scene() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies, "_findings", _found)
        patch.setattr(studies, "_result", _result)
        yield


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        fill(opened, [FILE, *OTHERS])
        yield opened


def exported(store: Store, out: Path) -> dict[str, Any]:
    """The first section as QuPath reads it."""
    export_geojson(store, out, deidentify=False)
    (path,) = out.glob("a_*.geojson")
    return dict(json.loads(path.read_bytes()))


def through_qupath(read: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """A file as QuPath writes what it has read: in another order, without what ienfd says of the whole."""
    rng = random.Random(seed)
    features = json.loads(json.dumps(read["features"]))
    for feature in features:
        classification = feature["properties"]["classification"]
        if ":" in classification["name"] and rng.random() < 0.5:
            classification["names"] = classification.pop("name").split(": ")
        geometry = feature["geometry"]
        if geometry["type"] == "Polygon":
            ring = geometry["coordinates"][0][:-1]
            turn = rng.randrange(len(ring))
            ring = ring[turn:] + ring[:turn]
            geometry["coordinates"][0] = [*ring, ring[0]]
        if rng.random() < 0.2:
            feature["properties"]["isLocked"] = True
        feature["properties"].pop("measurements")
    rng.shuffle(features)
    return {"type": "FeatureCollection", "features": features}


def written(folder: Path, read: Any, name: str = "edited.geojson") -> Path:
    path = folder / name
    path.write_text(json.dumps(read), encoding="utf-8")
    return path


def bring(store: Store, path: Path, **more: Any) -> Returned:
    (done,) = import_edits(store, [path], who=WHO, **more)
    return done


def of_class(read: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [f for f in read["features"] if _name(f).startswith(name)]


def _name(feature: dict[str, Any]) -> str:
    classification = feature["properties"].get("classification") or {}
    return str(classification.get("name") or ": ".join(classification.get("names", ())))


def point(col: float, row: float, name: str | None = "Crossing: counted", **more: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"objectType": "annotation", **more}
    if name is not None:
        properties["classification"] = {"name": name, "color": [1, 2, 3]}
    geometry = {"type": "Point", "coordinates": [col + 0.5, row + 0.5]}
    return {"type": "Feature", "id": str(uuid4()), "geometry": geometry, "properties": properties}


def area(left: float, top: float, right: float, bottom: float, name: str = "Exclusion") -> dict[str, Any]:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    properties = {"objectType": "annotation", "classification": {"name": name, "color": [1, 2, 3]}}
    geometry = {"type": "Polygon", "coordinates": [corners]}
    return {"type": "Feature", "id": str(uuid4()), "geometry": geometry, "properties": properties}


def counted(read: dict[str, Any]) -> set[tuple[float, float]]:
    return {
        (round(p["geometry"]["coordinates"][0], 2), round(p["geometry"]["coordinates"][1], 2))
        for p in of_class(read, "Crossing: counted")
    }


def at(read: dict[str, Any], col: int) -> dict[str, Any]:
    """The candidate in a column."""
    (found,) = (f for f in of_class(read, "Crossing") if abs(f["geometry"]["coordinates"][0] - col - 0.5) < 1)
    return found


def entries(store: Store) -> list[Command]:
    return [e.edit.command for e in store.edits(Target(section_id=FILE.section_id))]


class TestNothing:
    @pytest.mark.parametrize("seed", range(5))
    def test_an_unedited_export_gives_no_edit(self, store: Store, tmp_path: Path, seed: int) -> None:
        read = exported(store, tmp_path / "out")
        for same in (read, through_qupath(read, seed), through_qupath(read, seed)["features"]):
            done = bring(store, written(tmp_path, same))
            assert (done.problem, done.edits, done.left_alone) == (None, (), ())
        assert store.edits() == []

    def test_so_does_what_a_reviewer_saved(self, store: Store, tmp_path: Path) -> None:
        fill(store, [FILE, *OTHERS, of_biopsy("control.tif", "C2", "B2", control="negative")])
        desk = Desk(store)
        for item in desk.items:
            sheet = desk.sheet(item)
            place = sheet.entry.placement
            result, state = as_tabled(sheet.entry, sheet.result), state_of(place, sheet.log)
            read = section_geojson(result, place.path, exclusions=stretches(sheet), state=state)
            done = bring(store, written(tmp_path, through_qupath(json.loads(geojson_bytes(read)))))
            assert (done.problem, done.edits, done.left_alone) == (None, (), ())

    def test_so_does_one_of_a_corrected_section(self, store: Store, tmp_path: Path) -> None:
        read = exported(store, tmp_path / "out")
        read["features"] += [point(70, 160), area(10, 0, 60, 400)]
        read["features"].remove(of_class(read, "Crossing: counted")[-2])
        assert len(bring(store, written(tmp_path, read)).edits) == 3
        again = through_qupath(exported(store, tmp_path / "out2"))
        done = bring(store, written(tmp_path, again))
        assert (done.problem, done.edits, done.left_alone) == (None, (), ())


class TestCrossings:
    def edited(self, store: Store, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Returned:
        read = through_qupath(exported(store, tmp_path / "out"))
        change(read)
        return bring(store, written(tmp_path, read))

    def test_deleted_is_removed(self, store: Store, tmp_path: Path) -> None:
        done = self.edited(
            store, tmp_path, lambda read: read["features"].remove(of_class(read, "Crossing: counted")[0])
        )
        (edit,) = done.edits
        assert (edit.command, done.crossings) == (Command.REMOVE_CROSSING, (4, 3))
        assert entries(store) == [Command.NOTE, Command.REMOVE_CROSSING]
        assert {e.who for e in store.edits()} == {WHO}

    def test_what_was_not_counted_anyway_is_left(self, store: Store, tmp_path: Path) -> None:
        done = self.edited(
            store, tmp_path, lambda read: read["features"].remove(of_class(read, "Crossing: not counted")[0])
        )
        assert done.edits == ()
        assert "was not counted anyway" in done.left_alone[0]
        assert store.edits() == []

    def test_moved_added_and_classified_otherwise(self, store: Store, tmp_path: Path) -> None:
        new = point(210, 140)
        ids: list[str] = []

        def change(read: dict[str, Any]) -> None:
            no, yes, moved = at(read, 170), at(read, 120), at(read, 70)
            no["properties"]["classification"] = {"names": ["Crossing", "not counted"], "color": [0, 0, 0]}
            yes["properties"]["classification"] = {"name": "Crossing: counted", "color": [0, 0, 0]}
            moved["geometry"]["coordinates"][0] += 3
            ids.extend(one["id"] for one in (no, yes, moved))
            read["features"].append(new)

        done = self.edited(store, tmp_path, change)
        assert sorted(edit.command for edit in done.edits) == sorted(
            [Command.MOVE_CROSSING, Command.RECLASSIFY_CROSSING, Command.RECLASSIFY_CROSSING,
             Command.ADD_CROSSING]
        )  # fmt: skip
        assert (done.left_alone, done.crossings) == ((), (4, 5))
        (entry,) = (e for e in gather(store).sections if e.placement.path == "a.tif")
        assert entry.result is not None
        found = {c.crossing_id: c for c in entry.result.crossings}
        assert [found[one].counted for one in ids] == [False, True, True]
        assert found[ids[2]].col_px == 73
        assert (found[new["id"]].row_px, found[new["id"]].col_px) == (140, 210)  # under its own id

    def test_points_that_were_set_together_are_each_one(self, store: Store, tmp_path: Path) -> None:
        several = point(0, 0)
        several["geometry"] = {"type": "MultiPoint", "coordinates": [[30.5, 160.5], [220.5, 140.5]]}

        def change(read: dict[str, Any]) -> None:
            grown = of_class(read, "Crossing: counted")[0]["geometry"]  # set while it was selected
            here = grown["coordinates"]
            grown |= {"type": "MultiPoint", "coordinates": [[240.5, 140.5], here]}
            read["features"].append(several)

        done = self.edited(store, tmp_path, change)
        assert [edit.command for edit in done.edits] == [Command.ADD_CROSSING] * 3
        assert {edit.object_id for edit in done.edits} > {several["id"]}
        assert len({edit.object_id for edit in done.edits}) == 3
        assert done.crossings == (4, 7)

    def test_what_is_not_understood_is_said_and_left(self, store: Store, tmp_path: Path) -> None:
        def change(read: dict[str, Any]) -> None:
            at(read, 20)["properties"]["classification"] = {"name": "Tumor", "color": [0, 0, 0]}
            at(read, 70)["properties"]["name"] = "odd"
            of_class(read, "Junction")[0]["geometry"]["coordinates"][3][1] += 5
            read["features"].remove(of_class(read, "Fiber")[0])
            read["features"] += [
                point(30, 150, None), point(40, 150, "Mast cell"), point(50, 150, "Crossing: not counted"),
                point(5000, 1), area(0, 0, 10, 10, "Crossing: counted"), area(5, 5, 9, 9),
                {**point(1, 1), "geometry": {"type": "Point", "coordinates": ["<b>", None]}},
                {**point(1, 1), "geometry": None},
            ]  # fmt: skip

        done = self.edited(store, tmp_path, change)
        assert done.edits == ()
        said = "\n".join(done.left_alone)
        for part in (
            "has another class (Tumor): Crossing", "has another name", "Junction at row",
            "is new and has no class", "is new, and nothing that ienfd takes (Mast cell, Point)",
            "(Crossing: not counted, Point)", "lies outside the image", "(Crossing: counted, Polygon)",
            "holds nothing of the junction",
            "(Crossing: counted, no geometry)", "missing, but lines are not changed this way: Fiber",
        ):  # fmt: skip
            assert part in said, part
        assert store.edits() == []

    def test_a_part_of_a_section_deletes_nothing(self, store: Store, tmp_path: Path) -> None:
        def change(read: dict[str, Any]) -> None:
            read["features"] = [*of_class(read, "Crossing: counted")[:1], point(210, 140)]

        done = self.edited(store, tmp_path, change)
        assert [edit.command for edit in done.edits] == [Command.ADD_CROSSING]
        assert any("so is a Junction" in line for line in done.left_alone)

    def test_an_object_that_stands_twice_is_left(self, store: Store, tmp_path: Path) -> None:
        def change(read: dict[str, Any]) -> None:
            twin = json.loads(json.dumps(of_class(read, "Crossing: counted")[0]))
            twin["geometry"]["coordinates"] = [9.5, 9.5]
            read["features"].append(twin)

        done = self.edited(store, tmp_path, change)
        assert (done.edits, len(done.left_alone)) == ((), 1)
        assert "stands more than once" in done.left_alone[0]

    def test_objects_within_objects_are_seen(self, store: Store, tmp_path: Path) -> None:
        def change(read: dict[str, Any]) -> None:
            (epidermis,) = of_class(read, "Epidermis")
            inside = of_class(read, "Crossing")
            read["features"] = [f for f in read["features"] if f not in inside]
            epidermis["properties"]["childObjects"] = inside

        assert self.edited(store, tmp_path, change).edits == ()


class TestExclusions:
    def test_an_area_leaves_out_what_of_the_junction_lies_in_it(self, store: Store, tmp_path: Path) -> None:
        read = exported(store, tmp_path / "out")
        read["features"].append(area(100.5, 0, 150.5, 400))
        done = bring(store, written(tmp_path, read))
        (edit,) = done.edits
        assert edit.command is Command.EXCLUDE_STRETCH
        assert edit.after is not None
        assert (edit.after["start_px"], edit.after["end_px"]) == ([150.0, 100.0], [150.0, 150.0])
        again = exported(store, tmp_path / "out2")
        assert len(of_class(again, "Exclusion")) == 2

    def test_a_deleted_one_is_taken_in_without_a_rest(self, store: Store, tmp_path: Path) -> None:
        read = through_qupath(exported(store, tmp_path / "out"))
        read["features"].remove(of_class(read, "Exclusion")[0])
        (edit,) = bring(store, written(tmp_path, read)).edits
        assert edit.command is Command.INCLUDE_STRETCH
        assert of_class(exported(store, tmp_path / "out2"), "Exclusion") == []

    def test_one_that_was_drawn_anew_is_taken_in_and_left_out_elsewhere(
        self, store: Store, tmp_path: Path
    ) -> None:
        read = through_qupath(exported(store, tmp_path / "out"))
        of_class(read, "Exclusion")[0]["geometry"] = area(20.5, 0, 40.5, 400)["geometry"]
        done = bring(store, written(tmp_path, read))
        assert [edit.command for edit in done.edits] == [Command.INCLUDE_STRETCH, Command.EXCLUDE_STRETCH]
        (left,) = of_class(exported(store, tmp_path / "out2"), "Exclusion")
        cols = [corner[0] for corner in left["geometry"]["coordinates"][0]]
        assert min(cols) == pytest.approx(20.5, abs=5)
        assert max(cols) == pytest.approx(40.5, abs=5)

    def test_a_crossing_in_a_stretch_that_is_left_out_is_said(self, store: Store, tmp_path: Path) -> None:
        read = through_qupath(exported(store, tmp_path / "out"))
        read["features"] += [area(60.5, 0, 90.5, 400), point(70, 165)]
        done = bring(store, written(tmp_path, read))
        assert len(done.edits) == 2
        assert any("is taken in, but not counted" in line for line in done.left_alone)

    def test_a_cut_end_is_the_protocols(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def cut(file: studies.File, key: str) -> Findings:
            found = _found(file, key)
            return replace(found, pieces=(replace(found.pieces[0], cut_ends=(True, False)),), exclusions=())

        monkeypatch.setattr(studies, "_findings", cut)
        with Store(tmp_path / "cut", create=True) as store:
            fill(store, [FILE], protocol=Protocol(counting=CountingRules(cut_edge_um=20.0)))
            read = exported(store, tmp_path / "out")
            read["features"].remove(of_class(read, "Exclusion")[0])
            done = bring(store, written(tmp_path, read))
        assert done.edits == ()
        assert "cut end" in done.left_alone[0]


class TestState:
    def removed(self, store: Store, out: Path) -> dict[str, Any]:
        read = through_qupath(exported(store, out))
        read["features"].remove(of_class(read, "Crossing: counted")[0])
        return read

    def test_what_somebody_else_changed_is_not_overwritten(self, store: Store, tmp_path: Path) -> None:
        path = written(tmp_path, self.removed(store, tmp_path / "out"))
        assert bring(store, path).problem is None
        done = bring(store, path)  # the log has moved on: the same file is not taken twice
        assert isinstance(done.problem, ConflictError)
        assert len(entries(store)) == 2
        asked = [str(store.folder), str(path), "--by", WHO]
        said = CliRunner().invoke(command, asked, standalone_mode=False)
        assert said.return_value == 3
        assert f"{WHO}: removed" in said.output

    def test_a_remark_is_no_change(self, store: Store, tmp_path: Path) -> None:
        path = written(tmp_path, self.removed(store, tmp_path / "out"))
        store.append([note("look")], Target(section_id=FILE.section_id), who="B. Other", base_seq=0)
        assert bring(store, path).problem is None

    def test_what_was_counted_anew_has_to_be_exported_anew(self, store: Store, tmp_path: Path) -> None:
        path = written(tmp_path, self.removed(store, tmp_path / "out"))
        fill(store, [FILE, *OTHERS], key="another")
        done = bring(store, path)
        assert done.problem is not None
        assert done.problem.code == "import_outdated"

    def test_of_another_study_or_of_none(self, store: Store, tmp_path: Path) -> None:
        read = self.removed(store, tmp_path / "out")
        with Store(tmp_path / "other", create=True) as other:
            fill(other, [of_biopsy("z.tif")])
            assert bring(other, written(tmp_path, read)).problem is not None
            read = exported(other, tmp_path / "z") if list((tmp_path / "z").glob("a_*")) else read
        for feature in read["features"]:
            feature["properties"].pop("metadata", None)
        done = bring(store, written(tmp_path, read))
        assert done.problem is not None
        assert done.problem.code == "import_unknown"

    def test_an_entry_of_another_log_is_seen(self, store: Store, tmp_path: Path) -> None:
        bring(store, written(tmp_path, self.removed(store, tmp_path / "out")))
        read = self.removed(store, tmp_path / "out2")
        for feature in read["features"]:
            tags = feature["properties"].get("metadata", {})
            if "ienfd_edits" in tags:
                tags["ienfd_edits"] = "2 000000000000"
        done = bring(store, written(tmp_path, read))
        assert done.problem is not None
        assert done.problem.code == "import_unknown"

    def test_two_sections_in_one_file_are_refused(self, store: Store, tmp_path: Path) -> None:
        read = exported(store, tmp_path / "out")
        (other,) = (tmp_path / "out").glob("b_*.geojson")
        read["features"] += json.loads(other.read_bytes())["features"]
        done = bring(store, written(tmp_path, read))
        assert "2 exports" in str(done.problem)

    def test_what_is_signed_needs_a_reason(self, store: Store, tmp_path: Path) -> None:
        for entry in gather(store, "C1").sections:
            place = entry.placement
            assert entry.result is not None
            target = Target("C1", "B1", place.section_id, place.analysis_id)
            store.append([review("reviewed", reviewed_figures(entry.result))], target, who=WHO, base_seq=0)
        sign_biopsy(store, "C1", "B1", name=WHO, why="reviewed alone")
        path = written(tmp_path, self.removed(store, tmp_path / "out"))
        for dry_run in (True, False):
            done = bring(store, path, dry_run=dry_run)
            assert done.problem is not None
            assert "it is signed" in str(done.problem)
        assert Command.REMOVE_CROSSING not in entries(store)
        assert bring(store, path, why="a hair").problem is None
        assert [e.edit.why for e in store.edits() if e.edit.command is Command.REMOVE_CROSSING] == ["a hair"]
        assert gather(store, "C1").biopsies[0].status == "preliminary"

    def test_a_trial_writes_nothing(self, store: Store, tmp_path: Path) -> None:
        path = written(tmp_path, self.removed(store, tmp_path / "out"))
        done = bring(store, path, dry_run=True)
        assert (len(done.edits), done.crossings) == (1, (4, 3))
        assert store.edits() == []

    def test_an_export_without_names_comes_back_too(self, store: Store, tmp_path: Path) -> None:
        export_geojson(store, tmp_path / "hidden", deidentify=True)
        for path in sorted((tmp_path / "hidden").iterdir()):
            read = through_qupath(json.loads(path.read_bytes()))
            read["features"].remove(of_class(read, "Crossing: counted")[0])
            written(tmp_path / "hidden", read, path.name)
        done = import_edits(store, returned_files(tmp_path / "hidden"), who=WHO)
        assert [len(one.edits) for one in done] == [1, 1, 1]


ODD: tuple[Any, ...] = (
    None, True, -1, 10**30, "", "\ud800", "9" * 5000, [], [[]], [1], [1, 2], [[1, 2]], {}, {"name": 3},
    [[[1, 2], [3, 4]]], {"names": [None, 3]}, {"type": "Point", "coordinates": [[1, 2]]},
    {"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]},
    {"type": "MultiPoint", "coordinates": [1, 2]}, {"type": "GeometryCollection", "geometries": []},
    {"ienfd_section": "x", "ienfd_edits": "9" * 5000},
)  # fmt: skip


class TestFiles:
    def test_whatever_a_file_holds_it_is_taken_or_refused(self, store: Store, tmp_path: Path) -> None:
        read = through_qupath(exported(store, tmp_path / "out"))
        rng = random.Random(1)
        files = []
        for number in range(150):
            odd = json.loads(json.dumps(read))
            for _ in range(rng.randint(1, 4)):
                at_hand: Any = rng.choice(odd["features"])
                while isinstance(at_hand, dict) and at_hand:
                    key = rng.choice(sorted(at_hand))
                    if not isinstance(at_hand[key], dict) or rng.random() < 0.4:
                        at_hand[key] = rng.choice(ODD)
                        break
                    at_hand = at_hand[key]
            files.append(written(tmp_path, odd, f"{number}.geojson"))
        done = import_edits(store, files, who=WHO, dry_run=True)
        assert len(done) == 150
        assert any(one.problem is not None for one in done)
        assert any(one.left_alone for one in done)
        assert store.edits() == []

    @pytest.mark.parametrize(
        "text",
        ["", "no json", "[" * 100_000, "{}", '{"features": 3}', '{"features": [3]}', '{"a": NaN}', '"text"',
         '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": 3}]}'],
    )  # fmt: skip
    def test_what_is_no_geojson_keeps_no_other_file_back(
        self, store: Store, tmp_path: Path, text: str
    ) -> None:
        folder = tmp_path / "returned"
        folder.mkdir()
        read = through_qupath(exported(store, tmp_path / "out"))
        read["features"].append(point(210, 140))
        written(folder, read, "z.geojson")
        (folder / "a.geojson").write_text(text, encoding="utf-8")
        bad, good = import_edits(store, returned_files(folder), who=WHO)
        assert bad.problem is not None
        assert bad.problem.code == "import_invalid"
        assert (good.problem, len(good.edits)) == (None, 1)

    def test_a_folder_without_any_and_a_person_without_a_name(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no file that ends"):
            returned_files(tmp_path)
        with pytest.raises(UsageError, match="name of a person"):
            import_edits(store, [tmp_path / "a.geojson"], who=" ")

    def test_the_command_says_what_it_does_and_the_tables_follow(self, store: Store, tmp_path: Path) -> None:
        read = through_qupath(exported(store, tmp_path / "out"))
        read["features"].append(point(210, 140))
        hostile = point(3, 3, "<script>[bold]=cmd|' /C calc'!A0" + "x" * 10_000)
        hostile["properties"]["name"] = "\u202e[/red]"
        read["features"].append(hostile)
        asked = [str(store.folder), str(written(tmp_path, read)), "--by", WHO]
        tried = CliRunner().invoke(command, [*asked, "--dry-run"], standalone_mode=False)
        assert (tried.exception, tried.return_value) == (None, 0)
        assert "1 edit would be written" in tried.output
        done = CliRunner().invoke(command, asked, standalone_mode=False)
        assert (done.exception, done.return_value) == (None, 0)
        assert "added, row 140, column 210" in done.output
        assert "crossings 4 to 5" in done.output
        assert "<script>[bold]" in done.output
        assert len(done.output) < 2000
        table = (store.folder / "sections.csv").read_text(encoding="utf-8")
        assert ",5," in next(line for line in table.splitlines() if "a.tif" in line)


@given(
    st.sets(st.sampled_from(CROSSING)),
    st.sets(st.sampled_from(CROSSING + FRAGMENT)),
    st.lists(st.tuples(st.integers(0, 480), st.integers(0, 390)), max_size=3, unique=True),
    st.sampled_from(CROSSING + FRAGMENT),
    st.booleans(),
)
@settings(max_examples=8, phases=[Phase.explicit, Phase.generate])
def test_edited_and_exported_again_it_holds_the_same_crossings(
    deleted: set[int], turned: set[int], added: list[tuple[int, int]], moved: int, include: bool
) -> None:
    with tempfile.TemporaryDirectory() as name, Store(Path(name) / "study", create=True) as store:
        folder = Path(name)
        fill(store, [FILE])
        read = through_qupath(exported(store, folder / "out"), seed=len(added))
        gone = of_class(read, "Exclusion") if include else []
        gone += [at(read, col) for col in deleted - turned]
        for col in turned:
            other = "counted" if col in FRAGMENT else "not counted"
            at(read, col)["properties"]["classification"] = {"names": ["Crossing", other], "color": [0, 0, 0]}
        at(read, moved)["geometry"]["coordinates"][1] += 4
        read["features"] = [one for one in read["features"] if one not in gone]
        # what lies in the stretch that is left out is not counted, whoever sets it
        new = [point(col, row) for col, row in added if include or not 300 <= col <= 360]
        read["features"] += new
        done = bring(store, written(folder, read))
        assert done.problem is None
        again = exported(store, folder / "again")
        assert counted(again) == counted(read)
        assert {f["id"] for f in of_class(read, "Crossing")} <= {f["id"] for f in of_class(again, "Crossing")}
        assert bring(store, written(folder, through_qupath(again))).edits == ()
