"""The desk: a study as its reviewers see it. What lies on it is read from the store and kept at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ienfd.batch.files import StudyFiles
from ienfd.correction.commands import ALTERING, Edit, LoggedEdit
from ienfd.correction.correct import Corrector
from ienfd.protocol import Protocol
from ienfd.report.calling import same_row
from ienfd.report.content import Content, gather
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.report.summary import signed_biopsies
from ienfd.result import Findings
from ienfd.review.images import ImageView, picture_view
from ienfd.review.layers import FiberLines
from ienfd.review.queue import QueueItem, make_queue, stage_of, stage_of_reading
from ienfd.review.sheet import Sheet
from ienfd.study.log import Target
from ienfd.study.records import Placement
from ienfd.study.store import Store

__all__ = ["Desk", "Prepared"]

_KEPT = 4


@dataclass(frozen=True, eq=False)
class Prepared:
    """What takes time to open a section, and that no edit changes.

    Parameters
    ----------
    findings : Findings
        What image analysis found, with every fiber.
    corrector : Corrector
        Makes a result of the log.
    fibers : FiberLines
        The fibers as they are drawn.
    picture : ImageView or None
        The stored picture; None where there is none.
    """

    findings: Findings
    corrector: Corrector
    fibers: FiberLines
    picture: ImageView | None


class Desk:
    """A study under review.

    Parameters
    ----------
    store : Store
        The study.
    case_id : str, optional
        Show this case only.
    blind_reader : str, optional
        Who reads blind: the queue then shows the stages of this reading alone.
    """

    def __init__(self, store: Store, case_id: str | None = None, blind_reader: str | None = None) -> None:
        self.store = store
        self.case_id = case_id
        self.blind_reader = blind_reader
        self.items: tuple[QueueItem, ...] = ()
        self.log: list[LoggedEdit] = []
        self._files = StudyFiles(store.folder)
        self._of_case: dict[str, Content] = {}
        self._prepared: dict[tuple[str, str], Prepared] = {}
        self._signed: dict[tuple[str, str], bool] = {}
        self._head = 0
        self.reload()

    def reload(self) -> None:
        """Read anew what others have done in the meantime."""
        of_section: dict[str, list[LoggedEdit]] = {}
        self._head = self.store.head().seq
        self.log = self.store.edits()
        for entry in self.log:
            of_section.setdefault(entry.section_id or "", []).append(entry)
        rows = [row for row in self.store.standings() if self.case_id in (None, row.case_id)]
        self._signed = signed_biopsies(rows, self.log, self.store.sign_offs())
        self.items = make_queue(rows, of_section, self._signed, self.blind_reader)
        self._of_case.clear()

    def catch_up(self) -> None:
        """Read anew if somebody else has done something in the meantime."""
        if self.store.head().seq != self._head:
            self.reload()

    def content(self, case_id: str) -> Content:
        """One case with its results and calls."""
        if case_id not in self._of_case:
            self._of_case[case_id] = gather(self.store, case_id)
        return self._of_case[case_id]

    def entry(self, item: QueueItem) -> SectionEntry | None:
        """A section with its result; None when it is no longer there."""
        for entry in self.content(item.row.case_id).sections:
            place = entry.placement
            if (place.root, place.path, place.scene, place.region) == item.key:
                return entry
        return None

    def biopsy_of(self, entry: SectionEntry) -> BiopsyEntry | None:
        """The biopsy of a section; None for a control."""
        biopsies = self.content(entry.placement.case_id).biopsies
        return next((b for b in biopsies if any(same_row(entry, other) for other in b.sections)), None)

    def is_signed(self, item: QueueItem) -> bool:
        """Whether a biopsy that holds a section is signed, so that a change of it needs a reason.

        As the store has it: that of a control, and any other that holds the same image, count, too.
        """
        rows = [one.row for one in self._same_image(item)]
        return any((row.case_id, row.biopsy_id) in self._signed for row in rows)

    def _same_image(self, item: QueueItem) -> list[QueueItem]:
        return [one for one in self.items if one.row.section_id == item.row.section_id]

    def sheet(self, item: QueueItem) -> Sheet:
        """Lay a section on the desk, as it stands in the store now.

        Raises
        ------
        LookupError
            If there is nothing to show of it.
        """
        self.catch_up()
        entry = self.entry(item)
        if entry is None or entry.placement.analysis_id is None:
            raise LookupError("there is nothing to show of it")
        protocol = self.content(item.row.case_id).protocols[entry.placement.protocol_hash]
        ready = self.prepared(entry.placement, protocol)
        sheet = Sheet(entry, self.biopsy_of(entry), ready.findings, ready.corrector, protocol)
        return self.fresh(item, sheet)

    def prepared(self, place: Placement, protocol: Protocol) -> Prepared:
        """What takes time to open a section; the last few are kept."""
        key = str(place.analysis_id), place.rules_key
        if key not in self._prepared:
            self.keep(place, self.prepare(place, protocol))
        return self._prepared[key]

    def prepare(self, place: Placement, protocol: Protocol) -> Prepared:
        """Read it; changes nothing on the desk, so that it can be done beside the viewer."""
        analysis = str(place.analysis_id)
        findings = self.store.findings(analysis)
        base = replace(self.store.results([analysis], place.rules_key)[analysis], findings=findings)
        stored = self._files.read_picture(str(place.section_id)) if place.facts.pictured else None
        size = findings.pixel_size_um or 1.0
        return Prepared(
            findings,
            Corrector(base, protocol, lambda: findings),
            FiberLines.of(findings),
            None if stored is None else picture_view(stored, findings.shape, size),
        )

    def has(self, place: Placement) -> bool:
        """Whether a section is prepared."""
        return (str(place.analysis_id), place.rules_key) in self._prepared

    def keep(self, place: Placement, prepared: Prepared) -> None:
        """Keep what was prepared, in the place of what was kept first."""
        self._prepared[str(place.analysis_id), place.rules_key] = prepared
        while len(self._prepared) > _KEPT:
            del self._prepared[next(iter(self._prepared))]

    def write(self, item: QueueItem, sheet: Sheet, edits: Sequence[Edit], who: str) -> Sheet:
        """Append edits of a section to the log; returns it as it stands then.

        Raises
        ------
        ConflictError
            If somebody else has changed it since the sheet was read; nothing is written.
        UsageError
            If it is signed and no reason is given.
        """
        logged = self.store.append(edits, sheet.target, who=who, base_seq=sheet.last_seq)
        if logged[0].seq == self._head + 1:  # else somebody else was in between: the next look reads it
            self._head = logged[-1].seq
        if any(edit.command in ALTERING for edit in edits):
            biopsies = {(one.row.case_id, one.row.biopsy_id) for one in self._same_image(item)}
            self._signed = {key: held and key not in biopsies for key, held in self._signed.items()}
        self.log += logged
        return self._kept(item, sheet.with_log([*sheet.log, *logged]))

    def fresh(self, item: QueueItem, sheet: Sheet) -> Sheet:
        """The sheet with what others have done to it in the meantime."""
        return self._kept(item, sheet.with_log(self.store.edits(Target(section_id=item.row.section_id))))

    def _kept(self, item: QueueItem, sheet: Sheet) -> Sheet:
        """Have the queue and the case show a sheet as it is now."""
        content = self.content(item.row.case_id)
        sections = tuple(sheet.entry if same_row(one, sheet.entry) else one for one in content.sections)
        biopsies = content.biopsies
        if sheet.biopsy is not None:
            mine = sheet.biopsy
            biopsies = tuple(
                mine if any(same_row(one, sheet.entry) for one in other.sections) else other
                for other in biopsies
            )
        self._of_case[item.row.case_id] = replace(content, sections=sections, biopsies=biopsies)
        same = item.row.section_id  # the same image may stand in several rows
        self.items = tuple(
            self._staged(one, sheet.log) if one.row.section_id == same else one for one in self.items
        )
        return sheet

    def _staged(self, item: QueueItem, log: Sequence[LoggedEdit]) -> QueueItem:
        if self.blind_reader is not None:
            return QueueItem(item.row, stage_of_reading(item.row, log, self.blind_reader))
        signed = self._signed.get((item.row.case_id, item.row.biopsy_id)) if item.row.listed else None
        return QueueItem(item.row, stage_of(item.row, log, signed))
