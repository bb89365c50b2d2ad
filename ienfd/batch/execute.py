"""Carry out a plan: what is missing is analyzed, what is only counted otherwise is counted again.

Results go into the store as they come, one transaction each; whatever ends the program loses at most
what was still under way.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ienfd.batch.files import StudyFiles, write_atomic
from ienfd.batch.jobs import Ending, Executor, Failure, Job
from ienfd.batch.plan import Item, Plan
from ienfd.batch.tasks import (
    Product,
    Recount,
    SectionTask,
    analyze_file,
    effective_protocol,
    read_label,
    recount,
)
from ienfd.study.records import Analyzed, Outcome, result_id
from ienfd.study.store import Store

__all__ = ["Execution", "Progress", "execute"]


@dataclass(frozen=True)
class Progress:
    """Told after every row that has ended.

    Parameters
    ----------
    done, total : int
        Rows that have ended, of how many.
    file : str
        The last one.
    status : str
        How it ended: `ok`, `refused` or `failed`.
    reason : str or None
        Why it is not ok.
    fresh : bool
        Whether it was analyzed now; False when that had been done before.
    """

    done: int
    total: int
    file: str
    status: str
    reason: str | None = None
    fresh: bool = True


@dataclass
class Execution:
    """What has been done so far.

    Parameters
    ----------
    analyzed : int
        Sections analyzed.
    seconds : Counter of str
        Time spent in each stage, over all workers.
    """

    analyzed: int = 0
    seconds: Counter[str] = field(default_factory=Counter)


@dataclass
class _Work:
    """The rows of one analysis: files with the same content share it."""

    items: list[Item]
    job: Callable[[], Job]


def execute(
    plan: Plan,
    store: Store,
    run_id: int,
    executor: Executor,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    logger: logging.Logger | None = None,
) -> Execution:
    """Carry out `plan`.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    store : Store
        Where results go.
    run_id : int
        Run that `Store.begin_run` has returned.
    executor : Executor
        Who does the work.
    on_progress : callable
        Told after every row; an exception that it raises (such as KeyboardInterrupt) stops the run.
    logger : Logger, optional
        Where endings and tracebacks are logged.

    Raises
    ------
    EnvironmentProblem
        If the study cannot be written.
    """
    return _Executive(plan, store, run_id, on_progress, logger or logging.getLogger(__name__)).run(executor)


class _Executive:
    def __init__(
        self,
        plan: Plan,
        store: Store,
        run_id: int,
        on_progress: Callable[[Progress], None],
        logger: logging.Logger,
    ) -> None:
        self.plan, self.store, self.run_id = plan, store, run_id
        self.on_progress, self.logger = on_progress, logger
        self.files = StudyFiles(store.folder)
        self.execution = Execution()
        self.done = 0

    def run(self, executor: Executor) -> Execution:
        work: dict[str, _Work] = {}
        wanted = [item.record.analysis_id for item in self.plan.items if item.record.analysis_id]
        known = self.store.known_analyses(wanted)
        counted = self.store.endings(sorted(known), self.plan.rules_key)
        for item in self.plan.items:
            key = item.record.analysis_id
            if item.failure is not None or item.task is None or key is None:
                self._failed(item, item.failure or Failure("file_vanished", ""), 1)
            elif key in work:
                work[key].items.append(item)
            elif key not in known:
                work[key] = _Work([item], _analysis_job(key, item.task, item.memory_bytes))
            elif key not in counted or (counted[key].drawn and not self._overlay_is_there(item, key)):
                work[key] = _Work([item], self._recount_job(key, item, item.task))
            else:
                self._ended(item, counted[key].status, counted[key].reason, fresh=False)
        with closing(executor.run(w.job() for w in work.values())) as endings:
            for ending in endings:
                self._take(ending, work[ending.key].items, fresh=ending.key not in known)
        return self.execution

    def _overlay_is_there(self, item: Item, key: str) -> bool:
        return read_label(self._overlay(item)) == result_id(key, self.plan.rules_key)

    def _recount_job(self, key: str, item: Item, task: SectionTask) -> Callable[[], Job]:
        def make() -> Job:
            facts = self.store.facts(key)
            argument = Recount(
                findings=self.store.findings(key),
                protocol=effective_protocol(task.protocol, task.stain),
                picture=self.files.read_picture(str(item.record.section_id)),
                um_per_px=facts.picture_um_per_px,
                task=task,
            )
            return Job(key, recount, argument, item.memory_bytes)

        return make

    def _take(self, ending: Ending, items: list[Item], *, fresh: bool) -> None:
        failure, product = ending.failure, ending.value
        if failure is None and isinstance(product, Product):
            self.execution.seconds.update(product.seconds)
            failure = product.failure
        if failure is not None:
            for item in items:
                self._failed(item, failure, ending.attempts)
            return
        if product.result is None:
            raise TypeError(f"a task returned neither a result nor a failure: {product}")
        self.execution.analyzed += fresh
        for item in items:
            self._write_images(item, product)
            self._record(item, product, ending, fresh=fresh)
            self._ended(item, product.result.status.value, product.result.reason, fresh=fresh)

    def _write_images(self, item: Item, product: Product) -> None:
        if product.picture is not None:
            write_atomic(self.files.picture(str(item.record.section_id)), product.picture)
        if product.overlay is not None:
            write_atomic(self._overlay(item), product.overlay)

    def _record(self, item: Item, product: Product, ending: Ending, *, fresh: bool) -> None:
        key, result = item.record.analysis_id, product.result
        if key is None or result is None:
            raise TypeError("only what was analyzed can be recorded")
        if not fresh:
            self.store.add_result(key, self.plan.rules_key, result)
            return
        path, scene, region = item.place
        outcome = Outcome(path, scene, region, attempts=ending.attempts, analysis_id=key)
        analyzed = Analyzed(
            result,
            product.facts,
            protocol_hash=self.plan.options.protocol.hash,
            rules_key=self.plan.rules_key,
            algorithm_version=self.plan.algorithm_version,
            seconds=sum(product.seconds.values()),
        )
        self.store.record(self.run_id, outcome, analyzed)

    def _failed(self, item: Item, failure: Failure, attempts: int) -> None:
        path, scene, region = item.place
        self.store.record(self.run_id, Outcome(path, scene, region, failure.code, failure.detail, attempts))
        if failure.trace:
            self.logger.error("%s\n%s", path, failure.trace)
        self._ended(item, "failed", failure.code, fresh=True)

    def _ended(self, item: Item, status: str, reason: str | None, *, fresh: bool) -> None:
        self.done += 1
        path = item.record.path
        self.logger.info("%s %s%s", path, status, f" {reason}" if reason else "")
        self.on_progress(Progress(self.done, len(self.plan.items), path, status, reason, fresh))

    def _overlay(self, item: Item) -> Path:
        return self.files.overlay(item.record.path, str(item.record.section_id), item.record.scene)


def _analysis_job(key: str, task: SectionTask, memory_bytes: int) -> Callable[[], Job]:
    return lambda: Job(key, analyze_file, task, memory_bytes)
