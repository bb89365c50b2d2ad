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
    """Apply the counting rules; see `ienfd.density.count`."""
    from ienfd import density

    return density.count(findings, protocol)


def picture(section: Section) -> NDArray[np.uint8]:
    """Render the picture under an overlay, (h, w, 3); see `ienfd.draw.picture`."""
    from ienfd import draw

    return draw.picture(section).pixels


def overlay(pixels: NDArray[np.uint8], result: SectionResult, title: str, protocol: Protocol) -> Image:
    """Draw a result over its picture; see `ienfd.draw.overlay`."""
    from ienfd import draw
    from ienfd.skin.lengths import effective_exclusions

    found = result.findings
    scale = (pixels.shape[0] / found.shape[0], pixels.shape[1] / found.shape[1])
    pixel_size_um = found.pixel_size_um
    base = draw.Picture(pixels, scale, None if pixel_size_um is None else pixel_size_um / scale[1])
    exclusions = None
    if pixel_size_um is not None:
        exclusions = effective_exclusions(
            found.pieces,
            found.exclusions,
            pixel_size_um=pixel_size_um,
            cut_edge_um=protocol.counting.cut_edge_um,
        )
    low = protocol.image.junction_confidence_min
    return draw.overlay(base, result, title=title, exclusions=exclusions, low_confidence=low)


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
    picture: Callable[[Section], NDArray[np.uint8]] = picture
    overlay: Callable[[NDArray[np.uint8], SectionResult, str, Protocol], Image] = overlay
