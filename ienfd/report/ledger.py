"""What people have done in a study, by section and by biopsy: corrections, and who signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ienfd.correction.commands import ALTERING, Command, LoggedEdit, standing
from ienfd.report.entries import BiopsyStatus, SectionEntry
from ienfd.study.records import Placement
from ienfd.study.signing import SignOff

__all__ = ["CHANGED", "Ledger"]

CHANGED = "changed_after_signing"


class Ledger:
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
            return "preliminary", (CHANGED,)
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
