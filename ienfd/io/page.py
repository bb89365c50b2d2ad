"""A page of an image file, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ienfd.io.calibration import Resolution

__all__ = ["Page", "Plane"]


@dataclass(frozen=True)
class Page:
    """What one directory says.

    Parameters
    ----------
    height, width : int
        In pixels.
    samples : int
        Samples per pixel that are kept: alpha is not.
    stored_samples : int
        Samples per pixel in the file, alpha among them.
    planar : bool
        Whether the samples lie in planes of their own.
    color : {"grey", "rgb", "unknown"}
        Meaning of the samples; `unknown` for red, green, blue and more than one sample besides.
    dtype : numpy.dtype
        Of the samples once read.
    bits : int or None
        Bits per sample, None for floating-point samples.
    reduced : bool
        Whether it calls itself a smaller version of another page, or a mask.
    tiled : bool
    levels : int
        Smaller versions that hang on this page, and itself.
    compression : str
    description : str
    software : str
    resolution : Resolution or None
    identifying : tuple of str
        Names of tags that may identify a person.
    nbytes : int
        Bytes of the page once read.
    segment_bytes : int
        Bytes of the largest strip or tile while it is decoded.
    contiguous : bool
        Whether the samples lie in the file as they are, without gaps.
    labels : tuple of str
        What ImageJ calls the images of a stack, in their order.
    """

    height: int
    width: int
    samples: int
    stored_samples: int
    planar: bool
    color: str
    dtype: np.dtype[Any]
    bits: int | None
    reduced: bool
    tiled: bool
    levels: int
    compression: str
    description: str
    software: str
    resolution: Resolution | None
    identifying: tuple[str, ...]
    nbytes: int
    segment_bytes: int
    contiguous: bool
    labels: tuple[str, ...] = ()

    @property
    def axes(self) -> str:
        """Axes of the page as it is stored, slowest first."""
        if self.samples == 1:
            return "YX"
        letter = "?" if self.color == "unknown" else "S"
        return f"{letter}YX" if self.planar else f"YX{letter}"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Their sizes."""
        if self.samples == 1:
            return self.height, self.width
        plane = (self.height, self.width)
        return (self.samples, *plane) if self.planar else (*plane, self.samples)


@dataclass(frozen=True)
class Plane:
    """Where a plane lies: a page, or one of several images that follow each other after a single page."""

    page: int
    repeat: int = 0
