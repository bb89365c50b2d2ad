"""Files of real microscopes, where they lie beside the repository; they are not part of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ienfd import io
from ienfd.errors import UnreadableError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Case:
    file: str
    shape: tuple[int, int]
    rgb: bool
    dtype: str
    source: str
    problem: str | None = None
    pixel_size_um: float | None = None


CASES = [
    Case("cmu_small_region.svs", (2967, 2220), True, "uint8", "aperio", None, 0.499),
    Case("formats/xyzt_c0z0t0.tif", (1024, 1024), False, "uint8", "imagej", None, 1 / 9.870906),
    Case("formats/xz-example_c0t0.tif", (128, 128), False, "uint8", "imagej", "calibration_unit"),
    Case("formats/xz-example_c1t8.tif", (128, 128), False, "uint8", "imagej", "calibration_unit"),
    Case("formats/FOV7_HV110_P0500510000.ome.tiff", (512, 512), False, "uint8", "tiff-resolution",
         "calibration_unit"),
    Case("formats/CH1_16bit.tif", (408, 406), False, "uint16", "none", "uncalibrated"),
    Case("formats/Fluorescence_RGB.tif", (272, 275), True, "uint8", "none", "uncalibrated"),
]  # fmt: skip


def there(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the reading samples are not beside this repository: shared/data/{name}")
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_real_tiff(case: Case) -> None:
    found = io.read(there(case.file))
    assert (found.shape, found.planes, found.rgb) == (case.shape, 1, case.rgb)
    assert found.pixels.dtype.name == case.dtype
    assert (found.calibration.source, found.calibration.problem) == (case.source, case.problem)
    assert found.calibration.pixel_size_um == (
        None if case.pixel_size_um is None else pytest.approx(case.pixel_size_um)
    )
    assert found.pixels.max() > found.pixels.min()


@pytest.mark.parametrize(
    ("name", "says"), [("formats/DAPI_GFP.czi", "Zeiss CZI"), ("formats/xz-example.lif", "Leica LIF")]
)
def test_formats_that_are_known_but_not_read(name: str, says: str) -> None:
    path = there(name)
    assert io.is_image(path)
    with pytest.raises(UnreadableError, match=says) as failed:
        io.read(path)
    assert failed.value.code == "unsupported_format"
    assert "OME-TIFF" in failed.value.remedy
