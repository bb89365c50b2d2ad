"""Reading a norm file, which is TOML; what may stand in it is said in `ienfd.norms.form`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ienfd.errors import UsageError
from ienfd.norms.form import NormForm
from ienfd.norms.norm import Norm

__all__ = ["parse_norm", "read_norm", "read_text", "toml_values"]


def parse_norm(text: str, name: str = "norm") -> Norm:
    """Read a norm from the text of its file.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        What to call the file in a message.

    Raises
    ------
    UsageError
        `norm_invalid` if it is no TOML, names something unknown, leaves something out, or holds limits
        that are not positive, overlap, or do not cover the ages of the norm.
    """
    try:
        return NormForm.model_validate(toml_values(text, name)).norm()
    except ValidationError as error:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}".lstrip(": ") for e in error.errors())
        raise UsageError("norm_invalid", f"{name}: {lines}") from error


def toml_values(text: str, name: str) -> dict[str, Any]:
    """The values of a TOML text; `norm_invalid` with its `name` if it is none."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers too long, or tables too deep, to be read
        raise UsageError("norm_invalid", f"{name}: {error}") from error


def read_norm(path: Path) -> Norm:
    """Read a norm file; errors are those of `parse_norm`, also when it cannot be read."""
    return parse_norm(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a norm file, without the mark that Windows' editors put before it.

    Raises
    ------
    UsageError
        `norm_invalid` if it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("norm_invalid", f"{path}: {error}") from error
