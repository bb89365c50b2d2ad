"""The dermal-epidermal junction as the globally optimal curve between two kinds of tissue.

First the optimal curve in coordinates straightened along the outline, with models of epidermis and
dermis estimated from the section itself and re-estimated a few times. Then, in a narrow strip
about that curve, the partition of least total variation, whose boundary may overhang.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP_Geometric
from skimage.measure import find_contours

from ienfd.result import FloatArray
from ienfd.skin.features import fit_model
from ienfd.skin.strip import Strip, arc_um, best_path, make_strip

__all__ = [
    "COARSE_STEP_UM",
    "Layers",
    "Straightened",
    "coarse_curve",
    "find_layers",
    "refine_junction",
    "smooth_curve",
    "straighten",
]

_Float32 = NDArray[np.float32]

COARSE_STEP_UM = 2.5
_CORNEUM_UM = 14.0  # the outermost part is kept out of the model of viable epidermis
_ROUNDS = 5
_LOCAL_UM = 200.0
_MEMBRANE_WEIGHT = 3.0
_BOUND = 1.5
_LEVELS_SUFFICE = 1.5
_VARIATION_UM = 4.0
_FINE_UM = 1.0
_FINE_HALF_UM = 40.0


@dataclass(frozen=True, eq=False)
class Layers:
    """Epidermis over dermis in straightened coordinates, within a few micrometers.

    Parameters
    ----------
    depth : (S,) ndarray of int
        Index of the junction across the strip for every position along it.
    likelihood : (S, D) ndarray of float32
        Evidence for epidermis (positive) or dermis (negative), in standard deviations.
    difference : (K,) ndarray of float
        Features of epidermis minus those of dermis, in standard deviations, at most 3.
    parted : float
        How well both sides of the junction are parted, 0 (not at all) to `_BOUND`.
    membrane : float
        Median strength of the basement membrane along the curve, 0 without such a channel.
    """

    depth: NDArray[np.intp]
    likelihood: _Float32
    difference: FloatArray
    parted: float
    membrane: float


@dataclass(frozen=True, eq=False)
class Straightened:
    """Features of the tissue in the coordinates of a strip.

    Parameters
    ----------
    strip : Strip
    values : (K, S, D) ndarray of float32
    inside : (S, D) ndarray of bool
        Where there is tissue.
    line : (S, D) ndarray of float
        Strength of the basement membrane, 0 without such a channel.
    """

    strip: Strip
    values: _Float32
    inside: NDArray[np.bool_]
    line: FloatArray

    def part(self, start: int, stop: int) -> Straightened:
        """The positions from `start` to `stop` along the strip."""
        at = slice(start, stop)
        strip = Strip(self.strip.positions[at], self.strip.step_um, self.strip.above_um)
        return Straightened(strip, self.values[:, at], self.inside[at], self.line[at])


def straighten(
    strip: Strip, features: _Float32, tissue: NDArray[np.bool_], membrane: _Float32 | None
) -> Straightened:
    """Sample features, tissue and basement membrane along a strip."""
    values = np.stack([strip.sample(plane) for plane in features])
    line = np.zeros(values.shape[1:]) if membrane is None else _membrane_strength(strip, membrane)
    return Straightened(strip, values, _inside(strip, tissue), line)


def find_layers(tissue: Straightened) -> Layers | None:
    """Find the globally optimal curve below an outline.

    Returns
    -------
    Layers or None
        None where there is too little tissue.
    """
    values, inside, strip = tissue.values, tissue.inside, tissue.strip
    depth_um = np.arange(values.shape[2]) * strip.step_um - strip.above_um
    count, size = values.shape[1:]
    across = np.broadcast_to(depth_um, (count, size))
    upper = inside & (across > _CORNEUM_UM) & (across < 40)
    lower = inside & (across > 110) & (across < 200)
    if lower.sum() < 0.05 * count * size:  # thin tissue: the deepest part stands for the dermis
        deepest = np.where(inside, across, -1).max(axis=1, keepdims=True)
        lower = inside & (across > 0.7 * deepest)
    path = np.zeros(count, np.intp)
    likelihood = np.zeros((count, size), np.float32)
    for _ in range(_ROUNDS):
        if upper.sum() < 50 or lower.sum() < 50:
            return None
        model = fit_model(values[:, upper].T, values[:, lower].T)
        projected = np.tensordot(model.direction, values, 1)
        middle = 0.5 * (_local_mean(projected, upper) + _local_mean(projected, lower))
        likelihood = np.where(inside, projected - middle[:, None], 0).astype(np.float32)
        likelihood[(across < _CORNEUM_UM) & inside] = 0
        path = _optimal_depth(likelihood, tissue.line, strip)
        edge = depth_um[path][:, None]
        upper = inside & (across > _CORNEUM_UM) & (across < edge - 4)
        lower = inside & (across > edge + 4) & (across < edge + 90)
    if not (upper.any() and lower.any()):
        return None
    spread = np.sqrt(0.5 * (values[:, upper].var(axis=1) + values[:, lower].var(axis=1))) + 1e-6
    difference = np.clip((values[:, upper].mean(axis=1) - values[:, lower].mean(axis=1)) / spread, -3, 3)
    bounded = np.clip(likelihood, -_BOUND, _BOUND)
    signed = across - depth_um[path][:, None]
    above = inside & (signed < -3) & (signed > -40) & (across > _CORNEUM_UM)
    below = inside & (signed > 3) & (signed < 40)
    up = (bounded * above).sum(1) / np.maximum(above.sum(1), 1)
    down = (bounded * below).sum(1) / np.maximum(below.sum(1), 1)
    parted = float(np.median(np.minimum(up, -down)))
    line = float(np.median(tissue.line[np.arange(count), path]))
    return Layers(path, likelihood, difference, max(parted, 0.0), line)


def _inside(strip: Strip, tissue: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows, cols = strip.positions[..., 0], strip.positions[..., 1]
    within = (rows >= 0) & (cols >= 0) & (rows <= tissue.shape[0] - 1) & (cols <= tissue.shape[1] - 1)
    return within & (strip.sample(tissue.astype(np.float32)) > 0.5)


def coarse_curve(tissue: Straightened, layers: Layers) -> FloatArray:
    """(N, 2) grid coordinates of the coarse junction, where there is tissue at it and above it."""
    rows = np.arange(len(layers.depth))
    covered = _covered(tissue.inside, rows, layers.depth, round(30 / tissue.strip.step_um))
    curve = tissue.strip.to_grid(np.column_stack([rows, layers.depth]).astype(float))
    return np.asarray(curve[_longest_run(covered)], float)


def _covered(
    inside: NDArray[np.bool_], rows: NDArray[np.intp], cols: NDArray[np.intp], reach: int
) -> NDArray[np.bool_]:
    """Places of a curve with tissue at them and on most of the way `reach` above them."""
    sums = np.concatenate([np.zeros((len(inside), 1)), np.cumsum(inside, axis=1)], axis=1)
    top = np.maximum(cols - reach, 0)
    share = (sums[rows, cols + 1] - sums[rows, top]) / (cols + 1 - top)
    return np.asarray(inside[rows, cols] & (share > 0.7), bool)


def _longest_run(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only the longest run of true values; short breaks in it are bridged."""
    closed = ndimage.binary_closing(np.pad(flags, 12), np.ones(9))[12:-12]
    labels, count = ndimage.label(closed)
    if count == 0:
        return np.asarray(flags, bool)
    return np.asarray(labels == 1 + int(np.argmax(np.bincount(labels[labels > 0])[1:])), bool)


