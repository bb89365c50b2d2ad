"""Outlines are taken apart at their corners, and only there."""

from __future__ import annotations

import itertools

import numpy as np

from ienfd.result import FloatArray
from ienfd.skin.faces import find_faces
from ienfd.skin.outline import Outline
from ienfd.skin.strip import COARSE_STEP_UM


def walk(*corners: tuple[float, float]) -> FloatArray:
    """A polyline through corners, at steps of about one pixel."""
    parts = [
        np.linspace(a, b, int(np.hypot(b[0] - a[0], b[1] - a[1])))[:-1]
        for a, b in itertools.pairwise(corners)
    ]
    return np.concatenate([*parts, [corners[-1]]])


def outline_of(points: FloatArray, *, closed: bool) -> Outline:
    return Outline(points, closed, np.zeros(len(points), bool))


def test_a_rectangle_has_four_faces() -> None:
    outline = outline_of(walk((0, 0), (0, 600), (400, 600), (400, 0), (0, 0)), closed=True)
    faces = find_faces([outline], 1.0)
    assert sorted(round(len(face.points) * COARSE_STEP_UM, -2) for face in faces) == [400, 400, 600, 600]
    assert all(face.corners == (True, True) for face in faces)


def test_a_round_piece_has_one_face_without_corners() -> None:
    angle = np.linspace(0, 2 * np.pi, 2000)
    outline = outline_of(300 * np.column_stack([np.sin(angle), np.cos(angle)]), closed=True)
    (face,) = find_faces([outline], 1.0)
    assert face.corners == (False, False)
    assert len(face.points) * COARSE_STEP_UM > 2 * np.pi * 295


def test_the_image_border_is_no_corner() -> None:
    (face,) = find_faces([outline_of(walk((100, 0), (100, 800)), closed=False)], 1.0)
    assert face.corners == (False, False)
    assert np.abs(face.points[:, 0] - 100).max() < 0.01


def test_a_cut_side_ends_a_face() -> None:
    faces = find_faces([outline_of(walk((500, 100), (100, 100), (100, 700)), closed=False)], 1.0)
    assert sorted(face.corners for face in faces) == [(False, True), (True, False)]


def test_short_stretches_are_no_faces() -> None:
    assert find_faces([outline_of(walk((0, 0), (0, 80)), closed=False)], 1.0) == ()
