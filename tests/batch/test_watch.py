"""A folder that is watched: what is ready, when a run begins, and what happens when one cannot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ienfd.batch.plan import BatchOptions
from ienfd.batch.report import RunReport
from ienfd.batch.watch import Inbox, Watching, watch
from ienfd.errors import EnvironmentProblem, UsageError


def test_a_file_is_ready_once_it_has_stayed_the_same(tmp_path: Path) -> None:
    file, inbox = tmp_path / "a.tif", Inbox(settle_s=10)
    file.write_bytes(b"1")
    inbox.look([file], 0)
    assert inbox.ready(9) == {}
    file.write_bytes(b"12")
    inbox.look([file], 9)
    assert inbox.ready(18) == {}
    inbox.look([file], 19)
    assert list(inbox.ready(19)) == [file]


def test_what_is_empty_or_gone_is_not_ready(tmp_path: Path) -> None:
    empty, gone, inbox = tmp_path / "empty.tif", tmp_path / "gone.tif", Inbox(0)
    empty.touch()
    gone.write_bytes(b"1")
    inbox.look([empty, gone, tmp_path / "never.tif"], 0)
    assert list(inbox.ready(1)) == [gone]
    gone.unlink()
    assert inbox.ready(1) == {}
    inbox.look([empty, gone], 2)
    assert inbox.settling(2) == set()


class Day:
    """A clock that only sleep moves on, and what comes in at which time."""

    def __init__(self, *events: tuple[float, Callable[[], object]]) -> None:
        self.now, self.events = 0.0, sorted(events, key=lambda event: event[0])

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.events and self.events[0][0] <= self.now:
            self.events.pop(0)[1]()

    def watched(
        self,
        folder: Path,
        run: Callable[[BatchOptions], RunReport],
        *,
        said: list[str] | None = None,
        ended: list[RunReport] | None = None,
    ) -> RunReport | None:
        return watch(
            BatchOptions(folder, folder.parent / "study"), Watching(1, 3, 20), run,
            said=(said if said is not None else []).append, ended=(ended if ended is not None else []).append,
            clock=lambda: self.now, sleep=self.sleep,
        )  # fmt: skip


class Runs:
    """Stands in for a batch: remembers which files it was given, and may have something in its way."""

    def __init__(self, *problems: Exception) -> None:
        self.files: list[set[str]] = []
        self.problems = list(problems)

    def __call__(self, options: BatchOptions) -> RunReport:
        if self.problems:
            raise self.problems.pop(0)
        assert options.ready is not None
        self.files.append({path.name for path in options.ready})
        return RunReport(options.out, ok=len(options.ready))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "inbox"
    made.mkdir()
    return made.resolve()


def test_files_are_taken_up_as_they_come(folder: Path) -> None:
    runs, reports = Runs(), []  # type: ignore[var-annotated]
    day = Day(
        (2, lambda: (folder / "a.tif").write_bytes(b"1")),
        (4, lambda: (folder / "a.tif").write_bytes(b"12")),
        (12, lambda: (folder / "b.tif").write_bytes(b"1")),
    )
    last = day.watched(folder, runs, ended=reports)
    assert runs.files == [{"a.tif"}, {"a.tif", "b.tif"}]
    assert reports[-1] is last
    assert day.now == pytest.approx(35, abs=2)  # 20 s after the last one was done


def test_nothing_new_is_no_reason_to_run(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    runs = Runs()
    Day().watched(folder, runs)
    assert runs.files == [{"a.tif"}]


def test_a_changed_case_table_is_a_reason(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    runs = Runs()
    Day((6, lambda: (folder / "cases.csv").write_text("file,case_id\n"))).watched(folder, runs)
    assert runs.files == [{"a.tif"}, {"a.tif", "cases.csv"}]


def test_a_file_written_all_day_keeps_the_watch_awake(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    growing = folder / "b.tif"
    writes = [(n, lambda n=n: growing.write_bytes(b"1" * n)) for n in range(1, 60)]
    runs = Runs()
    day = Day(*writes)
    day.watched(folder, runs)
    assert runs.files == [{"a.tif"}, {"a.tif", "b.tif"}]
    assert day.now > 60


def test_a_file_that_is_written_again_keeps_its_row_meanwhile(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    (folder / "b.tif").write_bytes(b"1")
    runs = Runs()
    Day((8, lambda: (folder / "a.tif").write_bytes(b"12"))).watched(folder, runs)
    assert runs.files == [{"a.tif", "b.tif"}] * 2


def test_an_empty_file_does_not_keep_it_awake(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    (folder / "empty.tif").touch()
    day = Day()
    day.watched(folder, Runs())
    assert day.now < 40


def test_the_study_may_lie_in_the_folder(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    study = folder / "study"
    count = 0

    def run(options: BatchOptions) -> RunReport:
        nonlocal count
        count += 1
        study.mkdir(exist_ok=True)
        (study / "ienfd.log").write_bytes(b"x" * count)
        return RunReport(study, ok=1)

    day = Day()
    watch(
        BatchOptions(folder, study), Watching(1, 3, 20), run, said=print, ended=lambda report: None,
        clock=lambda: day.now, sleep=day.sleep,
    )  # fmt: skip
    assert count == 1


def test_what_still_stands_in_the_way_at_the_end_is_raised(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    wrong = UsageError("case_table_invalid", "row 3")
    with pytest.raises(UsageError, match="row 3"):
        Day().watched(folder, Runs(*[wrong] * 100))


def test_what_stands_in_the_way_is_said_once_and_tried_again(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    full, wrong = EnvironmentProblem("cannot_write", "full"), UsageError("case_table_invalid", "row 3")
    runs, said = Runs(full, full, wrong, full), []  # type: ignore[var-annotated]
    Day().watched(folder, runs, said=said)
    assert said == [str(full), str(wrong), str(full)]
    assert runs.files == [{"a.tif"}]


def test_a_case_table_that_comes_first_waits_for_its_images(folder: Path) -> None:
    (folder / "cases.csv").write_text("file,case_id\n")
    runs, said = Runs(UsageError("no_images", "1 other file")), []  # type: ignore[var-annotated]
    Day((9, lambda: (folder / "a.tif").write_bytes(b"1"))).watched(folder, runs, said=said)
    assert said == []
    assert runs.files == [{"a.tif", "cases.csv"}]


def test_an_interrupted_run_ends_the_watch(folder: Path) -> None:
    (folder / "a.tif").write_bytes(b"1")
    day = Day((50, lambda: os._exit(1)))
    last = day.watched(folder, lambda options: RunReport(options.out, interrupted=True))
    assert last is not None
    assert last.interrupted
