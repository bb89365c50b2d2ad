"""What networks learn from is what a section itself told, or what was drawn."""

from __future__ import annotations

import numpy as np

from benchmarks.networks.drawn_lines import draw_lines
from benchmarks.networks.drawn_skin import draw_skin
from benchmarks.networks.fiber_views import see_drawn
from benchmarks.networks.junction_views import as_found, see_drawn_skin, signed_um
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


def test_places_are_above_the_junction_or_below_it_or_of_no_use() -> None:
    surface = np.array([[0.0, 0.0], [0.0, 200.0]])
    junction = np.array([[40.0, 0.0], [40.0, 200.0]])
    points = np.array([[30.0, 100.0], [55.0, 100.0], [-5.0, 100.0], [120.0, 100.0], [45.0, 230.0]])
    for drawn_back in (surface, surface[::-1]):
        signed = signed_um(points, [(junction, drawn_back)])
        np.testing.assert_allclose(signed, [-10, 15, np.nan, np.nan, np.nan])


def test_skin_of_a_drawing_is_that_of_its_seed() -> None:
    one, same = draw_skin(1), draw_skin(1)
    assert (one.section.pixels == same.section.pixels).all()
    assert (one.junction_px == same.junction_px).all()


def test_views_of_drawn_skin_tell_epidermis_from_dermis() -> None:
    views = see_drawn_skin(1)
    level, signed = views["planes0"][0].astype(float), views["signed0"]
    epidermis, dermis = level[(signed < -5)], level[(signed > 5) & (signed < 40)]
    assert abs(epidermis.mean() - dermis.mean()) > 0.5 * level.std()
