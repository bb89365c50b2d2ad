"""`ienfd report`: the reports of a study, as documents."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

__all__ = ["report"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.option("--case", "case_id", metavar="ID", help="Of this case only.")
@click.option("--format", "form", type=click.Choice(["pdf", "html"]), default="pdf", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder to write to; `reports` in the study by default.")  # fmt: skip
@click.option("--template", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Letterhead and wording; `report.toml` of the study by default.")  # fmt: skip
def report(
    study: Path, case_id: str | None, form: Literal["pdf", "html"], out: Path | None, template: Path | None
) -> int:
    """Write a report of every biopsy of STUDY.

    A report is preliminary, and says so across every page, until its biopsy is signed. The reports of
    signatures stay in `signed` of the study.
    """
    from ienfd.batch.reporting import write_reports
    from ienfd.cli.console import make_console
    from ienfd.study.store import Store

    with Store(study) as store:
        written = write_reports(
            store, out or study / "reports", case_id=case_id, form=form, template=template
        )
    console = make_console()
    for path in written:
        console.print(str(path), soft_wrap=True, highlight=False)
    return 0
