"""Between decoders and the rest of the program: nothing is printed, everything ends as one error."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ienfd.errors import IenfdError, UnreadableError

__all__ = ["guarded"]


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Whatever a decoder does with a damaged file ends as an `UnreadableError`, and nothing is printed."""
    quiet = logging.getLogger("tifffile")
    quiet.addFilter(_swallow)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except IenfdError:
        raise
    except MemoryError as error:
        raise UnreadableError("too_large", f"{what}: out of memory") from error
    except Exception as error:  # decoders raise anything: that is what a damaged file is
        raise UnreadableError("corrupt", f"{what}: {_said(error)}") from error
    finally:
        quiet.removeFilter(_swallow)


def _swallow(record: logging.LogRecord) -> bool:
    return False


def _said(error: Exception) -> str:
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:160]
