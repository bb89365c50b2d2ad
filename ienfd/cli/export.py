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
    type=click.Choice(["csv", "geojson"]),
    default="csv",
    show_default=True,
    help="Tables and pictures, or the outlines of what was found, for QuPath.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder to write to.")  # fmt: skip
@click.option("--deidentify", is_flag=True, help="Leave out what could tell whose sections they are.")
def export(study: Path, form: Literal["csv", "geojson"], out: Path, deidentify: bool) -> int:
    """Write the tables and overlays of STUDY to a folder outside of it.

    With --format geojson one file for each section instead: epidermis, surface, junction, fibers,
    crossings and excluded stretches, which QuPath opens on the image.

    With --deidentify cases, patients and files get numbers, in the pictures, too; dates become years,
    ages over 89 are left out, and so are further columns of the case table and free text. What stands
    in the pixels themselves, such as a label photographed with the slide, is not looked for.
    """
    from ienfd.batch.export import export_csv, export_geojson
    from ienfd.cli.console import make_console, plural
    from ienfd.study.store import Store

    with Store(study) as store:
        if form == "geojson":
            count = export_geojson(store, out, deidentify=deidentify)
        else:
            count = export_csv(store, out, deidentify=deidentify)
    make_console().print(f"{plural(count, 'section')} written to {out}", soft_wrap=True)
    return 0
