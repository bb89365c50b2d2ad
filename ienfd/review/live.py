"""The result as it stands, in the words and numbers of the screen."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from ienfd.biopsy import call_sentence
from ienfd.reasons import REASONS
from ienfd.review.blind import Agreement, Comparison
from ienfd.review.sheet import Sheet

__all__ = ["LiveResult", "comparison_words", "live_result"]


@dataclass(frozen=True)
class LiveResult:
    """What the screen says.

    Parameters
    ----------
    section, section_detail : str
        Density of the section, and how it comes about; or why there is none.
    biopsy, call : str
        Density of the biopsy, and its call or why that is withheld.
    density_per_mm : float or None
        Of the biopsy.
    interval_per_mm : (float, float) or None
        Its interval.
    limit_per_mm : float or None
        Limit of the norm; None when the call is withheld.
    """

    section: str
    section_detail: str = ""
    biopsy: str = ""
    call: str = ""
    density_per_mm: float | None = None
    interval_per_mm: tuple[float, float] | None = None
    limit_per_mm: float | None = None


def live_result(
    sheet: Sheet | None, *, hides: bool = False, own_marks: int = 0, alone: bool = False
) -> LiveResult:
    """What the screen says of a sheet.

    Parameters
    ----------
    sheet : Sheet or None
        The section on the desk.
    hides : bool
        Say nothing of what others have counted.
    own_marks : int
        Marks of a blind reader.
    alone : bool
        Say nothing of the biopsy: a blind reader has more of its sections to read.
    """
    if sheet is None:
        return LiveResult("No section is open.", "Choose one in the queue.")
    result = sheet.result
    if hides:
        return LiveResult(
            f"{own_marks} mark{'' if own_marks == 1 else 's'}",
            "A blind reading: point at a crossing and press A. C compares both readings.",
        )
    level = f"{sheet.protocol.density.interval_level:.0%}".replace("%", " %")
    if result.density_per_mm is None or result.lengths is None:
        reason = REASONS.get(result.reason or "")
        section, detail = "No density", f"{reason.text} {reason.remedy}" if reason else ""
    else:
        section = f"{result.density_per_mm:.1f} /mm"
        detail = (
            f"{result.count} crossings on {result.lengths.evaluable_mm:.2f} mm of {result.lengths.line}, "
            f"{level} {result.density_low_per_mm or 0:.1f} to {result.density_high_per_mm or 0:.1f}"
        )
    if sheet.biopsy is None or alone:
        said = "A control: it belongs to no biopsy." if sheet.entry.control else ""
        return LiveResult(section, detail, call=said)
    call = sheet.biopsy.call
    status = "changed after signing" if "changed_after_signing" in call.flags else sheet.biopsy.status
    if call.density_per_mm is None:
        return LiveResult(section, detail, f"{sheet.biopsy.name} ({status})", call_sentence(call))
    interval = call.density_low_per_mm or 0.0, call.density_high_per_mm or 0.0
    sections = f"{call.sections_evaluable} section{'' if call.sections_evaluable == 1 else 's'}"
    biopsy = f"{sheet.biopsy.name}: {call.density_per_mm:.1f} /mm in {sections} ({status})"
    return LiveResult(
        section, detail, biopsy, call_sentence(call), call.density_per_mm, interval, call.norm_limit_per_mm
    )


def comparison_words(comparison: Comparison, whole: Agreement) -> str:
    """How far two readings of a section agree, and all those of the study."""
    only_first, only_second = len(comparison.only_first), len(comparison.only_second)
    both = len(comparison.both)
    said = [
        f"Crossings that both see: {both}, only the first: {only_first}, only the second: {only_second}.",
        f"F1 {_figure(comparison.f1)}, kappa {_figure(comparison.kappa)}.",
        f"Sections read twice: {whole.sections}. F1 {_figure(whole.f1)}, ICC {_figure(whole.icc)}.",
    ]
    if only_first or only_second:
        said.append("N flies to what only one of the two sees: Y counts it, X leaves it out.")
    return "\n".join(said)


def _figure(value: float) -> str:
    return f"{value:.2f}" if isfinite(value) else "not defined"
