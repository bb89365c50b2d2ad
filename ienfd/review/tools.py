"""Tools that take more than one click: stretches, the live wire, points of the junction to drag."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ienfd.correction.geometry import course_along
from ienfd.result import FloatArray
from ienfd.review import drawing
from ienfd.review.images import ImageView
from ienfd.review.reviewer import Reviewer
from ienfd.review.scene import Scene
from ienfd.review.sheet import Sheet

__all__ = ["Handle", "Tools"]

Place = tuple[float, float]
Handle = tuple[int, int]
"""Piece, and index of the point along its junction."""


@dataclass
class _Begun:
    """What is half done."""

    kind: Literal["exclude", "include", "wire", "bend"]
    clicks: list[Place] = field(default_factory=list)
    line_px: FloatArray | None = None


class Tools:
    """What is half done in a viewer; nothing of it is stored before it is finished.

    Parameters
    ----------
    scene : Scene
        Where it is shown.
    reviewer : Reviewer
        Who does it.
    """

    def __init__(self, scene: Scene, reviewer: Reviewer) -> None:
        self._scene = scene
        self._reviewer = reviewer
        self._begun: _Begun | None = None
        self._wire: drawing.LiveWire | None = None

    @property
    def busy(self) -> str:
        """What is half done; empty for nothing."""
        return self._begun.kind if self._begun else ""

    def follow(self, picture: ImageView | None, pixel_size_um: float) -> None:
        """Have the live wire follow the edges of a picture."""
        self._wire = None
        if picture is not None:
            scale, offset = (
                (values[0] / pixel_size_um, values[1] / pixel_size_um)
                for values in (picture.scale_um, picture.translate_um)
            )
            self._wire = drawing.LiveWire(picture.levels[0], scale, offset, picture.scale_um[0])

    def forget(self) -> None:
        """Give up what is half done."""
        self._begun = None
        self._scene.remove("drawing", "handles")

    def refresh(self) -> None:
        """Show the points to drag where the junction is now."""
        if self.busy == "bend" and self._scene.sheet is not None:
            self._scene.show_handles(_handles(self._scene.sheet)[0])

    def inside(self, place: Place) -> bool:
        """Whether a place lies in the section."""
        if self._scene.sheet is None:
            return False
        height, width = self._scene.sheet.findings.shape
        return -0.5 <= place[0] <= height - 0.5 and -0.5 <= place[1] <= width - 0.5

    def click(self, place: Place) -> bool:
        """Take a click as the next point of a line; False when none is being drawn."""
        if self._begun is None or self._begun.kind != "wire" or self._wire is None:
            return False
        if self.inside(place):
            self._begun.clicks.append(place)
            self._begun.line_px = self._wire.along(self._begun.clicks)
            self._scene.draw(self._begun.line_px)
        return True

    def stretch(self, place: Place, *, exclude: bool) -> None:
        """One end of a stretch; with the other end it is done."""
        if self._reviewer.hides:
            return
        kind: Literal["exclude", "include"] = "exclude" if exclude else "include"
        if self._begun is None or self._begun.kind != kind:
            self.forget()
            self._begun = _Begun(kind, [place])
            self._reviewer.said.emit("Now point at its other end and press the same key. Esc gives up.")
            return
        start = self._begun.clicks[0]
        self._begun = None
        if exclude:
            self._reviewer.exclude(start, place)
        else:
            self._reviewer.include(start, place)

    def draw(self) -> None:
        """Begin to redraw the junction, or finish that."""
        if self.busy == "wire":
            self._finish_line()
        elif self._reviewer.hides or self._scene.sheet is None:
            return
        elif self._wire is None:
            self._reviewer.said.emit("There is no picture to follow.")
        else:
            self.forget()
            self._begun = _Begun("wire")
            self._reviewer.said.emit("Click along the true junction. J finishes, Esc gives up.")

    def _finish_line(self) -> None:
        begun, self._begun = self._begun, None
        self._redraw_along(begun)
        self.forget()  # afterwards: to take a layer away takes longer than to count

    def _redraw_along(self, begun: _Begun | None) -> None:
        sheet = self._scene.sheet
        if begun is None or sheet is None:
            return
        if begun.line_px is None or len(set(begun.clicks)) < 2:
            self._reviewer.said.emit("Nothing was drawn: it takes two clicks or more.")
            return
        line, pieces = begun.line_px, sheet.result.findings.pieces
        along = course_along(pieces, line)
        if along is None:
            self._reviewer.troubled.emit("There is no junction to redraw in this section.")
        else:
            index, _ = along
            self._reviewer.redraw_junction(index, drawing.with_stretch(pieces[index], line))

    def bend(self) -> None:
        """Show the points of the junction to drag, or hide them."""
        shown = self.busy == "bend"
        self.forget()
        if shown or self._reviewer.hides or self._scene.sheet is None:
            return
        self._begun = _Begun("bend")
        self.refresh()
        self._reviewer.said.emit("Drag a point of the junction. D ends it.")

    def handle_at(self, place: Place, within_um: float) -> Handle | None:
        """The point to drag that lies at a place."""
        sheet = self._scene.sheet
        if self.busy != "bend" or sheet is None:
            return None
        places, owners = _handles(sheet)
        if not owners:
            return None
        away = np.hypot(*(places - np.asarray(place)).T) * sheet.pixel_size_um
        nearest = int(np.argmin(away))
        return owners[nearest] if away[nearest] <= within_um else None

    def drag(self, held: Handle, place: Place) -> None:
        """Show what the junction would be."""
        if self._scene.sheet is not None:
            self._scene.draw(_bent(self._scene.sheet, held, place))

    def let_go(self, held: Handle, place: Place) -> None:
        """Make it that."""
        if self._scene.sheet is not None:
            self._reviewer.redraw_junction(held[0], _bent(self._scene.sheet, held, place))
        self._scene.remove("drawing")


def _handles(sheet: Sheet) -> tuple[FloatArray, list[Handle]]:
    """Places of all points to drag, and what each belongs to."""
    pieces = sheet.result.findings.pieces
    per_piece = [drawing.handles(piece, sheet.pixel_size_um) for piece in pieces]
    owners = [(piece, index) for piece, own in enumerate(per_piece) for index in range(len(own))]
    return np.concatenate([np.empty((0, 2)), *per_piece]), owners


def _bent(sheet: Sheet, held: Handle, place: Place) -> FloatArray:
    piece = sheet.result.findings.pieces[held[0]]
    return drawing.bent(piece, held[1], place, sheet.pixel_size_um)
