"""Analyze an image that is open in napari, without any study."""

from __future__ import annotations

import threading
from typing import Any, Literal, cast

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ienfd.analysis import analyze
from ienfd.protocol import ImageChoices, Protocol
from ienfd.result import SectionResult
from ienfd.review.layers import FiberLines
from ienfd.review.live import live_result
from ienfd.review.panels.background import QtBackground
from ienfd.review.panels.dialogs import tell
from ienfd.review.panels.result_card import ResultCard
from ienfd.review.scene import Scene
from ienfd.review.single import loose_sheet, section_of
from ienfd.section import ChannelRole, Section
from ienfd.stain.roles import role_of

__all__ = ["AnalyzePanel"]

_CHANNELS = 4  # more layers of one size are other images
_STAINS = ("auto", "bright-field", "fluorescence")
_OWN = ("fibers", "surface", "junction", "dendritic cells", "crossings", "excluded", "picked")


class _CancelledError(Exception):
    """The person has had enough."""


class AnalyzePanel(QWidget):
    """Choose an image, press Analyze, see what is counted and why.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose images are analyzed.
    """

    told = Signal(str, float)
    """What is done next, and the share of the time that is over."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.scene = Scene(viewer)
        self.background = QtBackground(self)
        self._stop = threading.Event()
        self.image = QComboBox()
        self.pixel_size = QDoubleSpinBox()
        self.pixel_size.setRange(0.0, 10.0)
        self.pixel_size.setDecimals(4)
        self.pixel_size.setSuffix(" um")
        self.pixel_size.setSpecialValueText("not known")
        self.stain = QComboBox()
        self.stain.addItems(_STAINS)
        self.button = QPushButton("Analyze")
        self.cancel = QPushButton("Cancel")
        self.cancel.setEnabled(False)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.words = QLabel("Open an image, say how large its pixels are, and press Analyze.")
        self.words.setWordWrap(True)
        self.card = ResultCard()
        self.card.setVisible(False)
        form = QFormLayout()
        form.addRow("Nerves in", self.image)
        form.addRow("Pixel size", self.pixel_size)
        form.addRow("Stain", self.stain)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        layout.addWidget(self.words)
        layout.addWidget(self.card)
        layout.addStretch()
        self.button.clicked.connect(self.start)
        self.cancel.clicked.connect(self.stop)
        self.told.connect(self._show_progress)
        self.image.currentIndexChanged.connect(self._take_pixel_size)
        viewer.layers.events.inserted.connect(self._list_images)
        viewer.layers.events.removed.connect(self._list_images)
        self._list_images()

    def start(self) -> None:
        """Analyze the chosen image beside the window."""
        layer = self._layer()
        if layer is None:
            self.words.setText("There is no image to analyze.")
            return
        if self.pixel_size.value() <= 0:
            self.words.setText("Without the size of a pixel there is no density: give it in micrometers.")
            return
        channels = self._channels(layer)
        try:
            section = self._section(layer, channels)
        except ValueError as error:
            self.words.setText(f"{error}.".capitalize())
            return
        stain = cast(Literal["auto", "bright-field", "fluorescence"], self.stain.currentText())
        nerve = channels.index(layer) if len(channels) > 1 else None
        protocol = Protocol(image=ImageChoices(stain=stain, nerve_channel=nerve))
        self._stop.clear()
        self.button.setEnabled(False)
        self.cancel.setEnabled(True)
        name = str(layer.name)
        self.background(
            lambda: self._analyzed(section, protocol), lambda done: self._show(done, protocol, name)
        )

    def stop(self) -> None:
        """Give up; the analysis ends at its next step."""
        self._stop.set()
        self.words.setText("Cancelling ...")

    def _analyzed(self, section: Section, protocol: Protocol) -> SectionResult | str:
        """The result, or why there is none; runs beside the window."""

        def tell_on(words: str, share: float) -> None:
            if self._stop.is_set():
                raise _CancelledError
            self.told.emit(words, share)

        try:
            return analyze(section, protocol, progress=tell_on)
        except _CancelledError:
            return "Cancelled: nothing was changed."
        except MemoryError:
            return "The image does not fit into memory."
        except Exception as error:
            return f"The analysis stopped with an error of the program: {error!r}"

    def _show(self, done: SectionResult | str, protocol: Protocol, name: str) -> None:
        self.button.setEnabled(True)
        self.cancel.setEnabled(False)
        self.bar.setValue(0)
        if isinstance(done, str):
            self.words.setText(done)
            if "error" in done:
                tell(self, done)
            return
        sheet = loose_sheet(done, protocol, name)
        self.scene.show(sheet, FiberLines.of(done.findings), None, None, hides=False)
        self.card.setVisible(True)
        self.card.show_result(live_result(sheet))
        self.words.setText("An image alone is no biopsy: no norm is applied, and nothing is stored.")

    def _show_progress(self, words: str, share: float) -> None:
        self.bar.setValue(round(100 * share))
        self.words.setText(f"{words[:1].upper()}{words[1:]} ...")

    def _images(self) -> list[Image]:
        return [one for one in self.viewer.layers if isinstance(one, Image) and one.name not in _OWN]

    def _list_images(self, _event: object = None) -> None:
        chosen, names = self.image.currentText(), [one.name for one in self._images()]
        if names == [self.image.itemText(index) for index in range(self.image.count())]:
            return
        self.image.clear()
        self.image.addItems(names)
        nerves = [name for name in names if role_of(name, ImageChoices()) is ChannelRole.NERVE]
        for name in ([chosen] if chosen in names else nerves)[:1]:
            self.image.setCurrentText(name)
        self._take_pixel_size()

    def _layer(self) -> Image | None:
        return next((one for one in self._images() if one.name == self.image.currentText()), None)

    def _take_pixel_size(self, _index: int = 0) -> None:
        """The pixel size that the layer says, if it says one in a unit of length."""
        layer = self._layer()
        self.pixel_size.setValue(0.0 if layer is None else _pixel_size_um(layer) or 0.0)

    def _channels(self, layer: Image) -> list[Image]:
        """The layer, and other grey ones of its size: channels of one section."""
        beside = [one for one in self._images() if not one.rgb and _pixels(one).shape == _pixels(layer).shape]
        return [layer] if layer.rgb or len(beside) > _CHANNELS else beside

    def _section(self, layer: Image, channels: list[Image]) -> Section:
        named = [(str(one.name), np.asarray(_pixels(one))) for one in channels]
        known = _pixel_size_um(layer)
        z_um = float(layer.scale[0]) if len(layer.scale) > 2 and known is not None else None
        if known != self.pixel_size.value():  # what was typed holds for what is shown, too
            for one in channels:
                one.scale = (*one.scale[:-2], self.pixel_size.value(), self.pixel_size.value())
                one.translate = (0.0,) * len(one.translate)
                one.units = ("um",) * len(one.scale)
        return section_of(named, rgb=layer.rgb, pixel_size_um=self.pixel_size.value(), z_step_um=z_um)


def _pixels(layer: Image) -> Any:
    """Its pixels at full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def _pixel_size_um(layer: Image) -> float | None:
    """Edge of a pixel in micrometers; None where the layer does not say, or its pixels are not square."""
    sizes = [float(value) for value in layer.scale[-2:]]
    try:
        lengths = [
            (size * unit).to("micrometer").magnitude
            for size, unit in zip(sizes, layer.units[-2:], strict=True)
        ]
    except Exception:  # pixels, or no length at all
        return None
    return lengths[0] if abs(lengths[0] - lengths[1]) <= 0.01 * lengths[0] else None
