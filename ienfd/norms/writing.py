"""Writing a norm file: the same values give the same bytes, and are read again as they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ienfd.norms.form import NormForm, content_values
from ienfd.norms.norm import Entered

__all__ = ["norm_toml", "stamped"]

_HEAD = "# A norm of a laboratory. A norm file is data: nothing in it is evaluated."
_STAMP = "# Written by `ienfd norms add`. Whoever changes something above enters the norm again."


def norm_toml(form: NormForm, further: Mapping[str, str] | None = None) -> str:
    """The text of a norm file.

    Parameters
    ----------
    form : NormForm
        What it says.
    further : mapping of str to str, optional
        Texts that are set although they are empty, as cells that a person has to fill.
    """
    values = {**content_values(form), **(further or {})}
    for name in ("limits", "percentiles"):  # the last tables
        if name in values:
            values[name] = values.pop(name)
    for name in ("section_um", "length_line", "percentile"):
        values[name] = "not stated" if values[name] is None else values[name]
    return f"{_HEAD}\n{_table(values)}"


def stamped(form: NormForm, entered: Entered) -> str:
    """The text of a norm file with who entered it."""
    stamp = {name: getattr(entered, name) for name in Entered.__dataclass_fields__}
    return f"{norm_toml(form)}\n{_STAMP}\n[entered]\n{_table(stamp)}"


def _table(values: Mapping[str, Any], prefix: str = "") -> str:
    lines, tables = [], []
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            tables.append(f"\n[{key}]\n{_table(value, f'{key}.')}")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            tables += [f"\n[[{key}]]\n{_table(row, f'{key}.')}" for row in value]
        else:
            lines.append(f"{name} = {_value(value)}\n")
    return "".join([*lines, *tables])


def _value(value: Any) -> str:
    """A value in TOML's spelling; strings, numbers and booleans are written as in JSON."""
    if isinstance(value, list):
        return "[" + "".join(f"\n    {_value(item)}," for item in value) + "\n]" if value else "[]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
