"""A network gives what its definition says, place by place."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import correlate

from ienfd.networks.network import network_of

_WIDTHS = (2, 3, 4)  # of the planes at each size


def _arrays() -> dict[str, NDArray[np.float32]]:
    """Small random weights of a network that is shown two planes."""
    rng = np.random.default_rng(3)
    arrays: dict[str, NDArray[np.float32]] = {}

    def convolution(name: str, given: int, made: int) -> None:
        arrays[name + ".weight"] = rng.normal(0, 0.4, (made, given, 3, 3)).astype(np.float32)
        arrays[name + ".bias"] = rng.normal(0, 0.4, made).astype(np.float32)

    for size, (given, made) in enumerate(zip((2, *_WIDTHS), _WIDTHS, strict=False)):
        convolution(f"down.{size}.0", given, made)
        convolution(f"down.{size}.2", made, made)
    for step, size in enumerate(range(len(_WIDTHS) - 1, 0, -1)):
        convolution(f"up.{step}.0", _WIDTHS[size] + _WIDTHS[size - 1], _WIDTHS[size - 1])
        convolution(f"up.{step}.2", _WIDTHS[size - 1], _WIDTHS[size - 1])
    arrays["out.weight"] = rng.normal(0, 0.4, (1, _WIDTHS[0], 1, 1)).astype(np.float32)
    arrays["out.bias"] = rng.normal(0, 0.4, 1).astype(np.float32)
    return arrays


def _by_definition(
    arrays: dict[str, NDArray[np.float32]], planes: NDArray[np.float32]
) -> NDArray[np.float64]:
    def both(name: str, given: NDArray[np.float64]) -> NDArray[np.float64]:
        for step in (0, 2):
            weight, bias = arrays[f"{name}.{step}.weight"], arrays[f"{name}.{step}.bias"]
            made = [
                sum(
                    correlate(plane, kernel, mode="constant")
                    for plane, kernel in zip(given, one, strict=True)
                )
                for one in weight.astype(float)
            ]
            given = np.maximum(np.stack(made) + bias[:, None, None], 0)
        return given

    seen = [both("down.0", planes.astype(float))]
    for size in (1, 2):
        fine = seen[-1]
        halved = 0.25 * (fine[:, ::2, ::2] + fine[:, 1::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, 1::2])
        seen.append(both(f"down.{size}", halved))
    now = seen.pop()
    for step in (0, 1):
        now = both(f"up.{step}", np.concatenate([np.kron(now, np.ones((1, 2, 2))), seen.pop()]))
    return np.asarray(np.tensordot(arrays["out.weight"][0, :, 0, 0], now, 1) + arrays["out.bias"][0], float)


@pytest.mark.parametrize("shape", [(8, 12), (2400, 8), (4, 4)])
def test_it_is_what_its_definition_says(shape: tuple[int, int]) -> None:
    arrays = _arrays()
    planes = np.random.default_rng(4).normal(0, 1, (2, *shape)).astype(np.float32)
    network = network_of(arrays)
    np.testing.assert_allclose(network.of(planes), _by_definition(arrays, planes), rtol=1e-4, atol=1e-4)


def test_what_is_no_multiple_of_its_smallest_size_is_filled_up_with_nothing() -> None:
    network = network_of(_arrays())
    planes = np.random.default_rng(5).normal(0, 1, (2, 10, 7)).astype(np.float32)
    filled = np.pad(planes, [(0, 0), (0, 2), (0, 1)])
    np.testing.assert_array_equal(network.of(planes), network.of(filled)[:10, :7])
