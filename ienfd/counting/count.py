"""From fibers and junctions to candidates, each counted or excluded with one reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ienfd.counting.bystanders import cell_components
from ienfd.counting.candidates import Candidate, find_candidates
from ienfd.counting.evidence import confidence
from ienfd.counting.network import Network, build_network
from ienfd.geometry import Projector, length
from ienfd.identity import stable_ids
from ienfd.protocol import CountingRules
from ienfd.result import Crossing, Findings, Stretch
from ienfd.skin.lengths import effective_exclusions, reason_at

__all__ = ["Candidates", "count_crossings", "find_all"]


@dataclass(frozen=True, eq=False)
class Candidates:
    """All candidates of a section, before it is decided which of them count.

    It depends on fibers, junctions and rules, but not on what is excluded: who excludes a stretch need
    not look for candidates again.

    Parameters
    ----------
    network : Network
        The fibers, cut at the junction.
    candidates : sequence of Candidate
        In order of piece and position.
    cells : frozenset of int
        Components of the network that belong to dendritic cells.
    """

    network: Network
    candidates: Sequence[Candidate]
    cells: frozenset[int]


def find_all(findings: Findings, rules: CountingRules) -> Candidates | None:
    """Look for candidates; None where there is no junction, or no pixel size."""
    pixel_size_um = findings.pixel_size_um
    if pixel_size_um is None:
        return None
    junctions = {
        index: Projector(piece.junction_px * pixel_size_um)
        for index, piece in enumerate(findings.pieces)
        if length(piece.junction_px) > 0
    }
    if not junctions:
        return None
    network = build_network(findings.graph, findings.pieces, pixel_size_um)
    candidates = find_candidates(findings, network, junctions, rules)
    return Candidates(network, candidates, cell_components(network, findings.graph.cells, pixel_size_um))


def count_crossings(
    findings: Findings, rules: CountingRules, found: Candidates | None = None
) -> tuple[Crossing, ...]:
    """Decide for every candidate whether it counts, by the rules R1 to R4 and the protocol's options.

    Parameters
    ----------
    findings : Findings
        What image analysis saw.
    rules : CountingRules
        The laboratory's choices.
    found : Candidates, optional
        The candidates, if they are known from other findings with the same fibers and junctions.

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
    found = found or find_all(findings, rules)
    if found is None:
        return ()
    stretches = effective_exclusions(
        findings.pieces,
        findings.exclusions,
        pixel_size_um=findings.pixel_size_um or 1.0,
        cut_edge_um=rules.cut_edge_um,
    )
    reasons = _decide(found.candidates, findings.refusal is not None, stretches, found.cells, rules)
    return _crossings(findings, found.network, found.candidates, reasons)


def _decide(
    candidates: Sequence[Candidate],
    refused: bool,
    stretches: Sequence[Stretch],
    cells: frozenset[int],
    rules: CountingRules,
) -> list[tuple[bool, str]]:
    """(counted, reason) of every candidate."""
    reasons = [_reason(one, refused, stretches, cells, rules) for one in candidates]
    counted = {one.component for one, reason in zip(candidates, reasons, strict=True) if reason == "crosses"}
    standing = {one.group: reason for one, reason in zip(candidates, reasons, strict=True) if one.stands}
    out: list[tuple[bool, str]] = []
    for one, reason in zip(candidates, reasons, strict=True):
        if not one.stands and reason == one.reason and standing[one.group] != "crosses":
            reason = standing[one.group]  # the fiber is not counted, and this says why
        is_counted = reason == "crosses"
        if reason == "fragment" and one.component in counted:
            reason = "same_fiber"  # a part of a fiber that was counted where it crosses
        elif reason == "fragment" and rules.fragments == "include":
            is_counted = True
            counted.add(one.component)
        out.append((is_counted, reason))
    return out


def _reason(
    one: Candidate,
    refused: bool,
    stretches: Sequence[Stretch],
    cells: frozenset[int],
    rules: CountingRules,
) -> str:
    """The first rule that stands against a candidate, or what it is."""
    if refused:
        return "section_refused"
    excluded = reason_at(stretches, one.piece, one.position_um)
    if excluded is not None:
        return excluded
    if one.component in cells:
        return "dendritic_cell"
    if one.reason == "crosses" and confidence(one.evidence) < rules.min_confidence:
        return "too_faint"
    return one.reason


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
            junction_position_um=round(one.position_um, 6),
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
