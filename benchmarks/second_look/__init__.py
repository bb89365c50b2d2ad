"""A second, independent generator of skin sections with truth: painted in 2-D, not rendered from 3-D.

It exists so that the detector is not tuned to the phantoms of one author. Seeds below 10,000 are for
development, seeds from 1,000,000 on for tests only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .camera import expose_bright_field, expose_fluorescence
from .geometry import clip_to_frame, make_maps, make_scene
from .nerves import grow
from .stains import BRIGHT_FIELD, FLUORESCENCE, bright_field, fluorescence
from .tissue import paint_layers

__all__ = ["BRIGHT_FIELD", "FLUORESCENCE", "make"]


def make(
    seed: int,
    stain: str | None = None,
    *,
    family: str | None = None,
    length_um: float | None = None,
    pixel_size_um: float | None = None,
) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
    """One section.

    Parameters
    ----------
    seed : int
        The same seed and arguments give the same section.
    stain : {"fluorescence", "bright-field"}, optional
        When not given, even seeds are fluorescence, odd seeds bright-field; families take turns.
    family : str, optional
        One of `FLUORESCENCE` or `BRIGHT_FIELD`; overrides `stain`.
    length_um : float, optional
        Length of epidermis in micrometers; 600-1300 when not given, less in fine pixels.
    pixel_size_um : float, optional
        Edge of a pixel; 0.16-0.65 when not given.

    Returns
    -------
    pixels : (C, H, W) uint8 or uint16 ndarray, or (H, W, 3) uint8 ndarray for bright-field
    meta : dict
        `pixel_size_um`, `channels` (names), `rgb`, `bits`, `axes`.
    truth : dict
        `crossings`, `junctions`, `surfaces` in (row, col) pixels, and what the section is.
    """
    rng = np.random.default_rng([2, seed])
    if family is None:
        if stain is None:
            stain = ("fluorescence", "bright-field")[seed % 2]
        if stain not in ("fluorescence", "bright-field"):
            raise ValueError(f"stain must be fluorescence or bright-field, not {stain}")
        cycle = FLUORESCENCE if stain == "fluorescence" else BRIGHT_FIELD
        family = cycle[seed // 2 % len(cycle)]
    elif family not in FLUORESCENCE + BRIGHT_FIELD:
        raise ValueError(f"unknown family {family}")
    stain = "fluorescence" if family in FLUORESCENCE else "bright-field"
    pixel_um = float(
        rng.choice([0.16, 0.2, 0.25, 0.32, 0.4, 0.5, 0.65], p=[0.08, 0.08, 0.16, 0.3, 0.13, 0.13, 0.12])
    )
    pixel_um = pixel_size_um or pixel_um
    length = float(length_um or rng.uniform(600, 1300) * min(1.0, (pixel_um / 0.32) ** 0.8))
    scene = make_scene(rng, length)
    maps = make_maps(scene)
    tangle = grow(rng, scene, maps)
    shape = (int(scene.height_um / pixel_um), int(scene.width_um / pixel_um))
    layers = paint_layers(rng, scene, maps, tangle, shape, pixel_um)
    meta: dict[str, Any] = {"pixel_size_um": pixel_um}
    if stain == "fluorescence":
        channels, names = fluorescence(rng, layers, family, pixel_um)
        if len(channels) > 1 and rng.random() < 0.4:
            order = rng.permutation(len(channels))
            channels, names = [channels[k] for k in order], [names[k] for k in order]
        pixels, bits = expose_fluorescence(rng, channels, pixel_um)
        meta.update(channels=names, rgb=False, bits=bits, axes="CYX")
    else:
        pixels = expose_bright_field(rng, bright_field(rng, layers, family, pixel_um), pixel_um)
        meta.update(channels=["RGB"], rgb=True, bits=8, axes="YXS")

    def lines(name: str) -> list[list[list[float]]]:
        height, width = (shape[0] - 1) * pixel_um, (shape[1] - 1) * pixel_um
        parts = [q for p in scene.pieces for q in clip_to_frame(getattr(p, name), height, width)]
        return [np.round(part / pixel_um, 2).tolist() for part in parts]

    kinds = [s.kind for s in tangle.strands]
    truth = {
        "seed": seed,
        "family": family,
        "stain": stain,
        "layout": scene.layout,
        "pixel_size_um": pixel_um,
        "shape": list(shape),
        "crossings": [np.round(p / pixel_um, 2).tolist() for p in tangle.crossings],
        "junctions": lines("junction"),
        "surfaces": lines("surface"),
        "langerhans": [np.round(c.center / pixel_um, 2).tolist() for c in tangle.cells],
        "fibers": [
            {"kind": s.kind, "points": np.round(s.points[::2] / pixel_um, 1).tolist()} for s in tangle.strands
        ],
        "counts": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
    }
    return pixels, meta, truth
