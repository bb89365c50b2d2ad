"""Dendritic cells (Langerhans cells, melanocytes): bodies too thick for a fiber, in the epidermis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.nerve.field import LineField
from ienfd.result import Cell
from ienfd.stain.blur import wide_mean

__all__ = ["find_cells"]

_FIBER_UM = 3.8  # no fiber appears thicker than this; what an opening of this width leaves is a body
_LARGEST_UM = 20.0
_SMALLEST_UM2 = 12.0
_BACKGROUND_UM = 12.0  # mean of the epidermis round about
_CONTRAST = 5.0
_THICK = 0.4  # share of the signal of a body that is left by the opening; of a fiber hardly any is
_ELONGATED = 3.5  # a body is not longer than so many times its width


def find_cells(field: LineField, epidermis: NDArray[np.bool_]) -> tuple[Cell, ...]:
    """Find the bodies of dendritic cells.

    Parameters
    ----------
    field : LineField
        Nerve signal.
    epidermis : (H, W) ndarray of bool
        Viable epidermis on the grid of the field.

    Returns
    -------
    tuple of Cell
        In order of row and column.
    """
    px = field.grid.pixel_size_um
    rows, cols = np.flatnonzero(epidermis.any(axis=1)), np.flatnonzero(epidermis.any(axis=0))
    if not len(rows):
        return ()
    pad = round(_LARGEST_UM / px)
    box = (
        slice(max(0, rows[0] - pad), rows[-1] + pad + 1),
        slice(max(0, cols[0] - pad), cols[-1] + pad + 1),
    )
    inside = epidermis[box]
    smooth = ndimage.gaussian_filter(field.signal[box], 0.5 / px)
    thick = ndimage.grey_opening(smooth, footprint=_disk(0.5 * _FIBER_UM / px))
    ground = wide_mean(inside, _BACKGROUND_UM / px)(thick)
    height, above = thick - ground, smooth - ground
    values = height[inside]
    spread = 1.4826 * float(np.median(np.abs(values - np.median(values)))) + 1e-9
    labels, _ = ndimage.label((height > _CONTRAST * spread) & inside)
    cells = []
    for number, here in enumerate(ndimage.find_objects(labels), start=1):
        area = labels[here] == number
        size_um2 = float(area.sum()) * px**2
        if size_um2 < _SMALLEST_UM2 or size_um2 > np.pi * (_LARGEST_UM / 2) ** 2:
            continue
        at = np.argwhere(area)
        if _elongation(at) > _ELONGATED or height[here][area].max() < _THICK * above[here][area].max():
            continue
        corner = np.array([here[0].start + box[0].start, here[1].start + box[1].start])
        center = at.mean(axis=0) + corner
        row, col = field.grid.to_image(center[None])[0]
        contrast = float(height[here][area].mean()) / spread
        cells.append(Cell(float(row), float(col), float(np.sqrt(size_um2 / np.pi)), contrast))
    return tuple(sorted(cells, key=lambda cell: (cell.row_px, cell.col_px)))


def _elongation(pixels: NDArray[np.intp]) -> float:
    if len(pixels) < 4:
        return 1.0
    eigenvalues = np.linalg.eigvalsh(np.cov(pixels.T) + np.eye(2) / 12)
    return float(np.sqrt(eigenvalues[1] / eigenvalues[0]))


def _disk(radius: float) -> NDArray[np.bool_]:
    r = max(1, int(np.ceil(radius)))
    y, x = np.ogrid[-r : r + 1, -r : r + 1]
    return np.asarray(x * x + y * y <= radius * radius + 0.25, bool)
