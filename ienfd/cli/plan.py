"""What `ienfd run --dry-run` prints."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ienfd.batch.plan import Item, Plan
from ienfd.cli.console import make_table, plural

__all__ = ["print_plan"]

_MANY = 60


def print_plan(console: Console, plan: Plan, known: set[str]) -> None:
    """Print every row with its biopsy, its pixel size, and what would be done with it."""
    table = make_table()
    table.add_column("File", overflow="fold", ratio=3)
    table.add_column("Biopsy", overflow="fold", ratio=2)
    table.add_column("um/px", justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("To do", no_wrap=True)
    to_do = Counter(_to_do(item, known) for item in plan.items)
    for item in plan.items[:_MANY]:
        size = item.record.calibration["pixel_size_um"]
        biopsy = item.record.biopsy
        table.add_row(
            Text(item.record.path),
            Text(biopsy.biopsy_id if biopsy.biopsy_id != item.record.path else ""),
            "" if size is None else f"{size:.4g}",
            item.record.calibration["source"] if size is not None else "",
            Text(_to_do(item, known), style=_STYLE[_to_do(item, known)]),
        )
    console.print(Padding(table, (1, 1, 0, 1)))
    if len(plan.items) > _MANY:
        console.print(f" ... and {len(plan.items) - _MANY} more", style="dim")
    for warning in plan.warnings:
        console.print(f" Note: {warning}", style="yellow")
    summary = ", ".join(f"{count} {name}" for name, count in to_do.items())
    files = plural(plan.discovery.skipped, "other file")
    skipped = f" {files} would be skipped." if plan.discovery.skipped else ""
    console.print(f"\n {plural(len(plan.items), 'section')}: {summary}.{skipped} Nothing was written.")


_STYLE = {"analyze": "", "done": "dim", "cannot be read": "red"}


def _to_do(item: Item, known: set[str]) -> str:
    if item.task is None:
        return "cannot be read"
    return "done" if item.record.analysis_id in known else "analyze"
