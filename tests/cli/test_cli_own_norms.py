"""`ienfd norms template`, `add` and `build`, and `ienfd recall`, as processes."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import cli_process
import numpy as np
import pytest
from cli_process import ienfd, put, rows, run
from PIL import Image


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(cli_process.ENVIRONMENT, "IENFD_NORMS", str(tmp_path / "norms"))
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


def filled(file: Path, limit_per_mm: float) -> None:
    """Fill in a form with invented figures: one band for each sex."""
    text = file.read_text(encoding="utf-8")
    for cell, value in (
        ('source = ""', 'source = "invented"'), ('verification = ""', 'verification = "invented"'),
        ('length_line = ""', 'length_line = "surface"'), ('n = ""', "n = 200"),
        ('age_lo = ""', "age_lo = 18"), ('age_hi = ""', "age_hi = 90"),
        ('limit_per_mm = ""', f"limit_per_mm = {limit_per_mm}"),
    ):  # fmt: skip
        text = text.replace(cell, value)
    file.write_text(text, encoding="utf-8")


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_a_form_is_written_filled_entered_and_looked_up(images: Path, tmp_path: Path) -> None:
    form = tmp_path / "form.toml"
    assert "Next: fill its empty cells" in done(
        ienfd(images, "norms", "template", "provitera2016", "--out", form)
    )
    again = ienfd(images, "norms", "template", "provitera2016", "--out", form)
    assert (again.returncode, "exists" in again.stderr) == (2, True)
    empty = ienfd(images, "norms", "add", form, "--by", "A. Person")
    assert empty.returncode == 2
    assert "\n  limits 2 (M, ? to ?): limit_per_mm is empty\n" in empty.stderr
    assert "Traceback" not in empty.stderr
    assert ienfd(images, "norms", "add", form).returncode == 2  # nobody is named
    filled(form, 0.5)
    said = done(ienfd(images, "norms", "add", form, "--by", "A. Person"))
    assert "Entered: provitera2016, by A. Person" in said
    assert 'norm_fluorescence = "provitera2016"' in said
    assert "Nothing to do" in done(ienfd(images, "norms", "add", form, "--by", "B. Person"))
    listed = " ".join(done(ienfd(images, "norms", "list")).split())
    assert "provitera2016" in listed
    assert "entered by A. Person" in listed
    shown = done(ienfd(images, "norms", "show", "provitera2016"))
    assert "  source            invented" in shown
    assert "  entered           by A. Person (" in shown
    limits = done(ienfd(images, "norms", "limit", "--age", 56, "--sex", "F", "--stain", "fluorescence"))
    assert "provitera2016: 0.50 /mm" in limits
    assert "n = 200; entered by A. Person" in limits
    filled(form, 0.6)
    form.write_text(form.read_text("utf-8").replace("= 0.5", "= 0.6"), "utf-8")
    other = ienfd(images, "norms", "add", form, "--by", "B. Person")
    assert (other.returncode, "another norm of this id" in other.stderr) == (2, True)
    assert "The former one is kept in" in done(
        ienfd(images, "norms", "add", form, "--by", "B. Person", "--replace")
    )


def test_a_norm_that_was_altered_is_listed_as_not_used(images: Path, tmp_path: Path) -> None:
    form = tmp_path / "form.toml"
    done(ienfd(images, "norms", "template", "provitera2016", "--out", form))
    filled(form, 0.5)
    done(ienfd(images, "norms", "add", form, "--by", "A. Person"))
    kept = tmp_path / "norms" / "provitera2016.toml"
    kept.write_text(kept.read_text("utf-8").replace("= 0.5", "= 0.1"), "utf-8")
    listed = ienfd(images, "norms", "list")
    assert listed.returncode == 0
    assert "provitera2016" not in listed.stdout
    assert "Not used: This norm is not what somebody entered" in listed.stderr
    assert ienfd(images, "norms", "show", "provitera2016").returncode == 2


def healthy(folder: Path, n: int) -> Path:
    """A table of made-up subjects."""
    rng = np.random.default_rng(7)
    lines = ["subject,age_years,sex,density_per_mm"]
    for number in range(n):
        sex, age = "FM"[number % 2], rng.uniform(20, 80)
        density = 13 - 0.08 * age + (sex == "F") + 1.5 * rng.normal()
        lines.append(f"S{number},{age:.1f},{sex},{density:.2f}")
    path = folder / "healthy.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def built(images: Path, table: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return ienfd(
        images, "norms", "build", table, "--out", out, "--id", "own2026", "--by", "A. Person", "--stain",
        "bright-field", "--section-um", 50, "--length-line", "surface", "--resamples", 100,
    )  # fmt: skip


def test_a_norm_of_ones_own_is_built_and_entered(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "own.toml"
    said = done(built(images, healthy(tmp_path, 60), out))
    assert "own2026: 60 subjects (30 men, 30 women), provisional" in said
    with Image.open(out.with_suffix(".png")) as picture:
        assert picture.size == (1120, 520)
        assert len(picture.getcolors(1 << 20) or ()) > 50
    once = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (out, out.with_suffix(".png"))]
    again = built(images, tmp_path / "healthy.csv", out)
    assert (again.returncode, "exists" in again.stderr) == (2, True)
    for file in (out, out.with_suffix(".png")):
        file.unlink()
    done(built(images, tmp_path / "healthy.csv", out))
    assert [hashlib.sha256(f.read_bytes()).hexdigest() for f in (out, out.with_suffix(".png"))] == once
    done(ienfd(images, "norms", "add", out, "--by", "B. Person"))
    shown = done(ienfd(images, "norms", "show", "own2026"))
    assert "  provisional       yes" in shown
    assert "bootstrap intervals (95 %)" in shown
    few = built(images, healthy(tmp_path, 39), tmp_path / "few.toml")
    assert few.returncode == 2
    assert "too few subjects" in few.stderr
    assert not (tmp_path / "few.toml").exists()


def test_a_study_is_called_by_a_norm_of_ones_own(images: Path, tmp_path: Path) -> None:
    put(images, a="good 1", b="good 2", c="good 3", d="good 4")
    (images / "cases.csv").write_text(
        "file,case_id,age_years,sex,site,section_um,planes\n*.tif,P1,56,F,ankle,50,projection\n"
    )
    done(run(images))
    study = images.parent / "study"
    before = {name: rows(images, name) for name in ("sections", "crossings", "biopsies")}
    assert (before["biopsies"][0]["norm_id"], before["biopsies"][0]["below_norm"]) == ("bursova2012", "true")
    unknown = ienfd(images, "recall", study, "--norm", "provitera2016")
    assert unknown.returncode == 2
    assert "bursova2012, collongues2018" in unknown.stderr
    assert ienfd(images, "recall", images, "--norm", "bursova2012").returncode == 2  # no study
    form = tmp_path / "form.toml"
    done(ienfd(images, "norms", "template", "provitera2016", "--out", form))
    filled(form, 0.25)
    done(ienfd(images, "norms", "add", form, "--by", "A. Person"))
    wrong = ienfd(images, "recall", study, "--norm", "provitera2016", "--stain", "bright-field")
    assert (wrong.returncode, "provitera2016 is for fluorescence" in wrong.stderr) == (2, True)
    (images / "a.tif").unlink()  # no image is looked at
    said = " ".join(done(ienfd(images, "recall", study, "--norm", "provitera2016")).split())
    assert "Not below the limit of 0.25 /mm (provitera2016)" in said
    assert "4 sections: 4 ok." in said
    (biopsy,) = rows(images, "biopsies")
    assert (biopsy["norm_id"], biopsy["below_norm"]) == ("provitera2016", "false")
    assert biopsy["density_per_mm"] == before["biopsies"][0]["density_per_mm"]
    assert rows(images, "crossings") == before["crossings"]
    assert (study / "norms" / "provitera2016.toml").is_file()
    assert ienfd(images, "verify", study, "--no-images").returncode == 0
    assert "Last run: finished" in done(ienfd(images, "status", study))


def test_a_protocol_may_name_a_norm_of_ones_own(images: Path, tmp_path: Path) -> None:
    put(images, a="good 1")
    protocol = tmp_path / "lab.toml"
    protocol.write_text('[call]\nnorm_fluorescence = "provitera2016"\n', encoding="utf-8")
    refused = run(images, "--protocol", protocol)
    assert (refused.returncode, "no norm of this name" in refused.stderr) == (2, True)
    form = tmp_path / "form.toml"
    done(ienfd(images, "norms", "template", "provitera2016", "--out", form))
    filled(form, 0.25)
    done(ienfd(images, "norms", "add", form, "--by", "A. Person"))
    done(run(images, "--protocol", protocol))
    assert rows(images, "biopsies")[0]["norm_id"] == "provitera2016"
    form.write_text(form.read_text("utf-8").replace("= 0.25", "= 0.3"), "utf-8")
    done(ienfd(images, "norms", "add", form, "--by", "A. Person", "--replace"))
    differs = run(images, "--protocol", protocol)
    assert (differs.returncode, "another norm of this id" in differs.stderr) == (2, True)
