"""What a worker process does with one section: from a file, or from findings, to a product.

Nothing is written here: what was found, the picture and the overlay are sent back, so that a task
runs the same on this machine and on another one.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from ienfd.analysis_key import rules_key
from ienfd.batch.engine import Engine
from ienfd.batch.jobs import Failure
from ienfd.errors import RefusedError, UnreadableError
from ienfd.protocol import Protocol, Stain
from ienfd.section import CalibrationSource, Identity
from ienfd.study.records import Facts, StoredObject, analysis_id, result_id

if TYPE_CHECKING:
    from ienfd.result import Findings, SectionResult
    from ienfd.section import Section

__all__ = [
    "CORRECTED",
    "FileStamp",
    "Product",
    "Recount",
    "SectionTask",
    "analyze_file",
    "draw_overlay",
    "effective_protocol",
    "label_of",
    "read_label",
    "recount",
]

PICTURE_FORMAT = "JPEG"
CORRECTED = "+"
"""Between the label of an overlay and the number of the last correction that it shows."""

_OVERLAY_KEY = "ienfd"


@dataclass(frozen=True)
class FileStamp:
    """Size and time of a file, which tell that it was written to in the meantime."""

    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """The stamp of a file now."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class SectionTask:
    """A section of a file that is to be read.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Content of the file when the plan was made.
    stamp : FileStamp
        Its stamp at that moment.
    key : str
        The analysis key of what is asked for.
    scene : int
        Which image of the file.
    pixel_size_um : float or None
        Pixel size from the case table or an option, which overrides the file's.
    pixel_size_source : CalibrationSource
        Which of the two.
    axes : str or None
        The meaning of the axes, where it was given.
    stain : {"bright-field", "fluorescence"} or None
        The stain of this section, where it was given.
    protocol : Protocol
        All other choices.
    memory_limit_bytes : int or None
        Images that need more are not read.
    titles : tuple of str
        First line of each overlay to draw: files with the same content share a task.
    engine : Engine
        What is done.
    """

    path: Path
    sha256: str
    stamp: FileStamp
    key: str
    scene: int = 0
    pixel_size_um: float | None = None
    pixel_size_source: CalibrationSource = CalibrationSource.OPTION
    axes: str | None = None
    stain: Stain | None = None
    protocol: Protocol = field(default_factory=Protocol)
    memory_limit_bytes: int | None = None
    titles: tuple[str, ...] = ()
    engine: Engine = field(default_factory=Engine)


@dataclass(frozen=True, eq=False)
class Recount:
    """Findings that are to be counted and drawn anew.

    Parameters
    ----------
    findings : Findings
        As the store gives them.
    protocol : Protocol
        Under which choices.
    pictured : bool
        Whether there is anything to draw over.
    picture : bytes or None
        The stored picture; None when it is gone.
    task : SectionTask
        How to read the file again, if the picture is gone.
    """

    findings: Findings
    protocol: Protocol
    pictured: bool
    picture: bytes | None
    task: SectionTask


@dataclass(frozen=True, eq=False)
class Product:
    """What became of a task: a result with its pictures, or a failure.

    Parameters
    ----------
    result : SectionResult or None
        The result; its findings are as the store will give them back.
    objects : list of StoredObject
        What the store will hold of them.
    facts : Facts
        What the file says.
    picture : bytes or None
        The encoded picture; None where there is none, or no new one.
    overlays : tuple of bytes
        The encoded overlays, one for each title of the task.
    failure : Failure or None
        Why the file gave no result.
    seconds : mapping of str to float
        Time spent in each stage.
    """

    result: SectionResult | None = None
    objects: list[StoredObject] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    picture: bytes | None = None
    overlays: tuple[bytes, ...] = ()
    failure: Failure | None = None
    seconds: dict[str, float] = field(default_factory=dict)


def effective_protocol(protocol: Protocol, stain: Stain | None) -> Protocol:
    """The protocol with the stain that was given for this section."""
    return protocol if stain is None else replace(protocol, image=replace(protocol.image, stain=stain))


def analyze_file(task: SectionTask) -> Product:
    """Read, analyze, count and draw one section."""
    from ienfd.study.encoding import stored_form

    seconds: dict[str, float] = {}
    protocol = effective_protocol(task.protocol, task.stain)
    try:
        with _timed(seconds, "read"):
            section = _read(task)
    except RefusedError as error:
        findings = _unread(task, error)
        return Product(_counted(task.engine, findings, protocol), seconds=seconds)
    except UnreadableError as error:
        return Product(failure=Failure(error.code, error.detail), seconds=seconds)
    except MemoryError:
        return Product(failure=Failure("too_large", "out of memory while reading"), seconds=seconds)
    try:
        with _timed(seconds, "find"):
            findings = task.engine.find(section, protocol)
        findings, objects = stored_form(
            replace(findings, section_id=section.identity.section_id, analysis_key=task.key)
        )
        with _timed(seconds, "count"):
            result = _counted(task.engine, findings, protocol)
        with _timed(seconds, "draw"):
            picture = _picture(task.engine, section)
            overlays = _overlays(task, picture, result)
    except MemoryError:
        return Product(failure=Failure("too_large", "out of memory while analyzing"), seconds=seconds)
    return Product(result, objects, _facts(section), picture, overlays, seconds=seconds)


