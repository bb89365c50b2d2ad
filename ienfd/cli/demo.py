"""`ienfd demo`: synthetic sections and what ienfd makes of them, in one go."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["demo"]


@click.command()
@click.option(
    "--out", default="ienfd-demo", show_default=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to: images/ and results/ are made in it.",
)  # fmt: skip
@click.option("--seed", default=8, show_default=True, type=click.IntRange(0), help="Other sections.")
@click.option("--workers", type=click.IntRange(1), help="Processes at work.")
def demo(out: Path, seed: int, workers: int | None) -> int:
    """Make six synthetic sections of two biopsies, and analyze them.

    Their truth lies in images/truth, so that you can see how well it went.
    """
    from ienfd.batch.plan import BatchOptions
    from ienfd.batch.run import run_batch
    from ienfd.cli.console import make_console, print_report
    from ienfd.cli.progress import listening
    from ienfd.errors import EnvironmentProblem
    from ienfd.phantom import write_set

    console = make_console()
    with console.status("Making six synthetic sections"):
        try:
            write_set(out / "images", 6, seed)
        except OSError as error:
            raise EnvironmentProblem("cannot_write", f"{out}: {error.strerror or error}") from error
    with listening("auto") as listener:
        report = run_batch(BatchOptions(out / "images", out / "results"), workers=workers, listener=listener)
    print_report(console, report)
    return 3 if report.failed else 0
