"""Which stretches of the tissue outline are epidermal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray
from ienfd.skin.faces import FACE_STEP_UM, Face, find_faces
from ienfd.skin.features import Features
from ienfd.skin.layers import COARSE_STEP_UM, Layers, Straightened, find_layers, plausibility, straighten
from ienfd.skin.strip import make_strip
from ienfd.skin.tissue import Tissue

__all__ = ["ABOVE_UM", "DEEPEST_UM", "HEADING_UM", "Side", "down_side", "epidermal_sides"]

ABOVE_UM = 10.0
DEEPEST_UM = 230.0
HEADING_UM = 70.0
_WINDOW_UM = 320.0
_WINDOW_STEP_UM = 120.0
_MIN_PARTED = 0.25
_MIN_QUALITY = 0.02
_CLEAR_GAIN = 4.0  # in 100 um: what the cut of true layers exceeds, as a rule
_GOOD = 0.3  # of the quality of the best window
_REACH_UM = 150.0
_HOLDS_ITS_OWN = 0.5  # of the quality of the best side


@dataclass(frozen=True, eq=False)
class Side:
    """A stretch of outline under which an epidermis lies.

    Parameters
    ----------
    points : (N, 2) ndarray of float
        Grid coordinates at even steps of `COARSE_STEP_UM`.
    cut : (bool, bool)
        Whether its first and its last end are cut ends of the tissue.
    depths_um : (N, 2) ndarray of float
        Depths of surface and junction below every point, roughly.
    quality : float
        How much it looks like epidermis on dermis.
    """

    points: FloatArray
    cut: tuple[bool, bool]
    depths_um: FloatArray
    quality: float


@dataclass(frozen=True, eq=False)
class _Window:
    face: int
    start: int
    end: int
    quality: float
    surface_um: float
    junction_um: float
    difference: FloatArray

    @property
    def thickness_um(self) -> float:
        return max(self.junction_um - self.surface_um, 5.0)

    def like(self, other: _Window) -> bool:
        """Whether both would be parts of one epidermis."""
        size = float(np.linalg.norm(self.difference) * np.linalg.norm(other.difference))
        alike = float(self.difference @ other.difference) > 0.4 * size
        return alike and abs(np.log(self.thickness_um / other.thickness_um)) < 0.8


def epidermal_sides(
    tissue: Tissue,
    features: Features,
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
    features : Features
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
    faces = find_faces(tissue.outlines, px)
    windows: list[_Window] = []
    for index, face in enumerate(faces):
        windows.extend(_windows(index, face, tissue, features, membrane, cellular, px))
    windows = [w for w in windows if w.quality > _MIN_QUALITY]
    if not windows:
        return ()
    support = [
        sum(other.quality for other in windows if window.like(other)) * window.quality for window in windows
    ]
    best = windows[int(np.argmax(support))]
    group = [w for w in windows if best.like(w) and w.quality > _GOOD * best.quality]
    sides: list[Side] = []
    for index, face in enumerate(faces):
        mine = sorted((w for w in group if w.face == index), key=lambda w: w.start)
        sides += [_side(face, windows) for windows in _joined(mine)]
    finest = max(side.quality for side in sides)
    kept = [side for side in sides if side.quality >= _HOLDS_ITS_OWN * finest]
    return tuple(sorted(kept, key=lambda side: -len(side.points)))


def _side(face: Face, windows: list[_Window]) -> Side:
    """The range of some windows of a face, continued to where the layers may end."""
    reach = round(_REACH_UM / FACE_STEP_UM)
    first = max(0, min(w.start for w in windows) - reach)
    last = min(len(face.points), max(w.end for w in windows) + reach)
    middles = [0.5 * (w.start + w.end) for w in windows]
    at = np.arange(first, last)
    surface = np.interp(at, middles, [w.surface_um for w in windows])
    junction = np.interp(at, middles, [w.junction_um for w in windows])
    cut = (first == 0 and face.corners[0], last == len(face.points) and face.corners[1])
    quality = max(w.quality for w in windows)
    return Side(face.points[first:last], cut, np.column_stack([surface, junction]), quality)


def down_side(outline: FloatArray, mask: NDArray[np.bool_], px: float) -> int:
    """1 when the tissue lies along (tangent_col, -tangent_row), -1 on the other side."""
    votes = 0.0
    for sign in (1, -1):
        strip = make_strip(outline, px, above_um=0, below_um=30.0, step_um=5.0, down=sign)
        votes += sign * float(strip.sample(mask.astype(np.float32)).mean())
    return 1 if votes > 0 else -1


def _windows(
    index: int,
    face: Face,
    tissue: Tissue,
    features: Features,
    membrane: NDArray[np.float32] | None,
    cellular: FloatArray,
    px: float,
) -> list[_Window]:
    base = face.points
    down = down_side(base, tissue.mask, px)
    strip = make_strip(
        base,
        px,
        above_um=ABOVE_UM,
        below_um=DEEPEST_UM,
        step_um=COARSE_STEP_UM,
        down=down,
        heading_um=HEADING_UM,
    )
    whole = straighten(strip, features, tissue.mask, membrane)
    total = len(strip.positions)
    step, width = round(_WINDOW_STEP_UM / COARSE_STEP_UM), round(_WINDOW_UM / COARSE_STEP_UM)
    windows = []
    for start in range(0, max(1, total - width // 2), step):
        stop = min(total, start + width)
        part = whole.part(start, stop)
        layers = find_layers(part)
        if layers is None:
            continue
        surface, junction = (
            float(np.median(x)) * COARSE_STEP_UM - ABOVE_UM for x in (layers.top, layers.depth)
        )
        quality = _quality(part, layers) * _plausible(layers, cellular)
        windows.append(_Window(index, start, stop, quality, surface, junction, layers.difference))
    return windows


def _quality(part: Straightened, layers: Layers) -> float:
    """How much a window looks like epidermis on dermis: 0 for not at all."""
    if layers.parted < _MIN_PARTED and layers.membrane < 1.5:
        return 0.0
    if part.inside[np.arange(len(layers.depth)), layers.depth].mean() < 0.6:
        return 0.0
    gain = layers.gain / (len(part.inside) * COARSE_STEP_UM / 100)
    return plausibility(layers) * gain / (gain + _CLEAR_GAIN)


def _plausible(layers: Layers, cellular: FloatArray) -> float:
    """Factor for which of the two layers has the nuclei."""
    return float(np.exp(np.clip(cellular @ layers.difference, -0.5, 0.5)))


def _joined(windows: list[_Window]) -> list[list[_Window]]:
    """Groups of windows, in order, without breaks between them but small ones."""
    joined: list[list[_Window]] = []
    for window in windows:
        if joined and window.start <= max(w.end for w in joined[-1]) + round(
            _WINDOW_STEP_UM / COARSE_STEP_UM
        ):
            joined[-1].append(window)
        else:
            joined.append([window])
    return joined
