"""Stand-ins for image analysis, at the top level so that another process can import them.

A "section" is a small text file; its content says how it behaves.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ienfd.batch.engine import Engine
from ienfd.errors import RefusedError, UnreadableError
from ienfd.protocol import Protocol
from ienfd.result import (
    Crossing,
    FiberGraph,
    Findings,
    Lengths,
    Piece,
    SectionResult,
    Status,
)
from ienfd.section import Calibration, CalibrationSource, Identity, Section


@dataclass(frozen=True)
class Described:
    calibration: Calibration
    planes: int = 1
    shape: tuple[int, int] = (40, 60)
    nbytes: int = 2400


def behaviour(path: Path) -> str:
    return path.read_text(encoding="utf-8").split()[0] if path.stat().st_size else "empty"


def file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def describe(path: Path) -> Described:
    if behaviour(path) == "empty":
        raise UnreadableError("empty_file", path.name)
    calibrated = behaviour(path) != "uncalibrated"
    size = (
        Calibration(0.5, CalibrationSource.OME) if calibrated else Calibration(None, problem="uncalibrated")
    )
    return Described(size)


def read(path: Path, **options: Any) -> Section:
    kind = behaviour(path)
    if kind == "truncated":
        raise UnreadableError("truncated", path.name)
    if kind == "axes":
        raise RefusedError("axes_unknown", "5 axes")
    if kind == "bug":
        raise ZeroDivisionError("a bug of the program")
    if kind == "kill":
        os._exit(9)
    if kind == "slow":
        time.sleep(0.4)
    if kind == "hang":
        time.sleep(60)
    size = options["pixel_size_um"] or describe(path).calibration.pixel_size_um
    return Section(
        pixels=np.full((1, 40, 60, 1), len(path.read_bytes()) % 200, np.uint8),
        calibration=Calibration(size, CalibrationSource.OME, problem=None if size else "uncalibrated"),
        identity=Identity(options["sha256"], options["scene"]),
        name=path.name,
        bit_depth=8,
    )


def find(section: Section, protocol: Protocol) -> Findings:
    line = np.column_stack([np.full(30, 20.0 + 1 / 3), np.arange(30) * 2.0])
    size = section.calibration.pixel_size_um
    return Findings(
        section_id=section.identity.section_id,
        analysis_key="not known here",
        stain="fluorescence",
        pixel_size_um=size,
        shape=section.shape,
        pieces=(Piece(line - 10, line, np.full(30, 0.87654)),) if size else (),
        graph=FiberGraph(np.empty((0, 2))),
        refusal=None if size else "uncalibrated",
        measures=(("brightness", float(section.pixels.mean())),),
    )


def count(findings: Findings, protocol: Protocol) -> SectionResult:
    if findings.refusal:
        return SectionResult(findings, Status.REFUSED, findings.refusal, (), None)
    row, col = findings.pieces[0].junction_px[15]
    reach = protocol.counting.min_reach_um
    crossing = Crossing(
        f"c-{findings.section_id}-{findings.analysis_key[:8]}", "f", 0, float(row), float(col), None, 15.0,
        True, "crosses", 0.9, reach, reach, 7.0,
    )  # fmt: skip
    lengths = Lengths(1.1, 1.2, 1.0, 0.1, 1.0, protocol.density.length_line)
    return SectionResult(
        findings, Status.OK, None, (crossing,), lengths, 1.0 / lengths.evaluable_mm, 0.1, 5.6
    )


def picture(section: Section) -> np.ndarray:
    grey = section.pixels[0, ..., 0]
    return np.stack([grey, grey, grey], axis=-1)


def overlay(pixels: np.ndarray, result: SectionResult, title: str, protocol: Protocol) -> Image.Image:
    drawn = pixels.copy()
    drawn[0, : result.count or 0] = (255, 0, 0)
    drawn[1, : round(protocol.counting.min_reach_um)] = (0, 255, 0)
    return Image.fromarray(drawn)


def not_to_be_read(path: Path, **options: Any) -> Section:
    raise AssertionError(f"{path} was read")


ENGINE = Engine(file_sha256, describe, read, find, count, picture, overlay)
NO_READING = replace(ENGINE, read=not_to_be_read)
