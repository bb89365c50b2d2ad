"""Sections that were exported, edited in QuPath and saved there, brought back as edits of the log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ienfd.batch.collect import collect
from ienfd.batch.leaving import ShownSection, shown_section
from ienfd.correction.commands import HARMLESS, Edit, LoggedEdit, note, of_reading
from ienfd.correction.correct import Corrector
from ienfd.errors import ConflictError, UsageError
from ienfd.protocol import Protocol
from ienfd.reasons import REASONS
from ienfd.report.content import gather
from ienfd.report.entries import SectionEntry
from ienfd.report.geojson import exclusion_ids, geojson_bytes, section_geojson
from ienfd.report.geojson_edits import Changes, Exported, changes
from ienfd.report.geojson_reading import ReadFile, objects_of, read_geojson
from ienfd.report.geojson_state import ExportedState, state_of
from ienfd.result import SectionResult
from ienfd.study.log import Target
from ienfd.study.store import Store

__all__ = ["Returned", "import_edits", "returned_files"]

_SHOWN_DIGITS, _SHOWN_LETTERS = 16, 60


@dataclass(frozen=True)
class Returned:
    """What became of one file.

    Parameters
    ----------
    file : Path
        The file.
    section : str
        The image file that it shows; empty where that is not known.
    edits : tuple of Edit
        What was changed in it; written to the log unless there is a problem or it was only tried.
    left_alone : tuple of str
        What was not understood or has no effect, one sentence each.
    crossings : (int or None, int or None)
        Counted crossings before and after.
    density_per_mm : (float or None, float or None)
        Density before and after.
    problem : UsageError or None
        Why nothing of it was written.
    """

    file: Path
    section: str = ""
    edits: tuple[Edit, ...] = ()
    left_alone: tuple[str, ...] = ()
    crossings: tuple[int | None, int | None] = (None, None)
    density_per_mm: tuple[float | None, float | None] = (None, None)
    problem: UsageError | None = None


def returned_files(path: Path) -> list[Path]:
    """The file, or the GeoJSON files of a folder and all folders in it.

    Raises
    ------
    UsageError
        `import_invalid` if there is none.
    """
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix.casefold() == ".geojson")
    if not files:
        raise UsageError("import_invalid", f"{path} holds no file that ends in .geojson")
    return files


def import_edits(
    store: Store, files: Iterable[Path], *, who: str, why: str = "", dry_run: bool = False
) -> list[Returned]:
    """Bring back what was changed in exported sections.

    Every file is taken as a whole or not at all; one that is not does not keep others back.

    Parameters
    ----------
    store : Store
        The study.
    files : iterable of Path
        GeoJSON files.
    who : str
        Who has changed them.
    why : str
        The reason, of every edit; what is signed is not changed without one.
    dry_run : bool
        Only say what would be done.

    Raises
    ------
    UsageError
        If nobody is named.
    EnvironmentProblem
        If the tables of the study cannot be written.
    """
    if not who.strip():
        raise UsageError("edit_invalid", "an edit needs the name of a person")
    desk = _Desk(store, who, why, dry_run)
    done = []
    for file in files:
        try:
            done.append(desk.take(file))
        except UsageError as error:
            done.append(Returned(file, problem=error))
    if not dry_run and any(one.edits and one.problem is None for one in done):
        collect(store)
    return done


class _Desk:
    """A study as it stood when the first file was taken up."""

    def __init__(self, store: Store, who: str, why: str, dry_run: bool) -> None:
        self.store, self.who, self.why, self.dry_run = store, who, why, dry_run
        content = gather(store)
        self.protocols = content.protocols
        self.entries: dict[str, list[SectionEntry]] = {}
        for entry in content.sections:
            if entry.corrected is not None and entry.placement.analysis_id is not None:
                self.entries.setdefault(str(entry.placement.section_id), []).append(entry)

    def take(self, file: Path) -> Returned:
        """Compare a file with the section that it shows, and write what differs to the log."""
        read = read_geojson(file)
        state = _state(file, read)
        if state.section_id not in self.entries:
            named = state.section_id[:_SHOWN_LETTERS]
            raise UsageError("import_unknown", f"{file}: there is no section {named}")
        log = self.store.edits(Target(section_id=state.section_id))
        entry = self._entry(file, state, log)
        _check_unchanged(state, log)
        place = entry.placement
        protocol = self.protocols[place.protocol_hash]
        shown = shown_section(self.store, entry, place, protocol)
        if shown is None or entry.corrected is None:
            raise UsageError("import_unknown", f"{file}: {place.path} has no result")
        found = changes(read.objects, _exported(shown, entry, state, log), self.why)
        before, after = entry.corrected.result, self._preview(entry, protocol, log, found)
        done = Returned(
            file,
            place.path,
            found.edits,
            (*found.left_alone, *_without_effect(found, after)),
            (before.count, after.count),
            (before.density_per_mm, after.density_per_mm),
        )
        if not found.edits:
            return done
        target = Target(place.case_id, place.biopsy_id, place.section_id, place.analysis_id)
        if self.dry_run:
            if not self.why.strip() and self.store.is_signed(target):
                problem = UsageError("edit_invalid", "it is signed: say why it is changed, for the amendment")
                return replace(done, problem=problem)
            return done
        try:
            self.store.append(
                [note(_origin(file)), *found.edits], target, who=self.who, base_seq=state.last_seq
            )
        except UsageError as error:
            return replace(done, problem=error)
        return done

    def _entry(self, file: Path, state: ExportedState, log: Sequence[LoggedEdit]) -> SectionEntry:
        entries = self.entries[state.section_id]
        seen = [e for e in log if e.seq == state.last_seq and state.entry and e.hash.startswith(state.entry)]
        if state.last_seq and not seen:
            raise UsageError("import_unknown", f"{file}: entry {state.last_seq} of this log is another one")
        for entry in entries:
            if state_of(entry.placement, ()).analysis == state.analysis:
                return entry
        raise UsageError("import_outdated", f"{file}: {entries[0].placement.path}")

    def _preview(
        self, entry: SectionEntry, protocol: Protocol, log: Sequence[LoggedEdit], found: Changes
    ) -> SectionResult:
        """The section with the edits, as the log will make it."""
        place = entry.placement
        analysis = str(place.analysis_id)
        findings = self.store.findings(analysis)
        base = replace(self.store.results([analysis], place.rules_key)[analysis], findings=findings)
        last = log[-1].seq if log else 0
        further = [
            LoggedEdit(
                last + number, edit, "", self.who, "", place.case_id, place.biopsy_id, place.section_id,
                analysis, last, "", "",
            )
            for number, edit in enumerate(found.edits, 1)
        ]  # fmt: skip
        return Corrector(base, protocol, lambda: findings)([*log, *further]).result


def _state(file: Path, read: ReadFile) -> ExportedState:
    """What a file and its objects say of the section that they are of."""
    said = [read.about, *(one.metadata for one in read.objects)]
    states = {state for one in said if (state := ExportedState.of_tags(one)) is not None}
    if len(states) > 1:
        raise UsageError("import_unknown", f"{file}: its objects are of {len(states)} exports")
    if not states:
        raise UsageError("import_unknown", str(file))
    return states.pop()


def _check_unchanged(state: ExportedState, log: Sequence[LoggedEdit]) -> None:
    """Refuse what was exported before somebody else changed the section, as the log itself would."""
    later = [e for e in of_reading(log, None) if e.seq > state.last_seq and e.edit.command not in HARMLESS]
    if later:
        raise ConflictError(later)


def _exported(
    shown: ShownSection, entry: SectionEntry, state: ExportedState, log: Sequence[LoggedEdit]
) -> Exported:
    result = shown.result
    written = section_geojson(result, shown.place.path, exclusions=shown.exclusions, state=state)
    crossings = entry.corrected.result.crossings if entry.corrected is not None else ()
    return Exported(
        objects_of(json.loads(geojson_bytes(written))),
        {crossing.crossing_id: crossing for crossing in crossings},
        exclusion_ids(replace(result.findings, exclusions=shown.exclusions or ())),
        result.findings,
        frozenset(e.edit.object_id for e in log if e.edit.object_id is not None),
    )


def _without_effect(found: Changes, after: SectionResult) -> list[str]:
    """Crossings that somebody counts, and that are not counted nevertheless, with the reason."""
    now = {crossing.crossing_id: crossing for crossing in after.crossings}
    asked = {edit.object_id for edit in found.edits if _counts(edit)}
    said = []
    for object_id in sorted(str(one) for one in asked):
        crossing = now.get(object_id)
        if crossing is not None and not crossing.counted and crossing.reason in REASONS:
            where = f"row {crossing.row_px:.0f}, column {crossing.col_px:.0f}"
            said.append(f"is taken in, but not counted: {where}: {REASONS[crossing.reason].text}")
    return said


def _counts(edit: Edit) -> bool:
    after = edit.after or {}
    return bool(after.get("counted", edit.command.value == "add_crossing"))


def _origin(file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:_SHOWN_DIGITS]
    return f"Edited outside of ienfd: {file.name}, SHA-256 {digest}"
