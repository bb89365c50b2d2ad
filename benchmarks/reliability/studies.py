"""Studies written straight into a store, without any process or image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

import numpy as np

from ienfd.analysis_key import rules_key
from ienfd.protocol import Protocol, Stain, canonical_json
from ienfd.result import (
    Cell,
    Crossing,
    FiberGraph,
    Findings,
    Lengths,
    Piece,
    SectionResult,
    Status,
    Stretch,
)
from ienfd.section import Identity
from ienfd.study.encoding import stored_form
from ienfd.study.records import (
    Analyzed,
    BiopsyRecord,
    Facts,
    FileRecord,
    Outcome,
    RunRecord,
    analysis_id,
)
from ienfd.study.store import Store

PERSON = {"age_years": 56.0, "sex": "F", "site": "distal_leg", "section_um": 50.0, "planes": "projection"}


@dataclass(frozen=True)
class File:
    """A file of a study, what the case table says of it, and how it ended."""

    path: str
    case: dict[str, Any] = field(default_factory=dict)
    status: str = "ok"
    reason: str | None = None
    detail: str = ""
    crossings: int = 4
    evaluable_mm: float = 2.0
    content: str = ""
    scene: int = 0
    unreadable: bool = False
    measures: tuple[tuple[str, float], ...] = ()
    fingerprint: str = ""
    pixel_size_um: float = 0.325
    stain: Stain = "bright-field"
    file_planes: int = 7

    @property
    def section_id(self) -> str:
        return Identity(self.sha256, self.scene).section_id

    @property
    def sha256(self) -> str:
        return sha256((self.content or self.path).encode()).hexdigest()


def of_biopsy(path: str, case_id: str = "C1", biopsy_id: str = "B1", **more: Any) -> File:
    extra = {name: more.pop(name) for name in tuple(more) if name not in File.__dataclass_fields__}
    return File(path, {**PERSON, "case_id": case_id, "biopsy_id": biopsy_id, **extra}, **more)


def fill(
    store: Store,
    files: list[File],
    *,
    protocol: Protocol | None = None,
    root: str = "/images",
    key: str = "key",
    crossings: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """A run over these files; `key` is the analysis key, `crossings` what it finds in each."""
    files = files if crossings is None else [replace(file, crossings=crossings) for file in files]
    protocol = protocol or Protocol()
    rules = rules_key(protocol)
    run = RunRecord(
        root, "", protocol.id, protocol.hash, canonical_json(asdict(protocol)), rules, "1", "0.1.0",
        options or {},
    )  # fmt: skip
    run_id = store.begin_run(run, [_record(file) for file in files])
    signed = store.signed_endings(root)
    for file in files:
        if (file.path, file.scene, 0) in signed:
            continue
        if file.status == "failed":
            store.record(run_id, Outcome(file.path, file.scene, 0, file.reason, file.detail))
        elif file.status != "pending":
            found, objects = stored_form(_findings(file, key))
            facts = Facts(planes=file.file_planes, pictured=True)
            result = _result(file, found, protocol)
            analyzed = Analyzed(result, objects, facts, protocol.hash, rules, "1")
            store.record(
                run_id, Outcome(file.path, file.scene, 0, analysis_id=_analysis(file, key)), analyzed
            )
    store.end_run(run_id, "finished")


def _analysis(file: File, key: str) -> str:
    return analysis_id(file.section_id, key)


def _record(file: File) -> FileRecord:
    case_id, biopsy_id = file.case.get("case_id", file.path), file.case.get("biopsy_id", file.path)
    sha256, section_id = (None, None) if file.unreadable else (file.sha256, file.section_id)
    return FileRecord(
        file.path, sha256, 10, file.scene, 0, section_id, BiopsyRecord(case_id, biopsy_id),
        file.case, {"pixel_size_um": file.pixel_size_um, "source": "ome"},
    )  # fmt: skip


def _findings(file: File, key: str) -> Findings:
    """Two junctions at right angles: 100 px of confidence 0.9, 300 px of confidence 0.5."""
    short = np.column_stack([np.zeros(11), np.arange(11) * 10.0])
    long = np.column_stack([np.arange(4) * 100.0, np.zeros(4)])
    return Findings(
        section_id=file.section_id,
        analysis_key=key,
        stain=file.stain,
        pixel_size_um=file.pixel_size_um,
        shape=(400, 400),
        pieces=(Piece(short, short, np.full(11, 0.9)), Piece(long, long, np.full(4, 0.5))),
        exclusions=(Stretch(0, 0.0, 3.0, "junction_low_confidence"),),
        graph=FiberGraph(np.empty((0, 2)), (), (Cell(1, 2, 3, 4), Cell(5, 6, 7, 8))),
        refusal=file.reason if file.status == "refused" else None,
        detail=file.detail,
        measures=(
            ("junction_confidence", 0.6),
            ("dendritic_cells", 2.0),
            ("epidermis_mm2", 0.16),
            *file.measures,
        ),
        fingerprint=file.fingerprint,
    )


def _result(file: File, findings: Findings, protocol: Protocol) -> SectionResult:
    ok = file.status == "ok"
    ends = ["crosses"] * file.crossings + ["fragment", "approaching", "approaching"]
    crossings = tuple(
        Crossing(
            f"c{n}-{findings.section_id[:8]}", f"f{n}", 0, n + 1 / 3, 2.0, None if n else 1.5, 3.0 * n,
            ok and reason == "crosses", reason if ok else "section_refused", 0.8125,
        )
        for n, reason in enumerate(ends)
    )  # fmt: skip
    lengths = Lengths(2.5, 3.5, 2.25, 0.5, file.evaluable_mm, protocol.density.length_line)
    if not ok:
        return SectionResult(findings, Status.REFUSED, file.reason, crossings, lengths)
    density = file.crossings / file.evaluable_mm
    return SectionResult(findings, Status.OK, None, crossings, lengths, density, 0.5, 5.5, ("soft_focus",))
