"""What leaves a study in the formats of hospitals has in common: its ids, its names and its words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from ienfd.biopsy import call_sentence
from ienfd.figures import BiopsyCall
from ienfd.protocol import canonical_json
from ienfd.reasons import REASONS
from ienfd.report.course import PatientCourse, comparison_sentence
from ienfd.report.entries import BiopsyEntry
from ienfd.study.signing import SignOff

__all__ = [
    "CODES",
    "NAMESPACE",
    "Outgoing",
    "conclusion",
    "method",
    "outgoing",
    "plain",
    "position",
    "site",
]

NAMESPACE = UUID("8c0d0b5e-0d1c-5f43-9a75-6f1c0f0e5a21")
"""Of every id that is made here."""

CODES = {
    "ienfd": "Intraepidermal nerve fiber density",
    "ienfd-section": "Intraepidermal nerve fiber density of one section",
    "interval": "Interval of the density, of sampling only",
    "interval-low": "Lower end of the interval of the density",
    "interval-high": "Upper end of the interval of the density",
    "crossings": "Counted crossings of the dermal-epidermal junction",
    "evaluable-length": "Evaluable length of epidermis",
    "section-mean": "Mean of the densities of the sections",
    "sections": "Sections with a density",
    "norm-limit": "Limit of the norm",
    "position": "How the density lies to the limit of the norm",
    "below": "Below the limit of the norm",
    "not-below": "Not below the limit of the norm",
    "borderline-below": "Below the limit of the norm, borderline",
    "borderline-not": "Not below the limit of the norm, borderline",
    "no-density": "Why there is no density",
    "remark": "What should be known of its quality",
    "status": "Status of the report",
    "method": "How the density was found",
    "site": "Site of the biopsy",
}
"""The project's own codes, for which no standard has one: 16 characters each, and 64 for the meaning."""

_LIMITATIONS = (
    "A low density supports but does not by itself establish small-fiber neuropathy;"
    " one that is not low does not exclude it."
    " Research use only: ienfd has not been validated on patients."
)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_STEM_LENGTH = 80
# what FHIR takes for no part of a text, such as a blank at which no line is broken
_BLANK = re.compile(r"[^\S \t\n\r]")
_NO_CHARACTER = re.compile("[\x80-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# a control character is shown by its picture, so that it is seen and two ids do not become one
_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


@dataclass(frozen=True, eq=False)
class Outgoing:
    """A biopsy on its way out.

    Parameters
    ----------
    entry : BiopsyEntry
        As it is shown: under numbers where names are left out.
    number : UUID
        The same as long as the biopsy has the same name and the same sections.
    stem : str
        Name of its files, safe on every system, without an ending.
    signature : SignOff or None
        The signature that holds; None where it is not signed or names are left out.
    compared : tuple of str
        How it compares with earlier biopsies of its patient, in sentences.
    """

    entry: BiopsyEntry
    number: UUID
    stem: str
    signature: SignOff | None = None
    compared: tuple[str, ...] = ()

    @property
    def patient(self) -> tuple[str, str]:
        """What the patient is known by: `patient` and that id or, without one, `case` and its id."""
        record = self.entry.record
        return ("patient", record.patient_id) if record.patient_id else ("case", record.case_id)

    def id(self, *about: object) -> UUID:
        """An id of something that belongs to this biopsy."""
        return uuid5(self.number, canonical_json([str(part) for part in about]))


def outgoing(
    biopsies: Sequence[BiopsyEntry],
    sign_offs: Iterable[SignOff] = (),
    courses: Iterable[PatientCourse] = (),
) -> list[Outgoing]:
    """Biopsies as they leave.

    Parameters
    ----------
    biopsies : sequence of BiopsyEntry
        Those of a study, as they are shown.
    sign_offs : iterable of SignOff
        Its signatures in their order; none where names are left out, because they hold a name and a moment.
    courses : iterable of PatientCourse
        Those of its patients who have several biopsies.
    """
    last = {(sign.case_id, sign.biopsy_id): sign for sign in sign_offs}
    compared: dict[int, tuple[str, ...]] = {}
    for one in (one for course in courses for one in course.comparisons if one.change is not None):
        compared[id(one.later)] = (*compared.get(id(one.later), ()), plain(comparison_sentence(one)))
    return [
        Outgoing(entry, number, _stem(entry, number), _signature(entry, last), compared.get(id(entry), ()))
        for entry, number in _numbered(biopsies)
    ]


def _signature(entry: BiopsyEntry, last: Mapping[tuple[str, str], SignOff]) -> SignOff | None:
    if entry.status == "preliminary":  # also when it was changed after it was signed
        return None
    return last.get((entry.record.case_id, entry.record.biopsy_id))


def _numbered(biopsies: Sequence[BiopsyEntry]) -> Iterator[tuple[BiopsyEntry, UUID]]:
    """Each biopsy with an id; those that nothing tells apart are told apart by their order."""
    seen: Counter[str] = Counter()
    for entry in biopsies:
        sections = sorted(s.placement.section_id or s.placement.path for s in entry.sections)
        about = canonical_json([entry.record.case_id, entry.record.biopsy_id, sections])
        yield entry, uuid5(NAMESPACE, canonical_json([about, seen[about]]))
        seen[about] += 1


def _stem(entry: BiopsyEntry, number: UUID) -> str:
    safe = _UNSAFE.sub("_", entry.name).strip("._-")[:_STEM_LENGTH] or "biopsy"
    return f"{safe}_{number.hex[:8]}"


def plain(text: object) -> str:
    """Text as JSON, XML and DICOM may hold it: markup stays text, control characters are shown.

    >>> plain(" <b>\\x07\\u0639\\x85 ")
    '<b>\u2407\u0639\ufffd'
    """
    shown = _NO_CHARACTER.sub("\ufffd", str(text).translate(_PICTURES))
    return _BLANK.sub(" ", shown).strip()


def conclusion(entry: BiopsyEntry) -> str:
    """The call in words with all that must be said beside it, or why it is withheld."""
    call = entry.call
    if entry.status == "withdrawn":
        return "The signed result of this biopsy has been withdrawn."
    said = [call_sentence(call), *(REASONS[code].text for code in call.flags if code in REASONS)]
    if call.below_norm is not None:
        said.append(_LIMITATIONS)
    return plain(" ".join(said))


def position(call: BiopsyCall) -> str:
    """Code of how a density lies to the limit: never normal, and never borderline without that word."""
    if call.certainty == "borderline":
        return "borderline-below" if call.below_norm else "borderline-not"
    return "below" if call.below_norm else "not-below"


def site(entry: BiopsyEntry) -> str:
    """Site and side in words; empty where neither is known."""
    record = entry.record
    return plain(", ".join(word.replace("_", " ") for word in (record.site, record.side) if word))


def method(entry: BiopsyEntry) -> str:
    """How the density was found."""
    lengths = [section.result.lengths for section in entry.sections if section.result]
    lines = {one.line for one in lengths if one}
    versions = {section.placement.algorithm_version for section in entry.sections}
    parts = [
        f"Crossings of the dermal-epidermal junction per mm of epidermis along the {', '.join(sorted(lines))}"
        if lines
        else "Crossings of the dermal-epidermal junction per mm of epidermis",
        f"stain: {(entry.call.stain or 'not known').replace('|', ' and ')}",
        f"protocol {entry.protocol.id} ({entry.protocol_hash[:12]})",
        f"image analysis of ienfd, version {', '.join(sorted(versions))}",
    ]
    return plain("; ".join(parts))
