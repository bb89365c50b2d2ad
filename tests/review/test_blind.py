"""A second reader who sees nobody else's marks, and both readings side by side afterwards."""

from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pytest
from review_scenes import (
    ROW,
    Heard,
    at,
    by_place,
    crossing_at,
    go_to,
    reviewer_of,
    sheet_of,
    skin,
    slide,
    study,
    write,
)

from ienfd.correction.commands import Command, LoggedEdit, compare_readers, mark_crossing
from ienfd.correction.correct import ReviewState
from ienfd.review.blind import Comparison, compare, study_agreement
from ienfd.review.desk import Desk
from ienfd.review.live import comparison_words
from ienfd.review.readings import marks
from ienfd.review.reviewer import Reviewer
from ienfd.study.store import Store


def second(store: Store, name: str = "B. Reader", path: str = "a.tif") -> Reviewer:
    return reviewer_of(store, name, path=path, blind=True)


def marked(reviewer: Reviewer, name: str = "B. Reader") -> list[float]:
    """Places of marks along the junction in um."""
    own = marks(sheet_of(reviewer).log, name)
    return [(entry.edit.after or {})["col_px"] / 2 for entry in own]


def commands(store: Store) -> list[str]:
    return [entry.edit.command.value for entry in store.edits()]


# own marks


def test_a_blind_reader_sets_and_takes_away_marks(store: Store) -> None:
    reviewer = second(store)
    for along in (50, 100, 150):
        reviewer.add_at(*at(along))
    reviewer.pick_at(*at(102))
    reviewer.remove()
    assert marked(reviewer) == [50, 150]
    assert reviewer.selection is None
    assert commands(store) == [*["mark_crossing"] * 3, "unmark_crossing"]
    assert sheet_of(reviewer).corrected.edits == 0
    assert sheet_of(reviewer).corrected.review is ReviewState.UNREVIEWED
    assert marked(second(store)) == [50, 150]  # on another day


def test_each_blind_reader_has_marks_of_their_own(store: Store) -> None:
    second(store).add_at(*at(50))
    third = second(store, "C. Reader")
    third.add_at(*at(150))
    assert marked(third, "B. Reader") == [50]
    assert marked(third, "C. Reader") == [150]
    third.pick_at(*at(50))
    assert third.selection is None


def test_a_blind_reader_can_pick_nothing_but_own_marks(store: Store) -> None:
    reviewer = second(store)
    heard = Heard(reviewer)
    for judge in (reviewer.accept, reviewer.reject, reviewer.not_sure, lambda: reviewer.move_to(*at(60))):
        reviewer.pick_at(*at(150))
        assert reviewer.selection is None
        judge()
    reviewer.tour()
    reviewer.next_unseen()
    reviewer.set_review(ReviewState.REVIEWED)
    assert store.edits() == []
    assert heard.flights == []
    assert heard.said[-2:] == [
        "There is no tour for a blind reader: go along the junction.",
        "Compare your reading first.",
    ]


def test_undo_takes_back_own_marks_and_never_what_the_first_reader_did(store: Store) -> None:
    first, reviewer = reviewer_of(store), second(store)
    reviewer.add_at(*at(50))
    first.refresh()
    first.pick_at(*at(250))
    first.reject()
    reviewer.refresh()
    reviewer.add_at(*at(150))
    first.refresh()
    first.exclude(at(90), at(110))
    reviewer.refresh()
    heard = Heard(reviewer)
    reviewer.undo()
    assert marked(reviewer) == [50]
    reviewer.undo()
    assert marked(reviewer) == []
    reviewer.undo()
    assert heard.said == [
        "Undone: marked.",
        "Undone: marked.",
        "There is nothing of yours to undo in this section.",
    ]
    reviewer.redo()
    assert marked(reviewer) == [50]
    result = sheet_of(reviewer).result
    assert by_place(result)[250] == (False, "reviewer_rejected")
    assert by_place(result)[100] == (False, "excluded_stretch")


def test_the_first_reader_undoes_own_edits_and_never_blind_marks(store: Store) -> None:
    first, reviewer = reviewer_of(store), second(store)
    first.pick_at(*at(250))
    first.reject()
    reviewer.refresh()
    reviewer.add_at(*at(50))
    reviewer.add_at(*at(150))
    reviewer.undo()
    first.refresh()
    heard = Heard(first)
    first.undo()
    first.undo()
    assert heard.said == ["Undone: not counted.", "There is nothing of yours to undo in this section."]
    assert by_place(sheet_of(first).result)[250] == (True, "crosses")
    assert marked(first) == [50]
    reviewer.refresh()
    reviewer.redo()
    assert marked(reviewer) == [50, 150]
    first.refresh()
    first.redo()
    assert by_place(sheet_of(first).result)[250] == (False, "reviewer_rejected")


