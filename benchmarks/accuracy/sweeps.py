"""One thing at a time: series of phantoms that differ in one nuisance, and families with nothing to count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ienfd.phantom.kinds import PhantomKind, ordinary_spec
from ienfd.phantom.spec import PhantomSpec

__all__ = ["NOTHING", "SWEEPS", "Level", "Sweep", "Variant", "base_spec", "variants"]

Stain = Literal["bright-field", "fluorescence"]

_BASES: Mapping[Stain, Sequence[PhantomKind]] = {
    "bright-field": (PhantomKind("bright-field", "projection", "dab", "hematoxylin"),),
    "fluorescence": (
        PhantomKind("fluorescence", "projection", basement_membrane_channel=True),
        PhantomKind("fluorescence", "projection", nuclei_channel=True),
    ),
}
_BOTH: tuple[Stain, ...] = ("bright-field", "fluorescence")
_CALM: Mapping[str, Any] = {
    "pixel_size_um": 0.32,
    "length_mm": 1.2,
    "open_left": True,
    "open_right": True,
    "open_bottom": True,
    "glass_um": 60.0,
    "dermis_um": 220.0,
    "epidermis_um": 68.0,
    "rete_um": 30.0,
    "rete_lean": 0.3,
    "density_per_mm": 9.0,
    "langerhans_per_mm2": 334.0,
    "beading": 0.6,
    "clefts_per_mm": 2.0,
    "fiber_photons": 140.0,
    "read_noise_photons": 2.0,
    "epidermis_gain": 1.8,
    "corneum_gain": 4.0,
    "fiber_od": 1.1,
    "dermis_od": 0.7,
    "melanin_od": 0.05,
    "shading": 0.15,
    "bits": 8,
}  # fmt: skip


@dataclass(frozen=True)
class Level:
    """One level of a nuisance.

    Parameters
    ----------
    label : str
        What it is called, with its unit.
    changes : mapping of str to Any
        Fields of the spec that make it.
    extreme : bool
        Whether a flag may excuse what goes wrong here.
    """

    label: str
    changes: Mapping[str, Any]
    extreme: bool = False


@dataclass(frozen=True)
class Sweep:
    """One nuisance in all its levels."""

    name: str
    levels: tuple[Level, ...]
    stains: tuple[Stain, ...] = _BOTH


@dataclass(frozen=True)
class Variant:
    """What one section of a sweep is made of: its cell, and its base."""

    sweep: Sweep
    level: Level
    base: PhantomKind

    @property
    def cell(self) -> str:
        """Nuisance and level."""
        return f"{self.sweep.name}: {self.level.label}"

    def spec(self, rng: np.random.Generator) -> PhantomSpec:
        """A section of this cell; `rng` decides all that is neither calm nor swept."""
        return replace(base_spec(rng, self.base), **self.level.changes)


def base_spec(rng: np.random.Generator, kind: PhantomKind) -> PhantomSpec:
    """An ordinary section in which nothing is difficult; nerves, dermis and course are drawn anew."""
    drawn = replace(ordinary_spec(rng, kind), **_CALM)
    return replace(drawn, rotation_deg=round(float(rng.uniform(-12.0, 12.0)), 3))


def variants(sweeps: Sequence[Sweep], per_cell: int) -> Iterator[Variant]:
    """The sections of all levels, round by round: more of a cell are added to those that there are.

    From round to round stains take turns, and so do the bases of a stain.
    """
    for number in range(per_cell):
        for sweep in sweeps:
            turn, stain = divmod(number, len(sweep.stains))
            bases = _BASES[sweep.stains[stain]]
            yield from (Variant(sweep, level, bases[turn % len(bases)]) for level in sweep.levels)


def _series(
    field: str, values: Sequence[float], unit: str = "", extreme: Sequence[float] = ()
) -> tuple[Level, ...]:
    return tuple(Level(f"{value:g}{unit}", {field: value}, value in extreme) for value in values)


def _named(field: str, values: Sequence[Any]) -> tuple[Level, ...]:
    return tuple(Level(str(value), {field: value}) for value in values)


def _contrast(share: float) -> Level:
    changes = {"fiber_od": share * _CALM["fiber_od"], "fiber_photons": share * _CALM["fiber_photons"]}
    return Level(f"{share:g} of ordinary", changes, share < 0.4)


def _channels(membrane: bool, nuclei: bool) -> Mapping[str, bool]:
    return {"basement_membrane_channel": membrane, "nuclei_channel": nuclei}


SWEEPS: tuple[Sweep, ...] = (
    Sweep("pixel", _series("pixel_size_um", (0.16, 0.22, 0.32, 0.45, 0.65), " um", (0.65,))),
    Sweep("camera noise", _series("read_noise_photons", (1.0, 2.0, 4.0, 8.0), " photons", (8.0,))),
    Sweep("defocus", _series("defocus_um", (0.0, 0.25, 0.5, 0.8), " um", (0.8,))),
    Sweep("shading", _series("shading", (0.0, 0.15, 0.3, 0.45), "", (0.45,))),
    Sweep("rotation", _series("rotation_deg", (0.0, 45.0, 90.0, 135.0, 180.0, 250.0, 315.0), " deg")),
    Sweep("bend", _series("bend_deg", (0.0, 35.0, 80.0, 120.0), " deg", (120.0,))),
    Sweep("thickness", _series("epidermis_um", (40.0, 57.0, 82.0, 110.0), " um", (40.0,))),
    Sweep("rete ridges", _series("rete_um", (0.0, 10.0, 30.0, 50.0, 70.0), " um", (70.0,))),
    Sweep(
        "overhanging ridges",
        tuple(
            Level(f"{lean:g}", {"rete_um": 50.0, "rete_lean": lean, "rete_period_um": 90.0}, lean == 1.0)
            for lean in (0.0, 0.5, 1.0)
        ),
    ),
    Sweep("oblique junction", _series("junction_tilt", (0.0, 0.08, 0.16, 0.24), "", (0.24,))),
    Sweep("density", _series("density_per_mm", (3.0, 6.0, 12.0, 20.0), " /mm")),
    Sweep(
        "fiber contrast",
        tuple(_contrast(share) for share in (1.4, 1.0, 0.7, 0.5, 0.3)),
    ),
    Sweep("beading", _series("beading", (0.2, 0.5, 0.7, 0.85, 0.95), "", (0.95,))),
    Sweep("Langerhans cells", _series("langerhans_per_mm2", (0.0, 150.0, 334.0, 484.0, 600.0), " /mm2")),
    Sweep("pigment", _series("melanin_od", (0.0, 0.1, 0.2, 0.35, 0.5), " OD", (0.5,)), ("bright-field",)),
    Sweep("corneum", _series("corneum_gain", (1.0, 3.0, 6.0, 9.0)), ("fluorescence",)),
    Sweep("dermis", _series("dermis_od", (0.2, 0.4, 0.8, 1.1), " of epidermis", (0.2,)), ("bright-field",)),
    Sweep("epidermis", _series("epidermis_gain", (0.4, 0.7, 1.0, 1.5, 2.5), " of dermis", (1.0,)),
          ("fluorescence",)),
    Sweep("collagen", _series("collagen_contrast", (0.1, 0.5, 0.9))),
    Sweep(
        "counterstain",
        _named("counterstain", ("none", "light", "hematoxylin", "hematoxylin-eosin", "eosin")),
        ("bright-field",),
    ),
    Sweep("chromogen", _named("chromogen", ("dab", "vip", "sg")), ("bright-field",)),
    Sweep(
        "channels",
        (
            Level("PGP 9.5 alone", _channels(False, False)),
            Level("with nuclei", _channels(False, True)),
            Level("with basement membrane", _channels(True, False)),
            Level("with both", _channels(True, True)),
        ),
        ("fluorescence",),
    ),
    Sweep(
        "storage",
        (
            Level("as it is", {}),
            *(Level(f"JPEG {quality}", {"jpeg_quality": quality}, quality < 75) for quality in (95, 85, 70)),
        ),
    ),
    Sweep("bits", _named("bits", (8, 12, 16)), ("fluorescence",)),
    Sweep("folds", _series("folds", (0, 1, 2), "", (2,))),
    Sweep("seams", _series("stitching", (0.0, 0.02, 0.04, 0.06), "", (0.06,))),
    Sweep(
        "crop",
        (
            Level("epidermis leaves the image", {}),
            Level("cut ends in the image", {"open_left": False, "open_right": False}),
            Level("no glass to spare", {"glass_um": 8.0}),
            Level("little dermis", {"dermis_um": 90.0}),
        ),
    ),
    Sweep("pieces", (Level("1", {}), Level("2", {"pieces": 2, "length_mm": 0.7}))),
    Sweep(
        "depth",
        (
            Level("projection of 50 um", {}),
            Level("one plane of 10 um", {"planes": "single", "thickness_um": 10.0}),
            Level("stack of 50 um", {"planes": "stack", "z_step_um": 3.0, "pixel_size_um": 0.4}),
        ),
    ),
)  # fmt: skip
"""Every nuisance, one at a time."""

_NO_NERVES = {
    "density_per_mm": 0.0,
    "plexus_per_mm": 0.0,
    "bundles_per_mm": 0.0,
    "approaching_per_mm": 0.0,
    "fragments_per_mm": 0.0,
    "grazing_per_mm": 0.0,
    "dermal_per_mm": 0.0,
    "langerhans_per_mm2": 0.0,
    "melanocytes_per_mm": 0.0,
}

NOTHING = Sweep(
    "nothing to count",
    (
        Level("no fiber anywhere", _NO_NERVES),
        Level(
            "Langerhans cells only", {**_NO_NERVES, "langerhans_per_mm2": 334.0, "melanocytes_per_mm": 12.0}
        ),
        Level("fragments only", {**_NO_NERVES, "fragments_per_mm": 4.0, "dermal_per_mm": 6.0}),
        Level(
            "plexus only", {**_NO_NERVES, "plexus_per_mm": 9.0, "bundles_per_mm": 1.0, "dermal_per_mm": 6.0}
        ),
    ),
)
"""Families without a single crossing; the last two have nerves in the dermis, and so a density of 0."""
