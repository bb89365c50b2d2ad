"""The coarse course of the junction, in strips drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.result import FloatArray
from ienfd.skin.layers import Straightened, find_layers
from ienfd.skin.strip import COARSE_STEP_UM, Strip

_JUNCTION_UM, _MISLEADING_UM = 70.0, 40.0


def _strip(strength: float) -> tuple[Straightened, FloatArray]:
    """A quarter of the dermis looks like epidermis for 40 um more; the membrane lies where it should.

    Beside it, the depths of surface and junction, in um.
    """
    rng = np.random.default_rng(5)
    positions, depths = 300, 120
    deep_um = np.arange(depths) * COARSE_STEP_UM
    looks_um = np.full(positions, _JUNCTION_UM)
    looks_um[110:190] += _MISLEADING_UM
    level = np.select([deep_um < 15, deep_um[None, :] < looks_um[:, None]], [4.0, 1.0], -1.0)
    values = (level + rng.normal(0, 0.4, (5, positions, depths))).astype(np.float32)
    line = np.zeros((positions, depths))
    line[:, round(_JUNCTION_UM / COARSE_STEP_UM)] = strength
    grid = np.stack(np.meshgrid(np.arange(positions), np.arange(depths), indexing="ij"), -1).astype(float)
    tissue = Straightened(Strip(grid, COARSE_STEP_UM, 0.0), values, np.ones(line.shape, bool), line)
    return tissue, np.tile([15.0, _JUNCTION_UM], (positions, 1))


@pytest.mark.parametrize(
    ("strength", "deeper_um"), [(0.0, _MISLEADING_UM), (4.0, _MISLEADING_UM), (12.0, 0.0)]
)
def test_a_plain_membrane_outweighs_what_the_tissue_looks_like(strength: float, deeper_um: float) -> None:
    tissue, start = _strip(strength)
    found = find_layers(tissue, start)
    assert found is not None
    depth_um = found.depth * COARSE_STEP_UM
    assert depth_um[130:170] == pytest.approx(np.full(40, _JUNCTION_UM + deeper_um), abs=6)
    assert depth_um[:80] == pytest.approx(np.full(80, _JUNCTION_UM), abs=6)


@pytest.mark.parametrize("strength", [0.0, 12.0])
def test_a_plain_membrane_below_shining_corneum_and_epidermis_is_the_junction(strength: float) -> None:
    rng = np.random.default_rng(6)
    positions, depths = 200, 120
    deep_um = np.arange(depths) * COARSE_STEP_UM
    lamellae = 2.0 * np.sin(deep_um / 2)
    level = np.select([deep_um < 60, deep_um < 130], [6.0 + lamellae, 0.2], -0.2)
    values = (level + rng.normal(0, 0.4, (5, positions, depths))).astype(np.float32)
    line = np.zeros((positions, depths))
    line[:, round(130 / COARSE_STEP_UM)] = strength
    line[:, round(40 / COARSE_STEP_UM)] = strength / 4
    grid = np.stack(np.meshgrid(np.arange(positions), np.arange(depths), indexing="ij"), -1).astype(float)
    found = find_layers(
        Straightened(Strip(grid, COARSE_STEP_UM, 0.0), values, np.ones(line.shape, bool), line)
    )
    assert found is not None
    at_um = float(np.median(found.depth)) * COARSE_STEP_UM
    assert (at_um == pytest.approx(130, abs=3)) is (strength > 0)
    if strength:
        assert float(np.median(found.top)) * COARSE_STEP_UM == pytest.approx(60, abs=6)
