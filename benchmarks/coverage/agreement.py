"""Measure how often the 95 % intervals of `ienfd agree` hold the figures they were drawn from:

    python -m benchmarks.coverage.agreement OUT

Densities by hand and by the program, calls of both, and crossings of sections that are more alike than
chance has it are drawn; nothing is imaged. Printed is the coverage of each interval in per cent.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

import ienfd
from ienfd.statistics import (
    bias_interval,
    bland_altman,
    icc_interval,
    kappa_interval,
    limit_intervals,
    share_interval,
)
from ienfd.statistics.agreement import MIDDLE_95

__all__ = ["CASES", "main"]

Interval = tuple[float, float]
Case = tuple[str, float, Callable[[np.random.Generator], Interval]]
"""What is drawn, the true figure, and its interval from one draw."""

PAIRS = (5, 10, 20, 40)
_BIAS, _SD, _SPREAD = 0.4, 1.5, 4.0  # of two methods, and of biopsies, in fibers per mm
_ALIKE = 15.0  # beta distribution of the precision of sections, its two parameters together
_OF_SECTION = 8.0  # crossings


def _densities(n: int) -> Iterator[Case]:
    def drawn(rng: np.random.Generator) -> np.ndarray:
        true = rng.normal(8.0, _SPREAD, n)
        of_raters = rng.normal(0.0, _BIAS, 2)
        return true[:, None] + of_raters + rng.normal(0.0, _SD / np.sqrt(2), (n, 2))

    def differences(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        manual = rng.normal(8.0, _SPREAD, n)
        return manual + rng.normal(_BIAS, _SD, n), manual

    yield f"bias, {n} pairs", _BIAS, lambda rng: bias_interval(bland_altman(*differences(rng)))
    lower = _BIAS - MIDDLE_95 * _SD
    yield f"limit, {n} pairs", lower, lambda rng: limit_intervals(bland_altman(*differences(rng)))[0]
    if n >= 10:
        icc = _SPREAD**2 / (_SPREAD**2 + _BIAS**2 + _SD**2 / 2)
        yield f"ICC, {n} pairs", icc, lambda rng: icc_interval(drawn(rng))


def _calls(n: int, kappa: float, below: float) -> Case:
    apart = below * (1 - below) * (1 - kappa)
    both = below**2 + kappa * below * (1 - below)
    shares = [both, apart, apart, 1 - both - 2 * apart]

    def interval(rng: np.random.Generator) -> Interval:
        counts = rng.multinomial(n, shares)
        one, two = np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)
        return kappa_interval(one.astype(bool), two.astype(bool))

    return f"kappa {kappa:g}, {below:.0%} below, {n} biopsies", kappa, interval


def _places(sections: int, share: float) -> Case:
    def interval(rng: np.random.Generator) -> Interval:
        own = rng.beta(share * _ALIKE, (1 - share) * _ALIKE, sections)
        crossings = rng.poisson(_OF_SECTION, sections)
        return share_interval(rng.binomial(crossings, own), crossings)

    return f"precision {share:g}, {sections} sections", share, interval


CASES: tuple[Case, ...] = (
    *(case for n in PAIRS for case in _densities(n)),
    *(_calls(n, kappa, below) for n in (10, 20, 40) for kappa in (0.3, 0.6, 0.9) for below in (0.2, 0.5)),
    *(_places(sections, share) for sections in (5, 10, 20) for share in (0.7, 0.9, 0.97)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage.agreement", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the figures")
    parser.add_argument("--repeats", type=int, default=1000, help="draws of each kind (default 1,000)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(arguments)
    found = {}
    for number, (name, true, interval) in enumerate(CASES):
        rng = np.random.default_rng([args.seed, number])
        ends = np.array([interval(rng) for _ in range(args.repeats)])
        ends = ends[np.isfinite(ends).all(axis=1)]  # kappa where both call everything the same
        found[name] = round(float(((ends[:, 0] <= true) & (true <= ends[:, 1])).mean()), 4)
        print(f"{100 * found[name]:5.1f} %  {name}", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    said = {"ienfd": ienfd.__version__, "repeats": args.repeats, "seed": args.seed, "coverage": found}
    (args.out / "agreement.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
