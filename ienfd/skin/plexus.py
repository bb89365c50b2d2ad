"""The subepidermal plexus: where nerves lie densest, right below an epidermis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ienfd.result import FloatArray
from ienfd.skin.strip import make_strip

__all__ = ["DEEPER_UM", "PLEXUS_UM", "lies_right_below"]

_Mask = NDArray[np.bool_]

PLEXUS_UM, DEEPER_UM = 60.0, 200.0
"""Below a junction: the plexus lies above the one, bundles of nerves between it and the other."""

_ABOVE_UM, _STEP_UM = 60.0, 2.5


def lies_right_below(junctions: Sequence[FloatArray], nerves: _Mask, px: float) -> bool:
    """Whether nerves are denser right below a junction than above it, and than deeper down.

    Fibers of an epidermis are few beside the plexus they come from. Where its upper edge is taken for a
    junction, the plexus lies an epidermis deeper; where a layer of the dermis is taken for an epidermis, much
    of it lies above.

    Parameters
    ----------
    junctions : sequence of (N, 2) ndarray of float
        Grid coordinates, epidermis on the left.
    nerves : (H, W) ndarray of bool
    px : float
        Pixel edge of the grid in micrometers.
    """
    found, places = np.zeros(3), np.zeros(3)
    for junction in junctions:
        strip = make_strip(junction, px, above_um=_ABOVE_UM, below_um=DEEPER_UM, step_um=_STEP_UM, down=1)
        stained = strip.sample(nerves.astype(np.float32)) > 0.5
        depth_um = np.arange(stained.shape[1]) * _STEP_UM - _ABOVE_UM
        layer = np.digitize(depth_um, [0.0, PLEXUS_UM])
        found += np.bincount(layer, stained.sum(axis=0), minlength=3)
        places += np.bincount(layer, minlength=3) * len(stained)
    above, right_below, deeper = found / np.maximum(places, 1)
    return bool(right_below > max(above, deeper))
