"""What a second worker is worth, and what is spent on anything but the sections."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Scaled", "scale"]


@dataclass(frozen=True)
class Scaled:
    """A batch with one worker and with two.

    Parameters
    ----------
    sections : int
        How many there were.
    one_s, two_s : float
        Seconds from begin to end, imports included.
    gain : float
        How many times faster two are.
    other_share : float
        Share of the time with one worker that was not spent in reading, analyzing, counting and drawing:
        starting, planning, the store, the tables.
    """

    sections: int
    one_s: float
    two_s: float
    gain: float
    other_share: float


def scale(images: Path, room: Path) -> Scaled:
    """Run a batch of `images` with one worker and with two."""
    one_s, last = _run(images, room / "one", 1)
    two_s, _ = _run(images, room / "two", 2)
    worked = sum(last["seconds"][stage] for stage in ("read", "find", "count", "draw"))
    share = 1 - worked / last["wall_seconds"]
    return Scaled(
        last["analyzed"], round(one_s, 1), round(two_s, 1), round(one_s / two_s, 2), round(share, 3)
    )


def _run(images: Path, study: Path, workers: int) -> tuple[float, dict[str, Any]]:
    command = [sys.executable, "-m", "ienfd", "run", str(images), "--out", str(study)]
    begin = time.perf_counter()
    done = subprocess.run(
        [*command, "--workers", str(workers), "--progress", "json"],
        check=True,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - begin, json.loads(done.stdout.splitlines()[-1])
