"""Which row of a manual table is about which section or biopsy of a study, and what is left out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ienfd.agree.manual import ManualPlace, ManualRow
from ienfd.agree.pairs import CallPair, Pair, PlacePair, Reading, State
from ienfd.correction.commands import same_person
from ienfd.correction.correct import ReviewState
from ienfd.correction.geometry import excluded_at
from ienfd.report.content import Content
from ienfd.report.csv_text import inert
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.result import Findings, Stretch
from ienfd.statistics import SAME_UM, match_places

__all__ = ["Geometry", "make_pairs"]

Geometry = Callable[[SectionEntry], tuple[Findings, Sequence[Stretch]]]
"""The findings of a section with its junction, and all stretches of it that are not evaluated."""

_Key = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A row and what it is about."""

    row: ManualRow
    section: SectionEntry | None = None
    biopsy: BiopsyEntry | None = None
    reason: str | None = None
    places: tuple[ManualPlace, ...] | None = None

    @property
    def key(self) -> _Key | None:
        """What tells readings of the same thing by the same reader."""
        reader = same_person(self.row.reader)
        if self.section is not None:
            return reader, "section", str(self.section.placement.section_id)
        if self.biopsy is not None:
            record = self.biopsy.record
            return reader, "biopsy", record.case_id, record.biopsy_id
        return None


def make_pairs(
    content: Content,
    rows: Sequence[ManualRow],
    places: Sequence[ManualPlace] | None,
    state: State,
    geometry: Geometry,
) -> tuple[tuple[Pair, ...], tuple[ManualPlace, ...]]:
    """Pair readings by hand with those of the program.

    A biopsy that a reader has read section by section is a pair, too, once all its evaluated sections
    were read; its manual density is that of these sections together.

    Parameters
    ----------
    content : Content
        The study in the state that is compared.
    rows : sequence of ManualRow
        The table.
    places : sequence of ManualPlace or None
        Positions of crossings; None where none were given.
    state : {"automatic", "reviewed"}
        With `reviewed`, what is not reviewed is left out.
    geometry : callable
        Asked for sections with positions only.

    Returns
    -------
    tuple of Pair
        Every row in its order, then sections of which there are only positions, then biopsies that were
        read section by section.
    tuple of ManualPlace
        Positions of no section of the study, or of more than one.
    """
    finder = _Finder(content)
    asked = [finder.asked(row) for row in rows]
    lost: list[ManualPlace] = []
    if places is not None:
        asked, lost = _with_places(asked, places, finder)
    asked = _without_repeats(asked)
    pairs = [_pair(one, state, geometry) for one in asked]
    return (*pairs, *_of_whole_biopsies(content, asked, pairs)), tuple(lost)


class _Finder:
    """Sections and biopsies by any of their names."""

    def __init__(self, content: Content) -> None:
        self.sections: dict[str, list[SectionEntry]] = {}
        for entry in content.sections:
            place = entry.placement
            for name in {place.path, inert(place.path), place.section_id or ""} - {""}:
                self.sections.setdefault(name, []).append(entry)
        self.biopsies: dict[str, list[BiopsyEntry]] = {}
        for biopsy in content.biopsies:
            for name in {biopsy.record.case_id, inert(biopsy.record.case_id)}:
                self.biopsies.setdefault(name, []).append(biopsy)

    def asked(self, row: ManualRow) -> _Asked:
        if row.is_of_section:
            sections = self.named(row.file, row.section_id, row.case_id, row.biopsy_id)
            ids = {entry.placement.section_id for entry in sections}
            if len(ids) != 1:
                return _Asked(row, reason="manual_ambiguous" if ids else "manual_unmatched")
            return _Asked(row, section=sections[0])
        found = [
            biopsy
            for biopsy in self.biopsies.get(row.case_id, ())
            if row.biopsy_id in ("", biopsy.record.biopsy_id, inert(biopsy.record.biopsy_id))
        ]
        if len(found) != 1:
            return _Asked(row, reason="manual_ambiguous" if found else "manual_unmatched")
        return _Asked(row, biopsy=found[0])

    def named(self, file: str, section_id: str, case_id: str = "", biopsy_id: str = "") -> list[SectionEntry]:
        """Sections that have all these names; those that are empty do not count."""
        found = self.sections.get(section_id or file, [])
        return [entry for entry in found if _is_named(entry, file, case_id, biopsy_id)]


def _is_named(entry: SectionEntry, file: str, case_id: str, biopsy_id: str) -> bool:
    place = entry.placement
    known = (file, place.path), (case_id, place.case_id), (biopsy_id, place.biopsy_id)
    return all(not said or said in (name, inert(name)) for said, name in known)


