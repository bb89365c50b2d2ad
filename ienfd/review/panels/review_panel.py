"""The panel of the review: result, queue, reasons, and a button for everything that has a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ienfd.batch.collect import collect
from ienfd.review.blind import study_agreement
from ienfd.review.canvas import Asking, Canvas
from ienfd.review.concerns import Concern
from ienfd.review.deeds import Deed, deed
from ienfd.review.explain import said_of
from ienfd.review.live import comparison_words, live_result
from ienfd.review.panels.background import QtBackground
from ienfd.review.panels.dialogs import KeysDialog, SignDialog, ask_text, ask_yes, tell
from ienfd.review.panels.queue_table import QueuePanel
from ienfd.review.panels.result_card import ResultCard
from ienfd.review.readings import marks
from ienfd.review.reviewer import Reviewer
from ienfd.review.tour import stops

__all__ = ["ReviewPanel"]

_ROWS = (
    ("back", "next", "unseen"),
    ("accept", "reject", "not_sure"),
    ("add", "move", "remove", "note"),
    ("exclude", "include", "redraw", "bend"),
    ("undo", "redo", "marks", "projection", "overview"),
    ("reviewed", "second_reader", "sign", "keys"),
)
_BLIND_ROWS = (
    ("add", "remove", "undo", "redo"),
    ("projection", "overview", "compare", "keys"),
)


class ReviewPanel(QWidget):
    """Shows what the reviewer's desk holds.

    Parameters
    ----------
    viewer : napari.Viewer
        Where sections are shown.
    reviewer : Reviewer
        Who reviews.
    """

    def __init__(self, viewer: Any, reviewer: Reviewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reviewer = reviewer
        self.viewer = viewer
        self._finished = False
        self._window: QWidget | None = None
        self.background = QtBackground(self)
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setStyleSheet("font-weight: bold;")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.card = ResultCard(self)
        self.queue = QueuePanel(reviewer.desk, reviewer.name, blind=reviewer.blind, parent=self)
        self.why = _text_label()
        self.concerns = QListWidget(self)
        self.concerns.setWordWrap(True)
        self.concerns.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.history = _text_label()
        self.message = _text_label()
        self.tabs = QTabWidget(self)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        candidate = QWidget()
        column = QVBoxLayout(candidate)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.why)
        column.addWidget(self.concerns, 1)
        column.addStretch()
        self.tabs.addTab(self.queue, "Queue")
        self.tabs.addTab(candidate, "Look at")
        self.tabs.addTab(_padded(self.history), "Log")
        self.buttons: dict[str, QPushButton] = {}
        self.rows = QStackedWidget(self)
        self.rows.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.rows.addWidget(self._rows(_ROWS))
        self.rows.addWidget(self._rows(_BLIND_ROWS))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(self._top())
        layout.addWidget(self.card)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.rows)
        layout.addWidget(self.message)
        self.setMinimumWidth(400)
        self.queue.chosen.connect(reviewer.open)
        self.concerns.itemClicked.connect(lambda one: reviewer.fly_to(one.data(Qt.ItemDataRole.UserRole)))
        reviewer.opened.connect(self._show_section)
        reviewer.changed.connect(self._show_result)
        reviewer.picked.connect(self._show_picked)
        reviewer.queue_changed.connect(self._show_queue)
        reviewer.said.connect(self._say)
        reviewer.troubled.connect(self._trouble)
        reviewer.shown = lambda: self.queue.table.items or reviewer.desk.items
        asking = Asking(
            text=lambda question: ask_text(self, question),
            confirm=lambda question: ask_yes(self, question),
            keys=self._keys,
            sign=self._sign,
        )
        self.canvas = Canvas(viewer, reviewer, background=self.background, asking=asking)  # drawn last
        self._show_result()

    def _top(self) -> Any:
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        for name in ("previous_section", "next_section", "next_open"):
            row.addWidget(self._button(deed(name), {"previous_section": "◀", "next_section": "▶"}.get(name)))
        return row

    def _rows(self, names_of_rows: Sequence[Sequence[str]]) -> QWidget:
        box = QWidget()
        rows = QVBoxLayout(box)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(3)
        for names in names_of_rows:
            row = QHBoxLayout()
            row.setSpacing(3)
            for name in names:
                row.addWidget(self._button(deed(name)), 1)
            rows.addLayout(row)
        rows.addStretch()
        return box

    def _button(self, one: Deed, label: str | None = None) -> Any:
        button = QPushButton(label or one.face, self)
        button.setStyleSheet("padding: 3px 2px; font-size: 9pt;")
        button.setToolTip(f"{one.help}\nKey: {one.shown_key}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the image
        button.clicked.connect(lambda _checked=False: one.do(self.canvas))
        button.setMinimumWidth(24 if label else 40)
        self.buttons.setdefault(one.name, button)
        return button

    def event(self, event: QEvent) -> bool:
        """Finish when napari takes the panel out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.finish()
        return bool(super().event(event))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Finish when the window is closed."""
        if event.type() == QEvent.Type.Close and watched is self._window:
            self.finish()
        return False

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Watch the window that it is in."""
        super().showEvent(event)
        if self._window is None:
            self._window = self.window()
            self._window.installEventFilter(self)

    def finish(self) -> None:
        """Close the study; its tables and overlays are written anew where something was changed."""
        if self._finished:
            return
        self._finished = True
        self.canvas.close()
        self.background.close()
        store = self.reviewer.desk.store
        try:
            if self.reviewer.wrote:
                collect(store)
        finally:
            store.close()

    # showing

    def _show_section(self, _sheet: object = None) -> None:
        item = self.reviewer.item
        self.title.setText(item.name if item else "")
        self.title.setToolTip(f"{item.row.root}/{item.row.path}" if item else "")
        self.queue.mark(item)
        self.rows.setCurrentIndex(int(self.reviewer.hides))
        self.message.clear()
        self._show_result()
        self._show_picked()

    def _show_result(self, _sheet: object = None) -> None:
        reviewer = self.reviewer
        sheet = reviewer.sheet
        own = len(marks(sheet.log, reviewer.name)) if sheet is not None else 0
        self.card.show_result(live_result(sheet, hides=reviewer.hides, own_marks=own, alone=reviewer.blind))
        self.concerns.clear()
        for concern in reviewer.concerns():
            self.concerns.addItem(_concern_item(concern))
        self.concerns.setVisible(self.concerns.count() > 0)
        self.tabs.setTabText(1, f"Look at ({self.concerns.count()})" if self.concerns.count() else "Look at")
        self.history.setText("\n".join(reversed(said_of(sheet.log if sheet and not reviewer.hides else ()))))

    def _show_queue(self) -> None:
        self.queue.refresh()
        self.queue.mark(self.reviewer.item)

    def _show_picked(self, _selection: object = None) -> None:
        said = self.reviewer.explain()
        self.why.setText("\n".join(said) or self._progress())
        if said:
            self.tabs.setCurrentIndex(1)

    def _progress(self) -> str:
        """How far the tour of this section has come."""
        sheet = self.reviewer.sheet
        if sheet is None:
            return ""
        if self.reviewer.comparison is not None:
            return comparison_words(
                self.reviewer.comparison, study_agreement(self.reviewer.desk.store.edits())
            )
        if self.reviewer.hides:
            return ""
        seen = sheet.verdicts()
        all_stops = stops(sheet.result.crossings)
        done = sum(one.crossing_id in seen for one in all_stops)
        return f"{done} of {len(all_stops)} candidates judged. N flies to the next, click to see why."

    def _say(self, words: str) -> None:
        self.message.setText(words)
        self.viewer.status = words

    def _trouble(self, words: str) -> None:
        self.message.setText(words)
        tell(self, words)

    def _keys(self) -> None:
        dialog = KeysDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _sign(self) -> None:
        self.reviewer.refresh()  # what is signed is what is there now
        dialog = SignDialog(self.reviewer, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


def _concern_item(concern: Concern) -> Any:
    item = QListWidgetItem(("➜ " if concern.place_px else "") + concern.text)
    item.setData(Qt.ItemDataRole.UserRole, concern)
    return item


def _text_label() -> Any:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _padded(widget: QWidget) -> QWidget:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(widget)
    return area
