"""What a place looks like does not depend on the nerves that pass it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.section import Calibration, CalibrationSource, Channel, ChannelRole, Section
from ienfd.skin.features import Features, make_features
from ienfd.skin.tissue import Tissue, find_tissue
from ienfd.stain.overview import Overview, make_overview, read_overview

SIZE = 480
FIBERS = tuple(range(60, 420, 40))


def features_of(*, fibers: bool = False, cell: bool = False) -> Features:
    """Glass down to row 100, smooth epidermis with or without fibers or a cell to 300, a dermis of lines."""
    rng = np.random.default_rng(3)
    rows, cols = np.indices((SIZE, SIZE))
    lines = ndimage.gaussian_filter(rng.normal(0, 1, (SIZE, SIZE)), (1.2, 6.0))
    image = np.select([rows < 100, rows < 300], [40.0, 600.0], 600 + 900 * lines / lines.std() * 0.3)
    if fibers:
        for col in FIBERS:
            image += 500 * np.exp(-0.5 * ((cols - col) / 1.0) ** 2) * ((rows > 140) & (rows < 300))
    if cell:
        image += 2500 * (np.hypot(rows - 200, cols - 240) < 4)
    image = np.maximum(ndimage.gaussian_filter(image, 0.8), 40)
    image += rng.normal(0, 0.5, image.shape) * np.sqrt(image)
    return make_features(*seen_as(image))


def seen_as(image: NDArray[np.float64]) -> tuple[Overview, None, Tissue]:
    """An image of one channel of fluorescence, in micrometers."""
    section = Section(
        np.clip(image, 0, 4000)[None, :, :, None].astype(np.uint16),
        Calibration(1.0, CalibrationSource.OME),
        (Channel("PGP9.5", ChannelRole.NERVE),),
        bit_depth=12,
    )
    overview = make_overview(section, read_overview(section), "fluorescence")
    return overview, None, find_tissue(overview)


def test_fibers_do_not_make_smooth_epidermis_look_like_dermis() -> None:
    detail = [features_of(fibers=fibers).blunt[1] for fibers in (False, True)]
    epidermis, dermis = detail[0][85:135, 30:210], detail[0][180:230, 30:210]
    with_fibers = detail[1][85:135, 30:210]
    contrast = float(np.median(dermis) - np.median(epidermis))
    assert contrast > 0.5
    assert float(np.quantile(with_fibers, 0.75) - np.median(epidermis)) < 0.55 * contrast


def test_nerves_stand_out_in_light_however_dark_the_gaps_between_bundles_are() -> None:
    """Most of the section is a felt of bundles, whose dark gaps are deeper in logarithms than in light."""
    rng = np.random.default_rng(5)
    rows, cols = np.indices((SIZE, SIZE))
    bundles = ndimage.gaussian_filter(rng.normal(0, 1, (SIZE, SIZE)), (1.2, 6.0))
    felt = 100 + 500 * (bundles > 0.3 * bundles.std())
    image = np.select([rows < 100, rows < 190], [40.0, 350.0], felt)
    for col in FIBERS:
        image += 2500 * np.exp(-0.5 * ((cols - col) / 1.2) ** 2) * ((rows > 130) & (rows < 250))
    features = make_features(*seen_as(ndimage.gaussian_filter(image, 0.8)))
    level = features.sharp[0]
    at_fibers, between = (level[145:175, [col + beside for col in FIBERS]] for beside in (0, 20))
    assert abs(float(np.median(at_fibers) - np.median(between))) < 0.15


def test_below_a_nerve_along_the_junction_lies_one_tissue_or_the_other() -> None:
    """Values between those of both tissues would draw the junction to the rim of the nerve."""
    rows, cols = np.indices((SIZE, SIZE))
    image = np.select([rows < 100, rows < 300], [40.0, 300.0], 900.0)
    image += 3000 * np.exp(-0.5 * ((rows - 303) / 1.2) ** 2) * (np.abs(cols - 240) < 100)
    level = make_features(*seen_as(ndimage.gaussian_filter(image, 0.8))).sharp[0]
    epidermis, dermis = float(np.median(level[200:280, 200:280])), float(np.median(level[330:400, 200:280]))
    share = (level[290:320, 200:280] - epidermis) / (dermis - epidermis)
    between = (share > 0.25) & (share < 0.75)
    assert float(between.sum(axis=0).mean()) <= 3.0


def test_beside_a_cell_smooth_epidermis_has_no_grain() -> None:
    grain = features_of(cell=True).grain[0]  # two micrometers a pixel
    epidermis, dermis = float(np.median(grain[85:130, 30:90])), float(np.median(grain[170:220, 30:210]))
    beside = float(grain[100, [116, 124]].mean())
    assert dermis > epidermis
    assert beside - epidermis < 0.5 * (dermis - epidermis)
