"""The report: what it says, that it says it the same way each time, and that no text breaks it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.batch.files import StudyFiles
from ienfd.batch.reporting import TEMPLATE_NAME, file_signed, write_reports
from ienfd.correction.commands import add_crossing, review
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import UsageError
from ienfd.report.content import gather
from ienfd.report.signing import sign_biopsy
from ienfd.study.log import Target
from ienfd.study.store import Store

CLEAR = [of_biopsy(f"{n}.tif", crossings=1, evaluable_mm=4.0) for n in range(3)]
HOSTILE = [
    "<script>alert(1)</script>",
    "#panic(1) *bold* `code` $x^2$ @ref <label>",
    "=cmd|' /C calc'!A0",
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd",
    "\U0001f600 emoji and \u6f22\u5b57",
    "bell \x07 and null \x00",
    "x" * 10_000,
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        yield opened


def illustrate(store: Store, files: list[File]) -> None:
    """A picture for every section, as a run would have left it."""
    pictures = StudyFiles(store.folder)
    pictures.pictures.mkdir(exist_ok=True)
    for file in files:
        Image.new("RGB", (400, 400), (230, 225, 235)).save(pictures.picture(file.section_id), "JPEG")


def pdf(store: Store, case_id: str = "C1") -> bytes:
    (path,) = write_reports(store, store.folder / "out", case_id=case_id, form="pdf")
    return path.read_bytes()


def html(store: Store, case_id: str = "C1") -> str:
    (path,) = write_reports(store, store.folder / "out", case_id=case_id, form="html")
    return path.read_text(encoding="utf-8")


def words(data: bytes) -> str:
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    return re.sub(r"\s+", " ", text.replace("\u00ad\n", "").replace("-\n", ""))


def reviewed(store: Store) -> None:
    for entry in gather(store, "C1").sections:
        place = entry.placement
        target = Target("C1", "B1", place.section_id, place.analysis_id)
        assert entry.result is not None
        base = max((e.seq for e in store.edits(target)), default=0)
        edit = review("reviewed", reviewed_figures(entry.result))
        store.append([edit], target, who="A. Reader", base_seq=base)


class Page(HTMLParser):
    """Tags and texts of a page, as a browser would take them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.said += data


def test_the_first_page_is_the_answer(store: Store) -> None:
    fill(store, CLEAR)
    illustrate(store, CLEAR)
    first = re.sub(r"\s+", " ", PdfReader(io.BytesIO(pdf(store))).pages[0].extract_text())
    assert "0.2 /mm" in first
    assert "Below the limit of 4.86 /mm (collongues2018)" in first
    assert "56 years" in first
    assert "female" in first
    assert "3, 3 evaluated, 0 not" in first
    assert "None was written." in first


def test_both_forms_say_the_same(store: Store) -> None:
    fill(store, [*CLEAR, of_biopsy("blank.tif", status="refused", reason="blank")])
    illustrate(store, CLEAR)
    printed, page = words(pdf(store)), re.sub(r"\s+", " ", Page(html(store)).said)
    for said in (
        "Below the limit of 4.86 /mm (collongues2018)",
        "1 crossings on 4.00 mm: 0.2 /mm",
        "blank.tif",
        "Not evaluated:",
        "nobody yet",
        "Atlas of crossings",
        "does not by itself establish small-fiber neuropathy",
        store.head().hash[:20],
    ):
        assert said in printed, said
        assert said in page, said


def test_a_report_is_tagged_titled_and_for_the_archive(store: Store) -> None:
    fill(store, CLEAR)
    reader = PdfReader(io.BytesIO(pdf(store)))
    root: Any = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == "Intraepidermal nerve fiber density, C1, B1"
    assert b"pdfaid" in pdf(store)
    assert b"pdfuaid" in pdf(store)


@pytest.mark.parametrize("form", ["pdf", "html"])
def test_the_same_report_has_the_same_bytes(store: Store, tmp_path: Path, form: str) -> None:
    fill(store, CLEAR)
    illustrate(store, CLEAR)
    one = write_reports(store, tmp_path / "one", case_id=None, form=form)
    two = write_reports(store, tmp_path / "two", case_id=None, form=form)
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_it_is_preliminary_until_it_is_signed_and_withdrawn_when_it_is_withdrawn(store: Store) -> None:
    fill(store, CLEAR)
    assert "PRELIMINARY" in html(store)
    assert "preliminary" in words(pdf(store))
    reviewed(store)
    sign_biopsy(
        store, "C1", "B1", name="Dr. Sign", interpretation="In keeping with a neuropathy.", comment="None."
    )
    signed = html(store)
    assert "PRELIMINARY" not in signed
    assert "In keeping with a neuropathy." in signed
    assert "Dr. Sign" in signed
    assert "A. Reader" in signed
    sign_biopsy(store, "C1", "B1", name="Dr. Sign", kind="withdrawal", why="another patient's block")
    assert "WITHDRAWN" in html(store)


