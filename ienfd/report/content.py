"""What a study holds now, gathered for tables: each section with its result, each biopsy with its call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ienfd.biopsy import call_biopsy
from ienfd.protocol import Protocol, protocol_from_json
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.pooling import PERSON, copies, group_biopsies, said, shared_images
from ienfd.study.records import BiopsyRecord
from ienfd.study.store import Store

__all__ = ["Content", "gather"]


@dataclass(frozen=True, eq=False)
class Content:
    """All of a study.

    Parameters
    ----------
    sections : tuple of SectionEntry
        By file, scene and region.
    biopsies : tuple of BiopsyEntry
        By case and biopsy.
    warnings : tuple of str
        What a person should know.
    """

    sections: tuple[SectionEntry, ...]
    biopsies: tuple[BiopsyEntry, ...]
    warnings: tuple[str, ...] = ()


def gather(store: Store) -> Content:
    """Read what a study holds, and call its biopsies."""
    sections = _sections(store)
    protocols = {
        hash_: protocol_from_json(store.protocol_json(hash_))
        for hash_ in sorted({entry.placement.protocol_hash for entry in sections})
    }
    last = store.last_run()
    newest = str(last["protocol_hash"]) if last else ""
    groups, warnings = group_biopsies(sections)
    shared = shared_images(groups)
    biopsies = []
    for key, group in groups.items():
        hashes = {entry.placement.protocol_hash for entry in group}
        reasons = {
            "case_data_conflict": key[0] == "divided",
            "image_in_two_biopsies": key in shared,
            "protocol_inconsistent": _is_mixed(group, protocols),
        }
        protocol = protocols[newest if newest in hashes else min(hashes)]
        biopsies.append(_called(group, protocol, [code for code, holds in reasons.items() if holds]))
    biopsies.sort(key=lambda b: (b.record.case_id, b.record.biopsy_id, b.sections[0].placement.path))
    return Content(tuple(sections), tuple(biopsies), (*warnings, *copies(groups)))


def _called(group: Sequence[SectionEntry], protocol: Protocol, reasons: Sequence[str]) -> BiopsyEntry:
    record = _record(group)
    call = call_biopsy(
        [entry.figures() for entry in group],
        age_years=record.age_years,
        sex=record.sex,
        site=record.site,
        protocol=protocol,
        further_reasons=reasons,
    )
    return BiopsyEntry(record, tuple(group), protocol, call)


def _sections(store: Store) -> list[SectionEntry]:
    placements = store.placements()
    wanted: dict[str, list[str]] = {}
    for row in placements:
        if row.status == "done" and row.analysis_id is not None:
            wanted.setdefault(row.rules_key, []).append(row.analysis_id)
    results = {rules: store.results(sorted(set(keys)), rules) for rules, keys in wanted.items()}
    entries = [
        SectionEntry(row, results.get(row.rules_key, {}).get(row.analysis_id or "")) for row in placements
    ]
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


def _is_mixed(group: Iterable[SectionEntry], protocols: Mapping[str, Protocol]) -> bool:
    """Whether its sections were analyzed or counted under different choices or by different versions.

    What only calls a biopsy, its norms and bounds, is that of the newest protocol for all of them.
    """
    ways = set()
    for place in (entry.placement for entry in group if entry.status == "ok"):
        ways.add((protocols[place.protocol_hash].image, place.rules_key, place.algorithm_version))
    return len(ways) > 1
