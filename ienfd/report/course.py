"""The biopsies of one patient side by side and over time, and which of them can be compared.

Putting two patients side by side would be as bad as pooling them. Biopsies are one patient's only where
the case table says so: by the same `patient_id` or, where none is given, the same `case_id` for images of
the same folder. Where such biopsies contradict each other in sex, or in age and date, none of them is shown
beside another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ienfd.protocol import Protocol
from ienfd.reasons import REASONS
from ienfd.report.entries import BiopsyEntry
from ienfd.report.pooling import ways
from ienfd.statistics import (
    BETWEEN_READERS,
    ONE_READER,
    Change,
    Interval,
    ReadingNoise,
    density_change,
)

__all__ = ["METHOD", "Comparison", "PatientCourse", "comparison_sentence", "courses", "day_of", "place_words"]

_YEAR_DAYS = 365.25
_AGES_IN_WHOLE_YEARS = 1.1  # by how much ages and dates may contradict each other
_NO_PLACE = (None, "", "other")
_NOBODY = {  # what is typed where an id is not known: it would make one patient of many
    "", "-", "--", "---", ".", "?", "0", "x", "xx", "xxx", "na", "n/a", "n.a.", "nil", "none", "null", "nan",
    "no id", "not known", "unknown", "unk", "anonymous", "anon", "test", "tbd", "unbekannt", "inconnu",
    "desconocido",
}  # fmt: skip
_IN_DOUBT = {
    "calibration_inconsistent", "stain_inconsistent", "length_line_inconsistent", "protocol_inconsistent",
    "duplicate_field", "image_in_two_biopsies", "single_plane",
}  # fmt: skip

METHOD = (
    "A change is the later density less the earlier one. Its interval holds the sampling of both (Poisson,"
    " widened by the overdispersion of their sections) and how far two readings of the same sections lie"
    " apart: by 0.2 +/- 1.2 /mm if one person reads both, by 0.4 +/- 1.5 /mm otherwise (mean and standard"
    " deviation; Goransson, Neurology 2004;62:774). That was found with people who read, not with this"
    " program. The interval holds neither how two punches beside each other differ nor staining on different"
    " days. A change that is larger than this noise explains says nothing of its cause."
)
"""How two biopsies are compared, for reports."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two biopsies of the same place of one patient.

    Parameters
    ----------
    earlier, later : BiopsyEntry
        The biopsies; in no order where a date is missing.
    basis : tuple of str
        Why these two: the earlier one is the `previous` of the later, the `first`, or both.
    reasons : tuple of str
        Codes of why they are not compared; empty when they are.
    apart_years : float or None
        Time between them.
    change : Change or None
        Difference of their densities; None when they are not compared.
    noise : ReadingNoise or None
        The reading noise in its interval.
    """

    earlier: BiopsyEntry
    later: BiopsyEntry
    basis: tuple[Literal["previous", "first"], ...]
    reasons: tuple[str, ...]
    apart_years: float | None
    change: Change | None = None
    noise: ReadingNoise | None = None

    @property
    def verdict(self) -> Literal["larger", "within"] | None:
        """Whether the change is larger than sampling and reading noise explain, or within; None for none."""
        if self.change is None:
            return None
        return "larger" if self.change.is_larger else "within"


@dataclass(frozen=True, eq=False)
class PatientCourse:
    """All biopsies of one patient who has several.

    Parameters
    ----------
    known_by : {"patient", "case"}
        Whether a patient_id of the case table says so, or only a common case_id.
    name : str
        That id.
    series : tuple of tuple of BiopsyEntry
        The biopsies of each place, by date; those without a date come last.
    comparisons : tuple of Comparison
        What is compared within these places, or why it is not.
    """

    known_by: Literal["patient", "case"]
    name: str
    series: tuple[tuple[BiopsyEntry, ...], ...]
    comparisons: tuple[Comparison, ...]

    @property
    def biopsies(self) -> tuple[BiopsyEntry, ...]:
        """All biopsies, place by place."""
        return tuple(entry for one in self.series for entry in one)


def courses(
    biopsies: Iterable[BiopsyEntry], protocols: Mapping[str, Protocol]
) -> tuple[tuple[PatientCourse, ...], list[str]]:
    """The biopsies of each patient who has several, and what a person should know of others.

    Parameters
    ----------
    biopsies : iterable of BiopsyEntry
        Those of a study.
    protocols : mapping of str to Protocol
        Those that their sections were counted under, by hash.
    """
    groups: dict[tuple[Literal["patient", "case"], str, tuple[str, ...]], list[BiopsyEntry]] = {}
    for entry in biopsies:
        # whose it is must have been said, and only in one way
        if entry.sections[0].listed and "case_data_conflict" not in entry.call.withheld_reasons:
            record = entry.record
            if str(record.patient_id or "").strip().casefold() not in _NOBODY:
                groups.setdefault(("patient", str(record.patient_id), ()), []).append(entry)
            else:  # two folders may each have a case 1
                folders = tuple(sorted({one.placement.root for one in entry.sections}))
                groups.setdefault(("case", record.case_id, folders), []).append(entry)
    found, warnings = [], []
    for (known_by, name, _), group in sorted(groups.items(), key=lambda item: item[0]):
        if len(group) < 2:
            continue
        contradiction = _contradiction(group)
        if contradiction:
            warnings.append(f"{known_by} {name}: {contradiction}, so its biopsies are not put side by side")
            continue
        places: dict[tuple[str, str], list[BiopsyEntry]] = {}
        for entry in group:
            places.setdefault(_place(entry), []).append(entry)
        series = tuple(tuple(sorted(places[place], key=_order)) for place in sorted(places))
        compared = tuple(c for one in series for c in _comparisons(one, protocols))
        found.append(PatientCourse(known_by, name, series, compared))
    return tuple(found), warnings


def comparison_sentence(comparison: Comparison) -> str:
    """A comparison in words, which never say that anything became better or worse."""
    earlier, later = comparison.earlier, comparison.later
    said = f"{place_words(later)}, {_when(earlier)} to {_when(later)}"
    if comparison.change is None:
        why = " ".join(REASONS[code].text for code in comparison.reasons)
        return f"{said}: not compared. {why}"
    level = f"{100 * later.protocol.density.interval_level:g} %"
    change = comparison.change
    verdict = (
        "larger than sampling and reading noise explain"
        if change.is_larger
        else "within what sampling and reading noise explain"
    )
    densities = f"{earlier.call.density_per_mm or 0:.1f} to {later.call.density_per_mm or 0:.1f} /mm"
    interval = f"{level} interval {change.low_per_mm:+.1f} to {change.high_per_mm:+.1f}"
    return f"{said}: {densities}, a change of {change.change_per_mm:+.1f} /mm ({interval}): {verdict}."


def place_words(entry: BiopsyEntry) -> str:
    """Site and side of a biopsy in words."""
    site = (entry.record.site or "site not stated").replace("_", " ")
    return f"{site}, {entry.record.side}" if entry.record.side else site


def day_of(entry: BiopsyEntry) -> date | None:
    """When a biopsy was taken; None where that is not given as a day."""
    try:
        return date.fromisoformat(entry.record.collection_date or "")
    except ValueError:
        return None


def _when(entry: BiopsyEntry) -> str:
    return entry.record.collection_date or f"undated ({entry.record.biopsy_id})"


def _place(entry: BiopsyEntry) -> tuple[str, str]:
    return str(entry.record.site or ""), str(entry.record.side or "")


def _order(entry: BiopsyEntry) -> tuple[bool, date, str, str]:
    day = day_of(entry)
    return day is None, day or date.min, entry.record.case_id, entry.record.biopsy_id


def _contradiction(group: Sequence[BiopsyEntry]) -> str:
    """What two of these biopsies cannot both have if they are one patient's; empty for nothing."""
    if len({entry.record.sex for entry in group if entry.record.sex}) > 1:
        return "the case table gives different sexes"
    aged = [
        (entry.record.age_years - day.toordinal() / _YEAR_DAYS, day, entry.record.age_years)
        for entry in group
        if entry.record.age_years is not None and (day := day_of(entry)) is not None
    ]
    if not aged:
        return ""
    youngest, oldest = min(aged), max(aged)  # by the day of birth that each age stands for
    if oldest[0] - youngest[0] <= _AGES_IN_WHOLE_YEARS:
        return ""
    (_, day, age), (_, other_day, other_age) = sorted((youngest, oldest), key=lambda one: one[1])
    return f"ages {age:g} and {other_age:g} do not go with {day} and {other_day}"


