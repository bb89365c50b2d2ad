"""What speaks for a fiber at an intersection: how far and how clearly it is seen on both sides."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from ienfd.counting.network import Intersection, Network, Walk, join, walk
from ienfd.counting.trace import Trace, weighted_mean
from ienfd.protocol import ConfidenceModel

__all__ = [
    "REACH_CAP_UM",
    "ROUNDING_UM",
    "Evidence",
    "Side",
    "depth_differs",
    "look",
    "reach_of",
    "side_of",
    "weights_of",
]

REACH_CAP_UM = 30.0
"""No fiber becomes more certain by being followed farther than this."""

ROUNDING_UM = 1e-6
"""Reaches that differ by less than this are equal."""

NEAR_UM = 10.0
"""Contrast is that of the first 10 um seen on each side, straightness that of the first 10 um."""

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
FAINTEST_TRACED = 4.0  # nothing fainter is traced: no such candidate was there to learn from
REACH_REFERENCE_UM = 12.0
REACH_FLOOR_UM = 1.0
CALIBER_REFERENCE_UM = 2.2
CALIBER_SATURATES_UM = 4.0
SHORTEST_COURSE_UM = 1.0  # a shorter trace has no course
JUNCTION_REFERENCE = 0.8


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
    straightness : float
        Chord over arc of its first 10 um: a fiber runs smoothly, chains of pigment grains do not.
    """

    reach_um: float = 0.0
    contrast: float = 0.0
    gap_um: float = 0.0
    z_um: float = np.nan
    width_um: float = np.nan
    straightness: float = 1.0


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

    @cached_property
    def features(self) -> tuple[float, ...]:
        """What the confidence is made of, one for each weight of `ConfidenceModel` in its order."""
        above, below = self.above, self.below
        calibers = [side.width_um for side in (above, below) if np.isfinite(side.width_um)]
        caliber = min(max(calibers, default=CALIBER_REFERENCE_UM), CALIBER_SATURATES_UM)
        contrast = max(min(above.contrast, below.contrast), 0.5)
        return (
            1.0,
            float(np.log(contrast / CONTRAST_REFERENCE)),
            min(float(np.log(contrast / FAINTEST_TRACED)), 0.0),
            _log_reach(above),
            _log_reach(below),
            caliber - CALIBER_REFERENCE_UM,
            above.straightness * below.straightness - 1,
            self.junction_confidence - JUNCTION_REFERENCE,
        )

    @cached_property
    def confidence(self) -> float:
        """How sure it is, from 0 to 1, that a fiber crosses here."""
        logit = sum(w * x for w, x in zip(weights_of(self.model), self.features, strict=True))
        return float(1.0 / (1.0 + np.exp(-logit)))

    def with_reach(self, above_um: float, below_um: float) -> Evidence:
        """The same evidence with other reaches."""
        return replace(
            self, above=replace(self.above, reach_um=above_um), below=replace(self.below, reach_um=below_um)
        )


@lru_cache(maxsize=64)
def weights_of(model: ConfidenceModel) -> tuple[float, ...]:
    """The weights of a model, one for each of the features of an evidence."""
    return astuple(model)[1:]


def look(
    network: Network, place: Intersection, junction_confidence: float, model: ConfidenceModel
) -> Evidence:
    """Evidence at one intersection, both sides followed to the next intersection at most."""
    return Evidence(
        side_of(network, walk(network, place.vertex, [place.above], REACH_CAP_UM)),
        side_of(network, walk(network, place.vertex, [place.below], REACH_CAP_UM)),
        junction_confidence,
        model,
    )


def reach_of(network: Network, ways: Walk) -> float:
    """How far a fiber is seen along the farthest way of a walk."""
    return _farthest(network, ways)[0]


def _farthest(network: Network, ways: Walk) -> tuple[float, tuple[int, bool, int] | None]:
    """The farthest way of a walk: what is seen along it, and its last arc."""
    reach = 0.0
    way: tuple[int, bool, int] | None = None
    for arc, forward, at in ways.entered:
        left = REACH_CAP_UM - ways.distance_um[at]
        far = ways.seen_um[at] + network.arcs[arc].trace.seen_within(left, forward)
        if far > reach + ROUNDING_UM:
            reach, way = far, (arc, forward, at)
    return reach, way


def side_of(network: Network, ways: Walk) -> Side:
    """What is seen along the farthest way of a walk."""
    reach, way = _farthest(network, ways)
    if way is None:
        return Side()
    trace = join(network, [*ways.steps_to(way[2]), way[:2]])
    steps = np.diff(trace.along_um)
    middle = 0.5 * (trace.along_um[1:] + trace.along_um[:-1])
    seen = ~(trace.bridged[1:] | trace.bridged[:-1]) & (steps > 0)
    gap = float(trace.along_um[:-1][seen][0])
    near = seen & (middle <= gap + NEAR_UM)
    contrast = 0.5 * (trace.contrast[1:] + trace.contrast[:-1])
    depth = 0.5 * (trace.z_um[1:] + trace.z_um[:-1])
    deep = depth[seen & (middle <= gap + DEPTH_WINDOW_UM) & np.isfinite(depth)]
    return Side(
        reach_um=reach,
        contrast=weighted_mean(contrast[near], steps[near]) if near.any() else 0.0,
        gap_um=gap,
        z_um=float(np.median(deep)) if len(deep) else np.nan,
        width_um=trace.width_um,
        straightness=_straightness(trace),
    )


def _straightness(trace: Trace) -> float:
    """Chord over arc of the first part of a trace."""
    last = min(max(int(np.searchsorted(trace.along_um, NEAR_UM)), 1), len(trace.along_um) - 1)
    arc = float(trace.along_um[last])
    if arc < SHORTEST_COURSE_UM:
        return 1.0
    return float(np.hypot(*(trace.points_um[last] - trace.points_um[0]))) / arc


def depth_differs(evidence: Evidence) -> bool:
    """Whether the pieces on both sides lie too far apart in depth to be one fiber."""
    gap = evidence.above.gap_um + evidence.below.gap_um
    return bool(abs(evidence.above.z_um - evidence.below.z_um) > PAIR_STEP_UM + gap)


def _log_reach(side: Side) -> float:
    reach = min(max(side.reach_um, REACH_FLOOR_UM), REACH_CAP_UM)
    return float(np.log(reach / REACH_REFERENCE_UM))
