"""The pages of a TIFF as facts, and their pixels. tifffile is used here and nowhere else in this room.

Only directories and decoders of tifffile are used: the meaning of the pages is decided next door
(`ienfd.io.meaning`), and nothing is allocated before the file has been found to hold what its header says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ienfd.errors import UnreadableError
from ienfd.io.calibration import Resolution
from ienfd.io.chain import count_pages
from ienfd.io.guard import guarded
from ienfd.io.numbers import is_ramp, normal_dtype, store
from ienfd.io.ome import is_ome
from ienfd.io.page import Page, Plane
from ienfd.io.storage import (
    COMPRESSIONS,
    JPEG,
    MIN_IS_WHITE,
    PALETTE,
    RGB,
    YCBCR,
    check_frame,
    check_kind,
    check_storage,
    count_segments,
    photometric_of,
    segment_bytes,
)

__all__ = ["TiffPages"]

_UNITS = {1: "none", 2: "inch", 3: "cm"}
_PERSONAL = {
    269: "DocumentName", 285: "PageName", 306: "DateTime", 315: "Artist", 316: "HostComputer",
    33432: "Copyright", 700: "XMP", 33723: "IPTC", 34377: "Photoshop", 34665: "EXIF", 34853: "GPS",
    50839: "ImageJ info",
}  # fmt: skip
_LSM, _STK, _NDPI, _XMP, _IMAGEJ = 34412, 33629, 65420, 700, 50839
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
            check_kind(page)
            if plane.repeat:
                end = int(page.dataoffsets[0]) + (plane.repeat + 1) * int(page.nbytes)
                if not page.is_final or end > self.file_bytes:
                    raise UnreadableError("truncated", f"image {plane.repeat} of the stack is missing")
            else:
                check_storage(page, self.file_bytes)

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
        options = {"jpegtables": page.jpegtables} if page.compression == JPEG else {}
        for index in range(count_segments(page)):
            stream.seek(int(page.dataoffsets[index]))
            data = stream.read(int(page.databytecounts[index]))
            check_frame(data, page, index)
            piece, at, _ = page.decode(data, index, **options)
            yield at[0], at[2], at[3], piece[0]

    def _facts(self, index: int) -> Page:
        page = self._pages[index]
        photometric = photometric_of(page)
        stored = int(page.samplesperpixel)
        alpha = sum(int(extra) in (1, 2) for extra in page.extrasamples or ())
        color, samples = "grey", max(1, stored - alpha)
        dtype = np.dtype(page.dtype if page.dtype is not None else np.uint8)
        # in OME-TIFF a palette is only how a channel is shown: the samples are intensities
        in_ome = is_ome(str(self._pages[0].description))
        if photometric == PALETTE and stored == 1 and dtype.kind in "ub" and not in_ome:
            palette = _palette(page)
            if palette is not None:
                self._palettes[index] = palette
                color, samples, dtype = "rgb", 3, np.dtype(np.uint8)
        elif photometric in (RGB, YCBCR):
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
            compression=COMPRESSIONS.get(int(page.compression), str(page.compression)),
            description=page.description if isinstance(page.description, str) else "",
            software=page.software if isinstance(page.software, str) else "",
            resolution=_resolution(page),
            identifying=tuple(name for code, name in _PERSONAL.items() if code in page.tags),
            nbytes=width * height * samples * dtype.itemsize,
            segment_bytes=segment_bytes(page),
            contiguous=bool(page.is_final),
            labels=_labels(page),
        )


def _labels(page: Any) -> tuple[str, ...]:
    """What ImageJ calls the images of a stack."""
    more = page.tags.valueof(_IMAGEJ)
    labels = more.get("Labels") if isinstance(more, dict) else None
    return tuple(str(label) for label in labels) if isinstance(labels, list) else ()


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


def _bits(page: Any, *, spread: bool) -> int:
    """Significant bits of integer samples; the colors of a palette have 8."""
    return 8 if spread or not isinstance(page.bitspersample, int) else int(page.bitspersample)


def _white_of(page: Any) -> float | None:
    """Largest value of a page on which zero is white, None for all others."""
    if photometric_of(page) != MIN_IS_WHITE:
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
