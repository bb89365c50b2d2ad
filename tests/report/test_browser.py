"""The HTML report in a browser: it opens without a network, and what is on it can be zoomed and switched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from chromium import Page, find_chromium
from PIL import Image

from benchmarks.reliability.studies import fill, of_biopsy
from ienfd.batch.files import StudyFiles
from ienfd.batch.reporting import TEMPLATE_NAME, write_reports
from ienfd.study.store import Store

ATTACK = "<img src=https://example.org/x.png onerror='window.attacked=1'><script>window.attacked=1</script>"
SECTIONS, CROSSINGS = 3, 4


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The report of a patient with two biopsies, whose case table holds an attack, open in a browser."""
    find_chromium()
    room = tmp_path_factory.mktemp("browser")
    files = [
        of_biopsy(
            f"{biopsy_id} {number}.tif", "C1", biopsy_id, crossings=CROSSINGS, evaluable_mm=2.0,
            patient_id=f"P1 {ATTACK}", collection_date=day, side="left",
            extra={"orderer": ATTACK, "treatment": ATTACK},
        )
        for biopsy_id, day in (("B1", "2022-03-10"), ("B2", "2022-09-10"))
        for number in range(SECTIONS)
    ]  # fmt: skip
    with Store(room / "study", create=True) as store:
        fill(store, files)
        pictures = StudyFiles(store.folder)
        pictures.pictures.mkdir()
        for file in files:
            Image.new("RGB", (400, 400), (230, 225, 235)).save(pictures.picture(file.section_id), "JPEG")
        Image.new("RGB", (60, 20), "navy").save(store.folder / "logo.png")
        (store.folder / TEMPLATE_NAME).write_text('laboratory = "Laboratory"\nlogo = "logo.png"\n', "utf-8")
        _, report = write_reports(store, room / "out", case_id="C1", form="html")
    with Page(room / "profile") as opened:
        opened.open(report)
        yield opened


def scale(page: Page) -> float:
    transform = page.run("document.querySelector('.view > div').style.transform")
    found = re.search(r"scale\(([\d.]+)\)", transform)
    assert found, transform
    return float(found[1])


def place(page: Page) -> tuple[float, float]:
    transform = page.run("document.querySelector('.view > div').style.transform")
    found = re.search(r"translate\((-?[\d.]+)px, (-?[\d.]+)px\)", transform)
    assert found, transform
    return float(found[1]), float(found[2])


def size(page: Page, selector: str) -> tuple[float, float]:
    box = page.run(f"JSON.stringify(document.querySelector('{selector}').getBoundingClientRect())")
    return json.loads(box)["width"], json.loads(box)["height"]


def shown_crossings(page: Page) -> int:
    """Rings that take room on the screen."""
    return int(
        page.run(
            "[...document.querySelector('.view').querySelectorAll('svg circle')]"
            ".filter(one => one.getBoundingClientRect().width > 0).length"
        )
    )


def test_it_opens_without_asking_the_network_for_anything(page: Page) -> None:
    asked = [url for url in page.requests if not url.startswith(("data:", "about:"))]
    assert len(asked) == 1  # the page itself
    assert asked[0].startswith("file://")
    assert page.complaints == []


def test_every_picture_is_there(page: Page) -> None:
    sizes = page.run("[...document.images].map(one => one.complete ? one.naturalWidth : 0)")
    assert len(sizes) == 1 + SECTIONS + SECTIONS * CROSSINGS  # logo, sections, atlas
    assert min(sizes) > 0
    plots = page.run("[...document.querySelectorAll('.plot svg, .course svg')].map(one => one.clientWidth)")
    assert len(plots) == 2
    assert min(plots) > 200


def test_an_attack_from_the_case_table_is_text(page: Page) -> None:
    assert page.run("window.attacked === undefined")
    assert page.run("document.querySelectorAll('script').length") == 1
    assert str(page.run("document.body.innerText")).count(ATTACK) >= 3  # patient, orderer, treatment


def test_a_section_fits_is_zoomed_and_moved(page: Page) -> None:
    fit = scale(page)
    box = page.run(
        "(({width, height}) => [width, height])(document.querySelector('.view img').getBoundingClientRect())"
    )
    view = page.run(
        "(({width, height}) => [width, height])(document.querySelector('.view').getBoundingClientRect())"
    )
    assert box[0] <= view[0] + 1
    assert box[1] <= view[1] + 1
    page.click(".tools [data-zoom='1.5']")
    assert scale(page) == pytest.approx(1.5 * fit, rel=1e-3)
    page.wheel(".view", -400)
    assert scale(page) == pytest.approx(1.5 * fit * 2.71828, rel=1e-2)
    before = place(page)
    page.drag(".view", 30, -20)
    after = place(page)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((30, -20), abs=0.5)
    page.click(".tools [data-fit]")
    assert scale(page) == pytest.approx(fit, rel=1e-3)


def test_the_marks_lie_on_the_picture_however_it_is_zoomed(page: Page) -> None:
    """The first crossing of `of_biopsy` lies at row 1/3, column 2, of 400 x 400 pixels."""
    inside = (
        "(() => { const view = document.querySelector('.view'), image = view.querySelector('img')"
        ".getBoundingClientRect(), ring = view.querySelector('svg circle').getBoundingClientRect();"
        " return [(ring.left + ring.width / 2 - image.left) / image.width,"
        " (ring.top + ring.height / 2 - image.top) / image.height]; })()"
    )
    for _ in range(2):
        assert page.run(inside) == pytest.approx([2.5 / 400, (1 / 3 + 0.5) / 400], abs=2e-3)
        page.click(".tools [data-zoom='1.5']")
    page.click(".tools [data-fit]")


def test_crossings_are_switched_off_and_on_again(page: Page) -> None:
    assert shown_crossings(page) == CROSSINGS
    page.click(".tools [data-marks]")
    assert shown_crossings(page) == 0
    page.click(".tools [data-marks]")
    assert shown_crossings(page) == CROSSINGS
    why = page.run("document.querySelector('.view svg circle').parentNode.querySelector('title').textContent")
    assert why == "counted, 81%"


def test_nothing_that_a_person_does_makes_it_complain(page: Page) -> None:
    """The last test: all that was done before has left no error and asked for nothing."""
    page.ask("Emulation.setDeviceMetricsOverride", width=420, height=800, deviceScaleFactor=1, mobile=True)
    assert page.run("document.documentElement.scrollWidth <= 420")  # nor does a telephone scroll aside
    page.ask("Emulation.clearDeviceMetricsOverride")
    assert page.complaints == []
    assert len([url for url in page.requests if not url.startswith(("data:", "about:"))]) == 1
