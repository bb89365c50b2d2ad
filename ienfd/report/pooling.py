"""Which sections are pooled into which biopsy, and what must not be.

Pooling two patients is the worst error that this program could make. A case table cannot contradict
itself (`ienfd.batch.casework`), but two can, when two image folders go into one study, or when a
single file was run again under a corrected table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ienfd.protocol import Protocol
from ienfd.quality.same_tissue import MOST_COMPARED, same_pairs
from ienfd.quality.sampling import pixel_sizes_agree
from ienfd.report.entries import BiopsyKey, SectionEntry

__all__ = [
    "PERSON", "Groups", "copies", "group_biopsies", "of_two_scales", "said", "shared_images", "ways",
    "with_same_tissue",
]  # fmt: skip

PERSON = ("site", "side", "collection_date", "age_years", "sex", "patient_id")
_SHOWN = 5

Groups = Mapping[BiopsyKey, Sequence[SectionEntry]]


def group_biopsies(sections: Iterable[SectionEntry]) -> tuple[dict[BiopsyKey, list[SectionEntry]], list[str]]:
    """The sections of each biopsy, controls left out, and what a person should know of that.

    Where sections of one biopsy are given different ages, sexes, sites, sides, dates or patients, they
    are divided by what they are given; the keys of such parts begin with `divided`.
    """
    groups: dict[BiopsyKey, list[SectionEntry]] = {}
    for entry in sections:
        if entry.control is None:
            groups.setdefault(entry.biopsy, []).append(entry)
    divided: dict[BiopsyKey, list[SectionEntry]] = {}
    warnings = []
    for key, group in groups.items():
        place = group[0].placement
        name = f"case {place.case_id}, biopsy {place.biopsy_id}"
        folders = {entry.placement.root for entry in group}
        differing = [column for column in PERSON if len(said(group, column)) > 1]
        if not differing:
            divided[key] = group
            if len(folders) > 1:
                warnings.append(f"{name} has files of {len(folders)} image folders")
            continue
        for entry in group:
            person = (str(entry.case.get(column)) for column in PERSON)
            divided.setdefault(("divided", *key, entry.placement.root, *person), []).append(entry)
        warnings.append(f"{name}: case tables differ in {', '.join(differing)}, so its files are not pooled")
    return divided, warnings


def said(group: Iterable[SectionEntry], column: str) -> list[Any]:
    """The different values that sections are given in a column, in their order."""
    return list(dict.fromkeys(e.case[column] for e in group if e.case.get(column) is not None))


def ways(group: Iterable[SectionEntry], protocols: Mapping[str, Protocol]) -> set[tuple[Any, ...]]:
    """The choices and versions that its sections were analyzed and counted under: one for a sound biopsy.

    What only calls a biopsy, its norms and bounds, is that of the newest protocol for all of them.
    """
    places = [entry.placement for entry in group if entry.status == "ok"]
    return {(protocols[p.protocol_hash].image, p.rules_key, p.algorithm_version) for p in places}


def shared_images(groups: Groups) -> set[BiopsyKey]:
    """Biopsies that hold an image of another one."""
    shared: set[BiopsyKey] = set()
    for places in _by_image(groups):
        keys = {key for key, _ in places}
        if len(keys) > 1:
            shared |= keys
    return shared


def copies(groups: Groups) -> list[str]:
    """What a person should know of images that the study holds more than once."""
    warnings = []
    for places in _by_image(groups):
        if len(places) > 1:
            files = [path for _, path in places]
            more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
            biopsies = len({key for key, _ in places})
            where = "one biopsy" if biopsies == 1 else f"{biopsies} biopsies"
            warnings.append(f"the same image in {where}: {', '.join(files[:_SHOWN])}{more}")
    return warnings


def with_same_tissue(sections: Sequence[SectionEntry]) -> tuple[list[SectionEntry], list[str]]:
    """The sections with those of their case that show the same tissue, and what a person should know of it.

    Controls, and files that no case table speaks of, are compared with none.
    """
    cases: dict[str, list[int]] = {}
    for position, entry in enumerate(sections):
        if entry.listed and entry.control is None and entry.status == "ok":
            cases.setdefault(entry.placement.case_id, []).append(position)
    alike: dict[int, list[int]] = {}
    warnings = []
    for case_id, positions in cases.items():
        for one, other in same_pairs([sections[position].fingerprint for position in positions]):
            alike.setdefault(positions[one], []).append(positions[other])
            alike.setdefault(positions[other], []).append(positions[one])
            first, second = (sections[positions[k]].placement for k in (one, other))
            if first.section_id != second.section_id:  # `copies` speaks of the same image
                warnings.append(f"case {case_id}: {first.path} and {second.path} show the same tissue")
        if len(positions) > MOST_COMPARED:
            warnings.append(
                f"case {case_id} has {len(positions)} sections: only identical ones are recognized"
            )
    places = [(entry.placement.root, entry.placement.path) for entry in sections]
    marked = [
        replace(entry, same_tissue=tuple(places[other] for other in alike[position]))
        if position in alike
        else entry
        for position, entry in enumerate(sections)
    ]
    return marked, warnings


def of_two_scales(groups: Groups) -> set[BiopsyKey]:
    """Biopsies of cases whose sections have pixel sizes that contradict each other."""
    cases: dict[str, list[SectionEntry]] = {}
    for group in groups.values():
        for entry in group:
            if entry.listed and entry.status == "ok":
                cases.setdefault(entry.placement.case_id, []).append(entry)
    doubtful = {
        case_id
        for case_id, entries in cases.items()
        if not pixel_sizes_agree([entry.placement.calibration.get("pixel_size_um") for entry in entries])
    }
    return {
        key for key, group in groups.items() if group[0].listed and group[0].placement.case_id in doubtful
    }


def _by_image(groups: Groups) -> list[list[tuple[BiopsyKey, str]]]:
    """For each evaluable image: the biopsies and files that it is in, by file."""
    found: dict[str, list[tuple[BiopsyKey, str]]] = {}
    for key, group in groups.items():
        for entry in group:
            if entry.status == "ok" and entry.placement.section_id is not None:
                found.setdefault(entry.placement.section_id, []).append((key, entry.placement.path))
    return sorted((sorted(places, key=lambda place: place[1]) for places in found.values()), key=str)
