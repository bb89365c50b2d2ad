"""Whether nerves are stained at all: a stain failure is not a density of 0."""

from __future__ import annotations

from ienfd.geometry import length
from ienfd.quality.section import Check
from ienfd.result import FiberGraph
from ienfd.stain.chromogen import Chromogen

__all__ = ["nerve_is_stained"]

_MIN_LENGTH_UM = 60.0  # of fibers in all, dermis included


def nerve_is_stained(graph: FiberGraph, chromogen: Chromogen | None, pixel_size_um: float) -> Check:
    """Refuse a section without any nerve in epidermis and upper dermis.

    Parameters
    ----------
    graph : FiberGraph
        What was traced.
    chromogen : Chromogen or None
        Color of the nerve stain (bright-field).
    pixel_size_um : float
        Pixel edge in micrometers.
    """
    total_um = sum(length(branch.path_px) for branch in graph.branches) * pixel_size_um
    measure = ("fiber_length_um", total_um)
    if total_um < _MIN_LENGTH_UM:
        return Check(refusal="no_nerve_stain", measure=measure, detail=f"{total_um:.0f} um of fibers traced")
    return Check(measure=measure)
