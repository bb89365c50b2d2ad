"""A laboratory's own norm: what is fitted, what is refused, and what is said of it."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from norm_cohorts import INTERCEPT, SLOPE, WANTED, WOMEN, cohort

from ienfd.errors import MissingExtraError, UsageError
from ienfd.norms.building import build_norm, interval_of
from ienfd.norms.cohort import Subject, read_cohort
from ienfd.norms.laboratory import enter, find


def test_known_coefficients_lie_within_the_bootstrap_bounds() -> None:
    ages = np.array([25.0, 50.0, 75.0])
    held = []
    for seed in range(4):
        built = build_norm(cohort(200, seed=seed), WANTED)
        for limit in built.norm.limits:
            low, high = interval_of(built.resampled, limit.sex, ages)
            true = INTERCEPT + SLOPE * ages + WOMEN * (limit.sex == "F")
            held += list((low <= true) & (true <= high))
            assert [limit.at(age) for age in ages] == pytest.approx(true, abs=1.2)
            assert limit.slope_per_mm_per_year == pytest.approx(SLOPE, abs=0.03)
    assert np.mean(held) > 0.8  # of 24 that hang together; see the notes of `build_norm`


def test_what_the_file_says_of_the_fit() -> None:
    built = build_norm(cohort(150), WANTED)
    norm, fit = built.norm, built.norm.fit
    assert (norm.n, norm.n_women, norm.n_men, norm.provisional, norm.caveat) == (150, 75, 75, False, "")
    years = [[one.age_years for one in cohort(150).of(sex)] for sex in ("F", "M")]
    assert norm.age_lo == max(math.floor(min(ages)) for ages in years)
    assert norm.age_hi == min(math.floor(max(ages)) + 1 for ages in years)
    assert (norm.stain, norm.section_um, norm.length_line, norm.site) == (
        "bright-field", 50.0, "surface", "distal_leg",
    )  # fmt: skip
    assert fit is not None
    assert (fit.by, fit.resamples, fit.seed, fit.level) == ("A. Person", 100, 0, 0.95)
    assert 3 <= fit.subjects_below <= 8  # 5 % of 150 is 7.5; those on the line do not lie below it
    assert [one.age_years for one in fit.intervals if one.sex == "F"] == [
        norm.age_lo, 30, 40, 50, 60, 70, norm.age_hi - 1,
    ]  # fmt: skip
    assert all(one.low_per_mm <= one.limit_per_mm <= one.high_per_mm for one in fit.intervals)
    assert all(
        one.limit_per_mm == pytest.approx(norm.limit_per_mm(one.age_years, one.sex), abs=1e-4)
        for one in fit.intervals
    )
    assert norm.entered is None


def test_the_same_table_gives_the_same_file() -> None:
    once, again = build_norm(cohort(60), WANTED), build_norm(cohort(60), WANTED)
    assert once.text == again.text
    assert build_norm(cohort(60), replace(WANTED, seed=1)).text != once.text


@pytest.mark.parametrize(("n", "provisional"), [(40, True), (119, True), (120, False)])
def test_fewer_than_120_are_provisional(n: int, provisional: bool) -> None:
    norm = build_norm(cohort(n), WANTED).norm
    assert norm.provisional is provisional
    assert norm.caveat == (f"provisional: fitted to {n} subjects" if provisional else "")


@pytest.mark.parametrize(("n", "women"), [(0, 0), (39, 20), (40, 19), (60, 41), (200, 0)])
def test_too_few_are_refused(n: int, women: int) -> None:
    with pytest.raises(UsageError) as caught:
        build_norm(cohort(n, women=women), WANTED)
    assert caught.value.code == "too_few_subjects"
    assert f"{n}: {women} women, {n - women} men" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"provisional = true\n": ""}, "provisional: it must be true"), ({"n = 60": "n = 39",
     "n_men = 30": "n_men = 9"}, "n: fitted to 39 subjects"),
     ({"intercept_per_mm = ": "intercept_per_mm = 1"}, "was fitted, which is not what the limits say")],
)  # fmt: skip
def test_a_fitted_norm_is_entered_as_it_was_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], said: str
) -> None:
    monkeypatch.setenv("IENFD_NORMS", str(tmp_path / "norms"))
    file = tmp_path / "own.toml"
    text = build_norm(cohort(60), WANTED).text
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        enter(file, by="B. Person")
    built = build_norm(cohort(60), WANTED)
    file.write_text(built.text, encoding="utf-8")
    enter(file, by="B. Person")
    found = find("own")
    assert replace(found, entered=None) == built.norm
    assert found.provisional


def test_a_limit_that_rises_must_be_explained_before_it_is_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IENFD_NORMS", str(tmp_path / "norms"))
    built = build_norm(cohort(60, slope=0.05), WANTED)
    assert len(built.open_questions) == 2  # one for each sex
    assert all("say why in why_rising" in text for text in built.open_questions)
    assert 'why_rising = ""' in built.text
    file = tmp_path / "own.toml"
    file.write_text(built.text, encoding="utf-8")
    with pytest.raises(UsageError, match="why_rising"):
        enter(file, by="B. Person")
    file.write_text(built.text.replace('why_rising = ""', 'why_rising = "made up"'), encoding="utf-8")
    assert enter(file, by="B. Person").norm.notes == ("The limit rises with age: made up",)


def test_a_limit_that_falls_to_0_holds_for_narrower_ages() -> None:
    falling = cohort(200, slope=-0.12)
    with pytest.raises(UsageError, match=r"the limit for F is 0 at 7\d\.\d years") as caught:
        build_norm(falling, WANTED)
    assert caught.value.code == "norm_invalid"
    assert build_norm(falling, replace(WANTED, age_hi=60)).norm.age_hi == 60


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"age_lo": 10.0}, "option_invalid"), ({"age_hi": 90.0}, "option_invalid"),
     ({"age_lo": 60.0, "age_hi": 40.0}, "option_invalid"), ({"id": "Own norm"}, "norm_invalid"),
     ({"id": "collongues2018"}, "norm_invalid"), ({"by": ""}, "norm_invalid")],
)  # fmt: skip
def test_what_a_norm_cannot_be(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_norm(cohort(60), replace(WANTED, **changes))
    assert caught.value.code == code


def test_subjects_of_one_age_give_no_line() -> None:
    subjects = tuple(replace(subject, age_years=50.0) for subject in cohort(60).subjects)
    with pytest.raises(UsageError) as caught:
        build_norm(replace(cohort(60), subjects=subjects), WANTED)
    assert caught.value.code == "cohort_invalid"


def test_without_statsmodels_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels.regression.quantile_regression", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ienfd\[norms\]'"):
        build_norm(cohort(60), WANTED)


def table(folder: Path, text: str) -> Path:
    path = folder / "healthy.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    ["age_years,sex,density_per_mm\n56.5,F,7.25\n30,m,9\n",
     "\ufeffid;Sex;Age_Years;density_per_mm\r\n1;F;56,5;7,25\r\n2;M;30;9\r\n\r\n",
     'density_per_mm\tage_years\tsex\n7.25\t"56.5"\tf\n9\t30\tM\n'],
)  # fmt: skip
def test_a_table_as_spreadsheets_write_it(tmp_path: Path, text: str) -> None:
    read = read_cohort(table(tmp_path, text))
    assert read.subjects == (Subject(56.5, "F", 7.25), Subject(30.0, "M", 9.0))
    assert (read.name, len(read.sha256)) == ("healthy.csv", 64)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("age_years,sex\n50,F\n", "row 1: there is no column density_per_mm"),
        ("age_years,sex,density_per_mm,sex\n", "row 1: the column sex stands twice"),
        ("age_years,sex,density_per_mm\n50,F,7\n,F,7\n", "row 3: age_years: '' is not an age"),
        ("age_years,sex,density_per_mm\n\n50,X,7\n", "row 3: sex: 'X' is not F or M"),
        ("age_years,sex,density_per_mm\n500,F,7\n", "row 2: age_years: '500' is not an age"),
        ("age_years,sex,density_per_mm\n50,F,-1\n", "row 2: density_per_mm: '-1' is not a density"),
        ("age_years,sex,density_per_mm\n50,F,310\n", "row 2: density_per_mm: '310' is not a density"),
        ("age_years,sex,density_per_mm\n50,F,nan\n", "row 2: density_per_mm: 'nan'"),
        ("age_years,sex,density_per_mm\n50,F\n", "row 2: density_per_mm: ''"),
        ("age_years,sex,density_per_mm\n50,F,7,25\n", "row 2: it has more cells than the header"),
        ('age_years,sex,density_per_mm\n50,F,"7\n', "quotation mark"),
    ],
)
def test_a_table_that_is_not_valid_names_its_rows(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_cohort(table(tmp_path, text))
    assert caught.value.code == "cohort_invalid"
    assert said in str(caught.value)


def test_all_rows_that_are_wrong_are_named(tmp_path: Path) -> None:
    rows = "".join("50,F,x\n" for _ in range(30))
    with pytest.raises(UsageError) as caught:
        read_cohort(table(tmp_path, f"age_years,sex,density_per_mm\n{rows}"))
    assert "row 2: " in str(caught.value)
    assert "row 21: " in str(caught.value)
    assert "and 10 more" in str(caught.value)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_cohort(tmp_path / "nothing.csv")