def _with_places(
    asked: Sequence[_Asked], places: Sequence[ManualPlace], finder: _Finder
) -> tuple[list[_Asked], list[ManualPlace]]:
    """Rows with the positions of their reader; a reader who counts nothing in a section needs none there.

    Where one table names nobody and the other one person, it is that person in both.
    """
    who = _who(asked, places)
    found: dict[_Key, list[ManualPlace]] = {}
    sections: dict[_Key, SectionEntry] = {}
    lost = []
    for place in places:
        entries = finder.named(place.file, place.section_id)
        if len({entry.placement.section_id for entry in entries}) != 1:
            lost.append(place)
            continue
        reader = place.reader if who is None else who
        key = same_person(reader), "section", str(entries[0].placement.section_id)
        found.setdefault(key, []).append(place)
        sections[key] = entries[0]
    told = [replace(one, places=tuple(found.get(one.key or (), ()))) for one in asked]
    alone = [
        _Asked(
            ManualRow(0, of[0].reader if who is None else who, of[0].file, of[0].section_id),
            sections[key],
            places=tuple(of),
        )
        for key, of in found.items()
        if key not in {one.key for one in asked}
    ]
    counted = []
    for one in [*told, *alone]:
        if one.section is not None and one.places and one.row.crossings is None:
            one = replace(one, row=replace(one.row, crossings=len(one.places)))
        counted.append(one)
    return counted, lost


def _who(asked: Sequence[_Asked], places: Sequence[ManualPlace]) -> str | None:
    """The one reader of both tables, as the table of counts has it; None where there may be several."""
    counting = {same_person(one.row.reader): one.row.reader for one in asked}
    pointing = {same_person(place.reader) for place in places}
    if len(counting) == len(pointing) == 1 and "" in {*counting, *pointing}:
        return next(iter(counting.values()))
    return None


def _without_repeats(asked: Sequence[_Asked]) -> list[_Asked]:
    """What a reader has read more than once is not used: nobody can say which reading is meant."""
    times: dict[_Key, int] = {}
    for one in asked:
        if one.key is not None:
            times[one.key] = times.get(one.key, 0) + 1
    return [replace(one, reason="manual_twice") if times.get(one.key or (), 0) > 1 else one for one in asked]


def _pair(asked: _Asked, state: State, geometry: Geometry) -> Pair:
    row = asked.row
    manual = Reading(row.crossings, row.length_mm, row.density_per_mm)
    pair = Pair(row.number, row.reader, "section" if row.is_of_section else "biopsy", row.name, manual=manual)
    if asked.section is not None:
        place = asked.section.placement
        pair = replace(
            pair, section_id=place.section_id or "", file=place.path, case_id=place.case_id,
            biopsy_id=place.biopsy_id, program=_of_section(asked.section),
        )  # fmt: skip
        left_out = _section_left_out(asked.section, state)
    elif asked.biopsy is not None:
        record = asked.biopsy.record
        pair = replace(
            pair, case_id=record.case_id, biopsy_id=record.biopsy_id, program=_of_biopsy(asked.biopsy)
        )
        left_out = _biopsy_left_out(asked.biopsy, state)
    else:
        left_out = None
    reason = asked.reason or ("manual_blank" if row.is_blank else None)
    if reason is not None or left_out is not None:
        return replace(pair, reason=reason or (left_out or ("", ""))[0], detail=(left_out or ("", ""))[1])
    pair = _with_density(pair)
    if asked.biopsy is not None:
        return _with_call(pair, asked.biopsy)
    if asked.section is not None and asked.places is not None:
        return _with_place_pair(pair, asked.section, asked.places, geometry)
    return pair


def _of_section(entry: SectionEntry) -> Reading:
    figures = entry.figures()
    return Reading(figures.crossings, figures.evaluable_mm, figures.density_per_mm)


def _of_biopsy(biopsy: BiopsyEntry) -> Reading:
    call = biopsy.call
    return Reading(call.crossings, call.evaluable_length_mm, call.density_per_mm)


def _section_left_out(entry: SectionEntry, state: State) -> tuple[str, str] | None:
    if entry.figures().density_per_mm is None:
        return "program_no_density", ", ".join(part for part in (entry.status, entry.reason) if part)
    review = entry.corrected.review if entry.corrected is not None else ReviewState.UNREVIEWED
    if state == "reviewed" and review is not ReviewState.REVIEWED:
        return "not_reviewed", review.value
    return None


def _biopsy_left_out(biopsy: BiopsyEntry, state: State) -> tuple[str, str] | None:
    if biopsy.call.density_per_mm is None:
        return "program_no_density", "|".join(biopsy.call.withheld_reasons)
    evaluated = [entry for entry in biopsy.sections if entry.status == "ok"]
    waiting = [entry for entry in evaluated if _section_left_out(entry, state) is not None]
    return ("not_reviewed", f"{len(waiting)} of {len(evaluated)} sections") if waiting else None


