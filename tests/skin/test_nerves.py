"""Nerves are left out of what tells the layers apart; the felt of the dermis is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.skin.nerves import nerves_in

SIZE, JUNCTION = 400, 160
FIBERS = (100, 200, 300)


def light() -> NDArray[np.float32]:
    """Smooth epidermis with three lone fibers and a cell, no brighter than the felt of bundles below it."""
    rng = np.random.default_rng(2)
    rows, cols = np.indices((SIZE, SIZE))
    bundles = ndimage.gaussian_filter(rng.normal(0, 1, (SIZE, SIZE)), (1.5, 8.0))
    image = np.where(rows < JUNCTION, 300.0, 300 + 400 * np.abs(bundles) / bundles.std())
    for col in FIBERS:
        image += 300 * np.exp(-0.5 * ((cols - col) / 1.2) ** 2) * ((rows > 60) & (rows < JUNCTION - 20))
    image += 300 * (np.hypot(rows - 100, cols - 150) < 3)
    return np.asarray(ndimage.gaussian_filter(image, 0.8) + rng.normal(0, 5, image.shape), np.float32)


def test_what_lies_alone_stands_out_from_what_is_around_it() -> None:
    found = nerves_in(light(), np.ones((SIZE, SIZE), bool), 1.0, among_collagen=True)
    epidermis = found[70:130]
    assert epidermis[:, FIBERS].mean() > 0.9
    assert found[100, 150]
    assert epidermis.mean() < 0.1


def test_the_felt_of_the_dermis_is_no_nerve() -> None:
    found = nerves_in(light(), np.ones((SIZE, SIZE), bool), 1.0, among_collagen=True)
    assert found[JUNCTION + 10 :].mean() < 0.2


def test_where_collagen_does_not_shine_nerves_are_the_brightest_of_all() -> None:
    found = nerves_in(light(), np.ones((SIZE, SIZE), bool), 1.0, among_collagen=False)
    assert found[70:130][:, FIBERS].mean() < 0.2  # nothing stands out from the whole of this section


def test_without_tissue_there_are_no_nerves() -> None:
    assert not nerves_in(light(), np.zeros((SIZE, SIZE), bool), 1.0, among_collagen=False).any()
