"""What every export begins with: where it may write, what it may tell, and each section as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ienfd.batch.files import overlay_name, write_atomic
from ienfd.correction.commands import LoggedEdit
from ienfd.errors import UsageError
from ienfd.protocol import Protocol
from ienfd.report.content import Content, gather
from ienfd.report.deidentify import Place, deidentified, place_of, without_detail
from ienfd.report.entries import SectionEntry
from ienfd.result import SectionResult, Status, Stretch
from ienfd.skin.lengths import effective_exclusions
from ienfd.study.records import Placement
from ienfd.study.store import Store

__all__ = [
    "Leaving",
    "ShownSection",
    "as_tabled",
    "edits_by_section",
    "exclusions_of",
    "prepare",
    "shown_section",
    "shown_sections",
    "with_geometry",
    "write_sections",
]


@dataclass(frozen=True, eq=False)
class Leaving:
    """What a study holds, and how it is shown outside of it.

    Parameters
    ----------
    content : Content
        As it stands in the study.
    shown : Content
        The same as it may be shown: under numbers, where names are left out.
    rows : mapping of Place to Placement
        How the row of each place is shown.
    deidentify : bool
        Whether names are left out.
    """

    content: Content
    shown: Content
    rows: Mapping[Place, Placement]
    deidentify: bool


@dataclass(frozen=True, eq=False)
class ShownSection:
    """One section with all that was found in it, under the names that it is shown under.

    Parameters
    ----------
    place : Placement
        Its row, as it is shown.
    result : SectionResult
        With its geometry and all corrections; nothing is counted unless its row is ok.
    exclusions : tuple of Stretch or None
        All that is not evaluated, cut ends included; None where nothing could be measured.
    last_seq : int
        The last entry of the log about it that is part of the result; 0 for none.
    """

    place: Placement
    result: SectionResult
    exclusions: tuple[Stretch, ...] | None
    last_seq: int = 0

    @property
    def stem(self) -> str:
        """Name of its files, as that of its overlay."""
        name = overlay_name(self.place.path, str(self.place.section_id), self.place.scene)
        return name.removesuffix(".png")


def prepare(store: Store, out: Path, *, deidentify: bool) -> Leaving:
    """Read a study for an export to `out`.

    Raises
    ------
    UsageError
        If `out` lies in the study or, where names are left out, is not empty.
    """
    study = store.folder.resolve()
    if study == out.resolve() or study in out.resolve().parents:
        raise UsageError("option_invalid", f"--out {out} lies in the study")
    if deidentify and out.exists() and any(out.iterdir()):
        raise UsageError("option_invalid", f"--out {out} is not empty: names may stand in what lies there")
    content = gather(store)
    if deidentify:
        return Leaving(content, *deidentified(content, store.study_id()), True)
    rows = {place_of(entry.placement): entry.placement for entry in content.sections}
    return Leaving(content, content, rows, False)


def shown_sections(store: Store, leaving: Leaving) -> Iterator[ShownSection]:
    """Every section that has a result, in the order of the tables."""
    for entry in leaving.content.sections:
        named = without_detail(entry) if leaving.deidentify else entry
        place = leaving.rows[place_of(entry.placement)]
        shown = shown_section(store, named, place, leaving.content.protocols[place.protocol_hash])
        if shown is not None:
            yield shown


def shown_section(
    store: Store, entry: SectionEntry, place: Placement, protocol: Protocol
) -> ShownSection | None:
    """A section as it is shown under the names of `place`; None where it has no result."""
    result = with_geometry(store, entry)
    if result is None or entry.corrected is None:
        return None
    return ShownSection(place, result, exclusions_of(result, protocol), entry.corrected.last_seq)


def edits_by_section(store: Store) -> dict[str, list[LoggedEdit]]:
    """All entries of the log about sections, in order."""
    found: dict[str, list[LoggedEdit]] = {}
    for entry in store.edits():
        if entry.section_id is not None:
            found.setdefault(entry.section_id, []).append(entry)
    return found


def write_sections(
    store: Store, leaving: Leaving, out: Path, suffix: str, write: Callable[[ShownSection], bytes | None]
) -> int:
    """Write a file for each section that has a result; returns how many there are.

    Parameters
    ----------
    store : Store
        The study.
    leaving : Leaving
        What is shown of it.
    out : Path
        Folder to write to.
    suffix : str
        What follows the name of the overlay, without its own ending.
    write : callable
        Makes the file; None where a section has nothing to show.

    Raises
    ------
    EnvironmentProblem
        If one cannot be written.
    """
    written = set()
    for section in shown_sections(store, leaving):
        data = write(section)
        if data is not None:
            path = out / f"{section.stem}{suffix}"
            written.add(path)
            write_atomic(path, data)
    return len(written)


def with_geometry(store: Store, entry: SectionEntry) -> SectionResult | None:
    """The result of a section with all that was found in it; None where there is none."""
    corrected, analysis_id = entry.corrected, entry.placement.analysis_id
    if corrected is None or analysis_id is None:
        return None
    result = corrected.result
    if not corrected.edits:  # what was read for the tables has no geometry
        found = replace(store.findings(analysis_id), detail=result.findings.detail)
        result = replace(result, findings=found)
    return as_tabled(entry, result)


def as_tabled(entry: SectionEntry, result: SectionResult) -> SectionResult:
    """A result as the tables have it: nothing is counted in a negative control, whatever was found there."""
    if entry.status == "ok":
        return result
    crossings = tuple(replace(c, counted=False, reason="section_refused") for c in result.crossings)
    return replace(result, status=Status.REFUSED, reason=entry.reason, crossings=crossings)


def exclusions_of(result: SectionResult, protocol: Protocol) -> tuple[Stretch, ...] | None:
    """All that is not evaluated, as the overlay shows it; None where nothing could be measured."""
    found = result.findings
    if found.pixel_size_um is None:
        return None
    return effective_exclusions(
        found.pieces,
        found.exclusions,
        pixel_size_um=found.pixel_size_um,
        cut_edge_um=protocol.counting.cut_edge_um,
    )
