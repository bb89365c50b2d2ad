"""A reviewer who is killed in the middle of edits, again and again."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.reliability.studies import fill, of_biopsy
from ienfd.correction.commands import (
    Edit,
    LoggedEdit,
    add_crossing,
    move_crossing,
    note,
    redo,
    redoable,
    remove_crossing,
    undo,
    undoable,
)
from ienfd.result import Crossing
from ienfd.study.log import Target, load_edits
from ienfd.study.store import Store
from ienfd.study.verify import check_store

__all__ = ["CutShort", "kill_reviewers"]

_FILE = of_biopsy("a.tif")
_TARGET = Target(section_id=_FILE.section_id)
_MOST_EDITS = 8  # of one reviewer before the one that is killed

Report = tuple[int, str] | None  # number and hash of an edit that is written; None: one begins


@dataclass(frozen=True)
class CutShort:
    """What became of the edits of reviewers who were killed.

    Parameters
    ----------
    kills, in_hand, kept : int
        How many there were, how many of them hit a reviewer whose edit was not yet acknowledged, and how
        many of these edits are in the log all the same.
    acknowledged : int
        Edits that were said to be written.
    lost : int
        Entries that were acknowledged, or in the log before, and are not there with their hash.
    invented : int
        Entries that nobody was told of, the edit in hand aside.
    stuck : int
        Reviewers who could not go on where the one before them was killed.
    problems : int
        What `ienfd verify` finds after each kill.
    """

    kills: int
    in_hand: int
    kept: int
    acknowledged: int
    lost: int
    invented: int
    stuck: int
    problems: int


def kill_reviewers(folder: Path, kills: int, seed: int = 0) -> CutShort:
    """Kill so many reviewers of one section, and look at the log after each of them.

    `folder` may hold a `study.toml` that names a server.
    """
    chance = random.Random(seed)
    with Store(folder, create=True) as store:
        fill(store, [_FILE])
    known: dict[int, str] = {}
    in_hand = kept = acknowledged = lost = invented = stuck = problems = 0
    for number in range(kills):
        reports, hit = _kill_one(folder, chance)
        told = dict(report for report in reports if report)
        begun = int(bool(reports) and reports[-1] is None)
        with Store(folder) as store:
            with store.writing() as session:  # a server may still be at what the dead one asked for
                log = {entry.seq: entry.hash for entry in load_edits(session)}
                problems += len(check_store(session))
            known |= told
            untold = len(log.items() - known.items())
            in_hand += begun
            kept += min(untold, begun)
            acknowledged += len(told)
            lost += len(known.items() - log.items())
            invented += max(untold - begun, 0)
            stuck += not hit
            (entry,) = store.append([note(f"{number}")], _TARGET, who="Next", base_seq=max(log, default=0))
        known = {**log, entry.seq: entry.hash}
    return CutShort(kills - stuck, in_hand, kept, acknowledged, lost, invented, stuck, problems)


def _kill_one(folder: Path, chance: random.Random) -> tuple[list[Report], bool]:
    """What a reviewer reported before the kill; and False when the reviewer had given up before.

    The moment is drawn from the time that the last edit took, counted from the begin of the next one.
    """
    context = multiprocessing.get_context("spawn")
    listen, speak = context.Pipe(duplex=False)
    person = context.Process(target=_person, args=(folder, chance.random(), speak))
    person.start()
    speak.close()
    reports: list[Report] = []
    hit, begin, took = True, 0.0, 0.0
    try:
        for _ in range(2 * chance.randint(1, _MOST_EDITS) + 1):
            reports.append(listen.recv())
            if reports[-1] is None:
                begin, took = time.perf_counter(), time.perf_counter() - begin
        time.sleep(chance.uniform(0, took))
    except EOFError:
        hit = False
    person.kill()
    person.join()
    with suppress(EOFError):
        while True:
            reports.append(listen.recv())
    listen.close()
    return reports, hit


def _person(folder: Path, seed: float, speak: Connection) -> None:
    """Correct the section without end."""
    chance = random.Random(seed)
    with Store(folder) as store:
        (row,) = store.placements()
        (result,) = store.results([row.analysis_id or ""], row.rules_key).values()
        entries = store.edits(_TARGET)
        while True:
            edit = _draw(entries, result.crossings, chance)
            speak.send(None)
            seen = entries[-1].seq if entries else 0
            entries += store.append([edit], _TARGET, who="Reader", base_seq=seen)
            speak.send((entries[-1].seq, entries[-1].hash))


def _draw(entries: Sequence[LoggedEdit], crossings: Sequence[Crossing], chance: random.Random) -> Edit:
    place, crossing = (chance.uniform(0, 400), chance.uniform(0, 400)), chance.choice(crossings)
    edits = [add_crossing(*place), remove_crossing(crossing), move_crossing(crossing, *place)]
    done, undone = undoable(entries), redoable(entries)
    edits += [undo(done)] if done else []
    edits += [redo(undone)] if undone else []
    return chance.choice(edits)
