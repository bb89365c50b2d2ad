"""The color of the nerve stain, estimated from the thinnest lines of the image itself.

A linear line filter applied to every color gives, at a fiber, the color of the fiber alone,
whatever dye lies under it. The clutter between the fibers (nuclei, collagen, noise) has a
covariance of its own; the weights that tell fibers from clutter best are those of a matched
filter, inverse covariance times color. So no dye needs to be known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.grid import block_mean, spread_blocks
from ienfd.stain.nerve import NerveSource
from ienfd.stain.ridge import ANGLES, BLOCK, LONG_UM, filter_bank

__all__ = [
    "DAB",
    "DEEPER_UM",
    "EOSIN",
    "HEMATOXYLIN",
    "NEAR_UM",
    "Chromogen",
    "estimate_chromogen",
    "tissue_patches",
]

# Ruifrok and Johnston 2001
DAB = np.array([0.27, 0.57, 0.78])
HEMATOXYLIN = np.array([0.65, 0.70, 0.29])
EOSIN = np.array([0.07, 0.99, 0.11])
_COUNTERSTAINS: Mapping[str, NDArray[np.float64]] = {"hematoxylin": HEMATOXYLIN, "eosin": EOSIN}
_SAME_COLOR_DEG = 6.0
_LIKE_COLOR_DEG, _FEW_AGREE = 9.0, 0.7  # as near, and with so few lines of it, it is that of nuclei
_DRAWN_DEG = 11.0  # as near, and with so few, it may be that of nuclei drawn aside by nerves among them
_OTHER_COLOR_DEG = 25.0
_LONGER_UM = 16.0  # standard deviation along a line: what is as long as a fiber
# brown lines as long as fibers: pigment of real skin without a nerve stain reaches a share of 0.08. Among
# short ones there is more of it; but where nuclei lie densely, their rows outnumber all long fibers
_BROWN_DEG, _BROWN_SHARE, _BROWN_SHARE_SHORT = 15.0, 0.13, 0.25
_MOSTLY_BROWN = 0.35  # where the clearest lines have a color of their own, between brown and nuclei
_PRIOR_WEIGHT = 0.15
_CLEAR_SHARE = 0.003  # of the places in tissue: lines are rare
_ALIKE = 0.9
_ALIKE_BY_EYE = 0.95  # 18 degrees
_FINE_UM = 2.0  # clutter is what is finer (standard deviation)
_BLOCKS = 0.7  # blocks that share their clutter (standard deviation)
_LOAD, _LEAST_POWER = 0.04, 0.05
NEAR_UM = 40.0, 180.0
"""Here are epidermis and the plexus below it, but for the thickest skin."""
DEEPER_UM = 180.0, 420.0
"""Here are the nerves of skin whose corneum is as thick as all other epidermis."""


@dataclass(frozen=True, eq=False)
class Chromogen:
    """The nerve stain of one bright-field image.

    Parameters
    ----------
    vector : (3,) ndarray of float
        Optical density per unit of dye in red, green, blue; unit length.
    weights : (3,) ndarray of float
        Weights of the colors that tell it best from everything else.
    covariance : (3, 3) ndarray of float
        How the colors of all that is no nerve vary.
    angle_to_ground_deg : float
        Angle between the color of the lines and that of the tissue about them.
    ground_density : float
        Mean optical density of the tissue.
    agreement : float
        Share of the clearest lines that have this color, noise taken into account, 0 to 1.
    agreement_by_eye : float
        The same by the mere angle between the colors: where the nerve stain is all there is, clutter has
        its color, too, and what remains after whitening is noise.
    """

    vector: NDArray[np.float64]
    weights: NDArray[np.float64]
    covariance: NDArray[np.float64]
    angle_to_ground_deg: float
    ground_density: float
    agreement: float
    agreement_by_eye: float

    @property
    def counterstain(self) -> str | None:
        """Name of the counterstain whose color this is; None where it is one of its own."""
        return self._counterstain_within(_LIKE_COLOR_DEG)

    @property
    def may_be_of_nuclei(self) -> bool:
        """Whether there may be another color, of nerves, among lines that mostly have a counterstain's."""
        return self._counterstain_within(_DRAWN_DEG) is not None

    @property
    def near_counterstain(self) -> str | None:
        """Name of the counterstain that it is like, though it may well be a nerve stain; None for brown."""
        return self._counterstain(_OTHER_COLOR_DEG)

    def _counterstain_within(self, few_agree_deg: float) -> str | None:
        """Name of the counterstain this near where few lines agree, and very near where many do."""
        return self._counterstain(few_agree_deg if self.agreement < _FEW_AGREE else _SAME_COLOR_DEG)

    def _counterstain(self, within_deg: float) -> str | None:
        if len(self.vector) != len(HEMATOXYLIN):
            return None
        bound = np.cos(np.deg2rad(within_deg))
        alike = (n for n, color in _COUNTERSTAINS.items() if float(self.vector @ _unit(color)) > bound)
        return next(alike, None)

    def likeness(self, colors: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much (N, 3) colors are like that of the stain: cosine of the angle, noise taken into account.

        Compared after whitening, so that what varies anyhow counts little.
        """
        whiten = np.linalg.inv(np.linalg.cholesky(self.covariance))
        return _cosine(colors @ whiten.T, whiten @ self.vector)

    def amount(self, light: NDArray[np.float32], px_um: float) -> NDArray[np.float32]:
        """(H, W) amount of the stain at every place, told from whatever else varies round about.

        The clutter of the epidermis (nuclei) is not that of the dermis (collagen): so every block has
        weights of its own, those that take in the stain whole and the least of its clutter (Capon 1969).
        The color is known but roughly: where the stain itself is what varies, weights that were too
        sure of it would cancel it, hence the load on the diagonal.

        Parameters
        ----------
        light : (H, W, C) ndarray of float32
            Optical density; both edges multiples of `BLOCK`.
        px_um : float
            Pixel edge in micrometers.
        """
        small = block_mean(light, 2)
        sigma = _FINE_UM / (2 * px_um)
        fine = np.moveaxis(small - ndimage.gaussian_filter(small, (sigma, sigma, 0)), -1, 0)
        products = np.stack([block_mean(one * other, BLOCK // 2) for one in fine for other in fine], -1)
        products = ndimage.gaussian_filter(products, (_BLOCKS, _BLOCKS, 0), mode="nearest")
        clutter = products.reshape(*products.shape[:2], len(fine), len(fine)).astype(np.float64)
        power = np.trace(clutter, axis1=-2, axis2=-1)
        power += _LEAST_POWER * np.median(power) + 1e-9
        clutter += (_LOAD * power)[..., None, None] * np.eye(len(fine))
        weights = np.linalg.solve(clutter, self.vector[:, None])[..., 0]
        weights /= (weights @ self.vector)[..., None]
        everywhere = [spread_blocks(w, BLOCK) for w in np.moveaxis(weights.astype(np.float32), -1, 0)]
        return np.asarray(np.einsum("chw,hwc->hw", np.stack(everywhere), light), np.float32)


def estimate_chromogen(patches: Sequence[NDArray[np.float32]], px_um: float) -> Chromogen:
    """Estimate the color of the nerve stain.

    Where the lines have the color of a counterstain, there may be more nuclei than nerves: then brown
    lines (diaminobenzidine) as long as fibers are looked for. Ink and blood have other colors still.

    Parameters
    ----------
    patches : sequence of (N, N, 3) ndarray of float32
        Optical density of squares of tissue on the working grid.
    px_um : float
        Pixel edge in micrometers.

    Returns
    -------
    Chromogen
    """
    ground = np.median(
        np.concatenate([_flat(np.moveaxis(patch, -1, 0)) for patch in patches], axis=1), axis=1
    )
    clearest, covariance = _clear_lines(patches, px_um, LONG_UM)
    found = _chromogen(clearest, covariance, ground)
    if found.near_counterstain is None:
        return found
    longer = _clear_lines(patches, px_um, _LONGER_UM)
    if not found.may_be_of_nuclei:
        return _brown(*longer, ground, least=_MOSTLY_BROWN) or found
    return (
        _brown(*longer, ground, least=_BROWN_SHARE)
        or _brown(clearest, covariance, ground, least=_BROWN_SHARE_SHORT)
        or found
    )


def _brown(
    lines: NDArray[np.float64],
    covariance: NDArray[np.float64],
    ground: NDArray[np.floating],
    *,
    least: float,
) -> Chromogen | None:
    """The nerve stain by the brown ones among (C, N) lines; None where no more than `least` of them are."""
    other = _of_other_color(lines)
    if other.mean() <= least:  # no more can be brown
        return None
    brown = _chromogen(lines[:, other], covariance, ground)
    alike = np.cos(np.deg2rad(_BROWN_DEG))
    share = float((other & (_cosine(lines.T, brown.vector) > alike)).mean())
    return brown if float(brown.vector @ _unit(DAB)) > alike and share > least else None


def _clear_lines(
    patches: Sequence[NDArray[np.float32]], px_um: float, along_um: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(C, N) colors of the clearest lines of this length, and (C, C) how the clutter about them varies."""
    lines, clutters = [], []
    for patch in patches:
        bank = filter_bank(patch.shape[0], px_um, (0.6,), along_um)
        responses = np.stack(
            [bank.respond(np.ascontiguousarray(patch[..., c]))[0] for c in range(patch.shape[-1])]
        )
        best = responses.sum(0).argmax(0)[None, None]
        across = (best + ANGLES // 2) % ANGLES  # the same place, measured along the line: clutter
        lines_across = _flat(np.take_along_axis(responses, across, axis=1))
        # a round spot responds both ways, a line only one way
        lines.append(_flat(np.take_along_axis(responses, best, axis=1)) - lines_across)
        clutters.append(lines_across)
    response, clutter = np.concatenate(lines, axis=1).astype(float), np.concatenate(clutters, axis=1)
    covariance = np.cov(np.clip(clutter, *np.quantile(clutter, [0.01, 0.99], axis=1)[..., None]))
    covariance += np.eye(len(covariance)) * np.trace(covariance) * 1e-3
    return _clearest(response, covariance), covariance


def _chromogen(
    clearest: NDArray[np.float64], covariance: NDArray[np.float64], ground: NDArray[np.floating]
) -> Chromogen:
    """What these lines say of the nerve stain; `ground` is the (C,) optical density of the tissue."""
    vector = _main_color(clearest)
    if len(vector) == 3 and float(vector @ _unit(DAB)) > np.cos(np.deg2rad(20)):
        vector = _unit((1 - _PRIOR_WEIGHT) * vector + _PRIOR_WEIGHT * _unit(DAB))
    weights = np.linalg.solve(covariance, vector)
    weights /= np.sqrt(weights @ covariance @ weights)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    alike = _cosine((whiten @ clearest).T, whiten @ vector) > _ALIKE
    cosine = float(vector @ _unit(np.maximum(ground, 1e-6)))
    return Chromogen(
        vector,
        np.asarray(weights, float),
        covariance,
        float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))),
        float(ground.mean()),
        float(alike.mean()),
        float((_cosine(clearest.T, vector) > _ALIKE_BY_EYE).mean()),
    )


