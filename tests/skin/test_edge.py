"""The edge of basal cells and papillary dermis, where the tissues as wholes mislead."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.result import FloatArray
from ienfd.skin.edge import plainness, sharpen

STEP_UM = 1.0
EDGE_UM = 44.0


def strip(rng: np.random.Generator, *, basal: float, dermis: float, noise: float = 0.05) -> np.ndarray:
    """(1, 200, 81) levels: epidermis 0.4, a basal row of 12 um, dermis below a wavy edge."""
    along, across = np.mgrid[0:200, 0:81] * STEP_UM
    edge = edge_um(along)
    levels = np.where(across < edge - 12, 0.4, np.where(across < edge, basal, dermis))
    return (levels + rng.normal(0, noise, levels.shape)).astype(np.float32)[None]


def edge_um(along_um: FloatArray) -> FloatArray:
    return np.asarray(EDGE_UM + 3 * np.sin(along_um / 20), float)


def straight(at_um: float) -> FloatArray:
    return np.column_stack([np.arange(200), np.full(200, at_um / STEP_UM)]).astype(float)


def off_um(curve: FloatArray) -> float:
    return float(np.median(np.abs(curve[:, 1] * STEP_UM - edge_um(np.asarray(curve[:, 0] * STEP_UM, float)))))


@pytest.mark.parametrize("start_um", [36.0, 40.0, 52.0])
@pytest.mark.parametrize("basal", [1.0, 0.8])
def test_a_dense_basal_row_belongs_to_the_epidermis(start_um: float, basal: float) -> None:
    # the upper epidermis is nearly as pale as the dermis: mainly the basal row tells
    levels = strip(np.random.default_rng(1), basal=basal, dermis=0.1)
    edge = sharpen(levels, np.ones(levels.shape[1:], bool), straight(start_um), STEP_UM)
    assert off_um(edge.curve) < 1.0


def test_of_two_edges_of_a_dark_band_the_lower_one_is_the_junction_where_levels_are_densities() -> None:
    # pigmented basal cells: darker than what lies above them, and even more clearly so
    levels = strip(np.random.default_rng(5), basal=0.7, dermis=0.45)
    inside = np.ones(levels.shape[1:], bool)
    upper, lower = (
        sharpen(levels, inside, straight(EDGE_UM - 12), STEP_UM, dense=dense) for dense in (False, True)
    )
    assert off_um(upper.curve) > 8.0
    assert off_um(lower.curve) < 1.0


def test_a_curve_on_the_edge_stays_there() -> None:
    levels = strip(np.random.default_rng(2), basal=0.4, dermis=0.0)
    given = np.column_stack([np.arange(200), edge_um(np.arange(0.0, 200 * STEP_UM, STEP_UM))]).astype(float)
    edge = sharpen(levels, np.ones(levels.shape[1:], bool), given, STEP_UM)
    assert off_um(edge.curve) < 0.7


def test_where_the_sides_differ_more_the_edge_is_clearer() -> None:
    inside = np.ones((200, 81), bool)
    faint, clear = (
        sharpen(strip(np.random.default_rng(3), basal=basal, dermis=0.4), inside, straight(44), STEP_UM)
        for basal in (0.45, 0.8)
    )
    assert clear.parted > 2 * faint.parted
    assert np.median(clear.change) > 2 * np.median(faint.change)


def test_without_tissue_the_curve_is_kept_and_nothing_is_claimed() -> None:
    levels = strip(np.random.default_rng(4), basal=1.0, dermis=0.0)
    given = straight(40)
    edge = sharpen(levels, np.zeros(levels.shape[1:], bool), given, STEP_UM)
    assert np.array_equal(edge.curve, given)
    assert edge.parted == 0
    assert not edge.change.any()


def test_of_a_plain_edge_nothing_is_seen_where_its_curve_lies_in_one_tissue() -> None:
    levels = strip(np.random.default_rng(6), basal=0.4, dermis=0.0)
    curve = np.column_stack([np.arange(200.0), edge_um(np.arange(200.0)) / STEP_UM])
    curve[150:, 1] = 65.0
    inside = np.ones(levels.shape[1:], bool)
    inside[:20, :50] = False  # its upper side is not seen
    parted, share = plainness(levels, inside, curve, STEP_UM, within_um=5.0)
    assert parted > 3
    assert share[:15] == pytest.approx(1.0)
    assert share[30:135] == pytest.approx(1.0, abs=0.2)
    assert np.abs(share[165:]).max() < 0.2


def test_a_curve_in_one_tissue_is_no_plain_edge() -> None:
    levels = strip(np.random.default_rng(7), basal=0.4, dermis=0.0)
    parted, _ = plainness(levels, np.ones(levels.shape[1:], bool), straight(65.0), STEP_UM, within_um=5.0)
    assert parted < 1
