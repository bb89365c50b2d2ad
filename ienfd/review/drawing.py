"""How a person draws a junction: by dragging its points, or with a live wire.

A live wire is a line that is drawn by a few clicks and follows the edge between them.
Between two clicks it is the path of least cost, where a strong edge of the picture is cheap (intelligent
scissors, Mortensen and Barrett 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import route_through_array

from ienfd.correction.geometry import seen_from
from ienfd.geometry import FloatArray, arc_lengths, length, points_at, resample, smooth
from ienfd.result import Piece

__all__ = ["LiveWire", "bent", "handles", "with_stretch"]

_EDGE_UM, _SMOOTH_UM = 2.0, 2.0
_MARGIN_UM = 40.0
_HANDLE_UM, _BEND_UM = 40.0, 2.0
_FLAT = 0.15  # cost of a pixel on the strongest edge, of 1 without any


class LiveWire:
    """Edges of a picture that a line can follow.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) ndarray
        The picture.
    scale : (float, float)
        Full-resolution pixels per pixel of the picture along rows and columns.
    offset : (float, float)
        Full-resolution (row, col) of the center of its first pixel.
    um_per_px : float
        Size of a pixel of the picture in micrometers.
    """

    def __init__(
        self,
        pixels: NDArray[np.generic],
        scale: tuple[float, float],
        offset: tuple[float, float],
        um_per_px: float,
    ) -> None:
        self._pixels = pixels
        self._scale = np.asarray(scale)
        self._offset = np.asarray(offset)
        self._um = um_per_px

    def between(self, start_px: Sequence[float], end_px: Sequence[float]) -> FloatArray:
        """(N, 2) path in full-resolution pixels from one place to another, both included."""
        ends = [(np.asarray(place) - self._offset) / self._scale for place in (start_px, end_px)]
        margin = _MARGIN_UM / self._um
        low = np.maximum(np.floor(np.minimum(*ends) - margin), 0).astype(int)
        limit = np.asarray(self._pixels.shape[:2])
        high = np.minimum(np.ceil(np.maximum(*ends) + margin) + 1, limit).astype(int)
        if (high - low < 2).any():
            return np.asarray([start_px, end_px], dtype=np.float64)
        cost = self._cost(self._pixels[low[0] : high[0], low[1] : high[1]])
        places = [np.clip(np.rint(end - low), 0, high - low - 1).astype(int) for end in ends]
        path, _ = route_through_array(cost, tuple(places[0]), tuple(places[1]), geometric=True)
        line = (np.asarray(path, dtype=np.float64) + low) * self._scale + self._offset
        line[0], line[-1] = start_px, end_px
        return line if len(line) < 3 else smooth(line, _SMOOTH_UM / self._um * float(self._scale.mean()))

    def along(self, clicks_px: Sequence[Sequence[float]]) -> FloatArray:
        """(N, 2) path through all clicks."""
        legs = [self.between(*pair) for pair in pairwise(clicks_px)]
        if not legs:
            return np.asarray(clicks_px, dtype=np.float64).reshape(-1, 2)
        return np.concatenate([legs[0], *(leg[1:] for leg in legs[1:])])

    def _cost(self, part: NDArray[np.generic]) -> FloatArray:
        levels = part.astype(np.float64).reshape(*part.shape[:2], -1)
        edges = np.zeros(part.shape[:2])
        for index in range(levels.shape[2]):
            edges = np.maximum(
                edges, ndimage.gaussian_gradient_magnitude(levels[..., index], _EDGE_UM / self._um)
            )
        strong = float(np.percentile(edges, 98)) or 1.0
        return np.asarray(_FLAT + (1.0 - _FLAT) * (1.0 - np.clip(edges / strong, 0.0, 1.0)))


def with_stretch(piece: Piece, drawn_px: FloatArray) -> FloatArray:
    """(N, 2) junction of a piece in which a drawn line takes the place of what lies beside it.

    The drawn line may run in either sense; where it reaches beyond an end of the junction, that end is
    where it ends.
    """
    junction = piece.junction_px
    if len(drawn_px) < 2 or length(drawn_px) <= 0:
        return junction
    ends = seen_from(piece)(drawn_px[[0, -1]]).position
    if _runs_backwards(junction, drawn_px, ends):
        drawn_px, ends = drawn_px[::-1], ends[::-1]
    along = arc_lengths(junction)
    return np.concatenate([junction[along < ends[0]], drawn_px, junction[along > ends[1]]])


def _runs_backwards(junction: FloatArray, drawn_px: FloatArray, ends: FloatArray) -> bool:
    """Whether a drawn line, whose ends lie at these positions along the junction, runs against it."""
    if ends[0] != ends[1]:
        return bool(ends[0] > ends[1])
    # wholly beyond one end of the junction: the end that is nearer to it is where it joins
    at_start = ends[0] <= 0.5 * length(junction)
    away = np.hypot(*(drawn_px[[0, -1]] - junction[0 if at_start else -1]).T)
    joins_with_its_first = away[0] <= away[1]
    return bool(joins_with_its_first == at_start)


def handles(piece: Piece, pixel_size_um: float) -> FloatArray:
    """(N, 2) points along a junction that can be dragged, about 40 um apart."""
    return resample(piece.junction_px, _HANDLE_UM / pixel_size_um)


def bent(piece: Piece, index: int, to_px: tuple[float, float], pixel_size_um: float) -> FloatArray:
    """(N, 2) junction whose handle `index` was dragged to a place; what lies near it follows.

    Neighboring handles stay where they are.
    """
    junction, whole = piece.junction_px, length(piece.junction_px)
    reach = whole / max(len(handles(piece, pixel_size_um)) - 1, 1)
    at = index * reach
    start, end = max(at - reach, 0.0), min(at + reach, whole)
    steps = int(np.ceil((end - start) / (_BEND_UM / pixel_size_um)))
    places = np.linspace(start, end, max(steps, 1) + 1)
    shift = np.asarray(to_px) - points_at(junction, at)[0]
    weight = 0.5 * (1 + np.cos(np.pi * (places - at) / reach))
    moved = points_at(junction, places) + weight[:, None] * shift
    along = arc_lengths(junction)
    return np.concatenate([junction[along < start], moved, junction[along > end]])
