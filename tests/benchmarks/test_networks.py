"""Views to learn from are those of the junction that the section itself told."""

from __future__ import annotations

import numpy as np

from benchmarks.networks.junction_views import as_found
from ienfd.skin.learned import STEP_UM, seen
from ienfd.skin.strip import make_strip

ALONG, HALF_UM = 200, 56.0


def test_who_only_looks_leaves_the_junction_where_it_was_found() -> None:
    along = np.arange(ALONG)
    found = np.column_stack([along, HALF_UM + 30 * np.sin(along / 25)])
    line = np.column_stack([np.full(ALONG + 1, 100.0), np.arange(ALONG + 1, dtype=float)])
    strip = make_strip(line, 1.0, above_um=HALF_UM, below_um=HALF_UM, step_um=STEP_UM, down=1)
    shape = strip.positions.shape[:2]
    everywhere, even = np.ones(shape, bool), np.zeros(shape)
    view = seen(strip, even.astype(np.float32)[None], everywhere, ~everywhere, even, found)
    assert np.abs(as_found(view)[:ALONG, 1] - found[:, 1]).max() <= 0.5
