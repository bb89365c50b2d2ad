"""A sheet on a felt of the same level: only what is wider than a bundle, and unbroken, tells them apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ienfd.result import FloatArray
from ienfd.skin.closeup import CloseUp
from ienfd.skin.edge import Edge, sharpen

ALONG, ACROSS = 400, 81  # micrometers, at steps of one


def true_edge(period_um: float, depth_um: float) -> FloatArray:
    along = np.arange(ALONG, dtype=float)
    return np.column_stack([along, 40 + depth_um / 2 * np.sin(2 * np.pi * along / period_um)])


def sheet_on_felt(edge: FloatArray, seed: int = 0, *, nuclei: bool = True, bundle: float = 1.0) -> np.ndarray:
    """(1, S, D) levels: epidermis of 0.5 with pale nuclei; bundles 4 um wide, and gaps of 0 between them."""
    rng = np.random.default_rng(seed)
    felt = np.zeros((ALONG, ACROSS))
    for _ in range(900):
        at, angle, length = rng.uniform((0, 0), (ALONG, ACROSS)), rng.uniform(0, np.pi), rng.uniform(10, 40)
        for step in np.arange(0, length, 0.5):
            row, col = np.round(at + step * np.array([np.cos(angle), np.sin(angle)])).astype(int)
            if 0 <= row < ALONG and 0 <= col < ACROSS:
                felt[row, col] = 1
    felt = np.where(ndimage.gaussian_filter(felt, 1.2) > 0.15, bundle, 0.0)
    sheet = np.full((ALONG, ACROSS), 0.5)
    if nuclei:
        for row, col in rng.uniform((0, 0), (ALONG, ACROSS), (220, 2)).astype(int):
            sheet[max(0, row - 2) : row + 3, max(0, col - 1) : col + 2] = 0.3
    upper = np.arange(ACROSS)[None, :] < edge[:, 1][:, None]
    levels = ndimage.gaussian_filter(np.where(upper, sheet, felt), 0.6)
    return (levels + rng.normal(0, 0.05, levels.shape)).astype(np.float32)[None]


def edge_near(
    levels: NDArray[np.float32], inside: NDArray[np.bool_], start: FloatArray, step_um: float
) -> Edge | None:
    """The edge alone."""
    closely = CloseUp.of(levels, inside, step_um)
    found = None if closely is None else closely.edge_near(start)
    return None if found is None else found[0]


def off_um(curve: FloatArray, edge: FloatArray) -> float:
    """How far, in the mean, the true edge lies from a curve."""
    fine = np.column_stack([np.interp(np.arange(0, len(c), 0.1), np.arange(len(c)), c) for c in curve.T])
    return float(np.mean(cKDTree(fine).query(edge[10:-10])[0]))


@pytest.mark.parametrize("shift_um", [-6.0, 0.0, 6.0])
@pytest.mark.parametrize("bundle", [1.0, 0.8])
def test_the_edge_of_the_sheet_is_found(shift_um: float, bundle: float) -> None:
    edge = true_edge(90.0, 20.0)
    start = np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, 40.0 + shift_um)])
    found = edge_near(sheet_on_felt(edge, bundle=bundle), np.ones((ALONG, ACROSS), bool), start, 1.0)
    assert found is not None
    assert off_um(found.curve, edge) < 1.5
    assert found.change[20:-20].min() > 1.0


def test_narrow_ridges_are_followed_where_means_cut_them_off() -> None:
    edge = true_edge(45.0, 26.0)
    levels, inside = sheet_on_felt(edge, 3), np.ones((ALONG, ACROSS), bool)
    start = np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, 40.0)])
    found = edge_near(levels, inside, start, 1.0)
    assert found is not None
    means = sharpen(np.stack([ndimage.gaussian_filter(levels[0], 2.5)]), inside, start, 1.0)
    assert off_um(found.curve, edge) < 2.2
    assert off_um(means.curve, edge) > 1.5 * off_um(found.curve, edge)


def test_a_sheet_is_told_from_pale_and_dark_patches_that_are_wider_than_any_opening() -> None:
    rng = np.random.default_rng(4)
    edge = true_edge(130.0, 16.0)
    patches = np.sign(ndimage.gaussian_filter(rng.normal(0, 1, (ALONG, ACROSS)), 7.0))
    upper = np.arange(ACROSS)[None, :] < edge[:, 1][:, None]
    levels = ndimage.gaussian_filter(np.where(upper, 0.0, patches), 0.6) + rng.normal(0, 0.15, upper.shape)
    start = np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, 40.0)])
    found = edge_near(levels.astype(np.float32)[None], np.ones_like(upper), start, 1.0)
    assert found is not None
    assert off_um(found.curve, edge) < 2.0


def test_it_knows_no_scale_but_micrometers() -> None:
    edge = true_edge(90.0, 20.0)
    levels = sheet_on_felt(edge)
    fine = ndimage.zoom(levels, (1, 2, 2), order=1)
    start = np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, 38.0)])
    one = edge_near(levels, np.ones(levels.shape[1:], bool), start, 1.0)
    two = edge_near(fine, np.ones(fine.shape[1:], bool), 2 * start, 0.5)
    assert one is not None
    assert two is not None
    assert abs(off_um(one.curve, edge) - off_um(two.curve / 2, edge)) < 0.6


def test_too_little_tissue_to_learn_from() -> None:
    levels = sheet_on_felt(true_edge(90.0, 20.0))
    inside = np.zeros((ALONG, ACROSS), bool)
    inside[:, :38] = True
    start = np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, 40.0)])
    assert edge_near(levels, inside, start, 1.0) is None
    assert edge_near(levels, np.zeros_like(inside), start, 1.0) is None


def test_a_deep_ridge_is_followed_farther_than_one_round_goes() -> None:
    edge = true_edge(130.0, 56.0)
    start = np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, 40.0)])
    found = edge_near(sheet_on_felt(edge), np.ones((ALONG, ACROSS), bool), start, 1.0)
    assert found is not None
    assert off_um(found.curve, edge) < 1.5
    assert np.ptp(found.curve[20:-20, 1]) > 50


def test_bodies_of_cells_on_the_junction_hardly_lift_it() -> None:
    """They are as bright as bundles, and 6 um high."""
    highest = []
    for seed in (5, 6, 7):
        edge = true_edge(200.0, 6.0)
        levels = sheet_on_felt(edge, seed)
        rows, cols = np.indices(levels.shape[1:])
        for row in range(40, ALONG, 60):
            levels[0][np.hypot(rows - row, cols - edge[row, 1] + 3) < 3] = 1.0
        start = np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, 40.0)])
        found = edge_near(levels, np.ones(levels.shape[1:], bool), start, 1.0)
        assert found is not None
        highest.append(float(np.max(cKDTree(edge).query(found.curve)[0])))
    assert float(np.median(highest)) < 4.6
