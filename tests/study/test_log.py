"""The log of edits: nothing gets in but at its end, nothing goes unnoticed, nobody overwrites another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.reliability.studies import File, fill, of_biopsy
from ienfd.correction.commands import Command, add_crossing, edit_case, note, redo, standing, undo, undoable
from ienfd.errors import ConflictError, UsageError
from ienfd.report.content import gather
from ienfd.study.log import Target, chain_start
from ienfd.study.models import EditRow
from ienfd.study.signing import content_hash
from ienfd.study.store import Store
from ienfd.study.verify import Problem, check_images, check_store

FILES = [of_biopsy("a.tif"), of_biopsy("b.tif")]
A, B = (Target(None, None, file.section_id) for file in FILES)
BIOPSY = Target("C1", "B1")


@pytest.fixture
def store(study_folder: Path) -> Iterator[Store]:
    with Store(study_folder, create=True) as opened:
        fill(opened, FILES)
        yield opened


def problems(store: Store) -> list[Problem]:
    with store.reading() as session:
        return check_store(session)


def tamper(store: Store, *statements: str) -> None:
    """What somebody with another program can do to the database."""
    with store._writer.begin() as connection:
        if connection.dialect.name == "sqlite":
            names = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in list(names):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = DEFAULT"))


def test_entries_come_back_in_order_with_everything_they_say(store: Store) -> None:
    first = add_crossing(10, 20.129, 4, "seen in the next plane")
    (one,) = store.append([first], A, who="A. Reader", base_seq=0)
    two, three = store.append([note("faint"), note("two")], B, who=" B. Reader ", base_seq=0)
    assert [e.seq for e in store.edits()] == [1, 2, 3]
    assert store.edits(B) == [two, three]
    (back,) = store.edits(A)
    assert back == one
    assert back.edit == first
    assert back.edit.after == {"row_px": 10.0, "col_px": 20.13, "z_um": 4.0}
    assert (two.who, two.base_seq, three.base_seq) == ("B. Reader", 0, 2)
    assert "@" in one.account
    assert store.head().seq == 3
    assert store.head().hash == three.hash
    assert problems(store) == []


def test_every_entry_follows_on_the_one_before(store: Store) -> None:
    entries = [
        entry
        for base, edit in enumerate([note("one"), note("two"), note("three")])
        for entry in store.append([edit], A, who="A", base_seq=base)
    ]
    with store.reading() as session:
        start = chain_start(
            session.execute(text("SELECT value FROM info WHERE key = 'study_id'")).scalar_one()
        )
    assert [e.prev_hash for e in entries] == [start, entries[0].hash, entries[1].hash]
    assert len({e.hash for e in entries}) == 3


def test_an_edit_has_a_name(store: Store) -> None:
    with pytest.raises(UsageError, match="name of a person"):
        store.append([note("x")], A, who="  ", base_seq=0)
    assert store.edits() == []


def test_an_edit_is_about_something_that_is_there(store: Store) -> None:
    for target in (Target(section_id="none"), Target(section_id=A.section_id, analysis_id="none")):
        with pytest.raises(UsageError, match="there is no"):
            store.append([note("x")], target, who="A", base_seq=0)
    assert store.edits() == []


def test_the_second_person_is_told_what_the_first_has_done(store: Store) -> None:
    (theirs,) = store.append([add_crossing(1, 2)], A, who="First", base_seq=0)
    with pytest.raises(ConflictError) as caught:
        store.append([note("mine"), note("mine too")], A, who="Second", base_seq=0)
    assert caught.value.since == (theirs,)
    assert "First" in str(caught.value)
    assert store.edits() == [theirs]
    store.append([note("elsewhere")], B, who="Second", base_seq=0)  # another section is no conflict
    store.append([note("now")], A, who="Second", base_seq=theirs.seq)
    assert len(store.edits(A)) == 2
    assert problems(store) == []


def test_undo_and_redo_are_entries_of_their_own(store: Store) -> None:
    (one,) = store.append([add_crossing(1, 2)], A, who="A", base_seq=0)
    (two,) = store.append([undo(one)], A, who="A", base_seq=1)
    assert standing(store.edits(A)) == ()
    with pytest.raises(UsageError, match="taken back already"):
        store.append([undo(one)], A, who="A", base_seq=2)
    with pytest.raises(UsageError, match="not about this"):
        store.append([undo(one)], B, who="A", base_seq=0)
    with pytest.raises(UsageError, match="not about this"):
        store.append([undo(one)], BIOPSY, who="A", base_seq=0)
    with pytest.raises(UsageError, match="undo of a undo"):
        store.append([undo(two)], A, who="A", base_seq=2)
    (three,) = store.append([redo(two)], A, who="A", base_seq=2)
    assert standing(store.edits(A)) == (one,)
    assert undoable(store.edits(A)) == three
    assert problems(store) == []


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE edits SET why = 'because' WHERE seq = 2", ["edit 2"]),
        ("UPDATE edits SET who = 'Somebody' WHERE seq = 3", ["edit 3"]),
        ("UPDATE edits SET section_id = NULL WHERE seq = 1", ["edit 1"]),
        ("UPDATE edits SET at = '2020-01-01' WHERE seq = 4", ["edit 4"]),
        ("DELETE FROM edits WHERE seq = 2", ["edit 2"]),
        ("DELETE FROM edits WHERE seq IN (2, 3)", ["edits 2 to 3"]),
        ("DELETE FROM edits WHERE seq = 1", ["edit 1"]),
        ("DELETE FROM edits WHERE seq = 4", ["edit 4"]),
        ("DELETE FROM edits", ["edit 4"]),
        ("UPDATE protocols SET content = '{}'", ["protocol efns2010"]),
        ("UPDATE protocols SET content = replace(content, '0.95', '0.90')", ["protocol efns2010"]),
    ],
)
def test_what_was_altered_is_named(store: Store, statement: str, where: list[str]) -> None:
    store.append([note(f"{n}") for n in range(4)], A, who="A", base_seq=0)
    tamper(store, statement)
    assert [problem.where for problem in problems(store)] == where


def test_entries_that_changed_places_are_named(store: Store) -> None:
    store.append([note(f"{n}") for n in range(3)], A, who="A", base_seq=0)
    tamper(
        store,
        "UPDATE edits SET seq = 99 WHERE seq = 1",
        "UPDATE edits SET seq = 1 WHERE seq = 2",
        "UPDATE edits SET seq = 2 WHERE seq = 99",
    )
    assert {problem.where for problem in problems(store)} >= {"edit 1", "edit 2"}


def rewritten(store: Store, why: str) -> None:
    """The chain made anew after an entry was altered, by somebody who knows how it is made."""
    from ienfd.study.log import entry_hash

    with store.reading() as session:
        rows = [session.get_one(EditRow, e.seq) for e in store.edits()]
        session.expunge_all()
    previous = rows[0].prev_hash
    statements = []
    for row in rows:
        row.why = why if row.seq == 1 else row.why
        row.prev_hash = previous
        previous = row.hash = entry_hash(row)
        statements.append(
            f"UPDATE edits SET why = '{row.why}', prev_hash = '{row.prev_hash}', hash = '{row.hash}'"
            f" WHERE seq = {row.seq}"
        )
    statements.append(f"UPDATE info SET value = '{rows[-1].seq} {previous}' WHERE key = 'edit_head'")
    tamper(store, *statements)


def sign(store: Store, content: dict[str, object] | None = None, base_seq: int | None = None) -> None:
    store.sign(
        BIOPSY, content or {"density": 4.2}, kind="final", name="Dr. Sign", statement="I have seen it.",
        protocol_hash=gather(store).biopsies[0].protocol.hash,
        base_seq=store.head().seq if base_seq is None else base_seq,
    )  # fmt: skip


def test_a_rewritten_chain_is_found_against_the_signatures(store: Store) -> None:
    store.append([note("one"), note("two")], A, who="A", base_seq=0)
    rewritten(store, "better so")
    assert problems(store) == []  # nobody has signed it
    sign(store)
    assert problems(store) == []
    rewritten(store, "better still")
    found = problems(store)
    assert {problem.where[:9] for problem in found} == {"sign-off "}
    assert "Dr. Sign" in found[0].where
    assert found[0].text == "the log up to edit 2 is not the one that was signed"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE sign_offs SET content = '[]'", "what was signed was altered"),
        ("DELETE FROM sign_offs", "is missing; edit 1 speaks of it"),
        (f"UPDATE sign_offs SET content = '[]', content_hash = '{content_hash('[]')}'",
         "edit 1 speaks of another signature"),
        ("UPDATE sign_offs SET name = 'Dr. Else'", "edit 1 speaks of another signature"),
        ("UPDATE sign_offs SET kind = 'withdrawal'", "edit 1 speaks of another signature"),
        ("UPDATE sign_offs SET statement = ''", "edit 1 speaks of another signature"),
    ],
)  # fmt: skip
def test_altered_signatures_are_found(store: Store, statement: str, expected: str) -> None:
    sign(store)
    assert problems(store) == []
    tamper(store, statement)
    assert [problem.text for problem in problems(store)] == [expected]


def test_images_are_compared_with_what_was_analyzed(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.tif", "b.tif", "c.tif"):
        (images / name).write_bytes(name.encode())
    with Store(tmp_path / "study", create=True) as store:
        fill(store, [of_biopsy(name) for name in ("a.tif", "b.tif", "c.tif")], root=str(images))
        (images / "b.tif").write_bytes(b"another image")
        (images / "c.tif").unlink()
        with store.reading() as session:
            found = list(check_images(session))
    assert found[0] is None
    assert [p.text for p in found if p] == ["is not the file that was analyzed", "is no longer there"]


def together(*work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_reviewers_at_once_lose_nothing(store: Store) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []

    def reviewer(name: str, target: Target) -> None:
        with Store(store.folder) as mine:
            seen = 0
            for number in range(25):
                text_ = f"{name} {number}"
                try:
                    (entry,) = mine.append([note(text_)], target, who=name, base_seq=seen)
                except ConflictError as error:
                    refused.append(text_)
                    seen = error.since[-1].seq
                else:
                    acknowledged.append(text_)
                    seen = entry.seq

    together(lambda: reviewer("One", A), lambda: reviewer("Two", A), lambda: reviewer("Three", B))
    written = [(e.edit.after or {})["text"] for e in store.edits()]
    assert sorted(written) == sorted(acknowledged)
    assert len(acknowledged) + len(refused) == 75
    assert not any(text_.startswith("Three") for text_ in refused)
    assert problems(store) == []


def test_case_data_are_corrected_for_all_sections_of_the_biopsy(store: Store) -> None:
    fill(store, [*FILES, of_biopsy("c.tif")])  # three sections, for a call
    before = gather(store).biopsies[0]
    assert before.record.age_years == 56
    (entry,) = store.append(
        [edit_case({"age_years": 56.0}, {"age_years": 76.0}, "typed wrongly")], BIOPSY, who="A", base_seq=0
    )
    after = gather(store).biopsies[0]
    assert after.record.age_years == 76
    assert [section.case["age_years"] for section in after.sections] == [76, 76, 76]
    assert after.call.norm_limit_per_mm != before.call.norm_limit_per_mm
    store.append([undo(entry)], BIOPSY, who="A", base_seq=1)
    assert gather(store).biopsies[0].call == before.call


def test_a_corrected_section_changes_its_biopsy(store: Store) -> None:
    before = gather(store)
    target = Target("C1", "B1", FILES[0].section_id, before.sections[0].placement.analysis_id)
    store.append([add_crossing(5, 40)], target, who="A", base_seq=0)
    after = gather(store)
    assert after.sections[0].corrected is not None
    assert after.sections[0].corrected.edits == 1
    assert after.sections[1].corrected is not None
    assert after.sections[1].corrected.edits == 0
    assert (after.biopsies[0].call.crossings or 0) == (before.biopsies[0].call.crossings or 0) + 1


def test_what_is_signed_is_final_until_it_is_changed(store: Store) -> None:
    assert gather(store).biopsies[0].status == "preliminary"
    sign(store)
    assert gather(store).biopsies[0].status == "final"
    (remark,) = store.append([note("on second thoughts")], A, who="A", base_seq=0)
    assert gather(store).biopsies[0].status == "final"  # a remark changes nothing
    store.append([add_crossing(1, 2, why="seen at last")], A, who="A", base_seq=remark.seq)
    changed = gather(store).biopsies[0]
    assert changed.status == "preliminary"
    assert "changed_after_signing" in changed.call.flags


def test_what_is_signed_keeps_its_analysis_and_its_count(store: Store) -> None:
    from ienfd.protocol import CountingRules, Protocol

    sign(store)
    before = gather(store)
    fill(store, FILES, protocol=Protocol("other", counting=CountingRules(fragments="include")), key="new")
    after = gather(store)
    assert [s.placement for s in after.sections] == [s.placement for s in before.sections]
    assert after.biopsies[0].call == before.biopsies[0].call
    assert after.biopsies[0].status == "final"
    ending = store.signed_endings("/images")[("a.tif", 0, 0)]
    assert (ending.status, ending.reason) == ("ok", None)


def test_a_signed_section_stays_signed_under_another_name_or_unread(store: Store) -> None:
    sign(store)
    before = gather(store)
    moved = [replace(file, path=f"moved/{file.path}", content=file.content or file.path) for file in FILES]
    fill(store, moved, root="/images", key="new", crossings=9)
    after = gather(store)
    assert [s.placement.analysis_id for s in after.sections] == [
        s.placement.analysis_id for s in before.sections
    ]
    assert after.biopsies[0].call == before.biopsies[0].call
    assert after.biopsies[0].status == "final"
    fill(store, [replace(file, unreadable=True) for file in moved], key="new")
    assert gather(store).biopsies[0].call == before.biopsies[0].call
    assert gather(store).biopsies[0].status == "final"


@pytest.mark.parametrize("files", [[*FILES, of_biopsy("c.tif")], FILES[:1]], ids=["added", "taken out"])
def test_a_signed_biopsy_of_other_sections_is_not_final(store: Store, files: list[File]) -> None:
    sign(store)
    fill(store, files)
    changed = gather(store).biopsies[0]
    assert changed.status == "preliminary"
    assert "changed_after_signing" in changed.call.flags
    fill(store, FILES)
    assert gather(store).biopsies[0].status == "final"


def test_a_biopsy_that_no_case_table_names_has_no_case_data_and_no_signature(tmp_path: Path) -> None:
    with Store(tmp_path, create=True) as store:
        fill(store, [File("1.tif")])
        own = Target("1.tif", "1.tif")
        with pytest.raises(UsageError, match="case table"):
            store.append([edit_case({}, {"age_years": 3.0}, "x")], own, who="A", base_seq=0)
        with pytest.raises(UsageError, match="case table"):
            store.sign(own, {}, kind="final", name="A", statement="", protocol_hash="", base_seq=0)
        with pytest.raises(UsageError, match="case table"):
            store.append([edit_case({}, {"age_years": 3.0}, "x")], Target("no", "no"), who="A", base_seq=0)


def test_an_undo_is_about_the_same_biopsy_of_the_same_case(store: Store) -> None:
    fill(store, [*FILES, of_biopsy("x.tif", "C2", "B1")])
    (entry,) = store.append([edit_case({}, {"age_years": 60.0}, "x")], BIOPSY, who="A", base_seq=0)
    with pytest.raises(UsageError, match="not about this"):
        store.append([undo(entry)], Target("C2", "B1"), who="A", base_seq=0)
    store.append([undo(entry)], BIOPSY, who="A", base_seq=entry.seq)


def test_runs_that_begin_at_once_do_not_stand_in_each_others_way(study_folder: Path) -> None:
    Store(study_folder, create=True).close()
    failed: list[BaseException] = []

    def begin(root: str) -> None:
        try:
            with Store(study_folder) as mine:
                fill(mine, [of_biopsy(f"{n}.tif", content=f"{n}") for n in range(5)], root=root)
        except BaseException as error:
            failed.append(error)

    together(*(partial(begin, f"/{n}") for n in range(4)))
    assert failed == []


def test_a_signature_is_an_entry_that_cannot_be_undone(store: Store) -> None:
    sign(store)
    (entry,) = store.edits(BIOPSY)
    assert entry.edit.command is Command.SIGN
    assert undoable([entry]) is None
    with pytest.raises(UsageError, match="undo of a sign"):
        store.append([undo(entry, "a mistake")], BIOPSY, who="A", base_seq=1)


def test_what_is_signed_is_changed_only_with_a_reason(store: Store) -> None:
    sign(store)
    with pytest.raises(UsageError, match="signed: say why"):
        store.append([add_crossing(1, 2)], A, who="A", base_seq=0)
    store.append([note("looked at again")], A, who="A", base_seq=0)  # changes no result
    store.append([add_crossing(1, 2, why="seen at last")], A, who="A", base_seq=2)


def test_what_is_signed_is_what_was_seen(store: Store) -> None:
    (theirs,) = store.append([note("wait")], A, who="A", base_seq=0)
    with pytest.raises(ConflictError) as caught:
        sign(store, base_seq=0)
    assert caught.value.since == (theirs,)
    assert store.sign_offs() == []
    sign(store, base_seq=1)
    with pytest.raises(ConflictError):  # it has been signed in the meantime
        sign(store, base_seq=1)
    sign(store)
    assert [s.supersedes is None for s in store.sign_offs()] == [True, False]
