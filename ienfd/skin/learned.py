"""The junction as a network draws it that has learned what junctions look like.

It is shown what the section itself told: the sharp levels, what by them looks like epidermis or dermis, and
where the junction was found. It was taught on synthetic sections of two independent generators whose levels
were turned over, mixed and bent at random: it knows forms, no color and no brightness
(`benchmarks.networks`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.networks.files import trained
from ienfd.result import FloatArray
from ienfd.skin.partition import boundary, least_variation, single_valued
from ienfd.skin.strip import Strip

__all__ = ["MARGIN_UM", "STEP_UM", "DrawJunction", "Drawn", "JunctionView", "learned_junction", "seen"]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

STEP_UM, MARGIN_UM = 1.0, 16.0
"""Samples it is shown, and how far beyond the fine strip on either side."""

_LEVELS = 3
_FAR_OUT = 4.0  # standard deviations
_CLEAR = 2.0
_DISTANCE_UM, _FARTHEST = 20.0, 2.0
_SURE, _VARIATION_UM = 4.0, 1.5
_BESIDE_UM = (6.0, 10.0)  # where it is asked how clear a junction is
_CLEAREST = 8.0


@dataclass(frozen=True, eq=False)
class JunctionView:
    """What is seen about a junction.

    Parameters
    ----------
    strip : Strip
        With samples `STEP_UM` apart; the coarse junction runs in its middle.
    inside : (S, D) ndarray of bool
        Where there is viable tissue.
    planes : (7, S, D) ndarray of float32
        Up to three levels, the evidence for epidermis (positive) or dermis, nerves, viable tissue, and the
        distance below the junction found so far; all about -4 to 4.
    """

    strip: Strip
    inside: _Mask
    planes: _Float32


@dataclass(frozen=True, eq=False)
class Drawn:
    """A junction as it was drawn.

    Parameters
    ----------
    curve : (N, 2) ndarray of float
        Coordinates of the strip.
    told : (S, D) ndarray of float
        For epidermis (positive) or dermis, as logits, in a strip that may be wider.
    margin : int
        By how many samples it begins above the other.
    """

    curve: FloatArray
    told: FloatArray
    margin: int = 0

    def clear(self, curve: FloatArray) -> FloatArray:
        """(N,) how clear a junction is at (N, 2) coordinates of the strip.

        The logit by which what lies just above it is told from what lies just below, on the less clear side.
        """

        def beside(off_um: float) -> FloatArray:
            at = curve.T + np.array([[0.0], [self.margin + off_um / STEP_UM]])
            return np.asarray(ndimage.map_coordinates(self.told, at, order=1, mode="nearest"), float)

        above = np.mean([beside(-um) for um in _BESIDE_UM], axis=0)
        below = np.mean([-beside(um) for um in _BESIDE_UM], axis=0)
        return np.asarray(np.clip(np.minimum(above, below), -_SURE, _CLEAREST), float)


DrawJunction = Callable[[JunctionView], Drawn]
"""Draws a junction by what is seen about it."""


def seen(
    strip: Strip,
    levels: _Float32,
    inside: _Mask,
    nerves: _Mask,
    evidence: FloatArray,
    curve: FloatArray,
) -> JunctionView:
    """What is seen about a junction, even in whatever stain.

    Parameters
    ----------
    strip : Strip
    levels : (C, S, D) ndarray of float32
        Sharp levels, up to three.
    inside, nerves : (S, D) ndarray of bool
        Where there is viable tissue, and where nerves are.
    evidence : (S, E) ndarray of float
        For epidermis (positive) or dermis in standard deviations, in the middle of the strip.
    curve : (N, 2) ndarray of float
        The junction found so far, coordinates of the strip.
    """
    count, size = inside.shape
    across_um = _across_um(size)
    known = levels[:, inside]
    middle, spread = np.median(known, axis=1), np.maximum(known.std(axis=1), 1e-6)
    even = (levels - middle[:, None, None]) / spread[:, None, None]
    told = np.tile(-_CLEAR * np.sign(across_um), (count, 1))
    margin = (size - evidence.shape[1]) // 2
    told[:, margin : margin + evidence.shape[1]] = np.clip(evidence, -_CLEAR, _CLEAR)
    below_um = (np.arange(size) - single_valued(curve, count)[:, None]) * STEP_UM
    planes = np.zeros((_LEVELS + 4, count, size), np.float32)
    planes[: len(levels)] = np.clip(even, -_FAR_OUT, _FAR_OUT) * inside
    planes[_LEVELS:] = told / _CLEAR, nerves, inside, np.clip(below_um / _DISTANCE_UM, -_FARTHEST, _FARTHEST)
    return JunctionView(strip, inside, planes)


def learned_junction(view: JunctionView) -> Drawn:
    """The junction as the network draws it.

    Raises
    ------
    EnvironmentProblem
        If the file of the network is not the one of this version.
    """
    network = trained("junction_1")
    # from left to right and from right to left: a junction knows neither
    logit = 0.5 * (network.of(view.planes) + network.of(view.planes[:, ::-1])[::-1])
    above = -np.sign(_across_um(view.inside.shape[1]))
    evidence = np.where(view.inside, np.clip(logit, -_SURE, _SURE), above)
    curve = boundary(least_variation(evidence, STEP_UM, variation_um=_VARIATION_UM))
    return Drawn(curve, np.asarray(logit, float))


def _across_um(size: int) -> FloatArray:
    """(D,) distance of samples across a strip from its middle, in micrometers."""
    return np.asarray((np.arange(size) - (size - 1) / 2) * STEP_UM, float)
