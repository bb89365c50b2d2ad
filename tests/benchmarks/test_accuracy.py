"""The measurement of accuracy: which sections, how tables meet the truth, when it fails loudly."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy import measure as measuring
from benchmarks.accuracy.aims import aims_of, biopsy_differences
from benchmarks.accuracy.figures import (
    calibration,
    figures_of,
    icc_2_1,
    precision_recall,
)
from benchmarks.accuracy.images import image_path, make_images, truth_path, write_cases
from benchmarks.accuracy.measure import Measured, measure
from benchmarks.accuracy.page import write_page
from benchmarks.accuracy.plan import PlannedSection, plan_kinds, plan_sections, plan_sweeps
from benchmarks.accuracy.report import markdown, summarized, write_figures
from benchmarks.accuracy.sweeps import NOTHING, SWEEPS, base_spec
from benchmarks.accuracy.truth import TrueSection, read_true_section
from benchmarks.reliability.studies import fill, of_biopsy
from benchmarks.scoring import SectionScore
from benchmarks.second_look import BRIGHT_FIELD, FLUORESCENCE
from ienfd.batch.case_values import validated
from ienfd.correction.commands import add_crossing
from ienfd.phantom import PhantomSpec
from ienfd.phantom.kinds import KINDS, PhantomKind, kind_of, ordinary_spec
from ienfd.statistics import calibration_error
from ienfd.study.log import Target
from ienfd.study.store import Store

LINE = np.array([[50.0, 0.0], [50.0, 1000.0]])


def true_section(crossings: list[tuple[float, float]]) -> TrueSection:
    """A millimeter of straight skin in pixels of one micrometer."""
    at = np.array(crossings, dtype=np.float64).reshape(-1, 2)
    seen = np.ones(len(at), bool)
    return TrueSection("fl-pgp", "projection", 1.0, at, seen, (LINE,), (LINE - [40, 0],), (), 1.0, 1.0)


def measured(matched: int, spurious: int, missed: int, seed: int = 1_000_000) -> Measured:
    section = PlannedSection("second_look", "fluorescence", "fl-pgp", seed)
    truth = true_section([(50.0, 10.0 * n) for n in range(matched + missed)])
    score = SectionScore(section.name, section.stain, "ok", matched, spurious, missed, 0.01, -0.02, 1.5)
    return Measured(section, truth, score, matched, "", float(matched + spurious), 1.0)


def test_forty_sections_hold_both_generators_and_stains_and_all_families() -> None:
    sections = plan_sections(40)
    kinds = [(s.generator, s.stain) for s in sections]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        (generator, stain): 10
        for generator in ("phantom", "second_look")
        for stain in ("bright-field", "fluorescence")
    }
    assert {s.family for s in sections if s.family} == {*BRIGHT_FIELD, *FLUORESCENCE}
    assert [s.seed for s in sections] == list(range(1_000_000, 1_000_040))
    assert plan_sections(8) == sections[:8]
    assert len({s.name for s in [*sections, *plan_sections(40, small=True)]}) == 80


@pytest.mark.parametrize(("first", "count"), [(9_999, 2), (500_000, 1), (999_999, 1), (-1, 1)])
def test_seeds_are_for_development_or_for_tests(first: int, count: int) -> None:
    with pytest.raises(ValueError, match="development"):
        plan_sections(count, first)
    assert plan_sections(1, 9_999)[0].seed == 9_999


def test_forty_kinds_hold_both_stains_and_every_way_to_store_depth() -> None:
    kinds = [section.kind for section in plan_kinds(80, 5_000)]
    assert kinds == [*KINDS, *KINDS]
    assert [kind.stain for kind in KINDS].count("fluorescence") == 20
    assert {kind.name for kind in KINDS} >= {"fl-pgp", "fl-pgp-col4-dapi", "bf-dab", "bf-vip", "bf-sg"}
    assert {kind.planes for kind in KINDS} == {"single", "stack", "projection"}
    with pytest.raises(ValueError, match="development"):
        plan_kinds(2, 9_999)


@pytest.mark.parametrize("kind", KINDS)
def test_an_ordinary_section_is_of_its_kind(kind: PhantomKind) -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        spec = ordinary_spec(rng, kind)
        assert kind_of(spec).name == kind.name
        assert spec.planes == kind.planes
        assert (spec.thickness_um > 20) == (kind.planes != "single")
        assert spec.stitching == spec.defocus_um == spec.jpeg_quality == 0


def name_of(spec: PhantomSpec) -> str:
    return kind_of(spec).name


def test_families_of_phantoms_are_named_as_those_of_the_second_generator() -> None:
    assert name_of(PhantomSpec()) == "bf-dab-hematoxylin"
    assert name_of(PhantomSpec(chromogen="vip", counterstain="none")) == "bf-vip"
    both = PhantomSpec(stain="fluorescence", basement_membrane_channel=True, nuclei_channel=True)
    assert (name_of(both), name_of(PhantomSpec(stain="fluorescence"))) == ("fl-pgp-col4-dapi", "fl-pgp")


def test_lengths_of_painted_sections_are_those_of_their_curves(tmp_path: Path) -> None:
    curve = [[10.0, float(col)] for col in range(0, 2001, 5)]
    path = tmp_path / "truth.json"
    values = {
        "family": "bf-dab", "pixel_size_um": 0.5, "crossings": [], "junctions": [curve], "surfaces": [curve],
        "fibers": [{"kind": "crossing", "points": curve}, {"kind": "dendrite", "points": curve}],
    }  # fmt: skip
    path.write_text(json.dumps(values), encoding="utf-8")
    truth = read_true_section(path, "second_look")
    assert truth.junction_mm == pytest.approx(1.0)
    assert truth.surface_mm == pytest.approx(1.0)
    assert truth.crossings_px.shape == (0, 2)
    assert truth.density_per_mm == 0
    (fiber,) = truth.fibers_px  # a process of a cell is none
    np.testing.assert_array_equal(fiber, curve)


def test_what_is_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (section,) = plan_sections(1, 3, small=True)
    for path in (image_path(tmp_path, section), truth_path(tmp_path, section)):
        path.parent.mkdir()
        path.write_text("made before", encoding="utf-8")
    said: list[str] = []
    make_images(tmp_path, [section], 1, said.append)
    assert said == []
    assert truth_path(tmp_path, section).read_text("utf-8") == "made before"


def test_the_case_table_gives_a_frame_but_not_the_stain(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_cases(tmp_path, plan_sections(3))
    head, *rows = (tmp_path / "images" / "cases.csv").read_text("utf-8").splitlines()
    assert "stain" not in head.split(",")
    assert len(rows) == len({row.split(",")[1] for row in rows}) == 3
    cells = dict(zip(head.split(","), rows[0].split(","), strict=True))
    assert cells.pop("file").startswith("1000000_phantom-bright-field")
    assert validated(cells)[1] == []


def test_tables_meet_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, refused = plan_sections(4)[3], plan_sections(2)[1]
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "sections.csv").write_text(
        "file,section_id,status,reason,crossings,junction_length_mm,surface_length_mm,density_per_mm,"
        "evaluable_length_mm\n"
        f"{image_path(tmp_path, good).name},s1,ok,,2,1.1,0.9,2.2222,0.9\n"
        f"{image_path(tmp_path, refused).name},s2,refused,no_epidermis,,,,,\n",
        encoding="utf-8",
    )
    (tmp_path / "study" / "crossings.csv").write_text(
        "section_id,row_px,col_px,counted,reason,confidence\n"
        "s1,50,104,true,crosses,0.9\ns1,50,700,true,crosses,0.6\n"
        "s1,50,300,false,too_faint,0.4\ns1,50,400,false,fragment,0.3\ns2,50,100,false,section_refused,0.9\n",
        encoding="utf-8",
    )
    truth = true_section([(50, 100), (50, 300)])
    monkeypatch.setattr(measuring, "read_true_section", lambda path, generator: truth)
    file = image_path(tmp_path, good).name
    monkeypatch.setattr(measuring, "found_junctions", lambda study: {file: (LINE + np.array([3.0, 0.0]),)})
    first, second = measure(tmp_path, [good, refused])
    assert (first.score.matched, first.score.spurious, first.score.missed) == (1, 1, 1)
    assert first.score.junction_length_error == pytest.approx(0.1)
    assert first.score.surface_length_error == pytest.approx(-0.1)
    assert first.score.junction_distance_um == pytest.approx(3.0)
    assert (first.density_per_mm, first.evaluable_mm) == (2.2222, 0.9)
    assert list(first.confidence) == [0.9, 0.6, 0.4]
    assert (second.score.status, second.reason, second.score.missed) == ("refused", "no_epidermis", 2)
    assert math.isnan(second.density_per_mm)
    with pytest.raises(RuntimeError, match="no row"):
        measure(tmp_path, plan_sections(3))


def test_a_study_that_somebody_corrected_is_not_measured(tmp_path: Path) -> None:
    with Store(tmp_path / "study", create=True) as store:
        fill(store, [of_biopsy("a.tif", crossings=1, evaluable_mm=4.0)])
        assert measuring.found_junctions(store.folder).keys() == {"a.tif"}
        (place,) = store.placements()
        target = Target(place.case_id, place.biopsy_id, place.section_id, place.analysis_id)
        store.append([add_crossing(1.0, 2.0)], target, who="A. Reader", base_seq=0)
    with pytest.raises(RuntimeError, match="holds corrections"):
        measuring.found_junctions(tmp_path / "study")


@pytest.mark.parametrize(("seen", "expected"), [((False, True), (0, 1, 1)), ((True, False), (1, 1, 0))])
def test_what_no_reader_could_see_is_neither_missed_nor_spurious(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: tuple[bool, bool], expected: tuple[int, int, int]
) -> None:
    (section,) = plan_sections(1)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "sections.csv").write_text(
        "file,section_id,status,reason,crossings,junction_length_mm,surface_length_mm,density_per_mm,"
        "evaluable_length_mm\n"
        f"{image_path(tmp_path, section).name},s1,ok,,2,1,1,2,1\n",
        encoding="utf-8",
    )
    (tmp_path / "study" / "crossings.csv").write_text(
        "section_id,row_px,col_px,counted,reason,confidence\n"
        "s1,50,104,true,crosses,0.9\ns1,50,700,true,crosses,0.9\n",
        encoding="utf-8",
    )
    truth = replace(true_section([(50, 100), (50, 300)]), seen=np.array(seen))
    monkeypatch.setattr(measuring, "read_true_section", lambda path, generator: truth)
    monkeypatch.setattr(measuring, "found_junctions", lambda study: {})
    (found,) = measure(tmp_path, [section])
    assert (found.score.matched, found.score.spurious, found.score.missed) == (1, 1, 1)
    of_seen = found.of_seen
    assert (of_seen.score.matched, of_seen.score.spurious, of_seen.score.missed) == expected
    assert of_seen.density_per_mm == of_seen.score.counted_crossings
    assert of_seen.truth.density_per_mm == sum(seen) / truth.surface_mm
    at_best = found.at_best
    assert (at_best.score.matched, at_best.score.spurious, at_best.score.missed) == (
        sum(seen),
        0,
        2 - sum(seen),
    )
    assert at_best.density_per_mm == of_seen.truth.density_per_mm
    assert at_best.truth.density_per_mm == found.truth.density_per_mm


def test_icc_of_the_example_of_its_inventors() -> None:
    judged = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
    )
    assert icc_2_1(judged) == pytest.approx(0.29, abs=0.005)
    assert icc_2_1(np.array([[1.0, 1.0], [5.0, 5.0], [7.0, 7.0]])) == pytest.approx(1.0)
    assert math.isnan(icc_2_1(np.array([[1.0, 2.0]])))


def test_the_interval_is_that_of_sections_not_of_crossings() -> None:
    same = figures_of([measured(8, 2, 2)] * 5)
    assert same.pooled.f1 == same.f1_low == same.f1_high == pytest.approx(0.8)
    mixed = figures_of([measured(10, 0, 0), measured(0, 10, 10), measured(10, 0, 0), measured(10, 0, 0)])
    assert mixed.f1_low < 0.5 < mixed.pooled.f1 == 0.75 < mixed.f1_high == 1.0
    assert math.isnan(figures_of([measured(1, 0, 0)]).f1_low)


def test_bias_is_given_minus_true() -> None:
    agreed = figures_of([measured(4, 2, 0), measured(4, 0, 0)]).agreement
    assert (agreed.sections, agreed.bias_per_mm) == (2, 1.0)
    assert agreed.sd_per_mm == pytest.approx(math.sqrt(2))


def test_a_biopsy_is_eight_millimeters_of_sections_one_after_the_other() -> None:
    refused = replace(measured(0, 0, 5), density_per_mm=math.nan)
    sections = [measured(4, 0, 0)] * 7 + [refused, measured(4, 8, 0)] + [measured(4, 0, 2)] * 8
    differences = biopsy_differences([*sections, measured(9, 9, 9)])
    assert differences.n == 2
    assert differences.bias == pytest.approx((1.0 - 2.0) / 2)


LIMIT_OF_A_SECTION = "limit of agreement of a section of 1.0 to 1.4 mm, the farther (/mm)"


def test_aims_are_reached_or_not_or_not_asked() -> None:
    aims = {aim.name: aim.reached for aim in aims_of([measured(19, 1, 1)] * 3)}
    assert aims["F1"]
    assert aims["F1, fluorescence"]
    assert aims["F1, bright-field"] is None
    assert aims[LIMIT_OF_A_SECTION]
    assert aims["limit of agreement of 8 mm, the farther (/mm)"] is None
    worse = {aim.name: aim.reached for aim in aims_of([measured(19, 0, 2)] * 3)}
    assert (worse["recall"], worse["bias of the density, either way (/mm)"]) == (False, False)


def test_limits_of_agreement_are_those_of_ordinary_sections() -> None:
    short = measured(1, 9, 0)
    short = replace(short, truth=replace(short.truth, surface_mm=0.6))
    aims = {aim.name: aim.reached for aim in aims_of([measured(19, 1, 1)] * 3 + [short])}
    assert aims[LIMIT_OF_A_SECTION]


def test_figures_are_written_the_same_every_time(tmp_path: Path) -> None:
    summary = summarized([measured(8, 2, 2), measured(1, 0, 3, seed=1_000_001)])
    assert summary["all"]["f1"] == round(18 / 25, 4)
    assert summary["seeds"] == [1_000_000, 1_000_001]
    assert list(summary["groups"]["family"]) == ["fl-pgp"]
    write_figures(tmp_path, summary)
    assert json.loads((tmp_path / "figures.json").read_text("utf-8")) == summary
    text = (tmp_path / "figures.md").read_text("utf-8")
    assert text == markdown(summary)
    assert "| all | 2 | 0 | 0 | 14 | 11 | 0.818 | 0.643 | 0.720 |" in text
    assert "| F1 | at least 0.95 | 0.72 | no | 0.72 | 0.72 | 1 |" in text
    assert "| 1000001_fl-pgp | fl-pgp | projection | 1 | ok | 4 | 4 | 1 | 1 | 1 |" in text


def test_aims_are_also_told_of_sections_that_keep_the_depth_if_there_are_any() -> None:
    kept, one_plane = measured(8, 2, 2), measured(1, 0, 3)
    one_plane = replace(one_plane, truth=replace(one_plane.truth, planes="single"))
    (f1, *_) = summarized([kept, one_plane])["aims"]
    assert (f1["measured"], f1["with_depth"]) == (round(18 / 25, 4), 0.8)
    (f1, *_) = summarized([one_plane])["aims"]
    assert f1["with_depth"] is None


@pytest.mark.parametrize(("floor", "status"), [("0.6", 0), ("0.8", 0), ("0.81", 1)])
def test_the_command_fails_under_the_floor(
    floor: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    analyzed: list[Path] = []
    monkeypatch.setattr(command, "make_images", lambda *given: None)
    monkeypatch.setattr(command, "write_cases", lambda *given: None)
    monkeypatch.setattr(command, "analyze_images", lambda images, study, workers: analyzed.append(images))
    monkeypatch.setattr(command, "measure", lambda out, sections: [measured(8, 2, 2)])
    assert command.main([str(tmp_path), "--small", "--floor", floor]) == status
    assert analyzed == [tmp_path / "images"]
    said = capsys.readouterr()
    assert "0.800" in said.out
    assert ("must be at least" in said.err) == bool(status)


def test_nothing_found_and_nothing_to_find_is_no_success() -> None:
    assert command._judged(summarized([measured(0, 0, 0)]), 0.0) == 1


def believed(confidence: list[float], right: list[bool], missed: int = 0) -> Measured:
    """A section whose candidates are known to be right or wrong."""
    true = [(50.0, 100.0 * k) for k in range(len(right) + missed)]
    found = [(50.0 if good else 80.0, 100.0 * k) for k, good in enumerate(right)]
    kept = [place for place, good in zip(true, [*right, *[True] * missed], strict=True) if good]
    section = measured(sum(right), len(right) - sum(right), missed)
    return replace(
        section,
        truth=true_section(kept),
        candidates_px=np.array(found).reshape(-1, 2),
        confidence=np.array(confidence),
    )


def test_confidence_is_calibrated_when_so_many_are_right() -> None:
    sections = [believed([0.95] * 4, [True] * 4), believed([0.25] * 4, [True, False, False, False])]
    bins = calibration(sections)
    assert [(b.candidates, round(b.confidence, 9), b.right) for b in bins] == [
        (4, 0.25, 0.25),
        (4, 0.95, 1.0),
    ]
    assert calibration_error(bins) == pytest.approx(0.025)
    assert calibration([measured(1, 0, 0)]) == []
    assert math.isnan(calibration_error([]))


def test_precision_and_recall_follow_the_least_confidence() -> None:
    curve = precision_recall([believed([0.92, 0.3], [True, False], missed=1)])
    first, last = curve[0], curve[-1]
    assert (first.precision, first.recall) == (0.5, 0.5)
    assert (round(last.least_confidence, 9), last.precision, last.recall) == (0.9, 1.0, 0.5)


def test_a_sweep_changes_one_thing_and_leaves_the_rest_calm() -> None:
    sections = plan_sweeps(SWEEPS, 4, 7_000)
    assert len({section.name for section in sections}) == len({section.seed for section in sections})
    rng = np.random.default_rng
    for section in sections:
        variant = section.variant
        assert variant is not None
        spec, base = variant.spec(rng(section.seed)), base_spec(rng(section.seed), variant.base)
        changed = {name for name in vars(base) if getattr(spec, name) != getattr(base, name)}
        assert changed <= set(variant.level.changes)
        assert spec.stain == section.stain
    stains = {s.stain for s in sections if s.variant and s.variant.sweep.name == "pixel"}
    assert stains == {"bright-field", "fluorescence"}
    assert {s.stain for s in sections if s.variant and s.variant.sweep.name == "pigment"} == {"bright-field"}


def test_more_sections_of_a_cell_are_added_to_those_there_are() -> None:
    few, more = plan_sweeps(SWEEPS, 4, 7_000), plan_sweeps(SWEEPS, 8, 7_000)
    assert more[: len(few)] == few
    cells = [section.variant.cell for section in few if section.variant]
    assert {cells.count(cell) for cell in cells} == {4}


def test_names_of_sweeps_and_of_their_levels_are_their_own() -> None:
    names = [sweep.name for sweep in SWEEPS]
    assert len(names) == len(set(names))
    for sweep in SWEEPS:
        labels = [level.label for level in sweep.levels]
        assert len(labels) == len(set(labels))


def test_where_nothing_crosses_the_command_asks_for_nothing_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sections = sorted(plan_sweeps([NOTHING], 20), key=lambda s: s.variant.cell if s.variant else "")
    assert {section.seed for section in sections} == set(range(1_000_000, 1_000_080))
    for name in ("make_images", "write_cases", "analyze_images"):
        monkeypatch.setattr(command, name, lambda *given: None)
    for spurious, status in ((1, 0), (2, 1)):
        counts = [1] * spurious + [0] * (80 - spurious)
        found = [replace(measured(0, n, 0), section=s) for n, s in zip(counts, sections, strict=True)]
        monkeypatch.setattr(command, "measure", lambda out, planned, found=found: found)
        assert command.main([str(tmp_path), "--nothing", "--sections", "20"]) == status
    assert "nothing counted in 90%" in capsys.readouterr().out


def test_the_page_shows_the_worst_sections_and_every_cell(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.png"
    Image.new("RGB", (40, 30), "white").save(overlay)
    planned = plan_sweeps(SWEEPS[:1], 1, 7_000)
    good, bad = measured(5, 0, 0), replace(measured(1, 3, 2), overlay=overlay)
    found = [replace(good, section=planned[0]), replace(bad, section=planned[1])]
    text = write_page(tmp_path, found, summarized(found)).read_text("utf-8")
    assert "pixel: 0.16 um" in text
    assert text.count("<figure>") == 3
    assert "image/jpeg" in text
    blind = [replace(m, section=s) for m, s in zip(found, plan_sweeps(SWEEPS[:1], 1), strict=False)]
    assert "image/jpeg" not in write_page(tmp_path, blind, summarized(blind)).read_text("utf-8")
    assert "2 missed, 3 counted that are not there" in text
    assert "http" not in text