def test_an_amended_report_says_what_changed_and_the_former_one_stays(store: Store) -> None:
    fill(store, CLEAR)
    reviewed(store)
    sign_biopsy(store, "C1", "B1", name="Dr. Sign")
    first = file_signed(store, "C1", "B1")
    before = first.read_bytes()
    section = gather(store, "C1").sections[0].placement
    target = Target("C1", "B1", section.section_id, section.analysis_id)
    base = max(e.seq for e in store.edits(target))
    store.append([add_crossing(0, 40, why="seen at last")], target, who="A. Reader", base_seq=base)
    assert "PRELIMINARY" in html(store)
    reviewed(store)
    sign_biopsy(store, "C1", "B1", name="Dr. Sign", kind="correction", why="one crossing was missed")
    second = file_signed(store, "C1", "B1")
    assert first.read_bytes() == before
    assert first != second
    page = Page(html(store)).said
    assert "density 0.25 to 0.33; crossings 3 to 4" in page
    assert "one crossing was missed" in page
    assert "amended" in page


def test_a_withheld_call_prints_no_limit(store: Store) -> None:
    fill(store, [of_biopsy("a.tif", age_years=None), of_biopsy("b.tif", age_years=None)])
    for said in (words(pdf(store)), Page(html(store)).said):
        assert "Call withheld" in said
        assert "elow the limit of" not in said
        assert "Limit of the norm" not in said


def test_a_borderline_call_bears_the_word_in_both_forms(store: Store) -> None:
    fill(store, [of_biopsy(f"{n}.tif", crossings=9, evaluable_mm=2.0) for n in range(3)])
    for said in (words(pdf(store)), Page(html(store)).said):
        assert "borderline" in said


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: re.sub(r"\W+", "_", text)[:16])
def test_no_text_breaks_a_report(store: Store, text: str) -> None:
    plain = text.replace("\x00", "")  # a case table is text: it holds no null
    files = [
        of_biopsy(f"{n}.tif", extra={"orderer": plain, "accession": plain}, side=plain, crossings=1)
        for n in range(3)
    ]
    fill(store, files)
    (store.folder / TEMPLATE_NAME).write_text(
        f"laboratory = {_toml(text)}\nlines = [{_toml(text)}]\n", encoding="utf-8"
    )
    assert PdfReader(io.BytesIO(pdf(store))).pages
    page = Page(html(store))
    assert page.tags.count("script") == 1  # its own
    if text.isprintable():
        assert text in page.said


def _toml(text: str) -> str:
    escaped = "".join(
        c if c.isprintable() and c not in '"\\' else f"\\u{ord(c):04x}" for c in text if ord(c) < 65536
    )
    return f'"{escaped}"'


def test_a_template_gives_letterhead_and_words(store: Store, tmp_path: Path) -> None:
    fill(store, CLEAR)
    Image.new("RGB", (60, 20), "navy").save(tmp_path / "logo.png")
    template = tmp_path / "lab.toml"
    template.write_text(
        'laboratory = "Nerve Laboratory"\nlines = ["Street 1", "Town"]\nlogo = "logo.png"\n'
        '[wording]\ntitle = "Nerve fibers of the skin"\n',
        encoding="utf-8",
    )
    for form in ("pdf", "html"):
        (path,) = write_reports(store, tmp_path / "out", case_id="C1", form=form, template=template)
        said = words(path.read_bytes()) if form == "pdf" else Page(path.read_text("utf-8")).said
        assert "Nerve Laboratory" in said
        assert "Street 1" in said
        assert "Nerve fibers of the skin" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("laboratory = ", "Invalid value"),
        ('letterhead = "x"', "letterhead"),
        ('[wording]\ntittle = "x"', "tittle"),
        ('logo = "nowhere.png"', "nowhere.png"),
        ("lines = 7", "lines"),
    ],
)
def test_what_is_wrong_with_a_template_is_named(store: Store, tmp_path: Path, text: str, said: str) -> None:
    fill(store, CLEAR)
    template = tmp_path / "lab.toml"
    template.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        write_reports(store, tmp_path / "out", case_id="C1", form="html", template=template)


def test_a_case_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    fill(store, CLEAR)
    with pytest.raises(UsageError, match="C9"):
        write_reports(store, tmp_path / "out", case_id="C9", form="html")


def test_every_counted_crossing_has_its_tile(store: Store) -> None:
    files = [of_biopsy(f"{n}.tif", crossings=5, evaluable_mm=4.0) for n in range(3)]
    fill(store, files)
    illustrate(store, files)
    page = html(store)
    assert page.count("<figure>") == 15
    assert page.count('<div class="view"') == 3
