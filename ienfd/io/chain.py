"""The chain of directories in a TIFF, walked without believing it.

A directory may point back to an earlier one, or out of the file; both are found here, before a
library follows them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ienfd.errors import UnreadableError

__all__ = ["MAX_PAGES", "count_pages"]

MAX_PAGES = 10_000
_MAX_TAGS = 4096


@dataclass(frozen=True)
class _Dialect:
    """Widths of the fields of a classic TIFF or a BigTIFF."""

    order: str
    count: str
    entry_bytes: int
    pointer: str
    first_at: int


def count_pages(stream: BinaryIO, size: int) -> int:
    """Number of directories of a TIFF.

    Parameters
    ----------
    stream : file
        Open for reading in binary mode.
    size : int
        Size of the file in bytes.

    Raises
    ------
    UnreadableError
        `truncated` when the chain leaves the file, `corrupt` when it runs in a circle or a directory
        makes no sense, `too_large` when there are more than `MAX_PAGES`.
    """
    dialect = _dialect(stream)
    seen: set[int] = set()
    offset = _number(stream, dialect.first_at, dialect.order + dialect.pointer)
    while offset:
        if offset in seen:
            raise UnreadableError("corrupt", f"directory {len(seen)} points back to an earlier one")
        if offset >= size:
            raise UnreadableError("truncated", f"directory {len(seen)} lies beyond the end of the file")
        if len(seen) == MAX_PAGES:
            raise UnreadableError("too_large", f"more than {MAX_PAGES} pages")
        seen.add(offset)
        tags = _number(stream, offset, dialect.order + dialect.count)
        if not 0 < tags <= _MAX_TAGS:
            raise UnreadableError("corrupt", f"directory {len(seen) - 1} has {tags} entries")
        begin = offset + struct.calcsize(dialect.order + dialect.count)
        offset = _number(stream, begin + tags * dialect.entry_bytes, dialect.order + dialect.pointer)
    if not seen:
        raise UnreadableError("not_an_image", "a TIFF without any directory")
    return len(seen)


def _dialect(stream: BinaryIO) -> _Dialect:
    stream.seek(0)
    head = stream.read(4)
    order = "<" if head[:2] == b"II" else ">"
    if _number(stream, 2, order + "H") == 43:
        return _Dialect(order, "Q", 20, "Q", 8)
    return _Dialect(order, "H", 12, "I", 4)


def _number(stream: BinaryIO, offset: int, form: str) -> int:
    stream.seek(offset)
    width = struct.calcsize(form)
    data = stream.read(width)
    if len(data) < width:
        raise UnreadableError("truncated", "the file ends inside its directory of pages")
    return int(struct.unpack(form, data)[0])
