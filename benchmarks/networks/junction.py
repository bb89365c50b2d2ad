"""Teach the network of the junction, with views turned over, mixed, bent, shifted and stretched at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from benchmarks.networks.learn import Weights, device, learn
from ienfd.networks.network import read_network

__all__ = ["WIDTHS", "JunctionViews", "read_junction_views", "teach_junction", "wrong_share"]

WIDTHS = (24, 32, 48, 64, 96)
"""Planes at each size, from full to a sixteenth."""

_PLANES, _LEVELS = 7, 3
_ALONG, _ACROSS = 256, 112  # of a view that it is taught on
_BATCH = 32
_NEAR_UM, _FAR_WEIGHT = 10.0, 0.2  # what lies near the junction counts more
_DISTANCE_UM = 20.0  # unit of the last plane
_JUDGED_UM = 25.0


@dataclass(frozen=True, eq=False)
class JunctionViews:
    """Planes (7, S, D) and distances below the true junction (S, D), NaN where unknown, of each view."""

    planes: tuple[NDArray[np.float16], ...]
    signed_um: tuple[NDArray[np.float16], ...]


def read_junction_views(files: Sequence[Path]) -> JunctionViews:
    """The views in files that `make_views` wrote."""
    planes: list[NDArray[np.float16]] = []
    signed: list[NDArray[np.float16]] = []
    for file in files:
        with np.load(file, allow_pickle=False) as arrays:
            for number in range(len(arrays.files) // 2):
                planes.append(arrays[f"planes{number}"])
                signed.append(arrays[f"signed{number}"])
    return JunctionViews(tuple(planes), tuple(signed))


def teach_junction(
    sources: Sequence[tuple[JunctionViews, float]],
    seconds: float,
    *,
    first: Path | None = None,
    seed: int = 0,
) -> Weights:
    """Weights learned in so many seconds from views of several sources, each with its share of what is shown.

    `first` is a network from which it goes on.
    """
    rng = np.random.default_rng(seed)

    def loss_of(applied: Callable[[Any], Any]) -> Any:
        planes, signed = _batch(sources, rng, device())
        logit = applied(planes)
        known = torch.isfinite(signed)
        signed = torch.where(known, signed, torch.zeros_like(signed))
        weight = known * (_FAR_WEIGHT + torch.exp(-signed.abs() / _NEAR_UM))
        each = functional.binary_cross_entropy_with_logits(logit, torch.sigmoid(-signed), reduction="none")
        return (each * weight).sum() / weight.sum().clamp_min(1)

    return learn(loss_of, _PLANES, WIDTHS, seconds, first=first, seed=seed)


def wrong_share(file: Path, views: JunctionViews) -> tuple[float, float]:
    """Share of what lies within 25 um of the true junction that is on the wrong side of a drawn one.

    By the junction as it was found (`planes[6]`), and by the network alone; means over the views.
    """
    network = read_network(file)
    shares = []
    for planes, signed in zip(views.planes, views.signed_um, strict=True):
        logit = network.of(planes.astype(np.float32))
        judged = np.abs(signed) < _JUDGED_UM  # never where it is not known
        above = signed[judged] < 0
        drawn = logit[judged] > 0
        shares.append(((planes[6][judged] < 0) != above, drawn != above))
    return (float(np.mean([s[0].mean() for s in shares])), float(np.mean([s[1].mean() for s in shares])))


def _batch(
    sources: Sequence[tuple[JunctionViews, float]], rng: np.random.Generator, where: str
) -> tuple[Any, Any]:
    """(N, 7, S, D) planes and (N, S, D) distances, changed at random."""
    shares = np.array([share for _, share in sources])
    chosen = rng.choice(len(sources), _BATCH, p=shares / shares.sum())
    cut = [_stretch(sources[number][0], rng) for number in chosen]
    planes = torch.tensor(np.stack([c[0] for c in cut]), device=where)
    signed = torch.tensor(np.stack([c[1] for c in cut]), device=where)
    planes[:, 6:] += _some(0.5, where) * torch.randn(_BATCH, 1, 1, 1, device=where) * 1.5 / _DISTANCE_UM
    planes[:, 6] += _some(0.5, where)[:, 0] * _wave(25, where)[:, :, None] * 2.0 / _DISTANCE_UM
    planes, signed = _bent(planes, signed, where)
    told = torch.where(_some(0.1, where) > 0, torch.zeros_like(planes[:, 3:4]), planes[:, 3:4])
    levels = _other_looks(planes[:, :_LEVELS], planes[:, 5:6], where)
    return torch.cat([levels, told, planes[:, 4:6], planes[:, 6:].clamp(-2, 2)], 1), signed


def _stretch(
    views: JunctionViews, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A stretch of one of the views, padded where the view is shorter."""
    long = np.sqrt([len(signed) for signed in views.signed_um])
    chosen = rng.choice(len(long), p=long / long.sum())
    planes, signed = views.planes[chosen], views.signed_um[chosen]
    start = int(rng.integers(0, max(1, len(signed) - _ALONG + 1)))
    stretch = slice(start, start + _ALONG)
    rest = max(0, _ALONG - len(signed))
    part = np.pad(planes[:, stretch, :_ACROSS].astype(np.float32), [(0, 0), (0, rest), (0, 0)])
    known = np.pad(signed[stretch, :_ACROSS].astype(np.float32), [(0, rest), (0, 0)], constant_values=np.nan)
    return part, known


