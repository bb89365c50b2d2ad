"""The junction that the network draws: on the edge of what is seen, whatever its colors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.result import FloatArray
from ienfd.skin.closeup import CloseUp
from ienfd.skin.learned import Drawn, JunctionView, learned_junction, seen
from ienfd.skin.strip import Strip, make_strip

ALONG, HALF_UM = 400, 56.0
ACROSS = round(2 * HALF_UM) + 1


def _strip() -> Strip:
    line = np.column_stack([np.full(ALONG, 80.0), np.arange(ALONG, dtype=float)])
    return make_strip(line, 1.0, above_um=HALF_UM, below_um=HALF_UM, step_um=1.0, down=1)


def _edge(height_um: float) -> FloatArray:
    return np.asarray(HALF_UM + 0.5 * height_um * np.sin(2 * np.pi * np.arange(ALONG - 1) / 80.0), float)


def _view(edge: FloatArray, *, turned: bool = False, found_off_um: float = 0.0) -> JunctionView:
    """An even sheet over a felt of bundles; the junction was found as a line."""
    rng = np.random.default_rng(2)
    upper = np.arange(ACROSS)[None, :] < edge[:, None]
    felt = ndimage.gaussian_filter(rng.normal(0, 1, upper.shape), (1.0, 4.0)) * 5
    levels = np.where(upper, 0.0, 1.0 + felt) + rng.normal(0, 0.2, upper.shape)
    shown = ndimage.gaussian_filter(-levels if turned else levels, 0.8).astype(np.float32)[None]
    everywhere, nowhere = np.ones(upper.shape, bool), np.zeros(upper.shape, bool)
    count = len(edge)
    line = np.column_stack([np.arange(count), np.full(count, HALF_UM + found_off_um)]).astype(float)
    closely = CloseUp.of(shown, everywhere, 1.0)
    assert closely is not None
    near = closely.edge_near(line)
    assert near is not None
    _, evidence = near
    return seen(_strip(), shown, everywhere, nowhere, evidence, line)


def _off_um(curve: FloatArray, edge: FloatArray) -> float:
    at = np.arange(20, len(edge) - 20)
    return float(np.median(np.abs(np.interp(at, curve[:, 0], curve[:, 1]) - edge[at])))


@pytest.mark.parametrize("turned", [False, True], ids=["dermis brighter", "dermis darker"])
@pytest.mark.parametrize("found_off_um", [-6.0, 0.0, 6.0])
def test_the_junction_is_drawn_on_the_edge_of_the_sheet(turned: bool, found_off_um: float) -> None:
    edge = _edge(24.0)
    curve = learned_junction(_view(edge, turned=turned, found_off_um=found_off_um)).curve
    assert _off_um(curve, edge) < 2.0


def test_it_runs_through_from_end_to_end_where_nothing_is_seen() -> None:
    shape = (ALONG, ACROSS)
    everywhere, nowhere, even = np.ones(shape, bool), np.zeros(shape, bool), np.zeros(shape)
    line = np.column_stack([np.arange(ALONG), np.full(ALONG, HALF_UM)]).astype(float)
    view = seen(_strip(), even.astype(np.float32)[None], everywhere, nowhere, even, line)
    curve = learned_junction(view).curve
    assert curve[0, 0] < 2
    assert curve[-1, 0] > ALONG - 3


def test_the_planes_are_even_whatever_the_levels() -> None:
    edge = _edge(24.0)
    view = _view(edge)
    shown: NDArray[np.float32] = view.planes
    assert shown.shape == (7, len(edge), ACROSS)
    assert np.abs(shown).max() <= 4.0
    assert (shown[1:3] == 0).all()  # one level is known
    assert (np.diff(shown[6, 0]) >= 0).all()


def test_a_junction_is_clear_on_the_edge_and_not_beside_it() -> None:
    edge = _edge(24.0)
    drawn = learned_junction(_view(edge))
    along = np.arange(20, len(edge) - 20)
    at_edge, beside = (np.column_stack([along, edge[along] + off]) for off in (0.0, 15.0))
    assert np.median(drawn.clear(at_edge)) > 2.0
    assert np.median(drawn.clear(beside)) < -2.0


def test_it_is_as_clear_as_its_less_clear_side() -> None:
    told = np.tile(np.where(np.arange(ACROSS) < HALF_UM, 5.0, -1.0), (ALONG, 1))
    line = np.column_stack([np.arange(ALONG), np.full(ALONG, HALF_UM)]).astype(float)
    assert Drawn(line, told).clear(line) == pytest.approx(1.0)
    assert Drawn(line, -told).clear(line) == pytest.approx(-4.0)  # the wrong way round
