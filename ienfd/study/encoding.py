"""Findings as rows, and back: the geometry is rounded once, and small.

A polyline of N points becomes the integers round(100 * value), coordinate by coordinate, as
differences from the point before, in JSON, deflated: about 3 bytes a point. Writing, reading and
writing again gives the same bytes, so a section counted from memory after `quantize` and one counted
from the store are the same section.
"""

from __future__ import annotations

import json
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from ienfd.protocol import canonical_json
from ienfd.result import Branch, Cell, FiberGraph, Findings, FloatArray, Piece, Stretch

__all__ = [
    "StoredObject",
    "decode_columns",
    "decode_objects",
    "decoded_measures",
    "encode_columns",
    "encode_objects",
    "encoded_measures",
    "quantize",
]

_NAMESPACE = UUID("c9a5b9b8-6f0e-5d53-8a2a-5c1d5a9e7f42")
_STEPS = 100  # to a pixel, a micrometer, a unit of noise
_FINE_STEPS = 1000  # to a confidence of 1
_SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True)
class StoredObject:
    """One row of `objects`: stable id, kind, compact geometry, properties."""

    object_id: str
    kind: str
    geometry: bytes | None
    properties: dict[str, Any]


def encode_columns(columns: Mapping[str, tuple[NDArray[Any], int]]) -> str:
    """Write equally long columns of numbers as one short text.

    Parameters
    ----------
    columns : mapping of str to ((N,) ndarray of float, int)
        Values, and the number of steps to one that they are rounded to.

    Returns
    -------
    str
        JSON: {name: [steps, [first, difference, difference, ...]]}.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    packed: dict[str, list[Any]] = {}
    for name, (values, steps) in columns.items():
        array = np.asarray(values, dtype=np.float64)
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds a value that is not finite")
        whole = np.rint(array * steps).astype(np.int64)
        packed[name] = [steps, np.diff(whole, prepend=0).tolist()]
    return canonical_json(packed)


def decode_columns(text: str) -> dict[str, FloatArray]:
    """Read what `encode_columns` wrote, as (N,) ndarrays of float64."""
    packed = json.loads(text)
    return {
        name: np.cumsum(np.asarray(differences, dtype=np.int64)) / float(steps)
        for name, (steps, differences) in packed.items()
    }


def encode_objects(findings: Findings) -> list[StoredObject]:
    """All objects of `findings` as rows, in an order that `decode_objects` relies on.

    Notes
    -----
    The id of an object is a UUID (version 5) of section, analysis key, kind, rounded geometry and,
    where two objects are equal in all of these, their ordinal.
    """
    raw: list[tuple[str, str | None, dict[str, Any]]] = []
    for index, piece in enumerate(findings.pieces):
        raw.append(("surface", _polyline(piece.surface_px), {"piece": index}))
        confidence = {"confidence": (piece.junction_confidence, _FINE_STEPS)}
        ends = {"piece": index, "cut_ends": [bool(end) for end in piece.cut_ends]}
        raw.append(("junction", _polyline(piece.junction_px, confidence), ends))
    for stretch in findings.exclusions:
        properties = {
            "piece": stretch.piece,
            "start_um": _rounded(stretch.start_um, _STEPS),
            "end_um": _rounded(stretch.end_um, _STEPS),
            "reason": stretch.reason,
        }
        raw.append(("exclusion", None, properties))
    if len(findings.graph.nodes_px):
        raw.append(("nodes", _polyline(findings.graph.nodes_px), {}))
    raw.extend(("branch", _branch_geometry(b), _branch_properties(b)) for b in findings.graph.branches)
    raw.extend(("cell", None, _cell_properties(cell)) for cell in findings.graph.cells)

    ties: Counter[str] = Counter()
    stored = []
    for kind, geometry, properties in raw:
        shape = geometry if geometry is not None else canonical_json(properties)
        name = f"{findings.section_id}/{findings.analysis_key}/{kind}/{shape}"
        object_id = str(uuid5(_NAMESPACE, f"{name}/{ties[name]}"))
        ties[name] += 1
        packed = None if geometry is None else zlib.compress(geometry.encode("ascii"))
        stored.append(StoredObject(object_id, kind, packed, properties))
    return stored


def decode_objects(bare: Findings, objects: Iterable[StoredObject]) -> Findings:
    """Give `bare` findings (all but their objects) the objects of these rows.

    Kinds that are left out of the rows are left out of the findings.
    """
    by_kind: dict[str, list[StoredObject]] = {}
    for row in objects:
        by_kind.setdefault(row.kind, []).append(row)
    nodes = by_kind.get("nodes", [])
    graph = FiberGraph(
        nodes_px=_points(_columns(nodes[0])) if nodes else np.empty((0, 2)),
        branches=tuple(_branch(row) for row in by_kind.get("branch", [])),
        cells=tuple(Cell(**row.properties) for row in by_kind.get("cell", [])),
    )
    surfaces = {row.properties["piece"]: row for row in by_kind.get("surface", [])}
    return replace(
        bare,
        pieces=tuple(
            _piece(surfaces.get(junction.properties["piece"]), junction)
            for junction in by_kind.get("junction", [])
        ),
        exclusions=tuple(Stretch(**row.properties) for row in by_kind.get("exclusion", [])),
        graph=graph,
    )


def quantize(findings: Findings) -> Findings:
    """`findings` as the store will give them back."""
    bare = replace(
        findings,
        pieces=(),
        exclusions=(),
        graph=FiberGraph(np.empty((0, 2))),
        measures=tuple((name, _significant(value)) for name, value in findings.measures),
    )
    return decode_objects(bare, encode_objects(findings))


def _rounded(value: float, steps: int) -> float:
    return float(np.rint(value * steps) / steps)


def _significant(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else value


def _polyline(points_px: FloatArray, more: Mapping[str, tuple[NDArray[Any], int]] | None = None) -> str:
    columns = {"row": (points_px[:, 0], _STEPS), "col": (points_px[:, 1], _STEPS), **(more or {})}
    return encode_columns(columns)


def _points(columns: Mapping[str, FloatArray]) -> FloatArray:
    return np.column_stack([columns["row"], columns["col"]])


def _columns(row: StoredObject) -> dict[str, FloatArray]:
    if row.geometry is None:
        raise ValueError(f"object {row.object_id} ({row.kind}) has lost its geometry")
    return decode_columns(zlib.decompress(row.geometry).decode("ascii"))


def _piece(surface: StoredObject | None, junction: StoredObject) -> Piece:
    line = _columns(junction)
    first, last = junction.properties["cut_ends"]
    return Piece(
        surface_px=_points(_columns(surface)) if surface else np.empty((0, 2)),
        junction_px=_points(line),
        junction_confidence=line["confidence"],
        cut_ends=(bool(first), bool(last)),
    )


def _branch_geometry(branch: Branch) -> str:
    more: dict[str, tuple[NDArray[Any], int]] = {
        "contrast": (branch.contrast, 20),  # a twentieth of the noise is below anything that decides
        "bridged": (branch.bridged, 1),
    }
    if branch.z_um is not None:
        more["z"] = (branch.z_um, _STEPS)
    return _polyline(branch.path_px, more)


def _branch_properties(branch: Branch) -> dict[str, Any]:
    width = _rounded(branch.width_um, _FINE_STEPS)
    return {"start": int(branch.start), "end": int(branch.end), "width_um": width}


def _branch(row: StoredObject) -> Branch:
    columns = _columns(row)
    return Branch(
        start=row.properties["start"],
        end=row.properties["end"],
        path_px=_points(columns),
        contrast=columns["contrast"],
        bridged=columns["bridged"].astype(np.bool_),
        z_um=columns.get("z"),
        width_um=row.properties["width_um"],
    )


def _cell_properties(cell: Cell) -> dict[str, Any]:
    return {
        "row_px": _rounded(cell.row_px, _STEPS),
        "col_px": _rounded(cell.col_px, _STEPS),
        "radius_um": _rounded(cell.radius_um, _STEPS),
        "contrast": _rounded(cell.contrast, _STEPS),
    }


def decoded_measures(text: str) -> tuple[tuple[str, float], ...]:
    """Read the `measures` column."""
    return tuple((str(name), float(value)) for name, value in json.loads(text))


def encoded_measures(measures: Sequence[tuple[str, float]]) -> str:
    """Write the `measures` column; a figure that is not finite is stored as text."""
    return json.dumps([[name, value if math.isfinite(value) else str(value)] for name, value in measures])
