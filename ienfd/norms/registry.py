"""The norms that come with ienfd, and the forms for those whose figures a laboratory must enter itself."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ienfd.errors import UsageError

if TYPE_CHECKING:
    from ienfd.norms.norm import Norm

__all__ = ["available", "load", "template", "templates"]

_SUFFIX = ".toml"


@cache
def available() -> tuple[str, ...]:
    """Ids of the norms that can call a biopsy, in alphabetical order."""
    names = (entry.name for entry in (files("ienfd.norms") / "data").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load(norm_id: str) -> Norm:
    """The norm of this id.

    Raises
    ------
    UsageError
        `unknown_norm` if there is none.
    """
    from ienfd.norms.reading import parse_norm  # brings pydantic, which `ienfd --help` need not wait for

    if norm_id not in available():
        raise UsageError("unknown_norm", f"{norm_id!r}; there are {', '.join(available())}")
    name = f"{norm_id}{_SUFFIX}"
    return parse_norm((files("ienfd.norms") / "data" / name).read_text(encoding="utf-8"), name)


@cache
def templates() -> tuple[str, ...]:
    """Ids of the norms that there is a form for, in alphabetical order."""
    names = (entry.name for entry in (files("ienfd.norms") / "templates").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def template(norm_id: str) -> str:
    """The form for a norm: its frame and citation, and empty cells.

    Raises
    ------
    UsageError
        `unknown_template` if there is none.
    """
    if norm_id not in templates():
        raise UsageError("unknown_template", f"{norm_id!r}; there are {', '.join(templates())}")
    return (files("ienfd.norms") / "templates" / f"{norm_id}{_SUFFIX}").read_text(encoding="utf-8")
