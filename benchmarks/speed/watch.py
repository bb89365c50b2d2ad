"""A command as a process of its own: how long it took, and the memory of all its processes."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

__all__ = ["Watched", "watch"]

_EVERY_S = 0.02


@dataclass(frozen=True)
class Watched:
    """What a command took.

    Parameters
    ----------
    seconds : float
        Wall time from start to end.
    cpu_seconds : float
        Processor time of the process and all its descendants, as far as it was seen every 20 ms; on a busy
        machine it tells more than the wall time.
    peak_bytes : int
        Largest sum of resident memory of all of them; what they share counts for each.
    output : str
        What it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def watch(command: Sequence[str]) -> Watched:
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        If its exit status is not 0, with what it printed.
    """
    with tempfile.TemporaryFile() as printed:
        start = time.perf_counter()
        running = psutil.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
        peak, cpu = 0, dict[int, float]()
        while running.poll() is None:
            peak = max(peak, _look(running, cpu))
            time.sleep(_EVERY_S)
        seconds = time.perf_counter() - start
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    if running.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {running.returncode}:\n{output}")
    return Watched(seconds, sum(cpu.values()), peak, output)


def _look(process: psutil.Process, cpu: dict[int, float]) -> int:
    """Resident bytes of all processes at this moment; their processor time so far goes into `cpu`."""
    resident = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        try:
            resident += member.memory_info().rss
            times = member.cpu_times()
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # ended between two looks
            continue
        cpu[member.pid] = times.user + times.system
    return resident
