"""What the same sections give under every convention: how much the choice of a rule matters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from ienfd.batch.files import write_atomic
from ienfd.batch.leaving import edits_by_section
from ienfd.correction.commands import LoggedEdit
from ienfd.correction.correct import correct
from ienfd.counting import AS_PROTOCOL, Candidates, conventions, find_all
from ienfd.density import count
from ienfd.protocol import CountingRules, LengthLine, Protocol
from ienfd.report.columns import RULES
from ienfd.report.content import gather
from ienfd.report.csv_text import csv_bytes
from ienfd.report.entries import SectionEntry
from ienfd.result import Findings
from ienfd.skin.lengths import measure
from ienfd.study.store import Store

__all__ = ["FILE", "LINES", "CountedBy", "RuleTotal", "totals", "under_every_rule", "write_rule_table"]

FILE = "rule_table.csv"
LINES: tuple[LengthLine, ...] = get_args(LengthLine)


@dataclass(frozen=True)
class CountedBy:
    """One section under one convention, on one line.

    Parameters
    ----------
    rule : str
        Name of the convention.
    length_line : {"surface", "junction", "chord"}
        The line whose millimeters the density is given in.
    crossings : int or None
        What counts; None where a convention leaves nothing to evaluate.
    evaluable_mm : float
        Length that is evaluated.
    is_protocol : bool
        Whether this is rule and line of the laboratory's own protocol.
    """

    rule: str
    length_line: LengthLine
    crossings: int | None
    evaluable_mm: float
    is_protocol: bool

    @property
    def density_per_mm(self) -> float | None:
        """Crossings per mm; None where nothing is evaluated."""
        return None if self.crossings is None else self.crossings / self.evaluable_mm


@dataclass(frozen=True)
class RuleTotal:
    """All sections of a study under one convention: all crossings by all evaluated length of each line."""

    rule: str
    crossings: int
    density_per_mm: dict[LengthLine, float]


def under_every_rule(
    findings: Findings, protocol: Protocol, edits: Sequence[LoggedEdit] = ()
) -> list[CountedBy]:
    """Count a section by every convention, on every line.

    Parameters
    ----------
    findings : Findings
        What image analysis saw, with all geometry.
    protocol : Protocol
        The laboratory's choices.
    edits : sequence of LoggedEdit
        Corrections of the section; they hold under every convention.

    Returns
    -------
    list of CountedBy
        Conventions in the order of `conventions`, each on surface, junction and chord.
    """
    known: dict[CountingRules, Candidates | None] = {}
    out = []
    for convention in conventions(protocol.counting):
        variant = replace(protocol, counting=convention.rules)
        key = _as_candidates(convention.rules)
        if key not in known:
            known[key] = find_all(findings, convention.rules)
        counted = count(findings, variant, known[key])
        result = correct(counted, edits, variant, lambda: findings).result
        for line in LINES:
            lengths = measure(
                result.findings.pieces,
                result.findings.exclusions,
                pixel_size_um=findings.pixel_size_um or 1.0,
                line=line,
                cut_edge_um=convention.rules.cut_edge_um,
            )
            own = convention.name == AS_PROTOCOL and line == protocol.density.length_line
            out.append(CountedBy(convention.name, line, result.count, lengths.evaluable_mm, own))
    return out


def _as_candidates(rules: CountingRules) -> CountingRules:
    """These rules without what is decided only after all candidates have been found."""
    plain = CountingRules()
    return replace(
        rules,
        fragments=plain.fragments,
        cut_edge_um=plain.cut_edge_um,
        min_confidence=plain.min_confidence,
    )


def write_rule_table(store: Store) -> list[RuleTotal]:
    """Count all sections of a study by every convention into `rule_table.csv`.

    Only sections with a density take part, controls left out; one that several files hold is a row of
    each of them, and counts once in the totals.

    Returns
    -------
    list of RuleTotal
        The whole study under each convention, the protocol's own first.

    Raises
    ------
    EnvironmentProblem
        If the table cannot be written.
    """
    content = gather(store)
    edits = edits_by_section(store)
    counted: dict[tuple[str, str], list[CountedBy]] = {}
    rows = []
    for section in content.sections:
        place = section.placement
        if section.status != "ok" or section.control or place.analysis_id is None:
            continue
        key = place.analysis_id, place.rules_key
        if key not in counted:
            counted[key] = under_every_rule(
                store.findings(place.analysis_id),
                content.protocols[place.protocol_hash],
                edits.get(place.section_id or "", ()),
            )
        rows += list(_rows(section, counted[key]))
    write_atomic(store.folder / FILE, csv_bytes(RULES, rows))
    return totals(counted.values())


def totals(sections: Iterable[Sequence[CountedBy]]) -> list[RuleTotal]:
    """All sections together, by convention; lines on which nothing is evaluated are left out."""
    crossings: dict[tuple[str, LengthLine], int] = defaultdict(int)
    evaluable: dict[tuple[str, LengthLine], float] = defaultdict(float)
    for section in sections:
        for one in section:
            crossings[one.rule, one.length_line] += one.crossings or 0
            evaluable[one.rule, one.length_line] += one.evaluable_mm
    return [
        RuleTotal(
            rule,
            crossings[rule, LINES[0]],
            {line: crossings[rule, line] / mm for line in LINES if (mm := evaluable[rule, line]) > 0},
        )
        for rule in dict.fromkeys(rule for rule, _ in crossings)
    ]


def _rows(section: SectionEntry, counted: Sequence[CountedBy]) -> Iterator[dict[str, object]]:
    own = next((one.density_per_mm for one in counted if one.is_protocol), None)
    for one in counted:
        density = one.density_per_mm
        yield {
            "section_id": section.placement.section_id,
            "file": section.placement.path,
            "scene": section.placement.scene,
            "region": section.placement.region,
            "case_id": section.placement.case_id,
            "biopsy_id": section.placement.biopsy_id,
            "rule": one.rule,
            "length_line": one.length_line,
            "is_protocol": one.is_protocol,
            "crossings": one.crossings,
            "evaluable_length_mm": one.evaluable_mm,
            "density_per_mm": density,
            "ratio_to_protocol": density / own if density is not None and own else None,
            "protocol_id": section.placement.protocol_id,
            "protocol_hash": section.placement.protocol_hash,
        }
