"""From findings to a density: the lengths, the crossings by the rules, their quotient with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ienfd.counting import Candidates, count_crossings
from ienfd.protocol import Protocol
from ienfd.result import Crossing, Findings, Lengths, SectionResult, Status
from ienfd.skin.lengths import measure
from ienfd.statistics import poisson_interval

__all__ = ["count", "with_crossings"]


def count(findings: Findings, protocol: Protocol, candidates: Candidates | None = None) -> SectionResult:
    """Apply the counting rules to what was found, and give the density on the protocol's line.

    Parameters
    ----------
    findings : Findings
        What image analysis saw.
    protocol : Protocol
        The laboratory's choices.
    candidates : Candidates, optional
        If they are known from other findings with the same fibers and junctions.
    """
    lengths = None
    if findings.pieces and findings.pixel_size_um is not None:
        lengths = measure(
            findings.pieces,
            findings.exclusions,
            pixel_size_um=findings.pixel_size_um,
            line=protocol.density.length_line,
            cut_edge_um=protocol.counting.cut_edge_um,
        )
    reason = findings.refusal
    if reason is None and (lengths is None or lengths.evaluable_mm <= 0):
        reason = "no_epidermis" if lengths is None else _nothing_left(findings)
    crossings = count_crossings(replace(findings, refusal=reason), protocol.counting, candidates)
    return with_crossings(findings, reason, lengths, crossings, protocol)


def _nothing_left(findings: Findings) -> str:
    """Why no length is evaluated."""
    by_person = any(stretch.reason == "excluded_stretch" for stretch in findings.exclusions)
    return "all_excluded" if by_person else "junction_uncertain"


def with_crossings(
    findings: Findings,
    reason: str | None,
    lengths: Lengths | None,
    crossings: Sequence[Crossing],
    protocol: Protocol,
) -> SectionResult:
    """The result that follows from decided crossings.

    Parameters
    ----------
    findings : Findings
        What they were found in.
    reason : str or None
        Why no density can be given; None when it can.
    lengths : Lengths or None
        The lengths, None when there is no epidermis.
    crossings : sequence of Crossing
        Every candidate, counted or not.
    protocol : Protocol
        Its level of confidence is that of the interval.
    """
    crossings = tuple(crossings)
    if reason is not None or lengths is None:
        return SectionResult(findings, Status.REFUSED, reason, crossings, lengths, flags=findings.flags)
    counted = sum(crossing.counted for crossing in crossings)
    low, high = poisson_interval(counted, lengths.evaluable_mm, protocol.density.interval_level)
    return SectionResult(
        findings,
        Status.OK,
        None,
        crossings,
        lengths,
        density_per_mm=counted / lengths.evaluable_mm,
        density_low_per_mm=low,
        density_high_per_mm=high,
        flags=findings.flags,
    )
