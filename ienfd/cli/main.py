"""The `ienfd` command: which commands there are, and what an error becomes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from ienfd import __version__
from ienfd.cli.lazy import LazyGroup
from ienfd.errors import EnvironmentProblem, IenfdError, MissingExtraError, UsageError

__all__ = ["EXIT_ENVIRONMENT", "EXIT_FAILED", "EXIT_INTERRUPTED", "EXIT_USAGE", "cli", "main"]

EXIT_ENVIRONMENT, EXIT_USAGE, EXIT_FAILED, EXIT_INTERRUPTED = 1, 2, 3, 130

_COMMANDS = {
    "run": ("ienfd.cli.run:run", "Analyze a folder of micrographs into a study."),
    "watch": ("ienfd.cli.watch:watch", "Analyze files as a scanner finishes writing them."),
    "status": ("ienfd.cli.status:status", "Say what is done in a study, and what to do next."),
    "review": ("ienfd.cli.review:review", "Look at every crossing in napari, and correct it."),
    "sign": ("ienfd.cli.sign:sign", "Sign a reviewed biopsy."),
    "report": ("ienfd.cli.report:report", "Write the reports of a study as documents."),
    "export": ("ienfd.cli.export:export", "Write the tables and pictures of a study elsewhere."),
    "import-edits": ("ienfd.cli.import_edits:import_edits", "Bring back what was changed in QuPath."),
    "verify": ("ienfd.cli.keeping:verify", "Find out whether anything in a study was altered."),
    "backup": ("ienfd.cli.keeping:backup", "Copy the database of a study into one file."),
    "inspect": ("ienfd.cli.inspect:inspect", "Print what ienfd understands of one file."),
    "agree": ("ienfd.cli.agree:agree", "Compare a study with a count by hand."),
    "recall": ("ienfd.cli.recall:recall", "Call a study by another norm, without analyzing anything."),
    "norms": ("ienfd.cli.norms:norms", "List norms and limits; enter or build norms of your own."),
    "protocol": ("ienfd.cli.protocol:protocol", "Write, show, check or pin a protocol."),
    "train": ("ienfd.cli.train:train", "Learn from reviewed sections how sure a crossing is."),
    "phantom": ("ienfd.cli.phantom:phantom", "Make synthetic sections with exact truth."),
    "demo": ("ienfd.cli.demo:demo", "Make six synthetic sections and analyze them."),
    "selftest": ("ienfd.cli.selftest:selftest", "Check this installation."),
}


@click.group(
    cls=LazyGroup,
    commands_in=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="ienfd", message="%(prog)s %(version)s")
def cli() -> None:
    """Count intraepidermal nerve fibers in skin biopsies.

    A folder of micrographs goes in; for every section the epidermis, its junction with the dermis,
    the nerve fibers and their crossings come out, and for every biopsy a density per mm with its
    interval, and how it lies to the norm for age and sex. For research use.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status: 0 done, 1 the environment, 2 usage, 3 a file failed, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):  # a file name may hold what the terminal cannot show
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = cli.main(args=arguments, prog_name="ienfd", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("Interrupted.")
        return EXIT_INTERRUPTED
    except IenfdError as error:
        _say(_message(error))
        return _status(error)
    except BrokenPipeError:  # the reader of our output has gone, as in `ienfd ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ENVIRONMENT
    return status if isinstance(status, int) else 0


def _status(error: IenfdError) -> int:
    if isinstance(error, UsageError):
        return EXIT_USAGE
    if isinstance(error, EnvironmentProblem | MissingExtraError):
        return EXIT_ENVIRONMENT
    return EXIT_FAILED


def _message(error: IenfdError) -> str:
    return "\n".join(line for line in (f"ienfd: {error.text}", error.remedy) if line)


def _say(message: str) -> None:
    click.echo(message, err=True)
