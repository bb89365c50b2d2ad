"""Is a study what it was? Every entry of the log, every sign-off, every protocol and norm, every image."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ienfd.correction.commands import Command
from ienfd.io.content import file_sha256
from ienfd.protocol import canonical_json
from ienfd.study import log
from ienfd.study.models import EditRow, FileRow, InfoRow, ProtocolRow
from ienfd.study.norms import altered_norms
from ienfd.study.signing import SignOff, content_hash, load_sign_offs

__all__ = ["Problem", "check_images", "check_store"]


@dataclass(frozen=True)
class Problem:
    """What is wrong, and with which row or file."""

    where: str
    text: str


def check_store(session: Session) -> list[Problem]:
    """Whatever in the store is not what was written.

    Parameters
    ----------
    session : Session
        A reading transaction: one state of the study.
    """
    rows = list(session.scalars(select(EditRow).order_by(EditRow.seq)))
    signed = load_sign_offs(session)
    study = session.get(InfoRow, "study_id")
    start = log.chain_start(study.value if study else "")
    return [
        *_chain(rows, start),
        *_tail(rows, log.read_head(session)),
        *_sign_offs(signed, rows, start),
        *_unknown_signatures(signed, rows),
        *_protocols(session),
        *_norms(session),
    ]


def _chain(rows: Sequence[EditRow], start: str) -> Iterator[Problem]:
    """Entries that are altered, missing or in another order."""
    expected_seq, previous = 1, start
    for row in rows:
        where = f"edit {row.seq}"
        if row.seq > expected_seq:
            gone = (
                f"edit {expected_seq}"
                if row.seq == expected_seq + 1
                else f"edits {expected_seq} to {row.seq - 1}"
            )
            yield Problem(gone, "is missing from the log")
        elif row.prev_hash != previous:
            yield Problem(where, "does not follow on the entry before it: one of them was altered or moved")
        if log.entry_hash(row) != row.hash:
            yield Problem(where, f"was altered after it was written ({row.command} by {row.who}, {row.at})")
        expected_seq, previous = row.seq + 1, row.hash


def _tail(rows: Sequence[EditRow], head: log.Head) -> Iterator[Problem]:
    last = rows[-1].seq if rows else 0
    if last < head.seq:
        yield Problem(f"edit {head.seq}", f"is missing from the end of the log, which stops at {last}")
    elif last > head.seq:
        yield Problem(f"edit {last}", f"was not written by ienfd: its log ended at {head.seq}")
    elif rows and rows[-1].hash != head.hash:
        yield Problem(f"edit {last}", "is not the entry that ienfd wrote last")


def _sign_offs(signed: Sequence[SignOff], rows: Sequence[EditRow], start: str) -> Iterator[Problem]:
    hashes = {0: start, **{row.seq: row.hash for row in rows}}
    entries = {row.object_id: row for row in rows if row.command == Command.SIGN}
    for one in signed:
        where = f"sign-off {one.sign_off_id} ({one.case_id}, {one.biopsy_id}, by {one.name})"
        if content_hash(one.content) != one.content_hash:
            yield Problem(where, "what was signed was altered")
        if hashes.get(one.edit_seq) != one.edit_hash:
            yield Problem(where, f"the log up to edit {one.edit_seq} is not the one that was signed")
        entry = entries.get(one.sign_off_id)
        if entry is None:
            yield Problem(where, "no entry of the log speaks of it")
        elif _said(entry) != _signed(one):
            yield Problem(where, f"edit {entry.seq} speaks of another signature")


def _said(entry: EditRow) -> dict[str, Any]:
    """What an entry of the log says of a signature."""
    after = json.loads(entry.after or "{}")
    told = {name: after.get(name) for name in ("kind", "content_hash", "protocol_hash", "supersedes")}
    return {
        **told, "who": entry.who, "account": entry.account, "at": entry.at, "why": entry.why,
        "biopsy": (entry.case_id, entry.biopsy_id), "before": (entry.seq - 1, entry.prev_hash),
    }  # fmt: skip


def _signed(one: SignOff) -> dict[str, Any]:
    """The same as the signature itself has it."""
    return {
        "kind": one.kind, "content_hash": one.content_hash, "protocol_hash": one.protocol_hash,
        "supersedes": one.supersedes, "who": one.name, "account": one.account, "at": one.at,
        "why": one.statement, "biopsy": (one.case_id, one.biopsy_id),
        "before": (one.edit_seq, one.edit_hash),
    }  # fmt: skip


def _unknown_signatures(signed: Sequence[SignOff], rows: Sequence[EditRow]) -> Iterator[Problem]:
    known = {one.sign_off_id for one in signed}
    for row in rows:
        if row.command == Command.SIGN and row.object_id not in known:
            yield Problem(f"sign-off {row.object_id}", f"is missing; edit {row.seq} speaks of it")


def _protocols(session: Session) -> Iterator[Problem]:
    for row in session.scalars(select(ProtocolRow).order_by(ProtocolRow.protocol_hash)):
        try:
            values = json.loads(row.content)
            del values["id"]
            intact = hashlib.sha256(canonical_json(values).encode()).hexdigest() == row.protocol_hash
        except (ValueError, KeyError, TypeError):
            intact = False
        if not intact:
            yield Problem(f"protocol {row.protocol_id}", "was altered after it was used")


def _norms(session: Session) -> Iterator[Problem]:
    for norm_id in altered_norms(session):
        yield Problem(f"norm {norm_id}", "was altered after it was used")


def check_images(session: Session) -> Iterator[Problem | None]:
    """For every file in the study: what is wrong with it, or None."""
    files = session.execute(
        select(FileRow.root, FileRow.path, FileRow.sha256)
        .where(FileRow.present, FileRow.sha256.is_not(None))
        .order_by(FileRow.path, FileRow.root)
    ).all()
    for root, path, sha256 in files:
        yield _image(Path(root, path), str(sha256))


def _image(file: Path, sha256: str) -> Problem | None:
    try:
        found = file_sha256(file)
    except FileNotFoundError:
        return Problem(str(file), "is no longer there")
    except OSError as error:
        return Problem(str(file), f"cannot be read: {error.strerror or error}")
    return None if found == sha256 else Problem(str(file), "is not the file that was analyzed")
