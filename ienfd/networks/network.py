"""A small convolutional network, applied with array operations alone (U-Net, Ronneberger 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["Network", "network_of", "read_network"]

_Float32 = NDArray[np.float32]

_AT_ONCE = 4096  # places: what is worked on stays in the memory nearest to the processor


@dataclass(frozen=True, eq=False)
class _Convolution:
    """3 x 3 weights (out, 9 * in), those of one neighbor after those of another, and (out, 1) offsets."""

    weights: _Float32
    offsets: _Float32

    def of(self, rows: _Float32) -> _Float32:
        """(H, out, W) what is positive of the weighted sums of (H, in, W) rows and their neighbors."""
        height, count, width = rows.shape
        result = np.empty((height, len(self.weights), width), np.float32)
        at_once = max(1, min(height, _AT_ONCE // width))
        # three times beside each other, a place farther right, as they are, a place farther left: then the
        # neighbors of a row lie one after another in memory
        beside = np.zeros((at_once + 2, 3, count, width), np.float32)
        neighbors = sliding_window_view(beside, 3, axis=0).transpose(0, 4, 1, 2, 3)
        neighbors = neighbors.reshape(at_once, 9 * count, width)  # a view
        for top in range(0, height, at_once):
            part = result[top : top + at_once]
            end = top + len(part)
            seen = rows[max(top - 1, 0) : end + 1]
            first = int(top == 0)
            into = beside[first : first + len(seen)]
            into[:, 0, :, 1:] = seen[..., :-1]
            into[:, 1] = seen
            into[:, 2, :, :-1] = seen[..., 1:]
            if end == height:
                beside[first + len(seen) :] = 0
            np.matmul(self.weights, neighbors[: len(part)], out=part)
            part += self.offsets
            np.maximum(part, 0, out=part)
        return result


@dataclass(frozen=True, eq=False)
class Network:
    """Down by halves and up again, with what was seen at each size.

    Parameters
    ----------
    down, up : tuple of tuple of _Convolution
        What is done at each size, from full to smallest, and from there on back.
    weights : (K,) ndarray of float32
        Of the planes at full size in the result.
    offset : float
    """

    down: tuple[tuple[_Convolution, ...], ...]
    up: tuple[tuple[_Convolution, ...], ...]
    weights: _Float32
    offset: float

    def of(self, planes: _Float32) -> _Float32:
        """(H, W) result for (C, H, W) planes; around them is nothing."""
        height, width = planes.shape[1:]
        multiple = 2 ** (len(self.down) - 1)
        planes = np.pad(planes, [(0, 0), (0, -height % multiple), (0, -width % multiple)])
        rows = np.ascontiguousarray(planes.transpose(1, 0, 2))
        sizes: list[_Float32] = []
        for step in self.down:
            rows = _halved(rows) if sizes else rows
            for convolution in step:
                rows = convolution.of(rows)
            sizes.append(rows)
        for step, seen in zip(self.up, sizes[-2::-1], strict=True):
            rows = np.concatenate([rows.repeat(2, axis=0).repeat(2, axis=2), seen], axis=1)
            for convolution in step:
                rows = convolution.of(rows)
        return np.asarray((self.weights @ rows)[:height, :width] + np.float32(self.offset), np.float32)


def read_network(file: Path | BinaryIO) -> Network:
    """The network in a file of arrays (npz); nothing in it is run."""
    with np.load(file, allow_pickle=False) as arrays:
        return network_of(arrays)


def network_of(arrays: Mapping[str, NDArray[np.floating]]) -> Network:
    """The network whose weights and offsets are given under `down.SIZE.STEP.weight`, `.bias` and so on."""

    def steps(way: str) -> tuple[tuple[_Convolution, ...], ...]:
        names = {tuple(name.split(".")[1:3]) for name in arrays if name.startswith(way + ".")}
        sizes = sorted({int(size) for size, _ in names})
        return tuple(
            tuple(
                _convolution(arrays, f"{way}.{size}.{step}")
                for step in sorted(int(step) for at, step in names if int(at) == size)
            )
            for size in sizes
        )

    return Network(
        steps("down"),
        steps("up"),
        np.asarray(arrays["out.weight"], np.float32).reshape(-1),
        float(np.asarray(arrays["out.bias"]).reshape(())),
    )


def _convolution(arrays: Mapping[str, NDArray[np.floating]], name: str) -> _Convolution:
    weights = np.asarray(arrays[name + ".weight"], np.float32)  # (out, in, 3, 3)
    flat = weights.transpose(0, 2, 3, 1).reshape(len(weights), -1)
    return _Convolution(np.ascontiguousarray(flat), np.asarray(arrays[name + ".bias"], np.float32)[:, None])


def _halved(rows: _Float32) -> _Float32:
    fewer = rows[0::2] + rows[1::2]
    return np.asarray((fewer[..., 0::2] + fewer[..., 1::2]) * np.float32(0.25), np.float32)
