"""Sections of the second generator as OME-TIFF with their truth as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tifffile

from . import make

__all__ = ["write"]


def write(out: Path, seed: int, stain: str | None = None, **choices: Any) -> tuple[Path, dict[str, Any]]:
    """Write one section to `out`/images and its truth to `out`/truth.

    Parameters
    ----------
    out : Path
        Made if it does not exist.
    seed, stain, choices
        As `make` takes them.

    Returns
    -------
    path : Path
        The image.
    truth : dict
        What is in it.
    """
    (out / "images").mkdir(parents=True, exist_ok=True)
    (out / "truth").mkdir(exist_ok=True)
    pixels, meta, truth = make(seed, stain, **choices)
    name = f"{seed:07d}_{truth['family']}"
    size = meta["pixel_size_um"]
    path = out / "images" / f"{name}.ome.tif"
    tifffile.imwrite(
        path,
        pixels,
        ome=True,
        photometric="rgb" if meta["rgb"] else "minisblack",
        metadata={
            "axes": meta["axes"],
            "PhysicalSizeX": size,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": size,
            "PhysicalSizeYUnit": "µm",
            "Channel": {"Name": meta["channels"]},
            "SignificantBits": meta["bits"],
        },
        compression="zlib",
        compressionargs={"level": 1},
    )
    text = json.dumps(truth, separators=(",", ":"))
    (out / "truth" / f"{name}.json").write_text(text, encoding="utf-8")
    return path, truth
