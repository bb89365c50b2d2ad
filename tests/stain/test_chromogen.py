"""The amount of the nerve stain in a tile: told from whatever else varies round about."""

from __future__ import annotations

import numpy as np
import pytest

from ienfd.stain.chromogen import DAB, EOSIN, HEMATOXYLIN, Chromogen

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