def _local_mean(values: FloatArray, which: NDArray[np.bool_]) -> FloatArray:
    """(S,) mean over the chosen places near each position, drawn to the overall mean where few."""
    sigma = _LOCAL_UM / COARSE_STEP_UM
    total = ndimage.gaussian_filter1d(np.where(which, values, 0).sum(1), sigma, mode="nearest")
    weight = ndimage.gaussian_filter1d(which.sum(1).astype(float), sigma, mode="nearest")
    overall = float(values[which].mean())
    prior = 0.3 * float(weight.max())
    return np.asarray((total + prior * overall) / (weight + prior), float)


def _optimal_depth(likelihood: _Float32, line: FloatArray, strip: Strip) -> NDArray[np.intp]:
    """Depth index that best parts what looks like epidermis from what looks like dermis."""
    bounded = np.clip(likelihood, -_BOUND, _BOUND).astype(float)
    depth_um = np.arange(bounded.shape[1]) * strip.step_um - strip.above_um
    bounded -= 0.1 * (depth_um > 110)  # an epidermis thicker than that is the exception
    # sum above minus sum below: up to a constant twice the running sum from above
    cost = -np.cumsum(bounded, axis=1) - _MEMBRANE_WEIGHT * line
    shallowest = int((_CORNEUM_UM + 8 + strip.above_um) / strip.step_um)
    cost[:, :shallowest] = cost.max() + 1
    return best_path(cost, max_step=4, step_cost=0.8, curve_cost=0.2)


def _membrane_strength(strip: Strip, membrane: _Float32) -> FloatArray:
    """(S, D) strength of lines of the basement membrane that run along the strip, 0 to 4."""
    values = strip.sample(membrane)
    ridge = -ndimage.gaussian_filter(values, (2.0, 1.2), order=(0, 2))
    noise = 1.4826 * float(np.median(np.abs(ridge)))
    return np.asarray(np.clip(ridge / max(noise, 1e-9) - 1, 0, 4), float)


