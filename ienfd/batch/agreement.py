"""A study compared with what people counted by hand, as files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ienfd import __version__
from ienfd.agree.document import Compared, agreement_pdf, plot_of
from ienfd.agree.manual import ManualPlace, ManualTable, read_manual, read_places
from ienfd.agree.measures import Measure, measures, readers
from ienfd.agree.pairing import make_pairs
from ienfd.agree.pairs import Pair, State, Unit
from ienfd.agree.tables import empty_manual, tables
from ienfd.batch.files import write_atomic
from ienfd.batch.leaving import exclusions_of, with_geometry
from ienfd.batch.reporting import study_template
from ienfd.errors import UsageError
from ienfd.report.content import Content, gather
from ienfd.report.entries import SectionEntry
from ienfd.result import Findings, Stretch
from ienfd.study.store import Store

__all__ = ["Agreement", "compare_study", "write_template"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_STEM_LENGTH = 60
_SHOWN = 10


@dataclass(frozen=True)
class Agreement:
    """A comparison, and where it was written.

    Parameters
    ----------
    pairs : tuple of Pair
        All rows, those that are left out, too.
    figures : tuple of Measure
        How far they agree.
    compared : Compared
        What was compared.
    folder : Path
        Where the files lie.
    warnings : tuple of str
        What a person should know.
    """

    pairs: tuple[Pair, ...]
    figures: tuple[Measure, ...]
    compared: Compared
    folder: Path
    warnings: tuple[str, ...]


def compare_study(
    store: Store,
    manual: Path,
    *,
    places: Path | None = None,
    state: State = "automatic",
    out: Path | None = None,
) -> Agreement:
    """Compare a study with a manual count, and write tables, figures and a page about it.

    Parameters
    ----------
    store : Store
        The study.
    manual : Path
        Table of manual counts; see `ienfd.agree.manual`.
    places : Path, optional
        Table of positions.
    state : {"automatic", "reviewed"}
        Which state of the study is compared.
    out : Path, optional
        Folder; by default one of its own in `agreement` of the study, named after the table and the state.

    Raises
    ------
    UsageError
        `manual_invalid` if a table is not valid, `manual_nothing` if no row can be compared.
    EnvironmentProblem
        If a file cannot be written.
    """
    table = read_manual(manual)
    positions = None if places is None else read_places(places)
    content = gather(store, edited=state == "reviewed")

    def geometry(entry: SectionEntry) -> tuple[Findings, Sequence[Stretch]]:
        result = with_geometry(store, entry)
        if result is None:  # a pair with a density has a result
            raise ValueError(f"{entry.placement.path} has no result")
        protocol = content.protocols[entry.placement.protocol_hash]
        return result.findings, exclusions_of(result, protocol) or ()

    pairs, lost = make_pairs(content, table.rows, positions, state, geometry)
    if not any(pair.is_used for pair in pairs):
        raise UsageError("manual_nothing", _nothing(manual, pairs))
    figures = measures(pairs)
    compared = _compared(store, content, table, places, pairs, state)
    folder = out or store.folder / "agreement" / f"{_stem(manual)}_{state}"
    for name, data in tables(pairs, figures, state).items():
        write_atomic(folder / name, data)
    for name, data in _plots(pairs, figures).items():
        write_atomic(folder / name, data)
    write_atomic(folder / "agreement.pdf", agreement_pdf(compared, pairs, figures))
    return Agreement(pairs, figures, compared, folder, (*table.warnings, *_lost(lost)))


def write_template(store: Store, path: Path) -> int:
    """Write an empty table of manual counts for a study; returns the number of its sections.

    Raises
    ------
    UsageError
        If there is a file of this name: it may be one that somebody has filled in.
    EnvironmentProblem
        If it cannot be written.
    """
    if path.exists():
        raise UsageError("option_invalid", f"--template: {path} exists")
    data = empty_manual(gather(store).sections)
    write_atomic(path, data)
    return data.count(b"\n") - 1


def _compared(
    store: Store,
    content: Content,
    table: ManualTable,
    places: Path | None,
    pairs: Sequence[Pair],
    state: State,
) -> Compared:
    used = [pair for pair in pairs if pair.is_used]
    sections = {pair.section_id for pair in used if pair.unit == "section"}
    biopsies = {(pair.case_id, pair.biopsy_id) for pair in used if pair.unit == "biopsy"}
    entries = [
        entry
        for entry in content.sections
        if entry.placement.section_id in sections
        or (entry.placement.case_id, entry.placement.biopsy_id) in biopsies
    ]
    read = {pair.section_id for pair in pairs} | {
        str(entry.placement.section_id)
        for entry in content.sections
        if (entry.placement.case_id, entry.placement.biopsy_id) in biopsies
    }
    unread = {e.placement.section_id for e in content.sections if e.status == "ok"} - read
    protocols = sorted({(e.placement.protocol_id, e.placement.protocol_hash) for e in entries})
    versions = sorted({e.placement.algorithm_version for e in entries})
    lines = sorted({e.result.lengths.line for e in entries if e.result and e.result.lengths})
    head, last = store.head(), store.last_run() or {}
    facts = [
        ("Table", f"{table.name}, {len(table.rows)} rows, SHA-256 {table.sha256[:16]}"),
        *([("Positions", f"{places.name}, SHA-256 {_hash(places)[:16]}")] if places else []),
        ("Study", f"{store.folder.resolve().name}, id {store.study_id()}"),
        ("Log of edits", f"entry {head.seq}, {head.hash}"),
        ("Protocol", "; ".join(f"{name} ({hash_[:12]})" for name, hash_ in protocols)),
        ("Software", f"ienfd {__version__}, image analysis {', '.join(versions)}"),
        ("Length of the program", f"along the {', '.join(lines)}"),
    ]
    remarks = [f"{len(unread)} evaluated sections of the study are not in the table."] if unread else []
    dated = str(last.get("ended_at") or last.get("started_at") or "")
    return Compared(state, tuple(facts), tuple(remarks), study_template(store), dated)


def _plots(pairs: Sequence[Pair], figures: Sequence[Measure]) -> dict[str, bytes]:
    found = {}
    units: tuple[Unit, ...] = ("section", "biopsy")
    for reader in readers(pairs):
        for unit in units:
            drawn = plot_of(pairs, figures, reader, unit)
            if drawn is not None:
                named = "".join(f"_{part}" for part in (unit, _safe(reader)) if part)
                name = f"agreement{named}.svg"
                while name in found:  # readers whose names are told apart by other letters only
                    name = name.replace(".svg", "_.svg")
                found[name] = drawn.encode()
    return found


def _lost(places: Sequence[ManualPlace]) -> list[str]:
    if not places:
        return []
    rows = ", ".join(str(place.number) for place in places[:_SHOWN])
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return [f"positions of no section of the study, or of more than one: rows {rows}{more}"]


def _nothing(manual: Path, pairs: Sequence[Pair]) -> str:
    lines = [f"  row {pair.row}: {pair.name}: {pair.reason}" for pair in pairs[:_SHOWN]]
    more = [f"  ... and {len(pairs) - _SHOWN} more"] if len(pairs) > _SHOWN else []
    return "\n".join([f"{manual}:", *lines, *more])


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _stem(path: Path) -> str:
    return _safe(path.stem) or "manual"


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name).strip("._-")[:_STEM_LENGTH]
