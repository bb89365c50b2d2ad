"""A comparison on one page for each reader: what was compared, how far it agrees, what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ienfd.agree.measures import LEAST_FOR_COEFFICIENTS, LEAST_FOR_LIMITS, QUANTITIES, Measure, readers
from ienfd.agree.pairs import Pair, State, Unit
from ienfd.agree.tables import why
from ienfd.correction.commands import same_person
from ienfd.draw.agreement_plot import Limits, agreement_plot
from ienfd.report.typeset import FONT, as_moment, typeset
from ienfd.report.wording import Template
from ienfd.statistics import SAME_UM

__all__ = ["STATES", "Compared", "ReaderPage", "agreement_pdf", "plot_of", "reader_pages"]

STATES: dict[State, str] = {
    "automatic": "automatic: as the program counts, before anybody corrected it",
    "reviewed": "reviewed: as it stands after the review; sections that are not reviewed are left out",
}
"""Both states of a study in words."""

_TITLE = "Agreement with a count by hand"
_UNITS: dict[Unit, str] = {"section": "Sections", "biopsy": "Biopsies"}
_LABELS = {"crossings": "crossings", "length_mm": "length, mm", "density_per_mm": "density, /mm"}
_SOURCES = {
    "manual_length": "count by the length measured by hand",
    "stated": "as stated in the table",
    "program_length": "count by the length that the program measured",
}
_NAMES_SHOWN, _LETTERS_SHOWN, _SHORT = 8, 40, 20
_NOTES = (
    "Differences are the program (or another reader) minus the count by hand of this reader; limits of"
    " agreement are the bias -/+ 1.96 standard deviations (Bland and Altman). Intervals, in parentheses and"
    " shaded in the figure, are of 95 %.",
    f"No bias or limits are given for fewer than {LEAST_FOR_LIMITS} pairs, no intraclass correlation or kappa"
    f" for fewer than {LEAST_FOR_COEFFICIENTS}: bounds of ienfd, not of a standard.",
    "Sections of one biopsy are alike, which the figures of sections do not allow for: judge by the biopsies"
    " where there are enough.",
    f"Crossings are the same where they lie at most {SAME_UM:g} um apart. Precision and recall take the count"
    " by hand for true; agreement is not accuracy, and neither count is the truth.",
    "For the comparison of two methods for one test that 42 CFR 493.1281 asks for twice a year. Whether the"
    " agreement suffices is for the laboratory to say. ienfd is for research use.",
)


@dataclass(frozen=True)
class Compared:
    """What was compared, as far as the pairs do not say it.

    Parameters
    ----------
    state : {"automatic", "reviewed"}
        The state of the study.
    facts : tuple of (str, str)
        Label and words: the study, its log, the tables, protocols, versions.
    remarks : tuple of str
        What should be known beside that.
    template : Template
        The letterhead of the laboratory.
    dated : str
        Date of the last run in ISO 8601: the same comparison gives the same document.
    """

    state: State
    facts: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...] = ()
    template: Template = field(default_factory=Template)
    dated: str = ""


@dataclass(frozen=True)
class ReaderPage:
    """What there is to say of the agreement with one reader.

    Parameters
    ----------
    reader : str
        Who; empty where nobody is named.
    counted : str
        What was compared.
    rows : tuple of tuple of str
        For each quantity: its name, pairs, bias, lower and upper limit, intraclass correlation; those
        against the program, then those against readers whose pages follow.
    said : tuple of str
        Calls, and crossings by place.
    left_out : tuple of str
        What is left out and why, a line for each reason.
    """

    reader: str
    counted: str
    rows: tuple[tuple[str, ...], ...]
    said: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def name(self) -> str:
        """The reader in words."""
        return _clipped(self.reader) or "not named"


def agreement_pdf(compared: Compared, pairs: Sequence[Pair], figures: Sequence[Measure]) -> bytes:
    """A comparison as PDF, a page for each reader."""
    moment = as_moment(compared.dated)
    files: dict[str, bytes] = {}
    pages = []
    for number, page in enumerate(reader_pages(pairs, figures)):
        drawn = {unit: plot_of(pairs, figures, page.reader, unit) for unit in _UNITS}
        unit = next((unit for unit, plot in drawn.items() if plot), None)  # sections where there are any
        shown: dict[str, Any] = {**asdict(page), "reader": page.name, "plot": None, "plot_words": ""}
        if unit is not None:
            shown["plot"] = f"plot{number}.svg"
            shown["plot_words"] = f"Density of {_UNITS[unit].lower()}: program over manual, and Bland-Altman"
            files[shown["plot"]] = str(drawn[unit]).encode()
        pages.append(shown)
    said = {
        "title": _TITLE,
        "laboratory": compared.template.laboratory,
        "state": STATES[compared.state],
        "facts": compared.facts,
        "remarks": compared.remarks,
        "pages": pages,
        "notes": _NOTES,
        "date": {"year": moment.year, "month": moment.month, "day": moment.day},
        "dated": f"Study as of its last run, {moment.date().isoformat()}",
    }
    return typeset("agreement", said, files, moment)


def plot_of(pairs: Sequence[Pair], figures: Sequence[Measure], reader: str, unit: Unit) -> str | None:
    """Both densities of one reader's sections or biopsies, as SVG; None where there is no pair."""
    name, (of_unit, value) = "density_per_mm", QUANTITIES["density_per_mm"]
    both = [
        (value(pair.manual), value(pair.program))
        for pair in pairs
        if pair.is_used and pair.unit == unit and same_person(pair.reader) == same_person(reader)
    ]
    known = [(one, two) for one, two in both if one is not None and two is not None]
    if not known:
        return None
    found = {
        one.name: one
        for one in figures
        if (one.reader, one.other, one.unit, one.quantity) == (reader, None, unit, name)
    }
    ends = [_ends(found[which]) for which in ("bias", "lower_limit", "upper_limit") if which in found]
    limits = Limits(ends[0], ends[1], ends[2]) if len(ends) == 3 and None not in ends else None  # type: ignore[arg-type]
    return agreement_plot(
        [one for one, _ in known], [two for _, two in known], limits, unit=of_unit, font=FONT
    )


