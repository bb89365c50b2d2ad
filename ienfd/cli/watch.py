"""`ienfd watch`: take up files as a scanner finishes writing them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ienfd.cli.run import batch_options, common_options

__all__ = ["watch"]


@click.command()
@click.argument("inbox", type=click.Path(path_type=Path, exists=True, file_okay=False))
@common_options
@click.option("--every", type=click.FloatRange(0.05), default=5, show_default=True, metavar="SECONDS",
              help="Pause between two looks.")  # fmt: skip
@click.option("--settle", type=click.FloatRange(0), default=10, show_default=True, metavar="SECONDS",
              help="A file is ready when it has not changed for so long.")  # fmt: skip
@click.option("--until-idle", type=click.FloatRange(0), metavar="SECONDS",
              help="End when nothing has come for so long; by default it goes on until Ctrl-C.")  # fmt: skip
def watch(inbox: Path, out: Path, every: float, settle: float, until_idle: float | None, **given: Any) -> int:
    """Analyze the files of INBOX into a study as they come.

    A file is taken up once its scanner has finished writing it. The case table may be completed in the
    meantime: when it changes, it holds for what is there. Ctrl-C ends the watch; what is done is kept.
    """
    from ienfd.batch.run import run_batch
    from ienfd.batch.watch import Watching
    from ienfd.batch.watch import watch as go_on
    from ienfd.cli.console import make_console, print_report
    from ienfd.cli.main import EXIT_INTERRUPTED
    from ienfd.cli.progress import listening, print_json_report
    from ienfd.cli.run import exit_status

    options = batch_options(inbox, out, given)
    console, errors = make_console(), make_console(stderr=True)
    as_json = given["progress"] == "json"
    errors.print(f"Watching {inbox}; Ctrl-C ends it.", style="dim")
    with listening(given["progress"]) as listener:
        report = go_on(
            options,
            Watching(every, settle, until_idle),
            partial(run_batch, workers=given["workers"], listener=listener),
            said=lambda problem: errors.print(problem, style="yellow"),
            ended=print_json_report if as_json else partial(print_report, console),
        )
    if report is None:
        return 0
    return EXIT_INTERRUPTED if report.interrupted else exit_status(report, strict=given["strict"])
