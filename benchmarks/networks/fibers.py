"""Teach the network of the fibers, with views turned, stretched, blurred, dimmed and made noisy at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from benchmarks.networks.fiber_views import FARTHEST_UM, SIZE
from benchmarks.networks.learn import Weights, device, learn
from ienfd.networks.network import read_network

__all__ = ["WIDTHS", "FiberViews", "average_precisions", "read_fiber_views", "teach_fibers"]

WIDTHS = (16, 24, 32, 48)
"""Planes at each size, from full to an eighth."""

_PLANES = 3
_EDGE = 96  # pixels of a view that it is taught on
_BATCH = 64
_WIDTH_UM = 0.7  # standard deviation of what is called a nerve about its center line
_ON_UM, _OFF_UM = 0.8, 1.5  # judged as on a nerve, and as beside it
_RIM = 24  # pixels: not judged


@dataclass(frozen=True, eq=False)
class FiberViews:
    """All views of some sections: planes (N, 3, S, S), distances in um and band (N, S, S)."""

    planes: NDArray[np.float16]
    distance_um: NDArray[np.float16]
    band: NDArray[np.bool_]


def read_fiber_views(files: Sequence[Path]) -> FiberViews:
    """The views in files that `make_views` wrote."""
    parts: dict[str, list[NDArray[Any]]] = {"planes": [], "distance_um": [], "band": []}
    for file in files:
        with np.load(file, allow_pickle=False) as arrays:
            for name, some in parts.items():
                some.append(arrays[name])
    return FiberViews(**{name: np.concatenate(some) for name, some in parts.items()})


def teach_fibers(
    sources: Sequence[tuple[FiberViews, float]], seconds: float, *, first: Path | None = None, seed: int = 0
) -> Weights:
    """Weights learned in so many seconds from views of several sources, each with its share of what is shown.

    `first` is a network from which it goes on.
    """
    rng = np.random.default_rng(seed)

    def loss_of(applied: Callable[[Any], Any]) -> Any:
        planes, away_um, band = _batch(sources, rng, device())
        nerve = torch.exp(-0.5 * (away_um / _WIDTH_UM) ** 2) * (away_um < FARTHEST_UM)
        each = functional.binary_cross_entropy_with_logits(applied(planes), nerve, reduction="none")
        return (each * band).sum() / band.sum().clamp_min(1)

    return learn(loss_of, _PLANES, WIDTHS, seconds, first=first, seed=seed)


def average_precisions(file: Path, views: FiberViews) -> tuple[float, float]:
    """Average precision of pixels on nerves: by the contrast that filters measure, and by the network."""
    network = read_network(file)
    inner = slice(_RIM, SIZE - _RIM)
    away_um, band = views.distance_um[:, inner, inner], views.band[:, inner, inner]
    judged = band & ((away_um < _ON_UM) | (away_um > _OFF_UM))
    on = away_um[judged] < _ON_UM
    said = np.stack([network.of(planes.astype(np.float32))[inner, inner] for planes in views.planes])
    contrast = views.planes[:, 1, inner, inner]
    return _average_precision(contrast[judged], on), _average_precision(said[judged], on)


def _average_precision(score: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Mean precision over the places of what is right, the highest score first."""
    ranked = right[np.argsort(-score, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def _batch(
    sources: Sequence[tuple[FiberViews, float]], rng: np.random.Generator, where: str
) -> tuple[Any, Any, Any]:
    """(N, 3, E, E) planes, (N, E, E) distances and band, changed at random."""
    shares = np.array([share for _, share in sources])
    chosen = [sources[number][0] for number in rng.choice(len(sources), _BATCH, p=shares / shares.sum())]
    known = [_any_of(views, rng) for views in chosen]
    whole = torch.tensor(np.stack(known).astype(np.float32), device=where)
    # half of them by right angles only, so that their noise stays as it is
    part = torch.where(_some(0.5, where), _cut(whole, rng), _turned(whole, where))
    planes, away_um, band = part[:, :_PLANES], part[:, _PLANES], (part[:, _PLANES + 1] > 0.9).float()
    return _other_looks(planes, where) * band[:, None], away_um, band


def _any_of(views: FiberViews, rng: np.random.Generator) -> NDArray[np.floating]:
    """(5, S, S) planes, distance and band of one view."""
    k = rng.integers(0, len(views.planes))
    return np.concatenate([views.planes[k], views.distance_um[k, None], views.band[k, None]])


def _some(share: float, where: str) -> Any:
    """(N, 1, 1, 1) true for that share of a batch."""
    return torch.rand(_BATCH, 1, 1, 1, device=where) < share


def _cut(whole: Any, rng: np.random.Generator) -> Any:
    row, col = rng.integers(0, SIZE - _EDGE + 1, 2)
    part = torch.rot90(whole[:, :, row : row + _EDGE, col : col + _EDGE], int(rng.integers(4)), (2, 3))
    return part.flip(3) if rng.random() < 0.5 else part


def _turned(whole: Any, where: str) -> Any:
    """Turned by any angle, mirrored, stretched and shifted."""

    def each() -> Any:
        return torch.rand(_BATCH, device=where)

    angle, mirrored = 2 * np.pi * each(), torch.where(each() < 0.5, -1.0, 1.0)
    scale = torch.exp(torch.randn(_BATCH, device=where) * 0.18).clamp(0.6, 1.45) * _EDGE / SIZE
    rows = torch.stack([angle.cos() * mirrored, -angle.sin(), 0.3 * (each() - 0.5) / scale], 1)
    cols = torch.stack([angle.sin() * mirrored, angle.cos(), 0.3 * (each() - 0.5) / scale], 1)
    places = functional.affine_grid(
        torch.stack([rows, cols], 1) * scale[:, None, None], [_BATCH, 1, _EDGE, _EDGE], align_corners=False
    )
    return functional.grid_sample(whole, places, padding_mode="zeros", align_corners=False)


def _other_looks(planes: Any, where: str) -> Any:
    """Dimmed or brightened, noisier, blurred, with the contrast or the density left out."""

    def random() -> Any:
        return torch.randn(_BATCH, 1, 1, device=where)

    out, contrast, density = planes.unbind(1)
    brighter = 0.25 * random()
    noise = 0.5 * torch.rand(_BATCH, 1, 1, device=where) * _some(0.4, where)[:, 0]
    out = torch.asinh(torch.sinh(out) * torch.exp(brighter) + torch.randn_like(out) * noise).clamp(-3, 5)
    contrast = (contrast + brighter * (contrast > 0)).clamp_min(0) * ~_some(0.1, where)[:, 0]
    density = density * torch.exp(0.3 * random()) * ~_some(0.25, where)[:, 0]
    both = torch.stack([out, contrast], 1)
    both = torch.where(_some(0.12, where), functional.avg_pool2d(both, 3, 1, 1), both)
    return torch.cat([both, density[:, None]], 1)