def _with_density(pair: Pair) -> Pair:
    """With the manual density: count by the length that was measured by hand, else as it is stated, else
    count by the length that the program measured.
    """
    manual = pair.manual
    count, length_mm, source = manual.crossings, manual.length_mm, "manual_length"
    if count is None or length_mm is None:
        if manual.density_per_mm is not None:
            return replace(pair, density_from="stated")
        length_mm, source = pair.program.length_mm, "program_length"
    if count is None or not length_mm:
        return pair
    return replace(pair, manual=replace(manual, density_per_mm=count / length_mm), density_from=source)


def _with_call(pair: Pair, biopsy: BiopsyEntry) -> Pair:
    call, density = biopsy.call, pair.manual.density_per_mm
    if call.below_norm is None or call.norm_limit_per_mm is None:
        return replace(pair, call_reason="call_withheld")
    if density is None:
        return replace(pair, call_reason="no_manual_density")
    below = density < call.norm_limit_per_mm
    return replace(pair, call=CallPair(str(call.norm_id), call.norm_limit_per_mm, below, call.below_norm))


def _with_place_pair(
    pair: Pair, entry: SectionEntry, places: Sequence[ManualPlace], geometry: Geometry
) -> Pair:
    count = pair.manual.crossings
    if count is None or (count > 0 and not places):
        return replace(pair, places_reason="places_missing")
    if count != len(places):
        return replace(pair, places_reason="places_differ_from_count")
    findings, stretches = geometry(entry)
    height, width = findings.shape
    if not all(-0.5 <= at.row_px <= height - 0.5 and -0.5 <= at.col_px <= width - 0.5 for at in places):
        return replace(pair, places_reason="places_outside_image")
    size = findings.pixel_size_um or 1.0
    inside = [
        at for at in places if excluded_at(findings.pieces, stretches, (at.row_px, at.col_px), size) is None
    ]
    counted = [c for c in entry.result.crossings if c.counted] if entry.result is not None else []
    matching = match_places(
        [(at.row_px * size, at.col_px * size) for at in inside],
        [(c.row_px * size, c.col_px * size) for c in counted],
        SAME_UM,
    )
    found = PlacePair(
        len(matching.pairs), len(matching.only_one), len(matching.only_two), len(places) - len(inside)
    )
    return replace(pair, places=found)


def _of_whole_biopsies(content: Content, asked: Sequence[_Asked], pairs: Sequence[Pair]) -> list[Pair]:
    """Biopsies that were read section by section, by reader and then in the order of the tables."""
    whole = {one.key for one in asked if one.biopsy is not None}
    readers: dict[str, str] = {}
    read: dict[tuple[str, str], Pair] = {}
    for pair in pairs:
        if pair.unit == "section" and pair.is_used and pair.manual.density_per_mm is not None:
            reader = same_person(pair.reader)
            readers.setdefault(reader, pair.reader)
            read[reader, pair.section_id] = pair
    found = []
    for reader, name in readers.items():
        for biopsy in content.biopsies:
            record = biopsy.record
            evaluated = list(
                dict.fromkeys(str(e.placement.section_id) for e in biopsy.sections if e.status == "ok")
            )
            own = [read[reader, id_] for id_ in evaluated if (reader, id_) in read]
            listed = all(entry.listed for entry in biopsy.sections)
            if not own or not listed or (reader, "biopsy", record.case_id, record.biopsy_id) in whole:
                continue
            pair = Pair(
                0, name, "biopsy", biopsy.name, case_id=record.case_id, biopsy_id=record.biopsy_id,
                program=_of_biopsy(biopsy),
            )  # fmt: skip
            if len(own) < len(evaluated):
                detail = f"{len(own)} of {len(evaluated)}"
                found.append(replace(pair, reason="sections_not_all_read", detail=detail))
                continue
            pair = replace(pair, manual=_pooled(own), density_from=_source(own))
            found.append(_with_call(pair, biopsy))
    return found


def _pooled(own: Sequence[Pair]) -> Reading:
    """Sections together: their counts and lengths where all have them, else the mean weighed by length."""
    counts, lengths = [p.manual.crossings for p in own], [p.manual.length_mm for p in own]
    count = sum(c for c in counts if c is not None) if None not in counts else None
    length = sum(x for x in lengths if x is not None) if None not in lengths else None
    weights = [p.manual.length_mm or p.program.length_mm or 0.0 for p in own]
    densities = [p.manual.density_per_mm or 0.0 for p in own]
    total = sum(weights)
    density = sum(w * d for w, d in zip(weights, densities, strict=True)) / total if total > 0 else None
    return Reading(count, length, density)


def _source(own: Iterable[Pair]) -> str:
    """What the density of several sections rests on: the least of theirs."""
    sources = {pair.density_from for pair in own}
    ranked = ("program_length", "stated", "manual_length")
    return next(source for source in ranked if source in sources)
