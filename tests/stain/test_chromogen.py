"""The amount of the nerve stain in a tile: told from whatever else varies round about."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ienfd.stain.chromogen import DAB, EOSIN, HEMATOXYLIN, Chromogen, estimate_chromogen

PX_UM = 0.45
SIZE = 128
FIBER = slice(62, 65)


def stain(vector: np.ndarray) -> Chromogen:
    unit = vector / np.linalg.norm(vector)
    return Chromogen(unit, unit, np.eye(3), 0.0, 0.0, 1.0, 1.0)


def blobs(seed: int) -> np.ndarray:
    """Spots of about 5 um, from 0 to 1."""
    coarse = np.random.default_rng(seed).random((SIZE // 8, SIZE // 8)) > 0.5
    return np.kron(coarse, np.ones((8, 8))).astype(np.float32)


def scene(chromogen: np.ndarray, *, over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """A vertical fiber through an upper half with clutter of one dye and a lower half with another."""
    fiber = np.zeros((SIZE, SIZE), np.float32)
    fiber[:, FIBER] = 0.5
    clutter = blobs(1)
    light = fiber[..., None] * chromogen
    light[: SIZE // 2] += clutter[: SIZE // 2, :, None] * over
    light[SIZE // 2 :] += clutter[SIZE // 2 :, :, None] * under
    light += np.random.default_rng(2).normal(0, 0.01, light.shape)
    return np.asarray(light, np.float32)


def clarity(image: np.ndarray, rows: slice) -> float:
    """Height of the fiber above its surroundings, in standard deviations of these."""
    beside = np.delete(image[rows], np.r_[FIBER.start - 2 : FIBER.stop + 2], axis=1)
    return float((image[rows, FIBER].mean() - beside.mean()) / beside.std())


@pytest.mark.parametrize("dye", [DAB, np.array([0.46, 0.80, 0.38])])
def test_a_fiber_stands_out_whatever_dye_lies_round_about(dye: np.ndarray) -> None:
    light = scene(dye, over=HEMATOXYLIN, under=0.6 * EOSIN)
    amount = stain(dye).amount(light, PX_UM)
    for rows in (slice(8, 56), slice(72, 120)):
        plain = clarity(light @ (dye / np.linalg.norm(dye)), rows)
        assert clarity(amount, rows) > 2 * plain


def test_the_amount_is_that_of_the_dye() -> None:
    unit = DAB / np.linalg.norm(DAB)
    light = scene(unit, over=HEMATOXYLIN, under=EOSIN)
    amount = stain(DAB).amount(light, PX_UM)
    beside = np.median(amount[:, :50], axis=1)
    height = amount[:, FIBER].mean(axis=1) - beside
    assert np.median(height) == pytest.approx(0.5, abs=0.1)


def test_where_the_stain_alone_varies_it_is_not_cancelled() -> None:
    """Background staining has the color of the fibers, and that color is known but roughly."""
    unit = DAB / np.linalg.norm(DAB)
    light = scene(unit, over=0.2 * unit, under=0.2 * unit)
    rough = unit + np.array([0.04, 0.0, -0.04])
    amount = stain(rough).amount(light, PX_UM)
    rows = slice(8, 120)
    assert clarity(amount, rows) > 0.8 * clarity(light @ unit, rows)


def strokes(seed: int, count: int) -> np.ndarray:
    """Thin lines of 20 um in all directions, 0 to about 1."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((SIZE, SIZE))
    along = np.linspace(-22, 22, 89)
    for row, col, turn in rng.uniform(0, [SIZE, SIZE, np.pi], (count, 3)):
        rows, cols = (np.rint(row + along * np.sin(turn)), np.rint(col + along * np.cos(turn)))
        inside = (rows >= 0) & (rows < SIZE) & (cols >= 0) & (cols < SIZE)
        drawn[rows[inside].astype(int), cols[inside].astype(int)] = 1.0
    blurred = ndimage.gaussian_filter(drawn, 1.0)
    return np.asarray(blurred / max(float(blurred.max()), 1e-9), np.float32)


@pytest.mark.parametrize(("brown", "found"), [(4, DAB), (0, None)])
def test_brown_nerves_are_found_among_rows_of_nuclei(brown: int, found: np.ndarray | None) -> None:
    """Nuclei whose color is not quite that of hematoxylin, and drawn aside by the nerves among them."""
    nuclei = np.array([0.66, 0.64, 0.40])
    patches = [
        strokes(seed, 6)[..., None] * nuclei
        + 0.5 * strokes(100 + seed, brown)[..., None] * DAB
        + np.random.default_rng(seed).normal(0.1, 0.01, (SIZE, SIZE, 3))
        for seed in range(8)
    ]
    stain_of_them = estimate_chromogen([patch.astype(np.float32) for patch in patches], PX_UM)
    color = nuclei if found is None else found
    assert stain_of_them.vector @ color / np.linalg.norm(color) > np.cos(np.deg2rad(8))
