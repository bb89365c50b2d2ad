"""Folds: where tissue lies double."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ienfd.phantom import PhantomSpec, make
from ienfd.phantom.folds import Fold, lay_over

SPEC = PhantomSpec(stain="fluorescence", pixel_size_um=0.8, length_mm=0.5, thickness_um=16.0, planes="single")


def test_a_flap_lies_mirrored_at_its_edge() -> None:
    amount = np.tile(np.arange(40, dtype=np.float32), (6, 1))
    fold = Fold(np.array([3.0, 10.0]), np.array([0.0, 1.0]), 8.0)
    lay_over(amount, (fold,), 1.0)
    # the edge is at column 14: what was at 14 + d lies on 14 - d
    assert amount[2, 14] == pytest.approx(14 + 14)
    assert amount[2, 10] == pytest.approx(10 + 18)
    assert amount[2, 6] == pytest.approx(6 + 22)
    assert (amount[:, 15:] == np.arange(15, 40)).all()
    assert (amount[:, :6] == np.arange(6)).all()


def test_every_color_is_laid_over_on_its_own() -> None:
    amount = np.ones((3, 5, 30), np.float32) * np.array([1, 2, 3], np.float32)[:, None, None]
    lay_over(amount, (Fold(np.array([2.0, 10.0]), np.array([0.0, -1.0]), 6.0),), 0.5)
    assert amount[:, 2, 20] == pytest.approx([2, 4, 6])
    assert amount[:, 2, 5] == pytest.approx([1, 2, 3])


@pytest.mark.parametrize("stain", ["bright-field", "fluorescence"])
def test_a_fold_changes_a_band_and_nothing_of_the_truth(stain: str) -> None:
    plain = make(replace(SPEC, stain=stain, counterstain="hematoxylin"), 3)  # type: ignore[arg-type]
    folded = make(replace(SPEC, stain=stain, counterstain="hematoxylin", folds=1), 3)  # type: ignore[arg-type]
    assert [(c.row, c.col) for c in folded.truth.crossings] == [(c.row, c.col) for c in plain.truth.crossings]
    assert folded.pixels.shape == plain.pixels.shape
    other = np.abs(folded.pixels.astype(float) - plain.pixels).mean(axis=(0, 1, 3))
    if stain == "bright-field":  # nothing but the noise differs beside it
        assert (other > 10).mean() < 0.25
        assert other.max() > 10
        assert folded.pixels.mean() < plain.pixels.mean()
