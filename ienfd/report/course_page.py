"""What a report says of the other biopsies of its patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ienfd.draw.course_plot import LEGEND, CoursePanel, CoursePoint, course_plot
from ienfd.figures import BiopsyCall
from ienfd.report.course import METHOD, PatientCourse, comparison_sentence, day_of, place_words
from ienfd.report.entries import BiopsyEntry

__all__ = ["CoursePage", "course_of", "course_page"]

Row = tuple[str, ...]

_TREATMENT = "treatment"  # a further column of the case table


@dataclass(frozen=True)
class CoursePage:
    """The biopsies of one patient side by side and over time.

    Parameters
    ----------
    heading : str
        Whose biopsies they are.
    header, rows : tuple
        A table with one row for each of them.
    sentences : tuple of str
        What is compared, or why it is not.
    method : str
        How; empty where nothing is compared.
    plot, plot_words, legend : str
        Their densities as SVG, the same in words, and what is what; empty where none has a density.
    """

    heading: str
    header: Row
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]
    method: str
    plot: str
    plot_words: str
    legend: str


def course_of(entry: BiopsyEntry, courses: Iterable[PatientCourse]) -> PatientCourse | None:
    """The course that a biopsy is part of; None where its patient has no other."""
    key = _key(entry)
    return next((course for course in courses if key in map(_key, course.biopsies)), None)


def course_page(entry: BiopsyEntry, course: PatientCourse, font: str) -> CoursePage:
    """What the report of a biopsy says of its patient's course.

    Parameters
    ----------
    entry : BiopsyEntry
        The biopsy.
    course : PatientCourse
        Of its patient.
    font : str
        Family of the letters of the plot.
    """
    treated = any(_treatment(one) for one in course.biopsies)
    header = ("Place", "Collected", "Biopsy", "Density, /mm (interval)", "Limit of the norm", "Status")
    panels = [_panel(one, entry, course) for one in course.series]
    seen = any(panel.points for panel in panels)
    words = "Densities with intervals. "
    words += "; ".join(
        f"{place_words(one)}, {one.record.collection_date or 'undated'}: {_density(one)} /mm"
        for one in course.biopsies
        if _shown(one)
    )
    compared = any(one.change for one in course.comparisons)
    return CoursePage(
        heading=f"All biopsies of this {course.known_by}",
        header=(*header, *(["Treatment"] if treated else [])),
        rows=tuple(_row(one, entry, treated) for one in course.biopsies),
        sentences=tuple(comparison_sentence(one) for one in course.comparisons),
        method=METHOD if compared else "",
        plot=course_plot(panels, font) if seen else "",
        plot_words=f"{words}." if seen else "",
        legend=LEGEND if seen else "",
    )


def _key(entry: BiopsyEntry) -> tuple[object, ...]:
    """What tells a biopsy from all others, also when it was read from the study twice."""
    places = [(s.placement.root, s.placement.path, s.placement.scene) for s in entry.sections]
    return entry.record.case_id, entry.record.biopsy_id, tuple(places)


def _shown(entry: BiopsyEntry) -> bool:
    """Whether its density is shown: that of a withdrawn result is not."""
    return entry.call.density_per_mm is not None and entry.status != "withdrawn"


def _treatment(entry: BiopsyEntry) -> str:
    said = {header.casefold().strip(): value for header, value in entry.record.extra.items()}
    return str(said.get(_TREATMENT) or "")


def _row(entry: BiopsyEntry, here: BiopsyEntry, treated: bool) -> Row:
    record = entry.record
    marked = " (this report)" if _key(entry) == _key(here) else ""
    row = (
        place_words(entry),
        record.collection_date or "not stated",
        f"{entry.name}{marked}",
        _density(entry),
        _limit(entry.call) if _shown(entry) else "",
        entry.status,
    )
    return (*row, _treatment(entry)) if treated else row


def _density(entry: BiopsyEntry) -> str:
    call = entry.call
    if not _shown(entry) or call.density_per_mm is None:
        return "none"
    low, high = call.density_low_per_mm or 0.0, call.density_high_per_mm or 0.0
    return f"{call.density_per_mm:.1f} ({low:.1f} to {high:.1f})"


def _limit(call: BiopsyCall) -> str:
    if call.below_norm is None or call.norm_limit_per_mm is None:
        return "call withheld"
    side = "below" if call.below_norm else "not below"
    borderline = ", borderline" if call.certainty == "borderline" else ""
    return f"{side} {call.norm_limit_per_mm:.2f}{borderline}"


def _panel(series: tuple[BiopsyEntry, ...], here: BiopsyEntry, course: PatientCourse) -> CoursePanel:
    shown = [entry for entry in series if _shown(entry)]
    places = {id(entry): number for number, entry in enumerate(shown)}
    steps = tuple(
        (places[id(one.earlier)], places[id(one.later)], one.change.is_larger)
        for one in course.comparisons
        if one.change is not None and "previous" in one.basis and id(one.later) in places
    )
    return CoursePanel(place_words(series[0]), tuple(_point(entry, here) for entry in shown), steps)


def _point(entry: BiopsyEntry, here: BiopsyEntry) -> CoursePoint:
    call = entry.call
    return CoursePoint(
        day=day_of(entry),
        density_per_mm=call.density_per_mm or 0.0,
        low_per_mm=call.density_low_per_mm or 0.0,
        high_per_mm=call.density_high_per_mm or 0.0,
        limit_per_mm=call.norm_limit_per_mm,
        here=_key(entry) == _key(here),
    )
