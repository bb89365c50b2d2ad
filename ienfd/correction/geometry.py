"""Corrections of the junction, and of what is excluded along it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ienfd.correction.commands import Command, LoggedEdit, rounded_px
from ienfd.geometry import Projector, arc_lengths, length, points_at, resample
from ienfd.protocol import Protocol
from ienfd.quality.section import JUNCTION_DOUBTFUL, JUNCTION_UNCERTAIN, check_junction, uncertain_stretches
from ienfd.result import Findings, FloatArray, Piece, Stretch
from ienfd.skin.lengths import reason_at

__all__ = [
    "MATCH_UM",
    "course_along",
    "excluded_at",
    "judged_anew",
    "nearest_piece",
    "seen_from",
    "with_edit",
]

MATCH_UM = 5.0
"""What lies no farther from where a person saw it is taken for the same."""

_SAME_COURSE_UM = 1.0  # a junction that was moved by less is not another one
_BOTH_ENDS = (True, True)  # a whole course
_LOOKED_AT = 50  # places of a line that tell where it runs
_BY_PERSON = "excluded_stretch"


@lru_cache(maxsize=8)
def seen_from(piece: Piece) -> Projector:
    """The junction of a piece, which is looked at again and again."""
    return Projector(piece.junction_px)


def nearest_piece(pieces: Sequence[Piece], place_px: Sequence[float]) -> tuple[int, float, float] | None:
    """Piece whose junction is nearest to a place, the position along it and the distance, in pixels."""
    best: tuple[int, float, float] | None = None
    for index, piece in enumerate(pieces):
        if length(piece.junction_px) <= 0:
            continue
        seen = seen_from(piece)(np.asarray([place_px], dtype=np.float64))
        distance = float(abs(seen.signed[0]))
        if best is None or distance < best[2]:
            best = index, float(seen.position[0]), distance
    return best


def course_along(pieces: Sequence[Piece], line_px: FloatArray) -> tuple[int, float] | None:
    """Piece along whose junction a line runs, and its mean distance from it in pixels."""
    places = resample(line_px, max(length(line_px) / _LOOKED_AT, 1.0))
    away = {
        index: float(np.abs(seen_from(piece)(places).signed).mean())
        for index, piece in enumerate(pieces)
        if length(piece.junction_px) > 0
    }
    return min(away.items(), key=lambda item: item[1], default=None)


def excluded_at(
    pieces: Sequence[Piece], stretches: Iterable[Stretch], place_px: Sequence[float], pixel_size_um: float
) -> str | None:
    """Reason of the stretch that a place of the image lies at, by the nearest junction; None for none."""
    on = nearest_piece(pieces, place_px)
    return None if on is None else reason_at(stretches, on[0], on[1] * pixel_size_um)


def with_edit(findings: Findings, entry: LoggedEdit, protocol: Protocol) -> Findings | None:
    """Apply a correction of the junction or of exclusions; what follows from all is for `judged_anew`.

    A person vouches for a stretch of junction that was drawn anew or taken in again: its confidence is 1.

    Parameters
    ----------
    findings : Findings
        All of what was found, with the corrections before.
    entry : LoggedEdit
        A standing command about geometry.
    protocol : Protocol
        Decides which stretches are too uncertain.

    Returns
    -------
    Findings or None
        As corrected; None where the place of the command is no longer there.
    """
    size = findings.pixel_size_um
    return None if size is None else _apply(findings, entry, size, protocol)


def judged_anew(findings: Findings, protocol: Protocol) -> Findings:
    """Corrected findings with their mean confidence, neither refused nor flagged for a junction now sure."""
    size = findings.pixel_size_um
    if size is None:
        return findings
    check = check_junction(findings.pieces, findings.exclusions, size, protocol.quality)
    if check.measure is None:
        return findings
    findings = findings.with_measure(*check.measure)
    if findings.refusal == "junction_uncertain" and check.refusal is None:
        findings = replace(findings, refusal=None, detail="")
    if check.refusal is None and check.flag is None:
        left = tuple(flag for flag in findings.flags if flag != JUNCTION_DOUBTFUL)
        findings = replace(findings, flags=left)
    return findings


def _apply(findings: Findings, entry: LoggedEdit, size: float, protocol: Protocol) -> Findings | None:
    before, after = entry.edit.before or {}, entry.edit.after or {}
    if entry.edit.command is Command.EDIT_JUNCTION:
        old, new = (np.asarray(v["junction_px"], dtype=np.float64) for v in (before, after))
        return _redrawn(findings, old, new, before.get("reaches_end", _BOTH_ENDS), size, protocol)
    stretch = _stretch(findings.pieces, after["start_px"], after["end_px"], size)
    if stretch is None:
        return None
    if entry.edit.command is Command.EXCLUDE_STRETCH:
        return replace(findings, exclusions=(*findings.exclusions, stretch))
    left = [part for each in findings.exclusions for part in _without(each, stretch)]
    piece = findings.pieces[stretch.piece]
    arc = arc_lengths(piece.junction_px) * size
    inside = (arc >= stretch.start_um) & (arc <= stretch.end_um)
    trusted = replace(piece, junction_confidence=np.where(inside, 1.0, piece.junction_confidence))
    pieces = (*findings.pieces[: stretch.piece], trusted, *findings.pieces[stretch.piece + 1 :])
    return replace(findings, pieces=pieces, exclusions=tuple(left))


def _redrawn(
    findings: Findings,
    old: FloatArray,
    new: FloatArray,
    reaches_end: Sequence[bool],
    size: float,
    protocol: Protocol,
) -> Findings | None:
    """With another course of a junction, `new` in the place of `old`."""
    place = _place_of(findings.pieces, old, reaches_end, size)
    if place is None:
        return None
    index, first, last = place
    piece = findings.pieces[index]
    course, trust = piece.junction_px, piece.junction_confidence
    changed = replace(
        piece,
        junction_px=np.concatenate([course[:first], new, course[last:]]),
        junction_confidence=np.concatenate(
            [trust[:first], _trust(course[first:last], trust[first:last], new, size), trust[last:]]
        ),
    )
    if length(changed.junction_px) <= 0:
        return None
    pieces = (*findings.pieces[:index], changed, *findings.pieces[index + 1 :])
    elsewhere = [s for s in findings.exclusions if s.piece != index]
    others = [s for s in findings.exclusions if s.piece == index and s.reason != JUNCTION_UNCERTAIN]
    uncertain = [s for s in uncertain_stretches(pieces, size, protocol) if s.piece == index]
    moved = _carried(others, piece, changed, size)
    return replace(findings, pieces=pieces, exclusions=(*elsewhere, *moved, *uncertain))


def _trust(old: FloatArray, confidence: FloatArray, new: FloatArray, size: float) -> FloatArray:
    """Confidence of a part of a junction drawn anew: a person's where it is another course."""
    if length(old) <= 0:
        return np.ones(len(new))
    seen = Projector(old)(new)
    kept = np.interp(seen.position, arc_lengths(old), confidence)
    return np.where(np.abs(seen.signed) * size > _SAME_COURSE_UM, 1.0, kept)


