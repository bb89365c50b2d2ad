"""From fibers and junctions to candidates, each counted or excluded with one reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ienfd.counting.candidates import Candidate
from ienfd.counting.find import Candidates, find_all
from ienfd.identity import stable_ids
from ienfd.protocol import CountingRules
from ienfd.result import Crossing, Findings, Stretch
from ienfd.skin.lengths import effective_exclusions, reason_at

__all__ = ["count_crossings"]

CLEAR_CONFIDENCE = 0.9
NO_PROCESS_UM = 10.0
"""What touches a dendritic cell and is no larger than one is the cell, unless it clearly crosses and is seen
this far below the junction: the cells lie in the epidermis and send their processes there."""


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
    return _crossings(findings, found, reasons)


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
    excluded = reason_at(stretches, one.spot.piece, one.spot.position_um)
    if excluded is not None:
        return excluded
    if one.component in cells and not _comes_from_the_dermis(one):
        return "dendritic_cell"
    if one.reason == "crosses" and one.evidence.confidence < rules.min_confidence:
        return "too_faint"
    return one.reason


def _comes_from_the_dermis(one: Candidate) -> bool:
    """Whether it is a fiber although it touches a dendritic cell."""
    clear = one.reason == "crosses" and one.evidence.confidence >= CLEAR_CONFIDENCE
    return clear and one.evidence.below.away_um >= NO_PROCESS_UM


def _crossings(
    findings: Findings, found: Candidates, decided: Sequence[tuple[bool, str]]
) -> tuple[Crossing, ...]:
    pixel_size_um = findings.pixel_size_um or 1.0
    points = [one.point_um / pixel_size_um for one in found.candidates]
    ids = stable_ids(findings.section_id, findings.analysis_key, "crossing", [tuple(p) for p in points])
    fibers = _fiber_ids(findings, found)
    return tuple(
        Crossing(
            crossing_id=ids[index],
            fiber_id=fibers[one.component],
            piece=one.spot.piece,
            row_px=float(points[index][0]),
            col_px=float(points[index][1]),
            z_um=float(one.z_um) if np.isfinite(one.z_um) else None,
            junction_position_um=round(one.spot.position_um, 6),
            counted=decided[index][0],
            reason=decided[index][1],
            confidence=one.evidence.confidence,
            reach_epidermis_um=one.evidence.above.reach_um,
            reach_dermis_um=one.evidence.below.reach_um,
            contrast=one.evidence.contrast,
        )
        for index, one in enumerate(found.candidates)
    )


def _fiber_ids(findings: Findings, found: Candidates) -> dict[int, str]:
    """One id for each connected component with a candidate, from its bounding box."""
    network, fibers = found.network, found.network.fibers
    low, high = fibers.boxes_um
    of_cut = fibers.component[network.cut_branches]
    boxes = {}
    for component in {one.component for one in found.candidates}:
        mine = fibers.of_component(component)
        # a place between two points of a straight stretch may be rounded to beside it
        cuts = network.cuts_um[of_cut == component]
        least = np.concatenate([low[mine], cuts]).min(axis=0) / fibers.pixel_size_um
        most = np.concatenate([high[mine], cuts]).max(axis=0) / fibers.pixel_size_um
        boxes[component] = (*least, *most)
    order = sorted(boxes, key=lambda component: tuple(np.round(boxes[component], 6)))
    places = [boxes[component] for component in order]
    return dict(
        zip(order, stable_ids(findings.section_id, findings.analysis_key, "fiber", places), strict=True)
    )