def test_a_mark_that_is_taken_away_comes_back_with_undo(store: Store) -> None:
    reviewer = second(store)
    reviewer.add_at(*at(50))
    reviewer.remove()
    assert marked(reviewer) == []
    reviewer.undo()
    assert marked(reviewer) == [50]
    reviewer.redo()
    assert marked(reviewer) == []


# both readings


def read(store: Store, *along_um: float, path: str = "a.tif") -> Reviewer:
    """A blind reading with marks at these places."""
    reviewer = second(store, path=path)
    for along in along_um:
        reviewer.add_at(*at(along))
    return reviewer


def test_two_readings_side_by_side(store: Store) -> None:
    """Counted are 50, 150, 250 and 300; the program left out 100 and 350; 200 is nothing to it."""
    reviewer = read(store, 52, 148, 100, 200)
    found = compare(sheet_of(reviewer), "B. Reader")
    assert [round(c.junction_position_um) for c, _ in found.both] == [50, 150]
    assert [round((m.edit.after or {})["col_px"] / 2) for _, m in found.both] == [52, 148]
    assert [round(c.junction_position_um) for c in found.only_first] == [250, 300]
    assert [round((m.edit.after or {})["col_px"] / 2) for m in found.only_second] == [100, 200]
    assert found.f1 == 2 * 2 / (2 * 2 + 2 + 2)
    # of seven candidates both say yes to 2 and no to 1; each says yes to 4
    assert found.kappa == pytest.approx((3 / 7 - 25 / 49) / (1 - 25 / 49))
    assert found.length_mm == pytest.approx(0.398)
    assert found.figures() == {
        "first_readers": [], "both": 2, "only_first": 2, "only_second": 2, "f1": 0.5,
        "kappa": round(-1 / 6, 6), "evaluable_mm": 0.398, "densities_per_mm": [round(4 / 0.398, 6)] * 2,
    }  # fmt: skip


@pytest.mark.parametrize(("along_um", "both"), [(60, 1), (61, 0)])
def test_marks_within_10_um_may_be_about_one_crossing(store: Store, along_um: float, both: int) -> None:
    assert len(compare(sheet_of(read(store, along_um)), "B. Reader").both) == both


def test_readers_who_agree_entirely(store: Store) -> None:
    found = compare(sheet_of(read(store, 50, 150, 250, 300)), "B. Reader")
    assert (found.f1, found.kappa, found.only_first, found.only_second) == (1.0, 1.0, (), ())


def test_where_nothing_is_there_is_nothing_to_agree_on(tmp_path: Path) -> None:
    with study(tmp_path, slide(findings=skin([]))) as store:
        found = compare(sheet_of(second(store)), "B. Reader")
        assert isnan(found.f1)
        assert isnan(found.kappa)
        assert found.figures()["f1"] is None
        assert found.figures()["densities_per_mm"] == [0.0, 0.0]


def test_a_section_without_a_length_has_no_densities() -> None:
    assert Comparison((), (), (), nan, 0.0).figures()["densities_per_mm"] is None


def test_what_was_corrected_is_compared_as_it_stands(store: Store) -> None:
    first = reviewer_of(store)
    for along, judge in ((50, first.reject), (100, first.accept)):
        first.pick_at(*at(along))
        judge()
    found = compare(sheet_of(read(store, 50, 100)), "B. Reader")
    assert [round(c.junction_position_um) for c, _ in found.both] == [100]
    assert len(found.only_second) == 1


def test_comparing_ends_the_reading_and_shows_everything(store: Store) -> None:
    reviewer = read(store, 50, 200)
    shown: list[object] = []
    reviewer.opened.connect(lambda sheet: shown.append(sheet))
    assert reviewer.hides
    reviewer.compare_readings()
    assert not reviewer.hides
    assert shown == [reviewer.sheet]
    assert reviewer.comparison is not None
    assert commands(store)[-1] == "compare_readers"
    assert (store.edits()[-1].edit.after or {})["both"] == 1
    reviewer.compare_readings()  # once is enough
    assert commands(store).count("compare_readers") == 1
    reviewer.pick_at(*at(150))
    assert reviewer.explain()[0] == "Crossing 2, counted."
    reviewer.set_review(ReviewState.REVIEWED)
    assert sheet_of(reviewer).corrected.readers == ("B. Reader",)


