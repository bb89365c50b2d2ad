"""What `ienfd norms add` asks of a norm, rule by rule, and how it keeps it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from ienfd.errors import EnvironmentProblem, UsageError
from ienfd.norms import available, load
from ienfd.norms.laboratory import enter, find, norm_folder, own_norms
from ienfd.norms.reading import parse_norm
from ienfd.norms.registry import template, templates

# an invented norm as a person would type it, to be spoilt in one way at a time
FILLED = """
id = "lab"
title = "A made-up norm"
citation = "none: invented for a test"
unit = "/mm"
source = "table 0, page 0"
verification = "none"
stain = "bright-field"
site = "distal_leg"
section_um = 50
length_line = "surface"
n = 300
statistic = "5th percentile"
percentile = 5.0
age_lo = 20
age_hi = 80
caveat = ""

[[limits]]
sex = "F"
age_lo = 20
age_hi = 50
limit_per_mm = 6
[[limits]]
sex = "F"
age_lo = 50
age_hi = 80
limit_per_mm = 4.5
[[limits]]
sex = "M"
age_lo = 20
age_hi = 50
limit_per_mm = 5.5
[[limits]]
sex = "M"
age_lo = 50
age_hi = 80
limit_per_mm = 4.0
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The norm folder of this test; it is not there yet."""
    monkeypatch.setenv("IENFD_NORMS", str(tmp_path / "norms"))
    return tmp_path / "norms"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, FILLED)


def written(folder: Path, text: str) -> Path:
    path = folder / "typed.toml"
    path.write_text(text, encoding="utf-8")
    return path


@dataclass(frozen=True)
class Wrong:
    """One change to a norm, and what is said of it, with its cell."""

    name: str
    old: str
    new: str
    said: str


WRONG = [
    Wrong("an empty figure", "limit_per_mm = 4.5", 'limit_per_mm = ""',
          "limits 2 (F, 50 to 80): limit_per_mm is empty"),
    Wrong("an empty age", "age_lo = 50", 'age_lo = ""', "limits 2 (F, ? to 80): age_lo is empty"),
    Wrong("an empty line", '"surface"', '""', "length_line is empty"),
    Wrong("an empty number", "n = 300", 'n = ""', "n is empty"),
    Wrong("nobody checked it", '"none"\nstain', '" "\nstain', "verification is empty"),
    Wrong("an empty source", '"table 0, page 0"', '""', "source is empty"),
    Wrong("no source", 'source = "table 0, page 0"\n', "", "source is missing"),
    Wrong("a cell that is gone", "limit_per_mm = 4.5\n", "", "limits 2 (F, 50 to 80): give limit_per_mm, or"),
    Wrong("a name that is gone", 'title = "A made-up norm"\n', "", "title: Field required"),
    Wrong("a figure in quotes", "limit_per_mm = 4.5", 'limit_per_mm = "4.5"',
          "limits 2 (F, 50 to 80): limit_per_mm: "),
    Wrong("a figure of 0", "limit_per_mm = 4.5", "limit_per_mm = 0",
          "limits 2 (F, 50 to 80): the limit is not positive"),
    Wrong("a figure per mm2", "limit_per_mm = 6", "limit_per_mm = 120",
          "F, 20 to 50 years: 120 /mm is more than 30"),
    Wrong("just more than plausible", "limit_per_mm = 6", "limit_per_mm = 30.1",
          "F, 20 to 50 years: 30.1 /mm is more than 30"),
    Wrong("a limit that rises", "limit_per_mm = 4.5", "limit_per_mm = 6.1",
          "F, 50 to 80 years: 6.1 /mm is more than 6 before that age: say why in why_rising"),
    Wrong("a line that rises", "limit_per_mm = 4.5", "intercept_per_mm = 4\nslope_per_mm_per_year = 0.001",
          "F, 50 to 80 years: the limit rises with age: say why in why_rising"),
    Wrong("men above women", "limit_per_mm = 4.0", "limit_per_mm = 4.6",
          "50 to 80 years: the limit of men (4.6 /mm) is more than that of women (4.5 /mm)"),
    Wrong("a gap", "age_lo = 50", "age_lo = 51", "the limits for F leave a gap at 50 years"),
    Wrong("an overlap", "age_lo = 50", "age_lo = 49", "the limits for F overlap at 49 years"),
    Wrong("bands that end early", "age_lo = 50\nage_hi = 80", "age_lo = 50\nage_hi = 79",
          "the limits for F end at 79 years, the norm at 80"),
    Wrong("another stain", '"bright-field"', '"immunofluorescence"', "stain: "),
    Wrong("another site", '"distal_leg"', '"calf"', "site: 'calf' is none of distal_leg, thigh, foot"),
    Wrong("any other site", '"distal_leg"', '"other"', "site: 'other' is none of"),
    Wrong("another line", '"surface"', '"basement membrane"', "length_line: "),
    Wrong("an odd thickness", "section_um = 50", "section_um = 5000", "section_um: "),
    Wrong("per square millimeter", '"/mm"', '"/mm2"', "unit: "),
    Wrong("a name of ours", '"lab"', '"collongues2018"', "id: collongues2018 is the name of"),
    Wrong("something that would be evaluated", "caveat", "formula = '7 - age'\ncaveat", "formula: "),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_what_is_wrong_is_named_with_its_cell(wrong: Wrong, tmp_path: Path, folder: Path) -> None:
    text = FILLED.replace(wrong.old, wrong.new, 1)
    assert text != FILLED
    with pytest.raises(UsageError) as caught:
        enter(written(tmp_path, text), by="A. Person")
    assert caught.value.code == "norm_invalid"
    assert f"\n  {wrong.said}" in caught.value.text
    assert not folder.exists()


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = FILLED.replace("limit_per_mm = 6", "limit_per_mm = 31").replace("= 4.0", "= 5.0")
    text = text.replace('"distal_leg"', '"calf"').replace('caveat = ""', 'caveat = ""\nn_men = ""')
    with pytest.raises(UsageError) as caught:
        enter(written(tmp_path, text), by="A. Person")
    assert "n_men is empty" in caught.value.text
    text = text.replace('\nn_men = ""', "")
    with pytest.raises(UsageError) as caught:
        enter(written(tmp_path, text), by="A. Person")
    assert caught.value.detail.splitlines()[1:] == [
        "  site: 'calf' is none of distal_leg, thigh, foot",
        "  F, 20 to 50 years: 31 /mm is more than 30",
        "  50 to 80 years: the limit of men (5 /mm) is more than that of women (4.5 /mm):"
        " say why in why_men_above_women",
    ]


def test_what_is_unlike_other_norms_may_be_explained(tmp_path: Path) -> None:
    text = FILLED.replace("limit_per_mm = 4.0", "limit_per_mm = 5.6")
    text = text.replace(
        "[[limits]]", 'why_rising = "so printed"\nwhy_men_above_women = "so printed"\n[[limits]]', 1
    )
    norm = enter(written(tmp_path, text), by="A. Person").norm
    assert norm.notes == (
        "The limit rises with age: so printed",
        "The limit of men lies above that of women: so printed",
    )


@pytest.mark.parametrize("name", ["", " ", "\t\n", "A\x1bB"])
def test_somebody_must_enter_it(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--by"):
        enter(file, by=name)


def test_it_is_stamped_and_found(file: Path, folder: Path) -> None:
    entry = enter(file, by=" A.  Person ")
    assert (entry.fresh, entry.former, entry.path) == (True, None, folder / "lab.toml")
    (own,) = own_norms()
    assert own.norm == entry.norm == find("lab")
    stamp = find("lab").entered
    assert stamp is not None
    assert (stamp.by, stamp.sha256) == ("A. Person", parse_norm(FILLED).sha256)
    assert stamp.at.endswith("+00:00")
    assert find("lab").limit_per_mm(50, "F") == 4.5
    assert find("lab").source == "table 0, page 0"
    assert "lab" not in available()  # nothing is called by it unless a protocol names it


def test_the_same_figures_are_the_same_norm(file: Path, tmp_path: Path) -> None:
    first = enter(file, by="A. Person")
    kept = first.path.read_bytes()
    again = FILLED.replace("section_um = 50", "# as stated\nsection_um = 50.0").replace("\n", "\r\n")
    entry = enter(written(tmp_path, again), by="B. Person")
    assert (entry.fresh, entry.norm.entered) == (False, first.norm.entered)
    assert first.path.read_bytes() == kept
    assert enter(first.path, by="B. Person").fresh is False  # the kept file itself


def test_another_norm_of_that_id_needs_a_word_and_keeps_the_former(file: Path, tmp_path: Path) -> None:
    kept = enter(file, by="A. Person").path.read_bytes()
    other = written(tmp_path, FILLED.replace("limit_per_mm = 4.0", "limit_per_mm = 3.9"))
    with pytest.raises(UsageError, match=r"entered by A\. Person") as caught:
        enter(other, by="B. Person")
    assert caught.value.code == "norm_exists"
    entry = enter(other, by="B. Person", replacing=True)
    assert find("lab").limit_per_mm(60, "M") == 3.9
    assert entry.former is not None
    assert entry.former.read_bytes() == kept
    assert [one.path.name for one in own_norms()] == ["lab.toml"]


def test_a_norm_that_was_changed_after_it_was_entered_is_not_used(file: Path, folder: Path) -> None:
    path = enter(file, by="A. Person").path
    path.write_text(path.read_text("utf-8").replace("limit_per_mm = 4.0", "limit_per_mm = 3.0"), "utf-8")
    with pytest.raises(UsageError) as caught:
        find("lab")
    assert caught.value.code == "norm_altered"
    entry = enter(path, by="B. Person", replacing=True)
    assert (find("lab").limit_per_mm(60, "M"), find("lab").entered) == (3.0, entry.norm.entered)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [("lab", FILLED, "norm_altered"), ("other", FILLED, "norm_invalid"), ("lab", "id = ", "norm_invalid"),
     ("lab", "x = " + "[" * 5000, "norm_invalid"), ("lab", "n = " + "9" * 5000, "norm_invalid")],
)  # fmt: skip
def test_a_file_that_nobody_entered_is_not_used(folder: Path, name: str, text: str, code: str) -> None:
    folder.mkdir()
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        find(name)
    assert caught.value.code == code
    with pytest.raises(UsageError, match=r"there are bursova2012, collongues2018\)"):
        find("nobody1900")


def test_a_file_in_the_folder_cannot_take_the_place_of_a_norm_of_ours(folder: Path) -> None:
    folder.mkdir()
    (folder / "collongues2018.toml").write_text(FILLED.replace('"lab"', '"collongues2018"'), "utf-8")
    assert find("collongues2018") == load("collongues2018")
    assert own_norms()[0].norm is None


def test_a_folder_that_cannot_be_written_is_named(file: Path, folder: Path) -> None:
    folder.write_text("a file", encoding="utf-8")
    with pytest.raises(EnvironmentProblem) as caught:
        enter(file, by="A. Person")
    assert caught.value.code == "norm_not_written"


def test_without_the_variable_norms_lie_in_the_users_own_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("IENFD_NORMS")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    found = norm_folder()
    assert found is not None
    assert found.is_relative_to(tmp_path)
    assert found.parts[-2:] == ("ienfd", "norms")
    if os.name == "posix":
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        assert norm_folder() in (tmp_path / "data" / "ienfd" / "norms", found)


def test_forms_hold_no_figure(tmp_path: Path) -> None:
    assert templates() == ("lauria2010", "provitera2016")
    assert not set(templates()) & set(available())
    for norm_id in templates():
        text = template(norm_id)
        assert text.count('limit_per_mm = ""') == text.count("[[limits]]")
        assert 'limit_per_mm = ""\n' in text
        with pytest.raises(UsageError) as caught:
            enter(written(tmp_path, text), by="A. Person")
        said = caught.value.detail.splitlines()[1:]
        assert all(line.endswith(" is empty") for line in said)
        assert sum("limit_per_mm" in line for line in said) == text.count("[[limits]]")
    with pytest.raises(UsageError) as caught:
        template("collongues2018")
    assert caught.value.code == "unknown_template"


def test_a_form_is_filled_entered_and_looked_up(tmp_path: Path) -> None:
    text = template("lauria2010")
    for cell, value in (
        ('source = ""', 'source = "invented"'), ('verification = ""', 'verification = "invented"'),
        ('length_line = ""', 'length_line = "not stated"'), ('age_lo = ""', "age_lo = 20"),
        ('age_hi = ""', "age_hi = 80"),
    ):  # fmt: skip
        text = text.replace(cell, value)
    for number in range(12):  # invented figures: 7, 6.5 ... 4.5 for women, 6, 5.5 ... 3.5 for men
        figure = 7 - 0.5 * (number % 6) - (number >= 6)
        text = text.replace('limit_per_mm = ""', f"limit_per_mm = {figure}", 1)
    norm = enter(written(tmp_path, text), by="A. Person").norm
    assert (norm.id, norm.n, norm.n_women, norm.n_men) == ("lauria2010", 550, 285, 265)
    assert (norm.stain, norm.section_um, norm.length_line) == ("bright-field", 50.0, None)
    assert [find("lauria2010").limit_per_mm(age, "F") for age in (20, 29.9, 30, 79)] == [7, 7, 6.5, 4.5]
    assert find("lauria2010").limit_per_mm(79, "M") == 3.5
