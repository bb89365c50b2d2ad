"""A table that a person wrote: encoding, separator, header, and rows as a spreadsheet counts them.

Nothing here knows what a column means. A form says which columns a table has.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from ienfd.errors import UsageError

__all__ = ["TableForm", "TextRow", "TextTable", "number_in", "read_table"]

_SEPARATORS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MANY = 20
_NOT_SEEN = "\ufeff\u200b\u200c\u200d\u2060"  # characters without width that copying leaves at the ends


@dataclass(frozen=True)
class TableForm:
    """What a table is called, and which columns it has.

    Parameters
    ----------
    name : str
        What a person calls it.
    code : str
        Reason of the error when it is not valid.
    columns : tuple of str
        Those that mean something.
    required : tuple of str
        Those without which it is no such table.
    synonyms : mapping of str to str
        Other headers that can mean nothing else.
    """

    name: str
    code: str
    columns: tuple[str, ...]
    required: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def invalid(self, path: Path, problems: Sequence[str]) -> UsageError:
        """The error that lists these problems of a table, up to twenty."""
        lines = [*problems[:_MANY]]
        if len(problems) > _MANY:
            lines.append(f"... and {len(problems) - _MANY} more")
        return UsageError(self.code, "\n".join([f"{path}:", *(f"  {line}" for line in lines)]))

    def named(self, header: str) -> str:
        """The column of a header, without the differences that mean nothing: "Case ID", "pixel-size-µm"."""
        text = unicodedata.normalize("NFKC", _trimmed(header)).casefold().replace("\u03bc", "u")
        name = "_".join(text.replace("-", " ").replace("_", " ").split())
        return self.synonyms.get(name, name)


@dataclass(frozen=True)
class TextRow:
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
class TextTable:
    """A table before anything in it is understood.

    Parameters
    ----------
    rows : tuple of TextRow
        Rows that are not blank.
    problems : tuple of str
        What forbids its use; each names row and column.
    warnings : tuple of str
        What a person should know.
    sha256 : str
        Hash of the file.
    """

    rows: tuple[TextRow, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sha256: str = ""


def read_table(path: Path, form: TableForm) -> TextTable:
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
        raise form.invalid(path, [f"it cannot be read: {error.strerror or error}"]) from error
    text = _decoded(path, content, form)
    records = _records(path, text, form) if text.strip(" \r\n" + "".join(_SEPARATORS)) else []
    header = next((n for n, record in enumerate(records) if any(record)), None)
    if header is None:
        raise form.invalid(path, ["it is empty"])
    columns, problems, warnings = _columns(records[header], header + 1, form)
    rows: list[TextRow] = []
    for number, record in enumerate(records[header + 1 :], header + 2):
        if not any(record):
            continue
        row, mistakes = _row(number, record, columns, form)
        rows.append(row)
        problems += mistakes
    return TextTable(tuple(rows), tuple(problems), tuple(warnings), hashlib.sha256(content).hexdigest())


def _decoded(path: Path, content: bytes, form: TableForm) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise form.invalid(path, ["it is a workbook, not a text table: save it as CSV"])
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError as error:
            raise form.invalid(path, ["it is no text: save it as CSV in UTF-8"]) from error
    if "\0" in text:
        raise form.invalid(path, ["it is no text: save it as CSV in UTF-8"])
    return unicodedata.normalize("NFC", text)


def _records(path: Path, text: str, form: TableForm) -> list[list[str]]:
    """All rows, cells trimmed, blank rows included so that their numbers are those of a spreadsheet."""
    first, _, rest = text.partition("\n")
    said = first.strip().strip('"')
    if (
        said.lower().startswith("sep=") and len(said) == 5
    ):  # Excel's own hint, which it does not show as a row
        return _parsed(path, rest, said[-1], form)
    separator = max(_SEPARATORS, key=lambda mark: _known_columns(text, mark, form))
    return _parsed(path, text, separator, form)


def _known_columns(text: str, separator: str, form: TableForm) -> tuple[int, int]:
    """How many known columns, and how many columns, the first row has under this separator."""
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if any(map(_trimmed, record)):
                return sum(form.named(cell) in form.columns for cell in record), len(record)
    except csv.Error:
        pass
    return 0, 0


def _parsed(path: Path, text: str, separator: str, form: TableForm) -> list[list[str]]:
    records: list[list[str]] = []
    # strict: a quotation mark that is not closed would swallow the rows of other patients
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for record in reader:
            records.append([_trimmed(cell) for cell in record])
    except csv.Error as error:
        raise form.invalid(
            path, [f"row {len(records) + 1}: {error} (is a quotation mark missing?)"]
        ) from error
    return records


def _columns(header: list[str], number: int, form: TableForm) -> tuple[list[str], list[str], list[str]]:
    """Name of each column ("" for none), with what is wrong and what is odd about the header."""
    columns = [form.named(cell) if form.named(cell) in form.columns else cell for cell in header]
    counts = Counter(column.casefold() for column in columns if column)
    problems = [f"row {number}: the column {name} stands {n} times" for name, n in counts.items() if n > 1]
    problems += [f"row {number}: there is no column {name}" for name in form.required if name not in columns]
    warnings = []
    for column in columns:
        if column and column not in form.columns:
            alike = get_close_matches(form.named(column), form.columns, 1, 0.75)
            if alike and alike[0] not in columns:
                warnings.append(f"the column {column} of the {form.name} has no meaning; is it {alike[0]}?")
    return columns, problems, warnings


def _row(number: int, record: list[str], columns: list[str], form: TableForm) -> tuple[TextRow, list[str]]:
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
    known = {column: cell for column, cell in cells.items() if column in form.columns and cell}
    extra = {column: cells.get(column, "") for column in columns if column and column not in form.columns}
    return TextRow(number, known, extra), problems


def _trimmed(cell: str) -> str:
    return cell.strip().strip(_NOT_SEEN).strip()


def number_in(cell: str) -> float:
    """The finite number that a cell holds, with a decimal point or comma; NaN for anything else.

    >>> number_in("2,75"), number_in("1_0")
    (2.75, nan)
    """
    try:
        value = float(cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell)
    except ValueError:
        return math.nan
    return math.nan if "_" in cell or not math.isfinite(value) else value  # Python reads 1_0 as a number
