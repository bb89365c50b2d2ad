"""Where nerves and cells lie, so that what tells the layers apart may leave them out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.section import ChannelRole
from ienfd.skin.tissue import Tissue
from ienfd.stain.chromogen import Chromogen
from ienfd.stain.grid import enlarged
from ienfd.stain.overview import Overview

__all__ = ["deep_nerves", "deeper_than_corneum", "nerve_amount", "nerves_in"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_CORNEUM_UM = 20.0
_WIDEST_UM = 14.0
_BLUR_UM = 1.0
_BESIDE_UM = 1.3  # its blur; whatever more is left out is missed between it and the junction
_STANDS_OUT = 5.0  # standard deviations of how the tissue varies
_REST = 0.95  # of the tissue, at least, holds no nerve: where more stands out, nuclei or collagen do
_AROUND_UM, _EVERY_UM = 25.0, 4.0  # what a lone nerve stands out from, and how finely that is known
_FELT_UM, _ABOVE_FELT = 6.0, 3.0  # a line or a cell is this much higher than the mean about it, a felt is not
_RIM_UM, _RIM = 4.0, 0.3  # how far its rim lies from its core, and the share of the height of the core there


def nerve_amount(overview: Overview, chromogen: Chromogen | None) -> _Float32:
    """(H, W) the nerve stain in what adds up: optical density, or light.

    In the logarithm of light, fibers hide in a felt of bundles with dark gaps between them.
    """
    if chromogen is not None:
        return np.asarray(np.tensordot(chromogen.weights.astype(np.float32), overview.signals, 1), np.float32)
    nerve = [s for s, r in zip(overview.signals, overview.roles, strict=True) if r is ChannelRole.NERVE]
    return np.asarray(np.expm1(nerve[0]), np.float32)


def deep_nerves(amount: _Float32, overview: Overview, tissue: Tissue) -> _Mask:
    """(H, W) where nerves lie, deeper than corneum, by their `nerve_amount`."""
    px = overview.grid.pixel_size_um
    nerves = nerves_in(amount, tissue.mask, px, among_collagen=overview.white is None)
    return nerves & deeper_than_corneum(tissue, px)


def deeper_than_corneum(tissue: Tissue, px: float) -> _Mask:
    """(H, W) tissue that corneum does not reach to, which is thin and bright, as nerves are."""
    return np.asarray(tissue.mask & (tissue.clearance * px > _CORNEUM_UM), bool)


def nerves_in(amount: _Float32, tissue: _Mask, px: float, *, among_collagen: bool) -> _Mask:
    """What is brighter than its surroundings and narrower than a bundle.

    Parameters
    ----------
    amount : (H, W) ndarray of float32
        The nerve stain, see `nerve_amount`.
    tissue : (H, W) ndarray of bool
    px : float
        Pixel edge in micrometers.
    among_collagen : bool
        Whether collagen shines in the same light and may be as bright as nerves in the epidermis: what
        lies alone then needs to stand out from the tissue around it only.

    Returns
    -------
    (H, W) ndarray of bool
    """
    width = 2 * round(_WIDEST_UM / px / 2) + 1
    smooth = ndimage.gaussian_filter(amount, _BLUR_UM / px)
    height = smooth - ndimage.grey_opening(smooth, size=(width, width))
    values = height[tissue][::7]
    if not values.size:
        return np.zeros(tissue.shape, bool)
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    core = height > max(middle + _STANDS_OUT * spread, float(np.quantile(values, _REST)))
    if among_collagen:
        core |= _lone(height, px)
    return np.asarray(ndimage.binary_dilation(core, iterations=max(1, round(_BESIDE_UM / px))), bool)


def _lone(height: _Float32, px: float) -> _Mask:
    """What stands out from the tissue around it, where little else does."""
    every = max(1, round(_EVERY_UM / px))
    size = 2 * round(_AROUND_UM / (every * px)) + 1

    def usual(values: _Float32) -> _Float32:
        return np.asarray(ndimage.median_filter(values, size=size, mode="nearest"), np.float32)

    sparse = height[every // 2 :: every, every // 2 :: every]
    middle = usual(sparse)
    least = enlarged(middle + _STANDS_OUT * 1.4826 * usual(np.abs(sparse - middle)), every, height.shape)
    felt = ndimage.gaussian_filter(height, _FELT_UM / px)
    core = height > np.maximum(least, _ABOVE_FELT * felt)
    reach = 2 * round(_RIM_UM / px) + 1
    of_core = ndimage.grey_dilation(np.where(core, height, 0), size=(reach, reach))
    return np.asarray((of_core > 0) & (height > np.maximum(least, _RIM * of_core)), bool)
