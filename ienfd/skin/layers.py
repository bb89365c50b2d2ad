"""Corneum, epidermis and dermis below an outline, in coordinates straightened along it.

First the mean profile over depth is cut into three layers as well as they can be told apart. Then two
globally optimal curves, the surface and the junction, take turns with the models of the three
tissues, which are estimated from the section itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.result import FloatArray
from ienfd.skin.features import Features
from ienfd.skin.membrane import ridge
from ienfd.skin.profile import CORNEUM_UM, EPIDERMIS_UM, Cut, cut_profile
from ienfd.skin.strip import (
    COARSE_STEP_UM,
    Strip,
    best_path,
    beyond_image,
    inside_tissue,
    make_strip,
    within_image,
)
from ienfd.skin.telling import border_between, halfway_between, telling, tissue_model

__all__ = [
    "Layers",
    "Straightened",
    "coarse_junctions",
    "coarse_surface",
    "covered",
    "find_layers",
    "straightened_below",
]

_Float32 = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_ABOVE_UM, _DEEPEST_UM = 10.0, 230.0
_HEADING_UM = 70.0
_ROUNDS = 4
_COARSELY = 1.2  # what a coarse junction must have above it, of what an exact one must have
_MEMBRANE_WEIGHT = 3.0
_MEMBRANE_WIDTHS, _MEMBRANE_FAINT = (1.2, 2.4), 1.0
_MEMBRANE_CLEAR, _MEMBRANE_PLAIN = 4.0, 12.0
_BOUND = 1.5
_BEYOND_UM = 40.0  # a junction is followed so far beyond the border of the image
_EDGE_UM = 3.0  # blurred with the glass: belongs to no layer
_PROFILE_UM = 190.0  # the profile is explained down to here
_JUNCTION_VARIES_UM = 30.0  # about the depth at which the mean profile has its edge
_SURFACE_VARIES_UM = 8.0
_DERMIS_UM = 90.0  # dermis is modeled within this depth below the junction


@dataclass(frozen=True, eq=False)
class Layers:
    """Corneum over epidermis over dermis in straightened coordinates, within a few micrometers.

    Parameters
    ----------
    top, depth : (S,) ndarray of int
        Index across the strip of the surface of the viable epidermis and of the junction, for every
        position along it.
    difference : (K,) ndarray of float
        Features of epidermis minus those of dermis, in standard deviations, at most 3.
    parted : float
        How well both sides of the junction are parted, 0 (not at all) to 1.5.
    corneum : float
        How well corneum and epidermis are parted, likewise.
    membrane : float
        Median strength of the basement membrane along the curve, 0 without such a channel.
    above_um : float
        Height of the first sample of the strip above the outline.
    gain : float
        How much better three layers explain the mean profile than corneum and one tissue do; 0 if it
        was not asked.
    """

    top: NDArray[np.intp]
    depth: NDArray[np.intp]
    difference: FloatArray
    parted: float
    corneum: float
    membrane: float
    above_um: float
    gain: float

    @property
    def thickness_um(self) -> float:
        """Median thickness of the epidermis, at least 5 um."""
        return max(float(np.median(self.depth - self.top)) * COARSE_STEP_UM, 5.0)

    @property
    def corneum_um(self) -> float:
        """Median thickness of what lies above the surface."""
        return float(np.median(self.top)) * COARSE_STEP_UM - self.above_um

    @property
    def roughness_um(self) -> float:
        """Median deviation of the junction from a parabola."""
        at = np.arange(len(self.depth))
        depth = self.depth * COARSE_STEP_UM
        return float(np.median(np.abs(depth - np.polyval(np.polyfit(at, depth, 2), at))))


@dataclass(frozen=True, eq=False)
class Straightened:
    """Features of the tissue in the coordinates of a strip.

    Parameters
    ----------
    strip : Strip
    values : (K, S, D) ndarray of float32
        In the order of `Features.along`.
    inside : (S, D) ndarray of bool
        Where there is tissue.
    line : (S, D) ndarray of float
        Strength of the basement membrane, 0 without such a channel.
    """

    strip: Strip
    values: _Float32
    inside: _Mask
    line: FloatArray

    def part(self, start: int, stop: int) -> Straightened:
        """The positions from `start` to `stop` along the strip."""
        at = slice(start, stop)
        strip = Strip(self.strip.positions[at], self.strip.step_um, self.strip.above_um)
        return Straightened(strip, self.values[:, at], self.inside[at], self.line[at])

    @property
    def levels(self) -> _Float32:
        """(K, S, D) the fine levels alone."""
        return self.values[: (len(self.values) - 1) // 4]

    @property
    def across_um(self) -> FloatArray:
        """(D,) depth of every sample below the outline."""
        return np.asarray(np.arange(self.values.shape[2]) * self.strip.step_um - self.strip.above_um, float)


def straightened_below(
    outline: FloatArray,
    down: int,
    features: Features,
    tissue: _Mask,
    membrane: _Float32 | None,
    px: float,
) -> Straightened:
    """Sample features, tissue and basement membrane below an outline, deep enough for its layers.

    Parameters
    ----------
    outline : (N, 2) ndarray of float
        Grid coordinates.
    down : {1, -1}
        Side of the tissue, see `make_strip`.
    features : Features
    tissue : (H, W) ndarray of bool
    membrane : (H, W) ndarray of float32 or None
        Basement-membrane signal.
    px : float
        Pixel edge of the grid in micrometers.
    """
    strip = make_strip(
        outline,
        px,
        above_um=_ABOVE_UM,
        below_um=_DEEPEST_UM,
        step_um=COARSE_STEP_UM,
        down=down,
        heading_um=_HEADING_UM,
    )
    values = features.along(strip)
    line = np.zeros(values.shape[1:]) if membrane is None else _membrane_strength(strip, membrane)
    return Straightened(strip, values, inside_tissue(strip, tissue), line)


def find_layers(
    tissue: Straightened, start: FloatArray | None = None, thin: _Float32 | None = None
) -> Layers | None:
    """Find surface and junction below an outline.

    Parameters
    ----------
    tissue : Straightened
    start : (S, 2) ndarray of float or None
        Depths of surface and junction below the outline (um) from which to begin, and near which they
        are held where the tissue says little; None for those at which the mean profile has its edges.
    thin : (N, S, D) ndarray of float32 or None
        Features that part a corneum, which is thin, from the epidermis; None for the fine levels. Grain among
        them helps where an epidermis is known to lie; elsewhere it finds one in the dermis.

    Returns
    -------
    Layers or None
        None where there is too little tissue, or no three layers.
    """
    thin = tissue.levels if thin is None else thin
    if start is not None:
        return _alternate(tissue, start, 0.0, thin, known=True)
    used = (tissue.across_um >= _EDGE_UM) & (tissue.across_um <= _PROFILE_UM)
    cut = cut_profile(tissue.values[:, :, used], tissue.inside[:, used], tissue.across_um[used])
    if cut is None:
        return None
    even = np.tile([cut.surface_um, cut.junction_um], (len(tissue.inside), 1))
    found = _alternate(tissue, even, cut.gain, thin)
    return _on_deeper_membrane(tissue, cut, found, thin) or found


def _on_deeper_membrane(
    tissue: Straightened, cut: Cut, found: Layers | None, thin: _Float32
) -> Layers | None:
    """The layers where a plain membrane lies far below the cut, which then parts the corneum; else None."""
    deep = tissue.across_um >= cut.junction_um + EPIDERMIS_UM[0]
    if not (deep.any() and tissue.line.any()):
        return None
    first = int(np.argmax(deep))
    depth = first + _smooth_path(-_MEMBRANE_WEIGHT * tissue.line[:, first:])
    plain = max(_MEMBRANE_PLAIN / 2, 0.0 if found is None else 1.5 * _on_line(tissue, found.depth))
    if _on_line(tissue, depth) < plain:
        return None
    deeper = np.column_stack([np.full(len(depth), cut.junction_um), tissue.across_um[depth]])
    return _alternate(tissue, deeper, cut.gain, thin)


def _on_line(tissue: Straightened, depth: NDArray[np.intp]) -> float:
    """Median strength of the membrane along a curve."""
    return float(np.median(tissue.line[np.arange(len(depth)), depth]))


def _alternate(
    tissue: Straightened, start: FloatArray, gain: float, thin: _Float32, *, known: bool = False
) -> Layers | None:
    """Let both curves and the models of the tissues take turns, from where they should begin.

    `thin` are the features that part corneum from epidermis. Where an epidermis is `known` to lie, the
    junction heeds how even it is; elsewhere that would find an even layer anywhere.
    """
    count, size = tissue.inside.shape
    across = np.broadcast_to(np.arange(size), (count, size))
    top, depth = np.rint((start + tissue.strip.above_um) / tissue.strip.step_um).astype(np.intp).T
    junction_evidence = np.zeros((count, size))
    corneum_evidence = np.zeros((count, size))
    for _ in range(_ROUNDS):
        corneum, upper, lower = _masks(tissue, top, depth, across)
        if upper.sum() < 50 or lower.sum() < 50:
            return None
        told = telling(tissue.values, upper, lower, sharp=False)
        junction_evidence = _evidence(tissue, told, halfway_between(told, upper, lower))
        leading = _evidence(tissue, told, border_between(told, upper, lower)) if known else junction_evidence
        depth = _optimal_depth(tissue, leading, top, start[:, 1])
        corneum, upper, lower = _masks(tissue, top, depth, across)
        if corneum.sum() < 50 or upper.sum() < 50:
            continue  # no corneum is seen: the surface is where the profile puts it
        told = tissue_model(thin, corneum, upper).of(thin)
        corneum_evidence = _evidence(tissue, told, halfway_between(told, corneum, upper))
        top = _optimal_top(tissue, corneum_evidence, depth, start[:, 0])
    corneum, upper, lower = _masks(tissue, top, depth, across)
    if upper.sum() < 50 or lower.sum() < 50:
        return None
    values = tissue.values
    spread = np.sqrt(0.5 * (values[:, upper].var(axis=1) + values[:, lower].var(axis=1))) + 1e-6
    difference = (values[:, upper].mean(axis=1) - values[:, lower].mean(axis=1)) / spread
    near = np.abs(across - depth[:, None]) * tissue.strip.step_um < 40
    return Layers(
        top=top,
        depth=depth,
        difference=np.clip(difference, -3, 3).astype(float),
        parted=_parted(junction_evidence, upper & near, lower & near),
        corneum=_parted(corneum_evidence, corneum, upper) if corneum.any() else 0.0,
        membrane=min(_on_line(tissue, depth), _MEMBRANE_CLEAR),
        above_um=tissue.strip.above_um,
        gain=gain,
    )


def _masks(
    tissue: Straightened, top: NDArray[np.intp], depth: NDArray[np.intp], across: NDArray[np.intp]
) -> tuple[_Mask, _Mask, _Mask]:
    """Corneum, epidermis and dermis as they now stand, without their blurred edges."""
    step = tissue.strip.step_um
    from_surface = (across - top[:, None]) * step
    from_junction = (across - depth[:, None]) * step
    corneum = tissue.inside & (from_surface < -2) & (tissue.across_um >= _EDGE_UM)[None, :]
    upper = tissue.inside & (from_surface > 4) & (from_junction < -4)
    lower = tissue.inside & (from_junction > 4) & (from_junction < _DERMIS_UM)
    return corneum, upper, lower


def _evidence(tissue: Straightened, told: FloatArray, border: FloatArray) -> FloatArray:
    """(S, D) evidence for the upper (positive) or lower tissue, in standard deviations, bounded."""
    return np.where(tissue.inside, np.clip(told - border[:, None], -_BOUND, _BOUND), 0.0)


def _optimal_depth(
    tissue: Straightened, evidence: FloatArray, top: NDArray[np.intp], usual_um: FloatArray
) -> NDArray[np.intp]:
    """Depth index that best parts what looks like epidermis from what looks like dermis."""
    step = tissue.strip.step_um
    below_top = (np.arange(evidence.shape[1])[None, :] - top[:, None]) * step
    gain = np.where(below_top > 0, evidence, 0.0)
    gain = gain - 0.1 * (below_top > 110)  # an epidermis thicker than that is the exception
    # sum above minus sum below: up to a constant twice the running sum from above
    cost = -np.cumsum(gain, axis=1) - _MEMBRANE_WEIGHT * tissue.line
    cost = cost + _held(tissue, usual_um, _JUNCTION_VARIES_UM)
    cost = np.where(below_top < EPIDERMIS_UM[0] - 5, cost.max() + 1, cost)
    return _smooth_path(cost)


def _smooth_path(cost: FloatArray) -> NDArray[np.intp]:
    return best_path(cost, max_step=4, step_cost=0.8, curve_cost=0.2)


def _optimal_top(
    tissue: Straightened, evidence: FloatArray, depth: NDArray[np.intp], usual_um: FloatArray
) -> NDArray[np.intp]:
    """Depth index that best parts corneum from viable epidermis."""
    step = tissue.strip.step_um
    above_junction = (depth[:, None] - np.arange(evidence.shape[1])[None, :]) * step
    cost = -np.cumsum(np.where(above_junction > 0, evidence, 0.0), axis=1)
    cost = cost + _held(tissue, usual_um, _SURFACE_VARIES_UM)
    forbidden = (above_junction < EPIDERMIS_UM[0] - 5) | (tissue.across_um > CORNEUM_UM[1] + 20)[None, :]
    forbidden |= (tissue.across_um < 0)[None, :]
    return best_path(np.where(forbidden, cost.max() + 1, cost), max_step=2, step_cost=4.0, curve_cost=1.0)


def _held(tissue: Straightened, usual_um: FloatArray, varies_um: float) -> FloatArray:
    """(S, D) cost of leaving the depth at which the mean profile has an edge."""
    return np.asarray(((tissue.across_um[None, :] - usual_um[:, None]) / varies_um) ** 2, float)


def _parted(evidence: FloatArray, upper: _Mask, lower: _Mask) -> float:
    """Median over the positions of the mean evidence on the less clear side."""
    up = (evidence * upper).sum(1) / np.maximum(upper.sum(1), 1)
    down = (evidence * lower).sum(1) / np.maximum(lower.sum(1), 1)
    return max(float(np.median(np.minimum(up, -down))), 0.0)


def coarse_junctions(
    tissue: Straightened,
    layers: Layers,
    shape: tuple[int, ...],
    px: float,
    *,
    shortest_um: float,
    above_um: float,
) -> list[FloatArray]:
    """Grid coordinates of the coarse junction, a curve for each run with tissue at it and so far above it.

    At the border of an image of this `shape` it goes on a little: only glass ends tissue.
    """
    rows = np.arange(len(layers.depth))
    curve = tissue.strip.to_grid(np.column_stack([rows, layers.depth]).astype(float))
    off_glass = tissue.inside | beyond_image(tissue.strip, shape)
    there = covered(off_glass, rows, layers.depth, round(_COARSELY * above_um / tissue.strip.step_um))
    there &= within_image(curve, shape, _BEYOND_UM / px)
    closed = ndimage.binary_closing(np.pad(there, 12), np.ones(5, bool))[12:-12]
    labels, _ = ndimage.label(closed)
    runs = [curve[run] for run in ndimage.find_objects(labels)]
    return [np.asarray(run, float) for run in runs if len(run) * tissue.strip.step_um >= shortest_um]


def coarse_surface(tissue: Straightened, layers: Layers) -> FloatArray:
    """(S, 2) grid coordinates of the coarse surface, along the whole strip."""
    return tissue.strip.to_grid(np.column_stack([np.arange(len(layers.top)), layers.top]).astype(float))


def covered(
    inside: _Mask, rows: NDArray[np.intp], cols: NDArray[np.intp], reach: int, least: float = 0.7
) -> _Mask:
    """Places of a curve with tissue (`inside`) at them and on this share of the way `reach` above."""
    sums = np.concatenate([np.zeros((len(inside), 1)), np.cumsum(inside, axis=1)], axis=1)
    top = np.maximum(cols - reach, 0)
    share = (sums[rows, cols + 1] - sums[rows, top]) / (cols + 1 - top)
    return np.asarray(inside[rows, cols] & (share > least), bool)


def _membrane_strength(strip: Strip, membrane: _Float32) -> FloatArray:
    """(S, D) strength of the basement membrane, 0 to 12."""
    strength = ridge(strip.sample(membrane), _MEMBRANE_WIDTHS, _MEMBRANE_FAINT)
    plainest = float(np.median(strength.max(axis=1)))  # corneum may shine there, but less than the membrane
    return np.minimum(strength * (_MEMBRANE_PLAIN / max(plainest, _MEMBRANE_PLAIN)), _MEMBRANE_PLAIN)
