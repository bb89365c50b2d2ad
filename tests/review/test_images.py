"""The pixels of a section in a viewer: the stored picture lies where the image does, the image is checked."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from ienfd.io import file_sha256
from ienfd.protocol import Protocol
from ienfd.review import images
from ienfd.review.images import ImageView, load_image, picture_view, section_views
from ienfd.section import Calibration, CalibrationSource, Channel, Section
from ienfd.study.records import Facts, Placement

PROTOCOL = Protocol()


def shown_picture(encoded: bytes, shape: tuple[int, int], pixel_size_um: float) -> ImageView:
    view = picture_view(encoded, shape, pixel_size_um)
    assert view is not None
    return view


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="JPEG", quality=95)
    return out.getvalue()


def placement(path: Path, **other: Any) -> Placement:
    known: dict[str, Any] = {
        "path": path.name, "root": str(path.parent), "sha256": file_sha256(path), "scene": 0, "region": 0,
        "section_id": "s", "case_id": "C1", "biopsy_id": "B1", "case": {},
        "calibration": {"pixel_size_um": 0.5}, "status": "done", "reason": None, "detail": "",
        "analysis_id": "a", "facts": Facts(), "protocol_id": "", "protocol_hash": "", "rules_key": "",
        "algorithm_version": "1",
    }  # fmt: skip
    return Placement(**{**known, **other})


def place_um(view: ImageView, row: float, col: float) -> tuple[float, float]:
    """Where the center of a pixel of the first level is shown."""
    (scale_row, scale_col), (row_0, col_0) = view.scale_um[-2:], view.translate_um[-2:]
    return row_0 + scale_row * row, col_0 + scale_col * col


# the stored picture


@pytest.mark.parametrize("factor", [1.0, 2.0, 2.5])
def test_a_pixel_of_the_picture_lies_over_the_pixels_it_was_made_of(factor: float) -> None:
    """A pixel of the picture is the mean of those it covers: its center is theirs."""
    shape = round(40 * factor), round(60 * factor)
    view = shown_picture(jpeg(np.zeros((40, 60, 3), np.uint8)), shape, 0.5)
    for row, col in ((0, 0), (7, 11), (39, 59)):
        covered = [(factor * n - 0.5, factor * (n + 1) - 0.5) for n in (row, col)]
        middle = [0.5 * (low + high) * 0.5 for low, high in covered]  # at 0.5 um per pixel
        assert place_um(view, row, col) == pytest.approx(tuple(middle))
    first = [0.5 * factor * (0 - 0.5) + place for place in place_um(view, 0, 0)]
    assert first == pytest.approx([-0.25, -0.25])  # the edge of picture and image is one


def test_a_spot_of_the_image_is_shown_where_it_is() -> None:
    """A bright pixel of the section at (33, 80), in a picture at half its size."""
    section = np.zeros((64, 160), np.float32)
    section[33, 80] = 255.0
    half = section.reshape(32, 2, 80, 2).mean(axis=(1, 3)).astype(np.uint8)
    view = shown_picture(jpeg(np.repeat(half[..., None], 3, axis=2)), section.shape, 0.325)
    shown = view.levels[0][..., 0]
    row, col = np.unravel_index(int(np.argmax(shown)), shown.shape)
    there = place_um(view, float(row), float(col))
    assert there == pytest.approx((33 * 0.325, 80 * 0.325), abs=0.5 * 0.325 + 1e-9)


def test_a_picture_whose_sides_were_rounded_covers_the_whole_section() -> None:
    view = shown_picture(jpeg(np.zeros((40, 61, 3), np.uint8)), (100, 151), 0.5)
    assert view.scale_um == (1.25, 0.5 * 151 / 61)
    low, high = place_um(view, -0.5, -0.5), place_um(view, 39.5, 60.5)
    assert low == pytest.approx((-0.25, -0.25))
    assert high == pytest.approx((99.5 * 0.5, 150.5 * 0.5))


def test_a_big_picture_has_coarser_levels() -> None:
    view = shown_picture(jpeg(np.full((100, 1500, 3), 77, np.uint8)), (100, 1500), 0.5)
    assert [level.shape for level in view.levels] == [(100, 1500, 3), (50, 750, 3), (25, 375, 3)]
    assert {int(level.min()) for level in view.levels} == {int(level.max()) for level in view.levels} == {77}


# reading the image itself


def stack(folder: Path, name: str = "stack.tif") -> Path:
    """Three planes of a nerve channel and one of nuclei, 0.5 um a pixel, 2 um apart."""
    pixels = np.zeros((3, 2, 120, 160), np.uint16)
    pixels[:, 0] = np.arange(3)[:, None, None] * 100 + 50
    pixels[:, 1] = 7
    tifffile.imwrite(
        folder / name,
        pixels,
        ome=True,
        photometric="minisblack",
        metadata={
            "axes": "ZCYX", "Channel": {"Name": ["PGP9.5", "DAPI"]}, "PhysicalSizeX": 0.5,
            "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0,
        },
    )  # fmt: skip
    return folder / name


def test_a_stack_keeps_its_planes_and_its_channels(tmp_path: Path) -> None:
    loaded = load_image(placement(stack(tmp_path)), PROTOCOL)
    assert loaded.problem == ""
    nuclei, nerve = loaded.views  # the nerves lie above
    assert (nuclei.name, nuclei.colormap) == ("DAPI (nuclei)", "bop blue")
    assert (nerve.name, nerve.colormap) == ("PGP9.5 (nerve)", "gray")
    assert nerve.levels[0].shape == (3, 120, 160)
    assert [int(plane[0, 0]) for plane in nerve.levels[0]] == [50, 150, 250]
    assert nerve.scale_um == (2.0, 0.5, 0.5)
    assert nerve.translate_um == (0.0, 0.0, 0.0)
    assert not nerve.rgb
    assert nerve.limits is not None
    assert nerve.limits[0] < nerve.limits[1]


def test_the_pixel_size_is_that_of_the_study(tmp_path: Path) -> None:
    """The case table may say another one than the file."""
    place = placement(stack(tmp_path), calibration={"pixel_size_um": 0.65})
    assert load_image(place, PROTOCOL).views[0].scale_um == (2.0, 0.65, 0.65)
    uncalibrated = replace(place, calibration={})
    assert load_image(uncalibrated, PROTOCOL).views[0].scale_um == (2.0, 1.0, 1.0)


def test_a_color_image_is_one_layer(tmp_path: Path) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (view,) = load_image(placement(tmp_path / "a.png"), PROTOCOL).views
    assert (view.name, view.rgb, view.scale_um) == ("image", True, (0.5, 0.5))
    assert np.array_equal(view.levels[0], pixels)


def test_a_changed_file_is_not_shown_as_the_one_that_was_analyzed(tmp_path: Path) -> None:
    path = stack(tmp_path)
    place = placement(path)
    with path.open("ab") as file:
        file.write(b"\0")
    loaded = load_image(place, PROTOCOL)
    assert loaded.views == []
    assert loaded.problem == f"{path} is not the image that was analyzed: only its picture is shown."


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    path = stack(tmp_path)
    place = placement(path)
    path.unlink()
    loaded = load_image(place, PROTOCOL)
    assert loaded.views == []
    assert loaded.problem == f"{path}: No such file or directory. Only its picture is shown."


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0" + bytes(60))
    loaded = load_image(placement(tmp_path / "a.tif"), PROTOCOL)
    assert loaded.views == []
    assert loaded.problem.startswith(f"{tmp_path / 'a.tif'}: ")
    assert loaded.problem.endswith(" Only its picture is shown.")


def test_an_image_that_does_not_fit_into_memory_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    path = stack(tmp_path)
    place = placement(path)
    for step in ("read", "section_views"):  # also when only its smaller copies do not fit
        with monkeypatch.context() as patch:
            patch.setattr(images, step, full)
            loaded = load_image(place, PROTOCOL)
        assert loaded.problem == f"{path} does not fit into memory. Only its picture is shown."


# what becomes of samples


def section(pixels: NDArray[Any], *, rgb: bool, bit_depth: int | None = None, channels: int = 1) -> Section:
    return Section(
        pixels, Calibration(0.5, CalibrationSource.OPTION), (Channel(),) * channels, rgb, bit_depth=bit_depth
    )


@pytest.mark.parametrize(
    ("sample", "dtype", "bit_depth", "shown"),
    [
        (200, np.uint8, 8, 200), (4095, np.uint16, 12, 255), (2048, np.uint16, 12, 127),
        (65535, np.uint16, None, 255), (0.5, np.float32, None, 127), (200.0, np.float32, None, 200),
        (np.nan, np.float32, None, 0),
    ],
)  # fmt: skip
def test_color_samples_become_bytes(sample: float, dtype: Any, bit_depth: int | None, shown: int) -> None:
    pixels = np.full((1, 4, 4, 3), sample, dtype)
    pixels[0, 0, 0] = 0
    (view,) = section_views(section(pixels, rgb=True, bit_depth=bit_depth), PROTOCOL, 0.5)
    assert view.levels[0].dtype == np.uint8
    assert int(view.levels[0][3, 3, 0]) == shown


def test_a_color_stack_keeps_its_planes() -> None:
    pixels = np.zeros((5, 30, 40, 3), np.uint8)
    stacked = replace(
        section(pixels, rgb=True), calibration=Calibration(0.5, CalibrationSource.OPTION, z_step_um=1.5)
    )
    (view,) = section_views(stacked, PROTOCOL, 0.5)
    assert view.levels[0].shape == (5, 30, 40, 3)
    assert view.scale_um == (1.5, 0.5, 0.5)


def test_coarser_levels_of_a_stack_halve_rows_and_columns_only() -> None:
    pixels = np.zeros((3, 41, 1500, 1), np.float32)
    pixels[1, :2, :2] = 8.0
    pixels[2, 0, 0] = 4.0
    (view,) = section_views(section(pixels, rgb=False), PROTOCOL, 0.5)
    assert [level.shape for level in view.levels] == [(3, 41, 1500), (3, 20, 750), (3, 10, 375)]
    assert view.levels[1][:, 0, 0].tolist() == [0.0, 8.0, 1.0]


def test_halving_whole_numbers_does_not_overflow() -> None:
    pixels = np.full((1, 800, 20, 1), 65535, np.uint16)
    (view,) = section_views(section(pixels, rgb=False), PROTOCOL, 0.5)
    assert view.levels[1].dtype == np.uint16
    assert int(view.levels[1].min()) == 65535


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_an_image_without_contrast_has_limits_all_the_same(value: float) -> None:
    (view,) = section_views(section(np.full((1, 5, 5, 1), value, np.float32), rgb=False), PROTOCOL, 0.5)
    assert view.limits is not None
    assert view.limits[0] < view.limits[1]
    assert view.name == "(nerve)"


def test_channels_of_no_known_role_are_named_or_numbered() -> None:
    pixels = np.zeros((1, 5, 5, 3), np.uint8)
    views = section_views(section(pixels, rgb=False, channels=3), PROTOCOL, 0.5)
    assert [view.name for view in views] == ["channel 1", "channel 2", "channel 3"]


@pytest.mark.parametrize("damaged", [b"", b"no picture", b"\xff\xd8\xff\xe0" + bytes(40)])
def test_a_damaged_picture_is_none(damaged: bytes) -> None:
    assert picture_view(damaged, (10, 10), 0.5) is None
