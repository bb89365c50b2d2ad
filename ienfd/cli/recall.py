"""`ienfd recall`: call a study by another norm."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["recall"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.option("--norm", "norm_id", required=True, metavar="ID", help="Norm; see `ienfd norms list`.")
@click.option(
    "--stain", type=click.Choice(["bright-field", "fluorescence"]),
    help="Only if the norm is for this stain; by default whichever it is for.",
)  # fmt: skip
def recall(study: Path, norm_id: str, stain: str | None) -> int:
    """Call every biopsy of STUDY by the norm ID, where its stain is that of the norm.

    No image is looked at, and nothing is counted anew. What is signed keeps the norm that it was signed
    with. A norm of the laboratory is copied into the study. The next run calls by its own protocol again.
    """
    from ienfd.batch.recall import recall_study
    from ienfd.cli.console import make_console, print_report

    print_report(make_console(), recall_study(study, norm_id, stain=stain))
    return 0
