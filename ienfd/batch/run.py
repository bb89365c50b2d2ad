"""A whole run: discover, plan, execute, collect.

The command line, a notebook and later the review call the same function; how it looks is theirs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import ienfd
from ienfd.batch.casework import Casework, load_casework
from ienfd.batch.cluster import DaskPool, check_address
from ienfd.batch.collect import collect
from ienfd.batch.discover import Discovery, discover
from ienfd.batch.execute import Progress, execute
from ienfd.batch.files import study_log
from ienfd.batch.jobs import Executor
from ienfd.batch.norms import keep_norms
from ienfd.batch.plan import BatchOptions, Plan, make_plan
from ienfd.batch.pool import LocalPool
from ienfd.batch.report import RunReport
from ienfd.protocol import canonical_json
from ienfd.study.records import RunRecord
from ienfd.study.store import Store
from ienfd.study.validated import Validated, validated_now

__all__ = [
    "RunListener",
    "default_workers",
    "make_executor",
    "memory_budget_bytes",
    "plan_batch",
    "run_batch",
]

_MEMORY_SHARE = 0.8


@dataclass(frozen=True)
class RunListener:
    """Who is told how far a run has come.

    Parameters
    ----------
    looked : callable
        Told how many files were looked at, of how many.
    planned : callable
        Told the plan.
    progressed : callable
        Told after every row.
    """

    looked: Callable[[int, int], None] = lambda done, total: None
    planned: Callable[[Plan], None] = lambda plan: None
    progressed: Callable[[Progress], None] = lambda progress: None


def default_workers() -> int:
    """One worker for each processor that this process may use."""
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def memory_budget_bytes() -> int:
    """The memory that all workers together may be expected to take."""
    import psutil

    return int(psutil.virtual_memory().available * _MEMORY_SHARE)


def make_executor(options: BatchOptions, workers: int | None = None) -> LocalPool | DaskPool:
    """Who is to do the work: processes of this machine, or a cluster.

    Raises
    ------
    UsageError
        If the address of the cluster is none, or sections would be sent unencrypted.
    EnvironmentProblem
        If it cannot be reached.
    """
    if options.scheduler is not None:
        check_address(options.scheduler, insecure=options.insecure_scheduler)
        return DaskPool(options.scheduler, time_limit_s=options.time_limit_s)
    return LocalPool(
        workers or default_workers(),
        time_limit_s=options.time_limit_s,
        memory_bytes=memory_budget_bytes(),
    )


def plan_batch(options: BatchOptions, executor: Executor, listener: RunListener | None = None) -> Plan:
    """Discover the images, read the case table, and look at every file.

    Raises
    ------
    UsageError
        If there is no image, or the case table is not valid.
    """
    from ienfd.io import IMAGE_SUFFIXES, is_image

    listener = listener or RunListener()
    casework = load_casework(options)
    discovery = discover(
        options.images,
        out=options.out,
        is_image=is_image,
        suffixes=IMAGE_SUFFIXES,
        is_named=casework.is_named,
        ready=options.ready,
    )
    return _plan(options, casework, discovery, executor, listener)


def _plan(
    options: BatchOptions,
    casework: Casework,
    discovery: Discovery,
    executor: Executor,
    listener: RunListener,
) -> Plan:
    matched = casework.match([file.name for file in discovery.files])
    plan = make_plan(
        options,
        discovery,
        matched.case_of,
        executor,
        warnings=matched.warnings,
        memory_limit_bytes=memory_budget_bytes(),
        on_look=listener.looked,
    )
    listener.planned(plan)
    return plan


def run_batch(
    options: BatchOptions,
    *,
    workers: int | None = None,
    listener: RunListener | None = None,
) -> RunReport:
    """Analyze a folder of images into a study.

    An interruption (KeyboardInterrupt) ends the run in good order: what is done stays done, the
    tables show it, and the report says that it was interrupted.

    Parameters
    ----------
    options : BatchOptions
        What is asked.
    workers : int, optional
        Number of processes; by default one for each processor.
    listener : RunListener, optional
        Who is told how far it has come.

    Raises
    ------
    UsageError
        If there is no image, the case table or study is not valid, or the protocol names a norm that
        there is not, or another one of that name than the study was called by before; if the
        file of what the laboratory has validated cannot be read.
    EnvironmentProblem
        If the study cannot be written, or no process can be started.
    """
    start = time.perf_counter()
    listener = listener or RunListener()
    seconds: dict[str, float] = {}
    validated = validated_now()
    with make_executor(options, workers) as pool:
        plan = plan_batch(options, pool, listener)
        seconds["plan"] = time.perf_counter() - start
        with (
            Store(options.out, create=True, shared=options.shared) as store,
            study_log(options.out) as logger,
        ):
            keep_norms(store, options.protocol)
            advice = store.advice
            run_id = store.begin_run(_record(plan, validated), [item.record for item in plan.items])
            logger.info("run %s: %s sections in %s", run_id, len(plan.items), plan.discovery.root)
            done = execute(plan, store, run_id, pool, on_progress=listener.progressed, logger=logger)
            state = "interrupted" if done.interrupted else "finished"
            if done.interrupted:
                pool.close()
            store.end_run(run_id, state)
            seconds |= done.seconds
            begin = time.perf_counter()
            report = collect(store, options.engine)
            seconds["tables"] = time.perf_counter() - begin
            logger.info("run %s: %s", run_id, state)
    return replace(
        report,
        analyzed=done.analyzed,
        warnings=(*plan.warnings, *advice, *report.warnings),
        skipped=plan.discovery.skipped,
        interrupted=done.interrupted,
        seconds=seconds,
        wall_seconds=time.perf_counter() - start,
    )


def _record(plan: Plan, validated: Validated | None) -> RunRecord:
    options = plan.options
    protocol = options.protocol
    return RunRecord(
        root=str(plan.discovery.root),
        scope=plan.discovery.scope,
        protocol_id=protocol.id,
        protocol_hash=protocol.hash,
        protocol_json=canonical_json(asdict(protocol)),
        rules_key=plan.rules_key,
        algorithm_version=plan.algorithm_version,
        software_version=ienfd.__version__,
        options={
            "cases": _text(options.cases),
            "name_pattern": options.name_pattern,
            "pixel_size_um": options.pixel_size_um,
            "axes": options.axes,
            "stain": options.stain,
            "validated": asdict(validated) if validated else None,
        },
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
