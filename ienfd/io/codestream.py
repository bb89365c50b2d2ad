"""What a compressed piece of image claims to be, read from its own header.

Decoders allocate what a codestream claims. Here the claim is read first, so that it can be compared
with what is expected.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Frame", "jpeg2000_frame", "jpeg_frame", "jpeg_markers", "webp_frame"]

_SOF = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_SOS, _EOI = 0xDA, 0xD9
_MAX_SCANS = 100  # a progressive JPEG has about ten
_STANDALONE = {0x01, 0xD8, *range(0xD0, 0xD8)}


@dataclass(frozen=True)
class Frame:
    """Height, width, samples and bits that a codestream claims."""

    height: int
    width: int
    samples: int
    bits: int


def jpeg_markers(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Markers of a JPEG with their position and content, up to the first scan.

    Raises
    ------
    ValueError
        If the structure is broken.
    """
    if data[:2] != b"\xff\xd8":
        raise ValueError("a JPEG without a beginning")
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise ValueError(f"no JPEG marker at byte {at}")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        length = struct.unpack_from(">H", data, at + 2)[0]
        if length < 2 or marker == _EOI:
            raise ValueError(f"a broken JPEG marker at byte {at}")
        yield marker, at, data[at + 4 : at + 2 + length]
        if marker == _SOS:
            return
        at += 2 + length
    raise ValueError("a JPEG without a scan")


def jpeg_frame(data: bytes) -> Frame:
    """What a JPEG claims to be.

    Raises
    ------
    ValueError
        If it has no frame header, or its data does not reach the end marker.
    """
    frame = None
    for marker, at, content in jpeg_markers(data):
        if marker in _SOF:
            if len(content) < 6:
                raise ValueError("a broken JPEG frame header")
            bits, height, width, samples = struct.unpack_from(">BHHB", content)
            frame = Frame(height, width, samples, bits)
        elif marker == _SOS and data.find(b"\xff\xd9", at) < 0:
            # decoders fill what is missing with grey and say nothing
            raise ValueError("the JPEG data ends before the image does")
        elif marker == _SOS and data.count(b"\xff\xda", at) > _MAX_SCANS:
            raise ValueError("a JPEG of more scans than any camera writes")
    if frame is None:
        raise ValueError("a JPEG without a frame header")
    return frame


def jpeg2000_frame(data: bytes) -> Frame:
    """What a bare JPEG 2000 codestream claims to be.

    Raises
    ------
    ValueError
        If it does not begin with its size.
    """
    if data[:4] != b"\xff\x4f\xff\x51" or len(data) < 43:
        raise ValueError("a JPEG 2000 codestream without a size")
    x1, y1, x0, y0 = struct.unpack_from(">4I", data, 8)
    samples, bits = struct.unpack_from(">HB", data, 40)
    return Frame(y1 - y0, x1 - x0, samples, (bits & 0x7F) + 1)


def webp_frame(data: bytes) -> Frame:
    """What a WebP image claims to be.

    Raises
    ------
    ValueError
        If it is none.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        raise ValueError("no WebP image")
    kind, body = data[12:16], data[20:]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", body, 6))
    else:
        raise ValueError("an unknown kind of WebP")
    return Frame(height, width, 3, 8)
