"""`ienfd agree`: a study compared with a count by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ienfd.batch.agreement import Agreement

__all__ = ["agree"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.argument("manual", type=_FILE, required=False, metavar="MANUAL.CSV")
@click.option("--positions", type=_FILE, metavar="FILE",
              help="Where the crossings lie: file, reader, row_px, col_px.")  # fmt: skip
@click.option(
    "--state", type=click.Choice(["automatic", "reviewed"]), default="automatic", show_default=True,
    help="What is compared: as the program counts, or as it stands after the review.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder to write to; by default one in `agreement` of the study.")  # fmt: skip
@click.option("--template", type=_FILE, metavar="FILE", help="Write an empty table of this study, and end.")
def agree(
    study: Path,
    manual: Path | None,
    positions: Path | None,
    state: Literal["automatic", "reviewed"],
    out: Path | None,
    template: Path | None,
) -> int:
    """Compare STUDY with a count by hand.

    MANUAL.CSV has one row for each section (file or section_id) or biopsy (case_id, biopsy_id), with
    crossings and length_mm, or density_per_mm, and reader where several have counted. Written are
    agreement.csv, agreement_pairs.csv, figures and a page: bias and limits of agreement, intraclass
    correlation, kappa of the calls, and with positions precision and recall of the crossings.
    """
    from ienfd.batch.agreement import compare_study, write_template
    from ienfd.cli.console import make_console, plural
    from ienfd.errors import UsageError
    from ienfd.study.store import Store

    if (manual is None) == (template is None):
        raise UsageError("option_invalid", "give either MANUAL.CSV or --template FILE")
    console = make_console()
    with Store(study) as store:
        if template is not None:
            count = write_template(store, template)
            console.print(f"{plural(count, 'section')} to fill in: {template}", soft_wrap=True)
        elif manual is not None:
            _print(console, compare_study(store, manual, places=positions, state=state, out=out))
    return 0


def _print(console: Console, done: Agreement) -> None:
    """Print how far each reader agrees, what is left out and why, and where the files lie."""
    from rich.padding import Padding
    from rich.text import Text

    from ienfd.agree.document import STATES, reader_pages
    from ienfd.cli.console import make_table

    console.print(f"Compared with the program, {STATES[done.compared.state]}", soft_wrap=True)
    for page in reader_pages(done.pairs, done.figures):
        console.print(Text(f"Reader {page.name}: ", style="bold").append(page.counted, style="not bold"))
        table = make_table()
        for header in ("Program minus manual", "Pairs", "Bias", "Lower limit", "Upper limit", "ICC(2,1)"):
            table.add_column(header, overflow="fold", justify="right" if header == "Pairs" else "left")
        for row in page.rows:
            table.add_row(*row)
        console.print(Padding(table, (1, 0, 1, 0)))
        for line in page.said:
            console.print(line)
        for line in page.left_out:
            console.print(Text(f"Left out, {line}", style="yellow"), soft_wrap=True)
    for line in (*done.warnings, *done.compared.remarks):
        console.print(Text(f"Note: {line}", style="yellow"), soft_wrap=True)
    console.print(str(done.folder / "agreement.pdf"), soft_wrap=True)
