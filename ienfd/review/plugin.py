"""What napari's own menus offer of ienfd; `napari.yaml` names these functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ienfd.phantom.spec import StainKind
from ienfd.protocol import Protocol
from ienfd.review.images import section_views
from ienfd.section import Calibration, CalibrationSource, Channel, Section

__all__ = ["bright_field_section", "fluorescence_section", "image_reader", "study_reader", "write_geojson"]

LayerData = tuple[Any, ...]
Reader = Callable[[Any], list[LayerData]]

_SEEDS: dict[StainKind, int] = {"bright-field": 8, "fluorescence": 41}


def study_reader(path: Any) -> Reader | None:
    """A reader for the folder of a study; None for anything else."""
    from ienfd.study.config import CONFIG_NAME

    if isinstance(path, list) or not (Path(path) / CONFIG_NAME).is_file():
        return None
    return _open_study


def _open_study(path: Any) -> list[LayerData]:
    """Dock the review of a study in the viewer that reads it."""
    import napari

    from ienfd.review.start import open_review

    open_review(Path(path), napari.current_viewer())
    return [(None,)]  # napari's word for: nothing to add


def image_reader(path: Any) -> Reader | None:
    """A reader for micrographs that ienfd reads; None for anything else."""
    from ienfd.io.content import is_image

    paths = path if isinstance(path, list) else [path]
    return _open_images if all(Path(one).is_file() and is_image(one) for one in paths) else None


def _open_images(path: Any) -> list[LayerData]:
    from ienfd.io import read

    paths = path if isinstance(path, list) else [path]
    return [layer for one in paths for layer in _layers(read(Path(one)))]


def _layers(section: Section) -> list[LayerData]:
    size = section.calibration.pixel_size_um
    layers: list[LayerData] = []
    for view in section_views(section, Protocol(), size or 1.0):
        more: dict[str, Any] = {"name": section.name if view.rgb else f"{section.name} {view.name}"}
        more |= {"rgb": view.rgb, "scale": view.scale_um, "translate": view.translate_um}
        if size is not None:
            more["units"] = ("um",) * len(view.scale_um)
        if not view.rgb:
            more |= {"colormap": view.colormap, "contrast_limits": view.limits, "blending": "additive"}
        several = len(view.levels) > 1
        layers.append((view.levels if several else view.levels[0], {**more, "multiscale": several}, "image"))
    return layers


def write_geojson(path: str, _layers: Sequence[LayerData]) -> list[str]:
    """Write the section under review, as it stands, for QuPath.

    Raises
    ------
    ValueError
        If no section is under review in this viewer.
    """
    import napari

    from ienfd.batch.leaving import as_tabled
    from ienfd.report.geojson import geojson_bytes, section_geojson
    from ienfd.report.geojson_state import state_of
    from ienfd.review.picking import stretches
    from ienfd.review.start import panel_of

    panel = panel_of(napari.current_viewer())
    sheet = panel.reviewer.sheet if panel is not None else None
    if sheet is None:
        raise ValueError("no section of a study is under review: open a study with ienfd first")
    place = sheet.entry.placement
    state = state_of(place, sheet.log)
    result = as_tabled(sheet.entry, sheet.result)
    collection = section_geojson(result, place.path, exclusions=stretches(sheet), state=state)
    Path(path).write_bytes(geojson_bytes(collection))
    return [path]


def bright_field_section() -> list[LayerData]:
    """A synthetic bright-field section."""
    return _phantom_layers("bright-field")


def fluorescence_section() -> list[LayerData]:
    """A synthetic fluorescence section."""
    return _phantom_layers("fluorescence")


def _phantom_layers(stain: StainKind) -> list[LayerData]:
    from ienfd.phantom import PhantomSpec, make

    spec = PhantomSpec(
        stain=stain, length_mm=1.2, pixel_size_um=0.4, basement_membrane_channel=stain != "bright-field"
    )
    phantom = make(spec, _SEEDS[stain])
    channels = (Channel(),) if phantom.rgb else tuple(Channel(name) for name in phantom.channels)
    calibration = Calibration(spec.pixel_size_um, CalibrationSource.OPTION)
    return _layers(Section(phantom.pixels, calibration, channels, phantom.rgb, name=f"synthetic {stain}"))
