"""A section as it came from the microscope: pixels, calibration, channels, identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from numpy.typing import NDArray

__all__ = ["Calibration", "CalibrationSource", "Channel", "ChannelRole", "Identity", "Section"]

_NAMESPACE = UUID("8f0f2f36-9c5e-5d0f-9d3c-6f1f5d1f0b11")


class ChannelRole(StrEnum):
    """What a channel shows."""

    NERVE = "nerve"
    BASEMENT_MEMBRANE = "basement_membrane"
    NUCLEI = "nuclei"
    IGNORE = "ignore"


@dataclass(frozen=True)
class Channel:
    """One channel of a section: its name in the file, if any, and its role, if known."""

    name: str | None = None
    role: ChannelRole | None = None


class CalibrationSource(StrEnum):
    """Where the pixel size came from."""

    OME = "ome"
    IMAGEJ = "imagej"
    TIFF_RESOLUTION = "tiff-resolution"
    APERIO = "aperio"
    CASES = "cases"
    OPTION = "option"
    NONE = "none"


@dataclass(frozen=True)
class Calibration:
    """The size of a pixel, and how much that statement is worth.

    Parameters
    ----------
    pixel_size_um : float or None
        Edge of a (square) pixel in micrometers at full resolution; None when it is not known.
    source : CalibrationSource
        Where the value came from.
    z_step_um : float or None
        Distance between the planes of a stack in micrometers.
    problem : str or None
        Reason code that forbids a density (`ienfd.reasons`), for example `uncalibrated`.
    stated : str
        What the file literally said, for messages ("72 x 72 dpi").
    """

    pixel_size_um: float | None
    source: CalibrationSource = CalibrationSource.NONE
    z_step_um: float | None = None
    problem: str | None = None
    stated: str = ""


@dataclass(frozen=True)
class Identity:
    """What makes a section the same section wherever its file lies.

    Parameters
    ----------
    sha256 : str
        Hex digest of the bytes of the file (of a sorted manifest for a multi-file format).
    scene : int
        Index of the image inside the file.
    region : int
        Index of the region when one scene is split into several sections; 0 otherwise.
    """

    sha256: str
    scene: int = 0
    region: int = 0

    @property
    def section_id(self) -> str:
        """UUID (version 5) of this section."""
        return str(uuid5(_NAMESPACE, f"{self.sha256}/{self.scene}/{self.region}"))


@dataclass(frozen=True, eq=False)
class Section:
    """One stained section.

    Parameters
    ----------
    pixels : (Z, H, W, C) ndarray
        Unsigned integer or float samples. An RGB image has C = 3 and `rgb` true.
    calibration : Calibration
        Pixel size and its source.
    channels : tuple of Channel
        One per sample of the last axis (one of them, without role, for an RGB image).
    rgb : bool
        True when the three samples are red, green, blue of one color image.
    identity : Identity
        Content hash, scene, region.
    name : str
        Name of the file, for messages.
    bit_depth : int or None
        Significant bits of an integer image (12 in a 16-bit container), None for float.
    metadata : mapping
        Whatever else the file says that a person may want to see (`ienfd inspect`).
    """

    pixels: NDArray[Any]
    calibration: Calibration
    channels: tuple[Channel, ...] = (Channel(),)
    rgb: bool = False
    identity: Identity = field(default_factory=lambda: Identity("0" * 64))
    name: str = "section"
    bit_depth: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4:
            raise ValueError(f"pixels must be (Z, H, W, C), not {self.pixels.shape}")
        samples = self.pixels.shape[3]
        if self.rgb and samples != 3:
            raise ValueError(f"an RGB section has three samples per pixel, not {samples}")
        if not self.rgb and len(self.channels) != samples:
            raise ValueError(f"{samples} channels in the pixels, {len(self.channels)} described")

    @property
    def planes(self) -> int:
        """Number of focal planes."""
        return int(self.pixels.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[2])

    @property
    def pixel_size_um(self) -> float:
        """Pixel edge in micrometers; raises ValueError when the section is not calibrated."""
        if self.calibration.pixel_size_um is None:
            raise ValueError(f"{self.name} has no pixel size")
        return self.calibration.pixel_size_um

    def channel_with(self, role: ChannelRole) -> NDArray[Any] | None:
        """(Z, H, W) view of the first channel that has `role`, or None."""
        for index, channel in enumerate(self.channels):
            if not self.rgb and channel.role is role:
                return self.pixels[..., index]
        return None
