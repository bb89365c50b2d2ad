"""The review in a running window: keys, buttons, dialogs, and what they leave in the store."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel

from ienfd.correction.commands import Command
from ienfd.correction.correct import ReviewState
from ienfd.review.deeds import DEEDS
from ienfd.review.panels.dialogs import KeysDialog, SignDialog
from ienfd.review.start import open_review, panel_of
from ienfd.study.store import Store


@pytest.fixture
def panel(viewer: Any, study: Path, settle: Any) -> Iterator[Any]:
    opened = open_review(study, viewer, reader="A. Reader")
    settle(lambda: any("nerve" in layer.name for layer in viewer.layers))
    yield opened
    opened.finish()


def press(panel: Any, key: Any, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    canvas = panel.viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    QTest.keyClick(canvas, key, modifier)


def commands(study: Path) -> list[str]:
    with Store(study) as store:
        return [entry.edit.command.value for entry in store.edits()]


def test_the_first_section_is_open_with_its_image_and_marks(panel: Any) -> None:
    names = [layer.name for layer in panel.viewer.layers]
    assert names[0] == "picture"
    assert names[-1] in ("crossings", "picked")
    assert not panel.viewer.layers["picture"].visible  # the image has taken its place
    assert panel.title.text() == "one.ome.tif"
    assert panel.card.section.text().endswith("/mm")
    assert panel_of(panel.viewer) is panel


def test_keys_reach_the_log_and_the_label(panel: Any, study: Path, settle: Any) -> None:
    before = panel.card.section_detail.text()
    press(panel, Qt.Key.Key_N)
    assert panel.reviewer.selection is not None
    assert panel.why.text().startswith("Crossing 1, counted.")
    press(panel, Qt.Key.Key_X)
    settle(lambda: panel.card.section_detail.text() != before)
    press(panel, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: panel.card.section_detail.text() == before)
    press(panel, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    settle(lambda: panel.card.section_detail.text() != before)
    press(panel, Qt.Key.Key_R)
    assert commands(study) == ["reclassify_crossing", "undo", "redo", "review"]


def test_every_deed_has_a_key_of_its_own_that_napari_leaves_to_it(panel: Any) -> None:
    assert len({one.key for one in DEEDS}) == len(DEEDS)
    bound = {str(key) for key in panel.viewer.keymap}
    assert len(bound) >= len(DEEDS)
    for one in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        before = panel.title.text()
        press(panel, one)
        assert panel.title.text() != before


def test_a_question_mark_shows_the_keys(panel: Any, settle: Any) -> None:
    press(panel, Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier)
    settle(lambda: any(dialog.isVisible() for dialog in panel.findChildren(KeysDialog)))


def test_what_a_mouse_picks_is_explained(panel: Any, settle: Any) -> None:
    crossing = next(c for c in panel.reviewer.sheet.result.crossings if c.counted)
    panel.canvas.fly(crossing.row_px, crossing.col_px, 160.0)
    settle()
    canvas = panel.viewer.window._qt_viewer.canvas.native
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())
    settle(lambda: panel.reviewer.selection is not None)
    assert panel.reviewer.selection.object_id == crossing.crossing_id
    assert "counted" in panel.why.text()


def test_buttons_and_the_sheet_of_keys_name_every_deed(panel: Any) -> None:
    words = {label.text() for label in KeysDialog(panel).findChildren(QLabel)}
    for one in DEEDS:
        assert one.help in words
        assert one.shown_key in words
    for name, button in panel.buttons.items():
        assert button.toolTip().endswith(f"Key: {next(d for d in DEEDS if d.name == name).shown_key}")
    by_button = set(panel.buttons)
    assert {one.name for one in DEEDS} - by_button == {"cancel", "refresh"}


def test_the_window_fits_a_small_screen(panel: Any, settle: Any) -> None:
    panel.viewer.window.resize(1366, 768)
    settle()
    assert panel.viewer.window.geometry()[2:] == (1366, 768)
    for button in (b for b in panel.buttons.values() if b.isVisible()):
        words = button.fontMetrics().horizontalAdvance(button.text())
        assert words <= button.width(), button.text()


def test_the_queue_filters_and_opens(panel: Any) -> None:
    panel.queue.filter.setText("two")
    assert [item.row.path for item in panel.queue.table.items] == ["two.ome.tif"]
    index = panel.queue.table.index(0, 1)
    panel.queue.view.clicked.emit(index)
    assert panel.title.text() == "two.ome.tif"
    panel.queue.filter.setText("")
    panel.queue.order.setCurrentIndex(1)
    assert panel.queue.table.rowCount() == 2
    panel.reviewer.set_review(ReviewState.REVIEWED)
    assert panel.queue.progress.text() == "1 of 2 reviewed. Today: 1 reviewed, 0 corrections."
    panel.queue.only_open.setChecked(True)
    assert [item.row.path for item in panel.queue.table.items] == ["one.ome.tif"]


def test_signing_is_led_by_what_stands_against_it(panel: Any, study: Path) -> None:
    dialog = SignDialog(panel.reviewer, panel)
    assert not dialog.button.isEnabled()
    assert "one.ome.tif: it has not been reviewed" in dialog.obstacles.text()
    for _ in range(2):
        panel.reviewer.set_review(ReviewState.REVIEWED)
        panel.reviewer.step(1)
    dialog = SignDialog(panel.reviewer, panel)
    dialog.why.setText("agreed with the referring clinic")
    assert dialog.button.isEnabled(), dialog.obstacles.text()
    dialog.name.setText("")
    assert not dialog.button.isEnabled()
    dialog.name.setText("Dr. Sign")
    dialog.button.click()
    assert commands(study)[-1] == Command.SIGN
    assert panel.reviewer.sheet.biopsy.status == "final"
    assert all(item.stage == "signed" for item in panel.reviewer.desk.items)


def test_tables_are_written_anew_when_the_review_ends(viewer: Any, study: Path) -> None:
    opened = open_review(study, viewer, reader="A. Reader")
    opened.reviewer.tour()
    opened.reviewer.reject()
    opened.finish()
    opened.finish()  # twice does no harm
    with (study / "sections.csv").open(encoding="utf-8", newline="") as file:
        edits = {row["file"]: row["edits"] for row in csv.DictReader(file)}
    assert edits == {"one.ome.tif": "1", "two.ome.tif": "0"}


def test_a_second_study_takes_the_place_of_the_first(panel: Any, study: Path, tmp_path: Path) -> None:
    import shutil

    other = Path(shutil.copytree(study, tmp_path / "other"))
    second = open_review(other, panel.viewer, reader="B. Reader")
    try:
        assert panel_of(panel.viewer) is second
        assert second.title.text() == "one.ome.tif"
        assert [layer.name for layer in panel.viewer.layers].count("crossings") == 1
    finally:
        second.finish()
    assert len(panel.viewer.layers) == 0


def test_a_blind_reader_sees_no_mark_and_no_number_before_comparing(
    viewer: Any, study: Path, settle: Any
) -> None:
    opened = open_review(study, viewer, reader="B. Reader", blind=True)
    try:
        shown = {layer.name for layer in viewer.layers if layer.visible}
        assert not shown & {"crossings", "fibers", "junction", "surface", "dendritic cells"}
        assert opened.card.section.text() == "0 marks"
        assert not opened.card.plot.isVisible()
        assert opened.queue.table.data(opened.queue.table.index(0, 3)) == ""
        crossing = next(c for c in opened.reviewer.sheet.result.crossings if c.counted)
        opened.reviewer.add_at(crossing.row_px, crossing.col_px)
        assert opened.card.section.text() == "1 mark"
        asked: list[str] = []

        def yes(question: str) -> bool:
            asked.append(question)
            return True

        opened.canvas.asking.confirm = yes
        opened.reviewer.compare_readings()
        assert "1 mark" in asked[0]  # what cannot be undone is asked for
        settle()
        assert "F1" in opened.why.text()
        assert viewer.layers["crossings"].visible
        assert opened.rows.currentIndex() == 0
    finally:
        opened.finish()
