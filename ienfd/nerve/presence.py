"""Whether nerves are stained at all: a stain failure is not a density of 0."""

from __future__ import annotations

import numpy as np

from ienfd.geometry import length
from ienfd.quality.section import Check
from ienfd.result import FiberGraph
from ienfd.stain.chromogen import EOSIN, HEMATOXYLIN, Chromogen

__all__ = ["nerve_color_is_seen", "nerves_are_seen"]

_MIN_LENGTH_UM = 60.0  # of fibers in all, dermis included
_MIN_AGREEMENT = 0.3
_SAME_COLOR_DEG = 6.0


def nerve_color_is_seen(chromogen: Chromogen) -> Check:
    """Refuse a bright-field section whose lines have no color of their own.

    A nerve stain gives its lines one color. Where the clearest lines of an image have many colors, or
    just that of a counterstain, they are nuclei and collagen.
    """
    measure = ("line_color_agreement", chromogen.agreement)
    if chromogen.agreement < _MIN_AGREEMENT:
        return Check(refusal="no_nerve_signal", measure=measure, detail="its lines have no one color")
    for name, counterstain in (("hematoxylin", HEMATOXYLIN), ("eosin", EOSIN)):
        if len(chromogen.vector) == len(counterstain) and _angle_deg(chromogen.vector, counterstain) < _SAME_COLOR_DEG:
            return Check(refusal="no_nerve_signal", measure=measure, detail=f"its lines have the color of {name}")
    return Check(measure=measure)


def nerves_are_seen(graph: FiberGraph, pixel_size_um: float) -> Check:
    """Refuse a section without any nerve in epidermis and upper dermis.

    Parameters
    ----------
    graph : FiberGraph
        What was traced.
    pixel_size_um : float
        Pixel edge in micrometers.
    """
    total_um = sum(length(branch.path_px) for branch in graph.branches) * pixel_size_um
    measure = ("fiber_length_um", total_um)
    if total_um < _MIN_LENGTH_UM:
        return Check(refusal="no_nerve_stain", measure=measure, detail=f"{total_um:.0f} um of fibers traced")
    return Check(measure=measure)


def _angle_deg(one: np.ndarray, other: np.ndarray) -> float:
    cosine = float(one @ other) / float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))))
