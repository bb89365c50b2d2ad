"""`python -m benchmarks.second_look OUT --count N --seed S`: sections as OME-TIFF with truth as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import BRIGHT_FIELD, FLUORESCENCE
from .files import write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.second_look", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument(
        "--seed", type=int, default=0, help="first seed; < 10000 development, >= 1000000 tests"
    )
    parser.add_argument("--stain", choices=["fluorescence", "bright-field"])
    parser.add_argument("--family", choices=FLUORESCENCE + BRIGHT_FIELD)
    parser.add_argument("--length-um", type=float, help="length of epidermis")
    parser.add_argument("--pixel-size-um", type=float)
    args = parser.parse_args()
    for seed in range(args.seed, args.seed + args.count):
        path, truth = write(
            args.out, seed, args.stain, family=args.family, length_um=args.length_um,
            pixel_size_um=args.pixel_size_um,
        )  # fmt: skip
        print(
            f"{path.name.removesuffix('.ome.tif')} {truth['shape']} {truth['pixel_size_um']} um/px, "
            f"{len(truth['crossings'])} crossings, {truth['layout']}"
        )


if __name__ == "__main__":
    main()
