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
_OWN = "ienfd.cli.norms_own"
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
        said = "; ".join((norm.statistic, *_marks(norm)))
        table.add_row(norm.id, norm.stain, norm.site, ages, str(norm.n), said)
    make_console().print(table)
    _say_unusable()


@click.command()
@click.argument("norm_id", metavar="ID")
def show(norm_id: str) -> None:
    """Print all that is known of the norm ID, and what its publication does not state."""
    from ienfd.norms.laboratory import find

    norm = find(norm_id)
    click.echo(norm.id)
    for label, text in _facts(norm):
        click.echo(f"  {label:<{_LABEL_WIDTH}} {text}")
    click.echo("  limits, fibers per mm:")
    for limit in norm.limits:
        ages = f"{limit.age_lo:g} to <{limit.age_hi:g}"
        click.echo(f"    {limit.sex}  {ages:<9}  {limit.formula}")
    if norm.percentiles:
        click.echo("  further percentiles, fibers per mm:")
    for line in norm.percentiles:
        formula = f"{line.intercept_per_mm:g} {line.slope_per_mm_per_year:+g} x age"
        click.echo(f"    {line.sex}  {line.percentile:<9g}  {formula}")
    if norm.fit is not None:
        click.echo(f"  bootstrap intervals ({100 * norm.fit.level:g} %), fibers per mm:")
        for one in norm.fit.intervals:
            interval = f"{one.low_per_mm:.2f} to {one.high_per_mm:.2f}"
            click.echo(f"    {one.sex}  {one.age_years:<9g}  {one.limit_per_mm:.2f}  ({interval})")


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
    from ienfd.norms.laboratory import find

    asked = [norm for norm in ([find(norm_id)] if norm_id else _all()) if stain in (None, norm.stain)]
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
        click.echo("; ".join((f"      for {norm.stain}, {norm.site}; n = {norm.n}", *_marks(norm))))
        if norm.caveat:
            click.echo(f"      caveat: {norm.caveat}")


@click.group(
    cls=LazyGroup,
    commands_in={
        "list": (f"{_MODULE}:list_norms", "List the norms that a biopsy can be called against."),
        "show": (f"{_MODULE}:show", "Print all that is known of a norm."),
        "limit": (f"{_MODULE}:limit", "Look up the limit for an age and sex."),
        "template": (f"{_OWN}:template", "Write a form for a norm whose figures you have."),
        "add": (f"{_OWN}:add", "Check a norm file, stamp it and keep it."),
        "build": (f"{_OWN}:build", "Fit a norm to healthy subjects of your own."),
    },
)
def norms() -> None:
    """List norms and limits; enter or build norms of your own.

    Norms of a laboratory lie in the user's data folder, or in the one that IENFD_NORMS names.
    """


def _all() -> list[Norm]:
    """Those that come with ienfd, then those of the laboratory that may be used."""
    from ienfd.norms import available, load
    from ienfd.norms.laboratory import own_norms

    built_in = [load(norm_id) for norm_id in available()]
    return [*built_in, *(one.norm for one in own_norms() if one.norm is not None)]


def _say_unusable() -> None:
    from ienfd.norms.laboratory import own_norms

    for one in own_norms():
        if one.problem is not None:
            click.echo(f"Not used: {one.problem.text}", err=True)


def _marks(norm: Norm) -> list[str]:
    """What is said beside a norm of a laboratory wherever it is named."""
    marks = ["provisional"] if norm.provisional else []
    if norm.entered is not None:
        marks.append(f"entered by {norm.entered.by}, {norm.entered.at[:10]}")
    return marks


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
    if norm.provisional:
        yield "provisional", "yes: every call from it says so"
    yield from _origin(norm)
    yield "verification", norm.verification
    if norm.caveat:
        yield "caveat", norm.caveat
    for note in norm.notes:
        yield "note", note


def _origin(norm: Norm) -> Iterator[tuple[str, str]]:
    """Where a norm of a laboratory is from."""
    if norm.source:
        yield "source", norm.source
    if norm.fit is not None:
        fit = norm.fit
        yield "fitted", f"by {fit.by} with ienfd {fit.software_version}: {fit.method}"
        yield "below it", f"{fit.subjects_below} of {norm.n} subjects"
        yield "bootstrap", f"{fit.resamples} resamples, seed {fit.seed}"
    if norm.entered is not None:
        entered = norm.entered
        yield (
            "entered",
            f"by {entered.by} ({entered.account}), {entered.at}, with ienfd {entered.software_version}",
        )
        yield "hash", entered.sha256


def _persons(norm: Norm) -> str:
    if norm.n_men is None or norm.n_women is None:
        return str(norm.n)
    return f"{norm.n} ({norm.n_men} men, {norm.n_women} women)"
