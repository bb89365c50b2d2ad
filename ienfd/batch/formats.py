"""The formats in which a study can be exported: one line for each.

Kept light, because `ienfd export --help` must answer at once: what writes a format is imported when it
is asked for.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from ienfd.study.store import Store

__all__ = ["FORMATS", "OF_BIOPSIES", "Exporter", "exporter"]

FORMATS: dict[str, tuple[str, str]] = {
    "csv": ("ienfd.batch.export:export_csv", "the tables, and a picture of every section"),
    "xlsx": ("ienfd.batch.export:export_xlsx", "the tables as one workbook"),
    "parquet": ("ienfd.batch.export:export_parquet", "the tables with types and units, for statistics"),
    "cohort": ("ienfd.batch.export:export_cohort", "one row a biopsy for statistics, with plots"),
    "geojson": ("ienfd.batch.export:export_geojson", "each section for QuPath: all that was found, to edit"),
    "imagej-roi": ("ienfd.batch.export:export_imagej_rois", "each section for ImageJ: a set of ROIs"),
    "label-tiff": ("ienfd.batch.export:export_label_masks", "each section as masks, for other programs"),
    "fhir": ("ienfd.batch.exchange:export_fhir", "each biopsy as a FHIR R4B bundle, for hospital systems"),
    "dicom-sr": ("ienfd.batch.exchange:export_dicom", "each biopsy as a DICOM report with its pictures"),
}
"""For each format the function that writes it, as `module:function`, and a line for the help."""

OF_BIOPSIES = frozenset({"cohort", "fhir", "dicom-sr"})
"""Formats that write one thing for each biopsy; the others write sections."""


class Exporter(Protocol):
    """What writes a study to a folder, and returns the number of sections (or biopsies) that it wrote.

    It raises UsageError if the folder lies in the study or, under `deidentify`, is not empty;
    EnvironmentProblem if it cannot be written; MissingExtraError if it needs what is not installed.
    """

    def __call__(self, store: Store, out: Path, *, deidentify: bool) -> int:
        """Write `store` to `out`."""


def exporter(name: str) -> Exporter:
    """The function of a format, a key of `FORMATS`."""
    module, _, function = FORMATS[name][0].partition(":")
    return cast(Exporter, getattr(import_module(module), function))
