"""Whose section a file is: what a case table may say, in which forms, and what it may never do."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ienfd.batch.casework import Casework, MatchedCases, _glob, load_casework
from ienfd.batch.plan import BatchOptions
from ienfd.errors import UsageError
from ienfd.study.records import BiopsyRecord

HEADER = "file,case_id,biopsy_id,age_years,sex,site,side,collection_date"
MANY = ("a.tif", "b.tif", "sub/c.tif")


def put(folder: Path, table: str | bytes, name: str = "cases.csv") -> Path:
    folder.mkdir(exist_ok=True)
    content = table if isinstance(table, bytes) else table.encode("utf-8")
    (folder / name).write_bytes(content)
    return folder


def load(folder: Path, **options: object) -> Casework:
    return load_casework(BatchOptions(folder, folder.parent / "study", **options))  # type: ignore[arg-type]


def matched(
    folder: Path, table: str | bytes, names: tuple[str, ...] = MANY, **options: object
) -> MatchedCases:
    return load(put(folder, table), **options).match(names)


def problems(folder: Path, table: str | bytes, names: tuple[str, ...] = MANY) -> str:
    with pytest.raises(UsageError) as caught:
        matched(folder, table, names)
    assert caught.value.code == "case_table_invalid"
    return caught.value.detail


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return tmp_path / "images"


def test_without_case_data_each_file_is_its_own_biopsy(images: Path) -> None:
    images.mkdir()
    found = load(images).match(MANY)
    assert [found.case_of(name).biopsy for name in MANY] == [BiopsyRecord(name, name) for name in MANY]
    assert found.warnings == ()
    assert found.case_of("sub/c.tif").values == {}


def test_all_columns(images: Path) -> None:
    table = (
        "file,case_id,biopsy_id,age_years,sex,site,side,collection_date,stain,section_um,planes,"
        "pixel_size_um,control,patient_id,Ward,note\n"
        'a.tif,C1,B1,56.5,F,distal_leg,left,2026-03-31,fluorescence,50,stack,0.32,,P7,"W ""1""",\n'
    )
    case = matched(images, table).case_of("a.tif")
    assert case.biopsy == BiopsyRecord(
        "C1", "B1", "distal_leg", "left", "2026-03-31", 56.5, "F", "P7", {"Ward": 'W "1"'}
    )
    assert (case.stain, case.pixel_size_um) == ("fluorescence", 0.32)
    assert case.values == {
        "case_id": "C1", "biopsy_id": "B1", "age_years": 56.5, "sex": "F", "site": "distal_leg",
        "side": "left", "collection_date": "2026-03-31", "stain": "fluorescence", "section_um": 50.0,
        "planes": "stack", "pixel_size_um": 0.32, "patient_id": "P7",
        "extra": {"Ward": 'W "1"', "note": ""},
    }  # fmt: skip


@dataclass(frozen=True)
class Written:
    """One row for a.tif, however it is written."""

    name: str
    table: str | bytes
    expected: dict[str, object] = field(
        default_factory=lambda: {"case_id": "Caf\u00e9", "age_years": 56.5, "sex": "F"}
    )


