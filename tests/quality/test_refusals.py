"""Every situation in which a number would not be honest, one by one: what becomes of it, and its code.

The numbers are those of the table "When to refuse, withhold or qualify" that the program is built on.
Images go through `ienfd.read` and `ienfd.analyze`; biopsies through a study and its tables, as after a run.
"""

from __future__ import annotations

import base64
import csv
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from quality_scenes import analyzed, blurred, one_piece, phantom, saturated

import ienfd
from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.collect import collect
from ienfd.batch.exchange import export_dicom, export_fhir
from ienfd.batch.norms import keep_norms
from ienfd.batch.reporting import write_reports
from ienfd.correction.commands import review
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import UsageError
from ienfd.norms.laboratory import enter
from ienfd.phantom import Phantom
from ienfd.protocol import CallRules, ImageChoices, Protocol, QualityBounds
from ienfd.reasons import REASONS, Effect
from ienfd.report.content import gather
from ienfd.report.signing import sign_biopsy
from ienfd.result import SectionResult, Status
from ienfd.study.log import Target
from ienfd.study.store import Store

Rows = list[dict[str, str]]

BUILT_IN = Protocol()
FRAMED = Protocol(call=CallRules(norm_bright_field="framed"))


# 1, 4, 7, 8: what becomes of an image


def png(folder: Path, **options: Any) -> Path:
    Image.new("RGB", (600, 600), (230, 225, 235)).save(folder / "a.png", **options)
    return folder / "a.png"


def tiff(folder: Path, x_um: float, y_um: float) -> Path:
    grey = np.random.default_rng(7).integers(0, 255, (600, 600), np.uint8)
    path = folder / "a.tif"
    tifffile.imwrite(path, grey, resolution=(1e4 / x_um, 1e4 / y_um), resolutionunit="CENTIMETER")
    return path


UNCALIBRATED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "1: no pixel size": (png, "uncalibrated"),
    "1: 72 dpi": (lambda folder: png(folder, dpi=(72, 72)), "calibration_default_dpi"),
    "1: 96 dpi": (lambda folder: png(folder, dpi=(96, 96)), "calibration_default_dpi"),
    "1: different in x and y": (lambda folder: tiff(folder, 0.5, 0.6), "calibration_anisotropic"),
}


@pytest.mark.parametrize("name", UNCALIBRATED)
def test_a_section_whose_scale_is_not_known_is_refused(name: str, tmp_path: Path) -> None:
    make, code = UNCALIBRATED[name]
    assert_refused(ienfd.analyze(ienfd.read(make(tmp_path))), code)


@cache
def good() -> SectionResult:
    return analyzed(phantom())


def sure_only(share: float) -> Protocol:
    """A protocol for which no junction is certain enough."""
    return Protocol(image=ImageChoices(junction_confidence_min=share))


