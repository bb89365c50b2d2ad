"""What decides whether a section must be analyzed again, and whether it must be counted again.

Both keys are pure and light, so that a plan can be made without looking at a pixel.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict

import ienfd
from ienfd.protocol import Protocol, QualityBounds, Stain, canonical_json

__all__ = ["ALGORITHM_VERSION", "analysis_key", "rules_key"]

ALGORITHM_VERSION = "56"

_FIRST_BOUNDS = (
    "min_pixel_size_um", "max_pixel_size_um", "max_fiber_pixel_um", "max_saturated_fraction",
    "max_excluded_fraction",
)  # fmt: skip


def analysis_key(
    *,
    pixel_size_um: float | None,
    stain: Stain | None,
    axes: str | None,
    protocol: Protocol,
) -> str:
    """Hash of every effective input that changes pixels or geometry.

    Parameters
    ----------
    pixel_size_um : float or None
        The pixel size that holds, wherever it came from; None when the file's may not be used.
    stain : {"bright-field", "fluorescence"} or None
        The stain given for this section, which overrides the protocol's; None when none is given.
    axes : str or None
        The meaning of the axes, where it was given.
    protocol : Protocol
        Its `image` part and its quality bounds enter, the counting rules do not.

    Returns
    -------
    str
        Hex digest.
    """
    image = asdict(protocol.image)
    if stain is not None:
        image["stain"] = stain
    value = {
        "algorithm": ALGORITHM_VERSION,
        "pixel_size_um": None if pixel_size_um is None else repr(float(pixel_size_um)),
        "axes": axes.upper() if axes else None,
        "image": image,
        "quality": _bounds(protocol.quality),
    }
    return _digest(value)


def rules_key(protocol: Protocol) -> str:
    """Hash of everything that turns findings into a result: rules, density, bounds, the program."""
    return _digest(
        {
            "software": ienfd.__version__,
            "algorithm": ALGORITHM_VERSION,
            "counting": asdict(protocol.counting),
            "density": asdict(protocol.density),
            "quality": _bounds(protocol.quality),
        }
    )


def _bounds(quality: QualityBounds) -> dict[str, float]:
    """The bounds that may decide otherwise than those of the first version.

    One that came later changes nothing by its default: what was found before it still holds.
    """
    usual = asdict(QualityBounds())
    return {
        name: value
        for name, value in asdict(quality).items()
        if name in _FIRST_BOUNDS or value != usual[name]
    }


def _digest(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
