"""`ienfd protocol`: every choice a laboratory makes, with its value, and what it has validated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ienfd.cli.lazy import LazyGroup

__all__ = ["protocol"]

_MODULE = "ienfd.cli.protocol"
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--id", "protocol_id", metavar="ID", help="Name of the protocol; by default that of the file.")
def new(file: Path, protocol_id: str | None) -> None:
    """Write a protocol to FILE: every choice with its value and its meaning, to be changed in a text editor.

    Its values are those of the built-in efns2010.
    """
    from ienfd.errors import UsageError
    from ienfd.protocol import Protocol
    from ienfd.protocol_file import write_protocol

    name = file.stem if protocol_id is None else protocol_id.strip()
    if not name or not name.isprintable():
        raise UsageError("option_invalid", f"--id: {name!r} is no name")
    write_protocol(file, Protocol(name))
    click.echo(f"Protocol {name} written: {file}")
    click.echo(f"Next: change what differs, then ienfd protocol check {file}")


@click.command()
@click.argument("file", required=False, type=_FILE)
def show(file: Path | None) -> None:
    """Print a protocol as TOML with every value; without FILE the built-in efns2010.

    The output is itself a protocol file: keep the lines you want to fix, change what differs.
    """
    from ienfd.protocol import Protocol, load_protocol
    from ienfd.protocol_file import protocol_toml

    chosen = load_protocol(file) if file else Protocol()
    click.echo(f"# protocol {chosen.id}, hash {chosen.hash}")
    click.echo(protocol_toml(chosen), nl=False)


@click.command()
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Check a protocol file, and say in what it differs from efns2010."""
    from ienfd.protocol import Protocol, load_protocol
    from ienfd.protocol_file import toml_value

    chosen = load_protocol(file)
    click.echo(f"{file} is valid: protocol {chosen.id}, hash {chosen.hash}")
    differences = list(_differences(asdict(Protocol()), asdict(chosen)))
    for name, usual, here in differences:
        click.echo(f"  {name} = {toml_value(here)}    (efns2010: {toml_value(usual)})")
    if not differences:
        click.echo("  All values are those of efns2010.")


@click.command()
@click.argument("file", required=False, type=_FILE)
@click.option("--by", required=True, metavar="NAME", help="Who states that it was validated.")
@click.option("--note", default="", metavar="TEXT", help="Where the validation is written down.")
def pin(file: Path | None, by: str, note: str) -> None:
    """Pin the protocol in FILE and this version of ienfd as what your laboratory has validated.

    Without FILE it is the built-in efns2010. From the next run on, a study says on every report and in
    its tables (flag not_validated) what was analyzed or called otherwise. ienfd validates nothing itself.
    The pin is kept for all studies of this account, or of everybody who has IENFD_VALIDATED name its file.
    """
    from ienfd.protocol import Protocol, load_protocol
    from ienfd.study.validated import pin as write_pin

    entry, path = write_pin(load_protocol(file) if file else Protocol(), by=by, note=note)
    click.echo(f"Pinned: {entry.words}")
    click.echo(f"Kept in {path}; studies take it up with their next run")


@click.command()
def pinned() -> None:
    """Print which protocol and version your laboratory has pinned as validated."""
    import ienfd
    from ienfd.analysis_key import ALGORITHM_VERSION
    from ienfd.study.validated import validated_file, validated_now

    entry = validated_now()
    if entry is None:
        click.echo("No validated protocol is pinned. To do so: ienfd protocol pin FILE --by NAME")
        return
    click.echo(f"{entry.words}\n  hash {entry.protocol_hash}\n  in {validated_file()}")
    if not entry.covers((), (ALGORITHM_VERSION,)):
        here = f"ienfd {ienfd.__version__}, image analysis {ALGORITHM_VERSION}"
        click.echo(f"  This is {here}: what it analyzes or calls is marked as not validated.")


@click.group(
    cls=LazyGroup,
    commands_in={
        "new": (f"{_MODULE}:new", "Write a protocol with every value and its meaning, to be changed."),
        "show": (f"{_MODULE}:show", "Print a protocol as TOML with every value."),
        "check": (f"{_MODULE}:check", "Check a protocol file, and say in what it differs."),
        "pin": (f"{_MODULE}:pin", "Pin a protocol and this version as what was validated."),
        "pinned": (f"{_MODULE}:pinned", "Print what is pinned."),
    },
)
def protocol() -> None:
    """Write, show or check a protocol with all its values; pin the one that was validated."""


def _differences(
    usual: dict[str, Any], here: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    for name, value in usual.items():
        if isinstance(value, dict):
            yield from _differences(value, here[name], f"{prefix}{name}.")
        elif value != here[name] and name != "id":
            yield f"{prefix}{name}", value, here[name]
