"""The Observations of a biopsy: its density, and that of each of its sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from ienfd.biopsy import call_sentence
from ienfd.figures import BiopsyCall
from ienfd.reasons import REASONS
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.exchange import method, plain, position
from ienfd.report.fhir_types import Json, Shared, absent, code, quantity

__all__ = ["density", "section_density"]

_PER_MM, _MM = "/mm", "mm"
_LOW = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "code": "L",
    "display": "Low",
}
_WHY = {"pending": "temp-unknown", "failed": "error"}  # of a section; FHIR's words


def density(
    number: UUID, entry: BiopsyEntry, shared: Shared, sections: Sequence[str], compared: Sequence[str] = ()
) -> Json:
    """The density of a biopsy with its interval, and how it lies to the limit unless that is withheld.

    Parameters
    ----------
    number : UUID
        Id of the Observation.
    entry : BiopsyEntry
        The biopsy.
    shared : Shared
        Status, subject, specimen and times.
    sections : sequence of str
        References to the Observations of its sections.
    compared : sequence of str
        How it compares with earlier biopsies of its patient, in sentences.
    """
    call = entry.call
    observation: Json = {
        "resourceType": "Observation",
        "id": str(number),
        "status": shared.status,
        "code": code("ienfd"),
        **shared.subject_and_times(),
    }
    if call.density_per_mm is None:
        why = "temp-unknown" if "sections_pending" in call.flags else "unknown"
        observation["dataAbsentReason"] = absent(why, call.withheld_reasons, call_sentence(call))
    else:
        observation["valueQuantity"] = quantity(call.density_per_mm, _PER_MM)
    is_called = call.below_norm is not None and entry.status != "withdrawn"
    if is_called:
        observation["interpretation"] = [_interpretation(call)]
    notes = [REASONS[flag].text for flag in call.flags if flag in REASONS]
    if not is_called and call.density_per_mm is not None and entry.status != "withdrawn":
        notes.insert(0, call_sentence(call))
    observation |= _notes([*notes, *(() if entry.status == "withdrawn" else compared)])
    observation["method"] = {"text": method(entry)}
    observation["specimen"] = shared.specimen
    if is_called and call.norm_limit_per_mm is not None:
        observation["referenceRange"] = [_range(call.norm_limit_per_mm, call)]
    if sections:
        observation["hasMember"] = [{"reference": url} for url in sections]
    return observation | _components(_of_biopsy(entry))


def section_density(number: UUID, entry: SectionEntry, ordinal: int, shared: Shared) -> Json:
    """The density of a section, or why it has none.

    Parameters
    ----------
    number : UUID
        Id of the Observation.
    entry : SectionEntry
        The section.
    ordinal : int
        Which of the sections of its biopsy, from 1.
    shared : Shared
        Status, subject, specimen and times.
    """
    place, result = entry.placement, entry.result
    pending = entry.status == "pending" and shared.status == "preliminary"
    observation: Json = {
        "resourceType": "Observation",
        "id": str(number),
        "status": "registered" if pending else shared.status,
        "code": code("ienfd-section", f"Intraepidermal nerve fiber density, section {ordinal}"),
        **shared.subject_and_times(),
    }
    if place.section_id:
        observation["identifier"] = [{"system": "urn:ienfd:section", "value": place.section_id}]
    figures = entry.figures()
    lengths = result.lengths if result else None
    if figures.density_per_mm is None or figures.crossings is None or result is None or lengths is None:
        text = f"{entry.reason_text} {entry.remedy}".strip() or "It has not been analyzed yet."
        reasons = [entry.reason] if entry.reason else []
        observation["dataAbsentReason"] = absent(_WHY.get(entry.status, "unknown"), reasons, text)
        components: list[Json] = []
    else:
        observation["valueQuantity"] = quantity(figures.density_per_mm, _PER_MM)
        components = [
            *_interval("interval", "", result.density_low_per_mm, result.density_high_per_mm),
            {"code": code("crossings"), "valueInteger": figures.crossings},
            {
                "code": code("evaluable-length", f"Evaluable length of the {lengths.line}"),
                "valueQuantity": quantity(lengths.evaluable_mm, _MM),
            },
        ]
    observation |= _notes(REASONS[flag].text for flag in entry.flags if flag in REASONS)
    observation["specimen"] = shared.specimen
    scene = f", scene {place.scene}" if place.scene else ""
    observation["derivedFrom"] = [{"display": f"{plain(place.path)}{scene}"}]
    return observation | _components(components)


def _interpretation(call: BiopsyCall) -> Json:
    name = position(call)
    own = code(name)
    # with a borderline call the code would stand there without that word
    return own | {"coding": [_LOW, *own["coding"]]} if name == "below" else own


def _range(limit_per_mm: float, call: BiopsyCall) -> Json:
    # without a type it would be taken for the normal range
    return {
        "low": quantity(limit_per_mm, _PER_MM),
        "type": {"text": "Limit of a published norm"},
        "text": plain(f"Lower limit of the norm {call.norm_id} for this age and sex"),
    }


def _of_biopsy(entry: BiopsyEntry) -> list[Json]:
    call = entry.call
    components: list[Json] = []
    if call.density_per_mm is not None:
        level = f"{100 * entry.protocol.density.interval_level:g} %"
        text = f"{level} interval of the density, of sampling only"
        components += _interval("interval", text, call.density_low_per_mm, call.density_high_per_mm)
    if call.crossings is not None:
        components.append({"code": code("crossings"), "valueInteger": call.crossings})
    if call.evaluable_length_mm is not None:
        length = quantity(call.evaluable_length_mm, _MM)
        components.append({"code": code("evaluable-length"), "valueQuantity": length})
    if call.mean_section_density_per_mm is not None:
        mean = quantity(call.mean_section_density_per_mm, _PER_MM)
        components.append({"code": code("section-mean"), "valueQuantity": mean})
    if call.sections_evaluable:
        components.append({"code": code("sections"), "valueInteger": call.sections_evaluable})
    return components


def _interval(name: str, text: str, low: float | None, high: float | None) -> list[Json]:
    if low is None or high is None:
        return []
    ends = {"low": quantity(low, _PER_MM), "high": quantity(high, _PER_MM)}
    return [{"code": code(name, text), "valueRange": ends}]


def _notes(sentences: Iterable[str]) -> Json:
    notes = [{"text": plain(sentence)} for sentence in sentences]
    return {"note": notes} if notes else {}


def _components(components: list[Json]) -> Json:
    return {"component": components} if components else {}
