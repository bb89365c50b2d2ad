"""Surface of the skin that goes on where no epidermis was found."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.protocol import QualityBounds
from ienfd.quality.checks import check_unread
from ienfd.quality.unread import unread_fraction
from ienfd.result import Piece
from ienfd.skin.outline import trace_outlines
from ienfd.skin.tissue import Tissue
from ienfd.stain.grid import Grid

GRID = Grid(2, 2.0)  # the image has pixels of 1 um


def tissue(*boxes: tuple[slice, slice]) -> Tissue:
    """Rectangles of tissue on 800 x 1600 um of glass."""
    mask = np.zeros((400, 800), bool)
    for box in boxes:
        mask[box] = True
    return Tissue(mask, trace_outlines(mask.astype(np.float32), GRID.pixel_size_um))


def piece(first_um: float, last_um: float, surface_um: float = 200.0) -> Piece:
    """An epidermis of 60 um below a level surface."""
    cols = np.arange(first_um, last_um)
    surface, junction = (
        np.column_stack([np.full(len(cols), depth), cols]) for depth in (surface_um, surface_um + 60)
    )
    return Piece(surface, junction, np.ones(len(cols)))


PUNCH = (slice(100, 350), slice(100, 700))  # from 200 to 1400 um, glass all round
WHOLE_FIELD = (slice(100, 400), slice(0, 800))  # the image cuts it on three sides


@pytest.mark.parametrize("box", [PUNCH, WHOLE_FIELD], ids=["punch", "field"])
def test_cut_sides_and_image_borders_are_no_surface(box: tuple[slice, slice]) -> None:
    first, last = box[1].start * 2, box[1].stop * 2
    assert unread_fraction([piece(first, last)], tissue(box), GRID) == 0.0


def test_half_a_surface() -> None:
    fraction = unread_fraction([piece(200, 800)], tissue(PUNCH), GRID)
    assert fraction == pytest.approx((600 - 60) / (1200 - 60), abs=0.03)


def test_a_second_piece_of_tissue_that_was_not_read() -> None:
    one, other = (slice(100, 350), slice(50, 350)), (slice(120, 350), slice(450, 750))
    fraction = unread_fraction([piece(100, 700)], tissue(one, other), GRID)
    assert fraction == pytest.approx(0.5, abs=0.03)


def test_only_much_of_it_is_worth_a_word() -> None:
    bounds = QualityBounds()
    assert check_unread(0.12, bounds).flag is None
    assert check_unread(0.2, bounds).flag == "partly_unread"
    assert check_unread(0.4, bounds).measure == ("unread_fraction", 0.4)
