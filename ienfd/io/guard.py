"""Between decoders and the rest of the program: nothing is printed, everything ends as one error."""

from __future__ import annotations

import errno
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ienfd.errors import IenfdError, UnreadableError

__all__ = ["guarded"]


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Whatever a decoder does with a damaged file ends as an `UnreadableError`, and nothing is printed."""
    library = logging.getLogger("tifffile")
    swallow = _Swallow()  # one for each call: threads come and go in any order
    library.addFilter(swallow)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except IenfdError:
        raise
    except MemoryError as error:
        raise UnreadableError("too_large", f"{what}: out of memory") from error
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # a damaged file makes a library seek to nowhere
            raise UnreadableError("corrupt", f"{what}: {_said(error)}") from error
        raise  # the disk or the network, not the file
    except Exception as error:  # decoders raise anything: that is what a damaged file is
        raise UnreadableError("corrupt", f"{what}: {_said(error)}") from error
    finally:
        library.removeFilter(swallow)


class _Swallow(logging.Filter):
    """Lets no record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


def _said(error: Exception) -> str:
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:160]
