"""A small skin, written straight into a study, and a reviewer before it.

The skin is 400 um long at 0.5 um per pixel: the surface 60 um above a straight junction, and fibers that
cross it or do not. It is counted by the rules themselves, so that every correction does what it would do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ienfd.analysis_key import rules_key
from ienfd.batch.files import StudyFiles, write_atomic
from ienfd.correction.commands import Edit, LoggedEdit
from ienfd.density import count
from ienfd.geometry import FloatArray, resample
from ienfd.protocol import Protocol, Stain, canonical_json
from ienfd.result import Branch, Cell, Crossing, FiberGraph, Findings, Piece, SectionResult, Stretch
from ienfd.review.desk import Desk
from ienfd.review.reviewer import Reviewer
from ienfd.review.sheet import Sheet
from ienfd.section import Identity
from ienfd.study.encoding import stored_form
from ienfd.study.log import Target
from ienfd.study.records import Analyzed, BiopsyRecord, Facts, FileRecord, Outcome, RunRecord, analysis_id
from ienfd.study.store import Store

SIZE = 0.5
SHAPE = (320, 800)
ROW = 160.0
"""Of the junction."""

PROTOCOL = Protocol()
PERSON = {"age_years": 56.0, "sex": "F", "site": "distal_leg", "section_um": 50.0, "planes": "projection"}


@dataclass(frozen=True)
class Fiber:
    """A straight fiber at so many um along the junction, from above to below it."""

    along_um: float
    above_um: float = 40.0
    below_um: float = 30.0
    contrast: float = 12.0


SURE = (Fiber(50.0), Fiber(150.0), Fiber(250.0))
DOUBTFUL = Fiber(300.0, above_um=6.0, below_um=8.0, contrast=3.36)
FAINT = Fiber(100.0, above_um=6.0, below_um=6.0, contrast=3.35)
APPROACHING = Fiber(350.0, above_um=-4.0)
EVERYTHING = (*SURE, DOUBTFUL, FAINT, APPROACHING)


def at(along_um: float, below_um: float = 0.0) -> tuple[float, float]:
    """Place in pixels."""
    return ROW + below_um / SIZE, along_um / SIZE


def skin(
    fibers: Sequence[Fiber] = EVERYTHING,
    *,
    confidence: float = 0.9,
    unsure_um: tuple[float, float] = (0.0, 0.0),
    exclusions: tuple[Stretch, ...] = (),
    cells: tuple[Cell, ...] = (),
    stain: Stain = "bright-field",
    refusal: str | None = None,
    key: str = "one",
    flags: tuple[str, ...] = (),
) -> Findings:
    """The skin; its junction has a confidence of 0.4 over `unsure_um`."""
    cols = np.arange(0.0, SHAPE[1], 4.0)
    junction = np.column_stack([np.full(len(cols), ROW), cols])
    along = cols * SIZE
    sure = np.where((along >= unsure_um[0]) & (along < unsure_um[1]), 0.4, confidence)
    nodes, branches = [], []
    for number, fiber in enumerate(fibers):
        ends = np.array([at(fiber.along_um, -fiber.above_um), at(fiber.along_um, fiber.below_um)])
        path = resample(ends, 1.0)
        nodes += list(ends)
        branches.append(
            Branch(2 * number, 2 * number + 1, path, np.full(len(path), fiber.contrast),
                   np.zeros(len(path), bool))
        )  # fmt: skip
    return Findings(
        "", key, stain, SIZE, SHAPE, (Piece(junction - [120.0, 0.0], junction, sure),), exclusions,
        FiberGraph(np.array(nodes).reshape(-1, 2), tuple(branches), cells), refusal, flags=flags,
    )  # fmt: skip


@dataclass(frozen=True)
class Slide:
    """A file of a study: what was found in it, and how it ended."""

    path: str = "a.tif"
    findings: Findings = field(default_factory=skin)
    case: dict[str, Any] = field(default_factory=dict)
    status: str = "done"
    reason: str | None = None
    content: bytes = b""

    @property
    def sha256(self) -> str:
        return sha256(self.content or self.path.encode()).hexdigest()

    @property
    def section_id(self) -> str:
        return Identity(self.sha256).section_id


def slide(path: str = "a.tif", findings: Findings | None = None, **more: Any) -> Slide:
    """A file of biopsy B1 of case C1, unless it says otherwise."""
    own = {name: more.pop(name) for name in tuple(more) if name in Slide.__dataclass_fields__}
    case = {**PERSON, "case_id": "C1", "biopsy_id": "B1", **more}
    return Slide(path, findings or skin(), case, **own)


def lay_down(
    store: Store, *slides: Slide, root: Path | str = "/images", protocol: Protocol = PROTOCOL
) -> None:
    """A run over these files."""
    rules = rules_key(protocol)
    run = RunRecord(
        str(root), "", protocol.id, protocol.hash, canonical_json(asdict(protocol)), rules, "1", "0.1.0"
    )  # fmt: skip
    run_id = store.begin_run(run, [_record(one) for one in slides])
    for one in slides:
        if one.status == "failed":
            store.record(run_id, Outcome(one.path, 0, 0, one.reason or "corrupt"))
        elif one.status == "done":
            found, objects = stored_form(replace(one.findings, section_id=one.section_id))
            picture = picture_of(found)
            write_atomic(StudyFiles(store.folder).picture(one.section_id), picture)
            analyzed = Analyzed(
                count(found, protocol), objects, Facts(pictured=True), protocol.hash, rules, "1"
            )
            done = analysis_id(one.section_id, found.analysis_key)
            store.record(run_id, Outcome(one.path, 0, 0, analysis_id=done), analyzed)
    store.end_run(run_id, "finished")


def _record(one: Slide) -> FileRecord:
    case_id, biopsy_id = one.case.get("case_id", one.path), one.case.get("biopsy_id", one.path)
    return FileRecord(
        one.path, one.sha256, 10, 0, 0, one.section_id, BiopsyRecord(case_id, biopsy_id),
        one.case, {"pixel_size_um": SIZE, "source": "ome"},
    )  # fmt: skip


def picture_of(findings: Findings) -> bytes:
    """A picture at half the size: dark epidermis under a bright ground, the dermis between them."""
    height, width = (side // 2 for side in findings.shape)
    pixels = np.full((height, width, 3), 235, np.uint8)
    pixels[20 : int(ROW / 2)] = (120, 90, 130)
    pixels[int(ROW / 2) :] = (200, 170, 190)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="JPEG", quality=95)
    return out.getvalue()


@contextmanager
def study(folder: Path, *slides: Slide) -> Iterator[Store]:
    """A study of these files; one slide of everything when none is given."""
    with Store(folder / "study", create=True) as store:
        lay_down(store, *(slides or (slide(),)))
        yield store


class Heard:
    """What a reviewer was told, and where the view flew."""

    def __init__(self, reviewer: Reviewer) -> None:
        self.said: list[str] = []
        self.troubled: list[str] = []
        self.flights: list[tuple[float, float, float]] = []
        reviewer.said.connect(lambda words: self.said.append(words))
        reviewer.troubled.connect(lambda words: self.troubled.append(words))
        reviewer.flew.connect(lambda *flight: self.flights.append(flight))


def reviewer_of(store: Store, name: str = "A. Reader", *, path: str = "a.tif", **options: Any) -> Reviewer:
    """Somebody new at a new desk, with a section open: what every start of the program is."""
    reviewer = Reviewer(Desk(store), name, **options)
    go_to(reviewer, path)
    return reviewer


def go_to(reviewer: Reviewer, path: str) -> None:
    """Open the section of this file."""
    (item,) = [item for item in reviewer.desk.items if item.row.path == path]
    reviewer.open(item)


def sheet_of(reviewer: Reviewer) -> Sheet:
    """What lies before a reviewer."""
    assert reviewer.sheet is not None
    return reviewer.sheet


def laid(slide_: Slide | None = None, *edits: Edit, store: Store, who: str = "A. Reader") -> Sheet:
    """The sheet of a slide, with these edits written one after the other."""
    one = slide_ or slide()
    reviewer = reviewer_of(store, who, path=one.path)
    write(store, one, *edits, who=who)
    reviewer.refresh()
    return sheet_of(reviewer)


def write(store: Store, one: Slide, *edits: Edit, who: str = "A. Reader") -> list[LoggedEdit]:
    """Edits of a section, as another program would write them."""
    case = one.case
    target = Target(
        case.get("case_id"), case.get("biopsy_id"), one.section_id,
        analysis_id(one.section_id, one.findings.analysis_key),
    )  # fmt: skip
    base = max((entry.seq for entry in store.edits(target)), default=0)
    return store.append(edits, target, who=who, base_seq=base)


def crossing_at(result: SectionResult, along_um: float) -> Crossing:
    """The candidate nearest to a place along the junction."""
    return min(result.crossings, key=lambda c: abs(c.junction_position_um - along_um))


def by_place(result: SectionResult) -> dict[int, tuple[bool, str]]:
    """Of every candidate, by its place along the junction: whether it is counted, and why."""
    return {round(c.junction_position_um): (c.counted, c.reason) for c in result.crossings}


def line(*places: tuple[float, float]) -> FloatArray:
    return np.asarray(places, dtype=np.float64)
