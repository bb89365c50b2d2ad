"""The desk: a study as its reviewers see it. What lies on it is read from the store and kept at hand."""

from __future__ import annotations

from collections.abc import Sequence

from ienfd.batch.files import StudyFiles
from ienfd.correction.commands import Edit, LoggedEdit
from ienfd.report.content import Content, gather, same_row
from ienfd.report.entries import BiopsyEntry, SectionEntry
from ienfd.review.queue import QueueItem, make_queue, stage_of
from ienfd.review.sheet import Sheet
from ienfd.study.log import Target
from ienfd.study.store import Store

__all__ = ["Desk"]

_KEPT_SHEETS = 4


class Desk:
    """A study under review.

    Parameters
    ----------
    store : Store
        The study.
    case_id : str, optional
        Show this case only.
    """

    def __init__(self, store: Store, case_id: str | None = None) -> None:
        self.store = store
        self.case_id = case_id
        self.items: tuple[QueueItem, ...] = ()
        self._files = StudyFiles(store.folder)
        self._of_case: dict[str, Content] = {}
        self._sheets: dict[tuple[str, str, int, int], Sheet] = {}
        self.reload()

    def reload(self) -> None:
        """Read anew what others have done in the meantime."""
        of_section: dict[str, list[LoggedEdit]] = {}
        for entry in self.store.edits():
            of_section.setdefault(entry.section_id or "", []).append(entry)
        rows = [row for row in self.store.standings() if self.case_id in (None, row.case_id)]
        self._signed = self._read_signed()
        self.items = make_queue(rows, of_section, self._signed)
        self._of_case.clear()
        self._sheets.clear()

    def _read_signed(self) -> frozenset[tuple[str, str]]:
        kinds = {(sign.case_id, sign.biopsy_id): sign.kind for sign in self.store.sign_offs()}
        return frozenset(biopsy for biopsy, kind in kinds.items() if kind != "withdrawal")

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

    def sheet(self, item: QueueItem) -> Sheet:
        """Lay a section on the desk, as it stands in the store now.

        Raises
        ------
        LookupError
            If there is nothing to show of it.
        """
        log = self.store.edits(Target(section_id=item.row.section_id))
        entry = self.entry(item)
        if entry is None or entry.placement.analysis_id is None:
            raise LookupError(item.name)
        place, biopsy, known = entry.placement, self.biopsy_of(entry), self._sheets.get(item.key)
        if known is not None and known.target == Target(
            place.case_id, place.biopsy_id, place.section_id, place.analysis_id
        ):
            return known.among(entry, biopsy, log)
        analysis, content = str(place.analysis_id), self.content(item.row.case_id)
        sheet = Sheet.of(
            entry,
            biopsy,
            self.store.results([analysis], place.rules_key)[analysis],
            self.store.findings(analysis),
            log,
            content.protocols[place.protocol_hash],
        )
        self._sheets[item.key] = sheet
        while len(self._sheets) > _KEPT_SHEETS:
            del self._sheets[next(iter(self._sheets))]
        return sheet

    def picture(self, sheet: Sheet) -> bytes | None:
        """The stored picture of a section, encoded; None where there is none."""
        place = sheet.entry.placement
        if place.section_id is None or not place.facts.pictured:
            return None
        return self._files.read_picture(place.section_id)

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
        return self._kept(item, sheet.with_log([*sheet.log, *logged]))

    def fresh(self, item: QueueItem, sheet: Sheet) -> Sheet:
        """The sheet with what others have done to it in the meantime."""
        return self._kept(item, sheet.with_log(self.store.edits(Target(section_id=item.row.section_id))))

    def _kept(self, item: QueueItem, sheet: Sheet) -> Sheet:
        """Have the queue and the case show a sheet as it is now."""
        self._sheets[item.key] = sheet
        self._of_case.pop(item.row.case_id, None)

        def changed(one: QueueItem) -> QueueItem:
            signed = one.row.listed and (one.row.case_id, one.row.biopsy_id) in self._signed
            return QueueItem(one.row, stage_of(one.row, sheet.log, signed))

        same = item.row.section_id  # the same image may stand in several rows
        self.items = tuple(changed(one) if one.row.section_id == same else one for one in self.items)
        return sheet
