"""CSV that any program reads the same way, and that no spreadsheet program runs.

UTF-8 without BOM, comma, `.` as decimal point, `\\n` at the end of a line, empty for what is not
available, lists with `|`, `true` and `false`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
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
    cells = [(column.name, _written(column)) for column in columns]
    for row in rows:
        writer.writerow(["" if (value := row[name]) is None else write(value) for name, write in cells])
    return text.getvalue().encode("utf-8", "backslashreplace")


def inert(text: str) -> str:
    """Text that no spreadsheet program takes for a formula.

    >>> inert("=1+1"), inert("P-01")
    ("'=1+1", 'P-01')
    """
    if text[:1].isalnum():  # most texts, and no formula
        return text
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(_FORMULA) else text


def _written(column: Column) -> Callable[[Any], str]:
    """How the values of a column are written."""
    if column.type == "true/false":
        return lambda value: "true" if value else "false"
    if column.type == "integer":
        return lambda value: str(int(value))
    if column.type == "number":
        return partial(_figure, digits=column.digits)
    if column.type in ("list of codes", "list"):
        return lambda value: inert("|".join(value))
    return lambda value: inert(str(value))


def _figure(value: float, digits: int | None) -> str:
    """A finite number in digits; a value that rounds to zero has no sign."""
    if not math.isfinite(value):
        return ""
    if digits is not None:
        text = f"{value:.{digits}f}"
    elif "e" in (text := f"{value:.6g}"):  # 1e-05 is no number to every program
        text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text.lstrip("-") if value <= 0 and float(text) == 0 else text
