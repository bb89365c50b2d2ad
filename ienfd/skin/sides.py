"""Which stretches of the tissue outline are epidermal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray
from ienfd.skin.faces import Face, find_faces
from ienfd.skin.features import Features
from ienfd.skin.layers import Layers, Straightened, find_layers, straightened_below
from ienfd.skin.profile import usual_cost
from ienfd.skin.side import Side, linked, standing_out
from ienfd.skin.strip import COARSE_STEP_UM, extent, inside_tissue, make_strip
from ienfd.skin.tissue import Tissue

__all__ = ["down_side", "epidermal_sides"]

_WINDOW_UM = 320.0
_WINDOW_STEP_UM = 120.0
_MIN_PARTED = 0.25
_LEAST_LIKELY = 0.002
_CLEAR_GAIN = 4.0  # in 100 um: what the cut of true layers exceeds, as a rule
_GOOD = 0.1  # of the likelihood of the best window
_REACH_UM = 150.0
_MOSTLY = 0.5


@dataclass(frozen=True, eq=False)
class _Window:
    face: int
    start: int
    end: int
    likely: float
    quality: float
    surface_um: float
    junction_um: float
    difference: FloatArray
    border: float  # share of it that is image border

    @property
    def thickness_um(self) -> float:
        return max(self.junction_um - self.surface_um, 5.0)

    def like(self, other: _Window) -> bool:
        """Whether both would be parts of one epidermis."""
        size = float(np.linalg.norm(self.difference) * np.linalg.norm(other.difference))
        alike = float(self.difference @ other.difference) > 0.4 * size
        return alike and abs(np.log(self.thickness_um / other.thickness_um)) < 1.3


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
    windows = [w for w in windows if w.likely > _LEAST_LIKELY]
    if not windows:
        return ()
    support = [
        sum(other.likely for other in windows if window.like(other)) * window.likely for window in windows
    ]
    best = windows[int(np.argmax(support))]
    group = [w for w in windows if best.like(w)]
    sides: list[Side] = []
    for index, face in enumerate(faces):
        mine = sorted((w for w in group if w.face == index), key=lambda w: w.start)
        joined = _joined(mine, _GOOD * best.likely)
        sides += [_side(face, windows, tissue, px) for windows in joined]
    return tuple(sorted(linked(standing_out(sides), px), key=lambda side: -len(side.points)))


def _region(points: FloatArray, tissue: Tissue, px: float) -> int:
    """The piece of tissue below a stretch of outline."""
    down = down_side(points, tissue.mask, px)
    strip = make_strip(points, px, above_um=0, below_um=30.0, step_um=10.0, down=down)
    at = np.rint(strip.positions[inside_tissue(strip, tissue.mask)]).astype(int)
    return int(np.bincount(tissue.regions[at[:, 0], at[:, 1]]).argmax()) if len(at) else 0


def _side(face: Face, windows: list[_Window], tissue: Tissue, px: float) -> Side:
    """The range of some windows of a face, continued to where the layers may end.

    It follows the border of the image only below windows that lie there.
    """
    reach = round(_REACH_UM / COARSE_STEP_UM)
    first = max(0, min(w.start for w in windows) - reach)
    last = min(len(face.points), max(w.end for w in windows) + reach)
    known = ~face.on_border
    for w in windows:
        known[w.start : w.end] |= w.border > _MOSTLY
    kept = extent(known[first:last])
    first, last = first + kept.start, first + kept.stop
    middles = [0.5 * (w.start + w.end) for w in windows]
    at = np.arange(first, last)
    surface = np.interp(at, middles, [w.surface_um for w in windows])
    junction = np.interp(at, middles, [w.junction_um for w in windows])
    cut = (first == 0 and face.corners[0], last == len(face.points) and face.corners[1])
    return Side(
        face.points[first:last],
        cut,
        np.column_stack([surface, junction]),
        _region(face.points[first:last], tissue, px),
        max(w.likely for w in windows),
        max(w.quality for w in windows),
    )


def down_side(outline: FloatArray, mask: NDArray[np.bool_], px: float) -> int:
    """1 when the tissue lies along (tangent_col, -tangent_row), -1 on the other side."""
    votes = 0.0
    for sign in (1, -1):
        strip = make_strip(outline, px, above_um=0, below_um=30.0, step_um=5.0, down=sign)
        votes += sign * float(inside_tissue(strip, mask).mean())
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
    down = down_side(face.points, tissue.mask, px)
    whole = straightened_below(face.points, down, features, tissue.mask, membrane, px)
    total = len(whole.inside)
    step, width = round(_WINDOW_STEP_UM / COARSE_STEP_UM), round(_WINDOW_UM / COARSE_STEP_UM)
    windows = []
    for start in range(0, max(1, total - width // 2), step):
        stop = min(total, start + width)
        part = whole.part(start, stop)
        layers = find_layers(part)
        if layers is None:
            continue
        surface, junction = (
            float(whole.across_um[0] + np.median(x) * COARSE_STEP_UM) for x in (layers.top, layers.depth)
        )
        nuclei = float(np.clip(cellular @ layers.difference, -1.0, 1.0))
        border = float(face.on_border[start:stop].mean())
        likely, quality = _likely(part, layers, nuclei, border), _quality(part, layers, nuclei)
        windows.append(
            _Window(index, start, stop, likely, quality, surface, junction, layers.difference, border)
        )
    return windows


def _likely(part: Straightened, layers: Layers, nuclei: float, border: float) -> float:
    """Probability that a window is epidermal; `border` is the share of it that is image border.

    A logistic function, whose weights were fitted to 2743 windows of 200 synthetic sections of two
    independent generators (development seeds only) and then rounded. The thickness was given less than
    its share, since real skin varies more; the image border more, since layers along glass prevail.
    """
    if layers.parted < _MIN_PARTED and layers.membrane < 1.5:
        return 0.0
    if part.inside[np.arange(len(layers.depth)), layers.depth].mean() < 0.6:
        return 0.0
    score = 3.0 * layers.parted + 4.0 * layers.corneum + 0.6 * layers.membrane + 2.0 * nuclei - 6.0
    score += 1.4 * float(np.log1p(max(_gain(part, layers), 0.0)))
    score -= 3.0 * float(usual_cost(None, layers.thickness_um)) + 0.08 * layers.roughness_um + 5.5 * border
    return 1 / (1 + float(np.exp(-score)))


def _quality(part: Straightened, layers: Layers, nuclei: float) -> float:
    """How clear the layers of a window are: about 1 for clear ones."""
    usual = float(np.exp(-usual_cost(layers.corneum_um, layers.thickness_um)))
    even = float(np.exp(-layers.roughness_um / 25))
    seen = (layers.parted + 0.4 * layers.membrane) * (0.6 + 0.27 * layers.corneum)
    gain = max(_gain(part, layers), 0.0)
    return seen * usual * even * gain / (gain + _CLEAR_GAIN) * float(np.exp(np.clip(nuclei, -0.5, 0.5)))


def _gain(part: Straightened, layers: Layers) -> float:
    """Gain of the cut in 100 um of outline."""
    return layers.gain / (len(part.inside) * COARSE_STEP_UM / 100)


def _joined(windows: list[_Window], least_likely: float) -> list[list[_Window]]:
    """Groups of likely windows, in order: between them, others look like them, or hardly anything lies.

    One that is parted less clearly (a fold, a follicle, paler stain) does not end an epidermis that goes on
    beyond it.
    """
    gap, reach = (round(um / COARSE_STEP_UM) for um in (_WINDOW_STEP_UM, 2 * _REACH_UM))
    joined: list[list[_Window]] = []
    alike_to, unbroken = 0, True  # where what looks alike ends; whether it does since the last likely one
    for window in windows:
        unbroken &= window.start <= alike_to + gap
        alike_to = max(alike_to, window.end)
        if window.likely <= least_likely:
            continue
        # within reach, both would be continued to one another
        if joined and (unbroken or window.start <= joined[-1][-1].end + reach):
            joined[-1].append(window)
        else:
            joined.append([window])
        unbroken = True
    return joined
