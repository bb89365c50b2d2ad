"""What a hospital's system reads in a FHIR Bundle: what was found, and nothing that was not."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.exchange import export_fhir
from ienfd.correction.commands import add_crossing, review
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import MissingExtraError, UsageError
from ienfd.report.content import gather
from ienfd.report.exchange import CODES, plain
from ienfd.report.fhir_types import is_date, observation_status
from ienfd.report.signing import sign_biopsy
from ienfd.study.log import Target
from ienfd.study.store import Store

Json = dict[str, Any]

PERSON = {"collection_date": "2024-05-17", "side": "left", "patient_id": "P-7"}
BELOW = [of_biopsy(f"{n}.tif", crossings=1, evaluable_mm=4.0, **PERSON) for n in range(3)]
ABOVE = [of_biopsy(f"{n}.tif", crossings=60, evaluable_mm=4.0, **PERSON) for n in range(3)]
BORDERLINE_ABOVE = [of_biopsy(f"{n}.tif", crossings=11, evaluable_mm=2.2) for n in range(3)]
BORDERLINE_BELOW = [of_biopsy(f"{n}.tif", crossings=9, evaluable_mm=2.0) for n in range(3)]
SHORT = [of_biopsy(f"{n}.tif", crossings=1, evaluable_mm=0.2) for n in range(3)]
REFUSED = [of_biopsy(f"{n}.tif", status="refused", reason="uncalibrated", detail="no tag") for n in range(2)]

# copied by hand from hl7.org/fhir/R4B, so that a wrong word in the program is not a right one here
REPORT_WORDS = {"registered", "partial", "preliminary", "final", "amended", "corrected", "appended",
                "cancelled", "entered-in-error", "unknown"}  # fmt: skip
OBSERVATION_WORDS = REPORT_WORDS - {"partial", "appended"}
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
FHIR_STRING = re.compile(r"[ \r\n\t\S]+")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def exported(store: Store, out: Path, **options: Any) -> dict[str, bytes]:
    export_fhir(store, out, **{"deidentify": False, **options})
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def one_bundle(store: Store, files: list[File], out: Path, **options: Any) -> Json:
    fill(store, files)
    (data,) = exported(store, out, **options).values()
    bundle: Json = json.loads(data)
    return bundle


def resources(bundle: Json, kind: str) -> list[Json]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def the(bundle: Json, kind: str) -> Json:
    return resources(bundle, kind)[0]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def local(code: str, text: str = "") -> Json:
    coding = {"system": "urn:ienfd:codes", "code": code, "display": CODES[code]}
    return {"coding": [coding], "text": text or CODES[code]}


def per_mm(value: float) -> Json:
    return {"value": value, "unit": "/mm", "system": "http://unitsofmeasure.org", "code": "/mm"}


def test_a_density_below_the_limit(store: Store, tmp_path: Path) -> None:
    bundle = one_bundle(store, BELOW, tmp_path / "out")
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["DiagnosticReport", *["Observation"] * 4, "Specimen"]
    report = the(bundle, "DiagnosticReport")
    assert report["status"] == "preliminary"
    assert report["code"] == local("ienfd")
    assert report["effectiveDateTime"] == "2024-05-17"
    assert "issued" not in report
    assert report["subject"] == {
        "type": "Patient",
        "identifier": {"system": "urn:ienfd:patient", "value": "P-7"},
    }
    assert report["identifier"] == [
        {"system": "urn:ienfd:case", "value": "C1"},
        {"system": "urn:ienfd:biopsy", "value": "B1"},
    ]
    assert report["conclusion"].startswith("Below the limit of 4.86 /mm (collongues2018). ")
    assert "does not by itself establish small-fiber neuropathy" in report["conclusion"]
    assert report["conclusionCode"] == [
        {
            "coding": [
                {
                    "system": "http://human-phenotype-ontology.org",
                    "code": "HP:0034997",
                    "display": "Reduced intraepidermal small nerve fiber density",
                }
            ],
            "text": "Reduced intraepidermal small nerve fiber density",
        }
    ]
    density = the(bundle, "Observation")
    assert density["valueQuantity"] == per_mm(0.25)
    assert density["referenceRange"][0]["low"] == per_mm(4.8598)
    assert density["interpretation"][0]["text"] == "Below the limit of the norm"
    assert [c["code"] for c in density["interpretation"][0]["coding"]] == ["L", "below"]
    interval, crossings, length, mean, sections = density["component"]
    call = gather(store).biopsies[0].call
    assert call.density_low_per_mm is not None
    assert call.density_high_per_mm is not None
    assert interval["code"] == local("interval", "95 % interval of the density, of sampling only")
    assert interval["valueRange"] == {
        "low": per_mm(round(call.density_low_per_mm, 6)),
        "high": per_mm(round(call.density_high_per_mm, 6)),
    }
    assert crossings == {"code": local("crossings"), "valueInteger": 3}
    assert length["valueQuantity"] == {**per_mm(12.0), "unit": "mm", "code": "mm"}
    assert mean["valueQuantity"] == per_mm(0.25)
    assert sections == {"code": local("sections"), "valueInteger": 3}
    assert the(bundle, "Specimen")["collection"] == {
        "collectedDateTime": "2024-05-17",
        "bodySite": {"text": "distal leg, left"},
    }


def test_each_section_has_its_own_figures(store: Store, tmp_path: Path) -> None:
    bundle = one_bundle(store, BELOW, tmp_path / "out")
    _, first, second, _ = resources(bundle, "Observation")
    assert first["code"] == local("ienfd-section", "Intraepidermal nerve fiber density, section 1")
    assert first["identifier"] == [{"system": "urn:ienfd:section", "value": BELOW[0].section_id}]
    assert first["valueQuantity"] == per_mm(0.25)
    interval, crossings, length = first["component"]
    assert interval["valueRange"] == {"low": per_mm(0.5), "high": per_mm(5.5)}
    assert crossings["valueInteger"] == 1
    assert length["code"]["text"] == "Evaluable length of the surface"
    assert length["valueQuantity"]["value"] == 4.0
    assert first["derivedFrom"] == [{"display": "0.tif"}]
    assert first["note"] == [{"text": "The image is soft."}]
    assert second["derivedFrom"] == [{"display": "1.tif"}]


def test_every_reference_leads_to_something_in_the_bundle(store: Store, tmp_path: Path) -> None:
    bundle = one_bundle(store, BELOW, tmp_path / "out")
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls) == 6
    assert urls == [f"urn:uuid:{entry['resource']['id']}" for entry in bundle["entry"]]
    report, density = the(bundle, "DiagnosticReport"), the(bundle, "Observation")
    assert [one["reference"] for one in report["result"]] == urls[1:5]
    assert [one["reference"] for one in density["hasMember"]] == urls[2:5]
    assert [one["reference"] for one in report["specimen"]] == [urls[5]]
    assert {o["specimen"]["reference"] for o in resources(bundle, "Observation")} == {urls[5]}


@pytest.mark.parametrize("files", [BELOW, ABOVE, BORDERLINE_BELOW, SHORT, REFUSED], ids=str)
def test_a_foreign_reader_finds_it_well_formed(store: Store, tmp_path: Path, files: list[File]) -> None:
    bundle = one_bundle(store, files, tmp_path / "out")
    read = Bundle.model_validate(bundle)
    assert json.loads(read.model_dump_json(exclude_none=True)) == json.loads(json.dumps(bundle))
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert FHIR_ID.fullmatch(resource["id"])
        if resource["resourceType"] == "Observation":  # obs-6 of the specification
            assert ("valueQuantity" in resource) != ("dataAbsentReason" in resource)
            assert resource["status"] in OBSERVATION_WORDS
        if resource["resourceType"] == "DiagnosticReport":
            assert resource["status"] in REPORT_WORDS


def test_a_density_that_is_not_below_is_never_called_normal(store: Store, tmp_path: Path) -> None:
    bundle = one_bundle(store, ABOVE, tmp_path / "out")
    text = json.dumps(bundle)
    assert the(bundle, "DiagnosticReport")["conclusion"].startswith("Not below the limit of 4.86 /mm")
    assert the(bundle, "Observation")["interpretation"] == [local("not-below")]
    assert "normal" not in text.casefold()
    assert "HP:0034997" not in text


@pytest.mark.parametrize(
    ("files", "said", "code"),
    [
        (BORDERLINE_BELOW, "Below", "borderline-below"),
        (BORDERLINE_ABOVE, "Not below", "borderline-not"),
    ],
)
def test_a_borderline_call_never_lacks_that_word(
    store: Store, tmp_path: Path, files: list[File], said: str, code: str
) -> None:
    bundle = one_bundle(store, files, tmp_path / "out")
    calls = [text for text in texts(bundle) if "below" in text.casefold()]
    assert len(calls) >= 3
    assert [text for text in calls if "borderline" not in text] == []
    assert the(bundle, "DiagnosticReport")["conclusion"].startswith(f"{said} the limit of 4.86 /mm")
    assert the(bundle, "Observation")["interpretation"] == [local(code)]
    assert "conclusionCode" not in the(bundle, "DiagnosticReport")


def test_a_withheld_call_is_nowhere(store: Store, tmp_path: Path) -> None:
    bundle = one_bundle(store, SHORT, tmp_path / "out")
    report, density = the(bundle, "DiagnosticReport"), the(bundle, "Observation")
    reason = "The epidermis evaluated in all is shorter than the protocol asks for."
    assert report["conclusion"] == f"Call withheld: {reason}"
    assert density["note"][0]["text"] == f"Call withheld: {reason}"
    assert density["valueQuantity"] == per_mm(5.0)
    written = json.dumps(bundle).casefold()
    for word in ("below", "limit", "interpretation", "referencerange", "hp:0034997", "conclusioncode",
                 "normal", "borderline", "collongues"):  # fmt: skip
        assert word not in written


def test_a_refused_section_has_a_reason_and_no_number(store: Store, tmp_path: Path) -> None:
    bundle = one_bundle(store, REFUSED, tmp_path / "out")
    density, section, _ = resources(bundle, "Observation")
    said = (
        "The file does not say how large a pixel is. (no tag)"
        " Give pixel_size_um in the case table, or --pixel-size-um."
    )
    assert section["dataAbsentReason"] == {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                "code": "unknown",
                "display": "Unknown",
            },
            {"system": "urn:ienfd:codes", "code": "uncalibrated"},
        ],
        "text": said,
    }
    withheld = "Call withheld: No section of this biopsy could be evaluated."
    assert density["dataAbsentReason"]["text"] == withheld
    for observation in (density, section):
        assert not {"valueQuantity", "component", "interpretation", "referenceRange"} & observation.keys()


def test_what_failed_or_waits_says_so(store: Store, tmp_path: Path) -> None:
    files = [
        of_biopsy("bad.tif", status="failed", reason="truncated", detail="bad.tif"),
        of_biopsy("wait.tif", status="pending"),
    ]
    bundle = one_bundle(store, files, tmp_path / "out")
    density, failed, pending = resources(bundle, "Observation")
    assert [o["dataAbsentReason"]["coding"][0]["code"] for o in (density, failed, pending)] == [
        "temp-unknown",
        "error",
        "temp-unknown",
    ]
    assert [o["status"] for o in (density, failed, pending)] == ["preliminary", "preliminary", "registered"]
    assert pending["dataAbsentReason"]["text"] == "It has not been analyzed yet."


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


def test_a_signature_dates_the_report(store: Store, tmp_path: Path) -> None:
    fill(store, BELOW)
    at = signed(store)
    (data,) = exported(store, tmp_path / "out").values()
    report = the(json.loads(data), "DiagnosticReport")
    assert (report["status"], report["issued"]) == ("final", at)
    assert report["resultsInterpreter"] == [{"display": "Dr. Sign"}]
    assert {o["status"] for o in resources(json.loads(data), "Observation")} == {"final"}


def test_an_amended_report_is_the_same_report_with_another_status(store: Store, tmp_path: Path) -> None:
    fill(store, BELOW)
    signed(store)
    before = json.loads(*exported(store, tmp_path / "before").values())
    signed(store, "addendum", "the side was wrong")
    after = json.loads(*exported(store, tmp_path / "after").values())
    assert the(after, "DiagnosticReport")["status"] == "amended"
    assert [e["fullUrl"] for e in before["entry"]] == [e["fullUrl"] for e in after["entry"]]
    assert before["id"] != after["id"]


def test_a_withdrawn_report_is_an_error_and_calls_nothing(store: Store, tmp_path: Path) -> None:
    fill(store, BELOW)
    signed(store)
    at = signed(store, "withdrawal", "another patient's block")
    (data,) = exported(store, tmp_path / "out").values()
    report = the(json.loads(data), "DiagnosticReport")
    assert (report["status"], report["issued"]) == ("entered-in-error", at)
    assert report["conclusion"] == "The signed result of this biopsy has been withdrawn."
    assert {o["status"] for o in resources(json.loads(data), "Observation")} == {"entered-in-error"}
    assert b"HP:0034997" not in data
    assert b"elow the limit" not in data


def test_what_was_changed_after_it_was_signed_is_preliminary_again(store: Store, tmp_path: Path) -> None:
    fill(store, BELOW)
    signed(store)
    place = gather(store).biopsies[0].sections[0].placement
    target = Target("C1", "B1", place.section_id, place.analysis_id)
    base = max(e.seq for e in store.edits(target))
    store.append([add_crossing(5, 40, why="seen later")], target, who="A", base_seq=base)
    (data,) = exported(store, tmp_path / "out").values()
    report = the(json.loads(data), "DiagnosticReport")
    assert report["status"] == "preliminary"
    assert "The biopsy was changed after it was signed." in report["conclusion"]
    assert not {"issued", "resultsInterpreter"} & report.keys()


def test_a_word_that_is_no_status_is_refused() -> None:
    with pytest.raises(ValueError, match="'withdrawn' is no status of an Observation"):
        observation_status("withdrawn")


HOSTILE = {
    "markup": "<script>alert('x')</script>&amp;\"",
    "long": "x" * 10_000,
    "right to left": "\u202e\u05d0\u05d1\u05d2 \u0645\u0631\u064a\u0636",
    "emoji": "\U0001f9a0\U0001f468\u200d\U0001f469",
    "control": "a\x00b\x07\x1b[31m\x7f\x85c",
    "blanks": "a\u00a0b\u2028c\u3000d",
    "no character": "a\ufffe\uffffb",
    "path": "../../etc/passwd",
    "device": "CON",
    "formula": "=cmd|' /C calc'!A0",
    "separators": "a\\b^c=d/e",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_stays_text(store: Store, tmp_path: Path, name: str) -> None:
    text = HOSTILE[name]
    files = [
        of_biopsy(f"{text}/{n}.tif", text, f"{text}-1", patient_id=text, side=text, extra={text: text})
        for n in range(3)
    ]
    bundle = one_bundle(store, files, tmp_path / "out")
    Bundle.model_validate(bundle)
    (file,) = (tmp_path / "out").iterdir()
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}_[0-9a-f]{8}\.fhir\.json", file.name)
    assert [said for said in texts(bundle) if not FHIR_STRING.fullmatch(said)] == []
    report, specimen = the(bundle, "DiagnosticReport"), the(bundle, "Specimen")
    shown = plain(text)
    assert report["subject"]["identifier"]["value"] == shown
    assert specimen["note"] == [{"text": f"{shown}: {shown}"}]
    if name in ("markup", "long", "right to left", "emoji", "path", "device", "formula", "separators"):
        assert shown == text
    assert resources(bundle, "Observation")[1]["derivedFrom"] == [{"display": plain(f"{text}/0.tif")}]


@given(st.text())
@example("\u2028 \x1c \ufdd0 \x00")
def test_any_text_becomes_a_string_that_fhir_takes(text: str) -> None:
    shown = plain(text)
    assert shown == "" or FHIR_STRING.fullmatch(shown)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", shown)
    assert plain(shown) == shown


def test_a_control_character_is_shown_and_does_not_make_two_ids_one() -> None:
    assert plain("a\x07b") == "a\u2407b"
    assert plain("a\x07b") != plain("a\x1bb")


SECRET = ("Miller", "1943-02-17", "MRN-778", "Dr. Hope", "ward 7", "left leg of", "Dr. Sign")


def test_under_numbers_nothing_tells_whose_it_is(store: Store, tmp_path: Path) -> None:
    files = [
        of_biopsy(f"Miller 1943-02-17/left leg of {n}.tif", "Miller", "Miller-left", patient_id="MRN-778",
                  collection_date="2024-05-17", side="left", crossings=1, evaluable_mm=4.0,
                  extra={"orderer": "Dr. Hope", "note": "ward 7"})
        for n in range(3)
    ] + [
        File("Miller alone.tif", status="failed", reason="truncated", detail="Miller alone.tif: 1943-02-17"),
        of_biopsy("b.tif", "Miller", "Miller-left", status="refused", reason="uncalibrated", detail="Miller"),
    ]  # fmt: skip
    fill(store, files)
    for section in gather(store).biopsies[0].sections:
        place = section.placement
        if section.result is not None and section.status == "ok":
            edit = review("reviewed", reviewed_figures(section.result))
            target = Target("Miller", "Miller-left", place.section_id, place.analysis_id)
            store.append([edit], target, who="A", base_seq=0)
    at = sign_biopsy(store, "Miller", "Miller-left", name="Dr. Sign").at
    plainly = exported(store, tmp_path / "plain")
    assert all(secret.encode() in b"".join(plainly.values()) for secret in SECRET)
    hidden = exported(store, tmp_path / "hidden", deidentify=True)
    everything = b"\n".join([*hidden.values(), *(name.encode() for name in hidden)])
    assert [secret for secret in (*SECRET, "2024-05", at[:10]) if secret.encode() in everything] == []
    bundles = [json.loads(data) for data in hidden.values()]
    (report,) = [r for b in bundles for r in resources(b, "DiagnosticReport") if r["status"] == "final"]
    assert report["effectiveDateTime"] == "2024"
    assert re.fullmatch("patient-[0-9a-f]{10}", report["subject"]["identifier"]["value"])
    assert not {"issued", "resultsInterpreter"} & report.keys()
    numbers = {b["id"] for b in bundles} | {e["fullUrl"] for b in bundles for e in b["entry"]}
    assert not any(number.encode() in b"".join(plainly.values()) for number in numbers)


def test_the_same_study_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    files = [*BELOW, of_biopsy("x.tif", "C2", "B2"), File("alone.tif")]
    fill(store, files)
    with Store(tmp_path / "again", create=True) as again:
        fill(again, list(reversed(files)), root="/elsewhere")
        first, second = exported(store, tmp_path / "one"), exported(again, tmp_path / "two")
    assert first == second
    assert len(first) == 3


def test_biopsies_of_one_name_get_files_of_their_own(store: Store, tmp_path: Path) -> None:
    fill(store, [of_biopsy("a.tif", age_years=50.0)], root="/one")
    fill(store, [of_biopsy("a.tif", age_years=60.0, content="other")], root="/two")
    assert len(gather(store).biopsies) == 2
    assert len(exported(store, tmp_path / "out")) == 2


def test_a_pdf_can_be_attached(store: Store, tmp_path: Path) -> None:
    pdf = b"%PDF-1.7\n\x00\xff"
    bundle = one_bundle(store, BELOW, tmp_path / "out", pdf=lambda entry: pdf)
    (attached,) = the(bundle, "DiagnosticReport")["presentedForm"]
    assert base64.b64decode(attached["data"]) == pdf
    assert (attached["contentType"], attached["size"]) == ("application/pdf", len(pdf))
    (data,) = exported(store, tmp_path / "without", pdf=lambda entry: None).values()
    assert b"presentedForm" not in data


@pytest.mark.parametrize(
    ("text", "holds"),
    [("2024-05-17", True), ("2024-05", True), ("2024", True), ("2024-02-30", False), ("2024-13", False),
     ("17.5.2024", False), ("", False), (None, False), ("0000", False), ("2024-05-17\n", False)],
)  # fmt: skip
def test_a_date_is_one_that_fhir_takes(text: str | None, holds: bool) -> None:
    assert is_date(text) is holds


def test_it_is_not_written_into_the_study_or_beside_names(store: Store, tmp_path: Path) -> None:
    fill(store, BELOW)
    with pytest.raises(UsageError, match="lies in the study"):
        export_fhir(store, store.folder / "out", deidentify=False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "Miller.txt").touch()
    with pytest.raises(UsageError, match="is not empty"):
        export_fhir(store, tmp_path / "full", deidentify=True)


def test_it_says_what_to_install(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, BELOW)
    monkeypatch.setitem(sys.modules, "fhir.resources.R4B.bundle", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ienfd\[fhir\]'"):
        export_fhir(store, tmp_path / "out", deidentify=False)
    assert not (tmp_path / "out").exists()
