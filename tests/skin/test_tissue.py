"""Tissue has structure; glass has none, however dark a corner of it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ienfd.section import Calibration, CalibrationSource, Channel, ChannelRole, Section
from ienfd.skin.tissue import Tissue, find_tissue, straight_across, tissue_below
from ienfd.stain.brightfield import WhiteField
from ienfd.stain.grid import Grid
from ienfd.stain.overview import Overview, make_overview, read_overview

PIXEL_UM, SIZE = 1.25, 400
CORNER_OD, TISSUE_OD, NOISE_OD = 0.05, 0.10, 0.003


def tissue_of(
    *,
    structure_od: float,
    corner_structure_od: float = 0.0,
    corner_px: int = 140,
    flakes_px: tuple[int, ...] = (),
    seed: int = 4,
) -> Tissue:
    """A piece of tissue in the middle, and a darker corner; from 160 pixels on it touches the piece.

    Flakes of 5 um float so far above the piece.
    """
    rng = np.random.default_rng(seed)
    rows, cols = np.indices((SIZE, SIZE))
    piece = (np.abs(rows - 180) < 100) & (np.abs(cols - 180) < 120)
    fine = ndimage.gaussian_filter(rng.normal(0, 1, (SIZE, SIZE)), 2.0)
    signal = np.where(piece, TISSUE_OD + structure_od * fine / fine.std(), 0.0)
    corner = np.clip(1 - np.hypot(SIZE - rows, SIZE - cols) / corner_px, 0, 1) ** 0.5
    signal += corner * (CORNER_OD + corner_structure_od * fine / fine.std())
    for above in flakes_px:
        signal[80 - above - 4 : 80 - above, 100:260] = TISSUE_OD
    signals = signal + rng.normal(0, NOISE_OD, (3, SIZE, SIZE))
    return find_tissue(
        Overview(
            Grid(1, PIXEL_UM),
            signals.astype(np.float32),
            np.full(3, NOISE_OD),
            (None, None, None),
            WhiteField(np.zeros((5, 5, 3)), np.full(3, NOISE_OD)),
            None,
            np.zeros((SIZE, SIZE), np.float32),
            np.zeros((SIZE, SIZE), bool),
        )
    )


def test_a_corner_in_which_the_light_falls_off_is_no_tissue() -> None:
    tissue = tissue_of(structure_od=0.02, corner_structure_od=0.0)
    assert tissue.regions.max() == 1
    assert tissue.mask[180, 180]
    assert len(tissue.outlines) == 1


def test_a_second_piece_as_pale_as_that_is() -> None:
    tissue = tissue_of(structure_od=0.02, corner_structure_od=0.02)
    assert tissue.regions.max() == 2
    assert tissue.mask[180, 180]
    assert tissue.mask[SIZE - 10, SIZE - 10]


@pytest.mark.parametrize("seed", [4, 6])  # 6: grain parts the corner from the other glass
def test_a_darker_corner_beside_the_tissue_is_no_part_of_it(seed: int) -> None:
    tissue = tissue_of(structure_od=0.02, corner_structure_od=0.0, corner_px=240, seed=seed)
    assert tissue.mask[180, 180]
    assert not tissue.mask[SIZE - 60, SIZE - 60]
    assert tissue.mask.mean() == pytest.approx(200 * 240 / SIZE**2, rel=0.05)


def test_flakes_that_float_above_the_tissue_are_no_part_of_it() -> None:
    tissue = tissue_of(structure_od=0.02, flakes_px=(14, 30, 48))
    assert tissue.mask[90, 180]
    assert not tissue.mask[:72, 180].any()


def test_tissue_of_little_light_among_much_noise() -> None:
    """The signal is a logarithm, which is no longer the light where the noise is as great as that."""
    rng = np.random.default_rng(8)
    photons = rng.poisson(np.where(np.indices((800, 800))[0] < 300, 1.0, 2.2))
    light = np.clip(5.0 * photons + rng.normal(0, 3, photons.shape), 0, 255).astype(np.uint8)
    nerve = (Channel("PGP9.5", ChannelRole.NERVE),)
    section = Section(light[None, :, :, None], Calibration(0.6, CalibrationSource.OME), nerve)
    overview = make_overview(section, read_overview(section), "fluorescence")
    mask = find_tissue(overview).mask
    edge = round(300 / overview.grid.factor)
    assert mask[edge + 10 :].mean() > 0.99
    assert mask[: edge - 10].mean() < 0.01


def slab() -> Tissue:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[100:300] = True
    return Tissue(mask, ())


def test_what_lies_above_a_curve_is_taken_off() -> None:
    rows = 150 + 10 * np.sin(np.arange(SIZE) / 30)
    below = tissue_below(slab(), np.stack([rows, np.arange(SIZE, dtype=float)], 1), PIXEL_UM)
    assert not below.mask[100:135].any()
    assert below.mask[170:290].all()
    assert float(np.median(below.outlines[0].points[:, 0])) == pytest.approx(150, abs=15)


def test_a_curve_that_does_not_divide_the_tissue_takes_nothing_off() -> None:
    columns = np.arange(50.0, SIZE - 50)
    below = tissue_below(slab(), np.stack([np.full(len(columns), 150.0), columns], 1), PIXEL_UM)
    assert below.mask[110:140].all()


def test_nor_does_one_that_leaves_it_askew_on_one_side_only() -> None:
    columns = np.arange(50.0, 350.0)
    below = tissue_below(slab(), np.stack([150 + (columns - 50) * 0.6, columns], 1), PIXEL_UM)
    assert below.mask[110:140].all()


def test_an_edge_seen_in_a_part_of_the_tissue_goes_on_to_both_of_its_ends() -> None:
    mask = np.zeros((400, 3000), bool)
    mask[100:300, 200:2800] = True
    seen = np.stack([np.full(700, 160.0), np.arange(1700.0, 2400.0)], 1)
    across = straight_across(seen, mask, PIXEL_UM)
    assert across[0, 1] < 200
    assert across[-1, 1] > 2799
    below = tissue_below(Tissue(mask, ()), across, PIXEL_UM)
    assert not below.mask[105:150].any()
    assert below.mask[175:290, 220:2780].all()
