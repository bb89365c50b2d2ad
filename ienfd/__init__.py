"""Counts intraepidermal nerve fibers in skin biopsies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Protocol", "Section", "SectionResult", "__version__", "analyze", "read"]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ienfd.analysis import analyze
    from ienfd.io import read
    from ienfd.protocol import Protocol
    from ienfd.result import SectionResult
    from ienfd.section import Section

_HOME = {
    "Protocol": "ienfd.protocol",
    "Section": "ienfd.section",
    "SectionResult": "ienfd.result",
    "analyze": "ienfd.analysis",
    "read": "ienfd.io",
}


def __getattr__(name: str) -> Any:
    """Import public names on first use, so that `ienfd --help` answers at once."""
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
