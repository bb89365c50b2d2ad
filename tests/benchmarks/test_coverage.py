"""The simulation of intervals in small: what they cover, and how it is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.coverage import __main__ as command
from benchmarks.coverage import agreement
from benchmarks.coverage.simulate import ARRANGEMENTS, Arrangement, Cell, cover, draw
from ienfd.protocol import CallRules

HARD = [(3, 0.5), (3, 4.0), (3, 15.0), (6, 8.0), (10, 1.0)]  # sections, density per mm


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_the_interval_covers_also_where_it_is_hardest(arrangement: Arrangement) -> None:
    found = [cover(Cell(arrangement, *where, 2.5), 2000, 1, CallRules()).coverage for where in HARD]
    assert min(found) >= 0.9


def test_without_overdispersion_it_is_not_much_wider_than_poisson() -> None:
    found = cover(Cell("uneven", 3, 4.0, 1.0), 800, 1, CallRules())
    assert found.coverage >= 0.95
    assert 1.1 < found.width_ratio <= 1.6


def test_poisson_would_not_cover() -> None:
    poisson = CallRules(overdispersion=1.0, overdispersion_weight=1e9)
    assert cover(Cell("uneven", 6, 8.0, 1.0), 800, 1, poisson).coverage >= 0.94
    found = cover(Cell("uneven", 6, 8.0, 2.5), 800, 1, poisson)
    assert found.coverage < 0.85
    assert found.width_ratio == pytest.approx(1.0, abs=1e-6)
    assert found.coverage + found.too_low + found.too_high == pytest.approx(1.0)


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("dispersion", [1.0, 2.5])
def test_biopsies_are_drawn_as_they_are_said_to_be(arrangement: Arrangement, dispersion: float) -> None:
    cell = Cell(arrangement, 6, 8.0, dispersion)
    counts, lengths_mm = draw(cell, 20_000, np.random.default_rng(1))
    assert counts.shape == lengths_mm.shape == (20_000, 6)
    assert counts.sum() / lengths_mm.sum() == pytest.approx(8.0, rel=0.01)
    long = (lengths_mm >= 1.7) & (lengths_mm <= 1.8) if arrangement in ("uneven", "patchy") else slice(None)
    counts, lengths_mm = counts[long], lengths_mm[long]
    squares = (counts - 8 * lengths_mm) ** 2 / (8 * lengths_mm)
    assert squares.mean() == pytest.approx(dispersion, rel=0.05)
    if arrangement in ("uneven", "patchy"):
        assert lengths_mm.min() >= 1.7


def test_the_variance_grows_with_the_length_of_patchy_sections_only() -> None:
    def shown(arrangement: Arrangement) -> tuple[float, float]:
        counts, lengths_mm = draw(Cell(arrangement, 6, 8.0, 2.5), 20_000, np.random.default_rng(1))
        squares = (counts - 8 * lengths_mm) ** 2 / (8 * lengths_mm)
        return float(squares[lengths_mm < 1.0].mean()), float(squares[lengths_mm > 2.5].mean())

    assert shown("uneven") == pytest.approx((2.5, 2.5), rel=0.05)
    assert shown("patchy") == pytest.approx((1 + 1.5 * 0.9 / 1.75, 1 + 1.5 * 2.6 / 1.75), rel=0.05)


def test_the_figures_are_written_and_a_missed_target_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poisson = ["--overdispersion", "1", "--weight", "1e9"]
    assert command.main([str(tmp_path / "out"), "--repeats", "10", *poisson]) == 1
    said = capsys.readouterr().out
    assert "missed: uneven: coverage" in said
    figures = json.loads((tmp_path / "out" / "coverage.json").read_text(encoding="utf-8"))
    assert (figures["overdispersion"], figures["repeats"]) == (1.0, 10)
    assert len(figures["cells"]) == 4 * 3 * 6 * 5
    assert figures["missed"]
    assert command.main([str(tmp_path / "again"), "--repeats", "10", *poisson]) == 1
    first, again = ((tmp_path / name / "coverage.json").read_bytes() for name in ("out", "again"))
    assert first == again


def test_the_last_figures_are_those_of_the_built_in_protocol_and_meet_the_target() -> None:
    path = Path(str(command.__file__)).parents[1] / "figures" / "coverage.json"
    figures = json.loads(path.read_text(encoding="utf-8"))
    rules = CallRules()
    assert figures["overdispersion"] == rules.overdispersion
    assert figures["overdispersion_weight"] == rules.overdispersion_weight
    assert figures["missed"] == []


def test_intervals_of_agreement_are_measured_the_same_way_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert agreement.main([str(tmp_path / name), "--repeats", "4"]) == 0
    one, two = ((tmp_path / name / "agreement.json").read_bytes() for name in ("one", "two"))
    assert one == two


def test_the_last_figures_of_agreement_are_those_of_its_cases_and_hold() -> None:
    path = Path(str(command.__file__)).parents[1] / "figures" / "agreement.json"
    coverage = json.loads(path.read_text(encoding="utf-8"))["coverage"]
    assert list(coverage) == [name for name, *_ in agreement.CASES]
    assert min(coverage.values()) >= 0.9
