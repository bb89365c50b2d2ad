"""The dermal-epidermal junction, from its coarse course to the edge itself.

In a narrow strip about the coarse junction: the partition of least total variation into what looks
like epidermis and what looks like dermis. Its boundary may overhang.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.result import FloatArray
from ienfd.skin.closeup import CloseUp
from ienfd.skin.edge import Edge, plainness, sharpen
from ienfd.skin.features import Features
from ienfd.skin.layers import covered
from ienfd.skin.learned import MARGIN_UM, STEP_UM, DrawJunction, Drawn, seen
from ienfd.skin.membrane import along_membrane
from ienfd.skin.partition import boundary, least_variation, single_valued
from ienfd.skin.strip import (
    COARSE_STEP_UM,
    Strip,
    arc_um,
    beyond_image,
    extent,
    inside_tissue,
    make_strip,
    smooth_curve,
)
from ienfd.skin.telling import border_between, telling

__all__ = ["ABOVE_UM", "refine_junction"]

_Float32 = NDArray[np.float32]

_FINE_UM = 1.0
_HALF_UM, _WIDE_HALF_UM = 40.0, 110.0  # of the fine strip; the wider one for long ridges
_WIDEST_HALF_UM, _FAIRLY_SURE = 220.0, 0.55  # for the longest, where the others are less sure on average
_MODELED_UM, _MODELED = 35.0, 0.6  # about the coarse junction both tissues are modeled; of the widest strip
_FEWEST = 50  # samples of a tissue that a model is made of
_EVENED = 0.625  # standard deviation with which its middle is evened out, as a part of that
_PULLED_UM, _PULL = 12.0, 1.12  # farther from the coarse curve, and how hard at the rim
_FAR_CLEARER = 2.5
_ELSEWHERE_UM, _SOME_OF_IT = 5.0, 0.02  # where the network draws so much of it so far off, it is asked again
_PLAIN = 30.0  # standard deviations: no section shows an edge as plain, and nobody needs to be asked
# Logit of the probability that a junction lies within 5 um: logistic regressions on places of synthetic
# sections of independent generators (development only; `benchmarks/README.md`). Reference: a change of one
# standard deviation, and a network that has no opinion.
_SURE, _SURER_BY_CHANGE, _SURER_BY_CLEARNESS = -2.15, 1.03, 0.73
_SURE_ALONE, _SURER_BY_CHANGE_ALONE = -1.1, 2.0  # where no network was asked
_LEAST_CHANGE = 0.3
_LEAST_SEEN, _LEAST_SURE = 0.73, 0.15  # at the ends of a junction: change, or confidence by its membrane
_PLAINLY, _HARDLY = 3.0, 0.35  # standard deviations between both sides, and what of it ends a junction
_NEARBY_UM = 8.0
_RIM, _ALONG_RIM = 3, 20  # samples, points of a curve: the tip of a ridge may touch it
_AT_RIM = 0.2  # how sure a junction is there at most
ABOVE_UM = 25.0
"""So far above a junction there is tissue, most of it."""
_THINNEST_UM = 10.0  # so far below a surface there is no membrane
_SEEN_ABOVE = 0.4  # of the epidermis just above, at the border of the image


def refine_junction(
    coarse: FloatArray,
    features: Features,
    tissue: NDArray[np.bool_],
    px: float,
    down: int,
    *,
    membrane: _Float32 | None = None,
    draw: DrawJunction | None = None,
    longest: bool = False,
    above_um: float = ABOVE_UM,
) -> tuple[FloatArray, FloatArray]:
    """Bring the coarse junction to the edge itself.

    Parameters
    ----------
    coarse : (N, 2) ndarray of float
        The coarse junction, grid coordinates `COARSE_STEP_UM` apart along its outline.
    features : Features
    tissue : (H, W) ndarray of bool
        Viable tissue: without the corneum.
    px : float
        Pixel edge of the grid in micrometers.
    down : {1, -1}
        Side of the dermis, see `make_strip`.
    membrane : (H, W) ndarray of float32 or None
        Basement-membrane signal; where its ridge is clear, it leads.
    draw : callable or None
        Draws the junction by what is seen about the one that was found; None to leave that as it is.
    longest : bool
        Whether the longest ridges are followed, too.
    above_um : float
        How far above a junction there must be tissue.

    Returns
    -------
    curve : (N, 2) ndarray of float
        Grid coordinates.
    confidence : (N,) ndarray of float
        Probability, about, that the junction lies within 5 um.
    """
    skin = _Skin(features, tissue, px, down, above_um)
    refined = [_refined(coarse, skin, _HALF_UM, membrane, draw)]
    if refined[-1].runs_along_rim:
        refined.append(_refined(coarse, skin, _WIDE_HALF_UM, membrane, draw))
    if longest and (refined[-1].runs_along_rim or refined[-1].mean_confidence < _FAIRLY_SURE):
        widest = _refined(coarse, skin, _WIDEST_HALF_UM, membrane, draw)
        if widest.mean_confidence >= _FAIRLY_SURE:
            refined.append(widest)
    best = max(refined, key=_Refined.sure_px)
    return best.curve, best.confidence


@dataclass(frozen=True, eq=False)
class _Skin:
    """What a junction lies in; the names as in `refine_junction`."""

    features: Features
    tissue: NDArray[np.bool_]
    px: float
    down: int
    above_um: float

    def strip(self, base: FloatArray, half_um: float, step_um: float) -> Strip:
        """A strip that reaches `half_um` to both sides of a curve."""
        return make_strip(base, self.px, above_um=half_um, below_um=half_um, step_um=step_um, down=self.down)


@dataclass(frozen=True, eq=False)
class _Refined:
    """A junction as it was found within a strip, and whether it runs along the rim of that."""

    curve: FloatArray
    confidence: FloatArray
    runs_along_rim: bool

    @property
    def mean_confidence(self) -> float:
        """How sure it is on average; 0 where there is none."""
        return float(self.confidence.mean()) if len(self.confidence) else 0.0

    def sure_px(self) -> float:
        """Length of it, weighed by how sure it is."""
        if len(self.curve) < 2:
            return 0.0
        return float(np.hypot(*np.diff(self.curve, axis=0).T) @ self.confidence[1:])


def _refined(
    coarse: FloatArray,
    skin: _Skin,
    half_um: float,
    membrane: _Float32 | None,
    draw: DrawJunction | None,
) -> _Refined:
    """The edge itself within `half_um` of the coarse junction; the rest as in `refine_junction`."""
    base = smooth_curve(coarse, _EVENED * half_um / COARSE_STEP_UM)  # or the strip would fold over itself
    strip = skin.strip(base, half_um, _FINE_UM)
    features = skin.features
    values = features.along(strip)
    inside, beyond = inside_tissue(strip, skin.tissue), beyond_image(strip, skin.tissue.shape)
    count, size = inside.shape
    parted = boundary(_partition(features, values, inside, _guess(coarse, strip, base, skin.px), half_um))
    edge = _clearest_edge(features, strip, values, inside, parted)
    curve = edge.curve
    drawn: Drawn | None = None
    closely = CloseUp.of(features.sharp_levels(strip), inside, strip.step_um)
    if closely is not None and (near := closely.edge_near(curve)) is not None:
        edge, evidence = near
        curve = edge.curve
        if draw is not None and edge.parted < _PLAIN:
            wider = _Wider.about(base, skin, half_um)
            drawn = wider.drawn(draw, curve, evidence)
            # where it lies elsewhere, what both sides look like is told better by where it was drawn
            moved = _moved(edge.curve, drawn.curve, inside)
            if moved and (near := closely.edge_near(drawn.curve)) is not None:
                drawn = wider.drawn(draw, drawn.curve, near[1])
            curve = drawn.curve
    before, sure = curve, None
    if membrane is not None:
        viable = ~beyond & _lies_below_surface(inside | beyond)
        curve, sure = along_membrane(strip.sample(membrane), curve, viable)
    change = np.interp(curve[:, 0], np.arange(count), edge.change)
    confidence = _within_5_um(change, None if drawn is None else drawn.clear(curve))
    seen_there = change > _LEAST_SEEN
    if sure is not None:  # a line that is seen needs no other witness
        confidence, seen_there = np.maximum(confidence, sure), seen_there | (sure > _LEAST_SURE)
    # along the rim it would go on beyond what was looked at: a long ridge; or there is none
    on_rim = _along_rim(curve, size)
    confidence = np.where(on_rim, np.minimum(confidence, _AT_RIM), confidence)
    changes = _something_changes(features.levels(values), inside, curve, on_rim)
    keep = extent(seen_there & changes & _on_tissue(curve, inside, beyond, skin.above_um))
    kept = curve[keep]
    # a membrane may cut across what was drawn along the rim
    runs_along_rim = bool(on_rim[keep].any() or _passes(before[_along_rim(before, size)], kept))
    return _Refined(strip.to_grid(kept), confidence[keep], runs_along_rim)


def _passes(places: FloatArray, kept: FloatArray) -> bool:
    """Whether any of these places lies along the strip where this much of a junction is kept."""
    along = kept[:, 0]
    return len(kept) > 0 and bool(((places[:, 0] >= along.min()) & (places[:, 0] <= along.max())).any())


def _lies_below_surface(tissue: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, D) where a membrane may lie: not in corneum, which may shine as bright, nor at its lower edge."""
    reach = round(_THINNEST_UM / _FINE_UM)
    return np.asarray(ndimage.minimum_filter1d(tissue, reach + 1, axis=1, origin=(reach + 1) // 2), bool)


def _along_rim(curve: FloatArray, size: int) -> NDArray[np.bool_]:
    """(N,) where a curve runs along the rim of a strip of so many samples across."""
    on_rim = np.abs(curve[:, 1] - (size - 1) / 2) > size / 2 - _RIM
    return np.asarray(ndimage.binary_opening(on_rim, np.ones(_ALONG_RIM, bool)), bool)


def _partition(
    features: Features, values: _Float32, inside: NDArray[np.bool_], guess_um: FloatArray, half_um: float
) -> FloatArray:
    """(S, D) what looks like epidermis (1) and what like dermis (0), near a guess of the junction."""
    signed = np.arange(inside.shape[1]) * _FINE_UM - half_um - guess_um[:, None]
    partition = np.clip(0.5 - signed / 10, 0, 1)
    near_um = _MODELED_UM
    # the longest ridges cross the coarse junction: on both sides there is as much of either
    if half_um >= _WIDEST_HALF_UM:
        near_um, partition = _MODELED * half_um, _two_levels(features.wide_levels(values), inside, signed)
    for _ in range(2):
        upper = inside & (partition > 0.5) & (signed > -near_um)
        lower = inside & (partition <= 0.5) & (signed < near_um)
        if min(upper.sum(), lower.sum()) < _FEWEST:
            break
        projected = telling(values, upper, lower, sharp=True)
        border = border_between(projected, upper, lower)
        likelihood = np.where(inside, np.clip(projected - border[:, None], -2, 2), -0.3 * np.sign(signed))
        # a weak pull to the coarse curve keeps islands far from it out
        off = np.maximum(np.abs(signed) - _PULLED_UM, 0) / (half_um - _PULLED_UM)
        partition = least_variation(likelihood - _PULL * np.sign(signed) * off, _FINE_UM)
    return partition


def _two_levels(levels: _Float32, inside: NDArray[np.bool_], signed: FloatArray) -> FloatArray:
    """(S, D) where levels lie on one side of what parts them best (Otsu 1979): that which lies higher up."""
    from skimage.filters import threshold_otsu  # takes half a second

    if inside.sum() < _FEWEST:
        return np.zeros(inside.shape)
    most_varied = np.linalg.eigh(np.atleast_2d(np.cov(levels[:, inside])))[1][:, -1].astype(np.float32)
    along = np.tensordot(most_varied, levels, 1)
    high = along > threshold_otsu(along[inside])
    is_higher_up = signed[inside & high].sum() / max(high[inside].sum(), 1) < signed[inside].mean()
    return np.asarray(high if is_higher_up else ~high, float)


@dataclass(frozen=True, eq=False)
class _Wider:
    """What a network is shown of the section itself, in a strip about the fine one."""

    strip: Strip
    levels: _Float32
    inside: NDArray[np.bool_]
    nerves: NDArray[np.bool_]

    @classmethod
    def about(cls, base: FloatArray, skin: _Skin, fine_half_um: float) -> _Wider:
        strip = skin.strip(base, fine_half_um + MARGIN_UM, STEP_UM)
        nerves = strip.sample(skin.features.nerves.astype(np.float32)) > 0.5
        return cls(strip, skin.features.sharp_levels(strip), inside_tissue(strip, skin.tissue), nerves)

    def drawn(self, draw: DrawJunction, curve: FloatArray, evidence: FloatArray) -> Drawn:
        """The junction as it is drawn by what is seen about the one found so far, within the fine strip."""
        margin = round(MARGIN_UM / STEP_UM)
        farther = np.array([0.0, margin])
        wide = draw(seen(self.strip, self.levels, self.inside, self.nerves, evidence, curve + farther))
        inner = np.clip(wide.curve - farther, 0, [np.inf, evidence.shape[1] - 1])
        return Drawn(np.asarray(inner, float), wide.told, margin)


def _moved(before: FloatArray, now: FloatArray, inside: NDArray[np.bool_]) -> bool:
    """Whether a junction lies elsewhere, where there is tissue along the strip."""
    off_um = np.abs(single_valued(before, len(inside)) - single_valued(now, len(inside))) * _FINE_UM
    return bool((off_um > _ELSEWHERE_UM)[inside.any(axis=1)].mean() > _SOME_OF_IT)


def _clearest_edge(
    features: Features, strip: Strip, values: _Float32, inside: NDArray[np.bool_], curve: FloatArray
) -> Edge:
    """The edge near a curve, in levels or, where that is far clearer, in levels and grain.

    Levels show an edge where it is. Grain blurs it, and grains of pigment and nuclei have an upper edge of
    their own; but where smooth epidermis lies on fibers of the same color, grain alone shows the edge.
    """
    plain = sharpen(features.levels(values), inside, curve, strip.step_um, dense=features.dense)
    grained = sharpen(features.levels_and_grain(strip, values), inside, curve, strip.step_um)
    return grained if grained.parted > _FAR_CLEARER * plain.parted else plain


def _guess(coarse: FloatArray, strip: Strip, base: FloatArray, px: float) -> FloatArray:
    """(S,) offset of the coarse curve from the middle of the fine strip, in micrometers."""
    arc = arc_um(base, px)
    middle = strip.positions[:, strip.positions.shape[1] // 2]
    normal = strip.positions[:, -1] - middle
    normal /= np.maximum(np.hypot(*normal.T), 1e-9)[:, None]
    at = np.linspace(0, arc[-1], len(middle))
    curve = np.column_stack([np.interp(at, arc, coarse[:, k]) for k in (0, 1)])
    return np.asarray(((curve - middle) * normal).sum(1) * px, float)


def _within_5_um(change: FloatArray, clear: FloatArray | None) -> FloatArray:
    """Probability, about, that a junction lies within 5 um of places where the tissues differ so much.

    `clear` is what the network that drew it says, if one was asked.
    """
    logarithm = np.log(np.maximum(change, _LEAST_CHANGE))
    if clear is None:
        logit = _SURE_ALONE + _SURER_BY_CHANGE_ALONE * logarithm
    else:
        logit = _SURE + _SURER_BY_CHANGE * logarithm + _SURER_BY_CLEARNESS * clear
    return np.asarray(1 / (1 + np.exp(-logit)), float)


def _something_changes(
    levels: _Float32, inside: NDArray[np.bool_], curve: FloatArray, on_rim: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(N,) where both sides of a junction differ, if it is one along which they plainly do.

    Beyond where it leaves the image a curve may come back to it with one tissue on both sides, or run along
    the rim of the strip.
    """
    parted, share = plainness(levels, inside, curve, _FINE_UM, _NEARBY_UM)
    if parted < _PLAINLY:
        return np.ones(len(curve), bool)
    return ~on_rim & (np.interp(curve[:, 0], np.arange(len(share)), share) > _HARDLY)


def _on_tissue(
    curve: FloatArray, inside: NDArray[np.bool_], beyond: NDArray[np.bool_], above_um: float
) -> NDArray[np.bool_]:
    """(N,) where there is tissue at a junction and so far above it."""
    rows = np.clip(np.round(curve[:, 0]).astype(int), 0, inside.shape[0] - 1)
    cols = np.clip(np.round(curve[:, 1]).astype(int), 0, inside.shape[1] - 1)
    reach = round(above_um / _FINE_UM)
    return covered(inside | beyond, rows, cols, reach) & covered(inside, rows, cols, reach, _SEEN_ABOVE)
