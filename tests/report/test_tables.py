"""The derived tables: their columns, their cells, and what is pooled."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.collect import collect
from ienfd.errors import EnvironmentProblem
from ienfd.protocol import CallRules, CountingRules, Protocol
from ienfd.reasons import REASONS
from ienfd.report.columns import BIOPSIES, CONTROLS, CROSSINGS, DICTIONARY, RULES, SECTIONS, Column
from ienfd.report.content import gather
from ienfd.report.csv_text import csv_bytes, inert
from ienfd.report.tables import make_tables
from ienfd.study.store import Store

Rows = list[dict[str, str]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def tables(store: Store) -> dict[str, Rows]:
    return {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))
        for name, data in make_tables(gather(store)).items()
    }


def headers(store: Store) -> dict[str, list[str]]:
    return {
        name.removesuffix(".csv"): next(csv.reader(io.StringIO(data.decode("utf-8"))))
        for name, data in make_tables(gather(store)).items()
    }


CONTRACT = {
    "sections": "section_id, file, scene, region, case_id, biopsy_id, stain, planes, pixel_size_um, "
    "pixel_size_source, status, reason, reason_text, remedy, crossings, surface_length_mm, "
    "junction_length_mm, chord_length_mm, length_line, excluded_length_mm, evaluable_length_mm, "
    "density_per_mm, density_low_per_mm, density_high_per_mm, fragments, approaching, dendritic_cells, "
    "junction_confidence, quality_flags, protocol_id, protocol_hash, algorithm_version, edits, "
    "review_status",
    "crossings": "section_id, crossing_id, fiber_id, piece, row_px, col_px, z_um, junction_position_um, "
    "counted, reason, reason_text, confidence, origin",
    "biopsies": "case_id, biopsy_id, site, side, collection_date, age_years, sex, stain, sections_evaluable, "
    "crossings, evaluable_length_mm, density_per_mm, mean_section_density_per_mm, density_low_per_mm, "
    "density_high_per_mm, norm_id, norm_limit_per_mm, below_norm, certainty, sections_to_settle, "
    "other_norms, flags, withheld_reasons, status",
    "data_dictionary": "column, table, meaning, unit, type",
}


@pytest.mark.parametrize("table", CONTRACT)
def test_the_columns_of_the_contract_come_first_and_in_its_order(store: Store, table: str) -> None:
    contract = CONTRACT[table].split(", ")
    assert headers(store)[table][: len(contract)] == contract


def test_every_column_is_in_the_dictionary_and_nothing_else(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", extra={"Ward": "W1", "status": "x"})])
    found = headers(store) | {"rule_table": [column.name for column in RULES]}  # a run may be asked for it
    rows = tables(store)["data_dictionary"]
    for table, columns in found.items():
        assert [row["column"] for row in rows if row["table"] == f"{table}.csv"] == columns
    assert len(rows) == sum(map(len, found.values()))
    assert all(row["meaning"] for row in rows)
    assert {row["type"] for row in rows} <= {
        "text", "code", "list of codes", "list", "integer", "number", "true/false", "date",
    }  # fmt: skip


def test_units_are_in_the_names() -> None:
    for column in (*SECTIONS, *CROSSINGS, *BIOPSIES, *CONTROLS, *RULES, *DICTIONARY):
        ends = {"um": "_um", "mm": "_mm", "mm2": "_mm2", "/mm": "_per_mm", "/mm2": "_per_mm2", "px": "_px",
                "um/mm": "_um_per_mm", "a": "_years", "1": "", "": ""}  # fmt: skip
        assert column.name.endswith(ends[column.unit])


def test_an_ok_section(store: Store) -> None:
    fill(store, [of_biopsy("sub/a.tif", crossings=4, evaluable_mm=3.0)])
    (row,) = tables(store)["sections"]
    expected = {
        "file": "sub/a.tif", "scene": "0", "case_id": "C1", "biopsy_id": "B1", "stain": "bright-field",
        "planes": "7", "pixel_size_um": "0.325", "pixel_size_source": "ome", "status": "ok", "reason": "",
        "reason_text": "", "remedy": "", "crossings": "4", "surface_length_mm": "2.500000",
        "junction_length_mm": "3.500000", "chord_length_mm": "2.250000", "length_line": "surface",
        "excluded_length_mm": "0.500000", "evaluable_length_mm": "3.000000", "density_per_mm": "1.333333",
        "density_low_per_mm": "0.500000", "density_high_per_mm": "5.500000", "fragments": "1",
        "approaching": "2", "dendritic_cells": "2", "junction_confidence": "0.600",
        "quality_flags": "soft_focus", "protocol_id": "efns2010", "protocol_hash": Protocol().hash,
        "algorithm_version": "1", "edits": "0", "review_status": "unreviewed", "control": "",
        "section_um": "50", "planes_stated": "projection", "candidates": "7",
        "exclusion_reasons": "junction_low_confidence", "dendritic_cells_per_mm2": "12.5",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["overlay"] == f"overlays/a_{row['section_id'][:8]}.png"


def test_a_refused_section_has_lengths_and_no_density(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", status="refused", reason="no_nerve_stain", detail="contrast 1.1")])
    found = tables(store)
    (row,) = found["sections"]
    reason = REASONS["no_nerve_stain"]
    assert (row["status"], row["reason"]) == ("refused", "no_nerve_stain")
    assert (row["reason_text"], row["remedy"]) == (f"{reason.text} (contrast 1.1)", reason.remedy)
    assert (row["surface_length_mm"], row["evaluable_length_mm"]) == ("2.500000", "2.000000")
    empty = (
        "crossings",
        "density_per_mm",
        "density_low_per_mm",
        "density_high_per_mm",
        "fragments",
        "approaching",
    )
    assert {row[name] for name in empty} == {""}
    assert {(c["counted"], c["reason"]) for c in found["crossings"]} == {("false", "section_refused")}
    assert len(found["crossings"]) == 7


def test_a_failed_file_has_nothing_but_its_reason(store: Store) -> None:
    fill(store, [File("a.tif", status="failed", reason="truncated", detail="page 3")])
    found = tables(store)
    (row,) = found["sections"]
    assert (row["status"], row["reason"]) == ("failed", "truncated")
    assert row["reason_text"] == "The file ends before its image does. (page 3)"
    assert {row[c.name] for c in SECTIONS if c.unit in ("mm", "/mm")} == {""}
    assert (row["crossings"], row["stain"], row["planes"], row["overlay"]) == ("", "", "", "")
    assert found["crossings"] == []
    (biopsy,) = found["biopsies"]
    assert (biopsy["sections"], biopsy["sections_evaluable"], biopsy["density_per_mm"]) == ("1", "0", "")
    assert biopsy["withheld_reasons"].startswith("no_evaluable_section")


def test_what_has_not_been_analyzed_is_pending(store: Store) -> None:
    fill(store, [of_biopsy("a.tif"), of_biopsy("b.tif", status="pending")])
    found = tables(store)
    assert [row["status"] for row in found["sections"]] == ["ok", "pending"]
    assert "sections_pending" in found["biopsies"][0]["flags"].split("|")
    report = collect(store)
    assert (report.ok, report.pending, report.rows) == (1, 1, 2)


def test_crossings(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", crossings=2)])
    rows = tables(store)["crossings"]
    assert [(r["counted"], r["reason"], r["number"]) for r in rows] == [
        ("true", "crosses", "1"), ("true", "crosses", "2"), ("false", "fragment", ""),
        ("false", "approaching", ""), ("false", "approaching", ""),
    ]  # fmt: skip
    first = {
        name: rows[0][name] for name in ("row_px", "col_px", "z_um", "junction_position_um", "confidence")
    }
    assert list(first.values()) == ["0.33", "2.00", "1.50", "0.00", "0.812"]
    assert rows[1]["z_um"] == ""
    assert rows[0]["reason_text"] == REASONS["crosses"].text


class TestBiopsies:
    def test_sections_are_pooled_and_called(self, store: Store) -> None:
        fill(store, [of_biopsy(f"{n}.tif", crossings=n, evaluable_mm=1.0 + n) for n in (1, 2, 3)])
        (row,) = tables(store)["biopsies"]
        expected = {
            "case_id": "C1", "biopsy_id": "B1", "site": "distal_leg", "age_years": "56", "sex": "F",
            "stain": "bright-field", "sections_evaluable": "3", "crossings": "6",
            "evaluable_length_mm": "9.000000", "density_per_mm": "0.666667",
            "mean_section_density_per_mm": "0.638889", "norm_id": "collongues2018",
            "norm_limit_per_mm": "4.859800", "below_norm": "true", "certainty": "clear",
            "sections_to_settle": "", "withheld_reasons": "", "status": "preliminary", "sections": "3",
            "length_line": "surface", "protocol_id": "efns2010", "protocol_hash": Protocol().hash,
        }  # fmt: skip
        assert {name: row[name] for name in expected} == expected
        assert row["call"].startswith("Below the limit of 4.86 /mm")

    def test_the_same_biopsy_id_under_two_cases_is_two_biopsies(self, store: Store) -> None:
        fill(store, [of_biopsy("a.tif", "C1"), of_biopsy("b.tif", "C2")])
        rows = tables(store)["biopsies"]
        assert [(row["case_id"], row["sections"]) for row in rows] == [("C1", "1"), ("C2", "1")]

    def test_controls_are_no_biopsy(self, store: Store) -> None:
        files = [
            of_biopsy("a.tif", crossings=8),
            of_biopsy("plus.tif", control="positive"),
            of_biopsy("minus.tif", "control slide", "x", control="negative"),
        ]
        fill(store, files)
        found = tables(store)
        (biopsy,) = found["biopsies"]
        assert (biopsy["sections"], biopsy["crossings"]) == ("1", "8")
        sections = {row["file"]: row for row in found["sections"]}
        assert sections["plus.tif"]["quality_flags"] == "soft_focus|control_section"
        assert (sections["plus.tif"]["status"], sections["plus.tif"]["crossings"]) == ("ok", "4")
        minus = sections["minus.tif"]
        assert (minus["status"], minus["reason"], minus["crossings"]) == ("refused", "negative_control", "")
        mine = [c for c in found["crossings"] if c["section_id"] == minus["section_id"]]
        assert {c["counted"] for c in mine} == {"false"}

    @pytest.mark.parametrize("case", [{}, {"case_id": "C1", "biopsy_id": "B1"}])
    def test_scenes_of_a_file_are_sections_of_its_biopsy(self, store: Store, case: dict[str, str]) -> None:
        fill(store, [File("a.tif", case, scene=0), File("a.tif", case, scene=1), File("b.tif")])
        found = tables(store)
        assert sorted(row["sections"] for row in found["biopsies"]) == ["1", "2"]
        assert all("duplicate_field" not in row["withheld_reasons"] for row in found["biopsies"])
        assert [(row["file"], row["scene"]) for row in found["sections"]] == [
            ("a.tif", "0"), ("a.tif", "1"), ("b.tif", "0"),
        ]  # fmt: skip
        assert collect(store).warnings == ()

    def test_a_copy_under_one_biopsy_withholds_the_call(self, store: Store) -> None:
        files = [of_biopsy(f"{n}.tif") for n in "abc"]
        fill(store, [*files, of_biopsy("copy.tif", content="a.tif")])
        found = tables(store)
        assert "duplicate_field" in found["biopsies"][0]["withheld_reasons"].split("|")
        assert found["biopsies"][0]["below_norm"] == ""
        assert len({row["section_id"] for row in found["sections"]}) == 3
        ids = [row["crossing_id"] for row in found["crossings"]]
        assert len(ids) == len(set(ids)) == 3 * 7
        assert collect(store).warnings == ("the same image in one biopsy: a.tif, copy.tif",)

    def test_an_image_under_two_patients_withholds_both_calls(self, store: Store) -> None:
        fill(store, [of_biopsy(f"{n}.tif") for n in "abc"] + [of_biopsy("d.tif", "C2", content="a.tif")])
        found = tables(store)["biopsies"]
        assert all("image_in_two_biopsies" in row["withheld_reasons"] for row in found)
        assert {row["norm_limit_per_mm"] + row["below_norm"] + row["certainty"] for row in found} == {""}
        assert collect(store).warnings == ("the same image in 2 biopsies: a.tif, d.tif",)

    def test_two_folders_whose_tables_disagree_are_not_pooled(self, store: Store) -> None:
        fill(store, [of_biopsy(f"{n}.tif") for n in "abc"], root="/one")
        fill(store, [of_biopsy(f"{n}.tif", age_years=44.0) for n in "def"], root="/two")
        rows = tables(store)["biopsies"]
        assert [(row["age_years"], row["sections"]) for row in rows] == [("56", "3"), ("44", "3")]
        assert all(row["withheld_reasons"] == "case_data_conflict" for row in rows)
        (warning,) = collect(store).warnings
        assert "case C1, biopsy B1: case tables differ in age_years" in warning

    def test_two_folders_that_agree_are_pooled_and_that_is_said(self, store: Store) -> None:
        fill(store, [of_biopsy("a.tif")], root="/one")
        fill(store, [of_biopsy("b.tif")], root="/two")
        (row,) = tables(store)["biopsies"]
        assert row["sections"] == "2"
        assert collect(store).warnings == ("case C1, biopsy B1 has files of 2 image folders",)

    def test_files_of_one_name_in_two_folders_without_case_data_are_not_pooled(self, store: Store) -> None:
        fill(store, [File("1.tif", content="one")], root="/one")
        fill(store, [File("1.tif", content="two")], root="/two")
        assert [row["sections"] for row in tables(store)["biopsies"]] == ["1", "1"]

    def test_a_file_without_case_data_is_never_taken_for_a_case(self, store: Store) -> None:
        fill(store, [of_biopsy("a.tif", "X", "X")], root="/one")
        fill(store, [File("X")], root="/two")
        rows = tables(store)["biopsies"]
        assert [(row["case_id"], row["age_years"]) for row in rows] == [("X", ""), ("X", "56")]

    def test_what_the_case_table_says_now_holds(self, store: Store) -> None:
        fill(store, [of_biopsy("a.tif", age_years=40.0)])
        fill(store, [of_biopsy("a.tif", age_years=41.0)])
        assert [row["age_years"] for row in tables(store)["biopsies"]] == ["41"]

    def test_sections_counted_under_different_rules_are_not_called(self, store: Store) -> None:
        fill(store, [of_biopsy(f"{n}.tif") for n in "abc"], root="/one")
        fill(
            store,
            [of_biopsy("d.tif")],
            protocol=Protocol(counting=CountingRules(fragments="include")),
            root="/two",
        )
        (row,) = tables(store)["biopsies"]
        assert (row["withheld_reasons"], row["below_norm"]) == ("protocol_inconsistent", "")

    def test_the_newest_protocol_calls(self, store: Store) -> None:
        fill(store, [of_biopsy(f"{n}.tif") for n in "abc"], root="/one")
        strict = Protocol(id="mine", call=CallRules(min_sections=5))
        fill(store, [of_biopsy("d.tif")], protocol=strict, root="/two")
        (row,) = tables(store)["biopsies"]
        assert (row["withheld_reasons"], row["protocol_id"]) == ("too_few_sections", "mine")


class TestCarriedColumns:
    def test_they_follow_under_their_own_names_or_prefixed(self, store: Store) -> None:
        extra = {"Ward": "W1", "status": "open", "Case_Status": "x", "=1+1": "@cmd"}
        fill(store, [of_biopsy("a.tif", extra=extra)])
        names = ["Ward", "case_status", "case_Case_Status", "'=1+1"]
        found = headers(store)
        assert found["sections"][-4:] == found["biopsies"][-4:] == names
        assert [tables(store)["sections"][0][name] for name in names] == ["W1", "open", "x", "'@cmd"]

    def test_a_biopsy_has_those_that_its_sections_agree_on(self, store: Store) -> None:
        one, two = {"Ward": "W1", "Slide": "1", "Note": ""}, {"Ward": "", "Slide": "2", "Note": ""}
        fill(store, [of_biopsy("a.tif", extra=one), of_biopsy("b.tif", extra=two)])
        (row,) = tables(store)["biopsies"]
        assert (row["Ward"], row["Slide"], row["Note"]) == ("W1", "", "")


class TestCells:
    @pytest.mark.parametrize(
        ("text", "cell"),
        [
            ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"), ("\rx", "'\rx"), (" =1", "' =1"), ("\uff1d1", "'\uff1d1"),
            ("a=b", "a=b"), ("P-01", "P-01"), ("", ""), ("'x", "'x"),
        ],
    )  # fmt: skip
    def test_text_is_never_a_formula(self, text: str, cell: str) -> None:
        assert inert(text) == cell

    @pytest.mark.parametrize(
        ("value", "column", "cell"),
        [
            (-1.5, Column("x", "", "number", digits=2), "-1.50"),
            (-0.001, Column("x", "", "number", digits=2), "0.00"),
            (float("nan"), Column("x", "", "number", digits=2), ""),
            (0.1 + 0.2, Column("x", "", "number"), "0.3"),
            (1e-5, Column("x", "", "number"), "0.00001"),
            (56.0, Column("x", "", "number"), "56"),
            (True, Column("x", "", "true/false"), "true"),
            (False, Column("x", "", "true/false"), "false"),
            (None, Column("x", "", "true/false"), ""),
            (0, Column("x", "", "integer"), "0"),
            (("a", "b"), Column("x", "", "list of codes"), "a|b"),
            ((), Column("x", "", "list of codes"), ""),
            ('a,"b"\nc', Column("x", ""), '"a,""b""\nc"'),
            ("\u00fc\ud800", Column("x", ""), "\u00fc\\ud800"),
        ],
    )
    def test_cells(self, value: object, column: Column, cell: str) -> None:
        lines = csv_bytes([column, Column("y", "")], [{"x": value, "y": "end"}])
        assert lines.decode("utf-8") == f"x,y\n{cell},end\n"


class TestCollect:
    def test_the_same_study_gives_the_same_bytes(self, tmp_path: Path) -> None:
        files = [of_biopsy(f"{n}.tif", crossings=n) for n in range(5)]
        written = []
        for name, order in (("one", files), ("two", files[::-1])):
            with Store(tmp_path / name, create=True) as store:
                fill(store, order, root=f"/images of {name}")
                collect(store)
                collect(store)
            written.append({path.name: path.read_bytes() for path in (tmp_path / name).glob("*.csv")})
        assert written[0] == written[1]
        assert sorted(written[0]) == [
            "biopsies.csv", "controls.csv", "course.csv", "crossings.csv", "data_dictionary.csv",
            "sections.csv",
        ]  # fmt: skip
        assert all(not data.startswith(b"\xef\xbb\xbf") and b"\r" not in data for data in written[0].values())

    def test_an_empty_study_has_empty_tables(self, store: Store) -> None:
        report = collect(store)
        assert (report.rows, report.biopsies) == (0, ())
        assert (store.folder / "sections.csv").read_bytes().count(b"\n") == 1

    def test_the_report(self, store: Store) -> None:
        fill(
            store,
            [
                *(of_biopsy(f"{n}.tif", crossings=9) for n in "abc"),
                of_biopsy("r.tif", status="refused", reason="blank"),
                File("f.tif", status="failed", reason="corrupt"),
            ],
        )
        report = collect(store)
        assert (report.ok, report.refused, report.failed, report.pending) == (3, 1, 1, 0)
        called, single = report.biopsies
        assert (called.name, called.sections_evaluable, called.sections) == ("C1, B1", 3, 4)
        assert (called.density_per_mm, called.below, called.borderline) == (4.5, True, True)
        assert "borderline" in called.call
        assert (single.name, single.below, single.limit_per_mm) == ("f.tif", None, None)
        assert [(t.file, t.status, t.reason) for t in report.troubles] == [
            ("f.tif", "failed", "corrupt"), ("r.tif", "refused", "blank"),
        ]  # fmt: skip

    def test_overlays_that_belong_to_no_row_are_removed(self, store: Store) -> None:
        fill(store, [of_biopsy("a.tif")])
        overlays = store.folder / "overlays"
        overlays.mkdir()
        mine = overlays / Path(tables(store)["sections"][0]["overlay"]).name
        for path in (mine, overlays / "old_01234567.png", overlays / "my notes.png"):
            path.touch()
        collect(store)
        assert sorted(path.name for path in overlays.iterdir()) == sorted([mine.name, "my notes.png"])

    def test_a_table_that_is_open_elsewhere(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        fill(store, [of_biopsy("a.tif")])
        collect(store)
        before = (store.folder / "sections.csv").read_bytes()

        def refuse(path: Path, target: Path) -> Path:
            raise PermissionError(13, "Access is denied")

        monkeypatch.setattr(Path, "replace", refuse)
        with pytest.raises(EnvironmentProblem, match="close it there and run again"):
            collect(store)
        assert (store.folder / "sections.csv").read_bytes() == before
        assert list(store.folder.glob("*.part")) == []
