"""Every kind of file gives the pixels that were written, with their meaning."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from io_files import SIZES_UM, SVS_TEXT, bare_tiff, color, grey_entries, section, smooth, stack
from numpy.typing import NDArray
from PIL import Image

from ienfd import io
from ienfd.errors import RefusedError, UsageError
from ienfd.section import CalibrationSource

PER_CM: dict[str, Any] = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}


@dataclass(frozen=True)
class Case:
    """A file, and what must come out of it."""

    name: str
    write: Callable[[Path], object]
    pixels: NDArray[Any]
    format: str = "TIFF"
    rgb: bool = False
    bits: int | None = 8
    source: str = "tiff-resolution"
    problem: str | None = None
    z_step_um: float | None = None
    channels: tuple[str | None, ...] | None = None
    levels: int = 1


def tiff(data: NDArray[Any], **options: Any) -> Callable[[Path], object]:
    return lambda path: tifffile.imwrite(path, data, **options)


def ome(data: NDArray[Any], axes: str, **options: Any) -> Callable[[Path], object]:
    metadata = {"axes": axes, **SIZES_UM, **options.pop("metadata", {})}
    photometric = options.pop("photometric", "minisblack")
    return lambda path: tifffile.imwrite(
        path, data, ome=True, photometric=photometric, metadata=metadata, **options
    )


def image(data: NDArray[Any], mode: str | None = None, **options: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        picture = Image.fromarray(data)
        (picture.convert(mode) if mode else picture).save(path, **options)

    return write


def pyramid(path: Path) -> None:
    levels = [smooth(), smooth()[::2, ::2], smooth()[::4, ::4]]
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(
            levels[0], subifds=2, photometric="rgb", tile=(16, 16), metadata={"axes": "YXS", **SIZES_UM}
        )
        for level in levels[1:]:
            writer.write(level, subfiletype=1, photometric="rgb", tile=(16, 16))


def flat_pyramid(path: Path) -> None:
    """Levels as pages that follow each other, and nothing that calls them so."""
    with tifffile.TiffWriter(path) as writer:
        for step in (1, 2, 4):
            writer.write(smooth()[::step, ::step], photometric="rgb", tile=(16, 16), metadata=None, **PER_CM)


def slide(path: Path) -> None:
    """A scan with its thumbnail, a level, the label and the overview of the glass."""
    with tifffile.TiffWriter(path) as writer:
        options: dict[str, Any] = {"photometric": "rgb", "metadata": None}
        text = SVS_TEXT + "|Title = Jane Doe|User = abc"
        writer.write(smooth(), tile=(16, 16), description=text, **options)
        writer.write(smooth()[::4, ::4], description=SVS_TEXT, **options)
        writer.write(smooth()[::2, ::2], tile=(16, 16), description=SVS_TEXT, **options)
        writer.write(color(), description="Aperio Image Library v11.2.1\r\nlabel 48x32", **options)
        writer.write(color()[:16], description="Aperio Image Library v11.2.1\r\nmacro 48x16", **options)


STACK, RGB, GREY = stack(), color(), color()[..., 0]
PALETTE = np.random.default_rng(3).integers(0, 65536, (3, 256)).astype(np.uint16)
TINT = np.stack([np.arange(256) * 257, np.arange(256) * 128, np.zeros(256)]).astype(np.uint16)
SPREAD = np.moveaxis(RGB, -1, 0).copy()
ALPHA = np.concatenate([RGB, RGB[..., :1]], axis=-1)
GREY_SECTION = GREY[np.newaxis, ..., np.newaxis]
NO_UNIT: dict[str, Any] = {"problem": "calibration_unit"}
TWO: dict[str, Any] = {
    "source": "ome", "format": "OME-TIFF", "bits": 16, "z_step_um": 2.0, "channels": (None, None),
}  # fmt: skip
COLOR_OME: dict[str, Any] = {"source": "ome", "format": "OME-TIFF", "rgb": True, "z_step_um": 2.0}

CASES = [
    Case("ome ZCYX", ome(STACK, "ZCYX"), section(STACK), **TWO),
    Case("ome CZYX", ome(STACK.swapaxes(0, 1), "CZYX", compression="zlib", predictor=True, tile=(16, 16)),
         section(STACK), **TWO),
    Case("ome TZCYX", ome(STACK[np.newaxis], "TZCYX"), section(STACK), **TWO),
    Case("ome BigTIFF", ome(STACK, "ZCYX", bigtiff=True), section(STACK),
         **{**TWO, "format": "OME-TIFF, BigTIFF"}),
    Case("ome big-endian", ome(STACK, "ZCYX", byteorder=">"), section(STACK), **TWO),
    Case("ome names and bits",
         ome(STACK, "ZCYX", metadata={"Channel": {"Name": ["PGP9.5", "DAPI"]}, "SignificantBits": 12}),
         section(STACK), **{**TWO, "bits": 12, "channels": ("PGP9.5", "DAPI")}),
    Case("ome YXC", ome(STACK[0].transpose(1, 2, 0), "YXC", planarconfig="contig"),
         section(STACK[:1]), **TWO),
    Case("ome color", ome(RGB, "YXS", photometric="rgb"), RGB[np.newaxis], **COLOR_OME),
    Case("ome color stack", ome(np.stack([RGB, RGB[::-1]]), "ZYXS", photometric="rgb"),
         np.stack([RGB, RGB[::-1]]), **COLOR_OME),
    Case("ome color planar", ome(SPREAD, "SYX", photometric="rgb", planarconfig="separate"),
         RGB[np.newaxis], **COLOR_OME),
    Case("ome color alpha", ome(ALPHA, "YXS", photometric="rgb", extrasamples=["unassalpha"]),
         RGB[np.newaxis], **COLOR_OME),
    Case("ome pyramid", pyramid, smooth()[np.newaxis], levels=3, **COLOR_OME),
    Case("imagej hyperstack",
         tiff(STACK, imagej=True, resolution=(2, 2), metadata={"axes": "ZCYX", "unit": "um", "spacing": 0.7}),
         section(STACK), format="ImageJ TIFF", bits=16, source="imagej", z_step_um=0.7,
         channels=(None, None)),
    Case("imagej labels",
         tiff(STACK, imagej=True, resolution=(2, 2),
              metadata={"axes": "ZCYX", "unit": "um", "Labels": ["DAPI", "PGP9.5"] * len(STACK)}),
         section(STACK), format="ImageJ TIFF", bits=16, source="imagej", channels=("DAPI", "PGP9.5")),
    Case("imagej color", tiff(RGB, imagej=True, resolution=(2, 2), metadata={"unit": "micron"}),
         RGB[np.newaxis], format="ImageJ TIFF", rgb=True, source="imagej"),
    Case("plain color", tiff(RGB, photometric="rgb", **PER_CM), RGB[np.newaxis], rgb=True),
    Case("planar", tiff(SPREAD, photometric="rgb", planarconfig="separate", compression="lzw", **PER_CM),
         RGB[np.newaxis], rgb=True),
    Case("planar stored", tiff(SPREAD, photometric="rgb", planarconfig="separate", **PER_CM),
         RGB[np.newaxis], rgb=True),
    Case("alpha", tiff(ALPHA, photometric="rgb", extrasamples=["unassalpha"], **PER_CM),
         RGB[np.newaxis], rgb=True),
    Case("tiles that overhang", tiff(RGB, photometric="rgb", tile=(32, 32), compression="zstd", **PER_CM),
         RGB[np.newaxis], rgb=True),
    Case("packbits", tiff(RGB, photometric="rgb", compression="packbits", rowsperstrip=5, **PER_CM),
         RGB[np.newaxis], rgb=True),
    Case("lzma", tiff(RGB, photometric="rgb", compression="lzma", **PER_CM), RGB[np.newaxis], rgb=True),
    Case("jpeg 2000", tiff(RGB, photometric="rgb", compression="jpeg2000", tile=(16, 16), **PER_CM),
         RGB[np.newaxis], rgb=True),
    Case("16 bits of color", tiff(RGB.astype(np.uint16) * 257, photometric="rgb", **PER_CM),
         RGB[np.newaxis].astype(np.uint16) * 257, rgb=True, bits=16),
    Case("float", tiff(GREY.astype(np.float32), compression="zlib", predictor=3, **PER_CM),
         GREY_SECTION.astype(np.float32), bits=None),
    Case("half float", tiff(GREY.astype(np.float16), **PER_CM), GREY_SECTION.astype(np.float32), bits=None),
    Case("signed", tiff(GREY.astype(np.int16) - 100, **PER_CM), GREY_SECTION.astype(np.float32) - 100,
         bits=None),
    Case("nothing but NaN", tiff(np.full((8, 8), np.nan, np.float32), **PER_CM),
         np.full((1, 8, 8, 1), np.nan, np.float32), bits=None),
    Case("16 bits", tiff(STACK[0, 0], **PER_CM), section(STACK[:1, :1]), bits=16),
    Case("white is zero", tiff(GREY, photometric="miniswhite", **PER_CM), 255 - GREY_SECTION),
    Case("palette", tiff(GREY, photometric="palette", colormap=PALETTE, **PER_CM),
         (PALETTE.T[GREY] >> 8).astype(np.uint8)[np.newaxis], rgb=True),
    Case("a tint is no palette", tiff(GREY, photometric="palette", colormap=TINT, **PER_CM), GREY_SECTION),
    Case("stated axes", tiff(STACK, photometric="minisblack", metadata={"axes": "ZCYX"}, **PER_CM),
         section(STACK), bits=16, channels=(None, None)),
    Case("stated axes, channels last",
         tiff(STACK[0].transpose(1, 2, 0), photometric="minisblack", metadata={"axes": "YXC"}, **PER_CM),
         section(STACK[:1]), bits=16, channels=(None, None)),
    Case("flat pyramid", flat_pyramid, smooth()[np.newaxis], rgb=True, levels=3),
    Case("screen resolution", tiff(GREY, resolution=(72, 72), resolutionunit="INCH"), GREY_SECTION,
         problem="calibration_default_dpi"),
    Case("no unit", tiff(GREY), GREY_SECTION, **NO_UNIT),
    Case("slide", slide, smooth()[np.newaxis], format="Aperio SVS", rgb=True, source="aperio", levels=2),
    Case("png", image(RGB, dpi=(72, 72)), RGB[np.newaxis], format="PNG", rgb=True, source="none",
         problem="calibration_default_dpi"),
    Case("png that claims a microscope", image(RGB, dpi=(50_800, 50_800)), RGB[np.newaxis], format="PNG",
         rgb=True, source="none", problem="calibration_default_dpi"),
    Case("png with alpha", image(RGB, "RGBA"), RGB[np.newaxis], format="PNG", rgb=True, source="none",
         problem="uncalibrated"),
    Case("png of 16 bits", image(GREY.astype(np.uint16) * 200), GREY_SECTION.astype(np.uint16) * 200,
         format="PNG", bits=16, source="none", problem="uncalibrated"),
    Case("jpeg", image(np.full((16, 24, 3), (200, 40, 90), np.uint8), format="JPEG", dpi=(96, 96)),
         np.full((1, 16, 24, 3), (200, 40, 90), np.uint8), format="JPEG", rgb=True, source="none",
         problem="calibration_default_dpi"),
    Case("grey jpeg", image(np.full((16, 24), 77, np.uint8), format="JPEG"),
         np.full((1, 16, 24, 1), 77, np.uint8), format="JPEG", source="none", problem="uncalibrated"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pixels_and_meaning(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "image.png"  # the name says nothing
    suffix = ".png" if case.format == "PNG" else ".tif"
    case.write(tmp_path / f"written{suffix}")
    shutil.move(tmp_path / f"written{suffix}", path)

    seen = io.describe(path)
    found = io.read(path)

    assert found.pixels.shape == case.pixels.shape
    off = 2 if case.format == "JPEG" else 0
    np.testing.assert_allclose(found.pixels.astype(float), case.pixels.astype(float), atol=off)
    assert found.pixels.dtype == case.pixels.dtype
    assert (found.rgb, found.bit_depth, seen.levels) == (case.rgb, case.bits, case.levels)
    assert tuple(channel.name for channel in found.channels) == (case.channels or (None,))
    assert all(channel.role is None for channel in found.channels)
    assert (found.calibration.source, found.calibration.problem) == (case.source, case.problem)
    if case.problem is None:
        expected = 0.499 if case.source == "aperio" else 0.5
        assert found.calibration.pixel_size_um == pytest.approx(expected)
    else:
        assert found.calibration.pixel_size_um is None
    assert found.calibration.z_step_um == case.z_step_um
    assert found.identity.sha256 == io.file_sha256(path)
    # the header alone says the same
    assert seen.format == case.format
    assert (seen.shape, seen.planes, seen.channels) == (found.shape, found.planes, found.channels)
    assert (seen.rgb, seen.bit_depth, seen.dtype) == (found.rgb, found.bit_depth, found.pixels.dtype.name)
    assert (seen.nbytes, seen.calibration) == (found.pixels.nbytes, found.calibration)
    assert list(tmp_path.iterdir()) == [path]


def test_packed_12_bits(tmp_path: Path) -> None:
    entries = [entry for entry in grey_entries(4, 1, offset=200, count=6) if entry[0] != 258]
    head = bare_tiff([*entries, (258, 3, 1, 12)])
    packed = bytes.fromhex("fff00123456a")  # fff, 001, 234, 56a
    path = tmp_path / "packed.tif"
    path.write_bytes(head + b"\0" * (200 - len(head)) + packed)
    found = io.read(path)
    assert found.bit_depth == 12
    assert found.pixels.ravel().tolist() == [0xFFF, 0x001, 0x234, 0x56A]


def test_a_palette_of_two_colors(tmp_path: Path) -> None:
    entries = [entry for entry in grey_entries(8, 1, offset=200, count=1) if entry[0] not in (258, 262)]
    head = bare_tiff([*entries, (258, 3, 1, 1), (262, 3, 1, 3), (320, 3, 6, 202)])
    path = tmp_path / "two.tif"
    path.write_bytes(head.ljust(200, b"\0") + b"\xb1\0" + np.array([9, 0, 8, 1, 7, 2], "<u2").tobytes())
    found = io.read(path)
    assert (found.rgb, found.bit_depth) == (True, 8)
    expected = [(0, 1, 2) if bit else (9, 8, 7) for bit in (1, 0, 1, 1, 0, 0, 0, 1)]
    assert found.pixels[0, 0].tolist() == [list(color) for color in expected]


def test_a_given_pixel_size_overrides_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, **PER_CM)
    by_option = io.read(path, pixel_size_um=0.4)
    assert (by_option.pixel_size_um, by_option.calibration.source) == (0.4, CalibrationSource.OPTION)
    by_table = io.read(path, pixel_size_um=0.4, pixel_size_source=CalibrationSource.CASES)
    assert by_table.calibration.source is CalibrationSource.CASES
    assert io.read(path, pixel_size_um=400).calibration.problem == "calibration_range"


def test_pages_without_meaning_are_refused_until_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, STACK, photometric="minisblack", metadata=None)
    assert io.describe(path).problem == "6 pages of 24 x 20 pixels"
    with pytest.raises(RefusedError, match="6 pages") as refused:
        io.read(path)
    assert refused.value.code == "axes_unknown"
    with pytest.raises(RefusedError, match="how many of each"):
        io.read(path, axes="ZCYX")
    assert np.array_equal(io.read(path, axes="Z3CYX").pixels, section(STACK))
    assert io.read(path, axes="ZYX").pixels.shape == (6, 20, 24, 1)


def test_three_pages_are_not_a_color_image(tmp_path: Path) -> None:
    path = tmp_path / "three.tif"
    tifffile.imwrite(path, SPREAD, photometric="minisblack", metadata=None)
    with pytest.raises(RefusedError, match="3 pages"):
        io.read(path)
    assert not io.read(path, axes="CYX").rgb


def test_a_shape_without_axes_says_how_many_but_not_of_what(tmp_path: Path) -> None:
    path = tmp_path / "shaped.tif"
    tifffile.imwrite(path, STACK, photometric="minisblack")
    with pytest.raises(RefusedError, match="3 x 2 pages"):
        io.read(path)
    assert np.array_equal(io.read(path, axes="ZCYX").pixels, section(STACK))


def test_time_points_are_refused_and_may_be_called_planes(tmp_path: Path) -> None:
    path = tmp_path / "time.tif"
    tifffile.imwrite(path, STACK, photometric="minisblack", ome=True, metadata={"axes": "TCYX"})
    with pytest.raises(RefusedError, match="3 time points"):
        io.read(path)
    assert np.array_equal(io.read(path, axes="ZCYX").pixels, section(STACK))


def test_an_option_does_not_overrule_what_a_file_says(tmp_path: Path) -> None:
    path = tmp_path / "color.tif"
    tifffile.imwrite(path, RGB, photometric="rgb")
    assert io.read(path, axes="ZCYX").rgb


def test_scenes(tmp_path: Path) -> None:
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(RGB, photometric="rgb", metadata={"axes": "YXS"})
        writer.write(STACK, photometric="minisblack", metadata={"axes": "ZCYX"})
    assert io.describe(path).scenes == 2
    assert np.array_equal(io.read(path).pixels, RGB[np.newaxis])
    second = io.read(path, scene=1)
    assert np.array_equal(second.pixels, section(STACK))
    assert second.identity.section_id != io.read(path).identity.section_id
    with pytest.raises(UsageError, match="scene 2 of a file with 2"):
        io.read(path, scene=2)


def test_pages_of_several_sizes_are_scenes(tmp_path: Path) -> None:
    path = tmp_path / "two.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(RGB, photometric="rgb", metadata=None)
        writer.write(smooth(), photometric="rgb", metadata=None)
    assert io.describe(path).scenes == 2
    assert np.array_equal(io.read(path, scene=1).pixels, smooth()[np.newaxis])


def test_imagej_images_behind_one_directory(tmp_path: Path) -> None:
    """Stacks over 4 GB have a single directory, with the images following each other."""
    path = tmp_path / "virtual.tif"
    text = "ImageJ=1.54f\nimages=6\nchannels=2\nslices=3\nhyperstack=true\nunit=um\n"
    tifffile.imwrite(path, STACK[0, 0], description=text, metadata=None, resolution=(2, 2))
    with tifffile.TiffFile(path) as written:
        offset = written.pages[0].dataoffsets[0]
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(STACK.tobytes())
    assert np.array_equal(io.read(path).pixels, section(STACK))


def test_what_identifies_a_person_is_named_and_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    slide(path)
    seen = io.describe(path)
    assert seen.identifying == ("Aperio User", "Aperio Title", "label image", "macro image")
    assert seen.metadata == {
        "compression": "none", "AppMag": "20", "MPP": "0.4990", "software": "tifffile.py",
    }  # fmt: skip
    tifffile.imwrite(path, GREY, description="patient J. Doe", metadata=None, datetime=True)
    seen = io.describe(path)
    assert seen.identifying == ("DateTime", "ImageDescription")
    assert "Doe" not in repr(seen)


def test_a_grey_image_and_channels_of_samples(tmp_path: Path) -> None:
    path = tmp_path / "samples.tif"
    tifffile.imwrite(path, STACK[0], photometric="minisblack", planarconfig="separate", metadata=None)
    assert np.array_equal(io.read(path).pixels, section(STACK[:1]))
    tifffile.imwrite(
        path, ALPHA[..., :2], photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"]
    )
    assert np.array_equal(io.read(path).pixels, GREY_SECTION)


@pytest.mark.parametrize("subsampling", ["444", "420"])
def test_jpeg_in_ycbcr_comes_out_as_red_green_blue(tmp_path: Path, subsampling: str) -> None:
    image = np.full((32, 48, 3), (200, 40, 90), np.uint8)
    packed = imagecodecs.jpeg_encode(
        image, level=95, colorspace="RGB", outcolorspace="YCBCR", subsampling=subsampling
    )
    ratio = 2 if subsampling == "420" else 1
    entries = [
        (256, 4, 1, 48), (257, 4, 1, 32), (258, 3, 3, 200), (259, 3, 1, 7), (262, 3, 1, 6),
        (273, 4, 1, 300), (277, 3, 1, 3), (278, 4, 1, 32), (279, 4, 1, len(packed)),
        (530, 3, 2, ratio | ratio << 16),
    ]  # fmt: skip
    head = bare_tiff(entries).ljust(200, b"\0") + np.array([8, 8, 8], "<u2").tobytes()
    path = tmp_path / "ycbcr.tif"
    path.write_bytes(head.ljust(300, b"\0") + packed)
    found = io.read(path)
    assert found.rgb
    np.testing.assert_allclose(found.pixels[0].astype(int), image.astype(int), atol=3)
