"""A biopsy as a FHIR R4B Bundle: a DiagnosticReport, its Observations and the Specimen.

One Bundle of the type `collection` for each biopsy. Nothing in it is a patient: the subject is referred
to by its identifier, as the case table gives it. There is no LOINC and no SNOMED code for this density,
so that everything is coded in the project's own system, `urn:ienfd:codes`, beside its text; units are
UCUM, and the phenotype HP:0034997 stands only where the density clearly lies below the limit. What the
library checks is the structure; codes are checked here, because it takes any.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ienfd.protocol import canonical_json
from ienfd.report.entries import BiopsyEntry, BiopsyStatus
from ienfd.report.exchange import Outgoing, conclusion, plain, position, site
from ienfd.report.extra import from_extra
from ienfd.report.fhir_observations import density, section_density
from ienfd.report.fhir_types import Json, Shared, code, is_date, observation_status

__all__ = ["check_bundle", "fhir_bundle", "fhir_bytes", "report_status", "require_fhir"]

REPORT_STATUS = frozenset(
    {
        "registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled",
        "entered-in-error", "unknown",
    }
)  # fmt: skip
"""http://hl7.org/fhir/ValueSet/diagnostic-report-status, version 4.3.0."""

_STATUS: Mapping[BiopsyStatus, str] = {
    "preliminary": "preliminary",
    "final": "final",
    "amended": "amended",
    "withdrawn": "entered-in-error",  # in FHIR's words: "withdrawn following a previous final release"
}
_PHENOTYPE = {
    "system": "http://human-phenotype-ontology.org",
    "code": "HP:0034997",
    "display": "Reduced intraepidermal small nerve fiber density",
}


def require_fhir() -> None:
    """Say what to install when fhir.resources is not there.

    Raises
    ------
    MissingExtraError
        If it cannot be imported.
    """
    from_extra("fhir.resources.R4B.bundle", "fhir")


def check_bundle(bundle: Mapping[str, Any]) -> None:
    """Have fhir.resources check that a Bundle is well formed.

    Raises
    ------
    ValueError
        If it is not.
    """
    from fhir.resources.R4B.bundle import Bundle

    Bundle.model_validate(bundle)


def fhir_bytes(bundle: Mapping[str, Any]) -> bytes:
    """A Bundle as a file: the same Bundle gives the same bytes.

    Raises
    ------
    ValueError
        If it holds a number that is not finite, for which JSON has no word.
    """
    return (json.dumps(bundle, separators=(",", ":"), allow_nan=False) + "\n").encode("ascii")


def fhir_bundle(biopsy: Outgoing, pdf: bytes | None = None) -> Json:
    """Everything that is said of a biopsy, as one Bundle.

    Parameters
    ----------
    biopsy : Outgoing
        The biopsy.
    pdf : bytes, optional
        Its report as PDF, which is attached.

    Returns
    -------
    dict
        The DiagnosticReport first, then the density of the biopsy, that of each section, and the
        Specimen. An id is made of what a resource is about, so that an amended report is the same
        resource with another content; the id of the Bundle is made of all of its content.
    """
    specimen_id = biopsy.id("Specimen")
    shared = _shared(biopsy, specimen_id)
    sections = []
    for ordinal, section in enumerate(biopsy.entry.sections, start=1):
        place = section.placement
        about = place.section_id or "", place.path, place.scene, place.region, ordinal
        sections.append(section_density(biopsy.id("section", *about), section, ordinal, shared))
    members = [_url(one) for one in sections]
    whole = density(biopsy.id("density"), biopsy.entry, shared, members, biopsy.compared)
    report = _report(biopsy, shared, [_url(one) for one in (whole, *sections)], pdf)
    resources = [report, whole, *sections, _specimen(specimen_id, biopsy.entry, shared)]
    entries = [{"fullUrl": _url(resource), "resource": resource} for resource in resources]
    number_of_all = str(biopsy.id("Bundle", canonical_json(entries)))
    return {
        "resourceType": "Bundle",
        "id": number_of_all,
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{number_of_all}"},
        "type": "collection",
        "entry": entries,
    }


def report_status(status: BiopsyStatus) -> str:
    """The status of a biopsy in FHIR's words.

    Raises
    ------
    ValueError
        If FHIR has no such word.
    """
    found = _STATUS[status]
    if found not in REPORT_STATUS:
        raise ValueError(f"{found!r} is no status of a DiagnosticReport")
    return found


def _url(resource: Json) -> str:
    return f"urn:uuid:{resource['id']}"


def _shared(biopsy: Outgoing, specimen_id: UUID) -> Shared:
    kind, value = biopsy.patient
    date = biopsy.entry.record.collection_date
    return Shared(
        status=observation_status(_STATUS[biopsy.entry.status]),
        subject={"type": "Patient", "identifier": {"system": f"urn:ienfd:{kind}", "value": plain(value)}},
        specimen={"reference": f"urn:uuid:{specimen_id}"},
        collected=date if is_date(date) else None,
        issued=biopsy.signature.at if biopsy.signature else None,
    )


def _report(biopsy: Outgoing, shared: Shared, results: list[str], pdf: bytes | None) -> Json:
    entry, call = biopsy.entry, biopsy.entry.call
    report: Json = {
        "resourceType": "DiagnosticReport",
        "id": str(biopsy.id("DiagnosticReport")),
        "identifier": _identifiers(entry),
        "status": report_status(entry.status),
        "code": code("ienfd"),
        **shared.subject_and_times(),
        "specimen": [shared.specimen],
        "result": [{"reference": url} for url in results],
        "conclusion": conclusion(entry),
    }
    if biopsy.signature:
        report["resultsInterpreter"] = [{"display": plain(biopsy.signature.name) or "not stated"}]
    # with a borderline call the code would stand there without that word
    if call.below_norm is not None and position(call) == "below" and entry.status != "withdrawn":
        report["conclusionCode"] = [{"coding": [_PHENOTYPE], "text": _PHENOTYPE["display"]}]
    if pdf is not None:
        report["presentedForm"] = [
            {
                "contentType": "application/pdf",
                "language": "en",
                "data": base64.b64encode(pdf).decode("ascii"),
                "size": len(pdf),
                "title": "Report",
            }
        ]
    return report


def _identifiers(entry: BiopsyEntry) -> list[Json]:
    record = entry.record
    return [
        {"system": "urn:ienfd:case", "value": plain(record.case_id)},
        {"system": "urn:ienfd:biopsy", "value": plain(record.biopsy_id)},
    ]


def _specimen(number: UUID, entry: BiopsyEntry, shared: Shared) -> Json:
    specimen: Json = {
        "resourceType": "Specimen",
        "id": str(number),
        "identifier": _identifiers(entry),
        "type": {"text": "Skin biopsy"},
        "subject": shared.subject,
    }
    collection: Json = {}
    if shared.collected:
        collection["collectedDateTime"] = shared.collected
    if site(entry):
        collection["bodySite"] = {"text": site(entry)}
    if collection:
        specimen["collection"] = collection
    further = [f"{plain(header)}: {plain(value)}" for header, value in entry.record.extra.items() if value]
    if further:  # columns of the case table that ienfd does not know, as they are written there
        specimen["note"] = [{"text": line} for line in further]
    return specimen
