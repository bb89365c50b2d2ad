"""The junction where levels show it, and where grain alone does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ienfd.result import FloatArray
from ienfd.skin.features import Features
from ienfd.skin.junction import refine_junction
from ienfd.skin.learned import MARGIN_UM, STEP_UM, DrawJunction, Drawn, JunctionView
from ienfd.skin.strip import COARSE_STEP_UM

_SHAPE = (160, 400)
_PIXEL_UM = 1.0


def _edge_px(cols: np.ndarray) -> np.ndarray:
    return np.asarray(80 + 5 * np.sin(cols / 25), float)


def _features(level: float, grain: float, until_px: float = np.inf) -> Features:
    """Epidermis above a wavy edge: its level and its grain differ by so many standard deviations."""
    rng = np.random.default_rng(7)

    def plane(step: float, coarser: int) -> np.ndarray:
        rows, cols = np.mgrid[: _SHAPE[0] // coarser, : _SHAPE[1] // coarser] * coarser + (coarser - 1) / 2
        noise = rng.normal(0, 1, rows.shape)
        return np.asarray(noise + step * ((rows < _edge_px(cols)) & (cols < until_px)), np.float32)

    blunt = np.stack([plane(level, 2), plane(grain, 2), plane(0.0, 2), plane(0.0, 2)])
    rows, cols = np.mgrid[: _SHAPE[0], : _SHAPE[1]]
    rough = (grain < 0) * (rows >= _edge_px(cols))  # where the grain says more, it is below the edge
    sharp = plane(level, 1) + np.asarray(rough * rng.normal(0, 4, _SHAPE), np.float32)
    nerves = np.zeros(_SHAPE, bool)
    return Features(plane(level, 1)[None], blunt, plane(grain, 2)[None], sharp[None], nerves, dense=True)


def _level(row: float) -> FloatArray:
    """A coarse junction that runs straight along the image."""
    cols = np.arange(0, _SHAPE[1] - 1, COARSE_STEP_UM / _PIXEL_UM)
    return np.column_stack([np.full(len(cols), row), cols])


@pytest.mark.parametrize(("level", "grain"), [(4.0, 0.0), (0.0, -4.0)], ids=["levels", "grain"])
def test_the_junction_is_brought_to_the_edge(level: float, grain: float) -> None:
    coarse = _level(74.0)
    tissue = np.ones(_SHAPE, bool)
    features = _features(level, grain)
    curve, confidence = refine_junction(coarse, features, tissue, _PIXEL_UM, 1)
    assert np.median(np.abs(curve[:, 0] - _edge_px(curve[:, 1]))) < 1.5
    assert confidence.mean() > 0.7


def test_the_longest_ridges_are_followed_when_asked_for() -> None:
    """Ridges of 270 um, by levels three standard deviations apart; the coarse junction cuts across them."""
    shape, rng = (560, 900), np.random.default_rng(3)
    rows, cols = np.indices(shape)
    edge = 265 + 135 * np.tanh(2 * np.sin(cols / 32))

    def plane(step: float, coarser: int) -> NDArray[np.float32]:
        noise = rng.normal(0, 1, [size // coarser for size in shape])
        return np.asarray(noise + step * (rows < edge)[::coarser, ::coarser], np.float32)

    blunt = np.stack([plane(step, 2) for step in (3.0, 0.0, 0.0, 0.0)])
    features = Features(
        plane(3.0, 1)[None],
        blunt,
        plane(0.0, 2)[None],
        plane(3.0, 1)[None],
        np.zeros(shape, bool),
        dense=True,
    )
    coarse = np.column_stack([np.full(360, 200.0), np.arange(360) * COARSE_STEP_UM])
    tissue = rows > 80
    cut, followed = (
        refine_junction(coarse, features, tissue, _PIXEL_UM, 1, longest=longest)[0]
        for longest in (False, True)
    )
    at = np.clip(np.rint(followed[:, 1]).astype(int), 0, shape[1] - 1)
    assert cut[:, 0].max() < 320
    assert followed[:, 0].max() == pytest.approx(400, abs=8)
    assert np.median(np.abs(followed[:, 0] - edge[0, at])) < 8


def test_it_ends_where_one_tissue_lies_on_both_sides() -> None:
    coarse = _level(80.0)
    features, tissue = _features(5.0, 0.0, until_px=330), np.ones(_SHAPE, bool)
    curve, _ = refine_junction(coarse, features, tissue, _PIXEL_UM, 1)
    assert curve[:, 1].max() == pytest.approx(330, abs=10)
    assert curve[:, 1].min() < 5


def _told(curve: FloatArray, view: JunctionView, clear: float) -> Drawn:
    """Drawn by someone who is so sure of it everywhere."""
    above = np.arange(view.inside.shape[1]) < curve[:, 1:]
    return Drawn(curve, np.where(above, clear, -clear))


def _refined(draw: DrawJunction, membrane: NDArray[np.float32] | None = None) -> FloatArray:
    coarse = _level(78.0)
    everywhere = np.ones(_SHAPE, bool)
    curve, _ = refine_junction(
        coarse, _features(2.0, 0.0), everywhere, _PIXEL_UM, 1, membrane=membrane, draw=draw
    )
    return curve


def _at(above_um: float, asked: list[JunctionView], clear: float = 4.0) -> DrawJunction:
    """Draws the edge so far above where it is, and is so sure of it."""

    def draw(view: JunctionView) -> Drawn:
        asked.append(view)
        cols = np.arange(len(view.inside), dtype=float)
        middle = (view.inside.shape[1] - 1) / 2
        return _told(np.column_stack([cols, middle + _edge_px(cols) - 78.0 - above_um]), view, clear)

    return draw


@pytest.mark.parametrize(("above_um", "times"), [(0.0, 1), (12.0, 2)])
def test_who_draws_it_elsewhere_is_asked_again_by_what_is_seen_there(above_um: float, times: int) -> None:
    asked: list[JunctionView] = []
    curve = _refined(_at(above_um, asked))
    assert len(asked) == times
    assert np.median(np.abs(curve[:, 0] - _edge_px(curve[:, 1]))) == pytest.approx(above_um, abs=1.5)


def test_what_is_drawn_beyond_the_strip_ends_at_its_rim_also_beside_a_membrane() -> None:
    membrane = np.zeros(_SHAPE, np.float32)
    membrane[78] = 1.0
    curve = _refined(_at(200.0, []), membrane)
    assert np.isfinite(curve).all()
    assert (curve[:, 0] >= 0).all()
    assert np.median(curve[:, 0]) == pytest.approx(78, abs=1)


def test_a_wider_strip_is_asked_where_what_is_drawn_leaves_it_though_a_membrane_cuts_across() -> None:
    membrane = np.zeros(_SHAPE, np.float32)
    membrane[78] = 1.0
    asked: list[JunctionView] = []
    _refined(_at(58.0, asked), membrane)
    assert len({view.inside.shape[1] for view in asked}) == 2


def _beyond(view: JunctionView) -> Drawn:
    """Draws as far above as it can, and is sure of the rim of the fine strip."""
    cols = np.arange(len(view.inside), dtype=float)
    rim = np.column_stack([cols, np.full(len(cols), MARGIN_UM / STEP_UM)])
    return Drawn(rim - [0.0, MARGIN_UM / STEP_UM], _told(rim, view, 4.0).told)


def test_no_membrane_lies_in_corneum_that_shines_in_its_channel() -> None:
    """A straight line there is shorter than the one around ridges, and as clear."""
    rows, cols = np.indices(_SHAPE)
    corneum, tissue = rows < 50, rows >= 50
    shining = 4.0 * np.exp(-(((rows - 46) / 3) ** 2)) + 4.0 * (np.abs(rows - _edge_px(cols)) < 1.5)
    noise = np.random.default_rng(2).normal(0, 0.1, _SHAPE)
    membrane = np.asarray(shining + noise, np.float32)

    def found(viable: NDArray[np.bool_]) -> FloatArray:
        return refine_junction(_level(58.0), _features(0.0, 0.0), viable, _PIXEL_UM, 1, membrane=membrane)[0]

    assert np.median(np.abs(found(tissue | corneum)[:, 0] - 46)) < 2
    curve = found(tissue)
    assert np.median(np.abs(curve[:, 0] - _edge_px(curve[:, 1]))) < 1.5


def test_along_the_rim_it_is_not_sure() -> None:
    coarse = _level(74.0)
    tissue = np.ones(_SHAPE, bool)
    curve, confidence = refine_junction(coarse, _features(1.5, 0.0), tissue, _PIXEL_UM, 1, draw=_beyond)
    assert len(curve) > 100
    assert confidence.max() < 0.3


def test_what_runs_along_the_rim_is_looked_for_farther_away() -> None:
    asked: list[JunctionView] = []
    curve = _refined(_at(60.0, asked))
    assert len({view.inside.shape[1] for view in asked}) == 2
    assert np.median(np.abs(curve[:, 0] - _edge_px(curve[:, 1]))) == pytest.approx(60, abs=1.5)


def test_who_draws_it_without_being_sure_is_hardly_believed() -> None:
    coarse = _level(78.0)
    confidences = []
    for clear in (4.0, -2.0):
        draw = _at(0.0, [], clear)
        _, confidence = refine_junction(
            coarse, _features(2.0, 0.0), np.ones(_SHAPE, bool), _PIXEL_UM, 1, draw=draw
        )
        confidences.append(float(confidence.mean()))
    assert confidences[0] > 0.8
    assert confidences[1] < 0.5
