"""The light of the glass: flat in what is of the size of fibers, whatever the noise of the camera."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.stain.brightfield import WhiteField, fit_white_field, positions

_SHAPE = (240, 320)
_PIXEL_UM = 1.0


def _fitted(light: NDArray[np.float32]) -> WhiteField:
    return fit_white_field(light, np.ones(light.shape[:2], bool), _PIXEL_UM)


def _pale_section(noise: float, paleness: float, seed: int = 1) -> NDArray[np.float32]:
    """Logarithm of the light: a third glass, the rest dermis that takes hardly any of it, unevenly."""
    rng = np.random.default_rng(seed)
    structure = ndimage.gaussian_filter(rng.normal(0, 1, _SHAPE), 2.5)
    dermis = (np.mgrid[: _SHAPE[0], : _SHAPE[1]][0] > 80) * paleness * (1 + 0.5 * structure / structure.std())
    light = 5.45 - dermis[..., None] + rng.normal(0, noise, (*_SHAPE, 3))
    return np.asarray(light, np.float32)


@pytest.mark.parametrize("noise", [0.004, 0.012])
@pytest.mark.parametrize("paleness", [0.03, 0.08])
def test_a_pale_dermis_is_not_taken_for_glass(noise: float, paleness: float) -> None:
    white = _fitted(_pale_section(noise, paleness))
    rows, cols = (positions(0, size, size, size) for size in _SHAPE)
    assert white.at(rows, cols)[:80] == pytest.approx(5.45, abs=0.01)
    assert white.at(rows, cols)[80:].mean() > 5.45 - 0.3 * paleness


def test_shading_is_followed() -> None:
    light = _pale_section(0.004, 0.08)
    fall = 0.1 * np.linspace(-1, 1, _SHAPE[1]) ** 2
    white = _fitted(light - fall[None, :, None].astype(np.float32))
    rows, cols = (positions(0, size, size, size) for size in _SHAPE)
    assert white.at(rows, cols)[40, :, 0] == pytest.approx(5.45 - fall, abs=0.015)


def _even_dermis(glass: float) -> NDArray[np.float32]:
    """A share of glass at the top, a dense epidermis, and a pale dermis that is nearly as even as glass."""
    rng = np.random.default_rng(7)
    shape = (240, 320)
    rows = np.indices(shape)[0] / shape[0]
    structure = ndimage.gaussian_filter(rng.normal(0, 1, shape), 4.0)
    structure *= 0.02 / structure.std()
    density = np.select([rows < glass, rows < glass + 0.3], [0.0, 0.4], 0.1 + structure)
    density[(rows >= glass) & (rows < glass + 0.3)] += 3 * structure[(rows >= glass) & (rows < glass + 0.3)]
    light = 5.45 - density[..., None] * [1.0, 1.3, 1.2] + rng.normal(0, 0.004, (*shape, 3))
    return np.asarray(light, np.float32)


def test_an_even_pale_dermis_is_no_glass_beside_a_narrow_strip_of_glass() -> None:
    light = _even_dermis(0.1)
    white = _fitted(light)
    rows, cols = (positions(0, size, size, size) for size in light.shape[:2])
    assert white.at(rows, cols)[150:].mean() == pytest.approx(5.45, abs=0.02)


def test_without_any_glass_the_palest_tissue_stands_for_it() -> None:
    light = _even_dermis(0.0)
    white = _fitted(light)
    rows, cols = (positions(0, size, size, size) for size in light.shape[:2])
    field = white.at(rows, cols)
    assert (light.mean(axis=2) > field.mean(axis=2) + 0.02).mean() < 0.02
    assert white.noise.max() < 0.005


@pytest.mark.parametrize("dermis", [(0.07, 0.14, 0.11), (0.02, 0.2, 0.05)])
def test_a_dermis_without_any_texture_is_no_glass_by_its_color(dermis: tuple[float, float, float]) -> None:
    """A drawing in three flat colors: glass, a dense epidermis and a pink dermis, two thirds of it."""
    rows = np.indices((240, 320))[0] / 240
    density = np.where(rows[..., None] < 0.2, 0.0, np.where(rows[..., None] < 0.36, [0.35, 0.4, 0.3], dermis))
    light = 5.45 - density + np.random.default_rng(3).normal(0, 0.01, density.shape)
    white = _fitted(light.astype(np.float32))
    found = white.at(*(positions(0, size, size, size) for size in density.shape[:2]))
    assert np.abs(found - 5.45).max() < 0.02


@pytest.mark.parametrize(("noise", "fall"), [(0.004, 0.45), (0.01, 0.25)])
def test_glass_in_the_shade_is_known_by_its_evenness(noise: float, fall: float) -> None:
    """A quarter glass at the dim side, a dense epidermis, and a dermis so pale that it is brighter."""
    rng = np.random.default_rng(1)
    structure = ndimage.gaussian_filter(rng.normal(0, 1, _SHAPE), 2.5)
    uneven = 1 + 0.5 * structure / structure.std()
    y, x = np.indices(_SHAPE) / np.array(_SHAPE)[:, None, None]
    density = np.select([x < 0.25, x < 0.4], [0.0, 0.5 * uneven], 0.01 * uneven)
    glass = 5.45 - fall * np.minimum(((y - 0.5) ** 2 + (x - 0.7) ** 2) / 0.5, 1)
    light = (glass - density)[..., None] + rng.normal(0, noise, (*_SHAPE, 3))
    white = _fitted(light.astype(np.float32))
    found = white.at(*(positions(0, size, size, size) for size in _SHAPE))[..., 0]
    assert np.abs(found - glass)[20:-20, 4:74].max() < 0.1


def test_glass_beyond_the_tissue_is_glass_however_deep_in_the_shade() -> None:
    """Bright glass above a section, glass in the shade of the lens below it, and nothing between them."""
    rng = np.random.default_rng(4)
    shape = (600, 320)
    structure = ndimage.gaussian_filter(rng.normal(0, 1, shape), 2.5)
    y, x = np.indices(shape) / np.array(shape)[:, None, None]
    glass = 5.45 - 0.45 * ((y - 0.1) ** 2 + (x - 0.4) ** 2)
    inside = (y > 0.3) & (y < 0.75)
    density = np.where(inside, 0.25 * (1 + 0.5 * structure / structure.std()), 0.0)
    light = (glass - density)[..., None] + rng.normal(0, 0.005, (*shape, 3))
    white = _fitted(light.astype(np.float32))
    found = white.at(*(positions(0, size, size, size) for size in shape))[..., 0]
    assert np.abs(found - glass)[~inside].max() < 0.05


def test_glass_all_around_shows_a_shade_steeper_than_a_parabola() -> None:
    rng = np.random.default_rng(6)
    structure = ndimage.gaussian_filter(rng.normal(0, 1, _SHAPE), 2.5)
    y, x = (np.linspace(-1, 1, size) for size in _SHAPE)
    away = np.add.outer(y**2, x**2) / 2
    glass = 5.45 - 0.1 * away - 0.35 * away**2
    inside = np.maximum.outer(np.abs(y) / 0.6, np.abs(x) / 0.7) < 1
    density = np.where(inside, 0.15 * (1 + 0.5 * structure / structure.std()), 0.0)
    light = (glass - density)[..., None] + rng.normal(0, 0.004, (*_SHAPE, 3))
    white = _fitted(light.astype(np.float32))
    found = white.at(*(positions(0, size, size, size) for size in _SHAPE))[..., 0]
    assert np.abs(found - glass)[~inside].max() < 0.03
    assert np.abs(found - glass)[inside].max() < 0.06


def test_a_dermis_as_even_as_noisy_glass_is_told_by_a_trace_of_color() -> None:
    """Glass at the left, an epidermis, and a dermis that takes 3 % of the light, more of the blue."""
    rng = np.random.default_rng(1)
    structure = ndimage.gaussian_filter(rng.normal(0, 1, _SHAPE), 2.5)
    y, x = np.indices(_SHAPE) / np.array(_SHAPE)[:, None, None]
    glass = 5.45 - 0.2 * ((x - 0.5) ** 2 + (y - 0.3) ** 2)
    dermis = 0.03 * (1 + 0.1 * structure / structure.std())
    density = np.select([x < 0.2, x < 0.35], [0.0, 0.1], dermis)[..., None] * [0.8, 1.0, 1.3]
    light = glass[..., None] - density + rng.normal(0, 0.006, (*_SHAPE, 3))
    white = _fitted(light.astype(np.float32))
    found = white.at(*(positions(0, size, size, size) for size in _SHAPE)).mean(axis=2)
    assert np.abs(found - glass)[x < 0.2].max() < 0.01
    assert np.abs((found - glass)[x > 0.35].mean()) < 0.01
