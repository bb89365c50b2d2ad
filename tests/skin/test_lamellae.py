"""Lines along the surface tell thick corneum, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ienfd.result import FloatArray, Piece
from ienfd.section import Calibration, CalibrationSource, Channel, ChannelRole, Section
from ienfd.skin.lamellae import lamellae_end
from ienfd.stain.overview import make_overview, read_overview

SIZE, GLASS_UM = 400, 80
ROWS, COLS = np.indices((SIZE, SIZE))
DEPTH_UM = ROWS - GLASS_UM
CELLS = ndimage.gaussian_filter(np.random.default_rng(7).normal(0, 2000, (SIZE, SIZE)), 2.5)


def end_below_glass(light: FloatArray) -> FloatArray | None:
    """Depths below the glass at which lamellae end, in tissue that is drawn as `light`."""
    drawn = np.where(DEPTH_UM < 0, 40.0, light) + np.random.default_rng(3).normal(0, 4, light.shape)
    section = Section(
        np.clip(drawn, 0, 4000)[None, :, :, None].astype(np.uint16),
        Calibration(1.0, CalibrationSource.OME),
        (Channel("PGP9.5", ChannelRole.NERVE),),
        bit_depth=12,
    )
    cols = np.arange(1.0, SIZE, 2.0)  # tissue lies on the right
    surface, junction = (np.column_stack([np.full(len(cols), GLASS_UM + at), cols]) for at in (0.0, 50.0))
    overview = make_overview(section, read_overview(section), "fluorescence")
    end = lamellae_end(Piece(surface, junction, np.ones(len(cols))), overview)
    return None if end is None else overview.grid.to_image(end)[:, 0] - GLASS_UM


@pytest.mark.parametrize("thickness_um", [60, 150])
def test_they_end_where_cells_begin(thickness_um: int) -> None:
    lamellae = 1000 + 300 * np.sin(ROWS / 9 * 2 * np.pi)
    end = end_below_glass(np.where(thickness_um > DEPTH_UM, lamellae, 800.0 + CELLS))
    assert end is not None
    assert np.abs(end - thickness_um).max() < 15


@pytest.mark.parametrize(
    "light",
    [
        np.full((SIZE, SIZE), 1000.0),
        1000.0 + CELLS,
        1000 + 300 * np.sin(COLS / 9 * 2 * np.pi),  # palisades
        np.where(DEPTH_UM < 20, 1500 + 300 * np.sin(ROWS / 9 * 2 * np.pi), 800.0 + CELLS),  # usual corneum
        np.select([DEPTH_UM < 15, DEPTH_UM < 60], [1500.0, 500.0], 900.0),  # edges of plain layers
    ],
    ids=["plain", "cells", "palisades", "usual corneum", "edges"],
)
def test_where_there_are_none(light: FloatArray) -> None:
    assert end_below_glass(light) is None
