"""Measure how well ienfd counts, on sections that its development never saw.

Makes sections of both generators, stains and all families with exact truth, runs `ienfd run` on them as
a process, and compares. What is made or analyzed already is not done again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.images import make_images, write_cases
from benchmarks.accuracy.measure import analyze_images, measure
from benchmarks.accuracy.page import write_page
from benchmarks.accuracy.plan import (
    TEST_SEEDS_FROM,
    PlannedSection,
    plan_kinds,
    plan_sections,
    plan_sweeps,
)
from benchmarks.accuracy.report import summarized, write_figures
from benchmarks.accuracy.sweeps import NOTHING, SWEEPS
from ienfd.study.config import is_study

_SECTIONS, _SMALL_SECTIONS = 40, 8
_PER_CELL, _PER_FAMILY = 8, 60
_LEAST_EMPTY = 0.95


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, or 1 when F1 over all sections is not at least the floor."""
    args = _parsed(arguments)
    sections = _planned(args)
    make_images(args.out, sections, args.workers, print)
    write_cases(args.out, sections)
    study = args.out / "study"
    if args.anew and is_study(study):
        shutil.rmtree(study)
    analyze_images(args.out / "images", study, args.workers)
    measured = measure(args.out, sections)
    summary = summarized(measured)
    write_figures(args.out, summary)
    write_page(args.out, measured, summary)
    _print(summary)
    return _judged_empty(summary) if args.nothing else _judged(summary, args.floor)


def _planned(args: argparse.Namespace) -> list[PlannedSection]:
    if args.sweep is not None:
        wanted = [sweep for sweep in SWEEPS if not args.sweep or sweep.name in args.sweep]
        return plan_sweeps(wanted, args.sections or _PER_CELL, args.first_seed)
    if args.nothing:
        return plan_sweeps([NOTHING], args.sections or _PER_FAMILY, args.first_seed)
    count = args.sections or (_SMALL_SECTIONS if args.small else _SECTIONS)
    if args.kinds:
        return plan_kinds(count, args.first_seed)
    return plan_sections(count, args.first_seed, small=args.small)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for images, study and figures")
    parser.add_argument(
        "--sections", type=int,
        help=f"{_SECTIONS}; with --small {_SMALL_SECTIONS}, of a cell with --sweep {_PER_CELL},"
        f" of a family with --nothing {_PER_FAMILY}",
    )  # fmt: skip
    parser.add_argument("--small", action="store_true", help="short sections in coarse pixels: a quick check")
    parser.add_argument(
        "--kinds",
        action="store_true",
        help="phantoms of all kinds, in ordinary quality",
    )
    parser.add_argument(
        "--sweep",
        nargs="*",
        choices=[sweep.name for sweep in SWEEPS],
        metavar="NUISANCE",
        help="phantoms that differ in one thing at a time: these nuisances, or all",
    )
    parser.add_argument("--nothing", action="store_true", help="families in which nothing crosses")
    parser.add_argument("--floor", type=float, default=0.6, help="lowest F1 to end with 0 (default 0.6)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--first-seed", type=int, default=TEST_SEEDS_FROM,
        help="below 10,000 for development, from 1,000,000 (default) for tests",
    )  # fmt: skip
    parser.add_argument(
        "--anew", action="store_true", help="analyze again: for a change that has no new algorithm version"
    )
    return parser.parse_args(arguments)


def _print(summary: dict[str, Any]) -> None:
    print(f"{'':32}{'sections':>9}{'refused':>8}{'true':>6}{'counted':>8}{'prec.':>7}{'recall':>7}{'F1':>7}"
          f"{'95 %':>14}{'junct.':>8}{'surf.':>7}{'um':>6}")  # fmt: skip
    print(_line("all", summary["all"]))
    for name, values in summary["seen"].items():
        print(_line(f"{name}, seen", values))
    for groups in summary["groups"].values():
        print()
        for name, values in groups.items():
            print(_line(name, values))


def _line(name: str, values: dict[str, Any]) -> str:
    def said(key: str, form: str) -> str:
        return "-" if values[key] is None else format(values[key], form)

    true, counted = values["matched"] + values["missed"], values["matched"] + values["spurious"]
    interval = f"{said('f1_low', '.2f')}-{said('f1_high', '.2f')}"
    return (
        f"{name:32}{values['sections']:9}{values['refused'] + values['failed']:8}{true:6}{counted:8}"
        f"{said('precision', '.3f'):>7}{said('recall', '.3f'):>7}{said('f1', '.3f'):>7}{interval:>14}"
        f"{said('junction_length_error', '.1%'):>8}{said('surface_length_error', '.1%'):>7}"
        f"{said('junction_distance_um', '.1f'):>6}"
    )


def _judged(summary: dict[str, Any], floor: float) -> int:
    f1 = summary["all"]["f1"]
    if f1 is not None and f1 >= floor:
        return 0
    print(
        f"F1 is {'not defined' if f1 is None else f'{f1:.3f}'}: it must be at least {floor:g}",
        file=sys.stderr,
    )
    return 1


def _judged_empty(summary: dict[str, Any]) -> int:
    """Whether nothing is counted in nearly all sections in which nothing crosses, family by family."""
    shares = {
        name: values["without_a_count"] / values["sections"]
        for name, values in summary["groups"]["cell"].items()
    }
    for name, share in shares.items():
        print(f"{name}: nothing counted in {share:.0%}")
    return 0 if min(shares.values()) >= _LEAST_EMPTY else 1


if __name__ == "__main__":
    sys.exit(main())
