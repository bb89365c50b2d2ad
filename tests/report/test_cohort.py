"""The export for statistics: one row a biopsy, its plots, and no names where none shall be."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.export import export_cohort
from ienfd.batch.formats import exporter
from ienfd.cli.export import export
from ienfd.draw.study_plots import count_plot, density_by_group
from ienfd.errors import UsageError
from ienfd.report.columns import BIOPSIES
from ienfd.study.store import Store

SECRET = ("Millerova", "MRN-778", "2024-05-17", "Dr. Hope", "Laboratory X", "Sisters of")
HOSTILE = "<script>=1+1 \u202e\x07 \U0001f600 " + "x" * 10_000


def biopsy(case_id: str, counts: list[int], group: str, **more: Any) -> list[File]:
    said = {"patient_id": "MRN-778", "collection_date": "2024-05-17", **more}
    return [
        of_biopsy(
            f"{case_id} {n}.tif", case_id, "B1", crossings=count, evaluable_mm=2.0,
            extra={"Group": group, "orderer": "Dr. Hope"}, **said,
        )
        for n, count in enumerate(counts)
    ]  # fmt: skip


FILES = [
    *biopsy("Millerova", [10, 12, 17], "Sisters of Millerova"),
    *biopsy("C2", [3, 4, 5], "others", sex="M", patient_id="P2", age_years=40.0),
    *biopsy("C3", [3], "others", patient_id="P3", age_years=None, status="refused", reason="blank"),
    *biopsy("C4", [1, 2, 3], "", patient_id="P4", age_years=None),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "Laboratory X", create=True) as opened:
        fill(opened, FILES)
        yield opened


def written(out: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(out.iterdir())}


def rows(files: dict[str, str], name: str = "cohort.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name], newline="")))


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("text")]


def test_a_row_holds_what_statistics_need(store: Store, tmp_path: Path) -> None:
    assert export_cohort(store, tmp_path / "out", deidentify=False, group=" group ") == 4
    files = written(tmp_path / "out")
    by_case = {row["case_id"]: row for row in rows(files)}
    row = by_case["Millerova"]
    assert list(row)[: len(BIOPSIES)] == [column.name for column in BIOPSIES]
    expected = {
        "group": "Sisters of Millerova", "case_Group": "Sisters of Millerova", "orderer": "Dr. Hope",
        "evaluable_section_crossings": "10|12|17", "surface_length_mm": "7.500000",
        "evaluable_section_lengths_mm": "2.000000|2.000000|2.000000", "junction_length_mm": "10.500000",
        "fragments": "3", "approaching": "6", "dendritic_cells": "6", "junction_confidence": "0.600",
        "section_um": "50", "pixel_size_um": "0.325", "edits": "0", "sections_reviewed": "0",
        "algorithm_version": "1", "crossings": "39", "density_per_mm": "6.500000",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    limit, distance = float(row["norm_limit_per_mm"]), float(row["norm_distance_per_mm"])
    assert distance == pytest.approx(6.5 - limit, abs=1e-6)
    empty = by_case["C3"]  # refused: nothing is 0 that was not measured
    for name in ("evaluable_section_crossings", "surface_length_mm", "fragments", "density_per_mm"):
        assert empty[name] == ""
    assert by_case["C4"]["group"] == ""
    dictionary = rows(files, "data_dictionary.csv")
    assert [one["column"] for one in dictionary if one["table"] == "cohort.csv"] == list(row)
    assert all(one["meaning"] for one in dictionary)


def test_the_plots_show_every_biopsy_that_has_a_density(store: Store, tmp_path: Path) -> None:
    export_cohort(store, tmp_path / "out", deidentify=False, group="Group")
    files = written(tmp_path / "out")
    plots = [name for name in files if name.endswith(".svg")]
    assert plots == ["crossings_per_section.svg", "density_by_age.svg", "density_by_group.svg"]
    by_age = texts(files["density_by_age.svg"])
    assert by_age[0] == "Density by age: 3 biopsies of 3 patients or cases; not shown, for want of an age: 1"
    assert "women, n = 1; line: collongues2018" in by_age
    assert "men, n = 1; line: collongues2018" in by_age
    by_group = texts(files["density_by_group.svg"])
    assert by_group.count("n = 1") == 3
    assert {"Sisters of Millerova", "not given", "others"} <= set(by_group)
    assert texts(files["crossings_per_section.svg"])[0] == "Crossings of 9 sections"


def test_without_a_group_places_that_do_not_compare_are_told_apart(store: Store, tmp_path: Path) -> None:
    exporter("cohort")(store, tmp_path / "one", deidentify=False)
    files = written(tmp_path / "one")
    assert "density_by_group.svg" not in files
    assert {row["group"] for row in rows(files)} == {""}
    assert "distal leg" not in texts(files["density_by_age.svg"])
    fill(store, [*FILES, *biopsy("C9", [9, 9, 9], "", site="thigh")])
    exporter("cohort")(store, tmp_path / "two", deidentify=False)
    assert {"distal leg", "thigh"} <= set(texts(written(tmp_path / "two")["density_by_age.svg"]))


def test_the_same_study_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_cohort(store, tmp_path / name, deidentify=False, group="Group")
    assert written(tmp_path / "one") == written(tmp_path / "two")


def test_under_numbers_groups_are_numbers_that_only_the_screen_explains(store: Store, tmp_path: Path) -> None:
    asked = [str(store.folder), "--format", "cohort", "--group", "Group", "--out"]
    done = CliRunner().invoke(export, [*asked, str(tmp_path / "out"), "--deidentify"], standalone_mode=False)
    assert (done.exception, done.return_value) == (None, 0)
    assert "group 1: Sisters of Millerova" in done.output
    assert "4 biopsies written" in done.output
    files = written(tmp_path / "out")
    for name, text in files.items():
        assert [secret for secret in SECRET if secret in text] == [], name
    assert sorted(row["group"] for row in rows(files)) == ["", "group 1", "group 2", "group 2"]
    numbers = {row["group"]: row["crossings"] for row in rows(files) if row["crossings"]}
    assert numbers == {"group 1": "39", "group 2": "12", "": "6"}
    assert "group 1" in texts(files["density_by_group.svg"])
    CliRunner().invoke(export, [*asked, str(tmp_path / "plain")], standalone_mode=False)
    plain = "".join(written(tmp_path / "plain").values())
    assert [secret for secret in SECRET if secret not in plain] == ["Laboratory X"]


def test_groups_by_a_column_of_the_table_are_as_the_table_shows_them(store: Store, tmp_path: Path) -> None:
    export_cohort(store, tmp_path / "sex", deidentify=True, group="sex")
    assert {row["group"] for row in rows(written(tmp_path / "sex"))} == {"F", "M"}
    export_cohort(store, tmp_path / "patient", deidentify=True, group="patient_id")
    assert all(row["group"] == row["patient_id"] for row in rows(written(tmp_path / "patient")))


def test_a_column_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--group Ward: .*: Group, orderer"):
        export_cohort(store, tmp_path / "out", deidentify=False, group="Ward")
    assert not (tmp_path / "out").exists()
    asked = [str(store.folder), "--group", "Group", "--out", str(tmp_path / "out")]
    wrong = CliRunner().invoke(export, asked, standalone_mode=False)
    assert isinstance(wrong.exception, UsageError)


def test_an_empty_study_has_plots_and_no_row(tmp_path: Path) -> None:
    with Store(tmp_path / "study", create=True) as store:
        assert export_cohort(store, tmp_path / "out", deidentify=False) == 0
    files = written(tmp_path / "out")
    assert rows(files) == []
    assert all(texts(text) for name, text in files.items() if name.endswith(".svg"))


def test_hostile_text_is_text(tmp_path: Path) -> None:
    with Store(tmp_path / "study", create=True) as store:
        fill(store, biopsy("C1", [1, 2, 3], HOSTILE))
        export_cohort(store, tmp_path / "out", deidentify=False, group="Group")
    files = written(tmp_path / "out")
    assert rows(files)[0]["group"] == HOSTILE
    for name in ("density_by_age.svg", "density_by_group.svg"):
        assert not [e for e in ElementTree.fromstring(files[name]).iter() if "script" in e.tag]
        assert any("<script>" in text for text in texts(files[name]))


def test_dots_by_chance_add_up_to_the_sections() -> None:
    """Two sections with 2 and 4 expected crossings; the dots are where the Poisson distribution puts them."""
    svg = count_plot([1, 7], [2.0, 4.0], "two")
    (axis,) = {round(float(y), 1) for y in re.findall(r'y1="([\d.]+)"[^>]*stroke="#141416"', svg)}
    heights = [axis - float(y) for y in re.findall(r'cy="([\d.]+)"', svg)]
    one = next(axis - float(y) for y in re.findall(r'y1="([\d.]+)"[^>]*stroke="#e1e1e4"', svg))
    total = sum(heights) / one
    assert total == pytest.approx(2 * 0.974, abs=0.05)  # up to 8 crossings
    assert heights[2] / one == pytest.approx(0.271 + 0.147, abs=0.02)


def test_equal_values_lie_beside_each_other() -> None:
    svg = density_by_group({"a": [3.0] * 5}, "equal")
    places = re.findall(r'cx="([\d.]+)"', svg)
    assert len(set(places)) == 5