WRITTEN = (
    Written("plain", "file,case_id,age_years,sex\na.tif,Caf\u00e9,56.5,F\n"),
    Written("UTF-8 with BOM", "file,case_id,age_years,sex\na.tif,Caf\u00e9,56.5,F\n".encode("utf-8-sig")),
    Written("Windows code page", "file,case_id,age_years,sex\na.tif,Caf\u00e9,56.5,F\n".encode("cp1252")),
    Written(
        "UTF-16 with tabs", "file\tcase_id\tage_years\tsex\r\na.tif\tCaf\u00e9\t56,5\tF\r\n".encode("utf-16")
    ),
    Written("German Excel", "file;case_id;age_years;sex\r\na.tif;Caf\u00e9;56,5;w\r\n".encode("cp1252")),
    Written("Excel's hint", "sep=;\r\nfile;case_id;age_years;sex\r\na.tif;Caf\u00e9;56,5;F\r\n"),
    Written("quoted", '"file","case_id","age_years","sex"\n"a.tif","Caf\u00e9","56,5","F"\n'),
    Written("old Macintosh ends", "file,case_id,age_years,sex\ra.tif,Caf\u00e9,56.5,F\r"),
    Written(
        "blank rows and columns", "\n;;;;;\nfile;case_id;age_years;sex;;\n\na.tif;Caf\u00e9;56.5;F;;\n;;;;;\n"
    ),
    Written("no line end", "file,case_id,age_years,sex\na.tif,Caf\u00e9,56.5,F"),
    Written("headers", " File , Case ID,AGE-years,Sex\n a.tif ,\u00a0Caf\u00e9 , 56.5 , female \n"),
    Written(
        "decomposed", unicodedata.normalize("NFD", "file,case_id,age_years,sex\na.tif,Caf\u00e9,56.5,F\n")
    ),
    Written("header synonyms", "Filename,case_id,Age,sex\na.tif,Caf\u00e9,56.5,F\n"),
    Written("micro sign", 'file,case_id,pixel-size-\u00b5m\na.tif,C1,"0,32"\n', {"pixel_size_um": 0.32}),
    Written("Greek mu", "file,case_id,Pixel size \u03bcm\na.tif,C1,.32\n", {"pixel_size_um": 0.32}),
    Written("short row", "file,case_id,age_years,sex\na.tif,C1\n", {"case_id": "C1"}),
    Written("line in a cell", 'file,case_id,note\na.tif,C1,"one\ntwo"\n', {"extra": {"note": "one\ntwo"}}),
    Written("no width", "file,case_id\na.tif,\u200bC1\ufeff\n", {"case_id": "C1"}),
    Written("backslash", "file,case_id\n.\\a.tif,C1\n", {"case_id": "C1"}),
    Written("site", "file,case_id,site\na.tif,C1,Distal Calf\n", {"site": "distal_leg"}),
    Written("ankle", "file,case_id,site\na.tif,C1,ankle\n", {"site": "distal_leg"}),
    Written(
        "spelled out", "file,case_id,site\na.tif,C1,10 cm above lateral malleolus\n", {"site": "distal_leg"}
    ),
    Written("side", "file,case_id,side\na.tif,C1,L.\n", {"side": "left"}),
    Written("another side", "file,case_id,side\na.tif,C1,dominant\n", {"side": "dominant"}),
    Written("IF", "file,case_id,stain\na.tif,C1,IF\n", {"stain": "fluorescence"}),
    Written("DAB", "file,case_id,stain\na.tif,C1,DAB\n", {"stain": "bright-field"}),
    Written("Bright_Field", "file,case_id,stain\na.tif,C1,Bright_Field\n", {"stain": "bright-field"}),
    Written("z-stack", "file,case_id,planes\na.tif,C1,z-stack\n", {"planes": "stack"}),
    Written("planes", "file,case_id,planes\na.tif,C1,14\n", {"planes": "stack"}),
    Written("one plane", "file,case_id,planes\na.tif,C1,1\n", {"planes": "single"}),
    Written("control", "file,case_id,control\na.tif,C1,Neg\n", {"control": "negative"}),
    Written("newborn", "file,case_id,age_years\na.tif,C1,0\n", {"age_years": 0.0}),
)


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.name)
def test_how_a_table_may_be_written(images: Path, case: Written) -> None:
    values = matched(images, case.table).case_of("a.tif").values
    assert {name: values.get(name) for name in case.expected} == case.expected


@dataclass(frozen=True)
class Wrong:
    """A table that is refused, and what the message must say."""

    name: str
    table: str | bytes
    said: str


