"""An epidermal side of a piece of tissue: which of several stand, and which go on in one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ienfd.result import FloatArray
from ienfd.skin.strip import COARSE_STEP_UM

__all__ = ["Side", "linked", "standing_out"]

_OTHER_PIECE = 0.15  # of likelihood and clearness of the best of all
_HOLDS_ITS_OWN, _AS_CLEAR = 0.5, 0.3  # of those of the best of the same piece of tissue
_FLAKE_UM = 200.0
_HEADING_UM = 250.0
_STRAIGHT, _AHEAD = 0.7, 0.4  # cosines


@dataclass(frozen=True, eq=False)
class Side:
    """A stretch of outline under which an epidermis lies.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Grid coordinates at even steps of `COARSE_STEP_UM`.
    cut : (bool, bool)
        Whether its first and its last end are cut ends of the tissue.
    depths_um : (N, 2) ndarray of float
        Depths of surface and junction below every point, roughly.
    region : int
        The piece of tissue below it, see `Tissue.regions`.
    likely : float
        Probability that it is epidermal.
    quality : float
        How clear the layers are, 1 for clear ones.
    """

    points: FloatArray
    cut: tuple[bool, bool]
    depths_um: FloatArray
    region: int
    likely: float
    quality: float


def standing_out(sides: list[Side]) -> list[Side]:
    """The likeliest side of every piece of tissue, and what holds its own beside it."""
    pieces: dict[int, list[Side]] = {}
    for side in sides:
        pieces.setdefault(side.region, []).append(side)
    likeliest = _likeliest(sides)
    kept: list[Side] = []
    for mine in pieces.values():
        best = _likeliest(mine)
        if (
            best.likely >= _OTHER_PIECE * likeliest.likely
            and best.quality >= _OTHER_PIECE * likeliest.quality
        ):
            kept += [s for s in mine if s.likely >= _HOLDS_ITS_OWN * best.likely
                     and s.quality >= _AS_CLEAR * best.quality]  # fmt: skip
    return kept


def _likeliest(sides: list[Side]) -> Side:
    return max(sides, key=lambda side: (side.likely, side.quality))


def linked(sides: list[Side], px: float) -> list[Side]:
    """Sides of one piece of tissue that go on in one another: a flake of corneum parted them."""
    rest = list(sides)
    while True:
        pair = next(((a, b) for a in rest for b in rest if a is not b and _goes_on(a, b, px)), None)
        if pair is None:
            return rest
        rest = [side for side in rest if side not in pair]
        rest.append(_link(*pair, px))


def _goes_on(one: Side, other: Side, px: float) -> bool:
    reach = round(_HEADING_UM / COARSE_STEP_UM)
    ways = (
        one.points[-1] - one.points[-reach:][0],
        other.points[0] - one.points[-1],
        other.points[:reach][-1] - other.points[0],
    )
    before, between, after = (way / max(float(np.hypot(*way)), 1e-9) for way in ways)
    near = float(np.hypot(*ways[1])) * px < _FLAKE_UM
    straight = float(before @ after) > _STRAIGHT
    ahead = min(float(before @ between), float(between @ after)) > _AHEAD
    return one.region == other.region and near and straight and ahead


def _link(one: Side, other: Side, px: float) -> Side:
    gap = other.points[0] - one.points[-1]
    count = max(2, round(float(np.hypot(*gap)) * px / COARSE_STEP_UM))
    part = np.arange(1, count)[:, None] / count
    depths = one.depths_um[-1] + part * (other.depths_um[0] - one.depths_um[-1])
    return Side(
        np.concatenate([one.points, one.points[-1] + part * gap, other.points]),
        (one.cut[0], other.cut[1]),
        np.concatenate([one.depths_um, depths, other.depths_um]),
        one.region,
        max(one.likely, other.likely),
        max(one.quality, other.quality),
    )
