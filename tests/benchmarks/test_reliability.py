"""The trials of reliability themselves: what they count, and that they see what is wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.reliability import fuzz as fuzzing
from benchmarks.reliability.fuzz import fuzz
from benchmarks.reliability.reviewer_kills import kill_reviewers
from benchmarks.reliability.reviewers import review_at_once
from benchmarks.reliability.studies import of_biopsy
from ienfd.correction.commands import note
from ienfd.study.log import Target
from ienfd.study.store import Store


def test_every_original_is_read_and_damage_is_repeatable() -> None:
    originals = list(fuzzing._originals())
    assert {suffix for suffix, _ in originals} == {".tif", ".svs", ".png", ".jpg", ".csv"}
    for number, (_, content) in enumerate(originals):
        one, two = (fuzzing._damaged(content, random.Random(number)) for _ in range(2))
        assert one == two != content


def test_undamaged_files_end_as_they_should(tmp_path: Path) -> None:
    ends = []
    for number, (suffix, content) in enumerate(fuzzing._originals()):
        file = tmp_path / f"{number}{suffix}"
        file.write_bytes(content)
        ends.append(fuzzing._table(file) if suffix == ".csv" else fuzzing._image(file))
    assert ends == ["read"] * 5 + ["refused: uncalibrated"] * 2 + [
        "read"
    ]  # dpi of a picture is no calibration


def test_an_error_that_says_nothing_is_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("benchmarks.reliability.fuzz.readers.describe", broken)
    assert fuzzing._image(tmp_path / "a.tif").startswith("crashed: IndexError")


def test_damaged_files_are_counted() -> None:
    found = fuzz(60)
    assert found.files == found.read + found.refused + found.failed == 60
    assert found.crashed == found.silent == ()


def test_two_people_lose_nothing(tmp_path: Path) -> None:
    found = review_at_once(tmp_path, 8, same_section=True)
    assert found.acknowledged + found.rejected == 16
    assert found.acknowledged > 0
    assert (found.lost, found.invented, found.problems) == (0, 0, 0)


def test_killed_reviewers_lose_nothing(study_folder: Path) -> None:
    found = kill_reviewers(study_folder, 2)
    assert found.kills == 2
    assert found.acknowledged >= 2
    assert (found.lost, found.invented, found.stuck, found.problems) == (0, 0, 0, 0)


def test_edits_that_are_lost_or_invented_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one(folder: Path, chance: random.Random) -> tuple[list[tuple[int, str] | None], bool]:
        with Store(folder) as store:
            target, seen = Target(section_id=of_biopsy("a.tif").section_id), store.head().seq
            store.append([note("a"), note("b"), note("c")], target, who="Reader", base_seq=seen)
        return [(seen + 1, "of another entry"), None], False

    monkeypatch.setattr("benchmarks.reliability.reviewer_kills._kill_one", one)
    found = kill_reviewers(tmp_path, 2)
    assert (found.in_hand, found.kept) == (2, 2)
    assert (found.lost, found.invented, found.stuck, found.problems) == (2, 4, 2, 0)
