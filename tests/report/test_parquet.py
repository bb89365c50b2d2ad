"""The tables as Parquet, read by pyarrow: types, nulls, units, and the values of the CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.report.columns import BIOPSIES, CONTROLS, COURSE, CROSSINGS, SECTIONS
from ienfd.report.content import gather
from ienfd.report.deidentify import deidentified
from ienfd.report.parquet import parquet_files
from ienfd.report.tables import make_tables
from ienfd.study.store import Store

pa = import_module("pyarrow")
pq = import_module("pyarrow.parquet")

COLUMNS = {
    "biopsies": BIOPSIES,
    "sections": SECTIONS,
    "crossings": CROSSINGS,
    "course": COURSE,
    "controls": CONTROLS,
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def tables(store: Store, *, hidden: bool = False) -> dict[str, Any]:
    content = gather(store)
    shown = deidentified(content, store.study_id())[0] if hidden else content
    files = parquet_files(shown, whole_dates=not hidden)
    return {name.removesuffix(".parquet"): pq.read_table(io.BytesIO(data)) for name, data in files.items()}


def test_columns_have_the_types_of_the_dictionary(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", collection_date="2024-05-17")])
    types = {
        "text": pa.string(), "code": pa.string(), "list": pa.list_(pa.string()),
        "list of codes": pa.list_(pa.string()), "integer": pa.int64(), "number": pa.float64(),
        "true/false": pa.bool_(), "date": pa.date32(),
    }  # fmt: skip
    found = tables(store)
    assert set(found) == set(COLUMNS)
    for name, columns in COLUMNS.items():
        assert found[name].schema.names == [column.name for column in columns]
        for column in columns:
            assert found[name].schema.field(column.name).type.equals(types[column.type]), column.name


def test_fields_say_what_they_mean(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", extra={"Ward": "7"})])
    found = tables(store)
    for name, columns in COLUMNS.items():
        for column in columns:
            said = found[name].schema.field(column.name).metadata
            assert said[b"meaning"].decode() == column.meaning
            assert said.get(b"unit", b"").decode() == column.unit
            assert said[b"type"].decode() == column.type
    assert found["sections"].schema.field("Ward").metadata[b"meaning"].startswith(b"Column Ward of the case")
    assert found["crossings"].schema.metadata[b"table"] == b"crossings"
    assert b"research use only" in found["biopsies"].schema.metadata[b"use"]


def test_values_are_those_of_the_csv_files(store: Store) -> None:
    files = [
        of_biopsy(f"{n}.tif", crossings=n, evaluable_mm=1.0 + n, collection_date="2024-05-17")
        for n in (1, 2, 3)
    ]
    fill(store, [*files, of_biopsy("r.tif", "C2", status="refused", reason="blank"),
                 File("f.tif", status="failed", reason="corrupt")])  # fmt: skip
    found = tables(store)
    for name, columns in COLUMNS.items():
        text = make_tables(gather(store))[f"{name}.csv"].decode()
        expected = list(csv.DictReader(io.StringIO(text, newline="")))
        assert found[name].num_rows == len(expected)
        for column in columns:
            values = found[name].column(column.name).to_pylist()
            for value, said in zip(values, (row[column.name] for row in expected), strict=True):
                read: Any = {
                    "integer": int, "number": float, "true/false": "true".__eq__, "date": date.fromisoformat,
                    "list": lambda cell: cell.split("|"), "list of codes": lambda cell: cell.split("|"),
                }.get(column.type, str)  # fmt: skip
                assert value == (read(said) if said else None), column.name


def test_what_is_not_available_is_null(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", extra={"Note": ""}), File("f.tif", status="failed", reason="corrupt")])
    sections = tables(store)["sections"]
    assert sections.column("Note").null_count == 2
    assert sections.column("exclusion_reasons").to_pylist() == [["junction_low_confidence"], None]
    assert sections.column("density_per_mm").to_pylist()[1] is None
    assert sections.column("reason_text").to_pylist()[0] is None


def test_without_names_dates_are_years_whatever_stands_in_them(store: Store) -> None:
    fill(store, [of_biopsy("a.tif")])
    assert tables(store, hidden=True)["biopsies"].schema.field("collection_date").type.equals(pa.string())
    fill(store, [of_biopsy("a.tif", collection_date="2024-05-17")])
    assert tables(store)["biopsies"].column("collection_date").to_pylist() == [date(2024, 5, 17)]
    assert tables(store, hidden=True)["biopsies"].column("collection_date").to_pylist() == ["2024"]


def test_a_date_that_is_none_is_kept_as_it_stands(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", "C1", collection_date="2024-05-17"),
                 of_biopsy("b.tif", "C2", collection_date="spring 2024")])  # fmt: skip
    assert tables(store)["biopsies"].column("collection_date").to_pylist() == ["2024-05-17", "spring 2024"]


def test_hostile_text_is_text(store: Store) -> None:
    extra = {
        "=h": "=cmd|' /C calc'!A0", "long": "x" * 100_000, "codes": "a\x00\x01\x1f\r\n",
        "rtl": "\u202e\u0645\u0631", "emoji": "\U0001f9e0", "half\ud800": "a\ud800", "\x01": "'x",
    }  # fmt: skip
    fill(store, [of_biopsy("a.tif", extra=extra)])
    (row,) = tables(store)["sections"].to_pylist()
    expected = {**extra, "half\\ud800": "a\\ud800"}
    del expected["half\ud800"]
    assert {name: row[name] for name in expected} == expected


def test_an_empty_study_has_typed_columns(store: Store) -> None:
    found = tables(store)
    assert found["crossings"].num_rows == 0
    assert found["crossings"].schema.field("counted").type.equals(pa.bool_())
