"""Carry out a plan: what is missing is analyzed, what is only counted otherwise is counted again.

Results go into the store as they come, one transaction each; whatever ends the program loses at most
what was still under way.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from ienfd.batch.files import StudyFiles, write_atomic
from ienfd.batch.jobs import Ending, Executor, Failure, Job
from ienfd.batch.plan import Item, Plan
from ienfd.batch.tasks import (
    CORRECTED,
    Product,
    Recount,
    SectionTask,
    analyze_file,
    effective_protocol,
    label_of,
    read_label,
    recount,
)
from ienfd.study.records import Analyzed, Outcome
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
    per_minute : float or None
        Rows analyzed in a minute so far; None before the first.
    left_s : float or None
        Seconds that the rest will take at that pace.
    """

    done: int
    total: int
    file: str
    status: str
    reason: str | None = None
    fresh: bool = True
    per_minute: float | None = None
    left_s: float | None = None


@dataclass
class Execution:
    """What has been done so far.

    Parameters
    ----------
    analyzed : int
        Sections analyzed.
    interrupted : bool
        Whether it was stopped by Ctrl-C; what is done stays done.
    seconds : Counter of str
        Time spent in each stage, over all workers.
    """

    analyzed: int = 0
    interrupted: bool = False
    seconds: Counter[str] = field(default_factory=Counter)


@dataclass
class _Work:
    """The rows of one analysis: files with the same content share it."""

    items: list[Item]
    task: SectionTask
    fresh: bool


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
        Told after every row; it stops the run by raising KeyboardInterrupt.
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
        self.done = self.fresh = 0
        self.began = time.monotonic()

    def run(self, executor: Executor) -> Execution:
        try:
            self._run(executor)
        except KeyboardInterrupt:
            self.execution.interrupted = True
        return self.execution

    def _run(self, executor: Executor) -> None:
        work: dict[str, _Work] = {}
        wanted = [item.record.analysis_id for item in self.plan.items if item.record.analysis_id]
        known = self.store.known_analyses(wanted)
        counted = self.store.endings(sorted(known), self.plan.rules_key)
        signed = self.store.signed_endings(str(self.plan.discovery.root))
        for item in self.plan.items:
            key = item.record.analysis_id
            if item.place in signed:  # it keeps the analysis and the count that were signed
                self._ended(item, signed[item.place].status, signed[item.place].reason, fresh=False)
            elif item.failure is not None or item.task is None or key is None:
                self._failed(item, item.failure or Failure("file_vanished", ""), 1)
            elif key in work:
                work[key].items.append(item)
            elif key not in counted or (counted[key].pictured and not self._overlay_is_there(item, key)):
                work[key] = _Work([item], item.task, fresh=key not in known)
            else:
                self._ended(item, counted[key].status, counted[key].reason, fresh=False)
        pending = self.store.pending_places(self.run_id)
        for item in self.plan.items:  # analyzed by somebody else since this run was begun
            key = item.record.analysis_id
            if item.place in pending and key in counted and key not in work:
                self.store.record(self.run_id, Outcome(*item.place, analysis_id=key))
        with closing(executor.run(self._job(*entry) for entry in work.items())) as endings:
            for ending in endings:
                self._take(ending, work[ending.key])

    def _overlay_is_there(self, item: Item, key: str) -> bool:
        label = read_label(self._overlay(item)) or ""
        # with corrections it is drawn when the tables are written
        return label.partition(CORRECTED)[0] == label_of(key, self.plan.options.protocol, item.title)

    def _job(self, key: str, work: _Work) -> Job:
        first = work.items[0]
        task = replace(work.task, titles=tuple(item.title for item in work.items))
        if work.fresh:
            return Job(key, analyze_file, task, first.memory_bytes)
        argument = Recount(
            findings=self.store.findings(key),
            protocol=effective_protocol(task.protocol, task.stain),
            pictured=self.store.facts(key).pictured,
            picture=self.files.read_picture(str(first.record.section_id)),
            task=task,
        )
        return Job(key, recount, argument, first.memory_bytes)

    def _take(self, ending: Ending, work: _Work) -> None:
        failure, product = ending.failure, ending.value
        if failure is None and isinstance(product, Product):
            self.execution.seconds.update(product.seconds)
            failure = product.failure
        if failure is not None:
            for item in work.items:
                self._failed(item, failure, ending.attempts)
            return
        if product.result is None:
            raise TypeError(f"a task returned neither a result nor a failure: {product}")
        self.execution.analyzed += work.fresh
        if product.picture is not None:
            write_atomic(self.files.picture(product.result.findings.section_id), product.picture)
        for item, overlay in zip(work.items, product.overlays, strict=False):
            write_atomic(self._overlay(item), overlay)
        for item in work.items:
            self._record(item, product, ending, fresh=work.fresh)
            self._ended(item, product.result.status.value, product.result.reason, fresh=work.fresh)

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
            product.objects,
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
        self.fresh += fresh
        total, elapsed_s = len(self.plan.items), time.monotonic() - self.began
        pace = self.fresh / elapsed_s if self.fresh and elapsed_s > 0 else None
        progress = Progress(
            self.done, total, item.record.path, status, reason, fresh,
            per_minute=None if pace is None else round(60 * pace, 2),
            left_s=None if pace is None else round((total - self.done) / pace, 1),
        )  # fmt: skip
        self.logger.info("%s", _line(progress))
        self.on_progress(progress)

    def _overlay(self, item: Item) -> Path:
        return self.files.overlay(item.record.path, str(item.record.section_id), item.record.scene)


def _line(progress: Progress) -> str:
    """A line of the log."""
    reason = f" {progress.reason}" if progress.reason else ""
    line = f"{progress.file} {progress.status}{reason} ({progress.done} of {progress.total}"
    if progress.per_minute is None or progress.left_s is None:
        return f"{line})"
    return f"{line}, {progress.per_minute:.1f} a minute, {progress.left_s / 60:.0f} min left)"
