"""What another course of a junction can change.

A decision looks at the fibers within a walk of a place, and at how near they come to the junction;
nothing looks farther than the rules' own lengths. Whatever lies beyond them stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.counting.bystanders import TIP_UM, Insider
from ienfd.counting.evidence import AWAY_CAP_UM, REACH_CAP_UM
from ienfd.counting.fibers import Fibers
from ienfd.counting.junctions import Junction, Spot
from ienfd.counting.links import LONGEST_LINK_UM, deepest_link_um
from ienfd.counting.network import TOUCH_DEPTH_UM
from ienfd.geometry import FloatArray, common_ends
from ienfd.protocol import CountingRules

__all__ = ["Redrawn", "asked_again", "components_around", "cut_otherwise", "redrawn"]

_MARGIN_UM = 0.01  # far above any rounding

Which = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Redrawn:
    """Where the junction of a piece runs otherwise than before, or is trusted otherwise.

    Parameters
    ----------
    before, now : (N, 2) and (M, 2) ndarray of float
        That part of it in micrometers, from the last point that stays to the first that stays again.
    first, last : int
        The segments before `first`, and those from `last` on, stay; numbers of the former junction.
    by : int
        How many more segments there are now.
    region_um : (2, 2) ndarray of float
        Smallest and largest (row, col) of what has become epidermis or dermis.
    junction : Junction
        All of it as it is now.
    """

    before: FloatArray
    now: FloatArray
    first: int
    last: int
    by: int
    region_um: FloatArray
    junction: Junction

    def follow(self, spot: Spot) -> Spot:
        """A spot that stays where it is, on the junction as it is now.

        Raises
        ------
        LookupError
            If it lies where the junction was redrawn.
        """
        if spot.segment < self.first:
            return spot
        if spot.segment < self.last:
            raise LookupError(f"{spot} does not stay")
        return self.junction.moved(spot, self.by)


def redrawn(before: Junction, now: Junction) -> Redrawn | None:
    """What differs between two courses of the junction of a piece; None where nothing does."""
    old, new = _rows(before), _rows(now)
    head, tail = common_ends(old, new)
    if head == len(old) == len(new):
        return None
    first = max(head - 1, 0)
    ends = (len(old) - tail, len(new) - tail)
    was, runs = before.points[first : ends[0] + 1], now.points[first : ends[1] + 1]
    # the area of the epidermis is closed from the ends of the junction to those of the surface
    surface = now.piece.surface_px * now.pixel_size_um
    outline = np.concatenate([was, runs, surface[: head == 0], surface[len(surface) - (tail == 0) :]])
    region = np.stack([outline.min(axis=0), outline.max(axis=0)])
    return Redrawn(was, runs, first, ends[0], len(new) - len(old), region, now)


def _rows(junction: Junction) -> FloatArray:
    return np.column_stack([junction.piece.junction_px, junction.piece.junction_confidence])


def cut_otherwise(changes: Iterable[Redrawn], fibers: Fibers) -> Which:
    """Branches that may be cut otherwise now.

    That is decided where they come as near to a junction as a touch is deep.
    """
    return _near(changes, fibers, TOUCH_DEPTH_UM)


def asked_again(
    changes: Iterable[Redrawn], fibers: Fibers, together: Collection[Sequence[int]], rules: CountingRules
) -> NDArray[np.bool_]:
    """(B,) the branches whose candidates may be others now.

    Parameters
    ----------
    changes : iterable of Redrawn
        What has changed.
    fibers : Fibers
        All of them.
    together : collection of sequence of int
        Branches of former candidates that are only found together.
    rules : CountingRules
        The laboratory's choices.
    """
    # What is cut, what is seen of a fiber from there, and what leaves a way to another intersection.
    cut = _near(changes, fibers, TOUCH_DEPTH_UM + fibers.longest_step_um)
    asked = fibers.around(cut, LONGEST_LINK_UM + REACH_CAP_UM + _MARGIN_UM)
    # How deep such a way goes, and how far from the junction; the height from which an end approaches. A
    # line is looked at point by point: the point that decides may lie one step farther.
    deepest_um = max(deepest_link_um(rules), AWAY_CAP_UM, rules.approach_um + TIP_UM)
    deep_um = deepest_um + fibers.longest_step_um
    asked |= fibers.around(_near(changes, fibers, deep_um), LONGEST_LINK_UM + _MARGIN_UM)
    joined = [np.array(branches) for branches in together]
    while joined:  # those that share a branch are all found together
        apart = [branches for branches in joined if not asked[branches].any()]
        if len(apart) == len(joined):
            break
        for branches in joined:
            asked[branches] |= asked[branches].any()
        joined = apart
    return asked


def _near(changes: Iterable[Redrawn], fibers: Fibers, distance_um: float) -> Which:
    """Branches that may come so near to where a junction ran or runs otherwise."""
    lines = [line for change in changes for line in (change.before, change.now)]
    return np.unique(np.concatenate([fibers.near(line, distance_um + _MARGIN_UM) for line in lines]))


def components_around(
    changes: Iterable[Redrawn], fibers: Fibers, insiders: Iterable[Insider]
) -> frozenset[int]:
    """Components that may be fragments now and were none, or the reverse, or nearest to another place.

    Which are inside changes only where epidermis has become dermis or the reverse; the nearest place of
    one that is inside, only where the junction ran or runs as near to it.
    """
    low, high = fibers.boxes_um
    inside = list(insiders)
    mine = [fibers.of_component(one.component) for one in inside]
    out: set[int] = set()
    for change in changes:
        gap = np.maximum(low - change.region_um[1], change.region_um[0] - high).max(axis=1)
        out.update(fibers.component[gap <= _MARGIN_UM].tolist())
        for one, branches in zip(inside, mine, strict=True):
            if gap[branches].min() <= one.distance_um + _MARGIN_UM:
                out.add(one.component)
    return frozenset(out)
