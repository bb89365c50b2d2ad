"""From fibers and junctions to candidates, each counted or excluded with one reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ienfd.counting.bystanders import Bystander, approaching_ends, cell_components, fragments
from ienfd.counting.evidence import Evidence, Side, confidence, depth_differs, look
from ienfd.counting.links import Group, Link, fiber_groups
from ienfd.counting.network import Network, build_network
from ienfd.geometry import FloatArray, Projector, arc_lengths, length
from ienfd.identity import stable_ids
from ienfd.protocol import CountingRules
from ienfd.result import Crossing, Findings, Stretch
from ienfd.skin.lengths import effective_exclusions, reason_at

__all__ = ["count_crossings"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A possible crossing, and what it would be if nothing stood against it.

    `reason` is `crosses`, `fragment`, `approaching`, `same_fiber` or `junction_branch`.
    """

    piece: int
    position_um: float
    point_um: FloatArray
    component: int
    evidence: Evidence
    reason: str
    z_um: float


def count_crossings(findings: Findings, rules: CountingRules) -> tuple[Crossing, ...]:
    """Decide for every candidate whether it counts, by the rules R1 to R4 and the protocol's options.

    Parameters
    ----------
    findings : Findings
        What image analysis saw.
    rules : CountingRules
        The laboratory's choices.

    Returns
    -------
    tuple of Crossing
        All candidates in order of piece and position along the junction. None when no junction was
        found or the section has no pixel size.

    Notes
    -----
    EFNS/PNS 2010: a fiber that crosses the junction counts one (R1, R2), also when it branches
    inside the epidermis (R3); pieces inside the epidermis that do not cross count none (R4).
    """
    pixel_size_um = findings.pixel_size_um
    if pixel_size_um is None:
        return ()
    junctions = {
        index: Projector(piece.junction_px * pixel_size_um)
        for index, piece in enumerate(findings.pieces)
        if length(piece.junction_px) > 0
    }
    if not junctions:
        return ()
    network = build_network(findings.graph, findings.pieces, pixel_size_um)
    candidates = [
        *_from_groups(network, findings, junctions, rules),
        *_from_bystanders(network, findings, junctions, rules),
    ]
    candidates.sort(key=_order)
    stretches = effective_exclusions(
        findings.pieces, findings.exclusions, pixel_size_um=pixel_size_um, cut_edge_um=rules.cut_edge_um
    )
    cells = cell_components(network, findings.graph.cells, pixel_size_um)
    reasons = _decide(candidates, findings.refusal is not None, stretches, cells, rules)
    return _crossings(findings, network, candidates, reasons)


def _order(candidate: Candidate) -> tuple[object, ...]:
    at = (round(float(value), 6) for value in (candidate.position_um, *candidate.point_um))
    return (candidate.piece, *at, candidate.reason)


def _junction_confidence(findings: Findings, piece: int, position_um: float) -> float:
    found = findings.pieces[piece]
    along = arc_lengths(found.junction_px) * (findings.pixel_size_um or 1.0)
    return float(np.interp(position_um, along, found.junction_confidence))


def _from_groups(
    network: Network, findings: Findings, junctions: Mapping[int, Projector], rules: CountingRules
) -> list[Candidate]:
    """Candidates where fibers meet the junction."""
    seen = [
        look(network, place, _junction_confidence(findings, place.piece, place.position_um))
        for place in network.intersections
    ]
    out: list[Candidate] = []
    for group in fiber_groups(network, junctions, rules):
        out += _of_group(network, group, seen, rules)
    return out


def _of_group(
    network: Network, group: Group, seen: Sequence[Evidence], rules: CountingRules
) -> list[Candidate]:
    """One candidate that stands for the fiber, and the places where it crosses again.

    A fiber that wanders in and out is seen as far above and below as at any of its passages.
    """
    above = max(seen[member].above.reach_um for member in group.members)
    below = max(seen[member].below.reach_um for member in group.members)
    ranked = sorted(group.members, key=lambda m: (-round(confidence(seen[m]), 6), m))
    if above < rules.min_reach_um:
        reason = "approaching"
    elif below < rules.min_reach_um:
        reason = "fragment"
    elif any(depth_differs(seen[member]) for member in ranked[:1]):
        reason = "depth_mismatch"
    else:
        reason = "crosses"
    out = []
    for member in ranked:
        place, evidence = network.intersections[member], seen[member].with_reach(above, below)
        mine = reason if member == ranked[0] else group.links.get(member, Link.SAME_FIBER).value
        z = (place.z_um, evidence.above.z_um, evidence.below.z_um)
        known = next((value for value in z if np.isfinite(value)), np.nan)
        out.append(
            Candidate(
                place.piece,
                place.position_um,
                place.point_um,
                network.component[place.vertex],
                evidence,
                mine,
                known,
            )
        )
        if above < rules.min_reach_um or below < rules.min_reach_um:
            break  # a fiber that does not cross is one candidate, however often it meets the line
    return out


