"""`ienfd export`: what leaves a study."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

__all__ = ["export"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv"]),
    default="csv",
    show_default=True,
    help="Form of the files.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder to write to.")  # fmt: skip
@click.option("--deidentify", is_flag=True, help="Leave out what could tell whose sections they are.")
def export(study: Path, form: Literal["csv"], out: Path, deidentify: bool) -> int:
    """Write the tables and overlays of STUDY to a folder outside of it.

    With --deidentify cases, patients and files get numbers, in the pictures, too; dates become years,
    ages over 89 are left out, and so are further columns of the case table and free text. What stands
    in the pixels themselves, such as a label photographed with the slide, is not looked for.
    """
    from ienfd.batch.export import export_csv
    from ienfd.cli.console import make_console, plural
    from ienfd.study.store import Store

    with Store(study) as store:
        count = export_csv(store, out, deidentify=deidentify)
    make_console().print(f"{plural(count, 'section')} written to {out}", soft_wrap=True)
    return 0
