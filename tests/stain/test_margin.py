"""A margin of one value with straight sides is no glass."""

from __future__ import annotations

import numpy as np

from ienfd.stain.margin import find_margin


def photograph(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 5, (200, 300, 2)).astype(np.float32)


def test_a_black_corner_and_a_black_strip_are_a_margin() -> None:
    light = photograph()
    expected = np.zeros(light.shape[:2], bool)
    expected[:60, :80] = expected[-40:] = True
    light[expected] = 0.0
    assert (find_margin(light, 1.25) == expected).all()


def test_glass_that_is_black_ends_at_tissue_and_is_no_margin() -> None:
    light = photograph()
    rows, cols = np.indices(light.shape[:2])
    light[rows < 60 + 15 * np.sin(cols / 20)] = 0.0
    assert not find_margin(light, 1.25).any()


def test_a_black_square_within_the_image_is_none() -> None:
    light = photograph()
    light[50:120, 50:120] = 0.0
    assert not find_margin(light, 1.25).any()


def test_an_image_of_one_value_has_no_margin() -> None:
    assert not find_margin(np.zeros((50, 50, 1), np.float32), 1.25).any()