def _comparisons(series: Sequence[BiopsyEntry], protocols: Mapping[str, Protocol]) -> list[Comparison]:
    """Each biopsy of a place beside those of the day before it, and of the first day."""
    compared = []
    days = sorted({day for day in map(day_of, series) if day is not None})
    for later in series:
        day = day_of(later)
        if day is None:
            others = [entry for entry in series if entry is not later]
            if others:
                compared.append(Comparison(others[0], later, (), ("course_date_missing",), None))
            continue
        before = [earlier for earlier in days if earlier < day]
        for earlier in series:
            its_day = day_of(earlier)
            if not before or its_day not in (before[0], before[-1]):
                continue
            basis: list[Literal["previous", "first"]] = []
            basis += ["previous"] if its_day == before[-1] else []
            basis += ["first"] if its_day == before[0] else []
            compared.append(_compared(earlier, later, tuple(basis), protocols))
    return compared


def _compared(
    earlier: BiopsyEntry,
    later: BiopsyEntry,
    basis: tuple[Literal["previous", "first"], ...],
    protocols: Mapping[str, Protocol],
) -> Comparison:
    first, last = day_of(earlier), day_of(later)
    years = (last - first).days / _YEAR_DAYS if first and last else None
    reasons = _reasons(earlier, later, protocols)
    one, two = _interval(earlier), _interval(later)
    if reasons or one is None or two is None:
        return Comparison(earlier, later, basis, reasons, years)
    # a reader is one who reviewed all of both; the program alone is no observer of that study
    readers = [_readers(earlier), _readers(later)]
    noise = ONE_READER if readers[0] == readers[1] and len(readers[0]) == 1 else BETWEEN_READERS
    change = density_change(one, two, noise, later.protocol.density.interval_level)
    return Comparison(earlier, later, basis, (), years, change, noise)


