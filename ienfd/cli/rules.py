"""How the table of rules looks on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from ienfd.batch.rule_table import FILE, LINES, RuleTotal
from ienfd.cli.console import make_table

__all__ = ["print_rule_totals"]


def print_rule_totals(console: Console, totals: Sequence[RuleTotal], folder: Path) -> None:
    """Print the density of a whole study under every rule, on every line."""
    if not totals:
        console.print(
            Padding(Text("No section has a density: there are no rules to compare.", "dim"), (1, 1, 0, 1))
        )
        return
    table = make_table()
    table.expand = False
    table.add_column("All sections, counted by", no_wrap=True)
    table.add_column("Crossings", justify="right")
    for line in LINES:
        table.add_column(f"per mm of {line}", justify="right")
    for total in totals:
        densities = [total.density_per_mm.get(line) for line in LINES]
        figures = ["" if density is None else f"{density:.2f}" for density in densities]
        table.add_row(Text(total.rule), str(total.crossings), *figures)
    where = Text(f"Rules     {folder / FILE}", style="dim")
    console.print(Padding(Group(table, Text(), where), (1, 1, 0, 1)))
