"""Figures of quality: a good image is within all bounds, one that is spoilt is flagged for what it is."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from quality_scenes import analyzed, as_section, blurred, folded, phantom, saturated

import ienfd
from ienfd.analysis_key import analysis_key, rules_key
from ienfd.protocol import Protocol, QualityBounds
from ienfd.quality.checks import check_course, check_image, fold_fraction
from ienfd.quality.course import Course
from ienfd.quality.image import ImageFigures
from ienfd.quality.section import check_junction, uncertain_stretches
from ienfd.reasons import REASONS, Effect
from ienfd.report.columns import QUALITY_FIGURES
from ienfd.result import Piece, Stretch

BOUNDS = QualityBounds()
LEVEL = Course(np.zeros(100), np.full(100, 70.0), np.array([[1.0], [2.0], [0.5]]) * np.ones((3, 100)))


def test_a_good_image_has_all_figures_and_no_flag() -> None:
    result = analyzed(phantom())
    assert result.flags == ()
    assert {name: result.findings.measure(name) is not None for name in QUALITY_FIGURES} == dict.fromkeys(
        QUALITY_FIGURES, True
    )


def test_one_that_is_a_little_out_of_focus_is_flagged() -> None:
    assert "soft_focus" in analyzed(blurred(phantom(), 1.3)).flags


def test_a_fold_is_flagged() -> None:
    assert "tissue_fold" in analyzed(folded(phantom())).flags


@pytest.mark.parametrize(
    ("confidence", "left_out_um", "refusal", "flag"),
    [
        ([0.9, 0.9, 0.9], 0.0, None, None),
        ([0.1, 0.1, 0.9], 0.0, "junction_uncertain", None),  # 0.3 on average
        ([0.9, 0.3, 0.9], 0.0, "junction_uncertain", None),  # 0.6
        ([0.9, 0.5, 0.9], 0.0, None, "junction_doubtful"),  # 0.7
        ([0.9, 0.8, 0.9], 0.0, None, None),
        ([0.9, 0.9, 0.9], 120.0, None, None),
        ([0.9, 0.9, 0.9], 121.0, "junction_uncertain", None),
    ],
)
def test_bounds_of_a_junction(
    confidence: list[float], left_out_um: float, refusal: str | None, flag: str | None
) -> None:
    piece = with_confidence(confidence)
    left_out = (Stretch(0, 0.0, left_out_um, "junction_low_confidence"), Stretch(0, 0.0, 200.0, "appendage"))
    check = check_junction([piece], left_out, 0.5, BOUNDS)
    assert (check.refusal, check.flag) == (refusal, flag)


def with_confidence(confidence: list[float]) -> Piece:
    """200 um of epidermis."""
    line = np.column_stack([np.zeros(3), [0.0, 200.0, 400.0]])
    return Piece(line, line + np.array([100.0, 0.0]), np.array(confidence))


def test_a_piece_that_would_be_refused_by_itself_is_not_evaluated_beside_a_sure_one() -> None:
    sure, unsure = with_confidence([0.9, 0.9, 0.9]), with_confidence([0.7, 0.5, 0.7])
    left_out = uncertain_stretches([sure, unsure], 0.5, Protocol())
    assert [(s.piece, s.start_um, s.end_um) for s in left_out] == [(1, 0.0, 200.0)]
    assert check_junction([sure, unsure], left_out, 0.5, BOUNDS).refusal is None
    assert uncertain_stretches([unsure], 0.5, Protocol()) == ()  # the section is refused


@pytest.mark.parametrize(
    ("figures", "flags", "refusal"),
    [
        (ImageFigures(0.42, 0.3, 0.1), [], None),
        (ImageFigures(0.41, 0.3, 0.1), ["soft_focus"], None),
        (ImageFigures(0.21, 0.3, 0.1), [], "out_of_focus"),
        (ImageFigures(0.9, 0.31, 0.1), ["noisy"], None),
        (ImageFigures(0.9, 0.3, 0.09), ["dim_stain"], None),
        (ImageFigures(0.9, 0.31, 0.09), ["noisy", "dim_stain"], "no_nerve_stain"),
        (ImageFigures(0.9), [], None),
        (ImageFigures(), [], None),
    ],
)
def test_bounds_of_an_image(figures: ImageFigures, flags: list[str], refusal: str | None) -> None:
    checks = check_image(figures, "bright-field", BOUNDS)
    assert [check.flag for check in checks if check.flag] == flags
    assert next((check.refusal for check in checks if check.refusal), None) == refusal
    assert len(checks) == sum(value is not None for value in asdict(figures).values())


def test_a_stain_is_weak_by_the_bound_of_its_kind() -> None:
    figures = ImageFigures(0.9, 0.1, 0.12)
    flags = {stain: [c.flag for c in check_image(figures, stain, BOUNDS)][-1] for stain in STAINS}
    assert flags == {"bright-field": None, "fluorescence": "dim_stain"}


def test_weak_lines_of_many_colors_are_no_nerves() -> None:
    figures = ImageFigures(0.9, 0.1, 0.08)
    for agreement, refusal in ((None, None), (0.95, None), (0.75, "no_nerve_stain")):
        check = check_image(figures, "bright-field", BOUNDS, color_agreement=agreement)[-1]
        assert (check.flag, check.refusal) == ("dim_stain", refusal)
    long = check_image(figures, "bright-field", BOUNDS, color_agreement=0.75, long_fibers=True)[-1]
    assert (long.flag, long.refusal) == ("dim_stain", None)
    clear = check_image(ImageFigures(0.9, 0.1, 0.3), "bright-field", BOUNDS, color_agreement=0.75)[-1]
    assert (clear.flag, clear.refusal) == (None, None)


STAINS: Any = ("bright-field", "fluorescence")


def test_an_epidermis_that_is_too_thick_is_an_oblique_cut() -> None:
    for thickness, flag in ((130.0, None), (131.0, "oblique_cut")):
        course = replace(LEVEL, thickness_um=np.full(100, thickness))
        assert check_course([course], BOUNDS)[0].flag == flag


def with_band(layers: slice, factor: float, first: int = 40, last: int = 48) -> Course:
    strips = LEVEL.strips.copy()
    strips[layers, first:last] *= factor
    return replace(LEVEL, strips=strips)


def test_a_fold_crosses_all_layers() -> None:
    assert fold_fraction([LEVEL]) == 0.0
    assert fold_fraction([with_band(slice(None), 2.0)]) == 0.08
    assert fold_fraction([with_band(slice(2), 2.0)]) == 0.0
    assert fold_fraction([with_band(slice(None), 1.3)]) == 0.0
    assert fold_fraction([with_band(slice(None), 2.0, 40, 42)]) == 0.0  # too narrow
    assert fold_fraction([with_band(slice(None), 2.0, 0, 6)]) == 0.0  # where the tissue ends
    assert check_course([with_band(slice(None), 2.0)], BOUNDS)[1].flag == "tissue_fold"
    assert check_course([], BOUNDS) == ()


def test_every_flag_says_what_to_do() -> None:
    for code in (
        "soft_focus",
        "noisy",
        "dim_stain",
        "nerves_far_below",
        "partly_saturated",
        "tissue_fold",
        "oblique_cut",
        "partly_unread",
        "junction_doubtful",
    ):
        assert REASONS[code].effect is Effect.FLAGGED
        assert REASONS[code].remedy


def keys(protocol: Protocol) -> tuple[str, str]:
    return analysis_key(pixel_size_um=0.5, stain=None, axes=None, protocol=protocol), rules_key(protocol)


def test_the_bounds_that_came_later_change_no_key_by_their_default() -> None:
    first = {"min_pixel_size_um": 0.05, "max_pixel_size_um": 2.5, "max_fiber_pixel_um": 1.0,
             "max_saturated_fraction": 0.25, "max_excluded_fraction": 0.6}  # fmt: skip
    assert keys(Protocol(quality=QualityBounds(**first))) == keys(Protocol())
    assert keys(Protocol(quality=QualityBounds(max_noise_ratio=0.2))) != keys(Protocol())


def test_a_grey_image_that_is_taken_for_bright_field_is_refused() -> None:
    section = as_section(saturated(phantom(), 0.4))
    stated = replace(Protocol(), image=replace(Protocol().image, stain="bright-field"))
    result = ienfd.analyze(section, stated)
    assert (result.reason, result.density_per_mm) == ("grey_bright_field", None)
