"""Hybrids: real tissue with drawn fibers, whose truth turns with the image."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.hybrids.tissue import COUNTERSTAINS, Hybrid, Tissue, make, read_tissue, with_counterstain
from ienfd.geometry import Projector


@pytest.fixture(scope="module")
def tissue() -> Tissue:
    return read_tissue()


@pytest.fixture(scope="module")
def hybrids(tissue: Tissue) -> list[Hybrid]:
    return [make(tissue, seed) for seed in range(6)]


def test_crossings_lie_on_the_traced_junction(hybrids: list[Hybrid]) -> None:
    for hybrid in hybrids:
        seen = Projector(hybrid.junction_px)(hybrid.crossings_px)
        assert len(seen.signed) >= 3
        assert np.abs(seen.signed).max() * hybrid.pixel_size_um < 1.0
        assert not seen.beyond.any()


def test_at_a_crossing_the_image_is_darker_than_the_tissue(tissue: Tissue, hybrids: list[Hybrid]) -> None:
    for hybrid in hybrids:
        bare = with_counterstain(tissue.pixels, *COUNTERSTAINS[hybrid.counterstain])
        rows, cols = np.rint(hybrid.crossings_px).astype(int).T
        assert (hybrid.pixels[rows, cols, 2] < np.median(bare[..., 2])).mean() > 0.8
        assert hybrid.pixels.mean() < bare.mean()


def test_the_same_seed_gives_the_same_pixels(tissue: Tissue, hybrids: list[Hybrid]) -> None:
    assert np.array_equal(make(tissue, 2).pixels, hybrids[2].pixels)
    assert {hybrid.counterstain for hybrid in hybrids} == set(COUNTERSTAINS)
    assert len({hybrid.pixels.shape for hybrid in hybrids}) == 2  # turned this way and that


def test_all_of_both_dyes_is_the_tissue_as_it_is(tissue: Tissue) -> None:
    small = tissue.pixels[::16, ::16]
    assert np.abs(with_counterstain(small, 1.0, 1.0) - np.maximum(small, 1)).max() < 1e-6
    assert with_counterstain(small, 0.3, 0.1).mean() > small.mean() + 10
