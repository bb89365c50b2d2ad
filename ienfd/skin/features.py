"""What a place in the tissue looks like, with the nerves taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.section import ChannelRole
from ienfd.skin.glow import without_glow
from ienfd.skin.nerves import deep_nerves, deeper_than_corneum, nerve_amount
from ienfd.skin.strip import Strip
from ienfd.skin.tissue import Tissue
from ienfd.stain.blur import wide_blur
from ienfd.stain.chromogen import Chromogen
from ienfd.stain.grid import block_mean, enlarged, of_nearest
from ienfd.stain.overview import Overview, signal_of

__all__ = ["Features", "cellularity", "make_features"]

_COARSER = 2  # what is blunt anyhow is held at half the resolution
_FINE_UM = 2.5
_WIDE_UM = 6.0
_DETAIL_UM = 4.0  # nuclei and grains are finer
_BUNDLE_UM = 12.0  # bundles of collagen are finer
_POOL_UM = 8.0
_GRAIN_UM = 3.0
_AXES, _NOISE_UM = 3, 0.8
_LEAST_TEXTURE = 0.4  # of the median
_FAR_UM, _FAR_TRUST = 24.0, 0.02  # where nothing nearer is known

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Features:
    """Level and texture of the tissue, of every signal but the basement membrane.

    Parameters
    ----------
    fine : (K, H, W) ndarray of float32
        The levels within 2.5 um, on the overview grid.
    blunt : (3 * K + 1, H // 2, W // 2) ndarray of float32
        On a grid of twice the pixel: the levels within 6 um, in which nuclei and cytoplasm are one
        tissue; the logarithm of the strength of details finer than 4 um; that of structures from there to
        12 um; and how far all structures lie parallel (0 to 1), as those of collagen do.
    grain : (K, H // 2, W // 2) ndarray of float32
        The logarithm of the strength of details finer than 4 um, within 3 um.
    sharp : (C, H, W) ndarray of float32
        The levels as they are but for the noise, along the up to three axes in which the tissue varies most.
        Half of a nerve takes the levels on one side of it, half those on the other: what lies between
        them would look like neither tissue.
    nerves : (H, W) ndarray of bool
        Where nerves are.
    dense : bool
        Whether the levels are optical densities (bright-field).
    """

    fine: _Float32
    blunt: _Float32
    grain: _Float32
    sharp: _Float32
    nerves: _Mask
    dense: bool

    def levels(self, values: _Float32) -> _Float32:
        """The fine levels among features given by `along`."""
        return values[: len(self.fine)]

    def wide_levels(self, values: _Float32) -> _Float32:
        """The levels within 6 um among features given by `along`."""
        return values[len(self.fine) : 2 * len(self.fine)]

    def levels_and_grain(self, strip: Strip, values: _Float32) -> _Float32:
        """(2 * K, S, D) the fine levels among features given by `along`, and the grain at the same places."""
        return np.stack([*self.levels(values), *(strip.sample(plane, _COARSER) for plane in self.grain)])

    def sharp_levels(self, strip: Strip) -> _Float32:
        """(C, S, D) the sharp levels at the places of a strip."""
        return np.stack([strip.sample(plane) for plane in self.sharp])

    def along(self, strip: Strip) -> _Float32:
        """(4 * K + 1, S, D) features at the places of a strip: fine levels first, then the blunt ones."""
        return np.stack(
            [*(strip.sample(plane) for plane in self.fine), *(strip.sample(p, _COARSER) for p in self.blunt)]
        )


def make_features(overview: Overview, chromogen: Chromogen | None, tissue: Tissue) -> Features:
    """Level and texture of the tissue, with the nerves taken out.

    Where a nerve lies nothing is known about the tissue: those places are left out and take their
    values from their surroundings (normalized convolution), so that neither plexus nor fibers draw
    the junction to them. In fluorescence the haze about nerves is taken out, too (`ienfd.skin.glow`).
    The textures tell nuclei, collagen and smooth cytoplasm apart where the levels do not.

    Parameters
    ----------
    overview : Overview
    chromogen : Chromogen or None
        Color of the nerve stain; None for fluorescence, where a channel holds it.
    tissue : Tissue
    """
    px = overview.grid.pixel_size_um
    dense = overview.white is not None
    amount = nerve_amount(overview, chromogen)
    nerves = deep_nerves(amount, overview, tissue)
    known = tissue.mask & ~nerves
    calm = ndimage.binary_erosion(known, iterations=max(1, round(6.0 / px)), border_value=1)
    used = [k for k, role in enumerate(overview.roles) if role is not ChannelRole.BASEMENT_MEMBRANE]
    signals = overview.signals[used]  # the membrane is a line, not a region: it leads the junction later
    if not dense:  # what absorbs light sheds none
        deep = deeper_than_corneum(tissue, px)
        signals = signal_of(without_glow(np.expm1(signals), amount, nerves, deep, px))
    seen, calmly = _Known(known, px * _COARSER), _Known(calm, px * _COARSER)
    sharp = ndimage.gaussian_filter(known.astype(np.float32), _FINE_UM / px, truncate=3)
    sharp += _FAR_TRUST * enlarged(seen.far_weight, _COARSER, known.shape)
    fine: list[_Float32] = []
    wide: list[_Float32] = []
    details: list[_Float32] = []
    grains: list[_Float32] = []
    bundles: list[_Float32] = []
    tensor = np.zeros((3, *seen.weight.shape), np.float32)
    for signal in signals:
        masked = np.where(known, signal, 0).astype(np.float32)
        small = block_mean(masked, _COARSER)
        far = seen.far(small)
        level = ndimage.gaussian_filter(masked, _FINE_UM / px, truncate=3)
        level += _FAR_TRUST * enlarged(far, _COARSER, known.shape)
        level = np.asarray(level / np.maximum(sharp, 1e-4), np.float32)
        fine.append(level)
        wide.append(seen.mean(small, _WIDE_UM, far))
        tissue_alone = np.where(nerves, level, signal)  # else the height of a cell is grain beside it
        grain = np.abs(tissue_alone - ndimage.gaussian_filter(tissue_alone, _DETAIL_UM / px, truncate=3))
        grain = np.minimum(grain, np.float32(np.quantile(grain[::5, ::5], 0.99)))
        details.append(
            calmly.mean(block_mean(np.where(calm, _logarithm(grain, calm), 0), _COARSER), _POOL_UM)
        )
        grains.append(seen.mean(block_mean(np.where(known, grain, 0), _COARSER), _GRAIN_UM))
        band = seen.mean(small, 0.75 * _DETAIL_UM, far) - seen.mean(small, _BUNDLE_UM, far)
        strength = _logarithm(np.abs(band), calmly.weight > 0.5)
        bundles.append(calmly.mean(strength * calmly.weight, _POOL_UM))
        tensor += _structure(band, calmly)
    return Features(
        np.stack(fine),
        np.stack([*wide, *details, *bundles, _parallel(tensor)]),
        np.stack([_logarithm(grain, seen.weight > 0.5) for grain in grains]),
        _sharp(signals, known, [overview.roles[k] is ChannelRole.NUCLEI for k in used], px),
        nerves,
        dense,
    )


def _sharp(signals: _Float32, known: _Mask, nuclear: Sequence[bool], px: float) -> _Float32:
    """The signals along the axes in which the tissue varies most.

    Where a nerve lies, they are those of the nearest place without one; but no nerve is seen in a channel
    of nuclei.
    """
    filled = np.where(np.array(nuclear)[:, None, None], signals, of_nearest(signals, known))
    if len(signals) > 1:
        tissue = signals[:, known][:, ::17].astype(float)
        _, axes = np.linalg.eigh(np.cov(tissue)) if tissue.shape[1] > 1 else (None, np.eye(len(signals)))
        widest = axes[:, ::-1][:, :_AXES].T.astype(np.float32)
        filled = np.tensordot(widest, filled, 1)
    calm = [ndimage.gaussian_filter(plane, _NOISE_UM / px, truncate=3) for plane in filled]
    return np.stack(calm).astype(np.float32, copy=False)


class _Known:
    """Means over the places where something is known, on the coarser grid."""

    def __init__(self, mask: _Mask, px: float) -> None:
        self.px = px
        self.weight = block_mean(mask.astype(np.float32), _COARSER)
        self.far_weight = self.far(self.weight)
        self._weights: dict[float, _Float32] = {}  # by width, the same for all signals

    def _spread(self, masked: _Float32, width_um: float) -> _Float32:
        return np.asarray(ndimage.gaussian_filter(masked, width_um / self.px, truncate=3), np.float32)

    def far(self, masked: _Float32) -> _Float32:
        """What stands in where nothing near is known; `masked` is 0 where nothing is."""
        return wide_blur(masked, _FAR_UM / self.px)

    def mean(self, masked: _Float32, width_um: float, far: _Float32 | None = None) -> _Float32:
        """Gaussian mean of an image that is 0 where nothing is known."""
        far = self.far(masked) if far is None else far
        if width_um not in self._weights:
            weight = self._spread(self.weight, width_um) + _FAR_TRUST * self.far_weight
            self._weights[width_um] = np.maximum(weight, 1e-4)
        total = self._spread(masked, width_um) + _FAR_TRUST * far
        return np.asarray(total / self._weights[width_um], np.float32)


def _logarithm(texture: _Float32, where: _Mask) -> _Float32:
    """Logarithm of what exceeds a share of the usual strength: the strong vary in proportion.

    Its mean over a place is hardly raised by a fiber that was not taken out, as the mean of the
    strength itself would be.
    """
    usual = float(np.median(texture[where][::7])) if where.any() else 0.0
    return np.asarray(np.log(texture + np.float32(max(_LEAST_TEXTURE * usual, 1e-6))), np.float32)


def _structure(band: _Float32, calm: _Known) -> _Float32:
    """(3, h, w) structure tensor of an image, pooled where it is calm: yy, yx, xx."""
    dy, dx = np.gradient(band)
    dy, dx = dy * calm.weight, dx * calm.weight
    return np.stack([calm.mean(product, _POOL_UM) for product in (dy * dy, dy * dx, dx * dx)])


def _parallel(tensor: _Float32) -> _Float32:
    """How far structures lie parallel: 0 for none or all directions alike, 1 for one direction."""
    yy, yx, xx = tensor
    return np.asarray(np.hypot(yy - xx, 2 * yx) / np.maximum(yy + xx, 1e-9), np.float32)


def cellularity(overview: Overview) -> NDArray[np.float64]:
    """How much each feature speaks for nuclei, in the order of `Features.along`.

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
    nothing = [0.0] * len(weights)
    return np.array([*nothing, *weights, *weights, *nothing, 0.0])
