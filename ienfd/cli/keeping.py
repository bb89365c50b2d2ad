"""`ienfd verify` and `ienfd backup`: that nothing of a study is altered, and that nothing is lost."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["backup", "verify"]

_STUDY = click.argument("study", type=click.Path(path_type=Path, file_okay=False))


@click.command()
@_STUDY
@click.option("--no-images", is_flag=True, help="Do not read the images again.")
def verify(study: Path, no_images: bool) -> int:
    """Find out whether what people did in STUDY, or its images, were altered.

    Looks at every entry of the log of edits, every sign-off and every protocol, and compares every image
    with the hash of its content when it was analyzed. Results can be made anew from the images, and are
    not looked at. Exit status 3 when something is wrong.
    """
    from rich.text import Text

    from ienfd.cli.console import make_console, make_progress, plural
    from ienfd.cli.main import EXIT_FAILED
    from ienfd.study.store import Store
    from ienfd.study.verify import check_images, check_store

    console, errors = make_console(), make_console(stderr=True)
    images = 0
    with Store(study) as store, store.reading() as session:
        head = store.head()
        problems = check_store(session)
        if not no_images:
            with make_progress(errors) as bar:
                for found in bar.track(check_images(session), description="Reading the images"):
                    images += 1
                    problems += [found] if found else []
    for problem in problems:
        console.print(Text(f"{problem.where}: {problem.text}"), soft_wrap=True)
    read = "" if no_images else f" and {plural(images, 'image')}"
    console.print(f"Checked {plural(head.seq, 'edit')}{read}: {plural(len(problems), 'problem')}.")
    console.print(f"The log of edits ends at {head.seq}, {head.hash}", style="dim", soft_wrap=True)
    return EXIT_FAILED if problems else 0


@click.command()
@_STUDY
@click.option(
    "--to", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="File to write; by default one named by the time in STUDY/backups.",
)  # fmt: skip
def backup(study: Path, target: Path | None) -> int:
    """Copy the database of STUDY into one file, also while others work on it.

    The copy is a complete database: in place of `study.sqlite` it is the study as it was, also when
    the study itself lies on a server. The tables and overlays beside it are made anew by the next run.
    """
    from ienfd.cli.console import make_console
    from ienfd.study.store import Store

    with Store(study) as store:
        made = store.back_up(target)
    make_console().print(f"Backup: {made}", soft_wrap=True)
    return 0
