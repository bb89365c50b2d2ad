"""`ienfd status`: what is done in a study, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ienfd.report.summary import Summary

__all__ = ["status"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
def status(study: Path) -> int:
    """Say what is done in STUDY, what failed, and what to do next."""
    from rich.text import Text

    from ienfd.cli.console import make_console, plural
    from ienfd.reasons import REASONS
    from ienfd.report.content import gather_controls
    from ienfd.report.controls import failed, tally
    from ienfd.report.summary import summarize
    from ienfd.study.store import Store

    with Store(study) as store:
        last = store.last_run()
        summary = summarize(store)
        advice, head = store.advice, store.head()
        controls = gather_controls(store) if summary.controls else ()
    console = make_console()
    if last is None:
        console.print("This study is empty. Next: ienfd run IMAGES --out STUDY")
        return 0
    counts = summary.sections
    console.print(
        Text(
            f"{study}: {plural(summary.biopsies, 'biopsy')}, {plural(counts.total(), 'section')}",
            style="bold",
        )
    )
    for state in ("ok", "refused", "failed", "pending"):
        if counts[state]:
            console.print(f"  {counts[state]:>6}  {state}")
        for (of, reason), count in sorted(summary.reasons.items()):
            if of == state:
                said = REASONS[reason].text if reason in REASONS else reason
                console.print(Text(f"          {count} {said}", style="dim"))
    if controls:
        outcomes = tally(controls)
        words = [word for word in ("passed", "failed", "not judged") if outcomes[word]]
        said = ", ".join(f"{outcomes[word]} {word}" for word in words)
        console.print(f"Controls: {said}; see controls.csv")
        for line in failed(controls):
            console.print(Text(f"          {line}", style="yellow"))
    if summary.edits:
        reviews = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in sorted(summary.reviews.items()))
        console.print(f"Review: {reviews}; {plural(summary.edits, 'edit')}, {summary.signed} signed")
        console.print(f"The log of edits ends at {head.seq}, {head.hash}", style="dim", soft_wrap=True)
    for line in advice:
        console.print(Text(f"Note: {line}", style="yellow"))
    when = str(last["ended_at"] or last["started_at"]).removesuffix("+00:00").replace("T", " ")
    console.print(f"Last run: {last['state']}, {when} UTC", style="dim")
    console.print(Text(_next(summary, str(last["root"]), study)))
    return 0


def _next(summary: Summary, root: str, study: Path) -> str:
    if summary.sections["pending"]:
        return f'Next: ienfd run "{root}" --out "{study}"  (goes on where it was interrupted)'
    if summary.sections["failed"]:
        return "Next: put right the files that failed (see sections.csv), and run again."
    if not summary.reviews:
        return "No section could be evaluated: sections.csv says why, and what to do."
    if summary.reviews.total() > summary.reviews["reviewed"]:
        return f'Next: ienfd review "{study}"'
    if summary.biopsies > summary.signed:
        return f'Next: ienfd sign "{study}" --case ID --by NAME'
    return "Everything is signed."
