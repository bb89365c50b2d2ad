"""A section on the desk: everything that is known of it, and what its edits make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ienfd.correction.commands import ALTERING, Command, LoggedEdit, of_reading, standing
from ienfd.correction.correct import Corrected, Corrector
from ienfd.protocol import Protocol
from ienfd.report.calling import recalled
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.result import Crossing, Findings, SectionResult
from ienfd.study.log import Target

__all__ = ["Sheet", "Verdict"]

Verdict = str
"""`agreed`, `not_sure` or `corrected`: what a person last said of a candidate."""

_OF_CANDIDATES = frozenset(
    {
        Command.ASSESS_CROSSING,
        Command.ADD_CROSSING,
        Command.MOVE_CROSSING,
        Command.RECLASSIFY_CROSSING,
        Command.REMOVE_CROSSING,
    }
)


@dataclass(frozen=True, eq=False)
class Sheet:
    """One section under review.

    Parameters
    ----------
    entry : SectionEntry
        Its row, with all corrections.
    biopsy : BiopsyEntry or None
        The biopsy that it belongs to; None for a control.
    findings : Findings
        What image analysis found, with every fiber.
    corrector : Corrector
        Makes a result of the log.
    protocol : Protocol
        Under which it was counted.
    log : tuple of LoggedEdit
        Everything the log says about it.
    """

    entry: SectionEntry
    biopsy: BiopsyEntry | None
    findings: Findings
    corrector: Corrector
    protocol: Protocol
    log: tuple[LoggedEdit, ...] = ()

    def with_log(self, log: Sequence[LoggedEdit]) -> Sheet:
        """The same with everything that the log says now."""
        known = self.entry.corrected.last_seq if self.entry.corrected is not None else 0
        entry, biopsy = replace(self.entry, corrected=self.corrector(log)), self.biopsy
        later = [one for one in log if one.seq > known]
        if biopsy is not None and (later or (log[-1].seq if log else 0) < known):
            biopsy = recalled(biopsy, entry, altered=any(e.edit.command in ALTERING for e in later))
        return replace(self, entry=entry, biopsy=biopsy, log=tuple(log))

    @property
    def corrected(self) -> Corrected:
        """The section as it stands now."""
        if self.entry.corrected is None:
            raise ValueError(f"{self.entry.placement.path} has no result")
        return self.entry.corrected

    @property
    def result(self) -> SectionResult:
        """What was counted, with all corrections."""
        return self.corrected.result

    @property
    def last_seq(self) -> int:
        """The last entry of the log about it that is known here; 0 for none."""
        return self.log[-1].seq if self.log else 0

    @property
    def target(self) -> Target:
        """What an edit of it is about."""
        place = self.entry.placement
        return Target(place.case_id, place.biopsy_id, place.section_id, place.analysis_id)

    @property
    def pixel_size_um(self) -> float:
        """Edge of a pixel; 1 where it is not known, so that something can be shown."""
        return self.findings.pixel_size_um or 1.0

    def crossing(self, crossing_id: str | None) -> Crossing | None:
        """A candidate by its id."""
        return next((c for c in self.result.crossings if c.crossing_id == crossing_id), None)

    def numbers(self) -> dict[str, int]:
        """Number of every counted crossing, from 1, as in overlays and tables."""
        counted = [c.crossing_id for c in self.result.crossings if c.counted]
        return {crossing_id: number for number, crossing_id in enumerate(counted, 1)}

    def verdicts(self) -> dict[str, Verdict]:
        """What was last said of each candidate that a person has looked at."""
        said: dict[str, Verdict] = {}
        for entry in standing(of_reading(self.log, None)):
            if entry.edit.command in _OF_CANDIDATES and entry.edit.object_id is not None:
                after = entry.edit.after or {}
                said[entry.edit.object_id] = after.get("verdict", "corrected")
        for crossing in self.result.crossings:  # whose id was another one before the junction moved
            if crossing.reason.startswith("reviewer_"):
                said.setdefault(crossing.crossing_id, "corrected")
        return said

    def notes(self, object_id: str | None = None) -> tuple[LoggedEdit, ...]:
        """Remarks on the section, or on one object of it."""
        return tuple(
            entry
            for entry in standing(self.log)
            if entry.edit.command is Command.NOTE and entry.edit.object_id == object_id
        )

    def history(self, object_id: str) -> tuple[LoggedEdit, ...]:
        """What was done to one object, and holds."""
        return tuple(entry for entry in standing(self.log) if entry.edit.object_id == object_id)
