"""The fibers of a section in micrometers: what is known of them before any junction cuts them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from ienfd.counting.trace import Trace
from ienfd.geometry import FloatArray
from ienfd.result import FiberGraph

__all__ = ["Fibers"]

CELL_SPAN_UM = 40.0
"""A dendritic cell with its processes is no larger than this; a fiber that passes by a cell is."""

CELL_MARGIN_UM = 3.0
"""Processes start within this distance of the body as found."""

_LOOKED_AT_ONCE = 8

Which = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Fibers:
    """A fiber graph, and what follows from it alone.

    Parameters
    ----------
    graph : FiberGraph
        In pixels.
    pixel_size_um : float
        Pixel edge in micrometers.
    """

    graph: FiberGraph
    pixel_size_um: float

    def __len__(self) -> int:
        return len(self.graph.branches)

    @cached_property
    def traces(self) -> tuple[Trace, ...]:
        """One for each branch."""
        return tuple(Trace.of(branch, self.pixel_size_um) for branch in self.graph.branches)

    @cached_property
    def ends(self) -> Which:
        """(B, 2) first and last node of every branch."""
        ends = [(branch.start, branch.end) for branch in self.graph.branches]
        return np.array(ends, dtype=np.intp).reshape(-1, 2)

    @cached_property
    def at_node(self) -> dict[int, tuple[int, ...]]:
        """The branches that meet at every node that has any, in order."""
        out: dict[int, list[int]] = {}
        for number, branch in enumerate(self.graph.branches):
            out.setdefault(branch.start, []).append(number)
            if branch.end != branch.start:
                out.setdefault(branch.end, []).append(number)
        return {node: tuple(numbers) for node, numbers in sorted(out.items())}

    @cached_property
    def component(self) -> Which:
        """(B,) connected component of every branch, named by the smallest of its nodes."""
        nodes = len(self.graph.nodes_px)
        if not len(self):
            return np.empty(0, dtype=np.intp)
        links = coo_array((np.ones(len(self)), (self.ends[:, 0], self.ends[:, 1])), shape=(nodes, nodes))
        _, label = connected_components(links, directed=False)
        smallest = np.unique(label, return_index=True)[1]
        return np.asarray(smallest[label][self.ends[:, 0]], dtype=np.intp)

    @cached_property
    def _by_component(self) -> tuple[Which, Which]:
        order = np.argsort(self.component, kind="stable")
        return order, self.component[order]

    def of_component(self, component: int) -> Which:
        """Its branches, in order."""
        order, sorted_components = self._by_component
        low, high = np.searchsorted(sorted_components, [component, component + 1])
        return order[low:high]

    @cached_property
    def boxes_um(self) -> tuple[FloatArray, FloatArray]:
        """(B, 2) smallest and (B, 2) largest (row, col) of every branch."""
        points, starts = self._in_a_row()
        if not len(points):
            return points, points
        return np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)

    @cached_property
    def _steps_um(self) -> tuple[FloatArray, float]:
        """(B,) length of every branch, and the longest distance between one point and the next."""
        points, starts = self._in_a_row()
        if not len(points):
            return np.empty(0), 0.0
        steps = np.append(np.hypot(*np.diff(points, axis=0).T), 0.0)
        steps[starts[1:] - 1] = 0.0  # from one branch to the next
        return np.add.reduceat(steps, starts), float(steps.max())

    @property
    def longest_step_um(self) -> float:
        """Longest distance between one point of a branch and the next."""
        return self._steps_um[1]

    def _in_a_row(self) -> tuple[FloatArray, Which]:
        """The points of all branches, one after the other, and where each begins."""
        if not len(self):
            return np.empty((0, 2)), np.empty(0, dtype=np.intp)
        counts = [len(trace.points_um) for trace in self.traces]
        points = np.concatenate([trace.points_um for trace in self.traces])
        return points, np.cumsum([0, *counts[:-1]])

    @cached_property
    def _tree(self) -> shapely.STRtree:
        low, high = self.boxes_um
        return shapely.STRtree(_diagonals(low, high))

    def near(self, line_um: FloatArray, distance_um: float) -> Which:
        """Branches, in order, that may have a point within a distance of a polyline: their boxes do.

        Parameters
        ----------
        line_um : (N, 2) ndarray of float
            Polyline of (row, col) in micrometers.
        distance_um : float
            The distance.
        """
        if not len(self):
            return np.empty(0, dtype=np.intp)
        parts = np.arange(0, len(line_um) - 1, _LOOKED_AT_ONCE)  # one box for several segments
        low = np.minimum.reduceat(np.minimum(line_um[:-1], line_um[1:]), parts) - distance_um
        high = np.maximum.reduceat(np.maximum(line_um[:-1], line_um[1:]), parts) + distance_um
        return np.unique(self._tree.query(_diagonals(low, high))[1])

    @cached_property
    def _ways(self) -> csr_array:
        """Length of the shortest branch between any two nodes that one joins."""
        nodes = len(self.graph.nodes_px)
        lengths = self._steps_um[0]
        low, high = np.sort(self.ends, axis=1).T
        order = np.lexsort((lengths, high, low))
        pairs = np.stack([low[order], high[order]], axis=1)
        first = np.concatenate([[True], np.any(pairs[1:] != pairs[:-1], axis=1)])
        kept = order[first]
        # a way of no length would be none in a sparse matrix
        values = np.maximum(lengths[kept], np.finfo(float).tiny)
        return coo_array((values, (low[kept], high[kept])), shape=(nodes, nodes)).tocsr()

    def prepare(self) -> None:
        """Have ready what is asked where a junction is redrawn, so that the first time is no slower."""
        if len(self):
            _ = self._tree, self._ways, self._steps_um, self.at_node, self.cells

    def around(self, branches: Which, limit_um: float) -> NDArray[np.bool_]:
        """(B,) whether a branch can be entered within a walk of so many micrometers from some of them.

        Those themselves are among them. No junction stops this walk, so that it misses nothing that a
        walk on the cut fibers reaches.
        """
        reached = np.zeros(len(self), dtype=bool)
        reached[branches] = True
        if len(branches):
            origins = np.unique(self.ends[branches])
            far = dijkstra(self._ways, directed=False, indices=origins, min_only=True, limit=limit_um)
            reached |= np.isfinite(far)[self.ends].any(axis=1)
        return reached

    def cells_among(self, branches: Which, points_um: FloatArray) -> frozenset[int]:
        """Components that are a dendritic cell by points of theirs: they touch a body and are no larger.

        Parameters
        ----------
        branches : (N,) ndarray of int
            The branch on which each point lies.
        points_um : (N, 2) ndarray of float
            The points.
        """
        cells = self.graph.cells
        if not cells or not len(points_um):
            return frozenset()
        centers = np.array([(cell.row_px, cell.col_px) for cell in cells]) * self.pixel_size_um
        margins = np.array([cell.radius_um for cell in cells]) + CELL_MARGIN_UM
        found = cKDTree(points_um).query_ball_point(centers, margins)
        touching = {int(self.component[branches[i]]) for one in found for i in one}
        return frozenset(component for component in touching if self._is_small(component))

    @cached_property
    def cells(self) -> frozenset[int]:
        """Components that are a dendritic cell by the points of their branches."""
        cells = self.graph.cells
        if not cells or not len(self):
            return frozenset()
        low, high = self.boxes_um
        centers = np.array([(cell.row_px, cell.col_px) for cell in cells]) * self.pixel_size_um
        margins = np.array([cell.radius_um for cell in cells]) + 2 * CELL_MARGIN_UM  # nothing at the rim
        near = np.zeros(len(self), dtype=bool)
        for center, margin in zip(centers, margins, strict=True):
            near |= ((low <= center + margin) & (high >= center - margin)).all(axis=1)
        return self.cells_among(*self._points(np.flatnonzero(near)))

    def _points(self, branches: Iterable[int]) -> tuple[Which, FloatArray]:
        """All points of some branches, and the branch of each."""
        chosen = [(branch, self.traces[branch].points_um) for branch in branches]
        if not chosen:
            return np.empty(0, dtype=np.intp), np.empty((0, 2))
        owner = np.concatenate([np.full(len(points), branch) for branch, points in chosen])
        return owner, np.concatenate([points for _, points in chosen])

    def _is_small(self, component: int) -> bool:
        """Whether no two points of a component lie as far apart as a cell is large."""
        branches = self.of_component(component)
        low, high = (box[branches] for box in self.boxes_um)
        if (high.max(axis=0) - low.min(axis=0)).max() >= CELL_SPAN_UM:
            return False
        hull = shapely.convex_hull(shapely.multipoints(self._points(branches)[1]))
        corners = shapely.get_coordinates(hull)
        return len(corners) < 2 or float(pdist(corners).max()) < CELL_SPAN_UM


def _diagonals(low: FloatArray, high: FloatArray) -> NDArray[Any]:
    """Boxes for a tree, which looks at nothing but the bounds of a geometry."""
    return np.asarray(shapely.linestrings(np.stack([low[:, ::-1], high[:, ::-1]], axis=1)))
