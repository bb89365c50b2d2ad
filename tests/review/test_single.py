"""What a viewer holds as a section, and a result that belongs to no study as a sheet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from review_scenes import PROTOCOL, skin

from ienfd.density import count
from ienfd.review.layers import crossing_marks
from ienfd.review.live import live_result
from ienfd.review.single import loose_sheet, section_of
from ienfd.section import Section


def section(*layers: tuple[str, NDArray[Any]], rgb: bool = False) -> Section:
    return section_of(layers, rgb=rgb, pixel_size_um=0.5, z_step_um=2.0)


@pytest.mark.parametrize(
    ("shape", "rgb", "whole"),
    [
        ((30, 40), False, (1, 30, 40, 1)),
        ((5, 30, 40), False, (5, 30, 40, 1)),
        ((30, 40, 3), True, (1, 30, 40, 3)),
        ((30, 40, 4), True, (1, 30, 40, 3)),  # what is transparent is not looked at
        ((5, 30, 40, 3), True, (5, 30, 40, 3)),
    ],
)
def test_a_layer_is_a_plane_or_a_stack(shape: tuple[int, ...], rgb: bool, whole: tuple[int, ...]) -> None:
    one = section(("a", np.zeros(shape, np.uint8)), rgb=rgb)
    assert (one.pixels.shape, one.rgb, one.name) == (whole, rgb, "a")
    assert (one.calibration.pixel_size_um, one.calibration.z_step_um) == (0.5, 2.0)


def test_layers_of_one_shape_are_channels_by_their_names() -> None:
    nerve, nuclei = np.full((30, 40), 7, np.uint8), np.full((30, 40), 9, np.uint8)
    one = section(("PGP9.5", nerve), ("DAPI", nuclei))
    assert [channel.name for channel in one.channels] == ["PGP9.5", "DAPI"]
    assert one.pixels[0, 0, 0].tolist() == [7, 9]


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([], "no image"),
        ([(30, 40), (30, 41)], "differ in size"),
        ([(2, 5, 30, 40)], "one plane or one stack"),
        ([(40,)], "one plane or one stack"),
    ],
)
def test_what_is_no_section_is_refused(shapes: list[tuple[int, ...]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        section(*(("a", np.zeros(shape, np.uint8)) for shape in shapes))


def test_a_result_of_no_study_is_shown_as_one_of_a_study_is() -> None:
    sheet = loose_sheet(count(skin(), PROTOCOL), PROTOCOL, "a.tif")
    assert len(crossing_marks(sheet).ids) == 6
    live = live_result(sheet)
    assert (live.section, live.biopsy, live.call) == ("10.1 /mm", "", "")
    assert sheet.log == ()
