"""Whether a confidence means what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Bin", "calibration", "calibration_error"]


@dataclass(frozen=True)
class Bin:
    """Candidates of like confidence: how many, their mean confidence, and the share that is right."""

    candidates: int
    confidence: float
    right: float


def calibration(confidence: ArrayLike, right: ArrayLike, bins: int = 10) -> list[Bin]:
    """How often candidates are right, by the confidence given to them; empty bins are left out.

    Parameters
    ----------
    confidence : (N,) array_like of float
        From 0 to 1.
    right : (N,) array_like of bool
        Whether each is right.
    bins : int
        Equally wide parts of the range.
    """
    given, is_right = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=bool)
    number = np.minimum((given * bins).astype(int), bins - 1)
    return [
        Bin(int(mine.sum()), float(given[mine].mean()), float(is_right[mine].mean()))
        for k in range(bins)
        if (mine := number == k).any()
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: mean distance of confidence and share, by the number of candidates."""
    total = sum(each.candidates for each in bins)
    if not total:
        return float("nan")
    return sum(each.candidates * abs(each.confidence - each.right) for each in bins) / total
