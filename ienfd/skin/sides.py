"""Which stretches of the tissue outline are epidermal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray
from ienfd.skin.layers import COARSE_STEP_UM, Layers, Straightened, find_layers, straighten
from ienfd.skin.strip import arc_um, make_strip, smooth_curve
from ienfd.skin.tissue import Outline, Tissue

__all__ = ["ABOVE_UM", "DEEPEST_UM", "HEADING_UM", "Side", "down_side", "epidermal_sides", "sampled"]

ABOVE_UM = 10.0
DEEPEST_UM = 230.0
HEADING_UM = 70.0
_WINDOW_UM = 320.0
_WINDOW_STEP_UM = 120.0
_USUAL_THICKNESS_UM = 70.0
_MIN_PARTED = 0.25


@dataclass(frozen=True, eq=False)
class Side:
    """A stretch of an outline under which an epidermis lies.

    Parameters
    ----------
    outline : Outline
    start_um, end_um : float
        Range along it; `end_um` may exceed the length of a closed outline, which wraps round.
    """

    outline: Outline
    start_um: float
    end_um: float


@dataclass(frozen=True, eq=False)
class _Window:
    outline: int
    start_um: float
    end_um: float
    quality: float
    thickness_um: float
    difference: FloatArray

    def like(self, other: _Window) -> bool:
        """Whether both would be parts of one epidermis."""
        size = float(np.linalg.norm(self.difference) * np.linalg.norm(other.difference))
        alike = float(self.difference @ other.difference) > 0.4 * size
        return alike and abs(np.log(self.thickness_um / other.thickness_um)) < 0.8


def epidermal_sides(
    tissue: Tissue,
    features: NDArray[np.float32],
    membrane: NDArray[np.float32] | None,
    cellular: FloatArray,
    px: float,
) -> tuple[Side, ...]:
    """Find the stretches of outline below which an epidermis lies.

    Short windows of every outline are parted into an upper and a lower layer as if they were
    epidermal. Most of what is found so is nothing; but the windows of the epidermis agree with one
    another in what parts the layers and in how thick the upper one is, and they part clearly.

    Parameters
    ----------
    tissue : Tissue
    features : (K, H, W) ndarray of float32
    membrane : (H, W) ndarray of float32 or None
    cellular : (K,) ndarray of float
        How much each feature speaks for nuclei: the epidermis has more of them than the dermis.
    px : float
        Pixel edge in micrometers.

    Returns
    -------
    tuple of Side
        Longest first; empty when no group of windows stands out.
    """
    windows: list[_Window] = []
    for index, outline in enumerate(tissue.outlines):
        windows.extend(_windows(index, outline, tissue, features, membrane, cellular, px))
    windows = [w for w in windows if w.quality > 0]
    if not windows:
        return ()
    support = [sum(other.quality for other in windows if window.like(other)) * window.quality for window in windows]
    best = windows[int(np.argmax(support))]
    group = [w for w in windows if best.like(w) and w.quality > 0.3 * best.quality]
    sides = []
    for index, outline in enumerate(tissue.outlines):
        length = float(arc_um(outline.points, px)[-1])
        spans = sorted((w.start_um, w.end_um) for w in group if w.outline == index)
        sides.extend(Side(outline, a, b) for a, b in _joined(spans, length, outline.closed))
    return tuple(sorted(sides, key=lambda side: side.start_um - side.end_um))


def sampled(outline: Outline, start_um: float, end_um: float, px: float) -> FloatArray:
    """(N, 2) points of a stretch of an outline, `COARSE_STEP_UM` apart, lightly smoothed."""
    arc = arc_um(outline.points, px)
    at = np.arange(start_um, end_um, COARSE_STEP_UM)
    if outline.closed:
        at = at % arc[-1]
    points = np.column_stack([np.interp(at, arc, outline.points[:, k]) for k in (0, 1)])
    return smooth_curve(points, 25.0 / COARSE_STEP_UM)


def down_side(outline: FloatArray, mask: NDArray[np.bool_], px: float) -> int:
    """1 when the tissue lies along (tangent_col, -tangent_row), -1 on the other side."""
    votes = 0.0
    for sign in (1, -1):
        strip = make_strip(outline, px, above_um=0, below_um=30.0, step_um=5.0, down=sign)
        votes += sign * float(strip.sample(mask.astype(np.float32)).mean())
    return 1 if votes > 0 else -1


def _windows(
    index: int,
    outline: Outline,
    tissue: Tissue,
    features: NDArray[np.float32],
    membrane: NDArray[np.float32] | None,
    cellular: FloatArray,
    px: float,
) -> list[_Window]:
    length = float(arc_um(outline.points, px)[-1])
    end = length + (_WINDOW_UM if outline.closed else 0)
    base = sampled(outline, 0.0, end, px)
    if len(base) < 30:
        return []
    down = down_side(base, tissue.mask, px)
    strip = make_strip(base, px, above_um=ABOVE_UM, below_um=DEEPEST_UM, step_um=COARSE_STEP_UM, down=down, heading_um=HEADING_UM)
    whole = straighten(strip, features, tissue.mask, membrane)
    total = len(strip.positions)
    step, width = round(_WINDOW_STEP_UM / COARSE_STEP_UM), round(_WINDOW_UM / COARSE_STEP_UM)
    windows = []
    for start in range(0, max(1, total - width // 2), step):
        part = whole.part(start, min(total, start + width))
        layers = find_layers(part)
        if layers is None:
            continue
        thickness = float(np.median(layers.depth - layers.top)) * COARSE_STEP_UM
        windows.append(
            _Window(
                index,
                start * COARSE_STEP_UM,
                min(total, start + width) * COARSE_STEP_UM,
                _quality(part, layers, thickness) * _plausible(layers, cellular),
                max(thickness, 5.0),
                layers.difference,
            )
        )
    return windows


def _quality(part: Straightened, layers: Layers, thickness_um: float) -> float:
    """How much a window looks like epidermis on dermis: 0 for not at all."""
    if layers.parted < _MIN_PARTED and layers.membrane < 1.5:
        return 0.0
    if part.inside[np.arange(len(layers.depth)), layers.depth].mean() < 0.6:
        return 0.0
    usual = float(np.exp(-0.5 * (np.log(max(thickness_um, 1.0) / _USUAL_THICKNESS_UM) / 0.45) ** 2))
    depth = layers.depth * COARSE_STEP_UM
    trend = np.polyval(np.polyfit(np.arange(len(depth)), depth, 2), np.arange(len(depth)))
    rough = float(np.median(np.abs(depth - trend)))
    smooth = float(np.exp(-rough / 25))
    return (layers.parted + 0.4 * layers.membrane) * usual * smooth * (0.6 + 0.4 * layers.corneum / 1.5)


def _plausible(layers: Layers, cellular: FloatArray) -> float:
    """Factor for which of the two layers has the nuclei."""
    return float(np.exp(np.clip(cellular @ layers.difference, -1.0, 1.0)))


def _joined(spans: list[tuple[float, float]], length: float, closed: bool) -> list[tuple[float, float]]:
    """Union of overlapping ranges; on a closed outline the last may continue in the first."""
    joined: list[tuple[float, float]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1] + _WINDOW_STEP_UM:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    if closed and len(joined) > 1 and joined[-1][1] >= joined[0][0] + length:
        first = joined.pop(0)
        joined[-1] = (joined[-1][0], max(joined[-1][1], first[1] + length))
    return [(start, min(end, start + length)) for start, end in joined]
