"""The cells of the tables as values with a type, for formats that know types.

They are the values that stand in the CSV files: a number has the same digits, what is not available is
None, and so is an empty text or list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from ienfd.report.columns import Column

__all__ = ["Cell", "plain_text", "typed"]

Cell = str | int | float | bool | date | list[str] | None

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SIGNIFICANT = 6


def typed(column: Column) -> Callable[[Any], Cell]:
    """What makes the cells of a column.

    A date that is no whole day, such as the year that is left of it without names, stays a text.

    >>> typed(Column("density_per_mm", "", "number", digits=2))(1 / 3)
    0.33
    >>> typed(Column("collection_date", "", "date"))("2024-05-17")
    datetime.date(2024, 5, 17)
    """
    make = _MAKERS.get(column.type, _text)
    if column.type == "number":
        return lambda value: None if value is None else _number(value, column.digits)
    return lambda value: None if value is None else make(value)


def plain_text(text: str) -> str:
    """Text that can be written as UTF-8: what is half a character is shown as its code.

    >>> plain_text("a\\ud800")
    'a\\\\ud800'
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(value: Any) -> str | None:
    return plain_text(str(value)) or None


def _list(value: Any) -> list[str] | None:
    return [plain_text(str(part)) for part in value] or None


def _date(value: Any) -> date | str | None:
    text = str(value)
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    return _text(text)


def _number(value: Any, digits: int | None) -> float | None:
    """A finite number with the digits of its column; zero has no sign."""
    number = float(value)
    if not math.isfinite(number):
        return None
    return (float(f"{number:.{_SIGNIFICANT}g}") if digits is None else round(number, digits)) + 0.0


_MAKERS: dict[str, Callable[[Any], Cell]] = {
    "true/false": bool,
    "integer": int,
    "date": _date,
    "list": _list,
    "list of codes": _list,
}
