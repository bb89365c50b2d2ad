"""PNG and JPEG: one picture, and no scale of its own."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ienfd.errors import UnreadableError
from ienfd.io.calibration import Resolution, of_resolution
from ienfd.io.codestream import jpeg_frame, jpeg_markers
from ienfd.io.content import Format
from ienfd.io.guard import guarded
from ienfd.io.numbers import store
from ienfd.io.page import Page, Plane
from ienfd.section import Calibration

__all__ = ["PictureFile"]

_DEFLATE_MOST = 1100
_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 1, 6: 3}  # kept samples for each color type
_PNG_STORED = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_PERSONAL = {b"tEXt": "PNG text", b"zTXt": "PNG text", b"iTXt": "PNG text", b"eXIf": "EXIF",
                 b"tIME": "PNG time"}  # fmt: skip
_PNG_ESSENTIAL = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_MAX_CHUNKS = 100_000
_MAX_FILE_BYTES = 2**31  # far beyond any PNG or JPEG that a decoder could take
_JFIF_UNITS = {0: "none", 1: "inch", 2: "cm"}


class PictureFile:
    """A PNG or JPEG file.

    Parameters
    ----------
    path : Path
    format_ : Format
        Which of the two.

    Raises
    ------
    UnreadableError
        If its header makes no sense.
    """

    def __init__(self, path: Path, format_: Format) -> None:
        self.file_bytes = path.stat().st_size
        if self.file_bytes > _MAX_FILE_BYTES:
            raise UnreadableError("too_large", f"a {format_.value} of {self.file_bytes} bytes")
        self._format = format_
        self._data = path.read_bytes()
        try:
            page, calibration = _png(self._data) if format_ is Format.PNG else _jpeg(self._data)
        except (ValueError, struct.error) as error:
            code = "truncated" if "ends before" in str(error) else "corrupt"
            raise UnreadableError(code, str(error)) from error
        self.pages: tuple[Page, ...] = (page,)
        self.calibration = calibration

    def __enter__(self) -> PictureFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data = b""

    def check(self, plane: Plane) -> None:
        """Compare what the header promises with what the file can hold.

        Raises
        ------
        UnreadableError
            `header_beyond_file`.
        """
        page = self.pages[plane.page]
        bits = (page.bits or 8) * page.samples
        # a JPEG needs some bits for every 8 x 8 samples, deflate stores at most so much in a byte
        most = ceil(page.height * page.width * bits / 8 / (_DEFLATE_MOST if self._is_png else 4000))
        if most > self.file_bytes:
            raise UnreadableError(
                "header_beyond_file", f"{page.width} x {page.height} pixels in {self.file_bytes} bytes"
            )

    def read(self, plane: Plane, target: NDArray[Any]) -> None:
        """Decode into `target`, (H, W) or (H, W, 3).

        Raises
        ------
        UnreadableError
            If it cannot be decoded.
        """
        import imagecodecs

        page = self.pages[plane.page]
        with guarded("the picture cannot be decoded"):
            if self._is_png:
                pixels = np.asarray(imagecodecs.png_decode(_essential(self._data)))
            else:
                pixels = np.asarray(imagecodecs.jpeg_decode(self._data))
            if pixels.ndim == 2:
                pixels = pixels[..., np.newaxis]
            if pixels.shape[:2] != (page.height, page.width) or pixels.shape[2] < page.samples:
                raise UnreadableError("corrupt", f"decoded as {pixels.shape}")
            store(pixels, target[..., np.newaxis] if page.samples == 1 else target)

    @property
    def _is_png(self) -> bool:
        return self._format is Format.PNG


def _page(
    height: int, width: int, samples: int, bits: int, kind: str, decoded: int, identifying: list[str]
) -> Page:
    dtype = np.dtype(np.uint16 if bits == 16 else np.uint8)
    if height <= 0 or width <= 0:
        raise ValueError(f"an image of {width} x {height} pixels")
    return Page(
        height=height, width=width, samples=samples, stored_samples=samples, planar=False,
        color="rgb" if samples == 3 else "grey",
        dtype=dtype, bits=bits, reduced=False, tiled=False, levels=1, compression=kind, description="",
        software="", resolution=None, identifying=tuple(dict.fromkeys(identifying)),
        nbytes=height * width * samples * dtype.itemsize,
        segment_bytes=height * width * decoded * dtype.itemsize, contiguous=False,
    )  # fmt: skip


def _png(data: bytes) -> tuple[Page, Calibration]:
    header: tuple[int, ...] | None = None
    resolution = None
    identifying = []
    for kind, at, end in _png_chunks(data):
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", data[at + 8 : end - 4])
        elif kind == b"pHYs":
            across, down, unit = struct.unpack(">IIB", data[at + 8 : end - 4])
            resolution = Resolution((across, 1), (down, 1), "m" if unit == 1 else "none")
        elif kind in _PNG_PERSONAL:
            identifying.append(_PNG_PERSONAL[kind])
    if header is None:
        raise ValueError("a PNG without a header")
    width, height, bits, color = header[:4]
    if color not in _PNG_SAMPLES or bits not in (1, 2, 4, 8, 16):
        raise ValueError(f"a PNG of color type {color} and {bits} bits")
    # the decoder spreads fewer bits, and palettes, over 8
    page = _page(
        height, width, _PNG_SAMPLES[color], max(bits, 8), "PNG", 1 + _PNG_STORED[color] + 2 * (color == 3),
        identifying,
    )  # fmt: skip
    return page, _scaleless(resolution)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, beginning and end of every chunk of a PNG, with its last one."""
    at = 8
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            raise ValueError("the PNG ends before its image does")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("the PNG ends before its image does")
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    raise ValueError(f"a PNG of more than {_MAX_CHUNKS} chunks")


