"""A section as GeoJSON, in the form that QuPath reads and writes since its version 0.4.

One FeatureCollection for each section. A feature is an annotation with a UUID, a class with its color,
`measurements` as an object of numbers, and `metadata` as an object of texts. QuPath takes a class with
a color only, and reads "Crossing: counted" as the class "counted" under the class "Crossing".

What says where a section is, or was counted in it, carries the state of the log in its metadata
(`ienfd.report.geojson_state`), by which `ienfd.report.geojson_edits` knows what was changed.

Coordinates are (x, y) = (column, row) in pixels of the full-resolution image. QuPath has the corner of
a pixel at the integer where ienfd has its center, so that 0.5 is added to both. They are rounded to a
hundredth of a pixel, as QuPath itself writes them and as the store holds them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from ienfd.draw.palette import DARK, LIGHT, Color, Theme
from ienfd.geometry import FloatArray, to_shapely
from ienfd.identity import stable_ids
from ienfd.report.geojson_state import ExportedState
from ienfd.result import Crossing, Findings, Piece, SectionResult, Stretch
from ienfd.skin.lengths import stretch_outline_px
from ienfd.study.encoding import encode_objects

__all__ = ["TO_CORNER_PX", "exclusion_ids", "geojson_bytes", "section_geojson"]

TO_CORNER_PX = 0.5
"""From the center of a pixel to QuPath's origin, the corner of the first one."""

_DIGITS = 2
_MEASURE_DIGITS = 6

Feature = dict[str, Any]


def section_geojson(
    result: SectionResult,
    image_name: str,
    *,
    exclusions: Iterable[Stretch] | None = None,
    state: ExportedState | None = None,
) -> dict[str, Any]:
    """Everything that was found in a section, as one FeatureCollection.

    Parameters
    ----------
    result : SectionResult
        With the geometry of its findings.
    image_name : str
        Name under which the image is shown.
    exclusions : iterable of Stretch, optional
        All stretches that are not evaluated (`ienfd.skin.lengths.effective_exclusions`), cut ends
        included; by default those of the findings.
    state : ExportedState, optional
        What the section is made of: without it a file that was edited cannot be brought back.

    Returns
    -------
    dict
        Features in this order: Epidermis, Surface and Junction of each piece, Exclusion, Fiber (one for
        each branch of the graph), and Crossing (every candidate, in the order of `result.crossings`).
        What has no extent, such as an epidermis without any area, is left out; a crossing never is.
        Counted crossings are named by their number in overlays and tables. The member `ienfd` says which
        section it is and how it ended; readers of GeoJSON pass over it.

    Raises
    ------
    ValueError
        If a coordinate is not finite.
    """
    findings = result.findings
    if exclusions is not None:
        findings = replace(findings, exclusions=tuple(exclusions))
    theme = DARK if findings.stain == "fluorescence" else LIGHT
    tags = {} if state is None else state.tags()
    return {
        "type": "FeatureCollection",
        "ienfd": {
            "section_id": findings.section_id,
            "image": image_name,
            "pixel_size_um": findings.pixel_size_um,
            "status": result.status.value,
            "reason": result.reason,
            **tags,
        },
        "features": [*_skin_and_fibers(findings, theme, tags), *_crossings(result.crossings, theme, tags)],
    }


def geojson_bytes(collection: Mapping[str, Any]) -> bytes:
    """A FeatureCollection as a file: the same collection gives the same bytes.

    Raises
    ------
    ValueError
        If it holds a number that is not finite, for which JSON has no word.
    """
    return (json.dumps(collection, separators=(",", ":"), allow_nan=False) + "\n").encode("ascii")


def exclusion_ids(findings: Findings) -> dict[str, Stretch]:
    """The exclusions of findings by the ids under which they are written."""
    return dict(zip(_ids(findings).get("exclusion", ()), findings.exclusions, strict=True))


def _ids(findings: Findings) -> dict[str, list[str]]:
    """The ids that objects have in the store, by their kind."""
    ids: dict[str, list[str]] = {}
    for row in encode_objects(findings):
        ids.setdefault(row.kind, []).append(row.object_id)
    return ids


def _skin_and_fibers(findings: Findings, theme: Theme, tags: Mapping[str, str]) -> Iterator[Feature]:
    ids = _ids(findings)
    own = stable_ids(findings.section_id, findings.analysis_key, "epidermis", map(_ends, findings.pieces))
    for piece, object_id in zip(findings.pieces, own, strict=True):
        outline = np.concatenate([piece.junction_px, piece.surface_px[::-1]])
        yield from _drawn(object_id, "Epidermis", theme.surface, _area(outline), metadata=tags)
    for piece, object_id in zip(findings.pieces, ids.get("surface", ()), strict=True):
        yield from _drawn(object_id, "Surface", theme.surface, _line(piece.surface_px), metadata=tags)
    for piece, object_id in zip(findings.pieces, ids.get("junction", ()), strict=True):
        yield from _drawn(object_id, "Junction", theme.junction, _line(piece.junction_px), metadata=tags)
    for stretch, object_id in zip(findings.exclusions, ids.get("exclusion", ()), strict=True):
        area = _stretch_area(findings, stretch)
        yield from _drawn(object_id, "Exclusion", theme.hatch, area, metadata={"reason": stretch.reason})
    for branch, object_id in zip(findings.graph.branches, ids.get("branch", ()), strict=True):
        yield from _drawn(
            object_id, "Fiber", theme.fiber, _line(branch.path_px), {"width_um": branch.width_um}
        )


