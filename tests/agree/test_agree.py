"""A study compared with a manual count: what is paired, what is left out and why, what is written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.agree.manual import read_manual, read_places
from ienfd.agree.measures import Measure
from ienfd.agree.pairs import Pair
from ienfd.batch.agreement import Agreement, compare_study, write_template
from ienfd.cli.agree import agree
from ienfd.correction.commands import remove_crossing, review
from ienfd.correction.correct import reviewed_figures
from ienfd.errors import UsageError
from ienfd.report.content import gather
from ienfd.study.log import Target
from ienfd.study.store import Store

COUNTS = (0, 1, 3, 5, 8, 9, 12, 14, 2, 6, 4, 7)
FILES = [
    *(of_biopsy(f"s{n}.tif", f"C{n // 3}", f"C{n // 3}-1", crossings=COUNTS[n]) for n in range(12)),
    of_biopsy("refused.tif", "C0", "C0-1", status="refused", reason="junction_uncertain"),
    of_biopsy("failed.tif", "C9", "C9-1", status="failed", reason="truncated"),
]
HOSTILE = [
    "<script>alert(1)</script>.tif",
    "#panic(1) *bold* `code` $x^2$.tif",
    "=cmd|' /C calc'!A0",
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd",
    "\U0001f600 emoji and \u6f22\u5b57",
    "x" * 10_000,
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "study", create=True) as opened:
        fill(opened, FILES)
        yield opened


def table(folder: Path, text: str, name: str = "manual.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def by_file(folder: Path, add: int = 0, files: list[File] = FILES[:12]) -> Path:
    lines = [f"{file.path},{file.crossings + add},2.0" for file in files]
    return table(folder, "\n".join(["file,crossings,length_mm", *lines]))


def pairs_of(done: Agreement) -> dict[str, Pair]:
    return {pair.name: pair for pair in done.pairs}


def figure(done: Agreement, unit: str, quantity: str, name: str, reader: str = "") -> Measure:
    (found,) = (
        one
        for one in done.figures
        if (one.unit, one.quantity, one.name, one.reader, one.other) == (unit, quantity, name, reader, None)
    )
    return found


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


class TestReading:
    def test_forms_that_a_spreadsheet_saves(self, tmp_path: Path) -> None:
        path = tmp_path / "m.csv"
        path.write_bytes("\ufeffFile name;Count;length mm\na.tif;3;2,75\n".encode())
        (row,) = read_manual(path).rows
        assert (row.file, row.crossings, row.length_mm) == ("a.tif", 3, 2.75)

    @pytest.mark.parametrize(
        ("cells", "said"),
        [
            ("a.tif,3.5,2,,", "crossings: '3.5' is not a whole number"),
            ("a.tif,1e300,2,,", "crossings: '1e300' is not a whole number"),
            ("a.tif,-1,2,,", "crossings: '-1' is not a whole number"),
            ("a.tif,3,0,,", "length_mm: '0' is not a length"),
            ("a.tif,3,two,,", "length_mm: 'two' is not a length"),
            ("a.tif,,,900,", "density_per_mm: '900' is not a density"),
            ("a.tif,3,2,7.5,", "density_per_mm: 7.5 is not 3 by 2 mm, 1.50"),
            (",3,2,,", "it names neither a file, a section_id nor a case_id"),
        ],
    )
    def test_what_cannot_be_is_named_by_its_row(self, tmp_path: Path, cells: str, said: str) -> None:
        path = table(tmp_path, f"file,crossings,length_mm,density_per_mm,case_id\nb.tif,1,1,,\n{cells}\n")
        with pytest.raises(UsageError, match=re.escape(f"row 3: {said}")):
            read_manual(path)

    def test_positions_need_numbers_and_a_section(self, tmp_path: Path) -> None:
        path = table(tmp_path, "file,row_px,col_px\na.tif,1,2\na.tif,x,2\n,1,2\n")
        with pytest.raises(UsageError, match=r"(?s)row 3: row_px: 'x'.*row 4: it names neither"):
            read_places(path)


class TestPairing:
    def test_a_row_is_about_a_section_by_file_or_id_and_about_a_biopsy_without(
        self, store: Store, tmp_path: Path
    ) -> None:
        text = (
            f"file,section_id,case_id,biopsy_id,crossings\ns4.tif,,,,1\n,{FILES[5].section_id},,,2\n"
            ",,C2,C2-1,3\n,,C3,,4\n"
        )
        one, two, three, four, _ = compare_study(store, table(tmp_path, text)).pairs
        assert (one.unit, one.file, one.program.crossings) == ("section", "s4.tif", 8)
        assert (two.unit, two.file, two.program.crossings) == ("section", "s5.tif", 9)
        assert (three.unit, three.biopsy_id, three.program.crossings) == ("biopsy", "C2-1", 12 + 14 + 2)
        assert (four.unit, four.biopsy_id, four.program.crossings) == ("biopsy", "C3-1", 6 + 4 + 7)

    def test_what_is_left_out_says_why(self, store: Store, tmp_path: Path) -> None:
        fill(store, [of_biopsy("s1.tif", "C7", "C7-1", content="another")], root="/elsewhere")
        text = (
            "file,case_id,crossings\ns0.tif,C0,1\nnowhere.tif,,3\ns1.tif,,3\ns4.tif,C0,2\nrefused.tif,,3\n"
            "failed.tif,,3\ns2.tif,,\ns3.tif,,5\ns3.tif,,6\n,C77,4\n"
        )
        found = {
            (p.row, p.name): p.reason for p in compare_study(store, table(tmp_path, text)).pairs if p.row
        }
        assert found == {
            (2, "s0.tif"): None,
            (3, "nowhere.tif"): "manual_unmatched",
            (4, "s1.tif"): "manual_ambiguous",
            (5, "s4.tif"): "manual_unmatched",  # of another case than the row says
            (6, "refused.tif"): "program_no_density",
            (7, "failed.tif"): "program_no_density",
            (8, "s2.tif"): "manual_blank",
            (9, "s3.tif"): "manual_twice",
            (10, "s3.tif"): "manual_twice",
            (11, "C77"): "manual_unmatched",
        }

    def test_two_readers_may_read_the_same_and_are_not_thrown_together(
        self, store: Store, tmp_path: Path
    ) -> None:
        lines = [f"{file.path},{file.crossings + add},2.0,{who}" for file in FILES[:12]
                 for add, who in ((1, "A. One"), (2, "B. Two"))]  # fmt: skip
        done = compare_study(store, table(tmp_path, "\n".join(["file,crossings,length_mm,reader", *lines])))
        assert figure(done, "section", "crossings", "bias", "A. One").value == pytest.approx(-1)
        assert figure(done, "section", "crossings", "bias", "B. Two").value == pytest.approx(-2)
        assert {one.pairs for one in done.figures if one.unit == "section"} == {12}
        between = [one for one in done.figures if one.other is not None]
        assert {(one.reader, one.other) for one in between} == {("A. One", "B. Two")}
        (bias,) = (b for b in between if (b.unit, b.quantity, b.name) == ("section", "crossings", "bias"))
        assert bias.value == pytest.approx(1)
        read = rows(done.folder / "agreement.csv")
        assert next(row["value"] for row in read if row["other_reader"] == "B. Two") == "1.000000"
        pages = PdfReader(io.BytesIO((done.folder / "agreement.pdf").read_bytes())).pages
        assert len(pages) == 2
        words = [re.sub(r"\s+", " ", page.extract_text()) for page in pages]
        assert "B. Two minus this reader" in words[0]
        assert "minus this reader" not in words[1]

    def test_a_biopsy_that_was_read_section_by_section_is_a_pair_of_its_own(
        self, store: Store, tmp_path: Path
    ) -> None:
        done = compare_study(store, by_file(tmp_path, add=1, files=FILES[:5]))
        pairs = pairs_of(done)
        whole, part = pairs["C0-1"], pairs["C1-1"]
        assert (whole.manual.crossings, whole.manual.length_mm) == (0 + 1 + 3 + 3, 6.0)
        assert whole.manual.density_per_mm == pytest.approx(7 / 6)
        assert whole.program.density_per_mm == pytest.approx(4 / 6)
        assert (part.reason, part.detail) == ("sections_not_all_read", "2 of 3")

    @pytest.mark.parametrize(
        ("row", "density", "source"),
        [
            ("10,5,", 2.0, "manual_length"),
            ("10,5,2.05", 2.0, "manual_length"),  # rather than what was rounded
            (",,2.05", 2.05, "stated"),
            ("10,,", 5.0, "program_length"),
            (",5,", None, ""),
        ],
    )
    def test_where_a_manual_density_comes_from(
        self, store: Store, tmp_path: Path, row: str, density: float | None, source: str
    ) -> None:
        path = table(tmp_path, f"file,crossings,length_mm,density_per_mm\ns4.tif,{row}\n")
        pair = compare_study(store, path).pairs[0]
        assert (pair.manual.density_per_mm, pair.density_from) == (density, source)

    def test_a_name_that_a_spreadsheet_would_run_is_found_as_tables_write_it(
        self, store: Store, tmp_path: Path
    ) -> None:
        fill(store, [*FILES, of_biopsy("=1+1.tif", "C8", "C8-1")])
        pair = compare_study(store, table(tmp_path, "file,crossings\n'=1+1.tif,4\n")).pairs[0]
        assert (pair.file, pair.reason) == ("=1+1.tif", None)


class TestState:
    def edit(self, store: Store, path: str, *, reviewed: bool) -> None:
        (entry,) = (e for e in gather(store).sections if e.placement.path == path)
        assert entry.result is not None
        place = entry.placement
        target = Target(section_id=place.section_id, analysis_id=place.analysis_id)
        counted = next(c for c in entry.result.crossings if c.counted)
        last = store.append([remove_crossing(counted)], target, who="A. Reader", base_seq=0)[-1]
        if reviewed:
            (entry,) = (e for e in gather(store).sections if e.placement.path == path)
            assert entry.result is not None
            done = review("reviewed", reviewed_figures(entry.result))
            store.append([done], target, who="A. Reader", base_seq=last.seq)

    def test_automatic_is_before_anybody_corrected(self, store: Store, tmp_path: Path) -> None:
        self.edit(store, "s4.tif", reviewed=True)
        done = compare_study(store, by_file(tmp_path))
        assert pairs_of(done)["s4.tif"].program.crossings == 8
        assert pairs_of(done)["C1-1"].program.crossings == 5 + 8 + 9

    def test_reviewed_is_what_a_person_vouches_for(self, store: Store, tmp_path: Path) -> None:
        self.edit(store, "s4.tif", reviewed=True)
        self.edit(store, "s5.tif", reviewed=False)
        done = compare_study(store, by_file(tmp_path), state="reviewed")
        assert pairs_of(done)["s4.tif"].program.crossings == 7
        assert (pairs_of(done)["s5.tif"].reason, pairs_of(done)["s5.tif"].detail) == (
            "not_reviewed", "in_review",
        )  # fmt: skip
        assert pairs_of(done)["C1-1"].reason == "sections_not_all_read"
        (row,) = (r for r in rows(done.folder / "agreement.csv") if r["measure"] == "bias"
                  and r["quantity"] == "crossings")  # fmt: skip
        assert (row["state"], row["value"], row["reason"]) == ("reviewed", "", "too_few_pairs")


class TestFigures:
    def test_a_constant_difference_is_the_bias(self, store: Store, tmp_path: Path) -> None:
        done = compare_study(store, by_file(tmp_path, add=2))
        bias = figure(done, "section", "density_per_mm", "bias")
        assert bias.value == pytest.approx(-1.0)
        assert (bias.pairs, bias.of_unit) == (12, "/mm")
        icc = figure(done, "section", "crossings", "icc_2_1")
        assert icc.value is not None
        assert 0.8 < icc.value < 1.0

    @pytest.mark.parametrize(
        ("count", "limits", "icc"), [(4, False, False), (5, True, False), (10, True, True)]
    )
    def test_a_few_pairs_say_nothing(
        self, store: Store, tmp_path: Path, count: int, limits: bool, icc: bool
    ) -> None:
        done = compare_study(store, by_file(tmp_path, files=FILES[:count]))
        found = {
            one.name: one for one in done.figures if (one.unit, one.quantity) == ("section", "crossings")
        }
        assert {one.pairs for one in found.values()} == {count}
        for name, given in (("bias", limits), ("lower_limit", limits), ("icc_2_1", icc)):
            assert (found[name].value is not None, found[name].reason) == (
                given, None if given else "too_few_pairs",
            )  # fmt: skip

    def test_calls_are_made_by_the_same_limit(self, tmp_path: Path) -> None:
        below, above = range(6), range(6, 12)
        files = [
            of_biopsy(f"{n}-{k}.tif", f"C{n:02}", f"B{n:02}", crossings=2 if n in below else 20)
            for n in range(12)
            for k in range(3)
        ]
        with Store(tmp_path / "calls", create=True) as store:
            fill(store, files)
            text = ["case_id,biopsy_id,density_per_mm"]
            text += [
                f"C{n:02},B{n:02},{1.0 if n in below else 3.0 if n == above[0] else 9.5}" for n in range(12)
            ]
            done = compare_study(store, table(tmp_path, "\n".join(text)))
        kappa = figure(done, "biopsy", "call", "kappa")
        assert kappa.pairs == 12
        assert kappa.value == pytest.approx(1 - (1 / 12) / 0.5)
        assert kappa.low is not None
        assert kappa.low < 0.6
        pair = pairs_of(done)["C06, B06"]
        assert pair.call is not None
        assert (pair.call.norm_id, pair.call.manual_below, pair.call.program_below) == (
            "collongues2018", True, False,
        )  # fmt: skip

    def test_crossings_are_matched_by_their_places(self, store: Store, tmp_path: Path) -> None:
        # crossings of s4 lie in column 2, rows 1/3, 4/3 ...; a pixel is 0.325 um
        places = [
            "file,row_px,col_px",
            *(f"s4.tif,{n},{2}" for n in range(6)),
            "s4.tif,390,390",
            "s3.tif,1,1",
        ]
        text = "file,crossings\ns4.tif,7\ns3.tif,5\ns0.tif,0\ns5.tif,9\n"
        done = compare_study(
            store, table(tmp_path, text), places=table(tmp_path, "\n".join(places), "places.csv")
        )
        pairs = pairs_of(done)
        found = pairs["s4.tif"].places
        assert found is not None
        assert found.matched + found.only_manual + found.not_evaluated == 7
        assert found.matched + found.only_program == 8
        assert pairs["s0.tif"].places is not None  # read, and nothing seen
        assert pairs["s3.tif"].places_reason == "places_differ_from_count"
        assert pairs["s5.tif"].places_reason == "places_missing"
        assert figure(done, "section", "places", "f1").reason == "too_few_pairs"

    @pytest.mark.parametrize(("counting", "pointing"), [("A. One", ""), ("", "A. One"), ("a. one", "A. One")])
    def test_one_reader_need_be_named_in_one_table_only(
        self, store: Store, tmp_path: Path, counting: str, pointing: str
    ) -> None:
        manual = table(tmp_path, f"file,crossings,reader\ns4.tif,1,{counting}\n")
        places = table(tmp_path, f"file,row_px,col_px,reader\ns4.tif,10,20,{pointing}\n", "p.csv")
        done = compare_study(store, manual, places=places)
        (pair,) = (pair for pair in done.pairs if pair.unit == "section")
        assert (pair.reader, pair.places is not None) == (counting, True)

    def test_positions_alone_are_a_count_and_lost_ones_are_named(self, store: Store, tmp_path: Path) -> None:
        places = "file,row_px,col_px\ns4.tif,10,20\nnowhere.tif,1,1\ns5.tif,9999,1\n"
        done = compare_study(
            store, table(tmp_path, "file,crossings\ns0.tif,0\n"), places=table(tmp_path, places, "p.csv")
        )
        assert pairs_of(done)["s4.tif"].manual.crossings == 1
        assert pairs_of(done)["s5.tif"].places_reason == "places_outside_image"
        assert any("rows 3" in warning for warning in done.warnings)


class TestFiles:
    def test_the_page_says_what_was_compared(self, store: Store, tmp_path: Path) -> None:
        text = by_file(tmp_path).read_text() + "\nnowhere.tif,3,2\nrefused.tif,3,2\n"
        done = compare_study(store, table(tmp_path, text))
        reader = PdfReader(io.BytesIO((done.folder / "agreement.pdf").read_bytes()))
        assert len(reader.pages) == 1
        words = re.sub(r"\s+", " ", reader.pages[0].extract_text())
        for said in (
            "automatic: as the program counts",
            "manual.csv, 14 rows, SHA-256",
            f"entry 0, {store.head().hash}",
            "efns2010 (",
            "12 sections and 4 biopsies compared",
            "row 14, nowhere.tif",
            "ienfd gives no density here. (refused, junction_uncertain)",
            "42 CFR 493.1281",
        ):
            assert said in words, said
        assert reader.root_object["/MarkInfo"]["/Marked"]  # type: ignore[index]
        assert b"pdfaid" in (done.folder / "agreement.pdf").read_bytes()

    def test_the_same_comparison_has_the_same_bytes(self, store: Store, tmp_path: Path) -> None:
        one = compare_study(store, by_file(tmp_path), out=tmp_path / "one")
        two = compare_study(store, by_file(tmp_path), out=tmp_path / "two")
        written = [{p.name: p.read_bytes() for p in sorted(done.folder.iterdir())} for done in (one, two)]
        assert written[0] == written[1]
        assert set(written[0]) == {
            "agreement.csv", "agreement_pairs.csv", "agreement.pdf", "agreement_section.svg",
            "agreement_biopsy.svg", "data_dictionary.csv",
        }  # fmt: skip
        columns = {row["column"] for row in rows(one.folder / "data_dictionary.csv")}
        for name in ("agreement.csv", "agreement_pairs.csv"):
            assert set(rows(one.folder / name)[0]) <= columns

    def test_hostile_text_is_text(self, store: Store, tmp_path: Path) -> None:
        files = [of_biopsy(name, f"H{n}", f"H{n}-1") for n, name in enumerate(HOSTILE)]
        fill(store, files, root="/hostile")
        path = tmp_path / "hostile.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["file", "crossings", "reader"])
            for name in HOSTILE:
                writer.writerows([(name, 3, name), ("not " + name, 3, name)])
        done = compare_study(store, path)
        assert [pair.reason for pair in done.pairs if pair.row] == [None, "manual_unmatched"] * len(HOSTILE)
        reader = PdfReader(io.BytesIO((done.folder / "agreement.pdf").read_bytes()))
        words = " ".join(page.extract_text() for page in reader.pages)
        assert "<script>alert(1)</script>" in words
        assert "*bold* `code` $x^2$" in words
        assert "'=cmd" in (done.folder / "agreement_pairs.csv").read_text(encoding="utf-8")

    def test_an_empty_table_holds_no_figure_and_is_not_written_over(
        self, store: Store, tmp_path: Path
    ) -> None:
        path = tmp_path / "empty.csv"
        assert write_template(store, path) == 13
        read = rows(path)
        assert [row["file"] for row in read] == sorted(f.path for f in FILES if f.status != "failed")
        assert {row["crossings"] for row in read} == {""}
        with pytest.raises(UsageError, match="exists"):
            write_template(store, path)
        with pytest.raises(UsageError, match=r"row 2: refused\.tif"):
            compare_study(store, path)

    def test_the_command(self, store: Store, tmp_path: Path) -> None:
        study = str(store.folder)
        done = CliRunner().invoke(agree, [study, str(by_file(tmp_path, add=1))], standalone_mode=False)
        assert (done.exception, done.return_value) == (None, 0)
        assert "automatic: as the program counts" in done.output
        assert "12 sections and 4 biopsies compared" in done.output
        assert "agreement.pdf" in done.output
        done = CliRunner().invoke(agree, [study], standalone_mode=False)
        assert isinstance(done.exception, UsageError)
        done = CliRunner().invoke(
            agree, [study, "--template", str(tmp_path / "t.csv")], standalone_mode=False
        )
        assert "13 sections to fill in" in done.output
