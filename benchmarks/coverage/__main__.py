"""Measure how often the 95 % interval of a biopsy's density holds the density it was drawn from:

    python -m benchmarks.coverage OUT

Biopsies of 3, 6 and 10 sections, of 0.5 to 15 crossings per mm and an overdispersion of 1 to 2.5 are
drawn; nothing is imaged. Printed is, for each, the coverage in per cent and the mean width by that of the
Poisson interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ienfd
from benchmarks.coverage.simulate import (
    ARRANGEMENTS,
    BEYOND,
    DENSITIES_PER_MM,
    LEVEL,
    OVERDISPERSIONS,
    SECTIONS,
    Arrangement,
    Cell,
    Covered,
    cells,
    cover,
)
from ienfd.protocol import CallRules

LEAST_COVERAGE, LEAST_MEAN_COVERAGE, MOST_WIDTH = 0.90, 0.94, 1.6
_WIDTH_AT = (3, 4.0, 1.0)  # sections, density per mm and overdispersion at which the width is judged

Table = Mapping[Cell, Covered]


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, or 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the figures")
    parser.add_argument("--repeats", type=int, default=20_000, help="biopsies of each kind (default 20,000)")
    parser.add_argument("--seed", type=int, default=1)
    rules = CallRules()
    parser.add_argument("--overdispersion", type=float, default=rules.overdispersion)
    parser.add_argument("--weight", type=float, default=rules.overdispersion_weight)
    args = parser.parse_args(arguments)
    rules = CallRules(overdispersion=args.overdispersion, overdispersion_weight=args.weight)
    table: dict[Cell, Covered] = {}
    summaries = []
    for arrangement in ARRANGEMENTS:
        for cell in cells(arrangement, (*OVERDISPERSIONS, BEYOND)):
            table[cell] = cover(cell, args.repeats, args.seed + len(table), rules)
        print(_as_text(arrangement, table), flush=True)
        summaries.append(summary(arrangement, table))
    missed = [f"{one['arrangement']}: {what}" for one in summaries for what in one["missed"]]
    args.out.mkdir(parents=True, exist_ok=True)
    head = {
        "ienfd": ienfd.__version__,
        "overdispersion": rules.overdispersion,
        "overdispersion_weight": rules.overdispersion_weight,
        "level": LEVEL,
        "repeats": args.repeats,
        "seed": args.seed,
        "target": {
            "least_coverage": LEAST_COVERAGE,
            "least_mean_coverage": LEAST_MEAN_COVERAGE,
            "most_width_ratio_at_3_sections_4_per_mm_without_overdispersion": MOST_WIDTH,
        },
        "missed": missed,
        "arrangements": summaries,
    }
    (args.out / "coverage.json").write_text(_as_json(head, table), encoding="utf-8")
    print("\n".join(f"missed: {what}" for what in missed) or "the target is met")
    return 1 if missed else 0


def summary(arrangement: Arrangement, table: Table) -> dict[str, Any]:
    """What the cells of an arrangement come to, and what of the target they miss."""
    own = {cell: covered for cell, covered in table.items() if cell.arrangement == arrangement}
    judged = {cell: covered for cell, covered in own.items() if cell.overdispersion != BEYOND}
    worst = min(judged, key=lambda cell: judged[cell].coverage)
    mean = sum(covered.coverage for covered in judged.values()) / len(judged)
    width = own[Cell(arrangement, *_WIDTH_AT)].width_ratio
    target = {
        f"coverage {judged[worst].coverage:.4f} of {worst}": judged[worst].coverage >= LEAST_COVERAGE,
        f"mean coverage {mean:.4f}": mean >= LEAST_MEAN_COVERAGE,
        f"width ratio {width:.3f}": width <= MOST_WIDTH,
    }
    beyond = [covered.coverage for cell, covered in own.items() if cell.overdispersion == BEYOND]
    return {
        "arrangement": arrangement,
        "meaning": ARRANGEMENTS[arrangement],
        "worst_coverage": round(judged[worst].coverage, 4),
        "worst_at": asdict(worst),
        "mean_coverage": round(mean, 4),
        "width_ratio": round(width, 3),
        f"worst_coverage_at_{BEYOND}_not_judged": round(min(beyond), 4),
        "missed": [what for what, met in target.items() if not met],
    }


def _as_text(arrangement: Arrangement, table: Table) -> str:
    """Coverage in per cent and width ratio, a line for sections and density, a column for overdispersion."""
    lines = [f"\n{arrangement}: {ARRANGEMENTS[arrangement]}"]
    columns = (*OVERDISPERSIONS, BEYOND)
    lines.append("sections    /mm  " + "".join(f"{f'x{dispersion:g}':>14}" for dispersion in columns))
    for sections in SECTIONS:
        for density in DENSITIES_PER_MM:
            found = [table[Cell(arrangement, sections, density, dispersion)] for dispersion in columns]
            cells_ = "".join(f"{100 * one.coverage:>8.1f} {one.width_ratio:.2f} " for one in found)
            lines.append(f"{sections:>8} {density:>6g}  {cells_}")
    one = summary(arrangement, table)
    lines.append(
        f"worst {100 * one['worst_coverage']:.1f} %, mean {100 * one['mean_coverage']:.1f} % "
        f"(up to x{OVERDISPERSIONS[-1]:g})"
    )
    return "\n".join(lines)


def _as_json(head: Mapping[str, Any], table: Table) -> str:
    """The figures as JSON, every cell on a line of its own."""
    rows = [
        json.dumps({**asdict(cell), **{f"mean_{name}" if name == "overdispersion" else name: round(value, 4)
                                       for name, value in asdict(covered).items()}})
        for cell, covered in table.items()
    ]  # fmt: skip
    text = json.dumps(head, indent=1)
    return text.removesuffix("\n}") + ',\n "cells": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n"


if __name__ == "__main__":
    raise SystemExit(main())
