"""`ienfd train`: what reviewers accepted and removed becomes a protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from review_scenes import Fiber, Slide, lay_down, skin, slide, study

from ienfd.batch.reporting import write_reports
from ienfd.cli.train import train as command
from ienfd.correction.commands import Edit, add_crossing, remove_crossing, review
from ienfd.correction.correct import correct, reviewed_figures
from ienfd.density import count
from ienfd.errors import UsageError
from ienfd.learning.confidence import Learned
from ienfd.protocol import ConfidenceModel, Protocol, load_protocol
from ienfd.report.content import gather
from ienfd.result import Crossing
from ienfd.study.log import Target
from ienfd.study.store import Store

PATIENTS = 12


def fibers(number: int) -> tuple[Fiber, ...]:
    """Nerves, and straight lines of something else: as long and nearly as clear."""
    nerves = [Fiber(40.0 + 60 * k, contrast=9.0 + (number + k) % 5) for k in range(3)]
    others = [Fiber(70.0 + 60 * k, contrast=5.0 + 0.5 * ((number + k) % 3)) for k in range(3)]
    return (*nerves, *others)


def slides(patients: int = PATIENTS) -> list[Slide]:
    return [slide(f"{n}.tif", skin(fibers(n)), case_id=f"C{n}", biopsy_id=f"B{n}") for n in range(patients)]


def is_a_nerve(crossing: Crossing) -> bool:
    return crossing.contrast > 7.5


def go_through(store: Store, *, but: int = 0) -> None:
    """Review all sections but the last few: remove what is no nerve, add one that nothing has found."""
    sections = gather(store).sections
    for section in sections[: len(sections) - but]:
        place, result = section.placement, section.result
        assert result is not None
        edits: list[Edit] = [remove_crossing(c) for c in result.crossings if c.counted and not is_a_nerve(c)]
        edits.append(add_crossing(160.0, 760.0))
        target = Target(place.case_id, place.biopsy_id, place.section_id, place.analysis_id)
        last = store.append(edits, target, who="A. Reader", base_seq=0)[-1].seq
        findings = store.findings(str(place.analysis_id))
        now = correct(result, store.edits(target), Protocol(), lambda found=findings: found)  # type: ignore[misc]
        store.append(
            [review("reviewed", reviewed_figures(now.result))], target, who="A. Reader", base_seq=last
        )


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Store]:
    with study(tmp_path, *slides()) as store:
        go_through(store)
        yield store


def done(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_laboratory_teaches_what_is_no_nerve(reviewed: Store, tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    said = done(reviewed.folder, "--out", path)
    assert said.exit_code == 0, said.output
    assert f"Protocol ours written: {path}" in " ".join(said.output.split())
    assert "72 candidates of 12 reviewed sections: people count 36 of them, and added 12" in said.output
    learned = load_protocol(path)
    model = learned.counting.confidence
    assert model.learned_from == f"72 candidates of 12 reviewed sections, study {reviewed.study_id()}"
    assert model.per_log_contrast > ConfidenceModel().per_log_contrast
    assert learned.hash != Protocol().hash
    # nothing but the confidence is another one
    assert replace(learned.counting, confidence=ConfidenceModel()) == Protocol().counting


def test_what_was_learned_is_counted_by(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    with study(tmp_path, *slides()) as store:
        go_through(store)
        assert done(store.folder, "--out", path).exit_code == 0
    fresh = skin(fibers(1))
    before, after = count(fresh, Protocol()), count(fresh, load_protocol(path))
    wrong = [c for c in before.crossings if c.counted and not is_a_nerve(c)]
    assert wrong, "the built-in confidence takes lines of something else for nerves"
    assert all(c.counted == is_a_nerve(c) for c in after.crossings)
    assert {c.reason for c in after.crossings if not c.counted} == {"too_faint"}


def test_a_report_says_what_its_confidence_was_learned_from(tmp_path: Path) -> None:
    learned = replace(ConfidenceModel(), learned_from="72 candidates of 12 reviewed sections")
    protocol = replace(Protocol("ours"), counting=replace(Protocol().counting, confidence=learned))
    with Store(tmp_path / "study", create=True) as store:
        lay_down(store, slide(), protocol=protocol)
        (page,) = write_reports(store, tmp_path / "out", case_id="C1", form="html")
    assert "learned from 72 candidates of 12 reviewed sections" in page.read_text(encoding="utf-8")


def test_too_little_to_learn_from_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    with study(tmp_path, *slides()) as store:
        go_through(store, but=PATIENTS - 3)
        said = done(store.folder, "--out", path)
    assert isinstance(said.exception, UsageError)
    assert said.exception.code == "training_too_small"
    assert "3 reviewed sections of 3 patients, with 9 candidates that people count" in str(said.exception)
    assert not path.exists()


def test_nothing_is_written_where_nothing_is_gained(
    reviewed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Learned, "is_better", False)
    path = tmp_path / "ours.toml"
    said = done(reviewed.folder, "--out", path)
    assert said.exit_code == 0
    assert "Nothing was written" in said.output
    assert not path.exists()


def test_a_file_that_is_there_is_left_alone(reviewed: Store, tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text("mine")
    said = done(reviewed.folder, "--out", path)
    assert isinstance(said.exception, UsageError)
    assert path.read_text() == "mine"
