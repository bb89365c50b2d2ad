"""When a biopsy may be signed, what is signed, and what becomes of it afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.correction.commands import add_crossing, reopen, review, undo
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import UsageError
from ienfd.protocol import canonical_json
from ienfd.report.content import gather
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.signing import obstacles, sign_biopsy
from ienfd.study.log import Target
from ienfd.study.models import ProtocolRow
from ienfd.study.store import Store
from ienfd.study.verify import check_store

CLEAR = [of_biopsy(f"{n}.tif", crossings=1, evaluable_mm=4.0) for n in range(3)]
BORDERLINE = [of_biopsy(f"{n}.tif", crossings=9, evaluable_mm=2.0) for n in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def biopsy(store: Store) -> BiopsyEntry:
    (entry,) = gather(store).biopsies
    return entry


def target(section: SectionEntry) -> Target:
    return Target("C1", "B1", section.placement.section_id, section.placement.analysis_id)


def reviewed(store: Store, who: str = "A. Reader", state: str = "reviewed") -> None:
    for section in biopsy(store).sections:
        assert section.result is not None
        edit = review(state, reviewed_figures(section.result))
        base = max((e.seq for e in store.edits(target(section))), default=0)
        store.append([edit], target(section), who=who, base_seq=base)


def sign(store: Store, **options: str) -> None:
    sign_biopsy(store, "C1", "B1", **{"name": "Dr. Sign", **options})  # type: ignore[arg-type]


def test_every_section_must_have_been_reviewed(store: Store) -> None:
    fill(store, CLEAR)
    assert obstacles(biopsy(store)) == [f"{n}.tif: it has not been reviewed" for n in range(3)]
    with pytest.raises(UsageError, match=r"1\.tif: it has not been reviewed"):
        sign(store)
    reviewed(store)
    assert obstacles(biopsy(store)) == []
    sign(store)
    assert biopsy(store).status == "final"
    with store.reading() as session:
        assert check_store(session) == []


@pytest.mark.parametrize(
    ("state", "said"),
    [("in_review", "its review has not ended"), ("needs_second_reader", "it waits for a second reader")],
)
def test_a_review_must_have_ended(store: Store, state: str, said: str) -> None:
    fill(store, CLEAR)
    reviewed(store, state=state)
    assert obstacles(biopsy(store)) == [f"{n}.tif: {said}" for n in range(3)]


def test_a_correction_after_the_review_and_a_lost_one_ask_for_another(store: Store) -> None:
    fill(store, CLEAR)
    reviewed(store)
    first = biopsy(store).sections[0]
    (entry,) = store.append([add_crossing(5, 40)], target(first), who="A", base_seq=1)
    assert obstacles(biopsy(store)) == ["0.tif: it needs another review"]
    store.append([undo(entry)], target(first), who="A", base_seq=entry.seq)
    assert obstacles(biopsy(store)) == []
    store.append([reopen("the wrong slide?")], target(first), who="A", base_seq=entry.seq + 1)
    assert obstacles(biopsy(store)) == ["0.tif: it needs another review"]


def test_a_borderline_result_needs_a_second_reader_or_a_reason(store: Store) -> None:
    fill(store, BORDERLINE)
    reviewed(store)
    assert biopsy(store).call.certainty == "borderline"
    (said,) = obstacles(biopsy(store))
    assert "second reader" in said
    assert obstacles(biopsy(store), "the other reader is ill") == []
    reviewed(store)  # the same person again is no second reader
    assert len(obstacles(biopsy(store))) == 1
    reviewed(store, who="B. Reader")
    assert obstacles(biopsy(store)) == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([*CLEAR, of_biopsy("3.tif", status="pending")], "3.tif: it has not been analyzed yet"),
        ([of_biopsy("0.tif", status="refused", reason="no_epidermis")],
         "none of its sections could be evaluated"),
    ],
)  # fmt: skip
def test_there_must_be_something_to_sign(store: Store, files: list[File], said: str) -> None:
    fill(store, files)
    assert said in obstacles(biopsy(store))
    with pytest.raises(UsageError, match="there is no biopsy"):
        sign_biopsy(store, "C1", "B9", name="Dr. Sign")


def test_what_is_signed_holds_every_figure(store: Store) -> None:
    fill(store, CLEAR)
    reviewed(store)
    sign(store)
    (signed,) = store.sign_offs()
    content = json.loads(signed.content)
    assert content["call"]["crossings"] == 3
    assert content["biopsy"]["age_years"] == 56.0
    assert [len(section["counted"]) for section in content["sections"]] == [1, 1, 1]
    assert all(section["density_per_mm"] == 0.25 for section in content["sections"])
    assert "agree with the result" in signed.statement


def test_a_second_signature_amends_or_withdraws_and_needs_a_reason(store: Store) -> None:
    fill(store, CLEAR)
    reviewed(store)
    with pytest.raises(UsageError, match="has not been signed yet"):
        sign(store, kind="correction", why="x")
    sign(store)
    with pytest.raises(UsageError, match="signed already"):
        sign(store, why="again")
    with pytest.raises(UsageError, match="needs a reason"):
        sign(store, kind="correction")
    sign(store, kind="correction", why="a hair was counted")
    assert biopsy(store).status == "amended"
    sign(store, kind="withdrawal", why="the wrong patient")
    assert biopsy(store).status == "withdrawn"
    assert store.signed_endings("/images") == {}
    assert [s.kind for s in store.sign_offs()] == ["final", "correction", "withdrawal"]
    with store.reading() as session:
        assert check_store(session) == []


def test_a_study_of_an_earlier_version_whose_protocol_lacked_a_field_can_be_signed(store: Store) -> None:
    fill(store, CLEAR)
    with store.writing() as session:  # as it was before the interval allowed for overdispersion
        row = session.scalars(select(ProtocolRow)).one()
        values = json.loads(row.content)
        del values["call"]["overdispersion"]
        row.content = canonical_json(values)
    reviewed(store)
    entry = biopsy(store)
    assert entry.protocol_hash == store.placements()[0].protocol_hash
    sign(store)
    assert biopsy(store).status == "final"
