"""The derived tables of a study: what it holds, as rows, as bytes.

The same study gives the same bytes: no times, no durations, no paths of this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ienfd.batch.files import overlay_name
from ienfd.biopsy import call_sentence
from ienfd.reasons import REASONS
from ienfd.report.columns import (
    BIOPSIES,
    CONTROLS,
    COURSE,
    CROSSINGS,
    DICTIONARY,
    QUALITY_FIGURES,
    RULES,
    SECTIONS,
    Column,
)
from ienfd.report.content import Content
from ienfd.report.controls import ControlEntry
from ienfd.report.course import PatientCourse, comparison_sentence
from ienfd.report.csv_text import csv_bytes
from ienfd.report.entries import BiopsyEntry, SectionEntry

__all__ = ["TABLES", "Row", "Table", "dictionary_of", "make_tables", "tabulate"]

TABLES = {
    "sections": SECTIONS,
    "crossings": CROSSINGS,
    "biopsies": BIOPSIES,
    "course": COURSE,
    "controls": CONTROLS,
}
_CARRIED = ("sections", "biopsies")  # tables that further columns of the case table are carried into

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """One table.

    Parameters
    ----------
    columns : tuple of Column
        Its columns.
    rows : callable
        Gives all its rows anew, each a mapping from the names of the columns.
    """

    columns: tuple[Column, ...]
    rows: Callable[[], Iterable[Row]]


def make_tables(content: Content) -> dict[str, bytes]:
    """All tables of a study by file name, the data dictionary first."""
    tables = tabulate(content)
    described = {f"{name}.csv": table for name, table in tables.items()}
    described["rule_table.csv"] = Table(RULES, tuple)  # a run writes it when it is asked for
    dictionary = dictionary_of(described, "data_dictionary.csv")
    files = {"data_dictionary": dictionary, **tables}
    return {f"{name}.csv": csv_bytes(table.columns, table.rows()) for name, table in files.items()}


def tabulate(content: Content) -> dict[str, Table]:
    """The tables of a study by name, in the order of `TABLES`.

    Further columns of the case table follow the columns of `sections` and `biopsies` under their own
    names, after `case_` where a table has a column of that name already. In `biopsies` such a cell is
    filled when the sections of the biopsy that have a value agree on it.
    """
    carried = _carried(content.sections)
    more = tuple(
        Column(name, f"Column {header} of the case table, as it is written there.")
        for header, name in carried.items()
    )
    rows: dict[str, Callable[[], Iterable[Row]]] = {
        "sections": lambda: (
            _section(entry) | _extra(entry.case.get("extra", {}), carried) for entry in content.sections
        ),
        "crossings": lambda: _crossings(content.sections),
        "biopsies": lambda: (
            _biopsy(entry) | _extra(entry.record.extra, carried) for entry in content.biopsies
        ),
        "course": lambda: (row for course in content.courses for row in _comparisons(course)),
        "controls": lambda: map(_control, content.controls),
    }
    return {
        name: Table((*columns, *more) if name in _CARRIED else columns, rows[name])
        for name, columns in TABLES.items()
    }


def dictionary_of(tables: Mapping[str, Table], own_name: str) -> Table:
    """The data dictionary of these tables, and of itself, under the names by which a reader knows them."""
    columns = {name: table.columns for name, table in tables.items()} | {own_name: DICTIONARY}
    return Table(DICTIONARY, lambda: _dictionary(columns))


def _section(entry: SectionEntry) -> Row:
    place, result = entry.placement, entry.result
    findings = result.findings if result else None
    lengths = result.lengths if result else None
    counted = result if result and entry.status == "ok" else None
    cells = findings.measure("dendritic_cells") if findings else None
    epidermis_mm2 = findings.measure("epidermis_mm2") if findings else None
    size = place.calibration.get("pixel_size_um")
    source = place.calibration.get("source")
    return {
        "section_id": place.section_id,
        "file": place.path,
        "scene": place.scene,
        "region": place.region,
        "case_id": place.case_id,
        "biopsy_id": place.biopsy_id,
        "stain": findings.stain if findings else None,
        "planes": place.facts.planes if findings and findings.shape != (0, 0) else None,
        "pixel_size_um": size,
        "pixel_size_source": None if source == "none" else source,
        "status": entry.status,
        "reason": entry.reason,
        "reason_text": entry.reason_text,
        "remedy": entry.remedy,
        "crossings": counted.count if counted else None,
        "surface_length_mm": lengths.surface_mm if lengths else None,
        "junction_length_mm": lengths.junction_mm if lengths else None,
        "chord_length_mm": lengths.chord_mm if lengths else None,
        "length_line": lengths.line if lengths else None,
        "excluded_length_mm": lengths.excluded_mm if lengths else None,
        "evaluable_length_mm": lengths.evaluable_mm if lengths else None,
        "density_per_mm": counted.density_per_mm if counted else None,
        "density_low_per_mm": counted.density_low_per_mm if counted else None,
        "density_high_per_mm": counted.density_high_per_mm if counted else None,
        "fragments": counted.tally("fragment") if counted else None,
        "approaching": counted.tally("approaching") if counted else None,
        "dendritic_cells": None if cells is None else round(cells),
        "junction_confidence": findings.measure("junction_confidence") if findings else None,
        "quality_flags": entry.flags,
        "protocol_id": place.protocol_id,
        "protocol_hash": place.protocol_hash,
        "algorithm_version": place.algorithm_version,
        "edits": entry.corrected.edits if entry.corrected else 0,
        "review_status": entry.corrected.review.value if entry.corrected else "unreviewed",
        "control": entry.control,
        "section_um": entry.case.get("section_um"),
        "planes_stated": entry.case.get("planes"),
        "candidates": len(result.crossings) if result else None,
        "exclusion_reasons": sorted({stretch.reason for stretch in findings.exclusions}) if findings else (),
        "overlay": _overlay(entry),
        "epidermis_mm2": epidermis_mm2,
        "dendritic_cells_per_mm2": cells / epidermis_mm2 if cells is not None and epidermis_mm2 else None,
        **{name: findings.measure(name) if findings else None for name in QUALITY_FIGURES},
        "same_tissue_as": [path for _, path in entry.same_tissue],
        "staining_run": entry.case.get("staining_run"),
    }


def _crossings(sections: Iterable[SectionEntry]) -> Iterable[Row]:
    """Every candidate once, also when several files hold its section."""
    seen: set[tuple[str | None, str]] = set()
    for entry in sections:
        key = entry.placement.analysis_id, entry.placement.rules_key
        if entry.result is None or key in seen:
            continue
        seen.add(key)
        number = 0
        for crossing in entry.result.crossings:
            counted = crossing.counted and entry.status == "ok"
            reason = crossing.reason if entry.status == "ok" else "section_refused"
            number += counted
            yield {
                "section_id": entry.placement.section_id,
                "crossing_id": crossing.crossing_id,
                "fiber_id": crossing.fiber_id,
                "piece": crossing.piece,
                "row_px": crossing.row_px,
                "col_px": crossing.col_px,
                "z_um": crossing.z_um,
                "junction_position_um": crossing.junction_position_um,
                "counted": counted,
                "reason": reason,
                "reason_text": REASONS[reason].text if reason in REASONS else reason,
                "confidence": crossing.confidence,
                "origin": crossing.origin,
                "number": number if counted else None,
                "reach_epidermis_um": crossing.reach_epidermis_um,
                "reach_dermis_um": crossing.reach_dermis_um,
                "contrast": crossing.contrast,
            }


def _biopsy(entry: BiopsyEntry) -> Row:
    record, call = entry.record, entry.call
    figures = [section.figures() for section in entry.sections]
    return {
        "case_id": record.case_id,
        "biopsy_id": record.biopsy_id,
        "site": record.site,
        "side": record.side,
        "collection_date": record.collection_date,
        "age_years": record.age_years,
        "sex": record.sex,
        "stain": call.stain.split("|") if call.stain else (),
        "sections_evaluable": call.sections_evaluable,
        "crossings": call.crossings,
        "evaluable_length_mm": call.evaluable_length_mm,
        "density_per_mm": call.density_per_mm,
        "mean_section_density_per_mm": call.mean_section_density_per_mm,
        "density_low_per_mm": call.density_low_per_mm,
        "density_high_per_mm": call.density_high_per_mm,
        "norm_id": call.norm_id,
        "norm_limit_per_mm": call.norm_limit_per_mm,
        "below_norm": call.below_norm,
        "certainty": call.certainty,
        "sections_to_settle": call.sections_to_settle,
        "other_norms": call.other_norms,
        "flags": call.flags,
        "withheld_reasons": call.withheld_reasons,
        "status": entry.status,
        "sections": len(entry.sections),
        "length_line": sorted({figure.length_line for figure in figures if figure.length_line}),
        "call": call_sentence(call),
        "patient_id": record.patient_id,
        "protocol_id": entry.protocol.id,
        "protocol_hash": entry.protocol_hash,
        "overdispersion": call.overdispersion,
        "norm_percentile": call.norm_percentile,
        "norm_percentile_low": call.norm_percentile_low,
        "norm_percentile_high": call.norm_percentile_high,
    }


def _comparisons(course: PatientCourse) -> Iterable[Row]:
    for one in course.comparisons:
        record, change = one.later.record, one.change
        yield {
            "patient_id": record.patient_id,
            "site": record.site,
            "side": record.side,
            "basis": one.basis,
            "earlier_case_id": one.earlier.record.case_id,
            "earlier_biopsy_id": one.earlier.record.biopsy_id,
            "earlier_date": one.earlier.record.collection_date,
            "earlier_density_per_mm": one.earlier.call.density_per_mm,
            "later_case_id": record.case_id,
            "later_biopsy_id": record.biopsy_id,
            "later_date": record.collection_date,
            "later_density_per_mm": one.later.call.density_per_mm,
            "apart_years": one.apart_years,
            "change_per_mm": change.change_per_mm if change else None,
            "change_low_per_mm": change.low_per_mm if change else None,
            "change_high_per_mm": change.high_per_mm if change else None,
            "reading_noise_per_mm": one.noise.root_mean_square_per_mm if one.noise else None,
            "verdict": one.verdict,
            "not_compared_reasons": one.reasons,
            "sentence": comparison_sentence(one),
        }


def _control(control: ControlEntry) -> Row:
    entry, verdict = control.section, control.verdict
    findings = entry.result.findings if entry.result else None
    reason = REASONS[verdict.reason] if verdict.reason else None
    row = {
        "staining_run": entry.staining_run,
        "section_id": entry.placement.section_id,
        "file": entry.placement.path,
        "scene": entry.placement.scene,
        "case_id": entry.placement.case_id,
        "control": entry.control,
        "stain": findings.stain if findings else None,
        "passed": verdict.passed,
        "reason": verdict.reason,
        "reason_text": reason.text if reason else None,
        "remedy": reason.remedy if reason else None,
        "crossings": control.figures.crossings,
    }
    figures = {name: findings.measure(name) if findings else None for name in QUALITY_FIGURES}
    return row | {column.name: figures[column.name] for column in CONTROLS if column.name not in row}


def _dictionary(columns: Mapping[str, Sequence[Column]]) -> Iterable[Row]:
    for table, its_columns in columns.items():
        for column in its_columns:
            yield {
                "column": column.name,
                "table": table,
                "meaning": column.meaning,
                "unit": column.unit,
                "type": column.type,
                "form": column.form,
            }


def _carried(sections: Iterable[SectionEntry]) -> dict[str, str]:
    """Name in the tables of each further column of the case table."""
    taken = {column.name.casefold() for name, table in TABLES.items() if name != "course" for column in table}
    carried: dict[str, str] = {}
    for header in dict.fromkeys(header for entry in sections for header in entry.case.get("extra", {})):
        name = header
        while name.casefold() in taken:
            name = f"case_{name}"
        taken.add(name.casefold())
        carried[header] = name
    return carried


def _extra(said: Mapping[str, Any], carried: Mapping[str, str]) -> Row:
    return {name: said.get(header) for header, name in carried.items()}


def _overlay(entry: SectionEntry) -> str | None:
    place = entry.placement
    if place.section_id is None or entry.result is None or not place.facts.pictured:
        return None
    return str(PurePosixPath("overlays", overlay_name(place.path, place.section_id, place.scene)))
