"""Each rule and each option as a drawn scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from counting_scenes import Fiber, Scene

from ienfd.counting import count_crossings
from ienfd.protocol import CountingRules
from ienfd.reasons import REASONS, Effect
from ienfd.result import Stretch

DEFAULT = CountingRules()

UP = [(100, -40), (105, 40)]
SHORT = [(100, -11), (101, 11)]
ZIGZAG = [(100 + 3 * (-1) ** k, y) for k, y in enumerate(range(-13, 15, 2))]
PLEXUS = [(40, -40), (100, -40)]


@dataclass(frozen=True)
class Case:
    """A scene named after the rule it shows: how many count, and the reasons of the others."""

    name: str
    scene: Scene
    counted: int
    others: tuple[str, ...] = ()
    rules: CountingRules = DEFAULT


def scene(*fibers: Any, **other: Any) -> Scene:
    return Scene(fibers, **other)


def out(start_um: float, end_um: float, reason: str) -> tuple[Stretch, ...]:
    return (Stretch(0, start_um, end_um, reason),)


def rules(**options: Any) -> CountingRules:
    return CountingRules(**options)


STEM = [(100, -40), (100, -15)]
FORK_BELOW = (STEM, [(100, -15), (85, 30)], [(100, -15), (115, 30)])
FORK_IN_BAND_BELOW = ([(100, -40), (100, -1.5)], [(100, -1.5), (80, 30)], [(100, -1.5), (120, 30)])
FORK_IN_BAND_ABOVE = ([(100, -40), (100, 1.5)], [(100, 1.5), (80, 30)], [(100, 1.5), (120, 30)])
REENTRY = (
    [(100, -40), (100, 6), (104, 12), (110, 14), (116, 12), (120, 6), (124, -6), (132, -6), (136, 40)],
)
ARCH = ([(100, -40), (101, 12), (106, 17), (114, 17), (119, 12), (120, -40)],)
TOGETHER = (
    [(85, -40), (100, -5)],
    [(115, -40), (100, -5)],
    [(100, -5), (100, 6)],
    [(100, 6), (85, 40)],
    [(100, 6), (115, 40)],
)
CELL_AT_JUNCTION = ([(100, 6), (92, -7)], [(100, 6), (110, 14)], [(100, 6), (104, -6)], [(100, 6), (96, 18)])

CASES = [
    # R1 and R2
    Case("a fiber that crosses counts one", scene(UP), 1),
    Case("an oblique fiber counts one", scene([(50, -40), (200, 40)]), 1),
    Case("fibers side by side count each", scene(UP, [(108, -40), (113, 40)]), 2),
    Case("nothing is nothing", scene(), 0),
    Case("on an undulating junction too", scene(UP, [(150, -40), (150, 40)], wave_um=20.0), 2),
    Case("a fiber through a corner of its own trace counts one", scene([(100, -20), (100, 0), (110, 20)]), 1),
    Case("two fibers that rise from one plexus count two",
         scene(PLEXUS, [(100, -40), (160, -40)], [(160, -40), (220, -40)], [(100, -40), (100, 30)],
               [(160, -40), (160, 30)]), 2),
    Case("two fibers from a shallow plexus count two",
         scene([(40, -12), (100, -12)], [(100, -12), (112, -12)], [(112, -12), (180, -12)],
               [(100, -12), (100, 30)], [(112, -12), (112, 30)]), 2),
    # R3
    Case("a branch inside the epidermis adds nothing",
         scene([(100, -40), (100, 15)], [(100, 15), (80, 40)], [(100, 15), (120, 40)]), 1),
    Case("three branches inside the epidermis add nothing",
         scene([(100, -40), (100, 15)], *([(100, 15), (end, 40)] for end in (80, 100, 120))), 1),
    # R4
    Case("a fragment does not count", scene([(100, 20), (110, 50)]), 0, ("fragment",)),
    Case("a fragment near the junction does not count", scene([(100, 1.5), (110, 50)]), 0, ("fragment",)),
    Case("a fragment that dips under the line is one", scene([(100, -0.8), (110, 50)]), 0, ("fragment",)),
    Case("a fragment counts where the laboratory says so",
         scene([(100, 20), (110, 50)], UP), 2, (), rules(fragments="include")),
    Case("a fragment that meets the line twice counts one where fragments count",
         scene([(100, 50), (100, -1.5), (100.6, -1.5), (100.6, 50)]), 1, ("same_fiber",),
         rules(fragments="include", reentry="each", min_entry_um=4.0)),
    Case("what lies in the corneum is no fragment", scene([(100, 90), (110, 110)]), 0),
    Case("a plexus is no candidate", scene([(40, -40), (200, -40)]), 0),
    # approaching
    Case("an end below the junction approaches", scene([(100, -50), (100, -5)]), 0, ("approaching",)),
    Case("a fiber that ends farther below is nothing", scene([(100, -50), (100, -12)]), 0),
    Case("unless the laboratory looks farther",
         scene([(100, -50), (100, -12)]), 0, ("approaching",), rules(approach_um=15.0)),
    Case("an end that runs along the junction does not approach it", scene([(100, -7), (160, -7)]), 0),
    Case("a fiber that pokes in by less than its entry asks approaches",
         scene([(100, -50), (100, 0.8)]), 0, ("approaching",)),
    Case("and crosses where the laboratory asks for less",
         scene([(100, -50), (100, 0.8)]), 1, (),
         rules(min_entry_um=0.5, min_confidence=0.0)),
    Case("a fiber that is hidden soon after its entry crosses", scene([(100, -50), (100, 2.5)]), 1),
    Case("unless the laboratory asks for more",
         scene([(100, -50), (100, 2.5)]), 0, ("approaching",), rules(min_entry_um=4.0)),
    Case("a fiber that touches the junction approaches",
         scene([(60, -30), (100, 0), (140, -30)]), 0, ("approaching",)),
    Case("a fiber that grazes the junction approaches",
         scene([(60, -30), (100, -0.6), (110, -0.6), (150, -30)]), 0, ("approaching",)),
    Case("a fiber that wobbles about the line and goes on counts one",
         scene([(60, -30), (100, -0.5), (104, 0.5), (108, -0.5), (112, 0.5), (116, -0.5), (150, 30)]), 1),
    # branches below
    Case("a fiber that forks below the junction counts each daughter", scene(*FORK_BELOW), 2),
    Case("or one", scene(*FORK_BELOW), 1, ("same_fiber",), rules(dermal_branch="one")),
    Case("fibers of one plexus are not daughters of one stem",
         scene(PLEXUS, [(100, -40), (160, -40)], [(160, -40), (220, -40)], [(100, -40), (100, 30)],
               [(160, -40), (160, 30)]), 2, (), rules(dermal_branch="one")),
    # branches within the band
    Case("a fork just below the line counts one", scene(*FORK_IN_BAND_BELOW), 1, ("junction_branch",)),
    Case("a fork just above the line counts one", scene(*FORK_IN_BAND_ABOVE), 1, ("junction_branch",)),
    Case("a fork just below the line counts two by option",
         scene(*FORK_IN_BAND_BELOW), 2, (), rules(junction_branch="two")),
    Case("a fork just above the line counts two by option",
         scene(*FORK_IN_BAND_ABOVE), 2, (), rules(junction_branch="two")),
    Case("a wider band takes a deeper fork in",
         scene(*FORK_BELOW), 1, ("junction_branch",), rules(junction_band_um=18.0)),
    Case("two fibers that cross on the line count two",
         scene([(85, -40), (100, -0.7)], [(115, -40), (100, -0.7)], [(100, -0.7), (85, 40)],
               [(100, -0.7), (115, 40)]), 2),
    Case("two fibers that cross just above the line count two",
         scene(*([(100, 1.2), end] for end in ((85, -40), (115, -40), (85, 40), (115, 40)))), 2),
    Case("two fibers that come out of the dermis apart and meet just above the line count two",
         scene([(85, -40), (100, 1.2)], [(115, -40), (100, 1.2)], [(100, 1.2), (100, 40)]), 2),
    Case("unless one of them is hardly seen below",
         scene([(85, -40), (100, 1.2)], [(106, -5.5), (100, 1.2)], [(100, 1.2), (100, 40)]),
         1, ("junction_branch",)),
    Case("both sides of a thick fiber are no fork",
         scene([(100, -40), (100, 1)], [(100, 1), (98, 5), (100, 9)], [(100, 1), (102, 5), (100, 9)],
               [(100, 9), (100, 40)]), 1),
    # two fibers along one line
    Case("two fibers that lie upon each other where they cross count two", scene(*TOGETHER), 2),
    Case("also beside the spur of another trace", scene(*TOGETHER, [(100, 3), (103, 4)]), 2),
    Case("a fiber that leaves a plexus and branches above counts one",
         scene([(60, -6), (100, -6)], [(100, -6), (140, -6)], *TOGETHER[2:]), 1),
    Case("so does one line that parts far below and far above",
         scene([(85, -40), (100, -8)], [(115, -40), (100, -8)], [(100, -8), (100, 8)], [(100, 8), (85, 40)],
               [(100, 8), (115, 40)]), 1),
    Case("and one whose second stem is hardly seen",
         scene([(85, -40), (100, -5)], [(106, -10), (100, -5)], *TOGETHER[2:]), 1),
    # re-entry
    Case("a fiber that leaves and re-enters counts one", scene(*REENTRY), 1, ("same_fiber", "same_fiber")),
    Case("or each time it is seen on both sides", scene(*REENTRY), 3, (), rules(reentry="each")),
    Case("a fiber that arches through the epidermis counts one", scene(*ARCH), 1, ("same_fiber",)),
    Case("a fiber that loops deep through the dermis counts twice",
         scene([(100, 40), (100, -30), (130, -30), (130, 40)]), 2),
    Case("a shallow loop through the dermis counts once",
         scene([(100, 40), (100, -8), (112, -8), (112, 40)]), 1, ("same_fiber",)),
    Case("so does a longer one that bends round",
         scene([(100, 40), (101, -6), (104, -10), (110, -12), (116, -10), (119, -6), (120, 40)]),
         1, ("same_fiber",)),
    Case("two fibers that meet at a corner below the junction count two",
         scene([(88, 40), (100, -13), (112, -13), (124, 40)]), 2),
    Case("two fibers whose tips touch below the junction count two",
         scene([(100, 40), (106, -14)], [(106, -14), (112, 40)]), 2),
    Case("two fibers whose tips touch in the epidermis count two",
         scene([(100, -40), (110, 22)], [(110, 22), (120, -40)]), 2),
    Case("two fibers that cross in the epidermis count two",
         scene(*([(105, 20), end] for end in ((90, -40), (120, -40), (90, 60), (120, 60)))), 2),
    Case("two fibers that meet high in the epidermis where a line goes on count two",
         scene([(90, -40), (90, 10), (95, 18), (100, 20)], [(100, 20), (105, 18), (110, 10), (110, -40)],
               [(100, 20), (100, 60)]), 2),
    Case("nor do branches turn back near the junction: two fibers that meet there count two",
         scene([(80, -40), (84, 3), (90, 8), (100, 9)], [(100, 9), (110, 8), (116, 3), (120, -40)],
               [(100, 9), (100, 60)]), 2),
    Case("an arch whose ends lie at different depths is two fibers",
         scene(Fiber([(100, -40), (101, 12), (106, 17), (110, 17)], z=(5, 5)),
               Fiber([(110, 17), (114, 17), (119, 12), (120, -40)], z=(40, 40))), 2),
    # dendritic cells
    Case("processes of a cell at the junction do not count",
         scene(*CELL_AT_JUNCTION, cells=[(100, 6, 4)]), 0, ("dendritic_cell", "dendritic_cell")),
    Case("what clearly comes from the dermis is a fiber, though it touches a cell and is as small",
         scene([(100, -16), (100, 16)], cells=[(100, 16, 4)]), 1),
    Case("without a body they would", scene(*CELL_AT_JUNCTION), 2),
    Case("a cell inside the epidermis is no fragment",
         scene([(100, 40), (110, 48)], cells=[(100, 40, 4)]), 0, ("dendritic_cell",)),
    Case("a fiber that passes by a cell counts", scene(UP, cells=[(104, 15, 4)]), 1),
    Case("a cell elsewhere changes nothing", scene(UP, cells=[(200, 15, 4)]), 1),
    # evidence
    Case("pieces at different depths are two fibers",
         scene(Fiber([(100, -40), (100, -0.2)], z=(5, 5)), Fiber([(100, -0.2), (100, 40)], z=(40, 40))),
         0, ("depth_mismatch",)),
    Case("unless the depths may be those of neighbors",
         scene(Fiber([(100, -40), (100, -0.2)], z=(5, 5)), Fiber([(100, -0.2), (100, 40)], z=(25, 25))), 1),
    Case("a fiber that rises through the depth is one", scene(Fiber(UP, z=(5, 45))), 1),
    Case("a faint trace does not count", scene(Fiber(UP, contrast=1.0)), 0, ("too_faint",)),
    Case("unless the laboratory takes it",
         scene(Fiber(UP, contrast=1.0)), 1, (), rules(min_confidence=0.0)),
    Case("a gap at the junction is bridged", scene(Fiber(UP, gaps=[(38, 42)])), 1),
    Case("what is only bridged is not seen",
         scene(Fiber([(100, -40), (100, 30)], gaps=[(38, 69.9)])), 0, ("approaching",)),
    Case("an uncertain junction makes an uncertain crossing",
         scene(Fiber(SHORT, contrast=6.0), junction_confidence=0.0), 0, ("too_faint",)),
    Case("which a certain junction makes a certain one", scene(Fiber(SHORT, contrast=6.0)), 1),
    Case("what lies along the junction is no fiber that crosses",
         scene(Fiber([(80, -4), (120, 4)], contrast=6.0, width_um=1.8)), 0, ("too_faint",)),
    Case("one that goes on into the epidermis is",
         scene(Fiber([(70, -14), (95, -4), (110, 2), (130, 16)], contrast=6.0, width_um=1.8)), 1),
    Case("what is far clearer above is the process of a cell that seems to go on in collagen",
         scene(Fiber([(100, -20), (100, -0.2)], contrast=5.0, width_um=2.0),
               Fiber([(100, -0.2), (100, 14)], contrast=45.0, width_um=2.0)), 0, ("too_faint",)),
    Case("a fiber that is clearer below may be out of focus above",
         scene(Fiber([(100, -20), (100, -0.2)], contrast=30.0, width_um=2.0),
               Fiber([(100, -0.2), (100, 14)], contrast=5.0, width_um=2.0)), 1),
    Case("a chain of grains is no fiber",
         scene(Fiber(ZIGZAG, contrast=6.0, width_um=2.5)), 0, ("too_faint",)),
    # exclusions
    Case("an excluded stretch takes its crossings out",
         scene(UP, exclusions=out(80, 130, "excluded_stretch")), 0, ("excluded_stretch",)),
    Case("and no others", scene(UP, exclusions=out(130, 180, "excluded_stretch")), 1),
    Case("an uncertain stretch too",
         scene(UP, exclusions=out(80, 130, "junction_low_confidence")), 0, ("junction_low_confidence",)),
    Case("an appendage too",
         scene(UP, exclusions=out(80, 130, "appendage")), 0, ("appendage",)),
    Case("the cut end by option",
         scene([(30, -40), (30, 40)], UP, cut_ends=(True, False)), 1, ("cut_edge",), rules(cut_edge_um=50.0)),
    Case("only at a cut end",
         scene([(370, -40), (370, 40)], cut_ends=(True, False)), 1, (), rules(cut_edge_um=50.0)),
    Case("by default nothing is left out", scene([(30, -40), (30, 40)], cut_ends=(True, True)), 1),
    Case("a refused section counts nothing",
         scene(UP, [(200, 20), (200, 50)], refusal="no_nerve_stain"), 0, ("section_refused",) * 2),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rule(case: Case) -> None:
    crossings = count_crossings(case.scene.findings(), case.rules)
    assert sum(crossing.counted for crossing in crossings) == case.counted
    assert sorted(crossing.reason for crossing in crossings if not crossing.counted) == sorted(case.others)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_candidate_is_well_formed(case: Case) -> None:
    findings = case.scene.findings()
    crossings = count_crossings(findings, case.rules)
    places = [(crossing.piece, crossing.junction_position_um) for crossing in crossings]
    assert places == sorted(places)
    assert len({crossing.crossing_id for crossing in crossings}) == len(crossings)
    for crossing in crossings:
        assert REASONS[crossing.reason].effect is Effect.CANDIDATE
        assert 0.0 <= crossing.confidence <= 1.0
        assert crossing.counted == (
            crossing.reason
            in {"crosses"}
            | ({"fragment"} & {crossing.reason} if case.rules.fragments == "include" else set())
        )
    again = count_crossings(case.scene.findings(), case.rules)
    assert again == crossings


def test_an_uncalibrated_section_has_no_candidates() -> None:
    findings = replace(scene(UP).findings(), pixel_size_um=None, refusal="uncalibrated")
    assert count_crossings(findings, CountingRules()) == ()


def test_a_section_without_epidermis_has_no_candidates() -> None:
    findings = replace(scene(UP).findings(), pieces=(), refusal="no_epidermis")
    assert count_crossings(findings, CountingRules()) == ()


def test_what_is_reported_of_a_crossing() -> None:
    fiber = Fiber([(100, -20), (100, 12)], contrast=7.0, gaps=[(20.2, 24.2)], z=(10, 42))
    (crossing,) = count_crossings(scene(fiber).findings(), CountingRules())
    assert crossing.junction_position_um == pytest.approx(100.0, abs=1e-6)
    assert (crossing.row_px, crossing.col_px) == pytest.approx((240.0, 200.0), abs=1e-6)
    assert crossing.z_um == pytest.approx(30.0, abs=1.0)
    assert crossing.reach_dermis_um == pytest.approx(20.0, abs=0.6)
    assert crossing.reach_epidermis_um == pytest.approx(8.0, abs=1.0)
    assert crossing.contrast == pytest.approx(7.0)


def test_confidence_grows_with_the_evidence() -> None:
    def sure(height: float, contrast: float, gap: float, junction: float) -> float:
        fiber = Fiber([(100, -40), (100, height)], contrast=contrast, gaps=[(40 - gap / 2, 40 + gap / 2)])
        (crossing,) = count_crossings(scene(fiber, junction_confidence=junction).findings(), CountingRules())
        return crossing.confidence

    base = sure(10, 5, 4, 0.5)
    assert sure(14, 5, 4, 0.5) > base
    assert sure(10, 9, 4, 0.5) > base
    assert sure(10, 5, 0, 0.5) >= base
    assert sure(10, 5, 4, 0.9) > base
    assert sure(30, 5, 4, 0.5) == sure(20, 5, 4, 0.5)  # farther than 15 um tells nothing more


def test_a_fiber_is_as_sure_as_where_it_leads_though_it_touches_a_longer_line_along_the_junction() -> None:
    below, above, along = [(100, -40), (100, 1)], [(100, 1), (100, 14)], [(100, 1), (130, 2)]
    alone, joined = (
        count_crossings(scene(*fibers).findings(), CountingRules())[0]
        for fibers in ([below, above], [below, above, along])
    )
    assert joined.confidence == alone.confidence > 0.9
    (led_along,) = count_crossings(scene(below, along).findings(), CountingRules())
    assert led_along.confidence < joined.confidence - 0.1


def test_crossings_of_one_fiber_share_its_id() -> None:
    crossings = count_crossings(scene(*FORK_BELOW, [(200, -40), (200, 40)]).findings(), CountingRules())
    one, two, three = (crossing.fiber_id for crossing in crossings)
    assert one == two != three
