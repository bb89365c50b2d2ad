"""Where tissue reaches the image border, its outline goes on along it, if that is nearly its direction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ienfd.skin.outline import Outline, trace_outlines

SIZE = 300


def outlines_of(tissue: np.ndarray) -> tuple[Outline, ...]:
    return trace_outlines(ndimage.gaussian_filter(tissue.astype(np.float32), 2.0, mode="nearest"), 1.0)


def test_a_piece_amid_glass_has_one_closed_outline() -> None:
    rows, cols = np.indices((SIZE, SIZE)) - SIZE / 2
    (outline,) = outlines_of(np.hypot(rows, cols) < 100)
    assert outline.closed
    assert not outline.on_border.any()
    assert np.allclose(np.hypot(*(outline.points - SIZE / 2).T), 100, atol=1)


def test_tissue_that_runs_out_of_the_image_ends_there() -> None:
    rows, _ = np.indices((SIZE, SIZE))
    outlines = outlines_of(rows > 100)
    (glass,) = [outline for outline in outlines if not outline.on_border.any()]
    assert not glass.closed
    assert np.allclose(glass.points[:, 0], 100.5, atol=0.6)
    assert sorted(glass.points[[0, -1], 1]) == [0, SIZE - 1]
    assert all(outline.on_border.all() for outline in outlines if outline is not glass)


def test_a_surface_that_leaves_the_image_and_returns_is_one_outline() -> None:
    rows, cols = np.indices((SIZE, SIZE))
    outlines = outlines_of(rows > 40 - 60 * np.exp(-(((cols - SIZE / 2) / 50) ** 2)))
    (outline,) = [outline for outline in outlines if 0 < outline.on_border.mean() < 1]
    assert sorted(outline.points[[0, -1], 1]) == [0, SIZE - 1]
    border = outline.points[outline.on_border]
    assert np.allclose(border[:, 0], 0)
    assert np.ptp(border[:, 1]) > 50


@pytest.mark.parametrize(("angle_deg", "goes_on"), [(15, True), (35, False), (55, False)])
def test_tissue_cut_across_by_the_border_ends_there(angle_deg: float, goes_on: bool) -> None:
    rows, cols = np.indices((SIZE, SIZE))
    outlines = outlines_of(rows > 60 - np.tan(np.deg2rad(angle_deg)) * (cols - 20))
    (surface,) = [outline for outline in outlines if not outline.on_border.all()]
    assert surface.on_border.any() == goes_on


def test_a_surface_that_goes_on_along_the_border_may_do_so_beside_a_dent() -> None:
    rows, cols = np.indices((SIZE, SIZE))
    dent = 22 * np.exp(-(((cols - 190) / 14) ** 2))
    outlines = outlines_of(rows > 0.25 * (200 - cols) + dent)
    (surface,) = [outline for outline in outlines if not outline.on_border.all()]
    assert surface.on_border.any()


def test_glass_alone_has_no_outline() -> None:
    assert outlines_of(np.zeros((SIZE, SIZE))) == ()
