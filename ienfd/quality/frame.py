"""Whether a biopsy lies inside the frame of a norm."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from ienfd.norms.norm import SEXES, Norm

__all__ = ["THICKNESS_TOLERANCE", "Specimen", "frame_reasons", "missing_reasons", "unstated_frame"]

THICKNESS_TOLERANCE = 0.2  # 40 to 60 um for a norm of 50 um sections


@dataclass(frozen=True)
class Specimen:
    """What a norm's frame is compared with.

    Parameters
    ----------
    age_years : float or None
        Age at collection.
    sex : str or None
        F or M.
    site : str or None
        Where the biopsy was taken.
    stain : str
        How its sections are stained.
    length_line : str or None
        The line whose millimeters the density is given in.
    section_um : tuple of (float or None)
        Thickness of each section in micrometers; None where it is not given.
    """

    age_years: float | None
    sex: str | None
    site: str | None
    stain: str
    length_line: str | None
    section_um: tuple[float | None, ...]


def missing_reasons(specimen: Specimen) -> tuple[str, ...]:
    """Why no norm at all could call it: what every norm needs and is not given."""
    age = specimen.age_years
    missing = {
        "age_missing": age is None or isnan(age),
        "sex_missing": not specimen.sex,
        "site_missing": not specimen.site,
    }
    return tuple(code for code, holds in missing.items() if holds)


def frame_reasons(norm: Norm, specimen: Specimen) -> tuple[str, ...]:
    """Why this norm may not call it, beside `missing_reasons`; empty when it may.

    A value that the publication of the norm does not state keeps nothing out.
    """
    age = specimen.age_years
    outside = {
        "age_outside_norm": age is not None and not isnan(age) and not norm.covers(age),
        "sex_outside_norm": bool(specimen.sex) and specimen.sex not in SEXES,
        "site_outside_norm": bool(specimen.site) and specimen.site != norm.site,
        "stain_outside_norm": specimen.stain != norm.stain,
        **_thickness(norm, specimen),
        "length_line_outside_norm": norm.length_line not in (None, specimen.length_line),
    }
    return tuple(code for code, holds in outside.items() if holds)


def unstated_frame(norm: Norm) -> bool:
    """Whether the publication leaves the section thickness or the length line open."""
    return norm.section_um is None or norm.length_line is None


def _thickness(norm: Norm, specimen: Specimen) -> dict[str, bool]:
    if norm.section_um is None:
        return {}
    low, high = (1 - THICKNESS_TOLERANCE) * norm.section_um, (1 + THICKNESS_TOLERANCE) * norm.section_um
    return {
        "section_um_missing": None in specimen.section_um,
        "section_um_outside_norm": any(
            thickness is not None and not low <= thickness <= high for thickness in specimen.section_um
        ),
    }
