"""Calling a study by another norm: its present rows get a protocol that names it; nothing is counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

import ienfd
from ienfd.norms import Norm
from ienfd.protocol import Protocol, canonical_json, protocol_from_json
from ienfd.study.models import FileRow, PlacementRow, ProtocolRow, RunRow
from ienfd.study.signing import load_sign_offs

__all__ = ["Recalled", "calling_by", "recall"]

_OPTION = "recall"
"""In the options of a run that is none: which norm, and which run it follows on."""


@dataclass(frozen=True)
class Recalled:
    """What became of the rows of a study.

    Parameters
    ----------
    rows : int
        Rows that are called by the norm now, and were not before.
    pending : int
        Rows that await their analysis, and keep the protocol of their run.
    signed : tuple of (str, str)
        Case and biopsy of those that are signed, and keep what was signed.
    """

    rows: int = 0
    pending: int = 0
    signed: tuple[tuple[str, str], ...] = ()


def calling_by(protocol: Protocol, norm: Norm) -> Protocol:
    """A protocol that differs only in the norm for the stain of `norm`."""
    if norm.stain == "bright-field":
        return replace(protocol, call=replace(protocol.call, norm_bright_field=norm.id))
    return replace(protocol, call=replace(protocol.call, norm_fluorescence=norm.id))


def recall(session: Session, norm: Norm, now: str) -> Recalled:
    """Give all present rows the protocol that they have, with another norm.

    Every run that rows belong to gets a successor with the same counting rules, in the same order: it
    stands for the choices, and neither reads nor counts. Analyses and results are left alone.

    Parameters
    ----------
    session : Session
        A writing transaction.
    norm : Norm
        By which is called from now on; the study knows it.
    now : str
        The time, UTC in ISO 8601.
    """
    last = {(s.case_id, s.biopsy_id): s.kind for s in load_sign_offs(session)}
    signed = {key for key, kind in last.items() if kind != "withdrawal"}
    query = select(PlacementRow).join(FileRow, FileRow.file_id == PlacementRow.file_id).where(FileRow.present)
    every = list(session.scalars(query))
    kept = {(row.case_id, row.biopsy_id) for row in every} & signed
    pending = sum(row.status == "pending" for row in every)
    # a run may be at work on rows that await it: it would not know them again under another one
    rows = [row for row in every if (row.case_id, row.biopsy_id) not in kept and row.status != "pending"]
    runs = session.scalars(
        select(RunRow).where(RunRow.run_id.in_({row.run_id for row in rows})).order_by(RunRow.run_id)
    ).all()
    former = {run.run_id: _protocol(session, run.protocol_hash) for run in runs}
    protocols = {run_id: calling_by(protocol, norm) for run_id, protocol in former.items()}
    changed = {run_id for run_id, protocol in former.items() if protocols[run_id] != protocol}
    count = sum(row.run_id in changed for row in rows)
    if changed:
        followers = {run.run_id: _follower(session, run, protocols[run.run_id], norm, now) for run in runs}
        for row in rows:
            row.run_id = followers[row.run_id]
        session.flush()
    return Recalled(count, pending, tuple(sorted(kept)))


def _protocol(session: Session, protocol_hash: str) -> Protocol:
    return protocol_from_json(session.get_one(ProtocolRow, protocol_hash).content)


def _follower(session: Session, run: RunRow, protocol: Protocol, norm: Norm, now: str) -> int:
    """A run like this one under another protocol; returns its id."""
    named = str(run.options.get(_OPTION, {}).get("protocol_id") or run.protocol_id)
    stored = session.get(ProtocolRow, protocol.hash)
    if stored is None:
        protocol = replace(protocol, id=f"{named}+{norm.id}")
        stored = ProtocolRow(
            protocol_hash=protocol.hash, protocol_id=protocol.id, content=canonical_json(asdict(protocol))
        )
        session.add(stored)
        session.flush()
    follower = RunRow(
        started_at=now,
        ended_at=now,
        state="finished",
        root=run.root,
        protocol_hash=stored.protocol_hash,
        protocol_id=stored.protocol_id,
        rules_key=run.rules_key,
        algorithm_version=run.algorithm_version,
        software_version=ienfd.__version__,
        options={
            _OPTION: {
                "norm_id": norm.id, "norm_sha256": norm.sha256, "of_run": run.run_id, "protocol_id": named,
            }
        },
    )  # fmt: skip
    session.add(follower)
    session.flush()
    return follower.run_id
