"""Nerve fibers of a phantom: where they run, and what they truly are.

A fiber is one tree of 3-D center lines in micrometers, (row, col, z). Its class is decided by
construction and then checked against the junction at the fiber's own depth: a crossing fiber passes
from at least 5 um below to at least 5 um above it, an approaching fiber and a dermal one stay below,
a fragment stays above.
"""

from __future__ import annotations

import numpy as np

from ienfd.phantom.anatomy import Skin
from ienfd.phantom.crossing import crossing_fibers
from ienfd.phantom.growth import Fiber, Grower, TrueCrossing
from ienfd.phantom.nerves import (
    approaching_fibers,
    bundles,
    dermal_fibers,
    fibers_along_the_junction,
    fragments,
    plexus,
    round_structures,
)
from ienfd.phantom.spec import PhantomSpec
from ienfd.phantom.structures import Structure

__all__ = ["grow_fibers"]


def grow_fibers(
    spec: PhantomSpec, skin: Skin, structures: list[Structure], rng: np.random.Generator, first_id: int = 0
) -> tuple[list[Fiber], list[TrueCrossing]]:
    """Grow all nerves of one piece of skin, some of them round its vessels and adnexa.

    Returns
    -------
    fibers : list of Fiber
    crossings : list of TrueCrossing
        One for every passage of a fiber through the junction.
    """
    grower = Grower(spec, skin, rng, first_id)
    crossing_fibers(grower)
    approaching_fibers(grower)
    fragments(grower)
    fibers_along_the_junction(grower)
    plexus(grower)
    bundles(grower)
    dermal_fibers(grower)
    round_structures(grower, structures)
    return grower.fibers, grower.crossings
