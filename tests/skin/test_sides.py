"""Windows of an outline that belong to one epidermis."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.skin.sides import _joined, _Window
from ienfd.skin.strip import COARSE_STEP_UM


def window(start_um: float, likely: float) -> _Window:
    start = round(start_um / COARSE_STEP_UM)
    end = start + round(320 / COARSE_STEP_UM)
    return _Window(0, start, end, likely, 1.0, 20.0, 70.0, np.ones(3), 0.0)


@pytest.mark.parametrize(
    ("between_um", "groups"),
    [
        pytest.param((), 2, id="nothing like it between them"),
        pytest.param((240, 480, 720), 1, id="less clear all the way"),
        pytest.param((240, 640), 1, id="hardly a gap in that"),
        pytest.param((240,), 2, id="less clear, and then nothing"),
    ],
)
def test_an_epidermis_goes_on_where_it_is_less_clear(between_um: tuple[float, ...], groups: int) -> None:
    windows = [window(0, 0.8), *(window(at, 0.02) for at in between_um), window(960, 0.5)]
    joined = _joined(windows, 0.08)
    assert len(joined) == groups
    assert [each.likely for group in joined for each in group] == [0.8, 0.5]


@pytest.mark.parametrize(("start_um", "groups"), [(600, 1), (640, 2)])
def test_what_would_continue_to_one_another_is_one(start_um: float, groups: int) -> None:
    assert len(_joined([window(0, 0.8), window(start_um, 0.8)], 0.08)) == groups
