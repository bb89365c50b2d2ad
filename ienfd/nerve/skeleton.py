"""From a mask of thin lines to a graph of pixel paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

__all__ = ["PixelPath", "trace_lines"]

_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


@dataclass(frozen=True, eq=False)
class PixelPath:
    """A path of skeleton pixels between two nodes.

    Parameters
    ----------
    start, end : int
        Indices of its nodes.
    pixels : (N, 2) ndarray of int
        From the one node to the other, both included.
    """

    start: int
    end: int
    pixels: NDArray[np.intp]


def trace_lines(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], list[PixelPath]]:
    """Thin a mask to its center lines and take them apart at ends and forks.

    Parameters
    ----------
    mask : (H, W) ndarray of bool

    Returns
    -------
    nodes : (K, 2) ndarray of float
        Ends, forks (mean of the pixels where lines meet), and one place of every closed ring.
    paths : list of PixelPath
        Single pixels that touch no other are left out.
    """
    pixels, neighbors = _adjacency(skeletonize(mask))
    degree = np.array([len(around) for around in neighbors], np.intp)
    node_of = _nodes(pixels, neighbors, degree)
    count = int(node_of.max(initial=-1)) + 1
    walks: list[list[int]] = []
    visited = np.zeros(len(pixels), bool)
    for first in np.flatnonzero(node_of >= 0):
        for step in neighbors[first]:
            walk = _walk(int(first), step, neighbors, node_of)
            if node_of[step] >= 0:  # two nodes side by side: each pair once
                if node_of[first] < node_of[step]:
                    walks.append(walk)
            elif not visited[step]:
                walks.append(walk)
            visited[walk[1:-1]] = True
    extra: list[int] = []
    for first in np.flatnonzero((node_of < 0) & ~visited & (degree > 0)):
        if visited[first]:
            continue
        node_of[first] = count + len(extra)
        extra.append(int(first))
        walk = _walk(int(first), neighbors[first][0], neighbors, node_of)
        visited[walk] = True
        walks.append(walk)
    total = count + len(extra)
    member = np.flatnonzero(node_of >= 0)
    if total == 0:
        return np.empty((0, 2)), []
    nodes = (
        np.column_stack([np.bincount(node_of[member], pixels[member, axis], total) for axis in (0, 1)])
        / np.maximum(np.bincount(node_of[member], minlength=total), 1)[:, None]
    )
    paths = [PixelPath(int(node_of[w[0]]), int(node_of[w[-1]]), pixels[w]) for w in walks]
    return nodes, paths


def _adjacency(skeleton: NDArray[np.bool_]) -> tuple[NDArray[np.intp], list[list[int]]]:
    """Pixels of a skeleton and their neighbors; a diagonal counts only where there is no way round."""
    padded = np.pad(skeleton, 1)
    index = np.full(padded.shape, -1, np.intp)
    pixels = np.argwhere(padded)
    index[tuple(pixels.T)] = np.arange(len(pixels))
    found = []
    for down, right in _STEPS:
        to = index[pixels[:, 0] + down, pixels[:, 1] + right]
        if down and right:
            beside = padded[pixels[:, 0] + down, pixels[:, 1]] | padded[pixels[:, 0], pixels[:, 1] + right]
            to = np.where(beside, -1, to)
        found.append(to)
    neighbors = (
        [[to for to in around if to >= 0] for around in np.stack(found, 1).tolist()] if len(pixels) else []
    )
    return pixels - 1, neighbors


def _nodes(
    pixels: NDArray[np.intp], neighbors: list[list[int]], degree: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Node number of every pixel, -1 on the way between nodes; pixels of one fork share a node."""
    node_of = np.full(len(pixels), -1, np.intp)
    count = 0
    for first in np.flatnonzero((degree != 2) & (degree > 0)):
        if node_of[first] >= 0:
            continue
        cluster = [int(first)]
        node_of[first] = count
        while cluster and degree[first] > 2:
            at = cluster.pop()
            for other in neighbors[at]:
                if degree[other] > 2 and node_of[other] < 0:
                    node_of[other] = count
                    cluster.append(other)
        count += 1
    return node_of


def _walk(first: int, step: int, neighbors: list[list[int]], node_of: NDArray[np.intp]) -> list[int]:
    """Pixels from a node by one of its neighbors to the next node."""
    walk = [first, step]
    while node_of[walk[-1]] < 0:
        ahead = [pixel for pixel in neighbors[walk[-1]] if pixel != walk[-2]]
        if not ahead:
            break
        walk.append(ahead[0])
    return walk
