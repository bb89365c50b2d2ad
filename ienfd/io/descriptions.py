"""ImageDescriptions that are not XML: ImageJ, Aperio, and arrays of numbers with a shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ienfd.io.calibration import Resolution, length_um, of_resolution, of_sizes, uncalibrated, unitless
from ienfd.section import Calibration, CalibrationSource

__all__ = [
    "Shaped",
    "aperio_calibration",
    "channel_names",
    "imagej_calibration",
    "is_aperio",
    "is_imagej",
    "parse_aperio",
    "parse_imagej",
    "parse_shaped",
]

_COUNT = re.compile(r"\b[czt]:\d+/\d+")
_WORD = re.compile(r"[^\s_:;,/]+")


def is_imagej(description: str) -> bool:
    """Whether ImageJ wrote this."""
    return description.startswith("ImageJ=")


def parse_imagej(description: str) -> dict[str, str]:
    """The `key=value` lines of ImageJ."""
    lines = (line.partition("=") for line in description.splitlines())
    return {key.strip(): value.strip() for key, equals, value in lines if equals}


def channel_names(labels: Sequence[str]) -> tuple[str | None, ...]:
    """Names of channels by what ImageJ calls their images: the words in which these differ.

    Labels are often counts and the name of the file they came from, as in `c:1/2 - visit 3`: what all of them
    hold names no channel, nor does a mere number.
    """
    words = [_WORD.findall(_COUNT.sub("", label)) for label in labels]
    common = set.intersection(*map(set, words)) if words else set()
    names = [" ".join(word for word in each if word not in common) for each in words]
    return tuple(name if any(map(str.isalpha, name)) else None for name in names)


def imagej_calibration(values: Mapping[str, str], resolution: Resolution | None) -> Calibration:
    """Calibration of ImageJ: its unit in the description, pixels per unit in the resolution tags."""
    source = CalibrationSource.IMAGEJ
    unit = _unescaped(values.get("unit", ""))
    if not unit:
        return of_resolution(resolution)
    y_unit = _unescaped(values.get("yunit", "")) or unit
    if resolution is None:
        return uncalibrated(f"unit {unit}, no resolution", source)
    per_unit = resolution.per_unit
    stated = f'{str(resolution).partition(" per ")[0]} per unit "{unit}"'
    if per_unit is None:
        return unitless(stated, source)
    x_um, y_um = length_um(1 / per_unit[0], unit), length_um(1 / per_unit[1], y_unit)
    if x_um is None or y_um is None:
        return unitless(stated, source)
    if unit.casefold() in ("inch", "in", "inches", "cm"):
        by_default = of_resolution(Resolution(resolution.x, resolution.y, "cm" if unit == "cm" else "inch"))
        if by_default.problem == "calibration_default_dpi":
            return by_default
    step = _float(values.get("spacing", ""))
    z_unit = _unescaped(values.get("zunit", "")) or unit
    step_um = None if step is None else length_um(abs(step), z_unit)
    return of_sizes(x_um, y_um, source=source, stated=stated, z_step_um=step_um)


def is_aperio(description: str) -> bool:
    """Whether an Aperio scanner, or a program in its manner, wrote this."""
    return description.startswith("Aperio ")


def parse_aperio(description: str) -> dict[str, str]:
    """The `key = value` fields of Aperio, which are divided by bars; the first of equal keys stays."""
    found: dict[str, str] = {}
    for part in description.split("|")[1:]:
        key, equals, value = part.partition("=")
        if equals:
            found.setdefault(key.strip(), value.strip())
    return found


def aperio_calibration(values: Mapping[str, str]) -> Calibration:
    """Calibration by the field MPP, micrometers per pixel."""
    said = values.get("MPP")
    if said is None:
        return uncalibrated()
    size_um = _float(said)
    return of_sizes(size_um, size_um, source=CalibrationSource.APERIO, stated=f"MPP = {said}")


@dataclass(frozen=True)
class Shaped:
    """The shape that a program of numbers left in the description, and the axes if it said them."""

    shape: tuple[int, ...]
    axes: str | None


def parse_shaped(description: str) -> Shaped | None:
    """Shape and axes of a description like `{"shape": [3, 64, 64], "axes": "ZYX"}`, None when it is none."""
    if not description.startswith("{") or len(description) > 100_000:
        return None
    try:
        said = json.loads(description)
    except (ValueError, RecursionError):
        return None
    shape = said.get("shape") if isinstance(said, dict) else None
    if not isinstance(shape, list) or not all(type(size) is int and size > 0 for size in shape):
        return None
    axes = said.get("axes")
    known = isinstance(axes, str) and len(axes) == len(shape) and len(set(axes)) == len(axes)
    return Shaped(tuple(shape), axes.upper() if known else None)


def _unescaped(text: str) -> str:
    r"""Text in which ImageJ wrote `\u00B5` for a letter."""
    plain = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: chr(int(match[1], 16)), text)
    return "" if plain.strip() in ("", "null") else plain.strip()


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
