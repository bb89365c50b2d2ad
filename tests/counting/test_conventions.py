"""What one section gives under every convention, on every line."""

from __future__ import annotations

import pytest
from counting_scenes import Scene
from test_rules import FORK_BELOW, FORK_IN_BAND_BELOW, REENTRY, UP

from ienfd.batch.rule_table import LINES, CountedBy, totals, under_every_rule
from ienfd.correction.commands import LoggedEdit, exclude_stretch
from ienfd.counting import AS_PROTOCOL, conventions, count_crossings
from ienfd.density import count
from ienfd.protocol import CountingRules, DensityRules, Protocol
from ienfd.result import Stretch

FRAGMENT = [(250, 20), (260, 50)]
NEAR_THE_END = [(370, -40), (375, 40)]
EVERYTHING = Scene(
    [
        UP,
        *([(x + 120, y) for x, y in line] for line in FORK_IN_BAND_BELOW),
        FRAGMENT,
        NEAR_THE_END,
    ],
    cut_ends=(True, True),
)


def by_rule(counted: list[CountedBy], line: str = "surface") -> dict[str, int]:
    return {
        one.rule: one.crossings for one in counted if one.length_line == line and one.crossings is not None
    }


def test_every_option_is_turned_once_and_nothing_stands_twice() -> None:
    found = conventions(CountingRules())
    assert [one.name for one in found] == [
        "protocol", "dermal_branch=one", "junction_branch=two", "reentry=each", "fragments=include",
        "cut_edge_um=50", "cut_edge_um=100", "fewest", "most",
    ]  # fmt: skip
    assert found[0].rules == CountingRules()
    changed = CountingRules(fragments="include", cut_edge_um=50.0)
    names = [one.name for one in conventions(changed)]
    assert "fragments=exclude" in names
    assert "cut_edge_um=0" in names
    assert "cut_edge_um=50" not in names
    assert all(one.rules.min_reach_um == changed.min_reach_um for one in conventions(changed))


@pytest.mark.parametrize(
    ("lines", "option", "own", "turned"),
    [
        (FORK_BELOW, "dermal_branch=one", 2, 1),
        (FORK_IN_BAND_BELOW, "junction_branch=two", 1, 2),
        (REENTRY, "reentry=each", 1, 3),
        ((UP, FRAGMENT), "fragments=include", 1, 2),
    ],
)
def test_an_option_changes_the_count_of_its_scene(
    lines: tuple[object, ...], option: str, own: int, turned: int
) -> None:
    counted = by_rule(under_every_rule(Scene(lines).findings(), Protocol()))  # type: ignore[arg-type]
    assert counted[AS_PROTOCOL] == own
    assert counted[option] == turned
    assert counted["fewest"] <= own <= counted["most"]


def test_each_figure_is_what_a_run_under_those_rules_gives() -> None:
    findings = EVERYTHING.findings()
    rules = {one.name: one.rules for one in conventions(CountingRules())}
    for one in under_every_rule(findings, Protocol()):
        protocol = Protocol(counting=rules[one.rule], density=DensityRules(length_line=one.length_line))
        alone = count(findings, protocol)
        assert alone.lengths is not None
        assert (alone.count, alone.lengths.evaluable_mm) == (one.crossings, one.evaluable_mm)
        assert alone.density_per_mm == one.density_per_mm
        assert alone.crossings == count_crossings(findings, rules[one.rule])


def test_a_cut_end_takes_its_crossing_and_its_length() -> None:
    counted = under_every_rule(EVERYTHING.findings(), Protocol())
    lengths = {one.rule: one.evaluable_mm for one in counted if one.length_line == "junction"}
    assert by_rule(counted)["cut_edge_um=50"] == by_rule(counted)[AS_PROTOCOL] - 1
    assert lengths["cut_edge_um=50"] == pytest.approx(lengths[AS_PROTOCOL] - 0.1)


def test_corrections_hold_under_every_convention() -> None:
    findings = EVERYTHING.findings()
    piece = findings.pieces[0]
    edit = exclude_stretch(piece.junction_px[-100], piece.junction_px[-1])
    entry = LoggedEdit(1, edit, "", "A. Reader", "", None, None, None, None, 0, "", "")
    plain = by_rule(under_every_rule(findings, Protocol()))
    left_out = by_rule(under_every_rule(findings, Protocol(), [entry]))
    assert all(left_out[rule] <= plain[rule] for rule in plain)
    assert left_out[AS_PROTOCOL] == plain[AS_PROTOCOL] - 1


def test_one_row_is_that_of_the_protocol() -> None:
    protocol = Protocol(density=DensityRules(length_line="junction"))
    own = [one for one in under_every_rule(EVERYTHING.findings(), protocol) if one.is_protocol]
    assert [(one.rule, one.length_line) for one in own] == [(AS_PROTOCOL, "junction")]


def test_totals_are_all_crossings_by_all_length() -> None:
    one = under_every_rule(EVERYTHING.findings(), Protocol())
    twice = totals([one, one])
    assert [total.rule for total in twice] == [c.name for c in conventions(CountingRules())]
    assert twice[0].crossings == 2 * by_rule(one)[AS_PROTOCOL]
    (own,) = [c for c in one if c.is_protocol]
    assert twice[0].density_per_mm["surface"] == pytest.approx(own.density_per_mm)
    assert set(twice[0].density_per_mm) == set(LINES)


def test_where_a_convention_leaves_nothing_there_is_no_density() -> None:
    short = Scene([UP], cut_ends=(True, True), exclusions=(Stretch(0, 90.0, 310.0, "appendage"),))
    counted = {one.rule: one for one in under_every_rule(short.findings(), Protocol())}
    assert counted["cut_edge_um=100"].crossings is None
    assert counted["cut_edge_um=100"].density_per_mm is None
    assert counted["cut_edge_um=50"].density_per_mm is not None
    (total,) = [one for one in totals([list(counted.values())]) if one.rule == "cut_edge_um=100"]
    assert total.density_per_mm == {}
