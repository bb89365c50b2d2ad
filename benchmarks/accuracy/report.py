"""The figures as JSON for programs and Markdown for people; the same figures give the same bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ienfd
from benchmarks.accuracy.aims import aims_of
from benchmarks.accuracy.figures import Figures, calibration, figures_of, grouped
from benchmarks.accuracy.measure import Measured
from benchmarks.accuracy.truth import SEEN_FROM
from benchmarks.scoring import MATCH_LIMIT_UM
from ienfd.analysis_key import ALGORITHM_VERSION
from ienfd.statistics import calibration_error

__all__ = ["markdown", "summarized", "values_of", "write_figures"]

_GROUPS = {
    "generator": lambda m: m.section.generator,
    "stain": lambda m: m.section.stain,
    "generator and stain": lambda m: f"{m.section.generator}, {m.section.stain}",
    "planes": lambda m: m.truth.planes,
    "family": lambda m: m.truth.family,
}
_HEAD = (
    "", "sections", "refused", "failed", "true", "counted", "precision", "recall", "F1", "95 % interval",
    "junction length error", "surface length error", "junction distance (um)", "density ICC(2,1)",
    "density bias (/mm)", "nothing counted",
)  # fmt: skip

_OTHER_WAYS = {"of_seen": "of those seen", "with_depth": "depth kept", "at_best": "at best"}


def summarized(measured: Sequence[Measured]) -> dict[str, Any]:
    """All figures in JSON's types; what is not a number is null."""
    of_seen = [m.of_seen for m in measured]
    return {
        "ienfd": ienfd.__version__,
        "algorithm_version": ALGORITHM_VERSION,
        "match_limit_um": MATCH_LIMIT_UM,
        "seeds": [min(m.section.seed for m in measured), max(m.section.seed for m in measured)],
        "small": measured[0].section.small,
        "all": values_of(figures_of(measured)),
        "calibration_error": _rounded({"": calibration_error(calibration(measured))})[""],
        "aims": _aims(measured, of_seen),
        "seen_from_visibility": SEEN_FROM,
        "seen": {
            "all": values_of(figures_of(of_seen)),
            **_group_values(_by_name(grouped(of_seen, _GROUPS["generator and stain"]))),
        },
        "groups": {
            **{by: _group_values(_by_name(grouped(measured, key))) for by, key in _GROUPS.items()},
            **{by: _group_values(grouped(measured, key)) for by, key in _cells_of(measured).items()},
        },
        "sections": [_row(m) for m in measured],
    }


def _group_values(groups: dict[str, Figures]) -> dict[str, Any]:
    return {name: values_of(figures) for name, figures in groups.items()}


def _by_name(groups: dict[str, Figures]) -> dict[str, Figures]:
    return dict(sorted(groups.items()))


def _cells_of(measured: Sequence[Measured]) -> dict[str, Callable[[Measured], str]]:
    """One group more where sections belong to the cells of sweeps."""
    if any(m.section.variant is None for m in measured):
        return {}
    return {"cell": lambda m: m.section.variant.cell if m.section.variant else ""}


def values_of(figures: Figures) -> dict[str, Any]:
    """Figures of a group as they are written."""
    pooled = figures.pooled
    named = {
        "without_a_count": figures.without_a_count,
        "precision": pooled.precision,
        "recall": pooled.recall,
        "f1": pooled.f1,
        "f1_low": figures.f1_low,
        "f1_high": figures.f1_high,
    }
    density = {f"density_{name}": value for name, value in asdict(figures.agreement).items()}
    return _rounded({**asdict(pooled), **named, **density})


def _aims(measured: Sequence[Measured], of_seen: Sequence[Measured]) -> list[dict[str, Any]]:
    """Every aim as measured, and in other ways of asking; null where those have no section."""
    other_ways = {
        "of_seen": of_seen,
        "with_depth": [m for m in measured if m.truth.planes != "single"],
        "at_best": [m.at_best for m in measured],
    }
    asked = {name: aims_of(those) for name, those in other_ways.items() if those}
    return [
        _rounded(
            {
                "aim": aim.name,
                "bound": f"at {'least' if aim.at_least else 'most'} {aim.bound:g}",
                "measured": aim.measured,
                "reached": aim.reached,
                **{name: asked[name][at].measured if name in asked else math.nan for name in other_ways},
            }
        )
        for at, aim in enumerate(aims_of(measured))
    ]


