"""GeoJSON as QuPath writes it, read back: every object, whatever else is around it.

Nothing is believed: a file may come from anywhere. What an object cannot be is left to those who know
what it should be; only what is no GeoJSON at all is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from ienfd.errors import UsageError
from ienfd.report.geojson import TO_CORNER_PX

__all__ = ["Place", "ReadFile", "ReadObject", "objects_of", "read_geojson"]

Place = tuple[float, float]
"""Row and column in pixels."""

_FARTHEST_PX = 1e9
_DEPTH = 16  # objects within objects


@dataclass(frozen=True)
class ReadObject:
    """One object of a file.

    Parameters
    ----------
    object_id : str or None
        Its UUID; None where it has none.
    classes : tuple of str
        Its class, the one that it is part of first, as in ("Crossing", "counted"); empty for none.
    geometry : mapping
        As it is written; coordinates are finite numbers. Empty where there is none that can be understood.
    name : str
        Its name; empty for none.
    metadata : mapping of str to str
        What else is said of it.
    """

    object_id: str | None
    classes: tuple[str, ...]
    geometry: Mapping[str, Any]
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Its class as it is compared: `crossing: counted`; empty for none."""
        return ": ".join(part.casefold() for part in self.classes)

    @property
    def places(self) -> tuple[Place, ...] | None:
        """The places of a point or of several, in ienfd's frame; None for anything else."""
        kind, coordinates = self.geometry.get("type"), self.geometry.get("coordinates")
        if kind == "Point":
            coordinates = [coordinates]
        elif kind != "MultiPoint":
            return None
        points = coordinates or ()
        if not all(_is_place(point) for point in points):
            return None
        return tuple((point[1] - TO_CORNER_PX, point[0] - TO_CORNER_PX) for point in points)

    def drawn(self) -> BaseGeometry | None:
        """Its geometry, x to the right and y down in QuPath's frame, made valid; None where it has none."""
        try:
            found: BaseGeometry = shape(dict(self.geometry))
            if found.is_valid:
                return found
            parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(found)))
            areas = [part for part in parts if part.area > 0]  # a crossed outline may leave lines, too
            return shapely.union_all(areas) if areas else None
        except (ShapelyError, ValueError, TypeError, IndexError, KeyError, AttributeError):
            return None


@dataclass(frozen=True)
class ReadFile:
    """All objects of a file, those within others, too; what ienfd wrote of them all, where that is left."""

    objects: tuple[ReadObject, ...]
    about: Mapping[str, str]


def read_geojson(path: Path) -> ReadFile:
    """Read a file.

    Raises
    ------
    UsageError
        `import_invalid` if it is no GeoJSON.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except OSError as error:
        raise UsageError("import_invalid", f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # also of an encoding
        raise UsageError("import_invalid", f"{path}: {error}") from error
    try:
        return ReadFile(objects_of(read), _texts(read.get("ienfd") if isinstance(read, Mapping) else None))
    except ValueError as error:
        raise UsageError("import_invalid", f"{path}: {error}") from error


def objects_of(read: Any) -> tuple[ReadObject, ...]:
    """All objects of a FeatureCollection, a list of features, or one feature, as JSON holds it.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if isinstance(read, Mapping) and isinstance(read.get("features"), list):
        read = read["features"]
    elif isinstance(read, Mapping) and read.get("type") == "Feature":
        read = [read]
    if not isinstance(read, list):
        raise ValueError("it holds no features")
    return tuple(one for feature in read for one in _objects(feature, 0))


def _objects(feature: Any, depth: int) -> Iterator[ReadObject]:
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature" or depth > _DEPTH:
        raise ValueError("it holds something that is no feature")
    geometry, properties = feature.get("geometry"), feature.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise ValueError("the properties of a feature are no object")
    if not isinstance(geometry, Mapping) or not _is_geometry(geometry.get("coordinates")):
        geometry = {}
    yield ReadObject(
        _uuid(feature.get("id")),
        _classes(properties.get("classification")),
        geometry,
        str(properties.get("name") or ""),
        _texts(properties.get("metadata")),
    )
    children = properties.get("childObjects")
    for child in children if isinstance(children, list) else ():
        yield from _objects(child, depth + 1)


def _classes(classification: Any) -> tuple[str, ...]:
    """A class under any of the forms that QuPath has written it in."""
    if isinstance(classification, Mapping):
        names = classification.get("names")
        if isinstance(names, Sequence) and not isinstance(names, str):
            return tuple(str(name).strip() for name in names)
        classification = classification.get("name")
    if not isinstance(classification, str):
        return ()
    return tuple(part.strip() for part in classification.split(":") if part.strip())


def _texts(said: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in said.items()} if isinstance(said, Mapping) else {}


def _uuid(written: Any) -> str | None:
    try:
        return str(UUID(written)) if isinstance(written, str) else None
    except ValueError:
        return None


def _is_geometry(coordinates: Any, depth: int = 0) -> bool:
    """Whether it is a place, or a list of such, to the depth that a MultiPolygon has."""
    if not isinstance(coordinates, list) or not coordinates or depth > 3:
        return False
    if isinstance(coordinates[0], list):
        return all(_is_geometry(part, depth + 1) for part in coordinates)
    return _is_place(coordinates)


def _is_place(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) >= 2
        and all(isinstance(part, int | float) and not isinstance(part, bool) for part in point)
        and all(abs(part) < _FARTHEST_PX for part in point)  # no NaN either
    )


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")
