"""`ienfd norms template`, `add` and `build`: the norms of a laboratory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from PIL.Image import Image

    from ienfd.norms.building import Built
    from ienfd.norms.cohort import Cohort

__all__ = ["add", "build", "template"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_LINE_STEPS = 60


@click.command()
@click.argument("norm_id", metavar="ID")
@click.option("--out", type=_FILE, metavar="FILE", help="File to write; by default ID.toml.")
def template(norm_id: str, out: Path | None) -> int:
    """Write a form for the norm ID (lauria2010 or provitera2016), to be filled in a text editor.

    It holds the frame and the citation, and an empty cell for every figure: ienfd ships none that could
    not be verified. Fill it from your own copy of the publication, then: ienfd norms add FILE --by NAME
    """
    from ienfd.errors import UsageError
    from ienfd.norms.laboratory import write_norm
    from ienfd.norms.registry import template as form

    text = form(norm_id)
    target = out or Path(f"{norm_id}.toml")
    if target.exists():
        raise UsageError("option_invalid", f"{target} exists")
    write_norm(target, text.encode())
    click.echo(f"Form written: {target}")
    click.echo(f'Next: fill its empty cells, then ienfd norms add {target} --by "Your name"')
    return 0


@click.command()
@click.argument("file", type=_FILE)
@click.option("--by", required=True, metavar="NAME", help="Who enters it.")
@click.option("--replace", "replacing", is_flag=True, help="Take the place of another norm of its id.")
def add(file: Path, by: str, replacing: bool) -> int:
    """Check the norm in FILE, stamp it with who entered it and when, and keep it for all studies.

    Every cell must be filled, every figure plausible; a limit that rises with age, or is higher in men,
    must be explained. What is wrong is named with its cell, and nothing is entered.
    """
    from ienfd.norms.laboratory import enter

    entry = enter(file, by=by, replacing=replacing)
    norm, stamp = entry.norm, entry.norm.entered
    if stamp is None:
        raise ValueError(f"{norm.id} has no stamp")
    if entry.fresh:
        click.echo(f"Entered: {norm.id}, by {stamp.by}, {stamp.at}")
    else:
        click.echo(f"Nothing to do: {norm.id} was entered by {stamp.by}, {stamp.at}, with the same figures")
    click.echo(f"Kept in {entry.path} (hash {stamp.sha256})")
    if entry.former is not None:
        click.echo(f"The former one is kept in {entry.former}")
    name = "norm_bright_field" if norm.stain == "bright-field" else "norm_fluorescence"
    click.echo(f'To call by it: {name} = "{norm.id}" under [call] in the protocol, or ienfd recall')
    return 0


@click.command()
@click.argument("table", metavar="HEALTHY.CSV", type=_FILE)
@click.option("--out", required=True, type=_FILE, metavar="FILE", help="Norm file to write.")
@click.option("--id", "norm_id", required=True, metavar="ID", help="Name of the norm.")
@click.option("--by", required=True, metavar="NAME", help="Who has it fitted.")
@click.option(
    "--stain", required=True, type=click.Choice(["bright-field", "fluorescence"]),
    help="Stain of the sections.",
)  # fmt: skip
@click.option(
    "--section-um", required=True, type=click.FloatRange(0, min_open=True), metavar="UM",
    help="Thickness of the sections.",
)  # fmt: skip
@click.option(
    "--length-line", required=True, type=click.Choice(["surface", "junction", "chord"]),
    help="Line whose millimeters the densities count per.",
)  # fmt: skip
@click.option(
    "--site", type=click.Choice(["distal_leg", "thigh", "foot"]), default="distal_leg", show_default=True,
    help="Where the biopsies were taken.",
)  # fmt: skip
@click.option("--title", metavar="TEXT", help="Title of the norm; by default its name.")
@click.option("--age-lo", type=float, metavar="YEARS", help="Youngest age; by default that of the subjects.")
@click.option("--age-hi", type=float, metavar="YEARS", help="It holds for ages under this one.")
@click.option(
    "--resamples", type=click.IntRange(100), default=500, show_default=True, help="Of the bootstrap."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the bootstrap.")
def build(table: Path, out: Path, **given: Any) -> int:
    """Fit a norm of your own: the 5th percentile of healthy subjects by age and sex.

    HEALTHY.CSV has one row for each person, with age_years, sex (F or M) and density_per_mm. It takes 40
    subjects, and 20 of each sex; under 120 the norm is provisional, and every call from it says so.
    Written are the norm file and, beside it, a picture of subjects, limit and bootstrap interval. Look at
    it, then: ienfd norms add FILE --by NAME
    """
    from io import BytesIO

    from ienfd.draw.png import save_png
    from ienfd.errors import UsageError
    from ienfd.norms.building import NormWanted, build_norm
    from ienfd.norms.cohort import read_cohort
    from ienfd.norms.laboratory import write_norm

    picture = out.with_suffix(".png")
    if picture == out:
        raise UsageError("option_invalid", f"--out: {out} is the name of the picture beside the norm")
    for target in (out, picture):
        if target.exists():
            raise UsageError("option_invalid", f"--out: {target} exists")
    norm_id = given.pop("norm_id")
    title = given.pop("title") or norm_id
    cohort = read_cohort(table)
    built = build_norm(cohort, NormWanted(id=norm_id, title=title, **given))
    drawn = BytesIO()
    save_png(_diagnostics(cohort, built), drawn)
    write_norm(picture, drawn.getvalue())
    write_norm(out, built.text.encode())
    _print_built(built, out, picture)
    return 0


def _print_built(built: Built, out: Path, picture: Path) -> None:
    norm, fit = built.norm, built.norm.fit
    marked = ", provisional" if norm.provisional else ""
    click.echo(f"{norm.id}: {norm.n} subjects ({norm.n_men} men, {norm.n_women} women){marked}")
    for limit in norm.limits:
        click.echo(f"  {limit.sex}  {norm.age_lo:g} to <{norm.age_hi:g}  {limit.formula} /mm")
    for one in fit.intervals if fit else ():
        interval = f"{one.low_per_mm:.2f} to {one.high_per_mm:.2f}"
        click.echo(f"  {one.sex}  at {one.age_years:g} years  {one.limit_per_mm:.2f} /mm ({interval})")
    click.echo(f"Written: {out}, {picture}")
    for question in built.open_questions:
        click.echo(f"Before it can be added: {question}")
    click.echo(f'Next: look at the picture, then ienfd norms add {out} --by "Your name"')


def _diagnostics(cohort: Cohort, built: Built) -> Image:
    import numpy as np

    from ienfd.draw.cohort_plot import CohortPanel, cohort_plot
    from ienfd.norms.building import interval_of, lies_below

    norm = built.norm
    panels = []
    for limit in norm.limits:
        own = cohort.of(limit.sex)
        ages = np.linspace(limit.age_lo, limit.age_hi, _LINE_STEPS)
        low, high = interval_of(built.resampled, limit.sex, ages)
        panels.append(
            CohortPanel(
                title=f"{'women' if limit.sex == 'F' else 'men'}, n = {len(own)}: {limit.formula}",
                ages_years=np.array([subject.age_years for subject in own]),
                densities_per_mm=np.array([subject.density_per_mm for subject in own]),
                below=np.array([lies_below(subject, limit) for subject in own]),
                line_years=ages,
                limits_per_mm=np.array([limit.at(age) for age in ages]),
                low_per_mm=low,
                high_per_mm=high,
            )
        )
    marked = ", provisional" if norm.provisional else ""
    below = norm.fit.subjects_below if norm.fit else 0
    note = f"5th percentile with its 95 % bootstrap interval; {below} of {norm.n} subjects lie below{marked}"
    return cohort_plot(panels, norm.title, note)
