"""The result as it stands: the section in numbers, the biopsy as a small plot against its norm."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from ienfd.draw.palette import ORANGE, SKY
from ienfd.review.live import LiveResult

__all__ = ["NormPlot", "ResultCard"]


class ResultCard(QWidget):
    """Density of the section, density and call of its biopsy."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = _label(18, bold=True)
        self.section_detail = _label(11)
        self.biopsy = _label(12, bold=True)
        self.call = _label(11)
        self.plot = NormPlot(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(2)
        for widget in (self.section, self.section_detail, self.biopsy, self.plot, self.call):
            layout.addWidget(widget)

    def show_result(self, live: LiveResult) -> None:
        """Show what the sheet says now."""
        self.section.setText(live.section)
        self.section_detail.setText(live.section_detail)
        self.biopsy.setText(live.biopsy)
        self.biopsy.setVisible(bool(live.biopsy))
        self.call.setText(live.call)
        self.plot.show_result(live)
        self.plot.setVisible(live.density_per_mm is not None)


def _label(points: int, *, bold: bool = False) -> Any:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    font = label.font()
    font.setPointSize(points)
    font.setBold(bold)
    label.setFont(font)
    label.setStyleSheet(f"font-size: {points}pt; font-weight: {'bold' if bold else 'normal'};")
    return label


class NormPlot(QWidget):
    """Density of a biopsy with its interval on a line, and the limit of its norm."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._live: LiveResult | None = None
        self.setMinimumHeight(58)
        self.setMaximumHeight(58)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Density of the biopsy with its 95 % interval; the bar ends at the limit of the norm."
        )

    def show_result(self, live: LiveResult) -> None:
        """Show another result."""
        self._live = live
        self.update()

    def paintEvent(self, _event: Any) -> None:  # noqa: N802 - Qt's name
        """Draw it."""
        live = self._live
        if live is None or live.density_per_mm is None or live.interval_per_mm is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self.palette().windowText().color()
        left, right, axis = 10.0, self.width() - 14.0, 34.0
        top = max(live.interval_per_mm[1], live.limit_per_mm or 0.0, 4.0) * 1.1

        def at(value: float) -> float:
            return left + (right - left) * value / top

        if live.limit_per_mm is not None:
            zone = QColor(*ORANGE)
            zone.setAlpha(90)
            painter.fillRect(QRectF(left, axis - 14, at(live.limit_per_mm) - left, 28), zone)
            painter.setPen(QPen(QColor(*ORANGE), 2))
            x = at(live.limit_per_mm)
            painter.drawLine(QPointF(x, axis - 16), QPointF(x, axis + 14))
            self._text(painter, x, 12, f"limit {live.limit_per_mm:.1f}", ink)
        painter.setPen(QPen(ink, 1))
        painter.drawLine(QPointF(left, axis), QPointF(right, axis))
        for tick in range(0, int(top) + 1, _step(top)):
            painter.drawLine(QPointF(at(tick), axis), QPointF(at(tick), axis + 4))
            self._text(painter, at(tick), axis + 18, str(tick), ink)
        low, high = (at(value) for value in live.interval_per_mm)
        painter.setPen(QPen(QColor(*SKY), 4))
        painter.drawLine(QPointF(low, axis), QPointF(high, axis))
        x = at(live.density_per_mm)
        diamond = QPolygonF(
            [QPointF(x, axis - 7), QPointF(x + 7, axis), QPointF(x, axis + 7), QPointF(x - 7, axis)]
        )
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(QColor(*SKY))
        painter.drawPolygon(diamond)
        painter.end()

    def _text(self, painter: Any, x: float, baseline: float, words: str, color: Any) -> None:
        painter.setPen(color)
        width = painter.fontMetrics().horizontalAdvance(words)
        start = min(max(x - width / 2, 0.0), self.width() - width)
        painter.drawText(QPointF(start, baseline), words)


def _step(top: float) -> int:
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if top / step <= 8 or step == 1000)
