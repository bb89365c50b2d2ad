"""What this machine needs for something well known, at this moment."""

from __future__ import annotations

import time

import numpy as np
from skimage.filters import sato

__all__ = ["YARDSTICK", "yardstick_seconds"]

YARDSTICK = "skimage.filters.sato, 2048 x 2048 float32, sigmas 1.5, 2.2, 3.2"


def yardstick_seconds(edge: int = 2048) -> float:
    """Seconds that `YARDSTICK` takes, in this process."""
    tile = np.random.default_rng(0).standard_normal((edge, edge), dtype=np.float32)
    start = time.perf_counter()
    sato(tile, sigmas=(1.5, 2.2, 3.2), black_ridges=False)
    return time.perf_counter() - start