WRONG = (
    Wrong(
        "age in words", "file,case_id,age_years\na.tif,C1,abc\n", "row 2: age_years: 'abc' is not a number"
    ),
    Wrong("negative age", "file,case_id,age_years\na.tif,C1,-3\n", "row 2: age_years: -3 is not an age"),
    Wrong("too old", "file,case_id,age_years\na.tif,C1,1956\n", "row 2: age_years: 1956 is not an age"),
    Wrong("NaN", "file,case_id,age_years\na.tif,C1,NaN\n", "row 2: age_years: 'NaN' is not a number"),
    Wrong("infinite", "file,case_id,section_um\na.tif,C1,inf\n", "row 2: section_um: 'inf' is not a number"),
    Wrong("underscore", "file,case_id,section_um\na.tif,C1,5_0\n", "row 2: section_um: '5_0' is not"),
    Wrong("unit", "file,case_id,section_um\na.tif,C1,50 um\n", "row 2: section_um: '50 um' is not a number"),
    Wrong("no thickness", "file,case_id,section_um\na.tif,C1,0\n", "section_um: 0 is not greater than 0"),
    Wrong("no pixel", "file,case_id,pixel_size_um\na.tif,C1,-0.3\n", "pixel_size_um: -0.3 is not greater"),
    Wrong("sex", "file,case_id,sex\na.tif,C1,x\n", "row 2: sex: 'x' is not F or M"),
    Wrong("sex as number", "file,case_id,sex\na.tif,C1,1\n", "row 2: sex: '1' is not F or M"),
    Wrong("site", "file,case_id,site\n\na.tif,C1,leg\n", "row 3: site: 'leg' is not distal_leg, thigh"),
    Wrong("two thighs", "file,case_id,site\na.tif,C1,distal thigh\n", "row 2: site: 'distal thigh' is not"),
    Wrong("stain", "file,case_id,stain\na.tif,C1,PAS\n", "row 2: stain: 'PAS' is not bright-field"),
    Wrong("planes", "file,case_id,planes\na.tif,C1,some\n", "row 2: planes: 'some' is not single"),
    Wrong("control", "file,case_id,control\na.tif,C1,yes\n", "row 2: control: 'yes' is not positive"),
    Wrong(
        "date", "file,case_id,collection_date\na.tif,C1,03/04/2026\n", "row 2: collection_date: '03/04/2026'"
    ),
    Wrong("no such day", "file,case_id,collection_date\na.tif,C1,2026-02-30\n", "row 2: collection_date"),
    Wrong("no case", "file,case_id\na.tif,\n", "row 2: case_id is blank"),
    Wrong("blank case", "file,case_id\na.tif, \u00a0\u200b\n", "row 2: case_id is blank"),
    Wrong("no column", "file,age_years\na.tif,5\n", "row 1: there is no column case_id"),
    Wrong("no file column", "case_id\nC1\n", "row 1: there is no column file"),
    Wrong("twice", "file,case_id,Case ID\na.tif,C1,C2\n", "row 1: the column case_id stands 2 times"),
    Wrong("further twice", "file,case_id,Ward,ward\na.tif,C1,x,y\n", "row 1: the column ward stands 2 times"),
    Wrong("no header", "file,case_id,\na.tif,C1,what\n", "'what' stands in column 3, which has no header"),
    Wrong(
        "decimal comma",
        "file,case_id,section_um\na.tif,C1,50,5\n",
        "row 2: it has more cells than the header",
    ),
    Wrong("open quote", 'file,case_id\na.tif,"C1\nb.tif,C2\n', "is a quotation mark missing?"),
    Wrong("out", "file,case_id\n../a.tif,C1\n", "row 2: file: '../a.tif' leaves the image folder"),
    Wrong("out by backslash", "file,case_id\nsub\\..\\..\\a.tif,C1\n", "leaves the image folder"),
    Wrong("absolute", "file,case_id\n/data/a.tif,C1\n", "must be relative to the image folder"),
    Wrong("drive", "file,case_id\nC:\\data\\a.tif,C1\n", "must be relative to the image folder"),
    Wrong("share", "file,case_id\n\\\\server\\a.tif,C1\n", "must be relative to the image folder"),
    Wrong("empty", "", "it is empty"),
    Wrong("only Excel's hint", "sep=;\n;;\n", "it is empty"),
    Wrong("only blanks", "\n;;\n\n", "it is empty"),
    Wrong("workbook", b"PK\x03\x04rest", "it is a workbook, not a text table"),
    Wrong("no text", b"file,case_id\na.tif,\x81\x8d\n", "it is no text"),
    Wrong("zeros", b"file,case_id\na.tif,C\x001\n", "it is no text"),
    Wrong(
        "two rows", "file,case_id\na.tif,C1\n\na.tif,C1\n", "rows 2 and 4: the file a.tif is named more than"
    ),
    Wrong("two spellings", "file,case_id\na.tif,C1\n./a.tif,C2\n", "rows 2 and 3: the file a.tif is named"),
    Wrong("two globs", "file,case_id\na*,C1\n*.tif,C2\n", "rows 2 (a*) and 3 (*.tif) both match a.tif"),
    Wrong(
        "two ages",
        "file,case_id,biopsy_id,age_years\na.tif,C1,B,56\nb.tif,C1,B,65\n",
        "case C1, biopsy B is given more than one age_years: row 2 says 56, row 3 says 65",
    ),
    Wrong(
        "two sexes", "file,case_id,sex\na.tif,C1,F\nb.tif,C1,M\n", "more than one sex: row 2 says F, row 3"
    ),
    Wrong(
        "two sites", "file,case_id,biopsy_id,site\na.tif,C1,B,foot\nb.tif,C1,B,ankle\n", "more than one site"
    ),
    Wrong("two sides", "file,case_id,biopsy_id,side\na.tif,C1,B,l\nb.tif,C1,B,right\n", "more than one side"),
    Wrong(
        "two days",
        "file,case_id,biopsy_id,collection_date\na.tif,C,B,2026-01-01\nb.tif,C,B,2026-01-02\n",
        "more than one collection_date",
    ),
    Wrong(
        "two patients",
        "file,case_id,biopsy_id,patient_id\na.tif,C,B1,P1\nb.tif,C,B2,P2\n",
        "case C is given more than one patient_id: row 2 says P1, row 3 says P2",
    ),
)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_what_a_table_may_not_say(images: Path, case: Wrong) -> None:
    assert case.said in problems(images, case.table)


