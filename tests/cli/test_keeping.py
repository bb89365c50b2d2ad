"""`ienfd verify`, `ienfd backup` and `ienfd watch` as processes."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from cli_process import ENVIRONMENT, TABLES, command, ienfd, put, rows, run

from ienfd.correction.commands import note, review
from ienfd.correction.correct import reviewed_figures
from ienfd.study.log import Target
from ienfd.study.store import Store


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    put(folder, a="good 1", b="good 2")
    assert run(folder).returncode == 0
    return folder


def test_an_untouched_study_is_well(images: Path) -> None:
    done = ienfd(images, "verify", images.parent / "study")
    assert done.returncode == 0, done.stderr
    assert "Checked 0 edits and 2 images: 0 problems." in done.stdout
    assert "ends at 0, " in done.stdout


def test_what_was_altered_is_named_and_gives_3(images: Path) -> None:
    study = images.parent / "study"
    with Store(study) as store:
        section = str(store.placements()[0].section_id)
        store.append([note("one"), note("two")], Target(section_id=section), who="A. Reader", base_seq=0)
    with sqlite3.connect(study / "study.sqlite") as connection:
        connection.executescript("DROP TRIGGER edits_no_update; UPDATE edits SET who = 'B' WHERE seq = 1")
    connection.close()
    put(images, b="another")
    (images / "a.tif").unlink()
    done = ienfd(images, "verify", study)
    assert done.returncode == 3
    assert "edit 1: was altered after it was written" in done.stdout
    assert "a.tif: is no longer there" in done.stdout
    assert "b.tif: is not the file that was analyzed" in done.stdout
    assert "3 problems" in done.stdout
    done = ienfd(images, "verify", study, "--no-images")
    assert "Checked 2 edits: 1 problem." in done.stdout


def test_a_backup_is_a_study_in_place_of_its_database(images: Path, tmp_path: Path) -> None:
    study, file = images.parent / "study", tmp_path / "kept" / "copy.sqlite"
    done = ienfd(images, "backup", study, "--to", file)
    assert done.returncode == 0, done.stderr
    assert str(file) in done.stdout
    again = ienfd(images, "backup", study, "--to", file)
    assert again.returncode == 1
    assert "exists" in again.stderr
    assert ienfd(images, "backup", study).returncode == 0
    assert len(list((study / "backups").iterdir())) == 1
    before = (study / "sections.csv").read_bytes()
    for name in ("study.sqlite", "sections.csv"):
        (study / name).unlink()
    shutil.copy(file, study / "study.sqlite")
    assert run(images).returncode == 0
    assert (study / "sections.csv").read_bytes() == before


def test_a_folder_that_is_no_study(images: Path) -> None:
    for name in ("verify", "backup"):
        done = ienfd(images, name, images)
        assert done.returncode == 2
        assert "not a study" in done.stderr


def test_files_are_taken_up_while_they_come(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    put(inbox, first="good 1")
    watching = subprocess.Popen(
        command(inbox, ["watch", inbox, "--out", tmp_path / "study", "--workers", 1, "--every", 0.1,
                        "--settle", 0.3, "--until-idle", 8, "--progress", "json"]),
        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stdout is not None
    for line in watching.stdout:
        if '"end"' in line:
            break
    put(inbox, second="good 2")
    _, errors = watching.communicate(timeout=100)
    assert watching.returncode == 0, errors
    assert [row["status"] for row in rows(inbox)] == ["ok", "ok"]


def test_an_export_under_numbers_holds_no_name(images: Path, tmp_path: Path) -> None:
    (images / "cases.csv").write_text("file,case_id,doctor\na.tif,Miller,Hope\nb.tif,Miller,Hope\n")
    assert run(images).returncode == 0
    study = images.parent / "study"
    done = ienfd(images, "export", study, "--out", tmp_path / "plain")
    assert done.returncode == 0, done.stderr
    assert "2 sections written" in done.stdout
    for name in TABLES:
        assert (tmp_path / "plain" / name).read_bytes() == (study / name).read_bytes()
    plain = {file.name: file.read_bytes() for file in (tmp_path / "plain" / "overlays").iterdir()}
    assert set(plain) == {file.name for file in (study / "overlays").iterdir()}
    done = ienfd(images, "export", study, "--out", tmp_path / "hidden", "--deidentify")
    assert done.returncode == 0, done.stderr
    files = [file for file in (tmp_path / "hidden").rglob("*") if file.is_file()]
    assert len(files) == len(TABLES) + 2  # and both overlays
    for file in files:
        assert b"Miller" not in file.read_bytes()
        assert b"Hope" not in file.read_bytes()
        assert file.read_bytes() not in plain.values()  # the names stand in the pictures, too
    assert ienfd(images, "export", study, "--out", study / "x").returncode == 2


def test_a_biopsy_that_nobody_has_reviewed_is_not_signed(images: Path) -> None:
    (images / "cases.csv").write_text("file,case_id\na.tif,P1\nb.tif,P1\n")
    assert run(images).returncode == 0
    study = images.parent / "study"
    done = ienfd(images, "sign", study, "--case", "P1", "--by", "Dr. Sign")
    assert done.returncode == 2
    assert "a.tif: it has not been reviewed" in done.stderr
    assert ienfd(images, "sign", study, "--case", "P9", "--by", "Dr. Sign").returncode == 2
    with Store(study) as store:
        for place in store.placements():
            result = store.results([str(place.analysis_id)], place.rules_key)[str(place.analysis_id)]
            target = Target(section_id=place.section_id, analysis_id=place.analysis_id)
            store.append([review("reviewed", reviewed_figures(result))], target, who="A", base_seq=0)
    done = ienfd(images, "sign", study, "--case", "P1", "--by", "Dr. Sign", "--why", "no second reader here")
    assert done.returncode == 0, done.stderr
    assert "Signed in ienfd (final) by Dr. Sign" in done.stdout
    assert rows(images, "biopsies")[0]["status"] == "final"
    assert ienfd(images, "verify", study).returncode == 0
