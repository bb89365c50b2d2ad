"""What a study holds now, gathered for tables: each section with its result, each biopsy with its call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ienfd.correction.correct import correct
from ienfd.protocol import Protocol, protocol_from_json
from ienfd.report.calling import NOT_VALIDATED, AroundIt
from ienfd.report.controls import ControlEntry, control_entries, failed
from ienfd.report.course import PatientCourse, courses
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.ledger import Ledger
from ienfd.report.pooling import copies, group_biopsies, of_two_scales, shared_images, with_same_tissue
from ienfd.study.records import Placement
from ienfd.study.store import Store

__all__ = ["Content", "gather", "gather_controls"]

_NO_CASE = ""


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
        ledger = Ledger(store.edits(), store.sign_offs())
    else:
        sections = sorted({row.section_id for row in placements if row.section_id is not None})
        ledger = Ledger(store.edits_of_case(case_id, sections), store.sign_offs())
    placements = [ledger.with_case(row) for row in placements]
    protocols = {
        hash_: protocol_from_json(store.protocol_json(hash_))
        for hash_ in sorted({row.protocol_hash for row in placements})
    }
    every = _sections(store, placements, ledger if edited else Ledger((), ()), protocols)
    controls = control_entries(every, protocols)
    entries, alike = with_same_tissue(
        [entry for entry in every if case_id in (None, entry.placement.case_id)]
    )
    last = store.last_run()
    groups, warnings = group_biopsies(entries)
    around = AroundIt(
        ledger,
        protocols,
        str(last["protocol_hash"]) if last else "",
        store.norms(),
        store.validated(),
        controls,
        shared_images(groups),
        of_two_scales(groups),
    )
    biopsies = [around.biopsy(key, group) for key, group in groups.items()]
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
    ledger = Ledger(store.edits_of_case(_NO_CASE, sections), ())
    protocols = {
        hash_: protocol_from_json(store.protocol_json(hash_))
        for hash_ in sorted({row.protocol_hash for row in rows})
    }
    return tuple(control_entries(_sections(store, rows, ledger, protocols), protocols))


def _otherwise(biopsies: Sequence[BiopsyEntry]) -> list[str]:
    """What to say of biopsies that were not analyzed as the laboratory has validated it."""
    number = sum(NOT_VALIDATED in biopsy.call.flags for biopsy in biopsies)
    if not number:
        return []
    many = "1 biopsy is" if number == 1 else f"{number} biopsies are"
    return [f"{many} not of the protocol and version that the laboratory has validated"]


def _sections(
    store: Store,
    placements: Sequence[Placement],
    ledger: Ledger,
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