def test_a_reading_goes_on_when_its_end_is_not_confirmed(store: Store) -> None:
    reviewer = read(store, 50, 200)
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    reviewer.confirm = refuse
    reviewer.compare_readings()
    assert asked == ["End this reading with 2 marks? It can no longer be changed then."]
    assert reviewer.hides
    assert "compare_readers" not in commands(store)


def test_after_the_comparison_the_tour_goes_to_what_only_one_sees(store: Store) -> None:
    reviewer = read(store, 50, 150, 200, 300)
    reviewer.compare_readings()
    heard = Heard(reviewer)
    for _ in range(3):
        reviewer.tour()
    assert [flight[1] / 2 for flight in heard.flights] == [250, 200, 250]


def test_readers_who_agree_have_no_tour(store: Store) -> None:
    reviewer = read(store, 50, 150, 250, 300)
    reviewer.compare_readings()
    heard = Heard(reviewer)
    reviewer.tour()
    assert heard.said == ["Nothing is left on which both readings differ."]


def test_what_only_the_second_reader_sees_can_be_counted(store: Store) -> None:
    """A place of its own becomes a crossing; a candidate that was left out is counted."""
    reviewer = read(store, 50, 101, 150, 200, 250, 300, 330)
    reviewer.compare_readings()
    for along, counts in ((101, True), (200, True), (330, False)):
        reviewer.pick_at(*at(along))
        assert reviewer.selection is not None
        assert reviewer.selection.kind == "mark"
        (reviewer.accept if counts else reviewer.reject)()
    places = by_place(sheet_of(reviewer).result)
    assert places[100] == (True, "reviewer_counted")
    assert places[200] == (True, "reviewer_added")
    assert 330 not in places
    added = [e for e in store.edits() if e.edit.command is Command.ADD_CROSSING]
    assert [e.edit.why for e in added] == ["second reader"]


def test_what_only_the_first_reader_sees_can_be_left_out(store: Store) -> None:
    reviewer = read(store, 50, 150)
    reviewer.compare_readings()
    reviewer.tour()
    reviewer.reject()  # and on to the next
    reviewer.accept()
    places = by_place(sheet_of(reviewer).result)
    assert (places[250], places[300]) == ((False, "reviewer_rejected"), (True, "crosses"))


# the whole study


def logged(seq: int, section_id: str, figures: dict[str, object]) -> LoggedEdit:
    edit = compare_readers(figures)
    return LoggedEdit(seq, edit, "", "B. Reader", "", None, None, section_id, None, 0, "", "")


def figures(both: int, only_first: int, only_second: int, one: float, two: float) -> dict[str, object]:
    return {
        "first_readers": ["A. Reader"], "both": both, "only_first": only_first, "only_second": only_second,
        "densities_per_mm": [one, two],
    }  # fmt: skip


def test_agreement_of_a_study_is_that_of_all_its_sections(tmp_path: Path) -> None:
    files = [slide("a.tif"), slide("b.tif", skin([])), slide("c.tif")]
    with study(tmp_path, *files) as store:
        for along_um, path in (((52, 148, 200), "a.tif"), ((100,), "b.tif")):
            reviewer_of(store, path=path).set_review(ReviewState.REVIEWED)
            read(store, *along_um, path=path).compare_readings()
        found = study_agreement(store.edits())
        assert found.sections == 2
        assert found.f1 == 2 * 2 / (2 * 2 + 2 + 2)
        assert found.mean_difference_per_mm == pytest.approx((-1 + 1) / 2 / 0.398)
        # (4, 3) and (0, 1) crossings: between sections 9, within 1
        assert found.icc == pytest.approx((9 - 1) / (9 + 1 + 2 * (0 - 1) / 2))
        assert marked(second(store, path="c.tif")) == []


def test_a_reading_counts_as_it_first_ended_and_only_beside_that_of_another_person() -> None:
    entries = [
        logged(1, "a", figures(1, 1, 0, 2.0, 1.0)),
        logged(2, "b", figures(0, 3, 0, 3.0, 0.0)),
        logged(3, "a", figures(2, 0, 0, 2.0, 2.0)),
    ]
    assert study_agreement(entries).f1 == 2 * 1 / (2 * 1 + 4)
    alone = logged(4, "c", {**figures(9, 0, 0, 9.0, 9.0), "first_readers": []})
    assert study_agreement([*entries, alone]).sections == 2


