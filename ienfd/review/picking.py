"""What a person has picked on a sheet: what lies at a place, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ienfd.correction.commands import LoggedEdit
from ienfd.correction.geometry import nearest_piece
from ienfd.geometry import arc_lengths
from ienfd.result import Crossing, Stretch
from ienfd.review.explain import explain_crossing, explain_stretch, said_of
from ienfd.review.readings import marks
from ienfd.review.sheet import Sheet
from ienfd.skin.lengths import effective_exclusions

__all__ = [
    "REACH_UM",
    "Selection",
    "explain",
    "mark_at",
    "nearest_crossing",
    "of_crossing",
    "of_mark",
    "pick",
    "stretches",
]

REACH_UM = 8.0
"""How near to an object a person has to point."""


@dataclass(frozen=True)
class Selection:
    """A candidate, a blind mark, an excluded stretch, or a place on the junction.

    Parameters
    ----------
    kind : {"crossing", "mark", "stretch", "junction"}
        What it is.
    object_id : str
        Its id; for a stretch its index among all of them, for a place on the junction its piece.
    place_px : (float, float)
        Where, (row, col).
    """

    kind: Literal["crossing", "mark", "stretch", "junction"]
    object_id: str
    place_px: tuple[float, float]


def of_crossing(crossing: Crossing) -> Selection:
    """A candidate as what is picked."""
    return Selection("crossing", crossing.crossing_id, (crossing.row_px, crossing.col_px))


def of_mark(mark: LoggedEdit) -> Selection:
    """A blind mark as what is picked; `mark` is the entry that set it."""
    after = mark.edit.after or {}
    return Selection("mark", mark.edit.object_id or "", (float(after["row_px"]), float(after["col_px"])))


def pick(sheet: Sheet, place_px: tuple[float, float], within_um: float = REACH_UM) -> Selection | None:
    """The candidate, the excluded stretch or the place on the junction that lies at a place."""
    near = nearest_crossing(sheet, place_px, within_um)
    if near is not None:
        return of_crossing(near)
    on = nearest_piece(sheet.result.findings.pieces, place_px)
    if on is None or on[2] * sheet.pixel_size_um > within_um:
        return None
    at_um = on[1] * sheet.pixel_size_um
    for index, stretch in enumerate(stretches(sheet)):
        if stretch.piece == on[0] and stretch.start_um <= at_um <= stretch.end_um:
            return Selection("stretch", str(index), place_px)
    return Selection("junction", str(on[0]), place_px)


def mark_at(
    sheet: Sheet, who: str, place_px: tuple[float, float], within_um: float = REACH_UM
) -> Selection | None:
    """The mark of a blind reader that lies at a place."""
    own = [of_mark(mark) for mark in marks(sheet.log, who)]
    near = [(_distance_um(sheet, place_px, one.place_px), one) for one in own]
    best = min(near, key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] <= within_um else None


def nearest_crossing(
    sheet: Sheet, place_px: tuple[float, float], within_um: float = REACH_UM
) -> Crossing | None:
    """The candidate nearest to a place; of two at the same place the one that is counted."""
    near = [
        (_distance_um(sheet, place_px, (c.row_px, c.col_px)), not c.counted, c.crossing_id, c)
        for c in sheet.result.crossings
    ]
    best = min(near, key=lambda one: one[:3], default=None)
    return best[3] if best is not None and best[0] <= within_um else None


def stretches(sheet: Sheet) -> list[Stretch]:
    """All stretches that are not evaluated, cut ends included."""
    return list(
        effective_exclusions(
            sheet.result.findings.pieces,
            sheet.result.findings.exclusions,
            pixel_size_um=sheet.pixel_size_um,
            cut_edge_um=sheet.protocol.counting.cut_edge_um,
        )
    )


def explain(sheet: Sheet, picked: Selection | None) -> list[str]:
    """What is picked, why it was decided so, and what was done to it; one sentence a line."""
    if picked is None:
        return []
    if picked.kind == "mark":
        return ["A mark of this blind reading."]
    if picked.kind == "stretch":
        every = stretches(sheet)
        index = int(picked.object_id)
        return explain_stretch(every[index]) if index < len(every) else []
    if picked.kind == "junction":
        return _of_junction(sheet, picked)
    crossing = sheet.crossing(picked.object_id)
    if crossing is None:
        return []
    number = sheet.numbers().get(crossing.crossing_id)
    return [*explain_crossing(crossing, number), *said_of(sheet.history(crossing.crossing_id))]


def _of_junction(sheet: Sheet, picked: Selection) -> list[str]:
    piece = sheet.result.findings.pieces[int(picked.object_id)]
    on = nearest_piece([piece], picked.place_px)
    if on is None:
        return []
    sure = float(np.interp(on[1], arc_lengths(piece.junction_px), piece.junction_confidence))
    at_mm = on[1] * sheet.pixel_size_um / 1000
    return [f"The junction, {at_mm:.2f} mm from its start.", f"That it runs here: {sure:.0%} sure."]


def _distance_um(sheet: Sheet, one: Sequence[float], other: Sequence[float]) -> float:
    return sheet.pixel_size_um * float(np.hypot(one[0] - other[0], one[1] - other[1]))
