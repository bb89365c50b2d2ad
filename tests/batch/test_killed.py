"""A batch that is killed without warning goes on where it was, and ends as if nothing had been."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from batch_helpers import carried_out, planned, state
from sqlalchemy import select

from ienfd.batch.pool import LocalPool
from ienfd.protocol import Protocol
from ienfd.study.models import OutcomeRow
from ienfd.study.store import Store

SCRIPT = """
import sys
from pathlib import Path
from batch_helpers import carried_out, planned
from ienfd.batch.pool import LocalPool

if __name__ == "__main__":
    with LocalPool(2) as pool:
        plan = planned(Path(sys.argv[1]), Path(sys.argv[2]), pool)
        carried_out(plan, pool, lambda progress: print(progress.file, flush=True))
"""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(6):
        (folder / f"{n}.tif").write_text(f"slow {n}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalPool]:
    with LocalPool(2) as opened:
        yield opened


def fresh(tmp_path: Path, images: Path, pool: LocalPool) -> object:
    """The state of an undisturbed study."""
    carried_out(planned(images, tmp_path / "fresh", pool), pool)
    return state(tmp_path / "fresh", Protocol())


def start(tmp_path: Path, images: Path) -> subprocess.Popen[str]:
    script = tmp_path / "batch.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, script, images, tmp_path / "study"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_after_killings_the_study_is_as_if_undisturbed(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    chance = random.Random(5)
    for _ in range(2):
        process = start(tmp_path, images)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.3))
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive  # they notice that nobody listens any more
    carried_out(planned(images, tmp_path / "study", pool), pool)
    assert state(tmp_path / "study", Protocol()) == fresh(tmp_path, images, pool)
    with Store(tmp_path / "study") as store, store.reading() as session:
        ledger = Counter(session.scalars(select(OutcomeRow.file_id)))
    assert set(ledger.values()) == {1}  # nothing that had ended was analyzed again


def test_a_killed_worker_costs_only_time(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    process = start(tmp_path, images)
    assert process.stdout is not None
    process.stdout.readline()
    workers = [
        c for c in psutil.Process(process.pid).children() if "multiprocessing.spawn" in " ".join(c.cmdline())
    ]
    assert workers
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            worker.kill()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert state(tmp_path / "study", Protocol()) == fresh(tmp_path, images, pool)
