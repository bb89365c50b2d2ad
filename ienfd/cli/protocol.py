"""`ienfd protocol`: every choice a laboratory makes, with its value."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ienfd.cli.lazy import LazyGroup

__all__ = ["protocol"]

_MODULE = "ienfd.cli.protocol"


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def show(file: Path | None) -> None:
    """Print a protocol as TOML with every value; without FILE the built-in efns2010.

    The output is itself a protocol file: keep the lines you want to fix, change what differs.
    """
    from ienfd.protocol import Protocol, load_protocol

    chosen = load_protocol(file) if file else Protocol()
    click.echo(f"# protocol {chosen.id}, hash {chosen.hash}")
    click.echo(_toml(asdict(chosen)), nl=False)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def check(file: Path) -> None:
    """Check a protocol file, and say in what it differs from efns2010."""
    from ienfd.protocol import Protocol, load_protocol

    chosen = load_protocol(file)
    click.echo(f"{file} is valid: protocol {chosen.id}, hash {chosen.hash}")
    differences = list(_differences(asdict(Protocol()), asdict(chosen)))
    for name, usual, here in differences:
        click.echo(f"  {name} = {_value(here)}    (efns2010: {_value(usual)})")
    if not differences:
        click.echo("  All values are those of efns2010.")


@click.group(
    cls=LazyGroup,
    commands_in={
        "show": (f"{_MODULE}:show", "Print a protocol as TOML with every value."),
        "check": (f"{_MODULE}:check", "Check a protocol file, and say in what it differs."),
    },
)
def protocol() -> None:
    """Show or check a protocol with all its values."""


def _differences(usual: dict[str, Any], here: dict[str, Any], prefix: str = "") -> Any:
    for name, value in usual.items():
        if isinstance(value, dict):
            yield from _differences(value, here[name], f"{prefix}{name}.")
        elif value != here[name] and name != "id":
            yield f"{prefix}{name}", value, here[name]


def _toml(values: dict[str, Any], section: str = "") -> str:
    plain = [(name, value) for name, value in values.items() if not isinstance(value, dict)]
    lines = [f"\n[{section}]"] if section else []
    for name, value in plain:
        # TOML knows no null: what has no value is shown, but not set
        lines.append(f"# {name} is not set" if value is None else f"{name} = {_value(value)}")
    text = "".join(f"{line}\n" for line in lines)
    inner = ((name, value) for name, value in values.items() if isinstance(value, dict))
    return text + "".join(_toml(value, name) for name, value in inner)


def _value(value: Any) -> str:
    """A value in TOML's spelling."""
    import json

    if value is None:
        return "not set"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are alike in both
