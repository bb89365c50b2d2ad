"""The tables of a study: who was biopsied, which files, what was found, what was changed and signed.

The tables are final: later versions add tables, they do not change these. Nothing in `analyses`,
`objects`, `results`, `crossings`, `edits` and `sign_offs` is ever changed once written.

Times are UTC in ISO 8601; they are kept here and never reach a derived table.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "AnalysisRow",
    "Base",
    "BiopsyRow",
    "CaseRow",
    "CrossingRow",
    "EditRow",
    "FileRow",
    "InfoRow",
    "ObjectRow",
    "OutcomeRow",
    "PlacementRow",
    "ProtocolRow",
    "ResultRow",
    "RunRow",
    "SectionRow",
    "SignOffRow",
]


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        float: Double(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
    }


class InfoRow(Base):
    """Facts about the study itself: its id, the norms that it was called with (`ienfd.study.norms`)."""

    __tablename__ = "info"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class ProtocolRow(Base):
    """A protocol by the hash of its resolved values."""

    __tablename__ = "protocols"

    protocol_hash: Mapped[str] = mapped_column(primary_key=True)
    protocol_id: Mapped[str]  # the name under which it was first used; not part of the hash
    content: Mapped[str]  # canonical JSON of the resolved values


class CaseRow(Base):
    """A patient's case, under the laboratory's own id."""

    __tablename__ = "cases"

    case_id: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str | None]
    extra: Mapped[dict[str, Any]]


class BiopsyRow(Base):
    """A biopsy of a case: where and when it was taken, and from whom."""

    __tablename__ = "biopsies"
    __table_args__ = (ForeignKeyConstraint(["case_id"], ["cases.case_id"]),)

    case_id: Mapped[str] = mapped_column(primary_key=True)
    biopsy_id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str | None]
    side: Mapped[str | None]
    collection_date: Mapped[str | None]
    age_years: Mapped[float | None]
    sex: Mapped[str | None]
    extra: Mapped[dict[str, Any]]


class SectionRow(Base):
    """A section by its content; where its files lie is in `files`."""

    __tablename__ = "sections"
    __table_args__ = (UniqueConstraint("sha256", "scene", "region"),)

    section_id: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    scene: Mapped[int]
    region: Mapped[int]


class FileRow(Base):
    """A file as last seen; several files may hold the same content."""

    __tablename__ = "files"
    __table_args__ = (UniqueConstraint("root", "path"), Index("ix_files_sha256", "sha256"))

    file_id: Mapped[int] = mapped_column(primary_key=True)
    root: Mapped[str]  # absolute path of IMAGES when it was last seen
    path: Mapped[str]  # relative to it, with /
    sha256: Mapped[str | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    present: Mapped[bool]  # False when a later run over the same place no longer found it


class AnalysisRow(Base):
    """What image analysis saw in a section under one analysis key; immutable."""

    __tablename__ = "analyses"
    __table_args__ = (UniqueConstraint("section_id", "analysis_key"),)

    analysis_id: Mapped[str] = mapped_column(primary_key=True)
    section_id: Mapped[str] = mapped_column(ForeignKey("sections.section_id"))
    analysis_key: Mapped[str]
    algorithm_version: Mapped[str]
    software_version: Mapped[str]
    protocol_hash: Mapped[str] = mapped_column(ForeignKey("protocols.protocol_hash"))
    stain: Mapped[str | None]
    pixel_size_um: Mapped[float | None]
    height_px: Mapped[int]
    width_px: Mapped[int]
    refusal: Mapped[str | None]
    detail: Mapped[str]
    flags: Mapped[list[str]]
    measures: Mapped[str]  # JSON list of [name, value], in order
    facts: Mapped[dict[str, Any]]  # what the file says: planes, channels, bit depth
    created_at: Mapped[str]
    seconds: Mapped[float]


class ObjectRow(Base):
    """One object that image analysis found: a curve, a branch, a cell, an exclusion."""

    __tablename__ = "objects"
    __table_args__ = (Index("ix_objects_object_id", "object_id"),)

    analysis_id: Mapped[str] = mapped_column(ForeignKey("analyses.analysis_id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    object_id: Mapped[str]
    kind: Mapped[str]  # surface, junction, exclusion, nodes, branch, cell, fingerprint
    geometry: Mapped[bytes | None]  # see ienfd.study.encoding
    properties: Mapped[dict[str, Any]]


class ResultRow(Base):
    """What one set of counting rules made of one analysis; a cache that can always be computed anew."""

    __tablename__ = "results"
    __table_args__ = (UniqueConstraint("analysis_id", "rules_key"),)

    result_id: Mapped[str] = mapped_column(primary_key=True)
    analysis_id: Mapped[str] = mapped_column(ForeignKey("analyses.analysis_id"))
    rules_key: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    surface_mm: Mapped[float | None]
    junction_mm: Mapped[float | None]
    chord_mm: Mapped[float | None]
    excluded_mm: Mapped[float | None]
    evaluable_mm: Mapped[float | None]
    length_line: Mapped[str | None]
    density_per_mm: Mapped[float | None]
    density_low_per_mm: Mapped[float | None]
    density_high_per_mm: Mapped[float | None]
    flags: Mapped[list[str]]


class CrossingRow(Base):
    """One candidate crossing under one set of counting rules."""

    __tablename__ = "crossings"
    __table_args__ = (Index("ix_crossings_crossing_id", "crossing_id"),)

    result_id: Mapped[str] = mapped_column(ForeignKey("results.result_id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    crossing_id: Mapped[str]
    fiber_id: Mapped[str]
    piece: Mapped[int]
    row_px: Mapped[float]
    col_px: Mapped[float]
    z_um: Mapped[float | None]
    junction_position_um: Mapped[float]
    counted: Mapped[bool]
    reason: Mapped[str]
    confidence: Mapped[float]
    reach_epidermis_um: Mapped[float]
    reach_dermis_um: Mapped[float]
    contrast: Mapped[float]
    origin: Mapped[str]


class RunRow(Base):
    """One `ienfd run`: what was asked of it, and how it ended; or one `ienfd recall`, as its options say."""

    __tablename__ = "runs"

    run_id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[str]
    ended_at: Mapped[str | None]
    state: Mapped[str]  # running, finished, interrupted
    root: Mapped[str]
    protocol_hash: Mapped[str] = mapped_column(ForeignKey("protocols.protocol_hash"))
    protocol_id: Mapped[str]
    rules_key: Mapped[str]
    algorithm_version: Mapped[str]
    software_version: Mapped[str]
    options: Mapped[dict[str, Any]]


class OutcomeRow(Base):
    """How one section ended in one run: the ledger, never rewritten."""

    __tablename__ = "outcomes"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.file_id"), primary_key=True)
    scene: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]  # done, failed
    reason: Mapped[str | None]
    detail: Mapped[str]
    attempts: Mapped[int]
    analysis_id: Mapped[str | None] = mapped_column(ForeignKey("analyses.analysis_id"))
    finished_at: Mapped[str]


class PlacementRow(Base):
    """The present row of a file in the study: its biopsy, and the analysis that now speaks for it."""

    __tablename__ = "placements"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "biopsy_id"], ["biopsies.case_id", "biopsies.biopsy_id"]),
        Index("ix_placements_biopsy", "case_id", "biopsy_id"),
        Index("ix_placements_section", "section_id"),
    )

    file_id: Mapped[int] = mapped_column(ForeignKey("files.file_id"), primary_key=True)
    scene: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[int] = mapped_column(primary_key=True)
    section_id: Mapped[str | None] = mapped_column(ForeignKey("sections.section_id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    case_id: Mapped[str]
    biopsy_id: Mapped[str]
    case: Mapped[dict[str, Any]]  # the values of the case table for this file
    calibration: Mapped[dict[str, Any]]  # the effective pixel size and its source
    status: Mapped[str]  # pending, done, failed
    reason: Mapped[str | None]
    detail: Mapped[str]
    analysis_id: Mapped[str | None] = mapped_column(ForeignKey("analyses.analysis_id"))


class EditRow(Base):
    """One command of a person; append-only, one hash chain per study."""

    __tablename__ = "edits"
    __table_args__ = (
        Index("ix_edits_section", "section_id"),
        Index("ix_edits_biopsy", "case_id", "biopsy_id"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1, 2, 3 ... without gaps
    at: Mapped[str]
    who: Mapped[str]
    account: Mapped[str]  # of the operating system, with its host
    command: Mapped[str]
    case_id: Mapped[str | None]
    biopsy_id: Mapped[str | None]
    section_id: Mapped[str | None] = mapped_column(ForeignKey("sections.section_id"))
    analysis_id: Mapped[str | None] = mapped_column(ForeignKey("analyses.analysis_id"))
    object_id: Mapped[str | None]
    base_seq: Mapped[int]  # the last edit of this section that the person had seen
    undoes: Mapped[int | None]
    before: Mapped[str | None]  # canonical JSON, with geometry
    after: Mapped[str | None]
    why: Mapped[str]
    prev_hash: Mapped[str]
    hash: Mapped[str]


class SignOffRow(Base):
    """One signature (or amendment, or withdrawal) of one biopsy, with what was signed."""

    __tablename__ = "sign_offs"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "biopsy_id"], ["biopsies.case_id", "biopsies.biopsy_id"]),
        Index("ix_sign_offs_biopsy", "case_id", "biopsy_id"),
    )

    sign_off_id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    biopsy_id: Mapped[str]
    kind: Mapped[str]  # final, addendum, correction, withdrawal
    at: Mapped[str]
    name: Mapped[str]
    account: Mapped[str]
    statement: Mapped[str]
    supersedes: Mapped[str | None] = mapped_column(ForeignKey("sign_offs.sign_off_id"))
    protocol_hash: Mapped[str] = mapped_column(ForeignKey("protocols.protocol_hash"))
    content: Mapped[str]  # canonical JSON of everything that was signed
    content_hash: Mapped[str]
    edit_seq: Mapped[int]  # head of the edit log at that moment
    edit_hash: Mapped[str]
