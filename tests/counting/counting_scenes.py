"""Little drawn scenes: fibers as polylines of (along, height) in micrometers about a junction.

`along` runs to the right of the image, `height` is above the junction (epidermis) when positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from ienfd.geometry import resample
from ienfd.result import Branch, Cell, FiberGraph, Findings, Piece, Stretch

LENGTH_UM, DEPTH_UM, THICKNESS_UM = 400.0, 120.0, 80.0

Line = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Fiber:
    """A drawn line: its contrast, the ranges of it that are bridged, its depth at both ends, its caliber."""

    line: Line
    contrast: float = 10.0
    gaps: Sequence[tuple[float, float]] = ()
    z: tuple[float, float] | None = None
    width_um: float = 1.0


@dataclass(frozen=True)
class Scene:
    """Fibers, bodies of cells at (along, height, radius), and a junction that may undulate."""

    fibers: Sequence[Fiber | Line]
    cells: Sequence[tuple[float, float, float]] = ()
    wave_um: float = 0.0
    exclusions: tuple[Stretch, ...] = ()
    junction_confidence: float = 0.8
    cut_ends: tuple[bool, bool] = (False, False)
    refusal: str | None = None
    pixel_size_um: float = 0.5
    order: Sequence[int] = field(default_factory=tuple)

    def junction_height(self, along: np.ndarray) -> np.ndarray:
        return self.wave_um * np.sin(2 * np.pi * along / 100.0)

    def to_px(self, line: Line, step_um: float = 0.5) -> np.ndarray:
        drawn = resample(np.array(line, dtype=float), step_um)
        rows = DEPTH_UM - drawn[:, 1] - self.junction_height(drawn[:, 0])
        return np.stack([rows, drawn[:, 0]], axis=1) / self.pixel_size_um

    def findings(self) -> Findings:
        ends = ((0.0, 0.0), (LENGTH_UM, 0.0))
        junction, surface = self.to_px(ends), self.to_px([(a, THICKNESS_UM) for a, _ in ends])
        piece = Piece(surface, junction, np.full(len(junction), self.junction_confidence), self.cut_ends)
        nodes: list[np.ndarray] = []
        branches = []
        fibers = [one if isinstance(one, Fiber) else Fiber(one) for one in self.fibers]
        for fiber in fibers:
            path = self.to_px(fiber.line)
            along = np.linspace(0.0, 1.0, len(path))
            walked = along * float(np.hypot(*np.diff(np.array(fiber.line), axis=0).T).sum())
            bridged = np.zeros(len(path), dtype=bool)
            for start, end in fiber.gaps:
                bridged |= (walked > start) & (walked < end)
            ends_px = [_node(nodes, path[0]), _node(nodes, path[-1])]
            z_um = None if fiber.z is None else fiber.z[0] + along * (fiber.z[1] - fiber.z[0])
            branches.append(
                Branch(
                    ends_px[0],
                    ends_px[1],
                    path,
                    np.full(len(path), fiber.contrast),
                    bridged,
                    z_um,
                    fiber.width_um,
                )
            )
        cells = tuple(
            Cell(float(row), float(col), radius_um=radius, contrast=10.0)
            for a, h, radius in self.cells
            for row, col in self.to_px([(a, h), (a, h)])[:1]
        )
        return Findings(
            section_id="6b0f4a4e-1f7c-5a3e-8c88-1f2d7a5b9e10",
            analysis_key="key",
            stain="fluorescence",
            pixel_size_um=self.pixel_size_um,
            shape=(800, 800),
            pieces=(piece,),
            exclusions=self.exclusions,
            graph=FiberGraph(np.array(nodes).reshape(-1, 2), tuple(branches), cells),
            refusal=self.refusal,
        )


# heights off the round numbers at which a rule changes its mind
HEIGHTS = st.integers(-45, 60).map(lambda h: h + 0.37)
PLACES = st.integers(40, 360).map(lambda a: a + 0.11)
BENDS = st.lists(st.tuples(st.integers(-30, 30), HEIGHTS), min_size=1, max_size=3)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Up to five fibers; some start where another one ends."""
    fibers: list[Fiber] = []
    for _ in range(draw(st.integers(1, 5))):
        ends = [fiber.line[k] for fiber in fibers for k in (0, -1)]
        joins = bool(ends) and draw(st.booleans())
        along, height = draw(st.sampled_from(ends)) if joins else (draw(PLACES), draw(HEIGHTS))
        line = [(along, height)]
        for step, next_height in draw(BENDS):
            along = float(np.clip(along + step + 0.5, 5.0, LENGTH_UM - 5.0))
            line.append((along, next_height))
        gaps = [(10.2, 13.7)] if draw(st.booleans()) else []
        fibers.append(Fiber(line, contrast=draw(st.sampled_from([2.0, 5.0, 12.0])), gaps=gaps))
    cells = [(draw(PLACES), draw(st.integers(2, 40)) + 0.2, 4.0)] if draw(st.booleans()) else []
    return Scene(fibers, cells=cells, wave_um=draw(st.sampled_from([0.0, 12.0])))


def _node(nodes: list[np.ndarray], point: np.ndarray) -> int:
    for index, node in enumerate(nodes):
        if np.hypot(*(node - point)) < 0.01:
            return index
    nodes.append(point)
    return len(nodes) - 1
