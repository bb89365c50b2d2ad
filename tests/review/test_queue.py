"""How far each section has come, and which one is to be looked at next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from review_scenes import (
    DOUBTFUL,
    SURE,
    Fiber,
    at,
    crossing_at,
    go_to,
    lay_down,
    reviewer_of,
    sheet_of,
    skin,
    slide,
    study,
    write,
)

from ienfd.correction.commands import assess_crossing, exclude_stretch, mark_crossing, note, reopen
from ienfd.correction.correct import ReviewState
from ienfd.density import count
from ienfd.protocol import Protocol
from ienfd.review.desk import Desk
from ienfd.review.queue import QueueItem, Stage, by_uncertainty, filtered, next_to_look_at, progress_of
from ienfd.review.reviewer import Reviewer
from ienfd.study.records import Standing
from ienfd.study.store import Store


def stages(store: Store) -> dict[str, str]:
    return {item.row.path: item.stage.value for item in Desk(store).items}


def stage(store: Store) -> str:
    """Of the one section, as somebody who comes to it sees it."""
    (only,) = stages(store).values()
    return only


def test_a_section_that_nobody_looked_at_is_new(store: Store) -> None:
    assert stage(store) == "new"


@pytest.mark.parametrize("deed", ["accept", "reject", "not_sure"])
def test_the_first_judgment_begins_a_review(store: Store, deed: str) -> None:
    reviewer = reviewer_of(store)
    reviewer.pick_at(*at(150))
    getattr(reviewer, deed)()
    assert stage(store) == "in review"
    assert [item.stage.value for item in reviewer.desk.items] == ["in review"]
    reviewer.undo()
    assert stage(store) == "new"
    assert [item.stage.value for item in reviewer.desk.items] == ["new"]


def test_a_correction_of_the_junction_begins_a_review_a_note_or_a_blind_mark_does_not(store: Store) -> None:
    one = slide()
    write(store, one, note("look at the left end"), mark_crossing(*at(50)))
    assert stage(store) == "new"
    write(store, one, exclude_stretch(at(10), at(40)))
    assert stage(store) == "in review"


def test_a_review_ends_and_a_later_correction_asks_for_another_look(store: Store) -> None:
    reviewer = reviewer_of(store)
    reviewer.set_review(ReviewState.REVIEWED)
    assert stage(store) == "reviewed"
    reviewer.pick_at(*at(50))
    reviewer.accept()
    assert stage(store) == "reviewed"  # agreeing changes nothing
    reviewer.pick_at(*at(50))
    reviewer.reject()
    assert stage(store) == "needs another look"
    reviewer.undo()
    assert stage(store) == "reviewed"
    write(store, slide(), reopen("the wrong slide?"))
    assert stage(store) == "needs another look"


def test_a_reviewer_may_ask_for_a_second_reader(store: Store) -> None:
    reviewer = reviewer_of(store)
    reviewer.set_review(ReviewState.NEEDS_SECOND_READER)
    assert stage(store) == "second reader"
    reviewer_of(store, "B. Reader").set_review(ReviewState.REVIEWED)
    assert stage(store) == "reviewed"


def test_another_analysis_asks_for_another_look(store: Store) -> None:
    reviewer_of(store).set_review(ReviewState.REVIEWED)
    lay_down(store, slide(findings=skin(key="two")))
    assert stage(store) == "needs another look"


def test_a_judgment_under_another_analysis_is_a_review_that_has_begun(store: Store) -> None:
    write(store, slide(), assess_crossing(crossing_at(count(skin(), Protocol()), 50), "agreed"))
    lay_down(store, slide(findings=skin(key="two")))
    assert stage(store) == "in review"


def test_what_could_not_be_evaluated_says_so(tmp_path: Path) -> None:
    files = [
        slide("a.tif", skin(refusal="out_of_focus")),
        slide("b.tif", status="failed"),
        slide("c.tif", status="pending"),
        slide("d.tif", control="negative"),
        slide("e.tif"),
    ]
    with study(tmp_path, *files) as store:
        assert stages(store) == {
            "a.tif": "refused", "b.tif": "failed", "c.tif": "not analyzed yet", "d.tif": "refused",
            "e.tif": "new",
        }  # fmt: skip
        assert [item.viewable for item in Desk(store).items] == [True, False, False, True, True]
        assert [item.is_open for item in Desk(store).items] == [False, False, False, False, True]
        reviewer_of(store).set_review(ReviewState.REVIEWED)
        assert stages(store)["a.tif"] == "reviewed"


def signed(store: Store) -> Reviewer:
    reviewer = reviewer_of(store)
    for path in ("a.tif", "b.tif", "c.tif"):
        go_to(reviewer, path)
        reviewer.set_review(ReviewState.REVIEWED)
    assert reviewer.sign("Dr. Sign")
    return reviewer


THREE = [slide(f"{name}.tif") for name in "abc"]


def test_sections_of_a_signed_biopsy_are_signed_until_they_change(tmp_path: Path) -> None:
    with study(tmp_path, *THREE) as store:
        reviewer = signed(store)
        assert set(stages(store).values()) == {"signed"}
        write(store, THREE[1], replace(exclude_stretch(at(10), at(40)), why="a fold"))
        changed = "changed after signing"
        assert stages(store) == {"a.tif": changed, "b.tif": "needs another look", "c.tif": changed}
        assert reviewer.sign("Dr. Sign", "the wrong patient", "withdrawal")
        assert stages(store) == {"a.tif": "reviewed", "b.tif": "needs another look", "c.tif": "reviewed"}


def test_the_same_image_in_two_rows_is_one_section(tmp_path: Path) -> None:
    twice = slide("a.tif", content=b"one"), slide("b.tif", content=b"one", biopsy_id="B2")
    with study(tmp_path, *twice) as store:
        reviewer = reviewer_of(store)
        reviewer.pick_at(*at(150))
        reviewer.reject()
        assert [item.stage.value for item in reviewer.desk.items] == ["in review", "in review"]
        assert set(stages(store).values()) == {"in review"}
        go_to(reviewer, "b.tif")
        assert crossing_at(sheet_of(reviewer).result, 150).reason == "reviewer_rejected"


def items(*stages_: Stage, cases: str = "") -> list[QueueItem]:
    def row(name: str, case_id: str, one: Stage) -> Standing:
        shown = None if one in (Stage.FAILED, Stage.PENDING) else "analysis"
        return Standing("/images", f"{name}.tif", 0, 0, case_id, "B1", True, None, name, shown, "ok", None)

    named = zip("abcdefgh", cases or "CCCCCCCC", stages_, strict=False)
    return [QueueItem(row(name, case_id, one), one) for name, case_id, one in named]


def test_the_queue_is_sorted_by_case_biopsy_and_file(tmp_path: Path) -> None:
    files = [
        slide("z.tif", case_id="C1"),
        slide("b.tif", case_id="C2"),
        slide("a.tif", case_id="C1", biopsy_id="B2"),
        slide("c.tif", case_id="C1"),
    ]
    with study(tmp_path, *files) as store:
        assert [item.name for item in Desk(store).items] == ["c.tif", "z.tif", "a.tif", "b.tif"]
        assert [item.name for item in Desk(store, "C2").items] == ["b.tif"]


def test_every_word_of_the_filter_is_in_file_case_biopsy_or_stage() -> None:
    every = items(Stage.NEW, Stage.REVIEWED, Stage.IN_REVIEW, cases="PPQ")

    def names(text: str, only_open: bool = False) -> str:
        return "".join(item.name[0] for item in filtered(every, text, only_open))

    assert names("") == "abc"
    assert names("p") == "ab"
    assert names("P reviewed") == "b"
    assert names("in  review b1") == "c"
    assert names("nobody") == ""
    assert names("", only_open=True) == "ac"
    assert names("p", only_open=True) == "a"


def test_a_scene_has_its_number_in_the_name() -> None:
    (one,) = items(Stage.NEW)
    second = replace(one, row=replace(one.row, scene=2))
    assert (one.name, second.name) == ("a.tif", "a.tif, scene 2")


def test_the_next_to_look_at_is_open_and_can_be_shown_round_the_whole_queue() -> None:
    a, b, c, d, e = items(Stage.NEW, Stage.REVIEWED, Stage.SECOND_READER, Stage.PENDING, Stage.FAILED)
    every = [a, b, c, d, e]
    assert next_to_look_at(every, None) is a
    assert next_to_look_at(every, a) is c
    assert next_to_look_at(every, b) is c
    assert next_to_look_at(every, c) is a
    assert next_to_look_at(every, e) is a
    assert next_to_look_at([a, b], a) is None  # there is no other one
    assert next_to_look_at([b, d, e], b) is None
    assert next_to_look_at([], None) is None
    elsewhere = replace(a, row=replace(a.row, path="gone.tif"))
    assert next_to_look_at(every, elsewhere) is a


@pytest.mark.parametrize(
    ("one", "is_open"),
    [
        (Stage.NEW, True), (Stage.IN_REVIEW, True), (Stage.NEEDS_REVIEW, True), (Stage.SECOND_READER, True),
        (Stage.REVIEWED, False), (Stage.SIGNED, False), (Stage.REFUSED, False), (Stage.FAILED, False),
        (Stage.PENDING, False),
    ],
)  # fmt: skip
def test_what_is_open_waits_for_somebody(one: Stage, is_open: bool) -> None:
    assert items(one)[0].is_open is is_open


def test_the_least_certain_result_comes_first_and_none_at_all_last(tmp_path: Path) -> None:
    files = [
        slide("none.tif", skin([])),
        slide("sure.tif", skin(SURE)),
        slide("doubt.tif", skin([*SURE, DOUBTFUL])),
        slide("failed.tif", status="failed"),
        slide("doubts.tif", skin([DOUBTFUL, Fiber(100, above_um=7, below_um=9, contrast=5)])),
    ]
    with study(tmp_path, *files) as store:
        desk = Desk(store)
        order = by_uncertainty(desk.items, {item.key: desk.entry(item) for item in desk.items})
        assert [item.name for item in order] == [
            "doubts.tif", "doubt.tif", "sure.tif", "none.tif", "failed.tif",
        ]  # fmt: skip


def test_taking_the_queue_section_by_section(tmp_path: Path) -> None:
    files = [*THREE[:2], slide("bad.tif", status="failed"), THREE[2]]
    with study(tmp_path, *files) as store:
        reviewer = Reviewer(Desk(store), "A. Reader")
        said: list[str] = []
        reviewer.said.connect(lambda words: said.append(words))

        def here() -> str:
            return reviewer.item.name if reviewer.item is not None else ""

        reviewer.step(-1)
        assert here() == "a.tif"
        reviewer.step(-1)
        assert (here(), said.pop()) == ("a.tif", "That was the first section.")
        reviewer.step(1)
        assert here() == "b.tif"
        reviewer.step(1)  # past the one that cannot be shown
        assert here() == "c.tif"
        reviewer.step(1)
        assert (here(), said.pop()) == ("c.tif", "That was the last section.")
        reviewer.open_next()
        assert here() == "a.tif"
        for path in ("b.tif", "c.tif"):
            go_to(reviewer, path)
            reviewer.set_review(ReviewState.REVIEWED)
        go_to(reviewer, "a.tif")
        said.clear()
        reviewer.open_next()
        assert (here(), said) == ("a.tif", ["There is no other section left to look at."])


def test_what_cannot_be_shown_is_not_opened(tmp_path: Path) -> None:
    with study(tmp_path, slide("a.tif"), slide("b.tif", status="pending")) as store:
        reviewer = reviewer_of(store)
        troubled: list[str] = []
        reviewer.troubled.connect(lambda words: troubled.append(words))
        go_to(reviewer, "b.tif")
        assert troubled == ["b.tif: there is nothing to show of it (not analyzed yet)."]
        assert sheet_of(reviewer).entry.placement.path == "a.tif"


def test_what_one_person_has_done_today(tmp_path: Path) -> None:
    with study(tmp_path, *THREE, slide("d.tif", status="failed")) as store:
        reviewer = reviewer_of(store, "A. Reader")
        reviewer.pick_at(*at(150))
        reviewer.reject()
        for path in ("a.tif", "b.tif"):
            go_to(reviewer, path)
            reviewer.set_review(ReviewState.REVIEWED)
        go_to(reviewer, "c.tif")
        reviewer.set_review(ReviewState.NEEDS_SECOND_READER)
        log, items = store.edits(), reviewer.desk.items
        today = log[0].at[:10]
        said = progress_of(items, log, "A. Reader", today)
        assert said == "2 of 3 reviewed. Today: 2 reviewed, 1 corrections."
        nobody = "2 of 3 reviewed. Today: 0 reviewed, 0 corrections."
        assert progress_of(items, log, "B. Reader", today) == nobody
        assert progress_of(items, log, "A. Reader", "2001-01-01") == nobody


def test_a_blind_queue_knows_what_could_not_be_analyzed(tmp_path: Path) -> None:
    files = [slide("a.tif"), slide("b.tif", status="failed"), slide("c.tif", status="pending")]
    with study(tmp_path, *files) as store:
        desk = Desk(store, blind_reader="B. Reader")
        assert [item.stage.value for item in desk.items] == ["to read", "failed", "not analyzed yet"]