def _reasons(earlier: BiopsyEntry, later: BiopsyEntry, protocols: Mapping[str, Protocol]) -> tuple[str, ...]:
    """Every reason not to compare them."""
    both = earlier, later
    lines = [_figures(entry, "length_line") for entry in both]
    thickness = [_figures(entry, "section_um") for entry in both]
    levels = {entry.protocol.density.interval_level for entry in both}
    found = {
        "course_withdrawn": any(entry.status == "withdrawn" for entry in both),
        "course_no_density": any(_interval(entry) is None for entry in both),
        "course_not_sound": any(_IN_DOUBT & set(entry.call.withheld_reasons) for entry in both),
        "course_site_unclear": later.record.site in _NO_PLACE,
        "course_stain_differs": earlier.call.stain is None or earlier.call.stain != later.call.stain,
        "course_length_line_differs": lines[0] != lines[1],
        "course_section_um_missing": any(None in one or not one for one in thickness),
        "course_section_um_differs": thickness[0] != thickness[1],
        "course_protocol_differs": ways(earlier.sections, protocols) != ways(later.sections, protocols)
        or len(levels) > 1,
    }
    if found["course_section_um_missing"]:
        found["course_section_um_differs"] = False
    if found["course_no_density"]:  # there is nothing to say of its sections
        return tuple(code for code in ("course_withdrawn", "course_no_density") if found[code])
    return tuple(code for code, holds in found.items() if holds)


def _figures(entry: BiopsyEntry, name: str) -> set[object]:
    return {getattr(one.figures(), name) for one in entry.sections if one.status == "ok"}


def _interval(entry: BiopsyEntry) -> Interval | None:
    call = entry.call
    if call.density_per_mm is None or call.density_low_per_mm is None or call.density_high_per_mm is None:
        return None
    return Interval(call.density_per_mm, call.density_low_per_mm, call.density_high_per_mm)


def _readers(entry: BiopsyEntry) -> frozenset[str]:
    """Who has reviewed all evaluable sections; nobody where one of them was left out."""
    each = [frozenset(s.corrected.readers) for s in entry.sections if s.status == "ok" and s.corrected]
    return each[0] if each and all(readers == each[0] for readers in each) else frozenset()
