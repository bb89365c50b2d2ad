"""A study called by another norm: the calls change, and nothing else; what is signed stays."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.norms import keep_norms
from ienfd.batch.recall import recall_study
from ienfd.batch.reporting import write_reports
from ienfd.correction.commands import add_crossing, review
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import UsageError
from ienfd.norms.laboratory import enter
from ienfd.protocol import CallRules, CountingRules, Protocol
from ienfd.report.content import gather
from ienfd.report.entries import BiopsyEntry
from ienfd.report.signing import sign_biopsy
from ienfd.study.log import Target
from ienfd.study.store import Store
from ienfd.study.verify import check_store

# a woman of 56 with 2 crossings per mm: below 4.86 /mm of collongues2018, not below 0.5 /mm
FILES = [of_biopsy(f"{n}.tif", crossings=8, evaluable_mm=4.0) for n in range(3)]
OTHERS = [of_biopsy(f"x{n}.tif", "C2", "B2", crossings=8, evaluable_mm=4.0) for n in range(3)]


@pytest.fixture(autouse=True)
def norms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IENFD_NORMS", str(tmp_path / "norms"))
    return tmp_path / "norms"


def entered(
    folder: Path, limit_per_mm: float, *, norm_id: str = "lab", more: str = "", **options: bool
) -> None:
    """Enter an invented norm with one limit for all."""
    bands = "".join(
        f'[[limits]]\nsex = "{sex}"\nage_lo = 20\nage_hi = 80\nlimit_per_mm = {limit_per_mm}\n'
        for sex in "FM"
    )
    file = folder / "typed.toml"
    file.write_text(
        f'id = "{norm_id}"\ntitle = "Made up"\ncitation = "none"\nunit = "/mm"\nsource = "none"\n'
        f'stain = "bright-field"\nsite = "distal_leg"\nsection_um = 50\nlength_line = "surface"\nn = 300\n'
        f'statistic = "none"\npercentile = 5.0\nage_lo = 20\nage_hi = 80\nverification = "none"\n'
        f'caveat = ""\n{more}{bands}',
        encoding="utf-8",
    )
    enter(file, by="A. Person", **options)


@pytest.fixture
def study(study_folder: Path, tmp_path: Path) -> Path:
    entered(tmp_path, 0.5)
    with Store(study_folder, create=True) as store:
        fill(store, [*FILES, *OTHERS])
    return study_folder


def table(study: Path, name: str) -> list[dict[str, str]]:
    with (study / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def biopsies(study: Path, case_id: str | None = None) -> list[BiopsyEntry]:
    with Store(study) as store:
        return list(gather(store, case_id).biopsies)


def signed(study: Path, case_id: str, biopsy_id: str, **options: str) -> None:
    with Store(study) as store:
        for section in gather(store, case_id).biopsies[0].sections:
            place = section.placement
            assert section.result is not None
            target = Target(case_id, biopsy_id, place.section_id, place.analysis_id)
            base = max((entry.seq for entry in store.edits(target)), default=0)
            edit = review("reviewed", reviewed_figures(section.result))
            store.append([edit], target, who="A. Reader", base_seq=base)
        sign_biopsy(store, case_id, biopsy_id, name="Dr. Sign", **options)  # type: ignore[arg-type]


def test_the_calls_change_and_nothing_else(study: Path) -> None:
    recall_study(study, "collongues2018")
    before = {name: table(study, name) for name in ("sections", "crossings", "biopsies")}
    with Store(study) as store:
        analyses = [row.analysis_id for row in store.placements()]
    report = recall_study(study, "lab")
    after = {name: table(study, name) for name in before}
    assert after["crossings"] == before["crossings"]
    protocol = {"protocol_id", "protocol_hash"}
    for was, now in zip(before["sections"], after["sections"], strict=True):
        assert {name for name in was if was[name] != now[name]} == protocol
    for was, now in zip(before["biopsies"], after["biopsies"], strict=True):
        assert {name for name in was if was[name] != now[name]} == protocol | {
            "norm_id", "norm_limit_per_mm", "below_norm", "other_norms", "flags", "call",
        }  # fmt: skip
        assert (was["norm_id"], was["below_norm"]) == ("collongues2018", "true")
        assert (now["norm_id"], now["norm_limit_per_mm"], now["below_norm"]) == ("lab", "0.500000", "false")
        assert now["protocol_id"] == "efns2010+lab"
        assert "collongues2018=4.8598:below" in now["other_norms"]
    with Store(study) as store:
        assert [row.analysis_id for row in store.placements()] == analyses
        with store.reading() as session:
            assert check_store(session) == []
    assert [line.limit_per_mm for line in report.biopsies] == [0.5, 0.5]
    assert report.warnings == ("the next run calls by the norm of its own protocol: name lab in it",)


def test_and_back_again(study: Path) -> None:
    recall_study(study, "collongues2018")
    before = (study / "sections.csv").read_bytes()
    recall_study(study, "lab")
    recall_study(study, "collongues2018")
    assert (study / "sections.csv").read_bytes() == before
    assert {row["norm_id"] for row in table(study, "biopsies")} == {"collongues2018"}


def test_calling_by_the_norm_that_calls_does_nothing(study: Path) -> None:
    recall_study(study, "lab")
    with Store(study) as store:
        last = store.last_run()
    assert recall_study(study, "lab").warnings == ()
    with Store(study) as store:
        assert store.last_run() == last
        assert last is not None
        assert last["state"] == "finished"
        assert last["options"]["recall"]["norm_id"] == "lab"


def test_every_protocol_keeps_its_other_choices_and_the_newest_is_the_newest(study: Path) -> None:
    other = Protocol("strict", counting=CountingRules(min_reach_um=5.0), call=CallRules(min_sections=9))
    with Store(study) as store:
        fill(store, OTHERS, protocol=other, root="/elsewhere")
    recall_study(study, "lab")
    one, two = biopsies(study)
    assert (one.protocol.id, one.protocol.call.min_sections) == ("efns2010+lab", 3)
    assert (two.protocol.id, two.protocol.call.min_sections) == ("strict+lab", 9)
    assert two.protocol.counting == other.counting
    assert two.call.withheld_reasons == ("too_few_sections",)
    with Store(study) as store:
        last = store.last_run()
    assert last is not None
    assert (last["protocol_hash"], last["root"]) == (two.protocol.hash, "/elsewhere")
    recall_study(study, "collongues2018")
    assert [entry.protocol.id for entry in biopsies(study)] == ["efns2010", "strict"]


def test_only_the_stain_of_the_norm_is_concerned(study: Path) -> None:
    recall_study(study, "bursova2012", stain="fluorescence")  # all sections are bright-field
    assert {entry.call.norm_id for entry in biopsies(study)} == {"collongues2018"}
    with pytest.raises(UsageError, match="bursova2012 is for fluorescence"):
        recall_study(study, "bursova2012", stain="bright-field")


def test_an_unknown_norm_is_named_with_those_that_there_are(study: Path) -> None:
    with pytest.raises(UsageError, match="bursova2012, collongues2018, lab") as caught:
        recall_study(study, "lauria2010")
    assert caught.value.code == "unknown_norm"


def test_what_is_signed_keeps_its_norm(study: Path) -> None:
    signed(study, "C1", "B1")
    recall_study(study, "collongues2018")
    before = table(study, "biopsies")[0]
    report = recall_study(study, "lab")
    assert "what is signed keeps its norm: C1, B1" in report.warnings
    after = table(study, "biopsies")
    assert after[0] == before
    assert (before["status"], before["norm_id"]) == ("final", "collongues2018")
    assert (after[1]["status"], after[1]["norm_id"]) == ("preliminary", "lab")
    assert "lab=" not in after[0]["other_norms"]  # nobody knew it when this was signed


def test_a_signed_biopsy_with_a_new_file_keeps_its_norm_too(study: Path) -> None:
    signed(study, "C1", "B1")
    with Store(study) as store:
        fill(store, [*FILES, *OTHERS, of_biopsy("new.tif", crossings=8, evaluable_mm=4.0)])
    recall_study(study, "lab")
    one, two = biopsies(study)
    assert (one.call.norm_id, one.status, "changed_after_signing" in one.call.flags) == (
        "collongues2018", "preliminary", True,
    )  # fmt: skip
    assert two.call.norm_id == "lab"


def test_once_withdrawn_it_is_called_anew_and_can_be_signed(study: Path) -> None:
    signed(study, "C1", "B1")
    with Store(study) as store:
        sign_biopsy(store, "C1", "B1", name="Dr. Sign", kind="withdrawal", why="another norm")
    recall_study(study, "lab")
    assert biopsies(study, "C1")[0].call.norm_id == "lab"
    signed(study, "C1", "B1", kind="correction", why="called by our own norm")
    entry = biopsies(study, "C1")[0]
    assert (entry.status, entry.call.norm_id, entry.call.norm_limit_per_mm) == ("amended", "lab", 0.5)


def test_corrections_stay(study: Path) -> None:
    with Store(study) as store:
        place = store.placements("C1")[0]
        target = Target("C1", "B1", place.section_id, place.analysis_id)
        store.append([add_crossing(5, 40)], target, who="A. Reader", base_seq=0)
    recall_study(study, "lab")
    assert biopsies(study, "C1")[0].call.crossings == 25


def test_rows_that_await_their_analysis_stay_with_their_run(study: Path) -> None:
    waiting = File("later.tif", {**FILES[0].case, "case_id": "C3", "biopsy_id": "B3"}, status="pending")
    with Store(study) as store:
        fill(store, [*FILES, *OTHERS, waiting])
        (before,) = store.placements("C3")
        run = store.last_run()
    report = recall_study(study, "lab")
    assert "sections that await their analysis keep the protocol of their run: 1" in report.warnings
    with Store(study) as store:
        assert store.placements("C3") == [before]
        assert run is not None
        assert store.pending_places(int(run["run_id"])) == {("later.tif", 0, 0)}


def test_the_study_keeps_its_norm_and_is_called_by_it_elsewhere(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recall_study(study, "lab")
    kept = (study / "norms" / "lab.toml").read_bytes()
    assert kept == (tmp_path / "norms" / "lab.toml").read_bytes()
    monkeypatch.setenv("IENFD_NORMS", str(tmp_path / "another machine"))
    assert biopsies(study)[0].call.norm_limit_per_mm == 0.5
    recall_study(study, "collongues2018")
    recall_study(study, "lab")
    assert biopsies(study)[0].call.norm_limit_per_mm == 0.5
    (study / "norms" / "lab.toml").write_bytes(b"id = 1")  # made anew, as the tables are
    recall_study(study, "lab")
    assert (study / "norms" / "lab.toml").read_bytes() == kept


def test_another_norm_of_that_id_is_refused_by_a_study_that_was_called(study: Path, tmp_path: Path) -> None:
    recall_study(study, "lab")
    signed(study, "C1", "B1")
    before = (study / "norms" / "lab.toml").read_bytes()
    entered(tmp_path, 3.0, replacing=True)
    with pytest.raises(UsageError, match=r"entered by A\. Person") as caught:
        recall_study(study, "lab")
    assert caught.value.code == "norm_differs"
    with Store(study) as store, pytest.raises(UsageError) as caught:
        keep_norms(store, Protocol(call=CallRules(norm_bright_field="lab")))  # as a run does
    assert caught.value.code == "norm_differs"
    assert {entry.call.norm_limit_per_mm for entry in biopsies(study)} == {0.5}
    assert (study / "norms" / "lab.toml").read_bytes() == before
    entered(tmp_path, 3.0, norm_id="lab2")
    recall_study(study, "lab2")
    assert [(entry.status, entry.call.norm_limit_per_mm) for entry in biopsies(study)] == [
        ("final", 0.5), ("preliminary", 3.0),
    ]  # fmt: skip


def test_a_run_keeps_the_norms_that_its_protocol_names(study: Path) -> None:
    with Store(study) as store:
        keep_norms(store, Protocol(call=CallRules(norm_bright_field="", norm_fluorescence="")))
        keep_norms(store, Protocol())
        assert store.norm_texts() == {}
        keep_norms(store, Protocol(call=CallRules(norm_bright_field="lab")))
        assert list(store.norm_texts()) == ["lab"]
        with pytest.raises(UsageError) as caught:
            keep_norms(store, Protocol(call=CallRules(norm_fluorescence="lauria2010")))
    assert caught.value.code == "unknown_norm"


def test_a_provisional_norm_is_said_to_be_so_in_every_call(study: Path, tmp_path: Path) -> None:
    entered(tmp_path, 0.4, norm_id="few", more="provisional = true\n")
    recall_study(study, "few")
    assert all("norm_provisional" in entry.call.flags for entry in biopsies(study))
    recall_study(study, "lab")
    assert not any("norm_provisional" in entry.call.flags for entry in biopsies(study))


def test_a_norm_altered_in_the_study_is_found_and_changes_nothing_signed_in_silence(
    tmp_path: Path,
) -> None:
    study = tmp_path / "study"
    entered(tmp_path, 0.5)
    with Store(study, create=True) as store:
        fill(store, FILES)
    recall_study(study, "lab")
    signed(study, "C1", "B1")
    assert biopsies(study)[0].status == "final"
    with sqlite3.connect(study / "study.sqlite") as connection:
        connection.execute("UPDATE info SET value = replace(value, '= 0.5', '= 2.5') WHERE key = 'norm/lab'")
    connection.close()
    (entry,) = biopsies(study)
    assert (entry.status, "changed_after_signing" in entry.call.flags) == ("preliminary", True)
    with Store(study) as store, store.reading() as session:
        assert [problem.where for problem in check_store(session)] == ["norm lab"]


def test_a_norm_that_states_its_distribution_gives_a_percentile_in_table_and_report(
    study: Path, tmp_path: Path
) -> None:
    lines = "".join(
        f'[[percentiles]]\npercentile = {place}\nsex = "{sex}"\nintercept_per_mm = {density}\n'
        for sex in "FM"
        for place, density in ((25.0, 4.0), (75.0, 9.0))
    )
    entered(tmp_path, 0.5, norm_id="stating", more=lines)
    recall_study(study, "lab")
    assert {row["norm_percentile"] for row in table(study, "biopsies")} == {""}
    recall_study(study, "stating")
    assert {row["norm_percentile"] for row in table(study, "biopsies")} == {"14"}  # 2 between 0.5 and 4 /mm
    with Store(study) as store:
        (path,) = write_reports(store, tmp_path / "out", case_id="C1", form="html")
    said = path.read_text(encoding="utf-8")
    assert "about 14 of 300 healthy persons" in said
