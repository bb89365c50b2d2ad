"""`ienfd sign`: sign a reviewed biopsy."""

from __future__ import annotations

from pathlib import Path

import click

from ienfd.study.signing import SignOffKind

__all__ = ["sign"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
@click.option("--case", "case_id", required=True, metavar="ID", help="Case of the patient.")
@click.option("--biopsy", "biopsy_id", metavar="ID", help="Which biopsy, where the case has several.")
@click.option("--by", "name", required=True, metavar="NAME", help="Who signs.")
@click.option(
    "--kind", type=click.Choice(["final", "addendum", "correction", "withdrawal"]), default="final",
    show_default=True, help="A signature after the first one is an addendum, a correction or a withdrawal.",
)  # fmt: skip
@click.option("--why", default="", metavar="TEXT",
              help="Why a borderline result needs no second reader, or why it is signed again.")  # fmt: skip
@click.option("--interpretation", default="", metavar="TEXT", help="What the report says as interpretation.")
@click.option("--comment", default="", metavar="TEXT", help="What the report says as comment.")
def sign(
    study: Path, case_id: str, biopsy_id: str | None, name: str, kind: SignOffKind, why: str,
    interpretation: str, comment: str,
) -> int:  # fmt: skip
    """Sign a biopsy of STUDY in ienfd, once all its sections are reviewed.

    Kept are the name, the account and machine, the time, and everything that is signed with its hash.
    It is no legal electronic signature. From then on its sections keep their analyses. The report of every
    signature is filed in the folder `signed` of the study, and stays.
    """
    from ienfd.batch.collect import collect
    from ienfd.batch.reporting import file_signed
    from ienfd.cli.console import make_console
    from ienfd.errors import UsageError
    from ienfd.report.signing import sign_biopsy
    from ienfd.study.store import Store

    with Store(study) as store:
        if biopsy_id is None:
            own = sorted({row.biopsy_id for row in store.placements(case_id)})
            if len(own) != 1:
                raise UsageError(
                    "sign_blocked", f"case {case_id} has {len(own)} biopsies: name one with --biopsy"
                )
            biopsy_id = own[0]
        signed = sign_biopsy(
            store, case_id, biopsy_id, name=name, why=why, kind=kind, interpretation=interpretation,
            comment=comment,
        )  # fmt: skip
        collect(store)
        filed = file_signed(store, case_id, biopsy_id)
        head = store.head()
    console = make_console()
    console.print(f"Signed in ienfd ({kind}) by {signed.name}, {signed.at}", soft_wrap=True)
    console.print(f"What was signed: {signed.content_hash}", style="dim", soft_wrap=True)
    console.print(f"The log of edits ends at {head.seq}, {head.hash}", style="dim", soft_wrap=True)
    console.print(f"Report: {filed}", soft_wrap=True, highlight=False)
    return 0
