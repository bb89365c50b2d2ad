"""The tables of a study as one workbook for Excel and LibreOffice.

Sheets: About, Biopsies, Sections, Crossings, Course, Controls, Data dictionary. They hold the rows,
columns and values of the CSV files, in cells that have a type: numbers, true or false, days. Every
header has a note with its meaning and unit. A biopsy below its limit, and one that is borderline, is
colored beside the word that says so, in two colors that the color-blind tell apart.

Text stays text: no cell is a formula, a link or a number because it looks like one. A control character,
for which XML has no word, is written as ECMA-376 prescribes (`_x0001_`), and read back as itself.

The same content gives the same bytes: the date of creation is a constant, and nothing asks a clock.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from ienfd import __version__
from ienfd.draw.palette import SKY, VERMILION, Color
from ienfd.errors import UsageError
from ienfd.report.cells import Cell, plain_text, typed
from ienfd.report.columns import Column
from ienfd.report.content import Content
from ienfd.report.tables import Row, Table, dictionary_of, tabulate

__all__ = ["SHEETS", "workbook_bytes"]

SHEETS = {
    "biopsies": "Biopsies",
    "sections": "Sections",
    "crossings": "Crossings",
    "course": "Course",
    "controls": "Controls",
}
"""Names of the sheets, in their order, of the tables that they hold."""

_DICTIONARY = "Data dictionary"
_CREATED = datetime(2000, 1, 1)  # of every workbook: a constant, so that the same study is the same file
_MOST_ROWS, _MOST_COLUMNS, _MOST_UNITS = 1_048_576, 16_384, 32_767  # of a sheet; UTF-16 units of a cell
_NARROWEST, _WIDEST = 9.0, 48.0  # in characters
_FOR_THE_BUTTON = 3  # of the filter, in a header
_NOTE_CHARACTERS = 1_000
_FIRST_DAY = date(1900, 3, 1)  # before it, Excel and the calendar do not agree
_SHOWN = {6: "0.000", 3: "0.000", 2: "0.00"}  # decimals that are shown, by those that are held
_TINT = 0.35
_SHADED = ("below_norm", "certainty", "call")


def workbook_bytes(content: Content, study: str | None) -> bytes:
    """All tables of a study as an XLSX file.

    Parameters
    ----------
    content : Content
        All of a study, as it may be shown.
    study : str or None
        Name of the study; None to leave it out.

    Raises
    ------
    UsageError
        If a table has more rows or columns than a sheet can hold.
    """
    stream = io.BytesIO()
    options = {
        "in_memory": True,  # no copy of a patient's data in a folder for temporary files
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": "ienfd: a study", "comments": _RESEARCH, "created": _CREATED})
    tables = tabulate(content)
    named = {title: tables[name] for name, title in SHEETS.items()}
    _write_about(book, about(content, study))
    for title, table in {**named, _DICTIONARY: dictionary_of(named, _DICTIONARY)}.items():
        _Sheet.add(book, title, table).write()
    book.close()
    return stream.getvalue()


_RESEARCH = "Research use only: ienfd has not been validated on patients and is no medical device."
_MEANINGS = (
    ("Use", _RESEARCH),
    (
        "below_norm",
        "TRUE: the density, unrounded, is below the limit of the norm for age and sex. FALSE: not below the"
        " limit, which is not the same as normal. Empty: the call is withheld; withheld_reasons says why.",
    ),
    (
        "borderline",
        "The interval of the density includes the limit: further sections could turn the call. A result"
        " that is borderline is never read without this word.",
    ),
    ("Colors", "In Biopsies: orange is below the limit and clear, blue is borderline on either side."),
    (
        "What it supports",
        "A low density supports but does not by itself establish small-fiber neuropathy; one that is not low"
        " does not exclude it.",
    ),
    (
        "Units",
        "mm: millimeter; /mm: crossings per millimeter of epidermis; um: micrometer; px: pixel of the image"
        " at full resolution, 0 at the center of the first one; a: year; 1: a share or ratio. Every header"
        " has a note with its meaning and unit; Data dictionary lists them all.",
    ),
    (
        "Cells",
        "An empty cell is not available, never zero. Densities and lengths hold 6 decimals; 3 are shown.",
    ),
)


def about(content: Content, study: str | None) -> list[tuple[str, str]]:
    """What the first sheet says: what this is, and how it is to be read."""
    versions = sorted({entry.placement.algorithm_version for entry in content.sections})
    protocols = [f"{protocol.id}, SHA-256 {hash_}" for hash_, protocol in sorted(content.protocols.items())]
    return [
        ("Study", study or "under numbers: its name and those of its cases and files are left out"),
        ("Biopsies", str(len(content.biopsies))),
        ("Sections", str(len(content.sections))),
        ("Written by", f"ienfd {__version__}"),
        ("Image analysis", f"version {', '.join(versions)}" if versions else "none yet"),
        *(("Protocol", protocol) for protocol in protocols),
        *_MEANINGS,
    ]


def _write_about(book: Any, lines: Sequence[tuple[str, str]]) -> None:
    sheet = book.add_worksheet("About")
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 100)
    for row, (name, text) in enumerate(lines):
        sheet.write_string(row, 0, name, bold)
        _write_text(sheet, row, 1, text, wrapped)


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A sheet under way."""

    sheet: Any
    title: str
    table: Table
    header: Any
    formats: dict[tuple[str, str], Any]  # by column and shade

    @classmethod
    def add(cls, book: Any, title: str, table: Table) -> _Sheet:
        formats: dict[tuple[str, str], Any] = {}
        for column in table.columns:
            looks = _look(column)
            formats[column.name, ""] = book.add_format(looks)
            if title == SHEETS["biopsies"] and column.name in _SHADED:
                for shade, color in _FILLS.items():
                    formats[column.name, shade] = book.add_format({**looks, "bg_color": color})
        header = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
        return cls(book.add_worksheet(title), title, table, header, formats)

    def write(self) -> None:
        columns = self.table.columns
        self._check(len(columns) <= _MOST_COLUMNS, "columns")
        widths = [self._write_header(place, column) for place, column in enumerate(columns)]
        makers = [(column.name, typed(column)) for column in columns]
        last = 0
        for last, row in enumerate(self.table.rows(), start=1):
            self._check(last < _MOST_ROWS, "rows")
            shade = _shade(row) if self.title == SHEETS["biopsies"] else ""
            for place, (name, make) in enumerate(makers):
                cell = make(row[name])
                if cell is not None:
                    look = self.formats.get((name, shade)) or self.formats[name, ""]
                    widths[place] = max(widths[place], self._write(last, place, cell, look))
        for place, width in enumerate(widths):
            self.sheet.set_column(place, place, min(max(width + 1, _NARROWEST), _WIDEST))
        self.sheet.freeze_panes(1, 2 if self.title == SHEETS["biopsies"] else 0)
        self.sheet.autofilter(0, 0, last, len(columns) - 1)
        # a case called 007 is no mistake that a green corner should point at
        self.sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})

    def _write_header(self, place: int, column: Column) -> int:
        name = plain_text(column.name)
        _write_text(self.sheet, 0, place, name, self.header)
        unit = f"\nUnit: {column.unit}" if column.unit else ""
        note = _fitting(plain_text(column.meaning), _NOTE_CHARACTERS) + unit
        self.sheet.write_comment(0, place, note, {"author": "ienfd", "x_scale": 2})
        return len(name) + _FOR_THE_BUTTON

    def _write(self, row: int, place: int, cell: Cell, look: Any) -> int:
        """Write a cell by its type; returns its width in characters."""
        if isinstance(cell, bool):
            self.sheet.write_boolean(row, place, cell, look)
            return 5
        if isinstance(cell, int | float):
            self.sheet.write_number(row, place, cell, look)
            return 9
        if isinstance(cell, date) and cell >= _FIRST_DAY:
            self.sheet.write_datetime(row, place, cell, look)
            return 10
        text = "|".join(cell) if isinstance(cell, list) else str(cell)
        _write_text(self.sheet, row, place, text, look)
        return len(text)

    def _check(self, fits: bool, what: str) -> None:
        if not fits:
            limit = _MOST_ROWS if what == "rows" else _MOST_COLUMNS
            why = f"{self.title} has more than the {limit} {what} of a sheet; take csv or parquet"
            raise UsageError("option_invalid", f"--format xlsx: {why}")


