"""The fast blur is the usual one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ienfd.stain.blur import wide_blur, wide_mean


@pytest.mark.parametrize(("shape", "sigma"), [((60, 97), 4.0), ((20, 31), 15.0), ((1, 7), 2.0)])
def test_the_fast_blur_is_the_usual_one(shape: tuple[int, int], sigma: float) -> None:
    image = np.random.default_rng(1).random(shape, dtype=np.float32)
    usual = ndimage.gaussian_filter(image, sigma, truncate=3)
    assert wide_blur(image, sigma) == pytest.approx(usual, abs=1e-5)


def test_a_mean_over_chosen_places_knows_nothing_of_the_others() -> None:
    rows, cols = np.indices((60, 80))
    where = cols < 40
    image = np.where(where, 5.0, 1e6).astype(np.float32)
    found = wide_mean(where, 8.0)(image)
    assert found[where] == pytest.approx(5.0, abs=1e-3)
    assert found[rows == 30][45] == pytest.approx(5.0, abs=1e-2)
