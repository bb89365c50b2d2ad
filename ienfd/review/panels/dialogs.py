"""What a person is asked or shown in a window of its own."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from ienfd.review.deeds import DEEDS
from ienfd.review.live import live_result
from ienfd.review.reviewer import Reviewer
from ienfd.study.log import Target
from ienfd.study.signing import SignOffKind

__all__ = ["KeysDialog", "SignDialog", "ask_text", "ask_yes", "tell"]

_KINDS: dict[str, SignOffKind] = {
    "Addendum: something is added": "addendum",
    "Correction: the result is another one": "correction",
    "Withdrawal: the result no longer holds": "withdrawal",
}


def ask_text(parent: QWidget, question: str) -> str:
    """Ask for a sentence; an empty one when none is given."""
    text, given = QInputDialog.getMultiLineText(parent, "ienfd", question)
    return str(text).strip() if given else ""


def ask_yes(parent: QWidget, question: str) -> bool:
    """Ask whether something that cannot be undone shall be done."""
    answer = QMessageBox.question(parent, "ienfd", question)
    return answer == QMessageBox.StandardButton.Yes


def tell(parent: QWidget, words: str) -> None:
    """Say what went wrong, without stopping anything else."""
    box = QMessageBox(QMessageBox.Icon.Warning, "ienfd", words, QMessageBox.StandardButton.Ok, parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setModal(False)
    box.show()


class KeysDialog(QDialog):
    """The sheet of keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of the review")
        columns = QGridLayout(self)
        columns.setHorizontalSpacing(28)
        groups = [(name, list(own)) for name, own in groupby(DEEDS, key=lambda one: one.group)]
        half = sum(len(own) for _, own in groups) / 2
        column, rows = 0, 0
        boxes: dict[int, Any] = {}
        for name, own in groups:
            if rows + len(own) / 2 > half:
                column, rows = 1, 0
            grid = boxes.setdefault(column, QGridLayout())
            title = QLabel(name)
            title.setStyleSheet("font-weight: bold; font-size: 12pt; padding-top: 8px;")
            grid.addWidget(title, grid.rowCount(), 0, 1, 2)
            for one in own:
                row = grid.rowCount()
                key = QLabel(one.shown_key)
                key.setStyleSheet(
                    "font-family: monospace; font-weight: bold; border: 1px solid palette(mid);"
                    "border-radius: 4px; padding: 1px 6px;"
                )
                key.setAlignment(Qt.AlignmentFlag.AlignCenter)
                grid.addWidget(key, row, 0)
                grid.addWidget(QLabel(one.help), row, 1)
                rows += 1
        for column, grid in boxes.items():
            columns.addLayout(grid, 0, column, Qt.AlignmentFlag.AlignTop)
        mouse = QLabel("Mouse: drag to move, wheel to zoom, click on anything to see why it is so.")
        columns.addWidget(mouse, 1, 0, 1, 2)


class SignDialog(QDialog):
    """Sign a biopsy in ienfd: what stands against it, the name, and the reason where one is needed."""

    def __init__(self, reviewer: Reviewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reviewer = reviewer
        self.setWindowTitle("Sign in ienfd")
        self.setMinimumWidth(460)
        biopsy = reviewer.sheet.biopsy if reviewer.sheet is not None else None
        target = None if biopsy is None else Target(biopsy.record.case_id, biopsy.record.biopsy_id)
        again = target is not None and bool(reviewer.desk.store.sign_offs(target))
        self.name = QLineEdit(reviewer.name)
        self.why = QLineEdit()
        self.why.setPlaceholderText("for a borderline result without second reader, or a second signature")
        self.interpretation, self.comment = QPlainTextEdit(), QPlainTextEdit()
        for field in (self.interpretation, self.comment):
            field.setMaximumHeight(64)
            field.setTabChangesFocus(True)
        self.kind = QComboBox()
        self.kind.addItems(list(_KINDS) if again else ["Final result"])
        self.obstacles = QLabel()
        self.obstacles.setWordWrap(True)
        self.obstacles.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.button = self.buttons.addButton("Sign", QDialogButtonBox.ButtonRole.AcceptRole)
        form = QFormLayout()
        form.addRow("Signed by", self.name)
        form.addRow("As", self.kind)
        form.addRow("Reason", self.why)
        form.addRow("Interpretation", self.interpretation)
        form.addRow("Comment", self.comment)
        legal = QLabel(
            "Kept are the name, the account and machine, the time, and everything that is signed "
            "with its hash. It is no legal electronic signature."
        )
        legal.setWordWrap(True)
        layout = QVBoxLayout(self)
        live = live_result(reviewer.sheet, alone=reviewer.blind)
        result = QLabel(f"{live.biopsy or 'No biopsy'}\n{live.call}")
        result.setTextFormat(Qt.TextFormat.PlainText)
        result.setWordWrap(True)
        result.setStyleSheet("font-weight: bold;")
        layout.addWidget(result)
        layout.addLayout(form)
        layout.addWidget(self.obstacles)
        layout.addWidget(legal)
        layout.addWidget(self.buttons)
        self.buttons.rejected.connect(self.reject)
        self.buttons.accepted.connect(self._sign)
        self.why.textChanged.connect(self._look)
        self.name.textChanged.connect(self._look)
        self.kind.currentIndexChanged.connect(self._look)
        self._look()

    @property
    def chosen_kind(self) -> SignOffKind:
        """What the signature does."""
        return _KINDS.get(self.kind.currentText(), "final")

    def _look(self, *_: object) -> None:
        """Say what stands against signing."""
        against = []
        if self.chosen_kind != "withdrawal":
            against = self._reviewer.signing_obstacles(self.why.text())
        if not self.name.text().strip():
            against.append("a name is missing")
        if self.chosen_kind != "final" and not self.why.text().strip():
            against.append("a signature after the first one needs a reason")
        self.obstacles.setText("\n".join(["Not yet:", *(f"• {line}" for line in against)] if against else []))
        self.obstacles.setVisible(bool(against))
        self.button.setEnabled(not against)

    def _sign(self) -> None:
        signed = self._reviewer.sign(
            self.name.text(),
            self.why.text(),
            self.chosen_kind,
            interpretation=self.interpretation.toPlainText(),
            comment=self.comment.toPlainText(),
        )
        if signed:
            self.accept()
