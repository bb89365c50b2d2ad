"""Samples: their types, palettes, and black for white. Pure functions on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ienfd.errors import UnreadableError

__all__ = ["is_ramp", "normal_dtype", "store"]


def normal_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type in which samples are kept: unsigned or floating, in the order of this machine.

    Signed samples become floating-point numbers that hold them exactly; single bits become bytes.
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "i":
        return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)
    if dtype.kind == "f" and dtype.itemsize < 4:
        return np.dtype(np.float32)
    return dtype.newbyteorder("=")


def is_ramp(palette: NDArray[Any]) -> bool:
    """Whether (3, N) colors only grow with the index: a tint of intensities, not a picture's palette."""
    signed = np.asarray(palette, np.int64)
    return bool((np.diff(signed, axis=1) >= 0).all() and (signed[:, -1] > signed[:, 0]).any())


def store(
    block: NDArray[Any],
    place: NDArray[Any],
    palette: NDArray[np.uint8] | None = None,
    white: float | None = None,
) -> None:
    """Put a decoded block into its place.

    Parameters
    ----------
    block : (h, w, s) ndarray
        Samples as they were decoded; samples beyond those of `place` are dropped.
    place : (h, w, S) ndarray
        Where they go.
    palette : (N, 3) ndarray of uint8, optional
        Colors for the indices in `block`, which are then unsigned integers or bits.
    white : float, optional
        Value of black where zero is white.

    Raises
    ------
    UnreadableError
        `corrupt` if an index lies outside the palette.
    """
    if palette is not None:
        index = block[..., 0].view(np.uint8) if block.dtype == bool else block[..., 0]
        if int(index.max(initial=0)) >= len(palette):
            raise UnreadableError("corrupt", f"a color that is not among the {len(palette)} of the palette")
        place[...] = palette[index]
        return
    samples = block[..., : place.shape[-1]]
    if white is None:
        place[...] = samples
    else:
        np.subtract(place.dtype.type(white), samples, out=place, casting="unsafe")
