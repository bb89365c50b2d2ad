"""Folds: bands across the section in which a flap of it lies turned over on its neighbor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.curves import FloatArray
from ienfd.phantom.optics import Image
from ienfd.phantom.spec import PhantomSpec

__all__ = ["Fold", "lay_over", "place_folds"]

_FREE = 0.15  # of the length at both ends


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold; it runs across all layers.

    Parameters
    ----------
    middle_um : (2,) ndarray
        A point of its middle line.
    along : (2,) ndarray
        Unit vector along the epidermis, toward the edge on which it is turned over.
    width_um : float
        Width of the band.
    """

    middle_um: FloatArray
    along: FloatArray
    width_um: float


def place_folds(spec: PhantomSpec, skins: Sequence[Skin], rng: np.random.Generator) -> tuple[Fold, ...]:
    """Folds at random places, with no other draw where there are none."""
    out = []
    for _ in range(spec.folds):
        skin = skins[int(rng.integers(len(skins)))]
        first, last = skin.span
        at = first + int((last - first - 1) * rng.uniform(_FREE, 1 - _FREE))
        up, lean = skin.up[at], rng.normal(0.0, 0.15)
        along = np.array([-up[1], up[0]]) + lean * up
        along *= rng.choice([-1.0, 1.0]) / np.hypot(*along)
        out.append(Fold(skin.mean_junction_um[at], along, float(spec.fold_um * rng.uniform(0.7, 1.3))))
    return tuple(out)


def lay_over(amount: Image, folds: Sequence[Fold], pixel_size_um: float) -> Image:
    """What light meets where tissue lies double: its own amount, and that of the flap.

    Parameters
    ----------
    amount : (H, W) or (C, H, W) ndarray
        Something that adds up, as optical density or emitted light; changed in place.
    folds : sequence of Fold
        The folds.
    pixel_size_um : float
        Edge of a pixel.
    """
    layers: Image = amount if amount.ndim == 3 else amount[None]
    for fold in folds:
        grid = np.indices(amount.shape[-2:], dtype=np.float32)
        rows, cols = grid[0], grid[1]
        away = (rows - fold.middle_um[0] / pixel_size_um) * fold.along[0]
        away += (cols - fold.middle_um[1] / pixel_size_um) * fold.along[1]
        width = fold.width_um / pixel_size_um
        inside = np.abs(away) <= width / 2
        # the flap was beside the edge, as far from it as it lies before it now
        moved = width - 2 * away[inside]
        places = np.stack([rows[inside] + moved * fold.along[0], cols[inside] + moved * fold.along[1]])
        for layer in layers:
            layer[inside] += map_coordinates(layer, places, order=1, mode="nearest")
    return amount
