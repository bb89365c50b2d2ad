from __future__ import annotations

from math import exp, fsum, inf, lgamma, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ienfd.statistics import expected_interval, poisson_interval

# Limits of the count, 95 %, as they stand in tables of the exact Poisson interval.
TABLE = [
    (0, 0.0, 3.689),
    (1, 0.025, 5.572),
    (2, 0.242, 7.225),
    (3, 0.619, 8.767),
    (5, 1.623, 11.668),
    (10, 4.795, 18.390),
    (20, 12.217, 30.888),
    (50, 37.111, 65.918),
    (100, 81.364, 121.627),
]

counts = st.integers(0, 2000)
lengths = st.floats(0.01, 500.0)
levels = st.floats(0.5, 0.999)


def probability_up_to(count: int, mean: float) -> float:
    """Probability of at most `count` events, summed term by term."""
    return fsum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(count + 1))


@pytest.mark.parametrize(("count", "low", "high"), TABLE)
def test_the_limits_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    assert poisson_interval(count, 1.0) == pytest.approx((low, high), abs=1e-3)


def test_no_crossing_has_a_lower_limit_of_exactly_zero() -> None:
    assert poisson_interval(0, 7.5)[0] == 0.0


def test_other_levels_are_wider_or_narrower() -> None:
    assert poisson_interval(10, 1.0, 0.90) == pytest.approx((5.425, 16.962), abs=1e-3)
    assert poisson_interval(10, 1.0, 0.99) == pytest.approx((3.717, 21.398), abs=1e-3)


@given(count=st.integers(1, 60), level=st.floats(0.5, 0.99))
def test_each_limit_leaves_half_of_the_rest_outside(count: int, level: float) -> None:
    low, high = poisson_interval(count, 1.0, level)
    assert 1 - probability_up_to(count - 1, low) == pytest.approx((1 - level) / 2, rel=1e-6)
    assert probability_up_to(count, high) == pytest.approx((1 - level) / 2, rel=1e-6)


@given(count=counts, length_mm=lengths, level=levels)
def test_the_interval_contains_the_density(count: int, length_mm: float, level: float) -> None:
    low, high = poisson_interval(count, length_mm, level)
    assert 0 <= low <= count / length_mm <= high
    assert (low == 0) is (count == 0)


@given(count=counts, length_mm=lengths, level=levels)
def test_more_crossings_raise_both_limits(count: int, length_mm: float, level: float) -> None:
    here, above = poisson_interval(count, length_mm, level), poisson_interval(count + 1, length_mm, level)
    assert here[0] < above[0]
    assert here[1] < above[1]


@given(count=counts, length_mm=lengths, factor=st.floats(0.1, 10.0))
def test_limits_go_with_the_inverse_of_the_length(count: int, length_mm: float, factor: float) -> None:
    here, there = poisson_interval(count, length_mm), poisson_interval(count, length_mm * factor)
    assert there == pytest.approx((here[0] / factor, here[1] / factor), rel=1e-9)


@given(count=st.integers(1, 200), times=st.integers(2, 10))
def test_a_longer_count_at_the_same_density_is_surer(count: int, times: int) -> None:
    here, longer = poisson_interval(count, 1.0), poisson_interval(count * times, float(times))
    assert here[0] < longer[0] < longer[1] < here[1]


@given(count=st.integers(0, 200), part=st.floats(0.01, 0.99))
def test_an_expected_count_lies_between_its_neighbors(count: int, part: float) -> None:
    below, above = poisson_interval(count, 1.0), poisson_interval(count + 1, 1.0)
    low, high = expected_interval(count + part, 1.0)
    assert below[0] <= low < above[0]
    assert below[1] < high < above[1]


@pytest.mark.parametrize(
    ("count", "length_mm", "level"),
    [
        (-1, 1.0, 0.95),
        (1.5, 1.0, 0.95),
        (nan, 1.0, 0.95),
        (inf, 1.0, 0.95),
        (1, 0.0, 0.95),
        (1, -2.0, 0.95),
        (1, nan, 0.95),
        (1, inf, 0.95),
        (1, 1.0, 0.0),
        (1, 1.0, 1.0),
        (1, 1.0, nan),
    ],
)
def test_what_is_no_count_length_or_level_is_an_error(count: int, length_mm: float, level: float) -> None:
    with pytest.raises(ValueError, match=r"count|length|level"):
        poisson_interval(count, length_mm, level)
