"""Files of a study beside its database: pictures, overlays, the log."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from ienfd.errors import EnvironmentProblem
from ienfd.study.config import create_private, is_shared, make_folder

__all__ = ["StudyFiles", "overlay_name", "overlay_title", "study_log", "write_atomic"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_OVERLAY = re.compile(r".+_[0-9a-f]{8}\.png")
_STEM_LENGTH = 80
_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def overlay_name(path: str, section_id: str, scene: int = 0) -> str:
    """Name of the overlay of a section: the stem of its file, made safe, and the start of its id.

    >>> overlay_name("left leg/5 A.ome.tif", "0b7c1d2e-...")
    '5_A_0b7c1d2e.png'
    """
    stem = PurePosixPath(path).name.split(".")[0]
    safe = _UNSAFE.sub("_", stem).strip("._-")[:_STEM_LENGTH] or "section"
    return f"{safe}{f'_scene{scene}' if scene else ''}_{section_id[:8]}.png"


def overlay_title(path: str, scene: int, *names: str) -> str:
    """First line of an overlay: the file, its scene, and the names of its case and biopsy.

    >>> overlay_title("a.svs", 1, "P1", "P1-left")
    'a.svs, scene 1  |  P1  |  P1-left'
    """
    said = "".join(f"  |  {name}" for name in dict.fromkeys(names) if name and name != path)
    return f"{path}{f', scene {scene}' if scene else ''}{said}"


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that it is there with all its content, or as it was before.

    Raises
    ------
    EnvironmentProblem
        If it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        make_folder(path.parent)
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise EnvironmentProblem("cannot_write", _why_not_written(path, error)) from error


def _why_not_written(path: Path, error: OSError) -> str:
    why = f"{path}: {error.strerror or error}"
    if isinstance(error, PermissionError) and path.exists():
        # Windows does not let a file be replaced that a program, above all a spreadsheet, holds open
        return f"{why}; if it is open in another program, close it there and run again: nothing is lost"
    return why


class StudyFiles:
    """The pictures and overlays of a study.

    Parameters
    ----------
    folder : Path
        The study folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.overlays = folder / "overlays"
        self.pictures = folder / "pictures"

    def picture(self, section_id: str) -> Path:
        """Where the picture under the overlay of a section is."""
        return self.pictures / f"{section_id}.jpg"

    def read_picture(self, section_id: str) -> bytes | None:
        """The stored picture, None when it is gone."""
        try:
            return self.picture(section_id).read_bytes()
        except OSError:
            return None

    def overlay(self, path: str, section_id: str, scene: int = 0) -> Path:
        """Where the overlay of a row is."""
        return self.overlays / overlay_name(path, section_id, scene)

    def keep_overlays(self, wanted: Iterable[Path]) -> None:
        """Remove overlays that belong to no row any more; files of other names are left alone."""
        keep = {path.name for path in wanted}
        if not self.overlays.is_dir():
            return
        for path in self.overlays.iterdir():
            if _OVERLAY.fullmatch(path.name) and path.name not in keep:
                with suppress(PermissionError):  # a viewer holds it open: the next run removes it
                    path.unlink(missing_ok=True)


class _LogFile(logging.FileHandler):
    """A log that stops nothing when it cannot be written: what stands in the way is said elsewhere."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Let the line go."""


@contextmanager
def study_log(folder: Path) -> Iterator[logging.Logger]:
    """The logger of a run, which writes to `ienfd.log` in the study."""
    logger = logging.getLogger("ienfd.batch")
    try:
        file = folder / "ienfd.log"
        create_private(file, shared=is_shared(folder))
        handler = _LogFile(file, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise EnvironmentProblem("cannot_write", f"{folder}: {error.strerror or error}") from error
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    former, logger.propagate = (logger.level, logger.propagate), False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        logger.setLevel(former[0])
        logger.propagate = former[1]
        with suppress(OSError):  # on a full disk
            handler.close()
