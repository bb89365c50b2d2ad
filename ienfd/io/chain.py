"""The chain of directories in a TIFF, walked without believing it.

A directory may point back to an earlier one, or out of the file, or many directories may claim the
same large values; all of this is found here, before a library follows them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ienfd.errors import UnreadableError

__all__ = ["MAX_PAGES", "count_pages"]

MAX_PAGES = 10_000
_MAX_TAGS = 4096
_MAX_NUMBERS = 4_000_000  # strips or tiles of one page; far beyond any image that could be analyzed
_BYTES_OF_TYPE = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
}  # fmt: skip


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
    claimed = 0
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
        claimed += _value_bytes(stream, begin, tags, dialect)
        if claimed > 4 * size + 2**20:
            raise UnreadableError("corrupt", "its directories claim more values than the file holds")
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


def _value_bytes(stream: BinaryIO, begin: int, tags: int, dialect: _Dialect) -> int:
    """Bytes that the values of a directory claim to have."""
    stream.seek(begin)
    entries = stream.read(tags * dialect.entry_bytes)
    head = struct.Struct(dialect.order + "HH" + dialect.pointer)
    total = 0
    for at in range(0, len(entries) - dialect.entry_bytes + 1, dialect.entry_bytes):
        code, kind, count = head.unpack_from(entries, at)
        width = _BYTES_OF_TYPE.get(kind, 0)
        if width > 1 and count > _MAX_NUMBERS:
            raise UnreadableError("corrupt", f"tag {code} has {count} values")
        total += width * count
    return total


def _number(stream: BinaryIO, offset: int, form: str) -> int:
    stream.seek(offset)
    width = struct.calcsize(form)
    data = stream.read(width)
    if len(data) < width:
        raise UnreadableError("truncated", "the file ends inside its directory of pages")
    return int(struct.unpack(form, data)[0])
