"""Random smooth functions and polylines measured in micrometers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

__all__ = ["FloatArray", "left_normals", "polyline_length", "resample", "smooth_noise", "smooth_polyline"]

FloatArray = NDArray[np.float64]


def smooth_noise(rng: np.random.Generator, size: int, correlation: float) -> FloatArray:
    """Gaussian noise of unit variance and the given correlation length in samples.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    size : int
        Number of samples.
    correlation : float
        Standard deviation, in samples, of the kernel that smooths white noise.

    Returns
    -------
    (size,) ndarray of float
        Noise with the statistics of an infinite one cut to length (no edge effects).
    """
    pad = int(np.ceil(4 * correlation))
    white = rng.standard_normal(size + 2 * pad)
    smooth = gaussian_filter1d(white, correlation)[pad : pad + size]
    # variance of a Gaussian-filtered white noise: 1 / (2 sqrt(pi) sigma)
    return np.asarray(smooth * np.sqrt(2.0 * np.sqrt(np.pi) * max(correlation, 0.3)), dtype=np.float64)


def polyline_length(points: FloatArray) -> float:
    """Length of an (N, D) polyline in the unit of its coordinates."""
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def resample(points: FloatArray, step: float) -> FloatArray:
    """Resample an (N, D) polyline at an even arc length close to `step`; both ends are kept."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = max(2, int(np.ceil(arc[-1] / step)) + 1)
    at = np.linspace(0.0, arc[-1], count)
    return np.stack([np.interp(at, arc, column) for column in points.T], axis=1)


def smooth_polyline(points_um: FloatArray, sigma_um: float) -> FloatArray:
    """Smooth a polyline along its arc length with a Gaussian of standard deviation `sigma_um`.

    The ends stay where they are: the curve is continued beyond them by point reflection.

    Parameters
    ----------
    points_um : (N, 2) ndarray of float
        Polyline in micrometers.
    sigma_um : float
        Standard deviation of the kernel in micrometers.

    Returns
    -------
    (M, 2) ndarray of float
        Smoothed polyline with a vertex every micrometer.
    """
    even = resample(points_um, 1.0)
    if len(even) < 3:
        return even
    step = polyline_length(even) / (len(even) - 1)
    pad = int(np.ceil(4 * sigma_um / step))
    out = np.empty_like(even)
    for axis in range(even.shape[1]):
        longer = np.pad(even[:, axis], pad, mode="reflect", reflect_type="odd")
        out[:, axis] = gaussian_filter1d(longer, sigma_um / step)[pad : pad + len(even)]
    return out


def left_normals(points: FloatArray) -> FloatArray:
    """Unit normals of an (N, 2) polyline of (row, col), pointing to its left as displayed."""
    tangent = np.gradient(points, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    return np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
