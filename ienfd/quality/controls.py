"""Whether a control section shows that its staining run worked.

A positive control is tissue known to hold nerves: without them the run is not stained. A negative control
was left without the antibody: nerves in it are not nerves. Controls are never counted in a biopsy or a norm.
"""

from __future__ import annotations

from dataclasses import dataclass

from ienfd.protocol import QualityBounds

__all__ = ["ControlFigures", "Verdict", "judge_control"]

_UNSTAINED = ("no_nerve_stain", "no_nerve_signal")


@dataclass(frozen=True)
class ControlFigures:
    """What was found in a control.

    Parameters
    ----------
    kind : {"positive", "negative"}
        Which control it is.
    refusal : str or None
        Why it has no density of its own; None when it has one.
    crossings : int or None
        Counted crossings; None where it was refused or is not analyzed.
    clear_fibers_um_per_mm : float or None
        Clear fibers, dermis included, per mm of junction; None where nothing was traced.
    noise_ratio : float or None
        Noise of a pixel by the height of a clear fiber; None where it was not measured.
    """

    kind: str
    refusal: str | None = None
    crossings: int | None = None
    clear_fibers_um_per_mm: float | None = None
    noise_ratio: float | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether a control passed, None when it cannot be told, and the code of why not."""

    passed: bool | None
    reason: str | None = None


def judge_control(found: ControlFigures, bounds: QualityBounds) -> Verdict:
    """Judge one control.

    Parameters
    ----------
    found : ControlFigures
        What was found in it.
    bounds : QualityBounds
        From how many clear fibers on a section is stained, and up to which noise they are fibers.

    Returns
    -------
    Verdict
        A positive control passes with nerves and a negative one without them. One in which neither can be
        told, because it could not be read or shows no epidermis, is not judged.
    """
    stained: bool | None = None
    if found.clear_fibers_um_per_mm is not None:
        stained = found.clear_fibers_um_per_mm >= bounds.min_clear_fibers_um_per_mm
    if stained and (found.noise_ratio or 0.0) > bounds.max_noise_ratio:
        stained = None if found.kind == "positive" else False  # lines no higher than noise are no nerves
    if found.refusal in _UNSTAINED:
        stained = False
    if found.crossings:
        stained = True
    if stained is None:
        return Verdict(None, "control_not_judged")
    if found.kind == "positive":
        return Verdict(True) if stained else Verdict(False, "control_without_nerve")
    return Verdict(False, "control_with_nerve") if stained else Verdict(True)
