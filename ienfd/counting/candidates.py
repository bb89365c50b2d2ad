"""Everything that could be a crossing, before the rules decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ienfd.counting.bystanders import Bystander, approaching_ends, fragments
from ienfd.counting.evidence import (
    REACH_CAP_UM,
    ROUNDING_UM,
    Evidence,
    Side,
    confidence,
    depth_differs,
    look,
    side_of,
)
from ienfd.counting.links import Group, Link, fiber_groups
from ienfd.counting.network import Intersection, Network, walk
from ienfd.geometry import FloatArray, Projector, arc_lengths
from ienfd.protocol import CountingRules
from ienfd.result import Findings

__all__ = ["Candidate", "find_candidates"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A possible crossing, and what it is if nothing else stands against it.

    Parameters
    ----------
    piece : int
        Index of the piece.
    position_um : float
        Position along its junction.
    point_um : (2,) ndarray of float
        (row, col) in micrometers.
    z_um : float
        Depth; NaN when it is not known.
    component : int
        Connected set of fibers to which it belongs.
    evidence : Evidence
        What is seen on both sides.
    reason : str
        `crosses`, `fragment`, `approaching`, `depth_mismatch`, `same_fiber` or `junction_branch`.
    group : int
        Candidates of one fiber have the same number; one of them stands for it, the reason of the
        others says why they are not fibers of their own.
    stands : bool
        Whether this is the one.
    """

    piece: int
    position_um: float
    point_um: FloatArray
    z_um: float
    component: int
    evidence: Evidence
    reason: str
    group: int
    stands: bool = True


def find_candidates(
    findings: Findings, network: Network, junctions: Mapping[int, Projector], rules: CountingRules
) -> list[Candidate]:
    """Everything that crosses, comes near, or lies inside, in order of piece and position.

    Parameters
    ----------
    findings : Findings
        A calibrated section.
    network : Network
        Its fibers, cut at the junction.
    junctions : mapping of int to Projector
        Junction of every piece that has one, in micrometers.
    rules : CountingRules
        The laboratory's choices.

    Returns
    -------
    list of Candidate
        In order.
    """
    sure = _Surety(findings)
    seen = [look(network, place, sure(place.piece, place.position_um)) for place in network.intersections]
    out: list[Candidate] = []
    for number, group in enumerate(fiber_groups(network, junctions, rules)):
        found = _of_group(network, group, seen, rules, number)
        out += found
        if found[0].reason == "crosses":
            out += _forks_in_band(network, group, found[0], junctions, rules)
    inside = fragments(network, findings.pieces, junctions, findings.pixel_size_um or 1.0, rules)
    below = approaching_ends(network, junctions, rules)
    bystanders = [(one, "fragment") for one in inside] + [(one, "approaching") for one in below]
    first = len(out)  # above the number of every group
    out += [
        _of_bystander(network, one, reason, sure, first + k) for k, (one, reason) in enumerate(bystanders)
    ]
    return sorted(out, key=_order)


class _Surety:
    """Confidence of the junction at places along it."""

    def __init__(self, findings: Findings) -> None:
        scale = findings.pixel_size_um or 1.0
        self._known = [
            (arc_lengths(piece.junction_px) * scale, piece.junction_confidence) for piece in findings.pieces
        ]

    def __call__(self, piece: int, position_um: float) -> float:
        return float(np.interp(position_um, *self._known[piece]))


def _order(candidate: Candidate) -> tuple[object, ...]:
    at = (round(float(value), 6) for value in (candidate.position_um, *candidate.point_um))
    return (candidate.piece, *at, candidate.reason)


def _of_group(
    network: Network, group: Group, seen: Sequence[Evidence], rules: CountingRules, number: int
) -> list[Candidate]:
    """The candidate that stands for a fiber, and then the places where it crosses again.

    A fiber that wanders in and out is seen as far above and below as at any of its passages. One
    that does not cross is one candidate, however often it meets the line.
    """
    above = max(seen[member].above.reach_um for member in group.members)
    below = max(seen[member].below.reach_um for member in group.members)
    evidence = {member: seen[member].with_reach(above, below) for member in group.members}
    ranked = sorted(
        group.members, key=lambda m: (depth_differs(evidence[m]), -round(confidence(evidence[m]), 6), m)
    )
    if above < rules.min_reach_um - ROUNDING_UM:
        reason = "approaching"
    elif below < rules.min_reach_um - ROUNDING_UM:
        reason = "fragment"
    elif depth_differs(evidence[ranked[0]]):
        reason = "depth_mismatch"
    else:
        reason = "crosses"
    out = []
    for member in ranked if reason == "crosses" else ranked[:1]:
        place, stands = network.intersections[member], member == ranked[0]
        out.append(
            Candidate(
                piece=place.piece,
                position_um=place.position_um,
                point_um=place.point_um,
                z_um=_depth(place, evidence[member]),
                component=network.component[place.vertex],
                evidence=evidence[member],
                reason=reason if stands else group.links.get(member, Link.SAME_FIBER).value,
                group=number,
                stands=stands,
            )
        )
    return out


def _depth(place: Intersection, evidence: Evidence) -> float:
    for value in (place.z_um, evidence.above.z_um, evidence.below.z_um):
        if np.isfinite(value):
            return value
    return float(np.nan)


def _forks_in_band(
    network: Network,
    group: Group,
    standing: Candidate,
    junctions: Mapping[int, Projector],
    rules: CountingRules,
) -> list[Candidate]:
    """Further daughters of a fiber that crosses once and forks just above, within the junction band.

    The band has a width, so that a fork in it is one situation whether the traced fork lies just
    below the line (two intersections) or just above it (one).
    """
    if len(group.members) != 1:
        return []
    place = network.intersections[group.members[0]]
    stem = network.arcs[place.above]
    fork = stem.end if stem.start == place.vertex else stem.start
    if network.is_intersection(fork):
        return []
    point = stem.trace.points_um[-1 if stem.start == place.vertex else 0]
    view = junctions[place.piece](point)
    others = [arc for arc in network.at_vertex[fork] if arc != place.above]
    ends = {vertex for arc in others for vertex in (network.arcs[arc].start, network.arcs[arc].end)}
    near = abs(float(view.signed[0])) <= rules.junction_band_um
    if not near or any(network.is_intersection(vertex) for vertex in ends):
        return []
    sides = [side_of(network, walk(network, fork, [arc], REACH_CAP_UM)) for arc in others]
    daughters = [side for side in sides if side.reach_um >= rules.min_reach_um - ROUNDING_UM]
    two = rules.junction_branch == "two"
    return [
        replace(
            standing,
            position_um=float(view.position[0]),
            point_um=point,
            reason="crosses" if two else "junction_branch",
            # a daughter that counts stands for itself
            group=standing.group if not two else -1 - fork,
            stands=two,
        )
        for _ in daughters[1:]
    ]


def _of_bystander(network: Network, found: Bystander, reason: str, sure: _Surety, number: int) -> Candidate:
    sides = (found.side, Side()) if reason == "fragment" else (Side(), found.side)
    return Candidate(
        piece=found.piece,
        position_um=found.position_um,
        point_um=found.point_um,
        z_um=found.side.z_um,
        component=network.component[found.vertex],
        evidence=Evidence(*sides, sure(found.piece, found.position_um)),
        reason=reason,
        group=number,
    )
