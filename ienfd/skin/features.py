"""What a place in the tissue looks like, with the nerves taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.section import ChannelRole
from ienfd.stain.chromogen import Chromogen
from ienfd.stain.overview import Overview

__all__ = ["cellularity", "make_features", "telling"]

_WIDEST_NERVE_UM = 14.0
_SUFFICES = 1.8  # separation in standard deviations

_Float32 = NDArray[np.float32]


def make_features(overview: Overview, chromogen: Chromogen | None, tissue: NDArray[np.bool_]) -> _Float32:
    """Level and texture of the tissue, with the nerves taken out.

    Where a nerve lies nothing is known about the tissue: those places are left out and take their
    values from their surroundings (normalized convolution), so that neither plexus nor fibers draw
    the junction to them. The texture tells nuclei, collagen and smooth cytoplasm apart where the
    levels do not.

    Parameters
    ----------
    overview : Overview
    chromogen : Chromogen or None
        Color of the nerve stain; None for fluorescence, where a channel holds it.
    tissue : (H, W) ndarray of bool

    Returns
    -------
    (3 * K, H, W) ndarray of float32
        Of every signal but the basement membrane: the levels within 2.5 um, then the levels within
        6 um, in which nuclei and cytoplasm are one tissue, then the textures.
    """
    px = overview.grid.pixel_size_um
    amount = _nerve_amount(overview, chromogen)
    known = tissue & ~_nerves(amount, tissue, px)
    calm = ndimage.binary_erosion(known, iterations=max(1, round(6.0 / px)), border_value=1)
    signals = overview.signals
    if chromogen is not None:  # the fine structure of the nerve stain is no texture of the tissue
        fine = amount - ndimage.gaussian_filter(amount, 10.0 / px)
        share = chromogen.vector / float(chromogen.weights @ chromogen.vector)
        without = signals - share.astype(np.float32)[:, None, None] * fine
    else:
        without = signals
    fine_levels: list[_Float32] = []
    wide_levels: list[_Float32] = []
    textures: list[_Float32] = []
    for signal, clean, role in zip(signals, without, overview.roles, strict=True):
        if role is ChannelRole.BASEMENT_MEMBRANE:
            continue  # a line, not a region: it leads the junction later
        fine_levels.append(_mean_where(signal, known, 2.5 / px))
        wide_levels.append(_mean_where(signal, known, 6.0 / px))
        detail = np.abs(clean - ndimage.gaussian_filter(clean, 4.0 / px))
        detail = np.minimum(detail, np.quantile(detail[::5, ::5], 0.98))
        textures.append(np.sqrt(_mean_where(detail, calm, 5.0 / px)))
    return np.stack([*fine_levels, *wide_levels, *textures]).astype(np.float32)


def cellularity(overview: Overview) -> NDArray[np.float64]:
    """How much each feature speaks for nuclei, in the order of `make_features`.

    In bright-field any counterstain makes the epidermis, where nuclei lie dense, darker and more
    textured; in fluorescence only a nuclear channel tells.
    """
    weights: list[float] = []
    count = len(overview.signals)
    for role in overview.roles:
        if role is ChannelRole.BASEMENT_MEMBRANE:
            continue
        if overview.white is not None:
            weights.append(0.3 / count)
        else:
            weights.append(0.3 if role is ChannelRole.NUCLEI else 0.0)
    return np.array([*np.zeros(len(weights)), *weights, *weights])


def _nerve_amount(overview: Overview, chromogen: Chromogen | None) -> _Float32:
    if chromogen is not None:
        return np.asarray(np.tensordot(chromogen.weights.astype(np.float32), overview.signals, 1), np.float32)
    nerve = [s for s, r in zip(overview.signals, overview.roles, strict=True) if r is ChannelRole.NERVE]
    return np.asarray(nerve[0], np.float32)


def _nerves(amount: _Float32, tissue: NDArray[np.bool_], px: float) -> NDArray[np.bool_]:
    """What is brighter than its surroundings and narrower than a bundle."""
    width = 2 * round(_WIDEST_NERVE_UM / px / 2) + 1
    smooth = ndimage.gaussian_filter(amount, 1.0 / px)
    height = smooth - ndimage.grey_opening(smooth, size=(width, width))
    values = height[tissue][::7]
    if not values.size:
        return np.zeros(tissue.shape, bool)
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    core = height > middle + 5 * spread
    return np.asarray(ndimage.binary_dilation(core, iterations=max(1, round(2.5 / px))), bool)


def _mean_where(image: _Float32, known: NDArray[np.bool_], sigma: float) -> _Float32:
    """Gaussian mean over the known places only; far from any, a wider one."""
    total = np.zeros_like(image)
    weight = np.zeros_like(image)
    masked = np.where(known, image, 0).astype(np.float32)
    part = known.astype(np.float32)
    for scale, trust in ((sigma, 1.0), (4 * sigma, 0.02)):
        total += trust * ndimage.gaussian_filter(masked, scale, truncate=3)
        weight += trust * ndimage.gaussian_filter(part, scale, truncate=3)
    return np.asarray(total / np.maximum(weight, 1e-4), np.float32)


def telling(
    values: _Float32, upper: NDArray[np.bool_], lower: NDArray[np.bool_], *, first: int
) -> NDArray[np.float64]:
    """What tells an upper tissue (positive) from a lower one, in standard deviations.

    Blunter features are asked only where the sharper ones do not tell the two by themselves.

    Parameters
    ----------
    values : (3 * K, S, D) ndarray of float32
        Features in the order of `make_features`: fine levels, wide levels, textures.
    upper, lower : (S, D) ndarray of bool
        Places taken for the one and the other.
    first : {0, 1}
        Begin with the fine or with the wide levels.

    Returns
    -------
    (S, D) ndarray of float
    """
    count = len(values) // 3
    for used in [values[count * k : count * (k + 1)] for k in range(first, 2)]:
        model = _fit_model(used[:, upper].T, used[:, lower].T)
        if model.separation > _SUFFICES:
            return np.tensordot(model.direction, used, 1)
    model = _fit_model(values[:, upper].T, values[:, lower].T)
    return np.tensordot(model.direction, values, 1)


@dataclass(frozen=True, eq=False)
class _TissueModel:
    """Two-class linear discriminant between epidermis and dermis (Fisher).

    Parameters
    ----------
    direction : (K,) ndarray
        Weights of the features.
    separation : float
        Distance of the two means along it, in standard deviations (d').
    """

    direction: NDArray[np.float64]
    separation: float


def _fit_model(upper: _Float32, lower: _Float32, shrinkage: float = 0.1) -> _TissueModel:
    """Fit the discriminant from samples of both sides.

    Parameters
    ----------
    upper, lower : (N, K), (M, K) ndarray
        Features of places taken for epidermis and for dermis.
    shrinkage : float
        Weight of the diagonal in the pooled covariance, against few samples.
    """
    difference = np.median(upper, axis=0).astype(float) - np.median(lower, axis=0)
    pooled = 0.5 * (_covariance(upper) + _covariance(lower))
    pooled = (1 - shrinkage) * pooled + shrinkage * np.diag(np.diag(pooled)) + 1e-9 * np.eye(len(pooled))
    direction = np.linalg.solve(pooled, difference)
    variance = float(direction @ pooled @ direction)
    if variance <= 0:
        return _TissueModel(np.zeros(len(pooled)), 0.0)
    spread = float(np.sqrt(variance))
    return _TissueModel(np.asarray(direction / spread, float), float(direction @ difference) / spread)


def _covariance(samples: _Float32) -> NDArray[np.float64]:
    """Covariance of the inner 96 % of the samples: vessels and dirt do not widen it."""
    low, high = np.quantile(samples, [0.02, 0.98], axis=0)
    clipped = np.clip(samples, low, high).astype(float)
    return np.atleast_2d(np.cov(clipped, rowvar=False))
