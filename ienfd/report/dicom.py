"""A biopsy as DICOM: a Structured Report, and the picture of each section as its evidence.

Concepts that no standard has a code for are coded under the private designator `99IENFD`; units are
UCUM. UIDs are made of the content (PS3.5, B.2), so that the same biopsy gives the same bytes, and an
amended one other UIDs in the same study. There is no clock in it: times are those of the signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ienfd.report.dicom_header import require_dicom, settle, study_header
from ienfd.report.dicom_image import section_capture
from ienfd.report.dicom_sr import biopsy_report
from ienfd.report.exchange import Outgoing

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["dicom_files", "require_dicom"]


def dicom_files(biopsy: Outgoing, overlays: Iterable[bytes | None], *, deidentify: bool) -> dict[str, bytes]:
    """The files of a biopsy by name: `<biopsy>_section1.sc.dcm` and so on, then `<biopsy>.sr.dcm`.

    Parameters
    ----------
    biopsy : Outgoing
        The biopsy.
    overlays : iterable of (bytes or None)
        The overlay of each of its sections as PNG, None where there is none; a section without one, and
        every section of a withdrawn result, has no picture.
    deidentify : bool
        Whether ids, also those in the pictures, are numbers.

    Raises
    ------
    MissingExtraError
        If highdicom is not installed.
    """
    require_dicom()
    header = study_header(biopsy, deidentify=deidentify)
    files: dict[str, bytes] = {}
    images: list[Dataset | None] = []
    for ordinal, png in enumerate(overlays, start=1):
        if png is None or biopsy.entry.status == "withdrawn":
            images.append(None)
            continue
        image = section_capture(png, ordinal, biopsy, header, deidentify=deidentify)
        # its id is settled before the report refers to it
        files[f"{biopsy.stem}_section{ordinal}.sc.dcm"] = settle(image)
        images.append(image)
    files[f"{biopsy.stem}.sr.dcm"] = settle(biopsy_report(biopsy, images, header))
    return files
