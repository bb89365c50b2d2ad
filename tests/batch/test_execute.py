"""A plan is carried out, resumed, counted again, and survives what goes wrong."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from batch_helpers import carried_out, planned, rows, state
from batch_standins import NO_READING

from ienfd.batch.execute import Progress
from ienfd.batch.files import overlay_name, study_log
from ienfd.batch.pool import LocalPool
from ienfd.protocol import CountingRules, ImageChoices, Protocol
from ienfd.study.records import BiopsyRecord


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalPool]:
    with LocalPool(2) as opened:
        yield opened


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    for name, content in (("a.tif", "good one"), ("b.tif", "good two"), ("sub/c.tif", "good three")):
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_all_files_are_analyzed_once(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    out = tmp_path / "study"
    seen: list[Progress] = []
    assert carried_out(planned(images, out, pool), pool, seen.append) == 3
    assert rows(out) == dict.fromkeys(("a.tif", "b.tif", "sub/c.tif"), ("done", None))
    assert [(p.done, p.total, p.status) for p in seen] == [(n, 3, "ok") for n in (1, 2, 3)]
    assert len(list((out / "overlays").glob("*.png"))) == len(list((out / "pictures").iterdir())) == 3
    assert sorted(path.name for path in images.rglob("*")) == ["a.tif", "b.tif", "c.tif", "sub"]


def test_a_finished_section_is_not_touched_again(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    out = tmp_path / "study"
    carried_out(planned(images, out, pool), pool)
    before = state(out, Protocol())
    assert carried_out(planned(images, out, pool, engine=NO_READING), pool) == 0
    assert state(out, Protocol()) == before
    images.rename(tmp_path / "moved")
    assert carried_out(planned(tmp_path / "moved", out, pool, engine=NO_READING), pool) == 0
    assert state(out, Protocol()) == before
    (tmp_path / "moved" / "b.tif").write_text("good but other", encoding="utf-8")
    assert carried_out(planned(tmp_path / "moved", out, pool), pool) == 1
    assert set(rows(out).values()) == {("done", None)}
    assert len(rows(out)) == 3


def test_counting_rules_count_again_without_the_image(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    out, fresh = tmp_path / "study", tmp_path / "fresh"
    other = Protocol(counting=CountingRules(min_reach_um=9.0))
    carried_out(planned(images, out, pool), pool)
    assert carried_out(planned(images, out, pool, protocol=other, engine=NO_READING), pool) == 0
    carried_out(planned(images, fresh, pool, protocol=other), pool)
    assert state(out, other) == state(fresh, other) != state(out, Protocol())


def test_an_image_choice_reads_the_image_again(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    out = tmp_path / "study"
    carried_out(planned(images, out, pool), pool)
    other = Protocol(image=ImageChoices(fiber_contrast=7.0))
    assert carried_out(planned(images, out, pool, protocol=other), pool) == 3
    for change in ({"stain": "bright-field"}, {"axes": "ZYX"}, {"pixel_size_um": 0.4}):
        assert carried_out(planned(images, out, pool, **change), pool) == 3
        assert carried_out(planned(images, out, pool, **change), pool) == 0
    assert carried_out(planned(images, out, pool, pixel_size_um=0.5), pool) == 0  # as the file says


def test_workers_and_order_change_nothing(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    for n in range(6):
        (images / f"more{n}.tif").write_text(f"{'slow' if n % 2 else 'good'} {n}", encoding="utf-8")
    with LocalPool(1) as alone:
        carried_out(planned(images, tmp_path / "one", alone), alone)
    carried_out(planned(images, tmp_path / "two", pool), pool)
    assert state(tmp_path / "one", Protocol()) == state(tmp_path / "two", Protocol())


def test_what_goes_wrong_stays_with_its_file(images: Path, tmp_path: Path) -> None:
    bad = {
        "truncated": "truncated", "axes": None, "bug": "internal_error", "kill": "worker_died",
        "hang": "time_limit", "uncalibrated": None,
    }  # fmt: skip
    for kind in bad:
        (images / f"{kind}.tif").write_text(f"{kind} file", encoding="utf-8")
    (images / "empty.tif").touch()
    out = tmp_path / "study"
    statuses: dict[str, tuple[str, str | None]] = {}
    with LocalPool(2, time_limit_s=2.5) as pool:
        plan = planned(images, out, pool)
        carried_out(plan, pool, lambda p: statuses.update({p.file: (p.status, p.reason)}))
    expected: dict[str, tuple[str, str | None]] = {
        f"{kind}.tif": ("failed", code) for kind, code in bad.items() if code
    }
    expected |= {"empty.tif": ("failed", "empty_file")}
    expected |= {"axes.tif": ("refused", "axes_unknown"), "uncalibrated.tif": ("refused", "uncalibrated")}
    expected |= dict.fromkeys(("a.tif", "b.tif", "sub/c.tif"), ("ok", None))
    assert statuses == expected
    log = (out / "ienfd.log").read_text(encoding="utf-8")
    assert "ZeroDivisionError: a bug of the program" in log
    assert "in read" in log
    assert not list(out.rglob("*.part"))


def test_a_refusal_is_remembered(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    (images / "axes.tif").write_text("axes", encoding="utf-8")
    out = tmp_path / "study"
    assert carried_out(planned(images, out, pool), pool) == 4
    assert carried_out(planned(images, out, pool), pool) == 0


def test_copies_share_an_analysis_and_have_their_own_overlay(
    images: Path, tmp_path: Path, pool: LocalPool
) -> None:
    (images / "copy.tif").write_text("good one", encoding="utf-8")
    out = tmp_path / "study"
    assert carried_out(planned(images, out, pool), pool) == 3
    assert len(rows(out)) == 4
    assert len(list((out / "overlays").glob("*.png"))) == 4


def test_a_lost_overlay_is_drawn_again(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    out = tmp_path / "study"
    carried_out(planned(images, out, pool), pool)
    before = state(out, Protocol())
    next((out / "overlays").glob("a_*")).unlink()
    carried_out(planned(images, out, pool, engine=NO_READING), pool)
    assert state(out, Protocol()) == before
    for lost in [*(out / "overlays").glob("b_*"), *(out / "pictures").iterdir()]:
        lost.unlink()
    assert carried_out(planned(images, out, pool), pool) == 0  # the file is read for its picture only
    assert state(out, Protocol()) == before


def test_an_interruption_keeps_what_is_done(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    out = tmp_path / "study"

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    carried_out(planned(images, out, pool), pool, interrupt)
    assert sorted(status for status, _ in rows(out).values()) == ["done", "pending", "pending"]
    assert carried_out(planned(images, out, pool), pool) == 2
    carried_out(planned(images, tmp_path / "fresh", pool), pool)
    assert state(out, Protocol()) == state(tmp_path / "fresh", Protocol())


def test_a_file_that_is_still_being_written_fails(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    plan = planned(images, tmp_path / "study", pool)
    (images / "a.tif").write_text("good and longer now", encoding="utf-8")
    carried_out(plan, pool)
    assert rows(tmp_path / "study")["a.tif"] == ("failed", "file_changed")


def test_a_file_that_vanishes_fails(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    plan = planned(images, tmp_path / "study", pool)
    (images / "a.tif").unlink()
    carried_out(plan, pool)
    assert rows(tmp_path / "study")["a.tif"] == ("failed", "file_vanished")


def test_the_database_is_sound_afterwards(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    carried_out(planned(images, tmp_path / "study", pool), pool)
    connection = sqlite3.connect(tmp_path / "study" / "study.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.tif", "a_01234567.png"),
        ("left leg/5 A.ome.tif", "5_A_01234567.png"),
        ("../../etc/passwd", "passwd_01234567.png"),
        ("...tif", "section_01234567.png"),
        ("Gewebe \u00e4\u00f6\u00fc \U0001f52c.svs", "Gewebe_01234567.png"),
        ("x" * 300 + ".tif", "x" * 80 + "_01234567.png"),
    ],
)
def test_names_of_overlays_are_safe(path: str, name: str) -> None:
    assert overlay_name(path, "01234567-89ab") == name


def test_the_log_lets_go_of_its_file(tmp_path: Path) -> None:
    with study_log(tmp_path) as logger:
        logger.info("something")
    assert not logging.getLogger("ienfd.batch").handlers
    assert "something" in (tmp_path / "ienfd.log").read_text(encoding="utf-8")


def test_titles_name_file_scene_and_biopsy(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    item = planned(images, tmp_path / "study", pool).items[0]
    assert item.title == "a.tif  |  case a.tif"
    other = replace(item, record=replace(item.record, scene=2, biopsy=BiopsyRecord("C1", "left")))
    assert other.title == "a.tif, scene 2  |  C1  |  left"