def reader_pages(pairs: Sequence[Pair], figures: Sequence[Measure]) -> tuple[ReaderPage, ...]:
    """What there is to say of each reader."""
    pages = []
    for reader in readers(pairs):
        own = [pair for pair in pairs if same_person(pair.reader) == same_person(reader)]
        pages.append(_page(reader, own, [one for one in figures if one.reader == reader]))
    return tuple(pages)


def _figure(one: Measure | None, *, signed: bool = False) -> str:
    """A figure with its interval, or why it is not given."""
    if one is None:
        return ""
    if one.value is None:
        return "too few pairs" if one.reason == "too_few_pairs" else "not defined"
    value, low, high = (None if v is None else round(v, 2) + 0.0 for v in (one.value, one.low, one.high))
    form = "+.2f" if signed else ".2f"
    return f"{value:{form}}" if None in (low, high) else f"{value:{form}} ({low:{form}} to {high:{form}})"


def _left_out(pairs: Sequence[Pair]) -> list[str]:
    """What is left out and why, a line for each reason."""
    lines: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.reason is not None:
            lines.setdefault(why(pair), []).append(_named(pair))
    return [f"{len(names)}: {text} {_some(names)}" for text, names in lines.items()]


def _page(reader: str, pairs: Sequence[Pair], figures: Sequence[Measure]) -> ReaderPage:
    by_name = {(one.unit, one.quantity, one.name): one for one in figures if one.other is None}
    rows = _rows(by_name)
    said = [line for line in (_calls(pairs, by_name), _places(pairs, by_name)) if line]
    for other in dict.fromkeys(one.other for one in figures if one.other is not None):
        between = {(one.unit, one.quantity, one.name): one for one in figures if one.other == other}
        name = _clipped(other, _SHORT) or "reader not named"
        rows += [(f"{what}, {name} minus this reader", *rest) for what, *rest in _rows(between)]
        kappa = between.get(("biopsy", "call", "kappa"))
        if kappa is not None:
            said.append(f"Calls of {kappa.pairs} biopsies by {name} and this reader: kappa {_figure(kappa)}.")
    return ReaderPage(reader, _counted(pairs), tuple(rows), tuple(said), tuple(_left_out(pairs)))


