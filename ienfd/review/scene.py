"""The layers of one section in a napari viewer. They only show; nothing is decided here."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer, Points, Vectors

from ienfd.draw.palette import Theme
from ienfd.result import FloatArray
from ienfd.review import layers
from ienfd.review.images import ImageView, Loaded
from ienfd.review.layers import Marks, Segments
from ienfd.review.picking import Selection
from ienfd.review.sheet import Sheet

__all__ = ["Scene"]

_LINE_UM, _THICK_UM = 0.6, 0.9
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

    def __getitem__(self, name: str) -> Layer:
        """A layer by its name; raises KeyError where it is not shown."""
        return self._layers[name]

    def __contains__(self, name: str) -> bool:
        return name in self._layers

    def show(self, sheet: Sheet, picture: ImageView | None, own: Marks | None, *, hides: bool) -> None:
        """Show a section from the start.

        Parameters
        ----------
        sheet : Sheet
            The section.
        picture : ImageView or None
            Its stored picture.
        own : Marks or None
            Marks of a blind reader.
        hides : bool
            Show no marks but these.
        """
        self.clear()
        self.sheet = sheet
        if picture is not None:
            self._pictures = [self._add_image(picture)]
        self._add_areas(sheet)
        if not hides:
            findings = sheet.result.findings
            fibers = layers.fiber_segments(findings, sheet.result.crossings)
            self._add_segments("fibers", fibers, _LINE_UM)
            self._add_segments("surface", layers.surface_segments(findings), _THICK_UM)
            self._add_segments("junction", layers.junction_segments(findings), _THICK_UM)
            self._add_points("dendritic cells", layers.cells(sheet))
            self._add_points("crossings", layers.crossing_marks(sheet))
        if own is not None:
            self._add_points("my marks", own)
        self._apply_hidden()
        self._rest()

    def update(self, sheet: Sheet, own: Marks | None) -> None:
        """Show what an edit has changed: marks where they stand, lines only if they moved."""
        moved = self.sheet is None or sheet.result.findings is not self.sheet.result.findings
        self.sheet = sheet
        if "crossings" in self:
            self._fill_points("crossings", layers.crossing_marks(sheet))
            findings = sheet.result.findings
            self._fill_segments("fibers", layers.fiber_segments(findings, sheet.result.crossings))
            if moved:
                self._fill_segments("junction", layers.junction_segments(findings))
        if own is not None and "my marks" in self:
            self._fill_points("my marks", own)
        if moved:
            self.remove("excluded")
            self._add_areas(sheet)
        self._apply_hidden()
        self._rest()

    def show_image(self, loaded: Loaded) -> None:
        """Put the image itself where its picture was; the picture of a stack stays, as its projection."""
        stack = any(len(view.scale_um) > 2 for view in loaded.views)
        for picture in self._pictures:
            picture.visible = stack
        for position, view in enumerate(loaded.views, len(self._pictures)):
            layer = self._add_image(view)
            layer.visible = not stack
            self.viewer.layers.move(self.viewer.layers.index(layer), position)
        if stack:
            self.viewer.dims.axis_labels = ("depth", "row", "column")
        self._rest()

    def toggle_stack(self) -> bool:
        """Show the planes of a stack, or its projection; False where there is no stack."""
        images = [layer for layer in self._layers.values() if isinstance(layer, Image)]
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
        images = [layer for layer in self._layers.values() if isinstance(layer, Image)]
        if not any(layer.visible and layer.ndim > 2 for layer in images):
            return None
        return float(self.viewer.dims.point[0])

    def toggle_marks(self) -> None:
        """Hide all marks, or show them again."""
        self.marks_hidden = not self.marks_hidden
        self._apply_hidden()

    def show_picked(self, picked: Selection | None) -> None:
        """A ring about what is picked."""
        self.remove("picked")
        if picked is None or self.sheet is None:
            return
        self._layers["picked"] = self.viewer.add_points(
            [picked.place_px],
            size=_PICKED_UM / self.sheet.pixel_size_um,
            symbol="disc",
            face_color="transparent",
            border_color=_share(self._theme.junction),
            border_width=0.08,
            canvas_size_limits=(26, 110),
            name="picked",
            **self._placing,
        )
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

    def _add_image(self, view: ImageView) -> Image:
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
        self._layers[f"image {len(self._layers)}"] = layer
        return layer

    def _add_areas(self, sheet: Sheet) -> None:
        """What is not evaluated, beneath everything but the image."""
        outlines = layers.excluded_areas(sheet)
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

    def _add_segments(self, name: str, segments: Segments, width_um: float) -> None:
        self._layers[name] = self.viewer.add_vectors(
            segments.vectors_px if len(segments.vectors_px) else None,
            ndim=2,
            edge_color=segments.colors if len(segments.colors) else "white",
            edge_width=width_um / self._placing["scale"][0],
            vector_style="line",
            name=name,
            **self._placing,
        )

    def _fill_segments(self, name: str, segments: Segments) -> None:
        layer = self[name]
        if not isinstance(layer, Vectors):
            raise TypeError(f"{name} is no layer of lines")
        if not np.array_equal(layer.data, segments.vectors_px):
            layer.data = segments.vectors_px
        if len(segments.colors) and not np.allclose(layer.edge_color, segments.colors):
            layer.edge_color = segments.colors

    def _add_points(self, name: str, shown: Marks) -> None:
        self._layers[name] = self.viewer.add_points(
            ndim=2,
            name=name,
            border_width=0.16,
            canvas_size_limits=(8, 60),
            **self._placing,
        )
        self._fill_points(name, shown)

    def _fill_points(self, name: str, shown: Marks) -> None:
        layer = self[name]
        if not isinstance(layer, Points) or self.sheet is None:
            raise TypeError(f"{name} is no layer of marks")
        layer.data = shown.places_px
        if len(shown.places_px):
            layer.symbol = list(shown.symbols)
            layer.border_color = shown.colors
            layer.face_color = shown.faces
            layer.size = shown.sizes_um / self.sheet.pixel_size_um
        layer.features = {"object_id": list(shown.ids), "number": list(shown.labels)}
        layer.text = {
            "string": "{number}",
            "color": _share(self._theme.counted),
            "size": 12,
            "anchor": "center",
            "translation": (-_BESIDE_UM / self.sheet.pixel_size_um, _BESIDE_UM / self.sheet.pixel_size_um),
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
        for layer in self._layers.values():
            if not isinstance(layer, Image):
                layer.visible = not self.marks_hidden

    def _rest(self) -> None:
        """No layer is active, so that keys and clicks are the reviewer's alone."""
        self.viewer.layers.selection.clear()


def _share(color: tuple[int, int, int]) -> list[float]:
    return [part / 255.0 for part in color]
