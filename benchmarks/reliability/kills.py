"""A batch that is killed again and again must end as one that nobody disturbed."""

from __future__ import annotations

import csv
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil
from sqlalchemy import select

from ienfd.phantom import make, random_spec, write
from ienfd.study.models import OutcomeRow
from ienfd.study.store import Store

__all__ = ["Killed", "kill_batches", "make_images", "study_state"]

_TABLES = ("sections.csv", "crossings.csv", "biopsies.csv", "course.csv", "data_dictionary.csv")
_LONGEST_S = 9.0


@dataclass(frozen=True)
class Killed:
    """What became of batches that were killed.

    Parameters
    ----------
    kills, of_workers : int
        How many there were, and how many of them hit a worker rather than the program.
    studies : int
        Batches that were carried to their end in spite of them.
    different : int
        Of these, those whose tables or overlays are not those of an undisturbed run, to the byte.
    analyzed_twice : int
        Sections that were finished and analyzed again.
    failed : int
        Sections that were given up, which no kill may cause.
    """

    kills: int
    of_workers: int
    studies: int
    different: int
    analyzed_twice: int
    failed: int


def make_images(folder: Path, count: int, first_seed: int = 7000) -> None:
    """Small phantoms with a case table, that take some seconds each."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [("file", "case_id", "age_years", "sex", "site", "section_um", "planes")]
    for number in range(count):
        stain = ("bright-field", "fluorescence")[number % 2]
        spec = random_spec(np.random.default_rng([3, first_seed + number]), stain)  # type: ignore[arg-type]
        small = replace(spec, length_mm=0.6, pixel_size_um=0.5, pieces=1, planes="projection")
        name = f"{number:02d}"
        if not (folder / f"{name}.ome.tif").exists():
            write(make(small, first_seed + number), folder, name, "ome-tiff")
        rows.append((f"{name}.ome.tif", f"K{number // 3}", "50", "F", "distal_leg", "50", "projection"))
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def kill_batches(images: Path, room: Path, kills: int, seed: int = 0) -> Killed:
    """Kill batches of `images` until so many kills have hit; every second one hits a worker."""
    chance = random.Random(seed)
    undisturbed = room / "undisturbed"
    _start(images, undisturbed).wait()
    wanted = study_state(undisturbed)
    hits = of_workers = studies = different = twice = failed = 0
    while hits < kills:
        study = room / f"killed-{studies}"
        shutil.rmtree(study, ignore_errors=True)
        while True:
            batch = _start(images, study)
            hit = hits < kills and _strike(batch, chance, worker=hits % 2 == 1)
            hits += hit
            of_workers += hit and hits % 2 == 0
            if batch.wait() in (0, 3) and not hit:
                break
        studies += 1
        different += study_state(study) != wanted
        done = _endings(study)
        twice += sum(count - 1 for count in done.values())
        failed += _failed(study)
    return Killed(hits, of_workers, studies, different, twice, failed)


def _start(images: Path, study: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ienfd", "run", str(images), "--out", str(study)]
    return subprocess.Popen([*command, "--workers", "2", "--progress", "none"], stdout=subprocess.DEVNULL)


def _strike(batch: subprocess.Popen[bytes], chance: random.Random, *, worker: bool) -> bool:
    """Kill a batch, or one of its workers, after a random time; False when it had ended before."""
    with suppress(subprocess.TimeoutExpired):
        batch.wait(chance.uniform(0.2, _LONGEST_S))
        return False
    if not worker:
        children = psutil.Process(batch.pid).children(recursive=True)
        batch.kill()
        batch.wait()
        psutil.wait_procs(children, timeout=30)
        return True
    with suppress(psutil.Error):
        team = psutil.Process(batch.pid).children(recursive=True)
        if team:
            chance.choice(team).kill()
            time.sleep(0.1)
            return True
    return False


def study_state(study: Path) -> dict[str, bytes]:
    """The bytes of all tables and overlays of a study, by name."""
    files = [study / name for name in _TABLES] + sorted((study / "overlays").glob("*.png"))
    return {file.name: file.read_bytes() for file in files if file.exists()}


def _endings(study: Path) -> Counter[tuple[int, int, int]]:
    """How often each section was finished."""
    query = select(OutcomeRow.file_id, OutcomeRow.scene, OutcomeRow.region).where(OutcomeRow.status == "done")
    with Store(study) as store, store.reading() as session:
        return Counter((file, scene, region) for file, scene, region in session.execute(query))


def _failed(study: Path) -> int:
    with Store(study) as store:
        return sum(row.status == "failed" for row in store.placements())
