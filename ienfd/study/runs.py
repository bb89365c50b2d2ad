"""What a run writes before it starts: its files, biopsies, sections, and the rows that await an outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from ienfd.study.models import BiopsyRow, CaseRow, FileRow, PlacementRow, SectionRow
from ienfd.study.records import FileRecord, RunRecord
from ienfd.study.signing import SignedKey, signed_sections

__all__ = ["parts", "save_biopsies", "save_files", "save_placements", "save_sections"]

_MANY = 500


def save_files(session: Session, run: RunRecord, files: Sequence[FileRecord]) -> dict[str, int]:
    """Bring `files` up to date with what this run found; returns the id of each path."""
    found = {file.path: file for file in files}
    whole = {PurePath(run.root, path) for path in found}
    contents = {file.sha256 for file in files if file.sha256 is not None}
    known: dict[str, FileRow] = {}
    for row in session.scalars(select(FileRow).where(or_(FileRow.present, FileRow.root == run.root))):
        if row.root == run.root:
            known[row.path] = row
            searched = not run.scope or row.path == run.scope
            row.present = row.path in found or (row.present and not searched)
        elif PurePath(row.root, row.path) in whole:
            row.present = False  # the same file, now reached from another folder
        elif row.sha256 in contents and not Path(row.root, row.path).exists():
            row.present = False  # it was moved here
    for path, file in found.items():
        if path not in known:
            known[path] = FileRow(root=run.root, path=path)
            session.add(known[path])
        known[path].sha256, known[path].size_bytes = file.sha256, file.size_bytes
        known[path].present = True
    session.flush()
    return {path: row.file_id for path, row in known.items() if path in found}


def save_biopsies(session: Session, files: Sequence[FileRecord]) -> None:
    """Bring cases and biopsies up to date with the case table of this run."""
    biopsies = {(f.biopsy.case_id, f.biopsy.biopsy_id): f.biopsy for f in files}
    for case_id in sorted({case for case, _ in biopsies}):
        patients = {b.patient_id for b in biopsies.values() if b.case_id == case_id and b.patient_id}
        session.merge(CaseRow(case_id=case_id, patient_id=min(patients, default=None), extra={}))
    session.flush()
    for biopsy in biopsies.values():
        session.merge(
            BiopsyRow(
                case_id=biopsy.case_id,
                biopsy_id=biopsy.biopsy_id,
                site=biopsy.site,
                side=biopsy.side,
                collection_date=biopsy.collection_date,
                age_years=biopsy.age_years,
                sex=biopsy.sex,
                extra=dict(biopsy.extra),
            )
        )
    session.flush()


def save_sections(session: Session, files: Sequence[FileRecord]) -> None:
    """Insert the sections that are new."""
    sections = {
        f.section_id: {"section_id": f.section_id, "sha256": f.sha256, "scene": f.scene, "region": f.region}
        for f in files
        if f.section_id is not None
    }
    for part in parts(list(sections)):
        for present in session.scalars(select(SectionRow.section_id).where(SectionRow.section_id.in_(part))):
            del sections[present]
    if sections:
        session.execute(insert(SectionRow), list(sections.values()))


def save_placements(
    session: Session,
    run_id: int,
    files: Sequence[FileRecord],
    file_ids: Mapping[str, int],
    known: set[str],
) -> None:
    """Give the files of this run their present rows; those of `known` analyses are done.

    A section that was signed keeps its analysis, protocol, counting rules and case data, under
    whichever name its file lies there now; also when the file cannot be read this time.
    """
    signed = signed_sections(session)
    former: dict[tuple[int, int, int], PlacementRow] = {}
    as_signed: dict[SignedKey, PlacementRow] = {}
    rows_before = session.scalars(select(PlacementRow).order_by(PlacementRow.run_id)) if signed else ()
    for old in rows_before:  # all of the study, but only where something is signed
        former[old.file_id, old.scene, old.region] = old
        key = old.case_id, old.biopsy_id, old.section_id or ""
        if key in signed and old.analysis_id == signed[key].analysis_id:
            as_signed[key] = old
    rows = []
    for file in files:
        place = {"file_id": file_ids[file.path], "scene": file.scene, "region": file.region}
        key = file.biopsy.case_id, file.biopsy.biopsy_id, file.section_id or ""
        if file.section_id is None:
            before = former.get((file_ids[file.path], file.scene, file.region))
            key = (before.case_id, before.biopsy_id, before.section_id or "") if before else key
        if key in as_signed:
            rows.append({**_values(as_signed[key]), **place})
            continue
        done = file.analysis_id in known
        rows.append(
            {
                **place,
                "section_id": file.section_id,
                "run_id": run_id,
                "case_id": file.biopsy.case_id,
                "biopsy_id": file.biopsy.biopsy_id,
                "case": dict(file.case),
                "calibration": dict(file.calibration),
                "status": "done" if done else "pending",
                "reason": None,
                "detail": "",
                "analysis_id": file.analysis_id if done else None,
            }
        )
    for part in parts(sorted(file_ids.values())):
        session.execute(delete(PlacementRow).where(PlacementRow.file_id.in_(part)))
    if rows:
        session.execute(insert(PlacementRow), rows)


def _values(row: PlacementRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in PlacementRow.__table__.columns}


def parts(values: Sequence[str] | Sequence[int]) -> Iterator[Sequence[Any]]:
    """`values` in portions that fit into one `IN (...)` of any database."""
    for start in range(0, len(values), _MANY):
        yield values[start : start + _MANY]
