"""The store gives back what was put in, counts the same afterwards, and loses nothing."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.exc import IntegrityError, NoResultFound

from benchmarks.reliability.postgresql import USER, new_database
from ienfd.batch.files import study_log
from ienfd.correction.commands import note
from ienfd.errors import EnvironmentProblem, MissingExtraError, UsageError
from ienfd.result import (
    Branch,
    Cell,
    Crossing,
    FiberGraph,
    Findings,
    Lengths,
    Piece,
    SectionResult,
    Status,
    Stretch,
)
from ienfd.section import Identity
from ienfd.study import database, place
from ienfd.study.config import create_study, is_study, read_config
from ienfd.study.database import REVISIONS
from ienfd.study.encoding import encode_objects, quantize, stored_form
from ienfd.study.log import Target
from ienfd.study.models import Base, OutcomeRow, PlacementRow
from ienfd.study.records import (
    Analyzed,
    BiopsyRecord,
    Facts,
    FileRecord,
    Outcome,
    RunRecord,
    analysis_id,
)
from ienfd.study.store import Store
from ienfd.study.verify import check_store

SHA = "ab" * 32
RUN = RunRecord("/images", "", "efns2010", "hash", "{}", "rules", "1", "0.1.0", {"strict": False})


def findings(sha: str = SHA, key: str = "key", seed: int = 1) -> Findings:
    rng = np.random.default_rng(seed)

    def line(n: int) -> np.ndarray:
        return np.cumsum(rng.normal(0, 1, (n, 2)), axis=0) + 500

    branches = tuple(
        Branch(0, 1, line(40), rng.uniform(2, 20, 40), rng.random(40) < 0.2, z, 0.8123)
        for z in (None, rng.uniform(0, 50, 40))
    )
    return Findings(
        section_id=Identity(sha).section_id,
        analysis_key=key,
        stain="bright-field",
        pixel_size_um=0.3217,
        shape=(900, 1200),
        pieces=(
            Piece(line(120), line(150), rng.random(150), (True, False)),
            Piece(line(9), line(9), rng.random(9)),
        ),
        exclusions=(Stretch(0, 1.23456, 30.98765, "junction_low_confidence"),),
        graph=FiberGraph(line(5), branches, (Cell(1.5, 2.123456, 4.0, 9.0), Cell(1.5, 2.123456, 4.0, 9.0))),
        flags=("soft_focus",),
        measures=(("focus", 1 / 3), ("noise", float("nan"))),
    )


def crossing(n: int) -> Crossing:
    return Crossing(f"c{n}", f"f{n}", 0, 1 / 3, 2.5, None if n else 4.0, 7.0 + n, n == 0, "crosses", 0.9)


def result(found: Findings) -> SectionResult:
    lengths = Lengths(1 / 3, 2 / 3, 0.3, 0.1, 0.2, "surface")
    return SectionResult(
        found, Status.OK, None, (crossing(0), crossing(1)), lengths, 5.0, 1 / 7, 9.0, ("dim_stain",)
    )


def record(path: str = "a.tif", sha: str | None = SHA, **more: object) -> FileRecord:
    section = Identity(sha).section_id if sha else None
    biopsy = BiopsyRecord("case", "biopsy", age_years=56.5, sex="F", extra={"note": "x"})
    return FileRecord(path, sha, 10, 0, 0, section, biopsy, {"stain": None}, {"source": "ome"}, **more)  # type: ignore[arg-type]


def analyzed(found: Findings) -> Analyzed:
    rounded, objects = stored_form(found)
    return Analyzed(result(rounded), objects, Facts(3, ("PGP 9.5",)), "hash", "rules", "1", 2.0)


def done(path: str = "a.tif") -> Outcome:
    return Outcome(path, 0, 0, analysis_id=analysis_id(findings().section_id, "key"))


def same(left: Findings, right: Findings) -> bool:
    """Equal in every number, by way of the stored form and of the arrays themselves."""
    arrays = all(
        np.array_equal(a.path_px, b.path_px) and np.array_equal(a.contrast, b.contrast)
        for a, b in zip(left.graph.branches, right.graph.branches, strict=True)
    )
    return arrays and encode_objects(left) == encode_objects(right)


@pytest.fixture
def store(study_folder: Path) -> Iterator[Store]:
    with Store(study_folder, create=True) as opened:
        yield opened


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """A study in a file, where only a file can be meant."""
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def test_findings_come_back_as_they_were_counted(store: Store) -> None:
    rounded = quantize(findings())
    store.record(store.begin_run(RUN, [record()]), done(), analyzed(findings()))
    back = store.findings(analysis_id(rounded.section_id, "key"))
    assert same(back, rounded)
    assert back.measures[0] == ("focus", 0.333333)
    assert np.isnan(back.measures[1][1])
    assert (back.shape, back.flags, back.stain, back.pixel_size_um) == (
        (900, 1200), ("soft_focus",), "bright-field", 0.3217,
    )  # fmt: skip
    assert back.pieces[0].cut_ends == (True, False)
    assert back.graph.branches[0].z_um is None
    assert back.graph.branches[1].z_um is not None


def test_rounding_is_within_a_hundredth_and_happens_once() -> None:
    found, once = findings(), quantize(findings())
    assert np.abs(found.pieces[0].junction_px - once.pieces[0].junction_px).max() <= 0.005 + 1e-9
    assert same(once, quantize(once))


def test_geometry_is_small() -> None:
    rng = np.random.default_rng(0)
    path = np.cumsum(rng.normal(0, 0.7, (20_000, 2)), axis=0) + 4000
    branch = Branch(0, 1, path, rng.uniform(3, 30, 20_000), np.zeros(20_000, bool))
    stored = encode_objects(replace(findings(), pieces=(), graph=FiberGraph(path[:2], (branch,))))
    assert sum(len(row.geometry or b"") for row in stored) < 20_000 * 6


def test_ids_are_stable_and_unique() -> None:
    ids = [row.object_id for row in encode_objects(findings())]
    assert len(set(ids)) == len(ids)  # the two equal cells too
    assert ids == [row.object_id for row in encode_objects(quantize(findings()))]
    assert not set(ids) & {row.object_id for row in encode_objects(findings(key="other"))}


def test_results_come_back_exactly(store: Store) -> None:
    store.record(store.begin_run(RUN, [record()]), done(), analyzed(findings()))
    key = analysis_id(findings().section_id, "key")
    back = store.results([key, "unknown"], "rules")
    assert set(back) == {key}
    expected = result(quantize(findings()))
    for name in ("status", "reason", "crossings", "lengths", "density_per_mm", "density_low_per_mm", "flags"):
        assert getattr(back[key], name) == getattr(expected, name)
    assert len(back[key].findings.exclusions) == 1
    assert back[key].findings.graph.cells == ()
    assert store.results([key], "other rules") == {}


def test_a_finished_section_is_done_in_the_next_run(store: Store) -> None:
    wanted = done().analysis_id
    store.record(store.begin_run(RUN, [record(analysis_id=wanted)]), done(), analyzed(findings()))
    store.begin_run(RUN, [record(analysis_id=wanted), record("b.tif", "cd" * 32, analysis_id="other")])
    assert [(p.path, p.status) for p in store.placements()] == [("a.tif", "done"), ("b.tif", "pending")]
    assert store.known_analyses([str(wanted), "other"]) == {wanted}


def test_two_files_may_hold_one_section(store: Store) -> None:
    run = store.begin_run(RUN, [record("a.tif"), record("copy.tif")])
    store.record(run, done("a.tif"), analyzed(findings()))
    store.record(run, done("copy.tif"), analyzed(findings()))
    assert {p.section_id for p in store.placements()} == {findings().section_id}
    assert len(store.placements()) == 2


def test_a_failure_keeps_its_reason_and_attempts(store: Store) -> None:
    run = store.begin_run(RUN, [record(sha=None)])
    store.record(run, Outcome("a.tif", 0, 0, "worker_died", "killed", attempts=3))
    (row,) = store.placements()
    assert (row.status, row.reason, row.detail, row.section_id) == ("failed", "worker_died", "killed", None)
    with store.reading() as session:
        assert session.scalars(select(OutcomeRow.attempts)).one() == 3


class TestWhatIsShown:
    def test_a_file_taken_out_is_no_longer_shown(self, store: Store) -> None:
        store.begin_run(RUN, [record("a.tif"), record("b.tif", "cd" * 32)])
        store.begin_run(RUN, [record("b.tif", "cd" * 32)])
        assert [p.path for p in store.placements()] == ["b.tif"]

    def test_a_single_file_does_not_hide_the_others(self, store: Store) -> None:
        store.begin_run(RUN, [record("a.tif"), record("b.tif", "cd" * 32)])
        store.begin_run(replace(RUN, scope="b.tif"), [record("b.tif", "cd" * 32)])
        assert [p.path for p in store.placements()] == ["a.tif", "b.tif"]

    def test_another_folder_is_added(self, store: Store) -> None:
        store.begin_run(RUN, [record("a.tif")])
        store.begin_run(replace(RUN, root="/more"), [record("a.tif", "cd" * 32)])
        assert [(p.root, p.path) for p in store.placements()] == [("/images", "a.tif"), ("/more", "a.tif")]

    def test_a_moved_folder_is_shown_once(self, store: Store, tmp_path: Path) -> None:
        store.begin_run(replace(RUN, root=str(tmp_path / "gone")), [record("a.tif")])
        store.begin_run(replace(RUN, root=str(tmp_path)), [record("a.tif")])
        assert [p.root for p in store.placements()] == [str(tmp_path)]

    def test_a_file_reached_from_a_folder_inside_is_shown_once(self, store: Store, tmp_path: Path) -> None:
        store.begin_run(replace(RUN, root=str(tmp_path)), [record("sub/a.tif")])
        store.begin_run(replace(RUN, root=str(tmp_path / "sub")), [record("a.tif")])
        assert [p.path for p in store.placements()] == ["a.tif"]


class TestDatabase:
    def test_models_and_migrations_agree(self, tmp_path: Path) -> None:
        from alembic.autogenerate import compare_metadata

        with Store(tmp_path, create=True) as opened, opened._engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []

    def test_revisions_are_those_of_the_scripts(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(database._MIGRATIONS))
        scripts = ScriptDirectory.from_config(config)
        assert [s.revision for s in scripts.walk_revisions()][::-1] == list(REVISIONS)

    def test_settings_of_a_connection(self, file_store: Store) -> None:
        with file_store.reading() as session:
            assert session.scalar(text("PRAGMA journal_mode")) == "wal"
            assert session.scalar(text("PRAGMA foreign_keys")) == 1
            assert session.scalar(text("PRAGMA busy_timeout")) >= 10_000

    def test_a_writer_locks_when_it_begins(self, file_store: Store) -> None:
        seen: list[str] = []
        event.listen(file_store._engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        with file_store.writing() as session:
            session.execute(text("SELECT 1"))
        with file_store.reading() as session:
            session.execute(text("SELECT 1"))
        assert [s for s in seen if s.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]

    def test_foreign_keys_hold(self, store: Store) -> None:
        with pytest.raises(IntegrityError), store._writer.begin() as connection:
            connection.execute(
                text("INSERT INTO biopsies (case_id, biopsy_id, extra) VALUES ('x', 'y', '{}')")
            )

    def test_what_was_found_cannot_be_altered(self, store: Store) -> None:
        store.record(store.begin_run(RUN, [record()]), done(), analyzed(findings()))
        for statement in ("UPDATE analyses SET stain = 'x'", "DELETE FROM objects", "DELETE FROM outcomes"):
            with pytest.raises(IntegrityError, match="append-only"), store._writer.begin() as connection:
                connection.execute(text(statement))

    def test_a_failed_transaction_leaves_nothing(self, store: Store) -> None:
        run = store.begin_run(RUN, [record()])
        with pytest.raises(
            NoResultFound
        ):  # a section that the run does not have, after its analysis is written
            store.record(run, Outcome("a.tif", 7, 0, "corrupt"), analyzed(findings()))
        assert store.known_analyses([str(done().analysis_id)]) == set()
        with store.reading() as session:
            assert session.scalars(select(OutcomeRow)).all() == []
            assert session.scalars(select(PlacementRow.status)).all() == ["pending"]

    def test_two_writers_wait_for_each_other(self, tmp_path: Path) -> None:
        Store(tmp_path, create=True).close()

        def work(root: str) -> None:
            files = [record(f"{n}.tif", sha256(f"{root}{n}".encode()).hexdigest()) for n in range(20)]
            with Store(tmp_path) as mine:
                run = mine.begin_run(replace(RUN, root=root), files)
                for file in files:
                    mine.record(run, Outcome(file.path, 0, 0, "corrupt"))

        threads = [threading.Thread(target=work, args=(root,)) for root in ("/one", "/two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with Store(tmp_path) as opened:
            assert [p.status for p in opened.placements()] == ["failed"] * 40

    @pytest.mark.skipif(sys.platform == "win32", reason="permissions are those of the folder there")
    def test_it_is_for_its_owner_only(self, file_store: Store) -> None:
        assert stat.S_IMODE(file_store.folder.stat().st_mode) == 0o700
        for file in file_store.folder.glob("study.sqlite*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_study_of_a_newer_version_is_not_touched(self, tmp_path: Path) -> None:
        Store(tmp_path, create=True).close()
        with sqlite3.connect(tmp_path / "study.sqlite") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        with pytest.raises(UsageError) as caught:
            Store(tmp_path)
        assert caught.value.code == "study_newer"

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        create_study(tmp_path)
        (tmp_path / "study.sqlite").write_bytes(b"not a database at all" * 100)
        with pytest.raises(EnvironmentProblem) as caught:
            Store(tmp_path)
        assert caught.value.code == "database_unavailable"


class TestConfig:
    def test_a_folder_without_it_is_no_study(self, tmp_path: Path) -> None:
        assert not is_study(tmp_path)
        with pytest.raises(UsageError) as caught:
            Store(tmp_path)
        assert caught.value.code == "not_a_study"
        assert list(tmp_path.iterdir()) == []

    def test_it_is_written_once(self, tmp_path: Path) -> None:
        create_study(tmp_path)
        (tmp_path / "study.toml").write_text('format = 1\ndatabase = "mine.sqlite"\n', encoding="utf-8")
        assert create_study(tmp_path).database == "mine.sqlite"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ("format = 2", "study_newer"),
            ("format = [", "not_a_study"),
            ("database = 3", "not_a_study"),
            ('database = "postgresql://me:secret@host/x"', "not_a_study"),
        ],
    )
    def test_what_it_may_not_say(self, tmp_path: Path, content: str, code: str) -> None:
        (tmp_path / "study.toml").write_text(content, encoding="utf-8")
        with pytest.raises(UsageError) as caught:
            read_config(tmp_path)
        assert caught.value.code == code

    def test_a_plain_engine_reads_the_same_file(self, file_store: Store) -> None:
        engine = create_engine(f"sqlite:///{file_store.config.file}")
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM sections")).scalar() == 0
        engine.dispose()


class TestBackup:
    def test_it_is_the_study_as_it_was(self, store: Store, tmp_path: Path) -> None:
        store.record(store.begin_run(RUN, [record()]), done(), analyzed(findings()))
        store.append([note("kept")], Target(section_id=findings().section_id), who="A", base_seq=0)
        made = store.back_up()
        assert made.parent == store.folder / "backups"
        store.append([note("later")], Target(section_id=findings().section_id), who="A", base_seq=1)
        again = tmp_path / "again"
        create_study(again)
        shutil.copy(made, again / "study.sqlite")
        with Store(again) as copy:
            assert [e.edit.after for e in copy.edits()] == [{"text": "kept"}]
            assert copy.placements() == store.placements()
            key = analysis_id(findings().section_id, "key")
            assert same(copy.findings(key), store.findings(key))
            with copy.reading() as session:  # the protocol of these tests is none
                assert [problem.where for problem in check_store(session)] == ["protocol efns2010"]
            copy.append([note("on")], Target(section_id=findings().section_id), who="A", base_seq=1)

    def test_nothing_is_overwritten(self, store: Store, tmp_path: Path) -> None:
        there = tmp_path / "there.sqlite"
        there.write_bytes(b"mine")
        with pytest.raises(EnvironmentProblem, match="exists"):
            store.back_up(there)
        with pytest.raises(EnvironmentProblem):
            store.back_up(tmp_path / "there.sqlite" / "x")
        assert there.read_bytes() == b"mine"
        assert list(tmp_path.glob("*.part")) == []

    def test_one_is_made_before_a_migration(
        self, study_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "REVISIONS", ("0001",))
        with Store(study_folder, create=True) as old:
            old.record(old.begin_run(RUN, [record()]), done(), analyzed(findings()))
        assert not (study_folder / "backups").exists()
        monkeypatch.setattr(database, "REVISIONS", REVISIONS)
        with Store(study_folder) as new:
            assert len(new.placements()) == 1
        (made,) = (study_folder / "backups").iterdir()
        assert made.name.endswith(f"-before-{REVISIONS[-1]}.sqlite")
        with sqlite3.connect(made) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
            assert connection.execute("SELECT count(*) FROM objects").fetchone()[0] > 5
        connection.close()
        Store(study_folder).close()
        assert len(list((study_folder / "backups").iterdir())) == 1


class TestPlace:
    def test_a_network_folder_has_no_write_ahead_log_and_one_writer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(place, "file_system", lambda folder: "nfs4")
        monkeypatch.setattr(database, "_BUSY_TIMEOUT_S", 0.2)
        with Store(tmp_path, create=True) as one:
            assert "PostgreSQL" in one.advice[0]
            with one.writing() as session:
                assert session.scalar(text("PRAGMA journal_mode")) == "delete"
                session.execute(text("INSERT INTO info VALUES ('a', 'b')"))
            with pytest.raises(EnvironmentProblem) as caught:
                Store(tmp_path)
            assert "locked" in str(caught.value)
        Store(tmp_path).close()

    def test_this_disk_is_none(self, tmp_path: Path) -> None:
        assert not place.is_on_network(tmp_path)
        with Store(tmp_path, create=True) as opened:
            assert opened.advice == ()

    @pytest.mark.parametrize(("kind", "expected"), [("cifs", True), ("ext4", False), ("NFS4", True)])
    def test_the_deepest_mount_decides(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, expected: bool
    ) -> None:
        import psutil

        def mount(point: Path, kind: str) -> SimpleNamespace:
            return SimpleNamespace(mountpoint=str(point), fstype=kind, opts="rw")

        mounts = [mount(tmp_path, kind), mount(Path("/"), "xfs"), mount(tmp_path / "else", "tmpfs")]
        monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)
        assert place.is_on_network(tmp_path / "study") is expected

    @pytest.mark.skipif(sys.platform == "win32", reason="permissions are those of the folder there")
    def test_a_shared_study_is_for_its_group(self, tmp_path: Path) -> None:
        with Store(tmp_path / "study", create=True, shared=True) as opened:
            assert stat.S_IMODE(opened.folder.stat().st_mode) == 0o2770
            assert stat.S_IMODE(opened.config.file.stat().st_mode) == 0o660
        with study_log(tmp_path / "study"):
            assert stat.S_IMODE((tmp_path / "study" / "ienfd.log").stat().st_mode) == 0o660


class TestServer:
    def test_a_server_that_goes_away_is_said_and_its_study_opens_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: str
    ) -> None:
        monkeypatch.setenv("IENFD_DATABASE_USER", USER)
        admin = create_engine(f"postgresql+psycopg://{USER}@{postgresql}/postgres")
        url = new_database(postgresql)
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        (tmp_path / "study.toml").write_text(f'database = "{url}"\n', encoding="utf-8")
        with Store(tmp_path, create=True) as opened:
            run = opened.begin_run(RUN, [record()])

            def interrupted() -> None:
                with opened.writing() as session:
                    session.execute(text("SELECT 1"))
                    with admin.connect() as other:  # as a server does that is stopped
                        other.execute(text(f"{end} WHERE datname = '{url.rpartition('/')[2]}'"))
                    session.execute(text("SELECT 1"))

            with pytest.raises(EnvironmentProblem) as caught:
                interrupted()
            assert caught.value.code == "database_unavailable"
            opened.record(run, done(), analyzed(findings()))
            assert [p.status for p in opened.placements()] == ["done"]
        admin.dispose()

    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        (tmp_path / "study.toml").write_text('database = "postgresql://127.0.0.1:1/x"\n', encoding="utf-8")
        with pytest.raises(EnvironmentProblem) as caught:
            Store(tmp_path)
        assert caught.value.code == "database_unavailable"
        assert "study.toml" in caught.value.remedy

    def test_a_driver_that_is_not_installed_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "study.toml").write_text('database = "mysql://127.0.0.1/x"\n', encoding="utf-8")
        with pytest.raises(MissingExtraError):
            Store(tmp_path)
