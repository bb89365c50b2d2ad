"""What a run says at its end, as data; the command line and a script print it as they like."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["BiopsyLine", "RunReport", "Trouble"]


@dataclass(frozen=True)
class BiopsyLine:
    """One biopsy.

    Parameters
    ----------
    name : str
        Case and biopsy, or the file where no case table speaks of it.
    sections_evaluable, sections : int
        Sections with a density, and all of them.
    density_per_mm, low_per_mm, high_per_mm : float or None
        Pooled density with its interval.
    limit_per_mm : float or None
        Limit of the norm; None when the call is withheld.
    call : str
        The call as a sentence, or why it is withheld.
    below : bool or None
        Whether the density lies below the limit; None when the call is withheld.
    borderline : bool
        Whether the interval includes the limit.
    """

    name: str
    sections_evaluable: int
    sections: int
    density_per_mm: float | None
    low_per_mm: float | None
    high_per_mm: float | None
    limit_per_mm: float | None
    call: str
    below: bool | None = None
    borderline: bool = False


@dataclass(frozen=True)
class Trouble:
    """A row that is not `ok`."""

    file: str
    status: str
    reason: str
    text: str
    remedy: str


@dataclass(frozen=True)
class RunReport:
    """How a run ended.

    Parameters
    ----------
    folder : Path
        The study.
    ok, refused, failed, pending : int
        Rows by status; pending ones only after an interruption.
    analyzed : int
        Sections that were analyzed in this run; the others were done before.
    biopsies : tuple of BiopsyLine
        All biopsies of the study.
    troubles : tuple of Trouble
        All rows that are not ok.
    warnings : tuple of str
        What else a person should know.
    skipped : int
        Files that are no images.
    interrupted : bool
        Whether it was stopped before its end.
    seconds : mapping of str to float
        Time spent in each stage, summed over all workers.
    wall_seconds : float
        Time from begin to end.
    """

    folder: Path
    ok: int = 0
    refused: int = 0
    failed: int = 0
    pending: int = 0
    analyzed: int = 0
    biopsies: tuple[BiopsyLine, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: int = 0
    interrupted: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    wall_seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.ok + self.refused + self.failed + self.pending
