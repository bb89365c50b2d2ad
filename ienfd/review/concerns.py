"""What does not look plausible in a section: hints for a person, no decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.stats import binomtest

from ienfd.geometry import arc_lengths, points_at, to_shapely
from ienfd.reasons import REASONS
from ienfd.report.calling import same_row
from ienfd.result import Crossing, Findings, Piece
from ienfd.review.sheet import Sheet
from ienfd.review.tour import MATTERS_OF_RULE, is_doubtful

__all__ = ["Concern", "concerns"]

_UNLIKELY = 0.01  # of two sections of one biopsy, by chance
_LOW_CONFIDENCE, _LONG_UM = 0.5, 100.0
_MANY_CELLS_PER_MM2 = 600.0  # twice what was counted in healthy skin: 334 (Casanova-Molla 2012)
_NEAR_UM = 5.0


@dataclass(frozen=True)
class Concern:
    """One hint.

    Parameters
    ----------
    text : str
        What is noticed, in a sentence.
    place_px : (float, float) or None
        Where, (row, col); None where it concerns the whole section.
    """

    text: str
    place_px: tuple[float, float] | None = None


def concerns(sheet: Sheet) -> tuple[Concern, ...]:
    """Everything in a section that a person should look at before agreeing."""
    result, findings = sheet.result, sheet.result.findings
    found: list[Concern] = []
    if sheet.corrected.unmatched:
        found.append(
            Concern(f"Earlier corrections that fit nothing any more: {len(sheet.corrected.unmatched)}.")
        )
    found += _unlike_the_others(sheet)
    found += _uncertain_junction(findings)
    found += _many_cells(findings)
    found += _close_pairs(result.crossings, sheet.pixel_size_um)
    found += [Concern(_doubt(c), (c.row_px, c.col_px)) for c in result.crossings if is_doubtful(c)]
    found += [Concern(REASONS[code].text) for code in result.flags if code in REASONS]
    return tuple(found)


def _doubt(crossing: Crossing) -> str:
    """Why a candidate is worth a second look."""
    if crossing.counted:
        return f"Counted, but only {crossing.confidence:.0%} sure."
    if crossing.reason in MATTERS_OF_RULE:
        return f"Not counted: {REASONS[crossing.reason].text}"
    return f"Not counted, but {crossing.confidence:.0%} sure that a fiber crosses."


def _unlike_the_others(sheet: Sheet) -> list[Concern]:
    """Whether the section differs from the rest of its biopsy by more than chance."""
    result = sheet.result
    if sheet.biopsy is None or result.count is None or result.lengths is None:
        return []
    others = [e for e in sheet.biopsy.sections if not same_row(e, sheet.entry) and e.status == "ok"]
    counts = [e.result.count or 0 for e in others if e.result is not None]
    length_mm = sum(e.result.lengths.evaluable_mm for e in others if e.result and e.result.lengths)
    whole_mm = length_mm + result.lengths.evaluable_mm
    total = sum(counts) + result.count
    if length_mm <= 0 or total == 0:
        return []
    # of all crossings of the biopsy, each lies here with the probability that this length has of all
    share = result.lengths.evaluable_mm / whole_mm
    if binomtest(result.count, total, share).pvalue >= _UNLIKELY:
        return []
    elsewhere = sum(counts) / length_mm
    return [Concern(f"{result.density_per_mm or 0:.1f} /mm here, {elsewhere:.1f} /mm in the other sections.")]


def _uncertain_junction(findings: Findings) -> list[Concern]:
    size = findings.pixel_size_um or 1.0
    found = []
    for index, piece in enumerate(findings.pieces):
        for start, end in _low_runs(piece, size):
            if end - start >= _LONG_UM and not _is_excluded(findings, index, 0.5 * (start + end)):
                row, col = points_at(piece.junction_px, 0.5 * (start + end) / size)[0]
                text = f"The junction is uncertain over {end - start:.0f} um."
                found.append(Concern(text, (float(row), float(col))))
    return found


def _low_runs(piece: Piece, size: float) -> list[tuple[float, float]]:
    """Runs of low confidence as ranges along the junction in um."""
    if len(piece.junction_px) < 2:
        return []
    along = arc_lengths(piece.junction_px) * size
    low = np.concatenate([[False], piece.junction_confidence < _LOW_CONFIDENCE, [False]])
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    return [(float(along[a]), float(along[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _is_excluded(findings: Findings, piece: int, at_um: float) -> bool:
    return any(s.piece == piece and s.start_um <= at_um <= s.end_um for s in findings.exclusions)


def _many_cells(findings: Findings) -> list[Concern]:
    size = findings.pixel_size_um
    area_mm2 = 0.0 if size is None else sum(_area_px(piece) for piece in findings.pieces) * (size / 1000) ** 2
    if area_mm2 <= 0:
        return []
    per_mm2 = len(findings.graph.cells) / area_mm2
    if per_mm2 < _MANY_CELLS_PER_MM2:
        return []
    return [
        Concern(f"{len(findings.graph.cells)} dendritic cells, {per_mm2:.0f} per mm2 of epidermis: many.")
    ]


def _area_px(piece: Piece) -> float:
    """Area between surface and junction in pixels."""
    if len(piece.surface_px) < 2 or len(piece.junction_px) < 2:
        return 0.0
    ring = np.concatenate([piece.surface_px, piece.junction_px[::-1]])
    return float(shapely.make_valid(shapely.Polygon(to_shapely(ring))).area)


def _close_pairs(crossings: Sequence[Crossing], size: float) -> list[Concern]:
    """Counted crossings so near to each other that they may be one fiber."""
    counted = sorted((c for c in crossings if c.counted), key=lambda c: (c.piece, c.junction_position_um))
    return [
        Concern(f"Two counted crossings {distance:.1f} um apart: one fiber or two?", (one.row_px, one.col_px))
        for one, two in pairwise(counted)
        if (distance := size * float(np.hypot(one.row_px - two.row_px, one.col_px - two.col_px))) < _NEAR_UM
    ]
