"""The form of the case table; what its cells mean is in `ienfd.batch.case_values`."""

from __future__ import annotations

from ienfd.text_table import TableForm

__all__ = ["CASE_TABLE", "COLUMNS"]

COLUMNS = (
    "file", "case_id", "biopsy_id", "age_years", "sex", "site", "side", "collection_date", "stain",
    "section_um", "planes", "pixel_size_um", "control", "patient_id", "staining_run",
)  # fmt: skip

CASE_TABLE = TableForm(
    name="case table",
    code="case_table_invalid",
    columns=COLUMNS,
    required=("file", "case_id"),
    synonyms={
        "filename": "file",
        "file_name": "file",
        "age": "age_years",
        "section_thickness_um": "section_um",
    },
)
