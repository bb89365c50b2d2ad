"""What networks learn from is what a section itself told, or what was drawn."""

from __future__ import annotations

import numpy as np

from benchmarks.networks.drawn_lines import draw_lines
from benchmarks.networks.fiber_views import see_drawn
from benchmarks.networks.junction_views import as_found
from ienfd.skin.learned import STEP_UM, seen
from ienfd.skin.strip import make_strip

ALONG, HALF_UM = 200, 56.0


def test_who_only_looks_leaves_the_junction_where_it_was_found() -> None:
    along = np.arange(ALONG)
    found = np.column_stack([along, HALF_UM + 30 * np.sin(along / 25)])
    line = np.column_stack([np.full(ALONG + 1, 100.0), np.arange(ALONG + 1, dtype=float)])
    strip = make_strip(line, 1.0, above_um=HALF_UM, below_um=HALF_UM, step_um=STEP_UM, down=1)
    shape = strip.positions.shape[:2]
    everywhere, even = np.ones(shape, bool), np.zeros(shape)
    view = seen(strip, even.astype(np.float32)[None], everywhere, ~everywhere, even, found)
    assert np.abs(as_found(view)[:ALONG, 1] - found[:, 1]).max() <= 0.5


def test_a_drawing_is_that_of_its_seed() -> None:
    one, same, other = draw_lines(1), draw_lines(1), draw_lines(2)
    assert (one.signal == same.signal).all()
    assert (one.signal != other.signal).any()


def test_nerves_of_a_drawing_lie_where_it_says() -> None:
    drawn = draw_lines(2)
    height, width = drawn.signal.shape
    points = np.rint(np.concatenate(drawn.nerves)).astype(int)
    rows, cols = points[((points >= 10) & (points < (height - 10, width - 10))).all(axis=1)].T
    on = drawn.signal[rows, cols].mean()
    beside = np.mean([drawn.signal[rows + up, cols + right].mean() for up in (-9, 9) for right in (-9, 9)])
    assert on > beside + 0.5 * drawn.signal.std()


def test_views_of_a_drawing_tell_how_far_its_nerves_are() -> None:
    views = see_drawn(2)
    contrast, near = views["planes"][:, 1].astype(float), views["distance_um"] < 0.5
    assert near.any()
    assert contrast[near].mean() > 1.3 * contrast[~near].mean()
