"""At which percentile of a norm a density lies: only where the norm states its distribution."""

from __future__ import annotations

from dataclasses import replace

import pytest
from norm_cohorts import INTERCEPT, SLOPE, WANTED, WOMEN, cohort

from ienfd.errors import UsageError
from ienfd.norms import available, load
from ienfd.norms.building import build_norm
from ienfd.norms.norm import PercentileLine
from ienfd.norms.reading import parse_norm

# made up, for women of any age: 4 /mm is the 5th percentile, 6 the 25th, 10 the 75th
FLAT = replace(
    load("collongues2018"),
    id="flat",
    percentile=5.0,
    limits=tuple(replace(one, intercept_per_mm=4.0, slope_per_mm_per_year=0.0) for one in
                 load("collongues2018").limits),
    percentiles=(PercentileLine(75.0, "F", 10.0), PercentileLine(25.0, "F", 6.0)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("density_per_mm", "said"),
    [
        (0.0, "<5"),
        (3.999, "<5"),
        (4.0, "5"),
        (5.0, "15"),
        (6.0, "25"),
        (8.0, "50"),
        (10.0, "75"),
        (10.1, ">75"),
    ],
)
def test_by_hand(density_per_mm: float, said: str) -> None:
    assert FLAT.percentile_of(density_per_mm, 50, "F") == said


def test_a_norm_that_states_no_distribution_gives_none() -> None:
    for norm_id in available():
        norm = load(norm_id)
        assert norm.percentiles == ()
        assert norm.percentile_of(5.0, 50, "F") is None
    assert FLAT.percentile_of(5.0, 50, "M") is None  # nothing further is known of men
    assert replace(FLAT, percentile=None).percentile_of(5.0, 50, "F") is None


def test_outside_its_ages_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="holds from"):
        FLAT.percentile_of(5.0, 5, "F")


def test_a_line_that_has_come_under_the_limit_says_no_less_than_the_limit() -> None:
    crossed = replace(FLAT, percentiles=(PercentileLine(25.0, "F", 3.0), PercentileLine(75.0, "F", 10.0)))
    assert crossed.percentile_of(3.5, 50, "F") == "<5"
    assert crossed.percentile_of(4.0, 50, "F") == "25"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fitted_norm_finds_known_percentiles(seed: int) -> None:
    norm = build_norm(cohort(600, seed=seed), WANTED).norm
    assert sorted({line.percentile for line in norm.percentiles}) == [10, 25, 50, 75, 90, 95]
    for deviation, true in ((-0.6745, 25.0), (0.0, 50.0), (0.6745, 75.0)):
        for sex in ("F", "M"):
            density = INTERCEPT + SLOPE * 50 + WOMEN * (sex == "F") + 1.8 * (deviation + 1.644854)
            assert float(norm.percentile_of(density, 50, sex) or 0) == pytest.approx(true, abs=9)
    assert norm.percentile_of(0.5, 50, "F") == "<5"
    assert norm.percentile_of(25.0, 50, "F") == ">95"


def test_in_a_small_cohort_no_percentile_crosses_another() -> None:
    for seed in range(4):
        norm = build_norm(cohort(40, seed=seed), WANTED).norm
        for age in (norm.age_lo, 50, norm.age_hi - 0.01):
            own = [norm.limit_per_mm(age, "F"), *(one.at(age) for one in norm.percentiles if one.sex == "F")]
            assert own == sorted(own)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("percentile = 5.0", 'percentile = "not stated"', "not stated which percentile"),
        ("percentile = 25.0", "percentile = 4.0", "do not rise"),
        ("percentile = 25.0", "percentile = 250.0", "less than 100"),
    ],
)
def test_percentiles_that_cannot_be_right_are_refused(old: str, new: str, said: str) -> None:
    text = build_norm(cohort(150), WANTED).text
    assert parse_norm(text).percentiles
    assert old in text
    with pytest.raises(UsageError, match=said):
        parse_norm(text.replace(old, new))


def test_a_higher_percentile_of_a_lower_density_is_refused() -> None:
    text = build_norm(cohort(150), WANTED).text
    head, _, tail = text.partition("percentile = 75.0")
    line = next(one for one in tail.splitlines() if one.startswith("intercept_per_mm"))
    with pytest.raises(UsageError, match="lower density"):
        parse_norm(head + "percentile = 75.0" + tail.replace(line, "intercept_per_mm = 1.0", 1))


def test_a_norm_file_of_before_is_still_what_was_entered() -> None:
    text = build_norm(cohort(150), WANTED).text
    before = text[: text.index("[[percentiles]]")]
    norm = parse_norm(before)
    assert norm.percentiles == ()
    assert "percentiles" not in before
    assert norm.sha256 != parse_norm(text).sha256
