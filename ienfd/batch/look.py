"""A first look at a file, for the plan: its content hash and what its header says.

It runs in a worker process, like everything that touches a file of unknown origin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ienfd.batch.engine import Engine
from ienfd.batch.jobs import Failure
from ienfd.batch.tasks import FileStamp
from ienfd.errors import RefusedError, UnreadableError

__all__ = ["FileLook", "LookTask", "look"]

_BASE_BYTES = 300 * 2**20  # an interpreter with the libraries
_BYTES_PER_PIXEL = 28  # working arrays of the analysis, for each pixel of one plane


@dataclass(frozen=True)
class LookTask:
    """A file to be looked at."""

    path: Path
    axes: str | None = None
    engine: Engine = field(default_factory=Engine)


@dataclass(frozen=True)
class FileLook:
    """What was seen.

    Parameters
    ----------
    sha256 : str or None
        Content; None when it cannot be read at all.
    stamp : FileStamp or None
        Size and time when it was hashed.
    pixel_size_um : float or None
        Pixel size that the file states and that can be believed.
    pixel_size_source : str
        Where it says so.
    memory_bytes : int
        What its analysis is expected to take.
    scenes : int
        Images in the file.
    failure : Failure or None
        Why it cannot be read.
    """

    sha256: str | None = None
    stamp: FileStamp | None = None
    pixel_size_um: float | None = None
    pixel_size_source: str = "none"
    memory_bytes: int = _BASE_BYTES
    scenes: int = 1
    failure: Failure | None = None


def look(task: LookTask) -> FileLook:
    """Hash a file and read its header."""
    try:
        stamp = FileStamp.of(task.path)
        sha256 = task.engine.file_sha256(task.path)
    except OSError as error:
        return FileLook(failure=Failure("file_vanished", error.strerror or str(error)))
    try:
        seen = task.engine.describe(task.path)
    except UnreadableError as error:
        return FileLook(sha256, stamp, failure=Failure(error.code, error.detail))
    except RefusedError:
        return FileLook(sha256, stamp)  # reading it will say the same, with all its particulars
    except OSError as error:
        return FileLook(sha256, stamp, failure=Failure("file_vanished", error.strerror or str(error)))
    calibration = seen.calibration
    return FileLook(
        sha256,
        stamp,
        pixel_size_um=None if calibration.problem else calibration.pixel_size_um,
        pixel_size_source=calibration.source.value,
        memory_bytes=_memory_bytes(seen),
    )


def _memory_bytes(seen: Any) -> int:
    height, width = seen.shape
    return int(_BASE_BYTES + seen.nbytes + _BYTES_PER_PIXEL * height * width)
