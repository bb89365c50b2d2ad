"""What needs an optional part of ienfd, and says so when it is not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ienfd.errors import MissingExtraError

__all__ = ["from_extra"]


def from_extra(module: str, extra: str) -> Any:
    """Import a module that an extra of ienfd brings.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import_module(module.partition(".")[0])
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError("extra_missing", f"pip install 'ienfd[{extra}]'") from error
