"""The counting rules as data and pure functions on fibers and junctions; nothing here sees an image."""

from __future__ import annotations

from ienfd.counting.count import count_crossings
from ienfd.counting.find import Candidates, find_all

__all__ = ["Candidates", "count_crossings", "find_all"]
