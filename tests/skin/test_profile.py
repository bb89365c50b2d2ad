"""Profiles drawn by hand are cut where they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ienfd.result import FloatArray
from ienfd.skin.profile import cut_profile, usual_cost

DEPTH_UM = np.arange(0.0, 190.0, 2.5)


def drawn(profile: FloatArray, noise: float = 0.3) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """One signal, all of whose features have the same profile, at 120 positions; and tissue everywhere."""
    rng = np.random.default_rng(3)
    values = profile[None, None, :] + rng.normal(0, noise, (5, 120, len(profile)))
    return values.astype(np.float32), np.ones((120, len(profile)), bool)


def layers(corneum_um: float, junction_um: float) -> FloatArray:
    return np.select([corneum_um > DEPTH_UM, junction_um > DEPTH_UM], [3.0, 1.0], 2.0)


@pytest.mark.parametrize(("corneum_um", "junction_um"), [(15.0, 85.0), (10.0, 50.0), (30.0, 130.0)])
def test_three_even_layers(corneum_um: float, junction_um: float) -> None:
    cut = cut_profile(*drawn(layers(corneum_um, junction_um)), DEPTH_UM)
    assert cut is not None
    assert cut.surface_um == pytest.approx(corneum_um, abs=2.5)
    assert cut.junction_um == pytest.approx(junction_um, abs=2.5)


def test_a_dermis_that_changes_steadily_is_one_tissue() -> None:
    profile = layers(15.0, 80.0)
    profile[DEPTH_UM >= 80] += (DEPTH_UM[DEPTH_UM >= 80] - 80) / 60
    cut = cut_profile(*drawn(profile), DEPTH_UM)
    assert cut is not None
    assert cut.junction_um == pytest.approx(80, abs=5)


def test_one_tissue_gains_nothing_from_a_cut() -> None:
    even = cut_profile(*drawn(np.full(len(DEPTH_UM), 2.0)), DEPTH_UM)
    true = cut_profile(*drawn(layers(15.0, 85.0)), DEPTH_UM)
    assert even is not None
    assert true is not None
    assert true.gain > 20 * max(even.gain, 0.1)


def test_too_little_tissue_is_not_cut() -> None:
    values, inside = drawn(layers(15.0, 85.0))
    inside[:, 10:] = False
    assert cut_profile(values, inside, DEPTH_UM) is None


def test_usual_thicknesses_cost_nothing() -> None:
    assert float(usual_cost(15.0, 70.0)) == 0.0
    assert float(usual_cost(15.0, 20.0)) > float(usual_cost(15.0, 50.0)) > 0.0