def test_all_problems_are_listed_at_once_and_not_more_than_twenty(images: Path) -> None:
    table = "file,case_id,age_years,sex\na.tif,,old,x\n" + "".join(f"{n}.tif,C{n},x,\n" for n in range(30))
    listed = problems(images, table).split("\n")
    assert [re.sub(":.*", "", line.strip()) for line in listed[1:5]] == ["row 2", "row 2", "row 2", "row 3"]
    assert len(listed) == 22
    assert listed[-1].strip() == "... and 13 more"


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(UsageError) as caught:
        load(images, cases=tmp_path / "nowhere.csv")
    assert "nowhere.csv" in caught.value.detail


class TestMatching:
    def test_an_exact_name_beats_a_glob(self, images: Path) -> None:
        found = matched(images, "file,case_id\n*.tif,C1\na.tif,C2\n")
        assert [found.case_of(name).biopsy.case_id for name in MANY] == ["C2", "C1", "sub/c.tif"]

    def test_a_glob_stays_in_its_folder(self, images: Path) -> None:
        found = matched(images, "file,case_id\nsub/*,C1\n**/b.tif,C2\n")
        assert [found.case_of(name).biopsy.case_id for name in MANY] == ["a.tif", "C2", "C1"]

    @pytest.mark.parametrize(
        ("glob", "yes", "no"),
        [
            ("*", "a.tif", "sub/a.tif"),
            ("**/*.tif", "x/y/a.tif", "a.png"),
            ("s?b/*", "sub/a", "s/b/a"),
            ("a[12].tif", "a1.tif", "a3.tif"),
            ("a[!12].tif", "a3.tif", "a1.tif"),
            ("a[!1]", "a2", "a/"),
            ("a.b", "a.b", "axb"),
            ("[ab", "[ab", "a"),
            ("[z-a]", "[z-a]", "z"),
        ],
    )
    def test_globs(self, glob: str, yes: str, no: str) -> None:
        assert _glob(glob).fullmatch(yes)
        assert not _glob(glob).fullmatch(no)

    def test_a_name_with_the_marks_of_a_glob_is_a_name(self, images: Path) -> None:
        found = matched(images, "file,case_id\nscan[1].tif,C1\n", ("scan[1].tif", "scan1.tif"))
        assert found.case_of("scan[1].tif").biopsy.case_id == "C1"
        assert found.case_of("scan1.tif").biopsy.case_id == "scan1.tif"

    def test_names_that_differ_only_in_normalization_match(self, images: Path) -> None:
        on_disk = unicodedata.normalize("NFD", "M\u00fcller.tif")
        found = matched(images, "file,case_id\nM\u00fcller.tif,C1\n", (on_disk,))
        assert found.case_of(on_disk).biopsy.case_id == "C1"
        assert load(images).is_named(on_disk)
        both = (on_disk, "M\u00fcller.tif")
        assert "names two files" in problems(images, "file,case_id\nM\u00fcller.tif,C1\n", both)

    def test_only_a_name_makes_any_file_a_row(self, images: Path) -> None:
        casework = load(put(images, "file,case_id\nodd.bin,C1\nsub/*,C2\n"))
        assert casework.is_named("odd.bin")
        assert not casework.is_named("sub/notes.txt")

    def test_case_matters_and_is_hinted_at(self, images: Path) -> None:
        found = matched(images, "file,case_id\nA.TIF,C1\n")
        assert found.case_of("a.tif").biopsy.case_id == "a.tif"
        assert any("names A.TIF; there is only a.tif" in warning for warning in found.warnings)

    def test_what_does_not_meet_is_a_warning(self, images: Path) -> None:
        found = matched(images, "file,case_id\na.tif,C1\ngone.tif,C2\n,C3\nno/*,C4\n")
        assert found.warnings == (
            "row 4 of the case table names no file",
            "the case table names what is not there: gone.tif (row 3), no/* (row 5)",
            "no row of the case table for b.tif, sub/c.tif: each is a biopsy of its own",
        )

    def test_a_single_image_takes_the_table_beside_it(self, images: Path) -> None:
        put(images, "file,case_id\na.tif,C1\nb.tif,C2\n")
        (images / "a.tif").touch()
        found = load(images / "a.tif").match(["a.tif"])
        assert found.case_of("a.tif").biopsy.case_id == "C1"
        assert found.warnings == ()

    def test_the_option_beats_the_table_in_the_folder(self, images: Path, tmp_path: Path) -> None:
        put(images, "file,case_id\na.tif,C1\n")
        put(tmp_path / "lists", "file,case_id\na.tif,C2\n", "mine.csv")
        found = load(images, cases=tmp_path / "lists" / "mine.csv").match(MANY)
        assert found.case_of("a.tif").biopsy.case_id == "C2"

    def test_a_column_that_is_nearly_known_is_asked_about(self, images: Path) -> None:
        found = matched(images, "file,case_id,pixel_size\na.tif,C1,0.3\n", ("a.tif",))
        assert found.warnings == (
            "the column pixel_size of the case table has no meaning; is it pixel_size_um?",
        )


