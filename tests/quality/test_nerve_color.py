"""Lines without a color of their own are no nerves."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.quality.nerves import nerve_color_is_seen
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
        ("nuclei alone", lines(HEMATOXYLIN, 1.0, 1.0), "no_nerve_signal"),
        ("nuclei of real skin", lines(np.array([0.70, 0.62, 0.34]), 0.6, 0.8), "no_nerve_signal"),
        ("a blue-grey stain", lines(np.array([0.72, 0.56, 0.41]), 0.75, 0.9), None),
        ("collagen alone", lines(EOSIN, 1.0, 1.0), "no_nerve_signal"),
    ],
)
def test_lines_have_one_color_and_it_is_no_counterstain(
    name: str, chromogen: Chromogen, refusal: str | None
) -> None:
    assert nerve_color_is_seen(chromogen).refusal == refusal, name
