"""`ienfd run` on images: a phantom, and files that are none, through reading, analysis, store and tables."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ienfd.phantom import PhantomSpec, make, write

IENFD = [sys.executable, "-c", "import sys; from ienfd.cli import main; sys.exit(main())"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch") / "images"
    spec = PhantomSpec(stain="fluorescence", length_mm=0.5, pixel_size_um=0.5)
    write(make(spec, 1), folder, "phantom")
    (folder / "empty.tif").touch()
    (folder / "letter.png").write_text("Dear colleague", encoding="utf-8")
    blank = np.full((300, 300), 7, np.uint8)
    tifffile.imwrite(folder / "blank.tif", blank, resolution=(20_000, 20_000), resolutionunit="CENTIMETER")
    (folder / "cases.csv").write_text(
        "file,case_id,biopsy_id,age_years,sex,site,section_um,planes\n"
        "phantom.ome.tif,SYN1,B1,56,F,distal_leg,50,projection\n",
        encoding="utf-8",
    )
    return folder


def run(images: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*IENFD, "run", str(images), "--out", str(images.parent / "study"), "--workers", "2", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def rows(images: Path, table: str) -> list[dict[str, str]]:
    text = (images.parent / "study" / f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_file_is_a_row_and_the_second_run_changes_nothing(images: Path) -> None:
    before = sorted(path.relative_to(images) for path in images.rglob("*"))
    done = run(images)
    assert (done.returncode, done.stderr) == (3, "")
    sections = {row["file"]: row for row in rows(images, "sections")}
    assert {name: (row["status"], row["reason"]) for name, row in sections.items()} == {
        "phantom.ome.tif": ("ok", ""),
        "blank.tif": ("refused", "blank"),
        "empty.tif": ("failed", "empty_file"),
        "letter.png": ("failed", "not_an_image"),
    }
    assert all(row["reason_text"] and row["remedy"] for row in sections.values() if row["status"] != "ok")

    phantom = sections["phantom.ome.tif"]
    counted = [row for row in rows(images, "crossings") if row["counted"] == "true"]
    assert int(phantom["crossings"]) == len(counted) > 0
    assert float(phantom["density_per_mm"]) == pytest.approx(
        len(counted) / float(phantom["evaluable_length_mm"]), abs=1e-4
    )
    assert (phantom["pixel_size_um"], phantom["pixel_size_source"]) == ("0.5", "ome")
    assert (images.parent / "study" / phantom["overlay"]).stat().st_size > 10_000
    (biopsy,) = (row for row in rows(images, "biopsies") if row["case_id"] == "SYN1")
    assert (biopsy["crossings"], biopsy["below_norm"]) == (phantom["crossings"], "")
    assert biopsy["withheld_reasons"] == "too_few_sections|too_short"

    once = {path.name: path.read_bytes() for path in (images.parent / "study").glob("*.csv")}
    again = run(images, "--progress", "json")
    assert again.returncode == 3
    assert json.loads(again.stdout.splitlines()[-1])["analyzed"] == 0
    assert {path.name: path.read_bytes() for path in (images.parent / "study").glob("*.csv")} == once
    assert sorted(path.relative_to(images) for path in images.rglob("*")) == before
