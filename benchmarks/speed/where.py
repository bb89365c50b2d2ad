"""Where the time of an analysis goes."""

from __future__ import annotations

import cProfile
import pstats
import time
from pathlib import Path

import ienfd
from ienfd.analysis import find
from ienfd.protocol import Protocol

__all__ = ["print_where"]

_LINES = 50


def print_where(image: Path) -> None:
    """Print the functions in which `find` spends its time, by the time under them and in them."""
    section = ienfd.read(image)
    profile = cProfile.Profile(time.process_time)  # other processes do not count
    profile.runcall(find, section, Protocol())
    stats = pstats.Stats(profile)
    stats.strip_dirs()
    stats.sort_stats("cumulative").print_stats(_LINES)
    stats.sort_stats("tottime").print_stats(_LINES // 2)