def _rows(by_name: Mapping[tuple[Unit, str, str], Measure]) -> list[tuple[str, ...]]:
    rows = []
    for unit, label in _UNITS.items():
        for quantity, words in _LABELS.items():
            bias = by_name.get((unit, quantity, "bias"))
            if bias is not None:
                found = [by_name[unit, quantity, name] for name in ("lower_limit", "upper_limit", "icc_2_1")]
                signed = [_figure(one, signed=True) for one in (bias, *found[:2])]
                rows.append((f"{label}: {words}", str(bias.pairs), *signed, _figure(found[2])))
    return rows


def _counted(pairs: Sequence[Pair]) -> str:
    used = {unit: sum(pair.is_used and pair.unit == unit for pair in pairs) for unit in _UNITS}
    words = f"{used['section']} sections and {used['biopsy']} biopsies compared"
    sources = [pair.density_from for pair in pairs if pair.is_used and pair.density_from]
    told = [f"{sources.count(key)} {text}" for key, text in _SOURCES.items() if key in sources]
    return f"{words}. Manual density: {', '.join(told)}." if told else f"{words}."


def _calls(pairs: Sequence[Pair], figures: Mapping[tuple[Unit, str, str], Measure]) -> str:
    calls = [pair.call for pair in pairs if pair.is_used and pair.call is not None]
    without = sum(pair.is_used and pair.call_reason is not None for pair in pairs)
    if not calls:
        return f"Calls: none can be compared; {without} biopsies have none." if without else ""
    told = [(call.program_below, call.manual_below) for call in calls]
    norms = ", ".join(sorted({call.norm_id for call in calls}))
    words = (
        f"Calls of {len(calls)} biopsies by the same limit ({norms}): {told.count((True, True))} below it"
        f" by both, {told.count((True, False))} by the program alone, {told.count((False, True))} by hand"
        f" alone, {told.count((False, False))} not below it by both; kappa:"
        f" {_figure(figures.get(('biopsy', 'call', 'kappa')))}."
    )
    return f"{words} {without} further without a call." if without else words


def _places(pairs: Sequence[Pair], figures: Mapping[tuple[Unit, str, str], Measure]) -> str:
    places = [pair.places for pair in pairs if pair.is_used and pair.places is not None]
    without = sum(pair.is_used and pair.places_reason is not None for pair in pairs)
    if not places:
        return f"Crossings by place: none can be compared in {without} sections." if without else ""
    precision, recall, f1 = (
        _figure(figures.get(("section", "places", name))) for name in ("precision", "recall", "f1")
    )
    left = sum(place.not_evaluated for place in places)
    words = (
        f"Crossings by place in {len(places)} sections: {sum(p.matched for p in places)} seen by both,"
        f" {sum(p.only_manual for p in places)} by hand alone, {sum(p.only_program for p in places)} by the"
        f" program alone; precision {precision}, recall {recall}, F1 {f1}."
    )
    if left:
        words += f" {left} by hand in stretches that are not evaluated were left out."
    return f"{words} In {without} further sections they cannot be compared." if without else words


def _ends(one: Measure) -> tuple[float, float, float] | None:
    if one.value is None or one.low is None or one.high is None:
        return None
    return one.value, one.low, one.high


def _named(pair: Pair) -> str:
    return _clipped(f"row {pair.row}, {pair.name}" if pair.row else pair.name)


def _clipped(name: str, letters: int = _LETTERS_SHOWN) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"[{'; '.join(names[:_NAMES_SHOWN])}{more}]"
