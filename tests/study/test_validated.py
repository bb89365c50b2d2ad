"""What a laboratory has validated: pinned by a person, and said of everything that was done otherwise."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import ienfd
from benchmarks.reliability.studies import fill, of_biopsy
from ienfd.analysis_key import ALGORITHM_VERSION
from ienfd.batch.reporting import write_reports
from ienfd.cli.protocol import protocol as command
from ienfd.correction.commands import review
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import UsageError
from ienfd.protocol import CountingRules, Protocol, load_protocol
from ienfd.report.calling import recalled
from ienfd.report.content import gather
from ienfd.report.exchange import conclusion
from ienfd.report.signing import sign_biopsy
from ienfd.report.tables import make_tables
from ienfd.study.log import Target
from ienfd.study.store import Store
from ienfd.study.validated import FILE_VARIABLE, Validated, pin, validated_now

FILES = [of_biopsy(f"{n}.tif", crossings=1, evaluable_mm=4.0) for n in range(3)]
OTHER = replace(Protocol("other"), counting=CountingRules(min_reach_um=5.0))
# the analyses of `fill` are of version 1
HERE = Validated(
    "efns2010", Protocol().hash, ienfd.__version__, "1", "A. Head", "head@laboratory", "2026-03-01T08:00:00Z"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "laboratory" / "validated.toml"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


def done(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def under(pinned: Validated | None) -> dict[str, Any]:
    return {"validated": asdict(pinned) if pinned else None}


def flags(store: Store) -> list[str]:
    text = make_tables(gather(store))["biopsies.csv"].decode("utf-8")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    return row["flags"].split("|")


# --- a protocol to be changed


def test_a_new_protocol_holds_every_value_with_its_meaning(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    said = done("new", path)
    assert said.exit_code == 0
    assert "ienfd protocol check" in said.output
    assert load_protocol(path) == Protocol("lab")
    text = path.read_text(encoding="utf-8")
    assert "Pieces inside the epidermis without visible entry." in text
    assert text.count("\n\n# (") >= 25  # over every value or group of values
    assert "None" not in text
    checked = done("check", path)
    assert checked.exit_code == 0
    assert "All values are those of efns2010" in checked.output


def test_a_new_protocol_has_the_name_that_was_given_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    assert done("new", path, "--id", 'Leg "left" \u05e9').exit_code == 0
    assert load_protocol(path).id == 'Leg "left" \u05e9'
    before = path.read_bytes()
    again = done("new", path)
    assert isinstance(again.exception, UsageError)
    assert "exists" in str(again.exception)
    assert path.read_bytes() == before
    assert isinstance(done("new", tmp_path / "b.toml", "--id", "a\x7fb").exception, UsageError)


# --- pinning


def test_the_last_of_what_was_pinned_holds_and_the_former_stays(file: Path) -> None:
    assert validated_now() is None
    assert "No validated protocol is pinned" in done("pinned").output
    assert done("pin", "--by", "A. Head", "--note", "SOP 12").exit_code == 0
    first = validated_now()
    assert first is not None
    assert (first.protocol_hash, first.algorithm_version) == (Protocol().hash, ALGORITHM_VERSION)
    pin(OTHER, by='B. "Head"')
    last = validated_now()
    assert last is not None
    assert (last.protocol_id, last.by) == ("other", 'B. "Head"')
    assert file.read_text(encoding="utf-8").count("[[validated]]") == 2
    assert "SOP 12" in file.read_text(encoding="utf-8")
    assert OTHER.hash in done("pinned").output
    assert "not validated" not in done("pinned").output


def test_nobody_or_a_damaged_file_pins_nothing(file: Path) -> None:
    assert isinstance(done("pin", "--by", " ").exception, UsageError)
    assert not file.exists()
    pin(Protocol(), by="A. Head")
    text = file.read_text(encoding="utf-8")
    for damaged in (text.replace("by = ", "bye = "), text + "x", "[validated]\n", "further = 1\n" + text):
        file.write_text(damaged, encoding="utf-8")
        with pytest.raises(UsageError, match=r"validated\.toml"):
            validated_now()
        with pytest.raises(UsageError):
            pin(Protocol(), by="A. Head")
        assert file.read_text(encoding="utf-8") == damaged


def test_the_words_of_a_version_that_is_not_pinned(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(Protocol(), by="A. Head")
    monkeypatch.setattr(ienfd, "__version__", "99.0")
    assert "marked as not validated" in done("pinned").output


# --- what a study says


@pytest.mark.parametrize(
    ("pinned", "differs"),
    [
        (None, False),
        (HERE, False),
        (replace(HERE, protocol_id="of another name"), False),
        (replace(HERE, protocol_hash=OTHER.hash), True),
        (replace(HERE, software_version="0.0.9"), True),
        (replace(HERE, algorithm_version="0"), True),
    ],
    ids=["nothing", "this", "this under another name", "protocol", "software", "analysis"],
)
def test_what_is_not_as_validated_is_said_everywhere(
    store: Store, pinned: Validated | None, differs: bool
) -> None:
    fill(store, FILES, options=under(pinned))
    assert ("not_validated" in flags(store)) is differs
    content = gather(store)
    assert bool([w for w in content.warnings if "validated" in w]) is differs
    sentence = "is not the one that the laboratory has validated"
    assert (sentence in conclusion(content.biopsies[0])) is differs  # for FHIR and DICOM
    (page,) = write_reports(store, store.folder / "out", case_id="C1", form="html")
    text = page.read_text(encoding="utf-8")
    assert (sentence in text) is differs
    assert ("no validated protocol is pinned" in text) is (pinned is None)
    assert ("pinned by A. Head, 2026-03-01" in text) is (pinned is not None)
    # the call stands
    assert content.biopsies[0].call.below_norm is True


def test_a_run_without_a_pin_takes_none_back(store: Store) -> None:
    fill(store, FILES, options=under(replace(HERE, protocol_hash=OTHER.hash)))
    fill(store, FILES, options=under(None))
    assert "not_validated" in flags(store)
    fill(store, FILES, options=under(HERE))
    assert "not_validated" not in flags(store)


def test_a_change_in_the_review_keeps_what_is_said(store: Store) -> None:
    fill(store, FILES, options=under(replace(HERE, algorithm_version="0")))
    (biopsy,) = gather(store).biopsies
    again = recalled(biopsy, biopsy.sections[0], altered=False)
    assert "not_validated" in again.call.flags
    assert again.validated == biopsy.validated


def test_what_is_signed_keeps_what_was_validated_then(store: Store) -> None:
    fill(store, FILES, options=under(HERE))
    for entry in gather(store).sections:
        place = entry.placement
        assert entry.result is not None
        target = Target("C1", "B1", place.section_id, place.analysis_id)
        store.append(
            [review("reviewed", reviewed_figures(entry.result))], target, who="A. Reader", base_seq=0
        )
    sign = sign_biopsy(store, "C1", "B1", name="Dr. Sign")
    assert json.loads(sign.content)["validated"]["by"] == "A. Head"
    fill(store, FILES, options=under(replace(HERE, by="B. Head", algorithm_version="0")))
    (biopsy,) = gather(store).biopsies
    assert biopsy.status == "final"
    assert "not_validated" not in biopsy.call.flags
    assert biopsy.validated == HERE
