"""What people counted by hand, as they write it down: figures of sections and biopsies, and positions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ienfd.norms.checking import HIGHEST_PER_MM
from ienfd.text_table import TableForm, TextRow, number_in, read_table

__all__ = ["MANUAL", "PLACES", "ManualPlace", "ManualRow", "ManualTable", "read_manual", "read_places"]

MANUAL = TableForm(
    name="table of manual counts",
    code="manual_invalid",
    columns=(
        "file", "section_id", "case_id", "biopsy_id", "reader", "crossings", "length_mm", "density_per_mm",
    ),
    synonyms={"filename": "file", "file_name": "file", "count": "crossings"},
)  # fmt: skip
PLACES = TableForm(
    name="table of positions",
    code="manual_invalid",
    columns=("file", "section_id", "reader", "row_px", "col_px"),
    required=("row_px", "col_px"),
    synonyms={"filename": "file", "file_name": "file"},
)

_FIGURES = ("crossings", "length_mm", "density_per_mm")
_MOST, _LONGEST_MM = 100_000, 1000.0
_ROUNDING_PER_MM, _ROUNDING_SHARE = 0.1, 0.03  # a density of one decimal, a length of two


@dataclass(frozen=True)
class ManualRow:
    """What one reader says of one section, or of one biopsy.

    Parameters
    ----------
    number : int
        Row of the table; 0 where only positions speak of the section.
    reader : str
        Who counted; empty where nobody is named.
    file, section_id, case_id, biopsy_id : str
        The names by which it is known; empty for those that are not given.
    crossings : int or None
        What was counted.
    length_mm, density_per_mm : float or None
        The length that it was counted on, and the density.
    """

    number: int
    reader: str = ""
    file: str = ""
    section_id: str = ""
    case_id: str = ""
    biopsy_id: str = ""
    crossings: int | None = None
    length_mm: float | None = None
    density_per_mm: float | None = None

    @property
    def is_of_section(self) -> bool:
        """Whether it names a section; a biopsy otherwise."""
        return bool(self.file or self.section_id)

    @property
    def is_blank(self) -> bool:
        """Whether it holds no figure."""
        return all(getattr(self, name) is None for name in _FIGURES)

    @property
    def name(self) -> str:
        """What it is about, as it is written."""
        said = (self.file, self.section_id) if self.is_of_section else (self.case_id, self.biopsy_id)
        return ", ".join(part for part in said if part)


@dataclass(frozen=True)
class ManualPlace:
    """A crossing that a reader saw, in pixels of the full-resolution image; `number` is its row."""

    number: int
    row_px: float
    col_px: float
    reader: str = ""
    file: str = ""
    section_id: str = ""


@dataclass(frozen=True)
class ManualTable:
    """All rows of a table of manual counts, the name and hash of the file, and what should be known of it."""

    rows: tuple[ManualRow, ...]
    name: str
    sha256: str
    warnings: tuple[str, ...] = ()


def read_manual(path: Path) -> ManualTable:
    """Read a table of manual counts: one row for each section, or biopsy, and reader.

    A section is named by `file` or `section_id`, a biopsy by `case_id` and `biopsy_id` alone. `crossings`
    are counted by hand, `length_mm` is measured by hand, `density_per_mm` can be given in their place.
    `reader` is needed where several have counted. Form and decimal comma as for the case table.

    Raises
    ------
    UsageError
        `manual_invalid` with every row that is not valid.
    """
    table = read_table(path, MANUAL)
    rows, problems = [], list(table.problems)
    if not table.rows:
        problems.append("it has no rows")
    for row in table.rows:
        mistakes = _mistakes(row)
        problems += [f"row {row.number}: {mistake}" for mistake in mistakes]
        if not mistakes:
            rows.append(_manual_row(row))
    if problems:
        raise MANUAL.invalid(path, problems)
    return ManualTable(tuple(rows), path.name, table.sha256, table.warnings)


def read_places(path: Path) -> tuple[ManualPlace, ...]:
    """Read a table of positions: one row for each crossing that a reader saw.

    `file` or `section_id`, `reader` as in the table of counts, `row_px` and `col_px` as in crossings.csv.

    Raises
    ------
    UsageError
        `manual_invalid` with every row that is not valid.
    """
    table = read_table(path, PLACES)
    places, problems = [], list(table.problems)
    for row in table.rows:
        at = [number_in(row.cells.get(name, "")) for name in ("row_px", "col_px")]
        mistakes = [
            f"{name}: {row.cells.get(name, '')!r} is not a number"
            for name, value in zip(("row_px", "col_px"), at, strict=True)
            if math.isnan(value)
        ]
        if not {"file", "section_id"} & row.cells.keys():
            mistakes.append("it names neither a file nor a section_id")
        problems += [f"row {row.number}: {mistake}" for mistake in mistakes]
        if not mistakes:
            named = _names(row.cells, "reader", "file", "section_id")
            places.append(ManualPlace(row.number, at[0], at[1], **named))
    if problems:
        raise PLACES.invalid(path, problems)
    return tuple(places)


def _manual_row(row: TextRow) -> ManualRow:
    values = {name: number_in(row.cells[name]) for name in _FIGURES if name in row.cells}
    crossings = values.get("crossings")
    return ManualRow(
        row.number,
        **_names(row.cells, "reader", "file", "section_id", "case_id", "biopsy_id"),
        crossings=None if crossings is None else int(crossings),
        length_mm=values.get("length_mm"),
        density_per_mm=values.get("density_per_mm"),
    )


def _names(cells: Mapping[str, str], *columns: str) -> dict[str, str]:
    names = {column: cells.get(column, "") for column in columns}
    names["file"] = names["file"].replace("\\", "/").removeprefix("./")
    return names


def _mistakes(row: TextRow) -> list[str]:
    cells = row.cells
    if not {"file", "section_id", "case_id"} & cells.keys():
        return ["it names neither a file, a section_id nor a case_id"]
    count, length, density = (number_in(cells[name]) if name in cells else None for name in _FIGURES)
    said = []
    if count is not None and not (0 <= count <= _MOST and count == int(count)):
        said.append(f"crossings: {cells['crossings']!r} is not a whole number from 0 to {_MOST}")
    if length is not None and not 0 < length <= _LONGEST_MM:
        said.append(f"length_mm: {cells['length_mm']!r} is not a length in millimeters")
    if density is not None and not 0 <= density <= HIGHEST_PER_MM:
        said.append(
            f"density_per_mm: {cells['density_per_mm']!r} is not a density from 0 to {HIGHEST_PER_MM:g} /mm"
        )
    if not said and count is not None and length is not None and density is not None:
        found = count / length
        if abs(found - density) > _ROUNDING_PER_MM + _ROUNDING_SHARE * found:
            said.append(f"density_per_mm: {density:g} is not {count:g} by {length:g} mm, {found:.2f}")
    return said
