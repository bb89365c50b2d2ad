"""Tissue against glass, and the outline between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.segmentation import watershed

from ienfd.geometry import left_normals, resample
from ienfd.result import FloatArray
from ienfd.skin.outline import Outline, trace_outlines
from ienfd.skin.rim import at_rim
from ienfd.skin.strip import arc_um, on_tissue
from ienfd.stain.grid import Grid, block_mean, continued, spread_blocks
from ienfd.stain.overview import Overview, signal_of

__all__ = ["Tissue", "find_tissue", "straight_across", "tissue_below"]

_Float32 = NDArray[np.float32]

_MIN_TISSUE_MM2 = 0.01
_SMOOTH_UM = 5.0
_CLEAR = 6.0  # standard deviations of the glass
_OUTLINE_UM = 6.0
_DETAIL_UM = 6.0
_SURELY_GLASS, _SOME_GLASS = 0.3, 0.01
_TEXTURED = 2.5  # times the texture of glass
_EVEN = 0.2  # quantile of the texture of what seems to be glass
_BETWEEN_UM = 8.0  # between two structures of tissue it may look as even as glass
_BESIDE_UM = 15.0  # so far from structures glass does not look even, because of them
_SOME_TEXTURE = 0.02  # of a piece of tissue is as textured as that; a third of the palest is
_LEAST_TEXTURE = 0.0045  # optical density: about a grey level of 8 bits near white, as JPEG leaves in glass
_BRIGHT = 0.9  # quantile
_FLAKE_UM = 10.0
_THREAD_UM = 4.0  # half the width
_AS_EVEN = 0.5  # evidence of texture below which a region may be glass
_GRAIN_UM = 10.0  # grain parts even glass by less than twice as much
_MOSTLY = 0.5  # of such a region looks like glass
_CUT_PX = 2
_ON_BOTH_SIDES = 2.0  # what lies on the left of a curve up to so many times as often is not divided by it
_DOUBTFUL_END_UM, _ON_AT_LEAST_UM = 100.0, 400.0
_COARSE = 2  # tissue is sought at half the resolution of the overview


@dataclass(frozen=True, eq=False)
class Tissue:
    """Where there is tissue.

    Parameters
    ----------
    mask : (H, W) ndarray of bool
        Tissue on the overview grid: holes filled, small specks removed, edges smoothed.
    outlines : tuple of Outline
        Boundaries of the tissue, longest first.
    """

    mask: NDArray[np.bool_]
    outlines: tuple[Outline, ...]

    @cached_property
    def clearance(self) -> NDArray[np.float64]:
        """(H, W) distance of every pixel from glass, in pixels of the grid."""
        return np.asarray(ndimage.distance_transform_edt(self.mask), float)

    def from_rim_um(self, points_px: FloatArray, grid: Grid) -> FloatArray:
        """(N,) distance of points of the image, (row, col), from glass in micrometers.

        Parameters
        ----------
        points_px : (N, 2) ndarray of float
            In pixels of the image.
        grid : Grid
            The grid of the mask.
        """
        at = np.rint(grid.from_image(points_px)).astype(np.intp)
        rows, cols = (np.clip(at[:, axis], 0, size - 1) for axis, size in enumerate(self.mask.shape))
        return self.clearance[rows, cols] * grid.pixel_size_um

    @cached_property
    def regions(self) -> NDArray[np.int32]:
        """(H, W) number of the piece of tissue that every pixel belongs to, 0 on glass."""
        return np.asarray(ndimage.label(self.mask)[0], np.int32)


def find_tissue(overview: Overview) -> Tissue:
    """Separate tissue from glass.

    What clearly rises above the glass, and what clearly does not, are told by the spread of the
    glass itself; the boundary between them is put on the steepest change (watershed), so that it
    does not depend on a threshold, and then on the rim of the tissue, below its haze.

    Parameters
    ----------
    overview : Overview
        Glass is near 0 in every signal.

    Returns
    -------
    Tissue
        With an empty mask when there is none.
    """
    px = overview.grid.pixel_size_um * _COARSE
    shape = overview.signals.shape[1:]
    signals = np.stack([block_mean(signal, _COARSE) for signal in overview.signals])
    dense = overview.white is not None
    if dense:
        signals = np.stack([_without_flakes(signal, px) for signal in signals])
    clear = _CLEAR * overview.noise
    evidence, slope = _evidence(
        signals, clear if overview.dark is None else signal_of(clear.astype(np.float32)), px
    )
    even: NDArray[np.bool_] | None = np.ones(evidence.shape, bool) if dense else None
    textured = np.ones(evidence.shape, bool)
    palest = evidence < _SURELY_GLASS
    if dense and palest.mean() > _SOME_GLASS:
        texture = _texture_evidence(signals, palest, px)
        textured, even = texture > 1.0, texture < _AS_EVEN
        joined = even | ndimage.binary_closing(even, _disk(_GRAIN_UM / px)) & ~textured
        evidence = np.where(_mostly_glass(joined, evidence), 0, np.maximum(evidence, texture))
        even = ndimage.binary_dilation(even, _disk(_BESIDE_UM / px))
    surely = ndimage.binary_opening(evidence > 1.0, _disk(5.0 / px))
    glass = ndimage.binary_opening(evidence < 0.6, _disk(5.0 / px))
    glass &= ~ndimage.binary_dilation(surely, iterations=1)
    markers = np.where(surely, 2, 0) + np.where(glass, 1, 0)
    # the rise begins before the edge does: both markers stand back from what may be the blur of it
    inner = ndimage.binary_erosion(surely, _disk(14.0 / px))
    unsure = ndimage.binary_dilation(surely & ~inner, _disk(6.0 / px))
    markers[unsure & ~inner] = 0
    thin = surely & ~_reaches(surely & (markers == 2), surely)
    markers[thin] = 2
    if not (markers == 2).any():
        return Tissue(np.zeros(shape, bool), ())
    mask = _flooded(slope, markers) == 2 if (markers == 1).any() else np.ones_like(surely)
    mask = at_rim(_whole(mask, px), _light(signals, mask, dense=dense), px, even)
    mask = _whole(mask, px)
    regions = label(mask)
    keep = [  # a darker corner of the glass is as even as the rest of it
        r.label
        for r in regionprops(regions)
        if r.area >= _MIN_TISSUE_MM2 * 1e6 / px**2 and textured[tuple(r.coords.T)].mean() > _SOME_TEXTURE
    ]
    return _outlined(np.isin(regions, keep), shape, px)


def tissue_below(tissue: Tissue, curve: FloatArray, px: float) -> Tissue:
    """The tissue without what lies on the left of a curve that divides it; all of it if it divides nothing.

    Parameters
    ----------
    tissue : Tissue
    curve : (N, 2) ndarray of float
        (row, col) on the overview grid; it must reach beyond the tissue, or the image, at both ends.
    px : float
        Pixel of the overview in micrometers.
    """
    shape = tissue.mask.shape
    curve = resample(curve, 0.5)  # no tissue leaks through between its points
    on_curve = np.zeros(shape, bool)
    on_curve[tuple(_nearest(curve, shape).T)] = True
    parts = ndimage.label(tissue.mask & ~ndimage.binary_dilation(on_curve, _disk(_CUT_PX)))[0]
    aside = left_normals(curve) * (2 * _CUT_PX + 1)
    on_left, on_right = (
        np.bincount(parts[tuple(_nearest(side, shape).T)], minlength=parts.max() + 1)
        for side in (curve + aside, curve - aside)
    )
    kept = tissue.mask & (on_left <= _ON_BOTH_SIDES * on_right)[parts] & ~on_curve
    return _outlined(block_mean(kept.astype(np.float32), _COARSE) > 0.5, shape, px * _COARSE)


def straight_across(curve: FloatArray, mask: NDArray[np.bool_], px: float) -> FloatArray:
    """A curve that goes straight on at both ends, as its whole runs, to where there is no tissue.

    Its own ends are left out: there the lower edge of corneum may turn toward the glass.

    Parameters
    ----------
    curve : (N, 2) ndarray of float
        (row, col) on the overview grid.
    mask : (H, W) ndarray of bool
        Where there is tissue.
    px : float
        Pixel of the overview in micrometers.
    """
    arc = arc_um(curve, px)
    middle = curve[(arc >= _DOUBTFUL_END_UM) & (arc <= arc[-1] - _DOUBTFUL_END_UM)]
    if len(middle) < 2:
        return curve
    way = (middle[-1] - middle[0]) / max(float(np.hypot(*(middle[-1] - middle[0]))), 1e-9)
    before, after = _out_of_tissue(middle[0], -way, mask, px), _out_of_tissue(middle[-1], way, mask, px)
    return np.concatenate([before[::-1], middle, after])


def _out_of_tissue(end: FloatArray, way: FloatArray, mask: NDArray[np.bool_], px: float) -> FloatArray:
    """Points straight on from the end of a curve, at least so far that small gaps do not matter."""
    line = end + np.arange(0.5, np.hypot(*mask.shape), 0.5)[:, None] * way
    inside = on_tissue(line, mask)
    inside[: round(_ON_AT_LEAST_UM / px / 0.5)] = True
    return np.asarray(line if inside.all() else line[: int(inside.argmin()) + 1], float)


def _nearest(points: FloatArray, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """(K, 2) pixels nearest to those points that lie in the image."""
    pixels = np.rint(points).astype(np.intp)
    return pixels[((pixels >= 0) & (pixels < shape)).all(axis=1)]


def _outlined(mask: NDArray[np.bool_], shape: tuple[int, ...], px: float) -> Tissue:
    """Tissue of this mask at half the resolution of the overview, whose pixel is `px` there."""
    sigma = _OUTLINE_UM / px
    pad = int(4 * sigma) + 1
    padded = np.pad(mask.astype(np.float32), pad, mode="edge")
    level = ndimage.gaussian_filter(padded, sigma)[pad:-pad, pad:-pad]
    outlines = [
        replace(outline, points=(outline.points + 0.5) * _COARSE - 0.5)
        for outline in trace_outlines(level, px)
    ]
    return Tissue(continued(spread_blocks(level, _COARSE), shape) > 0.5, tuple(outlines))


def _whole(mask: NDArray[np.bool_], px: float) -> NDArray[np.bool_]:
    """A tissue without holes and threads."""
    filled = np.asarray(ndimage.binary_fill_holes(mask), bool)
    return np.asarray(ndimage.binary_opening(filled, _disk(_THREAD_UM / px)), bool)


def _flooded(slope: _Float32, markers: NDArray[np.signedinteger]) -> NDArray[np.signedinteger]:
    """Watershed of the slope from markers, of which only the rims take part."""
    near = ndimage.binary_dilation(markers == 0)
    return np.where(near, watershed(slope, markers.astype(np.int32), mask=near), markers)


def _evidence(signals: _Float32, clear: NDArray[np.floating], px: float) -> tuple[_Float32, _Float32]:
    """Evidence for tissue (1 where it is clear) and the slope of the signals at their edges.

    `clear` is what noise of the glass hardly reaches, in every signal.
    """
    strongest = np.zeros(signals.shape[1:], np.float32)
    slope = np.zeros(signals.shape[1:], np.float32)
    for signal, least in zip(signals, clear, strict=True):
        smooth = ndimage.gaussian_filter(signal, _SMOOTH_UM / px)
        bright = float(np.quantile(smooth, _BRIGHT))
        threshold = max(float(least), 0.08 * bright, 1e-6)
        if bright <= threshold:
            continue
        np.maximum(strongest, smooth / threshold, out=strongest)
        # compressed, so that the edge of a faint dermis weighs like that of a dense epidermis
        bounded = np.tanh(ndimage.gaussian_filter(signal, 2.0 / px) / (2 * threshold))
        np.maximum(slope, ndimage.gaussian_gradient_magnitude(bounded, 1.0), out=slope)
    return strongest, slope


def _without_flakes(signal: _Float32, px: float) -> _Float32:
    """What is absorbed, without what is thinner than a flake of corneum and lies alone on the glass.

    Lamellae that lie closer together than that are corneum which the tissue still wears.
    """
    flake = _disk(_FLAKE_UM / 2 / px)
    massive = ndimage.grey_opening(ndimage.grey_closing(signal, footprint=flake), footprint=flake)
    return np.asarray(np.minimum(signal, massive), np.float32)


def _light(signals: _Float32, mask: NDArray[np.bool_], *, dense: bool) -> _Float32:
    """What tissue absorbs (`dense`) or sheds; what is shed, in units of the bright parts of each channel."""
    if dense:
        return np.asarray(signals.sum(axis=0), np.float32)
    shed = np.expm1(signals)
    bright = np.quantile(shed[:, mask][:, ::7], _BRIGHT, axis=1)
    return np.asarray((shed / np.maximum(bright, 1e-6)[:, None, None]).sum(axis=0), np.float32)


def _texture_evidence(signals: _Float32, glass: NDArray[np.bool_], px: float) -> _Float32:
    """Evidence for tissue (1 where it is clear) from fine structure, which glass has none of.

    A pale dermis between fibers of collagen takes hardly more light than glass, but it is not even.
    How even glass is shows where the light alone says that there is glass; what is less even there may
    be the palest tissue.
    """
    strongest = np.zeros(signals.shape[1:], np.float32)
    for signal in signals:
        detail = np.abs(signal - ndimage.gaussian_filter(signal, _DETAIL_UM / px))
        texture = ndimage.gaussian_filter(detail, _SMOOTH_UM / px)
        width = 2 * round(_BETWEEN_UM / px) + 1
        texture = ndimage.grey_closing(texture, size=(width, width))
        even = float(np.quantile(texture[glass], _EVEN))
        np.maximum(strongest, texture / max(_TEXTURED * even, _LEAST_TEXTURE), out=strongest)
    return strongest


def _mostly_glass(even: NDArray[np.bool_], evidence: _Float32) -> NDArray[np.bool_]:
    """Regions without any structure of which the greater part is glass: so is the rest.

    It is darker because the light falls off toward a corner in another way than a surface can, which is
    laid through all of the glass.
    """
    regions, count = ndimage.label(even)
    share = ndimage.mean(evidence < 1, regions, np.arange(count + 1))
    return np.asarray(even & (share > _MOSTLY)[regions], bool)


def _reaches(seeds: NDArray[np.bool_], regions: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected regions that hold a seed."""
    labels, _ = ndimage.label(regions)
    return np.isin(labels, np.unique(labels[seeds])) & regions


def _disk(radius: float) -> NDArray[np.bool_]:
    r = max(1, round(radius))
    y, x = np.ogrid[-r : r + 1, -r : r + 1]
    return np.asarray(y * y + x * x <= r * r + 0.5 * r, bool)
