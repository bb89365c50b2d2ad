"""The sheet in a napari viewer, and what is done there as deeds. Needs no window.

Every click and key goes to the reviewer; every change comes back from the sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel

from ienfd.review import layers
from ienfd.review.deeds import DEEDS, KEYS_BESIDE
from ienfd.review.desk import Prepared
from ienfd.review.images import Loaded, load_image
from ienfd.review.layers import Marks
from ienfd.review.picking import Selection
from ienfd.review.readings import marks
from ienfd.review.reviewer import Reviewer
from ienfd.review.scene import Scene
from ienfd.review.sheet import Sheet
from ienfd.review.tools import Tools

__all__ = ["Asking", "Background", "Canvas", "at_once"]

Background = Callable[[Callable[[], Any], Callable[[Any], None]], None]
"""Runs the first function beside the viewer, and then gives its result to the second one."""

_CLICK_PX = 4.0  # a pointer that moved less has clicked
_POINT_PX = 12.0  # how near to an object a click must be, in pixels of the screen


@dataclass
class Asking:
    """What a canvas asks a person, or shows beside its layers.

    Parameters
    ----------
    text : callable
        Asks for a sentence; an empty one when none is given.
    confirm : callable
        Asks whether something that cannot be undone shall be done.
    keys, sign : callable
        Show the keys; lead through a signature.
    """

    text: Callable[[str], str] = lambda _: ""
    confirm: Callable[[str], bool] = lambda _: True
    keys: Callable[[], None] = lambda: None
    sign: Callable[[], None] = lambda: None


def at_once(work: Callable[[], Any], then: Callable[[Any], None]) -> None:
    """Run without any background: for scripts and tests."""
    then(work())


def _unheard(_result: Any) -> None:
    """Nobody waits for it."""


class Canvas:
    """One viewer with one reviewer.

    Parameters
    ----------
    viewer : ViewerModel
        A napari viewer, with or without a window.
    reviewer : Reviewer
        Who looks.
    background : callable
        How the image is read beside the viewer.
    asking : Asking
        How a person is asked.
    """

    viewer: Any
    reviewer: Reviewer
    asking: Asking
    scene: Scene
    tools: Tools

    def __init__(
        self,
        viewer: ViewerModel,
        reviewer: Reviewer,
        *,
        background: Background = at_once,
        asking: Asking | None = None,
    ) -> None:
        self.viewer = viewer
        self.reviewer = reviewer
        self.asking = asking or Asking()
        self.scene = Scene(viewer)
        self.tools = Tools(self.scene, reviewer)
        self._background = background
        self._opening = 0  # of which section what is done in the background is
        bar = viewer.canvas.overlays.scale_bar
        self._bar_before = bar.visible, bar.position
        bar.visible, bar.position = True, "bottom_left"
        viewer.mouse_drag_callbacks.append(self._on_drag)
        self._keys = {
            key: self._key(one.do) for one in DEEDS for key in (one.key, *KEYS_BESIDE.get(one.name, ()))
        }
        for key, do in self._keys.items():
            viewer.bind_key(key, do, overwrite=True)
        reviewer.ask = lambda question: self.asking.text(question)
        reviewer.confirm = lambda question: self.asking.confirm(question)
        reviewer.opened.connect(self._show_section)
        reviewer.changed.connect(self._show_change)
        reviewer.picked.connect(self._show_picked)
        reviewer.flew.connect(self.fly)

    def close(self) -> None:
        """Leave the viewer as it was."""
        self.reviewer.opened.disconnect(self._show_section)
        self.reviewer.changed.disconnect(self._show_change)
        self.reviewer.picked.disconnect(self._show_picked)
        self.reviewer.flew.disconnect(self.fly)
        self._opening += 1  # what is still being read is no longer wanted
        self.scene.clear()
        bar = self.viewer.canvas.overlays.scale_bar
        bar.visible, bar.position = self._bar_before
        self.viewer.mouse_drag_callbacks.remove(self._on_drag)
        for key in self._keys:
            self.viewer.bind_key(key, None, overwrite=True)

    def _key(self, do: Callable[[Canvas], None]) -> Callable[[Any], None]:
        return lambda _viewer: do(self)

    # showing

    def _show_section(self, sheet: Sheet) -> None:
        self.tools.forget()
        self._opening += 1
        opening, desk, place = self._opening, self.reviewer.desk, sheet.entry.placement
        ready = desk.prepared(place, sheet.protocol)
        own = self._own_marks(sheet)
        self.scene.show(sheet, ready.fibers, ready.picture, own, hides=self.reviewer.hides)
        self.tools.follow(ready.picture, sheet.pixel_size_um)
        self.scene.show_picked(self.reviewer.selection)
        self.overview()

        def wanted() -> bool:  # else the person has gone on
            return self._opening == opening

        def show(loaded: Loaded | None) -> None:
            if loaded is None or not wanted():
                return
            self.scene.show_image(loaded)
            if loaded.problem:
                self.reviewer.said.emit(loaded.problem)

        self._background(lambda: load_image(place, sheet.protocol) if wanted() else None, show)
        self._background(lambda: ready.corrector.warm_up() if wanted() else None, _unheard)
        following = self.reviewer.following()
        if following is None or desk.has(following[0]):
            return
        soon, protocol = following

        def keep(prepared: Prepared | None) -> None:
            if prepared is not None:
                desk.keep(soon, prepared)

        self._background(lambda: desk.prepare(soon, protocol) if wanted() else None, keep)

    def _show_change(self, sheet: Sheet) -> None:
        self.scene.update(sheet, self._own_marks(sheet))
        self.tools.refresh()

    def _show_picked(self, picked: Selection | None) -> None:
        """A ring about it and, in a stack, its plane."""
        self.scene.show_picked(picked)
        sheet = self.scene.sheet
        crossing = sheet.crossing(picked.object_id) if sheet is not None and picked is not None else None
        if crossing is not None and crossing.z_um is not None and self.scene.depth_um is not None:
            self.viewer.dims.set_point(0, crossing.z_um)

    def _own_marks(self, sheet: Sheet) -> Marks | None:
        if not self.reviewer.blind:
            return None
        return layers.mark_marks(sheet, marks(sheet.log, self.reviewer.name))

    def fly(self, row_px: float, col_px: float, width_um: float) -> None:
        """Show a place, so that `width_um` fill the canvas."""
        if self.scene.sheet is None:
            return
        size, camera = self.scene.sheet.pixel_size_um, self.viewer.scene.camera
        camera.center = (*camera.center[:-2], row_px * size, col_px * size)
        camera.zoom = float(self.viewer.canvas.size[-1]) / width_um

    def overview(self) -> None:
        """Show the whole section."""
        self.viewer.reset_view()

    def toggle_projection(self) -> None:
        """Show the planes of a stack, or its projection."""
        if not self.scene.toggle_stack():
            self.reviewer.said.emit("This section is one plane.")

    # what is done at the pointer

    @property
    def pointer(self) -> tuple[float, float]:
        """Where the pointer is, (row, col) in pixels of the section."""
        return self._place(self.viewer.cursor.position)

    def _place(self, position: Any) -> tuple[float, float]:
        size = self.scene.sheet.pixel_size_um if self.scene.sheet is not None else 1.0
        row, col = np.asarray(position, dtype=np.float64)[-2:] / size
        return float(row), float(col)

    def _pointed(self) -> tuple[float, float] | None:
        """Where the pointer is, if that is in the section; says so where not."""
        place = self.pointer
        if self.tools.inside(place):
            return place
        self.reviewer.said.emit("Point at the section first.")
        return None

    def add_at_pointer(self) -> None:
        """Add a crossing where the pointer is, at the depth that is shown."""
        place = self._pointed()
        if place is not None:
            self.reviewer.add_at(*place, self.scene.depth_um)

    def move_to_pointer(self) -> None:
        """Move what is picked to where the pointer is."""
        place = self._pointed()
        if place is not None:
            self.reviewer.move_to(*place)

    def stretch_to_pointer(self, *, exclude: bool) -> None:
        """Take the pointer as one end of a stretch that is left out, or taken in again."""
        place = self._pointed()
        if place is not None:
            self.tools.stretch(place, exclude=exclude)

    def note(self) -> None:
        """Ask for a remark and write it."""
        self.reviewer.note(self.asking.text("A remark on what is picked, or on the section:"))

    def click(self, place_px: tuple[float, float]) -> None:
        """Pick what lies at a place, or take it as the next point of a line."""
        if not self.tools.click(place_px):
            self.reviewer.pick_at(*place_px, _POINT_PX / self.viewer.scene.camera.zoom)

    def _on_drag(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        if self.scene.sheet is None:
            return
        place, began = self._place(event.position), np.asarray(event.pos, dtype=np.float64)
        held = self.tools.handle_at(place, _POINT_PX / viewer.scene.camera.zoom)
        viewer.scene.camera.mouse_pan = held is None
        moved = False
        yield
        while event.type == "mouse_move":
            moved = moved or float(np.hypot(*(np.asarray(event.pos) - began))) > _CLICK_PX
            if held is not None and moved:
                self.tools.drag(held, self._place(event.position))
            yield
        viewer.scene.camera.mouse_pan = True
        if held is not None and moved:
            self.tools.let_go(held, self._place(event.position))
        elif held is None and not moved:
            self.click(place)
