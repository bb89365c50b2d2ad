"""`ienfd run`: a folder of micrographs goes in, a study comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ienfd.batch.plan import BatchOptions, Plan
    from ienfd.batch.report import RunReport

__all__ = ["batch_options", "common_options", "exit_status", "run"]

_FILE = click.Path(path_type=Path, dir_okay=False)


_COMMON = (
    click.option(
        "--out",
        required=True,
        metavar="STUDY",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the study; it is made if it does not exist.",
    ),
    click.option(
        "--cases", type=_FILE, help="Case table (CSV); by default IMAGES/cases.csv, if there is one."
    ),
    click.option("--protocol", type=_FILE, help="Protocol file (TOML); by default efns2010."),
    click.option(
        "--workers", type=click.IntRange(1), help="Processes at work; by default one for each processor."
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Work on a Dask cluster (tls://host:8786) instead of processes of this machine.",
    ),
    click.option(
        "--insecure-scheduler", is_flag=True, help="Allow one without encryption on another machine."
    ),
    click.option("--strict", is_flag=True, help="Exit with 3 when a section is refused, too."),
    click.option(
        "--pixel-size-um",
        type=click.FloatRange(0, min_open=True),
        metavar="UM",
        help="Pixel size of all files that the case table gives none for.",
    ),
    click.option(
        "--axes", metavar="AXES", help="Meaning of the axes where a file does not say, for example ZCYX."
    ),
    click.option(
        "--stain",
        type=click.Choice(["bright-field", "fluorescence"]),
        help="Stain of all files that the case table gives none for.",
    ),
    click.option(
        "--name-pattern",
        metavar="PATTERN",
        help="Take case data from file names, for example {case_id}_{site}_*.",
    ),
    click.option(
        "--progress",
        type=click.Choice(["auto", "json", "none"]),
        default="auto",
        show_default=True,
        help="A bar on a terminal, JSON lines, or nothing.",
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(1),
        default=600,
        show_default=True,
        metavar="SECONDS",
        help="A section that takes longer fails.",
    ),
    click.option("--group", is_flag=True, help="Let the group of a new study folder use the study, too."),
)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that analyzes images."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


@click.command()
@click.argument("images", type=click.Path(path_type=Path))
@common_options
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--rule-table",
    is_flag=True,
    help="Also write rule_table.csv: every section under every counting rule and length line.",
)
@click.option("--profile", is_flag=True, help="Print the seconds spent in each stage.")
def run(images: Path, out: Path, **given: Any) -> int:
    """Analyze IMAGES, a file or a folder with all its folders, into a study.

    Finished sections are not analyzed again: the same command goes on where it was interrupted, and
    takes up what is new. Nothing is ever written beside the images.

    Exit status: 0 when every section is ok or refused, 3 when one failed, 2 usage, 1 environment,
    130 interrupted.
    """
    options = batch_options(images, out, given)
    if given["dry_run"]:
        return _dry_run(options, given["workers"])
    from ienfd.batch.run import run_batch
    from ienfd.cli.progress import listening

    with listening(given["progress"]) as listener:
        report = run_batch(options, workers=given["workers"], listener=listener)
    _print(report, given)
    if given["rule_table"] and not report.interrupted:
        _rule_table(out, given)
    return exit_status(report, strict=given["strict"])


def _rule_table(out: Path, given: dict[str, Any]) -> None:
    from ienfd.batch.rule_table import write_rule_table
    from ienfd.cli.console import make_console
    from ienfd.cli.rules import print_rule_totals
    from ienfd.study.store import Store

    with Store(out) as store:
        totals = write_rule_table(store)
    if given["progress"] != "json":
        print_rule_totals(make_console(), totals, out)


def batch_options(images: Path, out: Path, given: dict[str, Any]) -> BatchOptions:
    """What these options ask of a run."""
    from ienfd.batch.plan import BatchOptions
    from ienfd.protocol import Protocol, load_protocol

    return BatchOptions(
        images=images,
        out=out,
        protocol=load_protocol(given["protocol"]) if given["protocol"] else Protocol(),
        cases=given["cases"],
        name_pattern=given["name_pattern"],
        pixel_size_um=given["pixel_size_um"],
        axes=given["axes"],
        stain=given["stain"],
        time_limit_s=given["time_limit"],
        shared=given["group"],
        scheduler=given["scheduler"],
        insecure_scheduler=given["insecure_scheduler"],
    )


def _dry_run(options: BatchOptions, workers: int | None) -> int:
    from ienfd.batch.run import make_executor, plan_batch
    from ienfd.cli.console import make_console
    from ienfd.cli.plan import print_plan

    with make_executor(options, workers) as pool:
        plan = plan_batch(options, pool)
    print_plan(make_console(), plan, _known(plan))
    return 0


def _known(plan: Plan) -> set[str]:
    """Which of the analyses of a plan are done; a study that does not exist is not made."""
    from ienfd.study.config import is_study
    from ienfd.study.store import Store

    if not is_study(plan.options.out):
        return set()
    with Store(plan.options.out) as store:
        wanted = [item.record.analysis_id for item in plan.items if item.record.analysis_id]
        return store.known_analyses(wanted)


def _print(report: RunReport, given: dict[str, Any]) -> None:
    from ienfd.cli.console import make_console, print_profile, print_report

    if given["progress"] == "json":
        from ienfd.cli.progress import print_json_report

        print_json_report(report)
        return
    console = make_console()
    print_report(console, report)
    if given["profile"]:
        print_profile(console, report)


def exit_status(report: RunReport, *, strict: bool) -> int:
    """The exit status that a report stands for."""
    from ienfd.cli.main import EXIT_FAILED, EXIT_INTERRUPTED

    if report.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if report.failed or (strict and report.refused) else 0
