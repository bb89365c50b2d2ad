"""What goes into the store and comes out of it, without any database in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from ienfd.result import SectionResult

__all__ = [
    "Analyzed",
    "BiopsyRecord",
    "Facts",
    "FileRecord",
    "Outcome",
    "Placement",
    "ResultEnding",
    "RunRecord",
    "Standing",
    "StoredObject",
    "analysis_id",
    "result_id",
]

_NAMESPACE = UUID("2f1c6a53-5b62-5c0f-9b0e-3a2f8b6f7d10")


def analysis_id(section_id: str, analysis_key: str) -> str:
    """UUID of the analysis of a section under a key."""
    return str(uuid5(_NAMESPACE, f"{section_id}/{analysis_key}"))


def result_id(analysis: str, rules_key: str) -> str:
    """UUID of the result of an analysis under counting rules."""
    return str(uuid5(_NAMESPACE, f"{analysis}/{rules_key}"))


@dataclass(frozen=True)
class Facts:
    """What a file says of itself that a table or report shows, and that is no finding.

    Parameters
    ----------
    planes : int
        Focal planes in the file.
    channels : tuple of str
        Names of its channels, empty where they have none.
    rgb : bool
        Whether it is a color image.
    bit_depth : int or None
        Significant bits of an integer image.
    pictured : bool
        Whether a picture of it was stored.
    """

    planes: int = 1
    channels: tuple[str, ...] = ()
    rgb: bool = False
    bit_depth: int | None = None
    pictured: bool = False


@dataclass(frozen=True)
class BiopsyRecord:
    """A biopsy as the case table gives it; `extra` carries further columns through."""

    case_id: str
    biopsy_id: str
    site: str | None = None
    side: str | None = None
    collection_date: str | None = None
    age_years: float | None = None
    sex: str | None = None
    patient_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FileRecord:
    """One section of one file of a run.

    Parameters
    ----------
    path : str
        Relative to the image folder, with `/`.
    sha256 : str or None
        Content of the file; None when it could not be read.
    size_bytes : int or None
        Its size.
    scene, region : int
        Which image of the file, and which part of it.
    section_id : str or None
        Id of the section; None without content.
    biopsy : BiopsyRecord
        Where it belongs.
    case : mapping
        What the case table says of this file, in JSON's types.
    calibration : mapping
        `pixel_size_um` and `source` that hold for it.
    analysis_id : str or None
        The analysis that is wanted; None when that could not be known beforehand.
    """

    path: str
    sha256: str | None
    size_bytes: int | None
    scene: int
    region: int
    section_id: str | None
    biopsy: BiopsyRecord
    case: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    analysis_id: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """What is asked of a run.

    Parameters
    ----------
    root : str
        Absolute path of the image folder.
    scope : str
        Path under `root` that was searched (empty for all of it): what is no longer found there is
        no longer shown.
    protocol_id, protocol_hash, protocol_json : str
        The protocol: its name, its hash, its resolved values.
    rules_key : str
        Which counting rules are applied.
    algorithm_version, software_version : str
        What does it.
    options : mapping
        The options of the command, for the record.
    """

    root: str
    scope: str
    protocol_id: str
    protocol_hash: str
    protocol_json: str
    rules_key: str
    algorithm_version: str
    software_version: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How one section of one file ended: `done` with an analysis, or `failed` with a reason."""

    path: str
    scene: int
    region: int
    reason: str | None = None
    detail: str = ""
    attempts: int = 1
    analysis_id: str | None = None

    @property
    def status(self) -> str:
        """Whether it is done or failed."""
        return "failed" if self.analysis_id is None else "done"


@dataclass(frozen=True)
class StoredObject:
    """One row of `objects`: stable id, kind, compact geometry (`ienfd.study.encoding`), properties."""

    object_id: str
    kind: str
    geometry: bytes | None
    properties: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Analyzed:
    """A section freshly analyzed and counted, with all that the store keeps of it.

    Parameters
    ----------
    result : SectionResult
        Its findings must be in their stored form (`ienfd.study.encoding.stored_form`) already when
        they are counted.
    objects : sequence of StoredObject
        What that function has given beside them.
    facts : Facts
        What the file says.
    protocol_hash, rules_key, algorithm_version : str
        Under which choices, by which version.
    seconds : float
        How long it took.
    """

    result: SectionResult
    objects: Sequence[StoredObject]
    facts: Facts
    protocol_hash: str
    rules_key: str
    algorithm_version: str
    seconds: float = 0.0


@dataclass(frozen=True)
class ResultEnding:
    """How an analysis ended under counting rules, and whether there is a picture of it."""

    status: str
    reason: str | None
    pictured: bool


@dataclass(frozen=True)
class Standing:
    """How a row has ended, in a few words; `listed` when a person said whose it is."""

    root: str
    path: str
    scene: int
    region: int
    case_id: str
    biopsy_id: str
    listed: bool
    control: str | None
    section_id: str | None
    analysis_id: str | None
    status: str
    reason: str | None
    rules_key: str = ""


@dataclass(frozen=True)
class Placement:
    """The present row of a file in the study, as `Store.placements` returns it."""

    path: str
    root: str
    sha256: str | None
    scene: int
    region: int
    section_id: str | None
    case_id: str
    biopsy_id: str
    case: Mapping[str, Any]
    calibration: Mapping[str, Any]
    status: str
    reason: str | None
    detail: str
    analysis_id: str | None
    facts: Facts
    protocol_id: str
    protocol_hash: str
    rules_key: str
    algorithm_version: str
