"""The tour: from candidate to candidate, those first that a person has to decide on."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Protocol, TypeVar

from ienfd.result import Crossing

__all__ = ["DOUBTFUL", "MATTERS_OF_RULE", "SURE", "is_doubtful", "neighbor", "stops", "unseen"]

SURE = 0.7
"""A counted crossing below this confidence is one to look at twice."""

DOUBTFUL = 0.2
"""What is not counted, but would be a crossing with this confidence or more, is worth a look."""


class HasId(Protocol):
    """What a tour can stop at."""

    @property
    def object_id(self) -> str:
        """Its id."""
        ...


Stop = TypeVar("Stop", bound=HasId)

MATTERS_OF_RULE = frozenset({"junction_branch", "same_fiber", "depth_mismatch", "too_faint"})
"""Reasons to leave out a candidate on which laboratories or readers differ."""

_OF_ITS_PLACE = frozenset(
    {"excluded_stretch", "appendage", "junction_low_confidence", "cut_edge", "section_refused"}
)
"""Reasons that say nothing of a candidate: it cannot be counted there, whatever a person says of it."""


def is_doubtful(crossing: Crossing) -> bool:
    """Whether it might as well have been decided otherwise."""
    if crossing.origin == "manual" or crossing.reason.startswith("reviewer_"):
        return False
    if crossing.reason in _OF_ITS_PLACE:
        return False
    if crossing.counted:
        return crossing.confidence < SURE
    return crossing.confidence >= DOUBTFUL or crossing.reason in MATTERS_OF_RULE


def stops(crossings: Sequence[Crossing]) -> tuple[Crossing, ...]:
    """The candidates of a tour, along the junction: all that are counted, and all that are doubtful."""
    return tuple(c for c in crossings if c.counted or is_doubtful(c) or c.reason.startswith("reviewer_"))


def neighbor(stops_: Sequence[Stop], current: Stop | None, step: int) -> Stop | None:
    """The stop after (or with a step of -1 before) the current one, round the whole section."""
    if not stops_:
        return None
    ids = [stop.object_id for stop in stops_]
    if current is None or current.object_id not in ids:
        return stops_[0 if step > 0 else -1]
    return stops_[(ids.index(current.object_id) + step) % len(ids)]


def unseen(stops_: Sequence[Stop], current: Stop | None, seen: Container[str]) -> list[Stop]:
    """The stops that nobody has said anything of, those after the current one first."""
    ids = [stop.object_id for stop in stops_]
    start = ids.index(current.object_id) + 1 if current is not None and current.object_id in ids else 0
    return [stop for stop in (*stops_[start:], *stops_[:start]) if stop.object_id not in seen]
