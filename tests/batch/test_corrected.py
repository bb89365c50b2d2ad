"""What was corrected is in the tables and the overlays, and stays there through further runs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_helpers import carried_out, planned
from batch_standins import ENGINE

from ienfd.batch.collect import collect
from ienfd.batch.pool import LocalPool
from ienfd.batch.tasks import read_label
from ienfd.correction.commands import remove_crossing, undo
from ienfd.protocol import CountingRules, Protocol
from ienfd.study.log import Target
from ienfd.study.store import Store


@pytest.fixture(scope="module")
def pool() -> Iterator[LocalPool]:
    with LocalPool(1) as opened:
        yield opened


def row(study: Path) -> dict[str, str]:
    with (study / "sections.csv").open(encoding="utf-8", newline="") as stream:
        (only,) = csv.DictReader(stream)
    return only


def test_a_correction_is_drawn_and_survives_further_runs(tmp_path: Path, pool: LocalPool) -> None:
    images, study = tmp_path / "images", tmp_path / "study"
    images.mkdir()
    (images / "a.tif").write_text("fine", encoding="utf-8")

    def run(protocol: Protocol | None = None) -> int:
        analyzed = carried_out(planned(images, study, pool, protocol=protocol or Protocol()), pool)
        with Store(study) as store:
            collect(store, ENGINE)
        return analyzed

    assert run() == 1
    (overlay,) = (study / "overlays").iterdir()
    plain, before = overlay.read_bytes(), row(study)
    with Store(study) as store:
        place = store.placements()[0]
        result = store.results([str(place.analysis_id)], place.rules_key)[str(place.analysis_id)]
        counted = next(c for c in result.crossings if c.counted)
        target = Target(section_id=place.section_id, analysis_id=place.analysis_id)
        (entry,) = store.append([remove_crossing(counted, "a hair")], target, who="A. Reader", base_seq=0)
        collect(store, ENGINE)
    after, label = row(study), read_label(overlay)
    assert int(after["crossings"]) == int(before["crossings"]) - 1
    assert (before["edits"], after["edits"]) == ("0", "1")
    assert label is not None
    assert label.endswith("+1")
    assert overlay.read_bytes() != plain
    drawn = overlay.read_bytes()
    assert run() == 0  # nothing is analyzed again, and the correction is still there
    assert row(study) == after
    assert overlay.read_bytes() == drawn
    assert run(Protocol("other", counting=CountingRules(fragments="include"))) == 0
    assert row(study)["edits"] == "1"
    assert int(row(study)["crossings"]) == int(after["crossings"])
    assert run() == 0
    with Store(study) as store:
        store.append([undo(entry)], target, who="A. Reader", base_seq=1)
        collect(store, ENGINE)
    assert row(study) == {**before, "edits": "0"}
    assert str(read_label(overlay)).endswith("+2")
