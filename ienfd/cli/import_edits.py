"""`ienfd import-edits`: what was changed in QuPath, brought back into the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ienfd.batch.edits_back import Returned

__all__ = ["import_edits"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.argument("path", type=click.Path(path_type=Path, exists=True), metavar="FILE_OR_FOLDER")
@click.option("--by", "name", required=True, metavar="NAME", help="Who has changed it.")
@click.option("--why", default="", metavar="TEXT", help="Why; what is signed is not changed without it.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def import_edits(study: Path, path: Path, name: str, why: str, dry_run: bool) -> int:
    """Bring back into STUDY what was changed in GeoJSON files that it exported.

    Crossings can be deleted, moved, added (points of the class `Crossing: counted`) and classified
    otherwise; an area of the class `Exclusion` leaves out what of the junction lies in it, and deleting one
    takes that in again. What cannot be understood is said and left as it is. A section that was changed in
    the study after the export is not touched.
    """
    from ienfd.batch.edits_back import import_edits, returned_files
    from ienfd.cli.console import make_console, plural
    from ienfd.study.store import Store

    with Store(study) as store:
        done = import_edits(store, returned_files(path), who=name, why=why, dry_run=dry_run)
    console = make_console()
    for one in done:
        _print(console, one)
    refused = sum(one.problem is not None for one in done)
    edits = sum(len(one.edits) for one in done if one.problem is None)
    what = "would be written" if dry_run else "written"
    console.print(f"{plural(edits, 'edit')} {what}; {plural(refused, 'file')} not taken.")
    return 3 if refused else 0


def _print(console: Console, one: Returned) -> None:
    """Print what was found in a file, and what becomes of it."""
    from rich.text import Text

    from ienfd.errors import ConflictError
    from ienfd.review.explain import said_of, what_is_done, where_it_is

    console.print(Text(f"{one.file}: {one.section or 'not known'}", style="bold"), soft_wrap=True)
    for edit in one.edits:
        console.print(Text(f"  {what_is_done(edit)}{where_it_is(edit)}"))
    if one.edits:
        densities = " to ".join("none" if d is None else f"{d:.2f}" for d in one.density_per_mm)
        counts = " to ".join("none" if n is None else str(n) for n in one.crossings)
        console.print(f"  crossings {counts}, density {densities} /mm")
    elif one.problem is None:
        console.print("  nothing to bring back")
    for line in one.left_alone:
        console.print(Text(f"  Left as it is: {line}", style="yellow"), soft_wrap=True)
    if one.problem is not None:
        console.print(Text(f"  Not taken: {one.problem}", style="red"), soft_wrap=True)
        if isinstance(one.problem, ConflictError):
            for line in said_of(one.problem.since):
                console.print(Text(f"    {line}"), soft_wrap=True)
