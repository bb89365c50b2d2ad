"""Where a junction is drawn anew: the candidates are those that would be found if all were looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from counting_scenes import LENGTH_UM, Scene, scenes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ienfd.counting import Candidates, count_crossings, find, find_all
from ienfd.geometry import length, points_at, resample
from ienfd.protocol import CountingRules
from ienfd.result import Branch, Cell, FiberGraph, Findings, Piece
from ienfd.review.drawing import bent, handles, with_stretch

RULES = (
    CountingRules(),
    CountingRules(junction_branch="two", fragments="include", junction_band_um=6.0),
    CountingRules(dermal_branch="one", reentry="each", approach_um=25.0, min_reach_um=6.0),
)
JUNCTION_UM = 200.0  # row of the junction of a plexus


def side_by_side(every: Sequence[Scene], *, apart: bool) -> Findings:
    """Scenes in a row, with one junction, or each with its own."""
    nodes: list[np.ndarray] = []
    branches: list[Branch] = []
    cells: list[Cell] = []
    pieces: list[Piece] = []
    for number, one in enumerate(every):
        found = one.findings()
        shift = np.array([0.0, number * (LENGTH_UM + 1.0) / one.pixel_size_um])
        first = sum(len(own) for own in nodes)
        nodes.append(found.graph.nodes_px + shift)
        branches += [
            replace(b, start=b.start + first, end=b.end + first, path_px=b.path_px + shift)
            for b in found.graph.branches
        ]
        cells += [replace(c, col_px=c.col_px + shift[1]) for c in found.graph.cells]
        (piece,) = found.pieces
        pieces.append(
            replace(piece, surface_px=piece.surface_px + shift, junction_px=piece.junction_px + shift)
        )
    if not apart:
        surface = np.concatenate([one.surface_px for one in pieces])
        junction = np.concatenate([one.junction_px for one in pieces])
        pieces = [Piece(surface, junction, np.concatenate([one.junction_confidence for one in pieces]))]
    graph = FiberGraph(np.concatenate(nodes), tuple(branches), tuple(cells))
    return replace(found, pieces=tuple(pieces), graph=graph)


def plexus(seed: int, width_um: float = 600.0) -> Findings:
    """A web of fibers under and over a wavy junction: nearly all of it is one component."""
    rng = np.random.default_rng(seed)
    size = 0.5
    forks = int(0.15 * width_um)
    places = np.column_stack([rng.uniform(150.0, 320.0, forks), rng.uniform(5.0, width_um - 5.0, forks)])
    depth = rng.uniform(0.0, 6.0, forks)
    joined = {
        tuple(sorted((one, int(two))))
        for one in range(len(places))
        for two in np.argsort(np.hypot(*(places - places[one]).T))[1 : rng.integers(2, 5)]
    }
    branches = []
    for one, two in sorted(joined):
        path = resample(places[[one, two]] / size, 2.0)
        path[1:-1] += rng.normal(0.0, 0.6, (len(path) - 2, 2))
        bridged = rng.random(len(path)) < 0.1
        contrast, z_um = rng.uniform(3.0, 14.0, len(path)), np.linspace(depth[one], depth[two], len(path))
        branches.append(Branch(one, two, path, contrast, bridged, z_um, float(rng.uniform(0.8, 2.5))))
    along = np.arange(0.0, width_um, 2.0)
    wave = np.round(12.0 * np.sin(along / 25.0), 2)  # as stored
    junction = np.column_stack([JUNCTION_UM + wave, along]) / size
    surface = np.column_stack([np.full(len(along), 110.0), along]) / size
    cells = (Cell(380.0, 300.0, 4.0, 9.0), Cell(360.0, 700.0, 4.0, 9.0))
    piece = Piece(surface, junction, rng.uniform(0.3, 1.0, len(along)))
    graph = FiberGraph(places / size, tuple(branches), cells)
    return Findings("s", "k", "fluorescence", size, (800, 1200), (piece,), graph=graph)


@dataclass(frozen=True)
class Deed:
    """What a reviewer does with a junction; places are shares of its length, distances in micrometers."""

    kind: str
    piece: int
    start: float
    width_um: float
    down_um: float
    bulge_um: float

    def to(self, findings: Findings) -> Findings:
        index, size = self.piece % len(findings.pieces), findings.pixel_size_um or 1.0
        piece = findings.pieces[index]
        whole = length(piece.junction_px)
        at = self.start * whole
        course, trusted = piece.junction_px, piece.junction_confidence
        if self.kind == "drag":
            number = int(self.start * len(handles(piece, size)))
            place = handles(piece, size)[number] + np.array([self.down_um, self.bulge_um]) / size
            course = bent(piece, number, (float(place[0]), float(place[1])), size)
        elif self.kind == "draw":
            places = np.linspace(at, min(at + self.width_um / size, whole), 12)
            drawn = points_at(piece.junction_px, places)
            drawn[:, 0] += (self.down_um + self.bulge_um * np.sin(np.linspace(0.0, np.pi, 12))) / size
            course = with_stretch(piece, drawn)
        elif self.kind == "shorten":
            course = course[1:] if self.start < 0.5 else course[:-1]
        elif self.kind == "trust":
            first = int(self.start * len(course))
            trusted = trusted.copy()
            trusted[first : first + int(self.width_um)] = 1.0
        course = np.round(course, 2)
        if len(course) < 2 or length(course) <= 0:
            return findings
        known = dict(zip(map(tuple, piece.junction_px.tolist()), trusted.tolist(), strict=True))
        trusted = np.array([known.get(tuple(point), 1.0) for point in course.tolist()])
        redrawn = replace(piece, junction_px=course, junction_confidence=trusted)
        return replace(findings, pieces=(*findings.pieces[:index], redrawn, *findings.pieces[index + 1 :]))


DEEDS = st.builds(
    Deed,
    kind=st.sampled_from(["draw", "draw", "drag", "shorten", "trust"]),
    piece=st.integers(0, 2),
    start=st.floats(0.0, 0.95),
    width_um=st.floats(5.0, 250.0),
    down_um=st.floats(-20.0, 20.0),
    bulge_um=st.floats(-20.0, 20.0),
)


def everything(found: Candidates) -> list[tuple[Any, ...]]:
    """All that is known of the candidates; groups by the first of each."""
    groups: dict[int, int] = {}
    return [
        (
            one.spot, one.trusted_at, one.point_um.tolist(), repr(one.z_um), one.component, one.branches,
            repr(one.evidence), one.reason, groups.setdefault(one.group, len(groups)), one.stands,
        )
        for one in found.candidates
    ]  # fmt: skip


def renewed(findings: Findings, deeds: Sequence[Deed], rules: CountingRules) -> None:
    """Every step by what was known before it, and the way back: always what a look at all gives."""
    known = find_all(findings, rules)
    assert known is not None
    courses = [findings]
    for deed in deeds:
        courses.append(deed.to(courses[-1]))
    for course in [*courses, findings]:
        known, fresh = find_all(course, rules, known), find_all(course, rules)
        assert known is not None
        assert fresh is not None
        assert everything(known) == everything(fresh)
        assert known.cells == fresh.cells
        assert count_crossings(course, rules, known) == count_crossings(course, rules, fresh)


slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(slow, max_examples=40)
@given(
    every=st.lists(scenes(), min_size=1, max_size=3),
    apart=st.booleans(),
    deeds=st.lists(DEEDS, min_size=1, max_size=3),
    rules=st.sampled_from(RULES),
)
def test_drawn_scenes(every: list[Scene], apart: bool, deeds: list[Deed], rules: CountingRules) -> None:
    renewed(side_by_side(every, apart=apart), deeds, rules)


@settings(slow, max_examples=25)
@given(
    seed=st.integers(0, 10**6), deeds=st.lists(DEEDS, min_size=1, max_size=3), rules=st.sampled_from(RULES)
)
def test_a_plexus(seed: int, deeds: list[Deed], rules: CountingRules) -> None:
    renewed(plexus(seed), deeds, rules)


@pytest.mark.parametrize("kind", ["draw", "drag", "trust"])
def test_what_is_far_away_is_not_looked_for_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = plexus(3, width_um=2000.0)
    known = find_all(findings, CountingRules())
    assert known is not None
    course = Deed(kind, 0, 0.4, 60.0, 3.0, 2.0).to(findings)
    assert course.pieces[0] is not findings.pieces[0]
    fresh = find_all(course, CountingRules())
    monkeypatch.setattr(find, "_all", None)
    found = find_all(course, CountingRules(), known)
    assert found is not None
    assert fresh is not None
    assert everything(found) == everything(fresh)
    asked = np.concatenate([findings.graph.branches[k].path_px for k in np.flatnonzero(found.network.asked)])
    around_um = np.ptp(asked[:, 1]) * 0.5
    assert around_um < 800.0
    same = {id(one) for one in known.candidates} & {id(one) for one in found.candidates}
    assert len(same) > len(known.candidates) // 5
    assert find_all(course, CountingRules(), found) is found


def test_another_surface_or_another_rule_takes_a_look_at_all() -> None:
    findings = Scene([[(100.0, -9.0), (100.0, 30.0)], [(200.0, 20.0), (200.0, 50.0)]]).findings()
    known = find_all(findings, CountingRules())
    (piece,) = findings.pieces
    low = piece.surface_px + np.array([140.0, 0.0])
    lower = replace(findings, pieces=(replace(piece, surface_px=low),))
    for course, rules in (
        (lower, CountingRules()),
        (findings, CountingRules(min_reach_um=10.0, min_entry_um=10.0)),
    ):
        found, fresh = find_all(course, rules, known), find_all(course, rules)
        assert known is not None
        assert found is not None
        assert fresh is not None
        assert everything(found) == everything(fresh)
        assert everything(found) != everything(known)


def test_a_junction_without_any_fiber_is_redrawn() -> None:
    findings = replace(plexus(1), graph=FiberGraph(np.empty((0, 2))))
    renewed(findings, [Deed("draw", 0, 0.4, 60.0, 3.0, 2.0)], CountingRules())
