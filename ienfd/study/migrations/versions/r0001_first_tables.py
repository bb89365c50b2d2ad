"""The tables of the first version.

Revision 0001, the first. There is no way back: a study never loses anything.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("analyses", "objects", "edits", "sign_offs", "outcomes")


def upgrade() -> None:
    """Make the tables; what is written in the append-only ones cannot be changed by accident."""
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=True),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_table(
        "files",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("file_id"),
        sa.UniqueConstraint("root", "path"),
    )
    op.create_index("ix_files_sha256", "files", ["sha256"])

    op.create_table(
        "info",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "protocols",
        sa.Column("protocol_hash", sa.Text(), nullable=False),
        sa.Column("protocol_id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("protocol_hash"),
    )
    op.create_table(
        "sections",
        sa.Column("section_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("scene", sa.Integer(), nullable=False),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("section_id"),
        sa.UniqueConstraint("sha256", "scene", "region"),
    )
    op.create_table(
        "analyses",
        sa.Column("analysis_id", sa.Text(), nullable=False),
        sa.Column("section_id", sa.Text(), nullable=False),
        sa.Column("analysis_key", sa.Text(), nullable=False),
        sa.Column("algorithm_version", sa.Text(), nullable=False),
        sa.Column("software_version", sa.Text(), nullable=False),
        sa.Column("protocol_hash", sa.Text(), nullable=False),
        sa.Column("stain", sa.Text(), nullable=True),
        sa.Column("pixel_size_um", sa.Double(), nullable=True),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["protocol_hash"], ["protocols.protocol_hash"]),
        sa.ForeignKeyConstraint(["section_id"], ["sections.section_id"]),
        sa.PrimaryKeyConstraint("analysis_id"),
        sa.UniqueConstraint("section_id", "analysis_key"),
    )
    op.create_table(
        "biopsies",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("biopsy_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("collection_date", sa.Text(), nullable=True),
        sa.Column("age_years", sa.Double(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"]),
        sa.PrimaryKeyConstraint("case_id", "biopsy_id"),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("protocol_hash", sa.Text(), nullable=False),
        sa.Column("protocol_id", sa.Text(), nullable=False),
        sa.Column("rules_key", sa.Text(), nullable=False),
        sa.Column("algorithm_version", sa.Text(), nullable=False),
        sa.Column("software_version", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["protocol_hash"], ["protocols.protocol_hash"]),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "edits",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=True),
        sa.Column("biopsy_id", sa.Text(), nullable=True),
        sa.Column("section_id", sa.Text(), nullable=True),
        sa.Column("analysis_id", sa.Text(), nullable=True),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("base_seq", sa.Integer(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["analyses.analysis_id"]),
        sa.ForeignKeyConstraint(["section_id"], ["sections.section_id"]),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_edits_biopsy", "edits", ["case_id", "biopsy_id"])
    op.create_index("ix_edits_section", "edits", ["section_id"])

    op.create_table(
        "objects",
        sa.Column("analysis_id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["analyses.analysis_id"]),
        sa.PrimaryKeyConstraint("analysis_id", "ordinal"),
    )
    op.create_index("ix_objects_object_id", "objects", ["object_id"])

    op.create_table(
        "outcomes",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("scene", sa.Integer(), nullable=False),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("analysis_id", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["analyses.analysis_id"]),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "file_id", "scene", "region"),
    )
    op.create_table(
        "placements",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("scene", sa.Integer(), nullable=False),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.Column("section_id", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("biopsy_id", sa.Text(), nullable=False),
        sa.Column("case", sa.JSON(), nullable=False),
        sa.Column("calibration", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("analysis_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["analysis_id"], ["analyses.analysis_id"]),
        sa.ForeignKeyConstraint(["case_id", "biopsy_id"], ["biopsies.case_id", "biopsies.biopsy_id"]),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"]),
        sa.ForeignKeyConstraint(["section_id"], ["sections.section_id"]),
        sa.PrimaryKeyConstraint("file_id", "scene", "region"),
    )
    op.create_index("ix_placements_biopsy", "placements", ["case_id", "biopsy_id"])
    op.create_index("ix_placements_section", "placements", ["section_id"])

    op.create_table(
        "results",
        sa.Column("result_id", sa.Text(), nullable=False),
        sa.Column("analysis_id", sa.Text(), nullable=False),
        sa.Column("rules_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("surface_mm", sa.Double(), nullable=True),
        sa.Column("junction_mm", sa.Double(), nullable=True),
        sa.Column("chord_mm", sa.Double(), nullable=True),
        sa.Column("excluded_mm", sa.Double(), nullable=True),
        sa.Column("evaluable_mm", sa.Double(), nullable=True),
        sa.Column("length_line", sa.Text(), nullable=True),
        sa.Column("density_per_mm", sa.Double(), nullable=True),
        sa.Column("density_low_per_mm", sa.Double(), nullable=True),
        sa.Column("density_high_per_mm", sa.Double(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["analyses.analysis_id"]),
        sa.PrimaryKeyConstraint("result_id"),
        sa.UniqueConstraint("analysis_id", "rules_key"),
    )
    op.create_table(
        "sign_offs",
        sa.Column("sign_off_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("biopsy_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("protocol_hash", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("edit_seq", sa.Integer(), nullable=False),
        sa.Column("edit_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id", "biopsy_id"], ["biopsies.case_id", "biopsies.biopsy_id"]),
        sa.ForeignKeyConstraint(["protocol_hash"], ["protocols.protocol_hash"]),
        sa.ForeignKeyConstraint(["supersedes"], ["sign_offs.sign_off_id"]),
        sa.PrimaryKeyConstraint("sign_off_id"),
    )
    op.create_index("ix_sign_offs_biopsy", "sign_offs", ["case_id", "biopsy_id"])

    op.create_table(
        "crossings",
        sa.Column("result_id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("crossing_id", sa.Text(), nullable=False),
        sa.Column("fiber_id", sa.Text(), nullable=False),
        sa.Column("piece", sa.Integer(), nullable=False),
        sa.Column("row_px", sa.Double(), nullable=False),
        sa.Column("col_px", sa.Double(), nullable=False),
        sa.Column("z_um", sa.Double(), nullable=True),
        sa.Column("junction_position_um", sa.Double(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("reach_epidermis_um", sa.Double(), nullable=False),
        sa.Column("reach_dermis_um", sa.Double(), nullable=False),
        sa.Column("contrast", sa.Double(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["result_id"], ["results.result_id"]),
        sa.PrimaryKeyConstraint("result_id", "ordinal"),
    )
    op.create_index("ix_crossings_crossing_id", "crossings", ["crossing_id"])
    if op.get_bind().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
