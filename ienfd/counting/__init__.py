"""The counting rules as data and pure functions on fibers and junctions; nothing here sees an image."""

from __future__ import annotations

from ienfd.counting.conventions import AS_PROTOCOL, Convention, conventions
from ienfd.counting.count import count_crossings
from ienfd.counting.find import Candidates, find_all

__all__ = ["AS_PROTOCOL", "Candidates", "Convention", "conventions", "count_crossings", "find_all"]
