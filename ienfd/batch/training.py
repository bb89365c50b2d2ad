"""A protocol whose confidence is learned from the reviewed sections of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ienfd.batch.leaving import edits_by_section
from ienfd.correction.commands import Command, LoggedEdit
from ienfd.correction.correct import correct
from ienfd.errors import UsageError
from ienfd.learning.confidence import LEAST_EACH, LEAST_GROUPS, Learned, learned
from ienfd.learning.decisions import Decisions, decisions_of, together
from ienfd.protocol import Protocol
from ienfd.protocol_file import write_protocol
from ienfd.report.content import gather
from ienfd.study.records import Placement
from ienfd.study.store import Store

__all__ = ["Training", "train"]


@dataclass(frozen=True)
class Training:
    """What was learned from a study.

    Parameters
    ----------
    decisions : Decisions
        What people decided.
    learned : Learned
        The model, and what it is worth.
    protocol : Protocol
        With it.
    written : bool
        Whether it was written: only where it tells better than before what people decide.
    """

    decisions: Decisions
    learned: Learned
    protocol: Protocol
    written: bool


def train(store: Store, former: Protocol, out: Path) -> Training:
    """Learn from all reviewed sections of a study, and write the protocol if it is worth it.

    Parameters
    ----------
    store : Store
        The study.
    former : Protocol
        What the new one starts from, and is compared with.
    out : Path
        File to write, which must not be there.

    Raises
    ------
    UsageError
        If too little was reviewed, or the file is there.
    EnvironmentProblem
        If it cannot be written.
    """
    if out.exists():  # before anything is read
        raise UsageError("option_invalid", f"--out: {out} exists")
    decisions = together(_decisions(store))
    _check_enough(decisions)
    source = (
        f"{len(decisions)} candidates of {decisions.sections} reviewed sections, study {store.study_id()}"
    )
    rules = former.counting
    found = learned(decisions, rules.confidence, rules.min_confidence, source)
    protocol = replace(former, id=out.stem, counting=replace(rules, confidence=found.model))
    if found.is_better:
        write_protocol(out, protocol)
    return Training(decisions, found, protocol, found.is_better)


def _decisions(store: Store) -> list[Decisions]:
    """What people decided, one image after the other, however many rows show it."""
    content = gather(store)
    edits = edits_by_section(store)
    out: dict[str, Decisions | None] = {}
    for section in content.sections:
        place, key = section.placement, section.placement.section_id
        if key is None or key in out or section.status != "ok" or section.control:
            continue
        protocol = content.protocols[place.protocol_hash]
        out[key] = _about(store, place, protocol, edits.get(key, ()))
    return [one for one in out.values() if one is not None]


def _about(
    store: Store, place: Placement, protocol: Protocol, edits: Sequence[LoggedEdit]
) -> Decisions | None:
    """Decisions about one section, with every fiber of it: that is read only where there are any."""
    if place.analysis_id is None or not any(entry.edit.command is Command.REVIEW for entry in edits):
        return None
    findings = store.findings(place.analysis_id)
    stored = store.results([place.analysis_id], place.rules_key)[place.analysis_id]
    now = correct(replace(stored, findings=findings), edits, protocol, lambda: findings)
    return decisions_of(now, protocol.counting, place.case_id or str(place.section_id))


def _check_enough(decisions: Decisions) -> None:
    groups = len(set(decisions.group.tolist()))
    yes = int(decisions.counted.sum())
    no = len(decisions) - yes
    if groups < LEAST_GROUPS or min(yes, no) < LEAST_EACH:
        raise UsageError(
            "training_too_small",
            f"{decisions.sections} reviewed sections of {groups} patients, with {yes} candidates that people"
            f" count and {no} that they do not",
        )
