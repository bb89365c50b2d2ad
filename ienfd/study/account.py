"""Who is at the keyboard, as the operating system knows it."""

from __future__ import annotations

import getpass
import platform

__all__ = ["account"]


def account() -> str:
    """Account and machine, as in `name@machine`; a part that the system does not know is `unknown`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        name = "unknown"
    return f"{name}@{platform.node() or 'unknown'}"