def _of_other_color(lines: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the (C, N) lines have the color of no counterstain."""
    other = np.ones(lines.shape[1], bool)
    for color in _COUNTERSTAINS.values():
        if len(color) == len(lines):
            other &= _cosine(lines.T, color) < np.cos(np.deg2rad(_OTHER_COLOR_DEG))
    return other


def _flat(colors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(C, N) values of all places, one color after the other in memory."""
    return np.ascontiguousarray(colors.reshape(len(colors), -1))


def tissue_patches(
    source: NerveSource,
    clearance: NDArray[np.float64],
    depth_um: tuple[float, float] = NEAR_UM,
    *,
    size: int = 256,
    most: int = 24,
) -> list[NDArray[np.float32]]:
    """Squares of tissue near its outline, spread evenly.

    Parameters
    ----------
    source : NerveSource
        Reads optical density on the working grid.
    clearance : (H, W) ndarray of float
        Distance from glass on the overview grid, in its pixels; 0 where there is no tissue.
    depth_um : (float, float)
        How far from glass their centers lie; anywhere, where no tissue lies so deep.
    size : int
        Edge of a square in pixels of the working grid.
    most : int
        Number of squares.
    """
    overview = source.overview.grid
    clear_um = clearance * overview.pixel_size_um
    band = np.argwhere((clear_um > depth_um[0]) & (clear_um < depth_um[1]))
    if not len(band):
        band = np.argwhere(clearance)
    if not len(band):
        return []
    patches = []
    for center in band[np.linspace(0, len(band) - 1, most + 2).astype(int)[1:-1]]:
        row, col = source.grid.from_image(overview.to_image(center[None]))[0].astype(int) - size // 2
        patches.append(source.light(row, col, size, size, source.section.planes // 2))
    return patches


def _clearest(response: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C, N) colors of the dark lines that stand out most from the clutter, in no order."""
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    standing = ((whiten @ response) ** 2).sum(0)
    standing = np.where((response.sum(0) > 0) & (response.min(0) > -0.25 * response.max(0)), standing, 0)
    count = max(1, int(_CLEAR_SHARE * standing.size))
    most = np.argpartition(standing, -count)[-count:]
    clear = response[:, most]
    scale = np.sqrt(standing[most]) / np.maximum(np.linalg.norm(clear, axis=0), 1e-12)
    return np.asarray(clear * scale, float)


def _main_color(clearest: NDArray[np.float64]) -> NDArray[np.float64]:
    """The most frequent color among lines, weighted by how clear they are."""
    weight = np.linalg.norm(clearest, axis=0)
    unit = clearest / np.maximum(weight, 1e-12)
    color = _unit((unit * weight).sum(1))
    for angle in (30.0, 20.0, 15.0):  # settle on the main mode
        near = color @ unit > np.cos(np.deg2rad(angle))
        if near.sum() < 20:
            break
        color = _unit((unit[:, near] * weight[near]).sum(1))
    return _unit(np.maximum(color, 0.0))


def _cosine(colors: NDArray[np.float64], color: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) cosine of the angle between (N, C) colors and one color."""
    size = np.linalg.norm(colors, axis=1) * float(np.linalg.norm(color))
    return np.asarray(colors @ color / np.maximum(size, 1e-12), float)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
