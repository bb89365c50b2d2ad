"""`ienfd export`: what leaves a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ienfd.batch.formats import FORMATS, OF_BIOPSIES, exporter

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["export"]

_LINES = "\n".join(f"{name:<11} {line}" for name, (_, line) in FORMATS.items())
_HELP = f"""Write what STUDY holds to a folder outside of it.

\b
{_LINES}

Parquet and the ROIs need pip install 'ienfd[exports]'; FHIR 'ienfd[fhir]', DICOM 'ienfd[dicom]'.

With --deidentify cases, patients and files get numbers, in the pictures, too; dates become years, ages
over 89 are left out, and so are further columns of the case table and free text. What stands in the
pixels themselves, such as a label photographed with the slide, is not looked for.
"""


@click.command(help=_HELP)
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="csv",
    show_default=True,
    help="What to write; see above.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder to write to.")  # fmt: skip
@click.option("--deidentify", is_flag=True, help="Leave out what could tell whose sections they are.")
@click.option("--group", metavar="COLUMN", help="With cohort: group the plots by this column.")
@click.option("--with-report", is_flag=True, help="With fhir: attach the report of each biopsy as PDF.")
def export(study: Path, form: str, out: Path, deidentify: bool, group: str | None, with_report: bool) -> int:
    """Write a study in one of the formats."""
    from ienfd.cli.console import make_console, plural
    from ienfd.errors import UsageError
    from ienfd.study.store import Store

    if with_report and (form != "fhir" or deidentify):
        raise UsageError("option_invalid", "--with-report goes with --format fhir, and not with --deidentify")
    if group is not None and form != "cohort":
        raise UsageError("option_invalid", "--group goes with --format cohort")
    console = make_console()
    with Store(study) as store:
        if group is not None:
            from ienfd.batch.export import export_cohort

            count = export_cohort(
                store, out, deidentify=deidentify, group=group,
                on_groups=lambda numbers: _say_groups(console, numbers),
            )  # fmt: skip
        elif with_report:
            from ienfd.batch.exchange import export_fhir
            from ienfd.batch.reporting import pdf_maker

            count = export_fhir(store, out, deidentify=False, pdf=pdf_maker(store))
        else:
            count = exporter(form)(store, out, deidentify=deidentify)
    what = "biopsy" if form in OF_BIOPSIES else "section"
    console.print(f"{plural(count, what)} written to {out}", soft_wrap=True)
    return 0


def _say_groups(console: Console, numbers: Mapping[str, str]) -> None:
    """Which group is which: on the screen only."""
    from rich.text import Text

    for name, number in numbers.items():
        console.print(Text(f"{number}: {name}"), soft_wrap=True)
