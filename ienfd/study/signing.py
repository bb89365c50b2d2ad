"""Sign-offs: what was signed, by whom, on which state of the log.

A sign-off keeps everything that was signed, and the number and hash of the last entry of the log at
that moment. An entry of the log in turn says who signed what, under which analyses and rules, so that
neither can be altered without the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from ienfd.correction.commands import Command, Edit
from ienfd.errors import ConflictError
from ienfd.protocol import canonical_json
from ienfd.study import log
from ienfd.study.log import Target
from ienfd.study.models import EditRow, FileRow, PlacementRow, RunRow, SignOffRow

__all__ = [
    "SignOff",
    "SignOffKind",
    "SignedKey",
    "SignedSection",
    "content_hash",
    "is_signed",
    "load_sign_offs",
    "sign",
    "signed_sections",
]

SignOffKind = Literal["final", "addendum", "correction", "withdrawal"]


@dataclass(frozen=True)
class SignOff:
    """One signature of one biopsy; see `ienfd.study.models.SignOffRow`."""

    sign_off_id: str
    case_id: str
    biopsy_id: str
    kind: str
    at: str
    name: str
    account: str
    statement: str
    supersedes: str | None
    protocol_hash: str
    content: str
    content_hash: str
    edit_seq: int
    edit_hash: str


def content_hash(content: str) -> str:
    """Hash of what is signed."""
    return hashlib.sha256(content.encode()).hexdigest()


def sign(
    session: Session,
    target: Target,
    content: Mapping[str, Any],
    *,
    kind: SignOffKind,
    name: str,
    account: str,
    statement: str,
    protocol_hash: str,
    base_seq: int,
) -> SignOff:
    """Sign a biopsy; an earlier signature of it is superseded.

    `base_seq` is the head of the log that the content was gathered at.

    Raises
    ------
    ConflictError
        If the biopsy, or one of its sections, was changed after that.
    """
    present = _present_sections(session, target)
    later = log.since(session, target, [section for section, *_ in present], base_seq)
    if later:
        raise ConflictError(later)
    head = log.read_head(session)
    text = canonical_json(content)
    earlier = load_sign_offs(session, target)
    row_id = str(uuid4())
    after = {
        "sign_off_id": row_id,
        "kind": kind,
        "content_hash": content_hash(text),
        "protocol_hash": protocol_hash,
        "supersedes": earlier[-1].sign_off_id if earlier else None,
        "sections": [[section, analysis, rules] for section, analysis, rules in present if analysis],
    }
    (entry,) = log.append(
        session, [Edit(Command.SIGN, row_id, None, after, statement)], target,
        who=name, account=account, base_seq=head.seq,
    )  # fmt: skip
    row = SignOffRow(
        sign_off_id=row_id,
        case_id=target.case_id,
        biopsy_id=target.biopsy_id,
        kind=kind,
        at=entry.at,
        name=name,
        account=account,
        statement=statement,
        supersedes=earlier[-1].sign_off_id if earlier else None,
        protocol_hash=protocol_hash,
        content=text,
        content_hash=content_hash(text),
        edit_seq=head.seq,
        edit_hash=head.hash,
    )
    session.add(row)
    session.flush()
    return _sign_off(row)


def _present_sections(session: Session, target: Target) -> list[tuple[str, str | None, str]]:
    """Section, analysis and rules of every file of a biopsy; controls are none of it."""
    query = (
        select(PlacementRow, RunRow.rules_key)
        .join(RunRow, RunRow.run_id == PlacementRow.run_id)
        .join(FileRow, FileRow.file_id == PlacementRow.file_id)
        .where(
            FileRow.present,
            PlacementRow.case_id == target.case_id,
            PlacementRow.biopsy_id == target.biopsy_id,
            PlacementRow.section_id.is_not(None),
        )
        .order_by(PlacementRow.section_id)
    )
    return [
        (str(row.section_id), row.analysis_id, rules)
        for row, rules in session.execute(query)
        if not row.case.get("control")
    ]


def load_sign_offs(session: Session, target: Target | None = None) -> list[SignOff]:
    """All sign-offs, or those of one biopsy, in the order of their signing."""
    query = select(SignOffRow).order_by(SignOffRow.edit_seq)
    if target is not None:
        query = query.where(SignOffRow.case_id == target.case_id, SignOffRow.biopsy_id == target.biopsy_id)
    return [_sign_off(row) for row in session.scalars(query)]


def is_signed(session: Session, target: Target) -> bool:
    """Whether a biopsy, or one that a section belongs to, is signed, and that was not withdrawn."""
    biopsies = [(target.case_id, target.biopsy_id)]
    if target.section_id is not None:
        places = select(PlacementRow.case_id, PlacementRow.biopsy_id).where(
            PlacementRow.section_id == target.section_id
        )
        biopsies = [(case_id, biopsy_id) for case_id, biopsy_id in session.execute(places)]
    return any(_last_kind(session, *biopsy) not in (None, "withdrawal") for biopsy in biopsies)


def _last_kind(session: Session, case_id: str | None, biopsy_id: str | None) -> str | None:
    query = (
        select(SignOffRow.kind)
        .where(SignOffRow.case_id == case_id, SignOffRow.biopsy_id == biopsy_id)
        .order_by(SignOffRow.edit_seq.desc())
        .limit(1)
    )
    return session.scalar(query)


@dataclass(frozen=True)
class SignedSection:
    """A section as it was signed: under which analysis and counting rules."""

    analysis_id: str
    rules_key: str


SignedKey = tuple[str, str, str]
"""Case, biopsy and section."""


def signed_sections(session: Session) -> dict[SignedKey, SignedSection]:
    """Every section of a biopsy whose last signature is not a withdrawal, as it was signed."""
    last = {(s.case_id, s.biopsy_id): s for s in load_sign_offs(session)}
    held = {s.sign_off_id: s for s in last.values() if s.kind != "withdrawal"}
    found: dict[SignedKey, SignedSection] = {}
    if not held:
        return found
    for row in session.scalars(select(EditRow).where(EditRow.command == Command.SIGN.value)):
        one = held.get(row.object_id or "")
        if one is not None:
            for section, analysis, rules in json.loads(row.after or "{}")["sections"]:
                found[one.case_id, one.biopsy_id, section] = SignedSection(analysis, rules)
    return found


def _sign_off(row: SignOffRow) -> SignOff:
    return SignOff(**{c.name: getattr(row, c.name) for c in SignOffRow.__table__.columns})
