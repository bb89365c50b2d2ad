"""What a report says, as plain words and pictures: one value, many renderers."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from PIL import Image

from ienfd import __version__, norms
from ienfd.biopsy import call_sentence
from ienfd.draw.marks_svg import marks_svg
from ienfd.draw.norm_plot import Course, PatientPoint, norm_plot
from ienfd.draw.picture import Picture
from ienfd.draw.tiles import tiles
from ienfd.norms import Norm
from ienfd.reasons import REASONS
from ienfd.report.course import PatientCourse
from ienfd.report.course_page import CoursePage, course_of, course_page
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.typeset import FONT
from ienfd.report.wording import ASSAY, IMAGING, SPECIMEN, Template
from ienfd.result import Findings, SectionResult
from ienfd.skin.lengths import effective_exclusions
from ienfd.study.log import Head
from ienfd.study.signing import SignOff

__all__ = ["CaseReport", "Pictures", "SectionPage", "TilePicture", "case_report"]

Row = tuple[str, str]
_NOT_STATED = "not stated"
_OVERLAY_PX, _QUALITY = 2000, 85


@dataclass(frozen=True)
class TilePicture:
    """A tile of the atlas: its picture as JPEG, its number, and a line about it."""

    jpeg: bytes
    number: int
    caption: str


@dataclass(frozen=True)
class SectionPage:
    """One section.

    Parameters
    ----------
    name : str
        Its file, and its scene where that has several.
    evaluated : bool
        Whether it is part of the density.
    summary : str
        Its result in a sentence, or why there is none.
    rows : tuple of (str, str)
        Its figures.
    remarks : tuple of str
        What should be known of its quality.
    overlay : bytes or None
        Its overlay as JPEG.
    tiles : tuple of TilePicture
        Its counted crossings.
    picture : bytes or None
        The section without marks as JPEG.
    marks : str
        Its marks, as SVG over that picture.
    """

    name: str
    evaluated: bool
    summary: str
    rows: tuple[Row, ...]
    remarks: tuple[str, ...]
    overlay: bytes | None
    tiles: tuple[TilePicture, ...]
    picture: bytes | None = None
    marks: str = ""

    @property
    def is_tall(self) -> bool:
        """Whether its overlay is higher than a page is wide."""
        if self.overlay is None:
            return False
        with Image.open(io.BytesIO(self.overlay)) as image:
            return image.height > image.width


@dataclass(frozen=True)
class CaseReport:
    """One report.

    Parameters
    ----------
    template : Template
        Letterhead and words.
    biopsy : str
        Case and biopsy.
    status : str
        `preliminary`, `final`, `amended` or `withdrawn`.
    watermark : str
        Across every page; empty for none.
    density, interval : str
        The result in large letters; empty where there is none.
    call : str
        The call in a sentence, or why it is withheld.
    below, borderline : bool
        How the call is colored.
    plot : str
        The norm over age with the patient's point, as SVG; empty where it cannot be drawn.
    plot_words : str
        The same in words.
    patient, specimen, assay, imaging, result, method : tuple of (str, str)
        Tables.
    sections : tuple of SectionPage
        All its sections.
    flags : tuple of str
        What must be said beside the call.
    interpretation, comment : str
        What the pathologist wrote.
    signatures : tuple of (str, str)
        Who signed when, and as what.
    amendments : tuple of str
        What changed from signature to signature.
    dated : str
        Its date in ISO 8601: of the last signature, else of the last run.
    course : CoursePage or None
        The other biopsies of the patient; None where there are none.
    """

    template: Template
    biopsy: str
    status: str
    watermark: str
    density: str
    interval: str
    call: str
    below: bool
    borderline: bool
    plot: str
    plot_words: str
    patient: tuple[Row, ...]
    specimen: tuple[Row, ...]
    assay: tuple[Row, ...]
    imaging: tuple[Row, ...]
    result: tuple[Row, ...]
    method: tuple[Row, ...]
    sections: tuple[SectionPage, ...]
    flags: tuple[str, ...]
    interpretation: str
    comment: str
    signatures: tuple[Row, ...]
    amendments: tuple[str, ...]
    dated: str
    course: CoursePage | None = None


@dataclass(frozen=True)
class Pictures:
    """What there is to see of a section.

    Parameters
    ----------
    overlay : bytes or None
        Its overlay, encoded.
    picture : bytes or None
        Its stored picture, encoded.
    result : SectionResult or None
        With its junction.
    """

    overlay: bytes | None = None
    picture: bytes | None = None
    result: SectionResult | None = None


def case_report(
    entry: BiopsyEntry,
    pictures: Sequence[Pictures],
    *,
    sign_offs: Sequence[SignOff],
    head: Head,
    dated: str,
    template: Template,
    known_norms: Sequence[Norm] | None = None,
    courses: Sequence[PatientCourse] = (),
) -> CaseReport:
    """Put together what a report of a biopsy says.

    Parameters
    ----------
    entry : BiopsyEntry
        The biopsy as it stands.
    pictures : sequence of Pictures
        Those of each of its sections.
    sign_offs : sequence of SignOff
        Its signatures, in their order.
    head : Head
        End of the log of edits.
    dated : str
        Date of an unsigned report, ISO 8601.
    template : Template
        Letterhead and words.
    known_norms : sequence of Norm, optional
        The norms to draw; those that come with ienfd by default.
    courses : sequence of PatientCourse
        Those of the study, of which the one of its patient is shown.
    """
    call, wording = entry.call, template.wording
    marks = {"preliminary": wording.preliminary, "withdrawn": wording.withdrawn}
    contents = [json.loads(sign.content) for sign in sign_offs]
    last: Mapping[str, Any] = contents[-1] if contents else {}
    level = f"{entry.protocol.density.interval_level:.0%}".replace("%", " %")
    interval = ""
    if call.density_low_per_mm is not None and call.density_high_per_mm is not None:
        interval = f"{level} interval {call.density_low_per_mm:.1f} to {call.density_high_per_mm:.1f} /mm"
    every = known_norms or [norms.load(norm_id) for norm_id in norms.available()]
    plot, words = _plot(entry, every)
    course = course_of(entry, courses)
    return CaseReport(
        template=template,
        biopsy=entry.name,
        status=entry.status,
        watermark=marks.get(entry.status, ""),
        density="" if call.density_per_mm is None else f"{call.density_per_mm:.1f} /mm",
        interval=interval,
        call=call_sentence(call),
        below=bool(call.below_norm),
        borderline=call.certainty == "borderline",
        plot=plot,
        plot_words=words,
        patient=_patient(entry),
        specimen=(*_specimen(entry), *_from_table(entry, SPECIMEN)),
        assay=(("Stain", call.stain or _NOT_STATED), *_from_table(entry, ASSAY), *_controls(entry)),
        imaging=(*_imaging(entry.sections), *_from_table(entry, IMAGING)),
        result=_result(entry),
        method=_method(entry, head),
        sections=tuple(
            _page(one, seen, entry.protocol.counting.cut_edge_um)
            for one, seen in zip(entry.sections, pictures, strict=True)
        ),
        flags=tuple(REASONS[code].text for code in call.flags if code in REASONS),
        interpretation=str(last.get("interpretation", "")),
        comment=str(last.get("comment", "")),
        signatures=tuple((f"{sign.kind}, {_moment(sign.at)}", _signer(sign)) for sign in sign_offs),
        amendments=tuple(_amendments(sign_offs, contents)),
        dated=sign_offs[-1].at if sign_offs else dated,
        course=course_page(entry, course, FONT) if course else None,
    )


def _patient(entry: BiopsyEntry) -> tuple[Row, ...]:
    record = entry.record
    age = _NOT_STATED if record.age_years is None else f"{record.age_years:g} years"
    sex = {"F": "female", "M": "male"}.get(record.sex or "", _NOT_STATED)
    return (
        ("Patient", record.patient_id or _NOT_STATED),
        ("Case", record.case_id),
        ("Biopsy", record.biopsy_id),
        ("Age at collection", age),
        ("Sex used for the norm", sex),
    )


def _specimen(entry: BiopsyEntry) -> tuple[Row, ...]:
    record, call = entry.record, entry.call
    thickness = sorted({f"{e.case['section_um']:g}" for e in entry.sections if e.case.get("section_um")})
    rejected = len(entry.sections) - call.sections_evaluable
    return (
        ("Site", (record.site or _NOT_STATED).replace("_", " ")),
        ("Side", record.side or _NOT_STATED),
        ("Collected", record.collection_date or _NOT_STATED),
        ("Section thickness, um", ", ".join(thickness) or _NOT_STATED),
        ("Sections", f"{len(entry.sections)}, {call.sections_evaluable} evaluated, {rejected} not"),
    )


def _from_table(entry: BiopsyEntry, labels: Mapping[str, str]) -> tuple[Row, ...]:
    """What further columns of the case table say."""
    said = {header.casefold().strip(): value for header, value in entry.record.extra.items()}
    return tuple((label, str(said.get(header) or _NOT_STATED)) for header, label in labels.items())


def _controls(entry: BiopsyEntry) -> tuple[Row, ...]:
    """How the controls of its staining runs came out; said only where there are any."""
    counts = Counter(f"{kind}: {outcome}" for kind, outcome in entry.controls)
    said = (f"{words} ({count})" if count > 1 else words for words, count in sorted(counts.items()))
    return (("Control sections", "; ".join(said)),) if counts else ()


def _imaging(sections: Iterable[SectionEntry]) -> tuple[Row, ...]:
    sizes, planes = [], []
    for place in (one.placement for one in sections):
        size = place.calibration.get("pixel_size_um")
        sizes.append(f"{size:.4g} ({place.calibration.get('source')})" if size else "not known")
        planes.append(str(place.case.get("planes") or f"{place.facts.planes} in the file"))
    return (
        ("Pixel size, um (source)", "; ".join(dict.fromkeys(sizes)) or _NOT_STATED),
        ("Planes", "; ".join(dict.fromkeys(planes)) or _NOT_STATED),
    )


def _result(entry: BiopsyEntry) -> tuple[Row, ...]:
    call = entry.call
    if call.density_per_mm is None or call.evaluable_length_mm is None:
        return ()
    lines = sorted({e.result.lengths.line for e in entry.sections if e.result and e.result.lengths})
    rows = [
        ("Crossings", str(call.crossings)),
        ("Evaluated epidermis", f"{call.evaluable_length_mm:.2f} mm along the {', '.join(lines)}"),
        ("Density, all by all", f"{call.density_per_mm:.2f} /mm"),
        ("Mean of the sections", f"{call.mean_section_density_per_mm or 0:.2f} /mm"),
    ]
    if call.norm_limit_per_mm is not None:
        away = call.density_per_mm - call.norm_limit_per_mm
        rows.append(("Limit of the norm", f"{call.norm_limit_per_mm:.2f} /mm ({call.norm_id})"))
        rows.append(("Distance to it", f"{away:+.2f} /mm"))
    if call.norm_percentile is not None:
        persons = next(
            (f" of {norm.n} healthy persons" for norm in entry.norms if norm.id == call.norm_id), ""
        )
        interval = f"{call.norm_percentile_low} to {call.norm_percentile_high} with the interval"
        rows.append(("Percentile in the norm", f"about {call.norm_percentile}{persons}; {interval}"))
    if call.other_norms:
        rows.append(("Other norms", "; ".join(call.other_norms)))
    return tuple(rows)


_JUNCTION_BY = {
    "network": "drawn by a network that learned from synthetic sections, by what the section shows",
    "section": "as the section alone shows it",
}
_FIBERS_BY = {
    "network": "lines that filters find, weighed by a network that learned from synthetic sections",
    "section": "lines that filters find",
}


def _method(entry: BiopsyEntry, head: Head) -> tuple[Row, ...]:
    rules = entry.protocol.counting
    options = (
        f"dermal branches: {rules.dermal_branch}; branches in the junction: {rules.junction_branch}; "
        f"fragments: {rules.fragments}d; re-entry: {rules.reentry}; cut edge: {rules.cut_edge_um:g} um"
    )
    versions = sorted({e.placement.algorithm_version for e in entry.sections})
    edits = sum(e.corrected.edits for e in entry.sections if e.corrected)
    readers = dict.fromkeys(r for e in entry.sections if e.corrected for r in e.corrected.readers)
    return (
        ("Counting", f"crossings of the dermal-epidermal junction, EFNS/PNS 2010; {options}"),
        (
            "Confidence",
            f"learned from {rules.confidence.learned_from}; counted from {rules.min_confidence:g} on",
        ),
        ("Junction", _JUNCTION_BY[entry.protocol.image.junction_by]),
        ("Fibers", _FIBERS_BY[entry.protocol.image.fibers_by]),
        ("Length", f"along the {entry.protocol.density.length_line}"),
        ("Protocol", f"{entry.protocol.id} ({entry.protocol_hash[:12]})"),
        ("Software", f"ienfd {__version__}, image analysis {', '.join(versions)}"),
        ("Validated in this laboratory", _validated(entry)),
        ("Reviewed by", ", ".join(readers) or "nobody yet"),
        ("Corrections by reviewers", str(edits)),
        ("Log of edits", f"entry {head.seq}, {head.hash}"),
    )


def _validated(entry: BiopsyEntry) -> str:
    if entry.validated is None:
        return "no validated protocol is pinned"
    differs = "not_validated" in entry.call.flags
    return f"{'not this, but ' if differs else 'this: '}{entry.validated.words}"


def _page(entry: SectionEntry, seen: Pictures, cut_edge_um: float) -> SectionPage:
    place, result = entry.placement, entry.result
    name = f"{place.path}, scene {place.scene}" if place.scene else place.path
    remarks = tuple(REASONS[code].text for code in entry.flags if code in REASONS)
    if entry.status != "ok" or result is None or result.lengths is None:
        summary = f"Not evaluated: {entry.reason_text or entry.status} {entry.remedy}".strip()
        return SectionPage(name, False, summary, (), remarks, _jpeg(seen.overlay), ())
    lengths = result.lengths
    confidence = result.findings.measure("junction_confidence")
    rows = (
        ("Crossings", str(result.count)),
        ("Evaluated", f"{lengths.evaluable_mm:.2f} mm"),
        ("Density", f"{result.density_per_mm or 0:.1f} /mm"),
        (
            "Surface / junction / chord",
            f"{lengths.surface_mm:.2f} / {lengths.junction_mm:.2f} / {lengths.chord_mm:.2f} mm",
        ),
        ("Not evaluated", f"{lengths.excluded_mm:.2f} mm"),
        ("Fragments / approaching", f"{result.tally('fragment')} / {result.tally('approaching')}"),
        (
            "Dendritic cells",
            str(len(result.findings.graph.cells) or int(result.findings.measure("dendritic_cells") or 0)),
        ),
        ("Confidence of the junction", "" if confidence is None else f"{confidence:.2f}"),
        ("Corrections", str(entry.corrected.edits if entry.corrected else 0)),
        *_quality(result.findings),
    )
    summary = (
        f"{result.count} crossings on {lengths.evaluable_mm:.2f} mm: {result.density_per_mm or 0:.1f} /mm "
        f"({result.density_low_per_mm or 0:.1f} to {result.density_high_per_mm or 0:.1f})"
    )
    page = SectionPage(name, True, summary, rows, remarks, _jpeg(seen.overlay), ())
    if seen.picture is None or seen.result is None or not seen.result.findings.pieces:
        return page
    whole = _base(seen.picture, seen.result)
    small = _base(_thumbnail(seen.picture), seen.result)
    stretches = effective_exclusions(
        seen.result.findings.pieces,
        seen.result.findings.exclusions,
        pixel_size_um=seen.result.findings.pixel_size_um or 1.0,
        cut_edge_um=cut_edge_um,
    )
    return replace(
        page,
        tiles=_tiles(whole, seen.result),
        picture=_encoded(Image.fromarray(small.pixels)),
        marks=marks_svg(small, seen.result, stretches),
    )


def _quality(findings: Findings) -> Iterable[Row]:
    """The figures of its quality that were taken, as they stand in `sections.csv`."""
    unit = " OD" if findings.stain == "bright-field" else " of the light about it"
    for label, name, form in (
        ("Focus, detail at 1 to 4 um", "detail_ratio", "{:.2f}"),
        ("Noise by height of a fiber", "noise_ratio", "{:.2f}"),
        ("Height of a clear fiber", "nerve_contrast", "{:.2f}" + unit),
        ("Clear fibers by junction", "clear_fibers_um_per_mm", "{:.0f} um/mm"),
        ("Saturated", "saturated_fraction", "{:.1%}"),
        ("Folded", "fold_fraction", "{:.1%}"),
        ("Epidermis", "epidermis_um", "{:.0f} um"),
        ("Surface without epidermis", "unread_fraction", "{:.0%}"),
    ):
        value = findings.measure(name)
        if value is not None and isfinite(value):
            yield label, form.format(value)


def _base(encoded: bytes, result: SectionResult) -> Picture:
    """A picture of a section, and how it lies in it."""
    with Image.open(io.BytesIO(encoded)) as image:
        pixels = np.asarray(image.convert("RGB"))
    height, width = result.findings.shape
    scale = pixels.shape[0] / height, pixels.shape[1] / width
    size = result.findings.pixel_size_um
    return Picture(pixels, scale, None if size is None else size / scale[1])


def _tiles(base: Picture, result: SectionResult) -> tuple[TilePicture, ...]:
    out = []
    for tile in tiles(base, result):
        crossing = tile.crossing
        sure = "by hand" if crossing.reason == "reviewer_added" else f"{crossing.confidence:.0%}"
        at = f"{crossing.junction_position_um / 1000:.2f} mm"
        out.append(TilePicture(_encoded(tile.image), tile.number, f"{at}, {sure}"))
    return tuple(out)


def _jpeg(encoded: bytes | None) -> bytes | None:
    """An overlay in the size and form that a page holds."""
    if encoded is None:
        return None
    return _thumbnail(encoded)


def _thumbnail(encoded: bytes) -> bytes:
    with Image.open(io.BytesIO(encoded)) as image:
        page = image.convert("RGB")
    page.thumbnail((_OVERLAY_PX, _OVERLAY_PX), Image.Resampling.LANCZOS)
    return _encoded(page)


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def _plot(entry: BiopsyEntry, known: Sequence[Norm]) -> tuple[str, str]:
    """The norm over age with the patient's point, and the same in words."""
    call, record = entry.call, entry.record
    figures = call.density_per_mm, call.density_low_per_mm, call.density_high_per_mm, record.age_years
    if any(value is None or not isfinite(value) for value in figures):
        return "", ""
    density, low, high, age = (float(value or 0.0) for value in figures)
    beside = {other.split("=")[0] for other in call.other_norms}
    courses = []
    if call.norm_limit_per_mm is not None:
        for norm in known:
            if norm.id == call.norm_id or norm.id in beside:
                courses.append(_course(norm, record.sex or "", norm.id == call.norm_id))
        courses.sort(key=lambda course: not course.calls)
    point = PatientPoint(age, density, low, high)
    words = f"Density {density:.1f} /mm ({low:.1f} to {high:.1f}) at the age of {age:g}"
    if call.norm_limit_per_mm is not None:
        words += f"; limit {call.norm_limit_per_mm:.2f} /mm ({call.norm_id})"
    return norm_plot(courses, point, FONT), f"{words}."


