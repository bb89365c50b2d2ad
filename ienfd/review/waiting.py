"""What can wait until a person sees what an edit has made of the result."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["garbage_waits"]


@contextmanager
def garbage_waits() -> Iterator[None]:
    """Python looks for garbage afterwards: going through a whole section takes longer than an edit of it."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()
