"""Curves and strips along them, in literal coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.skin.strip import arc_um, best_path, inside_tissue, make_strip, smooth_curve

ALONG = np.column_stack([np.full(101, 50.0), np.arange(101.0)])  # to the right, in row 50


def test_lengths_are_in_micrometers() -> None:
    assert arc_um(np.array([[0.0, 0.0], [3.0, 4.0]]), 2.0).tolist() == [0.0, 10.0]


def test_a_strip_has_the_dermis_on_the_chosen_side() -> None:
    image = np.repeat(np.arange(101, dtype=np.float32)[:, None], 101, axis=1)  # every pixel is its row
    below = make_strip(ALONG, 1.0, above_um=5, below_um=10, step_um=1.0, down=1).sample(image)
    above = make_strip(ALONG, 1.0, above_um=5, below_um=10, step_um=1.0, down=-1).sample(image)
    assert below[0].tolist() == list(range(45, 61))
    assert above[0].tolist() == list(range(55, 39, -1))


def test_a_coarser_image_is_sampled_at_the_same_places() -> None:
    rows = (np.arange(60) + 0.5) * 2 - 0.5  # the row of the finer grid at each coarser pixel
    coarse = np.repeat(rows.astype(np.float32)[:, None], 60, axis=1)
    strip = make_strip(ALONG, 1.0, above_um=5, below_um=10, step_um=1.0, down=1)
    assert strip.sample(coarse, 2) == pytest.approx(strip.positions[..., 0], abs=1e-4)


def test_nothing_beyond_the_image_is_tissue() -> None:
    strip = make_strip(ALONG, 1.0, above_um=0, below_um=60, step_um=1.0, down=1)
    inside = inside_tissue(strip, np.ones((101, 101), bool))
    assert inside[50, 0]
    assert not inside[50, -1]


def test_smoothing_keeps_a_straight_line() -> None:
    line = np.column_stack([np.arange(50.0), 2 * np.arange(50.0)])
    assert smooth_curve(line, 5.0) == pytest.approx(line)


def test_a_path_pays_for_its_steps() -> None:
    cost = np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    assert best_path(cost, max_step=2, step_cost=0.1).tolist() == [0, 2, 0]
    assert best_path(cost, max_step=2, step_cost=1.0).tolist() == [0, 0, 0]
    assert best_path(cost, max_step=1, step_cost=0.1).tolist() == [0, 0, 0]
