"""What is done in a study, in numbers: read without the results themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ienfd.correction.commands import ALTERING, LoggedEdit, standing
from ienfd.correction.correct import ReviewState, last_said
from ienfd.study.signing import SignOff
from ienfd.study.store import Standing, Store

__all__ = ["Summary", "review_of", "signed_biopsies", "summarize"]


@dataclass(frozen=True)
class Summary:
    """How far a study has come.

    Parameters
    ----------
    sections : Counter of str
        Sections by status: ok, refused, failed, pending.
    reasons : Counter of (str, str)
        Those that are not ok by status and reason.
    reviews : Counter of str
        Sections that are ok by the state of their review, as far as the log of edits tells.
    biopsies, signed : int
        Biopsies, and those of them that are signed.
    edits : int
        Entries of the log.
    controls : int
        Sections that are controls.
    """

    sections: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    reviews: Counter[str] = field(default_factory=Counter)
    biopsies: int = 0
    signed: int = 0
    edits: int = 0
    controls: int = 0


def summarize(store: Store) -> Summary:
    """Count what a study holds."""
    entries = store.edits()
    of_section: dict[str, list[LoggedEdit]] = {}
    for entry in entries:
        of_section.setdefault(entry.section_id or "", []).append(entry)
    rows = store.standings()
    reasons = Counter((row.status, row.reason) for row in rows if row.reason is not None)
    reviews: Counter[str] = Counter(
        review_of(row, of_section.get(row.section_id or "", ())) for row in rows if row.status == "ok"
    )
    biopsies = {_biopsy(row) for row in rows if row.control is None}
    signed = signed_biopsies(rows, entries, store.sign_offs())
    return Summary(
        sections=Counter(row.status for row in rows),
        reasons=reasons,
        reviews=reviews,
        biopsies=len(biopsies),
        signed=sum(signed.values()),
        edits=len(entries),
        controls=sum(row.control is not None for row in rows),
    )


def _biopsy(row: Standing) -> tuple[str, str, str]:
    return ("", row.case_id, row.biopsy_id) if row.listed else (row.root, row.path, "")


def review_of(row: Standing, entries: Sequence[LoggedEdit]) -> ReviewState:
    """How far the review of a section has come, as far as its row and the log tell.

    One of another analysis, or under other counting rules, no longer holds.
    """
    state, last = last_said(standing(entries))
    if last is None:
        return state
    rules = (last.edit.after or {}).get("rules_key", row.rules_key)
    return (
        state if (last.analysis_id, rules) == (row.analysis_id, row.rules_key) else ReviewState.NEEDS_REVIEW
    )


def signed_biopsies(
    rows: Iterable[Standing], entries: Iterable[LoggedEdit], sign_offs: Iterable[SignOff]
) -> dict[tuple[str, str], bool]:
    """Case and biopsy of all that are signed, and whether they still are what was signed."""
    last = {(sign.case_id, sign.biopsy_id): sign for sign in sign_offs}
    held = {key: sign.edit_seq for key, sign in last.items() if sign.kind != "withdrawal"}
    of_section: dict[str | None, list[tuple[str, str]]] = {}
    for row in rows:
        if row.listed and (row.case_id, row.biopsy_id) in held:
            of_section.setdefault(row.section_id, []).append((row.case_id, row.biopsy_id))
    changed: set[tuple[str, str]] = set()
    for entry in entries:
        if entry.edit.command not in ALTERING:
            continue
        own = [(entry.case_id or "", entry.biopsy_id or "")]
        for key in of_section.get(entry.section_id, ()) if entry.section_id else own:
            if key in held and entry.seq > held[key]:
                changed.add(key)
    return {key: key not in changed for key in held}
