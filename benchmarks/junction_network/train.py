"""Teach the network, with views turned over, mixed, bent, shifted and stretched at random.

Needs PyTorch (`pip install torch`), which nothing else does: the network is applied without it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ienfd.skin.network import network_of

__all__ = ["WIDTHS", "Views", "read_views", "teach", "write_network", "wrong_share"]

WIDTHS = (24, 32, 48, 64, 96)
"""Planes at each size, from full to a sixteenth."""

_PLANES, _LEVELS = 7, 3
_ALONG, _ACROSS = 256, 112  # of a view that it is taught on
_BATCH = 32
_RATE, _DECAY = 2e-3, 1e-3
_NEAR_UM, _FAR_WEIGHT = 10.0, 0.2  # what lies near the junction counts more
_DISTANCE_UM = 20.0  # unit of the last plane
_JUDGED_UM = 25.0

Weights = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Views:
    """Planes (7, S, D) and distances below the true junction (S, D), NaN where unknown, of each view."""

    planes: tuple[NDArray[np.float16], ...]
    signed_um: tuple[NDArray[np.float16], ...]


def read_views(files: Sequence[Path]) -> Views:
    """The views in files that `make_views` wrote."""
    planes: list[NDArray[np.float16]] = []
    signed: list[NDArray[np.float16]] = []
    for file in files:
        with np.load(file, allow_pickle=False) as arrays:
            for number in range(len(arrays.files) // 2):
                planes.append(arrays[f"planes{number}"])
                signed.append(arrays[f"signed{number}"])
    return Views(tuple(planes), tuple(signed))


def teach(views: Views, seconds: float, *, seed: int = 0, widths: Sequence[int] = WIDTHS) -> Weights:
    """Weights learned in so many seconds, on a GPU if there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    weights = _first_weights(widths, device)
    means = {name: value.detach().clone() for name, value in weights.items()}
    optimizer = torch.optim.AdamW(list(weights.values()), _RATE, weight_decay=_DECAY)
    begun, step = time.monotonic(), 0
    while (share := (time.monotonic() - begun) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, (step + 1) / 200) * 0.5 * (1 + np.cos(np.pi * share)) + 1e-6
        planes, signed = _batch(views, rng, device)
        with torch.autocast(device, dtype=torch.bfloat16):
            logit = _applied(weights, planes).float()
        known = torch.isfinite(signed)
        signed = torch.where(known, signed, torch.zeros_like(signed))
        weight = known * (_FAR_WEIGHT + torch.exp(-signed.abs() / _NEAR_UM))
        each = functional.binary_cross_entropy_with_logits(logit, torch.sigmoid(-signed), reduction="none")
        loss = (each * weight).sum() / weight.sum().clamp_min(1)
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


def wrong_share(file: Path, views: Views) -> tuple[float, float]:
    """Share of what lies within 25 um of the true junction that is on the wrong side of a drawn one.

    By the junction as it was found (`planes[6]`), and by the network alone; means over the views.
    """
    with np.load(file, allow_pickle=False) as arrays:
        network = network_of(arrays)
    shares = []
    for planes, signed in zip(views.planes, views.signed_um, strict=True):
        rest = [(0, -size % network.multiple) for size in signed.shape]
        logit = network.of(np.pad(planes.astype(np.float32), [(0, 0), *rest]))
        judged = np.abs(signed) < _JUDGED_UM  # never where it is not known
        above = signed[judged] < 0
        drawn = logit[: signed.shape[0], : signed.shape[1]][judged] > 0
        shares.append(((planes[6][judged] < 0) != above, drawn != above))
    return (float(np.mean([s[0].mean() for s in shares])), float(np.mean([s[1].mean() for s in shares])))


def _first_weights(widths: Sequence[int], device: str) -> Weights:
    shapes: dict[str, tuple[int, int, int]] = {}
    for size, (given, made) in enumerate(zip((_PLANES, *widths), widths, strict=False)):
        shapes[f"down.{size}.0"], shapes[f"down.{size}.2"] = (made, given, 3), (made, made, 3)
    for step, size in enumerate(range(len(widths) - 1, 0, -1)):
        made = widths[size - 1]
        shapes[f"up.{step}.0"], shapes[f"up.{step}.2"] = (made, widths[size] + made, 3), (made, made, 3)
    shapes["out"] = (1, widths[0], 1)
    weights: Weights = {}
    for name, (made, given, size) in shapes.items():
        spread = (2 / (given * size * size)) ** 0.5
        weights[name + ".weight"] = torch.randn(made, given, size, size, device=device) * spread
        weights[name + ".bias"] = torch.zeros(made, device=device)
    return {name: value.requires_grad_() for name, value in weights.items()}


def _applied(weights: Weights, planes: Any) -> Any:
    """The network of `ienfd.skin.network` for (N, 7, S, D) planes: (N, S, D)."""

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


