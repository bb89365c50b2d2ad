"""Steps of light between the fields of a mosaic, in which most scanners take a section.

A seam runs straight through the whole image, from one pixel to the next, whatever lies there; nothing
in tissue does. So seams are found before it is known what is tissue, and the light of the fields is
made even before anything is concluded from it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.grid import mean_of_colors, of_nearest

__all__ = ["field_light", "find_seams"]

_Float32 = NDArray[np.float32]

_PART = 96  # pixels: a seam is seen in every part of this length
_LEAST_PARTS = 3
_CLEAR = 5.0  # times the usual step from row to row: in most parts, and half of it in nearly all
_NEARLY_ALL = 0.8
_SHARP = 3.0  # times the step so many rows away
_ASIDE = 2  # a seam is over by then; the edge of a tissue is blurred
_STEP_ROWS = 3  # on both sides, in which a step is measured
_AT_ONE_PLACE = 12  # rows about a seam among which it is the largest step
_LEAST_STEP, _LARGEST_STEP = 0.006, 0.12  # of the light; a larger one is an edge of something else


def field_light(log_light: _Float32, photographed: NDArray[np.bool_]) -> _Float32:
    """Logarithm of the light of every field of a mosaic against their mean.

    The step over every side that two fields share is measured; the light of the fields is what
    explains all steps best.

    Parameters
    ----------
    log_light : (H, W, C) ndarray of float32
        Logarithm of the intensities at low resolution.
    photographed : (H, W) ndarray of bool
        False on the margin of the mosaic: there the fields go on as they end.

    Returns
    -------
    (H, W) ndarray of float32
        The same for all colors; 0 where there are no seams.
    """
    light = mean_of_colors(log_light)
    if not photographed.all():
        light = of_nearest(light, photographed)
    rows, cols = _spans(light), _spans(light.T)
    number = np.arange(len(rows) * len(cols)).reshape(len(rows), len(cols))
    beside = [(a, b, light[row].T, col.stop) for row, line in zip(rows, number, strict=True)
              for (a, b), col in zip(pairwise(line), cols, strict=False)]  # fmt: skip
    below = [(a, b, light[:, col], row.stop) for col, line in zip(cols, number.T, strict=True)
             for (a, b), row in zip(pairwise(line), rows, strict=False)]  # fmt: skip
    equations, steps = np.zeros((len(beside) + len(below), number.size)), []
    for equation, (one, other, part, seam) in zip(equations, beside + below, strict=True):
        weight = part.shape[1]
        equation[one], equation[other] = -weight, weight
        steps.append(weight * _step(part, seam))
    gains = np.linalg.lstsq(equations, np.array(steps), rcond=None)[0] if steps else np.zeros(1)
    gains = (gains - gains.mean()).astype(np.float32).reshape(number.shape)
    sizes = [[span.stop - span.start for span in spans] for spans in (rows, cols)]
    return np.repeat(np.repeat(gains, sizes[0], axis=0), sizes[1], axis=1)


def find_seams(light: _Float32) -> list[int]:
    """First rows after horizontal seams.

    Parameters
    ----------
    light : (H, W) ndarray of float32
        Logarithm of the light.
    """
    height, width = light.shape
    parts = width // _PART
    if parts < _LEAST_PARTS or height < 2 * _AT_ONE_PLACE:
        return []
    # over two rows: a seam within a row shares its step between two of them
    step = np.zeros((height, parts * _PART), np.float32)
    step[1:-1] = (light[2:] - light[:-2])[:, : parts * _PART]
    steps = np.abs(np.median(step.reshape(height, parts, _PART), axis=2))
    times = steps / np.maximum(np.median(steps, axis=0) / 0.6745, 1e-6)
    clear = np.minimum(np.median(times, axis=1), 2 * np.quantile(times, 1 - _NEARLY_ALL, axis=1)) > _CLEAR
    size = np.median(steps, axis=1)
    aside = np.full(height, np.inf)
    aside[_ASIDE:-_ASIDE] = np.maximum(size[: -2 * _ASIDE], size[2 * _ASIDE :])
    sharp = (size > np.maximum(_SHARP * aside, _LEAST_STEP)) & (size < _LARGEST_STEP)
    labels, _ = ndimage.label(clear & sharp)
    seams = [run[0].start + int(np.argmax(size[run])) for run in ndimage.find_objects(labels)]
    inner = [seam for seam in seams if _STEP_ROWS <= seam < height - _STEP_ROWS]
    return [seam for seam in inner if _agreed(steps, seam)]


def _agreed(steps: NDArray[np.float32], seam: int) -> bool:
    """Whether nearly all parts have their largest step at one and the same row."""
    first = max(seam - _AT_ONE_PLACE, 0)
    largest = first + np.argmax(steps[first : seam + _AT_ONE_PLACE + 1], axis=0)
    return bool((np.abs(largest - seam) <= 1).mean() >= _NEARLY_ALL)


def _spans(light: _Float32) -> list[slice]:
    """Rows between horizontal seams."""
    return [slice(a, b) for a, b in pairwise([0, *find_seams(light), len(light)])]


def _step(light: _Float32, seam: int) -> float:
    """Step over a horizontal seam; the rows that it may divide are left out."""
    above, below = light[seam - _STEP_ROWS : seam - 1], light[seam + 1 : seam + _STEP_ROWS]
    return float(np.median(below.mean(axis=0) - above.mean(axis=0)))
