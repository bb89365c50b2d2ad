"""Choose a study to review, from napari's own menus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ienfd.errors import IenfdError
from ienfd.review.start import open_review

__all__ = ["StudyChooser"]


class StudyChooser(QWidget):
    """Who reads which study, and whether blind.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the study is shown.
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.reader = QLineEdit()
        self.reader.setPlaceholderText("name in the settings, or of the account")
        self.case = QLineEdit()
        self.case.setPlaceholderText("all")
        self.blind = QCheckBox("blind: show nobody else's marks")
        self.button = QPushButton("Choose the folder of a study ...")
        self.words = QLabel("A study is the folder that `ienfd run IMAGES --out STUDY` has made.")
        self.words.setWordWrap(True)
        form = QFormLayout()
        form.addRow("Reader", self.reader)
        form.addRow("Case", self.case)
        form.addRow("", self.blind)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.button)
        layout.addWidget(self.words)
        layout.addStretch()
        self.button.clicked.connect(self.choose)

    def choose(self) -> None:
        """Ask for a folder and open it."""
        folder = QFileDialog.getExistingDirectory(self, "The folder of a study")
        if folder:
            self.open(Path(folder))

    def open(self, study: Path) -> None:
        """Open a study; says why where that cannot be."""
        try:
            open_review(
                study,
                self.viewer,
                reader=self.reader.text(),
                case_id=self.case.text().strip() or None,
                blind=self.blind.isChecked(),
            )
        except IenfdError as error:
            self.words.setText(f"{error.text} {error.remedy}".strip())
            return
        self.words.setText(f"{study.name} is open.")
