"""What must not change a count: where the section lies, how it was turned, how finely it was scanned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from counting_scenes import PLACES, Fiber, Scene, scenes
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ienfd.counting import count_crossings
from ienfd.protocol import CountingRules
from ienfd.result import Branch, Cell, FiberGraph, Findings, Piece

Points = Callable[[np.ndarray], np.ndarray]


def summary(findings: Findings) -> tuple[int, Counter[str]]:
    crossings = count_crossings(findings, CountingRules())
    return sum(c.counted for c in crossings), Counter(c.reason for c in crossings)


def moved(findings: Findings, points: Points, *, mirrored: bool = False) -> Findings:
    def line(polyline: np.ndarray) -> np.ndarray:
        return points(polyline)[:: -1 if mirrored else 1]

    pieces = tuple(
        Piece(
            line(piece.surface_px),
            line(piece.junction_px),
            piece.junction_confidence[:: -1 if mirrored else 1],
            (piece.cut_ends[1], piece.cut_ends[0]) if mirrored else piece.cut_ends,
        )
        for piece in findings.pieces
    )
    graph = findings.graph
    cells = tuple(
        Cell(float(row), float(col), c.radius_um, c.contrast)
        for c in graph.cells
        for row, col in points(np.array([[c.row_px, c.col_px]]))
    )
    branches = tuple(replace(branch, path_px=points(branch.path_px)) for branch in graph.branches)
    return replace(findings, pieces=pieces, graph=FiberGraph(points(graph.nodes_px), branches, cells))


def backward(branch: Branch) -> Branch:
    return Branch(
        branch.end, branch.start, branch.path_px[::-1], branch.contrast[::-1], branch.bridged[::-1], None
    )


quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(scene=scenes(), shift=st.tuples(st.integers(-500, 5000), st.integers(-500, 5000)))
def test_translation(scene: Scene, shift: tuple[int, int]) -> None:
    findings = scene.findings()
    there = moved(findings, lambda p: p + np.array(shift) + 0.3)
    assert summary(there) == summary(findings)
    here = [c.junction_position_um for c in count_crossings(findings, CountingRules())]
    assert [c.junction_position_um for c in count_crossings(there, CountingRules())] == pytest.approx(
        here, abs=1e-5
    )


@quick
@given(scene=scenes(), turns=st.integers(1, 3))
def test_rotation_by_right_angles(scene: Scene, turns: int) -> None:
    findings = scene.findings()

    def turned(p: np.ndarray) -> np.ndarray:
        for _ in range(turns):
            p = np.stack([p[:, 1], 799.0 - p[:, 0]], axis=1)
        return p

    assert summary(moved(findings, turned)) == summary(findings)


TURNS_NEARLY_BACK = Scene(
    fibers=[
        Fiber([(40.11, -2.63), (39.61, 4.37)], contrast=2.0),
        Fiber([(39.61, 4.37), (48.11, 1.37), (49.61, -0.63)], contrast=2.0),
    ]
)


@quick
@given(scene=scenes())
@example(scene=TURNS_NEARLY_BACK)
def test_mirroring(scene: Scene) -> None:
    findings = scene.findings()
    mirror = moved(findings, lambda p: np.stack([p[:, 0], 799.0 - p[:, 1]], axis=1), mirrored=True)
    assert summary(mirror) == summary(findings)


@quick
@given(scene=scenes(), pixel_size_um=st.sampled_from([0.16, 0.25, 0.65, 1.0]))
def test_scale(scene: Scene, pixel_size_um: float) -> None:
    findings = scene.findings()
    factor = scene.pixel_size_um / pixel_size_um
    scaled = moved(findings, lambda p: p * factor)
    assert summary(replace(scaled, pixel_size_um=pixel_size_um)) == summary(findings)


@quick
@given(scene=scenes(), data=st.data())
def test_order_and_direction_of_branches(scene: Scene, data: st.DataObject) -> None:
    findings = scene.findings()
    branches = data.draw(st.permutations(findings.graph.branches))
    turned = tuple(backward(b) if data.draw(st.booleans()) else b for b in branches)
    shuffled = replace(findings, graph=replace(findings.graph, branches=turned))
    assert summary(shuffled) == summary(findings)
    ids = {c.crossing_id for c in count_crossings(findings, CountingRules())}
    assert {c.crossing_id for c in count_crossings(shuffled, CountingRules())} == ids


@quick
@given(scene=scenes(), start=PLACES, width=st.integers(1, 80))
def test_an_exclusion_only_takes_out_what_lies_in_it(scene: Scene, start: float, width: int) -> None:
    from ienfd.result import Stretch

    findings = scene.findings()
    stretch = Stretch(0, start, start + width, "excluded_stretch")
    before = count_crossings(findings, CountingRules())
    after = count_crossings(replace(findings, exclusions=(stretch,)), CountingRules())
    assert [c.crossing_id for c in after] == [c.crossing_id for c in before]
    for one, other in zip(before, after, strict=True):
        inside = start <= one.junction_position_um <= start + width
        assert (other.reason == "excluded_stretch") >= inside
        assert not (inside and other.counted)
