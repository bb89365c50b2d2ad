from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ienfd.protocol import LengthLine
from ienfd.result import Lengths, Piece, Stretch
from ienfd.skin.lengths import effective_exclusions, line_lengths_um, measure, reason_at, stretch_outline_px

LINES: tuple[LengthLine, ...] = ("surface", "junction", "chord")


def turned(points: np.ndarray, angle_deg: float) -> np.ndarray:
    """(along, height) as (row, col), turned on the image."""
    turn = np.radians(angle_deg)
    along, up = np.array([np.sin(turn), np.cos(turn)]), np.array([-np.cos(turn), np.sin(turn)])
    return np.asarray(points[:, :1] * along + points[:, 1:] * up)


def piece(
    length_um: float = 1000.0,
    angle_deg: float = 0.0,
    pixel_size_um: float = 0.5,
    wave_um: float = 0.0,
    cut_ends: tuple[bool, bool] = (False, False),
) -> Piece:
    along = np.linspace(0.0, length_um, int(length_um / pixel_size_um) + 1)
    height = wave_um * np.sin(2 * np.pi * along / 100.0)
    junction = turned(np.stack([along, height], axis=1), angle_deg) / pixel_size_um
    surface = turned(np.stack([along, np.full_like(along, 80.0)], axis=1), angle_deg) / pixel_size_um
    return Piece(surface, junction, np.ones(len(junction)), cut_ends)


def arc_piece(radius_um: float, angle: float) -> Piece:
    turn = np.linspace(0.0, angle, 6000)
    outward = np.stack([-np.cos(turn), np.sin(turn)], axis=1)
    return Piece((radius_um + 80.0) * outward, radius_um * outward, np.ones(len(turn)))


def lengths(
    pieces: list[Piece], *stretches: Stretch, line: LengthLine = "surface", px: float = 0.5, cut: float = 0
) -> Lengths:
    return measure(pieces, stretches, pixel_size_um=px, line=line, cut_edge_um=cut)


@pytest.mark.parametrize("angle_deg", [0.0, 22.5, 45.0])
def test_a_straight_section_has_its_length_on_every_line(angle_deg: float) -> None:
    found = lengths([piece(angle_deg=angle_deg)])
    assert (found.surface_mm, found.junction_mm, found.chord_mm) == pytest.approx((1.0, 1.0, 1.0), rel=1e-9)


@pytest.mark.parametrize("angle_deg", [0.0, 22.5, 45.0])
def test_a_traced_chain_of_pixels_does_not_add_length(angle_deg: float) -> None:
    smooth = piece(angle_deg=angle_deg)
    chain = Piece(np.round(smooth.surface_px), np.round(smooth.junction_px), smooth.junction_confidence)
    found = lengths([chain])
    assert (found.surface_mm, found.junction_mm, found.chord_mm) == pytest.approx((1.0, 1.0, 1.0), rel=5e-3)


def test_an_arc_has_its_length() -> None:
    found = lengths([arc_piece(2000.0, 1.2)], px=1.0)
    assert found.junction_mm == pytest.approx(2.4, rel=1e-4)
    assert found.surface_mm == pytest.approx(2.08 * 1.2, rel=1e-4)
    assert found.chord_mm == pytest.approx(2.08 * 1.2, rel=5e-3)


def test_an_undulating_junction_is_longer_and_its_chord_is_not() -> None:
    found = lengths([piece(wave_um=15.0)])
    slope = 2 * np.pi * 15.0 / 100.0
    phase = np.linspace(0.0, 2 * np.pi, 20001)
    true_mm = float(np.sqrt(1 + (slope * np.cos(phase)) ** 2).mean())
    assert found.junction_mm == pytest.approx(true_mm, rel=0.01)
    assert found.chord_mm == pytest.approx(1.0, rel=1e-6)


def test_the_lengths_do_not_depend_on_the_pixel_size() -> None:
    coarse, fine = (lengths([piece(wave_um=15.0, pixel_size_um=px)], px=px) for px in (0.65, 0.16))
    assert fine.junction_mm == pytest.approx(coarse.junction_mm, rel=2e-3)
    assert fine.surface_mm == pytest.approx(coarse.surface_mm, rel=2e-3)


def test_pieces_add_up() -> None:
    assert lengths([piece(), piece(500.0)]).surface_mm == pytest.approx(1.5)
    assert lengths([]) == Lengths(0.0, 0.0, 0.0, 0.0, 0.0, "surface")


@pytest.mark.parametrize("line", LINES)
def test_an_exclusion_takes_its_share_of_every_line(line: LengthLine) -> None:
    # whole waves: the stretch of junction above 200 um of surface
    wavy = piece(wave_um=15.0)
    whole_um = line_lengths_um(wavy, 0.5)[0][-1]
    stretch = Stretch(0, 0.3 * whole_um, 0.5 * whole_um, "excluded_stretch")
    found = lengths([wavy], stretch, line=line)
    whole = {"surface": found.surface_mm, "junction": found.junction_mm, "chord": found.chord_mm}[line]
    assert found.excluded_mm == pytest.approx(0.2 * whole, rel=0.02)
    assert found.excluded_mm + found.evaluable_mm == pytest.approx(whole)


