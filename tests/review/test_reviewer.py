"""What a reviewer does: each deed as an entry of the log, and what follows from it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from review_scenes import (
    ROW,
    SURE,
    Fiber,
    Heard,
    Slide,
    at,
    by_place,
    crossing_at,
    go_to,
    lay_down,
    line,
    reviewer_of,
    sheet_of,
    skin,
    slide,
    study,
    write,
)

from ienfd.correction.commands import Command, add_crossing, exclude_stretch, mark_crossing, note
from ienfd.correction.correct import ReviewState
from ienfd.report.content import gather
from ienfd.result import FloatArray, Stretch
from ienfd.review.desk import Desk
from ienfd.review.picking import Selection
from ienfd.review.reviewer import Reviewer
from ienfd.review.sheet import Sheet
from ienfd.study.store import Store
from ienfd.study.verify import check_store

THREE = [slide(f"{name}.tif") for name in "abc"]
REASON = "This biopsy is signed. Why is it changed?"


@pytest.fixture
def reviewer(store: Store) -> Reviewer:
    return reviewer_of(store)


def pick(reviewer: Reviewer, along_um: float, below_um: float = 0.0) -> None:
    reviewer.pick_at(*at(along_um, below_um))


def places(reviewer: Reviewer) -> dict[int, tuple[bool, str]]:
    return by_place(sheet_of(reviewer).result)


def logged(store: Store) -> list[str]:
    return [entry.edit.command.value for entry in store.edits()]


def evaluable_mm(reviewer: Reviewer) -> float:
    lengths = sheet_of(reviewer).result.lengths
    assert lengths is not None
    return lengths.evaluable_mm


def picked(reviewer: Reviewer) -> Selection:
    assert reviewer.selection is not None
    return reviewer.selection


# candidates


@pytest.mark.parametrize(
    ("along", "deed", "command", "outcome", "edits"),
    [
        (150, Reviewer.accept, "assess_crossing", (True, "crosses"), 0),
        (150, Reviewer.reject, "reclassify_crossing", (False, "reviewer_rejected"), 1),
        (150, Reviewer.not_sure, "assess_crossing", (True, "crosses"), 0),
        (100, Reviewer.accept, "reclassify_crossing", (True, "reviewer_counted"), 1),
        (100, Reviewer.reject, "assess_crossing", (False, "too_faint"), 0),
        (100, Reviewer.not_sure, "assess_crossing", (False, "too_faint"), 0),
        (350, Reviewer.accept, "reclassify_crossing", (True, "reviewer_counted"), 1),
    ],
)
def test_a_judgment_changes_the_result_only_where_it_differs(
    store: Store, reviewer: Reviewer, along: int, deed: Callable[[Reviewer], None], command: str,
    outcome: tuple[bool, str], edits: int,
) -> None:  # fmt: skip
    """An agreement is no correction."""
    before = places(reviewer)
    pick(reviewer, along)
    deed(reviewer)
    assert logged(store) == [command]
    assert places(reviewer) == {**before, along: outcome}
    now = sheet_of(reviewer).corrected
    assert (now.edits, now.review) == (edits, ReviewState.IN_REVIEW)
    assert now.unmatched == ()


def test_what_was_last_said_of_a_candidate_holds(reviewer: Reviewer) -> None:
    def verdict(*deeds: Callable[[], None]) -> str:
        for deed in deeds:
            pick(reviewer, 150)
            deed()
        sheet = sheet_of(reviewer)
        return sheet.verdicts()[crossing_at(sheet.result, 150).crossing_id]

    assert verdict(reviewer.accept) == "agreed"
    assert verdict(reviewer.not_sure) == "not_sure"
    assert verdict(reviewer.reject) == "corrected"
    assert verdict(reviewer.reject) == "agreed"  # with what the reviewer said before
    assert places(reviewer)[150] == (False, "reviewer_rejected")
    assert sheet_of(reviewer).corrected.edits == 1


def test_a_crossing_is_added_moved_and_removed(store: Store, reviewer: Reviewer) -> None:
    reviewer.add_at(*at(200), z_um=3.256)
    assert places(reviewer)[200] == (True, "reviewer_added")
    assert crossing_at(sheet_of(reviewer).result, 200).z_um == 3.26
    reviewer.move_to(*at(210, below_um=1))  # what was added is picked
    assert places(reviewer)[210] == (True, "reviewer_added")
    assert 200 not in places(reviewer)
    reviewer.remove()
    assert places(reviewer)[210] == (False, "reviewer_removed")
    assert sheet_of(reviewer).result.count == 4
    assert logged(store) == ["add_crossing", "move_crossing", "remove_crossing"]


def test_a_crossing_that_the_program_found_is_moved_and_removed(reviewer: Reviewer) -> None:
    pick(reviewer, 150)
    before = picked(reviewer).object_id
    reviewer.move_to(*at(160))
    assert places(reviewer)[160] == (True, "crosses")
    moved = crossing_at(sheet_of(reviewer).result, 160)
    assert (moved.crossing_id, moved.origin) == (before, "manual")
    reviewer.remove()
    assert places(reviewer)[160] == (False, "reviewer_removed")


def test_what_is_picked_moves_along_and_vanishes_with_its_object(reviewer: Reviewer) -> None:
    shown: list[Selection | None] = []
    reviewer.picked.connect(lambda one: shown.append(one))
    pick(reviewer, 150)
    reviewer.move_to(*at(160))
    assert (shown[-1] and shown[-1].place_px) == at(160)
    reviewer.undo()
    assert picked(reviewer).place_px == pytest.approx(at(150))
    reviewer.add_at(*at(200))
    reviewer.undo()
    assert shown[-1] is None
    assert reviewer.explain() == []


@pytest.mark.parametrize("deed", ["accept", "reject", "not_sure", "remove", "move"])
def test_nothing_is_done_to_nothing(store: Store, reviewer: Reviewer, deed: str) -> None:
    heard = Heard(reviewer)

    def do() -> None:
        reviewer.move_to(*at(60)) if deed == "move" else getattr(reviewer, deed)()

    do()
    pick(reviewer, 200)  # the junction: no candidate
    do()
    asked = "Pick a candidate first: click on it, or take the tour."
    assert heard.said == ["Pick something first." if deed == "remove" else asked, asked]
    assert store.edits() == []


def test_a_reviewer_without_a_section_does_nothing(store: Store) -> None:
    nobody = Reviewer(Desk(store), "A. Reader")
    heard = Heard(nobody)
    for deed in (
        nobody.accept, nobody.not_sure, nobody.remove, nobody.undo, nobody.redo, nobody.tour,
        nobody.next_unseen, nobody.compare_readings, nobody.refresh, lambda: nobody.add_at(1, 2),
        lambda: nobody.note("x"), lambda: nobody.exclude((1, 2), (3, 4)), lambda: nobody.pick_at(1, 2),
        lambda: nobody.redraw_junction(0, line((1, 2), (3, 4))),
        lambda: nobody.set_review(ReviewState.REVIEWED),
    ):  # fmt: skip
        deed()
    assert nobody.signing_obstacles() == ["there is no biopsy to sign"]
    assert not nobody.sign("Dr. Sign")
    assert (nobody.explain(), nobody.concerns(), heard.troubled, store.edits()) == ([], (), [], [])


def test_a_candidate_in_an_excluded_stretch_is_not_counted_whatever_is_said(reviewer: Reviewer) -> None:
    reviewer.exclude(at(140), at(160))
    pick(reviewer, 150)
    reviewer.accept()
    assert places(reviewer)[150] == (False, "excluded_stretch")


def test_a_note_is_about_what_is_picked_or_the_section(store: Store, reviewer: Reviewer) -> None:
    reviewer.note(" a fold at the left ")
    pick(reviewer, 150)
    reviewer.note("thin")
    pick(reviewer, 200)
    reviewer.note("the junction here")
    reviewer.note("  ")
    sheet = sheet_of(reviewer)
    crossing = crossing_at(sheet.result, 150)
    said = [(entry.edit.after or {})["text"] for entry in sheet.notes()]
    assert said == ["a fold at the left", "at row 160, column 400: the junction here"]
    assert [(e.edit.after or {})["text"] for e in sheet.notes(crossing.crossing_id)] == ["thin"]
    assert [e.edit.command for e in sheet.history(crossing.crossing_id)] == [Command.NOTE]
    assert len(store.edits()) == 3
    assert sheet.corrected.edits == 0


# the junction


def test_a_stretch_is_excluded_with_its_crossings_and_its_length(reviewer: Reviewer) -> None:
    reviewer.exclude(at(160, below_um=3), at(140, below_um=-4))  # pointed at, in either sense
    assert places(reviewer)[150] == (False, "excluded_stretch")
    assert evaluable_mm(reviewer) == pytest.approx(0.378, abs=1e-3)


def test_a_click_on_an_excluded_stretch_and_it_is_taken_in_again(reviewer: Reviewer) -> None:
    whole = evaluable_mm(reviewer)
    reviewer.exclude(at(180), at(240))
    pick(reviewer, 200, below_um=-6)
    assert picked(reviewer).kind == "stretch"
    reviewer.remove()
    assert evaluable_mm(reviewer) == pytest.approx(whole)
    assert reviewer.selection is None
    pick(reviewer, 200)
    assert picked(reviewer).kind == "junction"


def test_part_of_a_stretch_is_taken_in(reviewer: Reviewer) -> None:
    reviewer.exclude(at(140), at(260))
    reviewer.include(at(140), at(200))
    assert places(reviewer)[150] == (True, "crosses")
    assert places(reviewer)[250] == (False, "excluded_stretch")
    assert evaluable_mm(reviewer) == pytest.approx(0.338, abs=1e-3)


def test_what_the_program_excluded_is_taken_in_too(tmp_path: Path) -> None:
    found = skin(SURE, exclusions=(Stretch(0, 100.0, 200.0, "junction_low_confidence"),))
    with study(tmp_path, slide(findings=found)) as store:
        reviewer = reviewer_of(store)
        assert places(reviewer)[150] == (False, "junction_low_confidence")
        pick(reviewer, 120)
        reviewer.remove()
        assert places(reviewer)[150] == (True, "crosses")


def test_a_stretch_that_is_undone_while_it_is_picked_cannot_be_removed(
    store: Store, reviewer: Reviewer
) -> None:
    heard = Heard(reviewer)
    reviewer.exclude(at(90), at(130))
    pick(reviewer, 120)
    assert picked(reviewer).kind == "stretch"
    reviewer.undo()
    assert reviewer.selection is None
    reviewer.remove()
    assert heard.said[-1] == "Pick something first."
    assert logged(store) == ["exclude_stretch", "undo"]


def test_another_stretch_that_is_picked_stays_itself(reviewer: Reviewer) -> None:
    """Its index may be another one after an exclusion before it."""
    reviewer.exclude(at(200), at(240))
    pick(reviewer, 220)
    assert picked(reviewer).object_id == "0"
    reviewer.exclude(at(110), at(130))
    assert picked(reviewer).object_id == "1"
    reviewer.remove()
    assert places(reviewer)[150] == (True, "crosses")
    pick(reviewer, 120)
    assert picked(reviewer).kind == "stretch"


def test_a_stretch_needs_a_length(store: Store, reviewer: Reviewer) -> None:
    heard = Heard(reviewer)
    reviewer.exclude(at(100), at(100.4))
    assert heard.troubled == ["That stretch has no length."]
    assert store.edits() == []


def ring() -> Slide:
    """A junction that comes back to where it began, as that of a whole round biopsy; 10 px are left open."""
    angle = np.linspace(0.05, 2 * np.pi - 0.05, 400)
    course = np.column_stack([160 - 100 * np.cos(angle), 400 + 100 * np.sin(angle)])
    found = skin([])
    piece = replace(found.pieces[0], junction_px=course, surface_px=course * 0.8 + [32, 80],
                    junction_confidence=np.full(400, 0.9))  # fmt: skip
    return slide(findings=replace(found, pieces=(piece,)))


def test_the_ends_of_a_long_stretch_may_lie_close_together(tmp_path: Path) -> None:
    with study(tmp_path, ring()) as store:
        reviewer = reviewer_of(store)
        heard = Heard(reviewer)
        whole = evaluable_mm(reviewer)
        reviewer.exclude((60.0, 406.0), (60.0, 394.0))
        reviewer.include((60.2, 405.9), (60.2, 394.2))
        assert heard.troubled == []
        assert evaluable_mm(reviewer) == pytest.approx(whole, rel=0.01)
        assert len(store.edits()) == 2


def test_a_stretch_lies_on_one_piece(tmp_path: Path) -> None:
    found = skin(SURE)
    (one,) = found.pieces
    down = np.array([150.0, 0.0])
    lower = replace(one, junction_px=one.junction_px + down, surface_px=one.surface_px + down)
    with study(tmp_path, slide(findings=replace(found, pieces=(one, lower)))) as store:
        reviewer = reviewer_of(store)
        heard = Heard(reviewer)
        reviewer.exclude(at(100), (ROW + 150, 300.0))
        assert heard.troubled == ["Both ends of a stretch lie on the junction of one piece of epidermis."]
        assert store.edits() == []


def lowered(reviewer: Reviewer, by_um: float) -> FloatArray:
    """The junction, so much lower between 120 and 180 um."""
    course = sheet_of(reviewer).result.findings.pieces[0].junction_px.copy()
    between = (course[:, 1] > 240) & (course[:, 1] < 360)
    course[between, 0] += 2 * by_um
    return course


def test_a_redrawn_junction_is_counted_anew(store: Store, reviewer: Reviewer) -> None:
    reviewer.redraw_junction(0, lowered(reviewer, 45.0))  # below the lower end of the fiber at 150 um
    assert places(reviewer)[50] == (True, "crosses")
    assert 150 not in {along for along, (counted, _) in places(reviewer).items() if counted}
    assert sheet_of(reviewer).result.count == 3
    assert sheet_of(reviewer).corrected.edits == 1
    assert (store.edits()[0].edit.before or {})["junction_px"][0] == [ROW, 240.0]  # the last point that stays
    reviewer.undo()
    assert places(reviewer)[150] == (True, "crosses")


def test_a_junction_that_is_none_is_refused_in_words(store: Store, reviewer: Reviewer) -> None:
    heard = Heard(reviewer)
    reviewer.redraw_junction(0, line((5, 5), (5, 5)))
    assert heard.troubled == ["A junction needs at least two different points."]
    assert store.edits() == []


def test_a_judgment_before_and_one_after_the_junction_was_moved_are_about_one_crossing(
    reviewer: Reviewer,
) -> None:
    """The crossing has another id on the moved junction; the first judgment finds it all the same."""
    pick(reviewer, 150)
    former = picked(reviewer).object_id
    reviewer.reject()
    reviewer.redraw_junction(0, lowered(reviewer, 1.5))
    now = crossing_at(sheet_of(reviewer).result, 150)
    assert now.crossing_id != former
    assert now.reason == "reviewer_rejected"
    assert sheet_of(reviewer).verdicts()[now.crossing_id] == "corrected"  # nobody need look again
    pick(reviewer, 150)
    reviewer.accept()
    assert crossing_at(sheet_of(reviewer).result, 150).reason == "reviewer_counted"
    assert sheet_of(reviewer).corrected.unmatched == ()
    reviewer.set_review(ReviewState.REVIEWED)
    assert sheet_of(reviewer).corrected.review is ReviewState.REVIEWED


def test_a_neighbor_is_not_taken_for_a_crossing_that_was_judged_twice(tmp_path: Path) -> None:
    """Two fibers 4 um apart: one is judged before and after the junction was moved, the other never."""
    with study(tmp_path, slide(findings=skin([Fiber(150), Fiber(154)]))) as store:
        reviewer = reviewer_of(store)
        pick(reviewer, 150)
        reviewer.reject()
        reviewer.redraw_junction(0, lowered(reviewer, 1.5))
        pick(reviewer, 149, below_um=1.5)
        reviewer.accept()
        pick(reviewer, 149, below_um=1.5)
        reviewer.reject()
        assert [reason for _, reason in places(reviewer).values()] == ["reviewer_rejected", "crosses"]
        assert sheet_of(reviewer).corrected.unmatched == ()


# the log


def test_undo_and_redo_go_on_where_another_day_left_off(store: Store, reviewer: Reviewer) -> None:
    pick(reviewer, 150)
    reviewer.reject()
    reviewer.add_at(*at(200))
    reviewer.exclude(at(80), at(110))
    done = [places(reviewer)]
    for day in range(3):  # a new program each time
        again = reviewer_of(store, "A.  reader " if day else "A. Reader")
        heard = Heard(again)
        again.undo()
        done.append(places(again))
        assert heard.said == [f"Undone: {['stretch excluded', 'added', 'not counted'][day]}."]
    assert done[-1][150] == (True, "crosses")
    assert 200 not in done[-1]
    again = reviewer_of(store)
    heard = Heard(again)
    again.undo()
    assert heard.said == ["There is nothing of yours to undo in this section."]
    for step in (2, 1, 0):
        again = reviewer_of(store)
        heard = Heard(again)
        again.redo()
        assert places(again) == done[step]
        assert heard.said[0].startswith("Done again: ")
    again.redo()
    assert heard.said[-1] == "There is nothing of yours to redo in this section."
    with store.reading() as session:
        assert check_store(session) == []


def test_after_something_new_there_is_nothing_to_redo(reviewer: Reviewer) -> None:
    heard = Heard(reviewer)
    reviewer.add_at(*at(200))
    reviewer.undo()
    reviewer.add_at(*at(210))
    reviewer.redo()
    assert heard.said == ["Undone: added.", "There is nothing of yours to redo in this section."]
    assert (200 in places(reviewer), 210 in places(reviewer)) == (False, True)


def test_undo_of_a_redo_of_an_undo_says_what_it_is_about(reviewer: Reviewer) -> None:
    heard = Heard(reviewer)
    reviewer.add_at(*at(200))
    for deed in (reviewer.undo, reviewer.redo, reviewer.undo, reviewer.redo, reviewer.undo):
        deed()
    assert heard.said == [
        "Undone: added.", "Done again: added.", "Undone: added.", "Done again: added.", "Undone: added.",
    ]  # fmt: skip


def test_undo_keeps_to_its_section(tmp_path: Path) -> None:
    with study(tmp_path, *THREE) as store:
        reviewer = reviewer_of(store)
        reviewer.add_at(*at(200))
        go_to(reviewer, "b.tif")
        heard = Heard(reviewer)
        reviewer.undo()
        assert heard.said == ["There is nothing of yours to undo in this section."]
        go_to(reviewer, "a.tif")
        reviewer.undo()
        assert 200 not in places(reviewer)


# two people


def test_of_two_people_at_once_the_second_is_told_and_nothing_is_lost(store: Store) -> None:
    one, two = reviewer_of(store, "A. Reader"), reviewer_of(store, "B. Reader")
    one.add_at(*at(200))
    pick(two, 150)
    heard = Heard(two)
    changed: list[Sheet] = []
    two.changed.connect(lambda sheet: changed.append(sheet))
    two.reject()
    assert logged(store) == ["add_crossing"]
    (words,) = heard.troubled
    first, theirs, mine = words.splitlines()
    assert first == "Somebody else has just changed this section:"
    assert theirs.endswith("A. Reader: added, row 160, column 400")
    assert mine == "Not written: not counted, row 160, column 300. Look, and repeat it if you still want it."
    assert places(two)[200] == (True, "reviewer_added")  # what the other did is shown
    assert changed == [two.sheet]
    assert not two.wrote
    two.reject()  # what was picked is still picked
    assert places(two)[150] == (False, "reviewer_rejected")
    assert logged(store) == ["add_crossing", "reclassify_crossing"]
    assert two.wrote


def test_what_another_did_is_read_anew(store: Store) -> None:
    one, two = reviewer_of(store, "A. Reader"), reviewer_of(store, "B. Reader")
    one.add_at(*at(200))
    one.set_review(ReviewState.REVIEWED)
    assert 200 not in places(two)
    two.refresh()
    assert places(two)[200] == (True, "reviewer_added")
    assert [item.stage.value for item in two.desk.items] == ["reviewed"]


def test_people_at_different_sections_do_not_meet(tmp_path: Path) -> None:
    with study(tmp_path, *THREE) as store:
        one, two = reviewer_of(store), reviewer_of(store, "B. Reader", path="b.tif")
        heard = Heard(one), Heard(two)
        for _ in range(2):
            one.add_at(*at(200))
            two.add_at(*at(200))
        assert [each.troubled for each in heard] == [[], []]
        assert len(store.edits()) == 4


def test_a_correction_is_found_again_after_another_analysis(store: Store, reviewer: Reviewer) -> None:
    pick(reviewer, 150)
    reviewer.reject()
    lay_down(store, slide(findings=skin(key="two")))
    reviewer.refresh()
    assert places(reviewer)[150] == (False, "reviewer_rejected")
    pick(reviewer, 250)
    reviewer.reject()
    assert sheet_of(reviewer).corrected.unmatched == ()
    assert len({entry.analysis_id for entry in store.edits()}) == 2


# how far the review has come, and the signature


def test_the_state_of_the_review_is_said(reviewer: Reviewer) -> None:
    heard = Heard(reviewer)
    for state in (ReviewState.IN_REVIEW, ReviewState.NEEDS_SECOND_READER, ReviewState.REVIEWED):
        reviewer.set_review(state)
        assert sheet_of(reviewer).corrected.review is state
    assert heard.said == [
        "This section is said to be: in review.",
        "This section is said to be: needs second reader.",
        "This section is said to be: reviewed.",
    ]
    assert sheet_of(reviewer).corrected.readers == ("A. Reader",)
    assert sheet_of(reviewer).corrected.edits == 0


@pytest.fixture
def biopsy(tmp_path: Path) -> Iterator[Reviewer]:
    """A reviewer before the first of three sections of a biopsy, all reviewed."""
    with study(tmp_path, *THREE) as store:
        reviewer = reviewer_of(store)
        for path in ("c.tif", "b.tif", "a.tif"):
            go_to(reviewer, path)
            reviewer.set_review(ReviewState.REVIEWED)
        yield reviewer


def status(reviewer: Reviewer) -> tuple[str, bool]:
    """Of the biopsy on the desk, and whether it was changed after it was signed; as the tables have it."""
    shown = sheet_of(reviewer).biopsy
    (told,) = gather(reviewer.desk.store).biopsies
    assert shown is not None
    assert (shown.status, shown.call) == (told.status, told.call)
    return shown.status, "changed_after_signing" in shown.call.flags


def test_a_biopsy_is_signed_when_nothing_stands_against_it(biopsy: Reviewer) -> None:
    heard = Heard(biopsy)
    assert biopsy.signing_obstacles() == []
    assert status(biopsy) == ("preliminary", False)
    assert biopsy.sign("Dr. Sign")
    (said,) = heard.said
    assert said.startswith("Signed in ienfd (final) by Dr. Sign. Report: ")
    assert said.endswith("C1_B1_1_final.pdf")
    assert status(biopsy) == ("final", False)
    for path in ("b.tif", "a.tif"):  # looking at it changes nothing
        go_to(biopsy, path)
        assert status(biopsy) == ("final", False)


def test_what_stands_against_a_signature_is_said(biopsy: Reviewer) -> None:
    heard = Heard(biopsy)
    biopsy.add_at(*at(200))
    assert biopsy.signing_obstacles() == ["a.tif: it needs another review"]
    go_to(biopsy, "b.tif")  # which knows what was done to the others
    assert biopsy.signing_obstacles() == ["a.tif: it needs another review"]
    assert not biopsy.sign("Dr. Sign")
    assert "a.tif: it needs another review" in heard.troubled[-1]
    assert biopsy.desk.store.sign_offs() == []
    assert status(biopsy) == ("preliminary", False)


def test_a_control_has_no_biopsy_to_sign(tmp_path: Path) -> None:
    with study(tmp_path, slide("k.tif", control="positive")) as store:
        reviewer = reviewer_of(store, path="k.tif")
        assert sheet_of(reviewer).biopsy is None
        assert reviewer.signing_obstacles() == ["there is no biopsy to sign"]
        assert not reviewer.sign("Dr. Sign")


def reject_one(reviewer: Reviewer) -> None:
    pick(reviewer, 150)
    reviewer.reject()


CHANGES: dict[str, Callable[[Reviewer], None]] = {
    "add": lambda r: r.add_at(*at(200)),
    "reject": reject_one,
    "exclude": lambda r: r.exclude(at(90), at(120)),
    "redraw": lambda r: r.redraw_junction(0, lowered(r, 5.0)),
    "undo": lambda r: r.undo(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_of_what_is_signed_needs_a_reason(
    biopsy: Reviewer, change: Callable[[Reviewer], None]
) -> None:
    biopsy.sign("Dr. Sign")
    heard, asked = Heard(biopsy), list[str]()
    written = len(biopsy.desk.store.edits())

    def answer(words: str) -> Callable[[str], str]:
        def ask(question: str) -> str:
            asked.append(question)
            return words

        return ask

    biopsy.ask = answer("  ")
    change(biopsy)
    assert asked == [REASON]
    assert heard.said == ["Nothing was changed: a change of what is signed needs a reason."]
    assert len(biopsy.desk.store.edits()) == written
    assert status(biopsy) == ("final", False)
    biopsy.ask = answer("a hair was counted")
    change(biopsy)
    assert len(asked) == 2
    assert [e.edit.why for e in biopsy.desk.store.edits()[written:]] == ["a hair was counted"]
    assert status(biopsy) == ("preliminary", True)
    biopsy.ask = answer("")
    biopsy.add_at(*at(220))  # the next change needs a reason, too
    assert len(biopsy.desk.store.edits()) == written + 1


def test_what_changes_nothing_needs_no_reason(biopsy: Reviewer) -> None:
    biopsy.sign("Dr. Sign")
    biopsy.ask = lambda question: pytest.fail(question)
    written = len(biopsy.desk.store.edits())
    pick(biopsy, 150)
    biopsy.accept()
    biopsy.note("sent to the clinic")
    biopsy.set_review(ReviewState.REVIEWED)
    assert len(biopsy.desk.store.edits()) == written + 3


def test_a_reason_that_comes_with_the_change_is_not_asked_for(biopsy: Reviewer) -> None:
    biopsy.sign("Dr. Sign")
    biopsy.ask = lambda question: pytest.fail(question)
    biopsy.exclude(at(90), at(120), "a fold")
    assert biopsy.desk.store.edits()[-1].edit.why == "a fold"


def test_a_changed_biopsy_is_signed_again_with_a_reason(biopsy: Reviewer) -> None:
    biopsy.sign("Dr. Sign")
    biopsy.ask = lambda _: "a hair was counted"
    pick(biopsy, 150)
    biopsy.reject()
    biopsy.set_review(ReviewState.REVIEWED)
    heard = Heard(biopsy)
    assert not biopsy.sign("Dr. Sign", kind="correction")
    assert "a signature after the first one needs a reason" in heard.troubled[-1]
    assert biopsy.sign("Dr. Sign", "a hair was counted", "correction")
    assert status(biopsy) == ("amended", False)
    with biopsy.desk.store.reading() as session:
        assert check_store(session) == []


def test_what_was_withdrawn_is_changed_without_a_reason(biopsy: Reviewer) -> None:
    biopsy.sign("Dr. Sign")
    biopsy.sign("Dr. Sign", "the wrong patient", "withdrawal")
    assert status(biopsy) == ("withdrawn", False)
    biopsy.ask = lambda question: pytest.fail(question)
    biopsy.add_at(*at(200))
    assert places(biopsy)[200] == (True, "reviewer_added")


def test_a_control_of_a_signed_biopsy_and_a_twin_of_its_section_need_a_reason_too(tmp_path: Path) -> None:
    files = [
        *(slide(f"{name}.tif", content=name.encode()) for name in "abc"),
        slide("k.tif", control="positive"),
        slide("twin.tif", content=b"a", case_id="C2"),
    ]
    with study(tmp_path, *files) as store:
        reviewer = reviewer_of(store)
        for path in ("a.tif", "b.tif", "c.tif"):
            go_to(reviewer, path)
            reviewer.set_review(ReviewState.REVIEWED)
        assert reviewer.sign("Dr. Sign")
        heard = Heard(reviewer)
        for path in ("k.tif", "twin.tif"):
            go_to(reviewer, path)
            reviewer.ask = lambda _: ""
            reviewer.add_at(*at(200))
            assert 200 not in places(reviewer)
            reviewer.ask = lambda _: "seen at the microscope"
            reviewer.add_at(*at(200))
            assert places(reviewer)[200] == (True, "reviewer_added")
        assert heard.troubled == []


def test_somebody_who_signed_in_the_meantime_is_not_overridden(biopsy: Reviewer) -> None:
    other = reviewer_of(biopsy.desk.store, "Dr. Sign")
    assert other.sign("Dr. Sign")
    heard = Heard(biopsy)
    written = len(biopsy.desk.store.edits())
    biopsy.add_at(*at(200))
    assert "say why it is changed" in heard.troubled[0]
    assert len(biopsy.desk.store.edits()) == written
    biopsy.refresh()
    biopsy.ask = lambda _: "seen at the microscope"
    biopsy.add_at(*at(200))
    assert status(biopsy) == ("preliminary", True)


# reading and leaving


def test_reading_writes_nothing(store: Store, reviewer: Reviewer) -> None:
    pick(reviewer, 150)
    reviewer.explain()
    reviewer.concerns()
    for _ in range(8):
        reviewer.tour()
    reviewer.next_unseen()
    reviewer.refresh()
    assert not reviewer.wrote
    assert store.edits() == []


def test_a_section_that_is_no_longer_there_is_said_to_be_gone(tmp_path: Path) -> None:
    with study(tmp_path, *THREE) as store:
        reviewer = reviewer_of(store)
        lay_down(store, *THREE[:2])
        heard = Heard(reviewer)
        reviewer.desk.content("C1")
        stale = reviewer.desk.items[2]
        reviewer.desk.reload()
        reviewer.open(stale)
        assert heard.troubled == ["c.tif: there is nothing to show of it"]
        assert sheet_of(reviewer).entry.placement.path == "a.tif"


def test_only_a_few_sections_are_kept_at_hand(tmp_path: Path) -> None:
    """And those that are opened again are as they were left."""
    files = [slide(f"{name}.tif") for name in "abcdefg"]
    with study(tmp_path, *files) as store:
        reviewer = reviewer_of(store)
        for number, one in enumerate(files):
            go_to(reviewer, one.path)
            reviewer.add_at(*at(200 + 5 * number))
        for number, one in enumerate(files):
            go_to(reviewer, one.path)
            assert places(reviewer)[200 + 5 * number] == (True, "reviewer_added")


def test_edits_of_other_programs_are_there_when_a_section_is_opened(store: Store) -> None:
    write(store, slide(), add_crossing(*at(200)), exclude_stretch(at(80), at(110)), note("by hand"))
    write(store, slide(), mark_crossing(*at(20)), who="B. Reader")
    reviewer = reviewer_of(store)
    assert places(reviewer)[200] == (True, "reviewer_added")
    assert places(reviewer)[100] == (False, "excluded_stretch")
    assert sheet_of(reviewer).last_seq == 4


# what a second look at this found


def test_a_key_takes_back_only_what_its_own_person_did(store: Store) -> None:
    one = reviewer_of(store, "A. Reader")
    pick(one, 150)
    one.reject()
    two = reviewer_of(store, "B. Reader")
    two.add_at(*at(200))
    two.set_review(ReviewState.REVIEWED)
    one.refresh()
    one.undo()
    assert places(one)[150] == (True, "crosses")
    assert places(one)[200] == (True, "reviewer_added")


def test_what_others_did_in_other_sections_is_known_when_a_section_is_opened(tmp_path: Path) -> None:
    with study(tmp_path, *THREE) as store:
        one, two = reviewer_of(store, "A. Reader"), reviewer_of(store, "B. Reader", path="b.tif")
        two.add_at(*at(200))
        go_to(one, "c.tif")
        (told,) = gather(store).biopsies
        assert sheet_of(one).biopsy is not None
        assert sheet_of(one).biopsy.call == told.call  # type: ignore[union-attr]


def test_nobody_signs_what_has_changed_since_it_was_shown(biopsy: Reviewer) -> None:
    store = biopsy.desk.store
    other = reviewer_of(store, "B. Reader", path="b.tif")
    other.add_at(*at(200))
    other.set_review(ReviewState.REVIEWED)
    heard = Heard(biopsy)
    assert not biopsy.sign("Dr. Sign")
    assert "changed since it was shown" in heard.troubled[0]
    biopsy.refresh()
    assert biopsy.sign("Dr. Sign")


def test_a_remark_leaves_a_signature_as_it_is(biopsy: Reviewer) -> None:
    assert biopsy.sign("Dr. Sign")
    biopsy.note("seen again at the conference")
    assert status(biopsy) == ("final", False)


def test_a_section_that_a_reviewer_excluded_altogether_needs_a_review(biopsy: Reviewer) -> None:
    biopsy.exclude(at(0), at(398))
    result = sheet_of(biopsy).result
    assert (result.reason, result.density_per_mm) == ("all_excluded", None)
    assert biopsy.signing_obstacles() == ["a.tif: it needs another review"]


def test_a_crossing_that_counts_nothing_is_said_to(reviewer: Reviewer) -> None:
    reviewer.exclude(at(140), at(160))
    heard = Heard(reviewer)
    reviewer.add_at(*at(150))
    assert heard.said[-1].startswith("Written, but not counted: ")
