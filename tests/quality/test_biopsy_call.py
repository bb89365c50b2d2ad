"""What a biopsy's density is, how it is called, and in which words."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import pytest
from biopsy_scenes import FRAMED, biopsy, called, calling_by, section
from hypothesis import given, settings
from hypothesis import strategies as st

from ienfd.biopsy import BiopsyCall, SectionFigures, call_sentence
from ienfd.norms import Limit
from ienfd.norms.norm import PercentileLine
from ienfd.protocol import CallRules, DensityRules, Protocol
from ienfd.statistics import dispersed_interval, poisson_interval


def level_norm(limit_per_mm: float, norm_id: str = "framed", **changes: Any) -> Any:
    """A norm with one limit for all, to set a density beside it."""
    limits = tuple(Limit(sex, 20, 81, limit_per_mm) for sex in ("F", "M"))
    return replace(FRAMED, id=norm_id, limits=limits, **changes)


def against(limit_per_mm: float, sections: list[SectionFigures], *others: Any) -> Any:
    return called(
        sections, protocol=calling_by("framed"), known_norms=[level_norm(limit_per_mm), *others], age_years=50
    )


def interval(call: BiopsyCall) -> tuple[float, float]:
    assert call.density_low_per_mm is not None
    assert call.density_high_per_mm is not None
    return call.density_low_per_mm, call.density_high_per_mm


def by_chance_alone(**changes: Any) -> Protocol:
    """A protocol that takes sections to differ by chance alone: that outweighs what they show."""
    return Protocol(call=CallRules(overdispersion=1.0, overdispersion_weight=1e15), **changes)


def test_sections_are_pooled_by_their_length() -> None:
    call = called(
        [
            section(0, crossings=4, evaluable_mm=1.0),
            section(1, crossings=10, evaluable_mm=4.0),
            section(2, crossings=0, evaluable_mm=2.0),
            section(3, crossings=99, evaluable_mm=1.0, control="positive"),
            section(4, crossings=99, evaluable_mm=1.0, status="refused"),
            section(5, crossings=None, evaluable_mm=None, status="failed"),
        ]
    )
    assert (call.sections_evaluable, call.crossings, call.evaluable_length_mm) == (3, 14, 7.0)
    assert call.density_per_mm == 2.0
    assert call.mean_section_density_per_mm == pytest.approx((4.0 + 2.5 + 0.0) / 3)
    # 2, 8 and 4 expected: chi-square 6.5, with 2 (1 - 1/14) degrees of freedom beside the 3 of the protocol
    assert call.overdispersion == pytest.approx((3 * 2 + 26 / 14 * 3.25) / (3 + 26 / 14))
    assert interval(call) == dispersed_interval(14, 7.0, call.overdispersion or 0.0)
    assert call.stain == "bright-field"


def test_a_biopsy_without_any_crossing_has_a_density_of_zero_and_is_called() -> None:
    call = called(biopsy(crossings=0))
    assert (call.density_per_mm, call.density_low_per_mm) == (0.0, 0.0)
    assert (call.below_norm, call.certainty) == (True, "clear")


def test_the_level_of_the_interval_is_the_protocols() -> None:
    rules = DensityRules(interval_level=0.8)
    assert interval(called(biopsy(), protocol=by_chance_alone(density=rules))) == poisson_interval(
        42, 7.5, 0.8
    )
    call = called(biopsy(), protocol=Protocol(density=rules))
    assert interval(call) == dispersed_interval(42, 7.5, call.overdispersion or 0.0, 0.8)


def test_sections_that_differ_widen_the_interval() -> None:
    alike = called(biopsy())
    unlike = called([section(n, crossings=count) for n, count in enumerate((4, 12, 26))])
    assert unlike.density_per_mm == alike.density_per_mm == 5.6
    assert alike.overdispersion == pytest.approx(3 * 2 / (3 + 82 / 42))  # chi-square 0, drawn toward 2
    assert unlike.overdispersion == pytest.approx((3 * 2 + 82 / 42 * 124 / 14) / (3 + 82 / 42))
    assert interval(unlike)[0] < interval(alike)[0] < 5.6 < interval(alike)[1] < interval(unlike)[1]
    assert (alike.certainty, alike.sections_to_settle) == ("borderline", "15")
    assert (unlike.certainty, unlike.sections_to_settle) == ("borderline", ">20")


@pytest.mark.parametrize("sections", [biopsy(1), biopsy(3, crossings=0)], ids=["one", "no crossing"])
def test_where_sections_show_nothing_the_protocol_says_how_they_vary(sections: list[SectionFigures]) -> None:
    assert called(sections).overdispersion == 2.0
    rules = CallRules(overdispersion=1.4, overdispersion_weight=0.0)
    assert called(sections, protocol=Protocol(call=rules)).overdispersion == 1.4


def test_without_a_section_nothing_varies() -> None:
    call = called([])
    assert (call.overdispersion, call.density_low_per_mm) == (None, None)


def test_sections_that_are_not_pooled_have_no_say_in_how_the_others_vary() -> None:
    call = called([*biopsy(3), section(3, crossings=90, control="positive"), section(4, status="refused")])
    assert call.overdispersion == called(biopsy(3)).overdispersion


def test_stains_that_differ_are_all_named() -> None:
    sections = [*biopsy(), section(3, stain="fluorescence")]
    assert called(sections).stain == "bright-field|fluorescence"


@pytest.mark.parametrize(
    ("crossings", "below", "certainty", "settle", "sentence"),
    [
        # each on three sections of 2.5 mm, against 4.8598 /mm (a woman of 56)
        (1, True, "clear", None, "Below the limit of 4.86 /mm (collongues2018)."),
        (8, True, "borderline", "1",
         "Below the limit of 4.86 /mm (collongues2018), borderline: about 1 more section would settle it."),
        (9, True, "borderline", "3",
         "Below the limit of 4.86 /mm (collongues2018), borderline: about 3 more sections would settle it."),
        (13, False, "borderline", ">20",
         "Not below the limit of 4.86 /mm (collongues2018), borderline: it would take more than 20 further "
         "sections to settle it."),
        (14, False, "borderline", "15",
         "Not below the limit of 4.86 /mm (collongues2018), borderline: about 15 more sections would "
         "settle it."),
        (16, False, "borderline", "2",
         "Not below the limit of 4.86 /mm (collongues2018), borderline: about 2 more sections would "
         "settle it."),
        (30, False, "clear", None, "Not below the limit of 4.86 /mm (collongues2018)."),
    ],
)  # fmt: skip
def test_calls_in_bright_field(
    crossings: int, below: bool, certainty: str, settle: str | None, sentence: str
) -> None:
    call = called(biopsy(crossings=crossings))
    assert call.norm_id == "collongues2018"
    assert call.norm_limit_per_mm == pytest.approx(4.8598)
    assert (call.below_norm, call.certainty, call.sections_to_settle) == (below, certainty, settle)
    assert call_sentence(call) == sentence


def test_every_call_by_bursova_says_what_its_limit_is_not() -> None:
    call = called(biopsy(stain="fluorescence", crossings=30))
    assert (call.norm_id, call.norm_limit_per_mm, call.below_norm) == ("bursova2012", 5.2, False)
    expected = "Not below the limit of 5.20 /mm (bursova2012; percentile not stated; 39 men, 35 women)."
    assert call_sentence(call) == expected
    assert "norm_percentile_unstated" in call.flags


def test_a_density_is_compared_unrounded() -> None:
    sections = biopsy(crossings=12, evaluable_mm=2.5)  # 4.8 /mm
    assert against(4.8, sections).below_norm is False
    assert against(4.800001, sections).below_norm is True
    assert against(4.8, sections).certainty == "borderline"


def test_a_limit_at_the_end_of_the_interval_is_still_inside() -> None:
    sections = biopsy()
    low, high = interval(called(sections))
    assert [against(limit, sections).certainty for limit in (low, high)] == ["borderline", "borderline"]
    assert [against(limit, sections).certainty for limit in (low - 1e-9, high + 1e-9)] == ["clear", "clear"]


def test_what_applicable_norms_say_stands_beside_the_call() -> None:
    call = against(3.0, biopsy(), level_norm(7.9, "high"), level_norm(5.2, "near"), level_norm(3.1, "low"))
    assert call.other_norms == ("high=7.9:below", "near=5.2:not below, borderline", "low=3.1:not below")
    assert call.below_norm is False
    assert "norms_disagree" in call.flags
    assert call_sentence(call) == (
        "Not below the limit of 3.00 /mm (framed); "
        "other norms: high=7.9:below, near=5.2:not below, borderline, low=3.1:not below."
    )


def test_norms_that_agree_are_listed_without_a_flag() -> None:
    call = against(3.0, biopsy(), level_norm(3.1, "low"))
    assert call.other_norms == ("low=3.1:not below",)
    assert "norms_disagree" not in call.flags


@pytest.mark.parametrize(
    "outside",
    [{"stain": "fluorescence"}, {"site": "thigh"}, {"section_um": 20.0}, {"length_line": "chord"},
     {"age_lo": 60.0}],
    ids=str,
)  # fmt: skip
def test_a_norm_outside_its_frame_has_no_say(outside: dict[str, Any]) -> None:
    assert against(3.0, biopsy(), level_norm(9.0, "other", **outside)).other_norms == ()


# What a careless border might let through: every combination must end in a call or in reasons, never both.
figures = st.builds(
    section,
    st.integers(0, 5),
    status=st.sampled_from(["ok", "ok", "ok", "refused", "failed", "pending"]),
    crossings=st.none() | st.integers(0, 60),
    evaluable_mm=st.none() | st.sampled_from([0.0, nan, 0.4, 1.2, 2.5, 3.0]),
    length_line=st.sampled_from(["surface", "surface", "surface", "junction", None]),
    stain=st.sampled_from(["bright-field", "bright-field", "bright-field", "fluorescence", None]),
    pixel_size_um=st.sampled_from([0.5, 0.5, 0.5, 0.25, None]),
    section_um=st.sampled_from([50.0, 50.0, 5.0, nan, None]),
    planes=st.sampled_from(["stack", "projection", "single", "7", None, ""]),
    file_planes=st.sampled_from([1, 7]),
    control=st.sampled_from([None, None, None, "positive"]),
)
good_figures = st.builds(section, st.integers(0, 99), crossings=st.integers(0, 60))
people = st.fixed_dictionaries(
    {
        "age_years": st.sampled_from([None, nan, -1.0, 0.0, 12.0]) | st.floats(20, 80),
        "sex": st.sampled_from(["F", "M", "F", "M", "f", "", None]),
        "site": st.sampled_from(["distal_leg", "distal_leg", "thigh", None]),
    }
)


@settings(max_examples=300)
@given(sections=st.lists(figures, max_size=6) | st.lists(good_figures, max_size=6), person=people)
def test_a_biopsy_is_called_or_withheld_and_never_called_when_withheld(
    sections: list[SectionFigures], person: dict[str, Any]
) -> None:
    call = called(sections, **person)
    sentence = call_sentence(call)
    assert "normal" not in sentence.replace("lower normal limit", "")
    if call.withheld_reasons:
        shown = (call.norm_limit_per_mm, call.below_norm, call.certainty, call.sections_to_settle)
        assert shown == (None, None, None, None)
        assert call.other_norms == ()
        assert "borderline" not in call.flags
        assert sentence.startswith("Call withheld: ")
        assert "elow the limit" not in sentence
        return
    assert call.density_per_mm is not None
    assert call.norm_limit_per_mm is not None
    assert call.density_low_per_mm is not None
    assert call.density_high_per_mm is not None
    assert call.below_norm is (call.density_per_mm < call.norm_limit_per_mm)
    borderline = call.density_low_per_mm <= call.norm_limit_per_mm <= call.density_high_per_mm
    assert call.certainty == ("borderline" if borderline else "clear")
    assert ("borderline" in sentence) is borderline
    assert (call.sections_to_settle is not None) is borderline
    assert sentence.startswith("Below" if call.below_norm else "Not below")


@given(sections=st.lists(figures, max_size=6), seed=st.randoms())
def test_the_order_of_the_sections_changes_nothing(sections: list[SectionFigures], seed: Any) -> None:
    shuffled = list(sections)
    seed.shuffle(shuffled)
    assert called(shuffled) == called(sections)


@given(counts=st.lists(st.integers(0, 40), min_size=3, max_size=6), more=st.integers(0, 40))
def test_more_crossings_never_bring_a_biopsy_below_the_limit(counts: list[int], more: int) -> None:
    here = called([section(number, crossings=count) for number, count in enumerate(counts)])
    there = called([section(number, crossings=count + more) for number, count in enumerate(counts)])
    assert here.below_norm is not None
    assert there.below_norm is not None
    assert there.below_norm <= here.below_norm
    if not here.below_norm and here.certainty == "clear":
        assert there.certainty == "clear"


@given(counts=st.lists(st.integers(0, 40), min_size=3, max_size=6), factor=st.floats(0.5, 2.0))
def test_a_wrong_scale_goes_through_to_the_density(counts: list[int], factor: float) -> None:
    here = called([section(number, crossings=count) for number, count in enumerate(counts)])
    there = called(
        [section(number, crossings=count, evaluable_mm=2.5 * factor) for number, count in enumerate(counts)]
    )
    assert there.crossings == here.crossings
    assert there.density_per_mm == pytest.approx((here.density_per_mm or 0.0) / factor)
    assert there.mean_section_density_per_mm == pytest.approx(
        (here.mean_section_density_per_mm or 0.0) / factor
    )


def test_a_norm_that_states_its_distribution_tells_the_percentile() -> None:
    lines = (PercentileLine(50.0, "F", 9.0), PercentileLine(90.0, "F", 14.0))
    stating = replace(FRAMED, id="stating", percentiles=lines)
    call = called(biopsy(), protocol=calling_by("stating"), known_norms=[stating])  # 5.6 /mm, limit 4.86
    limit, high = call.norm_limit_per_mm or 0.0, call.density_high_per_mm or 0.0
    assert call.norm_percentile == f"{5 + 45 * (5.6 - limit) / (9 - limit):.0f}" == "13"
    assert call.norm_percentile_low == "<5"
    assert call.norm_percentile_high == f"{5 + 45 * (high - limit) / (9 - limit):.0f}"
    plain = called(biopsy(), protocol=calling_by("framed"), known_norms=[FRAMED])
    assert (plain.norm_percentile, plain.norm_percentile_low, plain.norm_percentile_high) == (
        None,
        None,
        None,
    )
    withheld = called(biopsy(1), protocol=calling_by("stating"), known_norms=[stating])
    assert withheld.norm_percentile is None
