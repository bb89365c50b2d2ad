"""The tables of a study as Parquet: the same rows and columns as the CSV files, with types.

Texts and codes are strings, lists are lists of strings, and what is not available is null, never an
empty text. Every column holds its meaning, its unit and its type in words as metadata of its field, so
that no data dictionary lies beside the tables; the tables say what wrote them.
"""

from __future__ import annotations

import io
from typing import Any

from ienfd import __version__
from ienfd.report.cells import Cell, plain_text, typed
from ienfd.report.columns import Column
from ienfd.report.content import Content
from ienfd.report.extra import from_extra
from ienfd.report.tables import Table, tabulate

__all__ = ["parquet_files"]

_EXTRA = "exports"


def parquet_files(content: Content, *, whole_dates: bool = True) -> dict[str, bytes]:
    """The tables of a study by file name: the same content gives the same bytes.

    Parameters
    ----------
    content : Content
        All of a study, as it may be shown.
    whole_dates : bool
        Whether dates are days. Without names only their years are left, which are no dates but texts;
        a column of days becomes one of texts, too, where something else stands in it.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    """
    arrow, parquet = from_extra("pyarrow", _EXTRA), from_extra("pyarrow.parquet", _EXTRA)
    files = {}
    for name, table in tabulate(content).items():
        stream = io.BytesIO()
        # every reader knows 1.0 pages and Snappy; statistics make a query skip what it does not need
        parquet.write_table(_arrow_table(arrow, name, table, whole_dates), stream, compression="snappy")
        files[f"{name}.parquet"] = stream.getvalue()
    return files


def _arrow_table(arrow: Any, name: str, table: Table, whole_dates: bool) -> Any:
    columns = [(column, typed(column)) for column in table.columns]
    cells: list[list[Cell]] = [[] for _ in columns]
    for row in table.rows():
        for place, (column, make) in zip(cells, columns, strict=True):
            place.append(make(row[column.name]))
    fields, arrays = [], []
    for (column, _), values in zip(columns, cells, strict=True):
        kind = _kind(arrow, column)
        if column.type == "date" and not (whole_dates and not any(isinstance(v, str) for v in values)):
            kind = arrow.string()
            values = [None if value is None else str(value) for value in values]
        arrays.append(arrow.array(values, kind))
        fields.append(arrow.field(plain_text(column.name), kind, metadata=_said(column)))
    about = {"table": name, "written_by": f"ienfd {__version__}", "use": "research use only"}
    return arrow.Table.from_arrays(arrays, schema=arrow.schema(fields, metadata=about))


def _kind(arrow: Any, column: Column) -> Any:
    if column.type in ("list", "list of codes"):
        return arrow.list_(arrow.string())
    kinds = {
        "integer": arrow.int64, "number": arrow.float64, "true/false": arrow.bool_, "date": arrow.date32,
    }  # fmt: skip
    return kinds.get(column.type, arrow.string)()


def _said(column: Column) -> dict[str, str]:
    """What the data dictionary says of a column."""
    said = {"meaning": column.meaning, "unit": column.unit, "type": column.type}
    return {name: plain_text(text) for name, text in said.items() if text}