def _some(share: float, where: str) -> Any:
    """(N, 1, 1, 1) ones for that share of a batch, zeros for the rest."""
    return (torch.rand(_BATCH, 1, 1, 1, device=where) < share).float()


def _wave(sigma: int, where: str) -> Any:
    """(N, S) smooth random courses of standard deviation 1."""
    at = torch.arange(-3 * sigma, 3 * sigma + 1, device=where)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    noise = torch.randn(_BATCH, 1, _ALONG + 6 * sigma, device=where)
    return functional.conv1d(noise, kernel[None, None])[:, 0] / kernel.square().sum().sqrt()


def _bent(planes: Any, signed: Any, where: str) -> tuple[Any, Any]:
    """Turned round, stretched, shifted and bent: junctions of other courses."""

    def one_each(spread: float) -> Any:
        return torch.randn(_BATCH, 1, 1, device=where) * spread

    turned = 1 - 2 * _some(0.5, where)[:, 0]
    along = torch.linspace(-1, 1, _ALONG, device=where)[None, :, None] * turned * torch.exp(one_each(0.12))
    waves = (3 * _wave(12, where) + 4 * _wave(40, where))[:, :, None] * _some(0.6, where)[:, 0]
    across = torch.linspace(-1, 1, _ACROSS, device=where)[None, None] * torch.exp(one_each(0.12))
    across = across + (one_each(4.0) + waves) * 2 / _ACROSS
    shape = (_BATCH, _ALONG, _ACROSS)
    places = torch.stack([across.expand(shape), along.expand(shape)], -1)
    both = torch.cat([planes, signed[:, None]], 1)  # what is not known stays so
    both = functional.grid_sample(both, places, padding_mode="border", align_corners=True)
    return both[:, :-1], both[:, -1]


def _other_looks(levels: Any, inside: Any, where: str) -> Any:
    """Levels mixed, turned over, bent, blurred, in another order, with noise, and some of them left out."""

    def one_each(spread: float) -> Any:
        return torch.randn(_BATCH, _LEVELS, 1, 1, device=where) * spread

    there = (levels.abs().amax((2, 3), keepdim=True) > 0).float()
    mixes = torch.linalg.qr(torch.randn(_BATCH, _LEVELS, _LEVELS, device=where))[0]
    mixed = torch.einsum("nij,njsd->nisd", mixes, levels)
    mixable = _some(0.3, where) * (there.sum(1, keepdim=True) == _LEVELS)
    levels = torch.where(mixable > 0, mixed, levels)
    signs = torch.where(torch.rand(_BATCH, _LEVELS, 1, 1, device=where) < 0.5, -1.0, 1.0)
    levels = levels * signs * torch.exp(one_each(0.2))
    levels = torch.sign(levels) * levels.abs().clamp_min(1e-4) ** torch.exp(one_each(0.2))
    order = torch.argsort(torch.rand(_BATCH, _LEVELS, device=where), 1)[:, :, None, None]
    levels, there = torch.gather(levels, 1, order.expand_as(levels)), torch.gather(there, 1, order)
    noise = 0.5 * torch.rand(_BATCH, 1, 1, 1, device=where) * _some(0.4, where)
    levels = levels + torch.randn_like(levels) * noise
    levels = torch.where(_some(0.2, where) > 0, functional.avg_pool2d(levels, 3, 1, 1), levels)
    left_out = torch.rand(_BATCH, _LEVELS, 1, 1, device=where) < 0.1
    left_out = left_out & (there.sum(1, keepdim=True) > 1)
    return levels * there * ~left_out * inside
