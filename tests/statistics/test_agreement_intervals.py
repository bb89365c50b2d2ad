"""Intervals of figures of agreement, against published examples and against what chance really does."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from ienfd.statistics import (
    bias_interval,
    bland_altman,
    cohen_kappa,
    icc_interval,
    kappa_interval,
    limit_intervals,
    share_interval,
)

# Peak flow by two meters: the example of Bland and Altman (1986).
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
# Six subjects, four judges: the example of Shrout and Fleiss (1979).
JUDGED = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)


def test_bias_and_limits_of_the_published_example() -> None:
    figures = bland_altman(LARGE, MINI)
    assert bias_interval(figures) == pytest.approx((-22.0, 17.8), abs=0.1)
    lower, upper = limit_intervals(figures)
    # with 2 standard deviations and sqrt(3 / n) in their first paper
    assert lower == pytest.approx((-114.3, -45.1), abs=2.0)
    assert upper == pytest.approx((40.9, 110.1), abs=2.0)


def test_one_pair_has_no_interval() -> None:
    figures = bland_altman([1.0], [2.0])
    assert all(isnan(end) for end in (*bias_interval(figures), *limit_intervals(figures)[0]))


def test_icc_of_the_published_example() -> None:
    assert icc_interval(JUDGED) == pytest.approx((0.019, 0.761), abs=0.0005)


@pytest.mark.parametrize("ratings", [[[1.0, 1.0], [2.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0]]])
def test_icc_without_any_difference_has_no_interval(ratings: list[list[float]]) -> None:
    assert all(isnan(end) for end in icc_interval(np.array(ratings)))


def test_complete_agreement_of_a_few_is_not_certain() -> None:
    calls = [True] * 6 + [False] * 6
    low, high = kappa_interval(calls, calls)
    assert (0.3 < low < 0.8, high) == (True, 1.0)
    many = calls * 20
    assert kappa_interval(many, many)[0] > 0.95


def test_kappa_lies_in_its_interval_which_is_the_same_each_time() -> None:
    one, two = [True] * 5 + [False] * 7, [True] * 4 + [False] * 6 + [True, False]
    low, high = kappa_interval(one, two)
    assert low < cohen_kappa(one, two) < high
    assert kappa_interval(one, two) == (low, high)
    assert all(isnan(end) for end in kappa_interval([True, True], [True, True]))


def test_the_interval_of_kappa_holds_the_true_one_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    kappa, share, n = 0.6, 0.4, 20
    apart = share * (1 - share) * (1 - kappa)
    both = share**2 + kappa * share * (1 - share)
    held = []
    for counts in rng.multinomial(n, [both, apart, apart, 1 - both - 2 * apart], 150):
        one = np.repeat([True, True, False, False], counts)
        two = np.repeat([True, False, True, False], counts)
        low, high = kappa_interval(one, two)
        held.append(low <= kappa <= high)
    assert 0.9 <= np.mean(held) <= 0.99


def test_a_share_of_lone_trials_is_close_to_the_exact_binomial() -> None:
    assert share_interval([1] * 8 + [0] * 2, [1] * 10) == pytest.approx((0.4439, 0.9748), abs=0.025)
    assert share_interval([1] * 10, [1] * 10) == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_trials_that_are_alike_say_less() -> None:
    alike = share_interval([10, 10, 10, 0, 10], [10] * 5)
    mixed = share_interval([8] * 5, [10] * 5)
    assert alike[1] - alike[0] > 1.5 * (mixed[1] - mixed[0])
    low, high = share_interval([10] * 5, [10] * 5)
    assert (0.7 < low < 1.0, high) == (True, 1.0)
    assert all(isnan(end) for end in share_interval([3], [4]))
    assert all(isnan(end) for end in share_interval([0, 0], [0, 0]))
