from __future__ import annotations

from math import hypot, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ienfd.statistics import (
    BETWEEN_READERS,
    ONE_READER,
    Interval,
    ReadingNoise,
    density_change,
    dispersed_interval,
    overdispersion,
)

NONE = ReadingNoise(0.0, 0.0)
densities = st.floats(0.0, 40.0)
margins = st.floats(0.0, 10.0)


def interval(density: float, below: float, above: float) -> Interval:
    return Interval(density, max(0.0, density - below), density + above)


def test_by_hand() -> None:
    change = density_change(Interval(8.0, 6.0, 10.5), Interval(3.0, 2.0, 4.5), NONE)
    assert change.change_per_mm == -5.0
    assert change.low_per_mm == pytest.approx(-5 - sqrt(1.0**2 + 2.5**2))
    assert change.high_per_mm == pytest.approx(-5 + sqrt(1.5**2 + 2.0**2))


def test_reading_noise_is_that_of_the_paper() -> None:
    """0.2 +/- 1.2 /mm by one observer, 0.4 +/- 1.5 /mm by two."""
    assert pytest.approx(hypot(0.2, 1.2)) == ONE_READER.root_mean_square_per_mm
    assert pytest.approx(hypot(0.4, 1.5)) == BETWEEN_READERS.root_mean_square_per_mm
    exact = Interval(5.0, 5.0, 5.0)  # so well sampled that only reading is left
    assert density_change(exact, exact, ONE_READER).high_per_mm == pytest.approx(1.96 * 1.2166, abs=1e-3)


def test_the_same_numbers_are_noise_with_two_readers_and_more_than_that_with_one() -> None:
    earlier, later = Interval(8.0, 6.6, 9.5), Interval(5.0, 4.1, 6.1)
    assert density_change(earlier, later, ONE_READER).is_larger
    assert not density_change(earlier, later, BETWEEN_READERS).is_larger


@given(densities, margins, margins, densities, margins, margins)
def test_back_is_the_same_with_the_other_sign(
    a: float, b: float, c: float, d: float, e: float, f: float
) -> None:
    one, two = interval(a, b, c), interval(d, e, f)
    there, back = (density_change(*pair, BETWEEN_READERS) for pair in ((one, two), (two, one)))
    assert there.low_per_mm <= there.change_per_mm <= there.high_per_mm
    assert back.low_per_mm == pytest.approx(-there.high_per_mm)
    assert back.is_larger == there.is_larger


@pytest.mark.parametrize(("interval", "level"), [((5.0, 5.5, 6.0), 0.95), ((5.0, 4.0, 6.0), 1.0)])
def test_what_is_no_interval_is_refused(interval: tuple[float, float, float], level: float) -> None:
    with pytest.raises(ValueError, match=r"lie"):
        density_change(Interval(*interval), Interval(1.0, 0.0, 2.0), ONE_READER, level)


@pytest.mark.parametrize("density_per_mm", [1.0, 4.0, 12.0])
@pytest.mark.parametrize("dispersion", [1.0, 2.0])
def test_two_biopsies_of_what_did_not_change_seldom_differ_by_more(
    density_per_mm: float, dispersion: float
) -> None:
    """Three sections of 1.75 mm each, read by two people: one in 20 at most, but for chance."""
    rng = np.random.default_rng(20)

    def biopsy() -> Interval:
        mean, length = density_per_mm * 1.75, 3 * 1.75
        spread = mean / (dispersion - 1) if dispersion > 1 else 0.0
        counts = rng.negative_binomial(spread, 1 / dispersion, 3) if spread else rng.poisson(mean, 3)
        phi = overdispersion([int(n) for n in counts], [1.75] * 3, 2.0, 3.0)
        read = max(0, round(counts.sum() + rng.normal(0, 1.5 / sqrt(2)) * length))
        return Interval(read / length, *dispersed_interval(read, length, phi))

    tries = 400
    larger = sum(density_change(biopsy(), biopsy(), BETWEEN_READERS).is_larger for _ in range(tries))
    assert larger / tries < 0.075