def _place_of(
    pieces: Sequence[Piece], part: FloatArray, reaches_end: Sequence[bool], size: float
) -> tuple[int, int, int] | None:
    """The piece on whose junction a part runs, its first point there and the one after its last."""
    for index, piece in enumerate(pieces):
        course = rounded_px(piece.junction_px)
        for first in np.flatnonzero((course == part[0]).all(axis=1)).tolist():
            if np.array_equal(course[first : first + len(part)], part):
                return index, first, first + len(part)
    found = course_along(pieces, part)
    if found is None or found[1] * size > MATCH_UM:
        return None
    nearest = found[0]
    position = seen_from(pieces[nearest])(part[[0, -1]]).position
    along = arc_lengths(pieces[nearest].junction_px)
    first = 0 if reaches_end[0] else int(np.searchsorted(along, position[0]))
    last = len(along) if reaches_end[1] else int(np.searchsorted(along, position[-1], side="right"))
    return (nearest, first, last) if first <= last else None


def _carried(stretches: Sequence[Stretch], old: Piece, new: Piece, size: float) -> list[Stretch]:
    """Stretches of one course as stretches of another."""
    if not stretches:
        return []
    ends = np.array([(stretch.start_um, stretch.end_um) for stretch in stretches]).ravel() / size
    there = seen_from(new)(points_at(old.junction_px, ends)).position * size
    return [
        replace(stretch, start_um=float(min(pair)), end_um=float(max(pair)))
        for stretch, pair in zip(stretches, there.reshape(-1, 2), strict=True)
    ]


def _stretch(
    pieces: Sequence[Piece], start_px: Sequence[float], end_px: Sequence[float], size: float
) -> Stretch | None:
    one, two = nearest_piece(pieces, start_px), nearest_piece(pieces, end_px)
    if one is None or two is None or one[0] != two[0] or max(one[2], two[2]) * size > MATCH_UM:
        return None
    start, end = sorted((one[1] * size, two[1] * size))
    return Stretch(one[0], start, end, _BY_PERSON)


def _without(stretch: Stretch, taken: Stretch) -> list[Stretch]:
    """What is left of a stretch where another one is taken out of it."""
    if stretch.piece != taken.piece:
        return [stretch]
    parts = [
        replace(stretch, end_um=min(stretch.end_um, taken.start_um)),
        replace(stretch, start_um=max(stretch.start_um, taken.end_um)),
    ]
    return [part for part in parts if part.end_um > part.start_um]