SPOILT: dict[str, tuple[Callable[[], Phantom], Protocol, str]] = {
    "4: junction uncertain over too much of the length": (phantom, sure_only(1.01), "junction_uncertain"),
    "4: junction more likely elsewhere": (
        phantom,
        Protocol(quality=QualityBounds(min_mean_junction_confidence=1.01)),
        "junction_uncertain",
    ),
    "4: no epidermis": (lambda: one_piece(phantom()), BUILT_IN, "no_epidermis"),
    "7: saturated": (lambda: saturated(phantom(), 0.4), BUILT_IN, "saturated"),
    "7: out of focus": (lambda: blurred(phantom(), 3.0), BUILT_IN, "out_of_focus"),
    "8: no nerve anywhere": (lambda: phantom(nerves=False), BUILT_IN, "no_nerve_stain"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_an_image_that_cannot_be_counted_is_refused(name: str) -> None:
    make, protocol, code = SPOILT[name]
    assert_refused(analyzed(make(), protocol), code)


def assert_refused(result: SectionResult, code: str) -> None:
    assert (result.status, result.reason) == (Status.REFUSED, code)
    assert REASONS[code].effect is Effect.REFUSED
    assert REASONS[code].text
    assert REASONS[code].remedy
    assert (result.count, result.density_per_mm) == (None, None)
    assert not any(crossing.counted for crossing in result.crossings)


def test_4_an_uncertain_stretch_is_excluded_with_its_length() -> None:
    junction = np.concatenate([piece.junction_confidence for piece in good().findings.pieces])
    result = analyzed(phantom(), sure_only(float(np.quantile(junction, 0.2))))
    assert result.status is Status.OK
    whole = good().lengths
    assert result.lengths is not None
    assert whole is not None
    assert 0 < result.lengths.excluded_mm < result.lengths.surface_mm
    assert result.lengths.evaluable_mm < whole.evaluable_mm
    assert "junction_partly_uncertain" in result.flags


def test_8_nerves_in_the_dermis_and_no_crossing_is_a_density_of_zero() -> None:
    result = analyzed(phantom(crossings=False, seed=43))
    assert (result.status, result.count, result.density_per_mm) == (Status.OK, 0, 0.0)


# 1b, 2, 3, 5, 6, 7b, 9, 12 and the unstated frame: what becomes of a biopsy


def three(case_id: str = "C1", **changes: Any) -> list[File]:
    """Three sections of 60 crossings on 4 mm each, which nothing keeps from being called."""
    return [
        of_biopsy(f"{case_id}-{n}.tif", case_id, "B1", **{"crossings": 60, "evaluable_mm": 4.0, **changes})
        for n in range(3)
    ]


def with_one(**changes: Any) -> list[File]:
    files = three()
    case = {**files[2].case, **changes.pop("case", {})}
    return [*files[:2], replace(files[2], case=case, **changes)]


def and_thigh(**changes: Any) -> list[File]:
    """Two biopsies of one case; the second one is changed."""
    thigh = [
        replace(file, path=f"t-{file.path}", case={**file.case, "biopsy_id": "B2"}, **changes)
        for file in three()
    ]
    return [*three(), *thigh]


def print_of(seed: int) -> str:
    """A fingerprint of 1 mm of tissue."""
    rows = np.random.default_rng(seed).normal(0, 25, (5, 125))
    return base64.b64encode(np.clip(rows, -127, 127).astype(np.int8).tobytes()).decode("ascii")


@dataclass(frozen=True)
class Case:
    """A biopsy named after its situation, and the code that must say so."""

    name: str
    code: str
    files: list[File] = field(default_factory=three)
    protocol: Protocol = BUILT_IN


WITHHELD = [
    Case("1b: twice the pixel size", "calibration_inconsistent", with_one(pixel_size_um=0.65)),
    Case("1b: twice the pixel size in another biopsy of the case", "calibration_inconsistent",
         and_thigh(pixel_size_um=0.65)),
    Case("2: no stain that a norm is set for", "no_norm", protocol=Protocol(call=CallRules(""))),
    Case("2: the norm of another stain", "stain_outside_norm",
         protocol=Protocol(call=CallRules("bursova2012"))),
    Case("2: no site", "site_missing", three(site=None)),
    Case("2: another site", "site_outside_norm", three(site="thigh")),
    Case("2: no thickness for a norm of 50 um", "section_um_missing", three(section_um=None), FRAMED),
    Case("2: 39 um for a norm of 50 um", "section_um_outside_norm", three(section_um=39.0), FRAMED),
    Case("2: 61 um for a norm of 50 um", "section_um_outside_norm", three(section_um=61.0), FRAMED),
    Case("2: another line than the norm", "length_line_outside_norm",
         protocol=replace(FRAMED, density=replace(FRAMED.density, length_line="junction"))),
    Case("3: no age", "age_missing", three(age_years=None)),
    Case("3: a child", "age_outside_norm", three(age_years=12.0)),
    Case("3: too old", "age_outside_norm", three(age_years=81.0)),
    Case("3: no sex", "sex_missing", three(sex=None)),
    Case("5: two sections", "too_few_sections", three()[:2]),
    Case("5: two and a refused one", "too_few_sections", with_one(status="refused", reason="blank")),
    Case("5: under 3 mm in all", "too_short", three(evaluable_mm=0.9)),
    Case("7b: a single plane of 50 um", "single_plane", three(planes="single", file_planes=1)),
    Case("12: a copy under another name", "duplicate_field",
         [*three(), replace(three()[0], path="copy.tif", content="C1-0.tif")]),
    Case("12: two images of one tissue", "duplicate_field", three(fingerprint=print_of(1))),
    Case("12: one tissue in two biopsies of a case", "duplicate_field",
         [replace(file, fingerprint=print_of(n % 3)) for n, file in enumerate(and_thigh())]),
    Case("a failed control of the staining run", "control_failed",
         [*three(), File("p.tif", {"case_id": "K", "control": "positive"}, "refused", "no_nerve_stain")]),
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A study that knows a norm with a whole frame: 50 um, on the surface, 20 /mm for all from 20 to 80."""
    monkeypatch.setenv("IENFD_NORMS", str(tmp_path / "norms"))
    bands = "".join(
        f'[[limits]]\nsex = "{sex}"\nage_lo = 20\nage_hi = 80\nlimit_per_mm = 20.0\n' for sex in "FM"
    )
    typed = tmp_path / "typed.toml"
    typed.write_text(
        'id = "framed"\ntitle = "Made up"\ncitation = "none"\nunit = "/mm"\nsource = "none"\n'
        'stain = "bright-field"\nsite = "distal_leg"\nsection_um = 50\nlength_line = "surface"\nn = 300\n'
        'statistic = "none"\npercentile = 5.0\nage_lo = 20\nage_hi = 80\nverification = "none"\n'
        f'caveat = ""\n{bands}',
        encoding="utf-8",
    )
    enter(typed, by="A. Person")
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def biopsies(store: Store, files: list[File], protocol: Protocol = BUILT_IN) -> Rows:
    """What biopsies.csv says after a run."""
    keep_norms(store, protocol)
    fill(store, files, protocol=protocol)
    collect(store)
    return table(store.folder / "biopsies.csv")


def table(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("case", WITHHELD, ids=lambda case: case.name)
def test_the_call_is_withheld_and_the_density_stays(store: Store, case: Case) -> None:
    rows = biopsies(store, case.files, case.protocol)
    reason = REASONS[case.code]
    assert reason.effect is Effect.WITHHELD
    assert reason.remedy
    for row in rows:
        assert case.code in row["withheld_reasons"].split("|")
        assert float(row["density_per_mm"]) > 0
        assert reason.text in row["call"]
        assert_no_call(row)


def assert_no_call(row: dict[str, str]) -> None:
    empty = "below_norm", "certainty", "sections_to_settle", "norm_limit_per_mm", "other_norms"
    assert {name: row[name] for name in empty} == dict.fromkeys(empty, "")
    assert row["call"].startswith("Call withheld: ")


CALLED = [
    Case("7b: planes not stated, one in the file", "planes_unknown", three(planes=None, file_planes=1)),
    Case("9: applicable norms disagree", "norms_disagree"),
    Case("a frame that the publication does not state", "norm_frame_unstated"),
]


@pytest.mark.parametrize("case", CALLED, ids=lambda case: case.name)
def test_the_call_is_given_and_qualified(store: Store, case: Case) -> None:
    keep_norms(store, FRAMED)  # which says below where the built-in one says not below
    (row,) = biopsies(store, case.files)
    assert case.code in row["flags"].split("|")
    assert REASONS[case.code].effect is Effect.FLAGGED
    assert (row["below_norm"], row["norm_id"], row["withheld_reasons"]) == ("false", "collongues2018", "")
    (page,) = write_reports(store, store.folder.parent / "out", case_id="C1", form="html")
    assert REASONS[case.code].text in page.read_text(encoding="utf-8")
    if case.code == "norms_disagree":
        assert row["other_norms"] == "framed=20:below"


def test_6_an_interval_that_holds_the_limit_makes_the_call_borderline(store: Store) -> None:
    (row,) = biopsies(store, three(crossings=21))
    assert (row["below_norm"], row["certainty"]) == ("false", "borderline")
    assert row["sections_to_settle"]
    assert "borderline" in row["call"]
    assert "borderline" in row["flags"].split("|")
    review_all(store)
    with pytest.raises(UsageError, match="second reader"):
        sign_biopsy(store, "C1", "B1", name="A. Person")


def test_10_what_is_not_reviewed_stays_preliminary(store: Store) -> None:
    biopsies(store, three())
    with pytest.raises(UsageError, match="has not been reviewed"):
        sign_biopsy(store, "C1", "B1", name="A. Person")
    assert table(store.folder / "biopsies.csv")[0]["status"] == "preliminary"
    (page,) = write_reports(store, store.folder.parent / "out", case_id="C1", form="html")
    assert "PRELIMINARY" in page.read_text(encoding="utf-8")


def review_all(store: Store) -> None:
    for entry in gather(store, "C1").sections:
        place = entry.placement
        assert entry.result is not None
        edit = review("reviewed", reviewed_figures(entry.result))
        target = Target("C1", "B1", place.section_id, place.analysis_id)
        store.append([edit], target, who="A. Reader", base_seq=0)


def test_12_the_files_of_one_tissue_are_named(store: Store) -> None:
    files = [replace(file, fingerprint=print_of(min(n, 1))) for n, file in enumerate(three())]
    biopsies(store, files)
    rows = {row["file"]: row for row in table(store.folder / "sections.csv")}
    same = {name: row["same_tissue_as"] for name, row in rows.items()}
    assert same == {"C1-0.tif": "", "C1-1.tif": "C1-2.tif", "C1-2.tif": "C1-1.tif"}
    assert "same_tissue" in rows["C1-1.tif"]["quality_flags"].split("|")
    assert gather(store).warnings == ("case C1: C1-1.tif and C1-2.tif show the same tissue",)
    out = replace(files[2], status="refused", reason="all_excluded")
    fill(store, [*files[:2], out], key="another")
    collect(store)
    (row,) = table(store.folder / "biopsies.csv")
    assert row["withheld_reasons"] == "too_few_sections"  # one of the two is out


def test_no_withheld_call_is_printed_by_any_renderer(store: Store, tmp_path: Path) -> None:
    """All situations in one study, each a case of its own, through everything that leaves it."""
    for number, case in enumerate(WITHHELD):
        keep_norms(store, case.protocol)
        files = [
            replace(file, case={**file.case, "case_id": f"S{number}", "staining_run": f"{number}"},
                    path=f"{number}-{file.path}", content=f"{number}-{file.content or file.path}")
            for file in case.files
        ]  # fmt: skip
        fill(store, files, protocol=case.protocol, root=f"/images/{number}")
    collect(store)
    rows = table(store.folder / "biopsies.csv")
    assert len(rows) >= len(WITHHELD)
    for row in rows:
        assert_no_call(row)
    said = re.compile(r"\b(not below|below) the limit\b|borderline|settle", re.IGNORECASE)
    for page in write_reports(store, tmp_path / "html", case_id=None, form="html"):
        text = re.sub(r"<(style|script)>.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = text.replace("A density that is not below the limit is not said to be normal.", "")
        assert "Call withheld" in text
        assert not said.search(text)
    export_fhir(store, tmp_path / "fhir", deidentify=False)
    for path in (tmp_path / "fhir").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "HP:0034997" not in text
        assert "referenceRange" not in text
        assert not said.search(text)
    if sys.version_info < (3, 14):  # highdicom needs what has no wheels for it yet
        export_dicom(store, tmp_path / "dicom", deidentify=False)
        documents = sorted((tmp_path / "dicom").rglob("*.dcm"))
        assert documents
        for path in documents:
            data = path.read_bytes()
            assert b"norm-limit" not in data
            assert not re.search(rb"(not below|below) the limit|orderline", data)
    for section in table(store.folder / "sections.csv"):
        assert not {"below_norm", "certainty"} & set(section)
