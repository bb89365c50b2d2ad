"""Biopsies of one patient side by side and over time: whose they are, which can be compared, what is said."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.exchange import export_fhir
from ienfd.batch.export import export_csv
from ienfd.batch.reporting import write_reports
from ienfd.correction.commands import review
from ienfd.correction.correct import reviewed_figures
from ienfd.protocol import CountingRules, DensityRules, Protocol
from ienfd.reasons import REASONS, Effect
from ienfd.report.content import Content, gather
from ienfd.report.course import Comparison
from ienfd.report.signing import sign_biopsy
from ienfd.report.tables import make_tables
from ienfd.study.log import Target
from ienfd.study.store import Store

FORBIDDEN = ("improve", "worse", "better", "significant", "progress", "recover", "normal")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def biopsy(case_id: str, biopsy_id: str, day: str | None, crossings: int = 10, **more: Any) -> list[File]:
    said: dict[str, Any] = {"patient_id": "P1", "collection_date": day, "evaluable_mm": 2.0, **more}
    return [
        of_biopsy(f"{case_id}-{biopsy_id}-{n}.tif", case_id, biopsy_id, crossings=crossings, **said)
        for n in range(3)
    ]


BEFORE, AFTER = biopsy("A1", "one", "2022-03-10", 16), biopsy("A2", "two", "2023-03-10", 2)


def compared(content: Content) -> list[Comparison]:
    return [one for course in content.courses for one in course.comparisons]


def course_table(files: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["course.csv"].decode("utf-8"), newline="")))


# --- whose they are


def test_a_patient_of_two_cases_is_one_course(store: Store) -> None:
    fill(store, [*BEFORE, *AFTER, *biopsy("B", "other", "2023-03-10", patient_id="P2")])
    (course,) = gather(store).courses
    assert (course.known_by, course.name) == ("patient", "P1")
    assert [entry.record.biopsy_id for entry in course.biopsies] == ["one", "two"]


def test_without_a_patient_id_only_what_the_case_holds_is_together(store: Store) -> None:
    files = [
        *biopsy("A1", "one", "2022-03-10", patient_id=None),
        *biopsy("A1", "two", "2023-03-10", patient_id=None),
        *biopsy("A2", "three", "2023-03-10", patient_id=None), *biopsy("A1", "four", "2024-03-10"),
        *biopsy("A9", "five", "2024-03-10", patient_id="A1"),  # a patient called as a case is
    ]  # fmt: skip
    fill(store, files)
    (course,) = gather(store).courses
    assert (course.known_by, course.name) == ("case", "A1")
    assert [entry.record.biopsy_id for entry in course.biopsies] == ["one", "two"]


def test_a_case_of_the_same_name_in_another_folder_is_another_patient(store: Store) -> None:
    fill(store, biopsy("A1", "one", "2022-03-10", patient_id=None), root="/hospital one")
    fill(store, biopsy("A1", "two", "2023-03-10", patient_id=None), root="/hospital two")
    assert gather(store).courses == ()


@pytest.mark.parametrize("patient_id", ["unknown", "N/A", " - ", "?"])
def test_a_word_for_no_id_makes_nobody_a_patient(store: Store, patient_id: str) -> None:
    more: dict[str, Any] = {"patient_id": patient_id}
    fill(store, [*biopsy("A1", "one", "2022-03-10", **more), *biopsy("A2", "two", "2022-09-10", **more)])
    assert gather(store).courses == ()


def test_files_that_nothing_is_said_of_are_nobodys(store: Store) -> None:
    fill(store, [File("a.tif"), File("b.tif")])
    assert gather(store).courses == ()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"sex": "F"}, {"sex": "M"}, "different sexes"),
        ({"age_years": 50.0}, {"age_years": 49.0}, "ages 50 and 49"),
        ({"age_years": 50.0}, {"age_years": 53.0}, "ages 50 and 53"),
        ({"age_years": 50.0}, {"age_years": 51.0}, ""),
        ({"age_years": 50.9}, {"age_years": 51.0}, ""),
        ({"age_years": 50.0}, {"age_years": 52.0}, ""),  # 50.9 and 52.0, the first in whole years
        ({"sex": "F"}, {"sex": None}, ""),
    ],
)
def test_what_contradicts_itself_is_not_one_patient(
    store: Store, first: dict[str, Any], second: dict[str, Any], said: str
) -> None:
    fill(store, [*biopsy("A1", "one", "2022-03-10", **first), *biopsy("A2", "two", "2023-03-10", **second)])
    content = gather(store)
    warned = [text for text in content.warnings if "not put side by side" in text]
    assert (content.courses == ()) is bool(said)
    assert bool(warned) is bool(said)
    assert said in " ".join(warned)
    if said:
        (path,) = write_reports(store, store.folder / "out", case_id="A1", form="html")
        assert "All biopsies of this patient" not in path.read_text(encoding="utf-8")


def test_a_biopsy_of_which_two_things_are_said_is_in_no_course(store: Store) -> None:
    fill(store, [*BEFORE, *AFTER[:2], replace(AFTER[2], case={**AFTER[2].case, "sex": "M"})])
    assert gather(store).courses == ()


# --- which can be compared


def test_a_fall_is_larger_than_noise_explains_and_a_small_one_is_not(store: Store) -> None:
    fill(store, [*BEFORE, *AFTER, *biopsy("A3", "three", "2024-03-10", 3, age_years=57.0)])
    one, first, last = compared(gather(store))
    assert [(c.earlier.record.biopsy_id, c.later.record.biopsy_id, c.basis) for c in (one, first, last)] == [
        ("one", "two", ("previous", "first")), ("one", "three", ("first",)), ("two", "three", ("previous",)),
    ]  # fmt: skip
    assert [c.verdict for c in (one, first, last)] == ["larger", "larger", "within"]
    assert one.change is not None
    assert one.change.change_per_mm == pytest.approx(-7.0)
    assert one.apart_years == pytest.approx(1.0, abs=0.01)


SAME = biopsy("A2", "two", "2023-03-10")


@pytest.mark.parametrize(
    ("later", "reasons"),
    [
        (SAME, ()),
        (biopsy("A2", "two", "2023-03-10", status="refused", reason="blank"), ("course_no_density",)),
        (biopsy("A2", "two", "2023-03-10", section_um=10.0), ("course_section_um_differs",)),
        (biopsy("A2", "two", "2023-03-10", section_um=None), ("course_section_um_missing",)),
        (biopsy("A2", "two", "2023-03-10", content="copies"), ("course_not_sound",)),
        (biopsy("A2", "two", None), ("course_date_missing",)),
        (biopsy("A2", "two", "spring 2023"), ("course_date_missing",)),
    ],
    ids=["nothing", "no density", "thinner", "thickness missing", "twice the same", "undated", "no day"],
)
def test_why_two_biopsies_are_not_compared(store: Store, later: list[File], reasons: tuple[str, ...]) -> None:
    fill(store, [*biopsy("A1", "one", "2022-03-10"), *later])
    (one,) = compared(gather(store))
    assert one.reasons == reasons
    assert (one.change is None) is bool(reasons)
    assert {REASONS[code].effect for code in reasons} <= {Effect.LEFT_OUT}
    (row,) = course_table(make_tables(gather(store)))
    assert row["not_compared_reasons"] == "|".join(reasons)
    assert (row["verdict"], bool(row["change_per_mm"])) == ("" if reasons else "within", not reasons)


@pytest.mark.parametrize(
    ("protocol", "reasons"),
    [
        (Protocol("other", counting=CountingRules(min_reach_um=5.0)), ("course_protocol_differs",)),
        (Protocol("other", density=DensityRules(interval_level=0.9)), ("course_protocol_differs",)),
        (
            Protocol("other", density=DensityRules(length_line="junction")),
            ("course_length_line_differs", "course_protocol_differs"),
        ),
    ],
    ids=["rules", "level", "line"],
)
def test_another_protocol_is_not_compared(store: Store, protocol: Protocol, reasons: tuple[str, ...]) -> None:
    fill(store, biopsy("A1", "one", "2022-03-10"), root="/first")
    fill(store, biopsy("A2", "two", "2023-03-10"), root="/second", protocol=protocol)
    (one,) = compared(gather(store))
    assert one.reasons == reasons


@pytest.mark.parametrize("site", [None, "other"])
def test_a_place_that_is_not_known_is_not_compared(store: Store, site: str | None) -> None:
    fill(
        store, [*biopsy("A1", "one", "2022-03-10", site=site), *biopsy("A2", "two", "2023-03-10", site=site)]
    )
    (one,) = compared(gather(store))
    assert one.reasons == ("course_site_unclear",)


def test_places_and_sides_are_side_by_side_and_never_compared(store: Store) -> None:
    fill(store, [
        *biopsy("A1", "thigh", "2022-03-10", site="thigh"), *biopsy("A1", "left", "2022-03-10", side="left"),
        *biopsy("A2", "right", "2023-03-10", side="right"),
        *biopsy("A2", "again", "2023-03-10", side="right"),
    ])  # fmt: skip
    content = gather(store)
    (course,) = content.courses
    assert [[e.record.biopsy_id for e in one] for one in course.series] == [
        ["left"], ["again", "right"], ["thigh"],
    ]  # fmt: skip
    assert course.comparisons == ()  # the last two were taken on one day


def test_a_withdrawn_result_is_neither_compared_nor_shown(store: Store) -> None:
    fill(store, [*BEFORE, *AFTER])
    for entry in gather(store, "A1").sections:
        place = entry.placement
        assert entry.result is not None
        target = Target("A1", "one", place.section_id, place.analysis_id)
        store.append([review("reviewed", reviewed_figures(entry.result))], target, who="R", base_seq=0)
    sign_biopsy(store, "A1", "one", name="Dr. Sign", why="borderline")
    sign_biopsy(store, "A1", "one", name="Dr. Sign", kind="withdrawal", why="another patient's block")
    (one,) = compared(gather(store))
    assert one.reasons == ("course_withdrawn",)
    (path,) = write_reports(store, store.folder / "out", case_id="A2", form="html")
    said = path.read_text(encoding="utf-8")
    assert "was withdrawn" in said
    assert "8.0 (" not in said


def test_one_reader_of_both_leaves_less_noise(store: Store) -> None:
    fill(store, [*BEFORE, *AFTER])

    def read(case_id: str, biopsy_id: str, who: str) -> None:
        for entry in gather(store, case_id).sections:
            place = entry.placement
            assert entry.result is not None
            target = Target(case_id, biopsy_id, place.section_id, place.analysis_id)
            base = max((e.seq for e in store.edits(target)), default=0)
            edit = review("reviewed", reviewed_figures(entry.result))
            store.append([edit], target, who=who, base_seq=base)

    def noise() -> float | None:
        (one,) = compared(gather(store))
        return one.noise.sd_per_mm if one.noise else None

    assert noise() == 1.5  # the program alone is no observer
    read("A1", "one", "A. Reader")
    assert noise() == 1.5
    read("A2", "two", "A. Reader")
    assert noise() == 1.2
    read("A2", "two", "B. Reader")
    assert noise() == 1.5


# --- what is said


def test_reports_show_the_course_soberly(store: Store) -> None:
    extra = {"Treatment": "immunoglobulin <b>"}
    fill(store, [*BEFORE, *biopsy("A2", "two", "2023-03-10", 2, extra=extra)])
    (page,) = write_reports(store, store.folder / "out", case_id="A2", form="html")
    (pdf,) = write_reports(store, store.folder / "out", case_id="A2", form="pdf")
    html = page.read_text(encoding="utf-8")
    printed = " ".join(one.extract_text() for one in PdfReader(io.BytesIO(pdf.read_bytes())).pages)
    printed = re.sub(r"\s+", " ", printed.replace("-\n", "").replace("\u00ad\n", ""))
    for said in (html, printed):
        assert "All biopsies of this patient" in said
        assert "8.0 to 1.0 /mm, a change of -7.0 /mm" in said
        assert "larger than sampling and reading noise explain." in said
        assert "says nothing of its cause" in said
        assert "A1, one" in said
        assert "(this report)" in said
    assert "immunoglobulin &lt;b&gt;" in html
    assert html.count("<svg") == 2
    (row,) = course_table(make_tables(gather(store)))
    assert not [word for word in FORBIDDEN if word in row["sentence"].casefold()]
    section = html[html.index("All biopsies of this") : html.index("<h2>Sections")]
    assert not [word for word in FORBIDDEN if word in section.casefold().replace("normally", "")]


def test_a_patient_with_one_biopsy_has_no_course(store: Store) -> None:
    fill(store, BEFORE)
    (page,) = write_reports(store, store.folder / "out", case_id="A1", form="html")
    assert "All biopsies of" not in page.read_text(encoding="utf-8")
    assert course_table(make_tables(gather(store))) == []


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u202e\u05e9\u05dc\u05d5\u05dd", "\U0001f600",
     "bell \x07", "x" * 10_000, "#panic() *b* $x$"],
    ids=["markup", "formula", "right to left", "emoji", "control", "long", "typst"],
)  # fmt: skip
def test_hostile_text_is_text(store: Store, text: str) -> None:
    more: dict[str, Any] = {"patient_id": text, "side": text, "extra": {"treatment": text}}
    fill(store, [*biopsy("A1", "one", "2022-03-10", **more), *biopsy("A2", text, "2023-03-10", **more)])
    (page,) = write_reports(store, store.folder / "out", case_id="A2", form="html")
    html = page.read_text(encoding="utf-8")
    assert "All biopsies of this patient" in html
    assert html.count("<script>") == 1
    (pdf,) = write_reports(store, store.folder / "out", case_id="A2", form="pdf")
    assert PdfReader(io.BytesIO(pdf.read_bytes())).pages
    (row,) = course_table(make_tables(gather(store)))
    assert row["patient_id"].lstrip("'") == text
    assert not row["sentence"].startswith("=")


def test_under_numbers_a_patient_keeps_one_number_and_no_day(store: Store, tmp_path: Path) -> None:
    more: dict[str, Any] = {"patient_id": "MRN-778", "side": "left", "extra": {"treatment": "IVIG"}}
    files = [
        *biopsy("Miller-1", "left of Miller", "2022-03-10", **more),
        *biopsy("Miller-2", "b", "2022-09-10", **more),
    ]
    fill(store, files)
    export_csv(store, tmp_path / "out", deidentify=True)
    text = (tmp_path / "out" / "course.csv").read_text(encoding="utf-8")
    assert not [secret for secret in ("Miller", "MRN-778", "2022-03", "2022-09", "IVIG") if secret in text]
    (row,) = course_table({"course.csv": text.encode()})
    with (tmp_path / "out" / "biopsies.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["biopsy_id"]: row for row in csv.DictReader(stream)}
    for which in ("earlier", "later"):
        own = rows[row[f"{which}_biopsy_id"]]
        assert own["patient_id"] == row["patient_id"]
        assert own["case_id"] == row[f"{which}_case_id"]
    assert (row["earlier_date"], row["later_date"], row["apart_years"]) == ("2022", "2022", "0.50")
    assert row["verdict"] == "within"


def test_fhir_says_it_of_the_later_biopsy(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("fhir.resources")
    fill(store, [*BEFORE, *AFTER])
    export_fhir(store, tmp_path / "out", deidentify=False)
    noted = {}
    for path in (tmp_path / "out").iterdir():
        bundle = json.loads(path.read_text(encoding="utf-8"))
        noted[path.name[:2]] = "a change of -7.0 /mm" in json.dumps(bundle["entry"][1]["resource"]["note"])
    assert noted == {"A1": False, "A2": True}
