"""Signing a biopsy in ienfd: when it may be signed, and what exactly is signed.

It is called "signed in ienfd": a name that somebody typed, with the account, the machine and the time,
and the hash of all that was signed. It is no legal electronic signature.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ienfd.correction.correct import ReviewState
from ienfd.errors import UsageError
from ienfd.protocol import canonical_json
from ienfd.report.content import gather
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.study.log import Target
from ienfd.study.signing import SignOff, SignOffKind
from ienfd.study.store import Store

__all__ = ["obstacles", "sign_biopsy", "signed_content"]

STATEMENT = "I have reviewed the sections of this biopsy and agree with the result."


def obstacles(entry: BiopsyEntry, why: str = "") -> list[str]:
    """What stands against signing a biopsy, in sentences.

    Parameters
    ----------
    entry : BiopsyEntry
        As it stands now.
    why : str
        The reason that is stated for signing a borderline result without a second reader.
    """
    found = [
        f"{section.placement.path}: {_SAID[section.corrected.review]}"
        for section in entry.sections
        if section.corrected is not None
        and (section.status == "ok" or section.corrected.edits)  # a correction may have refused it
        and section.corrected.review in _SAID
    ]
    found += [
        f"{s.placement.path}: it has not been analyzed yet" for s in entry.sections if s.status == "pending"
    ]
    if not any(section.status == "ok" for section in entry.sections):
        found.append("none of its sections could be evaluated")
    if "case_data_conflict" in entry.call.withheld_reasons:
        found.append("case tables differ on whose it is")
    if entry.call.certainty == "borderline" and not why.strip() and not _read_twice(entry):
        found.append("the result is borderline: ask a second reader, or state why one is not needed")
    return found


_SAID = {
    ReviewState.UNREVIEWED: "it has not been reviewed",
    ReviewState.IN_REVIEW: "its review has not ended",
    ReviewState.NEEDS_REVIEW: "it needs another review",
    ReviewState.NEEDS_SECOND_READER: "it waits for a second reader",
}


def _read_twice(entry: BiopsyEntry) -> bool:
    """Whether two people have reviewed every evaluable section."""
    return all(
        section.corrected is not None and len(section.corrected.readers) > 1
        for section in entry.sections
        if section.status == "ok"
    )


def signed_content(entry: BiopsyEntry, interpretation: str = "", comment: str = "") -> dict[str, Any]:
    """Everything that a signature vouches for, in JSON's types."""
    return {
        "interpretation": interpretation.strip(),
        "comment": comment.strip(),
        "biopsy": asdict(entry.record),
        "call": asdict(entry.call),
        "protocol_hash": entry.protocol_hash,
        "validated": asdict(entry.validated) if entry.validated else None,
        "sections": [_section(section) for section in entry.sections],
    }


def _section(entry: SectionEntry) -> dict[str, Any]:
    place, result = entry.placement, entry.result
    lengths = result.lengths if result else None
    return {
        "section_id": place.section_id,
        "sha256": place.sha256,
        "analysis_id": place.analysis_id,
        "rules_key": place.rules_key,
        "status": entry.status,
        "reason": entry.reason,
        "edits": entry.corrected.edits if entry.corrected else 0,
        "density_per_mm": result.density_per_mm if result else None,
        "lengths_mm": asdict(lengths) if lengths else None,
        "counted": sorted(
            [c.crossing_id, round(c.row_px, 2), round(c.col_px, 2)]
            for c in (result.crossings if result else ())
            if c.counted
        ),
    }


def sign_biopsy(
    store: Store,
    case_id: str,
    biopsy_id: str,
    *,
    name: str,
    why: str = "",
    kind: SignOffKind = "final",
    interpretation: str = "",
    comment: str = "",
    seen: BiopsyEntry | None = None,
) -> SignOff:
    """Sign a biopsy as it stands.

    Parameters
    ----------
    store : Store
        The study.
    case_id, biopsy_id : str
        Which biopsy.
    name : str
        Who signs.
    why : str
        Why a borderline result needs no second reader, or why a signed one is signed again.
    kind : {"final", "addendum", "correction", "withdrawal"}
        What the signature does. Only the first signature of a biopsy is `final`.
    interpretation, comment : str
        What the report says in these places, in the words of who signs.
    seen : BiopsyEntry, optional
        What the person saw; refused when it is no longer that.

    Raises
    ------
    UsageError
        If there is no such biopsy, or something stands against signing it.
    ConflictError
        If it was changed while this was looked at.
    """
    head = store.head().seq
    found = [
        entry
        for entry in gather(store, case_id).biopsies
        if (entry.record.case_id, entry.record.biopsy_id) == (case_id, biopsy_id)
    ]
    if not found:
        raise UsageError("sign_blocked", f"there is no biopsy {biopsy_id} in case {case_id}")
    entry, target = found[0], Target(case_id, biopsy_id)
    against = [] if kind == "withdrawal" else obstacles(entry, why)
    if (
        seen is not None
        and kind != "withdrawal"
        and canonical_json(signed_content(seen)) != canonical_json(signed_content(entry))
    ):
        against.append("it has changed since it was shown: look at it again")
    again = bool(store.sign_offs(target))
    if again and kind == "final":
        against.append("it is signed already: sign an addendum, a correction or a withdrawal")
    if again and not why.strip():
        against.append("a signature after the first one needs a reason")
    if not again and kind != "final":
        against.append("it has not been signed yet")
    if against:
        raise UsageError("sign_blocked", "\n".join(["", *(f"  {line}" for line in against)]))
    statement = STATEMENT if kind != "withdrawal" else "I withdraw the signed result of this biopsy."
    return store.sign(
        target, signed_content(entry, interpretation, comment), kind=kind, name=name.strip(),
        statement=f"{statement} {why.strip()}".strip(), protocol_hash=entry.protocol_hash, base_seq=head,
    )  # fmt: skip
