"""A surface ends with its junction, with the tissue, or with the image."""

from __future__ import annotations

import numpy as np

from ienfd.result import FloatArray
from ienfd.skin.surface import opposite_part

TISSUE = np.zeros((300, 400), bool)
TISSUE[40:, 50:] = True  # cut on the left; the image border on the right


def across(row: float, first: float, last: float) -> FloatArray:
    cols = np.arange(first, last + 1)
    return np.column_stack([np.full(len(cols), row), cols])


def ends(surface: FloatArray, junction: FloatArray) -> tuple[float, float]:
    part = opposite_part(surface, junction, TISSUE, 1.0)
    return float(part[0, 1]), float(part[-1, 1])


def test_at_a_cut_end_it_ends_with_the_tissue() -> None:
    first, _ = ends(across(50, 0, 399), across(120, 52, 380))
    assert first == 50.0


def test_at_the_image_border_it_ends_with_the_image() -> None:
    _, last = ends(across(50, 0, 430), across(120, 52, 395))
    assert last == 399.0


def test_where_the_junction_is_lost_it_ends_opposite() -> None:
    first, last = ends(across(50, 0, 399), across(120, 150, 250))
    assert abs(first - 150) <= 2
    assert abs(last - 250) <= 2


def test_it_runs_in_the_sense_of_the_junction() -> None:
    first, last = ends(across(50, 0, 399)[::-1], across(120, 150, 250))
    assert first < last


def test_no_surface_lies_opposite_a_junction_elsewhere() -> None:
    assert len(opposite_part(across(50, 0, 100), across(120, 200, 300), TISSUE, 1.0)) == 0


def test_beside_the_tissue_it_is_still_its_surface() -> None:
    surface = across(50, 0, 399)
    surface[150:300, 0] = 30  # 10 um above the edge of the tissue, for longer than any tear
    part = opposite_part(surface, across(120, 52, 380), TISSUE, 1.0)
    assert len(part) > 340


def test_it_is_parted_between_the_junctions_below_it() -> None:
    left, right = across(120, 52, 200), across(120, 260, 395)
    surface = across(50, 0, 399)
    one = opposite_part(surface, left, TISSUE, 1.0, [right])
    other = opposite_part(surface, right, TISSUE, 1.0, [left])
    assert one[-1, 1] <= 230 <= other[0, 1]
