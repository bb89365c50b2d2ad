"""A sheet as the data of layers: pure, and without napari.

Everything is in pixels of the full-resolution image, (row, col); the canvas gives every layer the
pixel size as its scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ienfd.correction.commands import LoggedEdit
from ienfd.draw.palette import DARK, GREEN, LIGHT, SKY, Color, Theme, mark_for
from ienfd.geometry import arc_lengths, from_shapely, length, resample, to_shapely
from ienfd.result import Crossing, Findings, FloatArray, Piece
from ienfd.review.picking import of_mark, stretches
from ienfd.review.sheet import Sheet
from ienfd.review.tour import is_doubtful
from ienfd.skin.lengths import stretch_outline_px

__all__ = [
    "FiberLines",
    "Marks",
    "Segments",
    "cells",
    "crossing_marks",
    "excluded_areas",
    "junction_segments",
    "mark_marks",
    "surface_segments",
    "theme_of",
]

_SYMBOLS = {
    "circle": "disc",
    "triangle": "triangle_up",
    "wedge": "triangle_down",
    "diamond": "diamond",
    "square": "square",
    "cross": "x",
    "bar": "hbar",
}
_UNCERTAIN_SYMBOL = "star"
_SIZE_UM, _SMALL_UM = 9.0, 5.0
_FINE_PX = 0.4  # a polyline thinned by this looks the same
_UNSURE = 0.5  # junction below this confidence is drawn broken
_DASH_UM = 6.0
_NEAR_UM = 60.0
_SEEN_FACE = 0.35


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks at places, one row each.

    Parameters
    ----------
    places_px : (N, 2) ndarray of float
        Where.
    ids, labels, symbols : tuple of str
        Object, what is written beside it, and its shape.
    colors : (N, 4) ndarray of float
        Red, green, blue, opacity of the border, 0 to 1.
    faces : (N, 4) ndarray of float
        The same of the inside.
    sizes_um : (N,) ndarray of float
        Diameters.
    """

    places_px: FloatArray
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    symbols: tuple[str, ...]
    colors: FloatArray
    faces: FloatArray
    sizes_um: FloatArray


@dataclass(frozen=True, eq=False)
class Segments:
    """Straight pieces of lines, each as its start and its direction.

    Parameters
    ----------
    vectors_px : (N, 2, 2) ndarray of float
        Start and displacement.
    colors : (N, 4) ndarray of float
        Red, green, blue, opacity, 0 to 1.
    """

    vectors_px: FloatArray
    colors: FloatArray


def theme_of(stain: str | None) -> Theme:
    """Colors that are seen on an image of this stain."""
    return DARK if stain == "fluorescence" else LIGHT


def crossing_marks(sheet: Sheet) -> Marks:
    """Every candidate: shape by its class, color by whether it is counted, uncertain, or excluded.

    What a person has looked at is filled.
    """
    theme = theme_of(sheet.findings.stain)
    numbers, seen = sheet.numbers(), sheet.verdicts()
    crossings = sheet.result.crossings
    return _marks(
        [(c.row_px, c.col_px) for c in crossings],
        [c.crossing_id for c in crossings],
        [str(numbers.get(c.crossing_id, "")) for c in crossings],
        [_symbol(c, seen.get(c.crossing_id)) for c in crossings],
        [_color(c, seen.get(c.crossing_id), theme) for c in crossings],
        [c.crossing_id in seen for c in crossings],
        [_SIZE_UM if c.counted or is_doubtful(c) or c.crossing_id in seen else _SMALL_UM for c in crossings],
    )


def mark_marks(sheet: Sheet, own: Sequence[LoggedEdit]) -> Marks:
    """The marks of a blind reader."""
    color = theme_of(sheet.findings.stain).surface
    places = [of_mark(entry) for entry in own]
    count = len(own)
    return _marks(
        [place.place_px for place in places],
        [place.object_id for place in places],
        [""] * count,
        ["cross"] * count,
        [color] * count,
        [True] * count,
        [_SIZE_UM] * count,
    )


def cells(sheet: Sheet) -> Marks:
    """Bodies of dendritic cells."""
    found = sheet.result.findings.graph.cells
    color = theme_of(sheet.findings.stain).excluded
    return _marks(
        [(cell.row_px, cell.col_px) for cell in found],
        [""] * len(found),
        [""] * len(found),
        ["diamond"] * len(found),
        [color] * len(found),
        [False] * len(found),
        [2.0 * cell.radius_um for cell in found],
    )