def _batch(views: Views, rng: np.random.Generator, device: str) -> tuple[Any, Any]:
    """(N, 7, S, D) planes and (N, S, D) distances, changed at random."""
    long = np.sqrt([signed.shape[0] for signed in views.signed_um])
    chosen = rng.choice(len(long), _BATCH, p=long / long.sum())
    cut = [_cut(views.planes[k], views.signed_um[k], rng) for k in chosen]
    planes = torch.tensor(np.stack([c[0] for c in cut]), device=device)
    signed = torch.tensor(np.stack([c[1] for c in cut]), device=device)
    planes[:, 6:] += _some(0.5, device) * torch.randn(_BATCH, 1, 1, 1, device=device) * 1.5 / _DISTANCE_UM
    planes[:, 6] += _some(0.5, device)[:, 0] * _wave(25, device)[:, :, None] * 2.0 / _DISTANCE_UM
    planes, signed = _bent(planes, signed, device)
    told = torch.where(_some(0.1, device) > 0, torch.zeros_like(planes[:, 3:4]), planes[:, 3:4])
    levels = _other_looks(planes[:, :_LEVELS], planes[:, 5:6], device)
    return torch.cat([levels, told, planes[:, 4:6], planes[:, 6:].clamp(-2, 2)], 1), signed


def _cut(
    planes: NDArray[np.float16], signed: NDArray[np.float16], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A stretch of a view, padded where the view is shorter."""
    start = int(rng.integers(0, max(1, len(signed) - _ALONG + 1)))
    stretch = slice(start, start + _ALONG)
    rest = max(0, _ALONG - len(signed))
    part = np.pad(planes[:, stretch, :_ACROSS].astype(np.float32), [(0, 0), (0, rest), (0, 0)])
    known = np.pad(signed[stretch, :_ACROSS].astype(np.float32), [(0, rest), (0, 0)], constant_values=np.nan)
    return part, known


def _some(share: float, device: str) -> Any:
    """(N, 1, 1, 1) ones for that share of a batch, zeros for the rest."""
    return (torch.rand(_BATCH, 1, 1, 1, device=device) < share).float()


def _wave(sigma: int, device: str) -> Any:
    """(N, S) smooth random courses of standard deviation 1."""
    at = torch.arange(-3 * sigma, 3 * sigma + 1, device=device)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    noise = torch.randn(_BATCH, 1, _ALONG + 6 * sigma, device=device)
    return functional.conv1d(noise, kernel[None, None])[:, 0] / kernel.square().sum().sqrt()


def _bent(planes: Any, signed: Any, device: str) -> tuple[Any, Any]:
    """Turned round, stretched, shifted and bent: junctions of other courses."""

    def one_each(spread: float) -> Any:
        return torch.randn(_BATCH, 1, 1, device=device) * spread

    turned = 1 - 2 * _some(0.5, device)[:, 0]
    along = torch.linspace(-1, 1, _ALONG, device=device)[None, :, None] * turned * torch.exp(one_each(0.12))
    waves = (3 * _wave(12, device) + 4 * _wave(40, device))[:, :, None] * _some(0.6, device)[:, 0]
    across = torch.linspace(-1, 1, _ACROSS, device=device)[None, None] * torch.exp(one_each(0.12))
    across = across + (one_each(4.0) + waves) * 2 / _ACROSS
    shape = (_BATCH, _ALONG, _ACROSS)
    places = torch.stack([across.expand(shape), along.expand(shape)], -1)
    both = torch.cat([planes, signed[:, None]], 1)  # what is not known stays so
    both = functional.grid_sample(both, places, padding_mode="border", align_corners=True)
    return both[:, :-1], both[:, -1]


def _other_looks(levels: Any, inside: Any, device: str) -> Any:
    """Levels mixed, turned over, bent, blurred, in another order, with noise, and some of them left out."""

    def one_each(spread: float) -> Any:
        return torch.randn(_BATCH, _LEVELS, 1, 1, device=device) * spread

    there = (levels.abs().amax((2, 3), keepdim=True) > 0).float()
    mixes = torch.linalg.qr(torch.randn(_BATCH, _LEVELS, _LEVELS, device=device))[0]
    mixed = torch.einsum("nij,njsd->nisd", mixes, levels)
    mixable = _some(0.3, device) * (there.sum(1, keepdim=True) == _LEVELS)
    levels = torch.where(mixable > 0, mixed, levels)
    signs = torch.where(torch.rand(_BATCH, _LEVELS, 1, 1, device=device) < 0.5, -1.0, 1.0)
    levels = levels * signs * torch.exp(one_each(0.2))
    levels = torch.sign(levels) * levels.abs().clamp_min(1e-4) ** torch.exp(one_each(0.2))
    order = torch.argsort(torch.rand(_BATCH, _LEVELS, device=device), 1)[:, :, None, None]
    levels, there = torch.gather(levels, 1, order.expand_as(levels)), torch.gather(there, 1, order)
    noise = 0.5 * torch.rand(_BATCH, 1, 1, 1, device=device) * _some(0.4, device)
    levels = levels + torch.randn_like(levels) * noise
    levels = torch.where(_some(0.2, device) > 0, functional.avg_pool2d(levels, 3, 1, 1), levels)
    left_out = torch.rand(_BATCH, _LEVELS, 1, 1, device=device) < 0.1
    left_out = left_out & (there.sum(1, keepdim=True) > 1)
    return levels * there * ~left_out * inside
