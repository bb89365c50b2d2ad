"""Tissues are told apart by what parts them: levels first, textures where those fail; and at their border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ienfd.skin.telling import border_between, halfway_between, telling, tissue_model

UPPER = np.zeros((40, 60), bool)
UPPER[:, :30] = True


def features(fine: float, wide: float, texture: float) -> NDArray[np.float32]:
    """One signal, with the given differences (upper minus lower) in units of the noise."""
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, (5, 40, 60))
    for index, difference in enumerate((fine, wide, texture)):
        values[index, UPPER] += difference
    return values.astype(np.float32)


def test_clear_levels_need_no_texture() -> None:
    values = features(4.0, 5.0, 3.0)
    told = telling(values, UPPER, ~UPPER, sharp=False)
    correlation = np.corrcoef(told[UPPER], values[1][UPPER])[0, 1]
    assert correlation > 0.999


def test_fine_levels_are_asked_where_they_suffice() -> None:
    values = features(4.0, 5.0, 3.0)
    told = telling(values, UPPER, ~UPPER, sharp=True)
    assert np.corrcoef(told[UPPER], values[0][UPPER])[0, 1] > 0.999


def test_textures_help_where_levels_fail() -> None:
    values = features(0.1, 0.2, 4.0)
    told = telling(values, UPPER, ~UPPER, sharp=True)
    assert told[UPPER].mean() - told[~UPPER].mean() > 3.0


def test_the_upper_tissue_is_positive_and_the_unit_is_a_standard_deviation() -> None:
    values = features(-3.0, 0.0, 0.0)[:1]
    told = tissue_model(values, UPPER, ~UPPER).of(values)
    assert 2.5 < told[UPPER].mean() - told[~UPPER].mean() < 3.5
    assert 0.8 < told[UPPER].std() < 1.2


def test_the_border_lies_nearer_to_an_even_upper_tissue() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, UPPER.shape)
    told = np.where(UPPER, 10.0 + noise, 4.0 * noise)
    assert np.allclose(border_between(told, UPPER, ~UPPER), 8.0, atol=0.4)
    assert np.allclose(border_between(-told, UPPER, ~UPPER), -8.0, atol=0.4)
    assert np.allclose(halfway_between(told, UPPER, ~UPPER), 5.0, atol=0.4)


def test_the_border_of_an_uneven_upper_tissue_lies_halfway() -> None:
    told = np.where(UPPER, 10.0 + 4.0 * np.random.default_rng(2).normal(0, 1, UPPER.shape), 0.0)
    assert np.allclose(border_between(told, UPPER, ~UPPER), 5.0, atol=0.4)


def test_a_tissue_without_any_variation_keeps_a_share_of_the_way() -> None:
    told = np.where(UPPER, 1.0, 0.0)
    told[~UPPER] += np.tile([-0.5, 0.5], (~UPPER).sum() // 2)
    border = border_between(told, UPPER, ~UPPER)
    assert ((border > 0.6) & (border < 0.95)).all()