def _row(m: Measured) -> dict[str, Any]:
    score = m.score
    return _rounded(
        {
            "name": score.name,
            "generator": m.section.generator,
            "stain": m.section.stain,
            "family": m.truth.family,
            "planes": m.truth.planes,
            "pixel_size_um": m.truth.pixel_size_um,
            "status": score.status,
            "reason": m.reason,
            "true": score.true_crossings,
            "counted": score.counted_crossings,
            "matched": score.matched,
            "seen": int(m.truth.seen.sum()),
            "matched_of_seen": m.matched_of_seen,
            "true_density_per_mm": m.truth.density_per_mm,
            "density_per_mm": m.density_per_mm,
            "junction_length_error": score.junction_length_error,
            "surface_length_error": score.surface_length_error,
            "junction_distance_um": score.junction_distance_um,
        }
    )


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (round(value, 4) if math.isfinite(value) else None) if isinstance(value, float) else value
        for name, value in values.items()
    }


def markdown(summary: dict[str, Any]) -> str:
    """The tables, and the list of all sections."""
    first, last = summary["seeds"]
    kind = "small sections" if summary["small"] else "sections"
    lines = [
        f"{summary['all']['sections']} {kind}, seeds {first} to {last};"
        f" ienfd {summary['ienfd']}, algorithm {summary['algorithm_version']}."
        f" One-to-one match within {summary['match_limit_um']:g} um;"
        " all crossings of a refused section count as missed. Errors of lengths and distances are medians.",
        "",
        *_table(_HEAD, [_cells("all", summary["all"])]),
        "",
        "What is aimed at, of all crossings, and what it is",
        "- of those that a reader could be sure of: in phantoms of a visibility of"
        f" {summary['seen_from_visibility']:g} or more. The others are then neither missed nor spurious,"
        " and in no density;",
        "- of all in sections whose file keeps the depth: a stack, or the projection of one;",
        "- at best, by a reader who finds all that shows and nothing else: where one plane was taken of a"
        " section, what lies far from it leaves no trace.",
        "",
        *_table(
            ("aim", "bound", "measured", "reached", *_OTHER_WAYS.values()),
            [_aim_cells(aim) for aim in summary["aims"]],
        ),
        "",
        "Of the crossings that a reader could be sure of:",
        "",
        *_table(_HEAD, [_cells(name, values) for name, values in summary["seen"].items()]),
    ]
    for by, groups in summary["groups"].items():
        lines += ["", f"By {by}:", "", *_table(_HEAD, [_cells(name, groups[name]) for name in groups])]
    lines += ["", "Every section:", "", *_section_table(summary["sections"])]
    return "\n".join(lines) + "\n"


def _cells(name: str, values: dict[str, Any]) -> list[str]:
    true, counted = values["matched"] + values["missed"], values["matched"] + values["spurious"]
    interval = "" if values["f1_low"] is None else f"{values['f1_low']:.3f} to {values['f1_high']:.3f}"
    return [
        name, *(str(values[part]) for part in ("sections", "refused", "failed")), str(true), str(counted),
        *(_said(values[part], ".3f") for part in ("precision", "recall", "f1")), interval,
        *(_said(values[part], ".1%") for part in ("junction_length_error", "surface_length_error")),
        _said(values["junction_distance_um"], ".2f"), _said(values["density_icc"], ".3f"),
        _said(values["density_bias_per_mm"], "+.2f"), str(values["without_a_count"]),
    ]  # fmt: skip


def _aim_cells(aim: dict[str, Any]) -> list[str]:
    reached = {True: "yes", False: "no", None: ""}[aim["reached"]]
    others = (_said(aim[name], ".3g") for name in _OTHER_WAYS)
    return [aim["aim"], aim["bound"], _said(aim["measured"], ".3g"), reached, *others]


def _section_table(rows: list[dict[str, Any]]) -> list[str]:
    head = (
        "section", "family", "planes", "um/px", "status", "true", "of these seen", "counted", "matched",
        "matched of seen",
        "junction length error", "surface length error", "junction distance (um)",
    )  # fmt: skip
    cells = [
        [
            row["name"], row["family"], row["planes"], f"{row['pixel_size_um']:g}",
            f"{row['status']} {row['reason']}".strip(), str(row["true"]), str(row["seen"]),
            str(row["counted"]), str(row["matched"]), str(row["matched_of_seen"]),
            _said(row["junction_length_error"], "+.1%"),
            _said(row["surface_length_error"], "+.1%"), _said(row["junction_distance_um"], ".2f"),
        ]
        for row in rows
    ]  # fmt: skip
    return _table(head, cells)


def _said(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]


def write_figures(out: Path, summary: dict[str, Any]) -> None:
    """Write figures.json and figures.md."""
    text = json.dumps(summary, indent=1, allow_nan=False) + "\n"
    (out / "figures.json").write_text(text, encoding="utf-8", newline="\n")
    (out / "figures.md").write_text(markdown(summary), encoding="utf-8", newline="\n")
