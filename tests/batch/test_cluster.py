"""A Dask cluster as the executor: the same endings as from the local pool."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_helpers import carried_out, planned, state
from distributed import LocalCluster
from test_pool import die, die_once, double, fail, sleep

from ienfd.batch.cluster import DaskPool, check_address
from ienfd.batch.jobs import Ending, Job
from ienfd.batch.pool import LocalPool
from ienfd.errors import EnvironmentProblem, UsageError
from ienfd.protocol import Protocol


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where the workers find the stand-ins
    try:
        with LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            host="127.0.0.1",
        ) as running:
            yield str(running.scheduler_address)
    finally:
        if path is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = path


def endings(pool: DaskPool, *jobs: Job) -> dict[str, Ending]:
    return {ending.key: ending for ending in pool.run(jobs)}


def test_values_and_failures_come_back_by_their_key(cluster: str) -> None:
    jobs = [Job(str(n), double, n) for n in range(12)]
    with DaskPool(cluster) as pool:
        done = endings(pool, *jobs, Job("bad", fail, "x"))
        assert {key: e.value for key, e in done.items() if key != "bad"} == {str(n): 2 * n for n in range(12)}
        failure = done["bad"].failure
        assert failure is not None
        assert failure.code == "internal_error"
        assert "cannot do x" in failure.detail
        assert "Traceback" in failure.trace
        assert endings(pool) == {}


def test_a_job_whose_worker_is_killed_is_done_again(cluster: str, tmp_path: Path) -> None:
    with DaskPool(cluster) as pool:
        done = endings(pool, Job("killer", die_once, str(tmp_path / "mark")), Job("other", double, 1))
    assert done["killer"].failure is None
    assert done["killer"].value == "done after all"
    assert done["other"].value == 2


def test_a_job_that_kills_every_worker_is_given_up(cluster: str) -> None:
    with DaskPool(cluster) as pool:
        failure = endings(pool, Job("killer", die, None))["killer"].failure
    assert failure is not None
    assert failure.code == "worker_died"


def test_an_overdue_job_ends_and_its_worker_goes_on(cluster: str) -> None:
    with DaskPool(cluster, time_limit_s=1.0) as pool:
        done = endings(pool, Job("slow", sleep, 60.0), *(Job(str(n), double, n) for n in range(6)))
    failure = done.pop("slow").failure
    assert failure is not None
    assert failure.code == "time_limit"
    assert {key: e.value for key, e in done.items()} == {str(n): 2 * n for n in range(6)}
    with DaskPool(cluster) as pool:
        assert endings(pool, Job("next", double, 5))["next"].value == 10


def test_closing_the_generator_stops_what_is_under_way(cluster: str) -> None:
    def jobs() -> Iterator[Job]:
        yield Job("one", double, 1)
        time.sleep(1.0)  # a busy machine hands it to a worker only then
        yield from (Job(str(n), sleep, 30.0) for n in range(8))

    with DaskPool(cluster) as pool:
        run = pool.run(jobs())
        assert next(run).key == "one"
        run.close()
        assert not pool._client.futures


def test_a_plan_gives_the_same_study_as_on_this_machine(cluster: str, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in ("fine one", "slow two", "axes three"):
        (images / f"{name}.tif").write_text(name, encoding="utf-8")
    with LocalPool(1) as pool:
        carried_out(planned(images, tmp_path / "here", pool), pool)
    with DaskPool(cluster) as far:
        assert carried_out(planned(images, tmp_path / "there", far), far) == 3
    assert state(tmp_path / "here", Protocol()) == state(tmp_path / "there", Protocol())


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ienfd.batch.cluster._CONNECT_S", 1)
    with pytest.raises(EnvironmentProblem) as caught:
        DaskPool("tcp://127.0.0.1:1")
    assert caught.value.code == "scheduler_unavailable"


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tls://cluster:8786", "tcp://[::1]:9"]
)
def test_addresses_that_are_safe(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("tcp://cluster:8786", "scheduler_insecure"),
        ("tcp://10.0.0.4:8786", "scheduler_insecure"),
        ("cluster:8786", "option_invalid"),
        ("http://cluster:8786", "option_invalid"),
        ("tcp://cluster", "option_invalid"),
    ],
)
def test_addresses_that_are_not(address: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_address(address)
    assert caught.value.code == code
    if code == "scheduler_insecure":
        check_address(address, insecure=True)


def test_a_run_on_a_cluster(cluster: str, tmp_path: Path) -> None:
    from ienfd.phantom import PhantomSpec, make, write

    images = tmp_path / "images"
    write(make(PhantomSpec(length_mm=0.4, pixel_size_um=0.64), 7001), images, "one")
    command = [sys.executable, "-m", "ienfd", "run", str(images), "--out", str(tmp_path / "study")]
    done = subprocess.run(
        [*command, "--scheduler", cluster, "--progress", "json"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["ok"] + last["refused"], last["analyzed"]) == ("end", 1, 1)
    assert (tmp_path / "study" / "sections.csv").exists()
    refused = subprocess.run([*command, "--scheduler", "tcp://10.1.1.1:9"], check=False, capture_output=True)
    assert refused.returncode == 2
