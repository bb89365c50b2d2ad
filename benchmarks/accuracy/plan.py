"""Which sections the measurement is made on: generators, stains and families take turns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.accuracy.sweeps import Sweep, Variant, variants
from benchmarks.second_look import BRIGHT_FIELD, FLUORESCENCE
from ienfd.phantom.kinds import KINDS, PhantomKind

__all__ = [
    "DEVELOPMENT_SEEDS_BELOW",
    "TEST_SEEDS_FROM",
    "PlannedSection",
    "check_seeds",
    "plan_kinds",
    "plan_sections",
    "plan_sweeps",
]

Generator = Literal["phantom", "second_look"]
Stain = Literal["bright-field", "fluorescence"]

DEVELOPMENT_SEEDS_BELOW = 10_000
TEST_SEEDS_FROM = 1_000_000

_GENERATORS: tuple[Generator, ...] = ("phantom", "second_look")
_STAINS: tuple[Stain, ...] = ("bright-field", "fluorescence")
_FAMILIES = {"bright-field": BRIGHT_FIELD, "fluorescence": FLUORESCENCE}


@dataclass(frozen=True)
class PlannedSection:
    """One section to be made.

    Parameters
    ----------
    generator : {"phantom", "second_look"}
        Who makes it.
    stain : {"bright-field", "fluorescence"}
        Kind of microscopy.
    family : str or None
        Family of the second generator; None for a phantom, whose spec is drawn from its seed.
    kind : PhantomKind or None
        Kind of phantom, whose quality is then ordinary; None for one that may be as difficult as any.
    seed : int
        Decides everything else.
    small : bool
        Whether it is a short section in coarse pixels, for a quick check.
    variant : Variant or None
        Which cell of a sweep it belongs to; None outside of them.
    """

    generator: Generator
    stain: Stain
    family: str | None
    seed: int
    kind: PhantomKind | None = None
    small: bool = False
    variant: Variant | None = None

    @property
    def name(self) -> str:
        """Stem of its files."""
        kind = self.family or f"phantom-{self.stain}"
        if self.kind is not None:
            kind = f"{self.kind.name}-{self.kind.planes}"
        if self.variant is not None:
            kind = f"{self.variant.base.name}-{re.sub('[^A-Za-z0-9.]+', '-', self.variant.cell)}"
        return f"{'small_' if self.small else ''}{self.seed:07d}_{kind}"


def plan_sections(
    count: int, first_seed: int = TEST_SEEDS_FROM, *, small: bool = False
) -> list[PlannedSection]:
    """The first `count` sections of the endless list that begins at `first_seed`.

    Raises
    ------
    ValueError
        If a seed would lie between those for development and those for tests.
    """
    check_seeds(count, first_seed)
    sections = []
    for number in range(count):
        generator = _GENERATORS[number % 2]
        stain = _STAINS[number // 2 % 2]
        families = _FAMILIES[stain]
        family = families[number // 4 % len(families)] if generator == "second_look" else None
        sections.append(PlannedSection(generator, stain, family, first_seed + number, small=small))
    return sections


def plan_kinds(count: int, first_seed: int = TEST_SEEDS_FROM) -> list[PlannedSection]:
    """The first `count` phantoms of the endless list that goes through all kinds from `first_seed` on.

    Raises
    ------
    ValueError
        If a seed would lie between those for development and those for tests.
    """
    check_seeds(count, first_seed)
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    return [
        PlannedSection("phantom", kind.stain, None, first_seed + number, kind)
        for number, kind in enumerate(kinds)
    ]


def plan_sweeps(
    sweeps: Sequence[Sweep], per_cell: int, first_seed: int = TEST_SEEDS_FROM
) -> list[PlannedSection]:
    """All sections of some sweeps, each with a seed of its own.

    The first sections of a cell are the same however many it has, as long as the list of sweeps is.

    Raises
    ------
    ValueError
        If a seed would lie between those for development and those for tests.
    """
    made = list(variants(sweeps, per_cell))
    check_seeds(len(made), first_seed)
    return [
        PlannedSection("phantom", variant.base.stain, None, first_seed + number, variant=variant)
        for number, variant in enumerate(made)
    ]


def check_seeds(count: int, first_seed: int) -> None:
    """Raise ValueError if a seed would lie between those for development and those for tests."""
    last = first_seed + count - 1
    if first_seed < 0 or not (last < DEVELOPMENT_SEEDS_BELOW or first_seed >= TEST_SEEDS_FROM):
        raise ValueError(
            f"seeds {first_seed} to {last}: development has those below {DEVELOPMENT_SEEDS_BELOW},"
            f" tests those from {TEST_SEEDS_FROM}"
        )
