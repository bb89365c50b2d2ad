"""The pages of a TIFF as facts, and their pixels. tifffile is used here and nowhere else in this room.

Only directories and decoders of tifffile are used: the meaning of the pages is decided next door
(`ienfd.io.meaning`), and nothing is allocated before the file has been found to hold what its header says.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ienfd.errors import UnreadableError
from ienfd.io.calibration import Resolution
from ienfd.io.chain import count_pages
from ienfd.io.codestream import Frame, jpeg2000_frame, jpeg_frame, webp_frame
from ienfd.io.guard import guarded
from ienfd.io.numbers import is_ramp, normal_dtype, store
from ienfd.io.ome import is_ome
from ienfd.io.page import Page, Plane

__all__ = ["TiffPages"]

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_NONE, _LZW, _JPEG, _DEFLATE, _PACKBITS = 1, 5, 7, 8, 32773
_READ_COMPRESSIONS = {
    _NONE: "none", _LZW: "LZW", _JPEG: "JPEG", _DEFLATE: "deflate", 32946: "deflate", _PACKBITS: "PackBits",
    34925: "LZMA", 50000: "Zstandard", 33005: "JPEG 2000", 34712: "JPEG 2000", 50001: "WebP",
}  # fmt: skip
# the most that a stored byte can become; a header that promises more than that is not true
_MOST = {_NONE: 1, _PACKBITS: 64, _LZW: 2000, _DEFLATE: 1100, 32946: 1100, _JPEG: 4000}
_FRAMES = {_JPEG: jpeg_frame, 33005: jpeg2000_frame, 34712: jpeg2000_frame, 50001: webp_frame}
_UNITS = {1: "none", 2: "inch", 3: "cm"}
_PERSONAL = {
    269: "DocumentName", 285: "PageName", 306: "DateTime", 315: "Artist", 316: "HostComputer",
    33432: "Copyright", 700: "XMP", 33723: "IPTC", 34377: "Photoshop", 34665: "EXIF", 34853: "GPS",
    50839: "ImageJ info",
}  # fmt: skip
_LSM, _STK, _NDPI, _XMP = 34412, 33629, 65420, 700
_BLOCK_BYTES = 1 << 24


class TiffPages:
    """An open TIFF.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UnreadableError
        If the directories cannot be read, or the format is one of those that only look like TIFF.
    """

    def __init__(self, path: Path) -> None:
        self.file_bytes = path.stat().st_size
        with path.open("rb") as stream:
            count = count_pages(stream, self.file_bytes)
        with guarded("the directory cannot be read"):
            # these flags would have tifffile do more than open the file
            self._tiff = tifffile.TiffFile(path, is_lsm=False, is_ndpi=False, is_scanimage=False)
        try:
            with guarded("a directory cannot be read"):
                self._pages: list[Any] = [self._tiff.pages[index] for index in range(count)]
                _refuse_relatives(self._pages[0])
            self._palettes: dict[int, NDArray[np.uint8]] = {}
            with guarded("a directory makes no sense"):
                self.pages = tuple(self._facts(index) for index in range(count))
        except BaseException:
            self._tiff.close()
            raise

    def __enter__(self) -> TiffPages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tiff.close()

    @property
    def is_big(self) -> bool:
        """Whether it is a BigTIFF."""
        return bool(self._tiff.is_bigtiff)

    def check(self, plane: Plane) -> None:
        """Compare what a page promises with what the file holds, before anything is allocated.

        Raises
        ------
        UnreadableError
            `unsupported_format`, `header_beyond_file`, `truncated` or `corrupt`.
        """
        page = self._pages[plane.page]
        with guarded("a directory makes no sense"):
            _check_kind(page)
            if plane.repeat:
                end = int(page.dataoffsets[0]) + (plane.repeat + 1) * int(page.nbytes)
                if not page.is_final or end > self.file_bytes:
                    raise UnreadableError("truncated", f"image {plane.repeat} of the stack is missing")
            else:
                _check_storage(page, self.file_bytes)

    def read(self, plane: Plane, target: NDArray[Any]) -> None:
        """Decode a plane into `target`, which has the axes of the page.

        Raises
        ------
        UnreadableError
            If it cannot be decoded.
        """
        page, facts = self._pages[plane.page], self.pages[plane.page]
        if facts.samples == 1:
            target = target[..., np.newaxis]
        elif facts.planar:
            target = np.moveaxis(target, 0, -1)
        palette = self._palettes.get(plane.page)
        top = _white_of(page)
        whole = page.is_final and facts.dtype.itemsize * 8 == page.bitspersample and palette is None
        pieces = self._stored_pieces(page, plane.repeat) if whole else self._decoded_pieces(page)
        while True:
            with guarded("the pixels cannot be decoded"):
                piece = next(pieces, None)
            if piece is None:
                return
            sample, row, col, samples = piece
            if sample < facts.samples:
                rows, cols = target.shape[0] - row, target.shape[1] - col
                block = samples[:rows, :cols]
                place = target[row : row + block.shape[0], col : col + block.shape[1]]
                place = place[..., sample : sample + 1] if facts.planar else place
                store(block, place, palette, top)

    def _stored_pieces(self, page: Any, repeat: int) -> Iterator[tuple[int, int, int, NDArray[Any]]]:
        """Blocks of rows of samples that lie in the file as they are."""
        separate = page.planarconfig == 2 and page.samplesperpixel > 1
        samples = 1 if separate else page.samplesperpixel
        dtype = np.dtype(page.dtype).newbyteorder(self._tiff.byteorder)
        height, width = page.imagelength, page.imagewidth
        row_bytes = width * samples * dtype.itemsize
        step = max(1, _BLOCK_BYTES // row_bytes)
        stream = self._tiff.filehandle
        stream.seek(int(page.dataoffsets[0]) + repeat * int(page.nbytes))
        for sample in range(page.samplesperpixel if separate else 1):
            for row in range(0, height, step):
                rows = min(step, height - row)
                data = stream.read(rows * row_bytes)
                yield sample, row, 0, np.frombuffer(data, dtype).reshape(rows, width, samples)

    def _decoded_pieces(self, page: Any) -> Iterator[tuple[int, int, int, NDArray[Any]]]:
        """Strips or tiles, decoded one after the other."""
        stream = self._tiff.filehandle
        options = {"jpegtables": page.jpegtables} if page.compression == _JPEG else {}
        frame_of = _FRAMES.get(int(page.compression))
        for index in range(_segments(page)):
            stream.seek(int(page.dataoffsets[index]))
            data = stream.read(int(page.databytecounts[index]))
            if frame_of is not None:
                _check_frame(frame_of(data), page, index)
            piece, at, _ = page.decode(data, index, **options)
            yield at[0], at[2], at[3], piece[0]

    def _facts(self, index: int) -> Page:
        page = self._pages[index]
        photometric = _photometric(page)
        stored = int(page.samplesperpixel)
        alpha = sum(int(extra) in (1, 2) for extra in page.extrasamples or ())
        color, samples = "grey", max(1, stored - alpha)
        dtype = np.dtype(page.dtype if page.dtype is not None else np.uint8)
        # in OME-TIFF a palette is only how a channel is shown: the samples are intensities
        in_ome = is_ome(str(self._pages[0].description))
        if photometric == _PALETTE and stored == 1 and dtype.kind in "ub" and not in_ome:
            palette = _palette(page)
            if palette is not None:
                self._palettes[index] = palette
                color, samples, dtype = "rgb", 3, np.dtype(np.uint8)
        elif photometric in (_RGB, _YCBCR):
            color, samples = ("rgb", 3) if stored in (3, 4) else ("unknown", stored)
        dtype = normal_dtype(dtype)
        integer = page.dtype is not None and np.dtype(page.dtype).kind in "ub"
        width, height = int(page.imagewidth), int(page.imagelength)
        subifds = page.subifds
        return Page(
            height=height,
            width=width,
            samples=samples,
            stored_samples=stored,
            planar=page.planarconfig == 2 and stored > 1,
            color=color,
            dtype=dtype,
            bits=_bits(page, spread=index in self._palettes) if integer else None,
            reduced=bool(int(page.subfiletype) & 0b101),
            tiled=bool(page.is_tiled),
            levels=1 + (len(subifds) if isinstance(subifds, tuple) else 0),
            compression=_READ_COMPRESSIONS.get(int(page.compression), str(page.compression)),
            description=page.description if isinstance(page.description, str) else "",
            software=page.software if isinstance(page.software, str) else "",
            resolution=_resolution(page),
            identifying=tuple(name for code, name in _PERSONAL.items() if code in page.tags),
            nbytes=width * height * samples * dtype.itemsize,
            segment_bytes=_segment_bytes(page),
            contiguous=bool(page.is_final),
        )


def _refuse_relatives(page: Any) -> None:
    """Formats in the dress of a TIFF whose pages mean something else."""
    description = page.description if isinstance(page.description, str) else ""
    xmp = page.tags.valueof(_XMP)
    name = None
    if _LSM in page.tags:
        name = "Zeiss LSM"
    elif _STK in page.tags:
        name = "MetaMorph stack"
    elif _NDPI in page.tags:
        name = "Hamamatsu NDPI"
    elif "<scn" in description[:4096]:
        name = "Leica SCN"
    elif "DPUfsImport" in description[:4096]:
        name = "Philips TIFF"
    elif isinstance(xmp, bytes) and b"<iScan" in xmp[:4096]:
        name = "Ventana BIF"
    if name is not None:
        raise UnreadableError("unsupported_format", name)


def _check_kind(page: Any) -> None:
    """Refuse what is a TIFF but cannot be read as pixels of a section."""
    if page.imagewidth <= 0 or page.imagelength <= 0 or page.samplesperpixel <= 0:
        raise UnreadableError("corrupt", f"an image of {page.imagewidth} x {page.imagelength} pixels")
    if int(page.compression) not in _READ_COMPRESSIONS:
        raise UnreadableError("unsupported_format", f"compression {_name(page.compression)}")
    photometric = _photometric(page)
    if photometric not in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _YCBCR):
        raise UnreadableError("unsupported_format", f"colors as {_name(page.photometric)}")
    if photometric == _YCBCR and page.compression != _JPEG:
        raise UnreadableError("unsupported_format", "colors as YCbCr without JPEG")
    if page.imagedepth != 1:
        raise UnreadableError("unsupported_format", "a TIFF of volumes")
    if page.dtype is None or np.dtype(page.dtype).kind not in "uifb":
        raise UnreadableError("unsupported_format", f"{page.bitspersample} bits per sample")


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))


def _check_storage(page: Any, file_bytes: int) -> None:
    """Whether strips or tiles are all there, and can hold what the header promises."""
    segments = _segments(page)
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


def _check_frame(frame: Frame, page: Any, index: int) -> None:
    """Whether a codestream claims what the page expects of it, before a decoder believes it."""
    height, width = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    )
    if frame.height > height or frame.width > width or frame.samples > max(page.samplesperpixel, 4):
        raise UnreadableError(
            "corrupt",
            f"piece {index} is {frame.width} x {frame.height} pixels where {width} x {height} are expected",
        )


def _segments(page: Any) -> int:
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


def _segment_bytes(page: Any) -> int:
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


def _bits(page: Any, *, spread: bool) -> int:
    """Significant bits of integer samples; the colors of a palette have 8."""
    return 8 if spread or not isinstance(page.bitspersample, int) else int(page.bitspersample)


def _photometric(page: Any) -> int:
    """Photometric interpretation; black is zero where the tag is missing."""
    return int(page.photometric) if 262 in page.tags else _MIN_IS_BLACK


def _white_of(page: Any) -> float | None:
    """Largest value of a page on which zero is white, None for all others."""
    if _photometric(page) != _MIN_IS_WHITE:
        return None
    if np.dtype(page.dtype).kind == "f":
        return 1.0
    if np.dtype(page.dtype).kind == "i":
        return -1.0
    return float(2 ** int(page.bitspersample) - 1)


def _palette(page: Any) -> NDArray[np.uint8] | None:
    """(N, 3) colors of a palette, None when it only tints intensities (a look-up table)."""
    values = page.colormap
    if values is None or values.ndim != 2 or values.shape[0] != 3:
        raise UnreadableError("corrupt", "a palette is missing")
    if is_ramp(values):
        return None
    shift = 8 if int(values.max()) > 255 else 0  # some writers fill only the low byte
    return np.ascontiguousarray((values.T >> shift).astype(np.uint8))


def _resolution(page: Any) -> Resolution | None:
    x, y = (page.tags.valueof(code) for code in (282, 283))
    if not _is_rational(x) or not _is_rational(y):
        return None
    unit = page.tags.valueof(296)
    return Resolution(x, y, None if unit is None else _UNITS.get(int(unit), "none"))


def _is_rational(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, int) for part in value)
