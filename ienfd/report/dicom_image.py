"""The overlay of a section as a DICOM Secondary Capture: what the report refers to as its evidence."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ienfd import __version__
from ienfd.report.dicom_header import LO_LENGTH, MAKER, fit, uid, unsettled
from ienfd.report.exchange import Outgoing

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["section_capture"]


def section_capture(
    png: bytes, ordinal: int, biopsy: Outgoing, header: Dataset, *, deidentify: bool
) -> Dataset:
    """The overlay of one section, uncompressed, which every viewer shows.

    Parameters
    ----------
    png : bytes
        The overlay.
    ordinal : int
        Which of the sections of its biopsy, from 1.
    biopsy : Outgoing
        Its biopsy.
    header : Dataset
        Patient and study.
    deidentify : bool
        Whether ids, also those in the picture, are numbers.
    """
    from highdicom import SpecimenDescription
    from highdicom.sc import SCImage

    section = biopsy.entry.sections[ordinal - 1]
    with Image.open(io.BytesIO(png)) as image:
        pixels = np.asarray(image.convert("RGB"))
    number = biopsy.id("image", ordinal)
    capture = SCImage.from_ref_dataset(
        header,
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="SLIDE",
        series_instance_uid=uid(biopsy.id("images")),
        series_number=1,
        sop_instance_uid=unsettled(number),
        instance_number=ordinal,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=__version__,
        container_identifier=fit(section.placement.section_id, LO_LENGTH),
        specimen_descriptions=[
            SpecimenDescription(
                specimen_id=fit(biopsy.entry.record.biopsy_id, LO_LENGTH),
                specimen_uid=uid(biopsy.id("specimen")),
            )
        ],
        series_description="Sections with what was found in them",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    capture.copy_patient_and_study_information(header)
    for clock in ("ContentDate", "ContentTime"):
        delattr(capture, clock)
    capture.PatientOrientation = []  # what a slide has none of must be said to be none
    # the picture under it was kept as JPEG
    capture.LossyImageCompression = "01"
    capture.LossyImageCompressionMethod = "ISO_10918_1"
    if not deidentify:  # else nobody has looked for what was photographed with the slide
        capture.BurnedInAnnotation = "YES"
    return capture
