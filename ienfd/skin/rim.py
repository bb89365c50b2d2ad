"""The rim of the tissue: where its light rises first, seen from the glass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import find_contours

from ienfd.result import FloatArray
from ienfd.skin.strip import make_strip

__all__ = ["at_rim", "rim_um"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_OUT_UM, _IN_UM = 20.0, 40.0  # the rim is sought so far on both sides of where it seems to be
_POCKET_UM = 80.0  # so far inside below a pocket of glass, or haze that reaches the border of the image
_GLASS = 0.04  # of what tissue absorbs: less is glass
_STEP_UM = 2.5
_ROUNDS = 2
_SMOOTH_UM, _HEADING_UM = 12.0, 60.0  # of the outline, and of the directions across it
_SHORTEST_UM = 100.0
_BLUR_UM, _ALONG_UM = 2.5, 15.0
_FLAKE_UM = 12.5  # thinner structures are no rim
_STEEP = 0.35  # of the steepest rise
_HAZE = 0.12  # where nothing near rises by so much of what rises farther inside, all that is near is haze
_HAZE_ALONG_UM = 150.0  # along so much of an outline: a trunk of nerves behind a dim dermis is shorter
_AT_BORDER_UM = 10.0  # what begins no farther inside begins at the border, or beyond it
_FAR = 1e-4  # of the smoothed tissue: more than 40 um inside and outside
_OUTLIERS = 13  # places along an outline, of which the median counts


def at_rim(mask: _Mask, light: _Float32, px: float, even: _Mask | None) -> _Mask:
    """Move the edge of a tissue to its rim.

    Parameters
    ----------
    mask : (H, W) ndarray of bool
        Tissue, roughly: haze around it and flakes beside it may belong to it.
    light : (H, W) ndarray of float32
        What the tissue sheds or absorbs; glass is near 0.
    px : float
        Pixel edge in micrometers.
    even : (H, W) ndarray of bool or None
        Where nothing has a texture: what absorbs nothing there is glass. None in fluorescence, where
        epidermis may be as dark as glass, and as even.

    Returns
    -------
    (H, W) ndarray of bool
        The border of the image stays as it is: there the tissue may go on.
    """
    light = ndimage.gaussian_filter(light, _BLUR_UM / px)
    if even is None:
        mask = _without_haze(mask, light, px)
    for _ in range(_ROUNDS):
        mask = _moved(mask, light, px, even)
    return mask


def rim_um(
    light: NDArray[np.floating], step_um: float, even: _Mask | None, within_um: float = _IN_UM
) -> FloatArray:
    """Where light rises first and steeply, from above (glass) to below (tissue).

    Haze rises, too, but slowly: where there is nothing else, the rim lies farther inside. A pale corneum may
    lie on a dense epidermis, so that the steepest rise need not be the first. What is as thin as a flake does
    not count; nor does what lies above glass: several flakes, with a pocket below them. A pale dermis may
    absorb as little as glass, but it is not as even.

    Parameters
    ----------
    light : (S, D) ndarray of float
        At positions along an outline and at depths across it, from 20 um above.
    step_um : float
        Distance of the samples along and across.
    even : (S, D) ndarray of bool or None
        See `at_rim`.
    within_um : float
        How far inside of where the rim seems to be it may lie.

    Returns
    -------
    (S,) ndarray of float
        Depth below the first sample, in micrometers; NaN where nothing rises.
    """
    lasting = ndimage.gaussian_filter1d(light, _ALONG_UM / step_um, axis=0, mode="nearest")
    lasting = ndimage.grey_opening(lasting, size=(1, round(_FLAKE_UM / step_um)), mode="nearest")
    rise = np.diff(lasting, axis=1)
    near = round((_OUT_UM + within_um) / step_um)
    if even is None:
        far = round((_OUT_UM + _POCKET_UM) / step_um)
        hazy = rise[:, :near].max(axis=1) < _HAZE * rise[:, :far].max(axis=1)
        after = np.zeros(len(light), np.intp)
        until = np.where(_lasts(hazy, round(_HAZE_ALONG_UM / step_um)), far, near)
    else:
        after = _last_glass(lasting[:, : near + 1], even[:, : near + 1])
        until = np.maximum(near, after + round(_IN_UM / step_um))
    at = np.arange(rise.shape[1])
    rise[(at < after[:, None]) | (at >= until[:, None])] = -np.inf
    steepest = rise.max(axis=1, keepdims=True)
    around = np.pad(rise, ((0, 0), (1, 1)), constant_values=-np.inf)
    peak = (rise >= around[:, :-2]) & (rise >= around[:, 2:]) & (rise >= _STEEP * steepest)
    peak[:, 0] = False  # it has begun before
    depth_um = (peak.argmax(axis=1) + 0.5) * step_um
    return np.where(peak.any(axis=1) & (steepest[:, 0] > 0), depth_um, np.nan)


def _lasts(hazy: _Mask, least: int) -> _Mask:
    """(S,) where so many places on end are hazy; an outline may go on so beyond its ends."""
    longer = np.pad(hazy, least, mode="edge")
    return np.asarray(ndimage.binary_opening(longer, np.ones(least, bool))[least:-least], bool)


def _last_glass(light: FloatArray, even: _Mask) -> NDArray[np.intp]:
    """(S,) the last even sample at each position that absorbs nothing, 0 where there is none."""
    glass = even & (light < _GLASS * np.median(light.max(axis=1)))
    last = light.shape[1] - 1 - glass[:, ::-1].argmax(axis=1)
    return np.where(glass.any(axis=1), last, 0)


def _without_haze(mask: _Mask, light: _Float32, px: float) -> _Mask:
    """The tissue without the haze that reaches the border of the image, where it begins inside.

    As if all were dark beyond the border: haze rises less there than the tissue does behind it. Beside it
    lies glass; dark places amid tissue stay.
    """
    kept = mask.copy()
    beyond, within = round(_OUT_UM / px), round(_POCKET_UM / px)
    for turns in range(4):
        seen, there = np.rot90(light, turns)[:within], np.rot90(kept, turns)[:within]
        profiles = np.pad(seen.T, ((0, 0), (beyond, 0)))
        inward_um = np.nan_to_num(rim_um(profiles, px, None, _POCKET_UM) - beyond * px)
        inward_um = ndimage.median_filter(inward_um, size=_OUTLIERS, mode="nearest")
        depth_um = np.arange(len(there))[:, None] * px
        there &= (depth_um > inward_um) | (inward_um < _AT_BORDER_UM)
    haze = mask & ~kept
    near_glass = ndimage.binary_dilation(~mask, iterations=beyond)
    return mask & ~ndimage.binary_propagation(haze & near_glass, mask=haze)


def _moved(mask: _Mask, light: _Float32, px: float, even: _Mask | None) -> _Mask:
    """The tissue with each stretch of its edge moved to the rim near it."""
    smooth = ndimage.gaussian_filter(mask.astype(np.float32), _SMOOTH_UM / px, mode="nearest")
    places: list[FloatArray] = []
    inward_um: list[FloatArray] = []
    for contour in find_contours(smooth, 0.5):
        if len(contour) * px < _SHORTEST_UM:
            continue
        strip = make_strip(
            contour,
            px,
            above_um=_OUT_UM,
            below_um=_POCKET_UM,
            step_um=_STEP_UM,
            down=1,
            heading_um=_HEADING_UM,
        )
        there = None if even is None else strip.sample(even.astype(np.float32)) > 0.5
        inward = np.nan_to_num(rim_um(strip.sample(light), _STEP_UM, there) - _OUT_UM)
        places.append(strip.positions[:, round(_OUT_UM / _STEP_UM)])
        inward_um.append(ndimage.median_filter(inward, size=_OUTLIERS, mode="nearest"))
    if not places:
        return mask
    near = (smooth > _FAR) & (smooth < 1 - _FAR)
    distance, nearest = cKDTree(np.concatenate(places)).query(np.argwhere(near))
    distance_um = np.asarray(distance, float) * px
    depth_um = np.where(smooth[near] > 0.5, distance_um, -distance_um)
    moved = mask.copy()
    moved[near] = np.where(
        distance_um < _POCKET_UM + _STEP_UM, depth_um > np.concatenate(inward_um)[nearest], mask[near]
    )
    return moved
