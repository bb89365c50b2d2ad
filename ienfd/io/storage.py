"""Whether a file can hold what a page of a TIFF promises, before a byte is allocated for it.

A page is tifffile's; nothing but its fields is used.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from ienfd.errors import UnreadableError
from ienfd.io.codestream import jpeg2000_frame, jpeg_frame, webp_frame

__all__ = [
    "COMPRESSIONS", "JPEG", "MIN_IS_BLACK", "MIN_IS_WHITE", "PALETTE", "RGB", "YCBCR", "check_frame",
    "check_kind", "check_storage", "count_segments", "photometric_of", "segment_bytes",
]  # fmt: skip

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
_NONE, _LZW, JPEG, _DEFLATE, _PACKBITS = 1, 5, 7, 8, 32773
COMPRESSIONS = {
    _NONE: "none", _LZW: "LZW", JPEG: "JPEG", _DEFLATE: "deflate", 32946: "deflate", _PACKBITS: "PackBits",
    34925: "LZMA", 50000: "Zstandard", 33005: "JPEG 2000", 34712: "JPEG 2000", 50001: "WebP",
}  # fmt: skip
# the most that a stored byte can become; a header that promises more than that is not true
_MOST = {_NONE: 1, _PACKBITS: 64, _LZW: 2000, _DEFLATE: 1100, 32946: 1100, JPEG: 4000}
_FRAMES = {JPEG: jpeg_frame, 33005: jpeg2000_frame, 34712: jpeg2000_frame, 50001: webp_frame}


def check_kind(page: Any) -> None:
    """Refuse what is a TIFF but cannot be read as pixels of a section.

    Raises
    ------
    UnreadableError
        `unsupported_format`, or `corrupt` when the page has no size.
    """
    if page.imagewidth <= 0 or page.imagelength <= 0 or page.samplesperpixel <= 0:
        raise UnreadableError("corrupt", f"an image of {page.imagewidth} x {page.imagelength} pixels")
    if int(page.compression) not in COMPRESSIONS:
        raise UnreadableError("unsupported_format", f"compression {_name(page.compression)}")
    photometric = photometric_of(page)
    if photometric not in (MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR):
        raise UnreadableError("unsupported_format", f"colors as {_name(page.photometric)}")
    if photometric == YCBCR and page.compression != JPEG:
        raise UnreadableError("unsupported_format", "colors as YCbCr without JPEG")
    if page.imagedepth != 1:
        raise UnreadableError("unsupported_format", "a TIFF of volumes")
    if page.dtype is None or np.dtype(page.dtype).kind not in "uifb":
        raise UnreadableError("unsupported_format", f"{page.bitspersample} bits per sample")


def check_storage(page: Any, file_bytes: int) -> None:
    """Whether strips or tiles are all there, and can hold what the header promises.

    Raises
    ------
    UnreadableError
        `header_beyond_file`, `truncated` or `corrupt`.
    """
    segments = count_segments(page)
    offsets, counts = page.dataoffsets, page.databytecounts
    if page.is_final and len(offsets) == 1 and segments == 1:
        counts = (int(page.nbytes),)  # some writers leave the count out, and it is not needed
    if len(offsets) < segments or len(counts) < segments:
        raise UnreadableError(
            "header_beyond_file",
            f"{page.imagewidth} x {page.imagelength} pixels in {len(offsets)} pieces of {segments}",
        )
    begin = np.asarray(offsets[:segments], np.float64)
    held = np.asarray(counts[:segments], np.float64)
    stored = float(held.sum())
    most = _MOST.get(int(page.compression))
    inner = _inner_bytes(page)
    if most is not None and inner > most * min(stored, float(file_bytes)):
        if page.compression == _NONE and inner <= stored and inner < 100 * file_bytes:
            raise UnreadableError("truncated", f"{file_bytes} bytes of {int(inner)}")
        raise UnreadableError(
            "header_beyond_file",
            f"{page.imagewidth} x {page.imagelength} pixels in {file_bytes} bytes",
        )
    if stored > file_bytes or bool(((begin + held) > file_bytes).any()):
        raise UnreadableError("truncated", f"pixels are missing after byte {file_bytes}")
    if bool(((begin <= 0) | (held <= 0)).any()):
        raise UnreadableError("corrupt", "pieces of the image are missing")


def check_frame(data: bytes, page: Any, index: int) -> None:
    """Whether a codestream claims what the page expects of it, before a decoder believes it.

    Raises
    ------
    UnreadableError
        `corrupt` if it claims more.
    ValueError
        If it has no header that could be read.
    """
    frame_of = _FRAMES.get(int(page.compression))
    if frame_of is None:
        return
    frame = frame_of(data)
    height, width = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    )
    if frame.height > height or frame.width > width or frame.samples > max(page.samplesperpixel, 4):
        raise UnreadableError(
            "corrupt",
            f"piece {index} is {frame.width} x {frame.height} pixels where {width} x {height} are expected",
        )


def count_segments(page: Any) -> int:
    """Number of strips or tiles that a page must have."""
    height, width = int(page.imagelength), int(page.imagewidth)
    if page.is_tiled:
        if page.tilelength <= 0 or page.tilewidth <= 0:
            raise UnreadableError("corrupt", "tiles without a size")
        pieces = ceil(height / page.tilelength) * ceil(width / page.tilewidth)
    else:
        if page.rowsperstrip <= 0:
            raise UnreadableError("corrupt", "strips without rows")
        pieces = ceil(height / page.rowsperstrip)
    return int(pieces) * (int(page.samplesperpixel) if page.planarconfig == 2 else 1)


def segment_bytes(page: Any) -> int:
    """Bytes of a decoded strip or tile."""
    height, width = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    )
    samples = 1 if page.planarconfig == 2 else int(page.samplesperpixel)
    itemsize = 1 if page.dtype is None else np.dtype(page.dtype).itemsize
    return int(height) * int(width) * samples * itemsize


def _inner_bytes(page: Any) -> int:
    """Bytes of the pixels of a page as they would lie in the file uncompressed."""
    bits = page.bitspersample
    per_pixel = sum(bits) if isinstance(bits, tuple) else int(bits) * int(page.samplesperpixel)
    return int(page.imagelength) * (int(page.imagewidth) * per_pixel // 8)


def photometric_of(page: Any) -> int:
    """Photometric interpretation; black is zero where the tag is missing."""
    return int(page.photometric) if 262 in page.tags else MIN_IS_BLACK


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))
