"""Measure what a laboratory gains by `ienfd train`: a reviewer who is always right goes through synthetic
sections, and the program learns from that.

    python -m benchmarks.learning OUT

What is measured is the cross-validation of `ienfd train` itself: each patient is told by a model that has
learned from the others only, beside the built-in model, which knows none of them. Sections are those of
`benchmarks.accuracy --kinds`; an OUT that holds them already is gone on with.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.images import image_path, make_images, truth_path, write_cases
from benchmarks.accuracy.measure import analyze_images
from benchmarks.accuracy.plan import plan_kinds
from benchmarks.accuracy.truth import TrueSection, read_true_section
from benchmarks.scoring import match
from ienfd.analysis_key import ALGORITHM_VERSION
from ienfd.batch.training import Training, train
from ienfd.correction.commands import Edit, add_crossing, reclassify_crossing, remove_crossing, review
from ienfd.correction.correct import correct, reviewed_figures
from ienfd.learning.decisions import MATTERS_OF_CONFIDENCE
from ienfd.protocol import Protocol
from ienfd.report.content import gather
from ienfd.report.entries import SectionEntry
from ienfd.result import SectionResult
from ienfd.study.log import Target
from ienfd.study.store import Store

_SECTIONS, _FIRST_SEED = 40, 5200
_READER = "always right"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was learned, and write it to OUT/learning.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, study and figures")
    parser.add_argument("--sections", type=int, default=_SECTIONS)
    parser.add_argument("--first-seed", type=int, default=_FIRST_SEED)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args(arguments)
    out: Path = args.out
    sections = plan_kinds(args.sections, args.first_seed)
    make_images(out, sections, args.workers, print)
    write_cases(out, sections)
    analyze_images(out / "images", out / "study", args.workers)
    truths = {
        image_path(out, one).name: read_true_section(truth_path(out, one), one.generator) for one in sections
    }
    protocol = out / "learned.toml"
    protocol.unlink(missing_ok=True)
    with Store(out / "study") as store:
        review_all(store, truths)
        done = train(store, Protocol(), protocol)
    text = json.dumps(_figures(done, args.first_seed), indent=1) + "\n"
    (out / "learning.json").write_text(text, encoding="utf-8")
    print(text)
    return 0


def review_all(store: Store, truths: dict[str, TrueSection]) -> None:
    """Correct every section by its truth, and say that it is reviewed; those that were are left alone."""
    reviewed = {entry.section_id for entry in store.edits()}
    for section in gather(store).sections:
        if section.result is None or section.status != "ok" or section.placement.section_id in reviewed:
            continue
        _review(store, section, section.result, truths[Path(section.placement.path).name])


def _review(store: Store, section: SectionEntry, result: SectionResult, truth: TrueSection) -> None:
    place = section.placement
    target = Target(place.case_id, place.biopsy_id, place.section_id, place.analysis_id)
    edits = corrections(result, truth)
    base = 0
    if edits:
        base = store.append(edits, target, who=_READER, base_seq=base)[-1].seq
    analysis = str(place.analysis_id)
    findings = store.findings(analysis)
    stored = store.results([analysis], place.rules_key)[analysis]
    entries = store.edits(Target(section_id=place.section_id))
    now = correct(stored, entries, Protocol(), lambda: findings).result
    said = review("reviewed", reviewed_figures(now), rules_key=place.rules_key)
    store.append([said], target, who=_READER, base_seq=base)


def corrections(result: SectionResult, truth: TrueSection) -> list[Edit]:
    """What must be done to what was counted for it to be the truth."""
    ours = [crossing for crossing in result.crossings if crossing.reason in MATTERS_OF_CONFIDENCE]
    places = np.array([(c.row_px, c.col_px) for c in ours]).reshape(-1, 2)
    pairs = match(truth.crossings_px, places, truth.pixel_size_um)
    right = {found for _, found in pairs}
    edits: list[Edit] = []
    for number, crossing in enumerate(ours):
        if crossing.counted and number not in right:
            edits.append(remove_crossing(crossing))
        elif number in right and not crossing.counted:
            edits.append(reclassify_crossing(crossing, True))
    known = {true for true, _ in pairs}
    missed = [place for number, place in enumerate(truth.crossings_px) if number not in known]
    return [*edits, *(add_crossing(float(row), float(col)) for row, col in missed)]


def _figures(done: Training, first_seed: int) -> dict[str, Any]:
    def said(values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()
        }

    return {
        "algorithm_version": ALGORITHM_VERSION,
        "first_seed": first_seed,
        "sections": done.decisions.sections,
        "candidates": len(done.decisions),
        "counted": int(done.decisions.counted.sum()),
        "added": done.decisions.added,
        "before": said(asdict(done.learned.before)),
        "learned": said(asdict(done.learned.after)),
        "written": done.written,
        "model": asdict(done.learned.model) | {"learned_from": ""},
    }


if __name__ == "__main__":
    raise SystemExit(main())
