"""The junction along the basement membrane: the middle of a line, and of the band that a slanted one is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from ienfd.result import FloatArray
from ienfd.skin.membrane import along_membrane, ridge

ALONG, ACROSS = 400, 81  # micrometers, at steps of one
EVERYWHERE = np.ones((ALONG, ACROSS), bool)


def course(depth_um: float, period_um: float = 90.0) -> FloatArray:
    """A wavy middle of the membrane, at every tenth of a micrometer."""
    along = np.arange(0, ALONG - 1, 0.1)
    return np.column_stack([along, 40 + depth_um / 2 * np.sin(2 * np.pi * along / period_um)])


def membrane(middle: FloatArray, width_um: float | FloatArray, seed: int = 3) -> np.ndarray:
    """(S, D) signal: speckled, of this width about its middle, over a noisy ground."""
    rng = np.random.default_rng(seed)
    places = np.indices((ALONG, ACROSS)).reshape(2, -1).T
    distance, nearest = cKDTree(middle).query(places)
    width = np.broadcast_to(np.asarray(width_um, float), len(middle))[nearest]
    band = np.exp(-0.5 * (distance / (width / 2)) ** 4).reshape(ALONG, ACROSS)
    signal = 0.2 + band * rng.uniform(0.4, 1.0, (ALONG, ACROSS)) + rng.normal(0, 0.05, (ALONG, ACROSS))
    return signal.astype(np.float32)


def off_um(curve: FloatArray, middle: FloatArray) -> float:
    """How far, at its 95th percentile, a curve lies from the middle of the membrane."""
    return float(np.quantile(cKDTree(middle).query(curve)[0], 0.95))


def straight(depth_um: float = 40.0) -> FloatArray:
    return np.column_stack([np.arange(ALONG, dtype=float), np.full(ALONG, depth_um)])


@pytest.mark.parametrize("width_um", [3.0, 8.0, 14.0], ids=["line", "slanted", "more slanted"])
@pytest.mark.parametrize("depth_um", [0.0, 30.0], ids=["flat", "ridges"])
def test_the_junction_is_the_middle_of_the_membrane(width_um: float, depth_um: float) -> None:
    middle = course(depth_um)
    curve, sure = along_membrane(membrane(middle, width_um), straight(), EVERYWHERE)
    assert off_um(curve, middle) < 2.0
    assert sure is not None
    assert sure.min() > 0.9


def test_a_line_that_widens_into_a_band_is_followed_through_it() -> None:
    middle = course(30.0)
    width = np.where(np.abs(middle[:, 0] - 200) < 90, 15.0, 3.0)
    curve, _ = along_membrane(membrane(middle, width), straight(46.0), EVERYWHERE)
    assert off_um(curve, middle) < 2.5


def test_a_narrow_papilla_is_gone_around_though_its_walls_are_dim() -> None:
    """They slant through the section; the way across is short, but no line leads there."""
    along = np.arange(0, ALONG - 1, 0.1)
    middle = np.column_stack([along, 62 - 46 * np.exp(-(((along - 200) / 11) ** 4))])
    signal = membrane(middle, 3.0)
    walls = (np.abs(np.arange(ALONG) - 200) < 16)[:, None] & (np.abs(np.arange(ACROSS) - 39) < 17)
    dim = np.where(walls, 0.2 + 0.4 * (signal - 0.2), signal).astype(np.float32)
    curve, _ = along_membrane(dim, straight(62.0), EVERYWHERE)
    assert float(np.max(cKDTree(curve).query(middle)[0])) < 6.0


def test_long_pegs_are_gone_around_though_a_way_along_fibers_below_them_is_shorter() -> None:
    """Where they were drawn, too, if not to their tips."""
    along = np.arange(0, ALONG - 1, 0.1)

    def pegs(long_um: float) -> FloatArray:
        height = sum(np.exp(-(((along - at) / 12) ** 6)) for at in (60, 130, 200, 270, 340))
        return np.column_stack([along, 10 + long_um * height])

    fibers = np.column_stack([along, np.full(len(along), 76.0)])
    signal = np.maximum(membrane(pegs(56.0), 3.0), 0.5 * membrane(fibers, 3.0)).astype(np.float32)
    curve, _ = along_membrane(signal, pegs(48.0), EVERYWHERE)
    assert off_um(curve, pegs(56.0)) < 4.0


def test_where_a_peg_reaches_out_of_the_strip_the_way_across_it_is_not_sure() -> None:
    """Bright epidermis between two walls looks like a band; the way across it keeps to the middle of none."""
    along = np.arange(0, ALONG - 1, 0.1)
    middle = np.column_stack([along, 30 + 60 * np.exp(-(((along - 200) / 26) ** 4))])
    rows, cols = np.indices((ALONG, ACROSS))
    epidermis = cols < np.interp(rows, *middle.T)
    signal = (membrane(middle, 3.0) + 0.45 * epidermis).astype(np.float32)
    curve, sure = along_membrane(signal, straight(30.0), EVERYWHERE)
    assert sure is not None
    from_peg = np.abs(curve[:, 0] - 200)
    assert sure[from_peg < 5].max() < 0.5
    assert sure[from_peg > 60].min() > 0.9


def test_what_lies_beyond_the_image_is_no_membrane() -> None:
    """Samples there repeat the border, and what lies at it looks like a line."""
    middle = course(0.0)
    within = np.zeros((ALONG, ACROSS), bool)
    within[120:, :65] = True
    repeated = np.where(within, membrane(middle, 3.0), 0.2).astype(np.float32)
    repeated[:120, 68:71] = 1.0
    curve, _ = along_membrane(repeated, straight(), within)
    assert off_um(curve, middle) < 2.0


def test_where_there_is_no_membrane_the_curve_stays() -> None:
    noise = np.random.default_rng(5).normal(0.2, 0.05, (ALONG, ACROSS)).astype(np.float32)
    curve, sure = along_membrane(noise, straight(), EVERYWHERE)
    assert sure is None
    assert np.array_equal(curve, straight())


def test_a_ridge_is_highest_at_its_middle_however_wide_it_is() -> None:
    for width_um in (3.0, 14.0):
        found = ridge(membrane(course(0.0), width_um), (1.2, 2.4, 4.8), 1.5).mean(axis=0)
        assert abs(int(found.argmax()) - 40) <= 1
        assert found[40] > 2 * found[[10, 70]].max()
