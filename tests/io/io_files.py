"""Small files of each kind, written for the tests."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

SIZES_UM = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2000, "PhysicalSizeZUnit": "nm"}
SVS_TEXT = "Aperio Image Library v11.2.1\r\n48x32 [0,0 48x32] (16x16) JPEG/RGB Q=90|AppMag = 20|MPP = 0.4990"


def stack() -> NDArray[np.uint16]:
    """Three planes of two channels, (Z, C, Y, X), no two samples alike, 12 bits."""
    return np.arange(3 * 2 * 20 * 24, dtype=np.uint16).reshape(3, 2, 20, 24)


def section(planes: NDArray[Any]) -> NDArray[Any]:
    """(Z, C, Y, X) as a section has it."""
    return np.moveaxis(planes, 1, -1)


def color() -> NDArray[np.uint8]:
    """A color image, (32, 48, 3)."""
    return np.random.default_rng(7).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def smooth() -> NDArray[np.uint8]:
    """A color image that survives lossy compression, (64, 96, 3)."""
    row, col = np.indices((64, 96))
    return np.stack([row * 3, col * 2, 255 - row * 2], axis=-1).astype(np.uint8)


def write_all(folder: Path) -> dict[str, bytes]:
    """A file of each kind: what it holds, by name."""
    rgb, planes = color(), stack()
    colors = np.random.default_rng(8).integers(0, 65536, (3, 256)).astype(np.uint16)
    grey = rgb[..., 0]
    write = tifffile.imwrite
    write(
        folder / "ome.tif", planes, ome=True, photometric="minisblack", metadata={"axes": "ZCYX", **SIZES_UM}
    )
    write(
        folder / "big.tif",
        planes,
        ome=True,
        bigtiff=True,
        photometric="minisblack",
        compression="zlib",
        predictor=True,
        tile=(16, 16),
        metadata={"axes": "ZCYX"},
    )
    write(
        folder / "imagej.tif",
        planes,
        imagej=True,
        resolution=(2, 2),
        metadata={"axes": "ZCYX", "unit": "um", "spacing": 0.7},
    )
    write(folder / "lzw.tif", rgb, photometric="rgb", compression="lzw", predictor=True, rowsperstrip=8)
    write(folder / "jpeg.tif", rgb, photometric="rgb", compression="jpeg", tile=(16, 16))
    write(folder / "jp2.tif", rgb, photometric="rgb", compression="jpeg2000", tile=(16, 16))
    write(folder / "webp.tif", rgb, photometric="rgb", compression="webp", tile=(16, 16))
    write(folder / "zstd.tif", rgb, photometric="rgb", compression="zstd")
    write(folder / "lzma.tif", rgb, photometric="rgb", compression="lzma")
    write(folder / "packbits.tif", rgb, photometric="rgb", compression="packbits")
    write(folder / "palette.tif", grey, photometric="palette", colormap=colors)
    write(folder / "float.tif", grey.astype(np.float32), compression="zlib", predictor=3)
    write(
        folder / "scan.svs",
        rgb,
        photometric="rgb",
        compression="jpeg",
        tile=(16, 16),
        metadata=None,
        description=SVS_TEXT,
    )
    Image.fromarray(rgb).save(folder / "a.png", dpi=(72, 72))
    Image.fromarray(rgb).quantize(8).save(folder / "palette.png")
    Image.fromarray(rgb).save(folder / "a.jpg")
    Image.fromarray(rgb).save(folder / "progressive.jpg", progressive=True)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


Entry = tuple[int, int, int, int]


def bare_tiff(*directories: list[Entry], after: int = 0, data: bytes = b"") -> bytes:
    """A classic TIFF of directories with the given entries (code, type, count, value), nothing checked.

    `after` is the offset that follows the last directory; `data` comes at the end.
    """
    head = struct.pack("<2sHI", b"II", 42, 8)
    offset, body = 8, b""
    for number, entries in enumerate(directories):
        end = offset + 2 + 12 * len(entries) + 4
        last = number == len(directories) - 1
        body += struct.pack("<H", len(entries))
        body += b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
        body += struct.pack("<I", after if last else end)
        offset = end
    return head + body + data


def grey_entries(width: int, height: int, *, offset: int, count: int, compression: int = 1) -> list[Entry]:
    """Entries of a grey 8-bit page of one strip."""
    return [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1),
        (273, 4, 1, offset), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, count),
    ]  # fmt: skip


def bare_png(width: int, height: int, packed: bytes, *, bits: int = 8, kind: int = 0) -> bytes:
    """A PNG with any header."""

    def chunk(name: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
