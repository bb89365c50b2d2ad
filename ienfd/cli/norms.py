"""`ienfd norms`: what a density is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ienfd.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from ienfd.norms import Norm

__all__ = ["norms"]

_MODULE = "ienfd.cli.norms"
_NOT_STATED = "not stated"
_LABEL_WIDTH = 17


@click.command("list")
def list_norms() -> None:
    """List the norms that a biopsy can be called against."""
    from ienfd.cli.console import make_console, make_table

    table = make_table()
    for header in ("Norm", "Stain", "Site", "Ages", "n"):
        table.add_column(header, no_wrap=True, justify="right" if header == "n" else "left")
    table.add_column("Lower limit is the", overflow="fold", ratio=1)
    for norm in _all():
        ages = f"{norm.age_lo:g} to <{norm.age_hi:g}"
        table.add_row(norm.id, norm.stain, norm.site, ages, str(norm.n), norm.statistic)
    make_console().print(table)


@click.command()
@click.argument("norm_id", metavar="ID")
def show(norm_id: str) -> None:
    """Print all that is known of the norm ID, and what its publication does not state."""
    from ienfd.norms import load

    norm = load(norm_id)
    click.echo(norm.id)
    for label, text in _facts(norm):
        click.echo(f"  {label:<{_LABEL_WIDTH}} {text}")
    click.echo("  limits, fibers per mm:")
    for limit in norm.limits:
        ages = f"{limit.age_lo:g} to <{limit.age_hi:g}"
        click.echo(f"    {limit.sex}  {ages:<9}  {limit.formula}")


@click.command()
@click.option("--age", "age_years", required=True, type=float, help="Age at collection, in years.")
@click.option("--sex", required=True, type=click.Choice(["F", "M"], case_sensitive=False))
@click.option("--norm", "norm_id", metavar="ID", help="Only this norm.")
@click.option(
    "--stain", type=click.Choice(["bright-field", "fluorescence"]), help="Only norms of this stain."
)
def limit(age_years: float, sex: str, norm_id: str | None, stain: str | None) -> None:
    """Look up the lower limit for an age and sex in every norm that has one.

    A limit holds only inside the frame of its norm: see `ienfd norms show ID`.
    """
    from ienfd.errors import UsageError
    from ienfd.norms import load

    asked = [norm for norm in ([load(norm_id)] if norm_id else _all()) if stain in (None, norm.stain)]
    if not asked:
        raise UsageError("option_invalid", f"{norm_id or 'no norm'} is not for {stain}")
    fitting = [norm for norm in asked if norm.covers(age_years)]
    if not fitting:
        ranges = "; ".join(f"{norm.id} holds from {norm.ages}" for norm in asked)
        raise UsageError("age_outside_norm", f"{age_years:g} years; {ranges}")
    click.echo(f"Lower limit at {age_years:g} years, {sex}:")
    for norm in fitting:
        value = norm.limit_per_mm(age_years, sex)
        click.echo(f"  {norm.id}: {value:.2f} /mm (unrounded {round(value, 6):g}), {norm.statistic}")
        click.echo(f"      for {norm.stain}, {norm.site}; n = {norm.n}")
        if norm.caveat:
            click.echo(f"      caveat: {norm.caveat}")


@click.group(
    cls=LazyGroup,
    commands_in={
        "list": (f"{_MODULE}:list_norms", "List the norms that a biopsy can be called against."),
        "show": (f"{_MODULE}:show", "Print all that is known of a norm."),
        "limit": (f"{_MODULE}:limit", "Look up the limit for an age and sex."),
    },
)
def norms() -> None:
    """List the norms, show one, or look up a limit."""


def _all() -> list[Norm]:
    from ienfd.norms import available, load

    return [load(norm_id) for norm_id in available()]


def _facts(norm: Norm) -> Iterator[tuple[str, str]]:
    yield "citation", norm.citation
    yield "DOI", norm.doi or "none known"
    yield "stain", norm.stain
    yield "site", norm.site
    yield "section thickness", _NOT_STATED if norm.section_um is None else f"{norm.section_um:g} um"
    yield "length line", norm.length_line or _NOT_STATED
    yield "persons", _persons(norm)
    yield "statistic", norm.statistic
    yield "percentile", _NOT_STATED if norm.percentile is None else f"{norm.percentile:g}"
    yield "ages", norm.ages
    yield "verification", norm.verification
    if norm.caveat:
        yield "caveat", norm.caveat
    for note in norm.notes:
        yield "note", note


def _persons(norm: Norm) -> str:
    if norm.n_men is None or norm.n_women is None:
        return str(norm.n)
    return f"{norm.n} ({norm.n_men} men, {norm.n_women} women)"
