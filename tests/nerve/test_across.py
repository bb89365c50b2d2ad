"""Across a fiber the junction goes on as it comes to it, where the fiber looks like dermis."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.nerve.across import across_fibers
from ienfd.result import Branch, FiberGraph, FloatArray, Piece
from ienfd.section import ChannelRole
from ienfd.stain.grid import Grid
from ienfd.stain.overview import Overview

PIXEL_UM, FACTOR = 0.5, 2
ROW_UM, CLIMB_UM, FIBER_UM = 100.0, 9.0, 150.0


def overview(epidermis: float, dermis: float) -> Overview:
    """A micrometer a pixel, epidermis above a straight junction."""
    rows = np.indices((200, 300))[0]
    signal = np.where(rows < ROW_UM, epidermis, dermis).astype(np.float32)
    return Overview(
        Grid(FACTOR, PIXEL_UM * FACTOR),
        signal[None],
        np.array([0.01]),
        (ChannelRole.NERVE,),
        None,
        np.zeros(1),
        np.zeros(signal.shape, np.float32),
        np.zeros(signal.shape, bool),
    )


def climbing() -> Piece:
    """A junction that climbs up along the fiber, with the epidermis on its left."""
    col_um = np.arange(0.0, 300.0)
    row_um = ROW_UM - CLIMB_UM * np.exp(-0.5 * ((col_um - FIBER_UM) / 4) ** 2)
    return Piece(
        surface_px=np.column_stack([np.full(300, 20.0), col_um]) / PIXEL_UM,
        junction_px=np.column_stack([row_um, col_um]) / PIXEL_UM,
        junction_confidence=np.where(col_um < FIBER_UM, 0.9, 0.5),
    )


def fiber(col_um: float = FIBER_UM) -> FiberGraph:
    path = np.column_stack([np.arange(40.0, 160.0), np.full(120, col_um)]) / PIXEL_UM
    branch = Branch(0, 1, path, np.full(120, 20.0), np.zeros(120, bool))
    return FiberGraph(path[[0, -1]], (branch,), ())


def climb_um(piece: Piece) -> float:
    return float(ROW_UM - piece.junction_px[:, 0].min() * PIXEL_UM)


def far_from_fiber(junction_px: FloatArray) -> FloatArray:
    return junction_px[np.abs(junction_px[:, 1] * PIXEL_UM - FIBER_UM) > 30]


def test_a_bright_dermis_is_not_drawn_up_along_a_fiber() -> None:
    drawn = across_fibers(climbing(), fiber(), overview(1.0, 2.0))
    assert climb_um(drawn) < 0.4 * CLIMB_UM
    assert far_from_fiber(drawn.junction_px)[:, 0] * PIXEL_UM == pytest.approx(ROW_UM, abs=0.2)
    assert drawn.junction_px[[0, -1]] == pytest.approx(climbing().junction_px[[0, -1]])
    assert len(drawn.junction_confidence) == len(drawn.junction_px)
    assert np.interp(
        [100, 200], drawn.junction_px[:, 1] * PIXEL_UM, drawn.junction_confidence
    ) == pytest.approx([0.9, 0.5])


def test_elsewhere_what_was_found_stays() -> None:
    drawn = across_fibers(climbing(), fiber(col_um=250.0), overview(1.0, 2.0))
    assert climb_um(drawn) == pytest.approx(CLIMB_UM, abs=0.1)


def test_a_fiber_is_no_part_of_a_bright_epidermis() -> None:
    piece = climbing()
    assert across_fibers(piece, fiber(), overview(2.0, 1.0)) is piece


def test_without_fibers_nothing_is_in_the_way() -> None:
    piece = climbing()
    assert across_fibers(piece, FiberGraph(np.empty((0, 2)), (), ()), overview(1.0, 2.0)) is piece