def _essential(data: bytes) -> bytes:
    """A PNG without all that is not pixels.

    Texts and color profiles may be damaged, or grow when they are unpacked; and the decoder prints
    what it finds wrong with them.
    """
    view = memoryview(data)
    pieces: list[bytes | memoryview] = [view[:8]]
    for kind, at, end in _png_chunks(data):
        if kind not in _PNG_ESSENTIAL:
            continue
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise UnreadableError("corrupt", f"the checksum of chunk {kind.decode('latin-1')} is wrong")
        pieces.append(view[at:end])
    return b"".join(pieces)


def _jpeg(data: bytes) -> tuple[Page, Calibration]:
    frame = jpeg_frame(data)
    resolution = None
    identifying = []
    for marker, _, content in jpeg_markers(data):
        if marker == 0xE0 and content[:5] == b"JFIF\0" and len(content) >= 12:
            unit, across, down = struct.unpack_from(">BHH", content, 7)
            if (unit, across, down) != (0, 1, 1):  # which is what one writes who says nothing
                resolution = Resolution((across, 1), (down, 1), _JFIF_UNITS.get(unit, "none"))
        elif marker == 0xE1:
            identifying.append("EXIF" if content[:4] == b"Exif" else "XMP")
        elif marker in (0xED, 0xFE):
            identifying.append("IPTC" if marker == 0xED else "JPEG comment")
    if frame.bits != 8 or frame.samples not in (1, 3):
        raise UnreadableError(
            "unsupported_format", f"a JPEG of {frame.samples} samples (CMYK?) of {frame.bits} bits"
        )
    page = _page(frame.height, frame.width, frame.samples, 8, "JPEG", frame.samples, identifying)
    return page, _scaleless(resolution)


def _scaleless(resolution: Resolution | None) -> Calibration:
    """What a PNG or JPEG says of its size, which is never a calibration.

    Programs that write them fill in the density of a screen or of a print; no microscope calibrates them.
    """
    found = of_resolution(resolution)
    nothing = found.problem in ("uncalibrated", "calibration_unit")
    return Calibration(
        None, problem=found.problem if nothing else "calibration_default_dpi", stated=found.stated
    )