def _from_bystanders(
    network: Network, findings: Findings, junctions: Mapping[int, Projector], rules: CountingRules
) -> list[Candidate]:
    """Candidates that do not meet the junction."""
    pixel_size_um = findings.pixel_size_um or 1.0
    inside = fragments(network, findings.pieces, junctions, pixel_size_um, rules)
    below = approaching_ends(network, junctions, rules)

    def candidate(found: Bystander, reason: str) -> Candidate:
        sure = _junction_confidence(findings, found.piece, found.position_um)
        sides = (found.side, Side()) if reason == "fragment" else (Side(), found.side)
        component = network.component[found.vertex]
        evidence = Evidence(*sides, sure)
        return Candidate(
            found.piece, found.position_um, found.point_um, component, evidence, reason, found.side.z_um
        )

    return [candidate(f, "fragment") for f in inside] + [candidate(f, "approaching") for f in below]


def _decide(
    candidates: Sequence[Candidate],
    refused: bool,
    stretches: Sequence[Stretch],
    cells: frozenset[int],
    rules: CountingRules,
) -> list[tuple[bool, str]]:
    """(counted, reason) of every candidate; the first rule that applies gives the reason."""
    out: list[tuple[bool, str]] = []
    for one in candidates:
        stretch = reason_at(stretches, one.piece, one.position_um)
        if refused:
            reason = "section_refused"
        elif stretch is not None:
            reason = stretch
        elif one.component in cells:
            reason = "dendritic_cell"
        elif one.reason == "crosses" and confidence(one.evidence) < rules.min_confidence:
            reason = "too_faint"
        else:
            reason = one.reason
        out.append((reason == "crosses", reason))
    counted = {one.component for one, (is_counted, _) in zip(candidates, out, strict=True) if is_counted}
    for index, one in enumerate(candidates):
        if out[index][1] != "fragment":
            continue
        if one.component in counted:
            out[index] = (False, "same_fiber")
        elif rules.fragments == "include":
            out[index] = (True, "fragment")
            counted.add(one.component)
    return out


def _crossings(
    findings: Findings, network: Network, candidates: Sequence[Candidate], decided: Sequence[tuple[bool, str]]
) -> tuple[Crossing, ...]:
    pixel_size_um = findings.pixel_size_um or 1.0
    points = [one.point_um / pixel_size_um for one in candidates]
    ids = stable_ids(findings.section_id, findings.analysis_key, "crossing", [tuple(p) for p in points])
    fibers = _fiber_ids(findings, network, {one.component for one in candidates})
    return tuple(
        Crossing(
            crossing_id=ids[index],
            fiber_id=fibers[one.component],
            piece=one.piece,
            row_px=float(points[index][0]),
            col_px=float(points[index][1]),
            z_um=float(one.z_um) if np.isfinite(one.z_um) else None,
            junction_position_um=one.position_um,
            counted=decided[index][0],
            reason=decided[index][1],
            confidence=confidence(one.evidence),
            reach_epidermis_um=one.evidence.above.reach_um,
            reach_dermis_um=one.evidence.below.reach_um,
            contrast=one.evidence.contrast,
        )
        for index, one in enumerate(candidates)
    )


def _fiber_ids(findings: Findings, network: Network, components: set[int]) -> dict[int, str]:
    """One id for each connected component, from its bounding box."""
    low = {component: np.full(2, np.inf) for component in components}
    high = {component: np.full(2, -np.inf) for component in components}
    for arc in network.arcs:
        component = network.component[arc.start]
        if component in components:
            points = arc.trace.points_um / (findings.pixel_size_um or 1.0)
            low[component] = np.minimum(low[component], points.min(axis=0))
            high[component] = np.maximum(high[component], points.max(axis=0))
    order = sorted(components, key=lambda c: (*np.round(low[c], 6), *np.round(high[c], 6)))
    boxes = [(*low[c], *high[c]) for c in order]
    return dict(
        zip(order, stable_ids(findings.section_id, findings.analysis_key, "fiber", boxes), strict=True)
    )
