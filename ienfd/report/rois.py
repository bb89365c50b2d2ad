"""A section as a set of ROIs, which the ROI Manager of ImageJ and Fiji opens on the image.

One ZIP file for each section: surface and junction of every piece as polylines, what is not evaluated
as polygons, and every candidate as a point that is named by its number, or by why it is not counted.
Colors are those of the overlay, and counted candidates are circles, the others crosses. Fibers are
left out: thousands of lines are more than a list for people can hold; GeoJSON and the masks have them.

Coordinates are (x, y) = (column, row) in pixels of the full-resolution image, with sub-pixel precision.
What an integer means depends on the ROI ("Convention for subpixel resolution" in the documentation of
ij.gui.Roi, and since ImageJ 1.52u so drawn): for lines and points it is the center of a pixel, as in
ienfd, and for areas its upper left corner, so that 0.5 is added to polygons and to nothing else.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ienfd.draw.palette import DARK, LIGHT, Color, Theme
from ienfd.geometry import FloatArray
from ienfd.report.extra import from_extra
from ienfd.result import Crossing, Findings, Piece, SectionResult, Stretch
from ienfd.skin.lengths import stretch_outline_px

__all__ = ["load_roifile", "roi_set_bytes"]

_TO_CORNER_PX = 0.5  # from the center of a pixel to its corner, where ImageJ has the integers of areas
_DIGITS = 2
_POLYGON, _POLYLINE, _POINT = 0, 5, 10  # types in the header of a ROI
_SUB_PIXEL = 128  # among its options
_CROSS, _CIRCLE = 1, 3  # types of points
_POINT_SIZE = {_CROSS: 5, _CIRCLE: 7}  # medium and large
_VERSION = 227  # of the format, which ImageJ has read since 1.50d: all that is written here is in it
_STROKE_PX = 2
_OPAQUE = 255
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a ZIP file knows; every set has it, and no clock is asked


@dataclass(frozen=True, eq=False)
class _Shape:
    """What becomes one ROI; points are (row, col)."""

    name: str
    kind: int
    points_px: FloatArray
    color: Color
    properties: tuple[tuple[str, object], ...] = ()
    mark: int = 0


def load_roifile() -> Any:
    """The library that writes ROIs.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    return from_extra("roifile", "exports")


def roi_set_bytes(result: SectionResult, *, exclusions: Iterable[Stretch] | None = None) -> bytes | None:
    """Everything that was found in a section, as a set of ROIs: the same result gives the same bytes.

    Parameters
    ----------
    result : SectionResult
        With the geometry of its findings.
    exclusions : iterable of Stretch, optional
        All stretches that are not evaluated (`ienfd.skin.lengths.effective_exclusions`), cut ends
        included; by default those of the findings.

    Returns
    -------
    bytes or None
        A ZIP file; None where there is nothing to show, for which ImageJ knows no set.

    Raises
    ------
    ValueError
        If a coordinate is not finite.
    MissingExtraError
        If roifile is not installed.
    """
    roifile = load_roifile()
    findings = result.findings
    theme = DARK if findings.stain == "fluorescence" else LIGHT
    stretches = findings.exclusions if exclusions is None else tuple(exclusions)
    shapes = [
        *_lines(findings.pieces, theme),
        *_excluded(findings, stretches, theme),
        *_candidates(result.crossings, theme),
    ]
    if not shapes:
        return None
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for shape in shapes:
            entry = zipfile.ZipInfo(f"{shape.name}.roi", _EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            archive.writestr(entry, _roi(roifile, shape))
    return stream.getvalue()


def _lines(pieces: Sequence[Piece], theme: Theme) -> Iterator[_Shape]:
    for number, piece in enumerate(pieces, start=1):
        for name, line, color in (
            ("surface", piece.surface_px, theme.surface),
            ("junction", piece.junction_px, theme.junction),
        ):
            if len(np.unique(np.round(line, _DIGITS), axis=0)) > 1:
                yield _Shape(f"{name} {number}", _POLYLINE, line, color)


def _excluded(findings: Findings, stretches: Sequence[Stretch], theme: Theme) -> Iterator[_Shape]:
    if findings.pixel_size_um is None:
        return
    for number, stretch in enumerate(stretches, start=1):
        outline = stretch_outline_px(findings.pieces[stretch.piece], stretch, findings.pixel_size_um)
        if len(np.unique(np.round(outline, _DIGITS), axis=0)) > 2:
            yield _Shape(f"excluded {number} ({stretch.reason})", _POLYGON, outline, theme.hatch)


def _candidates(crossings: Sequence[Crossing], theme: Theme) -> Iterator[_Shape]:
    counted = 0
    for index, crossing in enumerate(crossings, start=1):
        counted += crossing.counted
        # counted ones have the number of tables and overlays, the others that of their place in the tables
        title = f"crossing {counted}" if crossing.counted else f"not counted, candidate {index}"
        yield _Shape(
            f"{title} ({crossing.reason})",
            _POINT,
            np.array([[crossing.row_px, crossing.col_px]]),
            theme.counted if crossing.counted else theme.excluded,
            (
                ("crossing_id", crossing.crossing_id),
                ("counted", str(crossing.counted).lower()),
                ("reason", crossing.reason),
                ("origin", crossing.origin),
                ("confidence", f"{crossing.confidence:.3f}"),
            ),
            _CIRCLE if crossing.counted else _CROSS,
        )


def _roi(roifile: Any, shape: _Shape) -> bytes:
    points = np.asarray(shape.points_px, dtype=np.float64)[:, ::-1]
    if not np.isfinite(points).all():
        raise ValueError("a coordinate is not finite")
    moved = np.round(points + (_TO_CORNER_PX if shape.kind == _POLYGON else 0.0), _DIGITS)
    roi = roifile.ImagejRoi.frompoints(moved, name=shape.name)
    roi.version = _VERSION
    roi.roitype = roifile.ROI_TYPE(shape.kind)
    roi.options = roifile.ROI_OPTIONS(_SUB_PIXEL)
    roi.stroke_color = bytes((_OPAQUE, *shape.color))
    roi.props = "".join(f"{name}: {value}\n" for name, value in shape.properties)
    if shape.kind == _POINT:
        roi.arrow_style_or_aspect_ratio = shape.mark  # the bytes of an arrow's style hold a point's type
        roi.stroke_width = _POINT_SIZE[shape.mark]  # and those of the stroke its size
    else:
        roi.stroke_width = _STROKE_PX
    return bytes(roi.tobytes())
