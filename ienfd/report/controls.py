"""The controls of a study: which passed, and for which sections each of them speaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ienfd.draw.control_plot import FEWEST, ControlPoint, control_plot
from ienfd.protocol import Protocol
from ienfd.quality.controls import ControlFigures, Verdict, judge_control
from ienfd.reasons import REASONS
from ienfd.report.entries import SectionEntry

__all__ = [
    "ControlEntry", "about_controls", "control_entries", "controls_of", "course_of", "failed", "outcome",
    "tally",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class ControlEntry:
    """A control section, and whether it passed."""

    section: SectionEntry
    verdict: Verdict

    @property
    def figures(self) -> ControlFigures:
        """What it was judged by."""
        return _figures(self.section)


def control_entries(
    sections: Iterable[SectionEntry], protocols: Mapping[str, Protocol]
) -> list[ControlEntry]:
    """Judge all controls among these sections, in the order of their runs and files."""
    found = []
    for entry in sections:
        if entry.control is not None:
            bounds = protocols[entry.placement.protocol_hash].quality
            verdict = judge_control(_figures(entry), bounds)
            found.append(ControlEntry(entry, verdict))
    return sorted(found, key=_order)


def _order(control: ControlEntry) -> tuple[str, str, int]:
    place = control.section.placement
    return control.section.staining_run or "", place.path, place.scene


def _figures(entry: SectionEntry) -> ControlFigures:
    result = entry.result
    if result is None:
        return ControlFigures(entry.control or "")
    return ControlFigures(
        entry.control or "",
        result.reason,
        result.count,
        result.findings.measure("clear_fibers_um_per_mm"),
        result.findings.measure("noise_ratio"),
    )


def controls_of(group: Iterable[SectionEntry], controls: Sequence[ControlEntry]) -> list[ControlEntry]:
    """The controls that speak for the evaluable sections of a biopsy."""
    evaluable = [entry for entry in group if entry.status == "ok"]
    return [one for one in controls if any(_speaks_for(one.section, entry) for entry in evaluable)]


def _speaks_for(control: SectionEntry, section: SectionEntry) -> bool:
    """Whether both were stained in one run.

    A run that is named is known by its name. A control without one speaks for all sections of its image
    folder and stain that name no run, either.
    """
    if control.staining_run or section.staining_run:
        return control.staining_run == section.staining_run
    stains = {entry.result.findings.stain for entry in (control, section) if entry.result}
    return control.placement.root == section.placement.root and len(stains - {None}) <= 1


def about_controls(controls: Iterable[ControlEntry]) -> tuple[str, ...]:
    """What the controls of a biopsy mean for its call: codes that withhold it, or stand beside it."""
    passed = {one.verdict.passed for one in controls}
    codes = {"control_failed": False in passed, "control_not_judged": None in passed}
    return tuple(code for code, holds in codes.items() if holds)


def outcome(verdict: Verdict) -> str:
    """Whether a control passed, in a word or two."""
    return {True: "passed", False: "failed", None: "not judged"}[verdict.passed]


def failed(controls: Iterable[ControlEntry]) -> list[str]:
    """What a person should know of controls that did not pass."""
    return [
        f"{one.section.placement.path}: {REASONS[one.verdict.reason].text}"
        for one in controls
        if one.verdict.reason is not None and one.section.status != "pending"
    ]


def course_of(controls: Iterable[ControlEntry]) -> str | None:
    """The staining of the positive controls from run to run, as SVG; None when there are too few.

    A run that is not named is shown by the file of its control.
    """
    panels: dict[str, list[ControlPoint]] = {}
    for one in controls:
        result, passed = one.section.result, one.verdict.passed
        if one.section.control != "positive" or result is None or passed is None:
            continue
        if result.findings.stain is None:
            continue
        height = result.findings.measure("nerve_contrast")
        run = one.section.staining_run or one.section.placement.path
        if height is None and passed is False:
            height = 0.0  # no clear fiber at all
        if height is not None:
            panels.setdefault(result.findings.stain, []).append(ControlPoint(run, height, passed))
    shown = [
        (_TITLES.get(stain, stain), points)
        for stain, points in sorted(panels.items())
        if len(points) >= FEWEST
    ]
    return control_plot(shown) if shown else None


_TITLES = {
    "bright-field": "Positive controls, bright-field: height of a clear fiber (optical density)",
    "fluorescence": "Positive controls, fluorescence: height of a clear fiber (share of the light about it)",
}


def tally(controls: Iterable[ControlEntry]) -> Counter[str]:
    """How many controls passed, failed, or could not be judged."""
    return Counter(outcome(one.verdict) for one in controls)
