"""Checks of one section: what refuses it, what is flagged, with the figures behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.geometry import arc_lengths, length
from ienfd.protocol import Protocol, QualityBounds
from ienfd.result import FiberGraph, Piece, Stretch
from ienfd.section import Section

__all__ = [
    "JUNCTION_DOUBTFUL",
    "JUNCTION_UNCERTAIN",
    "Check",
    "check_fiber_width",
    "check_junction",
    "check_saturation",
    "refusal_before_analysis",
    "uncertain_stretches",
]

JUNCTION_UNCERTAIN = "junction_low_confidence"
"""Reason of an exclusion: nobody can tell where the junction is."""

JUNCTION_DOUBTFUL = "junction_doubtful"
"""Flag of a section whose junction may lie elsewhere along much of it."""

_SMALLEST_UM = 100.0
_SMALLEST_PX = 32
_MIN_WIDTHS = 5


@dataclass(frozen=True)
class Check:
    """Outcome of a check: a refusal, a flag, or neither, and its figure."""

    refusal: str | None = None
    flag: str | None = None
    measure: tuple[str, float] | None = None
    detail: str = ""


def refusal_before_analysis(section: Section, protocol: Protocol) -> tuple[str, str] | None:
    """Reason code and particulars that forbid to look at the pixels at all, or None."""
    calibration, bounds = section.calibration, protocol.quality
    stated = f"it says {calibration.stated}" if calibration.stated else ""
    if calibration.problem is not None:
        return calibration.problem, stated
    size = calibration.pixel_size_um
    if size is None:
        return "uncalibrated", stated
    if not bounds.min_pixel_size_um <= size <= bounds.max_pixel_size_um:
        return "calibration_range", f"{size:g} um"
    if size > bounds.max_fiber_pixel_um:
        return "too_coarse", f"{size:g} um per pixel"
    smallest = min(section.shape)
    if smallest < _SMALLEST_PX or smallest * size < _SMALLEST_UM:
        rows, cols = section.shape
        return "too_small", f"{cols} x {rows} pixels, {cols * size:.0f} x {rows * size:.0f} um"
    return None


def uncertain_stretches(
    pieces: Sequence[Piece], pixel_size_um: float, protocol: Protocol
) -> tuple[Stretch, ...]:
    """Stretches of junction that are too uncertain, and every piece that would be refused by itself."""
    stretches = []
    for index, piece in enumerate(pieces):
        arc = arc_lengths(piece.junction_px) * pixel_size_um
        least = protocol.image.junction_confidence_min
        mean = _mean_confidence([piece])
        if len(pieces) > 1 and mean is not None and mean < protocol.quality.min_mean_junction_confidence:
            least = np.inf
        low = np.concatenate([[False], piece.junction_confidence < least, [False]])
        edges = np.flatnonzero(np.diff(low.astype(np.int8)))
        for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
            start = 0.0 if first == 0 else 0.5 * (arc[first - 1] + arc[first])
            end = arc[-1] if last == len(arc) - 1 else 0.5 * (arc[last] + arc[last + 1])
            stretches.append(Stretch(index, float(start), float(end), JUNCTION_UNCERTAIN))
    return tuple(stretches)


def check_junction(
    pieces: Sequence[Piece], exclusions: Sequence[Stretch], pixel_size_um: float, bounds: QualityBounds
) -> Check:
    """Mean confidence of the junction; refuse or flag a section where it is low.

    An ill-defined basement membrane is no ground for a diagnosis (Woepking 2009, BMC Neurol 9:13).

    Parameters
    ----------
    pieces : sequence of Piece
        Stretches of epidermis.
    exclusions : sequence of Stretch
        What is not evaluated of them; what a person left out tells nothing here.
    pixel_size_um : float
        Pixel edge in micrometers.
    bounds : QualityBounds
        How much may be uncertain.
    """
    mean = _mean_confidence(pieces)
    if mean is None:
        return Check()
    measure = ("junction_confidence", mean)
    whole_um = sum(length(piece.junction_px) for piece in pieces) * pixel_size_um
    lost = sum(s.end_um - s.start_um for s in exclusions if s.reason == JUNCTION_UNCERTAIN) / whole_um
    if lost > bounds.max_excluded_fraction:
        return Check(refusal="junction_uncertain", measure=measure, detail=f"{lost:.0%} of its length")
    if mean < bounds.min_mean_junction_confidence:
        detail = f"confidence {mean:.2f} on average"
        return Check(refusal="junction_uncertain", measure=measure, detail=detail)
    doubtful = mean < bounds.sure_mean_junction_confidence
    return Check(flag=JUNCTION_DOUBTFUL if doubtful else None, measure=measure)


def _mean_confidence(pieces: Sequence[Piece]) -> float | None:
    """Mean confidence along the length of all junctions; None where there is none."""
    total = length_px = 0.0
    for piece in pieces:
        steps = np.hypot(*np.diff(piece.junction_px, axis=0).T)
        confidence = piece.junction_confidence
        total += float(steps @ ((confidence[1:] + confidence[:-1]) / 2))
        length_px += float(steps.sum())
    return total / length_px if length_px else None


def check_saturation(saturated: NDArray[np.float32], tissue: NDArray[np.bool_], protocol: Protocol) -> Check:
    """Fraction of the tissue at the end of the scale."""
    share = float(saturated[tissue].mean()) if tissue.any() else 0.0
    measure = ("saturated_fraction", share)
    if share > protocol.quality.max_saturated_fraction:
        return Check(refusal="saturated", measure=measure, detail=f"{share:.0%} of the tissue")
    partly = share > protocol.quality.partly_saturated_fraction
    return Check(flag="partly_saturated" if partly else None, measure=measure)


def check_fiber_width(graph: FiberGraph, bounds: QualityBounds) -> Check:
    """Apparent caliber of the thinner fibers: in focus they are 0.5 to 1.5 um wide."""
    known = [(b.width_um, length(b.path_px)) for b in graph.branches if b.width_um > 0]
    if len(known) < _MIN_WIDTHS:
        return Check()
    widths, weights = np.array(known).T
    order = np.argsort(widths)
    share = np.cumsum(weights[order]) / weights.sum()
    thin = float(widths[order][int(np.searchsorted(share, 0.25))])
    measure = ("thin_fiber_width_um", thin)
    if thin > bounds.max_fiber_width_um:
        return Check(refusal="out_of_focus", measure=measure, detail=f"fibers appear {thin:.1f} um wide")
    return Check(flag="soft_focus" if thin > bounds.soft_fiber_width_um else None, measure=measure)