def recount(job: Recount) -> Product:
    """Count findings anew and draw them over their stored picture."""
    seconds: dict[str, float] = {}
    engine = job.task.engine
    with _timed(seconds, "count"):
        result = _counted(engine, job.findings, job.protocol)
    if not job.pictured:  # it was refused before there was anything to draw
        return Product(result, seconds=seconds)
    picture, fresh = job.picture, None
    if picture is None:
        try:
            with _timed(seconds, "read"):
                section = _read(job.task)
        except (RefusedError, UnreadableError):
            return Product(result, seconds=seconds)  # the result stands without its overlay
        picture = fresh = _picture(engine, section)
    with _timed(seconds, "draw"):
        overlays = _overlays(job.task, picture, result)
    return Product(result, picture=fresh, overlays=overlays, seconds=seconds)


def draw_overlay(
    engine: Engine, picture: bytes, result: SectionResult, title: str, protocol: Protocol, label: str
) -> bytes:
    """Draw over the picture as it is stored, so that drawing it again gives the same bytes.

    Parameters
    ----------
    engine : Engine
        Who draws.
    picture : bytes
        The stored picture.
    result : SectionResult
        With surface and fibers.
    title : str
        First line.
    protocol : Protocol
        Under which it was counted.
    label : str
        What `read_label` finds again.

    Returns
    -------
    bytes
        A PNG file.
    """
    import numpy as np
    from PIL import Image

    from ienfd.draw.png import save_png

    with Image.open(io.BytesIO(picture)) as image:
        base = np.asarray(image.convert("RGB"))
    buffer = io.BytesIO()
    save_png(engine.overlay(base, result, title, protocol), buffer, {_OVERLAY_KEY: label})
    return buffer.getvalue()


def label_of(analysis: str, protocol: Protocol, title: str) -> str:
    """What is written into an overlay: which analysis, under which rules, with which title."""
    return str(uuid5(UUID(result_id(analysis, rules_key(protocol))), title))


def read_label(png: Path) -> str | None:
    """What an overlay says it shows, None when it says nothing or is no PNG."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(png) as image:
            label = image.info.get(_OVERLAY_KEY)
    except (OSError, UnidentifiedImageError):
        return None
    return label if isinstance(label, str) else None


def _read(task: SectionTask) -> Section:
    try:
        before = FileStamp.of(task.path)
        if before != task.stamp:
            raise UnreadableError("file_changed")
        section = task.engine.read(
            task.path,
            scene=task.scene,
            pixel_size_um=task.pixel_size_um,
            pixel_size_source=task.pixel_size_source,
            axes=task.axes,
            memory_limit_bytes=task.memory_limit_bytes,
            sha256=task.sha256,
        )
        if FileStamp.of(task.path) != before:
            raise UnreadableError("file_changed")
    except (UnreadableError, RefusedError):
        raise
    except OSError as error:
        raise UnreadableError("file_vanished", error.strerror or str(error)) from error
    return section


def _unread(task: SectionTask, error: RefusedError) -> Findings:
    """Findings of a section that was refused before it had pixels."""
    from ienfd.result import Findings

    return Findings(
        section_id=Identity(task.sha256, task.scene).section_id,
        analysis_key=task.key,
        stain=None,
        pixel_size_um=None,
        shape=(0, 0),
        refusal=error.code,
        detail=error.detail,
    )


def _counted(engine: Engine, findings: Findings, protocol: Protocol) -> SectionResult:
    from ienfd.result import SectionResult, Status

    if findings.refusal is not None and findings.shape == (0, 0):
        return SectionResult(findings, Status.REFUSED, findings.refusal, (), None, flags=findings.flags)
    return engine.count(findings, protocol)


def _facts(section: Section) -> Facts:
    return Facts(
        planes=section.planes,
        channels=tuple(channel.name or "" for channel in section.channels),
        rgb=section.rgb,
        bit_depth=section.bit_depth,
        pictured=True,
    )


def _picture(engine: Engine, section: Section) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(engine.picture(section)).save(buffer, PICTURE_FORMAT, quality=85, subsampling=0)
    return buffer.getvalue()


def _overlays(task: SectionTask, picture: bytes, result: SectionResult) -> tuple[bytes, ...]:
    protocol = effective_protocol(task.protocol, task.stain)
    key = analysis_id(result.findings.section_id, result.findings.analysis_key)
    return tuple(
        draw_overlay(task.engine, picture, result, title, protocol, label_of(key, task.protocol, title))
        for title in task.titles
    )


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start