class TestTwoPatientsAreNeverOne:
    def test_the_same_biopsy_id_under_two_cases(self, images: Path) -> None:
        found = matched(images, f"{HEADER}\na.tif,C1,1,50,F,,,\nb.tif,C2,1,60,M,,,\n")
        keys = {(b.case_id, b.biopsy_id, b.age_years) for b in (found.case_of(n).biopsy for n in MANY[:2])}
        assert keys == {("C1", "1", 50.0), ("C2", "1", 60.0)}

    def test_a_missing_biopsy_id_is_case_site_side_and_date(self, images: Path) -> None:
        table = f"{HEADER}\na.tif,C1,,50,F,ankle,l,2026-01-31\nb.tif,C1,,50,F,thigh,,\nsub/c.tif,C1,,,,,,\n"
        found = matched(images, table)
        assert [found.case_of(name).biopsy.biopsy_id for name in MANY] == [
            "C1_distal_leg_left_2026-01-31", "C1_thigh", "C1",
        ]  # fmt: skip

    @pytest.mark.parametrize(("one", "other"), [("C1", "c1"), ("C 1", "C1"), ("C 1", "C  1")])
    def test_ids_that_look_alike_stay_apart_and_are_pointed_out(
        self, images: Path, one: str, other: str
    ) -> None:
        found = matched(images, f"file,case_id,biopsy_id\na.tif,{one},B\nb.tif,{other},B\n")
        assert found.case_of("a.tif").biopsy.case_id != found.case_of("b.tif").biopsy.case_id
        assert any("are taken for different cases" in warning for warning in found.warnings)

    def test_blanks_around_an_id_mean_nothing(self, images: Path) -> None:
        found = matched(images, "file,case_id\na.tif,C1\nb.tif, C1\u00a0\n")
        assert found.case_of("a.tif").biopsy == found.case_of("b.tif").biopsy

    def test_what_one_row_leaves_blank_another_may_say(self, images: Path) -> None:
        found = matched(images, f"{HEADER}\na.tif,C1,B,,,,,\nb.tif,C1,B,50,F,foot,,\n")
        assert found.case_of("a.tif").biopsy == found.case_of("b.tif").biopsy
        assert found.case_of("a.tif").biopsy.age_years == 50
        assert found.case_of("a.tif").values["age_years"] == 50

    def test_a_case_of_both_sexes_is_pointed_out(self, images: Path) -> None:
        found = matched(images, f"{HEADER}\na.tif,C1,B1,,F,,,\nb.tif,C1,B2,,M,,,\n")
        assert "case C1 has biopsies of both sexes: F in row 2, M in row 3" in found.warnings

    def test_other_sites_without_an_id_are_pointed_out(self, images: Path) -> None:
        found = matched(images, f"{HEADER}\na.tif,C1,,,,other,,\nb.tif,C1,,,,other,,\n")
        assert any("rows 2 and 3 of case C1 are one biopsy" in warning for warning in found.warnings)

    def test_a_control_says_nothing_of_the_biopsy(self, images: Path) -> None:
        table = "file,case_id,biopsy_id,age_years,control\na.tif,C1,B,50,\nb.tif,C1,B,31,positive\n"
        found = matched(images, table)
        assert found.case_of("b.tif").biopsy.age_years == 50
        assert found.case_of("b.tif").values["age_years"] == 31

    def test_a_file_without_a_row_that_is_called_as_a_case_is(self, images: Path) -> None:
        assert "C1 has no row" in problems(images, "file,case_id\na.tif,C1\n", ("a.tif", "C1"))

    def test_further_columns_of_a_biopsy_are_those_that_its_files_agree_on(self, images: Path) -> None:
        table = "file,case_id,Ward,Slide\na.tif,C1,W1,1\nb.tif,C1,,2\n"
        found = matched(images, table)
        assert found.case_of("a.tif").biopsy.extra == {"Ward": "W1"}
        assert found.case_of("b.tif").values["extra"] == {"Ward": "", "Slide": "2"}


