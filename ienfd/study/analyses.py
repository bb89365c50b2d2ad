"""Analyses, their objects and results: rows of the store as the nouns of `ienfd.result`, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from ienfd.protocol import LengthLine, Stain
from ienfd.result import Crossing, FiberGraph, Findings, Lengths, SectionResult, Status
from ienfd.study.encoding import decode_objects, decoded_measures, encoded_measures
from ienfd.study.models import AnalysisRow, CrossingRow, ObjectRow, ResultRow
from ienfd.study.records import StoredObject, analysis_id, result_id

__all__ = ["TABLE_KINDS", "load_findings", "load_results", "save_analysis", "save_result"]

TABLE_KINDS = ("exclusion", "fingerprint")  # objects that a table row is made from; they have no geometry
_CROSSING_COLUMNS = tuple(Crossing.__dataclass_fields__)


def save_analysis(
    session: Session,
    findings: Findings,
    objects: Sequence[StoredObject],
    facts: Mapping[str, Any],
    **columns: Any,
) -> str:
    """Insert an analysis with its objects, unless it is there; returns its id."""
    key = analysis_id(findings.section_id, findings.analysis_key)
    if session.get(AnalysisRow, key) is not None:
        return key
    height, width = findings.shape
    session.add(
        AnalysisRow(
            analysis_id=key,
            section_id=findings.section_id,
            analysis_key=findings.analysis_key,
            stain=findings.stain,
            pixel_size_um=findings.pixel_size_um,
            height_px=height,
            width_px=width,
            refusal=findings.refusal,
            detail=findings.detail,
            flags=list(findings.flags),
            measures=encoded_measures(findings.measures),
            facts=dict(facts),
            **columns,
        )
    )
    session.flush()
    rows = [
        {
            "analysis_id": key,
            "ordinal": ordinal,
            "object_id": row.object_id,
            "kind": row.kind,
            "geometry": row.geometry,
            "properties": row.properties,
        }
        for ordinal, row in enumerate(objects)
    ]
    if rows:
        session.execute(insert(ObjectRow), rows)
    return key


def load_findings(session: Session, analysis: str) -> Findings:
    """Everything that was found; raises KeyError for an unknown analysis."""
    found = _load(session, [analysis], None)
    if not found:
        raise KeyError(analysis)
    return found[analysis]


def _load(session: Session, analyses: Sequence[str], kinds: Sequence[str] | None) -> dict[str, Findings]:
    query = select(
        ObjectRow.analysis_id, ObjectRow.object_id, ObjectRow.kind, ObjectRow.geometry, ObjectRow.properties
    ).where(ObjectRow.analysis_id.in_(analyses))
    if kinds is not None:
        query = query.where(ObjectRow.kind.in_(kinds))
    objects: dict[str, list[StoredObject]] = {}
    for key, *values in session.execute(query.order_by(ObjectRow.analysis_id, ObjectRow.ordinal)):
        objects.setdefault(key, []).append(StoredObject(*values))
    rows = session.execute(  # columns, not objects: a study has many
        select(*AnalysisRow.__table__.columns).where(AnalysisRow.analysis_id.in_(analyses))
    )
    return {row.analysis_id: decode_objects(_bare(row), objects.get(row.analysis_id, [])) for row in rows}


def _bare(row: Row[Any]) -> Findings:
    return Findings(
        section_id=row.section_id,
        analysis_key=row.analysis_key,
        stain=cast("Stain | None", row.stain),
        pixel_size_um=row.pixel_size_um,
        shape=(row.height_px, row.width_px),
        graph=FiberGraph(np.empty((0, 2))),
        refusal=row.refusal,
        detail=row.detail,
        flags=tuple(row.flags),
        measures=decoded_measures(row.measures),
    )


def save_result(session: Session, analysis: str, rules_key: str, result: SectionResult) -> None:
    """Insert what counting rules made of an analysis, unless it is there."""
    key = result_id(analysis, rules_key)
    if session.get(ResultRow, key) is not None:
        return
    lengths = result.lengths
    session.add(
        ResultRow(
            result_id=key,
            analysis_id=analysis,
            rules_key=rules_key,
            status=result.status.value,
            reason=result.reason,
            surface_mm=lengths.surface_mm if lengths else None,
            junction_mm=lengths.junction_mm if lengths else None,
            chord_mm=lengths.chord_mm if lengths else None,
            excluded_mm=lengths.excluded_mm if lengths else None,
            evaluable_mm=lengths.evaluable_mm if lengths else None,
            length_line=lengths.line if lengths else None,
            density_per_mm=result.density_per_mm,
            density_low_per_mm=result.density_low_per_mm,
            density_high_per_mm=result.density_high_per_mm,
            flags=list(result.flags),
        )
    )
    session.flush()
    rows = [
        {"result_id": key, "ordinal": ordinal, **{c: _plain(getattr(crossing, c)) for c in _CROSSING_COLUMNS}}
        for ordinal, crossing in enumerate(result.crossings)
    ]
    if rows:
        session.execute(insert(CrossingRow), rows)


def load_results(session: Session, analyses: Sequence[str], rules_key: str) -> dict[str, SectionResult]:
    """Stored results by analysis, with as much of the findings as a table row needs."""
    wanted = [result_id(analysis, rules_key) for analysis in analyses]
    columns = ResultRow.__table__.columns
    results = session.execute(select(*columns).where(ResultRow.result_id.in_(wanted))).all()
    crossings: dict[str, list[Crossing]] = {}
    query = select(CrossingRow.result_id, *(getattr(CrossingRow, c) for c in _CROSSING_COLUMNS)).where(
        CrossingRow.result_id.in_(wanted)
    )
    for key, *values in session.execute(query.order_by(CrossingRow.result_id, CrossingRow.ordinal)):
        crossings.setdefault(key, []).append(Crossing(*values))
    found = _load(session, [row.analysis_id for row in results], TABLE_KINDS)
    return {
        row.analysis_id: SectionResult(
            findings=found[row.analysis_id],
            status=Status(row.status),
            reason=row.reason,
            crossings=tuple(crossings.get(row.result_id, ())),
            lengths=_lengths(row),
            density_per_mm=row.density_per_mm,
            density_low_per_mm=row.density_low_per_mm,
            density_high_per_mm=row.density_high_per_mm,
            flags=tuple(row.flags),
        )
        for row in results
    }


def _lengths(row: Row[Any]) -> Lengths | None:
    figures = (row.surface_mm, row.junction_mm, row.chord_mm, row.excluded_mm, row.evaluable_mm)
    if row.length_line is None or any(figure is None for figure in figures):
        return None
    surface, junction, chord, excluded, evaluable = (float(figure or 0.0) for figure in figures)
    return Lengths(surface, junction, chord, excluded, evaluable, cast("LengthLine", row.length_line))


def _plain(value: Any) -> Any:
    """A NumPy scalar as Python's own, which every driver can store."""
    return value.item() if isinstance(value, np.generic) else value
