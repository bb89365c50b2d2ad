"""The whole chain on one phantom, and on what must be refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

import ienfd
from ienfd.analysis import find
from ienfd.counting import find_all
from ienfd.density import count
from ienfd.geometry import length, points_at
from ienfd.nerve.field import LineField
from ienfd.nerve.learned import weighed
from ienfd.phantom import Phantom, PhantomSpec, make
from ienfd.protocol import ImageChoices, Protocol
from ienfd.result import SectionResult, Status
from ienfd.review.drawing import with_stretch
from ienfd.section import Calibration, CalibrationSource, Channel, Section
from ienfd.study.encoding import quantize

SPEC = PhantomSpec(
    stain="fluorescence", length_mm=0.6, pixel_size_um=0.5, dermis_um=150.0, density_per_mm=10.0,
    elastin_per_mm=2.0, clustering=0.2, fiber_photons=200.0, open_left=False, open_right=False,
)  # fmt: skip


def as_section(phantom: Phantom) -> Section:
    channels = (Channel(),) if phantom.rgb else tuple(Channel(name) for name in phantom.channels)
    size = phantom.spec.pixel_size_um
    return Section(phantom.pixels, Calibration(size, CalibrationSource.OME), channels, phantom.rgb)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make(SPEC, 41)


@pytest.fixture(scope="module")
def result(phantom: Phantom) -> SectionResult:
    return ienfd.analyze(as_section(phantom))


def test_a_good_section_is_counted(phantom: Phantom, result: SectionResult) -> None:
    truth = phantom.truth
    assert result.status is Status.OK
    assert result.lengths is not None
    assert result.lengths.surface_mm == pytest.approx(truth.surface_length_mm, rel=0.08)
    assert result.lengths.junction_mm == pytest.approx(truth.junction_length_mm, rel=0.08)
    assert result.count == pytest.approx(len(truth.crossings), abs=2)
    assert result.density_per_mm == pytest.approx((result.count or 0) / result.lengths.evaluable_mm)


@pytest.mark.parametrize("turns", [1, 2])
def test_turning_the_image_turns_the_result(phantom: Phantom, result: SectionResult, turns: int) -> None:
    section = as_section(phantom)
    turned = replace(section, pixels=np.ascontiguousarray(np.rot90(section.pixels, turns, axes=(1, 2))))
    again = ienfd.analyze(turned)
    assert again.count == pytest.approx(result.count, abs=1)
    assert again.lengths is not None
    assert result.lengths is not None
    assert again.lengths.surface_mm == pytest.approx(result.lengths.surface_mm, rel=0.02)


@pytest.mark.parametrize(
    ("stain", "value"), [("fluorescence", 0), ("bright-field", 0), ("bright-field", 255)]
)
def test_the_margin_of_a_mosaic_changes_nothing(
    stain: Literal["fluorescence", "bright-field"], value: int
) -> None:
    section = as_section(make(replace(SPEC, stain=stain), 41))
    around = np.pad(section.pixels, [(0, 0), (120, 0), (160, 0), (0, 0)], constant_values=value)
    alone, within = ienfd.analyze(section), ienfd.analyze(replace(section, pixels=around))
    assert within.status is alone.status is Status.OK
    assert within.count == pytest.approx(alone.count, abs=1)
    assert within.lengths is not None
    assert alone.lengths is not None
    assert within.lengths.surface_mm == pytest.approx(alone.lengths.surface_mm, rel=0.03)


def test_the_same_image_gives_the_same_result(phantom: Phantom, result: SectionResult) -> None:
    assert ienfd.analyze(as_section(phantom)).crossings == result.crossings


@pytest.mark.parametrize("seed", range(3))
def test_a_redrawn_junction_is_counted_as_if_all_were_counted_anew(result: SectionResult, seed: int) -> None:
    rng, size, protocol = np.random.default_rng(seed), SPEC.pixel_size_um, Protocol()
    course = quantize(result.findings)
    known = find_all(course, protocol.counting)
    for _ in range(4):
        (piece,) = course.pieces
        start = rng.uniform(0.0, 0.8 * length(piece.junction_px))
        drawn = points_at(piece.junction_px, start + np.linspace(0.0, rng.uniform(20.0, 150.0), 9) / size)
        drawn[:, 0] += rng.normal(0.0, 4.0) / size
        line = np.round(with_stretch(piece, drawn), 2)
        redrawn = replace(piece, junction_px=line, junction_confidence=np.ones(len(line)))
        course = replace(course, pieces=(redrawn,))
        known = find_all(course, protocol.counting, known)
        assert known is not None
        assert count(course, protocol, known).crossings == count(course, protocol).crossings


def plain(pixels: np.ndarray, size: float | None = 0.5, problem: str | None = None) -> Section:
    return Section(pixels[None, :, :, None], Calibration(size, CalibrationSource.OME, problem=problem))


BLANK = np.full((400, 400), 100, np.uint8)
NOISE = np.random.default_rng(1).normal(100, 5, (400, 400)).astype(np.float32)
REFUSED = {
    "uncalibrated": plain(BLANK, None),
    "calibration_default_dpi": plain(BLANK, None, "calibration_default_dpi"),
    "calibration_range": plain(BLANK, 3.0),
    "too_coarse": plain(BLANK, 1.5),
    "too_small": plain(BLANK[:8, :8]),
    "blank": plain(BLANK),
    "not_finite": plain(np.full((400, 400), np.nan, np.float32)),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_must_be_refused(reason: str) -> None:
    result = ienfd.analyze(REFUSED[reason])
    assert (result.status, result.reason, result.count) == (Status.REFUSED, reason, None)
    assert result.density_per_mm is None


def test_noise_holds_no_skin() -> None:
    result = ienfd.analyze(plain(NOISE))
    assert result.status is Status.REFUSED
    assert result.reason in {"no_tissue", "no_epidermis", "junction_uncertain", "no_nerve_stain"}


def test_unnamed_channels_are_not_guessed(phantom: Phantom) -> None:
    section = as_section(phantom)
    two = replace(
        section,
        pixels=np.concatenate([section.pixels[..., :1]] * 2, axis=-1),
        channels=(Channel("FITC"), Channel("Cy3")),
    )
    assert ienfd.analyze(two).reason == "channels_unknown"


def test_a_stricter_rule_counts_less(phantom: Phantom, result: SectionResult) -> None:
    strict = replace(Protocol(), counting=replace(Protocol().counting, min_confidence=0.999))
    assert (ienfd.analyze(as_section(phantom), strict).count or 0) < (result.count or 0)


@pytest.mark.parametrize(("by", "times"), [("network", 1), ("section", 0)])
def test_the_network_weighs_lines_where_the_protocol_says_so(
    phantom: Phantom, result: SectionResult, by: Literal["network", "section"], times: int
) -> None:
    asked: list[LineField] = []

    def weigh(field: LineField) -> LineField:
        asked.append(field)
        return weighed(field)

    protocol = Protocol(image=ImageChoices(fibers_by=by))
    again = count(find(as_section(phantom), protocol, weigh=weigh), protocol)
    assert len(asked) == times
    assert again.count == pytest.approx(result.count, abs=2)


def test_progress_is_told_and_what_it_raises_ends_the_analysis(phantom: Phantom) -> None:
    told: list[tuple[str, float]] = []
    find(as_section(phantom), Protocol(), progress=lambda words, share: told.append((words, share)))
    shares = [share for _, share in told]
    assert len(told) >= 5
    assert shares == sorted(set(shares))
    assert shares[0] == 0.0
    assert shares[-1] < 1.0

    class EnoughError(Exception):
        pass

    def stop(_words: str, share: float) -> None:
        if share > 0.2:
            raise EnoughError

    with pytest.raises(EnoughError):
        ienfd.analyze(as_section(phantom), progress=stop)
