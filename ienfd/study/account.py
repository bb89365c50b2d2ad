"""Who is at the keyboard, and where programs keep what is theirs, as the operating system knows it."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from pathlib import Path

__all__ = ["account", "own_place", "user_data"]


def account() -> str:
    """Account and machine, as in `name@machine`; a part that the system does not know is `unknown`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        name = "unknown"
    return f"{name}@{platform.node() or 'unknown'}"


def user_data() -> Path:
    """Where the system keeps the data of programs for each user.

    Raises
    ------
    RuntimeError
        If the account has no home, as in a container.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = Path(os.environ.get("XDG_DATA_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".local" / "share"


def own_place(variable: str, name: str) -> Path | None:
    """What an environment variable names, else `name` among the user's data; None where neither is."""
    named = os.environ.get(variable)
    if named:
        return Path(named)
    try:
        return user_data() / "ienfd" / name
    except RuntimeError:  # a container's user without a home
        return None
