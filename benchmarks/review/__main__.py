"""Measure the review of big sections in a running viewer, under software rendering:

    xvfb-run -a -s "-screen 0 1366x768x24" python -m benchmarks.review OUT

Two sections of 12,000 x 4,000 pixels are made and analyzed once; then they are opened, edited, and left
for each other. Times are of the wall; a label has changed when it holds the new words, the canvas has
been drawn when its window has nothing left to do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.speed.section import LargeSection, write_section

BOUNDS_S = {"first_sight_s": 3.0, "edit_to_label_s": 0.1, "next_section_s": 1.5}
_EDITS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, or 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, study and figures")
    out: Path = parser.parse_args(arguments).out
    prepare(out)
    figures = measure(out / "study")
    missed = [name for name, bound in BOUNDS_S.items() if figures[name] > bound]
    text = json.dumps({**figures, "bounds_s": BOUNDS_S, "missed": missed}, indent=1) + "\n"
    (out / "review.json").write_text(text, encoding="utf-8")
    print(text)
    return 1 if missed else 0


def prepare(out: Path) -> None:
    """Make the images and the study, unless they are there."""
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)
    for seed in (1, 2):
        image = images / f"large_{seed}.ome.tif"
        if not image.is_file():
            unfinished = image.with_suffix(".part")
            write_section(unfinished, LargeSection(seed=seed, dermal_per_mm=700.0))
            unfinished.replace(image)
    if not (out / "analyzed" / "sections.csv").is_file():
        command = [sys.executable, "-m", "ienfd", "run", str(images), "--out", str(out / "analyzed")]
        subprocess.run([*command, "--workers", "1", "--progress", "none"], check=True)
    shutil.rmtree(out / "study", ignore_errors=True)
    shutil.copytree(out / "analyzed", out / "study")


def measure(study: Path) -> dict[str, Any]:
    """Open, edit, go on."""
    from qtpy.QtWidgets import QApplication

    from ienfd.review.start import open_review

    def settled() -> None:
        for _ in range(3):
            QApplication.processEvents()

    panel = open_review(study, reader="benchmark", show_first=False)
    viewer = panel.viewer
    viewer.window.resize(1366, 768)
    settled()
    reviewer, items = panel.reviewer, panel.reviewer.desk.items
    first_sight = timed(lambda: reviewer.open(items[0]), settled)
    sheet = reviewer.sheet
    wait_for_image(panel, settled)
    shown = hear_labels(panel)
    labels, drawn = [], []
    counted = [c for c in sheet.result.crossings if c.counted]
    for crossing in counted[:_EDITS]:
        reviewer.pick_at(crossing.row_px, crossing.col_px)
        settled()
        begin = time.perf_counter()
        reviewer.remove()
        settled()
        drawn.append(time.perf_counter() - begin)
        labels.append(shown[-1] - begin)
    junction = sheet.result.findings.pieces[0].junction_px
    begin = time.perf_counter()
    reviewer.exclude(junction[200], junction[400])
    exclude = shown[-1] - begin
    settled()
    begin = time.perf_counter()
    reviewer.redraw_junction(0, junction + np.array([2.0, 0.0]))
    redraw = shown[-1] - begin
    settled()
    further = timed(lambda: reviewer.step(1), settled)
    wait_for_image(panel, settled)
    back = timed(lambda: reviewer.step(-1), settled)
    figures = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "pixels": list(sheet.findings.shape),
        "fiber_segments": len(sheet.findings.graph.branches),
        "candidates": len(sheet.result.crossings),
        "first_sight_s": round(first_sight, 3),
        "edit_to_label_s": round(median(labels), 4),
        "edit_to_label_slowest_s": round(max(labels), 4),
        "edit_to_drawn_s": round(median(drawn), 3),
        "exclude_a_stretch_to_label_s": round(exclude, 3),
        "redraw_the_junction_to_label_s": round(redraw, 3),
        "next_section_s": round(further, 3),
        "back_s": round(back, 3),
    }
    panel.finish()
    viewer.close()
    return figures


def hear_labels(panel: Any) -> list[float]:
    """Moments at which the label of the density was given other words, as it goes on."""
    moments: list[float] = []
    said = panel.card.section_detail.setText

    def heard(words: str) -> None:
        if words != panel.card.section_detail.text():
            moments.append(time.perf_counter())
        said(words)

    panel.card.section_detail.setText = heard
    return moments


def wait_for_image(panel: Any, settled: Callable[[], None]) -> None:
    """Until the image itself has taken the place of its picture."""
    deadline = time.monotonic() + 60
    while not any(layer.name == "image" for layer in panel.viewer.layers) and time.monotonic() < deadline:
        settled()
        time.sleep(0.02)
    settled()


def timed(do: Callable[[], object], then: Callable[[], object]) -> float:
    """Seconds until it is done and shown."""
    begin = time.perf_counter()
    do()
    then()
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
