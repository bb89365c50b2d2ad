"""Nothing in an export under numbers tells whose it is, and everything else is as it was."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.report.content import gather
from ienfd.report.deidentify import deidentified, place_of
from ienfd.report.tables import make_tables
from ienfd.study.store import Store

SECRET = ("Miller", "1943-02-17", "MRN-778", "Dr. Hope", "ward 7", "left leg of")
FILES = [
    of_biopsy(f"Miller 1943-02-17/left leg of {n}.tif", "Miller", f"Miller-{side}", patient_id="MRN-778",
              collection_date="2024-05-17", side=side, extra={"orderer": "Dr. Hope", "note": "ward 7"})
    for n, side in enumerate(["left", "left", "left", "right"])
] + [
    of_biopsy("Miller/other.tif", "Miller-junior", age_years=93.0),
    File("Miller alone.tif", status="failed", reason="truncated", detail="Miller alone.tif: 1943-02-17"),
    of_biopsy("b.tif", "Miller", "Miller-left", status="refused", reason="uncalibrated", detail="Miller"),
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        fill(opened, FILES)
        yield opened


def tables(store: Store, *, hidden: bool) -> dict[str, list[dict[str, str]]]:
    content = gather(store)
    shown = deidentified(content, store.study_id())[0] if hidden else content
    return {
        name: list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))
        for name, data in make_tables(shown).items()
    }


def test_no_table_holds_a_name(store: Store) -> None:
    shown, rows = deidentified(gather(store), store.study_id())
    text = "".join(data.decode("utf-8") for data in make_tables(shown).values())
    assert not [secret for secret in SECRET if secret in text]
    assert "2024-05" not in text
    assert "93" not in {row["age_years"] for row in tables(store, hidden=True)["biopsies.csv"]}
    assert len({place.path for place in rows.values()}) == 7
    assert all(re.fullmatch("section-[0-9a-f]{10}", place.path) for place in rows.values())


def test_every_number_is_as_it_was(store: Store) -> None:
    plain, hidden = (tables(store, hidden=hide) for hide in (False, True))
    said = ("case_id", "biopsy_id", "file", "patient_id", "collection_date", "age_years", "overlay",
            "reason_text", "orderer", "note", "case_note")  # fmt: skip
    for name in ("sections.csv", "biopsies.csv", "crossings.csv"):
        one, two = (
            sorted(tuple(sorted((k, v) for k, v in row.items() if k not in said)) for row in each[name])
            for each in (plain, hidden)
        )
        assert one == two


def test_what_belongs_together_stays_together(store: Store) -> None:
    hidden = tables(store, hidden=True)["biopsies.csv"]
    cases = sorted((row["case_id"], row["sections"]) for row in hidden)
    assert len(hidden) == 4
    assert len({case for case, _ in cases}) == 3
    assert sorted(row["sections"] for row in hidden) == ["1", "1", "1", "4"]
    assert len({row["patient_id"] for row in hidden if row["patient_id"]}) == 1
    assert all(row["biopsy_id"].startswith(row["case_id"]) for row in hidden)


def test_a_number_stays_and_is_another_one_in_another_study(store: Store, tmp_path: Path) -> None:
    def numbers(of: Store) -> dict[str, str]:
        content = gather(of)
        rows = deidentified(content, of.study_id())[1]
        return {e.placement.path: rows[place_of(e.placement)].path for e in content.sections}

    before = numbers(store)
    fill(store, [*FILES, of_biopsy("later.tif", "Anderson")])
    assert numbers(store).items() >= before.items()
    with Store(tmp_path / "another", create=True) as another:
        fill(another, FILES)
        assert set(numbers(another).values()).isdisjoint(before.values())


def test_a_word_where_a_code_belongs_is_left_out(tmp_path: Path) -> None:
    with Store(tmp_path, create=True) as store:
        fill(store, [of_biopsy("a.tif", side="Anna Mueller", site="Muellerstrasse", sex="Anna")])
        text = b"".join(make_tables(deidentified(gather(store), store.study_id())[0]).values())
    assert b"Anna" not in text
    assert b"Mueller" not in text
