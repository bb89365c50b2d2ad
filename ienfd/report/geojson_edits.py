"""What somebody has changed in an exported section, as edits of the log.

The file is compared with the section as it was exported, object by object. Crossings can be deleted,
added, moved and classified otherwise; stretches can be excluded by an area, and taken in by deleting the
area that excludes them. Whatever else was changed is said, and left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import dist
from uuid import UUID, uuid5

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ienfd.correction.commands import (
    Edit,
    add_crossing,
    exclude_stretch,
    include_stretch,
    move_crossing,
    reclassify_crossing,
    remove_crossing,
)
from ienfd.geometry import arc_lengths, length, points_at
from ienfd.report.geojson import TO_CORNER_PX
from ienfd.report.geojson_reading import Place, ReadObject
from ienfd.report.geojson_state import ExportedState
from ienfd.result import Crossing, Findings, Piece, Stretch

__all__ = ["Changes", "Exported", "changes"]

_SAME_PX = 0.02  # places are written to a hundredth
_SAME_AREA_PX = 0.05  # mean width between two outlines that are the same
_SHORTEST_UM = 1.0
_BEYOND_PX = 0.05  # that nothing is left of a stretch that is taken in, ends being rounded
_COUNTED, _NOT_COUNTED = "crossing: counted", "crossing: not counted"
_EXCLUSION = "exclusion"
_NAMES_SHOWN, _LETTERS_SHOWN = 5, 60


@dataclass(frozen=True, eq=False)
class Exported:
    """A section as it was exported.

    Parameters
    ----------
    objects : tuple of ReadObject
        As they were written.
    crossings : mapping of str to Crossing
        Its candidates by their ids, as they stand.
    exclusions : mapping of str to Stretch
        All its exclusions by their ids.
    findings : Findings
        With its junction.
    known_ids : frozenset of str
        Ids that the log of the section holds: a new crossing cannot have one of them.
    """

    objects: tuple[ReadObject, ...]
    crossings: Mapping[str, Crossing]
    exclusions: Mapping[str, Stretch]
    findings: Findings
    known_ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Changes:
    """What was changed: what becomes of it, and what could not be understood.

    Parameters
    ----------
    edits : tuple of Edit
        Commands of the log, crossings first.
    left_alone : tuple of str
        What was not understood or cannot be changed this way, one sentence each.
    """

    edits: tuple[Edit, ...]
    left_alone: tuple[str, ...] = ()


def changes(edited: Sequence[ReadObject], exported: Exported, why: str = "") -> Changes:
    """Compare a file with the section as it was exported.

    A file without one of its junctions is taken for a part of the section, such as the objects that were
    selected: what is missing in it is not taken for deleted.

    Parameters
    ----------
    edited : sequence of ReadObject
        Objects of the file.
    exported : Exported
        The section.
    why : str
        The person's reason, of every edit.
    """
    return _Comparison(edited, exported, why).changes()


@dataclass(eq=False)
class _Comparison:
    edited: Sequence[ReadObject]
    exported: Exported
    why: str
    crossings: list[Edit] = field(default_factory=list)
    stretches: list[Edit] = field(default_factory=list)
    said: dict[str, list[tuple[ReadObject, Place | None]]] = field(default_factory=dict)

    def changes(self) -> Changes:
        before = {one.object_id: one for one in self.exported.objects}
        after: dict[str | None, ReadObject] = {}
        new, twice = [], set()
        for one in self.edited:
            if one.object_id not in before or one.object_id is None:
                new.append(one)
            elif one.object_id in after:
                twice.add(one.object_id)
            after.setdefault(one.object_id, one)
        for object_id, old in before.items():
            if object_id in twice:
                self._say("stands more than once in the file", old)
            elif object_id in after:
                self._changed(old, after[object_id])
        self._missing([old for object_id, old in before.items() if object_id not in after])
        for one in new:
            self._new(one)
        said = tuple(f"{text}: {_listed(names)}" for text, names in self.said.items())
        return Changes((*self.crossings, *self.stretches), said)

    def _missing(self, missing: Sequence[ReadObject]) -> None:
        if any(old.kind == "junction" for old in missing):
            for old in missing:
                self._say("missing, but so is a Junction: the file is a part of the section", old)
            return
        for old in missing:
            crossing = self.exported.crossings.get(old.object_id or "")
            if crossing is not None and old.kind == _COUNTED:
                self.crossings.append(remove_crossing(crossing, self.why))
            elif crossing is not None:
                self._say("missing, but was not counted anyway", old)
            elif old.kind == _EXCLUSION:
                self._include(old)
            else:
                self._say("missing, but lines are not changed this way", old)

    def _changed(self, old: ReadObject, new: ReadObject) -> None:
        if new.name != old.name:
            self._say("has another name", old)
        rest = ExportedState.without_tags
        if new.metadata and rest(new.metadata) != rest(old.metadata):
            self._say("has other metadata", old)
        crossing = self.exported.crossings.get(old.object_id or "")
        if crossing is not None:
            self._changed_crossing(crossing, old, new)
        elif new.kind != old.kind:
            self._say(f"has another class ({_class(new)})", old)
        elif not _same(old, new):
            if old.kind == _EXCLUSION:
                if self._include(old):
                    self._exclude(new)
            else:
                self._say("has another shape, but lines are not changed this way", old)

    def _changed_crossing(self, crossing: Crossing, old: ReadObject, new: ReadObject) -> None:
        places = new.places
        here = (old.places or ((crossing.row_px, crossing.col_px),))[0]
        if not places:
            self._say("is no point any more", old)
            return
        nearest = min(places, key=lambda place: dist(place, here))
        if dist(nearest, here) > _SAME_PX:
            if self._is_inside(nearest):
                self.crossings.append(move_crossing(crossing, *nearest, why=self.why))
            else:
                self._say("was moved out of the image", old)
        if new.kind != old.kind:
            if new.kind in (_COUNTED, _NOT_COUNTED):
                self.crossings.append(reclassify_crossing(crossing, new.kind == _COUNTED, self.why))
            else:
                self._say(f"has another class ({_class(new)})", old)
        others = list(places)
        others.remove(nearest)
        if others:  # points that were set while it was selected
            self._add(replace(new, object_id=None), others)

    def _new(self, one: ReadObject) -> None:
        places = one.places
        if one.kind in (_COUNTED, "crossing") and places:
            self._add(one, places)
        elif one.kind == _EXCLUSION and places is None:
            self._exclude(one)
        elif not one.kind:
            self._say("is new and has no class", one)
        else:
            shape = one.geometry.get("type", "no geometry")
            self._say(f"is new, and nothing that ienfd takes ({_class(one)}, {shape})", one)

    def _add(self, one: ReadObject, places: Sequence[Place]) -> None:
        if one.kind not in (_COUNTED, "crossing"):
            for place in places:
                self._say(f"is new, and nothing that ienfd takes ({_class(one)}, Point)", one, place)
            return
        if one.name and one.object_id is not None:
            self._say("is added without its name", one)
        if one.geometry.get("plane"):
            self._say("is added without its plane", one)
        for number, place in enumerate(places):
            if not self._is_inside(place):
                self._say("is new, and lies outside the image", one, place)
                continue
            edit = add_crossing(*place, why=self.why)
            own = one.object_id
            if own is not None and number:
                own = str(uuid5(UUID(own), str(number)))
            taken = {e.object_id for e in self.crossings} | self.exported.known_ids
            if own is not None and own not in taken:  # the same object keeps its id
                edit = replace(edit, object_id=own)
            self.crossings.append(edit)

    def _include(self, old: ReadObject) -> bool:
        """Take in the stretch of an exclusion; False where that cannot be."""
        stretch = self.exported.exclusions.get(old.object_id or "")
        size = self.exported.findings.pixel_size_um
        if stretch is None or size is None:
            self._say("cannot be taken in", old)
            return False
        if stretch.reason == "cut_edge":
            self._say("is a cut end, which the protocol leaves out", old)
            return False
        junction = self.exported.findings.pieces[stretch.piece].junction_px
        at = np.array([stretch.start_um, stretch.end_um]) / size + [-_BEYOND_PX, _BEYOND_PX]
        ends = points_at(junction, np.clip(at, 0.0, length(junction)))
        self.stretches.append(include_stretch(ends[0], ends[1], self.why))
        return True

    def _exclude(self, one: ReadObject) -> None:
        """Leave out what of the junction lies in an area."""
        area, size = one.drawn(), self.exported.findings.pixel_size_um
        if area is None or area.area <= 0 or size is None:
            self._say("is an exclusion, but no area", one)
            return
        found = [ends for piece in self.exported.findings.pieces for ends in _inside(piece, area, size)]
        if not found:
            self._say("is an exclusion that holds nothing of the junction", one)
        self.stretches += [exclude_stretch(*ends, self.why) for ends in found]

    def _is_inside(self, place: Place) -> bool:
        return all(
            -0.5 <= at <= size - 0.5 for at, size in zip(place, self.exported.findings.shape, strict=True)
        )

    def _say(self, text: str, one: ReadObject, place: Place | None = None) -> None:
        self.said.setdefault(text, []).append((one, place))


def _inside(piece: Piece, area: BaseGeometry, size_um: float) -> Iterator[tuple[Place, Place]]:
    """Ends of what of a junction lies in an area, along it."""
    junction = piece.junction_px
    corners, arc = junction[:, ::-1] + TO_CORNER_PX, arc_lengths(junction)
    spans = []
    # step by step, so that a junction that comes back to where it was is not taken for one that stays
    steps = np.asarray(shapely.linestrings(np.stack([corners[:-1], corners[1:]], axis=1)))
    shapely.prepare(area)
    for number in np.flatnonzero((np.diff(arc) > 0) & shapely.intersects(area, steps)):
        for part in shapely.get_parts(shapely.intersection(area, steps[number])):
            along = np.hypot(*(shapely.get_coordinates(part) - corners[number]).T)
            spans.append((float(arc[number] + along.min()), float(arc[number] + along.max())))
    for start, end in _joined(spans):
        if (end - start) * size_um >= _SHORTEST_UM:
            one, two = points_at(junction, [start, end])
            yield (float(one[0]), float(one[1])), (float(two[0]), float(two[1]))


def _joined(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + _SAME_PX:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _same(old: ReadObject, new: ReadObject) -> bool:
    """Whether two objects have one shape, however their points are written."""
    if old.geometry.get("coordinates") == new.geometry.get("coordinates"):
        return True
    one, two = old.drawn(), new.drawn()
    if one is None or two is None:
        return False
    if one.equals_exact(two, _SAME_PX) or one.normalize().equals_exact(two.normalize(), _SAME_PX):
        return True
    if one.area > 0 and two.area > 0:
        return bool(one.symmetric_difference(two).area <= _SAME_AREA_PX * one.length)
    return bool((one.area > 0) == (two.area > 0) and one.hausdorff_distance(two) <= _SAME_PX)


def _somewhere(one: ReadObject) -> Place | None:
    """A place at which a person finds it."""
    drawn = one.drawn()
    if drawn is None or drawn.is_empty:
        return None
    x, y = shapely.get_coordinates(drawn.representative_point())[0]
    return float(y) - TO_CORNER_PX, float(x) - TO_CORNER_PX


def _class(one: ReadObject) -> str:
    return ": ".join(one.classes)[:_LETTERS_SHOWN] or "no class"


def _listed(objects: Sequence[tuple[ReadObject, Place | None]]) -> str:
    more = f" and {len(objects) - _NAMES_SHOWN} more" if len(objects) > _NAMES_SHOWN else ""
    return f"{'; '.join(_named(*one) for one in objects[:_NAMES_SHOWN])}{more}"


def _named(one: ReadObject, place: Place | None) -> str:
    """An object in words, with a place at which a person finds it."""
    what = one.classes[0] if one.classes else "object"
    number = f" {one.name}" if one.name and place is None else ""
    at = place or _somewhere(one)
    where = f" at row {at[0]:.0f}, column {at[1]:.0f}" if at is not None else ""
    return f"{(what + number)[:_LETTERS_SHOWN]}{where}"
