"""The case table as text: its encoding, its separator, its header, and its rows as a spreadsheet counts them.

Nothing here knows what a column means, except that `file` and `case_id` must be among them.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ienfd.errors import UsageError

__all__ = ["COLUMNS", "CaseFile", "FileRow", "invalid", "read_case_file"]

COLUMNS = (
    "file", "case_id", "biopsy_id", "age_years", "sex", "site", "side", "collection_date", "stain",
    "section_um", "planes", "pixel_size_um", "control", "patient_id", "staining_run",
)  # fmt: skip
_SYNONYMS = {  # only names that can mean nothing else
    "filename": "file",
    "file_name": "file",
    "age": "age_years",
    "section_thickness_um": "section_um",
}
_REQUIRED = ("file", "case_id")
_SEPARATORS = (",", ";", "\t")
_MANY = 20
_NOT_SEEN = "\ufeff\u200b\u200c\u200d\u2060"  # characters without width that copying leaves at the ends


@dataclass(frozen=True)
class FileRow:
    """One row that is not blank.

    Parameters
    ----------
    number : int
        Its number in a spreadsheet; the header is row 1 unless blank rows stand above it.
    cells : dict of str to str
        The cells of known columns that are not blank.
    extra : dict of str to str
        All other columns, blank or not, under the header as it is written.
    """

    number: int
    cells: dict[str, str]
    extra: dict[str, str]


@dataclass(frozen=True)
class CaseFile:
    """A case table before anything in it is understood.

    Parameters
    ----------
    rows : tuple of FileRow
        Rows that are not blank.
    problems : tuple of str
        What forbids its use; each names row and column.
    warnings : tuple of str
        What a person should know.
    """

    rows: tuple[FileRow, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def invalid(path: Path, problems: list[str] | tuple[str, ...]) -> UsageError:
    """The error that lists these problems of a case table."""
    lines = [*problems[:_MANY]]
    if len(problems) > _MANY:
        lines.append(f"... and {len(problems) - _MANY} more")
    return UsageError("case_table_invalid", "\n".join([f"{path}:", *(f"  {line}" for line in lines)]))


def read_case_file(path: Path) -> CaseFile:
    """Read a table in any of the forms that a spreadsheet program saves.

    UTF-8 with or without BOM, UTF-16 with BOM, or Windows' Western code page; comma, semicolon or tab.

    Raises
    ------
    UsageError
        If it cannot be read as a table with a header.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise invalid(path, [f"it cannot be read: {error.strerror or error}"]) from error
    text = _decoded(path, content)
    records = _records(path, text) if text.strip(" \r\n" + "".join(_SEPARATORS)) else []
    header = next((n for n, record in enumerate(records) if any(record)), None)
    if header is None:
        raise invalid(path, ["it is empty"])
    columns, problems, warnings = _columns(records[header], header + 1)
    rows: list[FileRow] = []
    for number, record in enumerate(records[header + 1 :], header + 2):
        if not any(record):
            continue
        row, mistakes = _row(number, record, columns)
        rows.append(row)
        problems += mistakes
    return CaseFile(tuple(rows), tuple(problems), tuple(warnings))


def _decoded(path: Path, content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise invalid(path, ["it is a workbook, not a text table: save it as CSV"])
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError as error:
            raise invalid(path, ["it is no text: save it as CSV in UTF-8"]) from error
    if "\0" in text:
        raise invalid(path, ["it is no text: save it as CSV in UTF-8"])
    return unicodedata.normalize("NFC", text)


def _records(path: Path, text: str) -> list[list[str]]:
    """All rows, cells trimmed, blank rows included so that their numbers are those of a spreadsheet."""
    first, _, rest = text.partition("\n")
    said = first.strip().strip('"')
    if (
        said.lower().startswith("sep=") and len(said) == 5
    ):  # Excel's own hint, which it does not show as a row
        return _parsed(path, rest, said[-1])
    separator = max(_SEPARATORS, key=lambda mark: _known_columns(text, mark))
    return _parsed(path, text, separator)


def _known_columns(text: str, separator: str) -> tuple[int, int]:
    """How many known columns, and how many columns, the first row has under this separator."""
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if any(map(_trimmed, record)):
                return sum(_canonical(cell) in COLUMNS for cell in record), len(record)
    except csv.Error:
        pass
    return 0, 0


def _parsed(path: Path, text: str, separator: str) -> list[list[str]]:
    records: list[list[str]] = []
    # strict: a quotation mark that is not closed would swallow the rows of other patients
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for record in reader:
            records.append([_trimmed(cell) for cell in record])
    except csv.Error as error:
        raise invalid(path, [f"row {len(records) + 1}: {error} (is a quotation mark missing?)"]) from error
    return records


def _columns(header: list[str], number: int) -> tuple[list[str], list[str], list[str]]:
    """Name of each column ("" for none), with what is wrong and what is odd about the header."""
    columns = [_canonical(cell) if _canonical(cell) in COLUMNS else cell for cell in header]
    counts = Counter(column.casefold() for column in columns if column)
    problems = [f"row {number}: the column {name} stands {n} times" for name, n in counts.items() if n > 1]
    problems += [f"row {number}: there is no column {name}" for name in _REQUIRED if name not in columns]
    warnings = []
    for column in columns:
        if column and column not in COLUMNS:
            alike = get_close_matches(_canonical(column), COLUMNS, 1, 0.75)
            if alike and alike[0] not in columns:
                warnings.append(f"the column {column} of the case table has no meaning; is it {alike[0]}?")
    return columns, problems, warnings


def _row(number: int, record: list[str], columns: list[str]) -> tuple[FileRow, list[str]]:
    problems = []
    if any(record[len(columns) :]):
        problems.append(
            f"row {number}: it has more cells than the header"
            " (a decimal comma, or a separator inside a cell that is not quoted?)"
        )
    for position, (cell, column) in enumerate(zip(record, columns, strict=False), 1):
        if cell and not column:
            problems.append(
                f"row {number}: the cell {cell!r} stands in column {position}, which has no header"
            )
    cells = {column: cell for column, cell in zip(columns, record, strict=False) if column}
    known = {column: cell for column, cell in cells.items() if column in COLUMNS and cell}
    extra = {column: cells.get(column, "") for column in columns if column and column not in COLUMNS}
    return FileRow(number, known, extra), problems


def _canonical(header: str) -> str:
    """A header without the differences that mean nothing: "Case ID", "pixel-size-µm"."""
    text = unicodedata.normalize("NFKC", _trimmed(header)).casefold().replace("\u03bc", "u")
    name = "_".join(text.replace("-", " ").replace("_", " ").split())
    return _SYNONYMS.get(name, name)


def _trimmed(cell: str) -> str:
    return cell.strip().strip(_NOT_SEEN).strip()
