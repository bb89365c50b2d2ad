"""A small convolutional network, applied with array operations alone (U-Net, Ronneberger 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["Network", "network_of", "read_network"]

_Float32 = NDArray[np.float32]

_AT_ONCE = 4096  # places: what is worked on stays in the memory nearest to the processor


@dataclass(frozen=True, eq=False)
class _Convolution:
    """3 x 3 weights (out, 9 * in), those of one neighbor after those of another, and (out, 1) offsets."""

    weights: _Float32
    offsets: _Float32

    def of(self, planes: _Float32) -> _Float32:
        """(out, H, W) what is positive of the weighted sums of (in, H, W) planes and their neighbors."""
        count, height, width = planes.shape
        padded = np.pad(planes, [(0, 0), (1, 1), (1, 1)])
        result = np.empty((len(self.weights), height, width), np.float32)
        rows = max(1, _AT_ONCE // width)
        for top in range(0, height, rows):
            part = result[:, top : top + rows]
            neighbors = np.empty((9, count, *part.shape[1:]), np.float32)
            for place in range(9):
                row, col = divmod(place, 3)
                neighbors[place] = padded[:, top + row : top + row + part.shape[1], col : col + width]
            sums = self.weights @ neighbors.reshape(9 * count, -1) + self.offsets
            np.maximum(sums.reshape(part.shape), 0, out=part)
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
        sizes: list[_Float32] = []
        for step in self.down:
            planes = _halved(planes) if sizes else planes
            for convolution in step:
                planes = convolution.of(planes)
            sizes.append(planes)
        for step, seen in zip(self.up, sizes[-2::-1], strict=True):
            planes = np.concatenate([planes.repeat(2, axis=1).repeat(2, axis=2), seen])
            for convolution in step:
                planes = convolution.of(planes)
        result = np.tensordot(self.weights, planes[:, :height, :width], 1) + np.float32(self.offset)
        return np.asarray(result, np.float32)


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


def _halved(planes: _Float32) -> _Float32:
    count, height, width = planes.shape
    return np.asarray(planes.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4)), np.float32)
