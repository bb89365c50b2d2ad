"""The overlay of one section: what was found, what was counted, and why the rest was not."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ienfd.draw.canvas import Canvas, dashed, text_width
from ienfd.draw.labels import Label, place_labels
from ienfd.draw.palette import DARK, LIGHT, Theme, mark_for
from ienfd.draw.picture import Picture
from ienfd.draw.strips import Entry, caption_lines, caption_strip, legend_strip, scale_bar
from ienfd.geometry import FloatArray, Projector, arc_lengths, left_normals
from ienfd.result import Crossing, Findings, Piece, SectionResult, Stretch
from ienfd.skin.lengths import stretch_outline_px

__all__ = ["overlay"]

LOW_CONFIDENCE = 0.3
"""Below this the junction is drawn as uncertain, as the built-in protocol excludes it."""

_SMALL_PX, _MAX_ENLARGED = 1300, 4.0
_MARK_UM = 4.0


@dataclass(frozen=True)
class Sizes:
    """Widths of lines and heights of letters in pixels, to fit the size of the picture."""

    unit: float

    @classmethod
    def of(cls, width: int, height: int) -> Sizes:
        """Sizes for a picture of this size."""
        return cls(float(np.clip(max(width, height) / 1700.0, 0.85, 2.2)))

    @property
    def line(self) -> float:
        return 1.6 * self.unit

    @property
    def letter(self) -> float:
        return 16.0 * self.unit

    @property
    def mark(self) -> float:
        return 6.5 * self.unit


def overlay(
    base: Picture,
    result: SectionResult,
    *,
    title: str,
    exclusions: Sequence[Stretch] | None = None,
    low_confidence: float = LOW_CONFIDENCE,
) -> Image.Image:
    """Draw what was found in a section over its picture.

    Parameters
    ----------
    base : Picture
        From `picture`.
    result : SectionResult
        What was found and counted, `ok` or `refused`.
    title : str
        First line of the caption: file, scene, case.
    exclusions : sequence of Stretch, optional
        All stretches that are not evaluated (`ienfd.skin.lengths.effective_exclusions`), cut ends
        included; by default those that image analysis found.
    low_confidence : float
        Junction confidence, from 0 to 1, below which the junction is drawn dashed.

    Returns
    -------
    PIL.Image.Image
        RGB: caption, picture, legend. Counted crossings are numbered from 1 in the order in which
        they stand in `result.crossings` and so in crossings.csv.
    """
    theme = DARK if base.dark else LIGHT
    base = _enlarged(base)
    findings = result.findings
    height, width = base.pixels.shape[:2]
    sizes = Sizes.of(width, height)
    canvas = Canvas(Image.fromarray(base.pixels))
    stretches = findings.exclusions if exclusions is None else tuple(exclusions)
    _draw_stretches(canvas, base, findings, stretches, theme, sizes)
    _draw_lines(canvas, base, findings, stretches, low_confidence, theme, sizes)
    _draw_cells(canvas, base, findings, theme, sizes)
    _draw_candidates(canvas, base, result, theme, sizes)
    if base.um_per_px is not None:
        scale_bar(canvas, base.um_per_px, sizes.letter, theme)
    entries = _entries(result, stretches, low_confidence, theme)
    page = max(width, round(760 * sizes.unit))
    top = caption_strip(caption_lines(title, result, base.um_per_px), page, sizes.letter, theme)
    bottom = legend_strip(entries, page, sizes.letter, sizes.mark, theme)
    whole = Image.new("RGB", (page, top.height + height + bottom.height), theme.page)
    whole.paste(top, (0, 0))
    whole.paste(canvas.image, ((page - width) // 2, top.height))
    whole.paste(bottom, (0, top.height + height))
    return whole


def _enlarged(base: Picture) -> Picture:
    """A small picture enlarged, so that marks and numbers leave something of it to see."""
    height, width = base.pixels.shape[:2]
    factor = min(_MAX_ENLARGED, _SMALL_PX / max(height, width))
    if factor <= 1.2:
        return base
    size = max(1, round(width * factor)), max(1, round(height * factor))
    pixels = np.asarray(Image.fromarray(base.pixels).resize(size, Image.Resampling.BICUBIC))
    scale = base.scale[0] * size[1] / height, base.scale[1] * size[0] / width
    return Picture(pixels, scale, None if base.um_per_px is None else base.um_per_px * width / size[0])


def _draw_stretches(
    canvas: Canvas,
    base: Picture,
    findings: Findings,
    stretches: Sequence[Stretch],
    theme: Theme,
    sizes: Sizes,
) -> None:
    pixel_size_um = findings.pixel_size_um
    if pixel_size_um is None:
        return
    for stretch in stretches:
        outline = base.to_picture(stretch_outline_px(findings.pieces[stretch.piece], stretch, pixel_size_um))
        canvas.hatch(outline, theme.casing, 9.0 * sizes.unit, 3.2 * sizes.unit, 0.35)
        canvas.hatch(outline, theme.hatch, 9.0 * sizes.unit, 1.3 * sizes.unit, 0.9)


def _draw_lines(
    canvas: Canvas,
    base: Picture,
    findings: Findings,
    stretches: Sequence[Stretch],
    low_confidence: float,
    theme: Theme,
    sizes: Sizes,
) -> None:
    """Fibers beneath, then surface and junction; where the junction is not trusted it is dashed."""
    fibers = [base.to_picture(branch.path_px) for branch in findings.graph.branches]
    canvas.lines(fibers, theme.fiber, 0.8 * sizes.line, opacity=0.8)
    surfaces = [base.to_picture(piece.surface_px) for piece in findings.pieces]
    canvas.lines(surfaces, theme.surface, sizes.line, casing=theme.casing)
    sure: list[FloatArray] = []
    unsure: list[FloatArray] = []
    for index, piece in enumerate(findings.pieces):
        trusted = _trusted(piece, index, stretches, findings.pixel_size_um, low_confidence)
        for part, is_trusted in _runs(base.to_picture(piece.junction_px), trusted):
            if is_trusted:
                sure.append(part)
            else:
                unsure += dashed(part, 7.0 * sizes.unit, 6.0 * sizes.unit)
    canvas.lines(unsure, theme.junction, 0.8 * sizes.line, casing=theme.casing, opacity=0.85)
    canvas.lines(sure, theme.junction, 1.25 * sizes.line, casing=theme.casing)


def _trusted(
    piece: Piece,
    index: int,
    stretches: Sequence[Stretch],
    pixel_size_um: float | None,
    low_confidence: float,
) -> NDArray[np.bool_]:
    trusted = np.asarray(piece.junction_confidence) >= low_confidence
    if pixel_size_um is not None:
        position = arc_lengths(piece.junction_px) * pixel_size_um
        for stretch in stretches:
            if stretch.piece == index:
                trusted &= ~((position >= stretch.start_um) & (position <= stretch.end_um))
    return trusted


def _runs(line: FloatArray, flag: NDArray[np.bool_]) -> list[tuple[FloatArray, bool]]:
    """A polyline cut where a flag of its points changes; neighbors share the point between them."""
    edges = [0, *(np.flatnonzero(np.diff(flag.astype(int))) + 1).tolist(), len(line)]
    return [
        (line[max(0, start - 1) : end], bool(flag[start]))
        for start, end in itertools.pairwise(edges)
        if end > start
    ]


def _draw_cells(canvas: Canvas, base: Picture, findings: Findings, theme: Theme, sizes: Sizes) -> None:
    if findings.pixel_size_um is None:
        return
    turn = np.linspace(0.0, 2.0 * np.pi, 33)
    rings: list[FloatArray] = []
    for cell in findings.graph.cells:
        center = base.to_picture(np.array([[cell.row_px, cell.col_px]]))[0]
        radius = max(1.6 * cell.radius_um / findings.pixel_size_um * base.scale[0], 1.1 * sizes.mark)
        ring = center + radius * np.stack([np.sin(turn), np.cos(turn)], axis=1)
        rings += dashed(ring, 2 * np.pi * radius / 16, 2 * np.pi * radius / 16)
    canvas.lines(rings, theme.surface, sizes.line, casing=theme.casing)


def _draw_candidates(
    canvas: Canvas, base: Picture, result: SectionResult, theme: Theme, sizes: Sizes
) -> None:
    crossings = result.crossings
    if not crossings:
        return
    places = base.to_picture(np.array([(c.row_px, c.col_px) for c in crossings]))
    for crossing, place in zip(crossings, places, strict=True):
        if not crossing.counted:
            mark = mark_for(crossing.reason, False)
            canvas.shape(mark.shape, place, 0.8 * sizes.mark, theme.excluded, theme.casing)
    counted = [index for index, crossing in enumerate(crossings) if crossing.counted]
    if not counted:
        return
    texts = [str(number + 1) for number in range(len(counted))]
    labels = place_labels(
        texts,
        [text_width(text, sizes.letter) + 0.25 * sizes.letter for text in texts],
        0.95 * sizes.letter,
        places[counted],
        _outward(base, result.findings.pieces, [crossings[index] for index in counted], places[counted]),
        marks=places,
        radius=sizes.mark,
        traces=[base.to_picture(branch.path_px) for branch in result.findings.graph.branches],
        shape=(base.pixels.shape[0], base.pixels.shape[1]),
    )
    leaders = [
        _leader(label, places[index], sizes.mark) for label, index in zip(labels, counted, strict=True)
    ]
    canvas.lines(leaders, theme.counted, 0.7 * sizes.line, casing=theme.casing)
    for label, index in zip(labels, counted, strict=True):
        canvas.shape("circle", places[index], sizes.mark, theme.counted, theme.casing)
        canvas.text((label.row, label.col), label.text, sizes.letter, theme.counted, casing=theme.casing)


def _outward(
    base: Picture, pieces: Sequence[Piece], crossings: Sequence[Crossing], places: FloatArray
) -> FloatArray:
    """Unit vectors towards the epidermis at every crossing."""
    out = np.tile([-1.0, 0.0], (len(crossings), 1))
    for index, piece in enumerate(pieces):
        mine = [k for k, crossing in enumerate(crossings) if crossing.piece == index]
        if not mine or len(piece.junction_px) < 2:
            continue
        line = base.to_picture(piece.junction_px)
        at = Projector(line)(places[mine]).position
        along, normals = arc_lengths(line), left_normals(line)
        for axis in range(2):
            out[mine, axis] = np.interp(at, along, normals[:, axis])
    out /= np.maximum(np.hypot(out[:, 0], out[:, 1]), 1e-6)[:, None]
    return out


def _leader(label: Label, place: FloatArray, radius: float) -> FloatArray:
    """From the ring of a crossing to the edge of its number."""
    center = np.array([label.row, label.col])
    way = center - place
    distance = float(np.hypot(*way))
    unit = way / max(distance, 1e-6)
    half = np.array([label.height, label.width]) / 2.0
    to_edge = float(np.min(half / np.maximum(np.abs(unit), 1e-6)))
    return np.stack([place + unit * radius * 1.25, place + unit * max(distance - to_edge, radius * 1.3)])


def _entries(
    result: SectionResult, stretches: Sequence[Stretch], low_confidence: float, theme: Theme
) -> list[Entry]:
    """What the legend explains: only what is in the picture."""
    findings = result.findings
    out: list[Entry] = []
    if findings.pieces:
        out += [Entry("surface", "line", theme.surface), Entry("junction", "line", theme.junction)]
        if stretches or any(np.any(p.junction_confidence < low_confidence) for p in findings.pieces):
            out.append(Entry("junction not evaluated", "dashes", theme.junction))
    if findings.graph.branches:
        out.append(Entry("fiber", "line", theme.fiber))
    if stretches:
        out.append(Entry("excluded stretch", "hatch", theme.hatch))
    if findings.graph.cells:
        out.append(Entry(f"dendritic cell body ({len(findings.graph.cells)})", "ring", theme.surface))
    marks = Counter(mark_for(c.reason, c.counted) for c in result.crossings)
    for mark, number in sorted(marks.items(), key=lambda item: (item[0].shape != "circle", item[0].label)):
        color = theme.counted if mark.shape == "circle" else theme.excluded
        out.append(Entry(f"{mark.label} ({number})", mark.shape, color))
    return out
