"""`study.toml`: what makes a folder a study, and where its database is.

The file is written once, by the first run. Credentials never stand in it: those of a server come
from `IENFD_DATABASE_USER` and `IENFD_DATABASE_PASSWORD`, or from the server's own client files.
"""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ienfd.errors import EnvironmentProblem, UsageError

__all__ = [
    "CONFIG_NAME",
    "StudyConfig",
    "create_private",
    "create_study",
    "is_shared",
    "is_study",
    "make_folder",
    "read_config",
]

CONFIG_NAME = "study.toml"
_FORMAT = 1
_TEMPLATE = """\
# A study of ienfd. The database holds the cases, results, edits and signatures;
# the tables and overlays beside it are written anew from it.
format = 1

# A file in this folder, or a server: "postgresql://host/name".
# User and password are never written here: set IENFD_DATABASE_USER and IENFD_DATABASE_PASSWORD.
database = "study.sqlite"
"""


@dataclass(frozen=True)
class StudyConfig:
    """What `study.toml` says.

    Parameters
    ----------
    folder : Path
        The study folder.
    database : str
        Name of a file in the folder, or the URL of a server.
    """

    folder: Path
    database: str = "study.sqlite"

    @property
    def is_file(self) -> bool:
        """Whether the database is a file rather than a server."""
        return "://" not in self.database

    @property
    def file(self) -> Path:
        """The database file."""
        return self.folder / self.database

    @property
    def where(self) -> str:
        """The database, as a message names it."""
        return str(self.file) if self.is_file else self.database


def is_study(folder: Path) -> bool:
    """Whether `folder` is a study."""
    return (folder / CONFIG_NAME).is_file()


def read_config(folder: Path) -> StudyConfig:
    """Read `study.toml`.

    Raises
    ------
    UsageError
        If the folder is no study, its file is not valid, or comes from a newer version.
    """
    path = folder / CONFIG_NAME
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError("not_a_study", str(folder)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError("not_a_study", f"{path}: {error}") from error
    written_by = values.get("format", _FORMAT)
    if not isinstance(written_by, int) or written_by > _FORMAT:
        raise UsageError("study_newer", f"{path}: format {written_by}")
    database = values.get("database", StudyConfig(folder).database)
    if not isinstance(database, str) or not database:
        raise UsageError("not_a_study", f"{path}: database must be a file name or a URL")
    if "://" in database and "@" in database:
        raise UsageError("not_a_study", f"{path}: database may not hold a user or password")
    return StudyConfig(folder, database)


def create_study(folder: Path, *, shared: bool = False) -> StudyConfig:
    """Make `folder` a study, for its owner only; an existing study is left as it is.

    Parameters
    ----------
    folder : Path
        The study folder; its parents are made, too.
    shared : bool
        Let the group of a new folder use it, too: what is made in it belongs to that group.

    Raises
    ------
    EnvironmentProblem
        If the folder cannot be written.
    """
    if is_study(folder):
        return read_config(folder)
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
            if shared:
                folder.chmod(0o2770)
        (folder / CONFIG_NAME).write_text(_TEMPLATE, encoding="utf-8", newline="\n")
    except OSError as error:
        raise EnvironmentProblem("cannot_write", f"{folder}: {error.strerror or error}") from error
    return read_config(folder)


def is_shared(folder: Path) -> bool:
    """Whether the group of a study folder may write to it, too."""
    return os.name == "posix" and bool(folder.stat().st_mode & stat.S_IWGRP)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, as the study that it lies in: shared with its group, or not."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if is_shared(folder.parent):
        folder.chmod(0o2770)


def create_private(path: Path, *, shared: bool = False) -> None:
    """Create an empty file for its owner only, or for its group, too; an existing one is left as it is.

    SQLite gives its journal files the permissions of the database, so this covers them, too. On
    Windows the folder's own access list decides.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    if shared:
        path.chmod(0o660)
