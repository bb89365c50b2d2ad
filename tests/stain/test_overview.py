"""Signals of fluorescence begin at the light of the empty ground, however little of it is in view."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.section import Calibration, CalibrationSource, Channel, ChannelRole, Section
from ienfd.skin.tissue import find_tissue
from ienfd.stain.overview import Overview, make_overview, read_overview

GROUND, TISSUE = 120.0, 380.0


def seen(image: NDArray[np.float64], bit_depth: int = 12) -> Overview:
    """An image of one channel of fluorescence at low resolution."""
    whole = np.clip(np.rint(image), 0, 2**bit_depth - 1).astype(np.uint8 if bit_depth == 8 else np.uint16)
    nerves = (Channel("PGP9.5", ChannelRole.NERVE),)
    calibration = Calibration(1.25, CalibrationSource.OME)
    section = Section(whole[None, :, :, None], calibration, nerves, bit_depth=bit_depth)
    return make_overview(section, read_overview(section), "fluorescence")


@pytest.mark.parametrize("share", [0.05, 0.09, 0.2, 0.5])
def test_the_ground_is_the_darkest_of_the_levels(share: float) -> None:
    """Tissue below a strip of ground, both uneven: where the strip is narrow, tissue is the denser."""
    rng = np.random.default_rng(2)
    size = 600
    rows = np.arange(size)[:, None]
    uneven = ndimage.gaussian_filter(rng.normal(0, 1, (size, size)), 20)
    uneven /= uneven.std()
    level = np.where(rows < share * size, GROUND + 5 * uneven, TISSUE + 50 * uneven)
    overview = seen(level + rng.normal(0, 6, level.shape))
    assert overview.dark is not None
    assert overview.dark[0] == pytest.approx(GROUND, abs=20)
    assert float(np.median(overview.signals[0][-200:])) > 1.0


@pytest.mark.parametrize("glass", [0.03, 0.06])
def test_a_little_glass_is_the_ground_though_gaps_in_the_tissue_are_nearly_as_dark(glass: float) -> None:
    """Collagen with dark gaps fills the image; a narrow strip of glass is left, and a bright epidermis."""
    rng = np.random.default_rng(4)
    collagen = ndimage.gaussian_filter(rng.normal(0, 1, (600, 600)), 4.0)
    image = 45 + 9 * collagen / collagen.std()
    image[: round(600 * (glass + 0.3))] = 150.0
    image[: round(600 * glass)] = 20.0
    overview = seen(image + rng.normal(0, 3, image.shape), bit_depth=8)
    assert overview.dark is not None
    assert overview.dark[0] == pytest.approx(20, abs=2)


@pytest.mark.parametrize("rows", [200, 400], ids=["a corner", "more of it than of glass"])
def test_the_black_margin_of_a_mosaic_is_no_ground(rows: int) -> None:
    rng = np.random.default_rng(5)
    image = rng.normal(100, 5, (600, 600))
    image[300:] = rng.normal(400, 40, (300, 600))
    image[:rows, : rows - 130] = 0.0
    overview = seen(image)
    assert overview.dark is not None
    assert overview.dark[0] == pytest.approx(100, abs=3)
    assert np.abs(overview.signals[0][: rows - 10, : rows - 140]).max() < 0.01


def test_where_there_is_no_glass_but_a_black_margin_that_is_the_ground() -> None:
    """Tissue alone is as even nowhere as noise is."""
    rng = np.random.default_rng(5)
    collagen = ndimage.gaussian_filter(rng.normal(0, 1, (600, 600)), 4.0)
    image = 100 + 20 * collagen / collagen.std() + rng.normal(0, 5, (600, 600))
    image[:100] = 0.0
    overview = seen(image)
    assert overview.dark is not None
    assert overview.dark[0] == pytest.approx(0, abs=1)


def test_a_ground_of_one_grey_level_is_no_tissue_where_it_is_rounded_up() -> None:
    """A ground without noise, a grey level brighter in one corner, and tissue far brighter than both."""
    rows, cols = np.indices((600, 600))
    tissue = (rows > 150) & (rows < 400) & (cols < 450)
    haze = np.hypot(rows - 600, cols - 600) / 400
    image = np.where(tissue, 40.0, 16.0 + np.clip(0.9 - haze, 0, 1))
    overview = seen(image, bit_depth=8)
    assert find_tissue(overview).mask.mean() == pytest.approx(tissue.mean(), rel=0.05)


def photograph(nerve_color: int, nuclei: float) -> Section:
    """A color photograph of tissue in one color, with nuclei in blue."""
    rng = np.random.default_rng(3)
    pixels = rng.uniform(0, 3, (1, 300, 300, 3))
    pixels[:, 100:, :, nerve_color] += 60
    rows, cols = np.indices((300, 300))
    pixels[0, (rows >= 100) & (rows % 12 < 4) & (cols % 12 < 4), 2] += nuclei
    calibration = Calibration(1.25, CalibrationSource.OPTION)
    return Section(pixels.astype(np.uint8), calibration, (Channel(None, None),) * 3, rgb=True, bit_depth=8)


@pytest.mark.parametrize(("color", "nuclei"), [(0, 200), (1, 200), (1, 0), (0, 0), (2, 0)])
def test_nerves_are_blue_only_where_there_is_no_other_color(color: int, nuclei: float) -> None:
    section = photograph(color, nuclei)
    overview = make_overview(section, read_overview(section), "fluorescence")
    assert overview.nerve == color
    assert list(overview.roles).count(ChannelRole.NERVE) == 1
    assert len(overview.roles) == 1 + (nuclei > 0)


def test_layers_of_a_stack_are_read_about_its_middle() -> None:
    """A line that moves from plane to plane, as a slanting membrane, is narrow where nerves are blurred."""
    pixels = np.full((9, 120, 240, 2), 100.0)
    pixels[:, 40:] += 50
    for plane, stack in enumerate(pixels):
        stack[40:, 100 + 3 * plane : 104 + 3 * plane] += 900
    section = Section(
        pixels.astype(np.uint16),
        Calibration(1.25, CalibrationSource.OME),
        (Channel("PGP9.5", ChannelRole.NERVE), Channel("Collagen IV", ChannelRole.BASEMENT_MEMBRANE)),
        bit_depth=12,
    )
    nerves, membrane = (
        (np.expm1(signal[80]) > 0.5 * np.expm1(signal[80].max())).nonzero()[0]
        for signal in make_overview(section, read_overview(section), "fluorescence").signals
    )
    assert np.ptp(nerves) > 20
    assert np.ptp(membrane) < 12
    assert membrane.mean() == pytest.approx(113.5, abs=1)
