"""How well two readers agree, on cases that can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from math import dist, isnan, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ienfd.statistics import bland_altman, cohen_kappa, f1, icc_2_1, match_places

Place = tuple[float, float]

# Six subjects, four judges: the example with which Shrout and Fleiss show their coefficients.
JUDGED = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)

places = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=5)
labels = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=30)
tables = arrays.arrays(
    float,
    st.tuples(st.integers(2, 6), st.integers(2, 4)),
    elements=st.integers(0, 50).map(float),
)


def icc_by_sums_of_squares(ratings: np.ndarray) -> float:
    """ICC(2,1) of a two-way analysis of variance, cell by cell, the residual as what is left over."""
    n, k = ratings.shape
    cells = [(i, j) for i in range(n) for j in range(k)]
    mean = sum(ratings[cell] for cell in cells) / (n * k)
    of_subject = [sum(ratings[i, j] for j in range(k)) / k for i in range(n)]
    of_rater = [sum(ratings[i, j] for i in range(n)) / n for j in range(k)]
    total = sum((ratings[cell] - mean) ** 2 for cell in cells)
    subjects = k * sum((value - mean) ** 2 for value in of_subject)
    raters = n * sum((value - mean) ** 2 for value in of_rater)
    error = (total - subjects - raters) / ((n - 1) * (k - 1))
    subjects, raters = subjects / (n - 1), raters / (k - 1)
    return float((subjects - error) / (subjects + (k - 1) * error + k * (raters - error) / n))


class TestIcc:
    def test_example_of_its_inventors(self) -> None:
        assert icc_2_1(JUDGED) == pytest.approx(0.2898, abs=5e-5)

    def test_a_shift_between_raters_counts_against_them(self) -> None:
        # mean squares: subjects 2, raters 1.5, residual 0; ICC = 2 / (2 + 2 (1.5 - 0) / 3)
        assert icc_2_1(np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])) == pytest.approx(2 / 3)
        assert icc_2_1(np.array([[1.0, 1.0], [5.0, 5.0], [7.0, 7.0]])) == pytest.approx(1.0)

    def test_opposite_raters_are_worse_than_none(self) -> None:
        # mean squares: subjects 0, raters 0, residual 2; ICC = -2 / (0 + 2 + 2 (0 - 2) / 3)
        assert icc_2_1(np.array([[1.0, 3.0], [3.0, 1.0], [2.0, 2.0]])) == pytest.approx(-2 / (2 - 4 / 3))

    @pytest.mark.parametrize(
        "ratings", [[[1.0, 2.0]], [[1.0], [2.0]], [[0.1] * 3] * 3, [[4.0, 4.0], [4.0, 4.0]]]
    )
    def test_without_variance_it_is_not_defined(self, ratings: list[list[float]]) -> None:
        assert isnan(icc_2_1(np.array(ratings)))

    @given(tables)
    def test_it_is_that_of_the_analysis_of_variance(self, ratings: np.ndarray) -> None:
        if ratings.min() < ratings.max():
            assert icc_2_1(ratings) == pytest.approx(icc_by_sums_of_squares(ratings), abs=1e-9)

    @given(tables)
    def test_the_order_of_raters_and_subjects_does_not_matter(self, ratings: np.ndarray) -> None:
        assert icc_2_1(ratings[::-1, ::-1]) == pytest.approx(icc_2_1(ratings), nan_ok=True)


class TestKappa:
    def test_a_table_of_four_fields(self) -> None:
        # 20 both yes, 5 and 10 divided, 15 both no: agreed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4
        one = ["yes"] * 25 + ["no"] * 25
        two = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
        assert cohen_kappa(one, two) == pytest.approx((0.7 - 0.5) / (1 - 0.5))

    def test_full_agreement_is_1_and_mere_chance_0(self) -> None:
        assert cohen_kappa([1, 2, 3, 1], [1, 2, 3, 1]) == 1.0
        assert cohen_kappa([True, True, False, False], [True, False, True, False]) == 0.0
        assert cohen_kappa("ab", "ba") == -1.0

    @pytest.mark.parametrize("calls", ["", "a", "aaaa"])
    def test_where_chance_explains_everything_it_is_not_defined(self, calls: str) -> None:
        assert isnan(cohen_kappa(calls, calls))

    def test_one_label_against_another_is_no_agreement(self) -> None:
        assert cohen_kappa("aaa", "bbb") == 0.0

    def test_both_must_have_called_the_same_items(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            cohen_kappa("aab", "aa")

    @given(labels)
    def test_it_is_the_same_either_way_and_at_most_1(self, calls: list[tuple[str, str]]) -> None:
        one, two = [a for a, _ in calls], [b for _, b in calls]
        kappa = cohen_kappa(one, two)
        assert kappa == pytest.approx(cohen_kappa(two, one), nan_ok=True)
        assert isnan(kappa) or -1 <= kappa <= 1


def best(one: Sequence[Place], two: Sequence[Place], within: float) -> tuple[int, float]:
    """Most pairs and their least sum of distances, by trying everything."""
    few, many = sorted((one, two), key=len)
    tried = [(0, 0.0)]
    for chosen in permutations(many, len(few)):
        near = [d for a, b in zip(few, chosen, strict=True) if (d := dist(a, b)) <= within]
        tried.append((-len(near), sum(near)))
    pairs, total = min(tried)
    return -pairs, total


class TestMatching:
    def test_nearest_first_would_leave_two_over(self) -> None:
        found = match_places([(0, 0), (0, 8)], [(0, 6), (0, 15)], 10.0)
        assert found.pairs == ((0, 0), (1, 1))
        assert (found.only_one, found.only_two) == ((), ())

    def test_a_chain_is_matched_to_its_end(self) -> None:
        # nearest first takes 4-5 and 10-11 and leaves 0 and 16 without anything in reach
        found = match_places([(0, 0), (0, 5), (0, 11)], [(0, 4), (0, 10), (0, 16)], 5.0)
        assert found.pairs == ((0, 0), (1, 1), (2, 2))

    def test_more_pairs_are_better_than_closer_ones(self) -> None:
        found = match_places([(0, 0), (0, 9)], [(0, 9), (0, 18)], 9.0)
        assert found.pairs == ((0, 0), (1, 1))

    def test_among_equal_numbers_the_closest_are_taken(self) -> None:
        assert match_places([(0, 0), (0, 3)], [(0, 3.1), (0, 0.1)], 10.0).pairs == ((0, 1), (1, 0))

    def test_what_is_out_of_reach_stays_alone(self) -> None:
        found = match_places([(0, 0), (50, 50), (9, 9)], [(80, 0), (6, 8)], 10.0)
        assert found.pairs == ((2, 1),)
        assert (found.only_one, found.only_two) == ((0, 1), (0,))

    def test_the_reach_is_inclusive(self) -> None:
        assert match_places([(0, 0)], [(6, 8)], 10.0).pairs == ((0, 0),)
        assert match_places([(0, 0)], [(6, 8.1)], 10.0).pairs == ()
        assert match_places([(0, 0), (1, 1)], [(1, 1), (2, 2)], 0.0).pairs == ((1, 0),)

    def test_nobody_has_a_partner_where_the_other_has_nothing(self) -> None:
        none = np.empty((0, 2))
        assert match_places(none, none, 5.0).pairs == ()
        assert match_places([(1, 1), (2, 2)], none, 5.0).only_one == (0, 1)
        assert match_places([], [(1, 1)], 5.0).only_two == (0,)

    @pytest.mark.parametrize("within_um", [-1.0, nan])
    def test_a_reach_is_a_distance(self, within_um: float) -> None:
        with pytest.raises(ValueError, match="negative"):
            match_places([(0, 0)], [(0, 0)], within_um)

    @given(places, places, st.integers(0, 8))
    def test_nothing_better_can_be_found(self, one: list[Place], two: list[Place], within: int) -> None:
        found = match_places(one, two, within)
        distances = [dist(one[i], two[j]) for i, j in found.pairs]
        pairs, total = best(one, two, within)
        assert len(found.pairs) == pairs
        assert sum(distances) == pytest.approx(total)
        assert max(distances, default=0) <= within
        assert sorted([*found.only_one, *(i for i, _ in found.pairs)]) == list(range(len(one)))
        assert sorted([*found.only_two, *(j for _, j in found.pairs)]) == list(range(len(two)))

    @given(places, places, st.integers(0, 8))
    def test_it_is_as_good_from_the_other_side(self, one: list[Place], two: list[Place], within: int) -> None:
        there, back = match_places(one, two, within), match_places(two, one, within)
        assert len(there.pairs) == len(back.pairs)
        assert len(there.only_one) == len(back.only_two)
        assert sum(dist(one[i], two[j]) for i, j in there.pairs) == pytest.approx(
            sum(dist(two[i], one[j]) for i, j in back.pairs)
        )


@pytest.mark.parametrize(
    ("matched", "only_one", "only_two", "expected"),
    [(4, 2, 0, 0.8), (4, 0, 2, 0.8), (3, 0, 0, 1.0), (0, 1, 0, 0.0), (1, 1, 1, 0.5), (0, 0, 0, nan)],
)
def test_f1(matched: int, only_one: int, only_two: int, expected: float) -> None:
    assert f1(matched, only_one, only_two) == pytest.approx(expected, nan_ok=True)


class TestBlandAltman:
    def test_a_case_by_hand(self) -> None:
        # differences 1, 3, -1, 1: mean 1, sum of squares about it 8
        sd = sqrt(8 / 3)
        found = bland_altman([5.0, 8.0, 2.0, 4.0], [4.0, 5.0, 3.0, 3.0])
        assert (found.n, found.bias) == (4, 1.0)
        assert found.sd == pytest.approx(sd)
        assert found.low == pytest.approx(1 - 1.96 * sd)
        assert found.high == pytest.approx(1 + 1.96 * sd)

    def test_one_pair_has_a_bias_but_no_limits(self) -> None:
        found = bland_altman([3.0], [1.0])
        assert (found.n, found.bias) == (1, 2.0)
        assert isnan(found.sd)
        assert isnan(found.low)
        assert isnan(found.high)

    def test_no_pair_has_nothing(self) -> None:
        found = bland_altman([], [])
        assert found.n == 0
        assert isnan(found.bias)

    def test_one_value_is_not_compared_with_many(self) -> None:
        with pytest.raises(ValueError, match="compared"):
            bland_altman([1.0], [1.0, 2.0])

    @given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=2, max_size=9))
    def test_the_other_way_round_it_is_mirrored(self, values: list[tuple[int, int]]) -> None:
        one, two = [a for a, _ in values], [b for _, b in values]
        there, back = bland_altman(one, two), bland_altman(two, one)
        assert back.bias == pytest.approx(-there.bias)
        assert back.sd == pytest.approx(there.sd)
        assert back.low == pytest.approx(-there.high)
        assert back.high == pytest.approx(-there.low)


def test_kappa_of_two_labels_is_that_of_all_tables() -> None:
    """Against the formula in shares, for every way to call four items yes or no."""
    calls = [tuple(i in yes for i in range(4)) for k in range(5) for yes in combinations(range(4), k)]
    for one in calls:
        for two in calls:
            agreed = sum(a == b for a, b in zip(one, two, strict=True)) / 4
            chance = sum(one) * sum(two) / 16 + (4 - sum(one)) * (4 - sum(two)) / 16
            expected = (agreed - chance) / (1 - chance) if chance < 1 else nan
            assert cohen_kappa(one, two) == pytest.approx(expected, nan_ok=True)
