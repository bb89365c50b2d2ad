"""Lines without a color of their own are no nerves."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.protocol import QualityBounds
from ienfd.quality.nerves import check_plexus, clear_fibers, nerve_color_is_seen, nerves_are_seen
from ienfd.result import Branch, FiberGraph, Piece
from ienfd.stain.chromogen import DAB, EOSIN, HEMATOXYLIN, Chromogen

PURPLE = np.array([0.45, 0.81, 0.37])


def lines(color: np.ndarray, agreement: float, by_eye: float) -> Chromogen:
    unit = color / np.linalg.norm(color)
    return Chromogen(unit, unit, np.eye(3), 10.0, 0.3, agreement, by_eye)


@pytest.mark.parametrize(
    ("name", "chromogen", "refusal"),
    [
        ("brown lines", lines(DAB, 1.0, 1.0), None),
        ("one purple stain and nothing else", lines(PURPLE, 0.25, 0.98), None),
        ("lines of many colors", lines(PURPLE, 0.25, 0.8), "no_nerve_signal"),
        ("nuclei among other lines", lines(HEMATOXYLIN, 0.8, 1.0), "no_nerve_signal"),
        ("nuclei, or purple nerves: their length will tell", lines(HEMATOXYLIN, 1.0, 1.0), None),
        ("purple nerves alone, or nuclei alone: so will it here", lines(HEMATOXYLIN, 0.2, 0.95), None),
        ("nuclei and whatever else", lines(HEMATOXYLIN, 0.2, 0.8), "no_nerve_signal"),
        ("collagen alone", lines(EOSIN, 0.2, 0.95), "no_nerve_signal"),
        ("nuclei of real skin", lines(np.array([0.70, 0.62, 0.34]), 0.6, 0.8), "no_nerve_signal"),
        ("a blue-grey stain", lines(np.array([0.72, 0.56, 0.41]), 0.75, 0.9), None),
        ("collagen among other lines", lines(EOSIN, 0.8, 1.0), "no_nerve_signal"),
    ],
)
def test_lines_have_one_color_and_it_is_no_counterstain(
    name: str, chromogen: Chromogen, refusal: str | None
) -> None:
    assert nerve_color_is_seen(chromogen).refusal == refusal, name


def test_where_nothing_but_nerves_is_stained_lines_may_have_any_color() -> None:
    blue = lines(HEMATOXYLIN, 0.8, 1.0)
    assert nerve_color_is_seen(blue, counterstained=False).refusal is None
    of_many = lines(HEMATOXYLIN, 0.25, 0.8)
    assert nerve_color_is_seen(of_many, counterstained=False).refusal == "no_nerve_signal"


@pytest.mark.parametrize(("color", "near"), [(DAB, None), (PURPLE, "hematoxylin"), (EOSIN, "eosin")])
def test_purple_is_near_the_color_of_nuclei_and_brown_is_not(color: np.ndarray, near: str | None) -> None:
    assert lines(color, 1.0, 1.0).near_counterstain == near


@pytest.mark.parametrize(
    ("name", "lengths_um", "near", "refusal"),
    [
        ("rows of nuclei", [20.0] * 40, "hematoxylin", "no_nerve_signal"),
        ("as many purple fibers", [80.0] * 10, "hematoxylin", None),
        ("short brown fibers", [20.0] * 40, None, None),
        ("few of them", [20.0] * 4, None, "no_nerve_stain"),
    ],
)
def test_in_the_color_of_nuclei_fibers_are_told_by_their_length(
    name: str, lengths_um: list[float], near: str | None, refusal: str | None
) -> None:
    junction = np.stack([np.full(101, 100.0), np.linspace(0, 1000, 101)], 1)
    ends = [np.array([[120.0, 9.0 * k], [120.0 + um, 9.0 * k]]) for k, um in enumerate(lengths_um)]
    branches = tuple(Branch(0, 1, path, np.full(2, 20.0), np.zeros(2, bool)) for path in ends)
    piece = Piece(junction - (50.0, 0.0), junction, np.ones(101))
    graph = FiberGraph(np.zeros((2, 2)), branches)
    fibers = clear_fibers(graph, [piece], 1.0, lambda at: np.full(len(at), 99.0))
    check = nerves_are_seen(fibers, QualityBounds(), near)
    assert check.refusal == refusal, name


@pytest.mark.parametrize(
    ("depths_um", "flag"),
    [
        ((20.0, 90.0, 30.0), None),  # a plexus, and a nerve that leads to it
        ((90.0, 120.0, 150.0), "nerves_far_below"),
        ((90.0, 30.0, 120.0), "nerves_far_below"),
        ((250.0, 300.0, 350.0), None),  # bundles, and no plexus anywhere
        ((-20.0, -30.0, 90.0), None),  # within the epidermis; one alone is too little
    ],
)
def test_a_plexus_far_below_makes_the_junction_doubtful(
    depths_um: tuple[float, ...], flag: str | None
) -> None:
    """A junction of 1 mm along row 400, and nerves of 80 um at such depths below it."""
    junction = np.array([[400.0, 0.0], [400.0, 1000.0]])
    piece = Piece(junction - [100.0, 0.0], junction, np.ones(2))
    paths = [np.array([[400.0 + depth, 300.0], [400.0 + depth, 380.0]]) for depth in depths_um]
    branches = tuple(Branch(0, 1, path, np.full(2, 20.0), np.zeros(2, bool), None, 2.0) for path in paths)
    assert check_plexus(FiberGraph(np.zeros((2, 2)), branches), [piece], 1.0).flag == flag
