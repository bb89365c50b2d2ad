"""Make the pictures of the review's screens.

    ./run-samples
    xvfb-run -a -s "-screen 0 1366x768x24" .venv/bin/python docs/make_screens.py results

The study is copied, so that nothing in it is changed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication, QWidget

from ienfd.review.panels.analyze_panel import AnalyzePanel
from ienfd.review.panels.dialogs import KeysDialog, SignDialog
from ienfd.review.plugin import fluorescence_section
from ienfd.review.start import open_review

HERE = Path(__file__).parent
SIZE = 1366, 768


def main(study: Path) -> None:
    """Make all of them."""
    with tempfile.TemporaryDirectory() as room:
        copy = Path(room) / "study"
        shutil.copytree(study, copy)
        panel = open_review(copy, reader="Reader A")
        viewer = panel.viewer
        viewer.window.resize(*SIZE)
        reviewer, canvas = panel.reviewer, panel.canvas
        wait()
        shot(viewer, "review_section")
        reviewer.tour()
        reviewer.accept()
        wait()
        shot(viewer, "review_candidate")
        open_file(panel, "synthetic_normal_1.svs")
        panel.tabs.setCurrentIndex(1)
        wait()
        shot(viewer, "review_look_at")
        redraw(panel)
        shot(viewer, "review_redraw")
        canvas.tools.forget()
        junction = reviewer.sheet.result.findings.pieces[0].junction_px
        reviewer.exclude(junction[len(junction) // 5], junction[len(junction) // 3], "fold")
        reviewer.pick_at(*junction[len(junction) // 4])
        canvas.overview()
        wait()
        shot(viewer, "review_excluded")
        viewer.theme = "light"
        wait()
        shot(viewer, "review_light")
        viewer.theme = "dark"
        grab(KeysDialog(panel), "review_keys")
        grab(SignDialog(reviewer, panel), "review_sign")
        open_file(panel, "synthetic_borderline_3.ome.tif")
        canvas.toggle_projection()
        reviewer.tour()
        wait()
        shot(viewer, "review_stack")
        panel.finish()
        viewer.close()
        blind(copy)
    analyze()


def blind(study: Path) -> None:
    """A blind reading, before and after it is compared."""
    panel = open_review(study, reader="Reader B", blind=True)
    panel.viewer.window.resize(*SIZE)
    open_file(panel, "synthetic_low_2.ome.tif")
    sheet = panel.reviewer.sheet
    counted = [c for c in sheet.result.crossings if c.counted]
    others = [c for c in sheet.result.crossings if not c.counted]
    for crossing in [*counted[:-1], others[0]]:
        panel.reviewer.add_at(crossing.row_px + 2, crossing.col_px - 3)
    panel.canvas.overview()
    wait()
    shot(panel.viewer, "review_blind")
    panel.canvas.asking.confirm = lambda _: True
    panel.reviewer.compare_readings()
    wait()
    shot(panel.viewer, "review_compared")
    panel.finish()
    panel.viewer.close()


def analyze() -> None:
    """A single image, without a study."""
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    for pixels, options, _ in fluorescence_section():
        viewer.add_image(pixels, **options)
    panel = AnalyzePanel(viewer)
    viewer.window.add_dock_widget(panel, name="Count nerve fibers in an image", area="right")
    panel.start()
    deadline = time.monotonic() + 120
    while not panel.button.isEnabled() and time.monotonic() < deadline:
        wait(0.1)
    viewer.reset_view()
    wait()
    shot(viewer, "review_single")
    panel.background.close()
    viewer.close()


def open_file(panel: Any, path: str) -> None:
    """Open a section by its file."""
    panel.reviewer.open(next(item for item in panel.reviewer.desk.items if item.row.path == path))
    wait()


def redraw(panel: Any) -> None:
    """Half of a live wire."""
    canvas, sheet = panel.canvas, panel.reviewer.sheet
    junction = sheet.result.findings.pieces[0].junction_px
    begin = len(junction) // 3
    canvas.tools.draw()
    places = [junction[begin + step] for step in (0, 60, 120)]
    canvas.fly(*places[1], 300.0)
    for place in places:
        canvas.click((float(place[0]), float(place[1])))
    wait()


def wait(seconds: float = 2.0) -> None:
    """Let the window work."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def shot(viewer: Any, name: str) -> None:
    """Keep the whole window as a picture."""
    pixels = viewer.screenshot(canvas_only=False, flash=False)
    Image.fromarray(np.asarray(pixels)[..., :3]).save(HERE / f"{name}.png", optimize=True)


def grab(dialog: QWidget, name: str) -> None:
    """Keep a dialog as a picture."""
    dialog.show()
    wait(0.5)
    dialog.grab().save(str(HERE / f"{name}.png"))
    dialog.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
