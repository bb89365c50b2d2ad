"""A reading by hand and one by the program of the same thing: the nouns of the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CallPair", "Pair", "PlacePair", "Reading", "State", "Unit"]

State = Literal["automatic", "reviewed"]
"""Which state of the study is compared: before anybody corrected it, or as it was reviewed."""

Unit = Literal["section", "biopsy"]


@dataclass(frozen=True)
class Reading:
    """Figures of a section or biopsy; None for those that are not known."""

    crossings: int | None = None
    length_mm: float | None = None
    density_per_mm: float | None = None


@dataclass(frozen=True)
class CallPair:
    """How two densities lie to one limit.

    Parameters
    ----------
    norm_id : str
        Whose limit it is.
    limit_per_mm : float
        The limit.
    manual_below, program_below : bool
        Which of them lie under it.
    """

    norm_id: str
    limit_per_mm: float
    manual_below: bool
    program_below: bool


@dataclass(frozen=True)
class PlacePair:
    """Crossings of both readings of a section by their places.

    Parameters
    ----------
    matched : int
        Seen by both.
    only_manual, only_program : int
        Seen by one.
    not_evaluated : int
        Places of the reader in stretches that are not evaluated, where the program counts nothing: they
        are left out.
    """

    matched: int
    only_manual: int
    only_program: int
    not_evaluated: int = 0


@dataclass(frozen=True)
class Pair:
    """One row of the manual table beside what the study has of it.

    Parameters
    ----------
    row : int
        Its row; 0 for a biopsy whose sections were read one by one, or a section of which there are only
        positions.
    reader : str
        Who counted by hand; empty where nobody is named.
    unit : {"section", "biopsy"}
        What was read.
    name : str
        As the table has it.
    section_id, file, case_id, biopsy_id : str
        What it is in the study; empty where it is not there.
    manual, program : Reading
        Both readings.
    density_from : str
        What the manual density rests on: `stated`, `manual_length` (count by that length) or
        `program_length` (count by the length that the program measured); empty where there is none.
    reason, detail : str or None, str
        Why it is left out; None when it is compared.
    call : CallPair or None
        Both calls of a biopsy.
    call_reason : str or None
        Why there is none; None for sections, too.
    places : PlacePair or None
        Both readings of a section by place.
    places_reason : str or None
        Why there is none; None, too, where no positions were given.
    """

    row: int
    reader: str
    unit: Unit
    name: str
    section_id: str = ""
    file: str = ""
    case_id: str = ""
    biopsy_id: str = ""
    manual: Reading = Reading()
    program: Reading = Reading()
    density_from: str = ""
    reason: str | None = None
    detail: str = ""
    call: CallPair | None = None
    call_reason: str | None = None
    places: PlacePair | None = None
    places_reason: str | None = None

    @property
    def is_used(self) -> bool:
        """Whether it is part of the comparison."""
        return self.reason is None
