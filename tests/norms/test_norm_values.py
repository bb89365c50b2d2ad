"""The figures of the built-in norms, one by one, as they were verified in their publications."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ienfd.errors import UsageError
from ienfd.norms import available, load

# 7.6156 - 0.0769 x age + 1.5506 for women
COLLONGUES = [
    ("F", 20, 7.6282),
    ("F", 40, 6.0902),
    ("F", 56, 4.8598),
    ("F", 80, 3.0142),
    ("F", 80.5, 2.97575),
    ("M", 20, 6.0776),
    ("M", 40, 4.5396),
    ("M", 56, 3.3092),
    ("M", 80, 1.4636),
]
BURSOVA = [
    ("F", 20, 6.1), ("F", 39.99, 6.1), ("F", 40, 5.2), ("F", 56, 5.2), ("F", 59.99, 5.2), ("F", 60, 3.1),
    ("F", 80.99, 3.1), ("M", 20, 5.5), ("M", 39.99, 5.5), ("M", 40, 5.1), ("M", 59.99, 5.1), ("M", 60, 1.9),
    ("M", 80.99, 1.9),
]  # fmt: skip


@pytest.mark.parametrize(("sex", "age_years", "limit_per_mm"), COLLONGUES)
def test_collongues(sex: str, age_years: float, limit_per_mm: float) -> None:
    assert load("collongues2018").limit_per_mm(age_years, sex) == pytest.approx(limit_per_mm, abs=1e-12)


@pytest.mark.parametrize(("sex", "age_years", "limit_per_mm"), BURSOVA)
def test_bursova(sex: str, age_years: float, limit_per_mm: float) -> None:
    assert load("bursova2012").limit_per_mm(age_years, sex) == limit_per_mm


def test_only_what_can_call_is_available() -> None:
    assert available() == ("bursova2012", "collongues2018")
    assert [load(norm_id).id for norm_id in available()] == list(available())


def test_their_frames() -> None:
    bright, fluorescent = load("collongues2018"), load("bursova2012")
    assert (bright.stain, bright.site, bright.n, bright.percentile) == ("bright-field", "distal_leg", 300, 5)
    assert (fluorescent.stain, fluorescent.site, fluorescent.n) == ("fluorescence", "distal_leg", 74)
    assert (fluorescent.n_men, fluorescent.n_women, fluorescent.percentile) == (39, 35, None)
    assert fluorescent.caveat == "percentile not stated; 39 men, 35 women"
    for norm in (bright, fluorescent):
        assert norm.section_um is None
        assert norm.length_line is None
        assert norm.citation
        assert norm.verification


@pytest.mark.parametrize("norm_id", ["collongues2018", "bursova2012"])
@pytest.mark.parametrize("age_years", [-1, 0, 17, 19.999, 81, 99, nan, inf, -inf])
def test_outside_its_ages_a_norm_has_no_limit(norm_id: str, age_years: float) -> None:
    with pytest.raises(ValueError, match="holds from 20 to under 81 years"):
        load(norm_id).limit_per_mm(age_years, "F")


@pytest.mark.parametrize("sex", ["f", "m", "", "X", "female"])
def test_a_sex_is_f_or_m(sex: str) -> None:
    with pytest.raises(ValueError, match="limits for F and M"):
        load("collongues2018").limit_per_mm(50, sex)


@given(norm_id=st.sampled_from(available()), age=st.floats(20, 81, exclude_max=True), later=st.floats(0, 61))
def test_limits_are_positive_fall_with_age_and_are_higher_in_women(
    norm_id: str, age: float, later: float
) -> None:
    norm = load(norm_id)
    for sex in ("F", "M"):
        assert norm.limit_per_mm(age, sex) > 0
        if age + later < 81:
            assert norm.limit_per_mm(age + later, sex) <= norm.limit_per_mm(age, sex)
    assert norm.limit_per_mm(age, "F") > norm.limit_per_mm(age, "M")


@pytest.mark.parametrize("norm_id", ["lauria2010", "", "Collongues2018", "../data/collongues2018", "x\0y"])
def test_an_unknown_norm_is_named_with_those_that_there_are(norm_id: str) -> None:
    with pytest.raises(UsageError, match="collongues2018") as caught:
        load(norm_id)
    assert caught.value.code == "unknown_norm"
