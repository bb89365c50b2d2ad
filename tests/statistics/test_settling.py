from __future__ import annotations

import doctest
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from ienfd.statistics import SETTLE_AT_MOST, dispersion, poisson, sampling, sections_to_settle


def excludes(expected: float, length_mm: float, limit_per_mm: float, overdispersion: float) -> bool:
    """Whether the 95 % interval excludes the limit, by its chi-square form."""
    low = chi2.ppf(0.025, 2 * expected / overdispersion) * overdispersion / 2 if expected else 0.0
    high = chi2.ppf(0.975, (2 * expected + 2) / overdispersion) * overdispersion / 2
    return bool(limit_per_mm < low / length_mm or limit_per_mm > high / length_mm)


@pytest.mark.parametrize(
    ("count", "length_mm", "limit_per_mm", "further"),
    [
        # 42 crossings on three sections of 2.5 mm: 5.6 /mm
        (42, 7.5, 3.9, 0),
        (42, 7.5, 4.1, 1),
        (42, 7.5, 4.8598, 12),
        (42, 7.5, 4.995, 20),
        (42, 7.5, 5.02, None),
        (42, 7.5, 5.59, None),
        (42, 7.5, 5.6, None),
        (42, 7.5, 7.5, 1),
        (42, 7.5, 7.6, 0),
        # none at all: the upper limit falls with the length alone
        (0, 3.0, 1.9, 0),
        (0, 3.0, 1.0, 1),
        (0, 3.0, 0.3, 10),
        (0, 3.0, 0.1, None),
    ],
)
def test_known_situations(count: int, length_mm: float, limit_per_mm: float, further: int | None) -> None:
    assert sections_to_settle(count, length_mm, 3, limit_per_mm) == further


@pytest.mark.parametrize(
    ("overdispersion", "limit_per_mm", "further"),
    [
        # the same biopsy: the more its sections vary, the more of them it takes
        (1.0, 4.5, 4),
        (1.5, 4.5, 7),
        (2.0, 4.5, 10),
        (3.0, 4.5, 17),
        (4.0, 4.5, None),
        (2.0, 3.4, 0),
        (2.0, 3.6, 1),
    ],
)
def test_overdispersed_situations(overdispersion: float, limit_per_mm: float, further: int | None) -> None:
    assert sections_to_settle(42, 7.5, 3, limit_per_mm, overdispersion=overdispersion) == further


@settings(max_examples=150)
@given(
    count=st.integers(0, 120),
    length_mm=st.floats(3.0, 20.0),
    sections=st.integers(1, 10),
    limit_per_mm=st.floats(1.9, 8.0),
    overdispersion=st.just(1.0) | st.floats(1.0, 5.0),
)
def test_it_is_the_fewest_that_settle_it(
    count: int, length_mm: float, sections: int, limit_per_mm: float, overdispersion: float
) -> None:
    mean_mm, density = length_mm / sections, count / length_mm
    totals = [length_mm + further * mean_mm for further in range(SETTLE_AT_MOST + 1)]
    settled = [excludes(density * total, total, limit_per_mm, overdispersion) for total in totals]
    found = sections_to_settle(count, length_mm, sections, limit_per_mm, overdispersion=overdispersion)
    assert found == (settled.index(True) if True in settled else None)


def test_without_a_section_there_is_no_mean_length() -> None:
    with pytest.raises(ValueError, match="at least one section"):
        sections_to_settle(10, 3.0, 0, 4.0)


@pytest.mark.parametrize("module", [dispersion, poisson, sampling], ids=lambda module: module.__name__)
def test_the_examples_of_the_documentation_are_true(module: ModuleType) -> None:
    done = doctest.testmod(module)
    assert done.attempted > 0
    assert done.failed == 0
