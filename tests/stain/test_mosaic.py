"""Fields of a mosaic: seams are found whatever lies there, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.mosaic import field_light, find_seams

_SHAPE = (420, 500)


def _tissue(seed: int = 1) -> NDArray[np.float32]:
    """Logarithm of the light of a slab of tissue across the image, with texture and noise."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[: _SHAPE[0], : _SHAPE[1]]
    border = 150 + 12 * np.sin(cols / 40)
    slab = ndimage.gaussian_filter(((rows > border) & (rows < border + 180)).astype(float), 1.5)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, _SHAPE), 2.0)
    light = 5.4 - 0.3 * slab * (1 + texture) + rng.normal(0, 0.004, _SHAPE)
    return np.repeat(light[..., None], 3, axis=2).astype(np.float32)


def _with_fields(
    light: NDArray[np.float32], row: int, col: int, gains: list[list[float]]
) -> NDArray[np.float32]:
    fields = np.zeros(_SHAPE, np.float32)
    fields[:row, :col], fields[:row, col:] = gains[0]
    fields[row:, :col], fields[row:, col:] = gains[1]
    return light + fields[..., None]


def test_seams_are_found_through_glass_and_tissue() -> None:
    light = _with_fields(_tissue(), 210, 260, [[0.02, -0.03], [-0.04, 0.03]]).mean(axis=2)
    assert find_seams(light) == pytest.approx([210], abs=1)
    assert find_seams(light.T) == pytest.approx([260], abs=1)


def _fields(light: NDArray[np.float32]) -> NDArray[np.float32]:
    return field_light(light, np.ones(light.shape[:2], bool))


def test_the_light_of_the_fields_is_made_even() -> None:
    gains = np.array([[0.02, -0.03], [-0.04, 0.03]])
    even = _fields(_with_fields(_tissue(), 210, 260, gains.tolist()))
    assert even.shape == _SHAPE
    corners = even[[[0, 0], [-1, -1]], [[0, -1], [0, -1]]]
    assert corners == pytest.approx(gains - gains.mean(), abs=0.005)


def test_fields_go_on_into_the_margin_of_a_mosaic() -> None:
    gains = np.array([[0.02, -0.03], [-0.04, 0.03]])
    light = _with_fields(_tissue(), 210, 260, gains.tolist())
    photographed = np.ones(_SHAPE, bool)
    photographed[:60, 150:] = photographed[-90:, :200] = False
    light[~photographed] = 5.54
    even = field_light(light, photographed)
    corners = even[[[0, 0], [-1, -1]], [[0, -1], [0, -1]]]
    assert corners == pytest.approx(gains - gains.mean(), abs=0.01)


@pytest.mark.parametrize("turned", [False, True])
def test_the_edges_of_tissue_are_no_seams(turned: bool) -> None:
    light = _tissue()
    light = light.transpose(1, 0, 2) if turned else light
    assert not _fields(light).any()


def test_a_flat_edge_of_tissue_is_no_seam_for_it_is_not_sharp() -> None:
    rows = np.arange(_SHAPE[0])[:, None] + np.zeros(_SHAPE)
    light = 5.4 - 0.3 * ndimage.gaussian_filter((rows > 200).astype(float), 2.0)
    light += np.random.default_rng(3).normal(0, 0.004, _SHAPE)
    assert find_seams(light.astype(np.float32)) == []


@pytest.mark.parametrize("height", [0.05, 0.1, 0.16])
@pytest.mark.parametrize("blur", [1.2, 1.8])
def test_nor_is_a_fainter_one_or_a_sharper_one(height: float, blur: float) -> None:
    rows = np.arange(_SHAPE[0])[:, None] + np.zeros(_SHAPE)
    light = 5.4 - height * ndimage.gaussian_filter((rows > 200).astype(float), blur)
    light += np.random.default_rng(3).normal(0, 0.004, _SHAPE)
    assert find_seams(light.astype(np.float32)) == []


def test_where_an_image_was_filled_up_there_is_no_seam() -> None:
    light = _tissue()
    light[300:] = 5.54
    assert find_seams(light.mean(axis=2)) == []


def test_an_image_too_small_to_tell_has_no_seams() -> None:
    assert not _fields(np.zeros((20, 30, 3), np.float32)).any()


@pytest.mark.parametrize("rows", [1, 2])
def test_a_strip_of_a_field_too_narrow_to_measure_is_no_field(rows: int) -> None:
    light = _with_fields(_tissue(), _SHAPE[0] - rows, 260, [[0.0, 0.0], [0.05, 0.05]])
    assert np.isfinite(_fields(light)).all()
    assert find_seams(light.mean(axis=2)) == []