def refine_junction(
    coarse: FloatArray,
    features: _Float32,
    tissue: NDArray[np.bool_],
    px: float,
    down: int,
    membrane: _Float32 | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Bring the coarse junction to the edge itself.

    Parameters
    ----------
    coarse : (N, 2) ndarray of float
        The coarse junction, grid coordinates `COARSE_STEP_UM` apart along its outline.
    features : (K, H, W) ndarray of float32
    tissue : (H, W) ndarray of bool
    px : float
        Pixel edge of the grid in micrometers.
    down : {1, -1}
        Side of the dermis, see `make_strip`.
    membrane : (H, W) ndarray of float32 or None
        Basement-membrane signal; where its ridge is clear, it leads.

    Returns
    -------
    curve : (N, 2) ndarray of float
        Grid coordinates.
    confidence : (N,) ndarray of float
        From 0 to 1.
    """
    base = smooth_curve(coarse, 25.0 / COARSE_STEP_UM)
    strip = make_strip(base, px, above_um=_FINE_HALF_UM, below_um=_FINE_HALF_UM, step_um=_FINE_UM, down=down)
    values = np.stack([strip.sample(plane) for plane in features])
    inside = _inside(strip, tissue)
    count, size = inside.shape
    across = np.broadcast_to(np.arange(size) * _FINE_UM - _FINE_HALF_UM, (count, size))
    # where the coarse curve runs in this strip
    guess = _guess(coarse, strip, base, px)
    signed = across - guess[:, None]
    partition = np.clip(0.5 - signed / 10, 0, 1)
    likelihood = np.zeros((count, size))
    for _ in range(2):
        upper = inside & (partition > 0.5) & (signed > -35)
        lower = inside & (partition <= 0.5) & (signed < 35)
        if upper.sum() < 50 or lower.sum() < 50:
            break
        # levels are sharper than textures: where they part the two sides by themselves, they decide
        sharp = values[::2]
        model = fit_model(sharp[:, upper].T, sharp[:, lower].T)
        if model.separation < _LEVELS_SUFFICE:
            sharp = values
            model = fit_model(sharp[:, upper].T, sharp[:, lower].T)
        projected = np.tensordot(model.direction, sharp, 1)
        middle = 0.5 * (_local_mean(projected, upper) + _local_mean(projected, lower))
        likelihood = np.where(inside, np.clip(projected - middle[:, None], -2, 2), -0.3 * np.sign(signed))
        # a weak pull to the coarse curve keeps islands far from it out
        unary = likelihood - 0.04 * np.sign(signed) * np.maximum(np.abs(signed) - 12, 0)
        partition = _least_variation(unary, weight=_VARIATION_UM)
    curve = _boundary(partition)
    if membrane is not None:
        curve = _along_membrane(strip.sample(membrane), curve)
    confidence = _confidence(likelihood, curve)
    grid = strip.to_grid(curve)
    keep = _keep(strip, curve, inside, confidence)
    return grid[keep], confidence[keep]


def _guess(coarse: FloatArray, strip: Strip, base: FloatArray, px: float) -> FloatArray:
    """(S,) offset of the coarse curve from the middle of the fine strip, in micrometers."""
    arc = arc_um(base, px)
    tangent = np.gradient(base, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    middle = strip.positions[:, strip.positions.shape[1] // 2]
    normal = strip.positions[:, -1] - middle
    normal /= np.maximum(np.hypot(*normal.T), 1e-9)[:, None]
    at = np.linspace(0, arc[-1], len(middle))
    curve = np.column_stack([np.interp(at, arc, coarse[:, k]) for k in (0, 1)])
    return np.asarray(((curve - middle) * normal).sum(1) * px, float)


def _least_variation(unary: FloatArray, weight: float, iterations: int = 120) -> FloatArray:
    """Partition (0..1) that maximizes `unary` with least boundary (Chan, Esedoglu, Nikolova 2006).

    Solved by the primal-dual method of Chambolle and Pock (2011).
    """
    u = (unary > 0).astype(np.float32)
    bar = u.copy()
    force = (unary / weight).astype(np.float32)
    py, px = np.zeros_like(u), np.zeros_like(u)
    tau = sigma = 0.35
    for _ in range(iterations):
        py[:-1] += sigma * (bar[1:] - bar[:-1])
        px[:, :-1] += sigma * (bar[:, 1:] - bar[:, :-1])
        norm = np.maximum(1.0, np.sqrt(py * py + px * px))
        py /= norm
        px /= norm
        divergence = py + px
        divergence[1:] -= py[:-1]
        divergence[:, 1:] -= px[:, :-1]
        new = np.clip(u + tau * (divergence + force), 0, 1)
        bar = 2 * new - u
        u = new
    return np.asarray(u, float)


def _boundary(partition: FloatArray) -> FloatArray:
    """The one boundary that runs from the first to the last position; (N, 2) strip coordinates."""
    count, size = partition.shape
    padded = partition.copy()
    padded[:, :2], padded[:, -2:] = 1, 0
    padded = ndimage.gaussian_filter(padded, 1.0, mode="nearest")
    contours = find_contours(padded, 0.5)
    through = [c for c in contours if abs(c[-1, 0] - c[0, 0]) > count - 2]
    if not through:  # cannot happen with the clamped rims, but a curve is owed
        return np.column_stack([np.arange(count), np.full(count, size / 2)]).astype(float)
    curve = max(through, key=len)
    return curve if curve[0, 0] < curve[-1, 0] else curve[::-1]


def _along_membrane(membrane: _Float32, curve: FloatArray) -> FloatArray:
    """Shortest path along the ridge of the basement membrane, near `curve` (strip coordinates)."""
    sigma = 1.2
    ridge = -ndimage.gaussian_filter(membrane, (sigma * 1.5, sigma), order=(0, 2))
    ridge = np.maximum(ridge, -ndimage.gaussian_filter(membrane, (sigma, sigma * 1.5), order=(2, 0)))
    noise = float(np.median(np.abs(ridge))) / 0.6745
    strength = np.clip(ridge / max(noise, 1e-9) - 1.5, 0, 8)
    count, size = membrane.shape
    across = np.interp(np.arange(count), *_single_valued(curve))
    distance = np.abs(np.arange(size)[None, :] - across[:, None])
    cost = 1 / (0.15 + strength) + 0.01 * np.maximum(distance - 10, 0)
    start = [(0, int(k)) for k in range(max(0, int(across[0]) - 12), min(size, int(across[0]) + 13))]
    stop = [(count - 1, int(k)) for k in range(max(0, int(across[-1]) - 12), min(size, int(across[-1]) + 13))]
    finder = MCP_Geometric(cost)
    total, _ = finder.find_costs(start)
    end = min(stop, key=lambda place: float(total[place]))
    path = np.array(finder.traceback(end), float)
    clear = float(np.median(strength[path[:, 0].astype(int), path[:, 1].astype(int)]))
    return smooth_curve(path, 1.5) if clear > 1.0 else curve


def _single_valued(curve: FloatArray) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(curve[:, 0], kind="stable")
    return curve[order, 0], curve[order, 1]


def _confidence(likelihood: FloatArray, curve: FloatArray) -> FloatArray:
    """Confidence from how well the two sides are parted within 20 um of the curve."""
    count, size = likelihood.shape
    smooth = ndimage.gaussian_filter1d(likelihood, 12.0, axis=0, mode="nearest")
    sums = np.concatenate([np.zeros((count, 1)), np.cumsum(smooth, axis=1)], axis=1)
    rows = np.clip(np.round(curve[:, 0]).astype(int), 0, count - 1)
    at = np.clip(np.round(curve[:, 1]).astype(int), 1, size - 1)
    reach = 20
    top, bottom = np.maximum(at - reach, 0), np.minimum(at + reach, size)
    upper = (sums[rows, at] - sums[rows, top]) / (at - top)
    lower = (sums[rows, bottom] - sums[rows, at]) / (bottom - at)
    parted = np.minimum(upper, -lower)
    return 1 / (1 + np.exp(-(parted - 0.25) / 0.12))


def _keep(strip: Strip, curve: FloatArray, inside: NDArray[np.bool_], confidence: FloatArray) -> slice:
    """The run of the curve from its first to its last point with tissue above it and some confidence."""
    rows = np.clip(np.round(curve[:, 0]).astype(int), 0, inside.shape[0] - 1)
    cols = np.clip(np.round(curve[:, 1]).astype(int), 0, inside.shape[1] - 1)
    at = np.flatnonzero(_covered(inside, rows, cols, round(25 / strip.step_um)) & (confidence > 0.3))
    return slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, 0)


def smooth_curve(curve: FloatArray, sigma: float) -> FloatArray:
    """Gaussian smoothing along a polyline of even steps that keeps straight ends straight."""
    pad = min(len(curve) - 1, int(4 * sigma) + 1)
    head = 2 * curve[0] - curve[pad:0:-1]
    tail = 2 * curve[-1] - curve[-2 : -pad - 2 : -1]
    padded = np.concatenate([head, curve, tail])
    return np.asarray(ndimage.gaussian_filter1d(padded, sigma, axis=0)[pad : pad + len(curve)], float)
