"""`ienfd phantom`: synthetic sections with exact truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ienfd.protocol import Stain

__all__ = ["phantom"]


@click.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write to."
)
@click.option(
    "--count",
    default=6,
    show_default=True,
    type=click.IntRange(1),
    help="Number of sections; three make a biopsy.",
)
@click.option(
    "--seed",
    default=8,
    show_default=True,
    type=click.IntRange(0),
    help="The same seed gives the same sections.",
)
@click.option("--stain", type=click.Choice(["bright-field", "fluorescence"]), help="Only this stain.")
@click.option("--length-mm", type=click.FloatRange(0.2, 10), help="Epidermis of every section in mm.")
def phantom(out: Path, count: int, seed: int, stain: Stain | None, length_mm: float | None) -> None:
    """Make synthetic sections whose fibers and crossings are known exactly.

    Writes the images, cases.csv and truth/ with one JSON file for each image: for training, for
    proficiency testing, and to see how ienfd does.
    """
    from ienfd.errors import EnvironmentProblem
    from ienfd.phantom import write_set

    try:
        paths = write_set(out, count, seed, stain=stain, length_mm=length_mm)
    except OSError as error:
        raise EnvironmentProblem("cannot_write", f"{out}: {error.strerror or error}") from error
    click.echo(f"{len(paths)} sections written to {out}")
