"""`ienfd norms` as a process."""

from __future__ import annotations

import subprocess
import sys

import pytest


def ienfd(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ienfd", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


def lines(*arguments: str) -> list[str]:
    done = ienfd("norms", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_list_names_every_norm_with_its_frame() -> None:
    text = "\n".join(lines("list"))
    for word in (
        "collongues2018",
        "bright-field",
        "5th percentile",
        "300",
        "bursova2012",
        "fluorescence",
        "74",
    ):
        assert word in text


def test_show_says_what_is_not_stated() -> None:
    shown = lines("show", "bursova2012")
    assert "  section thickness not stated" in shown
    assert "  length line       not stated" in shown
    assert "  percentile        not stated" in shown
    assert "  citation          Bursova 2012, Cesk Slov Neurol N 2012;75/108(4):455-459" in shown
    assert "  caveat            percentile not stated; 39 men, 35 women" in shown
    assert shown[-6:] == [
        "    F  20 to <40  6.1",
        "    F  40 to <60  5.2",
        "    F  60 to <81  3.1",
        "    M  20 to <40  5.5",
        "    M  40 to <60  5.1",
        "    M  60 to <81  1.9",
    ]


def test_show_prints_a_formula_with_its_doi() -> None:
    shown = lines("show", "collongues2018")
    assert "  DOI               10.1371/journal.pone.0191614" in shown
    assert shown[-2:] == [
        "    F  20 to <81  9.1662 - 0.0769 x age",
        "    M  20 to <81  7.6156 - 0.0769 x age",
    ]


def test_limit_prints_every_norm_that_has_one() -> None:
    assert lines("limit", "--age", "56", "--sex", "F") == [
        "Lower limit at 56 years, F:",
        "  bursova2012: 5.20 /mm (unrounded 5.2), lower normal limit (percentile not stated)",
        "      for fluorescence, distal_leg; n = 74",
        "      caveat: percentile not stated; 39 men, 35 women",
        "  collongues2018: 4.86 /mm (unrounded 4.8598), 5th percentile",
        "      for bright-field, distal_leg; n = 300",
    ]


@pytest.mark.parametrize("only", [("--norm", "collongues2018"), ("--stain", "bright-field")])
def test_limit_of_one(only: tuple[str, str]) -> None:
    text = "\n".join(lines("limit", "--age", "56", "--sex", "f", *only))
    assert "4.8598" in text
    assert "bursova2012" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("limit", "--age", "12", "--sex", "F"), "collongues2018 holds from 20 to under 81 years"),
        (("limit", "--age", "81", "--sex", "F", "--norm", "bursova2012"), "outside the range of the norm"),
        (("limit", "--age", "nan", "--sex", "F"), "outside the range of the norm"),
        (("limit", "--age", "30", "--sex", "F", "--norm", "bursova2012", "--stain", "bright-field"),
         "bursova2012 is not for bright-field"),
        (("limit", "--age", "30", "--sex", "F", "--norm", "lauria2010"), "There is no norm of this name"),
        (("limit", "--age", "30", "--sex", "X"), "--sex"),
        (("limit", "--sex", "F"), "--age"),
        (("show", "nobody1900"), "bursova2012, collongues2018"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_up_is_a_usage_error(arguments: tuple[str, ...], said: str) -> None:
    done = ienfd("norms", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_brings_no_heavy_import() -> None:
    code = (
        "import sys; from ienfd.cli import main; main(['norms', '--help']);"
        "sys.exit(bool({'numpy', 'scipy', 'pydantic', 'rich', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "limit" in done.stdout
