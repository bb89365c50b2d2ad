"""`ienfd review`: look at a study in napari."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["review"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.option("--case", "case_id", metavar="ID", help="Show this case only.")
@click.option("--reader", default="", metavar="NAME", help="Who reviews; by default the name of the account.")
@click.option("--blind", is_flag=True, help="A second reading that shows nobody else's marks.")
def review(study: Path, case_id: str | None, reader: str, blind: bool) -> int:
    """Review the sections of STUDY in napari: look at every crossing, correct it, sign.

    What is on the screen is stored; there is no save button. F1 shows the keys. When the window is
    closed, the tables and overlays of the study are written anew.
    """
    from ienfd.review.start import run_review

    run_review(study, reader=reader, case_id=case_id, blind=blind)
    return 0
