"""Stretches of epidermis beside one another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from ienfd.result import Piece
from ienfd.section import ChannelRole
from ienfd.skin.candidates import Candidate, agreeing
from ienfd.skin.epidermis import _is_all_epidermis, _lies_below, _may_be_dermis
from ienfd.stain.grid import Grid

if TYPE_CHECKING:
    from ienfd.stain.overview import Overview

NUCLEI = np.array([1.0, 0.0])
GRID = Grid(1, 1.0)
TISSUE = np.ones((600, 300), bool)


def stretch(
    row: float,
    *,
    up: bool = True,
    region: int = 1,
    cells: float = 1.0,
    weight: float = 1.0,
    first: float = 0.0,
    sure: float = 1.0,
) -> Candidate:
    """A straight junction at a row of the image, with its epidermis above it, or below."""
    cols = np.arange(first, first + 300.0)
    along = np.column_stack([np.full(len(cols), row), cols])
    junction = along if up else along[::-1]  # epidermis on its left
    surface = junction + np.array([-70 if up else 70, 0])
    piece = Piece(surface, junction, np.full(len(along), sure), (False, False))
    return Candidate(piece, region, np.array([cells, 1.0]), weight)


def test_one_piece_of_tissue_has_no_epidermis_on_two_opposite_sides() -> None:
    plainer, other = stretch(100, up=True, weight=2.0), stretch(500, up=False)
    assert agreeing([other, plainer], TISSUE, GRID) == [plainer]


def test_two_pieces_of_tissue_may_face_away_from_each_other() -> None:
    plainer, other = stretch(100, up=True, weight=2.0), stretch(500, up=False, region=2)
    assert agreeing([other, plainer], TISSUE, GRID) == [plainer, other]


def test_so_may_two_pieces_that_touch_and_seem_to_be_one() -> None:
    plainer, other = stretch(100, up=True, weight=2.0), stretch(500, up=False)
    touching = TISSUE.copy()
    touching[290:310, :200] = False
    assert agreeing([other, plainer], touching, GRID) == [plainer, other]


@pytest.mark.parametrize("first", [200.0, 290.0, 310.0])
def test_what_two_stretches_would_claim_is_left_to_the_plainer(first: float) -> None:
    plainer, other = stretch(100, up=True, weight=2.0), stretch(100, up=True, first=first)
    wide = np.ones((600, 700), bool)
    one, rest = agreeing([other, plainer], wide, GRID)
    assert one is plainer
    assert rest.piece.junction_px[0, 1] == max(first, 299 + 15)
    assert rest.piece.junction_px[-1, 1] == first + 299
    assert abs(rest.piece.surface_px[0, 1] - rest.piece.junction_px[0, 1]) < 75
    assert rest.piece.surface_px[:, 1].min() > 299 - 75


def test_too_little_is_no_stretch() -> None:
    plainer, other = stretch(100, up=True, weight=2.0), stretch(100, up=True, first=60.0)
    assert agreeing([other, plainer], np.ones((600, 700), bool), GRID) == [plainer]


def test_one_junction_of_thin_tissue_has_its_epidermis_on_the_plainer_side() -> None:
    plainer, other = stretch(100, up=True, weight=2.0), stretch(110, up=False, region=2)
    assert agreeing([other, plainer], TISSUE, GRID) == [plainer]


@pytest.mark.parametrize(
    ("below", "lies_below"),
    [
        (stretch(200, up=True), True),
        (stretch(200, up=True, cells=-1.0), False),
        (stretch(500, up=False), False),
        (stretch(200, up=True, weight=0.7), True),
        (stretch(200, up=True, weight=0.2), False),
    ],
    ids=["epidermis", "without nuclei", "the other side", "less plain", "hardly anything"],
)
def test_below_corneum_an_epidermis_with_nuclei_is_sought_that_faces_the_same_way(
    below: Candidate, lies_below: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ienfd.skin.epidermis.cellularity", lambda overview: NUCLEI)
    overview = cast("Overview", None)
    assert _lies_below([stretch(100, up=True, cells=-1.0)], [below], overview) is lies_below


def plexus_at(row: int) -> NDArray[np.bool_]:
    """Nerves in a layer of 20 pixels."""
    nerves = np.zeros((600, 300), bool)
    nerves[row - 10 : row + 10] = True
    return nerves


@pytest.mark.parametrize(
    ("found", "plexus_row", "may_be"),
    [
        (stretch(200), 220, False),
        (stretch(200, sure=0.5), 220, True),
        (stretch(200), 170, True),
    ],
    ids=["above its plexus", "hardly sure", "below the plexus"],
)
def test_dermis_may_have_been_taken_for_an_epidermis(found: Candidate, plexus_row: int, may_be: bool) -> None:
    assert _may_be_dermis([found], GRID, plexus_at(plexus_row)) is may_be


@pytest.mark.parametrize(
    ("bare", "plexus_row", "is_all"),
    [
        (stretch(130), 150, True),
        (stretch(130, sure=0.6), 150, False),
        (stretch(130, weight=0.5), 150, False),
        (stretch(130, cells=-1.0), 150, False),
        (stretch(130), 220, False),
    ],
    ids=["bare", "hardly sure", "less plain", "fewer nuclei", "an epidermis above the plexus: corneum"],
)
def test_what_seemed_to_be_corneum_is_all_of_the_epidermis(
    bare: Candidate, plexus_row: int, is_all: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ienfd.skin.epidermis.cellularity", lambda overview: NUCLEI)
    overview = cast("Overview", SimpleNamespace(grid=GRID, signals=(), roles=()))
    found = [stretch(200, sure=0.5, weight=0.9)]
    assert _is_all_epidermis([bare], found, overview, plexus_at(plexus_row)) is is_all


@pytest.mark.parametrize(
    ("membrane_row", "is_all"),
    [(130, True), (200, False), (None, False)],
    ids=["below what seemed to be corneum", "below what seemed to be epidermis", "nowhere"],
)
def test_a_membrane_tells_epidermis_far_above_its_nerves_from_corneum(
    membrane_row: int | None, is_all: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ienfd.skin.epidermis.cellularity", lambda overview: NUCLEI)
    signal = np.random.default_rng(1).normal(0, 0.1, TISSUE.shape).astype(np.float32)
    if membrane_row is not None:
        signal[membrane_row - 1 : membrane_row + 2] += 3
    roles = (ChannelRole.BASEMENT_MEMBRANE,)
    overview = cast("Overview", SimpleNamespace(grid=GRID, signals=(signal,), roles=roles))
    found = [stretch(200, sure=0.5, weight=0.9)]
    assert _is_all_epidermis([stretch(130)], found, overview, plexus_at(260)) is is_all