def _marks(
    places: Sequence[tuple[float, float]],
    ids: Sequence[str],
    labels: Sequence[str],
    symbols: Sequence[str],
    colors: Sequence[Color],
    filled: Sequence[bool],
    sizes_um: Sequence[float],
) -> Marks:
    borders = np.array([[*color, 255.0] for color in colors], dtype=np.float64).reshape(-1, 4) / 255.0
    faces = borders.copy()
    faces[:, 3] = np.where(np.asarray(filled, dtype=bool), _SEEN_FACE, 0.0)
    return Marks(
        np.asarray(places, dtype=np.float64).reshape(-1, 2),
        tuple(ids),
        tuple(labels),
        tuple(symbols),
        borders,
        faces,
        np.asarray(sizes_um, dtype=np.float64),
    )


def _is_uncertain(crossing: Crossing, verdict: str | None) -> bool:
    return verdict == "not_sure" or (verdict is None and is_doubtful(crossing))


def _symbol(crossing: Crossing, verdict: str | None) -> str:
    if _is_uncertain(crossing, verdict):
        return _UNCERTAIN_SYMBOL
    return _SYMBOLS[mark_for(crossing.reason, crossing.counted).shape]


def _color(crossing: Crossing, verdict: str | None, theme: Theme) -> Color:
    if _is_uncertain(crossing, verdict):
        return GREEN if theme is DARK else SKY
    return theme.counted if crossing.counted else theme.excluded


@dataclass(frozen=True, eq=False)
class FiberLines:
    """All fibers as they are drawn, and what tells which of them a candidate is on.

    Parameters
    ----------
    vectors_px : (N, 2, 2) ndarray of float
        Start and displacement of every straight piece.
    owner : (N,) ndarray of int
        Branch of each.
    fiber : (B,) ndarray of int
        Fiber of each branch: a connected set of them.
    tree : cKDTree or None
        All points of all branches; None where there are none.
    branch_of_point : (P,) ndarray of int
        Branch of each of those points.
    """

    vectors_px: FloatArray
    owner: NDArray[np.intp]
    fiber: NDArray[np.int32]
    tree: cKDTree | None
    branch_of_point: NDArray[np.intp]

    @classmethod
    def of(cls, findings: Findings) -> FiberLines:
        """The fibers of a section."""
        branches = findings.graph.branches
        if not branches:
            none = np.empty(0, np.intp)
            return cls(np.empty((0, 2, 2)), none, np.empty(0, np.int32), None, none)
        points = np.concatenate([branch.path_px for branch in branches])
        of_point = np.repeat(np.arange(len(branches)), [len(branch.path_px) for branch in branches])
        vectors, owner = _thinned_all(points, of_point)
        return cls(vectors, owner, _components(findings), cKDTree(points), of_point)

    def classes(self, crossings: Sequence[Crossing], pixel_size_um: float) -> list[str]:
        """Class of every branch: `counted`, `candidate` or `other`, by the crossings of its fiber nearby.

        Fibers of one plexus hang together: what lies farther away is a matter of other crossings.
        """
        classes = np.array(["other"] * len(self.fiber), dtype=object)
        on_fibers = [c for c in crossings if c.fiber_id != c.crossing_id]  # those not added by a person
        if self.tree is None or not on_fibers:
            return list(classes)
        places = np.array([(crossing.row_px, crossing.col_px) for crossing in on_fibers])
        fibers = self.fiber[self.branch_of_point[self.tree.query(places)[1]]]
        counted = np.array([crossing.counted for crossing in on_fibers])
        reach = _NEAR_UM / pixel_size_um
        drawn = _apart(self.vectors_px[:, 0], self.fiber[self.owner])
        for name, mine in (("candidate", ~counted), ("counted", counted)):  # that has the last word
            if mine.any():
                near = cKDTree(_apart(places[mine], fibers[mine])).query(drawn, distance_upper_bound=reach)[0]
                classes[self.owner[np.isfinite(near)]] = name
        return list(classes)

    def segments(self, sheet: Sheet) -> Segments:
        """With a color for each: those with a counted crossing, those with other candidates, the rest."""
        theme = theme_of(sheet.findings.stain)
        looks = {
            "counted": (*theme.counted, 0.9),
            "candidate": (*theme.fiber, 0.9),
            "other": (*theme.fiber, 0.45),
        }
        classes = self.classes(sheet.result.crossings, sheet.pixel_size_um)
        colors = {name: _rgba(look) for name, look in looks.items()}
        of_branch = np.array([colors[name] for name in classes]).reshape(-1, 4)
        return Segments(self.vectors_px, of_branch[self.owner])


