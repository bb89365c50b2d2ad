"""The tables of a comparison: its figures, its pairs, and what their columns mean; an empty manual table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ienfd.agree.measures import Measure
from ienfd.agree.pairs import Pair, State
from ienfd.reasons import REASONS
from ienfd.report.columns import Column
from ienfd.report.csv_text import csv_bytes
from ienfd.report.entries import SectionEntry
from ienfd.report.tables import Row, Table, dictionary_of

__all__ = ["FIGURES", "PAIRS", "empty_manual", "tables", "why"]


def _number(name: str, unit: str, meaning: str) -> Column:
    return Column(name, meaning, "number", unit, 6)


FIGURES: tuple[Column, ...] = (
    Column("state", "automatic: as the program counts; reviewed: as the study was reviewed.", "code"),
    Column("reader", "Who counted by hand; empty where nobody is named."),
    Column("other_reader", "Another reader, compared in the place of the program; empty for the program."),
    Column("unit", "What a pair is: section or biopsy.", "code"),
    Column(
        "quantity",
        "What is compared: crossings, length_mm, density_per_mm, call (below the limit or not) or places"
        " (crossings one by one).",
        "code",
    ),
    Column(
        "measure",
        "bias: mean difference, program (or other reader) minus reader; lower_limit, upper_limit: limits of"
        " agreement, bias -/+ 1.96 standard deviations; icc_2_1: intraclass correlation, two-way random,"
        " absolute agreement, single measures; kappa: Cohen's; precision, recall, f1: of the program's"
        " crossings, the manual ones taken for true.",
        "code",
    ),
    Column("pairs", "Pairs that it is made of; for places, sections.", "integer"),
    Column("value", "The figure, in the unit of of_unit; empty where it is not given.", "number", "", 6),
    Column("low", "Lower end of its 95 % interval.", "number", "", 6),
    Column("high", "Upper end of its 95 % interval.", "number", "", 6),
    Column("of_unit", "Unit of value, low and high."),
    Column("reason", "Why the figure is not given.", "code"),
    Column("reason_text", "The same in a sentence."),
)

PAIRS: tuple[Column, ...] = (
    Column(
        "row",
        "Row of the manual table; empty for a biopsy that was read section by section, and for a section of"
        " which there are only positions.",
        "integer",
    ),
    Column("reader", "Who counted by hand; empty where nobody is named."),
    Column("unit", "section or biopsy.", "code"),
    Column("name", "What the row is about, as it is written there."),
    Column("section_id", "Section, as in sections.csv."),
    Column("file", "Its file."),
    Column("case_id", "Case."),
    Column("biopsy_id", "Biopsy within the case."),
    Column("used", "Whether it is part of the comparison.", "true/false"),
    Column("reason", "Why it is left out.", "code"),
    Column("reason_text", "The same in a sentence, with the particulars."),
    Column("manual_crossings", "Crossings counted by hand.", "integer"),
    Column("program_crossings", "Crossings counted by the program.", "integer"),
    _number("manual_length_mm", "mm", "Length measured by hand."),
    _number("program_length_mm", "mm", "Evaluable length as the program measured it."),
    _number("manual_density_per_mm", "/mm", "Density by hand."),
    _number("program_density_per_mm", "/mm", "Density of the program."),
    Column(
        "density_from",
        "What the manual density rests on: manual_length (count by it), stated, or program_length (count by"
        " the length that the program measured).",
        "code",
    ),
    _number("difference_per_mm", "/mm", "Density of the program minus density by hand."),
    Column("norm_id", "Norm of the call.", "code"),
    _number("limit_per_mm", "/mm", "Its limit."),
    Column("manual_below", "Whether the manual density is below it.", "true/false"),
    Column("program_below", "Whether the density of the program is below it.", "true/false"),
    Column("call_reason", "Why the calls are not compared.", "code"),
    Column("places_matched", "Crossings that both have seen, at most 10 um apart.", "integer"),
    Column("places_only_manual", "Crossings that only the reader has seen.", "integer"),
    Column("places_only_program", "Crossings that only the program has seen.", "integer"),
    Column(
        "places_not_evaluated",
        "Positions of the reader in stretches that the program does not evaluate: left out of the others.",
        "integer",
    ),
    Column("places_reason", "Why crossings are not compared one by one.", "code"),
)


def tables(pairs: Sequence[Pair], figures: Sequence[Measure], state: State) -> dict[str, bytes]:
    """The tables by file name."""
    written = {
        "agreement.csv": Table(FIGURES, lambda: (_figure(one, state) for one in figures)),
        "agreement_pairs.csv": Table(PAIRS, lambda: (_pair(one) for one in pairs)),
    }
    written["data_dictionary.csv"] = dictionary_of(written, "data_dictionary.csv")
    return {name: csv_bytes(table.columns, table.rows()) for name, table in written.items()}


def empty_manual(sections: Iterable[SectionEntry]) -> bytes:
    """A table to fill in: each section once, with names and without any figure of the program."""
    columns = [Column(name, "") for name in _TEMPLATE]
    rows: dict[str, Row] = {}
    for entry in sections:
        place = entry.placement
        if place.section_id is not None and entry.control is None and entry.status != "failed":
            named = {"file": place.path, "section_id": place.section_id}
            of_case = {"case_id": place.case_id, "biopsy_id": place.biopsy_id} if entry.listed else {}
            rows.setdefault(place.section_id, {**dict.fromkeys(_TEMPLATE), **named, **of_case})
    return csv_bytes(columns, rows.values())


_NOBODY = "not named"
_TEMPLATE = ("file", "section_id", "case_id", "biopsy_id", "reader", "crossings", "length_mm")


def _figure(one: Measure, state: State) -> Row:
    return {
        "state": state,
        "reader": one.reader,
        "other_reader": None if one.other is None else one.other or _NOBODY,
        "unit": one.unit,
        "quantity": one.quantity,
        "measure": one.name,
        "pairs": one.pairs,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "of_unit": one.of_unit,
        "reason": one.reason,
        "reason_text": REASONS[one.reason].text if one.reason else None,
    }


def _pair(one: Pair) -> Row:
    manual, program, call, places = one.manual, one.program, one.call, one.places
    known = one.is_used and manual.density_per_mm is not None and program.density_per_mm is not None
    return {
        "row": one.row or None,
        "reader": one.reader,
        "unit": one.unit,
        "name": one.name,
        "section_id": one.section_id,
        "file": one.file,
        "case_id": one.case_id,
        "biopsy_id": one.biopsy_id,
        "used": one.is_used,
        "reason": one.reason,
        "reason_text": why(one) if one.reason else None,
        "manual_crossings": manual.crossings,
        "program_crossings": program.crossings,
        "manual_length_mm": manual.length_mm,
        "program_length_mm": program.length_mm,
        "manual_density_per_mm": manual.density_per_mm,
        "program_density_per_mm": program.density_per_mm,
        "density_from": one.density_from,
        "difference_per_mm": (program.density_per_mm or 0) - (manual.density_per_mm or 0) if known else None,
        "norm_id": call.norm_id if call else None,
        "limit_per_mm": call.limit_per_mm if call else None,
        "manual_below": call.manual_below if call else None,
        "program_below": call.program_below if call else None,
        "call_reason": one.call_reason,
        "places_matched": places.matched if places else None,
        "places_only_manual": places.only_manual if places else None,
        "places_only_program": places.only_program if places else None,
        "places_not_evaluated": places.not_evaluated if places else None,
        "places_reason": one.places_reason,
    }


def why(pair: Pair) -> str:
    """Why a pair is left out, in a sentence with its particulars."""
    text = REASONS[pair.reason].text if pair.reason else ""
    return f"{text} ({pair.detail})" if pair.detail else text
