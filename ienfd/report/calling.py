"""Calling a biopsy: from its sections as they stand, and from what only the study knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ienfd.biopsy import call_biopsy
from ienfd.norms import Norm
from ienfd.protocol import Protocol
from ienfd.reasons import REASONS, Effect
from ienfd.report.controls import ControlEntry, about_controls, controls_of, outcome
from ienfd.report.entries import BiopsyEntry, BiopsyKey, BiopsyStatus, SectionEntry
from ienfd.report.ledger import CHANGED, Ledger
from ienfd.report.pooling import PERSON, said, ways
from ienfd.report.signed import norms_then, says_the_same, validated_then
from ienfd.study.records import BiopsyRecord
from ienfd.study.signing import SignOff
from ienfd.study.validated import Validated

__all__ = ["NOT_VALIDATED", "AroundIt", "recalled", "same_row"]

NOT_VALIDATED = "not_validated"


@dataclass(frozen=True, eq=False)
class AroundIt:
    """What a study knows beside the sections of one biopsy.

    Parameters
    ----------
    ledger : Ledger
        What people have done.
    protocols : mapping of str to Protocol
        By hash.
    newest : str
        Hash of the protocol of the last run.
    norms : tuple of Norm
        Those that the study calls by.
    validated : Validated or None
        What the laboratory has validated.
    controls : sequence of ControlEntry
        All controls of the study.
    shared, of_two_scales : set of BiopsyKey
        Biopsies of which an image is in another one, too; whose case has images of two pixel sizes.
    """

    ledger: Ledger
    protocols: Mapping[str, Protocol]
    newest: str
    norms: tuple[Norm, ...]
    validated: Validated | None
    controls: Sequence[ControlEntry]
    shared: set[BiopsyKey]
    of_two_scales: set[BiopsyKey]

    def biopsy(self, key: BiopsyKey, group: Sequence[SectionEntry]) -> BiopsyEntry:
        """The biopsy of these sections with its call; one that is signed by what held when it was."""
        hashes = {entry.placement.protocol_hash for entry in group}
        controls = controls_of(group, self.controls)
        of_study = {
            "case_data_conflict": key[0] == "divided",
            "image_in_two_biopsies": key in self.shared,
            "protocol_inconsistent": len(ways(group, self.protocols)) > 1,
            "calibration_inconsistent": key in self.of_two_scales,
            "duplicate_field": any(entry.same_tissue for entry in group),
        }
        codes = (*(code for code, holds in of_study.items() if holds), *about_controls(controls))
        signature = self.ledger.signature(group)
        chosen = (signature.protocol_hash if signature else "", self.newest, min(hashes))
        protocol_hash = next(hash_ for hash_ in chosen if hash_ in hashes)
        protocol = self.protocols[protocol_hash]
        norms = norms_then(signature, protocol, self.norms)
        called = _called(group, protocol, norms, codes, *self.ledger.status(group))
        told = tuple((str(one.section.control), outcome(one.verdict)) for one in controls)
        called = replace(called, protocol_hash=protocol_hash, controls=told)
        return _as_signed(_compared(called, self.validated, signature), signature)


def recalled(biopsy: BiopsyEntry, section: SectionEntry, *, altered: bool) -> BiopsyEntry:
    """A biopsy with one of its sections as it stands now, called anew.

    Parameters
    ----------
    biopsy : BiopsyEntry
        As it stood before.
    section : SectionEntry
        One of its sections.
    altered : bool
        Whether something was done to it that takes a signed result back.
    """
    group = [section if same_row(section, entry) else entry for entry in biopsy.sections]
    signed = biopsy.status in ("final", "amended")
    status: BiopsyStatus = "preliminary" if signed and altered else biopsy.status
    flags = [CHANGED] if (signed and altered) or CHANGED in biopsy.call.flags else []
    flags += [NOT_VALIDATED] if NOT_VALIDATED in biopsy.call.flags else []
    called = _called(group, biopsy.protocol, biopsy.norms, biopsy.of_study, status, flags)
    return replace(
        called,
        protocol_hash=biopsy.protocol_hash,
        validated=biopsy.validated,
        controls=biopsy.controls,
    )


def same_row(one: SectionEntry, other: SectionEntry) -> bool:
    """Whether both are about the same section of the same file."""
    return _row(one) == _row(other)


def _row(entry: SectionEntry) -> tuple[str, str, int, int]:
    place = entry.placement
    return place.root, place.path, place.scene, place.region


def _called(
    group: Sequence[SectionEntry],
    protocol: Protocol,
    norms: tuple[Norm, ...],
    of_study: Sequence[str],
    status: BiopsyStatus,
    flags: Sequence[str],
) -> BiopsyEntry:
    record = _record(group)
    call = call_biopsy(
        [entry.figures() for entry in group],
        age_years=record.age_years,
        sex=record.sex,
        site=record.site,
        protocol=protocol,
        known_norms=norms,
        further_reasons=[code for code in of_study if REASONS[code].effect is Effect.WITHHELD],
    )
    beside = (code for code in of_study if REASONS[code].effect is Effect.FLAGGED)
    call = replace(call, flags=(*call.flags, *beside, *flags))
    return BiopsyEntry(record, tuple(group), protocol, call, status, norms, of_study=tuple(of_study))


def _as_signed(entry: BiopsyEntry, signature: SignOff | None) -> BiopsyEntry:
    """A biopsy; as changed after signing where its norm no longer says what was signed."""
    if signature is None or entry.status == "preliminary" or says_the_same(signature, entry.call):
        return entry
    call = replace(entry.call, flags=(*entry.call.flags, CHANGED))
    return replace(entry, status="preliminary", call=call)


def _compared(entry: BiopsyEntry, validated: Validated | None, signature: SignOff | None) -> BiopsyEntry:
    """A biopsy beside what the laboratory has validated; one that is signed beside what it had then."""
    if signature is not None and entry.status != "preliminary":
        validated, differs = validated_then(signature)
    else:
        rows = [one.placement for one in entry.sections if one.corrected is not None]
        hashes = {entry.protocol_hash, *(row.protocol_hash for row in rows)}
        versions = {row.algorithm_version for row in rows}
        differs = validated is not None and not validated.covers(hashes, versions)
    flags = (*entry.call.flags, NOT_VALIDATED) if differs else entry.call.flags
    return replace(entry, call=replace(entry.call, flags=flags), validated=validated)


def _record(group: Sequence[SectionEntry]) -> BiopsyRecord:
    place = group[0].placement
    person = {name: next(iter(said(group, name)), None) for name in PERSON}
    extras: dict[str, dict[str, None]] = {}
    for entry in group:
        for header, value in entry.case.get("extra", {}).items():
            if value:
                extras.setdefault(header, {})[value] = None
    agreed = {header: next(iter(values)) for header, values in extras.items() if len(values) == 1}
    return BiopsyRecord(place.case_id, place.biopsy_id, **person, extra=agreed)
