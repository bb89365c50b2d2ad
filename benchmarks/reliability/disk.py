"""A disk that is full: a clear error, a study that opens, and the same tables once there is room again."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reliability.kills import study_state
from ienfd.study.store import Store

__all__ = ["Full", "can_mount", "fill_disks"]

_ENVIRONMENT = 1  # exit status


@dataclass(frozen=True)
class Full:
    """What became of batches on disks that were too small.

    Parameters
    ----------
    disks : int
        Disks that were tried, and found too small.
    unclear : int
        Of these, those on which the batch ended without saying what is wrong.
    broken : int
        Those whose study could not be opened or went on wrongly once there was room.
    """

    disks: int
    unclear: int
    broken: int


def can_mount() -> bool:
    """Whether this machine lets us make small disks."""
    return sys.platform == "linux" and os.geteuid() == 0


def fill_disks(images: Path, room: Path, sizes_kib: list[int]) -> Full:
    """Run a batch of `images` on a disk of each size, then again with room enough."""
    undisturbed = room / "undisturbed"
    _run(images, undisturbed)
    wanted = study_state(undisturbed)
    disks = unclear = broken = 0
    for size in sizes_kib:
        disk = room / f"disk-{size}"
        disk.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(disk))
        try:
            ended = _run(images, disk / "study")
            if ended.returncode == 0:
                continue
            disks += 1
            said = "cannot be written" in ended.stderr or "database of the study" in ended.stderr
            unclear += ended.returncode != _ENVIRONMENT or not said or "Traceback" in ended.stderr
            _mount("-o", "remount,size=200m", str(disk))
            again = _run(images, disk / "study")
            broken += again.returncode != 0 or study_state(disk / "study") != wanted
            Store(disk / "study").close()
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    return Full(disks, unclear, broken)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _run(images: Path, study: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ienfd", "run", str(images), "--out", str(study), "--workers", "2"]
    return subprocess.run([*command, "--progress", "none"], check=False, capture_output=True, text=True)
