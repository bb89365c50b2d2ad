"""Files that are damaged, or that lie, as bytes."""

from __future__ import annotations

import io as streams
import struct
import zlib
from typing import Any

import tifffile
from io_files import bare_tiff, color, grey_entries, stack
from PIL import Image


def half(data: bytes) -> bytes:
    """The first half of a file, as a broken copy leaves it."""
    return data[: len(data) // 2]


def square(side: int, *, count: int, compression: int = 1) -> bytes:
    """A TIFF of a few hundred bytes that promises a square of any size."""
    return bare_tiff(
        grey_entries(side, side, offset=200, count=count, compression=compression), data=bytes(200)
    )


def written(data: Any, **options: Any) -> bytes:
    stream = streams.BytesIO()
    tifffile.imwrite(stream, data, **options)
    return stream.getvalue()


def picture(format: str, mode: str = "RGB") -> bytes:
    stream = streams.BytesIO()
    Image.fromarray(color()).convert(mode).save(stream, format)
    return stream.getvalue()


def claiming_jpeg(width: int, height: int) -> bytes:
    """A JPEG whose frame header claims any size."""
    data = bytearray(picture("JPEG"))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def jpeg_tile_that_claims_more() -> bytes:
    """A TIFF tile of 16 x 16 whose JPEG says it has 65,500 x 65,500 pixels."""
    data = bytearray(written(color(), photometric="rgb", compression="jpeg", tile=(16, 16)))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, 65_500, 65_500)
    return bytes(data)


def many_scans() -> bytes:
    data = picture("JPEG")
    at = data.index(b"\xff\xda")
    return data[:-2] + data[at : at + 14] * 200 + b"\xff\xd9"


def looping_tiff() -> bytes:
    return bare_tiff(grey_entries(4, 4, offset=200, count=16), after=8, data=b"\0" * 200)


def long_loop() -> bytes:
    """A circle that is only reached after a hundred and fifty directories."""
    page = grey_entries(2, 2, offset=8, count=4)
    each = 2 + 12 * len(page) + 4
    return bare_tiff(*[page] * 150, after=8 + 120 * each)


def greedy_directories() -> bytes:
    """Directories in a row that all claim the same large table of strips."""
    page = [
        *grey_entries(2, 2, offset=8, count=4)[:5],
        (273, 4, 50_000, 8),
        (277, 3, 1, 1),
        (279, 4, 50_000, 8),
    ]
    return bare_tiff(*[page] * 2000, data=b"\0" * 200_000)


def overlapping_tiles() -> bytes:
    """Ten thousand strips that are all the same two hundred bytes."""
    strip = zlib.compress(b"\0" * 100_000)
    table = 10_000
    entries = [
        (256, 4, 1, 100_000), (257, 4, 1, table), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, table, 1000), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, table, 1000 + 4 * table),
    ]  # fmt: skip
    head = bare_tiff(entries)
    tables = struct.pack("<I", 200) * table + struct.pack("<I", len(strip)) * table
    return head.ljust(200, b"\0") + strip.ljust(800, b"\0") + tables


def deflate_bomb() -> bytes:
    """A hundred megapixels in a hundred kilobytes, as true as it is large."""
    strip = zlib.compress(b"\0" * 100_000_000)
    return (
        bare_tiff(grey_entries(10_000, 10_000, offset=200, count=len(strip), compression=8)).ljust(200, b"\0")
        + strip
    )


def short_palette() -> bytes:
    """Indices up to 9 into a palette of two colors, which do not grow."""
    entries = [entry for entry in grey_entries(2, 2, offset=200, count=4) if entry[0] != 262]
    head = bare_tiff([*entries, (262, 3, 1, 3), (320, 3, 6, 204)])
    return head.ljust(200, b"\0") + bytes([0, 1, 9, 1]) + struct.pack("<6H", 9, 0, 9, 0, 9, 0)


def ome_with(xml: str) -> bytes:
    return written(stack()[0, 0], photometric="minisblack", description=xml, metadata=None)


BOMB = """<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
<!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;">]>
<OME><Image><Description>&g;&g;&g;</Description></Image></OME>"""
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/hostname">]><OME>&a;</OME>'
