"""One image without a study: from what a viewer holds to a section, and its result as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ienfd.correction.correct import Corrector
from ienfd.protocol import Protocol
from ienfd.report.entries import SectionEntry
from ienfd.result import SectionResult
from ienfd.review.sheet import Sheet
from ienfd.section import Calibration, CalibrationSource, Channel, Section
from ienfd.study.records import Facts, Placement

__all__ = ["loose_sheet", "section_of"]


def section_of(
    channels: Sequence[tuple[str, NDArray[Any]]], *, rgb: bool, pixel_size_um: float, z_step_um: float | None
) -> Section:
    """A section made of image layers.

    Parameters
    ----------
    channels : sequence of (str, ndarray)
        Name and pixels of each layer: (H, W) or (Z, H, W); of one color image (H, W, 3) or (Z, H, W, 3).
    rgb : bool
        Whether it is a color image.
    pixel_size_um : float
        Edge of a pixel in micrometers.
    z_step_um : float or None
        Distance of planes.

    Raises
    ------
    ValueError
        If the layers do not have one shape, or are no planes or stacks.
    """
    if not channels:
        raise ValueError("there is no image to analyze")
    if len({pixels.shape for _, pixels in channels}) > 1:
        raise ValueError("the channels differ in size")
    pixels = channels[0][1] if rgb else np.stack([one for _, one in channels], axis=-1)
    if pixels.ndim == 3:
        pixels = pixels[None]
    if pixels.ndim != 4:
        raise ValueError("an image is one plane or one stack of planes")
    calibration = Calibration(pixel_size_um, CalibrationSource.OPTION, z_step_um)
    named = (Channel(),) if rgb else tuple(Channel(name) for name, _ in channels)
    return Section(pixels[..., :3] if rgb else pixels, calibration, named, rgb, name=channels[0][0])


def loose_sheet(result: SectionResult, protocol: Protocol, name: str) -> Sheet:
    """A result that belongs to no study as a sheet, to be shown."""
    findings = result.findings
    place = Placement(
        path=name, root="", sha256=None, scene=0, region=0, section_id=findings.section_id, case_id=name,
        biopsy_id=name, case={}, calibration={"pixel_size_um": findings.pixel_size_um}, status="done",
        reason=None, detail="", analysis_id=None, facts=Facts(), protocol_id=protocol.id,
        protocol_hash=protocol.hash, rules_key="", algorithm_version="",
    )  # fmt: skip
    corrector = Corrector(result, protocol, lambda: findings)
    return Sheet(SectionEntry(place), None, findings, corrector, protocol).with_log(())
