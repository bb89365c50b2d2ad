"""Teach a network: its first weights, how it is applied, and how it learns in so many seconds.

Needs PyTorch (`pip install torch`), which nothing else does: a network is applied without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

__all__ = ["Loss", "Weights", "device", "learn", "write_network"]

Weights = dict[str, Any]

Loss = Callable[[Callable[[Any], Any]], Any]
"""How far off a network is on a batch of its choice; it is given what applies the network to planes."""

_RATE, _DECAY = 2e-3, 1e-3


def device() -> str:
    """A GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def learn(
    loss_of: Loss,
    planes: int,
    widths: Sequence[int],
    seconds: float,
    *,
    first: Path | None = None,
    seed: int = 0,
) -> Weights:
    """Weights learned in so many seconds: the running mean of those that were tried.

    Parameters
    ----------
    loss_of : callable
    planes : int
        How many it is shown.
    widths : sequence of int
        Planes that it makes at each size, from full size to the smallest.
    seconds : float
    first : Path or None
        A network of the same widths from which it goes on, at half the rate; else it begins at random.
    seed : int
    """
    where = device()
    torch.manual_seed(seed)
    weights = _first_weights(planes, widths, where)
    rate = _RATE
    if first is not None:
        weights, rate = _weights_in(first, weights), _RATE / 2
    means = {name: value.detach().clone() for name, value in weights.items()}
    optimizer = torch.optim.AdamW(list(weights.values()), rate, weight_decay=_DECAY)

    def applied(shown: Any) -> Any:
        with torch.autocast(where, dtype=torch.bfloat16):
            return _applied(weights, shown.contiguous(memory_format=torch.channels_last)).float()

    begun, step = time.monotonic(), 0
    while (share := (time.monotonic() - begun) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 200) * 0.5 * (1 + np.cos(np.pi * share)) + 1e-6
        loss = loss_of(applied)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            for name, value in weights.items():
                means[name].lerp_(value, 1 - min(0.999, 1 - 1 / (step + 1)))
        if step % 500 == 0:
            print(f"{step} steps, {time.monotonic() - begun:.0f} s, loss {loss.item():.4f}", flush=True)
    return means


def write_network(weights: Weights, file: Path) -> None:
    """Write weights as numbers of 16 bits."""
    arrays = {name: value.cpu().numpy().astype(np.float16) for name, value in weights.items()}
    np.savez_compressed(file, **arrays)


def _weights_in(file: Path, like: Weights) -> Weights:
    """The weights in a file, in the shapes of others."""
    with np.load(file, allow_pickle=False) as arrays:
        return {
            name: torch.tensor(arrays[name], dtype=torch.float32, device=other.device)
            .reshape(other.shape)
            .requires_grad_()
            for name, other in like.items()
        }


def _first_weights(planes: int, widths: Sequence[int], where: str) -> Weights:
    shapes: dict[str, tuple[int, int, int]] = {}
    for size, (given, made) in enumerate(zip((planes, *widths), widths, strict=False)):
        shapes[f"down.{size}.0"], shapes[f"down.{size}.2"] = (made, given, 3), (made, made, 3)
    for step, size in enumerate(range(len(widths) - 1, 0, -1)):
        made = widths[size - 1]
        shapes[f"up.{step}.0"], shapes[f"up.{step}.2"] = (made, widths[size] + made, 3), (made, made, 3)
    shapes["out"] = (1, widths[0], 1)
    weights: Weights = {}
    for name, (made, given, size) in shapes.items():
        spread = (2 / (given * size * size)) ** 0.5
        weights[name + ".weight"] = torch.randn(made, given, size, size, device=where) * spread
        weights[name + ".bias"] = torch.zeros(made, device=where)
    return {name: value.requires_grad_() for name, value in weights.items()}


def _applied(weights: Weights, planes: Any) -> Any:
    """The network of `ienfd.networks` for (N, C, H, W) planes: (N, H, W)."""

    def both(name: str, given: Any) -> Any:
        for step in (0, 2):
            weight, bias = weights[f"{name}.{step}.weight"], weights[f"{name}.{step}.bias"]
            given = functional.relu(functional.conv2d(given, weight, bias, padding=1))
        return given

    count = sum(name.startswith("down.") for name in weights) // 4
    seen = [both("down.0", planes)]
    for size in range(1, count):
        seen.append(both(f"down.{size}", functional.avg_pool2d(seen[-1], 2)))
    now = seen.pop()
    for step in range(count - 1):
        larger = functional.interpolate(now, scale_factor=2, mode="nearest")
        now = both(f"up.{step}", torch.cat([larger, seen.pop()], 1))
    return functional.conv2d(now, weights["out.weight"], weights["out.bias"])[:, 0]
