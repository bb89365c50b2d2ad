"""The haze about nerves is taken out; tissue is left as it is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.skin.glow import without_glow

PX = 1.25
SHAPE = (240, 320)
EDGE = 160

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


def scene(*, haze: float) -> tuple[Image, Image, Mask, Mask]:
    """Bright tissue on the left of dark one, nerves along it in both, some of their light spread about.

    Returns the tissue as it is, what is seen, where nerves lie, and where there is tissue.
    """
    rng = np.random.default_rng(8)
    tissue = np.where(np.arange(SHAPE[1]) < EDGE, 6.0, 3.0)[None, :] + rng.normal(0, 0.3, SHAPE)
    nerves = np.zeros(SHAPE, bool)
    for col in (60, 100, 195, 240, 280):
        nerves[30:210, col - 2 : col + 3] = True
    light = 40.0 * nerves
    spread = 0.7 * ndimage.gaussian_filter(light, 5 / PX) + 0.3 * ndimage.gaussian_filter(light, 11 / PX)
    seen = tissue + light + haze * spread
    return tissue.astype(np.float32), seen.astype(np.float32), nerves, np.ones(SHAPE, bool)


def test_what_nerves_shed_is_taken_out() -> None:
    tissue, seen, nerves, there = scene(haze=0.4)
    found = without_glow(seen[None], seen, nerves, there, PX)[0]
    beside = ndimage.binary_dilation(nerves, iterations=8) & ~nerves
    assert (seen - tissue)[beside].mean() > 2.0
    assert abs((found - tissue)[beside].mean()) < 0.35
    left, right = beside[:, :EDGE], beside[:, EDGE:]
    assert found[:, :EDGE][left].mean() - found[:, EDGE:][right].mean() == pytest.approx(3.0, abs=0.5)


def test_glow_is_found_among_collagen_that_varies_more() -> None:
    tissue, seen, nerves, there = scene(haze=0.25)
    rng = np.random.default_rng(2)
    felt = 40.0 * ndimage.gaussian_filter(rng.normal(0, 1, SHAPE), 3.0 / PX).astype(np.float32)
    found = without_glow((seen + felt)[None], seen + felt, nerves, there, PX)[0]
    beside = ndimage.binary_dilation(nerves, iterations=8) & ~nerves
    shed = (seen - tissue)[beside].mean()
    assert abs((found - felt - tissue)[beside].mean()) < 0.25 * shed


def test_where_they_shed_nothing_nothing_is_changed() -> None:
    _, seen, nerves, there = scene(haze=0.0)
    assert np.array_equal(without_glow(seen[None], seen, nerves, there, PX)[0], seen)


def test_other_channels_are_judged_for_themselves_and_nerves_left_alone() -> None:
    _, seen, nerves, there = scene(haze=0.4)
    other = np.random.default_rng(1).normal(4, 1, SHAPE).astype(np.float32)
    found = without_glow(np.stack([seen, other]), seen, nerves, there, PX)
    assert np.array_equal(found[1], other)
    assert np.array_equal(found[0][nerves], seen[nerves])
    assert not np.array_equal(found[0], seen)


@pytest.mark.parametrize("everywhere", [False, True])
def test_no_nerves_or_nothing_but_nerves(everywhere: bool) -> None:
    _, seen, _, there = scene(haze=0.4)
    nerves = np.full(SHAPE, everywhere)
    assert np.array_equal(without_glow(seen[None], seen, nerves, there, PX)[0], seen)
