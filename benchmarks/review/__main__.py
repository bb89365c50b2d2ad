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
from ienfd.geometry import length, points_at

BOUNDS_S = {
    "first_sight_s": 3.0,
    "edit_to_label_s": 0.1,
    "exclude_a_stretch_to_label_s": 0.1,
    "redraw_a_stretch_to_label_s": 0.1,
    "drag_a_point_to_label_s": 0.1,
    "next_section_s": 1.5,
}
_EDITS, _COURSES = 20, 8


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
    exclude = [along_junction(panel, shown, settled, "exclude", k) for k in range(_COURSES)]
    stretch = [along_junction(panel, shown, settled, "draw", k) for k in range(_COURSES)]
    drag = [along_junction(panel, shown, settled, "drag", k) for k in range(_COURSES)]
    junction = reviewer.sheet.result.findings.pieces[0].junction_px
    begin = time.perf_counter()
    reviewer.redraw_junction(0, junction + np.array([2.0, 0.0]))
    whole = shown[-1] - begin
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
        "exclude_a_stretch_to_label_s": round(median(exclude), 3),
        "exclude_a_stretch_to_label_slowest_s": round(max(exclude), 3),
        "redraw_a_stretch_to_label_s": round(median(stretch), 3),
        "redraw_a_stretch_to_label_slowest_s": round(max(stretch), 3),
        "drag_a_point_to_label_s": round(median(drag), 3),
        "drag_a_point_to_label_slowest_s": round(max(drag), 3),
        "redraw_the_whole_junction_to_label_s": round(whole, 3),
        "next_section_s": round(further, 3),
        "back_s": round(back, 3),
    }
    panel.finish()
    viewer.close()
    return figures


def along_junction(
    panel: Any, shown: list[float], settled: Callable[[], None], what: str, number: int
) -> float:
    """Seconds from the last key or release of a reviewer's deed along the junction to the label.

    A stretch of 100 um is excluded; one of 300 to 500 um is drawn anew by clicks 50 um apart, a little
    beside the junction; or a point of it is dragged by 5 um.
    """
    tools, sheet = panel.canvas.tools, panel.reviewer.sheet
    piece, size = sheet.result.findings.pieces[0], sheet.pixel_size_um
    whole_um = length(piece.junction_px) * size
    start_um = whole_um * (0.08 + 0.85 * number / _COURSES)
    reach_um = {"exclude": 100.0, "draw": 300.0 + 200.0 * number / _COURSES, "drag": 0.0}[what]
    places_um = np.arange(start_um, min(start_um + reach_um, whole_um) + 1.0, 50.0)
    places = points_at(piece.junction_px, places_um / size)
    if what == "exclude":
        tools.stretch(tuple(places[0]), exclude=True)
        begin = time.perf_counter()
        tools.stretch(tuple(places[-1]), exclude=True)
    elif what == "draw":
        tools.draw()
        for place in places + np.array([1.0, 0.0]) / size:
            tools.click(tuple(place))
        settled()
        begin = time.perf_counter()
        tools.draw()
    else:
        tools.bend()
        held = tools.handle_at(tuple(places[0]), 40.0)
        to = places[0] + np.array([5.0, 0.0]) / size
        tools.drag(held, tuple(to))
        settled()
        begin = time.perf_counter()
        tools.let_go(held, tuple(to))
    changed = shown[-1] - begin
    settled()
    tools.forget()
    settled()
    return changed


def hear_labels(panel: Any) -> list[float]:
    """Moments at which the label of the density was written, as it goes on."""
    moments: list[float] = []
    said = panel.card.section_detail.setText

    def heard(words: str) -> None:
        said(words)
        moments.append(time.perf_counter())

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
