"""What every DICOM object of a biopsy has: patient, study, ids that are made of its content, no clock."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from ienfd.errors import MissingExtraError
from ienfd.report.exchange import NAMESPACE, Outgoing, plain
from ienfd.report.extra import from_extra

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = [
    "LO_LENGTH",
    "MAKER",
    "NO_DATE",
    "NO_TIME",
    "SH_LENGTH",
    "content_times",
    "fit",
    "require_dicom",
    "settle",
    "study_header",
    "uid",
    "unsettled",
]

MAKER = "ienfd"
LO_LENGTH, SH_LENGTH = 64, 16
NO_DATE, NO_TIME = "19000101", "000000"
"""An SR must have a date of its content: this stands for none, and its status says so."""

_DIGITS = 8
_CLOCK = (
    "InstanceCreationDate",
    "InstanceCreationTime",
    "DateOfSecondaryCapture",
    "TimeOfSecondaryCapture",
    "ContributingEquipmentSequence",  # when which library was used
)
_METHOD = "ienfd: numbers for names, years for dates, no free text"


def require_dicom() -> None:
    """Say what to install when highdicom is not there.

    Raises
    ------
    MissingExtraError
        If it cannot be imported.
    """
    try:
        from_extra("highdicom", "dicom")
    except MissingExtraError as error:
        if sys.version_info < (3, 14):
            raise
        raise MissingExtraError("extra_missing", "highdicom, not there for Python 3.14 yet") from error


def uid(number: UUID) -> str:
    """A UUID as a DICOM UID (PS3.5, B.2)."""
    return f"2.25.{number.int}"


def unsettled(number: UUID) -> str:
    """A UID for an object whose content is not complete yet."""
    return uid(uuid5(number, "unsettled"))


def fit(text: object, length: int) -> str:
    """Text for an element of so many bytes, in which a backslash would separate two values.

    What cannot stand there as it is, or is too long, ends in digits of its hash, so that two ids do not
    become one.

    >>> fit("P-1", 16), fit("C:\\\\P-1", 16)
    ('P-1', 'C:/P-1~f609af02')
    """
    whole = str(text)
    shown = " ".join(plain(whole).replace("\\", "/").split())
    if shown == whole and len(shown.encode()) <= length:  # dicom3tools counts bytes
        return shown
    hidden = hashlib.sha256(whole.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]
    begins = shown.encode()[: length - _DIGITS - 1].decode(errors="ignore").strip()
    return f"{begins}~{hidden}"


def content_times(biopsy: Outgoing) -> tuple[str, str]:
    """Date and time of the content in UTC: those of the signature, or what stands for none."""
    if biopsy.signature is None:
        return NO_DATE, NO_TIME
    at = datetime.fromisoformat(biopsy.signature.at).astimezone(UTC)
    return at.strftime("%Y%m%d"), at.strftime("%H%M%S.%f")


def study_header(biopsy: Outgoing, *, deidentify: bool) -> Dataset:
    """Patient and study of a biopsy, as an object of that study from which others take them.

    Parameters
    ----------
    biopsy : Outgoing
        The biopsy; it is a study of its own.
    deidentify : bool
        Whether its ids are numbers.
    """
    from pydicom.dataset import Dataset

    record = biopsy.entry.record
    header = Dataset()
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    header.SOPInstanceUID = unsettled(biopsy.id("header"))
    header.SeriesInstanceUID = uid(biopsy.id("images"))
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientName = ""
    header.PatientID = fit(biopsy.patient[1], LO_LENGTH)
    header.PatientBirthDate = ""
    header.PatientSex = record.sex if record.sex in ("F", "M") else ""
    if deidentify:
        header.PatientIdentityRemoved = "YES"
        header.DeidentificationMethod = _METHOD
    if record.age_years is not None and 0 <= record.age_years < 1000:
        header.PatientAge = f"{int(record.age_years):03d}Y"
    header.StudyInstanceUID = uid(biopsy.number)
    header.StudyDate = _day(record.collection_date)
    header.StudyTime = ""
    header.AccessionNumber = ""
    fits = fit(record.biopsy_id, SH_LENGTH) == record.biopsy_id
    header.StudyID = record.biopsy_id if fits else biopsy.number.hex[:_DIGITS]  # as in its files' names
    header.StudyDescription = "Skin biopsy: intraepidermal nerve fiber density"
    header.ReferringPhysicianName = ""
    return header


def _day(text: str | None) -> str:
    """A date of a day as DICOM writes it; empty for a year alone, which DICOM has no word for."""
    try:
        return datetime.strptime(text or "", "%Y-%m-%d").strftime("%Y%m%d")
    except ValueError:
        return ""


def settle(dataset: Dataset) -> bytes:
    """Take out the clock, give a UID that is made of everything else, and encode.

    The same content gives the same bytes; whatever differs gives another UID.
    """
    import io

    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset
    from pydicom.uid import UID

    for keyword in _CLOCK:
        if keyword in dataset:
            delattr(dataset, keyword)
    raw = DicomBytesIO()
    raw.is_little_endian, raw.is_implicit_VR = True, False
    write_dataset(raw, dataset)
    own = uid(uuid5(NAMESPACE, hashlib.sha256(raw.getvalue()).hexdigest()))
    dataset.SOPInstanceUID = own
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(own)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
