"""`python -m benchmarks.second_look OUT --count N --seed S`: sections as OME-TIFF with truth as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import tifffile

from . import BRIGHT_FIELD, FLUORESCENCE, make


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
    (args.out / "images").mkdir(parents=True, exist_ok=True)
    (args.out / "truth").mkdir(exist_ok=True)
    for seed in range(args.seed, args.seed + args.count):
        pixels, meta, truth = make(
            seed, args.stain, family=args.family, length_um=args.length_um, pixel_size_um=args.pixel_size_um
        )
        name = f"{seed:07d}_{truth['family']}"
        size = meta["pixel_size_um"]
        metadata = {
            "axes": meta["axes"],
            "PhysicalSizeX": size,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": size,
            "PhysicalSizeYUnit": "µm",
            "Channel": {"Name": meta["channels"]},
            "SignificantBits": meta["bits"],
        }
        tifffile.imwrite(
            args.out / "images" / f"{name}.ome.tif",
            pixels,
            ome=True,
            photometric="rgb" if meta["rgb"] else "minisblack",
            metadata=metadata,
            compression="zlib",
            compressionargs={"level": 1},
        )
        text = json.dumps(truth, separators=(",", ":"))
        (args.out / "truth" / f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name} {truth['shape']} {size} um/px, {len(truth['crossings'])} crossings, {truth['layout']}")


if __name__ == "__main__":
    main()
