"""What other programs read in the DICOM objects of a biopsy: pydicom, dcmtk and dicom3tools."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.collect import drawn_overlay
from ienfd.batch.engine import Engine
from ienfd.batch.exchange import export_dicom
from ienfd.batch.files import StudyFiles
from ienfd.correction.commands import add_crossing, review
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import MissingExtraError, UsageError
from ienfd.report.content import gather
from ienfd.report.dicom_header import fit
from ienfd.report.exchange import CODES, plain
from ienfd.report.signing import sign_biopsy
from ienfd.study.log import Target
from ienfd.study.store import Store

if sys.version_info >= (3, 14):
    pytest.skip("highdicom needs what has no wheels for Python 3.14 yet", allow_module_level=True)

from pydicom import dcmread
from pydicom.dataset import Dataset

PERSON = {"collection_date": "2024-05-17", "side": "left", "patient_id": "P-7"}
BELOW = [of_biopsy(f"{n}.tif", crossings=1, evaluable_mm=4.0, **PERSON) for n in range(3)]
ABOVE = [of_biopsy(f"{n}.tif", crossings=60, evaluable_mm=4.0, **PERSON) for n in range(3)]
BORDERLINE_ABOVE = [of_biopsy(f"{n}.tif", crossings=11, evaluable_mm=2.2) for n in range(3)]
BORDERLINE_BELOW = [of_biopsy(f"{n}.tif", crossings=9, evaluable_mm=2.0) for n in range(3)]
SHORT = [of_biopsy(f"{n}.tif", crossings=1, evaluable_mm=0.2) for n in range(3)]
REFUSED = [of_biopsy(f"{n}.tif", status="refused", reason="uncalibrated", detail="no tag") for n in range(2)]
MIXED = [
    *BELOW,
    of_biopsy("bad.tif", status="failed", reason="truncated", detail="bad.tif", unreadable=True, **PERSON),
    of_biopsy("wait.tif", status="pending", **PERSON),
]
HOSTILE = {
    "markup": "<script>alert('x')</script>&amp;\"",
    "long": "x" * 10_000,
    "right to left": "\u202e\u05d0\u05d1\u05d2 \u0645\u0631\u064a\u0636",
    "emoji": "\U0001f9a0\U0001f468\u200d\U0001f469" * 4,
    "control": "a\x00b\x07\x1b[31m\x7f\x85c\td",
    "separators": "a\\b^c=d",
    "path": "../../etc/passwd",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def pictured(store: Store, files: list[File]) -> None:
    """Fill a study, and store a picture of each section."""
    fill(store, files)
    picture = io.BytesIO()
    Image.fromarray(np.full((40, 40, 3), 200, np.uint8)).save(picture, "JPEG")
    folder = StudyFiles(store.folder).pictures
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / f"{file.section_id}.jpg").write_bytes(picture.getvalue())


def exported(store: Store, out: Path, *, deidentify: bool = False) -> dict[str, bytes]:
    export_dicom(store, out, deidentify=deidentify)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def read(data: bytes) -> Dataset:
    return dcmread(io.BytesIO(data))


def reports(files: dict[str, bytes]) -> list[Dataset]:
    return [read(data) for name, data in files.items() if name.endswith(".sr.dcm")]


def images(files: dict[str, bytes]) -> list[Dataset]:
    return [read(data) for name, data in files.items() if name.endswith(".sc.dcm")]


def report_of(store: Store, files: list[File], out: Path) -> Dataset:
    pictured(store, files)
    (report,) = reports(exported(store, out))
    return report


def items(item: Dataset) -> Iterator[Dataset]:
    for inner in item.get("ContentSequence", ()):
        yield inner
        yield from items(inner)


def name_of(item: Dataset) -> tuple[str, str]:
    code = item.ConceptNameCodeSequence[0]
    return str(code.CodeValue), str(code.CodingSchemeDesignator)


def groups(report: Dataset) -> list[Dataset]:
    return [item for item in items(report) if name_of(item) == ("125007", "DCM")]


def figures(group: Dataset) -> dict[str, tuple[float, str, str]]:
    """Code of each number with the number, its unit and the coding scheme of the unit."""
    found = {}
    for item in group.ContentSequence:
        if item.ValueType == "NUM":
            code, scheme = name_of(item)
            assert scheme == "99IENFD"
            value = item.MeasuredValueSequence[0]
            unit = value.MeasurementUnitsCodeSequence[0]
            found[code] = (float(value.NumericValue), unit.CodeValue, unit.CodingSchemeDesignator)
    return found


def said(report: Dataset) -> dict[str, str]:
    return {name_of(item)[0]: str(item.TextValue) for item in items(report) if item.ValueType == "TEXT"}


def test_the_figures_of_a_biopsy_and_of_its_sections(store: Store, tmp_path: Path) -> None:
    report = report_of(store, BELOW, tmp_path / "out")
    assert report.SOPClassUID.name == "Comprehensive 3D SR Storage"
    biopsy, first, *others = groups(report)
    assert len(others) == 2
    call = gather(store).biopsies[0].call
    per_mm = ("/mm", "UCUM")
    assert figures(biopsy) == {
        "ienfd": (0.25, *per_mm),
        "interval-low": (round(call.density_low_per_mm or 0.0, 6), *per_mm),
        "interval-high": (round(call.density_high_per_mm or 0.0, 6), *per_mm),
        "section-mean": (0.25, *per_mm),
        "crossings": (3, "{crossings}", "UCUM"),
        "evaluable-length": (12.0, "mm", "UCUM"),
        "sections": (3, "{sections}", "UCUM"),
        "norm-limit": (4.8598, *per_mm),
    }
    assert figures(first) == {
        "ienfd-section": (0.25, *per_mm),
        "interval-low": (0.5, *per_mm),
        "interval-high": (5.5, *per_mm),
        "crossings": (1, "{crossings}", "UCUM"),
        "evaluable-length": (4.0, "mm", "UCUM"),
    }
    words = said(report)
    assert words["121077"].startswith("Below the limit of 4.86 /mm (collongues2018). ")
    assert words["site"] == "distal leg, left"
    assert words["status"].startswith("Preliminary: ")


def test_whose_it_is(store: Store, tmp_path: Path) -> None:
    pictured(store, BELOW)
    files = exported(store, tmp_path / "out")
    for one in (*reports(files), *images(files)):
        assert (str(one.PatientName), one.PatientID, one.PatientBirthDate) == ("", "P-7", "")
        assert (one.PatientSex, one.PatientAge) == ("F", "056Y")
        assert (one.StudyDate, one.StudyID, one.SpecificCharacterSet) == ("20240517", "B1", "ISO_IR 192")
    assert len({one.StudyInstanceUID for one in (*reports(files), *images(files))}) == 1


def test_the_evidence_is_the_overlay_of_each_section(store: Store, tmp_path: Path) -> None:
    pictured(store, BELOW)
    files = exported(store, tmp_path / "out")
    (report,) = reports(files)
    written = {str(image.SOPInstanceUID) for image in images(files)}
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    assert study.StudyInstanceUID == report.StudyInstanceUID
    assert {str(one.ReferencedSOPInstanceUID) for one in series.ReferencedSOPSequence} == written
    shown = [item.ReferencedSOPSequence[0] for item in items(report) if item.ValueType == "IMAGE"]
    assert {str(one.ReferencedSOPInstanceUID) for one in shown} == written
    assert len(written) == 3
    content = gather(store)
    entry = content.sections[0]
    protocol = content.protocols[entry.placement.protocol_hash]
    png = drawn_overlay(store, StudyFiles(store.folder), entry, entry.placement, protocol, Engine())
    assert png is not None
    drawn = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert np.array_equal(images(files)[0].pixel_array, drawn)


def test_a_biopsy_without_any_picture_has_a_report_all_the_same(store: Store, tmp_path: Path) -> None:
    fill(store, BELOW)
    files = exported(store, tmp_path / "out")
    (report,) = reports(files)
    assert len(files) == 1
    assert "CurrentRequestedProcedureEvidenceSequence" not in report
    assert figures(groups(report)[0])["ienfd"][0] == 0.25


def test_no_single_figure_is_tracked_and_each_is_shown_under_its_name(store: Store, tmp_path: Path) -> None:
    report = report_of(store, BELOW, tmp_path / "out")
    numbers = [item for item in items(report) if item.ValueType == "NUM"]
    assert numbers
    assert [item for item in numbers if "ContentSequence" in item] == []  # dsr2html fails on a tracked one
    containers = [item for item in items(report) if item.ValueType == "CONTAINER"]
    assert {item.ContinuityOfContent for item in [report, *containers]} == {"SEPARATE"}


def test_every_private_code_is_one_of_the_list_and_fits(store: Store, tmp_path: Path) -> None:
    report = report_of(store, BORDERLINE_BELOW, tmp_path / "out")
    used = {}
    for item in items(report):
        for code in (*item.ConceptNameCodeSequence, *item.get("ConceptCodeSequence", ())):
            if code.CodingSchemeDesignator == "99IENFD":
                used[code.CodeValue] = code.CodeMeaning
    assert used.items() <= CODES.items()
    assert all(len(code) <= 16 and len(meaning) <= 64 for code, meaning in CODES.items())


def test_a_density_that_is_not_below_is_never_called_normal(store: Store, tmp_path: Path) -> None:
    report = report_of(store, ABOVE, tmp_path / "out")
    assert said(report)["121077"].startswith("Not below the limit of 4.86 /mm")
    assert "normal" not in json.dumps(report.to_json_dict()).casefold()


@pytest.mark.parametrize(
    ("files", "code"), [(BORDERLINE_BELOW, "borderline-below"), (BORDERLINE_ABOVE, "borderline-not")]
)
def test_a_borderline_call_never_lacks_that_word(
    store: Store, tmp_path: Path, files: list[File], code: str
) -> None:
    report = report_of(store, files, tmp_path / "out")
    texts = ("LO", "UT", "ST", "SH", "UC", "LT")
    values = [str(element.value) for element in report.iterall() if element.VR in texts]
    calls = [value for value in values if "below" in value.casefold()]
    assert [value for value in calls if "borderline" not in value] == []
    assert code in values
    assert len(calls) >= 2


def test_a_withheld_call_is_nowhere(store: Store, tmp_path: Path) -> None:
    pictured(store, SHORT)
    files = exported(store, tmp_path / "out")
    (name,) = (name for name in files if name.endswith(".sr.dcm"))
    (report,) = reports(files)
    reason = "The epidermis evaluated in all is shorter than the protocol asks for."
    assert said(report)["121077"] == f"Call withheld: {reason}"
    assert figures(groups(report)[0])["ienfd"][0] == 5.0
    for word in (b"elow", b"limit", b"norm", b"borderline", b"collongues", b"position"):
        assert word not in files[name]


def test_a_refused_section_has_a_reason_and_no_number(store: Store, tmp_path: Path) -> None:
    report = report_of(store, REFUSED, tmp_path / "out")
    assert [figures(group) for group in groups(report)] == [{}, {}, {}]
    reasons = [item.TextValue for item in items(report) if name_of(item)[0] == "no-density"]
    assert reasons == [
        "Call withheld: No section of this biopsy could be evaluated.",
        *[
            "The file does not say how large a pixel is. (no tag)"
            " Give pixel_size_um in the case table, or --pixel-size-um."
        ]
        * 2,
    ]


def test_a_report_with_sections_that_wait_is_partial(store: Store, tmp_path: Path) -> None:
    report = report_of(store, MIXED, tmp_path / "out")
    assert (report.CompletionFlag, report.PreliminaryFlag) == ("PARTIAL", "PRELIMINARY")


def signed(store: Store, kind: Any = "final", why: str = "") -> str:
    """Review and sign the only biopsy; when that was."""
    (entry,) = gather(store).biopsies
    for section in entry.sections if kind == "final" else ():
        place = section.placement
        target = Target("C1", "B1", place.section_id, place.analysis_id)
        assert section.result is not None
        edit = review("reviewed", reviewed_figures(section.result))
        base = max((e.seq for e in store.edits(target)), default=0)
        store.append([edit], target, who="A. Reader", base_seq=base)
    return sign_biopsy(store, "C1", "B1", name="Dr. Sign", kind=kind, why=why).at


def test_a_report_has_the_time_of_its_signature_and_else_none(store: Store, tmp_path: Path) -> None:
    report = report_of(store, BELOW, tmp_path / "preliminary")
    assert (report.ContentDate, report.ContentTime) == ("19000101", "000000")
    assert "1900-01-01 stands for none" in said(report)["status"]
    at = signed(store)
    (final,) = reports(exported(store, tmp_path / "final"))
    moment = f"{final.ContentDate}{final.ContentTime}"
    assert moment == re.sub("[-:T]", "", at)[:18].ljust(21, "0")
    assert final.TimezoneOffsetFromUTC == "+0000"
    assert said(final)["status"] == "Final. Signed in ienfd by Dr. Sign; no legal electronic signature."
    # VERIFIED would ask for the organization that answers for it, which ienfd does not know
    assert (final.PreliminaryFlag, final.VerificationFlag) == ("FINAL", "UNVERIFIED")


def test_no_clock_gets_into_the_files(store: Store, tmp_path: Path) -> None:
    pictured(store, BELOW)
    files = exported(store, tmp_path / "out")
    for one in (*reports(files), *images(files)):
        dates = {e.keyword: str(e.value) for e in one.iterall() if e.VR in ("DA", "TM", "DT") and e.value}
        assert set(dates.values()) <= {"20240517", "19000101", "000000"}, dates


def test_the_same_biopsy_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    pictured(store, BELOW)
    with Store(tmp_path / "again", create=True) as again:
        pictured(again, list(reversed(BELOW)))
        assert exported(store, tmp_path / "one") == exported(again, tmp_path / "two")


def test_an_amendment_gets_ids_of_its_own_in_the_same_study(store: Store, tmp_path: Path) -> None:
    pictured(store, BELOW)
    signed(store)
    before = exported(store, tmp_path / "before")
    place = gather(store).biopsies[0].sections[0].placement
    target = Target("C1", "B1", place.section_id, place.analysis_id)
    base = max(e.seq for e in store.edits(target))
    store.append([add_crossing(5, 40, why="seen later")], target, who="A", base_seq=base)
    after = exported(store, tmp_path / "after")
    ids = [[str(one.SOPInstanceUID) for one in (*reports(f), *images(f))] for f in (before, after)]
    assert ids[0][0] != ids[1][0]  # the report
    assert ids[0][1] != ids[1][1]  # the picture of the section that was corrected
    assert ids[0][2:] == ids[1][2:]
    assert reports(before)[0].StudyInstanceUID == reports(after)[0].StudyInstanceUID
    every = [str(e.value) for f in (before, after) for r in reports(f) for e in r.iterall() if e.VR == "UI"]
    own = [one for one in every if not one.startswith("1.2.840.10008.")]
    assert own
    assert all(re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", one) for one in own)


def test_a_withdrawn_report_holds_no_figure_and_no_picture(store: Store, tmp_path: Path) -> None:
    pictured(store, BELOW)
    signed(store)
    signed(store, "withdrawal", "another patient's block")
    files = exported(store, tmp_path / "out")
    (report,) = reports(files)
    assert len(files) == 1
    assert [item for item in items(report) if item.ValueType == "NUM"] == []
    assert said(report)["121077"] == "The signed result of this biopsy has been withdrawn."
    assert said(report)["status"].startswith("Withdrawn. Signed in ienfd by Dr. Sign")
    assert b"elow the limit" not in next(iter(files.values()))


SECRET = ("Miller", "1943-02-17", "MRN-778", "Dr. Hope", "ward 7", "left leg of", "Dr. Sign")


def test_under_numbers_nothing_tells_whose_it_is(store: Store, tmp_path: Path) -> None:
    files = [
        of_biopsy(f"Miller 1943-02-17/left leg of {n}.tif", "Miller", "Miller-left", patient_id="MRN-778",
                  collection_date="2024-05-17", side="left", extra={"orderer": "Dr. Hope", "note": "ward 7"})
        for n in range(3)
    ] + [
        of_biopsy("b.tif", "Miller", "Miller-left", status="refused", reason="uncalibrated", detail="Miller")
    ]  # fmt: skip
    pictured(store, files)
    named = exported(store, tmp_path / "named")
    hidden = exported(store, tmp_path / "hidden", deidentify=True)
    everything = b"\n".join([*hidden.values(), *(name.encode() for name in hidden)])
    assert [secret for secret in (*SECRET, "20240517") if secret.encode() in everything] == []
    for one in (*reports(hidden), *images(hidden)):
        assert re.fullmatch("patient-[0-9a-f]{10}", one.PatientID)
        assert (one.PatientIdentityRemoved, one.StudyDate) == ("YES", "")
    ids = {str(e.value) for one in reports(hidden) for e in one.iterall() if e.VR == "UI"}
    known = {str(e.value) for one in reports(named) for e in one.iterall() if e.VR == "UI"}
    assert not {one for one in ids & known if one.startswith("2.25.")} - {_device(reports(named)[0])}
    assert figures(groups(reports(named)[0])[0]) == figures(groups(reports(hidden)[0])[0])
    one, two = images(named)[0], images(hidden)[0]
    assert one.PixelData != two.PixelData  # another title is drawn


def _device(report: Dataset) -> str:
    return next(str(item.UID) for item in items(report) if name_of(item) == ("121012", "DCM"))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text(store: Store, tmp_path: Path, name: str) -> None:
    text = HOSTILE[name]
    report = report_of(store, hostile(text), tmp_path / "out")
    for file in (tmp_path / "out").iterdir():
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,120}", file.name)
    assert report.PatientID == fit(text, 64)
    if name in ("right to left", "path"):
        assert report.PatientID == text
    tracked = [item.TextValue for item in items(report) if name_of(item) == ("112039", "DCM")]
    assert tracked[1] == plain(f"Section 1: {text}/0.tif").replace("\t", " ")


def hostile(text: str) -> list[File]:
    return [
        of_biopsy(f"{text}/{n}.tif", text, f"{text}-1", patient_id=text, side=text, extra={text: text})
        for n in range(3)
    ]


@given(st.text(min_size=1), st.sampled_from([16, 64]))
@example("\u202e" * 30, 64)
@example("a\\b", 16)
def test_any_id_fits_and_none_becomes_another(text: str, length: int) -> None:
    shown = fit(text, length)
    assert len(shown.encode()) <= length
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\\]", shown)
    assert shown == text or re.search("~[0-9a-f]{8}$", shown)


# --- foreign readers ---


def tool(name: str) -> str:
    """A program of dcmtk or dicom3tools; `.ci/run` installs them, and then they must be there."""
    path = shutil.which(name)
    if path is None:
        if "IENFD_REQUIRE_DICOM_TOOLS" in os.environ:
            pytest.fail(f"{name} is not there")
        pytest.skip("dcmtk and dicom3tools are not installed (Debian: apt-get install dcmtk dicom3tools)")
    return path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)


CASES = {
    "below": BELOW, "above": ABOVE, "borderline": BORDERLINE_BELOW, "withheld": SHORT, "refused": REFUSED,
    "mixed": MIXED, **{name: hostile(text) for name, text in HOSTILE.items()},
}  # fmt: skip


@pytest.mark.parametrize("deidentify", [False, True], ids=["named", "numbered"])
@pytest.mark.parametrize("case", CASES)
def test_foreign_readers_take_it(store: Store, tmp_path: Path, case: str, deidentify: bool) -> None:
    dciodvfy, dsr2html = tool("dciodvfy"), tool("dsr2html")
    pictured(store, CASES[case])
    exported(store, tmp_path / "out", deidentify=deidentify)
    for file in (tmp_path / "out").iterdir():
        checked = run(dciodvfy, str(file))
        assert [line for line in checked.stderr.splitlines() if line.startswith("Error")] == []
        if file.name.endswith(".sr.dcm"):
            page = tmp_path / "page.html"
            shown = run(dsr2html, str(file), str(page))
            assert shown.returncode == 0, shown.stderr
            assert "E:" not in shown.stderr
            assert "<script" not in page.read_text("utf-8")


@pytest.mark.parametrize("kind", ["final", "addendum", "withdrawal"])
def test_foreign_readers_take_it_signed(store: Store, tmp_path: Path, kind: str) -> None:
    dciodvfy, dsr2html = tool("dciodvfy"), tool("dsr2html")
    pictured(store, BELOW)
    signed(store)
    if kind != "final":
        signed(store, kind, "why")
    exported(store, tmp_path / "out")
    for file in (tmp_path / "out").iterdir():
        checked = run(dciodvfy, str(file))
        assert [line for line in checked.stderr.splitlines() if line.startswith("Error")] == []
        if file.name.endswith(".sr.dcm"):
            assert run(dsr2html, str(file), str(tmp_path / "page.html")).returncode == 0


def test_a_person_reads_every_figure_with_its_name(store: Store, tmp_path: Path) -> None:
    dsr2html = tool("dsr2html")
    report_of(store, BELOW, tmp_path / "out")
    (file,) = (tmp_path / "out").glob("*.sr.dcm")
    run(dsr2html, str(file), str(tmp_path / "page.html"))
    text = unescape(re.sub("<[^>]+>", " ", (tmp_path / "page.html").read_text("utf-8")))
    page = " ".join(text.split())
    assert "Intraepidermal nerve fiber density: 0.25 /mm" in page
    assert "Counted crossings of the dermal-epidermal junction: 3 {crossings}" in page
    assert "Evaluable length of epidermis: 12 mm" in page
    assert "Conclusion: Below the limit of 4.86 /mm (collongues2018)." in page


def test_highdicom_reads_its_groups_back(store: Store, tmp_path: Path) -> None:
    from highdicom.sr import MeasurementReport, srread

    report_of(store, BELOW, tmp_path / "out")
    (file,) = (tmp_path / "out").glob("*.sr.dcm")
    content = srread(file).content
    assert isinstance(content, MeasurementReport)
    found = content.get_image_measurement_groups()
    assert [group.tracking_identifier for group in found] == [
        "Biopsy C1, B1",
        "Section 1: 0.tif",
        "Section 2: 1.tif",
        "Section 3: 2.tif",
    ]
    assert [measure.value for measure in found[1].get_measurements()] == [0.25, 0.5, 5.5, 1.0, 4.0]


def test_it_is_not_written_into_the_study(store: Store) -> None:
    fill(store, BELOW)
    with pytest.raises(UsageError, match="lies in the study"):
        export_dicom(store, store.folder / "out", deidentify=False)


def test_it_says_what_to_install(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, BELOW)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ienfd\[dicom\]'"):
        export_dicom(store, tmp_path / "out", deidentify=False)
    assert not (tmp_path / "out").exists()
