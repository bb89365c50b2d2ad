"""CSV that any program reads the same way, and that no spreadsheet program runs.

UTF-8 without BOM, comma, `.` as decimal point, `\\n` at the end of a line, empty for what is not
available, lists with `|`, `true` and `false`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ienfd.report.columns import Column

__all__ = ["csv_bytes", "inert"]

# What makes a spreadsheet take a cell for a formula, in the widths that it reads alike.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")


def csv_bytes(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write rows, each a mapping from the names of `columns`, as CSV.

    Raises
    ------
    KeyError
        If a row lacks a column; None is the way to say that there is no value.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([inert(column.name) for column in columns])
    for row in rows:
        writer.writerow([_cell(row[column.name], column) for column in columns])
    return text.getvalue().encode("utf-8", "backslashreplace")


def inert(text: str) -> str:
    """Text that no spreadsheet program takes for a formula.

    >>> inert("=1+1"), inert("P-01")
    ("'=1+1", 'P-01')
    """
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(_FORMULA) else text


def _cell(value: Any, column: Column) -> str:
    if value is None:
        return ""
    if column.type == "true/false":
        return "true" if value else "false"
    if column.type == "integer":
        return str(int(value))
    if column.type == "number":
        return _figure(float(value), column.digits)
    if column.type in ("list of codes", "list"):
        return inert("|".join(value))
    return inert(str(value))


def _figure(value: float, digits: int | None) -> str:
    """A finite number in digits; a value that rounds to zero has no sign."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.6g}" if digits is None else f"{value:.{digits}f}"
    if "e" in text:  # 1e-05 is no number to every program
        text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text.lstrip("-") if float(text) == 0 else text
