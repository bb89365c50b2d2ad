"""Files that are not what they seem: each ends as one error with its code, at once, nothing allocated."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from io_bad_files import (
    BOMB,
    EXTERNAL,
    claiming_jpeg,
    deflate_bomb,
    greedy_directories,
    half,
    jpeg_tile_that_claims_more,
    long_loop,
    looping_tiff,
    many_scans,
    ome_with,
    overlapping_tiles,
    picture,
    short_palette,
    square,
    written,
)
from io_files import bare_png, bare_tiff, color, grey_entries, smooth, stack, write_all

from ienfd import io
from ienfd.errors import UnreadableError
from ienfd.reasons import REASONS, Effect

MILLION = 10**6


@dataclass(frozen=True)
class Case:
    name: str
    content: Callable[[], bytes]
    code: str
    says: str = ""


CASES = [
    Case("empty", lambda: b"", "empty_file"),
    Case("text", lambda: b"Hello, this is a letter.", "not_an_image", '48 65 6c 6c.* "Hello, this is a"'),
    Case("zeros", lambda: bytes(5000), "not_an_image", "00 00 00 00"),
    Case("czi", lambda: b"ZISRAWFILE" + bytes(100), "unsupported_format", "Zeiss CZI"),
    Case("lif", lambda: b"\x70\0\0\0\x22\0\0\0\x2a" + bytes(100), "unsupported_format", "Leica LIF"),
    Case("dicom", lambda: bytes(128) + b"DICM" + bytes(100), "unsupported_format", "DICOM"),
    Case("bmp", lambda: picture("BMP"), "unsupported_format", "BMP"),
    Case("pdf", lambda: b"%PDF-1.7\n" + bytes(50), "unsupported_format", "PDF"),
    Case("only a magic number", lambda: b"II*\0", "truncated"),
    Case("no directory", lambda: b"II*\0" + bytes(4), "not_an_image", "without any directory"),
    Case("a directory beyond the end", lambda: b"II*\0\xff\xff\0\0" + bytes(90), "truncated"),
    Case("a circle of directories", looping_tiff, "corrupt", "points back"),
    Case("a circle after 150 directories", long_loop, "corrupt", "points back"),
    Case("directories that claim all", greedy_directories, "corrupt", "claim more"),
    Case("half of a TIFF", lambda: half(written(color(), photometric="rgb")), "truncated"),
    Case("10^6 x 10^6", lambda: square(MILLION, count=64), "header_beyond_file", "1000000 x 1000000"),
    Case("10^6 x 10^6, and a count to match",
         lambda: square(MILLION, count=2**32 - 1),
         "header_beyond_file"),
    Case("10^6 x 10^6, compressed",
         lambda: square(MILLION, count=64, compression=8),
         "header_beyond_file"),
    Case("10^6 x 10^6, PNG", lambda: bare_png(MILLION, MILLION, zlib.compress(bytes(100))),
         "header_beyond_file"),
    Case("65500 x 65500, JPEG", lambda: claiming_jpeg(65_500, 65_500), "header_beyond_file"),
    Case("no width", lambda: bare_tiff(grey_entries(0, 4, offset=8, count=4)), "corrupt", "0 x 4"),
    Case("the same strip ten thousand times", overlapping_tiles, "header_beyond_file"),
    Case("a tile that claims to be larger", jpeg_tile_that_claims_more, "corrupt", "65500 x 65500"),
    Case("a JPEG of two hundred scans", many_scans, "corrupt", "scans"),
    Case("half of a JPEG", lambda: half(picture("JPEG")), "truncated"),
    Case("half of a PNG", lambda: half(picture("PNG")), "truncated"),
    Case("CMYK", lambda: picture("JPEG", "CMYK"), "unsupported_format", "CMYK"),
    Case("an unknown compression", lambda: written(color(), photometric="rgb", compression="jpegxl"),
         "unsupported_format", "JPEGXL"),
    Case("a palette of too few colors", short_palette, "corrupt", "not among the 2"),
    Case("complex numbers", lambda: written(np.zeros((8, 8), np.complex64)), "unsupported_format"),
    Case("LSM", lambda: bare_tiff([*grey_entries(4, 4, offset=8, count=16), (34412, 1, 4, 8)]),
         "unsupported_format", "LSM"),
    Case("NDPI", lambda: bare_tiff([*grey_entries(4, 4, offset=8, count=16), (65420, 4, 1, 1)]),
         "unsupported_format", "NDPI"),
    Case("entities that explode", lambda: ome_with(BOMB), "corrupt", "may not be in it"),
    Case("an entity from outside", lambda: ome_with(EXTERNAL), "corrupt", "may not be in it"),
    Case("broken OME-XML", lambda: ome_with('<OME xmlns="x"><Image><Pixels'), "corrupt", "cannot be parsed"),
    Case("OME-XML of a hundred thousand levels", lambda: ome_with("<OME>" * 100_000), "corrupt"),
    Case("OME-XML without image", lambda: ome_with("<OME/>"), "corrupt", "no image"),
    Case("companion", lambda: ome_with('<OME><BinaryOnly MetadataFile="a.companion.ome" UUID="u"/></OME>'),
         "parts_elsewhere", "a.companion.ome"),
    Case("ImageJ names more images than there are",
         lambda: written(stack()[0, 0], description="ImageJ=1.54f\nimages=6\nslices=6\n", metadata=None),
         "truncated", "missing"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_ends_as_one_error(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "image.tif"
    content = case.content()
    path.write_bytes(content)
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        with pytest.raises(UnreadableError, match=case.says or None) as failed:
            io.read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert failed.value.code == case.code
    assert REASONS[case.code].effect is Effect.FAILED
    assert REASONS[case.code].remedy
    assert time.perf_counter() - begin < 3
    assert peak < 30 * 2**20 + 4 * len(content)
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
    assert list(tmp_path.iterdir()) == [path]


HEADERS = ["empty", "text", "czi", "10^6 x 10^6", "10^6 x 10^6, PNG", "a circle of directories", "companion"]


@pytest.mark.parametrize("case", [case for case in CASES if case.name in HEADERS], ids=lambda case: case.name)
def test_the_header_alone_shows_it(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    path.write_bytes(case.content())
    with pytest.raises(UnreadableError) as failed:
        io.describe(path)
    assert failed.value.code == case.code


@pytest.mark.parametrize(
    ("name", "content"), [("deflate", deflate_bomb), ("png", lambda: bare_png(10_000, 10_000, zlib.compress(
        (b"\0" + bytes(10_000)) * 10_000)))]
)  # fmt: skip
def test_what_grows_beyond_the_limit_is_not_unpacked(
    name: str, content: Callable[[], bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content())
    assert io.describe(path).nbytes == 100_000_000
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="the limit is 64 MiB") as failed:
        io.read(path, memory_limit_bytes=64 * 2**20)
    assert tracemalloc.get_traced_memory()[1] < 5 * 2**20
    tracemalloc.stop()
    assert failed.value.code == "too_large"


def test_an_archive_or_a_document_is_no_image(tmp_path: Path) -> None:
    for name, content, expected in (
        ("a.txt", b"hello", False), ("empty", b"", False), ("b.tif", b"PK\x03\x04" + bytes(40), False),
        ("c.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", False),
        ("d.txt", b"BM is how this text begins", False),
        ("e", picture("PNG"), True), ("f", written(color(), photometric="rgb"), True),
        ("g", b"ZISRAWFILE" + bytes(40), True), ("h.dat", picture("JPEG"), True),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert io.is_image(tmp_path / name) is expected, name


def test_a_missing_file_is_no_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        io.read(tmp_path / "none.tif")


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert (
        io.file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_color_profile_that_is_broken_is_not_looked_at(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = picture("PNG")
    name, junk = b"iCCP", b"profile\0\0" + zlib.compress(b"junk")
    chunk = struct.pack(">I", len(junk)) + name + junk + struct.pack(">I", zlib.crc32(name + junk))
    path = tmp_path / "a.png"
    path.write_bytes(whole[:33] + chunk + whole[33:])
    assert np.array_equal(io.read(path).pixels[0], color())
    assert capfd.readouterr().err == ""


def test_large_tiles_are_read_into_place(tmp_path: Path) -> None:
    image = np.tile(smooth(), (16, 16, 1))
    path = tmp_path / "tiled.tif"
    tifffile.imwrite(path, image, photometric="rgb", tile=(128, 128))
    tracemalloc.start()
    found = io.read(path, sha256="0" * 64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(found.pixels[0], image)
    assert peak < image.nbytes + 2**20


def test_no_mutation_escapes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Bit rot and cut copies of files of each kind: a section or an error with a code, nothing else."""
    rng = np.random.default_rng(20)
    folder = tmp_path / "files"
    folder.mkdir()
    path = tmp_path / "rotten"
    codes = set()
    for content in write_all(folder).values():
        for number in range(12):
            rotten = bytearray(content)
            if number % 3 == 0:
                rotten = rotten[: rng.integers(1, len(rotten))]
            else:
                # directories and codestream headers lie at the beginning or the end
                reach = min(len(rotten), 700)
                begin = 0 if number % 3 == 1 else len(rotten) - reach
                for at in begin + rng.integers(0, reach, 3):
                    rotten[at] = int(rng.choice([0, 1, 128, 255, int(rng.integers(0, 256))]))
            path.write_bytes(rotten)
            try:
                found = io.read(path, memory_limit_bytes=2**26, sha256="0" * 64)
            except (UnreadableError, ValueError) as error:
                codes.add(error.code)  # type: ignore[union-attr]
            else:
                codes.add("read")
                assert found.pixels.nbytes <= 2**26
    assert {"read", "corrupt", "truncated"} <= codes
    assert codes <= {*REASONS, "read"}
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
