"""What a network is to see of synthetic sections, with the truth: a file for each section."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ienfd
from benchmarks.accuracy.images import image_path, make_images, truth_path
from benchmarks.accuracy.plan import PlannedSection
from benchmarks.accuracy.truth import TrueSection, read_true_section
from ienfd.nerve.field import LineField
from ienfd.section import Section

__all__ = ["Arrays", "Enough", "See", "SeeDrawn", "enough", "make_drawn_views", "make_views"]

Arrays = dict[str, NDArray[Any]]

See = Callable[[Section, TrueSection], Arrays]
"""What is seen of a section and what is true of it; empty where there is nothing to learn from."""

SeeDrawn = Callable[[int], Arrays]
"""What is seen of the drawing of a seed, with what is true of it."""


class Enough(Exception):  # noqa: N818 - no mistake: what follows is not needed
    """The analysis has come far enough."""


def enough(_field: LineField) -> LineField:
    """Ends an analysis before its lines are weighed."""
    raise Enough


def make_views(
    out: Path, folder: str, see: See, sections: Sequence[PlannedSection], workers: int
) -> list[Path]:
    """A file in a folder of `out` for each section from which something is learned; those there are kept."""
    (out / folder).mkdir(parents=True, exist_ok=True)
    missing = [s for s in sections if not (out / folder / f"{s.name}.npz").is_file()]
    make_images(out, missing, workers, print)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_make, out, out / folder, see), missing))
    return [path for s in sections if (path := out / folder / f"{s.name}.npz").is_file()]


def make_drawn_views(out: Path, folder: str, see: SeeDrawn, count: int, workers: int) -> list[Path]:
    """A file in a folder of `out` for each of so many drawings; those there are kept."""
    (out / folder).mkdir(parents=True, exist_ok=True)
    files = [out / folder / f"{seed}.npz" for seed in range(1, count + 1)]
    missing = [file for file in files if not file.is_file()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_make_drawn, see), missing))
    return files


def _make_drawn(see: SeeDrawn, file: Path) -> None:
    np.savez_compressed(file, **see(int(file.stem)))  # type: ignore[arg-type]


def _make(out: Path, folder: Path, see: See, section: PlannedSection) -> None:
    truth = read_true_section(truth_path(out, section), section.generator)
    arrays = see(ienfd.read(image_path(out, section)), truth)
    if arrays:
        np.savez_compressed(folder / f"{section.name}.npz", **arrays)  # type: ignore[arg-type]
