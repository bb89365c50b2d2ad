"""Samples: their types, palettes, and black for white. Pure functions on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        Colors for the indices in `block`.
    white : float, optional
        Value of black where zero is white.
    """
    if palette is not None:
        place[...] = palette[block[..., 0]]
        return
    samples = block[..., : place.shape[-1]]
    if white is None:
        place[...] = samples
    else:
        np.subtract(place.dtype.type(white), samples, out=place, casting="unsafe")
