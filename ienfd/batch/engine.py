"""The few functions of other rooms that a batch calls, in one value that can be exchanged.

A test puts a stand-in here; a cluster imports the same functions by name. The functions below import
their rooms when they are called, so that a plan can be made without loading image analysis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from ienfd.protocol import Protocol
    from ienfd.result import Findings, SectionResult
    from ienfd.section import Section

__all__ = ["Engine", "count", "describe", "file_sha256", "find", "overlay", "picture", "read"]


def file_sha256(path: Path) -> str:
    """Hash the content of a file; see `ienfd.io.file_sha256`."""
    from ienfd import io

    return io.file_sha256(path)


def describe(path: Path) -> Any:
    """Read the header of a file; see `ienfd.io.describe`."""
    from ienfd import io

    return io.describe(path)


def read(path: Path, **options: Any) -> Section:
    """Read a section; see `ienfd.io.read`."""
    from ienfd import io

    return io.read(path, **options)


def find(section: Section, protocol: Protocol) -> Findings:
    """Look for everything; see `ienfd.analysis.find`."""
    from ienfd import analysis

    return analysis.find(section, protocol)


def count(findings: Findings, protocol: Protocol) -> SectionResult:
    """Apply the counting rules; see `ienfd.analysis.count`."""
    from ienfd import analysis

    return analysis.count(findings, protocol)


def picture(section: Section) -> tuple[NDArray[np.uint8], float]:
    """Render the picture under an overlay; see `ienfd.draw.picture`."""
    from ienfd import draw

    return draw.picture(section)


def overlay(base: NDArray[np.uint8], um_per_px: float, result: SectionResult) -> Image:
    """Draw a result over its picture; see `ienfd.draw.overlay`."""
    from ienfd import draw

    return draw.overlay(base, um_per_px, result)


@dataclass(frozen=True)
class Engine:
    """What a batch does with each section.

    Every function must lie at the top level of a module, so that another process can import it.
    """

    file_sha256: Callable[[Path], str] = file_sha256
    describe: Callable[[Path], Any] = describe
    read: Callable[..., Section] = read
    find: Callable[[Section, Protocol], Findings] = find
    count: Callable[[Findings, Protocol], SectionResult] = count
    picture: Callable[[Section], tuple[NDArray[np.uint8], float]] = picture
    overlay: Callable[[NDArray[np.uint8], float, SectionResult], Image] = overlay
