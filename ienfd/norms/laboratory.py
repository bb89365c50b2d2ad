"""The norms of a laboratory: files in a folder of its own, entered by a person and stamped.

A file there that was changed after it was entered, or that nobody entered, is not used.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import ienfd
from ienfd.errors import EnvironmentProblem, UsageError
from ienfd.norms.norm import Entered, Norm
from ienfd.norms.registry import available, load
from ienfd.study.account import account, own_place

__all__ = ["FOLDER_VARIABLE", "Entry", "OwnNorm", "enter", "find", "norm_folder", "own_norms", "write_norm"]

FOLDER_VARIABLE = "IENFD_NORMS"
_SUFFIX = ".toml"
_FORMER = "former"
_HASH_SHOWN = 12


@dataclass(frozen=True)
class OwnNorm:
    """A file in the norm folder.

    Parameters
    ----------
    path : Path
        The file.
    norm : Norm or None
        What it says; None where it may not be used.
    text : str
        All of it.
    problem : UsageError or None
        Why it may not be used.
    """

    path: Path
    norm: Norm | None
    text: str = ""
    problem: UsageError | None = None


@dataclass(frozen=True)
class Entry:
    """A norm that was entered, its file, and where the one that it replaced is kept.

    `fresh` is False when the same figures had been entered before: then nothing was written.
    """

    norm: Norm
    path: Path
    former: Path | None = None
    fresh: bool = True


def norm_folder() -> Path | None:
    """The folder of the laboratory's norms: of IENFD_NORMS, or the user's own; None where neither is."""
    return own_place(FOLDER_VARIABLE, "norms")


def own_norms() -> tuple[OwnNorm, ...]:
    """All norms of the laboratory by id, those that may not be used among them."""
    folder = norm_folder()
    if folder is None or not folder.is_dir():
        return ()
    return tuple(_own(path) for path in sorted(folder.glob(f"*{_SUFFIX}")) if path.is_file())


def find(norm_id: str) -> Norm:
    """The norm of this id, of those that come with ienfd and those of the laboratory.

    Raises
    ------
    UsageError
        `unknown_norm` if there is none; the reason of its file if it may not be used.
    """
    if norm_id in available():
        return load(norm_id)
    own = own_norms()
    for one in own:
        if one.path.stem == norm_id:
            if one.norm is None:
                raise one.problem or UsageError("norm_invalid", str(one.path))
            return one.norm
    there = [*available(), *(one.path.stem for one in own if one.norm is not None)]
    raise UsageError("unknown_norm", f"{norm_id!r}; there are {', '.join(sorted(there))}")


def enter(path: Path, *, by: str, replacing: bool = False) -> Entry:
    """Check a norm file, stamp it, and keep it among the norms of the laboratory.

    Parameters
    ----------
    path : Path
        The file, filled in by a person.
    by : str
        Who enters it.
    replacing : bool
        Whether it may take the place of another norm of its id, which is then kept under its hash.

    Raises
    ------
    UsageError
        `norm_invalid` with every problem, `norm_exists`, or that nobody is named.
    EnvironmentProblem
        If the folder cannot be written.
    """
    from ienfd.norms.checking import checked
    from ienfd.norms.reading import parse_norm, read_text, toml_values
    from ienfd.norms.writing import stamped

    name = " ".join(by.split())
    if not name.isprintable() or not name:
        raise UsageError("option_invalid", "--by: name the person who enters the norm")
    form, problems = checked(toml_values(read_text(path), str(path)))
    if form is None or problems:
        raise UsageError("norm_invalid", "\n".join([f"{path}:", *(f"  {text}" for text in problems)]))
    target = _target(form.id)
    norm = form.norm()
    former = None
    if target.exists():
        there = _own(target)
        if there.norm is not None and there.norm.sha256 == norm.sha256:
            return Entry(there.norm, target, fresh=False)
        if not replacing:
            raise UsageError("norm_exists", f"{target}{_entered_by(there.norm)}")
        former = _keep_former(target)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entered = Entered(name, account(), now, ienfd.__version__, norm.sha256)
    text = stamped(form, entered)
    if parse_norm(text, str(target)) != replace(norm, entered=entered):
        raise ValueError(f"{form.id} is not read again as it was written")
    write_norm(target, text.encode())
    return Entry(replace(norm, entered=entered), target, former)


def write_norm(path: Path, data: bytes) -> None:
    """Write a file about norms so that it is there with all its content, or as it was before.

    Raises
    ------
    EnvironmentProblem
        If it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise EnvironmentProblem("norm_not_written", f"{path}: {error.strerror or error}") from error


def _own(path: Path) -> OwnNorm:
    from ienfd.norms.reading import parse_norm, read_text

    try:
        text = read_text(path)
        norm = parse_norm(text, str(path))
    except UsageError as error:
        return OwnNorm(path, None, problem=error)
    if norm.id != path.stem or norm.id in available():
        said = f"{path}: the norm in it is called {norm.id}"
        return OwnNorm(path, None, text, UsageError("norm_invalid", said))
    if not norm.intact:
        return OwnNorm(path, None, text, UsageError("norm_altered", str(path)))
    return OwnNorm(path, norm, text)


def _target(norm_id: str) -> Path:
    folder = norm_folder()
    if folder is None:
        raise UsageError("option_invalid", f"this account has no home: name a folder in {FOLDER_VARIABLE}")
    return folder / f"{norm_id}{_SUFFIX}"


def _entered_by(norm: Norm | None) -> str:
    if norm is None or norm.entered is None:
        return ""
    return f", entered by {norm.entered.by}, {norm.entered.at[:10]}"


def _keep_former(path: Path) -> Path:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EnvironmentProblem("norm_not_written", f"{path}: {error.strerror or error}") from error
    shown = hashlib.sha256(data).hexdigest()[:_HASH_SHOWN]
    former = path.parent / _FORMER / f"{path.stem}-{shown}{_SUFFIX}"
    write_norm(former, data)
    return former
