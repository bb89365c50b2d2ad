"""`ienfd status`: what is done in a study, and what to do next."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

__all__ = ["status"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path, file_okay=False))
def status(study: Path) -> int:
    """Say what is done in STUDY, what failed, and what to do next."""
    from rich.text import Text

    from ienfd.cli.console import make_console
    from ienfd.reasons import REASONS
    from ienfd.study.store import Store

    with Store(study) as store:
        last = store.last_run()
        rows = store.placements()
        endings = {}
        for key in {row.rules_key for row in rows}:
            wanted = [str(row.analysis_id) for row in rows if row.analysis_id and row.rules_key == key]
            endings.update(store.endings(wanted, key))
    console = make_console()
    if last is None:
        console.print("This study is empty. Next: ienfd run IMAGES --out STUDY")
        return 0
    counts: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for row in rows:
        ending = endings.get(row.analysis_id or "")
        state = ending.status if row.status == "done" and ending else row.status
        reason = ending.reason if ending else row.reason
        counts[state] += 1
        if reason:
            reasons[(state, reason)] += 1
    biopsies = len({(row.case_id, row.biopsy_id) for row in rows})
    console.print(f"{study}: {biopsies} biopsies, {len(rows)} sections", style="bold")
    for state in ("ok", "refused", "failed", "pending"):
        if counts[state]:
            console.print(f"  {counts[state]:>6}  {state}")
        for (of, reason), count in sorted(reasons.items()):
            if of == state:
                console.print(Text(f"          {count} {REASONS[reason].text}", style="dim"))
    console.print(f"Last run: {last['state']}, {last['ended_at'] or last['started_at']} UTC", style="dim")
    console.print(Text(_next(counts, str(last["root"]), study)))
    return 0


def _next(counts: Counter[str], root: str, study: Path) -> str:
    if counts["pending"]:
        return f'Next: ienfd run "{root}" --out "{study}"  (goes on where it was interrupted)'
    if counts["failed"]:
        return "Next: put right the files that failed (see sections.csv), and run again."
    return f"Next: look at the pictures in {study / 'overlays'}."
