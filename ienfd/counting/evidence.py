"""What speaks for a fiber at an intersection: how far and how clearly it is seen on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from ienfd.counting.junctions import Junction
from ienfd.counting.network import Intersection, Network, Step, Walk, join, walk
from ienfd.counting.trace import Trace, weighted_mean
from ienfd.geometry import FloatArray, points_at
from ienfd.protocol import ConfidenceModel

__all__ = [
    "AWAY_CAP_UM",
    "REACH_CAP_UM",
    "ROUNDING_UM",
    "Evidence",
    "Side",
    "depth_differs",
    "is_seen",
    "look",
    "side_of",
    "weights_of",
]

REACH_CAP_UM = 30.0
"""No fiber becomes more certain by being followed farther than this."""

AWAY_CAP_UM = 15.0
"""None becomes more certain by going farther from the junction than this: pigment lies in the basal cells."""

AWAY_EVERY_UM = 5.0
"""How far it is from the junction is asked at points of it this far apart, and at its end."""

ROUNDING_UM = 1e-6
"""Reaches that differ by less than this are equal."""

NEAR_UM = 10.0
"""Contrast is that of the first 10 um seen on each side."""

DEPTH_WINDOW_UM = 5.0
"""Depth is the median over the first 5 um seen on each side."""

DEPTH_STEP_UM = 10.0
"""A larger step in depth along a way, beyond what its length allows, parts two fibers."""

PAIR_STEP_UM = 25.0
"""Pieces above and below the junction are two fibers where their depths differ by more, beyond what the gap
between them allows. It is half of an ordinary section: the depth of a short piece is often that of another
fiber which passes by, so that a smaller step parts more fibers than it tells apart (`benchmarks.stacks`)."""

# The candidate of reference; see `ienfd.protocol.ConfidenceModel`.
CONTRAST_REFERENCE = 8.0
LEAST_CONTRAST = 0.5  # where nothing is seen
FAINTEST_TRACED = 4.0  # nothing fainter is traced: no such candidate was there to learn from
AWAY_REFERENCE_UM = 10.0
CALIBER_REFERENCE_UM = 2.2
CALIBER_SATURATES_UM = 4.0
JUNCTION_REFERENCE = 0.8
HIDDEN_CAP_UM = 20.0  # ends farther apart are not linked


@dataclass(frozen=True)
class Side:
    """One side of an intersection.

    Parameters
    ----------
    reach_um : float
        Length over which the fiber is seen, up to `REACH_CAP_UM`; gaps do not count.
    contrast : float
        Mean contrast where it is seen near the junction; 0 when it is not.
    gap_um : float
        Distance along the fiber from the junction to where it is first seen.
    z_um : float
        Depth there; NaN when it is not known.
    width_um : float
        Apparent caliber; NaN when it is not known.
    away_um : float
        Farthest that it gets from the junction within its reach, up to `AWAY_CAP_UM`: a fiber goes up or
        down, grains of pigment and fibers of the plexus lie along the junction.
    """

    reach_um: float = 0.0
    contrast: float = 0.0
    gap_um: float = 0.0
    z_um: float = np.nan
    width_um: float = np.nan
    away_um: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """Both sides of an intersection, how certain the junction is there, and what is made of that."""

    above: Side
    below: Side
    junction_confidence: float
    model: ConfidenceModel = field(default_factory=ConfidenceModel)

    @property
    def contrast(self) -> float:
        """Mean contrast of the sides on which the fiber is seen."""
        seen = [side.contrast for side in (self.above, self.below) if side.reach_um > 0]
        return sum(seen) / len(seen) if seen else 0.0

    @property
    def gap_um(self) -> float:
        """Length next to the junction, on both sides together, on which it is not seen."""
        return self.above.gap_um + self.below.gap_um

    @cached_property
    def features(self) -> tuple[float, ...]:
        """What the confidence is made of, one for each weight of `ConfidenceModel` in its order."""
        sides = self.above, self.below
        calibers = [side.width_um for side in sides if np.isfinite(side.width_um)]
        caliber = sum(calibers) / len(calibers) if calibers else CALIBER_REFERENCE_UM
        above, below = (max(side.contrast, LEAST_CONTRAST) for side in sides)
        contrast = min(above, below)
        return (
            1.0,
            float(np.log(contrast / CONTRAST_REFERENCE)),
            min(float(np.log(contrast / FAINTEST_TRACED)), 0.0),
            *(side.away_um - AWAY_REFERENCE_UM for side in sides),
            min(caliber, CALIBER_SATURATES_UM) - CALIBER_REFERENCE_UM,
            self.junction_confidence - JUNCTION_REFERENCE,
            max(float(np.log(above / below)), 0.0),
            min(self.gap_um, HIDDEN_CAP_UM),
        )

    @cached_property
    def confidence(self) -> float:
        """How sure it is, from 0 to 1, that a fiber crosses here."""
        logit = sum(w * x for w, x in zip(weights_of(self.model), self.features, strict=True))
        return float(1.0 / (1.0 + np.exp(-logit)))

    def with_reach(self, above_um: float, below_um: float) -> Evidence:
        """The same evidence with other reaches."""
        if (above_um, below_um) == (self.above.reach_um, self.below.reach_um):
            return self
        return replace(
            self, above=replace(self.above, reach_um=above_um), below=replace(self.below, reach_um=below_um)
        )


@lru_cache(maxsize=64)
def weights_of(model: ConfidenceModel) -> tuple[float, ...]:
    """The weights of a model, one for each of the features of an evidence."""
    return astuple(model)[1:]


def look(
    network: Network,
    places: Sequence[Intersection],
    junctions: Mapping[int, Junction],
    model: ConfidenceModel,
) -> list[Evidence]:
    """Evidence at intersections, both sides of each followed to the next intersection at most."""
    courses = [
        _courses(network, walk(network, place.vertex, [arc], REACH_CAP_UM))
        for place in places
        for arc in (place.above, place.below)
    ]
    pieces = [place.spot.piece for place in places for _ in range(2)]
    every = [(course, piece) for mine, piece in zip(courses, pieces, strict=True) for course in mine]
    away_um = iter(_away_um(every, junctions).tolist())
    sides = [_side_by([(course, next(away_um)) for course in mine]) for mine in courses]
    return [
        Evidence(above, below, junctions[place.spot.piece].confidence(place.spot), model)
        for place, above, below in zip(places, sides[::2], sides[1::2], strict=True)
    ]


def is_seen(network: Network, vertex: int, arc: int, least_um: float) -> bool:
    """Whether a fiber is seen at least so far from a vertex by one arc."""
    ways = walk(network, vertex, [arc], REACH_CAP_UM)
    return _farthest(network, ways)[0] >= least_um - ROUNDING_UM


def _farthest(network: Network, ways: Walk) -> tuple[float, Step | None]:
    """The farthest way of a walk: what is seen along it, and its last arc."""
    reach = 0.0
    last: Step | None = None
    for step in ways.entered:
        far = _seen_um(network, ways, step)
        if far > reach + ROUNDING_UM:
            reach, last = far, step
    return reach, last


def _seen_um(network: Network, ways: Walk, last: Step) -> float:
    """How much is seen along the way that ends with an arc, within the reach that is asked for."""
    arc, forward, at = last
    left = REACH_CAP_UM - ways.distance_um[at]
    return ways.seen_um[at] + network.arcs[arc].trace.seen_within(left, forward)


def side_of(network: Network, ways: Walk) -> Side:
    """What is seen along the farthest way of a walk; how far from the junction is not asked."""
    reach, last = _farthest(network, ways)
    return Side() if last is None else _side(_course(network, ways, last, reach))


@dataclass(frozen=True, eq=False)
class _Course:
    """One way of a walk as one trace, and how much of it is seen within the walk."""

    reach_um: float
    trace: Trace


def _course(network: Network, ways: Walk, last: Step, reach_um: float) -> _Course:
    return _Course(reach_um, join(network, [*ways.steps_to(last[2]), last[:2]]))


def _courses(network: Network, ways: Walk) -> list[_Course]:
    """The ways of a walk to its ends, those along which anything is seen."""
    onward = {ways.came_by[at] for _, _, at in ways.entered if at in ways.came_by}
    ends = [(last, _seen_um(network, ways, last)) for last in ways.entered if last not in onward]
    return [_course(network, ways, last, seen_um) for last, seen_um in ends if seen_um > ROUNDING_UM]


def _side_by(courses: Sequence[tuple[_Course, float]]) -> Side:
    """One side by the course that leads away from the junction, each with how far it does.

    Among those that lead about as far the longest: a fiber that splits goes on by either way, but a line
    along the junction into which it runs (the rim of the epidermis, the plexus) does not tell where it goes.
    """
    if not courses:
        return Side()
    farthest_um = max(away_um for _, away_um in courses)
    leading = [each for each in courses if each[1] > farthest_um - AWAY_EVERY_UM]
    return _side(*max(leading, key=lambda each: each[0].reach_um))


def _side(course: _Course, away_um: float = 0.0) -> Side:
    trace = course.trace
    steps = np.diff(trace.along_um)
    middle = 0.5 * (trace.along_um[1:] + trace.along_um[:-1])
    seen = ~(trace.bridged[1:] | trace.bridged[:-1]) & (steps > 0)
    gap = float(trace.along_um[:-1][seen][0])
    near = seen & (middle <= gap + NEAR_UM)
    contrast = 0.5 * (trace.contrast[1:] + trace.contrast[:-1])
    depth = 0.5 * (trace.z_um[1:] + trace.z_um[:-1])
    deep = depth[seen & (middle <= gap + DEPTH_WINDOW_UM) & np.isfinite(depth)]
    return Side(
        reach_um=course.reach_um,
        contrast=weighted_mean(contrast[near], steps[near]) if near.any() else 0.0,
        gap_um=gap,
        z_um=float(np.median(deep)) if len(deep) else np.nan,
        width_um=trace.width_um,
        away_um=away_um,
    )


def _away_um(courses: Sequence[tuple[_Course, int]], junctions: Mapping[int, Junction]) -> FloatArray:
    """(C,) how far each course gets from the junction of that piece, up to `AWAY_CAP_UM`."""
    out = np.zeros(len(courses))
    by_piece: dict[int, list[tuple[int, FloatArray]]] = {}
    for number, (course, piece) in enumerate(courses):
        by_piece.setdefault(piece, []).append((number, _looked_at(course.trace)))
    for piece, mine in by_piece.items():
        junction = junctions[piece]
        numbers = np.array([number for number, _ in mine])
        near = junction.within(np.array([points[-1] for _, points in mine]), AWAY_CAP_UM)
        out[numbers[~near]] = AWAY_CAP_UM  # most fibers end far away: there is nothing to measure
        asked = [points for (_, points), is_near in zip(mine, near.tolist(), strict=True) if is_near]
        if asked:
            first = np.cumsum([0, *map(len, asked[:-1])])
            out[numbers[near]] = np.maximum.reduceat(np.abs(junction(np.concatenate(asked)).signed), first)
    return np.minimum(out, AWAY_CAP_UM)


def _looked_at(trace: Trace) -> FloatArray:
    """(K, 2) points along the first `REACH_CAP_UM` of a trace, the last one at their end."""
    end = min(trace.length_um, REACH_CAP_UM)
    at = np.append(np.arange(AWAY_EVERY_UM, end, AWAY_EVERY_UM), end)
    return points_at(trace.points_um, at)


def depth_differs(evidence: Evidence) -> bool:
    """Whether the pieces on both sides lie too far apart in depth to be one fiber."""
    return bool(abs(evidence.above.z_um - evidence.below.z_um) > PAIR_STEP_UM + evidence.gap_um)
