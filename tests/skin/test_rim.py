"""Where tissue begins, seen from the glass."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.skin.rim import at_rim, rim_um

STEP_UM = 2.5
DEPTH_UM = np.arange(-40.0, 60.0, STEP_UM)  # below the true rim
RIM_UM = 40.0 - STEP_UM / 2


EVERYWHERE = np.ones(len(DEPTH_UM), bool)


def found_um(profile: NDArray[np.float64], even: NDArray[np.bool_] | None = EVERYWHERE) -> float:
    """The rim in a scene that looks the same all along, through optics that blur it."""
    seen = ndimage.gaussian_filter1d(profile, 3.0 / STEP_UM, mode="nearest")
    depth_um = rim_um(np.tile(seen, (40, 1)), STEP_UM, None if even is None else np.tile(even, (40, 1)))
    assert (depth_um == depth_um[0]).all()
    return float(depth_um[0])


TISSUE = np.where(DEPTH_UM >= 0, 1.0, 0.0)


def test_tissue_begins_where_its_light_rises() -> None:
    assert found_um(TISSUE) == pytest.approx(RIM_UM, abs=STEP_UM)


@pytest.mark.parametrize("reach_um", [8.0, 15.0, 40.0])
def test_haze_is_no_tissue(reach_um: float) -> None:
    haze = 0.4 * np.exp(np.minimum(DEPTH_UM, 0) / reach_um)
    assert found_um(np.maximum(TISSUE, haze)) == pytest.approx(RIM_UM, abs=STEP_UM)


@pytest.mark.parametrize("corneum", [0.4, 3.0])
def test_a_corneum_belongs_to_the_tissue_be_it_pale_or_bright(corneum: float) -> None:
    scene = np.where((DEPTH_UM >= 0) & (DEPTH_UM < 20), corneum, TISSUE)
    assert found_um(scene) == pytest.approx(RIM_UM, abs=STEP_UM)


def test_a_flake_above_it_does_not() -> None:
    flake = (DEPTH_UM >= -25) & (DEPTH_UM < -20)
    assert found_um(np.where(flake, 1.0, TISSUE)) == pytest.approx(RIM_UM, abs=STEP_UM)


def test_below_glass_what_seemed_to_be_corneum_is_a_pair_of_flakes() -> None:
    flakes = (DEPTH_UM >= -36) & (DEPTH_UM < -18)
    assert found_um(np.where(flakes, 0.6, TISSUE)) == pytest.approx(RIM_UM, abs=STEP_UM)


def test_what_is_not_even_is_no_glass_but_a_dermis_as_pale() -> None:
    rim_of_a_cut = (DEPTH_UM >= 0) & (DEPTH_UM < 13)
    assert found_um(np.where(rim_of_a_cut, 0.6, 0.0), DEPTH_UM < 0) == pytest.approx(RIM_UM, abs=STEP_UM)


def test_in_fluorescence_an_epidermis_may_be_as_dark_as_glass() -> None:
    corneum = (DEPTH_UM >= 0) & (DEPTH_UM < 18)
    dark = np.where(corneum, 0.6, np.where(DEPTH_UM < 45, 0.0, 1.0))
    assert found_um(dark, None) == pytest.approx(RIM_UM, abs=STEP_UM)


def test_where_nothing_rises_there_is_no_rim() -> None:
    flat = np.ones((5, len(DEPTH_UM)))
    assert np.isnan(rim_um(flat, STEP_UM, flat > 0)).all()


@pytest.mark.parametrize("off_um", [-10.0, 15.0, 30.0])
def test_the_edge_of_a_tissue_moves_to_its_rim_and_its_cut_by_the_image_stays(off_um: float) -> None:
    px = 2.5
    rows, cols = np.mgrid[:240, :200]
    tissue = rows >= 100 + 8 * np.sin(cols / 40)
    roughly = rows >= 100 + 8 * np.sin(cols / 40) - off_um / px
    light = ndimage.gaussian_filter(tissue.astype(np.float32), 1.0)
    moved = at_rim(roughly, light, px, np.ones_like(tissue))
    assert (moved != tissue).mean() < 0.01
    assert moved[-1].all()
    assert moved[120:, 0].all()
    assert moved[120:, -1].all()


def test_a_pocket_of_glass_below_flakes_is_left_to_the_glass() -> None:
    px = 2.5
    rows, cols = np.mgrid[:240, :400]
    tissue = rows >= 100
    flakes = (np.abs(cols - 200) < 40) & (rows >= 72) & (rows < 80)
    roughly = tissue | (np.abs(cols - 200) < 40) & (rows >= 72)
    light = ndimage.gaussian_filter((tissue | flakes).astype(np.float32), 1.0)
    moved = at_rim(roughly, light, px, np.ones_like(tissue))
    assert (moved != tissue).mean() < 0.01


def test_without_an_edge_everything_stays() -> None:
    everywhere = np.ones((50, 60), bool)
    assert at_rim(everywhere, np.ones((50, 60), np.float32), 2.5, everywhere).all()


@pytest.mark.parametrize("side", range(4))
def test_haze_that_reaches_the_border_of_the_image_is_no_tissue(side: int) -> None:
    px = 2.5
    rows, cols = np.mgrid[:240, :200]
    tissue = rows >= 12
    haze = 0.2 * np.exp(-np.maximum(12 - rows, 0) / 8)
    light = ndimage.gaussian_filter(np.maximum(tissue, haze).astype(np.float32), 1.0)
    roughly = tissue | (np.abs(cols - 100) < 40)
    moved = at_rim(np.rot90(roughly, side), np.rot90(light, side), px, None)
    assert (moved != np.rot90(tissue, side)).mean() < 0.01


@pytest.mark.parametrize("above", [0.3, 0.5, 2.0])
def test_tissue_that_goes_on_beyond_the_border_stays_be_it_darker_there(above: float) -> None:
    rows, _ = np.mgrid[:240, :200]
    epidermis_above_dermis = np.where(rows < 10, above, 1.0).astype(np.float32)
    assert at_rim(np.ones((240, 200), bool), epidermis_above_dermis, 2.5, None).all()


def test_dark_places_amid_tissue_stay_at_the_border() -> None:
    rows, cols = np.mgrid[:240, :200]
    light = np.where((rows < 12) & (np.abs(cols - 100) < 30), 0.1, 1.0).astype(np.float32)
    assert at_rim(np.ones((240, 200), bool), light, 2.5, None).all()


HAZY = np.where(DEPTH_UM < 55, 0.004 * (DEPTH_UM + 60), 9.0)  # far out a corneum sheds light on the glass


@pytest.mark.parametrize(("along_um", "is_haze"), [(300.0, True), (60.0, False)])
def test_wide_haze_of_a_bright_corneum_is_no_tissue_but_a_dim_one_before_a_trunk_is(
    along_um: float, is_haze: bool
) -> None:
    dim = np.where(DEPTH_UM >= 0, 0.8, 0.0)
    seen = np.tile(dim, (240, 1))
    there = slice(100, 100 + round(along_um / STEP_UM))
    seen[there] = HAZY if is_haze else dim + 8.0 * (DEPTH_UM >= 45)
    depth_um = rim_um(np.pad(seen, ((0, 0), (0, 10)), mode="edge"), STEP_UM, None)
    at = float(depth_um[there][len(depth_um[there]) // 2])
    assert at == pytest.approx(95.0 if is_haze else RIM_UM, abs=2 * STEP_UM)


@pytest.mark.parametrize("last_um", [50.0, 300.0])
def test_haze_at_the_end_of_an_outline_may_go_on_beyond_it(last_um: float) -> None:
    seen = np.tile(np.where(DEPTH_UM >= 0, 9.0, 0.0), (240, 1))
    seen[-round(last_um / STEP_UM) :] = HAZY
    depth_um = rim_um(np.pad(seen, ((0, 0), (0, 10)), mode="edge"), STEP_UM, None)
    assert depth_um[-1] == pytest.approx(95.0, abs=2 * STEP_UM)
    assert depth_um[0] == pytest.approx(RIM_UM, abs=STEP_UM)
