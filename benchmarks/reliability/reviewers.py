"""Two people who correct one study at once, each in a process of their own."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.reliability.studies import fill, of_biopsy
from ienfd.correction.commands import note
from ienfd.errors import ConflictError
from ienfd.study.log import Target
from ienfd.study.store import Store
from ienfd.study.verify import check_store

__all__ = ["Reviewed", "review_at_once"]


@dataclass(frozen=True)
class Reviewed:
    """What became of edits that two people made at once.

    Parameters
    ----------
    acknowledged, rejected : int
        Edits that were said to be written, and those that were said to be in conflict.
    lost : int
        Acknowledged edits that are not in the log.
    invented : int
        Edits in the log that nobody was told of.
    problems : int
        What `ienfd verify` finds.
    slowest_s, mean_s : float
        How long an edit took.
    """

    acknowledged: int
    rejected: int
    lost: int
    invented: int
    problems: int
    slowest_s: float
    mean_s: float


def review_at_once(folder: Path, edits: int, *, same_section: bool) -> Reviewed:
    """Let two people make so many edits each, on one section or on two.

    `folder` may hold a `study.toml` that names a server.
    """
    files = [of_biopsy("a.tif"), of_biopsy("b.tif")]
    with Store(folder, create=True) as store:
        fill(store, files)
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    people = [
        context.Process(
            target=_person,
            args=(folder, files[0 if same_section else n].section_id, f"Reader {n}", edits, answers),
        )
        for n in range(2)
    ]
    for person in people:
        person.start()
    told: list[tuple[str, bool, float]] = [entry for _ in people for entry in answers.get()]
    for person in people:
        person.join()
    with Store(folder) as store, store.reading() as session:
        written = {(entry.edit.after or {})["text"] for entry in store.edits()}
        problems = len(check_store(session))
    accepted = {text for text, accepted, _ in told if accepted}
    seconds = [took for *_, took in told]
    return Reviewed(
        acknowledged=len(accepted),
        rejected=len(told) - len(accepted),
        lost=len(accepted - written),
        invented=len(written - accepted),
        problems=problems,
        slowest_s=round(max(seconds), 3),
        mean_s=round(sum(seconds) / len(seconds), 4),
    )


def _person(folder: Path, section_id: str, name: str, edits: int, answers: Any) -> None:
    told = []
    target, seen = Target(section_id=section_id), 0
    with Store(folder) as store:
        for number in range(edits):
            text = f"{name}: {number}"
            begin = time.perf_counter()
            try:
                (entry,) = store.append([note(text)], target, who=name, base_seq=seen)
            except ConflictError as error:
                accepted, seen = False, error.since[-1].seq
            else:
                accepted, seen = True, entry.seq
            told.append((text, accepted, time.perf_counter() - begin))
    answers.put(told)
