"""The workbook, read by a reader that is not ours: types, words, colors, and text that stays text."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd import __version__
from ienfd.errors import UsageError
from ienfd.protocol import Protocol
from ienfd.report import xlsx
from ienfd.report.columns import BIOPSIES, CROSSINGS, SECTIONS
from ienfd.report.content import gather
from ienfd.report.deidentify import deidentified
from ienfd.report.tables import make_tables
from ienfd.report.xlsx import workbook_bytes
from ienfd.study.store import Store

openpyxl = import_module("openpyxl")
unescape = import_module("openpyxl.utils.escape").unescape

LONG = "x" * 10_000
INERT = [
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "=HYPERLINK(\"http://a.b\")", "http://evil.example/x",
    "mailto:a@b.c", "internal:About!A1", "{=1}", "0123", "1e5", "12,5", "TRUE", "2024-05-17", LONG,
    "\u202egpj.exe", "\u0645\u0631\u062d\u0628\u0627", "\U0001f9e0 caf\u00e9", "<r><t>x</t></r>",
    "<r></r>", "]]>&amp;<!--", "_x0041_", " two  spaces ", "a\tb\nc", "'quoted",
]  # fmt: skip
NOT_IN_XML = ["a\x00b", "\x01\x08\x0b\x0c\x0e\x1f", "line\r\nline\r", "\ufffe\uffff", "<r>\x02</r>x"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def book_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def opened(store: Store, study: str | None = "study") -> Any:
    return book_of(workbook_bytes(gather(store), study))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    header, *rows = sheet.iter_rows()
    return [{one.value: cell for one, cell in zip(header, row, strict=True)} for row in rows]


def test_its_sheets(store: Store) -> None:
    fill(store, [of_biopsy("a.tif")])
    book = opened(store)
    assert book.sheetnames == [
        "About", "Biopsies", "Sections", "Crossings", "Course", "Controls", "Data dictionary",
    ]  # fmt: skip
    for name, columns in (("Biopsies", BIOPSIES), ("Sections", SECTIONS), ("Crossings", CROSSINGS)):
        assert [cell.value for cell in book[name][1]] == [column.name for column in columns]
    assert [sheet.freeze_panes for sheet in book] == [None, "C2", *["A2"] * 5]
    assert book["Biopsies"].auto_filter.ref == f"A1:{book['Biopsies'].cell(2, len(BIOPSIES)).coordinate}"
    widths = [dimension.width for sheet in book for dimension in sheet.column_dimensions.values()]
    assert all(9 <= width <= 101 for width in widths)


def test_about_says_what_it_is_and_how_to_read_it(store: Store) -> None:
    fill(store, [of_biopsy("a.tif"), of_biopsy("b.tif")])
    sheet = opened(store, "Skin 2026")["About"]
    said = {row[0].value: row[1].value for row in sheet.iter_rows()}
    assert said["Study"] == "Skin 2026"
    assert (said["Biopsies"], said["Sections"]) == ("1", "2")
    assert said["Written by"] == f"ienfd {__version__}"
    assert said["Protocol"] == f"efns2010, SHA-256 {Protocol().hash}"
    assert "Research use only" in said["Use"]
    assert "not the same as normal" in said["below_norm"]
    assert "/mm: crossings per millimeter" in said["Units"]
    assert "under numbers" in opened(store, None)["About"]["B1"].value


def test_cells_have_the_types_and_values_of_the_csv_files(store: Store) -> None:
    files = [
        of_biopsy(f"{n}.tif", crossings=n, evaluable_mm=1.0 + n, collection_date="2024-05-17")
        for n in (1, 2, 3)
    ]
    refused = of_biopsy("r.tif", "C2", status="refused", reason="blank", age_years=56.5, extra={"Ward": "7"})
    fill(store, [*files, refused, File("f.tif", status="failed", reason="corrupt")])
    book = opened(store)
    compared = 0
    for name, columns in (("biopsies", BIOPSIES), ("sections", SECTIONS), ("crossings", CROSSINGS)):
        text = make_tables(gather(store))[f"{name}.csv"].decode()
        expected = list(csv.DictReader(io.StringIO(text, newline="")))
        found = rows_of(book[xlsx.SHEETS[name]])
        assert len(found) == len(expected)
        kinds = {column.name: column.type for column in columns}
        for cells, row in zip(found, expected, strict=True):
            for column, said in row.items():
                cell, kind = cells[column], kinds.get(column, "text")
                if said == "":
                    assert cell.value is None
                elif kind in ("number", "integer"):
                    assert (cell.data_type, cell.value) == ("n", float(said))
                elif kind == "true/false":
                    assert (cell.data_type, cell.value) == ("b", said == "true")
                elif kind == "date":
                    assert (cell.data_type, cell.value) == ("d", datetime.fromisoformat(said))
                else:
                    assert (cell.data_type, cell.value) == ("s", said)
                compared += 1
    assert compared > 400


def test_a_header_says_what_its_column_means_and_its_unit(store: Store) -> None:
    fill(store, [of_biopsy("a.tif")])
    book = opened(store)
    notes = {cell.value: cell.comment.text for cell in book["Biopsies"][1]}
    assert notes["density_per_mm"] == "All crossings by all evaluable length.\nUnit: /mm"
    assert notes["sex"] == "Sex used for the norm: F or M."
    assert {cell.comment.author for cell in book["Sections"][1]} == {"ienfd"}


def test_the_dictionary_speaks_of_sheets(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", extra={"Ward": "7"})])
    rows = rows_of(opened(store)["Data dictionary"])
    assert {row["table"].value for row in rows} == {*xlsx.SHEETS.values(), "Data dictionary"}
    assert sum(row["column"].value == "Ward" for row in rows) == 2


def test_what_is_below_or_borderline_is_colored_beside_its_word(store: Store) -> None:
    counts = {"low": 1, "near": 9, "high": 60}
    fill(
        store,
        [of_biopsy(f"{name}{n}.tif", name, crossings=count) for name, count in counts.items() for n in "abc"],
    )
    rows = {row["case_id"].value: row for row in rows_of(opened(store)["Biopsies"])}
    seen = {
        case: (row["below_norm"].value, row["certainty"].value, row["call"].value.split(" the limit")[0])
        for case, row in rows.items()
    }
    assert seen == {
        "low": (True, "clear", "Below"),
        "near": (True, "borderline", "Below"),
        "high": (False, "clear", "Not below"),
    }
    assert "borderline" in rows["near"]["call"].value
    fills = {
        case: {row[name].fill.fgColor.rgb for name in ("below_norm", "certainty", "call")}
        for case, row in rows.items()
    }
    assert fills == {"low": {"FFF0C7A6"}, "near": {"FFC4E5F7"}, "high": {"00000000"}}
    assert {row["density_per_mm"].fill.fill_type for row in rows.values()} == {None}


@pytest.mark.parametrize("study", ["study", None])
def test_a_year_that_is_left_of_a_date_is_a_text(store: Store, study: str | None) -> None:
    fill(store, [of_biopsy("a.tif", collection_date="2024-05-17")])
    shown, _ = deidentified(gather(store), store.study_id())
    (row,) = rows_of(book_of(workbook_bytes(shown, study))["Biopsies"])
    assert (row["collection_date"].data_type, row["collection_date"].value) == ("s", "2024")


@pytest.mark.parametrize("day", ["1899-12-31", "1900-02-28"])
def test_a_day_that_excel_does_not_know_is_a_text(store: Store, day: str) -> None:
    fill(store, [of_biopsy("a.tif", collection_date=day)])
    (row,) = rows_of(opened(store)["Biopsies"])
    assert (row["collection_date"].data_type, row["collection_date"].value) == ("s", day)


class TestHostileText:
    def test_it_is_text_and_as_it_was(self, store: Store) -> None:
        extra = {f"{text[:50]}#{n}": text for n, text in enumerate(INERT)}
        fill(store, [of_biopsy("=1+1.tif", "@case", extra=extra)])
        data = workbook_bytes(gather(store), "=study")
        for title in ("Sections", "Biopsies"):
            (row,) = rows_of(book_of(data)[title])
            for header, text in extra.items():
                assert (row[header].data_type, row[header].value) == ("s", text)
                assert row[header].hyperlink is None
        assert row["case_id"].value == "@case"
        assert book_of(data)["About"]["B1"].value == "=study"

    def test_no_part_of_the_file_is_a_formula_or_a_link(self, store: Store) -> None:
        extra = {f"{text[:50]}#{n}": text for n, text in enumerate([*INERT, *NOT_IN_XML])}
        fill(store, [of_biopsy("a.tif", extra=extra)])
        with zipfile.ZipFile(io.BytesIO(workbook_bytes(gather(store), "s"))) as archive:
            for name in archive.namelist():
                text = archive.read(name).decode("utf-8")
                assert not re.search(r"<f[ >]|<hyperlink|relationships/hyperlink|TargetMode", text), name

    def test_control_characters_come_back(self, store: Store) -> None:
        extra = {f"h{n}": text for n, text in enumerate(NOT_IN_XML)}
        fill(store, [of_biopsy("a.tif", extra=extra)])
        (row,) = rows_of(opened(store)["Sections"])
        assert {header: unescape(row[header].value) for header in extra} == extra

    def test_they_may_stand_in_headers_and_notes(self, store: Store) -> None:
        fill(store, [of_biopsy("a.tif", extra=dict.fromkeys((*NOT_IN_XML, LONG, "<r>h</r>"), "v"))])
        sheet = opened(store)["Sections"]
        headers = [unescape(cell.value) for cell in sheet[1]]
        assert headers[len(SECTIONS) :] == [*NOT_IN_XML, LONG, "<r>h</r>"]
        assert all(cell.comment is not None for cell in sheet[1])

    def test_half_a_character_is_shown_as_its_code(self, store: Store) -> None:
        fill(store, [of_biopsy("a.tif", extra={"h": "a\ud800b"})])
        (row,) = rows_of(opened(store)["Sections"])
        assert row["h"].value == "a\\ud800b"

    @pytest.mark.parametrize("text", ["y" * 40_000, "\U0001f9e0" * 20_000])
    def test_what_is_too_long_for_a_cell_says_that_it_was_cut(self, store: Store, text: str) -> None:
        fill(store, [of_biopsy("a.tif", extra={"h": text, "full": "z" * 32_767})])
        (row,) = rows_of(opened(store)["Sections"])
        kept, said = row["h"].value.split(" [cut: ")
        assert text.startswith(kept)
        assert said == f"{len(text)} characters]"
        assert 32_700 < len(row["h"].value.encode("utf-16-le")) // 2 <= 32_767
        assert row["full"].value == "z" * 32_767


def test_what_no_sheet_can_hold_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, [of_biopsy("a.tif", crossings=196)])  # and three candidates that are not counted
    monkeypatch.setattr(xlsx, "_MOST_ROWS", 200)
    assert workbook_bytes(gather(store), "s")
    monkeypatch.setattr(xlsx, "_MOST_ROWS", 199)
    with pytest.raises(UsageError, match="Crossings has more than the 199 rows of a sheet; take csv"):
        workbook_bytes(gather(store), "s")


def test_an_empty_study_has_all_its_headers(store: Store) -> None:
    book = opened(store)
    assert book["Sections"].max_row == 1
    assert book["About"]["B5"].value == "none yet"


def test_no_clock_is_asked(store: Store) -> None:
    book = opened(store)
    assert book.properties.created == book.properties.modified == datetime(2000, 1, 1)
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(gather(store), "s"))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
