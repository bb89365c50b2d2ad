"""Caption, legend and scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from ienfd.draw.canvas import Canvas, dashed, text_width
from ienfd.draw.palette import Color, Shape, Theme
from ienfd.reasons import REASONS
from ienfd.result import SectionResult, Status

__all__ = ["Entry", "Line", "caption_lines", "caption_strip", "legend_strip", "scale_bar"]

_LEADING = 1.45


@dataclass(frozen=True)
class Line:
    """One line of the caption."""

    text: str
    tone: Literal["title", "text", "faint", "alarm"]


@dataclass(frozen=True)
class Entry:
    """One entry of the legend: a sample and what it means."""

    text: str
    sample: Shape | Literal["line", "dashes", "hatch", "ring"]
    color: Color


def caption_lines(title: str, result: SectionResult, um_per_px: float | None) -> list[Line]:
    """What the caption says of a section."""
    lines = [Line(title, "title")]
    lengths = result.lengths
    if result.status is Status.OK and lengths is not None and result.density_per_mm is not None:
        plural = "" if result.count == 1 else "s"
        said = f"{result.count} crossing{plural} on {lengths.evaluable_mm:.2f} mm of {lengths.line}"
        if lengths.excluded_mm > 0:
            said += f" ({lengths.excluded_mm:.2f} mm excluded)"
        said += f" = {result.density_per_mm:.2f} per mm"
        if result.density_low_per_mm is not None and result.density_high_per_mm is not None:
            said += f" (interval {result.density_low_per_mm:.2f} to {result.density_high_per_mm:.2f})"
        lines.append(Line(said, "text"))
    elif result.reason is not None:
        reason = REASONS[result.reason]
        detail = f" ({result.findings.detail})" if result.findings.detail else ""
        lines.append(Line(f"No density: {reason.text}{detail}", "alarm"))
        if reason.remedy:
            lines.append(Line(reason.remedy, "text"))
    flags = [REASONS[code].text for code in result.flags if code in REASONS]
    if um_per_px is None:
        flags.append("The pixel size is not known: no scale bar.")
    lines += [Line(text, "faint") for text in flags]
    return lines


def caption_strip(lines: Sequence[Line], width: int, letter: float, theme: Theme) -> Image.Image:
    """The strip above the picture."""
    margin = round(0.8 * letter)
    sizes = {"title": 1.25 * letter, "text": 1.1 * letter, "alarm": 1.1 * letter, "faint": 0.9 * letter}
    colors = {"title": theme.ink, "text": theme.ink, "alarm": theme.counted, "faint": theme.faint}
    set_lines = [
        (part, sizes[line.tone], colors[line.tone])
        for line in lines
        for part in _wrapped(line.text, sizes[line.tone], width - 2 * margin)
    ]
    height = round(sum(size * _LEADING for _, size, _ in set_lines)) + 2 * margin
    canvas = Canvas(Image.new("RGB", (width, height), theme.page))
    row = float(margin)
    for text, size, color in set_lines:
        canvas.text((row + size * _LEADING / 2, margin), text, size, color, anchor="lm")
        row += size * _LEADING
    return canvas.image


def legend_strip(
    entries: Sequence[Entry], width: int, letter: float, mark: float, theme: Theme
) -> Image.Image:
    """The strip below the picture, on as many rows as it needs."""
    margin, size, row_height = round(0.8 * letter), letter, 1.7 * letter
    sample = 2.2 * letter
    placed: list[tuple[Entry, float, float]] = []
    row, col = margin + row_height / 2, float(margin)
    for entry in entries:
        need = sample + 0.5 * letter + text_width(entry.text, size) + 1.4 * letter
        if col > margin and col + need > width - margin:
            row, col = row + row_height, float(margin)
        placed.append((entry, row, col))
        col += need
    height = round(row + row_height / 2 + margin) if entries else margin
    canvas = Canvas(Image.new("RGB", (width, height), theme.page))
    for entry, at_row, at_col in placed:
        _draw_sample(canvas, entry, at_row, at_col, sample, mark, theme)
        canvas.text((at_row, at_col + sample + 0.5 * letter), entry.text, size, theme.ink, anchor="lm")
    return canvas.image


def scale_bar(canvas: Canvas, um_per_px: float, letter: float, theme: Theme) -> None:
    """A bar of a round number of micrometers in the lower right corner of the picture."""
    height, width = canvas.image.height, canvas.image.width
    wanted = 0.14 * width * um_per_px
    power = 10.0 ** np.floor(np.log10(wanted))
    length_um = float(power * max(step for step in (1, 2, 5) if step * power <= wanted * (1 + 1e-9)))
    bar = length_um / um_per_px
    words = f"{length_um / 1000:g} mm" if length_um >= 1000 else f"{length_um:g} um"
    pad = 0.6 * letter
    box_width = max(bar, text_width(words, letter)) + 2 * pad
    box_height = 2.0 * letter + pad
    bottom, right = height - 0.8 * letter, width - 0.8 * letter
    canvas.box(bottom - box_height, right - box_width, bottom, right, theme.page, 0.7)
    middle = right - box_width / 2
    thick = max(2.0, 0.22 * letter)
    canvas.box(bottom - pad - thick, middle - bar / 2, bottom - pad, middle + bar / 2, theme.ink, 1.0)
    canvas.text((bottom - pad - thick - 0.8 * letter, middle), words, letter, theme.ink)


def _wrapped(text: str, size: float, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _draw_sample(
    canvas: Canvas, entry: Entry, row: float, col: float, sample: float, mark: float, theme: Theme
) -> None:
    line = np.array([[row, col], [row, col + sample]])
    middle = (row, col + sample / 2)
    width = 0.25 * mark
    if entry.sample == "line":
        canvas.lines([line], entry.color, 1.3 * width)
    elif entry.sample == "dashes":
        canvas.lines(dashed(line, 1.1 * mark, 0.9 * mark), entry.color, width)
    elif entry.sample == "hatch":
        half = 0.9 * mark
        area = np.array(
            [[row - half, col], [row - half, col + sample], [row + half, col + sample], [row + half, col]]
        )
        canvas.hatch(area, entry.color, 1.4 * mark, 0.2 * mark, 1.0)
    elif entry.sample == "ring":
        turn = np.linspace(0.0, 2.0 * np.pi, 33)
        ring = np.array(middle) + 1.1 * mark * np.stack([np.sin(turn), np.cos(turn)], axis=1)
        canvas.lines(dashed(ring, 2 * np.pi * mark / 16, 2 * np.pi * mark / 16), entry.color, width)
    else:
        canvas.shape(entry.sample, middle, mark, entry.color, theme.page)
