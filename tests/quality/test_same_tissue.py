"""The same tissue is recognized however it was photographed; other tissue is not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from quality_scenes import analyzed, phantom, with_pixels

from ienfd.quality.course import STEP_UM, Course
from ienfd.quality.same_tissue import MOST_COMPARED, fingerprint, likeness, same_pairs, show_the_same
from ienfd.result import Findings
from ienfd.study.encoding import encode_objects, quantize

RNG = np.random.default_rng(1)
TURN, THICKNESS = RNG.normal(0, 0.25, 200), 70 + RNG.normal(0, 6, 200)
STRIPS = RNG.normal(1, 0.2, (3, 200))
WHOLE = Course(TURN, THICKNESS, STRIPS)


def part(first: int, last: int) -> Course:
    here = slice(first, last)
    return Course(TURN[here], THICKNESS[here], STRIPS[:, here])


MIRRORED = Course(-TURN[::-1], THICKNESS[::-1], STRIPS[:, ::-1])
OTHER = Course(RNG.normal(0, 0.25, 200), 70 + RNG.normal(0, 6, 200), RNG.normal(1, 0.2, (3, 200)))

SAME = {
    "itself": [WHOLE],
    "turned by a right angle": [Course(TURN + np.pi / 2, THICKNESS, STRIPS)],
    "exposed otherwise": [Course(TURN, THICKNESS, 3 * STRIPS + 2)],
    "a little blurred": [Course(TURN + RNG.normal(0, 0.1, 200), THICKNESS + RNG.normal(0, 2, 200), STRIPS)],
    "mirrored": [MIRRORED],
    "its left half": [part(0, 100)],
    "its right half": [part(100, 200)],
    "in two pieces": [part(0, 90), part(110, 200)],
    "beside other tissue": [OTHER, WHOLE],
}
DIFFERENT = {
    "other tissue": [OTHER],
    "less in common than can be told": [part(0, 30)],
    "nothing": [],
    "a straight and even surface": [Course(np.zeros(200), np.full(200, 70.0), np.ones((3, 200)))],
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_tissue_is_recognized(name: str) -> None:
    one, other = fingerprint([WHOLE]), fingerprint(SAME[name])
    assert show_the_same(one, other)
    assert show_the_same(other, one)


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_tissue_is_not(name: str) -> None:
    one, other = fingerprint([WHOLE]), fingerprint(DIFFERENT[name])
    assert likeness(one, other) == likeness(other, one) == 0.0


def test_two_parts_that_overlap_are_recognized_by_what_they_share() -> None:
    assert show_the_same(fingerprint([part(0, 130)]), fingerprint([part(70, 200)]))
    assert not show_the_same(fingerprint([part(0, 110)]), fingerprint([part(90, 200)]))


def test_it_is_short() -> None:
    per_mm = len(fingerprint([WHOLE])) / (200 * STEP_UM / 1000)
    assert per_mm < 1000


def test_pairs_are_found_among_many_and_among_too_many_only_the_identical_ones() -> None:
    whole, half = fingerprint([WHOLE]), fingerprint([part(0, 100)])
    assert same_pairs([whole, "", half, fingerprint([OTHER]), ""]) == [(0, 2)]
    strangers = [""] * MOST_COMPARED
    assert same_pairs([whole, half, whole, *strangers]) == [(0, 2)]


@cache
def found(variant: str) -> Findings:
    whole = phantom()
    cols = whole.pixels.shape[2]
    pixels = {
        "whole": whole.pixels,
        "other": phantom(seed=42).pixels,
        "part of it, turned": np.rot90(whole.pixels[:, :, : int(0.85 * cols)], axes=(1, 2)),
    }[variant]
    return analyzed(with_pixels(whole, pixels)).findings


def test_images_are_compared_without_them() -> None:
    whole = found("whole").fingerprint
    assert show_the_same(whole, found("part of it, turned").fingerprint)
    assert likeness(whole, found("other").fingerprint) == 0.0


def test_it_is_stored_and_studies_without_one_are_read() -> None:
    findings = found("whole")
    assert quantize(findings).fingerprint == findings.fingerprint != ""
    kinds = [row.kind for row in encode_objects(findings)]
    assert kinds.count("fingerprint") == 1
    assert kinds[-1] == "fingerprint"  # so that no other object moves
