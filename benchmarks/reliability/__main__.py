"""Try to lose something: kills, damaged files, two people at once, ten thousand sections.

Writes reliability.json; exit status 1 when anything was lost or is out of bounds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.reliability.disk import can_mount, fill_disks
from benchmarks.reliability.fuzz import fuzz
from benchmarks.reliability.kills import kill_batches, make_images
from benchmarks.reliability.many import SECTIONS, make_study, time_commands
from benchmarks.reliability.postgresql import USER, new_database, running_server
from benchmarks.reliability.reviewer_kills import kill_reviewers
from benchmarks.reliability.reviewers import review_at_once
from benchmarks.reliability.scaling import scale
from ienfd.study.config import CONFIG_NAME

TRIALS = ("kills", "disk", "fuzz", "reviewers", "reviewer-kills", "many", "scaling")
_LEAST_GAIN = 1.6
_BOUNDS_S = {"status": 1.0, "case": 1.0, "tables": 5.0}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, or 1 when a trial went wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, studies and figures")
    parser.add_argument("--trials", nargs="+", choices=TRIALS, default=TRIALS)
    parser.add_argument("--small", action="store_true", help="each in a fiftieth of its length")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {}
    wrong: list[str] = []
    for trial in args.trials:
        print(f"{trial} ...", flush=True)
        room = args.out / trial
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        figures[trial], problems = _TRIALS[trial](room, args.out, args.small)
        print(json.dumps(figures[trial], indent=1))
        wrong += [f"{trial}: {problem}" for problem in problems]
    text = json.dumps({"small": args.small, **figures}, indent=1) + "\n"
    (args.out / "reliability.json").write_text(text, encoding="utf-8", newline="\n")
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


def _kills(room: Path, out: Path, small: bool) -> tuple[Any, list[str]]:
    images = out / ("few-images" if small else "images")
    make_images(images, 2 if small else 12)
    found = asdict(kill_batches(images, room, 2 if small else 100))
    return found, [
        f"{name}: {found[name]}" for name in ("different", "analyzed_twice", "failed") if found[name]
    ]


def _disk(room: Path, out: Path, small: bool) -> tuple[Any, list[str]]:
    if not can_mount():
        return {"tried": False, "why": "small disks need Linux and root"}, []
    images = out / ("few-images" if small else "images")
    make_images(images, 2 if small else 12)
    sizes = [300] if small else [100, 300, 600, 700, 1000, 1500, 2000, 5000, 12_000, 20_000, 28_000]
    found = asdict(fill_disks(images, room, sizes))
    return found, [f"{name}: {found[name]}" for name in ("unclear", "broken") if found[name]]


def _fuzz(room: Path, out: Path, small: bool) -> tuple[Any, list[str]]:
    found = fuzz(100 if small else 5000)
    return asdict(found), [*found.crashed, *found.silent]


def _reviewers(room: Path, out: Path, small: bool) -> tuple[Any, list[str]]:
    edits = 10 if small else 500
    figures: dict[str, Any] = {}
    with running_server() as address:
        for database in ("sqlite", "postgresql"):
            for same in (False, True):
                name = f"{database}, {'one section' if same else 'two sections'}"
                folder = _study_on(database, address, room / name.replace(", ", "-").replace(" ", "-"))
                figures[name] = asdict(review_at_once(folder, edits, same_section=same))
    return figures, _not_zero(figures, "lost", "invented", "problems")


def _reviewer_kills(room: Path, out: Path, small: bool) -> tuple[Any, list[str]]:
    figures: dict[str, Any] = {}
    with running_server() as address:
        for database, kills in (("sqlite", 100), ("postgresql", 50)):
            folder = _study_on(database, address, room / database)
            figures[database] = asdict(kill_reviewers(folder, 2 if small else kills))
    return figures, _not_zero(figures, "lost", "invented", "stuck", "problems")


def _study_on(database: str, address: str, folder: Path) -> Path:
    """A new folder for a study, on the server at this address or in a file."""
    folder.mkdir()
    if database == "postgresql":
        os.environ["IENFD_DATABASE_USER"] = USER
        url = new_database(address)
        (folder / CONFIG_NAME).write_text(f'database = "{url}"\n', encoding="utf-8")
    return folder


def _not_zero(figures: dict[str, Any], *names: str) -> list[str]:
    return [
        f"{name}: {what} {values[what]}" for name, values in figures.items() for what in names if values[what]
    ]


def _many(room: Path, out: Path, small: bool) -> tuple[Any, list[str]]:
    sections = SECTIONS // 50 if small else SECTIONS
    each = make_study(room / "study", sections)
    seconds = time_commands(room / "study")
    figures = {"sections": sections, "store_s_per_section": round(each, 4), **seconds}
    late = [f"{name} took {seconds[name]} s" for name, bound in _BOUNDS_S.items() if seconds[name] > bound]
    return figures, late


def _scaling(room: Path, out: Path, small: bool) -> tuple[Any, list[str]]:
    images = out / ("few-images" if small else "many-images")
    make_images(images, 2 if small else 40)
    found = scale(images, room)
    slow = not small and found.gain < _LEAST_GAIN
    return asdict(found), [f"two workers are only {found.gain} times as fast"] if slow else []


_TRIALS = {
    "kills": _kills,
    "disk": _disk,
    "fuzz": _fuzz,
    "reviewers": _reviewers,
    "reviewer-kills": _reviewer_kills,
    "many": _many,
    "scaling": _scaling,
}


if __name__ == "__main__":
    sys.exit(main())
