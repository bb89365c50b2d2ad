"""The junction at the scale of single bundles, gaps and nuclei, from what the section itself shows.

Epidermis is a closed sheet, dermis a felt of bundles with gaps between them, and often the two differ
in nothing else. Means over an area blur that edge; openings and closings (a morphological profile,
Pesaresi and Benediktsson 2001) do not: they take out what is narrower than their disk and leave the
edges of everything wider where they are. A discriminant between what lies on either side of the
junction found so far tells which of them matter in this section; its boundary is the next junction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import disk

from ienfd.result import FloatArray
from ienfd.skin.edge import Edge, mean_along
from ienfd.skin.partition import boundary, least_variation
from ienfd.skin.telling import tissue_model
from ienfd.stain.grid import polygon_mask

__all__ = ["CloseUp"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_NUCLEI_UM, _BUNDLES_UM = 3.0, 6.0  # radii: no wider are nuclei and gaps; bundles of collagen
_SETTLED_UM = 1.0
_MEANS_UM = (1.2, 2.5)
_GRAIN_FROM_UM, _GRAIN_WITHIN_UM = 4.0, 2.0
_BLURRED_UM, _NEAR_UM = 2.0, 25.0  # what is learned from, on either side
_FARTHEST_UM = 20.0  # the junction lies no farther from where the round before found it
_CLEAR = 2.0  # evidence beyond this many standard deviations adds nothing
_VARIATION_UM = 6.0  # more than for means: bodies of cells and ends of bundles stand out, too
_FEW = 200
_ROUNDS = 2  # by the looks, and as many with their squares
_FAR_OUT = 3.0  # standard deviations: what lies farther out is no more unusual


@dataclass(frozen=True, eq=False)
class CloseUp:
    """What is seen in a strip at this scale.

    Parameters
    ----------
    plain : (L, S, D) ndarray of float32
        Looks in units of how much they vary where there is tissue.
    squared : (2 * L, S, D) ndarray of float32
        The same, and how unusual each is.
    inside : (S, D) ndarray of bool
        Where there is viable tissue.
    step_um : float
        Distance of samples in the strip.
    """

    plain: _Float32
    squared: _Float32
    inside: _Mask
    step_um: float

    @classmethod
    def of(cls, values: _Float32, inside: _Mask, step_um: float) -> CloseUp | None:
        """Look closely at (C, S, D) sharp levels from which the nerves are taken out.

        None where there is too little viable tissue, (S, D) `inside`, to learn from.
        """
        if inside.sum() < 2 * _FEW:
            return None
        plain = _evened(_looks(values, step_um), inside)
        squared = np.concatenate([plain, _evened(_unusual(plain, inside), inside)])
        return cls(plain, squared, inside, step_um)

    def edge_near(self, curve: FloatArray) -> tuple[Edge, FloatArray] | None:
        """Bring a junction to the edge between sheet and felt.

        Parameters
        ----------
        curve : (N, 2) ndarray of float
            The junction found so far, strip coordinates.

        Returns
        -------
        edge : Edge
        evidence : (S, D) ndarray of float
            For epidermis (positive) or dermis, in standard deviations; None for both where there is too
            little tissue on one side to learn from.
        """
        upper = _above(curve, self.inside.shape)
        found: tuple[Edge, FloatArray] | None = None
        for looks in [self.plain] * _ROUNDS + [self.squared] * _ROUNDS:
            signed_um = _signed_um(upper, self.step_um)
            near = self.inside & (np.abs(signed_um) > _BLURRED_UM) & (np.abs(signed_um) < _NEAR_UM)
            above, below = near & upper, near & ~upper
            if min(above.sum(), below.sum()) < _FEW:
                return found
            model = tissue_model(looks, above, below)
            projected = model.of(looks)
            over, under = (mean_along(projected, side, self.step_um) for side in (above, below))
            evidence = np.clip(projected - 0.5 * (over + under)[:, None], -_CLEAR, _CLEAR)
            evidence = np.where(self.inside, evidence, -0.3 * np.sign(signed_um))
            evidence = np.where(np.abs(signed_um) > _FARTHEST_UM, -_CLEAR * np.sign(signed_um), evidence)
            partition = least_variation(evidence, self.step_um, variation_um=_VARIATION_UM)
            upper = partition > 0.5
            found = Edge(boundary(partition), model.separation, over - under), evidence
        return found


def _looks(values: _Float32, step_um: float) -> _Float32:
    """(8 * C, S, D): means, what is left of the levels by openings and closings, and the grain."""
    nuclei, bundles = (disk(round(radius / step_um)) for radius in (_NUCLEI_UM, _BUNDLES_UM))

    def settled(level: _Float32) -> _Float32:
        return np.asarray(ndimage.gaussian_filter(level, _SETTLED_UM / step_um), np.float32)

    looks: list[_Float32] = []
    for level in values:
        filled = _closed(level, nuclei)
        looks += [ndimage.gaussian_filter(level, um / step_um) for um in _MEANS_UM]
        looks += [settled(_opened(level, nuclei)), settled(filled)]
        looks += [settled(_opened(level, bundles)), settled(_closed(level, bundles))]
        looks.append(settled(_opened(filled, bundles)))  # a sheet stays a sheet, whatever its nuclei
        grain = np.abs(level - ndimage.gaussian_filter(level, _GRAIN_FROM_UM / step_um))
        grain = ndimage.gaussian_filter(grain, _GRAIN_WITHIN_UM / step_um)
        looks.append(np.log(grain + np.float32(max(0.1 * float(np.median(grain)), 1e-6))))
    return np.stack(looks)


def _evened(looks: _Float32, inside: _Mask) -> _Float32:
    """Looks in units of how much they vary where there is tissue."""
    spread = np.maximum(looks[:, inside].std(axis=1), 1e-6)
    return np.asarray(looks / spread[:, None, None], np.float32)


def _unusual(looks: _Float32, inside: _Mask) -> _Float32:
    """How far looks lie from their median, either way, squared.

    With them the border is a quadric: one tissue may lie between two sorts of place of the other, as
    cytoplasm does between bundles and gaps.
    """
    middle = np.median(looks[:, inside][:, ::7], axis=1)
    return np.asarray(np.clip(looks - middle[:, None, None], -_FAR_OUT, _FAR_OUT) ** 2, np.float32)


def _opened(level: _Float32, footprint: NDArray[np.uint8]) -> _Float32:
    eroded = ndimage.grey_erosion(level, footprint=footprint, mode="nearest")
    return np.asarray(ndimage.grey_dilation(eroded, footprint=footprint, mode="nearest"), np.float32)


def _closed(level: _Float32, footprint: NDArray[np.uint8]) -> _Float32:
    return -_opened(-level, footprint)


def _above(curve: FloatArray, shape: tuple[int, ...]) -> _Mask:
    """What lies between the upper rim of a strip and a curve that runs through it."""
    ends = [[shape[0], curve[-1, 1]], [shape[0], -1.0], [-1.0, -1.0], [-1.0, curve[0, 1]]]
    return polygon_mask(np.concatenate([curve, ends]), shape)


def _signed_um(upper: _Mask, step_um: float) -> FloatArray:
    """Distance from the border of a half, negative inside it."""
    outside, within = ndimage.distance_transform_edt(~upper), ndimage.distance_transform_edt(upper)
    return np.where(upper, -within, outside) * step_um
