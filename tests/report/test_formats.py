"""What holds for every format: the same bytes, no names under numbers, and what to install."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.reliability import studies
from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.formats import FORMATS, exporter
from ienfd.cli.export import export
from ienfd.cli.main import main
from ienfd.errors import MissingExtraError, UsageError
from ienfd.result import Branch, FiberGraph, Findings, Piece, Stretch
from ienfd.study.store import Store

TABLES = ("csv", "xlsx", "parquet")
SECTIONS = ("geojson", "imagej-roi", "label-tiff")
SUFFIXES = dict(zip(SECTIONS, (".geojson", ".zip", "_labels.ome.tif"), strict=True))
SECRET = (
    "Millerova",
    "1943-02-17",
    "2024-05-17",
    "MRN-778",
    "Dr. Hope",
    "ward 7",
    "left leg of",
    "Laboratory X",
)
FILES = [
    of_biopsy(f"Millerova 1943-02-17/left leg of {n}.tif", "Millerova", f"Millerova-{n}",
              patient_id="MRN-778", collection_date="2024-05-17",
              extra={"orderer": "Dr. Hope", "of Millerova": "ward 7"})
    for n in range(3)
] + [
    of_biopsy("Millerova/old.tif", "Millerova-senior", age_years=93.0, side="left leg of Millerova"),
    of_biopsy("b.tif", "Millerova", "Millerova-0", status="refused", reason="junction_uncertain",
              detail="Millerova/b.tif"),
    File("Millerova alone.tif", status="failed", reason="truncated", detail="Millerova alone.tif"),
]  # fmt: skip
WITH_RESULT = 5


def findings(file: File, key: str) -> Findings:
    cols = np.linspace(0.0, 300.0, 61)
    surface, junction = (np.column_stack([np.full(61, row), cols]) for row in (40.0, 90.0))
    path = np.array([[60.0, 100.0], [90.0, 101.0], [120.0, 102.0]])
    branch = Branch(0, 1, path, np.ones(3), np.zeros(3, bool), width_um=1.5)
    return Findings(
        section_id=file.section_id, analysis_key=key, stain="bright-field", pixel_size_um=0.5,
        shape=(150, 301), pieces=(Piece(surface, junction, np.full(61, 0.9)),),
        exclusions=(Stretch(0, 20.0, 40.0, "appendage"),),
        graph=FiberGraph(path[[0, 2]], (branch,)), detail=file.detail,
        refusal=file.reason if file.status == "refused" else None,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(studies, "_findings", findings)
    with Store(tmp_path / "Laboratory X", create=True) as opened:
        fill(opened, FILES)
        yield opened


def written(store: Store, form: str, out: Path, *, deidentify: bool = False) -> dict[str, bytes]:
    exporter(form)(store, out, deidentify=deidentify)
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def laid_open(data: bytes) -> bytes:
    """All that a file holds, out of its compression."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    if data.startswith(b"PAR1"):
        table = import_module("pyarrow.parquet").read_table(io.BytesIO(data))
        fields = [(field.name, field.metadata) for field in table.schema]
        return repr((table.to_pylist(), table.schema.metadata, fields)).encode() + data
    return data


def held(data: bytes, text: str) -> bool:
    return any(text.encode(code) in data for code in ("utf-8", "utf-16-le", "utf-16-be"))


@pytest.mark.parametrize("form", [*TABLES, *SECTIONS])
def test_the_same_study_gives_the_same_bytes(store: Store, tmp_path: Path, form: str) -> None:
    one, two = (written(store, form, tmp_path / name) for name in ("one", "two"))
    assert one
    assert one == two


@pytest.mark.parametrize("form", [*TABLES, *SECTIONS])
def test_under_numbers_no_byte_holds_a_name(store: Store, tmp_path: Path, form: str) -> None:
    hidden = written(store, form, tmp_path / "hidden", deidentify=True)
    assert hidden
    for name, data in hidden.items():
        found = [secret for secret in SECRET if held(laid_open(data), secret) or secret in name]
        assert found == [], name


