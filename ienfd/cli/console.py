"""How a run looks on a terminal: its progress, and what it says at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ienfd.batch.report import BiopsyLine, RunReport, Trouble

__all__ = ["make_console", "make_progress", "plural", "print_profile", "print_report"]

_STATUS_STYLE = {"ok": "green", "refused": "yellow", "failed": "red"}
_FIGURE_COLUMNS: tuple[tuple[str, Literal["right", "center"]], ...] = (
    ("Sections", "right"),
    ("Fibers/mm", "right"),
    ("Interval", "center"),
    ("Limit", "right"),
)
_SHORT = {"Sections": "Read", "Fibers/mm": "per mm"}
_MANY_BIOPSIES = 60
_MANY_TROUBLES = 40
_MANY_NAMES = 6
_NARROW = 80


def make_console(*, stderr: bool = False) -> Console:
    """A console that never highlights numbers by itself and takes no text for markup."""
    return Console(highlight=False, markup=False, emoji=False, stderr=stderr)


class _Pace(ProgressColumn):
    """How many are done in a minute."""

    def render(self, task: Task) -> Text:
        """A minute's worth, once it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{60 * speed:.1f}/min", style="progress.data.speed")


def make_progress(console: Console) -> Progress:
    """A bar with count, time spent and time left; it leaves nothing behind."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        _Pace(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=console,
        transient=True,
        expand=True,
    )


def print_report(console: Console, report: RunReport) -> None:
    """Print what came out, what did not and why, and where the outputs lie."""
    parts: list[RenderableType] = []
    told = {trouble.file for trouble in report.troubles}  # a file of its own that failed is said once, below
    biopsies = [line for line in report.biopsies if line.sections_evaluable or line.name not in told]
    if biopsies:
        shown = biopsies[:_MANY_BIOPSIES]
        parts += [_biopsies(shown, console.width), *_more(len(biopsies) - _MANY_BIOPSIES, "biopsies.csv")]
        parts += [_calls(shown)]
    if report.troubles:
        parts += [_troubles(report.troubles[:_MANY_TROUBLES])]
        parts += _more(len(report.troubles) - _MANY_TROUBLES, "sections.csv")
    parts += [Text(f"Note: {warning}", style="yellow") for warning in report.warnings]
    if report.warnings:
        parts.append(Text())
    parts += [_tally(report), _outputs(report.folder)]
    console.print(Padding(Group(*parts), (1, 1, 0, 1)))


def print_profile(console: Console, report: RunReport) -> None:
    """Print the seconds spent in each stage, over all workers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Stage")
    table.add_column("Seconds", justify="right")
    table.add_column("per section", justify="right")
    for stage, seconds in report.seconds.items():
        each = f"{seconds / report.analyzed:.2f}" if report.analyzed else ""
        table.add_row(stage, f"{seconds:.2f}", each)
    table.add_row("from begin to end", f"{report.wall_seconds:.2f}", "", style="dim")
    console.print(Padding(table, (1, 1, 0, 1)))


def _biopsies(lines: Iterable[BiopsyLine], width: int) -> Table:
    """The figures of the biopsies, and the call in a word; its sentence stands below.

    Only the names give way on a narrow terminal: a figure or a call that is cut off could be misread.
    """
    narrow = width < _NARROW
    table = make_table()
    table.expand = False
    table.padding = (0, 1 if narrow else 2, 0, 0)
    table.add_column("Biopsy", overflow="fold", min_width=6)
    for header, justify in _FIGURE_COLUMNS:
        table.add_column(_SHORT.get(header, header) if narrow else header, justify=justify, no_wrap=True)
    table.add_column("Call", no_wrap=True)
    for line in lines:
        interval = f"{_figure(line.low_per_mm)} to {_figure(line.high_per_mm)}"
        table.add_row(
            Text(line.name),
            f"{line.sections_evaluable} of {line.sections}",
            _figure(line.density_per_mm),
            interval if line.low_per_mm is not None else "",
            _figure(line.limit_per_mm, 2),
            Text(_verdict(line).replace(", ", ",\n" if narrow else ", "), style=_call_style(line)),
        )
    return table


def _verdict(line: BiopsyLine) -> str:
    """The call in a word; a borderline one is never shown without that word."""
    if line.below is None:
        return "withheld"
    return ("below" if line.below else "not below") + (", borderline" if line.borderline else "")


def _calls(lines: Iterable[BiopsyLine]) -> RenderableType:
    """The calls in sentences, each with the biopsies that it holds for."""
    names: dict[str, list[str]] = {}
    for line in lines:
        names.setdefault(line.call, []).append(line.name)
    parts = []
    for call, biopsies in names.items():
        more = f" and {len(biopsies) - _MANY_NAMES} more" if len(biopsies) > _MANY_NAMES else ""
        who = ", ".join(biopsies[:_MANY_NAMES]) + more
        parts.append(Text(f"{who}: ", style="bold").append(call, style="not bold"))
    return Padding(Group(*parts), (1, 0, 1, 0))


def make_table() -> Table:
    return Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), expand=True)


def _call_style(line: BiopsyLine) -> str:
    if line.below is None:
        return "dim"
    if line.borderline:
        return "yellow"
    return "bold" if line.below else ""


def _figure(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _troubles(troubles: Iterable[Trouble]) -> RenderableType:
    table = make_table()
    table.add_column("Not ok", no_wrap=True)
    table.add_column("File, reason, and what to do", overflow="fold", ratio=1)
    for trouble in troubles:
        what = Text(trouble.file).append(f"\n{trouble.text}", style="default")
        if trouble.remedy:
            what.append(f" {trouble.remedy}", style="dim")
        table.add_row(Text(trouble.status, style=_STATUS_STYLE.get(trouble.status, "")), what)
    return Padding(table, (0, 0, 1, 0))


def _more(count: int, file: str) -> list[RenderableType]:
    return [Text(f"... and {count} more in {file}", style="dim")] if count > 0 else []


def _tally(report: RunReport) -> Text:
    parts = [
        f"{count} {name}"
        for name, count in (
            ("ok", report.ok), ("refused", report.refused), ("failed", report.failed),
            ("not yet analyzed", report.pending),
        )
        if count or name == "ok"
    ]  # fmt: skip
    text = Text(f"{plural(report.rows, 'section')}: {', '.join(parts)}.", style="bold")
    before = report.rows - report.pending - report.analyzed - report.failed
    if before > 0 and report.analyzed >= 0:
        text.append(f" {before} of them were done before.", style="not bold")
    if report.skipped:
        text.append(f" {plural(report.skipped, 'other file')} skipped.", style="not bold dim")
    if report.interrupted:
        text.append(" Interrupted: the same command goes on from here.", style="not bold yellow")
    return text


def _outputs(folder: Path) -> Text:
    text = Text()
    text.append(f"Tables    {folder / 'biopsies.csv'}, sections.csv, crossings.csv\n", style="dim")
    text.append(f"Overlays  {folder / 'overlays'}", style="dim")
    return text


def plural(count: int, noun: str) -> str:
    """A count with its noun: 1 biopsy, 2 biopsies."""
    if count == 1:
        return f"{count} {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"
