"""What the header of a file says, understood but without a pixel decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from ienfd.section import Calibration, Channel

__all__ = ["Described"]


@dataclass(frozen=True)
class Described:
    """One scene of an image file.

    Parameters
    ----------
    format : str
        Name for a person, for example "OME-TIFF".
    axes : str
        Axes as they are stored, slowest first; `?` where the file does not say what they are.
    problem : str or None
        Why no section can be read from it (the detail of `axes_unknown`), None when one can.
    shape : (int, int)
        Height and width in pixels at full resolution.
    planes : int
        Focal planes.
    channels : tuple of Channel
        Names, no roles; a single one for a color image.
    rgb : bool
        Whether it is one color image.
    dtype : str
        Type of the samples once read.
    bit_depth : int or None
        Significant bits, None for floating-point samples.
    calibration : Calibration
        What the file itself says.
    scene, scenes : int
        Which image of the file this is, and how many there are.
    levels : int
        Levels of the pyramid; 1 when there is none.
    metadata : mapping of str to str
        Technical particulars.
    identifying : tuple of str
        Names of what may identify a person and is neither read nor copied.
    """

    format: str
    axes: str
    shape: tuple[int, int]
    planes: int
    channels: tuple[Channel, ...]
    rgb: bool
    dtype: str
    bit_depth: int | None
    calibration: Calibration
    problem: str | None = None
    scene: int = 0
    scenes: int = 1
    levels: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    identifying: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels once read."""
        samples = 3 if self.rgb else len(self.channels)
        return prod((self.planes, *self.shape, samples)) * np.dtype(self.dtype).itemsize
