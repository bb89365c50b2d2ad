"""The numbers of `ienfd status` are those of the tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.correction.commands import add_crossing, reopen, review, undo
from ienfd.correction.correct import reviewed_figures
from ienfd.report.content import gather
from ienfd.report.summary import summarize
from ienfd.study.log import Target
from ienfd.study.store import Store

FILES = [
    of_biopsy("a.tif"),
    of_biopsy("b.tif", status="refused", reason="no_epidermis"),
    of_biopsy("c.tif", biopsy_id="B2", control="negative"),
    of_biopsy("d.tif", biopsy_id="B2"),
    File("alone.tif"),
    File("broken.tif", status="failed", reason="truncated"),
    File("waiting.tif", status="pending"),
]


def test_status_counts_what_the_tables_show(study_folder: Path) -> None:
    with Store(study_folder, create=True) as store:
        assert summarize(store).sections == Counter()
        fill(store, FILES)
        summary, content = summarize(store), gather(store)
    assert summary.sections == Counter(entry.status for entry in content.sections)
    assert summary.reasons == Counter((e.status, e.reason) for e in content.sections if e.reason is not None)
    assert summary.biopsies == len(content.biopsies) == 5
    assert summary.sections == {"ok": 3, "refused": 2, "failed": 1, "pending": 1}


def test_reviews_are_counted_as_they_stand(tmp_path: Path) -> None:
    def states(store: Store) -> dict[str, int]:
        shown = Counter(
            e.corrected.review.value for e in gather(store).sections if e.corrected and e.status == "ok"
        )
        assert summarize(store).reviews == shown
        return dict(shown)

    with Store(tmp_path, create=True) as store:
        fill(store, FILES)
        assert states(store) == {"unreviewed": 3}
        entry = gather(store).sections[0]
        assert entry.result is not None
        target = Target(section_id=entry.placement.section_id, analysis_id=entry.placement.analysis_id)
        seen = reviewed_figures(entry.result)
        store.append([review("reviewed", seen)], target, who="A", base_seq=0)
        assert states(store) == {"unreviewed": 2, "reviewed": 1}
        (added,) = store.append([add_crossing(5, 5)], target, who="A", base_seq=1)
        assert states(store) == {"unreviewed": 2, "needs_review": 1}
        store.append([undo(added)], target, who="A", base_seq=2)
        assert states(store) == {"unreviewed": 2, "reviewed": 1}
        store.append([reopen("the wrong slide")], target, who="A", base_seq=3)
        assert states(store) == {"unreviewed": 2, "needs_review": 1}
        store.append([review("needs_second_reader", seen)], target, who="A", base_seq=4)
        assert states(store) == {"unreviewed": 2, "needs_second_reader": 1}
        fill(store, FILES, key="another")
        assert summarize(store).reviews == {"unreviewed": 2, "needs_review": 1}
        assert summarize(store).edits == 5
