"""Each situation in which a density is given and no call, one by one."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from math import inf, nan
from typing import Any

import pytest
from biopsy_scenes import FRAMED, biopsy, called, calling_by, section, with_one

import ienfd.biopsy
from ienfd.biopsy import SectionFigures, call_sentence
from ienfd.errors import UsageError
from ienfd.norms import load
from ienfd.protocol import Protocol
from ienfd.quality import frame, sampling
from ienfd.reasons import REASONS, Effect


@dataclass(frozen=True)
class Case:
    """A biopsy named after what keeps it from being called, and the codes that must say so."""

    name: str
    reasons: tuple[str, ...] = ()
    sections: list[SectionFigures] = field(default_factory=biopsy)
    given: dict[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def by_framed(**changes: Any) -> dict[str, Any]:
    return {"known_norms": [replace(FRAMED, **changes)], "protocol": calling_by("framed")}


UNSTATED = ("norm_frame_unstated",)

WITHHELD = [
    # who and where
    Case("no age", ("age_missing",), given={"age_years": None}),
    Case("an age that is no number", ("age_missing",), given={"age_years": nan}),
    Case("a newborn", ("age_outside_norm",), given={"age_years": 0}),
    Case("a negative age", ("age_outside_norm",), given={"age_years": -56}),
    Case("an age without end", ("age_outside_norm",), given={"age_years": inf}),
    Case("too young by a day", ("age_outside_norm",), given={"age_years": 19.997}),
    Case("too old by nothing", ("age_outside_norm",), given={"age_years": 81}),
    Case("no sex", ("sex_missing",), given={"sex": None}),
    Case("an empty sex", ("sex_missing",), given={"sex": ""}),
    Case("a sex in small letters", ("sex_outside_norm",), given={"sex": "f"}),
    Case("another sex", ("sex_outside_norm",), given={"sex": "X"}),
    Case("no site", ("site_missing",), given={"site": None}),
    Case("an empty site", ("site_missing",), given={"site": ""}),
    Case("another site", ("site_outside_norm",), given={"site": "thigh"}),
    Case("everything at once", ("age_missing", "sex_missing", "site_missing"),
         given={"age_years": None, "sex": None, "site": None}),
    # how much
    Case("two sections", ("too_few_sections",), biopsy(2)),
    Case("two and a refused one", ("too_few_sections",),
         [*biopsy(2), section(2, status="refused", crossings=None, evaluable_mm=None)]),
    Case("two and a failed one", ("too_few_sections",),
         [*biopsy(2), section(2, status="failed", crossings=None, evaluable_mm=None)]),
    Case("two and a control", ("too_few_sections",), [*biopsy(2), section(2, control="positive")]),
    Case("two and one without a millimeter", ("too_few_sections",),
         [*biopsy(2), section(2, evaluable_mm=0.0)]),
    Case("two and one of no known length", ("too_few_sections",), [*biopsy(2), section(2, evaluable_mm=nan)]),
    Case("two and one of an impossible count", ("too_few_sections",), [*biopsy(2), section(2, crossings=-1)]),
    Case("two and one that still waits", ("too_few_sections",),
         [*biopsy(2), section(2, status="pending", crossings=None, evaluable_mm=None)],
         flags=("sections_pending",)),
    Case("three where the laboratory asks for four", ("too_few_sections",),
         given={"protocol": calling_by("collongues2018", min_sections=4)}),
    Case("three short ones", ("too_short",), biopsy(3, evaluable_mm=0.99)),
    Case("three where the laboratory asks for more", ("too_short",),
         given={"protocol": calling_by("collongues2018", min_total_length_mm=7.6)}),
    Case("a least length that is no number", ("too_short",),
         given={"protocol": calling_by("collongues2018", min_total_length_mm=nan)}),
    Case("few and short", ("too_few_sections", "too_short"), biopsy(1)),
    Case("no section", ("no_evaluable_section",), []),
    Case("no evaluable one", ("no_evaluable_section",),
         biopsy(3, status="refused", crossings=None, evaluable_mm=None)),
    Case("controls only", ("no_evaluable_section",), biopsy(3, control="negative")),
    # stain and norm
    Case("no norm for the stain", ("no_norm",), given={"protocol": calling_by("")}),
    Case("a stain that has no norm", ("no_norm",), biopsy(3, stain="electron")),
    Case("no stain known", ("stain_missing",), biopsy(3, stain=None)),
    Case("no stain known of one", ("stain_missing",), with_one(stain=None)),
    Case("two stains", ("stain_inconsistent",), with_one(stain="fluorescence")),
    Case("the norm of the other stain", ("stain_outside_norm",),
         given={"protocol": calling_by("bursova2012")}),
    # what the norm states of its sections
    Case("no thickness", ("section_um_missing",), biopsy(3, section_um=None), by_framed()),
    Case("no thickness of one", ("section_um_missing",), with_one(section_um=None), by_framed()),
    Case("too thin", ("section_um_outside_norm",), biopsy(3, section_um=39.9), by_framed()),
    Case("too thick", ("section_um_outside_norm",), biopsy(3, section_um=60.1), by_framed()),
    Case("one too thin", ("section_um_outside_norm",), with_one(section_um=5.0), by_framed()),
    Case("a thickness that is no number", ("section_um_outside_norm",),
         with_one(section_um=nan), by_framed()),
    Case("another line", ("length_line_outside_norm",), biopsy(3, length_line="junction"), by_framed()),
    Case("no line known", ("length_line_outside_norm",), biopsy(3, length_line=None), by_framed()),
    # what contradicts itself
    Case("different lines", ("length_line_inconsistent",), with_one(length_line="chord")),
    Case("half the pixel size", ("calibration_inconsistent",), with_one(pixel_size_um=0.25)),
    Case("twice the pixel size", ("calibration_inconsistent",), with_one(pixel_size_um=1.0)),
    Case("a quarter more", ("calibration_inconsistent",), with_one(pixel_size_um=0.625)),
    Case("a pixel size that is no number", ("calibration_inconsistent",), with_one(pixel_size_um=nan)),
    Case("a copy under another name", ("duplicate_field",), [*biopsy(3), section(0)]),
    # depth
    Case("single planes", ("single_plane",), biopsy(3, planes="single")),
    Case("one single plane", ("single_plane",), with_one(planes="Single ")),
    Case("a stack of one", ("single_plane",), with_one(planes="1")),
    Case("single planes just too thick", ("single_plane",), biopsy(3, planes="single", section_um=10.1)),
    Case("a single plane of no possible thickness", ("single_plane",),
         with_one(planes="single", section_um=-5.0)),
    Case("single planes of unknown thickness", ("section_um_missing",),
         biopsy(3, planes="single", section_um=None)),
]  # fmt: skip

CALLED = [
    Case("a good one", flags=UNSTATED),
    Case("the youngest", given={"age_years": 20}, flags=UNSTATED),
    Case("the oldest", given={"age_years": 80.99}, flags=UNSTATED),
    Case("just long enough", sections=biopsy(3, evaluable_mm=1.0, crossings=20), flags=UNSTATED),
    Case("fewer where the laboratory says so", sections=biopsy(1),
         given={"protocol": calling_by("collongues2018", min_sections=1, min_total_length_mm=1.0)},
         flags=UNSTATED),
    Case("a control of another stain beside it", sections=with_one(control="positive", stain="fluorescence"),
         flags=UNSTATED),
    Case("a refused one of another scale", sections=with_one(status="refused", pixel_size_um=2.0),
         flags=UNSTATED),
    Case("one that still waits", sections=with_one(status="pending", crossings=None),
         flags=("sections_pending", *UNSTATED)),
    Case("a control that still waits",
         sections=with_one(status="pending", crossings=None, control="positive"), flags=UNSTATED),
    Case("thickness that the norm does not state", sections=biopsy(3, section_um=None), flags=UNSTATED),
    Case("paraffin for a norm that does not state it", sections=biopsy(3, section_um=5.0), flags=UNSTATED),
    Case("another line for a norm that does not state it", sections=biopsy(3, length_line="junction"),
         flags=UNSTATED),
    Case("the scale of another scanner", sections=with_one(pixel_size_um=0.46), flags=UNSTATED),
    Case("scenes of one file", sections=biopsy(3, sha256="one"), flags=UNSTATED),
    Case("files without a hash", sections=biopsy(3, sha256=None), flags=UNSTATED),
    Case("inside the frame", given=by_framed()),
    Case("as thin as may be", sections=biopsy(3, section_um=40.0), given=by_framed()),
    Case("as thick as may be", sections=biopsy(3, section_um=60.0), given=by_framed()),
    Case("a norm that states no line", given=by_framed(length_line=None), flags=UNSTATED),
    Case("a norm that states no thickness", given=by_framed(section_um=None), flags=UNSTATED),
    Case("a thin single plane", sections=biopsy(3, planes="single", section_um=10.0), flags=UNSTATED),
    Case("a stack said to be single", sections=biopsy(3, planes="single", file_planes=9), flags=UNSTATED),
    Case("a stack of twelve, projected", sections=biopsy(3, planes="12"), flags=UNSTATED),
    Case("extended focus", sections=biopsy(3, planes="extended-focus"), flags=UNSTATED),
    Case("unknown planes", sections=with_one(planes=None), flags=("planes_unknown", *UNSTATED)),
    Case("planes in other words", sections=with_one(planes="best"), flags=("planes_unknown", *UNSTATED)),
    Case("no planes", sections=with_one(planes="0"), flags=("planes_unknown", *UNSTATED)),
    Case("unknown planes of a stack", sections=biopsy(3, planes=None, file_planes=9), flags=UNSTATED),
    Case("fluorescence", sections=biopsy(3, stain="fluorescence"),
         flags=("norm_frame_unstated", "norm_percentile_unstated")),
]  # fmt: skip


@pytest.mark.parametrize("case", WITHHELD, ids=lambda case: case.name)
def test_the_call_is_withheld_with_its_reason_and_the_density_stays(case: Case) -> None:
    call = called(case.sections, **case.given)
    assert call.withheld_reasons == case.reasons
    assert call.flags == case.flags
    assert call.below_norm is None
    assert call.certainty is None
    assert call.norm_limit_per_mm is None
    assert call.sections_to_settle is None
    assert call.other_norms == ()
    assert (call.density_per_mm is None) is ("no_evaluable_section" in case.reasons)
    sentence = call_sentence(call)
    assert sentence == "Call withheld: " + " ".join(REASONS[code].text for code in case.reasons)


@pytest.mark.parametrize("case", CALLED, ids=lambda case: case.name)
def test_nothing_else_keeps_a_biopsy_from_being_called(case: Case) -> None:
    call = called(case.sections, **case.given)
    assert call.withheld_reasons == ()
    assert call.below_norm is not None
    assert call.norm_limit_per_mm is not None
    assert set(call.flags) - {"borderline"} == set(case.flags)
    assert ("borderline" in call.flags) is (call.certainty == "borderline")
    assert call_sentence(call).startswith("Below" if call.below_norm else "Not below")


def test_every_reason_to_withhold_has_its_situation() -> None:
    source = "".join(inspect.getsource(module) for module in (ienfd.biopsy, frame, sampling))
    withheld = {reason.code for reason in REASONS.values() if reason.effect is Effect.WITHHELD}
    shown = {code for case in WITHHELD for code in case.reasons}
    assert shown == {code for code in withheld if f'"{code}"' in source}
    assert all(REASONS[code].remedy for code in shown)


def test_what_only_the_study_can_see_withholds_the_call_too() -> None:
    call = called(biopsy(), further_reasons=["image_in_two_biopsies"])
    assert call.withheld_reasons == ("image_in_two_biopsies",)
    assert (call.density_per_mm, call.below_norm, call.norm_limit_per_mm, call.flags) == (5.6, None, None, ())


def test_the_flags_of_a_call_are_flags() -> None:
    flags = {code for case in (*WITHHELD, *CALLED) for code in case.flags} | {"borderline", "norms_disagree"}
    assert {REASONS[code].effect for code in flags} == {Effect.FLAGGED}


def test_a_norm_that_is_not_there_is_an_error_and_not_a_silent_gap() -> None:
    with pytest.raises(UsageError, match="collongues2018") as caught:
        called(biopsy(), protocol=calling_by("lauria2010"))
    assert caught.value.code == "unknown_norm"


def test_the_built_in_norms_are_those_of_the_built_in_protocol() -> None:
    rules = Protocol().call
    assert load(rules.norm_bright_field).stain == "bright-field"
    assert load(rules.norm_fluorescence).stain == "fluorescence"