def _apart(points_px: FloatArray, fiber: NDArray[np.int32]) -> FloatArray:
    """(N, 3) points, those of different fibers farther apart than any image is wide."""
    return np.column_stack([points_px, 1e7 * fiber])


def _components(findings: Findings) -> NDArray[np.int32]:
    """Number of the fiber of each branch."""
    branches, nodes = findings.graph.branches, len(findings.graph.nodes_px)
    start = np.array([branch.start for branch in branches])
    end = np.array([branch.end for branch in branches])
    links = coo_matrix((np.ones(len(branches)), (start, end)), shape=(nodes, nodes))
    _, of_node = connected_components(links, directed=False)
    return np.asarray(of_node[start], np.int32)


def surface_segments(findings: Findings) -> Segments:
    """The boundary of viable epidermis and corneum."""
    lines = [_thinned(piece.surface_px) for piece in findings.pieces]
    return _segments(lines, (*theme_of(findings.stain).surface, 0.9))


def junction_segments(findings: Findings) -> Segments:
    """The junction: unbroken where it is certain, broken where it is not."""
    size, color = findings.pixel_size_um or 1.0, (*theme_of(findings.stain).junction, 1.0)
    lines: list[FloatArray] = []
    for piece in findings.pieces:
        lines += _dashed_where_unsure(piece, size)
    return _segments(lines, color)


def _dashed_where_unsure(piece: Piece, size: float) -> list[FloatArray]:
    even = resample(piece.junction_px, _DASH_UM / 4 / size)
    share = np.linspace(0.0, length(piece.junction_px), len(even))
    unsure = np.interp(share, arc_lengths(piece.junction_px), piece.junction_confidence) < _UNSURE
    shown = ~(unsure & (np.arange(len(even)) // 4 % 2 == 1))
    edges = np.diff(np.concatenate([[False], shown, [False]]).astype(np.int8))
    begins, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    return [even[a:b] for a, b in zip(begins, ends, strict=True) if b - a > 1]


def excluded_areas(sheet: Sheet) -> list[FloatArray]:
    """Outlines of the stretches that are not evaluated."""
    pieces, size = sheet.result.findings.pieces, sheet.pixel_size_um
    outlines = [stretch_outline_px(pieces[stretch.piece], stretch, size) for stretch in stretches(sheet)]
    # an area of many corners takes a second to fill
    thinned = [_thinned(outline) for outline in outlines]
    return [outline for outline in thinned if len(outline) >= 3]


def _thinned(line: FloatArray) -> FloatArray:
    if len(line) < 3:
        return line
    return from_shapely(shapely.simplify(to_shapely(line), _FINE_PX))


def _thinned_all(points: FloatArray, of_line: NDArray[np.intp]) -> tuple[FloatArray, NDArray[np.intp]]:
    """Straight pieces of many polylines, thinned, and the polyline of each; all in one go."""
    enough = np.bincount(of_line)[of_line] > 1
    ids, index_of_line = np.unique(of_line[enough], return_inverse=True)
    whole = shapely.linestrings(points[enough][:, ::-1], indices=index_of_line)
    corners, index = shapely.get_coordinates(shapely.simplify(whole, _FINE_PX), return_index=True)
    inside = index[1:] == index[:-1]
    starts, steps = corners[:-1, ::-1][inside], np.diff(corners, axis=0)[:, ::-1][inside]
    return np.stack([starts, steps], axis=1), ids[index[1:][inside]]


def _segments(lines: Sequence[FloatArray], look: tuple[float, ...]) -> Segments:
    """Polylines of one color (red, green, blue to 255, opacity to 1) as straight pieces."""
    vectors = _vectors(lines)
    return Segments(vectors, np.tile(_rgba(look), (len(vectors), 1)))


def _vectors(lines: Sequence[FloatArray]) -> FloatArray:
    """(N, 2, 2) start and displacement of every straight piece of all lines."""
    none = np.empty((0, 2))
    starts = np.concatenate([none, *(line[:-1] for line in lines)])
    steps = np.concatenate([none, *(np.diff(line, axis=0) for line in lines)])
    return np.stack([starts, steps], axis=1)


def _rgba(look: tuple[float, ...]) -> FloatArray:
    return np.array([*look[:3], 255.0 * look[3]]) / 255.0