def _crossings(crossings: Sequence[Crossing], theme: Theme, tags: Mapping[str, str]) -> Iterator[Feature]:
    number = 0
    for crossing in crossings:
        number += crossing.counted
        row, col = _shifted(np.array([crossing.row_px, crossing.col_px]))
        yield _feature(
            crossing.crossing_id,
            "Crossing: counted" if crossing.counted else "Crossing: not counted",
            theme.counted if crossing.counted else theme.excluded,
            shapely.Point(col, row),
            _measurements(crossing),
            {"reason": crossing.reason, "origin": crossing.origin, **tags},
            str(number) if crossing.counted else None,
        )


def _measurements(crossing: Crossing) -> dict[str, float | None]:
    return {
        "counted": int(crossing.counted),
        "confidence": crossing.confidence,
        "reach_epidermis_um": crossing.reach_epidermis_um,
        "reach_dermis_um": crossing.reach_dermis_um,
        "contrast": crossing.contrast,
        "z_um": crossing.z_um,
        "junction_position_um": crossing.junction_position_um,
    }


def _drawn(
    object_id: str,
    name: str,
    color: Color,
    geometry: BaseGeometry | None,
    measurements: Mapping[str, float | None] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Iterator[Feature]:
    """The feature of a geometry; none where there is nothing to draw."""
    if geometry is not None:
        yield _feature(object_id, name, color, geometry, measurements or {}, metadata or {})


def _feature(
    object_id: str,
    classification: str,
    color: Color,
    geometry: BaseGeometry,
    measurements: Mapping[str, float | None],
    metadata: Mapping[str, str],
    name: str | None = None,
) -> Feature:
    known = {
        key: round(float(value), _MEASURE_DIGITS) if isinstance(value, float) else value
        for key, value in measurements.items()
        if value is not None and math.isfinite(value)
    }
    properties: dict[str, Any] = {"objectType": "annotation"}
    if name is not None:
        properties["name"] = name
    properties["classification"] = {"name": classification, "color": list(color)}
    properties["measurements"] = known
    if metadata:
        properties["metadata"] = dict(metadata)
    return {"type": "Feature", "id": object_id, "geometry": _written(geometry), "properties": properties}


def _shifted(points_px: FloatArray) -> FloatArray:
    """Places of ienfd in QuPath's frame, still as (row, col), to a hundredth of a pixel."""
    moved = np.asarray(points_px, dtype=np.float64) + TO_CORNER_PX
    if not np.isfinite(moved).all():
        raise ValueError("a coordinate is not finite")
    return np.round(moved, _DIGITS)


def _line(points_px: FloatArray) -> BaseGeometry | None:
    """A polyline; None where all its points are one."""
    points = _shifted(points_px)
    return to_shapely(points) if len(np.unique(points, axis=0)) > 1 else None


def _area(outline_px: FloatArray) -> BaseGeometry | None:
    """The area within an outline, as a valid polygon or several; None where it has none."""
    points = _shifted(outline_px)
    if len(np.unique(points, axis=0)) < 3:
        return None
    area: BaseGeometry = shapely.Polygon(to_shapely(points).coords)
    if not area.is_valid:
        # where surface and junction touch or cross; the corners that this makes are rounded with it
        area = shapely.set_precision(shapely.make_valid(area), 10.0**-_DIGITS)
    parts = [part for part in shapely.get_parts(shapely.get_parts(area)) if part.geom_type == "Polygon"]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _stretch_area(findings: Findings, stretch: Stretch) -> BaseGeometry | None:
    if findings.pixel_size_um is None:
        return None
    return _area(stretch_outline_px(findings.pieces[stretch.piece], stretch, findings.pixel_size_um))


def _ends(piece: Piece) -> list[float]:
    """What tells a piece of epidermis from the others: where its lines begin and end."""
    lines = (piece.junction_px, piece.surface_px)
    return [float(value) for line in lines if len(line) for value in (*line[0], *line[-1])]


def _written(geometry: BaseGeometry) -> dict[str, Any]:
    """Type and coordinates as JSON has them, rounded."""
    written = mapping(geometry)
    return {"type": written["type"], "coordinates": _rounded(written["coordinates"])}


def _rounded(coordinates: Any) -> Any:
    if isinstance(coordinates, int | float):
        return round(float(coordinates), _DIGITS)
    return [_rounded(part) for part in coordinates]
