"""What a file is, by its first bytes and never by its name; and the hash that is its identity."""

from __future__ import annotations

import hashlib
from enum import Enum
from pathlib import Path

from ienfd.errors import UnreadableError

__all__ = ["IMAGE_SUFFIXES", "Format", "file_sha256", "format_of", "is_image", "sniff"]

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {".tif", ".tiff", ".btf", ".tf2", ".tf8", ".svs", ".png", ".jpg", ".jpeg"}
    # not read, but a file that is left out silently would be missed by nobody until it is too late
    | {".czi", ".lif", ".nd2", ".ndpi", ".scn", ".lsm", ".stk", ".vsi", ".mrxs", ".bif"}
)
"""Lower-case endings of names that stand for an image."""

_HEAD_BYTES = 32
_SHOWN_BYTES = 16
_BLOCK_BYTES = 1 << 20


class Format(Enum):
    """A format that its first bytes tell."""

    TIFF = "TIFF"
    PNG = "PNG"
    JPEG = "JPEG"
    CZI = "Zeiss CZI"
    LIF = "Leica LIF"
    ND2 = "Nikon ND2"
    OLE = "Olympus OIB or another compound document"
    HDF5 = "HDF5 (Imaris, BigDataViewer)"
    DICOM = "DICOM"
    JPEG2000 = "JPEG 2000"
    BMP = "BMP"
    GIF = "GIF"
    WEBP = "WebP"
    ZIP = "a ZIP archive"
    PDF = "a PDF document"

    @property
    def is_read(self) -> bool:
        """Whether ienfd reads it."""
        return self in (Format.TIFF, Format.PNG, Format.JPEG)

    @property
    def is_image(self) -> bool:
        """Whether such a file is an image, rather than a container of anything."""
        return self not in (Format.OLE, Format.HDF5, Format.ZIP, Format.PDF)


def sniff(head: bytes) -> Format | None:
    """Format of a file that begins with `head`, None when nothing is known by these bytes."""
    starts: tuple[tuple[bytes, Format], ...] = (
        (b"II*\0", Format.TIFF), (b"MM\0*", Format.TIFF), (b"II+\0", Format.TIFF), (b"MM\0+", Format.TIFF),
        (b"\x89PNG\r\n\x1a\n", Format.PNG), (b"\xff\xd8\xff", Format.JPEG),
        (b"ZISRAWFILE", Format.CZI), (b"\xda\xce\xbe\x0a", Format.ND2),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format.OLE), (b"\x89HDF\r\n\x1a\n", Format.HDF5),
        (b"\0\0\0\x0cjP  ", Format.JPEG2000), (b"\xff\x4f\xff\x51", Format.JPEG2000),
        (b"GIF8", Format.GIF), (b"PK\x03\x04", Format.ZIP), (b"%PDF-", Format.PDF),
    )  # fmt: skip
    for start, format_ in starts:
        if head.startswith(start):
            return format_
    if head[:4] == b"\x70\0\0\0" and head[8:9] == b"\x2a":
        return Format.LIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    # two letters alone would take any text that begins with BM for a picture
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and head[14:18] in (b"\x28\0\0\0", b"\x7c\0\0\0"):
        return Format.BMP
    return None


def format_of(path: Path) -> Format:
    """Format of a file.

    Raises
    ------
    UnreadableError
        If the file is empty, or nothing is known by its first bytes.
    OSError
        If it cannot be opened.
    """
    head = _head(path, _HEAD_BYTES)
    if not head:
        raise UnreadableError("empty_file", path.name)
    found = sniff(head)
    if found is None and _head(path, 132)[128:] == b"DICM":
        found = Format.DICOM
    if found is None:
        raise UnreadableError("not_an_image", f"{path.name} begins with {_quoted(head)}")
    return found


def is_image(path: Path | str) -> bool:
    """Whether the first bytes of a file are those of an image."""
    try:
        return format_of(Path(path)).is_image
    except UnreadableError:
        return False


def file_sha256(path: Path | str) -> str:
    """SHA-256 of the content of a file, hex, read in blocks."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(size)


def _quoted(head: bytes) -> str:
    """Bytes as hexadecimal numbers and as text, for a message."""
    shown = head[:_SHOWN_BYTES]
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in shown)
    return f'{shown.hex(" ")} "{text}"'
