"""What a study holds now, gathered for tables: each section with its result, each biopsy with its call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ienfd.biopsy import call_biopsy
from ienfd.correction.commands import ALTERING, Command, LoggedEdit, standing
from ienfd.correction.correct import correct
from ienfd.norms import Norm
from ienfd.protocol import Protocol, protocol_from_json
from ienfd.reasons import REASONS, Effect
from ienfd.report.controls import (
    ControlEntry,
    about_controls,
    control_entries,
    controls_of,
    failed,
    outcome,
)
from ienfd.report.course import PatientCourse, courses
from ienfd.report.entries import BiopsyEntry, BiopsyStatus, SectionEntry
from ienfd.report.pooling import (
    PERSON,
    copies,
    group_biopsies,
    of_two_scales,
    said,
    shared_images,
    ways,
    with_same_tissue,
)
from ienfd.report.signed import norms_then, says_the_same, validated_then
from ienfd.study.records import BiopsyRecord, Placement
from ienfd.study.signing import SignOff
from ienfd.study.store import Store
from ienfd.study.validated import Validated

__all__ = ["Content", "gather", "gather_controls", "recalled", "same_row"]

_NO_CASE = ""
_CHANGED, _NOT_VALIDATED = "changed_after_signing", "not_validated"


@dataclass(frozen=True, eq=False)
class Content:
    """All of a study.

    Parameters
    ----------
    sections : tuple of SectionEntry
        By file, scene and region.
    biopsies : tuple of BiopsyEntry
        By case and biopsy.
    protocols : mapping of str to Protocol
        Those that its sections were counted under, by hash.
    warnings : tuple of str
        What a person should know.
    courses : tuple of PatientCourse
        The biopsies of each patient who has several, side by side.
    controls : tuple of ControlEntry
        All controls of the study, by run and file.
    """

    sections: tuple[SectionEntry, ...]
    biopsies: tuple[BiopsyEntry, ...]
    protocols: Mapping[str, Protocol]
    warnings: tuple[str, ...] = ()
    courses: tuple[PatientCourse, ...] = ()
    controls: tuple[ControlEntry, ...] = ()


def gather(store: Store, case_id: str | None = None, *, edited: bool = True) -> Content:
    """Read what a study, or one case of it, holds; apply all corrections, and call its biopsies.

    The courses of one case are those of its own biopsies only: a patient may have several cases.

    Parameters
    ----------
    store : Store
        The study.
    case_id : str, optional
        This case only.
    edited : bool
        Without it sections are as the program left them, before anybody corrected them; corrections of
        case data hold nevertheless.
    """
    placements = store.placements(case_id, controls=True)
    if case_id is None:
        ledger = _Ledger(store.edits(), store.sign_offs())
    else:
        sections = sorted({row.section_id for row in placements if row.section_id is not None})
        ledger = _Ledger(store.edits_of_case(case_id, sections), store.sign_offs())
    placements = [ledger.with_case(row) for row in placements]
    protocols = {
        hash_: protocol_from_json(store.protocol_json(hash_))
        for hash_ in sorted({row.protocol_hash for row in placements})
    }
    every = _sections(store, placements, ledger if edited else _Ledger((), ()), protocols)
    controls = control_entries(every, protocols)
    entries, alike = with_same_tissue(
        [entry for entry in every if case_id in (None, entry.placement.case_id)]
    )
    last = store.last_run()
    newest = str(last["protocol_hash"]) if last else ""
    norms, validated = store.norms(), store.validated()
    groups, warnings = group_biopsies(entries)
    shared, scales = shared_images(groups), of_two_scales(groups)
    biopsies = []
    for key, group in groups.items():
        hashes = {entry.placement.protocol_hash for entry in group}
        own = controls_of(group, controls)
        of_study = {
            "case_data_conflict": key[0] == "divided",
            "image_in_two_biopsies": key in shared,
            "protocol_inconsistent": len(ways(group, protocols)) > 1,
            "calibration_inconsistent": key in scales,
            "duplicate_field": any(entry.same_tissue for entry in group),
        }
        codes = (*(code for code, holds in of_study.items() if holds), *about_controls(own))
        signature = ledger.signature(group)
        chosen = (signature.protocol_hash if signature else "", newest, min(hashes))
        protocol_hash = next(hash_ for hash_ in chosen if hash_ in hashes)
        protocol = protocols[protocol_hash]
        then = norms_then(signature, protocol, norms)
        called = _called(group, protocol, then, codes, *ledger.status(group))
        told = tuple((str(one.section.control), outcome(one.verdict)) for one in own)
        called = replace(called, protocol_hash=protocol_hash, controls=told)
        biopsies.append(_as_signed(_compared(called, validated, signature), signature))
    biopsies.sort(key=lambda b: (b.record.case_id, b.record.biopsy_id, b.sections[0].placement.path))
    followed, contradictions = courses(biopsies, protocols)
    warnings += [*_otherwise(biopsies), *contradictions, *copies(groups), *alike, *failed(controls)]
    return Content(
        tuple(entries), tuple(biopsies), protocols, tuple(warnings), followed, controls=tuple(controls)
    )


def gather_controls(store: Store) -> tuple[ControlEntry, ...]:
    """Only the controls of a study, by run and file."""
    rows = store.placements(_NO_CASE, controls=True)
    sections = sorted({row.section_id for row in rows if row.section_id is not None})
    ledger = _Ledger(store.edits_of_case(_NO_CASE, sections), ())
    protocols = {
        hash_: protocol_from_json(store.protocol_json(hash_))
        for hash_ in sorted({row.protocol_hash for row in rows})
    }
    return tuple(control_entries(_sections(store, rows, ledger, protocols), protocols))


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
    flags = [_CHANGED] if (signed and altered) or _CHANGED in biopsy.call.flags else []
    flags += [_NOT_VALIDATED] if _NOT_VALIDATED in biopsy.call.flags else []
    called = _called(group, biopsy.protocol, biopsy.norms, biopsy.of_study, status, flags)
    return replace(
        called,
        protocol_hash=biopsy.protocol_hash,
        validated=biopsy.validated,
        controls=biopsy.controls,
    )


def same_row(one: SectionEntry, other: SectionEntry) -> bool:
    """Whether both are about the same section of the same file."""
    return (one.placement.root, *_place(one)) == (other.placement.root, *_place(other))


class _Ledger:
    """What people have done, by section and by biopsy."""

    def __init__(self, entries: Sequence[LoggedEdit], sign_offs: Sequence[SignOff]) -> None:
        self.of_section: dict[str, list[LoggedEdit]] = {}
        self.of_biopsy: dict[tuple[str | None, str | None], list[LoggedEdit]] = {}
        for entry in entries:
            if entry.section_id is not None:
                self.of_section.setdefault(entry.section_id, []).append(entry)
            else:
                self.of_biopsy.setdefault((entry.case_id, entry.biopsy_id), []).append(entry)
        self.signed = {(s.case_id, s.biopsy_id): s for s in sign_offs}  # the last one holds

    def with_case(self, row: Placement) -> Placement:
        """A row with the corrections of its case data."""
        changes = [
            entry.edit.after or {}
            for entry in standing(self.of_biopsy.get((row.case_id, row.biopsy_id), ()))
            if entry.edit.command is Command.EDIT_CASE
        ]
        for change in changes:
            row = replace(row, case={**row.case, **change})
        return row

    def status(self, group: Sequence[SectionEntry]) -> tuple[BiopsyStatus, tuple[str, ...]]:
        """Whether a biopsy is signed, and what must be said of that."""
        place = group[0].placement
        key = place.case_id, place.biopsy_id
        if key not in self.signed:
            return "preliminary", ()
        signature = self.signed[key]
        ids = {entry.placement.section_id or "" for entry in group}
        about = [*self.of_biopsy.get(key, ()), *(e for id_ in ids for e in self.of_section.get(id_, ()))]
        changed = any(e.seq > signature.edit_seq and e.edit.command in ALTERING for e in about)
        entries = [
            e.edit.after for e in self.of_biopsy.get(key, ()) if e.edit.object_id == signature.sign_off_id
        ]
        signed = entries[0]["sections"] if entries and entries[0] else []
        now = [
            [e.placement.section_id, e.placement.analysis_id, e.placement.rules_key]
            for e in group
            if e.placement.analysis_id
        ]
        if changed or sorted(now) != sorted(signed):
            return "preliminary", (_CHANGED,)
        return _STATUS[signature.kind], ()

    def signature(self, group: Sequence[SectionEntry]) -> SignOff | None:
        """The signature of a biopsy; None where there is none, or it was withdrawn."""
        place = group[0].placement
        signed = self.signed.get((place.case_id, place.biopsy_id))
        return None if signed is None or signed.kind == "withdrawal" else signed


_STATUS: dict[str, BiopsyStatus] = {
    "final": "final",
    "addendum": "amended",
    "correction": "amended",
    "withdrawal": "withdrawn",
}


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
    call = replace(entry.call, flags=(*entry.call.flags, _CHANGED))
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
    flags = (*entry.call.flags, _NOT_VALIDATED) if differs else entry.call.flags
    return replace(entry, call=replace(entry.call, flags=flags), validated=validated)


def _otherwise(biopsies: Sequence[BiopsyEntry]) -> list[str]:
    """What to say of biopsies that were not analyzed as the laboratory has validated it."""
    number = sum(_NOT_VALIDATED in biopsy.call.flags for biopsy in biopsies)
    if not number:
        return []
    many = "1 biopsy is" if number == 1 else f"{number} biopsies are"
    return [f"{many} not of the protocol and version that the laboratory has validated"]


def _sections(
    store: Store,
    placements: Sequence[Placement],
    ledger: _Ledger,
    protocols: Mapping[str, Protocol],
) -> list[SectionEntry]:
    wanted: dict[str, list[str]] = {}
    for row in placements:
        if row.status == "done" and row.analysis_id is not None:
            wanted.setdefault(row.rules_key, []).append(row.analysis_id)
    results = {rules: store.results(sorted(set(keys)), rules) for rules, keys in wanted.items()}
    entries = []
    for row in placements:
        result = results.get(row.rules_key, {}).get(row.analysis_id or "")
        corrected = None
        if result is not None:
            edits = ledger.of_section.get(row.section_id or "", ())
            findings = partial(store.findings, row.analysis_id or "")
            corrected = correct(result, edits, protocols[row.protocol_hash], findings)
        entries.append(SectionEntry(row, corrected))
    # not by the folder that the images lay in: the same images elsewhere give the same tables
    return sorted(entries, key=lambda entry: (*_place(entry), entry.placement.section_id or ""))


def _place(entry: SectionEntry) -> tuple[str, int, int]:
    return entry.placement.path, entry.placement.scene, entry.placement.region


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
