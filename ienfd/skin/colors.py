"""Which color of a photograph shows the basement membrane: that which draws a line along the junction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ienfd.result import Piece
from ienfd.section import ChannelRole
from ienfd.skin.membrane import line_along
from ienfd.skin.strip import beyond_image, make_strip
from ienfd.stain.overview import BLUE, Overview

__all__ = ["told_by_junction"]

_PLAIN = 5.0  # in units of the noise, all along
_PLAINER = 2.0  # times as clear as in the other color
_HALF_UM, _STEP_UM = 40.0, 1.0


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
    lines = [_line_along(overview, k, pieces) for k in colors]
    membrane, nerve = (colors[k] for k in np.argsort(lines)[::-1])
    if max(lines) < max(_PLAIN, _PLAINER * min(lines)):
        return overview
    shown = {membrane: ChannelRole.BASEMENT_MEMBRANE, nerve: ChannelRole.NERVE}
    return replace(overview, roles=tuple(shown.get(k, role) for k, role in enumerate(overview.roles)))


def _line_along(overview: Overview, signal: int, pieces: Sequence[Piece]) -> float:
    """How clear a line is in a signal along the longest junction."""
    grid = overview.grid
    junction = grid.from_image(max((piece.junction_px for piece in pieces), key=len))
    strip = make_strip(
        junction, grid.pixel_size_um, above_um=_HALF_UM, below_um=_HALF_UM, step_um=_STEP_UM, down=1
    )
    plane = overview.signals[signal]
    return line_along(strip.sample(plane), ~beyond_image(strip, plane.shape))
