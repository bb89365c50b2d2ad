"""What a stated pixel size is worth: pure functions from what a file says to a `Calibration`.

A calibration has a pixel size or a problem, never both: a number that cannot be believed is found in
`stated` only, so that nothing can be computed with it by mistake.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ienfd.section import Calibration, CalibrationSource

__all__ = [
    "MAX_PIXEL_SIZE_UM",
    "MIN_PIXEL_SIZE_UM",
    "Resolution",
    "given",
    "length_um",
    "of_resolution",
    "of_sizes",
    "uncalibrated",
    "unitless",
]

MIN_PIXEL_SIZE_UM = 0.05
MAX_PIXEL_SIZE_UM = 2.5
_ANISOTROPY = 0.01  # relative difference of x and y that is still rounding
_ROUNDING = 1 + 1e-9  # a bound that is met is not exceeded
_UM_PER_INCH = 25_400.0
_UM_PER_CM = 10_000.0
_UM_PER_M = 1e6

# what screens, cameras and printers write when nobody calibrated anything
_DEFAULT_DPI = (1, 72, 75, 90, 96, 100, 120, 144, 150, 180, 200, 240, 300, 360, 400, 600, 720, 1200, 2400)
_DPI_TOLERANCE = 0.005  # 28 or 28.35 per cm, 2835 per m: all of them are 72 dpi

_UM_PER_UNIT = {
    "m": 1e6, "meter": 1e6, "metre": 1e6, "dm": 1e5, "cm": 1e4, "centimeter": 1e4, "centimetre": 1e4,
    "mm": 1e3, "millimeter": 1e3, "millimetre": 1e3,
    "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0, "micrometers": 1.0,
    "micrometres": 1.0, "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3, "pm": 1e-6,
    "\u00e5": 1e-4, "angstrom": 1e-4, "in": _UM_PER_INCH, "inch": _UM_PER_INCH, "inches": _UM_PER_INCH,
    "\"": _UM_PER_INCH, "thou": 25.4, "mil": 25.4, "ft": 12 * _UM_PER_INCH,
}  # fmt: skip


@dataclass(frozen=True)
class Resolution:
    """A resolution as it stands in a file: the tags of a TIFF, the density of a PNG or JPEG.

    Parameters
    ----------
    x, y : (int, int)
        Pixels per unit as numerator and denominator.
    unit : {"inch", "cm", "m", "none"} or None
        Unit; None when the tag is absent, which TIFF 6.0 takes for an inch.
    """

    x: tuple[int, int]
    y: tuple[int, int]
    unit: str | None = None

    @property
    def per_unit(self) -> tuple[float, float] | None:
        """Pixels per unit in x and y; None where the numbers cannot be a resolution."""
        (a, b), (c, d) = self.x, self.y
        if min(a, b, c, d) <= 0:
            return None
        return a / b, c / d

    def __str__(self) -> str:
        return f"{_rational(self.x)} x {_rational(self.y)} pixels per {_UNIT_WORDS[self.unit]}"


_UNIT_WORDS = {
    "inch": "inch",
    "cm": "cm",
    "m": "m",
    "none": "unit, without a unit",
    None: "inch (by default)",
}


def length_um(value: float, unit: str) -> float | None:
    """Length in micrometers, None when `unit` is no unit of length (pixel, reference frame)."""
    plain = unit.strip().replace("\u00b5", "u").replace("\u03bc", "u").casefold()
    factor = _UM_PER_UNIT.get(plain)
    return None if factor is None else value * factor


def uncalibrated(stated: str = "", source: CalibrationSource = CalibrationSource.NONE) -> Calibration:
    """A file that does not say how large a pixel is."""
    return Calibration(None, source, problem="uncalibrated", stated=stated)


def unitless(stated: str, source: CalibrationSource) -> Calibration:
    """A file that gives a number without a physical unit."""
    return Calibration(None, source, problem="calibration_unit", stated=stated)


def of_sizes(
    x_um: float | None,
    y_um: float | None,
    *,
    source: CalibrationSource,
    stated: str,
    z_step_um: float | None = None,
) -> Calibration:
    """Calibration from the edges of a pixel in micrometers.

    Parameters
    ----------
    x_um, y_um : float or None
        Width and height of a pixel; None when one of them is not stated.
    source : CalibrationSource
        Where they come from.
    stated : str
        What was literally said.
    z_step_um : float, optional
        Distance of the planes.

    Returns
    -------
    Calibration
        With a pixel size, or with a problem: `uncalibrated`, `calibration_anisotropic`,
        `calibration_range`.
    """
    if x_um is None or y_um is None or not _is_length(x_um) or not _is_length(y_um):
        return uncalibrated(stated, source)
    step = z_step_um if z_step_um is not None and _is_length(z_step_um) else None
    bad = Calibration(None, source, step, stated=stated)
    if abs(x_um - y_um) > _ANISOTROPY * min(x_um, y_um) * _ROUNDING:
        return replace(bad, problem="calibration_anisotropic")
    size_um = x_um if x_um == y_um else (x_um + y_um) / 2
    if not MIN_PIXEL_SIZE_UM / _ROUNDING <= size_um <= MAX_PIXEL_SIZE_UM * _ROUNDING:
        return replace(bad, problem="calibration_range")
    return replace(bad, pixel_size_um=size_um)


def of_resolution(resolution: Resolution | None) -> Calibration:
    """Calibration from the resolution tags of a TIFF.

    Notes
    -----
    A resolution in dots per inch that a screen, a camera or a printer would write is a default and
    not a calibration, whatever it may come to in micrometers. All of them are coarser than any
    microscope, so that no calibrated image is lost by this.
    """
    source = CalibrationSource.TIFF_RESOLUTION
    if resolution is None:
        return uncalibrated()
    stated = str(resolution)
    per_unit = resolution.per_unit
    if per_unit is None or resolution.unit == "none":
        return unitless(stated, source)
    unit_um = {"cm": _UM_PER_CM, "m": _UM_PER_M}.get(resolution.unit or "", _UM_PER_INCH)
    x_um, y_um = (unit_um / value for value in per_unit)
    if _is_default_dpi(_UM_PER_INCH / x_um) and _is_default_dpi(_UM_PER_INCH / y_um):
        return Calibration(None, source, problem="calibration_default_dpi", stated=stated)
    return of_sizes(x_um, y_um, source=source, stated=stated)


def given(pixel_size_um: float, source: CalibrationSource, of_file: Calibration) -> Calibration:
    """Calibration by a pixel size that a person gave; the step between planes is the file's."""
    return of_sizes(
        pixel_size_um,
        pixel_size_um,
        source=source,
        stated=f"{pixel_size_um:g} um/px",
        z_step_um=of_file.z_step_um,
    )


def _is_default_dpi(dpi: float) -> bool:
    return any(abs(dpi - default) <= _DPI_TOLERANCE * default for default in _DEFAULT_DPI) or (
        abs(dpi - 28 * 2.54) < 0.01  # 72 dpi, rounded to whole pixels per centimeter
    )


def _is_length(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _rational(value: tuple[int, int]) -> str:
    numerator, denominator = value
    if denominator <= 0 or numerator <= 0:
        return f"{numerator}/{denominator}"
    return f"{numerator / denominator:.6g}"
