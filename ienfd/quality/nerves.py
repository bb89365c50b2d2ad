"""Whether nerves are stained at all: a stain failure is not a density of 0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ienfd.geometry import Projector, length
from ienfd.protocol import QualityBounds
from ienfd.quality.section import Check
from ienfd.result import Branch, FiberGraph, FloatArray, Piece
from ienfd.skin.plexus import DEEPER_UM, PLEXUS_UM
from ienfd.stain.chromogen import Chromogen

__all__ = ["RIM_UM", "ClearFibers", "check_plexus", "clear_fibers", "nerve_color_is_seen", "nerves_are_seen"]

RIM_UM = 35.0
"""So far from the rim of the tissue there are no lines of the rim itself, of a cut edge or of corneum."""

_CLEAR_CONTRAST, _CLEAR_CALIBER_UM = 8.0, 4.5
_SHORTEST_UM = 15.0
# in the color of a nucleus only what is longer than nuclei in a row: unmixed hematoxylin of real skin reaches
# 380 um per mm, the palest of purple and blue nerve stains 530
_LONGER_THAN_NUCLEI_UM, _MIN_LONGER_UM_PER_MM = 40.0, 450.0
_SOME_UM_PER_MM = 100.0  # fewer nerves say nothing of where the plexus lies
_MIN_AGREEMENT = 0.3
_ONE_COLOR = 0.9  # hematoxylin and eosin together reach 0.8


def nerve_color_is_seen(chromogen: Chromogen, *, counterstained: bool = True) -> Check:
    """Refuse a bright-field section whose lines have no color of their own.

    A nerve stain gives its lines one color. Where the clearest lines of an image have many colors, or
    more or less that of a counterstain, they are nuclei and collagen. Where all of them have it, they may
    be either: purple nerves differ little from nuclei, and `nerves_are_seen` asks how long they are. So it
    does where lines and clutter alike have the color of nuclei: collagen, which is as long, has it never.
    Where there is no counterstain, none of it has its color.
    """
    measure = ("line_color_agreement", chromogen.agreement)
    like_clutter = chromogen.agreement < _MIN_AGREEMENT
    if like_clutter and chromogen.agreement_by_eye < _ONE_COLOR:
        return Check(refusal="no_nerve_signal", measure=measure, detail="its lines have no one color")
    counterstain = chromogen.counterstain if counterstained else None
    of_one_color = chromogen.agreement >= _ONE_COLOR or (like_clutter and counterstain == "hematoxylin")
    if counterstain is not None and not of_one_color:
        detail = f"its lines have the color of {counterstain}"
        return Check(refusal="no_nerve_signal", measure=measure, detail=detail)
    return Check(measure=measure)


@dataclass(frozen=True)
class ClearFibers:
    """Clear fibers of deeper epidermis and upper dermis.

    Parameters
    ----------
    um_per_mm : float
        Their length per mm of junction.
    long_um_per_mm : float
        That of those which are longer than nuclei in a row.
    """

    um_per_mm: float
    long_um_per_mm: float

    @property
    def are_no_nuclei(self) -> bool:
        """Whether so much of it is long that it cannot be nuclei, whatever its color."""
        return self.long_um_per_mm >= _MIN_LONGER_UM_PER_MM


def clear_fibers(
    graph: FiberGraph,
    pieces: Sequence[Piece],
    pixel_size_um: float,
    from_rim_um: Callable[[FloatArray], FloatArray],
) -> ClearFibers:
    """How much of a section's nerves is clear.

    A line within `RIM_UM` of the rim of the tissue tells nothing: corneum and cut edges are lines, too.

    Parameters
    ----------
    graph : FiberGraph
        What was traced.
    pieces : sequence of Piece
        Stretches of epidermis.
    pixel_size_um : float
        Pixel edge in micrometers.
    from_rim_um : callable
        Distance of points, (row, col) in pixels, from the rim of the tissue in micrometers.
    """
    clear = [
        length(branch.path_px) * pixel_size_um
        for branch in graph.branches
        if _is_clear(branch) and float(np.median(from_rim_um(branch.path_px))) > RIM_UM
    ]
    junction_mm = _junction_mm(pieces, pixel_size_um)

    def per_mm_of(longer_than_um: float) -> float:
        return sum(um for um in clear if um > longer_than_um) / max(junction_mm, 1e-9)

    return ClearFibers(per_mm_of(_SHORTEST_UM), per_mm_of(_LONGER_THAN_NUCLEI_UM))


def check_plexus(graph: FiberGraph, pieces: Sequence[Piece], pixel_size_um: float) -> Check:
    """Flag a junction that no plexus lies right below, though there are nerves deeper down.

    The subepidermal plexus lies right below an epidermis. Where corneum was taken for one, a whole epidermis
    lies between, and no fiber crosses.

    Parameters
    ----------
    graph : FiberGraph
        What was traced.
    pieces : sequence of Piece
        Stretches of epidermis.
    pixel_size_um : float
        Pixel edge in micrometers.
    """
    junctions = [Projector(piece.junction_px) for piece in pieces]
    near_um = far_um = 0.0
    for branch in graph.branches:
        if not _is_clear(branch):
            continue
        seen = [junction(branch.path_px) for junction in junctions]
        depths_um = [-float(np.median(each.signed)) * pixel_size_um for each in seen if not each.beyond.all()]
        depth_um = min(depths_um, key=abs, default=np.inf)
        along_um = length(branch.path_px) * pixel_size_um
        near_um += along_um if 0 < depth_um <= PLEXUS_UM else 0.0
        far_um += along_um if PLEXUS_UM < depth_um <= DEEPER_UM else 0.0
    some = far_um >= _SOME_UM_PER_MM * _junction_mm(pieces, pixel_size_um)
    return Check(flag="nerves_far_below" if some and far_um > near_um else None)


def _is_clear(branch: Branch) -> bool:
    return float(np.median(branch.contrast)) > _CLEAR_CONTRAST and branch.width_um < _CLEAR_CALIBER_UM


def _junction_mm(pieces: Sequence[Piece], pixel_size_um: float) -> float:
    return sum(length(piece.junction_px) for piece in pieces) * pixel_size_um / 1000


def nerves_are_seen(fibers: ClearFibers, bounds: QualityBounds, near_counterstain: str | None) -> Check:
    """Refuse a section without any clear nerve in deeper epidermis and upper dermis.

    A short line in the color of nuclei is none.

    Parameters
    ----------
    fibers : ClearFibers
    bounds : QualityBounds
        How much there must be.
    near_counterstain : str or None
        Name of the counterstain that the lines are like in color.
    """
    measure = ("clear_fibers_um_per_mm", fibers.um_per_mm)
    if fibers.um_per_mm < bounds.min_clear_fibers_um_per_mm:
        detail = f"{fibers.um_per_mm:.0f} um of clear fibers per mm of junction, dermis included"
        return Check(refusal="no_nerve_stain", measure=measure, detail=detail)
    if near_counterstain is not None and not fibers.are_no_nuclei:
        detail = f"its lines are near the color of {near_counterstain}, and few are as long as fibers"
        return Check(refusal="no_nerve_signal", measure=measure, detail=detail)
    weak = fibers.um_per_mm < bounds.weak_clear_fibers_um_per_mm
    return Check(flag="dim_stain" if weak else None, measure=measure)