@pytest.mark.parametrize("form", TABLES)
def test_with_names_they_are_there(store: Store, tmp_path: Path, form: str) -> None:
    """Else the test above would see nothing."""
    everything = b"".join(map(laid_open, written(store, form, tmp_path / "out").values()))
    plain = [secret for secret in SECRET if secret not in ("Laboratory X", "2024-05-17")]
    assert [secret for secret in plain if not held(everything, secret)] == []


@pytest.mark.parametrize(("form", "suffix"), SUFFIXES.items())
def test_each_section_with_a_result_is_a_file_named_as_its_overlay(
    store: Store, tmp_path: Path, form: str, suffix: str
) -> None:
    stems = ("left_leg_of_0", "left_leg_of_1", "left_leg_of_2", "old", "b")
    names = {f"{stem}_{file.section_id[:8]}{suffix}" for stem, file in zip(stems, FILES, strict=False)}
    assert set(written(store, form, tmp_path / "out")) == names
    assert exporter(form)(store, tmp_path / "hidden", deidentify=True) == WITH_RESULT
    assert all(path.name.startswith("section-") for path in (tmp_path / "hidden").iterdir())


@pytest.mark.parametrize("form", TABLES)
def test_tables_count_every_section(store: Store, tmp_path: Path, form: str) -> None:
    assert exporter(form)(store, tmp_path / "out", deidentify=False) == len(FILES)


@pytest.mark.parametrize("form", SECTIONS[1:])
def test_a_section_in_which_nothing_was_found_has_no_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    def nothing(file: File, key: str) -> Findings:
        return Findings(file.section_id, key, None, None, (0, 0), refusal="uncalibrated")

    def refused(file: File, found: Findings, protocol: Any) -> Any:
        return replace(result(file, found, protocol), crossings=())

    result = studies._result
    monkeypatch.setattr(studies, "_findings", nothing)
    monkeypatch.setattr(studies, "_result", refused)
    with Store(tmp_path / "another", create=True) as another:
        fill(another, [of_biopsy("a.tif", status="refused", reason="uncalibrated")])
        assert exporter(form)(another, tmp_path / "out", deidentify=False) == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", [*TABLES, *SECTIONS])
def test_names_are_not_left_beside_numbers_nor_anything_in_the_study(
    store: Store, tmp_path: Path, form: str
) -> None:
    exporter(form)(store, tmp_path / "out", deidentify=False)
    with pytest.raises(UsageError, match="not empty"):
        exporter(form)(store, tmp_path / "out", deidentify=True)
    with pytest.raises(UsageError, match="lies in the study"):
        exporter(form)(store, store.folder / "out", deidentify=False)


@pytest.mark.parametrize(("form", "module"), [("parquet", "pyarrow"), ("imagej-roi", "roifile")])
def test_a_part_that_is_not_installed_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, form: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ienfd\[exports\]'"):
        exporter(form)(store, tmp_path / "out", deidentify=False)
    assert main(["export", str(store.folder), "--format", form, "--out", str(tmp_path / "out")]) == 1
    assert "ienfd[exports]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", [*TABLES, *SECTIONS])
def test_the_command_writes_it(store: Store, tmp_path: Path, form: str) -> None:
    asked = [str(store.folder), "--format", form, "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(export, asked, standalone_mode=False)
    assert (done.exception, done.return_value) == (None, 0)
    assert f"{len(FILES) if form in TABLES else WITH_RESULT} sections written" in done.output
    assert any((tmp_path / "out").iterdir())


def test_every_format_has_a_function_and_a_line_of_help() -> None:
    shown = CliRunner().invoke(export, ["--help"]).output
    for name, (_, line) in FORMATS.items():
        assert callable(exporter(name))
        assert line in shown
