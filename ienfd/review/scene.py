"""The layers of one section in a napari viewer. They only show; nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer

from ienfd.draw.palette import Theme
from ienfd.result import FloatArray
from ienfd.review import layers
from ienfd.review.images import ImageView, Loaded
from ienfd.review.layers import FiberLines, Marks, Segments
from ienfd.review.picking import Selection
from ienfd.review.sheet import Sheet

__all__ = ["Scene"]

_IMAGE = "image "
_DECIDED = ("fibers", "surface", "junction", "dendritic cells", "crossings")
_LINE_UM, _THICK_UM = 0.6, 0.9
_THUMBNAIL_LINES = 64
_PICKED_UM, _HANDLE_UM, _BESIDE_UM = 16.0, 5.0, 6.0


class Scene:
    """What a viewer shows of a sheet.

    Parameters
    ----------
    viewer : ViewerModel
        With or without a window.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = viewer
        self.sheet: Sheet | None = None
        self.marks_hidden = False
        self._layers: dict[str, Layer] = {}
        self._pictures: list[Image] = []
        self._fibers: FiberLines | None = None

    def __getitem__(self, name: str) -> Layer:
        """A layer by its name; raises KeyError where it is not shown."""
        return self._layers[name]

    def __contains__(self, name: str) -> bool:
        layer = self._layers.get(name)
        return layer is not None and layer in self.viewer.layers  # a person may have taken it away

    def show(
        self, sheet: Sheet, fibers: FiberLines, picture: ImageView | None, own: Marks | None, *, hides: bool
    ) -> None:
        """Show a section from the start.

        Layers of lines and marks stay in the viewer from section to section: it is slow to make them.

        Parameters
        ----------
        sheet : Sheet
            The section.
        fibers : FiberLines
            Its fibers.
        picture : ImageView or None
            Its stored picture.
        own : Marks or None
            Marks of a blind reader.
        hides : bool
            Show no marks but these.
        """
        with self.viewer.layers.batched_update():  # napari collects garbage once
            images = [name for name in self._layers if name.startswith(_IMAGE)]
            self.remove("drawing", "handles", "excluded", *images)
            self.sheet, self._fibers = sheet, fibers
            self._pictures = [] if picture is None else [self._add_image(picture, 0)]
            findings = sheet.result.findings
            self._put_areas(sheet)
            if hides:
                self.remove(*_DECIDED)
            else:
                self._put_segments("fibers", fibers.segments(sheet), _LINE_UM)
                self._put_segments("surface", layers.surface_segments(findings), _THICK_UM)
                self._put_segments("junction", layers.junction_segments(findings), _THICK_UM)
                self._put_points("dendritic cells", layers.cells(sheet))
                self._put_points("crossings", layers.crossing_marks(sheet))
            if own is not None:
                self._put_points("my marks", own)
            self._apply_hidden()
            self._rest()

    def update(self, sheet: Sheet, own: Marks | None) -> None:
        """Show what an edit has changed: marks where they stand, lines only if they moved."""
        moved = self.sheet is None or sheet.result.findings is not self.sheet.result.findings
        self.sheet = sheet
        if "crossings" in self and self._fibers is not None:
            self._put_points("crossings", layers.crossing_marks(sheet))
            self._put_segments("fibers", self._fibers.segments(sheet), _LINE_UM)
            if moved:
                junction = layers.junction_segments(sheet.result.findings)
                self._put_segments("junction", junction, _THICK_UM)
        if own is not None:
            self._put_points("my marks", own)
        if moved:
            self._put_areas(sheet)
        self._apply_hidden()
        self._rest()

    def show_image(self, loaded: Loaded) -> None:
        """Put the image itself where its picture was; the picture of a stack stays, as its projection."""
        for layer in self._images():
            if layer not in self._pictures:
                self.remove(*(name for name, one in self._layers.items() if one is layer))
        stack = any(len(view.scale_um) > 2 for view in loaded.views)
        for picture in self._pictures:
            picture.visible = stack or not loaded.views
        for position, view in enumerate(loaded.views, len(self._pictures)):
            self._add_image(view, position).visible = not stack
        if stack:
            self.viewer.dims.axis_labels = ("depth", "row", "column")
        self._rest()

    def toggle_stack(self) -> bool:
        """Show the planes of a stack, or its projection; False where there is no stack."""
        images = self._images()
        stack = [layer for layer in images if layer not in self._pictures and layer.ndim > 2]
        if not stack:
            return False
        shown = not stack[0].visible
        for layer in images:
            layer.visible = shown if layer in stack else not shown
        return True

    @property
    def depth_um(self) -> float | None:
        """Depth of the plane that is shown; None for a projection."""
        images = self._images()
        if not any(layer.visible and layer.ndim > 2 for layer in images):
            return None
        return float(self.viewer.dims.point[0])

    def toggle_marks(self) -> None:
        """Hide all marks, or show them again."""
        self.marks_hidden = not self.marks_hidden
        self._apply_hidden()

    def show_picked(self, picked: Selection | None) -> None:
        """A ring about what is picked."""
        if self.sheet is None or (picked is None and "picked" not in self):
            return
        place = np.empty((0, 2)) if picked is None else np.array([picked.place_px])
        size = self.sheet.pixel_size_um
        if "picked" not in self:
            self._layers["picked"] = self.viewer.add_points(
                ndim=2, border_width=0.08, canvas_size_limits=(26, 110), name="picked", **self._placing
            )
        ring = self["picked"]
        ring.scale = (size, size)
        ring.data = place
        if len(place):
            ring.face_color, ring.border_color = "transparent", [_share(self._theme.junction)]
            ring.size = _PICKED_UM / size
        ring.selected_data = set()
        self._rest()

    def show_handles(self, places_px: FloatArray) -> None:
        """Points that can be dragged."""
        self.remove("handles")
        if self.sheet is None:
            return
        self._layers["handles"] = self.viewer.add_points(
            places_px,
            size=_HANDLE_UM / self.sheet.pixel_size_um,
            symbol="square",
            face_color=_share(self._theme.junction),
            border_color="white",
            canvas_size_limits=(8, 24),
            name="handles",
            **self._placing,
        )
        self._rest()

    def draw(self, line_px: FloatArray) -> None:
        """A line that is being drawn."""
        self.remove("drawing")
        if self.sheet is None:
            return
        if len(line_px) < 2:  # the first click
            line_px = np.concatenate([line_px, line_px + np.array([0.0, 0.5])])
        self._layers["drawing"] = self.viewer.add_shapes(
            [line_px],
            shape_type="path",
            edge_color=_share(self._theme.counted),
            edge_width=_THICK_UM / self.sheet.pixel_size_um,
            name="drawing",
            **self._placing,
        )
        self._rest()

    def clear(self) -> None:
        """Take everything away that is shown."""
        for name in list(self._layers):
            self.remove(name)
        self._pictures, self.sheet = [], None

    def remove(self, *names: str) -> None:
        """Take layers away; those that are not there are left alone."""
        for name in names:
            layer = self._layers.pop(name, None)
            if layer is not None and layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def _add_image(self, view: ImageView, position: int) -> Image:
        several = len(view.levels) > 1
        grey = {"colormap": view.colormap, "contrast_limits": view.limits, "blending": "additive"}
        layer = self.viewer.add_image(
            view.levels if several else view.levels[0],
            multiscale=several,
            rgb=view.rgb,
            name=view.name,
            scale=view.scale_um,
            translate=view.translate_um,
            units=("um",) * len(view.scale_um),
            **({} if view.rgb else grey),
        )
        self.viewer.layers.move(self.viewer.layers.index(layer), position)
        self._layers[f"{_IMAGE}{position}"] = layer
        return layer

    def _put_areas(self, sheet: Sheet) -> None:
        """What is not evaluated, beneath everything but the image."""
        outlines = layers.excluded_areas(sheet)
        if "excluded" in self and _are_same(self["excluded"].data, outlines):
            return
        self.remove("excluded")
        if not outlines:
            return
        color = _share(self._theme.hatch)
        layer = self.viewer.add_shapes(
            outlines,
            shape_type="polygon",
            edge_color=[*color, 0.9],
            face_color=[*color, 0.35],
            edge_width=_LINE_UM / sheet.pixel_size_um,
            name="excluded",
            **self._placing,
        )
        self._layers["excluded"] = layer
        if "fibers" in self:
            index = self.viewer.layers.index
            self.viewer.layers.move(index(layer), index(self["fibers"]))

    def _put_segments(self, name: str, segments: Segments, width_um: float) -> None:
        if name not in self:
            self._layers[name] = self.viewer.add_vectors(
                ndim=2, vector_style="line", name=name, **self._placing
            )
            # napari draws a thumbnail with every change, line by line
            self._layers[name]._max_vectors_thumbnail = _THUMBNAIL_LINES
        layer, placing = self[name], self._placing
        if tuple(layer.scale) != placing["scale"]:
            layer.scale = placing["scale"]
        if layer.edge_width != width_um / placing["scale"][0]:
            layer.edge_width = width_um / placing["scale"][0]
        if not np.array_equal(layer.data, segments.vectors_px):
            layer.data = segments.vectors_px
        if len(segments.colors) and not np.allclose(layer.edge_color, segments.colors):
            layer.edge_color = segments.colors

    def _put_points(self, name: str, shown: Marks) -> None:
        if name not in self:
            self._layers[name] = self.viewer.add_points(
                ndim=2, name=name, border_width=0.16, canvas_size_limits=(8, 60), **self._placing
            )
        layer, placing = self[name], self._placing
        size = placing["scale"][0]
        if tuple(layer.scale) != placing["scale"]:
            layer.scale = placing["scale"]
        layer.data = shown.places_px
        if len(shown.places_px):
            layer.symbol = list(shown.symbols)
            layer.border_color = shown.colors
            layer.face_color = shown.faces
            layer.size = shown.sizes_um / size
        layer.features = {"object_id": list(shown.ids), "number": list(shown.labels)}
        layer.text = {
            "string": "{number}",
            "color": _share(self._theme.counted),
            "size": 12,
            "anchor": "center",
            "translation": (-_BESIDE_UM / size, _BESIDE_UM / size),
        }
        layer.selected_data = set()

    @property
    def _placing(self) -> dict[str, Any]:
        size = self.sheet.pixel_size_um if self.sheet is not None else 1.0
        return {"scale": (size, size), "units": ("um", "um")}

    @property
    def _theme(self) -> Theme:
        return layers.theme_of(self.sheet.findings.stain if self.sheet is not None else None)

    def _apply_hidden(self) -> None:
        for name, layer in self._layers.items():
            if not name.startswith(_IMAGE) and layer.visible == self.marks_hidden:
                layer.visible = not self.marks_hidden

    def _images(self) -> list[Image]:
        return [layer for layer in self._layers.values() if isinstance(layer, Image)]

    def _rest(self) -> None:
        """No layer is active or can be edited, so that keys and clicks are the reviewer's alone."""
        for layer in self._layers.values():
            if not isinstance(layer, Image):
                layer.editable = False
        self.viewer.layers.selection.clear()


def _are_same(shown: Sequence[FloatArray], wanted: Sequence[FloatArray]) -> bool:
    return len(shown) == len(wanted) and all(map(np.array_equal, shown, wanted))


def _share(color: tuple[int, int, int]) -> list[float]:
    return [part / 255.0 for part in color]
