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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ienfd.identity import stable_ids
from ienfd.protocol import canonical_json
from ienfd.result import Branch, Cell, FiberGraph, Findings, FloatArray, Piece, Stretch
from ienfd.study.records import StoredObject

__all__ = [
    "decode_columns",
    "decode_objects",
    "decoded_measures",
    "encode_columns",
    "encode_objects",
    "encoded_measures",
    "quantize",
    "stored_form",
]

_STEPS = 100  # to a pixel, a micrometer, a unit of noise
_FINE_STEPS = 1000  # to a confidence of 1
_SIGNIFICANT_DIGITS = 6
_PLACES = 16  # points of a polyline that tell it from others


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
        differences = whole.copy()
        differences[1:] -= whole[:-1]
        packed[name] = [steps, differences.tolist()]
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
    The id of an object is `ienfd.identity.stable_ids` of its rounded geometry.
    """
    raw = _raw_objects(findings)
    return [
        StoredObject(object_id, row.kind, row.packed(), row.properties)
        for object_id, row in zip(_ids(findings, raw), raw, strict=True)
    ]


def _raw_objects(findings: Findings) -> list[_Raw]:
    raw: list[_Raw] = []
    for index, piece in enumerate(findings.pieces):
        raw.append(_Raw("surface", piece.surface_px, {"piece": index}))
        confidence = {"confidence": (piece.junction_confidence, _FINE_STEPS)}
        ends = {"piece": index, "cut_ends": [bool(end) for end in piece.cut_ends]}
        raw.append(_Raw("junction", piece.junction_px, ends, confidence))
    for stretch in findings.exclusions:
        span = {
            "start_um": _rounded(stretch.start_um, _STEPS),
            "end_um": _rounded(stretch.end_um, _STEPS),
        }
        raw.append(_Raw("exclusion", None, {"piece": stretch.piece, **span, "reason": stretch.reason}))
    if len(findings.graph.nodes_px):
        raw.append(_Raw("nodes", findings.graph.nodes_px, {}))
    raw.extend(_raw_branch(branch) for branch in findings.graph.branches)
    raw.extend(_Raw("cell", None, _cell_properties(cell)) for cell in findings.graph.cells)
    if findings.fingerprint:
        raw.append(_Raw("fingerprint", None, {"course": findings.fingerprint}))
    return raw


@dataclass(frozen=True, eq=False)
class _Raw:
    """An object on its way into the store."""

    kind: str
    points_px: FloatArray | None
    properties: dict[str, Any]
    more: Mapping[str, tuple[NDArray[Any], int]] = field(default_factory=dict)

    def packed(self) -> bytes | None:
        if self.points_px is None:
            return None
        points = {"row": (self.points_px[:, 0], _STEPS), "col": (self.points_px[:, 1], _STEPS)}
        return zlib.compress(encode_columns({**points, **self.more}).encode("ascii"))

    def place(self) -> list[float]:
        """The numbers that tell it from others of its kind."""
        if self.points_px is None:
            return [value for value in self.properties.values() if isinstance(value, int | float)]
        some = np.linspace(0, len(self.points_px) - 1, min(len(self.points_px), _PLACES)).astype(np.intp)
        return [len(self.points_px), *(np.rint(self.points_px[some] * _STEPS).ravel() / _STEPS).tolist()]


def _ids(findings: Findings, raw: Sequence[_Raw]) -> list[str]:
    by_kind: dict[str, list[int]] = {}
    for position, row in enumerate(raw):
        by_kind.setdefault(row.kind, []).append(position)
    ids = [""] * len(raw)
    for kind, positions in by_kind.items():
        places = [raw[position].place() for position in positions]
        named = stable_ids(findings.section_id, findings.analysis_key, kind, places)
        for position, object_id in zip(positions, named, strict=True):
            ids[position] = object_id
    return ids


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
    fingerprint = by_kind.get("fingerprint", [])
    surfaces = {row.properties["piece"]: row for row in by_kind.get("surface", [])}
    return replace(
        bare,
        pieces=tuple(
            _piece(surfaces.get(junction.properties["piece"]), junction)
            for junction in by_kind.get("junction", [])
        ),
        exclusions=tuple(Stretch(**row.properties) for row in by_kind.get("exclusion", [])),
        graph=graph,
        fingerprint=fingerprint[0].properties["course"] if fingerprint else "",
    )


def quantize(findings: Findings) -> Findings:
    """`findings` as the store will give them back."""
    return stored_form(findings)[0]


def stored_form(findings: Findings) -> tuple[Findings, list[StoredObject]]:
    """`findings` as the store will give them back, and the objects that it will hold."""
    objects = encode_objects(findings)
    bare = replace(
        findings,
        pieces=(),
        exclusions=(),
        graph=FiberGraph(np.empty((0, 2))),
        fingerprint="",
        measures=tuple((name, _significant(value)) for name, value in findings.measures),
    )
    return decode_objects(bare, objects), objects


def _rounded(value: float, steps: int) -> float:
    return float(np.rint(value * steps) / steps)


def _significant(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else value


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


def _raw_branch(branch: Branch) -> _Raw:
    more: dict[str, tuple[NDArray[Any], int]] = {
        "contrast": (branch.contrast, 20),  # a twentieth of the noise is below anything that decides
        "bridged": (branch.bridged, 1),
    }
    if branch.z_um is not None:
        more["z"] = (branch.z_um, _STEPS)
    width = _rounded(branch.width_um, _FINE_STEPS)
    properties = {"start": int(branch.start), "end": int(branch.end), "width_um": width}
    return _Raw("branch", branch.path_px, properties, more)


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
