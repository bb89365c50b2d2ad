"""Everything that could be a crossing, before the rules decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ienfd.counting.bystanders import Bystander, approaching_ends
from ienfd.counting.evidence import ROUNDING_UM, Evidence, Side, depth_differs, look
from ienfd.counting.forks import Fork, next_fork, together_until
from ienfd.counting.junctions import Junction, Spot
from ienfd.counting.links import LONGEST_LINK_UM, Group, Link, fiber_groups
from ienfd.counting.network import Intersection, Network
from ienfd.geometry import FloatArray
from ienfd.protocol import CountingRules

__all__ = ["Candidate", "candidates_at", "fragment", "order"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A possible crossing, and what it is if nothing else stands against it.

    Parameters
    ----------
    spot : Spot
        Its place on the junction.
    trusted_at : Spot
        The place at which the confidence of the junction is part of its evidence.
    point_um : (2,) ndarray of float
        (row, col) in micrometers.
    z_um : float
        Depth; NaN when it is not known.
    component : int
        Connected set of fibers to which it belongs.
    branches : tuple of int
        The branches at which it was found, those of the whole group; none for a fragment, which is all
        of its component.
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

    spot: Spot
    trusted_at: Spot
    point_um: FloatArray
    z_um: float
    component: int
    branches: tuple[int, ...]
    evidence: Evidence
    reason: str
    group: int
    stands: bool = True


def candidates_at(
    network: Network, junctions: Mapping[int, Junction], rules: CountingRules, first: int
) -> tuple[list[Candidate], list[Candidate]]:
    """Everything that meets a junction, and everything that comes near it from below.

    Parameters
    ----------
    network : Network
        Fibers, cut at the junction; what is asked for of them is looked at.
    junctions : mapping of int to Junction
        Of every piece that has one.
    rules : CountingRules
        The laboratory's choices.
    first : int
        Number of the first group.
    """
    seen = look(network, network.intersections, junctions, rules.confidence)
    groups = fiber_groups(network, junctions, rules)
    met: list[Candidate] = []
    for number, group in enumerate(groups, first):
        found = _of_group(network, group, seen, rules, number)
        met += found
        if found[0].reason == "crosses":
            met += _others_of_line(network, group, found[0], junctions, rules)
    below = []
    for number, one in enumerate(approaching_ends(network, junctions, rules), first + len(groups)):
        trust = junctions[one.spot.piece].confidence(one.spot)
        evidence = Evidence(Side(), one.side, trust, rules.confidence)
        component = int(network.fibers.component[one.branch])
        below.append(_of_bystander(one, component, (one.branch,), evidence, "approaching", number))
    return met, below


def fragment(
    found: Bystander, component: int, junctions: Mapping[int, Junction], rules: CountingRules, number: int
) -> Candidate:
    """A component that lies inside, as a candidate of its own group."""
    trust = junctions[found.spot.piece].confidence(found.spot)
    evidence = Evidence(found.side, Side(), trust, rules.confidence)
    return _of_bystander(found, component, (), evidence, "fragment", number)


def order(candidate: Candidate) -> tuple[object, ...]:
    """What candidates are sorted by; those at the same place stay in the order that they were found in."""
    at = (round(float(value), 6) for value in (candidate.spot.position_um, *candidate.point_um))
    return (candidate.spot.piece, *at, candidate.reason)


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
        group.members, key=lambda m: (depth_differs(evidence[m]), -round(evidence[m].confidence, 6), m)
    )
    if above < rules.min_entry_um - ROUNDING_UM:
        reason = "approaching"
    elif below < rules.min_entry_um - ROUNDING_UM:
        reason = "fragment"
    elif depth_differs(evidence[ranked[0]]):
        reason = "depth_mismatch"
    else:
        reason = "crosses"
    branches = tuple(sorted({network.intersections[member].branch for member in group.members}))
    out = []
    for member in ranked if reason == "crosses" else ranked[:1]:
        place, stands = network.intersections[member], member == ranked[0]
        out.append(
            Candidate(
                spot=place.spot,
                trusted_at=place.spot,
                point_um=place.point_um,
                z_um=_depth(place, evidence[member]),
                component=int(network.fibers.component[place.branch]),
                branches=branches,
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


def _others_of_line(
    network: Network,
    group: Group,
    standing: Candidate,
    junctions: Mapping[int, Junction],
    rules: CountingRules,
) -> list[Candidate]:
    """What else a line stands for that crosses once: another fiber, or further daughters of its own.

    The band has a width, so that a fork in it is one situation whether the traced fork lies just
    below the line (two intersections) or just above it (one).
    """
    if len(group.members) != 1:
        return []
    place = network.intersections[group.members[0]]
    if (fork := together_until(network, place)) is not None:
        return [_another(standing, fork)]
    fork = next_fork(network, place, True, rules.min_reach_um, LONGEST_LINK_UM)
    if fork is None:
        return []
    there = (network.arcs[arc] for arc in network.at_vertex[fork.vertex])
    ends = {vertex for arc in there for vertex in (arc.start, arc.end)} - {place.vertex}
    if any(network.is_intersection(vertex) for vertex in ends):
        return []
    view = junctions[place.spot.piece](fork.point_um)
    if abs(float(view.signed[0])) > rules.junction_band_um:
        return []
    other = replace(standing, spot=junctions[place.spot.piece].spot(view, 0), point_um=fork.point_um)
    two = rules.junction_branch == "two"
    daughter = _another(other, fork) if two else replace(other, reason="junction_branch", stands=False)
    return [daughter] * (len(fork.arms) - 1)


def _another(standing: Candidate, fork: Fork) -> Candidate:
    """One that counts beside a fiber from which it parts at a fork, and stands for itself."""
    return replace(standing, group=-1 - fork.vertex)


def _of_bystander(
    found: Bystander, component: int, branches: tuple[int, ...], evidence: Evidence, reason: str, number: int
) -> Candidate:
    return Candidate(
        spot=found.spot,
        trusted_at=found.spot,
        point_um=found.point_um,
        z_um=found.side.z_um,
        component=component,
        branches=branches,
        evidence=evidence,
        reason=reason,
        group=number,
    )
