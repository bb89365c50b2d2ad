"""Colors and shapes: the Okabe-Ito palette, which the color-blind tell apart, and a shape as second cue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DARK", "LIGHT", "MARKS", "Color", "Mark", "Shape", "Theme", "mark_for"]

Color = tuple[int, int, int]
Shape = Literal["circle", "triangle", "wedge", "diamond", "square", "cross", "bar"]

BLACK: Color = (0, 0, 0)
WHITE: Color = (255, 255, 255)
ORANGE: Color = (230, 159, 0)
SKY: Color = (86, 180, 233)
GREEN: Color = (0, 158, 115)
YELLOW: Color = (240, 228, 66)
BLUE: Color = (0, 114, 178)
VERMILION: Color = (213, 94, 0)
PURPLE: Color = (204, 121, 167)


@dataclass(frozen=True)
class Theme:
    """Colors on one kind of picture.

    Parameters
    ----------
    surface, junction, fiber, counted, excluded, hatch : (int, int, int)
        Red, green, blue of each kind of line or mark.
    casing : (int, int, int)
        Color round every line, so that it is seen on any ground.
    page, ink, faint : (int, int, int)
        Ground and text of the strips above and below the picture.
    """

    surface: Color
    junction: Color
    fiber: Color
    counted: Color
    excluded: Color
    hatch: Color
    casing: Color
    page: Color
    ink: Color
    faint: Color


DARK = Theme(
    surface=SKY,
    junction=YELLOW,
    fiber=PURPLE,
    counted=ORANGE,
    excluded=WHITE,
    hatch=(150, 150, 150),
    casing=BLACK,
    page=(18, 18, 20),
    ink=(240, 240, 240),
    faint=(165, 165, 168),
)
LIGHT = Theme(
    surface=GREEN,
    junction=BLUE,
    fiber=PURPLE,
    counted=VERMILION,
    excluded=(40, 40, 40),
    hatch=(95, 95, 95),
    casing=WHITE,
    page=WHITE,
    ink=(20, 20, 22),
    faint=(95, 95, 98),
)


@dataclass(frozen=True)
class Mark:
    """How one class of candidates is shown and named in the legend."""

    shape: Shape
    label: str


_STRETCH = Mark("bar", "in an excluded stretch")
_REVIEWED = Mark("cross", "not counted in review")

MARKS: dict[str, Mark] = {
    "crosses": Mark("circle", "counted"),
    "fragment": Mark("triangle", "fragment"),
    "approaching": Mark("wedge", "approaching"),
    "dendritic_cell": Mark("diamond", "dendritic cell"),
    "same_fiber": Mark("square", "same fiber"),
    "junction_branch": Mark("square", "same fiber"),
    "too_faint": Mark("cross", "too faint or two depths"),
    "depth_mismatch": Mark("cross", "too faint or two depths"),
    "excluded_stretch": _STRETCH,
    "appendage": _STRETCH,
    "cut_edge": _STRETCH,
    "junction_low_confidence": _STRETCH,
    "reviewer_rejected": _REVIEWED,
    "reviewer_removed": _REVIEWED,
    "section_refused": Mark("bar", "not counted: section refused"),
}
"""Mark of every class of candidates, by reason."""

_OTHER = Mark("cross", "not counted")


def mark_for(reason: str, counted: bool) -> Mark:
    """Mark of a candidate; whatever is counted is shown as counted."""
    return MARKS["crosses"] if counted else MARKS.get(reason, _OTHER)
