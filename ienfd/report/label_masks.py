"""A section as label masks, for programs that segment, train or compare: an OME-TIFF of two channels.

Channel 0, `epidermis`: 0 none, 1 epidermis, 2 epidermis above a stretch of junction that is not
evaluated. Channel 1, `nerve`: 0 none, 1 fiber as it is seen, 2 gap in a fiber that was bridged, 3 body
of a dendritic cell, 4 counted crossing, 5 candidate that is not counted. Where they overlap, a fiber
stands before a gap, then a cell, a candidate, and a counted crossing before all. Fibers are as wide as
they appear, crossings are disks of 3 um radius.

A mask has the size of the image at full resolution, so that its pixels are those of the image. Where
that would be more than 100 million pixels, one pixel of the mask stands for a square of 2 x 2, 3 x 3 ...
pixels of the image, whose first one is the first of the image. What a label means, and how pixels lie in
the image, is said in the description of the OME-XML and, for programs, in its annotation. A pixel is
part of what its center lies in.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import tifffile
from numpy.typing import NDArray

from ienfd import __version__
from ienfd.geometry import FloatArray
from ienfd.report.raster import inside, near
from ienfd.result import Branch, Findings, SectionResult, Stretch
from ienfd.skin.lengths import stretch_outline_px

__all__ = ["LABELS", "label_mask_bytes", "label_masks"]

LABELS: dict[str, dict[int, str]] = {
    "epidermis": {1: "epidermis", 2: "epidermis above a stretch of junction that is not evaluated"},
    "nerve": {
        1: "fiber as it is seen",
        2: "gap in a fiber that was bridged",
        3: "body of a dendritic cell",
        4: "counted crossing",
        5: "candidate that is not counted",
    },
}
"""Meaning of every label of each channel; 0 is none of them."""

_EVALUATED, _EXCLUDED = 1, 2
_FIBER, _BRIDGED, _CELL, _COUNTED, _CANDIDATE = 1, 2, 3, 4, 5
_MOST_PX = 100_000_000
_DISK_UM = 3.0
_DISK_PX = 4.0  # where no pixel size is known
_TILE = 512
_UM_PER_CM = 10_000.0
_NAMESPACE = UUID("c3f4c5f0-3f0e-5d0c-8f43-6d2a5a1b7e10")

Mask = NDArray[np.uint8]


def label_mask_bytes(
    result: SectionResult, name: str, *, exclusions: Iterable[Stretch] | None = None
) -> bytes | None:
    """The masks of a section as a file: the same result gives the same bytes.

    Parameters
    ----------
    result : SectionResult
        With the geometry of its findings.
    name : str
        Name of the image in it.
    exclusions : iterable of Stretch, optional
        All stretches that are not evaluated (`ienfd.skin.lengths.effective_exclusions`), cut ends
        included; by default those of the findings.

    Returns
    -------
    bytes or None
        None where no epidermis was found: a mask without any would say that there is none.
    """
    findings = result.findings
    if not findings.pieces or 0 in findings.shape:
        return None
    times = _reduction(findings.shape)
    masks = label_masks(result, times, findings.exclusions if exclusions is None else tuple(exclusions))
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, masks, ome=True, photometric="minisblack", tile=(_TILE, _TILE), compression="zlib",
        compressionargs={"level": 6}, software=f"ienfd {__version__}",
        metadata={**_metadata(result, name, times), "UUID": _identity(masks)}, **_resolution(findings, times),
    )  # fmt: skip
    return stream.getvalue()


def label_masks(result: SectionResult, times: int, exclusions: Sequence[Stretch]) -> Mask:
    """The masks of a section.

    Parameters
    ----------
    result : SectionResult
        With the geometry of its findings.
    times : int
        Edge of the square of image pixels that one pixel of a mask stands for.
    exclusions : sequence of Stretch
        What is not evaluated.

    Returns
    -------
    (2, H, W) ndarray of uint8
        In the order of `LABELS`.
    """
    height, width = (math.ceil(side / times) for side in result.findings.shape)
    masks = np.zeros((2, height, width), dtype=np.uint8)
    _draw_epidermis(masks[0], result.findings, times, exclusions)
    _draw_nerve(masks[1], result, times)
    return masks


def _draw_epidermis(mask: Mask, findings: Findings, times: int, exclusions: Sequence[Stretch]) -> None:
    for piece in findings.pieces:
        outline = np.concatenate([piece.junction_px, piece.surface_px[::-1]])
        if (area := inside(_placed(outline, times), _shape(mask))) is not None:
            mask[area.rows, area.cols][area.pixels] = _EVALUATED
    if findings.pixel_size_um is None:
        return
    for stretch in exclusions:
        outline = stretch_outline_px(findings.pieces[stretch.piece], stretch, findings.pixel_size_um)
        if (area := inside(_placed(outline, times), _shape(mask))) is not None:
            part = mask[area.rows, area.cols]
            part[area.pixels & (part > 0)] = _EXCLUDED


def _draw_nerve(mask: Mask, result: SectionResult, times: int) -> None:
    findings = result.findings
    um_per_px = None if findings.pixel_size_um is None else findings.pixel_size_um * times
    shape = _shape(mask)
    runs = [(run, bridged, branch) for branch in findings.graph.branches for run, bridged in _runs(branch)]
    for label, wanted in ((_BRIDGED, True), (_FIBER, False)):
        for run, bridged, branch in runs:
            if bridged is wanted:
                width_px = branch.width_um / um_per_px if um_per_px and branch.width_um > 0 else 1.0
                mask[near(_placed(run, times), width_px / 2, shape)] = label
    for cell in findings.graph.cells:
        place = np.array([[cell.row_px, cell.col_px]])
        mask[near(_placed(place, times), cell.radius_um / um_per_px if um_per_px else 1.0, shape)] = _CELL
    radius_px = _DISK_UM / um_per_px if um_per_px else _DISK_PX
    for crossing in sorted(result.crossings, key=lambda one: one.counted):  # what is counted lies on top
        place = np.array([[crossing.row_px, crossing.col_px]])
        label = _COUNTED if crossing.counted else _CANDIDATE
        mask[near(_placed(place, times), radius_px, shape)] = label


def _runs(branch: Branch) -> Iterator[tuple[FloatArray, bool]]:
    """A branch cut where it begins or ceases to be seen; a step between two points is seen if both are."""
    if len(branch.path_px) < 2:
        yield branch.path_px, bool(branch.bridged.any())
        return
    gap = branch.bridged[1:] | branch.bridged[:-1]
    cuts = [0, *(np.flatnonzero(gap[1:] != gap[:-1]) + 1).tolist(), len(gap)]
    for start, end in itertools.pairwise(cuts):
        yield branch.path_px[start : end + 1], bool(gap[start])


def _placed(points_px: FloatArray, times: int) -> FloatArray:
    """Places of the image in the mask."""
    placed: FloatArray = (np.asarray(points_px, dtype=np.float64) + 0.5) / times - 0.5
    return placed


def _shape(mask: Mask) -> tuple[int, int]:
    return mask.shape[0], mask.shape[1]


def _reduction(shape: tuple[int, int]) -> int:
    """The least whole number by which both sides are divided so that a mask is not too large."""
    times = max(1, math.isqrt(math.ceil(shape[0] * shape[1] / _MOST_PX)))
    while math.ceil(shape[0] / times) * math.ceil(shape[1] / times) > _MOST_PX:
        times += 1
    return times


def _metadata(result: SectionResult, name: str, times: int) -> dict[str, Any]:
    findings = result.findings
    annotation = {
        "section_id": findings.section_id,
        "status": result.status.value,
        "reason": result.reason or "",
        "image_px_per_mask_px": str(times),
        **{
            f"{channel} {label}": meaning
            for channel, meanings in LABELS.items()
            for label, meaning in meanings.items()
        },
    }
    said: dict[str, Any] = {
        "axes": "CYX",
        "Name": name,
        "Description": _description(result, times),
        "Channel": {"Name": list(LABELS)},
        "MapAnnotation": annotation,
        "Creator": f"ienfd {__version__}",
    }
    if findings.pixel_size_um is not None:
        size = findings.pixel_size_um * times
        said |= {"PhysicalSizeX": size, "PhysicalSizeXUnit": "\u00b5m"}
        said |= {"PhysicalSizeY": size, "PhysicalSizeYUnit": "\u00b5m"}
    return said


def _identity(masks: Mask) -> str:
    """What OME-XML calls a file by: made of what is in it, where tifffile would take a random one."""
    return f"urn:uuid:{uuid5(_NAMESPACE, sha256(masks.tobytes()).hexdigest())}"


def _description(result: SectionResult, times: int) -> str:
    """What the masks mean, for a person."""
    channels = ". ".join(
        f"Channel {index}, {channel}: 0 none, "
        + ", ".join(f"{label} {meaning}" for label, meaning in meanings.items())
        for index, (channel, meanings) in enumerate(LABELS.items())
    )
    place = (
        "Every pixel is the pixel of the image at full resolution in the same row and column"
        if times == 1
        else f"A pixel stands for {times} x {times} pixels of the image at full resolution: row r, column c"
        f" for rows {times}r to {times}r + {times - 1}, columns {times}c to {times}c + {times - 1}"
    )
    ended = "" if result.reason is None else f" ({result.reason}: nothing is counted)"
    return (
        f"Label masks of one section, made by ienfd for research use. Axes CYX: channel, row, column."
        f" {channels}. {place}. The section is {result.status.value}{ended}."
    )


def _resolution(findings: Findings, times: int) -> dict[str, Any]:
    if findings.pixel_size_um is None:
        return {}
    per_cm = _UM_PER_CM / (findings.pixel_size_um * times)
    return {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}
