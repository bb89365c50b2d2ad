"""Measure how long `ienfd run` takes for a section of 12,000 x 4,000 pixels, and how much memory.

Machines differ and are busy: beside the seconds stands their ratio to a yardstick that is measured just
before and just after, in the same minute.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import ienfd
from benchmarks.speed.section import LargeSection, write_section
from benchmarks.speed.watch import watch
from benchmarks.speed.where import print_where
from benchmarks.speed.yardstick import YARDSTICK, yardstick_seconds
from ienfd.analysis_key import ALGORITHM_VERSION

TARGET_SECONDS, TARGET_GB = 15.0, 1.5


@dataclass(frozen=True)
class Speed:
    """One run: wall and processor seconds, gigabytes (10^9 bytes), and the yardstick around it."""

    seconds: float
    cpu_s: float
    peak_gb: float
    yardstick_s: float

    @property
    def ratio(self) -> float:
        """Time as a multiple of the yardstick."""
        return self.seconds / self.yardstick_s


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0, or with --strict 1 when a target is missed."""
    args = _parsed(arguments)
    section = LargeSection(height=args.height, width=args.width)
    args.out.mkdir(parents=True, exist_ok=True)
    image = args.out / f"large_{section.width}x{section.height}.ome.tif"
    if not image.is_file():
        unfinished = image.with_suffix(".part")
        write_section(unfinished, section)
        unfinished.replace(image)
    if args.where:
        print_where(image)
        return 0
    speeds = [_measured(image, args.out / "study") for _ in range(args.repeat)]
    summary = summarized(speeds, section)
    text = json.dumps(summary, indent=1) + "\n"
    (args.out / "speed.json").write_text(text, encoding="utf-8", newline="\n")
    print(said(summary))
    return 1 if args.strict and not summary["within_targets"] else 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the image, the study and speed.json")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="runs; the median is given")
    parser.add_argument("--width", type=int, default=LargeSection.width)
    parser.add_argument("--height", type=int, default=LargeSection.height)
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    parser.add_argument(
        "--where", action="store_true", help="instead, print which functions take the time in one process"
    )
    return parser.parse_args(arguments)


def _measured(image: Path, study: Path) -> Speed:
    shutil.rmtree(study, ignore_errors=True)
    before = yardstick_seconds()
    command = [sys.executable, "-m", "ienfd", "run", str(image), "--out", str(study)]
    watched = watch([*command, "--workers", "1", "--profile", "--progress", "none"])
    after = yardstick_seconds()
    print(watched.output)
    return Speed(watched.seconds, watched.cpu_seconds, watched.peak_bytes / 1e9, (before + after) / 2)


def summarized(speeds: Sequence[Speed], section: LargeSection) -> dict[str, object]:
    """All runs, their medians, and whether these are within the targets."""
    seconds, peak_gb = median(s.seconds for s in speeds), median(s.peak_gb for s in speeds)
    return {
        "ienfd": ienfd.__version__,
        "algorithm_version": ALGORITHM_VERSION,
        "python": platform.python_version(),
        "width_px": section.width,
        "height_px": section.height,
        "yardstick": YARDSTICK,
        "seconds": round(seconds, 2),
        "cpu_s": round(median(s.cpu_s for s in speeds), 2),
        "peak_gb": round(peak_gb, 3),
        "yardstick_s": round(median(s.yardstick_s for s in speeds), 2),
        "ratio": round(median(s.ratio for s in speeds), 3),
        "target_seconds": TARGET_SECONDS,
        "target_gb": TARGET_GB,
        "within_targets": seconds <= TARGET_SECONDS and peak_gb <= TARGET_GB,
        "runs": [{name: round(value, 3) for name, value in asdict(s).items()} for s in speeds],
    }


def said(summary: dict[str, object]) -> str:
    """The summary in two sentences."""
    return (
        f"{summary['width_px']} x {summary['height_px']} pixels: {summary['seconds']} s"
        f" (target {summary['target_seconds']:g}; {summary['cpu_s']} s of processor time),"
        f" {summary['peak_gb']} GB (target {summary['target_gb']:g})."
        f" The yardstick ({summary['yardstick']}) took {summary['yardstick_s']} s: ratio {summary['ratio']}."
    )


if __name__ == "__main__":
    sys.exit(main())
