"""A margin of one value with straight sides is no glass."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ienfd.stain.margin import find_margin

WHITE = 255.0


def photograph(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 5, (200, 300, 2)).astype(np.float32)


@pytest.mark.parametrize("value", [0.0, WHITE])
def test_an_empty_corner_and_an_empty_strip_are_a_margin_and_what_is_mixed_with_it(value: float) -> None:
    light = photograph()
    empty = np.zeros(light.shape[:2], bool)
    empty[:60, :80] = empty[-40:] = True
    light[empty] = value
    margin = find_margin(light, WHITE, 1.25)
    assert margin[empty].all()
    assert not (margin & ~ndimage.binary_dilation(empty, np.ones((3, 3), bool), 3)).any()


@pytest.mark.parametrize("value", [0.0, WHITE])
def test_glass_of_one_value_ends_at_tissue_and_is_no_margin(value: float) -> None:
    light = photograph()
    rows, cols = np.indices(light.shape[:2])
    light[rows < 60 + 15 * np.sin(cols / 20)] = value
    assert not find_margin(light, WHITE, 1.25).any()


def test_the_margin_of_a_mosaic_that_was_turned_has_long_sides() -> None:
    light = photograph()
    rows, cols = np.indices(light.shape[:2])
    empty = (rows < 10 + 0.05 * cols) | (cols > 280 - 0.05 * rows)
    light[empty] = 0.0
    assert find_margin(light, WHITE, 1.25)[empty].all()


def test_a_black_square_within_the_image_is_none() -> None:
    light = photograph()
    light[50:120, 50:120] = 0.0
    assert not find_margin(light, WHITE, 1.25).any()


def test_an_image_of_one_value_has_no_margin() -> None:
    assert not find_margin(np.zeros((50, 50, 1), np.float32), WHITE, 1.25).any()
