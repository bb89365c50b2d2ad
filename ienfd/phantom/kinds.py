"""The kinds of section that laboratories make, each as one would be accepted for counting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ienfd.phantom.spec import Chromogen, Counterstain, PhantomSpec, Planes, StainKind, random_spec

__all__ = ["KINDS", "PhantomKind", "kind_of", "ordinary_spec"]

_THIN_UM, _THICK_UM = 10.0, 50.0
_STACK_PIXEL_UM, _STACK_MM = 0.32, 0.8


@dataclass(frozen=True)
class PhantomKind:
    """What a laboratory decides about a section: how it is stained and what of its depth is stored.

    `chromogen` and `counterstain` matter in bright-field only, the channels in fluorescence only.
    """

    stain: StainKind
    planes: Planes
    chromogen: Chromogen = "dab"
    counterstain: Counterstain = "none"
    basement_membrane_channel: bool = False
    nuclei_channel: bool = False

    @property
    def name(self) -> str:
        """Stain, counterstain or channels, as in `bf-dab-hematoxylin` or `fl-pgp-col4`."""
        if self.stain == "bright-field":
            return f"bf-{self.chromogen}" + ("" if self.counterstain == "none" else f"-{self.counterstain}")
        membrane = "-col4" if self.basement_membrane_channel else ""
        return f"fl-pgp{membrane}{'-dapi' if self.nuclei_channel else ''}"


def kind_of(spec: PhantomSpec) -> PhantomKind:
    """The kind that a spec is of."""
    return PhantomKind(
        spec.stain,
        spec.planes,
        spec.chromogen,
        spec.counterstain,
        spec.basement_membrane_channel,
        spec.nuclei_channel,
    )


_IN_FLUORESCENCE: tuple[Planes, ...] = ("projection", "stack", "projection", "single", "projection")
_IN_BRIGHT_FIELD: tuple[Planes, ...] = ("projection", "single")
_STAININGS: tuple[tuple[Chromogen, Counterstain], ...] = (
    ("dab", "hematoxylin"),
    ("dab", "none"),
    ("vip", "none"),
    ("dab", "light"),
    ("sg", "eosin"),
    ("dab", "hematoxylin-eosin"),
    ("vip", "hematoxylin"),
    ("dab", "eosin"),
    ("sg", "none"),
    ("vip", "light"),
)
_BRIGHT_FIELD = tuple(
    PhantomKind("bright-field", planes, chromogen, counterstain)
    for planes in _IN_BRIGHT_FIELD
    for chromogen, counterstain in _STAININGS
)
_FLUORESCENCE = tuple(
    PhantomKind("fluorescence", planes, basement_membrane_channel=membrane, nuclei_channel=nuclei)
    for planes, membrane, nuclei in product(_IN_FLUORESCENCE, (False, True), (False, True))
)

KINDS: tuple[PhantomKind, ...] = tuple(
    kind for pair in zip(_BRIGHT_FIELD, _FLUORESCENCE, strict=True) for kind in pair
)
"""Forty sections of all kinds: twenty of each stain, taking turns; the commonest come more than once."""


def ordinary_spec(rng: np.random.Generator, kind: PhantomKind) -> PhantomSpec:
    """Draw a section of a kind in the quality that a reader would count in.

    The anatomy and the nerves are drawn from the whole of the design ranges, as in `random_spec`; of stain
    and microscope, what a laboratory would cut, stain or scan again is left out: faint fibers, high
    background, a dermis that took no stain, heavy pigment, poor focus, staining of the rim, seams, visible
    compression, torn pieces, tight bends.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same spec.
    kind : PhantomKind
        Stain and planes.
    """

    def uniform(low: float, high: float) -> float:
        return round(float(rng.uniform(low, high)), 3)

    drawn = random_spec(rng, kind.stain)
    stack: dict[str, Any] = {}
    if kind.planes == "stack":
        stack = {
            "pixel_size_um": max(drawn.pixel_size_um, _STACK_PIXEL_UM),
            "length_mm": min(drawn.length_mm, _STACK_MM),
        }
    return replace(
        drawn,
        **stack,
        thickness_um=_THIN_UM if kind.planes == "single" else _THICK_UM,
        planes=kind.planes,
        chromogen=kind.chromogen,
        counterstain=kind.counterstain,
        basement_membrane_channel=kind.basement_membrane_channel,
        nuclei_channel=kind.nuclei_channel,
        pieces=1,
        bend_deg=uniform(-35, 35),
        adnexa_per_mm=0.0,
        fiber_photons=round(float(np.exp(rng.uniform(np.log(80), np.log(260)))), 2),
        read_noise_photons=uniform(1, 3),
        dim_to_plexus=uniform(0.6, 1.0),
        fiber_od=uniform(0.8, 1.6),
        background_od=uniform(0.02, 0.12),
        dermis_od=uniform(0.4, 1.1),
        melanin_od=uniform(0.0, 0.15),
        defocus_um=0.0,
        edge_effect=0.0,
        stitching=0.0,
        jpeg_quality=0,
    )
