"""`ienfd run` and `ienfd status` as processes: what they print, write and return."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_process import ENVIRONMENT, command, events, ienfd, put, rows, run, tables
from rich.console import Console

from ienfd.batch.report import BiopsyLine, RunReport, Trouble
from ienfd.cli.console import print_report


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def test_a_folder_becomes_a_study_and_the_second_run_analyzes_nothing(images: Path) -> None:
    put(images, a="good 1", b="good 2", c="good 3")
    (images / "notes.txt").touch()
    (images / "cases.csv").write_text(
        "file;case_id;age_years;sex;site;section_um;planes\n*.tif;P1;56,5;f;ankle;50;projection\n",
        encoding="utf-8-sig",
    )
    before = sorted(path.name for path in images.iterdir())
    first = run(images)
    assert (first.returncode, first.stderr) == (0, "")
    assert "P1_distal_leg" in first.stdout
    assert "3 sections: 3 ok. 2 other files skipped." in first.stdout
    (biopsy,) = rows(images, "biopsies")
    assert (biopsy["sections_evaluable"], biopsy["below_norm"], biopsy["norm_id"]) == (
        "3", "true", "bursova2012",
    )  # fmt: skip
    once = tables(images)
    second = run(images, "--progress", "json")
    assert second.returncode == 0
    end = events(second.stdout)[-1]
    assert (end["event"], end["ok"], end["analyzed"]) == ("end", 3, 0)
    assert tables(images) == once
    assert sorted(path.name for path in images.iterdir()) == before
    status = ienfd(images, "status", images.parent / "study")
    assert status.returncode == 0
    assert "1 biopsy, 3 sections" in status.stdout
    assert "Next: ienfd review" in status.stdout


def test_a_file_that_fails_gives_3_and_the_rest_is_done(images: Path) -> None:
    put(images, good="good 1", short="truncated 1", empty="")
    done = run(images)
    assert done.returncode == 3
    assert {row["file"]: (row["status"], row["reason"]) for row in rows(images)} == {
        "good.tif": ("ok", ""), "short.tif": ("failed", "truncated"), "empty.tif": ("failed", "empty_file"),
    }  # fmt: skip
    for said in ("short.tif", "The file ends before its image does.", "Copy the file again"):
        assert said in " ".join(done.stdout.split())
    assert "put right the files that failed" in ienfd(images, "status", images.parent / "study").stdout


def test_a_refusal_gives_0_and_3_only_when_strict(images: Path) -> None:
    put(images, a="uncalibrated 1")
    assert run(images).returncode == 0
    assert run(images, "--strict").returncode == 3
    assert [row["reason"] for row in rows(images)] == ["uncalibrated"]
    assert run(images, "--strict", "--pixel-size-um", "0.5").returncode == 0
    assert [(row["status"], row["pixel_size_source"]) for row in rows(images)] == [("ok", "option")]


def test_json_lines_are_all_of_the_output(images: Path) -> None:
    put(images, a="good 1", b="truncated 1")
    done = run(images, "--progress", "json")
    said = events(done.stdout)
    assert [event["event"] for event in said] == ["plan", "row", "row", "end"]
    assert {(event["file"], event["status"]) for event in said[1:3]} == {("a.tif", "ok"), ("b.tif", "failed")}
    assert (said[-1]["ok"], said[-1]["failed"], said[-1]["interrupted"]) == (1, 1, False)


def test_a_dry_run_writes_nothing(images: Path) -> None:
    put(images, a="good 1", b="good 2")
    done = run(images, "--dry-run")
    assert done.returncode == 0
    assert "2 sections: 2 analyze. Nothing was written." in done.stdout.replace("\n", " ")
    assert not (images.parent / "study").exists()
    run(images)
    put(images, c="good 3")
    assert "3 sections: 2 done, 1 analyze." in run(images, "--dry-run").stdout


class TestUsage:
    def test_all_problems_of_a_case_table_are_listed(self, images: Path) -> None:
        put(images, a="good 1")
        (images / "cases.csv").write_text(
            "file,case_id,age_years\na.tif,,abc\nb.tif,C,130\n", encoding="utf-8"
        )
        done = run(images)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.splitlines() == [
            "ienfd: The case table is not valid.",
            f"{images / 'cases.csv'}:",
            "  row 2: case_id is blank",
            "  row 2: age_years: 'abc' is not a number",
            "  row 3: age_years: 130 is not an age from 0 to 120",
            "Correct the rows named above.",
        ]
        assert not (images.parent / "study").exists()

    @pytest.mark.parametrize(
        "options",
        [("--name-pattern", "{who}_*"), ("--cases", "nowhere.csv"), ("--pixel-size-um", "-1"), ("--what",)],
    )
    def test_options(self, images: Path, options: tuple[str, ...]) -> None:
        put(images, a="good 1")
        assert run(images, *options).returncode == 2
        assert not (images.parent / "study").exists()

    def test_no_images(self, images: Path) -> None:
        assert run(images).returncode == 2
        assert ienfd(images, "status", images).returncode == 2


def test_a_study_that_cannot_be_written_gives_1(images: Path) -> None:
    put(images, a="good 1")
    (images.parent / "study").mkdir()
    (images.parent / "study" / "sections.csv").mkdir()  # nothing can be put in its place
    done = run(images)
    assert done.returncode == 1
    assert "The study folder cannot be written." in done.stderr
    (images.parent / "study" / "sections.csv").rmdir()
    assert run(images).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="sends the signal of a POSIX terminal")
def test_an_interrupted_run_is_gone_on_with(images: Path) -> None:
    put(images, **{f"slow{n}": f"slow {n}" for n in range(8)})
    arguments = ["run", images, "--out", images.parent / "study", "--workers", 1, "--progress", "json"]
    process = subprocess.Popen(
        command(images, arguments), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["event"] != "row":
        pass
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    end = events(out)[-1]
    assert end["interrupted"] is True
    statuses = {row["status"] for row in rows(images)}
    assert statuses == {"ok", "pending"}
    status = ienfd(images, "status", images.parent / "study").stdout
    assert "(goes on where it was interrupted)" in " ".join(status.split())
    assert run(images).returncode == 0
    assert run(images, out="fresh").returncode == 0
    assert tables(images) == tables(images, "fresh")


REPORT = RunReport(
    Path("results"),
    ok=4,
    refused=1,
    failed=1,
    analyzed=5,
    biopsies=(
        BiopsyLine("C1", 3, 3, 4.04, 2.13, 6.27, 4.87, "Below, borderline: read more.", True, True),
        BiopsyLine("[bold]a long name of a file[/] " * 4, 1, 2, 9.9, 5.0, 15.0, None, "Withheld."),
        BiopsyLine("C2", 0, 2, None, None, None, None, "Withheld."),
        BiopsyLine("d.tif", 0, 1, None, None, None, None, "Withheld, but that is said below."),
    ),
    troubles=(Trouble("d.tif", "failed", "corrupt", "The file is damaged.", "Copy the file again."),),
    warnings=("no row for d.tif",),
    skipped=1,
)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_summary_fits_and_says_everything(width: int) -> None:
    console = Console(width=width, file=io.StringIO(), highlight=False, markup=False, emoji=False)
    print_report(console, REPORT)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    for said in (
        "4.0", "2.1 to 6.3", "4.87", "below, borderline", "C1: Below, borderline: read more.",
        "The file is damaged. Copy the file again.", "Note: no row for d.tif",
        "6 sections: 4 ok, 1 refused, 1 failed. 1 other file skipped.",
    ):  # fmt: skip
        assert said in words
    assert "[bold]" in text
    assert words.count("Withheld.") == 1  # said once for both biopsies
    assert "said below" not in words


def test_the_table_of_rules_is_written_when_it_is_asked_for(images: Path) -> None:
    put(images, a="fine", b="uncalibrated")
    plain = run(images)
    assert plain.returncode == 0, plain.stderr
    assert not (images.parent / "study" / "rule_table.csv").exists()
    asked = run(images, "--rule-table")
    assert asked.returncode == 0, asked.stderr
    assert "fragments=include" in asked.stdout
    counted = rows(images, "rule_table")
    assert {row["file"] for row in counted} == {"a.tif"}
    (own,) = [row for row in counted if row["is_protocol"] == "true"]
    (section,) = [row for row in rows(images) if row["status"] == "ok"]
    assert {own[name] == section[name] for name in ("section_id", "length_line", "protocol_hash")} == {True}
    described = {row["column"] for row in rows(images, "data_dictionary") if row["table"] == "rule_table.csv"}
    assert described == set(own)
