"""What is done in a study, in numbers: read without the results themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ienfd.correction.commands import LoggedEdit, standing
from ienfd.correction.correct import ReviewState, last_said
from ienfd.study.store import Standing, Store

__all__ = ["Summary", "summarize"]


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
    """

    sections: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    reviews: Counter[str] = field(default_factory=Counter)
    biopsies: int = 0
    signed: int = 0
    edits: int = 0


def summarize(store: Store) -> Summary:
    """Count what a study holds."""
    entries = store.edits()
    of_section: dict[str, list[LoggedEdit]] = {}
    for entry in entries:
        of_section.setdefault(entry.section_id or "", []).append(entry)
    rows = store.standings()
    reasons = Counter((row.status, row.reason) for row in rows if row.reason is not None)
    reviews = Counter(
        _review(of_section.get(row.section_id or "", ()), row.analysis_id)
        for row in rows
        if row.status == "ok"
    )
    biopsies = {_biopsy(row) for row in rows if row.control is None}
    kinds = {(sign.case_id, sign.biopsy_id): sign.kind for sign in store.sign_offs()}
    return Summary(
        sections=Counter(row.status for row in rows),
        reasons=reasons,
        reviews=reviews,
        biopsies=len(biopsies),
        signed=sum(kind != "withdrawal" for kind in kinds.values()),
        edits=len(entries),
    )


def _biopsy(row: Standing) -> tuple[str, str, str]:
    return ("", row.case_id, row.biopsy_id) if row.listed else (row.root, row.path, "")


def _review(entries: Sequence[LoggedEdit], analysis_id: str | None) -> str:
    """How far a review has come; one of another analysis no longer holds."""
    state, last = last_said(standing(entries))
    return ReviewState.NEEDS_REVIEW if last is not None and last.analysis_id != analysis_id else state