@pytest.mark.parametrize("line", LINES)
def test_excluding_all_leaves_nothing(line: LengthLine) -> None:
    found = lengths([piece(wave_um=15.0)], Stretch(0, -5.0, 1e6, "excluded_stretch"), line=line)
    assert found.evaluable_mm == pytest.approx(0.0, abs=1e-12)


def test_an_arc_takes_more_from_its_outer_line() -> None:
    found = lengths([arc_piece(400.0, 1.5)], Stretch(0, 200.0, 400.0, "excluded_stretch"), px=1.0)
    assert found.excluded_mm == pytest.approx(0.2 * 480.0 / 400.0, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8), st.sampled_from(LINES))
def test_what_is_cut_into_parts_adds_up(cuts: list[float], line: LengthLine) -> None:
    wavy = piece(400.0, wave_um=15.0)
    whole_um = line_lengths_um(wavy, 0.5)[0][-1]
    at = sorted(cuts)
    parts = [Stretch(0, a * whole_um, b * whole_um, "excluded_stretch") for a, b in itertools.pairwise(at)]
    once = lengths([wavy], Stretch(0, at[0] * whole_um, at[-1] * whole_um, "excluded_stretch"), line=line)
    assert lengths([wavy], *parts, line=line).excluded_mm == pytest.approx(once.excluded_mm, abs=1e-9)
    assert sum(lengths([wavy], part, line=line).excluded_mm for part in parts) == pytest.approx(
        once.excluded_mm, abs=1e-9
    )


def test_overlapping_exclusions_count_once() -> None:
    found = lengths([piece()], Stretch(0, 100, 300, "excluded_stretch"), Stretch(0, 200, 400, "appendage"))
    assert found.excluded_mm == pytest.approx(0.3, rel=1e-6)


def test_overlaps_are_disjoint_and_the_stronger_reason_is_on_top() -> None:
    made = effective_exclusions(
        [piece(cut_ends=(True, True))],
        [Stretch(0, 30, 200, "junction_low_confidence"), Stretch(0, 150, 170, "excluded_stretch"),
         Stretch(0, 990, 1200, "junction_low_confidence"), Stretch(0, 170, 180, "excluded_stretch")],
        pixel_size_um=0.5,
        cut_edge_um=50.0,
    )  # fmt: skip
    assert [(round(s.start_um), round(s.end_um), s.reason) for s in made] == [
        (0, 30, "cut_edge"),
        (30, 150, "junction_low_confidence"),
        (150, 180, "excluded_stretch"),
        (180, 200, "junction_low_confidence"),
        (950, 990, "cut_edge"),
        (990, 1000, "junction_low_confidence"),
    ]
    assert reason_at(made, 0, 160.0) == "excluded_stretch"
    assert reason_at(made, 0, 500.0) is None
    assert reason_at(made, 1, 160.0) is None


def test_cut_ends_are_left_out_by_option_and_the_border_of_the_image_never() -> None:
    assert lengths([piece(cut_ends=(True, False))], cut=60.0).excluded_mm == pytest.approx(0.06, rel=1e-6)
    assert lengths([piece(cut_ends=(True, True))], cut=60.0).excluded_mm == pytest.approx(0.12, rel=1e-6)
    assert lengths([piece()], cut=60.0).excluded_mm == 0.0
    assert lengths([piece(100.0, cut_ends=(True, True))], cut=60.0).evaluable_mm == pytest.approx(
        0.0, abs=1e-9
    )


def test_a_stretch_must_make_sense() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        lengths([piece()], Stretch(1, 0, 10, "excluded_stretch"))
    with pytest.raises(ValueError, match="backwards"):
        lengths([piece()], Stretch(0, 10, 0, "excluded_stretch"))


def test_the_way_along_every_line_never_goes_back() -> None:
    # an overhanging ridge: the nearest place of the surface would run backwards
    along = np.linspace(0.0, 400.0, 801)
    lean = 40.0 * np.sin(2 * np.pi * along / 100.0)
    junction = np.stack([150.0 + 30.0 * np.cos(2 * np.pi * along / 100.0), along + lean], axis=1)
    surface = np.stack([np.full_like(along, 40.0), along], axis=1)
    position, passed = line_lengths_um(Piece(surface, junction, np.ones(801)), 1.0)
    for line in LINES:
        assert (np.diff(passed[line]) >= 0).all()
        assert passed[line][0] == 0.0
        assert len(passed[line]) == len(position)


def test_the_outline_of_a_stretch_is_the_epidermis_above_it() -> None:
    outline = stretch_outline_px(piece(), Stretch(0, 200.0, 300.0, "excluded_stretch"), 0.5)
    assert outline[:, 1].min() == pytest.approx(400.0, abs=3.0)
    assert outline[:, 1].max() == pytest.approx(600.0, abs=3.0)
    assert sorted({round(row) for row in outline[:, 0]}) == [-160, 0]