def _write_text(sheet: Any, row: int, place: int, text: str, look: Any) -> None:
    """Write a text as it is.

    A text that begins with <r> and ends with </r> is what XlsxWriter makes of pieces with several looks,
    and it would write it into the file as it stands; in two pieces it is none.
    """
    fitting = _fitting(text, _MOST_UNITS)
    if fitting.startswith("<r>") and fitting.endswith("</r>"):
        sheet.write_rich_string(row, place, fitting[:1], look, fitting[1:], look)
    else:
        sheet.write_string(row, place, fitting, look)


def _fitting(text: str, units: int) -> str:
    """Text that a cell can hold, and says so where it was cut."""
    if 2 * len(text) <= units or len(encoded := text.encode("utf-16-le")) // 2 <= units:
        return text
    said = f" [cut: {len(text)} characters]"
    return encoded[: 2 * (units - len(said))].decode("utf-16-le", "ignore") + said


def _look(column: Column) -> dict[str, Any]:
    if column.type == "date":
        return {"num_format": "yyyy-mm-dd", "align": "left"}
    if column.type == "number" and column.digits in _SHOWN:
        return {"num_format": _SHOWN[column.digits]}
    if column.type == "true/false":
        return {"align": "left"}
    return {}


def _shade(biopsy: Row) -> str:
    """How the call of a biopsy is colored."""
    if biopsy["certainty"] == "borderline":
        return "borderline"
    return "below" if biopsy["below_norm"] else ""


def _tinted(color: Color) -> str:
    """A color so light that black text on it is read at once."""
    return "#" + "".join(f"{round(255 + (part - 255) * _TINT):02X}" for part in color)


_FILLS = {"below": _tinted(VERMILION), "borderline": _tinted(SKY)}