def test_a_study_that_nobody_read_twice_has_no_agreement() -> None:
    found = study_agreement([])
    assert found.sections == 0
    assert all(isnan(value) for value in (found.f1, found.icc, found.mean_difference_per_mm))
    without = {**figures(1, 0, 0, 1.0, 1.0), "densities_per_mm": None}
    assert study_agreement([logged(1, "a", without)]).f1 == 1.0


def test_agreement_in_words(store: Store) -> None:
    reviewer_of(store).set_review(ReviewState.REVIEWED)
    reviewer = read(store, 50, 150, 200)
    reviewer.compare_readings()
    assert reviewer.comparison is not None
    assert comparison_words(reviewer.comparison, study_agreement(store.edits())).splitlines() == [
        "Crossings that both see: 2, only the first: 2, only the second: 1.",
        "F1 0.57, kappa 0.16.",
        "Sections read twice: 1. F1 0.57, ICC not defined.",
        "N flies to what only one of the two sees: Y counts it, X leaves it out.",
    ]


def test_blind_marks_ask_nobody_to_look_again(store: Store) -> None:
    first = reviewer_of(store)
    first.set_review(ReviewState.REVIEWED)
    write(store, slide(), mark_crossing(ROW, 100.0), who="B. Reader")
    first.refresh()
    assert sheet_of(first).corrected.review is ReviewState.REVIEWED
    assert crossing_at(sheet_of(first).result, 50).counted
    go_to(first, "a.tif")
    assert sheet_of(first).verdicts() == {}


# what a second look at this found


def test_to_count_a_mark_twice_counts_one_crossing(store: Store) -> None:
    reviewer = read(store, 50, 150, 200, 250, 300)
    reviewer.compare_readings()
    count = sheet_of(reviewer).result.count or 0
    for _ in range(3):
        reviewer.pick_at(*at(200))
        reviewer.accept()
    assert sheet_of(reviewer).result.count == count + 1
    assert commands(store).count("add_crossing") == 1


def test_a_mark_that_was_decided_on_is_off_the_tour_also_on_another_day(store: Store) -> None:
    reviewer = read(store, 50, 150, 200, 250, 300)
    reviewer.compare_readings()
    reviewer.tour()
    reviewer.reject()
    heard = Heard(reviewer)
    reviewer.tour()
    assert heard.said == ["Nothing is left on which both readings differ."]
    again = second(store)
    assert again.comparison is not None
    assert not again.hides
    heard = Heard(again)
    again.tour()
    assert heard.said == ["Nothing is left on which both readings differ."]


def test_after_the_comparison_no_mark_and_no_undo_changes_what_it_said(store: Store) -> None:
    reviewer = read(store, 50)
    reviewer.compare_readings()
    said = store.edits()[-1].edit.after
    reviewer.undo()
    second(store).compare_readings()
    assert [e.edit.after for e in store.edits() if e.edit.command is Command.COMPARE_READERS] == [said]


def test_a_blind_reader_and_the_first_one_are_in_nobodys_way(store: Store) -> None:
    first, reviewer = reviewer_of(store), second(store)
    reviewer.add_at(*at(50))
    first.pick_at(*at(250))
    heard, blind = Heard(first), Heard(reviewer)
    first.reject()
    reviewer.add_at(*at(150))
    assert (heard.troubled, blind.troubled) == ([], [])
    assert marked(reviewer) == [50, 150]
    assert commands(store) == ["mark_crossing", "reclassify_crossing", "mark_crossing"]


def test_marks_where_nothing_is_evaluated_are_left_out_as_crossings_are(store: Store) -> None:
    first = reviewer_of(store)
    first.exclude(at(140), at(160))
    found = compare(sheet_of(read(store, 50, 150)), "B. Reader")
    assert [round(c.junction_position_um) for c, _ in found.both] == [50]
    assert found.only_second == ()


def test_a_blind_reader_signs_nothing_and_writes_no_remark(store: Store) -> None:
    reviewer = read(store, 50)
    assert reviewer.signing_obstacles() == ["a blind reader does not sign: open the study without --blind"]
    reviewer.note("I know whose this is")
    assert commands(store) == ["mark_crossing"]


def test_the_queue_of_a_blind_reader_tells_nothing_of_others(store: Store) -> None:
    reviewer_of(store).set_review(ReviewState.REVIEWED)
    desk = Desk(store, blind_reader="B. Reader")
    assert [item.stage for item in desk.items] == ["to read"]
    reviewer = Reviewer(desk, "B. Reader", blind=True)
    reviewer.open_next()
    reviewer.compare_readings()
    assert [item.stage for item in desk.items] == ["read and compared"]
