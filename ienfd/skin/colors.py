"""Which color of a photograph shows the basement membrane: that which draws a line along the junction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ienfd.result import Piece
from ienfd.section import ChannelRole
from ienfd.skin.membrane import is_membrane, line_along
from ienfd.stain.overview import BLUE, Overview

__all__ = ["told_by_junction"]


def told_by_junction(overview: Overview, pieces: Sequence[Piece]) -> Overview:
    """A color photograph of fluorescence with its basement membrane, where red or green shows one.

    Nerves were taken for the brighter of both (`make_overview`), but collagen IV may be brighter. It draws an
    unbroken line along the junction; nerves cross it here and there. A line twice as clear as in the other
    color, all along, is the membrane, and then the other shows the nerves.

    Parameters
    ----------
    overview : Overview
    pieces : sequence of Piece
        The epidermis as it was found before.

    Returns
    -------
    Overview
        As it was where there are no two such colors, or neither draws a line.
    """
    colors = [k for k, sample in enumerate(overview.samples) if sample != BLUE]
    if len(colors) < 2 or not pieces:
        return overview
    grid = overview.grid
    junction = grid.from_image(max((piece.junction_px for piece in pieces), key=len))
    lines = [line_along(overview.signals[k], junction, grid.pixel_size_um) for k in colors]
    membrane, nerve = (colors[k] for k in np.argsort(lines)[::-1])
    if not is_membrane(max(lines), min(lines)):
        return overview
    shown = {membrane: ChannelRole.BASEMENT_MEMBRANE, nerve: ChannelRole.NERVE}
    return replace(overview, roles=tuple(shown.get(k, role) for k, role in enumerate(overview.roles)))
