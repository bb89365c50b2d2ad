"""Any order of axes becomes (Z, H, W, C), and nothing is guessed."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.errors import RefusedError
from ienfd.io.axes import Layout, parse_axes, with_axes

SIZE = {"T": 1, "Z": 3, "C": 2, "Y": 4, "X": 5}


@pytest.mark.parametrize(
    "axes", ["ZCYX", "CZYX", "TZCYX", "TCZYX", "ZYXC", "YXC", "YXZ", "CYX", "ZYX", "YX", "XYC", "CXZY"]
)
def test_any_order_fills_the_same_section(axes: str) -> None:
    layout = Layout(axes, tuple(SIZE[letter] for letter in axes))
    pixels, stored = layout.allocate(np.int64)
    assert stored.shape == layout.sizes
    for place in np.ndindex(*layout.sizes):
        at = dict(zip(axes, place, strict=True))
        stored[place] = 1000 * at.get("Z", 0) + 100 * at["Y"] + 10 * at["X"] + at.get("C", 0)
    z, y, x, c = np.indices(layout.shape)
    assert pixels.shape == layout.shape
    assert np.array_equal(pixels, 1000 * z + 100 * y + 10 * x + c)


def test_samples_of_a_color_image_lie_together_and_channels_apart() -> None:
    color, _ = Layout("SYX", (3, 4, 5), rgb=True).allocate(np.uint8)
    assert color.flags.c_contiguous
    channels, _ = Layout("YXS", (4, 5, 3)).allocate(np.uint8)
    assert channels[..., 1].flags.c_contiguous


def test_two_color_images_are_six_channels() -> None:
    layout = Layout("CYXS", (2, 4, 5, 3), rgb=True)
    pixels, stored = layout.allocate(np.uint8)
    for channel in range(2):
        for sample in range(3):
            stored[channel, ..., sample] = 3 * channel + sample
    assert not layout.is_rgb
    assert pixels[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_time_and_unknown_axes_are_problems() -> None:
    assert Layout("ZYX", (3, 4, 5)).problem is None
    assert Layout("TYX", (1, 4, 5)).problem is None
    assert "6 time points" in (Layout("TYX", (6, 4, 5)).problem or "")
    assert "6 pages" in (Layout("?YX", (6, 4, 5)).problem or "")


@pytest.mark.parametrize(
    ("stored", "sizes", "text", "axes", "expected"),
    [
        ("?YX", (6, 4, 5), "ZYX", "ZYX", (6, 4, 5)),
        ("?YX", (6, 4, 5), "zyx", "ZYX", (6, 4, 5)),
        ("?YX", (6, 4, 5), "TCYX", "CYX", (6, 4, 5)),
        ("?YX", (6, 4, 5), "Z3CYX", "ZCYX", (3, 2, 4, 5)),
        ("?YX", (6, 4, 5), "Z2C3YX", "ZCYX", (2, 3, 4, 5)),
        ("??YX", (3, 2, 4, 5), "ZCYX", "ZCYX", (3, 2, 4, 5)),
        ("TYX", (6, 4, 5), "ZYX", "ZYX", (6, 4, 5)),
        ("YX?", (4, 5, 6), "YXC", "YXC", (4, 5, 6)),
    ],
)
def test_an_option_names_what_the_file_does_not(
    stored: str, sizes: tuple[int, ...], text: str, axes: str, expected: tuple[int, ...]
) -> None:
    assert with_axes(Layout(stored, sizes), text) == Layout(axes, expected)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ZCYX", "how many of each"),
        ("Z4CYX", "does not fit"),
        ("YX", "does not fit"),
        ("ZZYX", "not understood"),
        ("ZYQ", "not understood"),
        ("ZC", "not understood"),
        ("Z-YX", "not understood"),
        ("Z0CYX", "does not fit"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(text: str, says: str) -> None:
    with pytest.raises(RefusedError, match=says) as refused:
        with_axes(Layout("?YX", (6, 4, 5)), text)
    assert refused.value.code == "axes_unknown"


def test_sizes_in_an_option() -> None:
    assert parse_axes(" z12C3yx ") == (("Z", 12), ("C", 3), ("Y", None), ("X", None))
