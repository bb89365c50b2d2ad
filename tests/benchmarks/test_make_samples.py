"""The sample images: those in the repository are the ones that the script describes."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

import ienfd
from benchmarks import make_samples
from benchmarks.accuracy.plan import DEVELOPMENT_SEEDS_BELOW
from benchmarks.make_samples import BIOPSIES, REAL_FILE, REAL_SHA256, Biopsy, Sample
from ienfd.norms import load
from ienfd.phantom import PhantomSpec, make

SAMPLES = Path(__file__).parents[2] / "sample_images"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_image_is_in_the_tables_and_says_that_it_is_synthetic() -> None:
    files = {path.name for path in SAMPLES.iterdir() if path.suffix in {".tif", ".svs"}}
    assert files == {row["file"] for row in rows(SAMPLES / "cases.csv")}
    assert len(files) == 10
    assert files - {REAL_FILE} == {row["file"] for row in rows(SAMPLES / "truth.csv")}
    assert all(name.startswith("synthetic_") for name in files - {REAL_FILE})
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 40_000_000


def test_the_real_fragment_is_unchanged_and_is_a_case_of_its_own() -> None:
    assert hashlib.sha256((SAMPLES / REAL_FILE).read_bytes()).hexdigest() == REAL_SHA256
    assert "CC0" in (SAMPLES / "README.md").read_text("utf-8")
    (own,) = (row for row in rows(SAMPLES / "cases.csv") if row["file"] == REAL_FILE)
    assert [row["case_id"] for row in rows(SAMPLES / "cases.csv")].count(own["case_id"]) == 1


def test_the_truth_of_the_three_biopsies_is_as_they_are_named() -> None:
    truth = {row["file"]: row for row in rows(SAMPLES / "truth.csv")}
    density = {}
    for biopsy in BIOPSIES:
        own = [row for file, row in truth.items() if file.startswith(f"synthetic_{biopsy.name}_")]
        length_mm = sum(float(row["surface_length_mm"]) for row in own)
        assert len(own) == 3
        assert length_mm >= 3.6
        limit = load(biopsy.norm_id).limit_per_mm(biopsy.age_years, biopsy.sex)
        density[biopsy.name] = sum(int(row["true_crossings"]) for row in own) / length_mm / limit
    assert density["low"] < 0.5
    assert density["normal"] > 1.7
    assert 0.75 < density["borderline"] < 1.25


def test_every_crossing_of_the_truth_has_its_place() -> None:
    places = rows(SAMPLES / "truth_crossings.csv")
    for row in rows(SAMPLES / "truth.csv"):
        assert sum(place["file"] == row["file"] for place in places) == int(row["true_crossings"])


def test_seeds_and_formats() -> None:
    samples = [sample for biopsy in BIOPSIES for sample in biopsy.samples]
    seeds = {sample.seed for sample in samples}
    assert len(seeds) == 9
    assert max(seeds) < DEVELOPMENT_SEEDS_BELOW
    assert {sample.format for sample in samples} == {"ome-tiff", "imagej", "svs", "tiff"}
    assert any(sample.differs.get("planes") == "stack" for sample in samples)


def test_files_carry_scale_and_the_tables_their_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = PhantomSpec(stain="fluorescence", pixel_size_um=1.0, length_mm=0.15, dermis_um=50.0)
    formats = (Sample(1, "ome-tiff"), Sample(2, "imagej", {"glass_um": 20.0}))
    monkeypatch.setattr(make_samples, "BIOPSIES", (Biopsy("tiny", 30, "M", spec, formats),))
    made = [tmp_path / name for name in ("first", "again")]
    for folder in made:
        make_samples.main([str(folder)])
    sections = [ienfd.read(path) for path in sorted(made[0].glob("synthetic_tiny_*"))]
    assert [section.calibration.source for section in sections] == ["ome", "imagej"]
    assert [section.pixel_size_um for section in sections] == pytest.approx([1.0, 1.0])
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in made)
    assert first == second
    cases = rows(made[0] / "cases.csv")
    people = {(row["case_id"], row["age_years"], row["sex"]) for row in cases}
    assert people == {("SYNTHETIC-TINY", "30", "M"), ("REAL-SKIN-HE", "", "")}
    truth = make(replace(spec, glass_um=20.0), 2).truth
    assert rows(made[0] / "truth.csv")[1]["true_crossings"] == str(len(truth.crossings))


def test_another_file_is_not_taken_for_the_real_fragment(tmp_path: Path) -> None:
    other = tmp_path / "other.svs"
    other.write_bytes(b"not it")
    with pytest.raises(ValueError, match="not CMU-1-Small-Region"):
        make_samples.copy_real(other, tmp_path)
