"""Whether a line has the color of the nerve stain: nuclei and collagen make lines, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.geometry import left_normals
from ienfd.nerve.web import Strand
from ienfd.result import FloatArray

__all__ = ["of_color"]

_CENTER_UM = (-0.4, 0.0, 0.4)
_BESIDE_UM = (-3.0, -2.4, 2.4, 3.0)
_ALONG_UM = 2.5  # a color is the mean over so much of the line (standard deviation)
_SHORTEST_UM = 1.2


def of_color(
    strands: Iterable[Strand],
    light: NDArray[np.float16],
    px_um: float,
    likeness: Callable[[FloatArray], FloatArray],
    least: float,
) -> Iterator[list[Strand]]:
    """The parts of strands that have the color of the stain.

    The color of a line is what it has more than the tissue on both sides of it.

    Parameters
    ----------
    strands : iterable of Strand
        Lines on the working grid.
    light : (H, W, C) ndarray of float16
        Optical density.
    px_um : float
        Pixel edge in micrometers.
    likeness : callable
        Likeness from -1 to 1 of (N, C) colors to the stain.
    least : float
        Least likeness.

    Yields
    ------
    list of Strand
        For each strand its parts in order, with node -1 where it was cut.
    """
    for strand in strands:
        good = likeness(_colors(strand.points, light, px_um)) >= least
        if good.all():
            yield [strand]
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[0], good.astype(np.int8), [0]])))
        parts = []
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            points = strand.points[first:last]
            if len(points) < 2 or len(points) * px_um < _SHORTEST_UM:
                continue
            start = strand.start if first == 0 else -1
            end = strand.end if last == len(good) else -1
            parts.append(Strand(start, end, points, strand.bridged[first:last]))
        yield parts


def _colors(points: FloatArray, light: NDArray[np.float16], px_um: float) -> FloatArray:
    """(N, C) color of a line at every point, a running mean along it."""
    if len(points) < 2:
        return np.zeros((len(points), light.shape[-1]))
    even = ndimage.gaussian_filter1d(points, 1.5, axis=0, mode="nearest")
    normal = left_normals(even)

    def mean_at(offsets_um: tuple[float, ...]) -> FloatArray:
        offsets = np.array(offsets_um) / px_um
        places = np.rint(points[:, None] + offsets[None, :, None] * normal[:, None]).astype(int)
        rows = np.clip(places[..., 0], 0, light.shape[0] - 1)
        cols = np.clip(places[..., 1], 0, light.shape[1] - 1)
        return np.asarray(light[rows, cols].astype(float).mean(axis=1), float)

    difference = mean_at(_CENTER_UM) - mean_at(_BESIDE_UM)
    return np.asarray(ndimage.gaussian_filter1d(difference, _ALONG_UM / px_um, axis=0, mode="nearest"), float)
