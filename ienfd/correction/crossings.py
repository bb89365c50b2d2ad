"""Corrections of crossings: which candidate each is about, and what becomes of it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from ienfd.correction.commands import Command, LoggedEdit
from ienfd.correction.geometry import MATCH_UM, nearest_piece
from ienfd.counting.evidence import DEPTH_STEP_UM
from ienfd.protocol import Protocol
from ienfd.result import Crossing, Findings
from ienfd.skin.lengths import effective_exclusions, reason_at

__all__ = ["correct_crossings"]

_FAR = 1e6


def correct_crossings(
    findings: Findings,
    crossings: Sequence[Crossing],
    refusal: str | None,
    edits: Sequence[LoggedEdit],
    protocol: Protocol,
    redrawn: Sequence[int] = (),
) -> tuple[tuple[Crossing, ...], tuple[int, ...]]:
    """Apply corrections of crossings, in their order.

    A correction of a crossing that is no longer there under its id, because the section was analyzed
    again or its junction was moved, is about the one that lies where that one lay: one to one, as near
    as possible, within 5 um and at a compatible depth. What a person added is always there.

    Parameters
    ----------
    findings : Findings
        With corrected geometry.
    crossings : sequence of Crossing
        As counted.
    refusal : str or None
        Why the section has no density: then nothing in it is counted.
    edits : sequence of LoggedEdit
        Standing commands about crossings.
    protocol : Protocol
        Decides what is left out at cut ends.
    redrawn : sequence of int
        Numbers of the standing commands about geometry: crossings before and after one of them may have
        different ids and be the same.

    Returns
    -------
    tuple of Crossing
        In order of piece and position.
    tuple of int
        Numbers of those commands whose crossing is no longer there.
    """
    size = findings.pixel_size_um or 1.0
    found = {crossing.crossing_id: crossing for crossing in crossings}
    added = {e.edit.object_id for e in edits if e.edit.command is Command.ADD_CROSSING}
    of_found = [e for e in edits if e.edit.object_id not in added]
    same: dict[str, str] = {}
    together: dict[tuple[str | None, int], list[LoggedEdit]] = {}
    for entry in of_found:  # ids of one analysis and one course of the junction are told apart
        together.setdefault((entry.analysis_id, bisect(redrawn, entry.seq)), []).append(entry)
    for group in together.values():
        same |= _matched(found, group, size, same)
    lost = []
    touched: set[str] = set()
    for entry in edits:
        wanted = entry.edit.object_id or ""
        object_id = wanted if wanted in added else same.get(wanted)
        if object_id is None:
            lost.append(entry.seq)
            continue
        found[object_id] = _changed(found.get(object_id), object_id, entry, findings)
        touched.add(object_id)
    stretches = effective_exclusions(
        findings.pieces,
        findings.exclusions,
        pixel_size_um=size,
        cut_edge_um=protocol.counting.cut_edge_um,
    )
    for object_id in touched:
        crossing = found[object_id]
        outside = refusal and "section_refused"
        outside = outside or reason_at(stretches, crossing.piece, crossing.junction_position_um)
        if crossing.counted and outside is not None:
            found[object_id] = replace(crossing, counted=False, reason=outside)
    ordered = sorted(found.values(), key=lambda c: (c.piece, c.junction_position_um, c.crossing_id))
    return tuple(ordered), tuple(lost)


def _changed(crossing: Crossing | None, object_id: str, entry: LoggedEdit, findings: Findings) -> Crossing:
    """The crossing after one command."""
    command, after = entry.edit.command, entry.edit.after or {}
    if crossing is None:
        blank = Crossing(object_id, object_id, 0, 0.0, 0.0, None, 0.0, True, "reviewer_added", 1.0)
        return _placed(blank, after, findings)
    if command is Command.MOVE_CROSSING:
        return _placed(crossing, after, findings)
    if command is Command.REMOVE_CROSSING:
        return replace(crossing, counted=False, reason="reviewer_removed")
    counted = bool(after["counted"])
    return replace(crossing, counted=counted, reason="reviewer_counted" if counted else "reviewer_rejected")


def _placed(crossing: Crossing, place: Mapping[str, float | None], findings: Findings) -> Crossing:
    row, col = float(place["row_px"] or 0.0), float(place["col_px"] or 0.0)
    near = nearest_piece(findings.pieces, (row, col))
    piece, position = (near[0], near[1]) if near else (0, 0.0)
    return replace(
        crossing,
        piece=piece,
        row_px=row,
        col_px=col,
        z_um=place["z_um"],
        junction_position_um=round(position * (findings.pixel_size_um or 1.0), 6),
        origin="manual",
    )


def _matched(
    found: Mapping[str, Crossing], edits: Iterable[LoggedEdit], size: float, known: Mapping[str, str]
) -> dict[str, str]:
    """Id now of every crossing that is corrected; those that are gone are left out."""
    first: dict[str, LoggedEdit] = {}
    for entry in edits:
        first.setdefault(entry.edit.object_id or "", entry)
    same = {one: known.get(one, one) for one in first if one in known or one in found}
    sought = [object_id for object_id in first if object_id not in same]
    taken = set(same.values())
    free = [crossing for object_id, crossing in found.items() if object_id not in taken]
    if not sought or not free:
        return same
    cost = np.array([[_distance_um(first[one], other, size) for other in free] for one in sought])
    for row, col in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, col] <= MATCH_UM:
            same[sought[row]] = free[col].crossing_id
    return same


def _distance_um(entry: LoggedEdit, crossing: Crossing, size: float) -> float:
    before = entry.edit.before or {}
    z, other = before.get("z_um"), crossing.z_um
    if z is not None and other is not None and abs(z - other) > DEPTH_STEP_UM:
        return _FAR
    distance = size * float(np.hypot(before["row_px"] - crossing.row_px, before["col_px"] - crossing.col_px))
    return distance if distance <= MATCH_UM else _FAR