def _course(norm: Norm, sex: str, calls: bool) -> Course:
    pieces = [
        ((limit.age_lo, limit.at(limit.age_lo)), (limit.age_hi, limit.at(limit.age_hi)))
        for limit in sorted(norm.limits, key=lambda one: one.age_lo)
        if limit.sex == sex
    ]
    return Course(norm.id, pieces, calls)


def _signer(sign: SignOff) -> str:
    return f"{sign.name} ({sign.account}): {sign.statement} [{sign.content_hash[:16]}]"


def _moment(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"


def _amendments(sign_offs: Sequence[SignOff], contents: Sequence[Mapping[str, Any]]) -> list[str]:
    """What changed from each signature to the next."""
    out = []
    for before, after, sign in zip(contents, contents[1:], sign_offs[1:], strict=False):
        changes = _changes(before, after) or ["no figure changed"]
        out.append(f"{_moment(sign.at)}, {sign.name}, {sign.kind}: {'; '.join(changes)}. {sign.statement}")
    return out


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    changes = []
    for name, key in (
        ("density", "density_per_mm"),
        ("limit", "norm_limit_per_mm"),
        ("crossings", "crossings"),
    ):
        one, two = before["call"].get(key), after["call"].get(key)
        if one != two:
            changes.append(f"{name} {_plain(one)} to {_plain(two)}")
    if before["call"].get("below_norm") != after["call"].get("below_norm"):
        changes.append("the call is another one")
    for key in ("age_years", "sex", "site"):
        one, two = before["biopsy"].get(key), after["biopsy"].get(key)
        if one != two:
            changes.append(f"{key.replace('_', ' ')} {_plain(one)} to {_plain(two)}")
    for key in ("interpretation", "comment"):
        if before.get(key, "") != after.get(key, ""):
            changes.append(f"another {key}")
    return changes


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
