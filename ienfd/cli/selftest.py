"""`ienfd selftest`: does this installation do what it should?"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import click

__all__ = ["selftest"]

_LIBRARIES = ("numpy", "scipy", "scikit-image", "tifffile", "imagecodecs", "pillow", "shapely", "sqlalchemy")
_TABLES = ("sections.csv", "crossings.csv", "biopsies.csv")
_SEED = 20


@click.command()
def selftest() -> int:
    """Check this installation: libraries, processes, the database, one section from file to table.

    Exit status 0 when everything works, 1 otherwise. Takes some seconds and writes only to the
    system's temporary folder.
    """
    import ienfd

    click.echo(f"ienfd {ienfd.__version__}, Python {platform.python_version()}, {platform.platform()}")
    good = True
    for name, check in _checks():
        try:
            said, ok = check(), True
        except Exception as error:  # whatever it is, it is what the check has found
            said, ok = f"{type(error).__name__}: {error}", False
        good = good and ok
        click.echo(f"{'ok    ' if ok else 'FAILED'}  {name}: {said}")
    click.echo("This installation works." if good else "This installation does not work.")
    return 0 if good else 1


def _checks() -> Iterator[tuple[str, Callable[[], str]]]:
    yield "libraries", _libraries
    yield "norms", _norms
    yield "one section from file to table", _one_section


def _libraries() -> str:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError as error:
            raise RuntimeError(f"{name} is not installed") from error
    return ", ".join(found)


def _norms() -> str:
    from ienfd import norms

    return ", ".join(norms.available())


def _one_section() -> str:
    """Make a phantom, run the whole batch on it, and compare with its truth."""
    from ienfd.batch.plan import BatchOptions
    from ienfd.batch.run import run_batch
    from ienfd.phantom import write_set

    # a study may hold a file open for a moment longer on Windows: that is no failure of the check
    with TemporaryDirectory(ignore_cleanup_errors=sys.platform == "win32") as folder:
        images, out = Path(folder) / "images", Path(folder) / "study"
        write_set(images, 1, _SEED, stain="bright-field", length_mm=0.8)
        report = run_batch(BatchOptions(images, out), workers=1)
        missing = [
            name for name in ("sections", "crossings", "biopsies") if not (out / f"{name}.csv").exists()
        ]
        if missing:
            raise RuntimeError(f"no {', '.join(missing)}")
        if report.ok != 1:
            reasons = "; ".join(trouble.text for trouble in report.troubles)
            raise RuntimeError(f"the section ended as not ok: {reasons}")
        if not any((out / "overlays").iterdir()):
            raise RuntimeError("no overlay was drawn")
        return f"{report.wall_seconds:.1f} s"
