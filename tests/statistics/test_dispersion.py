from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import factorial, fsum, inf, nan, prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from ienfd.statistics import dispersed_interval, expected_interval, overdispersion, pearson_dispersion

sections = st.lists(st.tuples(st.integers(0, 60), st.floats(0.4, 4.0)), min_size=1, max_size=10)
known = st.floats(1.0, 4.0)
weights = st.floats(0.0, 20.0)
expected = st.integers(0, 500) | st.floats(0.01, 500)


def split(pairs: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [count for count, _ in pairs], [length_mm for _, length_mm in pairs]


def shares(total: int, lengths_mm: list[float]) -> Iterator[tuple[float, list[int]]]:
    """Every way for crossings to fall on sections by chance, with its probability."""
    length_mm = fsum(lengths_mm)
    for counts in product(range(total + 1), repeat=len(lengths_mm)):
        if sum(counts) == total:
            ways = factorial(total) // prod(map(factorial, counts))
            chance = prod((own / length_mm) ** n for own, n in zip(lengths_mm, counts, strict=True))
            yield ways * chance, list(counts)


class TestPearson:
    @pytest.mark.parametrize(
        ("counts", "lengths_mm", "expected"),
        [
            ([4, 10, 16], [2.0, 2.0, 2.0], (36 + 0 + 36) / 10 / 2),
            ([3, 5], [2.0, 6.0], 1 / 2 + 1 / 6),  # 2 and 6 expected
            ([6, 2], [2.0, 6.0], 16 / 2 + 16 / 6),
            ([7, 7, 7], [1.5, 1.5, 1.5], 0.0),
            ([9, 0, 0], [1.0, 1.0, 1.0], 9.0),  # all in one: as much as the crossings are
            ([0, 1, 0, 0], [2.0, 2.0, 2.0, 2.0], 1.0),  # one crossing is always in one
        ],
    )
    def test_by_hand(self, counts: list[int], lengths_mm: list[float], expected: float) -> None:
        assert pearson_dispersion(counts, lengths_mm) == pytest.approx(expected)

    def test_one_section_and_no_crossing_show_nothing(self) -> None:
        assert pearson_dispersion([12], [2.0]) is None
        assert pearson_dispersion([0, 0, 0], [2.0, 1.0, 3.0]) is None

    @pytest.mark.parametrize("total", [1, 2, 3, 6])
    def test_its_mean_is_1_by_chance_however_few_the_crossings(self, total: int) -> None:
        lengths_mm = [0.8, 1.4, 2.7]
        seen = [(p, pearson_dispersion(counts, lengths_mm) or 0.0) for p, counts in shares(total, lengths_mm)]
        assert fsum(p * one for p, one in seen) == pytest.approx(1.0)

    @pytest.mark.parametrize("total", [1, 2, 3, 6])
    def test_few_crossings_count_for_fewer_degrees_of_freedom(self, total: int) -> None:
        # the variance of chi-square by f degrees of freedom is 2 / f of its mean squared
        seen = [(p, pearson_dispersion(counts, [1.5] * 3) or 0.0) for p, counts in shares(total, [1.5] * 3)]
        assert fsum(p * (one - 1) ** 2 for p, one in seen) == pytest.approx((1 - 1 / total) * 2 / 2)

    @pytest.mark.parametrize(
        ("counts", "lengths_mm"),
        [
            ([], []),
            ([1, 2], [1.0]),
            ([1, -1], [1.0, 1.0]),
            ([1, 0.5], [1.0, 1.0]),
            ([1, nan], [1.0, 1.0]),
            ([1, inf], [1.0, 1.0]),
            ([1, 2], [1.0, 0.0]),
            ([1, 2], [1.0, -2.0]),
            ([1, 2], [1.0, nan]),
            ([1, 2], [1.0, inf]),
        ],
    )
    def test_what_is_no_section_is_an_error(self, counts: list[int], lengths_mm: list[float]) -> None:
        with pytest.raises(ValueError, match=r"count|length"):
            pearson_dispersion(counts, lengths_mm)


class TestOverdispersion:
    @pytest.mark.parametrize(
        ("counts", "toward", "weight", "expected"),
        [
            # three sections of one length: 2 (1 - 1/k) degrees of freedom of their own
            ([4, 10, 16], 2.0, 3.0, (3 * 2 + 58 / 30 * 3.6) / (3 + 58 / 30)),
            ([4, 10, 16], 2.0, 0.0, 3.6),
            ([4, 10, 16], 2.0, 1e9, 2.0),
            ([10, 10, 10], 2.0, 3.0, 6 / (3 + 58 / 30)),
            ([10, 10, 10], 2.0, 0.0, 1.0),  # never below 1
            ([10, 10, 10], 1.0, 3.0, 1.0),
            ([9, 0, 0], 2.0, 3.0, (6 + 16 / 9 * 9) / (3 + 16 / 9)),
            # nothing is shown: one section, no crossing, a single one
            ([12], 2.0, 3.0, 2.0),
            ([0, 0, 0], 2.0, 3.0, 2.0),
            ([0, 0, 0], 2.0, 0.0, 2.0),
            ([0, 1, 0], 2.0, 3.0, 2.0),
            ([0, 1, 0], 2.0, 0.0, 2.0),
        ],
    )
    def test_by_hand(self, counts: list[int], toward: float, weight: float, expected: float) -> None:
        assert overdispersion(counts, [2.0] * len(counts), toward, weight) == pytest.approx(expected)

    def test_a_crossing_on_hardly_any_length_does_not_run_away(self) -> None:
        assert overdispersion([1, 9], [1e-12, 3.0], 2.0, 1.0) == pytest.approx((2 + 0.9 * 10) / 1.9)
        assert overdispersion([1, 9], [5e-324, 3.0]) == 10.0
        assert overdispersion([0, 9], [5e-324, 3.0]) == 1.0

    @given(pairs=sections, toward=known, weight=weights, seed=st.integers(0, 99))
    def test_the_order_of_the_sections_does_not_matter(
        self, pairs: list[tuple[int, float]], toward: float, weight: float, seed: int
    ) -> None:
        shuffled = Random(seed).sample(pairs, len(pairs))
        assert overdispersion(*split(shuffled), toward, weight) == overdispersion(
            *split(pairs), toward, weight
        )

    @given(pairs=sections, toward=known, weight=weights)
    def test_it_lies_between_what_is_seen_and_what_was_known(
        self, pairs: list[tuple[int, float]], toward: float, weight: float
    ) -> None:
        counts, lengths_mm = split(pairs)
        seen = pearson_dispersion(counts, lengths_mm)
        seen = toward if seen is None else max(1.0, min(seen, sum(counts)))
        found = overdispersion(counts, lengths_mm, toward, weight)
        assert min(seen, toward) - 1e-9 <= found <= max(seen, toward) + 1e-9
        assert found >= 1

    @given(pairs=sections, toward=known, weight=weights, factor=st.floats(0.1, 10.0))
    def test_it_has_no_scale(
        self, pairs: list[tuple[int, float]], toward: float, weight: float, factor: float
    ) -> None:
        counts, lengths_mm = split(pairs)
        scaled = [length_mm * factor for length_mm in lengths_mm]
        assert overdispersion(counts, scaled, toward, weight) == pytest.approx(
            overdispersion(counts, lengths_mm, toward, weight)
        )

    def test_many_sections_speak_for_themselves(self) -> None:
        pulled = []
        for n in (1, 2, 5, 50):
            counts, lengths_mm = [4, 10, 16] * n, [2.0] * 3 * n
            seen = pearson_dispersion(counts, lengths_mm) or 0.0
            pulled.append((seen - overdispersion(counts, lengths_mm, 2.0, 3.0)) / seen)
        assert pulled == sorted(pulled, reverse=True)
        assert pulled[0] > 0.25
        assert 0 < pulled[-1] < 0.005

    @pytest.mark.parametrize(
        ("toward", "weight"), [(0.9, 1.0), (nan, 1.0), (inf, 1.0), (2.0, -0.1), (2.0, nan), (2.0, inf)]
    )
    def test_what_is_known_has_a_range(self, toward: float, weight: float) -> None:
        with pytest.raises(ValueError, match=r"overdispersion|weight"):
            overdispersion([1, 2], [1.0, 1.0], toward, weight)


class TestInterval:
    @pytest.mark.parametrize(
        ("count", "dispersion", "low", "high"),
        [
            # quantiles of gamma distributions whose variance is a multiple of their mean
            (10, 1.0, chi2.ppf(0.025, 20) / 2, chi2.ppf(0.975, 22) / 2),
            (10, 2.0, chi2.ppf(0.025, 10), chi2.ppf(0.975, 11)),
            (10, 4.0, 2 * chi2.ppf(0.025, 5), 2 * chi2.ppf(0.975, 5.5)),
            (0, 2.0, 0.0, chi2.ppf(0.975, 1)),  # 5.02, where chance alone gives 3.69
            (42, 1.9, 0.95 * chi2.ppf(0.025, 84 / 1.9), 0.95 * chi2.ppf(0.975, 86 / 1.9)),
        ],
    )
    def test_known_limits(self, count: int, dispersion: float, low: float, high: float) -> None:
        assert dispersed_interval(count, 1.0, dispersion) == pytest.approx((low, high))
        assert dispersed_interval(count, 4.0, dispersion) == pytest.approx((low / 4, high / 4))

    @given(count=expected, length_mm=st.floats(0.01, 500), level=st.floats(0.5, 0.999))
    def test_by_chance_alone_it_is_that_of_poisson(
        self, count: float, length_mm: float, level: float
    ) -> None:
        assert dispersed_interval(count, length_mm, 1.0, level) == expected_interval(count, length_mm, level)

    @given(
        count=expected,
        length_mm=st.floats(0.01, 500),
        dispersion=st.floats(1.0, 1e6),
        level=st.floats(0.5, 0.999),
    )
    def test_it_is_never_inside_that_of_poisson(
        self, count: float, length_mm: float, dispersion: float, level: float
    ) -> None:
        low, high = dispersed_interval(count, length_mm, dispersion, level)
        poisson_low, poisson_high = expected_interval(count, length_mm, level)
        assert 0 <= low <= poisson_low <= count / length_mm <= poisson_high <= high < inf

    @given(count=st.integers(0, 200), dispersion=st.floats(1.0, 4.0), more=st.floats(0.1, 2.0))
    def test_more_overdispersion_is_a_wider_interval(
        self, count: int, dispersion: float, more: float
    ) -> None:
        here, wider = (dispersed_interval(count, 3.0, d) for d in (dispersion, dispersion + more))
        assert wider[1] > here[1]
        assert wider[0] < here[0] if count else wider[0] == here[0] == 0

    @given(count=st.integers(1, 200), times=st.floats(1.1, 10.0), dispersion=st.floats(1.0, 6.0))
    def test_a_longer_count_at_the_same_density_is_surer(
        self, count: int, times: float, dispersion: float
    ) -> None:
        here = dispersed_interval(count, 1.0, dispersion)
        longer = dispersed_interval(count * times, times, dispersion)
        assert here[0] < longer[0] < count < longer[1] < here[1]

    @pytest.mark.parametrize("dispersion", [0.999, 0.0, -1.0, nan, inf])
    def test_an_overdispersion_is_1_or_more(self, dispersion: float) -> None:
        with pytest.raises(ValueError, match="overdispersion"):
            dispersed_interval(10, 1.0, dispersion)

    @pytest.mark.parametrize(
        ("count", "length_mm", "level"), [(-1, 1, 0.95), (nan, 1, 0.95), (1, 0, 0.95), (1, 1, 1)]
    )
    def test_the_rest_is_that_of_poisson(self, count: float, length_mm: float, level: float) -> None:
        with pytest.raises(ValueError, match=r"count|length|level"):
            dispersed_interval(count, length_mm, 1.5, level)
