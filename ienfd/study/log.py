"""The log of edits: append-only, one hash chain per study, serialized.

An entry's hash is taken over the hash of the entry before and everything the entry says. The first
entry follows on the id of the study. The number and hash of the last entry are kept beside the log,
so that one that is cut short is found, too; every sign-off keeps them as they were.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from ienfd.correction.commands import BLIND, HARMLESS, Command, Edit, LoggedEdit, first_done, of_reading
from ienfd.errors import ConflictError, UsageError
from ienfd.protocol import canonical_json
from ienfd.study.models import EditRow, InfoRow

__all__ = [
    "Head",
    "Target",
    "append",
    "chain_start",
    "entry_hash",
    "load_edits",
    "load_edits_of_case",
    "read_head",
    "since",
]

_HEAD = "edit_head"


@dataclass(frozen=True)
class Target:
    """What an edit is about: a section under an analysis, or a biopsy.

    Parameters
    ----------
    case_id, biopsy_id : str or None
        The biopsy.
    section_id, analysis_id : str or None
        The section, and the analysis that the person saw; None when the whole biopsy is meant.
    """

    case_id: str | None = None
    biopsy_id: str | None = None
    section_id: str | None = None
    analysis_id: str | None = None


@dataclass(frozen=True)
class Head:
    """The last entry of a log; 0 and the start of the chain when there is none."""

    seq: int
    hash: str


def chain_start(study_id: str) -> str:
    """What the first entry follows on."""
    return hashlib.sha256(study_id.encode()).hexdigest()


def entry_hash(row: EditRow) -> str:
    """Hash of everything that an entry says, and of the entry before."""
    said = {c.name: getattr(row, c.name) for c in EditRow.__table__.columns if c.name != "hash"}
    return hashlib.sha256(canonical_json(said).encode()).hexdigest()


def read_head(session: Session) -> Head:
    """The last entry, as kept beside the log."""
    kept = session.get(InfoRow, _HEAD)
    if kept is not None:
        seq, _, hash_ = kept.value.partition(" ")
        return Head(int(seq), hash_)
    study_id = session.get(InfoRow, "study_id")
    return Head(0, chain_start(study_id.value if study_id else ""))


def append(
    session: Session,
    edits: Sequence[Edit],
    target: Target,
    *,
    who: str,
    account: str,
    base_seq: int,
) -> list[LoggedEdit]:
    """Append entries about one section, or one biopsy; either all of them or none.

    Parameters
    ----------
    session : Session
        A writing transaction, which holds the writer's lock of the study.
    edits : sequence of Edit
        What is done, in order.
    target : Target
        To what.
    who, account : str
        By whom.
    base_seq : int
        The last entry about this target that the person has seen; 0 for none.

    Raises
    ------
    ConflictError
        If there are later ones; they are part of the error.
    UsageError
        If an entry that is to be taken back is not there, is about something else, or has been taken
        back already.
    """
    later = _about(session, target, base_seq)
    if later and (standing_in_the_way := _in_the_way(session, target, edits, who, later)):
        raise ConflictError(standing_in_the_way)
    head = read_head(session)
    logged = []
    for edit in edits:
        _check_undo(session, edit, target)
        row = EditRow(
            seq=head.seq + 1,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            who=who,
            account=account,
            command=edit.command.value,
            case_id=target.case_id,
            biopsy_id=target.biopsy_id,
            section_id=target.section_id,
            analysis_id=target.analysis_id,
            object_id=edit.object_id,
            base_seq=base_seq,
            undoes=edit.undoes,
            before=_text(edit.before),
            after=_text(edit.after),
            why=edit.why,
            prev_hash=head.hash,
        )
        row.hash = entry_hash(row)
        session.add(row)
        session.flush()
        head, base_seq = Head(row.seq, row.hash), row.seq
        logged.append(_logged(row))
    _keep(session, head)
    return logged


def load_edits(session: Session, target: Target | None = None) -> list[LoggedEdit]:
    """All entries, or those about one section or biopsy, in order."""
    query = select(EditRow).order_by(EditRow.seq)
    if target is not None:
        query = query.where(*_is_about(target))
    return [_logged(row) for row in session.scalars(query)]


def load_edits_of_case(session: Session, case_id: str, sections: Sequence[str]) -> list[LoggedEdit]:
    """All entries about these sections, or about the biopsies of a case, in order."""
    of_biopsies = and_(EditRow.section_id.is_(None), EditRow.case_id == case_id)
    query = select(EditRow).where(or_(EditRow.section_id.in_(sections), of_biopsies)).order_by(EditRow.seq)
    return [_logged(row) for row in session.scalars(query)]


def _is_about(target: Target) -> list[Any]:
    if target.section_id is not None:
        return [EditRow.section_id == target.section_id]
    return [
        EditRow.section_id.is_(None),
        EditRow.case_id == target.case_id,
        EditRow.biopsy_id == target.biopsy_id,
    ]


def _about(session: Session, target: Target, after_seq: int) -> list[LoggedEdit]:
    query = select(EditRow).where(*_is_about(target), EditRow.seq > after_seq).order_by(EditRow.seq)
    return [_logged(row) for row in session.scalars(query)]


def _in_the_way(
    session: Session, target: Target, edits: Sequence[Edit], who: str, later: Sequence[LoggedEdit]
) -> list[LoggedEdit]:
    """Later entries that a person must have seen before these edits.

    A blind reading and the review that all see do not concern each other; remarks and comparisons
    change nothing.
    """
    if target.section_id is None:
        return list(later)
    every = load_edits(session, target)
    by_seq = {entry.seq: entry for entry in every}
    begun = [by_seq[edit.undoes] for edit in edits if edit.undoes in by_seq]
    commands = {edit.command for edit in edits} | {first_done(one, by_seq).edit.command for one in begun}
    same_reading = of_reading(every, who if commands & BLIND else None)
    seqs = {entry.seq for entry in same_reading}
    return [e for e in later if e.seq in seqs and e.edit.command not in HARMLESS]


def since(session: Session, target: Target, sections: Sequence[str], after_seq: int) -> list[LoggedEdit]:
    """Later entries about a biopsy or any of its sections, in order."""
    query = (
        select(EditRow)
        .where(or_(and_(*_is_about(target)), EditRow.section_id.in_(sections)), EditRow.seq > after_seq)
        .order_by(EditRow.seq)
    )
    return [_logged(row) for row in session.scalars(query)]


def _check_undo(session: Session, edit: Edit, target: Target) -> None:
    if edit.undoes is None:
        return
    row = session.get(EditRow, edit.undoes)
    same = row is not None and row.section_id == target.section_id
    if row is not None and target.section_id is None:
        same = (row.section_id, row.case_id, row.biopsy_id) == (None, target.case_id, target.biopsy_id)
    if row is None or not same:
        raise UsageError("edit_invalid", f"entry {edit.undoes} is not about this")
    is_undo = row.command == Command.UNDO
    if row.command == Command.SIGN or is_undo != (edit.command is Command.REDO):
        raise UsageError("edit_invalid", f"{edit.command} of a {row.command}")
    if session.scalar(select(EditRow.seq).where(EditRow.undoes == edit.undoes)) is not None:
        raise UsageError("edit_invalid", f"entry {edit.undoes} has been taken back already")


def _keep(session: Session, head: Head) -> None:
    session.merge(InfoRow(key=_HEAD, value=f"{head.seq} {head.hash}"))


def _text(values: Any) -> str | None:
    return None if values is None else canonical_json(values)


def _logged(row: EditRow) -> LoggedEdit:
    edit = Edit(
        Command(row.command), row.object_id, _values(row.before), _values(row.after), row.why, row.undoes
    )
    return LoggedEdit(
        seq=row.seq,
        edit=edit,
        at=row.at,
        who=row.who,
        account=row.account,
        case_id=row.case_id,
        biopsy_id=row.biopsy_id,
        section_id=row.section_id,
        analysis_id=row.analysis_id,
        base_seq=row.base_seq,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )


def _values(text_: str | None) -> dict[str, Any] | None:
    return None if text_ is None else dict(json.loads(text_))
