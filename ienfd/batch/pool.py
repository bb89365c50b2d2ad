"""A pool of processes that outlives its workers.

The standard pool is broken for good once a worker is killed, and does not say which job killed it.
Here each worker has its own pipe, so a death or an overdue job is known by name: only that job is
charged with it, only that worker is replaced.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from ienfd.batch.jobs import Ending, Failure, Job
from ienfd.batch.worker import DONE, READY, quiet_start, serve
from ienfd.errors import EnvironmentProblem

__all__ = ["LocalPool"]

_FAREWELL_S = 5.0


@dataclass(eq=False)
class _Task:
    job: Job
    attempts: int = 0


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    ready: bool = False
    task: _Task | None = None
    deadline: float = field(default=float("inf"))


class LocalPool:
    """Carry out jobs in processes of this machine.

    Parameters
    ----------
    workers : int
        Number of processes.
    time_limit_s : float
        A job that takes longer is ended as `time_limit`.
    memory_bytes : int or None
        Jobs under way may be expected to take so much together; a single job always may run.
    attempts : int
        A job whose worker dies so often is ended as `worker_died`.
    """

    def __init__(
        self,
        workers: int,
        *,
        time_limit_s: float = 600.0,
        memory_bytes: int | None = None,
        attempts: int = 3,
    ) -> None:
        if workers < 1:
            raise ValueError(f"a pool needs a worker, not {workers}")
        self.workers = workers
        self.time_limit_s = time_limit_s
        self.memory_bytes = memory_bytes
        self.attempts = attempts
        self._team: list[_Worker] = []

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, whatever they are doing."""
        _dismiss(self._team)
        self._team = []

    def run(self, jobs: Iterable[Job]) -> Generator[Ending, None, None]:
        """Carry out `jobs`; see `ienfd.batch.jobs.Executor.run`.

        The processes stay for the next run, until the pool is closed.

        Raises
        ------
        EnvironmentProblem
            If no process can be started at all.
        """
        source = _Source(iter(jobs))
        failed_starts = 0
        try:
            while True:
                self._hand_out(source)
                if not source.waiting and all(worker.task is None for worker in self._team):
                    return
                endings = []
                for worker in _awake(self._team):
                    was_ready = worker.ready
                    ending = self._hear(worker, source)
                    failed_starts = 0 if was_ready or worker in self._team else failed_starts + 1
                    if failed_starts >= self.attempts:
                        raise EnvironmentProblem("workers_cannot_start")
                    if ending is not None:
                        endings.append(ending)
                self._hand_out(source)  # before the caller takes its time with what has ended
                yield from endings
        finally:
            busy = [worker for worker in self._team if worker.task is not None]
            self._team = [worker for worker in self._team if worker.task is None]
            _dismiss(busy)

    def _hand_out(self, source: _Source) -> None:
        while (task := source.look()) is not None:
            team = self._team
            in_use = sum(worker.task.job.memory_bytes for worker in team if worker.task is not None)
            busy = any(worker.task is not None for worker in team)
            if busy and self.memory_bytes is not None and in_use + task.job.memory_bytes > self.memory_bytes:
                return
            idle = next((worker for worker in team if worker.ready and worker.task is None), None)
            if idle is not None:
                self._give(idle, source.take(), source)
            elif len(team) < self.workers and all(worker.ready for worker in team):
                team.append(_start())
            else:
                return

    def _give(self, worker: _Worker, task: _Task, source: _Source) -> None:
        worker.task, worker.deadline = task, time.monotonic() + self.time_limit_s
        try:
            worker.connection.send((task.job.function, task.job.argument))
        except OSError:  # it died while it was idle: the job has no part in that
            worker.task = None
            source.give_back(task)
            self._team.remove(worker)
            _dismiss([worker], at_once=True)

    def _hear(self, worker: _Worker, source: _Source) -> Ending | None:
        """Take what a worker has to say, or notice that it is dead or overdue."""
        overdue = time.monotonic() >= worker.deadline
        try:
            if worker.connection.poll():
                kind, value = worker.connection.recv()
            elif overdue or not worker.process.is_alive():
                raise EOFError
            else:
                return None
        except (EOFError, OSError):
            self._team.remove(worker)
            _dismiss([worker], at_once=True)
            return self._lost(worker, source, overdue=overdue)
        if kind == READY:
            worker.ready = True
            return None
        task, worker.task, worker.deadline = worker.task, None, float("inf")
        return None if task is None else _ending(task, kind, value)

    def _lost(self, worker: _Worker, source: _Source, *, overdue: bool) -> Ending | None:
        task = worker.task
        if task is None:
            return None
        task.attempts += 1
        if overdue:
            failure = Failure("time_limit", f"{self.time_limit_s:g} s")
            return Ending(task.job.key, failure=failure, attempts=task.attempts)
        if task.attempts < self.attempts:
            source.give_back(task)
            return None
        failure = Failure("worker_died", f"exit status {worker.process.exitcode}, {task.attempts} times")
        return Ending(task.job.key, failure=failure, attempts=task.attempts)


class _Source:
    """Jobs to do: those given back first, then the next of the iterator, which is read one ahead."""

    def __init__(self, jobs: Iterator[Job]) -> None:
        self._jobs = jobs
        self._queue: deque[_Task] = deque()

    @property
    def waiting(self) -> bool:
        return self.look() is not None

    def look(self) -> _Task | None:
        if not self._queue:
            job = next(self._jobs, None)
            if job is None:
                return None
            self._queue.append(_Task(job))
        return self._queue[0]

    def take(self) -> _Task:
        return self._queue.popleft()

    def give_back(self, task: _Task) -> None:
        self._queue.append(task)


def _start() -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True, name="ienfd worker")
    with quiet_start():
        process.start()
    theirs.close()  # so that the pipe ends when the process does
    return _Worker(process, ours)


def _awake(team: list[_Worker]) -> list[_Worker]:
    """Wait until a worker has something to say, is dead, or is overdue; return those workers."""
    deadline = min(worker.deadline for worker in team)
    timeout = None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
    signs: list[Any] = [worker.connection for worker in team]
    wait([*signs, *(worker.process.sentinel for worker in team)], timeout)
    now = time.monotonic()
    return [
        worker
        for worker in team
        if worker.connection.poll() or not worker.process.is_alive() or now >= worker.deadline
    ]


def _ending(task: _Task, kind: str, value: Any) -> Ending:
    attempts = task.attempts + 1
    if kind == DONE:
        return Ending(task.job.key, value=value, attempts=attempts)
    detail, trace = value
    return Ending(task.job.key, failure=Failure("internal_error", detail, trace), attempts=attempts)


def _dismiss(team: list[_Worker], *, at_once: bool = False) -> None:
    """End these processes: the idle ones leave when their pipe closes, the others are killed."""
    for worker in team:
        if at_once or worker.task is not None or not worker.ready:
            worker.process.kill()
        worker.connection.close()
    for worker in team:
        worker.process.join(_FAREWELL_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
