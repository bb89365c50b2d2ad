"""Controls: which pass, whose calls a failed one withholds, and that none is ever counted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.collect import CONTROL_PLOT, collect
from ienfd.batch.export import export_csv
from ienfd.batch.reporting import write_reports
from ienfd.cli.status import status
from ienfd.protocol import QualityBounds
from ienfd.quality.controls import ControlFigures, Verdict, judge_control
from ienfd.reasons import REASONS, Effect
from ienfd.report.content import gather
from ienfd.study.store import Store


@dataclass(frozen=True)
class Case:
    name: str
    found: ControlFigures
    verdict: Verdict


PASSED, UNKNOWN = Verdict(True), Verdict(None, "control_not_judged")
CASES = [
    Case("positive with nerves", ControlFigures("positive", None, 5, 900.0), PASSED),
    Case("positive with nerves in the dermis only", ControlFigures("positive", None, 0, 150.0), PASSED),
    Case("positive without", ControlFigures("positive", None, 0, 149.0),
         Verdict(False, "control_without_nerve")),
    Case("positive refused as unstained", ControlFigures("positive", "no_nerve_stain", None, 20.0),
         Verdict(False, "control_without_nerve")),
    Case("positive in the color of the counterstain", ControlFigures("positive", "no_nerve_signal"),
         Verdict(False, "control_without_nerve")),
    Case("positive whose lines are no higher than noise", ControlFigures("positive", None, 0, 900.0, 0.5),
         UNKNOWN),
    Case("positive out of focus that shows nerves", ControlFigures("positive", "out_of_focus", None, 900.0),
         PASSED),
    Case("positive without an epidermis", ControlFigures("positive", "no_epidermis"), UNKNOWN),
    Case("positive that failed", ControlFigures("positive"), UNKNOWN),
    Case("negative without nerves", ControlFigures("negative", "no_nerve_stain", None, 3.0), PASSED),
    Case("negative in the color of the counterstain", ControlFigures("negative", "no_nerve_signal"), PASSED),
    Case("negative whose lines are no higher than noise", ControlFigures("negative", None, 0, 900.0, 0.5),
         PASSED),
    Case("negative with nerves in the dermis", ControlFigures("negative", None, 0, 150.0),
         Verdict(False, "control_with_nerve")),
    Case("negative with a crossing", ControlFigures("negative", None, 1, 20.0),
         Verdict(False, "control_with_nerve")),
    Case("negative that waits", ControlFigures("negative"), UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_control_is_judged_by_its_nerves(case: Case) -> None:
    assert judge_control(case.found, QualityBounds()) == case.verdict


def test_its_codes_have_sentences_and_remedies() -> None:
    for code in ("control_without_nerve", "control_with_nerve", "control_not_judged", "control_failed"):
        assert REASONS[code].text
        assert REASONS[code].remedy
    assert REASONS["control_failed"].effect is Effect.WITHHELD


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def sections(case_id: str = "C1", **case: Any) -> list[File]:
    return [
        of_biopsy(f"{case_id}-{n}.tif", case_id, "B1", crossings=60, evaluable_mm=4.0, **case)
        for n in range(3)
    ]


def control(kind: str, clear: float, name: str = "control.tif", **more: Any) -> File:
    case = {"case_id": "CONTROLS", "control": kind, **more.pop("case", {})}
    measures = (("clear_fibers_um_per_mm", clear), ("nerve_contrast", clear / 3000))
    return File(name, case, **{"crossings": 0, "measures": measures, **more})


def calls(store: Store) -> dict[str, tuple[str, str]]:
    """Withheld reasons and flags of every case, as biopsies.csv gives them; the call is there or not."""
    collect(store)
    rows = table(store.folder / "biopsies.csv")
    for row in rows:
        assert (row["below_norm"] == "") is (row["withheld_reasons"] != "")
    return {row["case_id"]: (row["withheld_reasons"], row["flags"]) for row in rows}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_controls_that_pass_withhold_nothing(store: Store) -> None:
    fill(store, [*sections(), control("positive", 900.0), control("negative", 3.0, "n.tif")])
    assert calls(store)["C1"][0] == ""
    rows = table(store.folder / "controls.csv")
    told = [(row["control"], row["passed"], row["reason"]) for row in rows]
    assert told == [("positive", "true", ""), ("negative", "true", "")]


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (control("positive", 10.0), "control_without_nerve"),
        (control("negative", 700.0), "control_with_nerve"),
    ],
    ids=["positive", "negative"],
)
def test_a_failed_control_withholds_the_calls_of_its_run(store: Store, failing: File, reason: str) -> None:
    fill(store, [*sections(), failing])
    assert calls(store)["C1"][0] == "control_failed"
    (row,) = table(store.folder / "controls.csv")
    assert (row["passed"], row["reason"], row["reason_text"]) == ("false", reason, REASONS[reason].text)
    assert row["remedy"]


def test_a_run_that_is_named_is_judged_by_its_own_controls(store: Store) -> None:
    named = [control("positive", 10.0, "a.tif", case={"staining_run": "A"}),
             control("positive", 900.0, "b.tif", case={"staining_run": "B"})]  # fmt: skip
    fill(
        store, [*sections("C1", staining_run="A"), *sections("C2", staining_run="B"), *sections("C3"), *named]
    )
    assert {case: reasons for case, (reasons, _) in calls(store).items()} == {
        "C1": "control_failed", "C2": "", "C3": "",
    }  # fmt: skip


def test_a_control_of_no_named_run_speaks_for_its_folder_and_stain(store: Store) -> None:
    fill(store, sections("C1"), root="/elsewhere")
    fluorescent = [replace(file, stain="fluorescence") for file in sections("C2")]
    fill(store, [*fluorescent, *sections("C3"), control("positive", 10.0)])
    found = {case: reasons for case, (reasons, _) in calls(store).items()}
    assert (found["C1"], found["C2"], found["C3"]) == ("", "", "control_failed")


def test_a_control_that_cannot_be_judged_is_said_and_withholds_nothing(store: Store) -> None:
    fill(store, [*sections(), control("positive", 900.0, status="failed", reason="truncated")])
    assert calls(store)["C1"] == ("", "norm_frame_unstated|control_not_judged")


def test_one_case_alone_knows_the_controls_of_its_run(store: Store) -> None:
    fill(store, [*sections(), control("positive", 10.0)])
    content = gather(store, "C1")
    assert content.biopsies[0].call.withheld_reasons == ("control_failed",)
    assert {entry.placement.case_id for entry in content.sections} == {"C1"}
    (path,) = write_reports(store, store.folder.parent / "out", case_id="C1", form="html")
    assert "positive: failed" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_no_control_is_counted_in_any_biopsy(store: Store, kind: str) -> None:
    fill(store, sections())
    before = gather(store).biopsies[0].call
    in_the_case = {"case_id": "C1", "biopsy_id": "B1"}
    fill(store, [*sections(), control(kind, 900.0, crossings=99, case=in_the_case)])
    after = gather(store)
    assert len(after.biopsies) == 1
    figures = "sections_evaluable", "crossings", "evaluable_length_mm", "density_per_mm"
    assert [getattr(after.biopsies[0].call, f) for f in figures] == [getattr(before, f) for f in figures]
    assert len(after.biopsies[0].sections) == 3


def test_the_course_of_the_positive_controls_is_drawn_from_five_on(store: Store) -> None:
    runs = [
        control("positive", 600.0 + 40 * n, f"{n}.tif", case={"staining_run": f"<run {n}>"}) for n in range(4)
    ]
    fill(store, [*sections(), *runs])
    collect(store)
    plot = store.folder / CONTROL_PLOT
    assert not plot.exists()
    fill(store, [*sections(), *runs, control("positive", 20.0, "5.tif", case={"staining_run": "<run 5>"})])
    collect(store)
    drawn = plot.read_bytes()
    collect(store)
    assert plot.read_bytes() == drawn
    texts = [text.text for text in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert {"<run 0>", "<run 5>", "mean", "+2 SD", "-3 SD"} <= set(texts)


def test_status_names_the_controls_that_failed(store: Store) -> None:
    fill(store, [*sections(), control("positive", 10.0), control("negative", 3.0, "n.tif")])
    said = CliRunner().invoke(status, [str(store.folder)], standalone_mode=False).output
    assert "Controls: 1 passed, 1 failed" in said
    assert "control.tif: This positive control shows no nerve." in said


def test_without_names_a_run_is_a_number(store: Store, tmp_path: Path) -> None:
    run = "Run of Mrs Smith"
    fill(store, [*sections(staining_run=run), control("positive", 10.0, case={"staining_run": run})])
    export_csv(store, tmp_path / "out", deidentify=True)
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").glob("*.csv"))
    assert b"Smith" not in written
    (row,) = table(tmp_path / "out" / "controls.csv")
    assert {s["staining_run"] for s in table(tmp_path / "out" / "sections.csv")} == {row["staining_run"]}
    assert row["passed"] == "false"
