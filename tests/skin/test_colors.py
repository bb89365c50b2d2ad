"""The color of a photograph that draws the junction shows its membrane, however bright it is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ienfd.result import Piece
from ienfd.section import ChannelRole
from ienfd.skin.colors import told_by_junction
from ienfd.stain.grid import Grid
from ienfd.stain.overview import Overview

NERVE, MEMBRANE = ChannelRole.NERVE, ChannelRole.BASEMENT_MEMBRANE
SIZE, ROW = 400, 200
ROWS, COLS = np.indices((SIZE, SIZE))


def piece() -> Piece:
    cols = np.arange(0.0, SIZE)
    junction = np.column_stack([np.full(SIZE, float(ROW)), cols])
    return Piece(junction - [70, 0], junction, np.ones(SIZE))


def noise(seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, 0.05, (SIZE, SIZE))


def membrane(seed: int, *, broken: bool = False) -> NDArray[np.float64]:
    line = np.exp(-0.5 * ((ROWS - ROW - 4 * np.sin(COLS / 40)) / 1.5) ** 2)
    return np.asarray(noise(seed) + line * (COLS % 100 < 50 if broken else 1), float)


def nerves(seed: int) -> NDArray[np.float64]:
    lines = np.exp(-0.5 * (((COLS + ROWS / 3) % 80 - 40) / 1.2) ** 2)
    return np.asarray(noise(seed) + 2 * lines * (np.abs(ROWS - ROW) < 60), float)


def overview(*colors: NDArray[np.float64], nerve: int = 0) -> Overview:
    roles = tuple(NERVE if k == nerve else None for k in range(len(colors)))
    return Overview(
        Grid(1, 1.0), np.stack(colors).astype(np.float32), np.full(len(colors), 0.05), roles, None,
        np.zeros(len(colors)), np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), bool),
        samples=tuple(range(len(colors))),
    )  # fmt: skip


@pytest.mark.parametrize("nerve", [0, 1], ids=["taken for nerves", "known"])
def test_an_unbroken_line_along_the_junction_is_the_membrane(nerve: int) -> None:
    told = told_by_junction(overview(membrane(1), nerves(2), noise(3), nerve=nerve), [piece()])
    assert told.roles == (MEMBRANE, NERVE, None)
    assert told.nerve == 1


@pytest.mark.parametrize(
    "colors",
    [
        (nerves(1), noise(2), noise(3)),
        (membrane(1, broken=True), nerves(2), noise(3)),
        (membrane(1), membrane(2), noise(3)),  # light of the one is seen in the other
        (membrane(1),),
    ],
    ids=["nerves", "broken", "both", "one color"],
)
def test_else_nothing_is_known(colors: tuple[NDArray[np.float64], ...]) -> None:
    before = overview(*colors)
    assert told_by_junction(before, [piece()]) is before
    assert told_by_junction(before, []) is before
