"""Densities and how sure they are; nothing here sees an image."""

from __future__ import annotations

from ienfd.statistics.poisson import expected_interval, poisson_interval
from ienfd.statistics.sampling import SETTLE_AT_MOST, sections_to_settle

__all__ = ["SETTLE_AT_MOST", "expected_interval", "poisson_interval", "sections_to_settle"]
