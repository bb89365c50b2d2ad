"""What lies in the image folder: which files become rows, and which are only counted as skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ienfd.errors import UsageError
from ienfd.study.config import is_study

__all__ = ["Discovery", "FoundFile", "discover", "walk"]

_IGNORED_NAMES = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class FoundFile:
    """A file that becomes a row.

    Parameters
    ----------
    path : Path
        Where it lies.
    name : str
        Path relative to the image folder, with `/`, as text that can be stored and printed.
    """

    path: Path
    name: str


@dataclass(frozen=True)
class Discovery:
    """What was found.

    Parameters
    ----------
    root : Path
        The image folder (of a single file: the folder it lies in), absolute.
    scope : str
        Name of the single file, empty for a folder.
    files : tuple of FoundFile
        The rows to be, by name.
    skipped : int
        Files that are no images.
    unreadable : tuple of str
        Folders that could not be listed.
    """

    root: Path
    scope: str
    files: tuple[FoundFile, ...]
    skipped: int = 0
    unreadable: tuple[str, ...] = ()


def discover(
    images: Path,
    *,
    out: Path,
    is_image: Callable[[Path], bool],
    suffixes: Collection[str],
    is_named: Callable[[str], bool] = lambda name: False,
    ready: Collection[Path] | None = None,
) -> Discovery:
    """Find the images in a file or folder.

    Parameters
    ----------
    images : Path
        A file, or a folder that is searched with all its folders.
    out : Path
        The study folder, which is not searched; nor is any other study, nor anything hidden.
    is_image : callable
        Looks into a file without a known suffix.
    suffixes : collection of str
        Known suffixes, in lower case, with their dot.
    is_named : callable
        Whether the case table names this relative path.
    ready : collection of Path, optional
        The only files that are looked at: others are still being written.

    Raises
    ------
    UsageError
        If there is no image, or the study would be written over the images.
    """
    if not images.exists():
        raise UsageError("no_images", f"{images} does not exist")
    place = images.resolve()
    folder = place if place.is_dir() else place.parent
    study = out.resolve()
    if study == folder or study in folder.parents or is_study(folder):
        raise UsageError("out_inside_images", f"images in {folder}, study in {study}")
    if not place.is_dir():
        return Discovery(folder, _text(place.name), (FoundFile(place, _text(place.name)),))

    files: list[FoundFile] = []
    skipped = 0
    unreadable: list[str] = []
    for path, relative in walk(place, study, unreadable.append):
        if ready is not None and path not in ready:
            continue
        if _is_row(path, relative, is_image, suffixes, is_named):
            files.append(FoundFile(path, relative))
        else:
            skipped += 1
    if not files:
        raise UsageError("no_images", f"{images}: {skipped} other files")
    files.sort(key=lambda file: file.name)
    return Discovery(place, "", tuple(files), skipped, tuple(sorted(unreadable)))


def walk(
    folder: Path, study: Path, unreadable: Callable[[str], object] = lambda name: None
) -> Iterator[tuple[Path, str]]:
    """Every file of a folder and its folders, and its name relative to it.

    Not entered are the study, other studies and hidden folders; what cannot be listed is told to
    `unreadable`.
    """
    seen: set[Path] = {folder}
    for here, folders, names in os.walk(
        folder, followlinks=True, onerror=lambda error: unreadable(str(error.filename))
    ):
        at = Path(here)
        folders[:] = sorted(f for f in folders if _enter(at / f, study, seen))
        for name in names:
            yield at / name, _text((at / name).relative_to(folder).as_posix())


def _enter(folder: Path, study: Path, seen: set[Path]) -> bool:
    """Whether a folder is to be searched: not hidden, no study, and not seen before by another way."""
    if folder.name.startswith(".") or is_study(folder):
        return False
    real = folder.resolve()
    if real == study or real in seen:
        return False
    seen.add(real)
    return True


def _is_row(
    path: Path,
    relative: str,
    is_image: Callable[[Path], bool],
    suffixes: Collection[str],
    is_named: Callable[[str], bool],
) -> bool:
    if is_named(relative):
        return True
    if path.name.startswith(".") or path.name.lower() in _IGNORED_NAMES:
        return False
    if path.exists() and not path.is_file():  # a device or a pipe: opening it could wait forever
        return False
    if any(path.name.lower().endswith(suffix) for suffix in suffixes):
        return True
    try:
        return is_image(path)
    except OSError:
        return False  # nothing says that it is an image, and it cannot be looked into


def _text(name: str) -> str:
    """A file name as text: bytes that are no UTF-8 are shown as what they are."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
