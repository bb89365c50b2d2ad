"""A pool outlives its workers, knows which job killed one, and stops when it is told to."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ienfd.batch.jobs import Ending, Job
from ienfd.batch.pool import LocalPool
from ienfd.errors import EnvironmentProblem


def double(value: int) -> int:
    return 2 * value


def threads(_: object) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def fail(value: object) -> None:
    raise ValueError(f"cannot do {value}")


def unpicklable(_: object) -> object:
    return lambda: None


def die(_: object) -> None:
    os._exit(9)


def die_once(marker: str) -> str:
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(9)
    return "done after all"


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def now(_: object) -> tuple[float, float]:
    start = time.time()
    time.sleep(0.15)
    return start, time.time()


def pid(_: object) -> int:
    return os.getpid()


def workers() -> set[int]:
    """Processes of pools that are alive."""
    alive = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "multiprocessing.spawn" in " ".join(child.cmdline()):
                alive.add(child.pid)
    return alive


def run(jobs: list[Job], workers: int = 2, **options: object) -> dict[str, Ending]:
    with LocalPool(workers, **options) as pool:  # type: ignore[arg-type]
        endings = list(pool.run(jobs))
    assert len(endings) == len({ending.key for ending in endings})
    return {ending.key: ending for ending in endings}


def test_every_job_ends_once() -> None:
    endings = run([Job(str(n), double, n) for n in range(20)])
    assert {key: ending.value for key, ending in endings.items()} == {str(n): 2 * n for n in range(20)}


def test_no_jobs_need_no_process() -> None:
    assert run([]) == {}


def test_one_thread_each_and_the_environment_is_left_alone() -> None:
    before = dict(os.environ)
    assert run([Job("a", threads, None)])["a"].value == "1"
    assert dict(os.environ) == before


def test_an_error_is_told_with_its_trace_and_the_rest_goes_on() -> None:
    endings = run([Job("bad", fail, "this"), Job("odd", unpicklable, None), Job("good", double, 4)])
    assert endings["bad"].failure is not None
    assert endings["bad"].failure.code == "internal_error"
    assert "cannot do this" in endings["bad"].failure.detail
    assert "in fail" in endings["bad"].failure.trace
    assert endings["odd"].failure is not None
    assert endings["good"].value == 8


def test_only_the_killer_is_given_up_and_only_after_its_third_killing() -> None:
    jobs = [Job("killer", die, None), *(Job(str(n), double, n) for n in range(12))]
    endings = run(jobs)
    failure = endings.pop("killer")
    assert (failure.failure.code, failure.attempts) == ("worker_died", 3)  # type: ignore[union-attr]
    assert all(ending.failure is None and ending.attempts == 1 for ending in endings.values())


def test_a_job_that_was_killed_once_is_done(tmp_path: Path) -> None:
    ending = run([Job("a", die_once, str(tmp_path / "marker"))])["a"]
    assert (ending.value, ending.attempts) == ("done after all", 2)


def test_an_overdue_job_is_ended_and_the_rest_goes_on() -> None:
    start = time.monotonic()
    endings = run([Job("slow", sleep, 60.0), Job("fast", sleep, 0.01)], time_limit_s=1.0)
    assert time.monotonic() - start < 20
    assert endings["slow"].failure is not None
    assert endings["slow"].failure.code == "time_limit"
    assert endings["fast"].value == 0.01


def test_jobs_that_need_all_memory_run_one_at_a_time() -> None:
    jobs = [Job(str(n), now, None, memory_bytes=100) for n in range(4)]
    spans = sorted(ending.value for ending in run(jobs, memory_bytes=150).values())
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))


def test_a_job_larger_than_the_memory_still_runs() -> None:
    assert run([Job("a", double, 1, memory_bytes=1000)], memory_bytes=10)["a"].value == 2


def test_jobs_are_taken_only_as_there_is_room() -> None:
    taken = 0

    def source() -> Iterator[Job]:
        nonlocal taken
        for n in range(50):
            taken += 1
            yield Job(str(n), double, n)

    with LocalPool(1) as pool:
        next(pool.run(source()))
        assert taken < 8


def test_closing_ends_the_processes() -> None:
    with LocalPool(2) as pool:
        endings = pool.run([Job("a", double, 1), Job("b", sleep, 60.0), Job("c", sleep, 60.0)])
        next(endings)
        mine = workers()
        assert len(mine) == 2
        endings.close()
        assert workers() < mine  # the busy ones are ended at once
    assert not workers() & mine


def test_processes_stay_for_the_next_jobs() -> None:
    with LocalPool(1) as pool:
        first = [ending.value for ending in pool.run([Job("a", pid, None)])]
        assert [ending.value for ending in pool.run([Job("b", pid, None)])] == first


def test_a_process_that_died_in_between_is_replaced() -> None:
    with LocalPool(1) as pool:
        (first,) = [ending.value for ending in pool.run([Job("a", pid, None)])]
        psutil.Process(first).kill()
        (ending,) = pool.run([Job("b", pid, None)])
    assert ending.failure is None
    assert ending.value != first


def test_a_script_without_a_guard_is_told_what_is_wrong(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from ienfd.batch.jobs import Job\nfrom ienfd.batch.pool import LocalPool\n"
        "print(list(LocalPool(1).run([Job('a', len, 'x')])))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert EnvironmentProblem.__name__ in done.stderr
    assert "__main__" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of a POSIX terminal")
def test_ctrl_c_reaches_only_the_parent(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(
        "import time\nfrom ienfd.batch.jobs import Job\nfrom ienfd.batch.pool import LocalPool\n"
        "if __name__ == '__main__':\n"
        "    try:\n"
        "        jobs = [Job('a', len, 'x'), Job('b', time.sleep, 60), Job('c', time.sleep, 60)]\n"
        "        for ending in LocalPool(2).run(jobs):\n"
        "            print('ended', ending.key, flush=True)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted', flush=True)\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ended a\n"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)
