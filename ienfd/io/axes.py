"""The meaning of the axes of an image: pure functions, no files.

Every axis has a letter: Y and X, Z for focal planes, C for channels, S for the samples of one color
image, T for time. An array lies in a file in any order of them; a section is always (Z, H, W, C).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ienfd.errors import RefusedError

__all__ = ["Layout", "parse_axes", "with_axes"]

_LETTERS = "TZCSYX"
UNKNOWN = "?"


@dataclass(frozen=True)
class Layout:
    """The axes of an image as it is stored, slowest first.

    Parameters
    ----------
    axes : str
        A letter for each axis; `?` where its meaning is not known.
    sizes : tuple of int
        Their sizes.
    rgb : bool
        Whether the S axis holds red, green, blue.
    """

    axes: str
    sizes: tuple[int, ...]
    rgb: bool = False

    def __post_init__(self) -> None:
        known = self.axes.replace(UNKNOWN, "")
        if len(self.axes) != len(self.sizes) or len(set(known)) != len(known):
            raise ValueError(f"axes {self.axes} of sizes {self.sizes}")

    def size(self, letter: str) -> int:
        """Size of an axis, 1 when there is none of this letter."""
        return self.sizes[self.axes.index(letter)] if letter in self.axes else 1

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(Z, H, W, C) of the section."""
        return self.size("Z"), self.size("Y"), self.size("X"), self.size("C") * self.size("S")

    @property
    def is_rgb(self) -> bool:
        """Whether the section is one color image (several of them are so many channels)."""
        return self.rgb and self.size("C") == 1 and self.size("S") == 3

    @property
    def problem(self) -> str | None:
        """Why no section can be made of it, None when it can."""
        if UNKNOWN in self.axes:
            unknown = [size for letter, size in zip(self.axes, self.sizes, strict=True) if letter == UNKNOWN]
            return f"{' x '.join(map(str, unknown))} pages of {self.size('X')} x {self.size('Y')} pixels"
        if self.size("T") > 1:
            return f"{self.size('T')} time points; a section has none"
        return None

    def allocate(self, dtype: DTypeLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Memory for a section, seen in two ways.

        Samples of a color image lie together, channels apart: so the analysis will go through them.

        Returns
        -------
        pixels : (Z, H, W, C) ndarray
            As a section wants it.
        stored : ndarray
            The same memory with the axes as they are stored, to be filled.
        """
        order = "TZYXCS" if self.is_rgb else "TCSZYX"
        memory = np.empty([self.size(letter) for letter in order], dtype)
        if self.is_rgb:
            pixels = memory.reshape(self.shape)
        else:
            planes, height, width, channels = self.shape
            pixels = np.moveaxis(memory.reshape(channels, planes, height, width), 0, -1)
        kept = memory[tuple(slice(None) if letter in self.axes else 0 for letter in order)]
        present = [letter for letter in order if letter in self.axes]
        return pixels, kept.transpose([present.index(letter) for letter in self.axes])


def parse_axes(text: str) -> tuple[tuple[str, int | None], ...]:
    """Letters and sizes of an `--axes` option: `ZCYX`, or `Z5C2YX` where sizes must be said.

    Raises
    ------
    RefusedError
        With `axes_unknown` when it is not understood.
    """
    plain = text.strip().upper()
    found = re.findall(r"([A-Z])(\d*)", plain)
    letters = "".join(letter for letter, _ in found)
    if (
        "".join(letter + digits for letter, digits in found) != plain
        or not set(letters) <= set(_LETTERS)
        or len(set(letters)) != len(letters)
        or not {"Y", "X"} <= set(letters)
    ):
        raise RefusedError(
            "axes_unknown", f"--axes {text!r} is not understood: letters of {_LETTERS}, each once, Y and X"
        )
    return tuple((letter, int(digits) if digits else None) for letter, digits in found)


def with_axes(layout: Layout, text: str) -> Layout:
    """A layout with the meaning that a person gives to its axes.

    Axes of size 1 may be named or left out. Pages in one unknown row are divided among several
    letters when all sizes but one are said or known.

    Raises
    ------
    RefusedError
        With `axes_unknown` when the letters do not fit the file.
    """
    wanted = parse_axes(text)
    stored = [(letter, size) for letter, size in zip(layout.axes, layout.sizes, strict=True) if size != 1]
    page = [letter for letter, _ in stored if letter in "YXS"]
    for axes in (wanted, tuple(item for item in wanted if item[0] != "T")):
        if len(axes) == len(stored):
            sizes = [size for _, size in stored]
            if all(said in (None, size) for (_, said), size in zip(axes, sizes, strict=True)):
                return Layout("".join(letter for letter, _ in axes), tuple(sizes), rgb=_is_rgb(layout, axes))
    leading, trailing = wanted[: len(wanted) - len(page)], wanted[len(wanted) - len(page) :]
    pages = [size for letter, size in stored if letter not in "YXS"]
    if len(pages) <= 1 and leading:
        divided = _divide([said for _, said in leading], prod(pages))
        if divided is not None:
            return Layout(
                "".join(letter for letter, _ in wanted),
                (*divided, *(size for letter, size in stored if letter in "YXS")),
                rgb=_is_rgb(layout, trailing),
            )
    has = " x ".join(str(size) for _, size in stored) or "1"
    hint = "; say how many of each, for example Z5C2YX" if len(leading) > 1 and len(pages) == 1 else ""
    raise RefusedError("axes_unknown", f"--axes {text} does not fit the {has} of the file{hint}")


def _divide(said: list[int | None], pages: int) -> tuple[int, ...] | None:
    """Sizes of the leading axes, None when they do not come to the number of pages."""
    known = prod(size for size in said if size is not None)
    unknown = said.count(None)
    if unknown > 1 or known == 0 or pages % known or (unknown == 0 and known != pages):
        return None
    return tuple(pages // known if size is None else size for size in said)


def _is_rgb(layout: Layout, axes: tuple[tuple[str, int | None], ...]) -> bool:
    return layout.rgb and any(letter == "S" for letter, _ in axes)
