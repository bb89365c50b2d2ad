"""The plan: every row that a run will have, what is done already, and what must be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ienfd.analysis_key import ALGORITHM_VERSION, analysis_key, rules_key
from ienfd.batch.discover import Discovery, FoundFile
from ienfd.batch.engine import Engine
from ienfd.batch.files import overlay_title
from ienfd.batch.jobs import Executor, Failure, Job
from ienfd.batch.look import FileLook, LookTask, look
from ienfd.batch.tasks import SectionTask
from ienfd.protocol import Protocol, Stain
from ienfd.section import CalibrationSource, Identity
from ienfd.study.records import BiopsyRecord, FileRecord, analysis_id

__all__ = ["BatchOptions", "FileCase", "Item", "Plan", "make_plan"]


@dataclass(frozen=True)
class BatchOptions:
    """What a person asks of a run.

    Parameters
    ----------
    images, out : Path
        Where the images are, and the study.
    protocol : Protocol
        Every choice of the laboratory.
    cases : Path or None
        The case table, when it is not `cases.csv` in the image folder.
    name_pattern : str or None
        Pattern that takes case data from file names.
    pixel_size_um : float or None
        Pixel size of all files that the case table does not give one for.
    axes : str or None
        The meaning of the axes.
    stain : {"bright-field", "fluorescence"} or None
        The stain of all files that the case table does not give one for.
    time_limit_s : float
        A section that takes longer fails.
    shared : bool
        Let the group of a new study folder use the study, too.
    ready : frozenset of Path or None
        The only files that are looked at; None for all.
    scheduler : str or None
        Address of a Dask scheduler; None for processes of this machine.
    insecure_scheduler : bool
        Whether it may be one that is neither encrypted nor on this machine.
    engine : Engine
        What is done with each section.
    """

    images: Path
    out: Path
    protocol: Protocol = field(default_factory=Protocol)
    cases: Path | None = None
    name_pattern: str | None = None
    pixel_size_um: float | None = None
    axes: str | None = None
    stain: Stain | None = None
    time_limit_s: float = 600.0
    shared: bool = False
    ready: frozenset[Path] | None = None
    scheduler: str | None = None
    insecure_scheduler: bool = False
    engine: Engine = field(default_factory=Engine)


@dataclass(frozen=True)
class FileCase:
    """What is known of a file from the case table.

    Parameters
    ----------
    biopsy : BiopsyRecord
        Where it belongs.
    values : mapping
        All that the case table says of it, in JSON's types.
    stain : {"bright-field", "fluorescence"} or None
        Its stain.
    pixel_size_um : float or None
        Its pixel size.
    """

    biopsy: BiopsyRecord
    values: Mapping[str, Any] = field(default_factory=dict)
    stain: Stain | None = None
    pixel_size_um: float | None = None


@dataclass(frozen=True)
class Item:
    """One row of the plan.

    Parameters
    ----------
    record : FileRecord
        What the store is told.
    task : SectionTask or None
        How to analyze it; None when it is known to have failed.
    memory_bytes : int
        What that is expected to take.
    failure : Failure or None
        Why it has failed.
    """

    record: FileRecord
    task: SectionTask | None = None
    memory_bytes: int = 0
    failure: Failure | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """What tells it from all other rows: path, scene, region."""
        return self.record.path, self.record.scene, self.record.region

    @property
    def title(self) -> str:
        """What stands over its overlay: file, scene, biopsy."""
        record = self.record
        return overlay_title(record.path, record.scene, record.biopsy.case_id, record.biopsy.biopsy_id)


@dataclass(frozen=True)
class Plan:
    """All rows of a run.

    Parameters
    ----------
    options : BatchOptions
        What was asked.
    discovery : Discovery
        What was found.
    items : tuple of Item
        The rows, by path and scene.
    warnings : tuple of str
        What a person should know.
    """

    options: BatchOptions
    discovery: Discovery
    items: tuple[Item, ...]
    warnings: tuple[str, ...] = ()

    @property
    def rules_key(self) -> str:
        """Which counting rules hold."""
        return rules_key(self.options.protocol)

    @property
    def algorithm_version(self) -> str:
        """Version of the image analysis."""
        return ALGORITHM_VERSION


def make_plan(
    options: BatchOptions,
    discovery: Discovery,
    case_of: Callable[[str], FileCase],
    executor: Executor,
    *,
    warnings: tuple[str, ...] = (),
    memory_limit_bytes: int | None = None,
    on_look: Callable[[int, int], None] = lambda done, total: None,
) -> Plan:
    """Look at every file, and say what is to be done with it.

    Parameters
    ----------
    options : BatchOptions
        What was asked.
    discovery : Discovery
        What was found.
    case_of : callable
        What the case table says of a path relative to the image folder.
    executor : Executor
        Who looks into the files.
    warnings : tuple of str
        What the case table warns of.
    memory_limit_bytes : int or None
        Images that need more are not read.
    on_look : callable
        Told how many files were looked at, of how many.
    """
    files = {file.name: file for file in discovery.files}
    tasks = (
        Job(name, look, LookTask(file.path, options.axes, options.engine)) for name, file in files.items()
    )
    looks: dict[str, FileLook] = {}
    for ending in executor.run(tasks):
        looks[ending.key] = ending.value if ending.failure is None else FileLook(failure=ending.failure)
        on_look(len(looks), len(files))
    items = [
        item
        for name, file in files.items()
        for item in _items(options, file, looks[name], case_of(name), memory_limit_bytes)
    ]
    unreadable = tuple(f"the folder {folder} could not be read" for folder in discovery.unreadable)
    return Plan(options, discovery, tuple(sorted(items, key=lambda i: i.place)), (*warnings, *unreadable))


def _items(
    options: BatchOptions, file: FoundFile, seen: FileLook, case: FileCase, memory_limit_bytes: int | None
) -> Iterator[Item]:
    pixel_size_um, source = _calibration(options, seen, case)
    calibration = {"pixel_size_um": pixel_size_um, "source": source}
    common: dict[str, Any] = {
        "path": file.name,
        "sha256": seen.sha256,
        "size_bytes": seen.stamp.size_bytes if seen.stamp else None,
        "region": 0,
        "biopsy": case.biopsy,
        "case": case.values,
        "calibration": calibration,
    }
    for scene in range(seen.scenes):
        if seen.failure is not None or seen.sha256 is None or seen.stamp is None:
            section = Identity(seen.sha256, scene).section_id if seen.sha256 else None
            yield Item(FileRecord(**common, scene=scene, section_id=section), failure=seen.failure)
            continue
        stain = case.stain or options.stain
        key = analysis_key(
            pixel_size_um=pixel_size_um, stain=stain, axes=options.axes, protocol=options.protocol
        )
        section = Identity(seen.sha256, scene).section_id
        task = SectionTask(
            path=file.path,
            sha256=seen.sha256,
            stamp=seen.stamp,
            key=key,
            scene=scene,
            pixel_size_um=case.pixel_size_um or options.pixel_size_um,
            pixel_size_source=CalibrationSource.CASES if case.pixel_size_um else CalibrationSource.OPTION,
            axes=options.axes,
            stain=stain,
            protocol=options.protocol,
            memory_limit_bytes=memory_limit_bytes,
            engine=options.engine,
        )
        record = FileRecord(**common, scene=scene, section_id=section, analysis_id=analysis_id(section, key))
        yield Item(record, task, seen.memory_bytes)


def _calibration(options: BatchOptions, seen: FileLook, case: FileCase) -> tuple[float | None, str]:
    """The pixel size that holds: of the case table, else of the option, else of the file."""
    if case.pixel_size_um is not None:
        return case.pixel_size_um, CalibrationSource.CASES.value
    if options.pixel_size_um is not None:
        return options.pixel_size_um, CalibrationSource.OPTION.value
    return seen.pixel_size_um, seen.pixel_size_source
