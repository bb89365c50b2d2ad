"""A study for statistics: one row a biopsy with all that is known of it, and its plots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import fsum
from typing import Any

from ienfd.draw.norm_plot import Course
from ienfd.draw.study_plots import AgePanel, Dot, count_plot, density_by_age, density_by_group
from ienfd.errors import UsageError
from ienfd.norms import Norm
from ienfd.report.columns import BIOPSIES, Column
from ienfd.report.content import Content
from ienfd.report.csv_text import csv_bytes
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.tables import Row, Table, dictionary_of, tabulate

__all__ = ["COHORT", "cohort_files", "groups_of", "is_own"]

_TABLE, _DICTIONARY = "cohort.csv", "data_dictionary.csv"
_SEXES = {"F": "women", "M": "men", "": "sex not given"}

COHORT: tuple[Column, ...] = (
    Column("group", "Group, from the column that was asked for."),
    Column(
        "evaluable_section_crossings",
        "Crossings of each evaluable section.",
        "list",
    ),
    Column("evaluable_section_lengths_mm", "Evaluable epidermis of each of them, in mm.", "list"),
    Column("surface_length_mm", "Surface of all of them.", "number", "mm", 6),
    Column("junction_length_mm", "Junction of all of them.", "number", "mm", 6),
    Column("chord_length_mm", "Chord of all of them.", "number", "mm", 6),
    Column("excluded_length_mm", "Length of all of them that is not evaluated.", "number", "mm", 6),
    Column("fragments", "Pieces of nerve inside their epidermis that are not seen to cross.", "integer"),
    Column("approaching", "Fibers in them that come up to the junction without visibly crossing.", "integer"),
    Column("dendritic_cells", "Dendritic cells found in them.", "integer"),
    Column("junction_confidence", "Mean over them of its confidence, 0 to 1.", "number", "1", 3),
    Column("section_um", "Thickness of its sections in um, as the case table gives it.", "list"),
    Column("pixel_size_um", "Edge of a pixel of its images in um.", "list"),
    Column("norm_distance_per_mm", "Density less the limit of the norm.", "number", "/mm", 6),
    Column("edits", "Corrections made in the review of all its sections.", "integer"),
    Column("sections_reviewed", "Evaluable sections that are reviewed as they stand.", "integer"),
    Column("algorithm_version", "Version of the image analysis.", "list"),
)
"""What a row holds beside the columns of biopsies.csv."""


def groups_of(content: Content, column: str) -> list[str | None]:
    """What a column of biopsies.csv, or a further one of the case table, says of each biopsy.

    Raises
    ------
    UsageError
        If there is no such column.
    """
    table = tabulate(content)["biopsies"]
    wanted = column.casefold().strip()
    found = next((one for one in table.columns if one.name.casefold().strip() == wanted), None)
    if found is None:
        further = ", ".join(one.name for one in table.columns[len(BIOPSIES) :]) or "none"
        raise UsageError(
            "option_invalid", f"--group {column}: no such column; further ones of the case table: {further}"
        )
    return [_said(row[found.name]) for row in table.rows()]


def is_own(column: str) -> bool:
    """Whether a column is one of every biopsies.csv, and not a further one of the case table."""
    return column.casefold().strip() in {one.name for one in BIOPSIES}


def cohort_files(content: Content, groups: Sequence[str | None] | None = None) -> dict[str, bytes]:
    """The table, its dictionary and the plots, by file name.

    Parameters
    ----------
    content : Content
        All of a study, as it may be shown.
    groups : sequence of (str or None), optional
        Group of each of its biopsies.
    """
    each = list(groups) if groups is not None else [None] * len(content.biopsies)
    table = _table(content, each)
    tables = {_TABLE: table, _DICTIONARY: dictionary_of({_TABLE: table}, _DICTIONARY)}
    files = {name: csv_bytes(one.columns, one.rows()) for name, one in tables.items()}
    seen = [
        (entry, group)
        for entry, group in zip(content.biopsies, each, strict=True)
        if entry.status != "withdrawn" and entry.call.density_per_mm is not None
    ]
    kinds = _kinds([entry for entry, _ in seen])
    shown = [
        (entry, kind if groups is None else group or "not given")
        for (entry, group), kind in zip(seen, kinds, strict=True)
    ]
    plots = {"density_by_age.svg": _by_age(shown), "crossings_per_section.svg": _counts(shown)}
    if groups is not None and shown:
        plots["density_by_group.svg"] = _by_group(shown)
    return files | {name: plot.encode() for name, plot in plots.items()}


def _said(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        value = "|".join(map(str, value))
    text = "" if value is None else str(value).strip()
    return text or None


def _table(content: Content, groups: Sequence[str | None]) -> Table:
    biopsies = tabulate(content)["biopsies"]
    own = {column.name.casefold() for column in COHORT}
    further = [  # of the case table: one may be called group, too
        (column, replace(column, name=f"case_{column.name}") if column.name.casefold() in own else column)
        for column in biopsies.columns[len(BIOPSIES) :]
    ]

    def rows() -> Iterable[Row]:
        for entry, group, row in zip(content.biopsies, groups, biopsies.rows(), strict=True):
            carried = {shown.name: row.pop(column.name) for column, shown in further}
            yield {**row, **_row(entry), "group": group, **carried}

    return Table((*BIOPSIES, *COHORT, *(shown for _, shown in further)), rows)


def _row(entry: BiopsyEntry) -> Row:
    call = entry.call
    sections = [one for one in entry.sections if one.status == "ok" and one.result and one.result.lengths]
    figures = [one.figures() for one in sections]
    lengths = [one.result.lengths for one in sections if one.result and one.result.lengths]
    results = [one.result for one in sections if one.result]
    confidences = [result.findings.measure("junction_confidence") for result in results]
    known = [value for value in confidences if value is not None]
    cells = [result.findings.measure("dendritic_cells") for result in results]
    distance = None
    if call.density_per_mm is not None and call.norm_limit_per_mm is not None:
        distance = call.density_per_mm - call.norm_limit_per_mm
    return {
        "evaluable_section_crossings": [str(one.crossings) for one in figures],
        "evaluable_section_lengths_mm": [f"{one.evaluable_mm or 0:.6f}" for one in figures],
        "surface_length_mm": _sum(lengths, lambda one: one.surface_mm),
        "junction_length_mm": _sum(lengths, lambda one: one.junction_mm),
        "chord_length_mm": _sum(lengths, lambda one: one.chord_mm),
        "excluded_length_mm": _sum(lengths, lambda one: one.excluded_mm),
        "fragments": _sum(results, lambda one: one.tally("fragment")),
        "approaching": _sum(results, lambda one: one.tally("approaching")),
        "dendritic_cells": _sum([value for value in cells if value is not None], round),
        "junction_confidence": fsum(known) / len(known) if known else None,
        "section_um": _different(entry.sections, lambda one: one.case.get("section_um")),
        "pixel_size_um": _different(entry.sections, lambda one: one.figures().pixel_size_um),
        "norm_distance_per_mm": distance,
        "edits": sum(one.corrected.edits for one in entry.sections if one.corrected),
        "sections_reviewed": sum(bool(one.corrected and one.corrected.readers) for one in sections),
        "algorithm_version": sorted({one.placement.algorithm_version for one in entry.sections}),
    }


def _sum(items: Sequence[Any], value: Callable[[Any], float]) -> float | None:
    return fsum(value(item) for item in items) if items else None


def _different(sections: Iterable[SectionEntry], value: Callable[[SectionEntry], Any]) -> list[str]:
    found = {value(one) for one in sections}
    return [f"{number:g}" for number in sorted(number for number in found if isinstance(number, int | float))]


def _kinds(biopsies: Sequence[BiopsyEntry]) -> list[str]:
    """Site and stain of each, as far as they are not the same in all: they do not compare."""
    each = [((e.record.site or "site not given").replace("_", " "), e.call.stain or "") for e in biopsies]
    differ = [len(set(column)) > 1 for column in zip(*each, strict=True)]
    return [", ".join(word for word, told in zip(one, differ, strict=True) if told and word) for one in each]


def _by_age(shown: Sequence[tuple[BiopsyEntry, str]]) -> str:
    dots: dict[str, list[Dot]] = {"F": [], "M": [], "": []}
    norms: dict[str, Norm] = {}
    for entry, group in shown:
        call, record = entry.call, entry.record
        if record.age_years is None:
            continue
        figures = call.density_per_mm or 0.0, call.density_low_per_mm or 0.0, call.density_high_per_mm or 0.0
        sex = record.sex if record.sex in _SEXES else ""
        dots[sex or ""].append(Dot(float(record.age_years), *figures, group))
        if call.norm_limit_per_mm is not None:
            norms |= {norm.id: norm for norm in entry.norms if norm.id == call.norm_id}
    lines = f"; line: {', '.join(sorted(norms))}" if norms else ""
    panels = [
        AgePanel(
            f"{_SEXES[sex]}, n = {len(own)}" + (lines if sex else ""),
            tuple(own),
            tuple(_course(norms[norm_id], sex) for norm_id in sorted(norms)) if sex else (),
        )
        for sex, own in dots.items()
        if own or sex
    ]
    return density_by_age(panels, f"Density by age: {_numbers([entry for entry, _ in shown], dots)}")


def _course(norm: Norm, sex: str) -> Course:
    pieces = [
        ((limit.age_lo, limit.at(limit.age_lo)), (limit.age_hi, limit.at(limit.age_hi)))
        for limit in norm.limits
        if limit.sex == sex
    ]
    return Course(norm.id, pieces, True)


def _numbers(entries: Sequence[BiopsyEntry], dots: Mapping[str, Sequence[Dot]] | None = None) -> str:
    """How many biopsies of how many patients: those of one patient are not independent."""
    patients = {("patient", e.record.patient_id) if e.record.patient_id else ("case", e.record.case_id)
                for e in entries}  # fmt: skip
    said = f"{len(entries)} biopsies of {len(patients)} patients or cases"
    left_out = len(entries) - sum(map(len, dots.values())) if dots is not None else 0
    return f"{said}; not shown, for want of an age: {left_out}" if left_out else said


def _by_group(shown: Sequence[tuple[BiopsyEntry, str]]) -> str:
    groups: dict[str, list[float]] = {name: [] for name in sorted({group for _, group in shown})}
    for entry, group in shown:
        groups[group].append(entry.call.density_per_mm or 0.0)
    return density_by_group(groups, f"Density by group: {_numbers([entry for entry, _ in shown])}")


def _counts(shown: Sequence[tuple[BiopsyEntry, str]]) -> str:
    counts, expected = [], []
    for entry, _ in shown:
        for one in (section.figures() for section in entry.sections):
            if one.crossings is not None and one.evaluable_mm is not None:
                counts.append(one.crossings)
                expected.append((entry.call.density_per_mm or 0.0) * one.evaluable_mm)
    return count_plot(counts, expected, f"Crossings of {len(counts)} sections")
