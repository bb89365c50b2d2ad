"""How far a run has come: a bar for a person, JSON lines for a pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click

from ienfd.batch.execute import Progress
from ienfd.batch.plan import Plan
from ienfd.batch.report import RunReport
from ienfd.batch.run import RunListener

__all__ = ["listening", "print_json_report"]


@contextmanager
def listening(kind: str) -> Iterator[RunListener]:
    """A listener of this kind: `auto` (a bar, if this is a terminal), `json` or `none`."""
    if kind == "json":
        yield RunListener(planned=_json_plan, progressed=_json_progress)
        return
    from ienfd.cli.console import make_console, make_progress

    console = make_console(stderr=True)
    if kind == "none" or not console.is_terminal:
        yield RunListener()
        return
    with make_progress(console) as bar:
        task = bar.add_task("Looking at the files", total=None)

        def looked(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        def planned(plan: Plan) -> None:
            bar.reset(task, description="Analyzing", total=len(plan.items))

        failed = 0

        def progressed(progress: Progress) -> None:
            nonlocal failed
            failed += progress.status == "failed"
            said = f"Analyzing ({failed} failed)" if failed else "Analyzing"
            bar.update(task, completed=progress.done, total=progress.total, description=said)

        yield RunListener(looked, planned, progressed)


def print_json_report(report: RunReport) -> None:
    """The last line: how the run ended."""
    _line(
        "end",
        ok=report.ok,
        refused=report.refused,
        failed=report.failed,
        pending=report.pending,
        analyzed=report.analyzed,
        interrupted=report.interrupted,
        warnings=list(report.warnings),
        seconds={name: round(value, 3) for name, value in report.seconds.items()},
        wall_seconds=round(report.wall_seconds, 3),
    )


def _json_plan(plan: Plan) -> None:
    _line("plan", rows=len(plan.items), skipped=plan.discovery.skipped, warnings=list(plan.warnings))


def _json_progress(progress: Progress) -> None:
    _line("row", **asdict(progress))


def _line(event: str, **values: Any) -> None:
    click.echo(json.dumps({"event": event, **values}))
