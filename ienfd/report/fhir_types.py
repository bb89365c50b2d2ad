"""Small parts of FHIR resources: codes, quantities, references."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ienfd.report.exchange import CODES, plain

__all__ = ["Json", "Shared", "absent", "code", "is_date", "observation_status", "quantity"]

Json = dict[str, Any]

CODES_SYSTEM = "urn:ienfd:codes"

OBSERVATION_STATUS = frozenset(
    {
        "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error",
        "unknown",
    }
)  # fmt: skip
"""http://hl7.org/fhir/ValueSet/observation-status, version 4.3.0."""

_ABSENT = {"unknown": "Unknown", "temp-unknown": "Temporarily Unknown", "error": "Error"}
_ABSENT_SYSTEM = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_UCUM = "http://unitsofmeasure.org"
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_DECIMALS = 6  # as in the tables: enough to compute every density again


@dataclass(frozen=True)
class Shared:
    """What the report of a biopsy and its Observations have in common.

    Parameters
    ----------
    status : str
        Of the Observations.
    subject, specimen : dict
        References.
    collected : str or None
        When the biopsy was taken: a date, or a year.
    issued : str or None
        When it was signed.
    """

    status: str
    subject: Json
    specimen: Json
    collected: str | None
    issued: str | None

    def subject_and_times(self) -> Json:
        """Subject and, where they are known, the times."""
        times = {"effectiveDateTime": self.collected, "issued": self.issued}
        return {"subject": self.subject} | {name: time for name, time in times.items() if time}


def observation_status(status: str) -> str:
    """A status, when an Observation may have it.

    Raises
    ------
    ValueError
        If it may not: fhir.resources takes any word.
    """
    if status not in OBSERVATION_STATUS:
        raise ValueError(f"{status!r} is no status of an Observation")
    return status


def code(name: str, text: str = "") -> Json:
    """One of the project's codes as a CodeableConcept; its display is the text unless one is given."""
    return {
        "coding": [{"system": CODES_SYSTEM, "code": name, "display": CODES[name]}],
        "text": plain(text or CODES[name]),
    }


def quantity(value: float, unit: str) -> Json:
    """A number with its UCUM unit."""
    return {"value": round(float(value), _DECIMALS), "unit": unit, "system": _UCUM, "code": unit}


def absent(why: str, reasons: Sequence[str], text: str) -> Json:
    """Why there is no number.

    Parameters
    ----------
    why : {"unknown", "temp-unknown", "error"}
        In FHIR's words.
    reasons : sequence of str
        Codes of `ienfd.reasons`.
    text : str
        In a sentence.
    """
    coding = [{"system": _ABSENT_SYSTEM, "code": why, "display": _ABSENT[why]}]
    coding += [{"system": CODES_SYSTEM, "code": reason} for reason in reasons]
    return {"coding": coding, "text": plain(text) or _ABSENT[why]}


def is_date(text: str | None) -> bool:
    """Whether it is a date as FHIR takes it: of a day, a month or a year."""
    if text is None or not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True
