"""A plan is carried out, resumed, counted again, and survives what goes wrong."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from batch_standins import ENGINE

from ienfd.batch.discover import discover
from ienfd.batch.execute import Progress, execute
from ienfd.batch.files import overlay_name, study_log
from ienfd.batch.plan import BatchOptions, FileCase, Plan, make_plan
from ienfd.batch.pool import LocalPool
from ienfd.protocol import CountingRules, ImageChoices, Protocol, canonical_json
from ienfd.study.records import BiopsyRecord, RunRecord
from ienfd.study.store import Store


@pytest.fixture(scope="module")
def pool() -> LocalPool:
    with LocalPool(2) as opened:
        yield opened


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    for name, content in (("a.tif", "good one"), ("b.tif", "good two"), ("sub/c.tif", "good three")):
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Which files were read since the last time it was asked."""
    log = tmp_path / "reads.txt"
    monkeypatch.setenv("IENFD_TEST_READS", str(log))

    def ask() -> list[str]:
        names = sorted(log.read_text(encoding="utf-8").split()) if log.exists() else []
        log.unlink(missing_ok=True)
        return names

    return ask


def case_of(name: str) -> FileCase:
    return FileCase(BiopsyRecord(f"case {name}", name, age_years=50.0))


def planned(images: Path, out: Path, pool: LocalPool, **options: object) -> Plan:
    asked = BatchOptions(images, out, engine=ENGINE, **options)  # type: ignore[arg-type]
    found = discover(images, out=out, is_image=lambda path: False, suffixes=(".tif",))
    return make_plan(asked, found, case_of, pool)


def carried_out(plan: Plan, pool: LocalPool, on_progress: Callable[[Progress], None] | None = None) -> int:
    """Carry out a plan as `ienfd run` does; returns the number of sections analyzed."""
    protocol = plan.options.protocol
    run = RunRecord(
        str(plan.discovery.root), plan.discovery.scope, protocol.id, protocol.hash, canonical_json({}),
        plan.rules_key, plan.algorithm_version, "test",
    )  # fmt: skip
    with Store(plan.options.out, create=True) as store, study_log(plan.options.out) as logger:
        run_id = store.begin_run(run, [item.record for item in plan.items])
        done = execute(plan, store, run_id, pool, logger=logger, on_progress=on_progress or (lambda p: None))
        store.end_run(run_id, "finished")
    return done.analyzed


def rows(out: Path) -> dict[str, tuple[str, str | None]]:
    with Store(out) as store:
        return {p.path: (p.status, p.reason) for p in store.placements()}


def state(out: Path, protocol: Protocol) -> object:
    """Everything that the derived tables are made from, and the bytes of all overlays."""
    from ienfd.analysis_key import rules_key

    with Store(out) as store:
        placements = store.placements()
        results = store.results(
            [str(p.analysis_id) for p in placements if p.analysis_id], rules_key(protocol)
        )
    figures = {
        key: (r.status, r.reason, r.crossings, r.lengths, r.density_per_mm, r.findings.measures)
        for key, r in results.items()
    }
    overlays = {path.name: path.read_bytes() for path in sorted((out / "overlays").glob("*"))}
    return [(p.path, p.status, p.analysis_id) for p in placements], figures, overlays


def test_all_files_are_analyzed_once(images: Path, tmp_path: Path, pool: LocalPool) -> None:
    out = tmp_path / "study"
    seen: list[Progress] = []
    assert carried_out(planned(images, out, pool), pool, seen.append) == 3
    assert rows(out) == dict.fromkeys(("a.tif", "b.tif", "sub/c.tif"), ("done", None))
    assert [(p.done, p.total, p.status) for p in seen] == [(n, 3, "ok") for n in (1, 2, 3)]
    assert len(list((out / "overlays").glob("*.png"))) == len(list((out / "pictures").iterdir())) == 3
    assert sorted(path.name for path in images.rglob("*")) == ["a.tif", "b.tif", "c.tif", "sub"]


def test_a_finished_section_is_not_touched_again(
    images: Path, tmp_path: Path, reads: Callable[[], list[str]]
) -> None:
    out = tmp_path / "study"
    with LocalPool(1) as pool:
        carried_out(planned(images, out, pool), pool)
        assert reads() == ["a.tif", "b.tif", "c.tif"]
        before = state(out, Protocol())
        assert carried_out(planned(images, out, pool), pool) == 0
        assert reads() == []
        assert state(out, Protocol()) == before
        images.rename(tmp_path / "moved")
        (tmp_path / "moved" / "b.tif").write_text("good but other", encoding="utf-8")
        assert carried_out(planned(tmp_path / "moved", out, pool), pool) == 1
        assert reads() == ["b.tif"]
    assert len(rows(out)) == 3


def test_counting_rules_count_again_without_the_image(
    images: Path, tmp_path: Path, reads: Callable[[], list[str]]
) -> None:
    out, fresh = tmp_path / "study", tmp_path / "fresh"
    other = Protocol(counting=CountingRules(min_reach_um=9.0))
    with LocalPool(1) as pool:
        carried_out(planned(images, out, pool), pool)
        reads()
        assert carried_out(planned(images, out, pool, protocol=other), pool) == 0
        assert reads() == []
        carried_out(planned(images, fresh, pool, protocol=other), pool)
    assert state(out, other) == state(fresh, other)


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
    with LocalPool(2, time_limit_s=1.5) as pool:
        plan = planned(images, out, pool)
        carried_out(plan, pool, lambda p: statuses.update({p.file: (p.status, p.reason)}))
    expected = {f"{kind}.tif": ("failed", code) for kind, code in bad.items() if code}
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


def test_a_lost_overlay_is_drawn_again(images: Path, tmp_path: Path, reads: Callable[[], list[str]]) -> None:
    out = tmp_path / "study"
    with LocalPool(1) as pool:
        carried_out(planned(images, out, pool), pool)
        before = state(out, Protocol())
        reads()
        next((out / "overlays").glob("a_*")).unlink()
        carried_out(planned(images, out, pool), pool)
        assert reads() == []
        assert state(out, Protocol()) == before
        for lost in [*(out / "overlays").glob("b_*"), *(out / "pictures").iterdir()]:
            lost.unlink()
        carried_out(planned(images, out, pool), pool)
        assert reads() == ["b.tif"]
        assert state(out, Protocol()) == before


def test_an_interruption_keeps_what_is_done(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with LocalPool(1) as pool:
        plan = planned(images, out, pool)
        with pytest.raises(KeyboardInterrupt):
            carried_out(plan, pool, interrupt)
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
