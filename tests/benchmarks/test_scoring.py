"""The measure itself, on scenes whose score can be counted by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.scoring import curve_distance_um, match, pool, refused_score, relative_error, score_section


@dataclass(frozen=True)
class Scene:
    name: str
    true: list[tuple[float, float]]
    counted: list[tuple[float, float]]
    matched: int
    spurious: int
    missed: int
    pixel_size_um: float = 1.0


SCENES = [
    Scene("nothing at all", [], [], 0, 0, 0),
    Scene("all missed", [(0, 0), (0, 50)], [], 0, 0, 2),
    Scene("all spurious", [], [(0, 0)], 0, 1, 0),
    Scene("exact", [(5, 5)], [(5, 5)], 1, 0, 0),
    Scene("just within", [(0, 0)], [(6, 8)], 1, 0, 0),
    Scene("just beyond", [(0, 0)], [(6, 8.1)], 0, 1, 1),
    Scene("within in pixels, beyond in micrometers", [(0, 0)], [(0, 9)], 0, 1, 1, pixel_size_um=2.0),
    Scene("two counted at one true", [(0, 0)], [(0, 1), (0, 2)], 1, 1, 0),
    Scene("one counted between two true", [(0, 0), (0, 8)], [(0, 4)], 1, 0, 1),
    # nearest first would pair (0, 6) with (0, 8) and leave two over
    Scene("a chain", [(0, 0), (0, 8)], [(0, 6), (0, 15)], 2, 0, 0),
]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_crossings(scene: Scene) -> None:
    score = score_section(
        "s", "bright-field", np.array(scene.true), np.array(scene.counted), scene.pixel_size_um
    )
    assert (score.matched, score.spurious, score.missed) == (scene.matched, scene.spurious, scene.missed)


def test_among_equal_numbers_of_pairs_the_closest_are_taken() -> None:
    pairs = match(np.array([[0.0, 0.0], [0.0, 3.0]]), np.array([[0.0, 3.1], [0.0, 0.1]]), 1.0)
    assert sorted(pairs) == [(0, 1), (1, 0)]


def test_parallel_lines_are_as_far_apart_as_they_are() -> None:
    true = [np.array([[0.0, 0.0], [0.0, 100.0]])]
    found = [np.array([[10.0, 0.0], [10.0, 100.0]])]
    assert curve_distance_um(true, found, 0.5) == pytest.approx(5.0)
    assert curve_distance_um(true, true, 0.5) == pytest.approx(0.0)


def test_half_a_junction_is_not_a_good_junction() -> None:
    true = [np.array([[0.0, 0.0], [0.0, 200.0]])]
    half = [np.array([[0.0, 0.0], [0.0, 100.0]])]
    # one way nothing is lost, the other way half of the points lie 0 to 100 um off: (0 + 25) / 2
    assert curve_distance_um(true, half, 1.0) == pytest.approx(12.5, rel=0.02)
    assert curve_distance_um(true, half, 1.0) == curve_distance_um(half, true, 1.0)


def test_no_junction_has_no_distance() -> None:
    assert np.isnan(curve_distance_um([np.array([[0.0, 0.0], [0.0, 9.0]])], [], 1.0))
    assert np.isnan(relative_error(None, 1.2))
    assert relative_error(1.5, 1.2) == pytest.approx(0.25)


def test_a_refused_section_is_missed_in_recall_and_absent_in_medians() -> None:
    good = score_section(
        "a", "bright-field",
        np.array([[0.0, 0.0], [0.0, 90.0]]), np.array([[0.0, 0.0], [0.0, 90.0], [0.0, 40.0]]), 1.0,
        junction_mm=(1.0, 0.9), surface_mm=(1.0, 1.1),
    )  # fmt: skip
    pooled = pool([good, refused_score("b", "bright-field", "refused", 2)])
    assert (pooled.sections, pooled.refused, pooled.failed) == (2, 1, 0)
    assert pooled.precision == pytest.approx(2 / 3)
    assert pooled.recall == pytest.approx(2 / 4)
    assert pooled.f1 == pytest.approx(2 * 2 / (4 + 1 + 2))
    assert pooled.junction_length_error == pytest.approx(0.1)
    assert pooled.surface_length_error == pytest.approx(0.1)


def test_nothing_to_find_and_nothing_found_has_no_score() -> None:
    pooled = pool([refused_score("a", "fluorescence", "refused", 0)])
    assert np.isnan(pooled.f1)
    assert np.isnan(pooled.precision)
