"""`ienfd train`: a confidence learned from what a laboratory's own reviewers decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ienfd.batch.training import Training

__all__ = ["train"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out", required=True, type=_FILE, metavar="FILE", help="Protocol to write; it must not be there."
)
@click.option("--protocol", "former", type=_FILE, metavar="FILE",
              help="Protocol to start from; by default the built-in efns2010.")  # fmt: skip
def train(study: Path, out: Path, former: Path | None) -> int:
    """Learn from the reviewed sections of STUDY how sure a crossing is.

    What people accepted and removed becomes the weights of the confidence, in a protocol of its own.
    It is written only if it tells better than before what people decide about patients that it has not
    learned from. A protocol is text: it can be read, compared and pinned; reports say what its
    confidence was learned from.
    """
    from ienfd.batch.training import train as learn_from
    from ienfd.cli.console import make_console
    from ienfd.protocol import Protocol, load_protocol
    from ienfd.study.store import Store

    with Store(study) as store:
        done = learn_from(store, load_protocol(former) if former else Protocol(), out)
    _print(make_console(), done, out)
    return 0


def _print(console: Console, done: Training, out: Path) -> None:
    from rich.padding import Padding

    from ienfd.cli.console import make_table, plural
    from ienfd.learning.confidence import FOLDS

    decisions, before, after = done.decisions, done.learned.before, done.learned.after
    yes = int(decisions.counted.sum())
    console.print(
        f"{plural(len(decisions), 'candidate')} of {plural(decisions.sections, 'reviewed section')}:"
        f" people count {yes} of them, and added {decisions.added} where there was none",
        soft_wrap=True,
    )
    table = make_table()
    table.expand = False
    table.add_column("On patients not learned from")
    table.add_column("Before", justify="right")
    table.add_column("Learned", justify="right")
    figures = (
        ("Log-loss, less is better", before.log_loss, after.log_loss),
        ("Calibration error, less is better", before.calibration_error, after.calibration_error),
        ("Precision", before.precision, after.precision),
        ("Recall", before.recall, after.recall),
        ("F1", before.f1, after.f1),
    )
    for name, was, learned in figures:
        table.add_row(name, f"{was:.3f}", f"{learned:.3f}")
    console.print(Padding(table, (1, 0, 1, 0)))
    console.print(f"Cross-validated {FOLDS} times over patients.", style="dim")
    if done.written:
        console.print(
            f"Protocol {done.protocol.id} written: {out}, hash {done.protocol.hash}", soft_wrap=True
        )
        console.print(f"Next: ienfd run IMAGES --protocol {out}", soft_wrap=True)
    else:
        console.print(
            "Nothing was written: what there is tells as well what people decide.",
            style="yellow",
            soft_wrap=True,
        )
