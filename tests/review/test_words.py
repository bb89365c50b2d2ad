"""What the screen says: why something was decided, what does not look plausible, the result as it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from review_scenes import (
    SURE,
    Fiber,
    Heard,
    Slide,
    at,
    go_to,
    lay_down,
    line,
    reviewer_of,
    sheet_of,
    skin,
    slide,
    study,
)

from ienfd.correction.commands import (
    Edit,
    LoggedEdit,
    add_crossing,
    compare_readers,
    edit_case,
    edit_junction,
    exclude_stretch,
    include_stretch,
    mark_crossing,
    move_crossing,
    note,
    redo,
    remove_crossing,
    reopen,
    review,
    undo,
    unmark_crossing,
)
from ienfd.protocol import CallRules, CountingRules, Protocol
from ienfd.result import Cell, Stretch
from ienfd.review.explain import explain_crossing, explain_stretch, said_of, what_is_done
from ienfd.review.live import LiveResult, live_result
from ienfd.review.reviewer import Reviewer
from ienfd.study.store import Store

# little skin is enough for a call, and crossings fall independently
SHORT = Protocol(call=CallRules(min_total_length_mm=1.0, overdispersion=1.0, overdispersion_weight=1e6))
THREE = [slide(f"{name}.tif") for name in "abc"]


def explained(reviewer: Reviewer, along_um: float, below_um: float = 0.0) -> list[str]:
    reviewer.pick_at(*at(along_um, below_um))
    return reviewer.explain()


def noticed(reviewer: Reviewer) -> list[str]:
    return [concern.text for concern in reviewer.concerns()]


def of(store: Store, *slides: Slide) -> Reviewer:
    return reviewer_of(store, path=slides[0].path)


# why it was decided so


def test_nothing_is_explained_where_nothing_is_picked(store: Store) -> None:
    assert reviewer_of(store).explain() == []


def test_a_counted_crossing(store: Store) -> None:
    assert explained(reviewer_of(store), 150) == [
        "Crossing 2, counted.",
        "The fiber is seen on both sides of the junction.",
        "Seen 30 um above and 30 um below the junction.",
        "Its contrast there is 12.0 times the noise.",
        "That a fiber crosses here: 100% sure.",
    ]


def test_a_doubtful_crossing(store: Store) -> None:
    assert explained(reviewer_of(store), 300)[-2:] == [
        "That a fiber crosses here: 62% sure.",
        "Worth a second look.",
    ]


def test_a_candidate_that_is_not_counted(store: Store) -> None:
    assert explained(reviewer_of(store), 100) == [
        "Candidate, not counted.",
        "Too little is seen of the fiber, or of the junction there, to be sure enough.",
        "Seen 6 um above and 6 um below the junction.",
        "Its contrast there is 3.4 times the noise.",
        "That a fiber crosses here: 48% sure.",
        "Worth a second look.",
    ]


def test_a_depth_and_a_matter_of_the_rules_are_named(store: Store) -> None:
    (one, *_) = sheet_of(reviewer_of(store)).result.crossings
    lines = explain_crossing(replace(one, z_um=4.25, counted=False, reason="junction_branch"))
    assert lines[-3:] == [
        "At a depth of 4.2 um.",
        "That a fiber crosses here: 100% sure.",
        "A matter of the counting rules.",
    ]


def test_a_crossing_that_a_reviewer_added_has_no_evidence_of_its_own(store: Store) -> None:
    reviewer = reviewer_of(store)
    reviewer.add_at(*at(200))
    lines = explained(reviewer, 200)
    assert lines[:2] == ["Crossing 3, counted.", "A reviewer saw the fiber cross here."]
    assert lines[2].endswith("A. Reader: added, row 160, column 400")
    assert len(lines) == 3
    reviewer.remove()
    lines = explained(reviewer, 200)
    assert lines[:2] == ["Candidate, not counted.", "A reviewer found no crossing here."]
    said = [words.partition("A. Reader: ")[2].partition(",")[0] for words in lines[2:]]
    assert said == ["added", "removed"]


def test_what_was_done_to_a_candidate_stands_under_it(store: Store) -> None:
    reviewer = reviewer_of(store)
    reviewer.pick_at(*at(50))
    reviewer.note("  very thin ")
    reviewer.not_sure()
    said = [words.partition("  ")[2] for words in explained(reviewer, 50)[5:]]
    assert said == ["A. Reader: “very thin”", "A. Reader: not sure, row 160, column 100"]


def test_an_excluded_stretch(store: Store) -> None:
    reviewer = reviewer_of(store)
    reviewer.exclude(at(180), at(220))
    assert explained(reviewer, 200) == [
        "Not evaluated: 40 um of the junction.",
        "A reviewer has excluded it.",
        "Neither its crossings nor its length are part of the density.",
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("junction_low_confidence", "It is not certain where the junction runs here."),
        ("cut_edge", "It is a cut end of the epidermis."),
        ("appendage", "It is the mouth of a hair follicle or sweat duct."),
    ],
)
def test_why_a_stretch_is_not_evaluated(reason: str, said: str) -> None:
    assert explain_stretch(Stretch(0, 10.0, 22.0, reason))[:2] == [
        "Not evaluated: 12 um of the junction.",
        said,
    ]


def test_a_place_on_the_junction(tmp_path: Path) -> None:
    with study(tmp_path, slide(findings=skin(unsure_um=(180, 220)))) as store:
        reviewer = reviewer_of(store)
        assert explained(reviewer, 200, below_um=5) == [
            "The junction, 0.20 mm from its start.",
            "That it runs here: 40% sure.",
        ]
        assert explained(reviewer, 200, below_um=9) == []  # too far to be meant


def test_every_command_has_its_words(store: Store) -> None:
    sheet = sheet_of(reviewer_of(store))
    one = sheet.result.crossings[0]
    mark, done = mark_crossing(1, 2), add_crossing(1, 2)
    logged = LoggedEdit(1, mark, "", "", "", None, None, None, None, 0, "", "")
    edits: list[Edit] = [
        done, remove_crossing(one), move_crossing(one, 1, 2), edit_junction(sheet.findings.pieces[0],
        line((1, 2), (3, 4))), exclude_stretch((1, 2), (3, 4)), include_stretch((1, 2), (3, 4)),
        edit_case({}, {}, "why"), mark, unmark_crossing(logged), compare_readers({}), reopen("why"),
        undo(logged), redo(logged), note("hello"), review("needs_second_reader", {}),
    ]  # fmt: skip
    assert [what_is_done(edit) for edit in edits] == [
        "added", "removed", "moved", "junction redrawn", "stretch excluded", "stretch taken in",
        "case data changed", "marked", "mark taken away", "blind reading compared", "opened again",
        "undone", "redone", "“hello”", "needs second reader",
    ]  # fmt: skip


def test_a_line_of_the_log_says_when_who_what_and_why() -> None:
    edit = replace(add_crossing(1, 2), why="seen at the microscope")
    entry = LoggedEdit(
        1, edit, "2026-03-02T09:41:27.123+00:00", "A. Reader", "", None, None, None, None, 0, "", ""
    )
    assert said_of([entry]) == [
        "2026-03-02 09:41 UTC  A. Reader: added, row 1, column 2 (seen at the microscope)"
    ]


# what does not look plausible


def test_a_plain_section_raises_no_concern(tmp_path: Path) -> None:
    with study(tmp_path, slide(findings=skin(SURE))) as store:
        assert noticed(reviewer_of(store)) == []


def test_what_is_doubtful_is_listed_with_its_place(store: Store) -> None:
    reviewer = reviewer_of(store)
    assert noticed(reviewer) == [
        "Not counted: Too little is seen of the fiber, or of the junction there, to be sure enough.",
        "Counted, but only 62% sure.",
    ]
    heard = Heard(reviewer)
    reviewer.fly_to(reviewer.concerns()[1])
    assert heard.flights == [pytest.approx((160.0, 600.0, 160.0))]
    assert reviewer.explain()[0] == "Crossing 4, counted."


def test_a_candidate_that_is_likely_and_not_counted(store: Store) -> None:
    reviewer = reviewer_of(store)
    lay_down(store, slide("b.tif", skin([Fiber(100, above_um=0.8)])))
    reviewer.refresh()
    go_to(reviewer, "b.tif")
    (said,) = noticed(reviewer)
    assert said.startswith("Not counted, but ")
    assert said.endswith(" sure that a fiber crosses.")


def test_what_a_person_has_judged_is_no_concern_any_more(store: Store) -> None:
    reviewer = reviewer_of(store)
    for along, judge in ((100, reviewer.accept), (300, reviewer.reject)):
        reviewer.pick_at(*at(along))
        judge()
    assert noticed(reviewer) == []


MANY = tuple(Fiber(float(along)) for along in range(20, 391, 25))
FEW = (Fiber(200.0),)


@pytest.mark.parametrize(
    ("first", "said"),
    [(FEW, ["2.5 /mm here, 37.7 /mm in the other sections."]), (MANY, [])],
)
def test_a_section_unlike_the_others_of_its_biopsy(
    tmp_path: Path, first: tuple[Fiber, ...], said: list[str]
) -> None:
    files = [slide("a.tif", skin(first)), *(slide(name, skin(MANY)) for name in ("b.tif", "c.tif"))]
    with study(tmp_path, *files) as store:
        assert noticed(of(store, *files)) == said


def test_a_section_alone_or_empty_among_empty_ones_is_unlike_nothing(tmp_path: Path) -> None:
    files = [
        slide("a.tif", skin(FEW)),
        slide("b.tif", skin([]), biopsy_id="B2"),
        slide("c.tif", skin([]), biopsy_id="B2"),
        slide("d.tif", skin(MANY), control="positive"),
        slide("e.tif", skin(MANY, refusal="out_of_focus")),
    ]
    with study(tmp_path, *files) as store:
        for one in files[:4]:
            assert noticed(of(store, one)) == []


@pytest.mark.parametrize(
    ("unsure_um", "exclusions", "said"),
    [
        ((100, 230), (), ["The junction is uncertain over 128 um."]),
        ((100, 200), (), []),
        ((100, 230), (Stretch(0, 90.0, 240.0, "excluded_stretch"),), []),
    ],
)
def test_a_long_stretch_of_uncertain_junction(
    tmp_path: Path, unsure_um: tuple[float, float], exclusions: tuple[Stretch, ...], said: list[str]
) -> None:
    with study(
        tmp_path, slide(findings=skin([Fiber(50)], unsure_um=unsure_um, exclusions=exclusions))
    ) as store:
        reviewer = reviewer_of(store)
        assert noticed(reviewer) == said
        assert [concern.place_px for concern in reviewer.concerns()] == [(160.0, 328.0)] * len(said)


@pytest.mark.parametrize(
    ("apart_um", "said"),
    [(4.5, ["Two counted crossings 4.5 um apart: one fiber or two?"]), (5.5, [])],
)
def test_two_crossings_close_together(tmp_path: Path, apart_um: float, said: list[str]) -> None:
    with study(tmp_path, slide(findings=skin([Fiber(100), Fiber(100 + apart_um)]))) as store:
        assert noticed(reviewer_of(store)) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(15, ["15 dendritic cells, 628 per mm2 of epidermis: many."]), (14, [])],
)
def test_many_dendritic_cells(tmp_path: Path, number: int, said: list[str]) -> None:
    """The epidermis is 398 um by 60 um: 0.0239 mm2."""
    cells = tuple(Cell(80.0, 40.0 * n + 60.0, 4.0, 10.0) for n in range(number))
    with study(tmp_path, slide(findings=skin([], cells=cells))) as store:
        assert noticed(reviewer_of(store)) == said


def test_a_quality_flag_is_a_concern_of_the_whole_section(tmp_path: Path) -> None:
    with study(tmp_path, slide(findings=skin(SURE, flags=("soft_focus",)))) as store:
        reviewer = reviewer_of(store)
        assert noticed(reviewer) == ["The image is soft."]
        heard = Heard(reviewer)
        reviewer.fly_to(reviewer.concerns()[0])
        assert heard.flights == []


def test_a_correction_that_fits_nothing_any_more(store: Store) -> None:
    reviewer = reviewer_of(store)
    reviewer.pick_at(*at(150))
    reviewer.reject()
    lay_down(store, slide(findings=skin([Fiber(50), Fiber(250)], key="two")))
    reviewer.refresh()
    assert noticed(reviewer) == ["Earlier corrections that fit nothing any more: 1."]


# the result as it stands


def result_of(reviewer: Reviewer) -> LiveResult:
    return live_result(reviewer.sheet)


def test_before_a_section_is_open() -> None:
    assert live_result(None) == LiveResult("No section is open.", "Choose one in the queue.")


def test_a_section_with_its_density_and_a_call_that_is_withheld(store: Store) -> None:
    live = result_of(reviewer_of(store))
    assert live.section == "10.1 /mm"
    assert live.section_detail == "4 crossings on 0.40 mm of surface, 95 % 2.7 to 25.7"
    assert live.biopsy == "C1, B1: 10.1 /mm in 1 section (preliminary)"
    assert live.call == (
        "Call withheld: Fewer sections could be evaluated than the protocol asks for. "
        "The epidermis evaluated in all is shorter than the protocol asks for."
    )
    assert live.limit_per_mm is None
    assert live.density_per_mm == pytest.approx(4 / 0.398)


def test_a_biopsy_that_is_called(tmp_path: Path) -> None:
    with Store(tmp_path / "study", create=True) as store:
        lay_down(store, *THREE, protocol=SHORT)
        live = result_of(of(store, *THREE))
    assert live.biopsy == "C1, B1: 10.1 /mm in 3 sections (preliminary)"
    assert live.call == "Not below the limit of 4.86 /mm (collongues2018)."
    assert live.limit_per_mm == pytest.approx(9.1662 - 0.0769 * 56)
    assert live.interval_per_mm == pytest.approx((5.2, 17.6), abs=0.1)


def test_every_correction_is_in_the_result_at_once(tmp_path: Path) -> None:
    with Store(tmp_path / "study", create=True) as store:
        lay_down(store, *THREE, protocol=SHORT)
        reviewer = of(store, *THREE)
        for along in (50, 150, 250, 300):
            reviewer.pick_at(*at(along))
            reviewer.reject()
        live = result_of(reviewer)
        assert live.section == "0.0 /mm"
        assert live.biopsy == "C1, B1: 6.7 /mm in 3 sections (preliminary)"
        assert live.call == (
            "Not below the limit of 4.86 /mm (collongues2018), borderline: "
            "about 14 more sections would settle it."
        )
        go_to(reviewer, "b.tif")  # and in that of the other sections
        assert result_of(reviewer).biopsy == live.biopsy
        go_to(reviewer, "a.tif")
        reviewer.undo()
        go_to(reviewer, "b.tif")
        assert result_of(reviewer).biopsy == "C1, B1: 7.5 /mm in 3 sections (preliminary)"


def test_a_section_without_a_density_says_why_and_what_to_do(tmp_path: Path) -> None:
    with study(tmp_path, slide(findings=skin(refusal="out_of_focus"))) as store:
        reviewer = reviewer_of(store)
        live = result_of(reviewer)
        assert (live.section, live.section_detail) == (
            "No density", "The image is out of focus beyond the bounds of the protocol. Scan it again."
        )  # fmt: skip
        assert live.biopsy == "C1, B1 (preliminary)"


def test_a_control_has_a_density_of_its_own_and_no_biopsy(tmp_path: Path) -> None:
    files = [slide("a.tif", skin(refusal="out_of_focus")), slide("b.tif", control="positive")]
    with study(tmp_path, *files) as store:
        live = result_of(of(store, *files[1:]))
    assert live.section == "10.1 /mm"
    assert (live.biopsy, live.density_per_mm) == ("", None)
    assert live.call == "A control: it belongs to no biopsy."


def test_a_blind_reader_sees_no_number(store: Store) -> None:
    reviewer = reviewer_of(store, "B. Reader", blind=True)
    reviewer.add_at(*at(60))
    live = live_result(reviewer.sheet, hides=reviewer.hides, own_marks=1)
    assert live == LiveResult(
        "1 mark", "A blind reading: point at a crossing and press A. C compares both readings."
    )
    assert reviewer.concerns() == ()
    reviewer.pick_at(*at(150))
    assert reviewer.explain() == []
    reviewer.pick_at(*at(60))
    assert reviewer.explain() == ["A mark of this blind reading."]


def test_the_line_of_the_protocol_is_named(tmp_path: Path) -> None:
    by_junction = replace(SHORT, density=replace(SHORT.density, length_line="junction"))
    with Store(tmp_path / "study", create=True) as store:
        lay_down(store, slide(), protocol=by_junction)
        live = result_of(reviewer_of(store))
    assert live.section_detail.startswith("4 crossings on 0.40 mm of junction, ")


def test_a_cut_end_is_picked_as_a_stretch(tmp_path: Path) -> None:
    found = skin(SURE)
    found = replace(found, pieces=(replace(found.pieces[0], cut_ends=(True, False)),))
    with Store(tmp_path / "study", create=True) as store:
        lay_down(
            store, slide(findings=found), protocol=replace(SHORT, counting=CountingRules(cut_edge_um=30.0))
        )
        reviewer = reviewer_of(store)
        assert explained(reviewer, 20)[:2] == [
            "Not evaluated: 30 um of the junction.",
            "It is a cut end of the epidermis.",
        ]
