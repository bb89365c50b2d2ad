"""A biopsy as a DICOM Structured Report: TID 1500, with a group for the biopsy and one for each section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ienfd import __version__
from ienfd.biopsy import call_sentence
from ienfd.reasons import REASONS
from ienfd.report.dicom_header import MAKER, content_times, uid, unsettled
from ienfd.report.entries import SectionEntry
from ienfd.report.exchange import CODES, NAMESPACE, Outgoing, conclusion, method, plain, position, site

if TYPE_CHECKING:
    from highdicom.sr import Measurement, MeasurementsAndQualitativeEvaluations, TextContentItem
    from pydicom.dataset import Dataset
    from pydicom.sr.coding import Code

__all__ = ["biopsy_report"]

_SCHEME = "99IENFD"
_DECIMALS = 6
_UNITS = {
    "/mm": "per millimeter",
    "mm": "millimeter",
    "{crossings}": "crossings",
    "{sections}": "sections",
}
_STATUS = {
    "preliminary": "Preliminary: it is not signed, or was changed after it was signed.",
    "final": "Final.",
    "amended": "Amended.",
    "withdrawn": "Withdrawn.",
}
_UNDATED = "The document has no date: 1900-01-01 stands for none."

Figure = tuple[str, float | int | None, str]
"""Code, value and unit."""


def biopsy_report(biopsy: Outgoing, images: Sequence[Dataset | None], header: Dataset) -> Dataset:
    """Everything that is measured and said of a biopsy.

    Parameters
    ----------
    biopsy : Outgoing
        The biopsy.
    images : sequence of (Dataset or None)
        The Secondary Capture of each of its sections, where there is one.
    header : Dataset
        Patient and study.

    Returns
    -------
    Dataset
        A Comprehensive 3D SR. It is never `VERIFIED`, for which the standard asks for the organization
        that answers for it: who signed in ienfd stands in its text. Of a withdrawn result it holds no
        figure, because an SR has no status that a reader would have to heed.
    """
    from highdicom.sr import Comprehensive3DSR

    entry = biopsy.entry
    day, time = content_times(biopsy)
    evidence = [image for image in images if image is not None]
    number = biopsy.id("report")
    report = Comprehensive3DSR(
        evidence=evidence or [header],
        content=_content(biopsy, images),
        series_instance_uid=uid(biopsy.id("reports")),
        series_number=2,
        sop_instance_uid=unsettled(number),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=__version__,
        series_description="Intraepidermal nerve fiber density",
        is_complete=all(section.status != "pending" for section in entry.sections),
        is_final=entry.status != "preliminary",
        content_date=day,
        content_time=time,
        coding_schemes=None,
        specific_character_set="ISO_IR 192",
    )
    if not evidence:  # the library asks for some, the standard does not
        del report.CurrentRequestedProcedureEvidenceSequence
    report.TimezoneOffsetFromUTC = "+0000"
    return report


def _content(biopsy: Outgoing, images: Sequence[Dataset | None]) -> Any:
    from highdicom.sr import (
        ContainerContentItem,
        DeviceObserverIdentifyingAttributes,
        MeasurementReport,
        ObservationContext,
        ObserverContext,
    )
    from highdicom.sr.value_types import ContentSequence
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    entry = biopsy.entry
    device = DeviceObserverIdentifyingAttributes(
        uid=uid(NAMESPACE), name=MAKER, manufacturer_name=MAKER, model_name=f"{MAKER} {__version__}"
    )
    groups = [_biopsy_group(biopsy)]
    if entry.status != "withdrawn":
        groups += [
            _section_group(biopsy, section, ordinal, image)
            for ordinal, (section, image) in enumerate(zip(entry.sections, images, strict=True), start=1)
        ]
    content = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=ObserverContext(
                observer_type=codes.DCM.Device, observer_identifying_attributes=device
            )
        ),
        procedure_reported=_code("ienfd"),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    said = ContainerContentItem(
        name=Code("C0034375", "UMLS", "Qualitative Evaluations"), relationship_type="CONTAINS"
    )
    said.ContentSequence = ContentSequence(list(_said(biopsy)))
    content[0].ContentSequence.append(said)
    _separate(content[0])
    return content


def _separate(item: Dataset) -> None:
    """Have a reader show each item under its name: a figure without one says nothing."""
    if item.ValueType == "CONTAINER":
        item.ContinuityOfContent = "SEPARATE"
    for inner in item.get("ContentSequence", ()):
        _separate(inner)


def _said(biopsy: Outgoing) -> Iterator[Any]:
    """Status, site, method, and the call or why it is withheld."""
    from highdicom.sr import CodeContentItem, TextContentItem
    from pydicom.sr.codedict import codes

    entry = biopsy.entry
    status = _STATUS[entry.status]
    if biopsy.signature is not None:
        status += f" Signed in ienfd by {plain(biopsy.signature.name)}; no legal electronic signature."
    else:
        status += f" {_UNDATED}"
    yield _text("status", status)
    if site(entry):
        yield _text("site", site(entry))
    if entry.status != "withdrawn":
        level = f"{100 * entry.protocol.density.interval_level:g} % interval, of sampling only"
        yield _text("method", f"{method(entry)}; {level}")
        if entry.call.below_norm is not None:
            yield CodeContentItem(
                name=_code("position"), value=_code(position(entry.call)), relationship_type="CONTAINS"
            )
    yield TextContentItem(codes.DCM.Conclusion, _lines(conclusion(entry)), "CONTAINS")


def _biopsy_group(biopsy: Outgoing) -> MeasurementsAndQualitativeEvaluations:
    entry, call = biopsy.entry, biopsy.entry.call
    name = f"Biopsy {entry.name}"
    if entry.status == "withdrawn":
        return _group(name, biopsy, "biopsy", (), [_text("no-density", conclusion(entry))])
    figures: list[Figure] = [
        ("ienfd", call.density_per_mm, "/mm"),
        ("interval-low", call.density_low_per_mm, "/mm"),
        ("interval-high", call.density_high_per_mm, "/mm"),
        ("section-mean", call.mean_section_density_per_mm, "/mm"),
        ("crossings", call.crossings, "{crossings}"),
        ("evaluable-length", call.evaluable_length_mm, "mm"),
        ("sections", call.sections_evaluable or None, "{sections}"),
    ]
    if call.below_norm is not None:
        figures.append(("norm-limit", call.norm_limit_per_mm, "/mm"))
    texts = [] if call.density_per_mm is not None else [_text("no-density", call_sentence(call))]
    return _group(name, biopsy, "biopsy", figures, texts)


def _section_group(
    biopsy: Outgoing, section: SectionEntry, ordinal: int, image: Dataset | None
) -> MeasurementsAndQualitativeEvaluations:
    place, result, seen = section.placement, section.result, section.figures()
    scene = f", scene {place.scene}" if place.scene else ""
    name = f"Section {ordinal}: {place.path}{scene}"
    texts = [_text("remark", REASONS[flag].text) for flag in section.flags if flag in REASONS]
    figures: list[Figure] = []
    if seen.density_per_mm is not None and result is not None:
        figures = [
            ("ienfd-section", seen.density_per_mm, "/mm"),
            ("interval-low", result.density_low_per_mm, "/mm"),
            ("interval-high", result.density_high_per_mm, "/mm"),
            ("crossings", seen.crossings, "{crossings}"),
            ("evaluable-length", seen.evaluable_mm, "mm"),
        ]
    else:
        why = f"{section.reason_text} {section.remedy}".strip() or "It has not been analyzed yet."
        texts.insert(0, _text("no-density", why))
    return _group(name, biopsy, f"section {ordinal}", figures, texts, image)


def _group(
    name: str,
    biopsy: Outgoing,
    about: str,
    figures: Iterable[Figure],
    texts: Iterable[TextContentItem],
    image: Dataset | None = None,
) -> MeasurementsAndQualitativeEvaluations:
    """A measurement group (TID 1501), which is tracked as a whole: dcmtk reads no single figure that is."""
    from highdicom.sr import (
        MeasurementsAndQualitativeEvaluations,
        SourceImageForMeasurementGroup,
        TrackingIdentifier,
    )

    sources = [] if image is None else [SourceImageForMeasurementGroup.from_source_image(image)]
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid(biopsy.id("tracked", about)), _lines(name)),
        measurements=[_measured(*figure) for figure in figures if figure[1] is not None],
        source_images=sources,
    )
    group[0].ContentSequence.extend(texts)
    return group


def _measured(name: str, value: Any, unit: str) -> Measurement:
    from highdicom.sr import Measurement
    from pydicom.sr.coding import Code

    figure = value if isinstance(value, int) else round(float(value), _DECIMALS)
    measured = Measurement(_code(name), figure, Code(unit, "UCUM", _UNITS[unit]))
    measured[0].MeasuredValueSequence[0].NumericValue = f"{figure:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return measured


def _text(name: str, text: str) -> TextContentItem:
    from highdicom.sr import TextContentItem

    return TextContentItem(_code(name), _lines(text), "CONTAINS")


def _code(name: str) -> Code:
    from pydicom.sr.coding import Code

    return Code(name, _SCHEME, CODES[name])


def _lines(text: str) -> str:
    """Text as an element of any length takes it: without a tab."""
    return plain(text).replace("\t", " ")
