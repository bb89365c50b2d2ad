"""From line contrast to fibers: thin, trace, bridge, and keep what is long and clear enough."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold
from skimage.morphology import remove_small_objects

from ienfd.geometry import left_normals, smooth_even
from ienfd.nerve.bridging import bridge_gaps
from ienfd.nerve.color import of_color
from ienfd.nerve.field import LineField
from ienfd.nerve.hidden import link_hidden
from ienfd.nerve.skeleton import trace_lines
from ienfd.nerve.untangle import untangle
from ienfd.nerve.web import Strand, Web
from ienfd.protocol import ImageChoices
from ienfd.result import Branch, Cell, FiberGraph, FloatArray
from ienfd.stain.grid import Grid

__all__ = ["find_fibers"]

_BETWEEN_UM = 0.55  # standard deviation of the filter that sees lines side by side apart
_BENT_UP, _VALLEY_UM2 = 0.05, 1.2  # per square micrometer; what bends less, or is smaller, is noise
_SPUR_UM = 4.0
_SMOOTH_UM = 0.8
_Z_WINDOW = 7  # points: depth is the median over so many
_PROFILE_UM = 3.0
_LIKENESS = 0.2  # thin lines lose color where it is stored at half the resolution (JPEG)
_END_UM = 4.0  # an end lies no farther from where the filter sees it


def find_fibers(
    field: LineField,
    choices: ImageChoices,
    cells: tuple[Cell, ...] = (),
    z_step_um: float | None = None,
    likeness: Callable[[FloatArray], FloatArray] | None = None,
) -> FiberGraph:
    """Trace fibers.

    Parameters
    ----------
    field : LineField
        Line contrast, and what was measured with it.
    choices : ImageChoices
        Contrasts, longest gap, shortest fiber.
    cells : tuple of Cell
        Dendritic cells, carried along.
    z_step_um : float or None
        Distance of the planes; without it depth is not known.
    likeness : callable or None
        How much a color is like that of the stain (bright-field).

    Returns
    -------
    FiberGraph
        In full-resolution pixels.
    """
    px_um = field.grid.pixel_size_um
    mask = apply_hysteresis_threshold(
        field.contrast, choices.fiber_contrast_low, choices.fiber_contrast_low + 1
    )
    mask = remove_small_objects(mask, max_size=max(1, round(1.0 / px_um)), connectivity=2)
    if choices.fibers_by == "network":  # what filters alone measure is too rough for it
        mask &= ~_between_lines(mask, field.contrast, px_um)
    nodes, paths = trace_lines(mask)
    strands = [
        Strand(
            path.start,
            path.end,
            _centered(path.pixels, field.contrast, px_um),
            np.zeros(len(path.pixels), bool),
        )
        for path in paths
    ]
    strands = [_tied(strand, nodes) for strand in strands]
    if likeness is not None and field.light is not None:
        parts = of_color(strands, field.light, px_um, likeness, _LIKENESS)
        nodes, strands = _with_new_ends(nodes, [part for some in parts for part in some])
    web = Web(nodes, strands)
    for _ in range(2):
        web.prune(_SPUR_UM / px_um)
    _trim_ends(web, field.contrast, px_um)
    bridge_gaps(web, field.contrast, px_um, choices.max_gap_um)
    web.merge()
    untangle(web, px_um)
    _drop_unclear(web, field.contrast, choices, px_um)
    if field.light is not None:
        link_hidden(web, field.contrast, field.light, px_um, [_body(cell, field.grid) for cell in cells])
        web.merge()
    return _graph(web, field, cells, z_step_um)


def _between_lines(mask: NDArray[np.bool_], contrast: NDArray[np.float32], px_um: float) -> NDArray[np.bool_]:
    """(H, W) the valleys in a mask: without them two lines side by side do not thin to one.

    The logarithm of a line bends down across it as far as it is seen, and up only in the valley between two.
    """
    bend = ndimage.gaussian_laplace(np.log1p(contrast), _BETWEEN_UM / px_um) / px_um**2
    valleys = mask & (bend > _BENT_UP)
    return np.asarray(remove_small_objects(valleys, max_size=max(1, round(_VALLEY_UM2 / px_um**2))), np.bool_)


def _centered(pixels: NDArray[np.intp], contrast: NDArray[np.float32], px_um: float) -> FloatArray:
    """Sub-pixel center line: the top of a parabola across it, then smoothed along it."""
    points = pixels.astype(float)
    if len(points) < 3:
        return points
    even = ndimage.gaussian_filter1d(points, 1.0, axis=0, mode="nearest")
    normal = left_normals(even)
    beside = points[None] + np.array([-1.0, 0.0, 1.0])[:, None, None] * normal[None]
    left, middle, right = ndimage.map_coordinates(
        contrast, np.moveaxis(beside, -1, 0), order=1, mode="nearest"
    )
    curvature = left - 2 * middle + right
    shift = np.where(curvature < -1e-6, 0.5 * (left - right) / np.minimum(curvature, -1e-6), 0.0)
    points = points + np.clip(shift, -1.0, 1.0)[:, None] * normal
    return smooth_even(points, _SMOOTH_UM / px_um)


def _tied(strand: Strand, nodes: FloatArray) -> Strand:
    """The strand from node to node: forks are shared places."""
    points = strand.points.copy()
    points[0], points[-1] = nodes[strand.start], nodes[strand.end]
    return Strand(strand.start, strand.end, points, strand.bridged)


def _with_new_ends(nodes: FloatArray, strands: list[Strand]) -> tuple[FloatArray, list[Strand]]:
    """Give ends without a node (-1) nodes of their own."""
    added: list[FloatArray] = []

    def node(given: int, point: FloatArray) -> int:
        if given >= 0:
            return given
        added.append(point)
        return len(nodes) + len(added) - 1

    whole = [
        Strand(node(s.start, s.points[0]), node(s.end, s.points[-1]), s.points, s.bridged) for s in strands
    ]
    return np.concatenate([nodes, np.reshape(added, (-1, 2))]), whole


def _trim_ends(web: Web, contrast: NDArray[np.float32], px_um: float) -> None:
    """End strands where the lines end: an elongated filter sees them farther, but half as clear.

    At the end of a line just half of the filter lies on it.
    """
    reach = max(2, round(_END_UM / px_um))
    for node, key in web.tips():
        points = web.strands[key].from_node(node)[: 2 * reach]
        if len(points) < reach + 2:
            continue
        values = ndimage.map_coordinates(contrast, points.T, order=1, mode="nearest")
        inner = float(np.median(values[reach:]))
        web.shorten(key, node, min(int(np.argmax(values >= 0.5 * inner)), reach))


def _drop_unclear(web: Web, contrast: NDArray[np.float32], choices: ImageChoices, px_um: float) -> None:
    """Keep connected parts that are long enough and reach the contrast of a fiber somewhere."""
    for part in list(web.components()):
        seen = sum(web.strands[key].seen_length for key in part) * px_um
        points = np.concatenate([web.strands[key].points[~web.strands[key].bridged] for key in part])
        values = ndimage.map_coordinates(contrast, points.T, order=1, mode="nearest")
        clear = float(np.quantile(values, 0.9)) if len(values) else 0.0
        if seen < choices.min_fiber_length_um or clear < choices.fiber_contrast:
            for key in part:
                web.remove(key)


def _body(cell: Cell, grid: Grid) -> tuple[FloatArray, float]:
    """Center and radius of the body of a cell on a grid."""
    center = grid.from_image(np.array([[cell.row_px, cell.col_px]]))[0]
    return center, cell.radius_um / grid.pixel_size_um


def _graph(web: Web, field: LineField, cells: tuple[Cell, ...], z_step_um: float | None) -> FiberGraph:
    used = sorted({node for strand in web.strands.values() for node in (strand.start, strand.end)})
    number = {node: index for index, node in enumerate(used)}
    if not used:
        return FiberGraph(np.empty((0, 2)), (), cells)
    order = sorted(web.strands.values(), key=lambda s: (*s.points[0], *s.points[-1], len(s.points)))
    branches = tuple(_branch(strand, number, field, z_step_um) for strand in order)
    return FiberGraph(field.grid.to_image(np.array([web.nodes[node] for node in used])), branches, cells)


def _branch(strand: Strand, number: dict[int, int], field: LineField, z_step_um: float | None) -> Branch:
    points = strand.points
    contrast = ndimage.map_coordinates(field.contrast, points.T, order=1, mode="nearest")
    z_um = None
    if field.plane is not None and z_step_um is not None:
        planes = ndimage.map_coordinates(field.plane, np.rint(points.T), order=0, mode="nearest")
        z_um = ndimage.median_filter(planes.astype(float), _Z_WINDOW, mode="nearest") * z_step_um
    return Branch(
        start=number[strand.start],
        end=number[strand.end],
        path_px=field.grid.to_image(points),
        contrast=np.asarray(contrast, float),
        bridged=strand.bridged,
        z_um=z_um,
        width_um=_width_um(points[~strand.bridged], field.signal, field.grid.pixel_size_um),
    )


def _width_um(points: FloatArray, signal: NDArray[np.float32], px_um: float) -> float:
    """Full width at half height of the mean profile across a line; 0 when too little is seen of it."""
    if len(points) < 5:
        return 0.0
    some = points[:: max(1, len(points) // 40)]
    normal = left_normals(some)
    offsets = np.linspace(-_PROFILE_UM, _PROFILE_UM, 25)
    places = some[:, None] + offsets[None, :, None] / px_um * normal[:, None]
    profile = ndimage.map_coordinates(signal, np.moveaxis(places, -1, 0), order=1, mode="nearest").mean(
        axis=0
    )
    base = float(np.quantile(profile, 0.2))
    top = float(profile[10:15].max())
    above = profile - base > 0.5 * (top - base)
    left = 12 - int(np.argmin(above[12::-1])) if not above[:13].all() else 0
    right = 12 + int(np.argmin(above[12:])) if not above[12:].all() else 24
    return float(offsets[right] - offsets[left])
