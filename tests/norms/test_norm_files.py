from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ienfd.errors import UsageError
from ienfd.norms import Limit
from ienfd.norms.reading import parse_norm, read_norm

VALID = """
id = "lab"
title = "A made-up norm"
citation = "none: invented for a test"
unit = "/mm"
stain = "bright-field"
site = "distal_leg"
section_um = 50
length_line = "surface"
n = 10
statistic = "5th percentile"
percentile = 5.0
age_lo = 18
age_hi = 80
verification = "none"
caveat = ""

[[limits]]
sex = "F"
age_lo = 18
age_hi = 50
limit_per_mm = 6
[[limits]]
sex = "F"
age_lo = 50
age_hi = 80
limit_per_mm = 4.5
[[limits]]
sex = "M"
age_lo = 18
age_hi = 80
intercept_per_mm = 7.0
slope_per_mm_per_year = -0.05
"""


def test_a_valid_file_becomes_a_norm() -> None:
    norm = parse_norm(VALID)
    assert (norm.id, norm.section_um, norm.length_line, norm.n) == ("lab", 50.0, "surface", 10)
    assert norm.limits == (
        Limit("F", 18, 50, 6.0),
        Limit("F", 50, 80, 4.5),
        Limit("M", 18, 80, 7.0, -0.05),
    )
    assert norm.limit_per_mm(49.9, "F") == 6.0
    assert norm.limit_per_mm(50, "F") == 4.5
    assert norm.limit_per_mm(40, "M") == pytest.approx(5.0)


@pytest.mark.parametrize("name", ["section_um = 50", 'length_line = "surface"', "percentile = 5.0"])
def test_what_is_not_stated_is_said_so_and_kept_so(name: str) -> None:
    field = name.split()[0]
    assert getattr(parse_norm(VALID.replace(name, f'{field} = "not stated"')), field) is None


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_bytes(b"\xef\xbb\xbf" + VALID.replace("\n", "\r\n").encode())
    assert read_norm(path).id == "lab"


@dataclass(frozen=True)
class Broken:
    """One change that makes the file invalid, and what the message must name."""

    name: str
    old: str
    new: str
    said: str


BROKEN = [
    Broken("no TOML", "n = 10", "n = = 10", "lab.toml"),
    Broken("an unknown name", "n = 10", "n = 10\nformula = '7 - 0.05 * age'", "formula"),
    Broken("an unknown name in a limit", "limit_per_mm = 4.5", "limit_per_mm = 4.5\ncode = 'x'",
           "limits.1.code"),
    Broken("a value left out", "section_um = 50\n", "", "section_um"),
    Broken("other words for not stated", "section_um = 50", 'section_um = "unknown"', "section_um"),
    Broken("a number in quotes", "limit_per_mm = 4.5", 'limit_per_mm = "4.5"', "limits.1.limit_per_mm"),
    Broken("a formula in quotes", "intercept_per_mm = 7.0", "intercept_per_mm = '7 - 1'", "intercept_per_mm"),
    Broken("nan", "limit_per_mm = 4.5", "limit_per_mm = nan", "limits.1.limit_per_mm"),
    Broken("infinity", "slope_per_mm_per_year = -0.05", "slope_per_mm_per_year = inf",
           "slope_per_mm_per_year"),
    Broken("nan as an age", "age_lo = 50", "age_lo = nan", "limits.1.age_lo"),
    Broken("per square millimeter", 'unit = "/mm"', 'unit = "/mm2"', "unit"),
    Broken("another stain", "bright-field", "H&E", "stain"),
    Broken("another line", "surface", "skin", "length_line"),
    Broken("another sex", 'sex = "M"', 'sex = "m"', "limits.2.sex"),
    Broken("a name that is no id", 'id = "lab"', 'id = "My=norm|1"', "id"),
    Broken("no persons", "n = 10", "n = 0", "n:"),
    Broken("men and women that do not add up", "n = 10", "n = 10\nn_men = 5\nn_women = 6", "are not 10"),
    Broken("a limit of zero", "limit_per_mm = 4.5", "limit_per_mm = 0", "not positive"),
    Broken("a negative limit", "limit_per_mm = 4.5", "limit_per_mm = -4.5", "not positive"),
    Broken("a line that falls to zero", "slope_per_mm_per_year = -0.05", "slope_per_mm_per_year = -0.09",
           "not positive from 18 to 80"),
    Broken("a line that rises from below zero", "intercept_per_mm = 7.0\nslope_per_mm_per_year = -0.05",
           "intercept_per_mm = -20.0\nslope_per_mm_per_year = 1.0", "not positive"),
    Broken("a gap", "age_lo = 50", "age_lo = 51", "limits for F leave a gap at 50"),
    Broken("an overlap", "age_lo = 50", "age_lo = 49", "limits for F overlap at 49"),
    Broken("bands that begin late", "age_lo = 18\nage_hi = 50", "age_lo = 20\nage_hi = 50",
           "leave a gap at 18"),
    Broken("bands that end early", "age_lo = 50\nage_hi = 80", "age_lo = 50\nage_hi = 79", "end at 79"),
    Broken("bands beyond the norm", "age_lo = 50\nage_hi = 80", "age_lo = 50\nage_hi = 85", "end at 85"),
    Broken("an empty band", "age_lo = 50\nage_hi = 80", "age_lo = 80\nage_hi = 80", "not under"),
    Broken("one sex only", 'sex = "M"', 'sex = "F"', "limits for F overlap"),
    Broken("a level and a line", "intercept_per_mm = 7.0", "limit_per_mm = 5.0\nintercept_per_mm = 7.0",
           "not both"),
    Broken("a line without slope", "slope_per_mm_per_year = -0.05", "", "slope_per_mm_per_year"),
    Broken("a limit without figures", "limit_per_mm = 4.5", "", "give limit_per_mm"),
    Broken("a control character", "A made-up norm", r"A \u001b[2J norm", "title"),
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_an_invalid_file_is_refused_with_the_place(broken: Broken) -> None:
    text = VALID.replace(broken.old, broken.new, 1)
    assert text != VALID
    with pytest.raises(UsageError) as caught:
        parse_norm(text, "lab.toml")
    assert caught.value.code == "norm_invalid"
    assert broken.said in str(caught.value)


def test_one_sex_alone_is_not_a_norm() -> None:
    men = VALID[: VALID.index("[[limits]]")] + VALID[VALID.rindex("[[limits]]") :]
    with pytest.raises(UsageError, match="limits for F end at 18"):
        parse_norm(men)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"id = 'x'"])
def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "lab.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_norm(path)
    assert caught.value.code == "norm_invalid"
    assert "lab.toml" in str(caught.value)