@dataclass(frozen=True)
class Named:
    """A file name read by a pattern: the columns, or None when it says nothing."""

    pattern: str
    name: str
    expected: dict[str, object] | None


NAMED = (
    Named("{case_id}_{site}_*", "P01_ankle_3.tif", {"case_id": "P01", "site": "distal_leg"}),
    Named("{case_id}_{site}_*", "deep/P01_ankle_3.ome.tif", {"case_id": "P01", "site": "distal_leg"}),
    Named("{case_id}_{site}_*", "P_01_ankle_3.tif", {"case_id": "P_01", "site": "distal_leg"}),
    Named("{case_id}_{site}_*", "P01_ankle_3_b.tif", {"case_id": "P01", "site": "distal_leg"}),
    Named("{case_id}_{site}_*", "P01_ankel_3.tif", None),
    Named("{case_id}_*", "P01_3.tif", {"case_id": "P01"}),
    Named("{case_id}_*", "P_01_3.tif", None),  # case P or case P_01: two patients could become one
    Named("{case_id}_*_*", "P01_3_x20.tif", {"case_id": "P01"}),
    Named("{case_id}-{age_years}{sex}", "x.tif", None),
    Named("{case_id}-{side}", "P01-L.tif", {"case_id": "P01", "side": "left"}),
    Named("{case_id}-{side}.tif", "P01-L.tif", {"case_id": "P01", "side": "left"}),
    Named("{case_id}/{biopsy_id}/*", "P01/B2/a.tif", {"case_id": "P01", "biopsy_id": "B2"}),
    Named("{case_id}/{biopsy_id}/*", "lab/P01/B2/a.tif", None),
    Named("{case_id}_*", "_3.tif", None),
    Named("{case_id}_*", " _3.tif", None),
    Named("{case_id}", "P01.tif", {"case_id": "P01"}),
    Named(
        "P{case_id} {collection_date} *",
        "P7 2026-01-31 c.tif",
        {"case_id": "7", "collection_date": "2026-01-31"},
    ),
)


