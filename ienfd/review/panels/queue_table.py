"""The queue as a table: case, section, how far it has come, its density."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ienfd.reasons import REASONS
from ienfd.review.desk import Desk
from ienfd.review.queue import QueueItem, Stage, by_uncertainty, filtered, progress_of

__all__ = ["QueuePanel", "QueueTable"]

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_SIGNS = {
    Stage.NEW: "○",
    Stage.IN_REVIEW: "◐",
    Stage.NEEDS_REVIEW: "!",
    Stage.SECOND_READER: "②",
    Stage.REVIEWED: "●",
    Stage.SIGNED: "✓",
    Stage.REFUSED: "-",
    Stage.FAILED: "✕",
    Stage.PENDING: "…",
    Stage.CHANGED: "!",
    Stage.TO_READ: "○",
    Stage.COMPARED: "●",
}
_HEADERS = ("", "Section", "Case", "/mm")
_SIGN, _NAME, _CASE, _DENSITY = range(4)


class QueueTable(QAbstractTableModel):
    """Items of the queue as rows; a density is looked up when its row is shown.

    Parameters
    ----------
    desk : Desk
        The study.
    blind : bool
        Show no densities and no flags.
    """

    def __init__(self, desk: Desk, *, blind: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._blind = blind
        self.items: tuple[QueueItem, ...] = ()

    def show(self, items: Sequence[QueueItem]) -> None:
        """Show these items."""
        if [item.key for item in items] == [item.key for item in self.items]:
            self.items = tuple(items)
            self.dataChanged.emit(self.index(0, 0), self.index(len(items) - 1, len(_HEADERS) - 1))
            return
        self.beginResetModel()
        self.items = tuple(items)
        self.endResetModel()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Rows of the table."""
        return 0 if parent.isValid() else len(self.items)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Columns of the table."""
        return 0 if parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:  # noqa: N802 - Qt's name
        """Names of the columns."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _HEADERS[section]
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        """A cell."""
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(item, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hint(item)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in (_SIGN, _DENSITY):
            return int(
                Qt.AlignmentFlag.AlignCenter if index.column() == _SIGN else Qt.AlignmentFlag.AlignRight
            )
        return None

    def _text(self, item: QueueItem, column: int) -> str:
        if column == _SIGN:
            return _SIGNS[item.stage]
        if column == _NAME:
            return item.name
        if column == _CASE:
            return item.row.case_id if item.row.listed else ""
        if item.row.status != "ok" or self._blind:
            return ""
        entry = self._desk.entry(item)
        density = entry.result.density_per_mm if entry is not None and entry.result is not None else None
        return "" if density is None else f"{density:.1f}"

    def _hint(self, item: QueueItem) -> str:
        said = [item.name, f"{item.row.case_id}, {item.row.biopsy_id}" if item.row.listed else "", item.stage]
        if item.row.reason in REASONS:
            said.append(REASONS[item.row.reason].text)
        entry = self._desk.entry(item) if item.viewable and not self._blind else None
        said += [REASONS[flag].text for flag in (entry.flags if entry else ()) if flag in REASONS]
        return "\n".join(line for line in said if line)


class QueuePanel(QWidget):
    """The queue with its filter and its order."""

    chosen = Signal(object)

    def __init__(self, desk: Desk, who: str, *, blind: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._who = who
        self.table = QueueTable(desk, blind=blind, parent=self)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Filter: file, case, stage")
        self.filter.setClearButtonEnabled(True)
        self.order = QComboBox(self)
        self.order.addItems(["By case", "Most uncertain first"])
        self.order.setVisible(not blind)  # how sure the program is, is part of its answer
        self.only_open = QCheckBox("To do", self)
        self.only_open.setToolTip("Show only what somebody has still to look at.")
        self.view = QTableView(self)
        self.view.setModel(self.table)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setShowGrid(False)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay with the image
        self.view.setWordWrap(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(24)
        header = self.view.horizontalHeader()
        for column, width in ((_SIGN, 28), (_CASE, 96), (_DENSITY, 52)):
            header.resizeSection(column, width)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(24)
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(self.only_open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(top)
        layout.addWidget(self.order)
        layout.addWidget(self.view, 1)
        self.progress = QLabel(self)
        layout.addWidget(self.progress)
        self.filter.textChanged.connect(self.refresh)
        self.only_open.toggled.connect(self.refresh)
        self.order.currentIndexChanged.connect(self.refresh)
        self.view.clicked.connect(lambda index: self.chosen.emit(self.table.items[index.row()]))
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the queue as it is now."""
        items = self._desk.items
        if self.order.currentIndex() == 1:
            items = by_uncertainty(items, {item.key: self._desk.entry(item) for item in items})
        self.table.show(filtered(items, self.filter.text(), self.only_open.isChecked()))
        today = datetime.now(UTC).date().isoformat()
        self.progress.setText(progress_of(self._desk.items, self._desk.log, self._who, today))

    def mark(self, item: QueueItem | None) -> None:
        """Show which section is open."""
        self.view.clearSelection()
        keys = [one.key for one in self.table.items]
        if item is not None and item.key in keys:
            row = keys.index(item.key)
            self.view.selectRow(row)
            self.view.scrollTo(self.table.index(row, _NAME))
