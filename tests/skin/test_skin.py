"""Layers drawn plainly: the epidermis is found where it was drawn, at any angle, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from scipy import ndimage

from ienfd.analysis import find
from ienfd.geometry import Projector, length
from ienfd.protocol import ImageChoices, Protocol
from ienfd.result import FloatArray
from ienfd.section import Calibration, CalibrationSource, Channel, ChannelRole, Section
from ienfd.skin.epidermis import Skin, find_skin
from ienfd.skin.learned import Drawn, JunctionView, learned_junction
from ienfd.skin.strip import best_path
from ienfd.skin.tissue import find_tissue
from ienfd.stain.overview import make_overview, read_overview

PIXEL_UM = 1.0
SIZE = 700


def section_of(levels: np.ndarray) -> Section:
    rng = np.random.default_rng(5)
    soft = ndimage.gaussian_filter(levels, 1.0)
    grain = ndimage.gaussian_filter(rng.normal(0, 40, levels.shape), 1.5) * (levels > 100)
    image = soft + grain + rng.normal(0, 4, levels.shape)
    return Section(
        np.clip(image, 0, 4000)[None, :, :, None].astype(np.uint16),
        Calibration(PIXEL_UM, CalibrationSource.OME),
        (Channel("PGP9.5", ChannelRole.NERVE),),
        bit_depth=12,
    )


def skin_of(levels: np.ndarray) -> Skin:
    return skin_in(section_of(levels))


def skin_in(section: Section) -> Skin:
    overview = make_overview(section, read_overview(section), "fluorescence")
    return find_skin(overview, find_tissue(overview), None, learned_junction)


def layered(depth_um: np.ndarray) -> np.ndarray:
    """Glass, corneum of 15 um, epidermis of 70 um, dermis, by depth below the outline."""
    return np.select([depth_um < 0, depth_um < 15, depth_um < 85], [40.0, 1600.0, 500.0], 900.0)


def depth_at(angle_deg: float) -> np.ndarray:
    rows, cols = np.indices((SIZE, SIZE)) - SIZE / 2
    angle = np.deg2rad(angle_deg)
    return np.asarray(rows * np.cos(angle) + cols * np.sin(angle) + 120.0)


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 205.0])
def test_a_straight_junction_at_any_angle(angle_deg: float) -> None:
    depth = depth_at(angle_deg)
    skin = skin_of(layered(depth))
    assert len(skin.pieces) == 1
    piece = skin.pieces[0]
    at = [ndimage.map_coordinates(depth, curve.T, order=1) for curve in (piece.surface_px, piece.junction_px)]
    assert float(np.median(np.abs(at[0] - 15))) < 2.5
    assert float(np.median(np.abs(at[1] - 85))) < 2.0
    assert length(piece.junction_px) > 600
    assert np.abs(at[0] - 15)[2:-2].max() < 2.5  # straight on to the border of the image
    # the epidermis lies on the left of the junction
    assert (Projector(piece.junction_px)(piece.surface_px[20:-20]).signed > 0).all()
    assert float(np.median(piece.junction_confidence)) > 0.7


def test_a_wavy_junction() -> None:
    depth = depth_at(0.0)
    wave = 12 * np.sin(np.arange(SIZE) / 100 * 2 * np.pi)[None, :]
    levels = np.where((depth >= 15) & (depth < 85 + wave), 500.0, layered(depth))
    levels[(depth >= 85 + wave)] = 900.0
    piece = skin_of(levels).pieces[0]
    truth = np.column_stack([SIZE / 2 - 120 + 85 + wave[0], np.arange(SIZE)])
    away = np.abs(Projector(truth)(piece.junction_px).signed)
    assert float(away.mean()) < 2.0


def test_glass_alone_has_no_skin() -> None:
    assert skin_of(np.full((SIZE, SIZE), 40.0)).pieces == ()


def test_of_tissue_without_layers_nothing_is_sure() -> None:
    depth = depth_at(0.0)
    pieces = skin_of(np.where(depth < 0, 40.0, 900.0)).pieces
    assert all(float(piece.junction_confidence.mean()) < 0.5 for piece in pieces)


def test_the_best_path_is_the_cheapest_smooth_one() -> None:
    cost = np.ones((5, 7))
    cost[[0, 1, 2, 3, 4], [1, 2, 3, 4, 5]] = 0.0
    assert best_path(cost, max_step=1, step_cost=0.1).tolist() == [1, 2, 3, 4, 5]
    assert np.abs(np.diff(best_path(cost, max_step=1, step_cost=5.0))).max() == 0


def _at_depth(depth: FloatArray, curve: FloatArray) -> float:
    return float(np.median(ndimage.map_coordinates(depth, curve.T, order=1, mode="nearest")))


def test_lines_reach_the_image_border() -> None:
    piece = skin_of(layered(depth_at(0.0))).pieces[0]
    for curve in (piece.junction_px, piece.surface_px):
        assert sorted((curve[0, 1], curve[-1, 1])) == pytest.approx([0, SIZE - 1], abs=5)


def test_lines_end_with_the_tissue() -> None:
    levels = layered(depth_at(0.0))
    levels[:, :100] = 40.0
    levels[:, -100:] = 40.0
    piece = skin_of(levels).pieces[0]
    for curve in (piece.junction_px, piece.surface_px):
        assert sorted((curve[0, 1], curve[-1, 1])) == pytest.approx([100, SIZE - 101], abs=8)


def test_a_missing_corneum_does_not_push_the_surface_inwards() -> None:
    depth = depth_at(0.0)
    levels = np.select([depth < 0, depth < 70], [40.0, 500.0], 900.0)
    piece = skin_of(levels).pieces[0]
    assert -2.0 < _at_depth(depth, piece.surface_px) < 12.0
    assert _at_depth(depth, piece.junction_px) == pytest.approx(70, abs=2)


def test_below_the_thick_corneum_of_a_palm() -> None:
    depth = depth_at(0.0)
    wave = 12 * np.sin(np.arange(SIZE) / 100 * 2 * np.pi)[None, :]
    corneum, viable = (depth > 0) & (depth < 160), (depth >= 160) & (depth < 250 + wave)
    nerve = section_of(np.select([depth < 0, corneum, viable], [40.0, 1500.0, 700.0], 900.0))
    spots = ndimage.gaussian_filter(np.random.default_rng(6).normal(0, 1, depth.shape), 3.0)
    nuclei = section_of(np.where(viable & (spots > 0), 1500.0, np.where(depth < 0, 40.0, 200.0)))
    channels = (*nerve.channels, Channel("DAPI", ChannelRole.NUCLEI))
    both = replace(nerve, pixels=np.concatenate([nerve.pixels, nuclei.pixels], axis=3), channels=channels)
    (piece,) = skin_in(both).pieces
    assert _at_depth(depth, piece.surface_px) == pytest.approx(160, abs=10)
    assert _at_depth(depth, piece.junction_px) == pytest.approx(250, abs=8)


@pytest.mark.parametrize("thickness_um", [60, 90, 160])
def test_thick_corneum_is_known_by_its_lamellae(thickness_um: float) -> None:
    depth = depth_at(20.0)
    wave = 12 * np.sin(depth_at(110.0) / 100 * 2 * np.pi)
    lamellae = 1500.0 + 500 * np.sin(depth / 9 * 2 * np.pi)
    below = depth - thickness_um
    levels = np.select([depth < 0, below < 0, below < 90 + wave], [40.0, lamellae, 500.0], 900.0)
    (piece,) = skin_of(levels).pieces
    assert _at_depth(below, piece.surface_px) == pytest.approx(15, abs=20)
    assert _at_depth(below, piece.junction_px) == pytest.approx(90, abs=5)


def test_two_pieces_of_tissue() -> None:
    levels = layered(depth_at(0.0))
    levels[:, 330:370] = 40.0
    pieces = skin_of(levels).pieces
    assert len(pieces) == 2
    assert sum(length(piece.junction_px) for piece in pieces) == pytest.approx(SIZE - 40, abs=20)


def test_a_surface_that_leaves_the_image_and_returns() -> None:
    rows, cols = np.indices((SIZE, SIZE))
    outline = 200 - 215 * np.exp(-(((cols - SIZE / 2) / 200) ** 2))
    (piece,) = skin_of(layered((rows - outline).astype(float))).pieces
    assert sorted((piece.junction_px[0, 1], piece.junction_px[-1, 1])) == pytest.approx([0, SIZE - 1], abs=8)


@pytest.mark.parametrize(("angle_deg", "phase"), [(20.0, 0.25), (40.0, 0.75)])
def test_a_junction_that_leaves_the_image_beside_a_ridge_ends_at_its_border(
    angle_deg: float, phase: float
) -> None:
    depth, along = depth_at(angle_deg), depth_at(angle_deg + 90)
    wave = 40 * np.sin((-(along - 120) / 120 + phase) * 2 * np.pi)
    (piece,) = skin_of(np.where((depth >= 15) & (depth < 85 + wave), 500.0, layered(depth))).pieces
    ends = piece.junction_px[[0, -1]]
    assert np.minimum(ends, SIZE - 1 - ends).min(axis=1) == pytest.approx(0, abs=3)


def test_a_flake_does_not_part_the_surface() -> None:
    depth = depth_at(0.0)
    _, cols = np.indices((SIZE, SIZE))
    levels = layered(depth)
    # a piece of corneum stands up from it
    levels[(depth < 5) & (depth > -40) & (np.abs(cols - 350 + 2 * depth) < 30)] = 1600.0
    pieces = skin_of(levels).pieces
    assert sum(length(piece.surface_px) for piece in pieces) == pytest.approx(SIZE, rel=0.12)
    assert sum(length(piece.junction_px) for piece in pieces) == pytest.approx(SIZE, abs=30)


@pytest.mark.parametrize(
    ("by", "dermis", "times"), [("network", 560.0, 1), ("section", 560.0, 0), ("network", 900.0, 0)]
)
def test_the_network_is_asked_where_the_protocol_says_so_and_the_edge_is_not_plain(
    by: Literal["network", "section"], dermis: float, times: int
) -> None:
    asked: list[JunctionView] = []

    def draw(view: JunctionView) -> Drawn:
        asked.append(view)
        return learned_junction(view)

    depth = depth_at(0.0)
    levels = np.select([depth < 0, depth < 15, depth < 85], [40.0, 1600.0, 500.0], dermis)
    found = find(
        section_of(levels), Protocol(image=ImageChoices(stain="fluorescence", junction_by=by)), draw=draw
    )
    assert len(found.pieces) == 1
    assert len(asked) == times
    assert _at_depth(depth, found.pieces[0].junction_px) == pytest.approx(85, abs=3)
