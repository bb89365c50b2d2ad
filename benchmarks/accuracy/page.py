"""A page to look at: what the figures hide. Agreement, calibration, sweeps, and the worst sections."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.accuracy.figures import calibration, precision_recall
from benchmarks.accuracy.measure import Measured
from benchmarks.accuracy.plan import DEVELOPMENT_SEEDS_BELOW
from ienfd.statistics import bland_altman, calibration_error

__all__ = ["write_page"]

_WORST = 12
_PICTURE_PX = 900
_LEAST_F1 = 0.88
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "img{max-width:100%}figure{margin:1.5rem 0}figcaption{color:#555}"
    "table{border-collapse:collapse}td,th{padding:.15rem .6rem;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.low{color:#b00020;font-weight:600}"
)


def write_page(out: Path, measured: Sequence[Measured], summary: dict[str, Any]) -> Path:
    """Write page.html, which needs no other file."""
    parts = [_head(summary), _picture(_plots(measured), "Density, confidence, precision and recall")]
    cells = summary["groups"].get("cell")
    if cells:
        parts += [_picture(_sweep_plots(cells), "F1 by nuisance and level"), _cell_table(cells)]
    parts += ["<h2>Where it goes wrong</h2>", *_worst(measured)]
    text = (
        f"<!doctype html><meta charset=utf-8><title>Accuracy</title><style>{_STYLE}</style>{''.join(parts)}\n"
    )
    path = out / "page.html"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _head(summary: dict[str, Any]) -> str:
    every = summary["all"]
    first, last = summary["seeds"]
    f1 = "not defined" if every["f1"] is None else f"{every['f1']:.3f}"
    said = (
        f"{every['sections']} synthetic sections, seeds {first} to {last}; algorithm"
        f" {summary['algorithm_version']}. F1 {f1}, {every['refused']} refused, {every['failed']} failed."
        " Phantom accuracy is not clinical accuracy."
    )
    return f"<h1>Accuracy</h1><p>{html.escape(said)}</p>"


def _plots(measured: Sequence[Measured]) -> Figure:
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _agreement_plot(left, measured)
    _calibration_plot(middle, measured)
    _precision_recall_plot(right, measured)
    return figure


def _agreement_plot(axes: Axes, measured: Sequence[Measured]) -> None:
    pairs = np.array(
        [(m.truth.density_per_mm, m.density_per_mm) for m in measured if np.isfinite(m.density_per_mm)]
    )
    axes.set(title="Bland-Altman", xlabel="mean of true and given (/mm)", ylabel="given minus true (/mm)")
    if len(pairs) < 2:
        return
    true, given = pairs.T
    axes.scatter((true + given) / 2, given - true, s=14, alpha=0.6)
    differences = bland_altman(given, true)
    for value, style in (
        (differences.bias, "-"),
        (differences.bias - 1.96 * differences.sd, "--"),
        (differences.bias + 1.96 * differences.sd, "--"),
    ):
        axes.axhline(value, color="0.3", linestyle=style, linewidth=1)
        axes.annotate(
            f"{value:+.2f}", (1, value), xycoords=("axes fraction", "data"), ha="right", va="bottom"
        )


def _calibration_plot(axes: Axes, measured: Sequence[Measured]) -> None:
    bins = calibration(measured)
    axes.set(
        xlabel="confidence given", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1), title="Calibration"
    )
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    if not bins:
        return
    axes.plot([b.confidence for b in bins], [b.right for b in bins], "o-")
    for each in bins:
        axes.annotate(
            str(each.candidates), (each.confidence, each.right), textcoords="offset points", xytext=(6, -10)
        )
    axes.set_title(f"Calibration (expected error {calibration_error(bins):.3f})")


def _precision_recall_plot(axes: Axes, measured: Sequence[Measured]) -> None:
    curve = precision_recall(measured)
    axes.set(xlabel="recall", ylabel="precision", title="By least confidence")
    if not curve:
        return
    lowest = min(min(point.recall, point.precision) for point in curve)
    axes.set(xlim=(lowest - 0.05, 1.0), ylim=(lowest - 0.05, 1.02))
    axes.plot([p.recall for p in curve], [p.precision for p in curve], "o-", markersize=4)
    for point in curve[::3]:
        at = point.recall, point.precision
        axes.annotate(f"{point.least_confidence:.2f}", at, textcoords="offset points", xytext=(4, 6))


def _sweep_plots(cells: dict[str, dict[str, Any]]) -> Figure:
    sweeps: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for cell, values in cells.items():
        name, level = cell.split(": ", 1)
        sweeps.setdefault(name, []).append((level, values))
    columns = 4
    rows = -(-len(sweeps) // columns)
    figure = Figure(figsize=(13, 2.8 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(sweeps) :]:
        axes.set_axis_off()
    for axes, (name, levels) in zip(grid, sweeps.items(), strict=False):
        known = [(k, v) for k, (_, v) in enumerate(levels) if v["f1"] is not None]
        axes.set(title=name, ylim=(0, 1.03), xlim=(-0.4, len(levels) - 0.6))
        axes.set_xticks(
            range(len(levels)), [level for level, _ in levels], rotation=25, ha="right", fontsize=7
        )
        axes.axhline(_LEAST_F1, color="0.7", linewidth=1)
        if known:
            at, values = zip(*known, strict=True)
            low = [v["f1"] - (v["f1_low"] if v["f1_low"] is not None else v["f1"]) for v in values]
            high = [(v["f1_high"] if v["f1_high"] is not None else v["f1"]) - v["f1"] for v in values]
            axes.errorbar(at, [v["f1"] for v in values], np.maximum([low, high], 0), fmt="o-", capsize=2)
    return figure


def _cell_table(cells: dict[str, dict[str, Any]]) -> str:
    rows = []
    for cell, v in cells.items():
        low = v["f1"] is not None and v["f1"] < _LEAST_F1
        figures = [_said(v[name]) for name in ("precision", "recall", "f1")]
        numbers = [v["sections"], v["refused"], v["matched"] + v["missed"], *figures]
        marked = f"<tr{' class=low' if low else ''}><td>{html.escape(cell)}</td>"
        rows.append(marked + "".join(f"<td>{value}</td>" for value in numbers) + "</tr>")
    head = "".join(
        f"<th>{name}</th>" for name in ("", "sections", "refused", "true", "precision", "recall", "F1")
    )
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _said(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _worst(measured: Sequence[Measured]) -> list[str]:
    """The sections that cost most crossings, as their overlays; those of tests are named, not shown."""
    wrong = sorted(measured, key=lambda m: (-(m.score.missed + m.score.spurious), m.section.name))
    out = []
    for m in wrong[:_WORST]:
        if m.score.missed + m.score.spurious == 0:
            break
        distance = m.score.junction_distance_um
        said = (
            f"{m.section.name}: {m.score.true_crossings} true, {m.score.missed} missed,"
            f" {m.score.spurious} counted that are not there"
            + (f"; the junction lies {distance:.1f} um off" if np.isfinite(distance) else f"; {m.reason}")
        )
        image = ""
        if m.overlay is not None and m.overlay.is_file() and m.section.seed < DEVELOPMENT_SEEDS_BELOW:
            image = f'<img src="{_shrunk(m.overlay)}" alt="">'
        out.append(f"<figure>{image}<figcaption>{html.escape(said)}</figcaption></figure>")
    return out or ["<p>Nowhere.</p>"]


def _shrunk(path: Path) -> str:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((_PICTURE_PX, _PICTURE_PX))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=82)
    return _data("jpeg", stream.getvalue())


def _picture(figure: Figure, caption: str) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    source = _data("png", stream.getvalue())
    return f'<figure><img src="{source}" alt=""><figcaption>{html.escape(caption)}</figcaption></figure>'


def _data(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