@pytest.mark.parametrize("case", NAMED, ids=lambda case: f"{case.pattern} {case.name}")
def test_names_that_say_whose_they_are(images: Path, case: Named) -> None:
    images.mkdir()
    if case.pattern == "{case_id}-{age_years}{sex}":
        with pytest.raises(UsageError, match="there must be text between"):
            load(images, name_pattern=case.pattern)
        return
    found = load(images, name_pattern=case.pattern).match([case.name])
    values = found.case_of(case.name).values
    if case.expected is None:
        assert values == {}
        assert found.case_of(case.name).biopsy == BiopsyRecord(case.name, case.name)
        assert case.name in found.warnings[0]
    else:
        assert {name: values[name] for name in case.expected} == case.expected
        assert found.warnings == ()


@pytest.mark.parametrize(
    "pattern",
    [
        "{case_id}_{who}",
        "{case_id}_{case_id}",
        "{site}_*",
        "{case_id",
        "case_id}",
        "{case_id}*",
        "{file}_{case_id}",
        "",
    ],
)
def test_patterns_that_are_not_valid(images: Path, pattern: str) -> None:
    images.mkdir()
    with pytest.raises(UsageError) as caught:
        load(images, name_pattern=pattern)
    assert caught.value.code == "option_invalid"


def test_the_table_beats_the_pattern_and_both_make_one_biopsy(images: Path) -> None:
    names = ("C1_foot_1.tif", "C1_foot_2.tif", "odd.tif")
    table = "file,case_id,site,age_years\nC1_foot_1.tif,C1,foot,50\n"
    found = matched(images, table, names, name_pattern="{case_id}_{site}_*")
    assert found.case_of(names[0]).biopsy == found.case_of(names[1]).biopsy
    assert found.case_of(names[1]).biopsy.age_years == 50
    assert found.case_of("odd.tif").biopsy.case_id == "odd.tif"


def test_a_name_that_contradicts_the_table_is_an_error(images: Path) -> None:
    names = ("a.tif", "C1_B1_F.tif")
    with pytest.raises(UsageError, match=r"row 2 says M, the name of C1_B1_F\.tif says F"):
        matched(
            images,
            "file,case_id,biopsy_id,sex\na.tif,C1,B1,M\n",
            names,
            name_pattern="{case_id}_{biopsy_id}_{sex}",
        )


def test_a_long_name_is_read_in_no_time(images: Path) -> None:
    images.mkdir()
    pattern = "{case_id}_{biopsy_id}_{side}_{patient_id}_*"
    found = load(images, name_pattern=pattern).match(["_".join("a" * 120) + ".tif"])
    assert "more than one way" in found.warnings[0]
