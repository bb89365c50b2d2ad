"""The counting rules as data and pure functions on fibers and junctions; nothing here sees an image."""

from __future__ import annotations

from ienfd.counting.conventions import AS_PROTOCOL, Convention, conventions
from ienfd.counting.count import Candidates, count_crossings, find_all

__all__ = ["AS_PROTOCOL", "Candidates", "Convention", "conventions", "count_crossings", "find_all"]
