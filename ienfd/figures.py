"""What a section contributes to its biopsy, and what is said of the biopsy: the nouns of the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["BiopsyCall", "SectionFigures"]


@dataclass(frozen=True)
class SectionFigures:
    """One section as the call of its biopsy sees it.

    Parameters
    ----------
    section_id : str
        Which section; files of the same content have the same.
    status : {"ok", "refused", "failed", "pending"}
        How its row ended.
    crossings : int or None
        Counted crossings; None when it has no density.
    evaluable_mm : float or None
        Evaluable epidermis in millimeters on `length_line`.
    density_per_mm : float or None
        Crossings per evaluable millimeter.
    length_line : {"surface", "junction", "chord"} or None
        The line that is measured.
    stain : {"bright-field", "fluorescence"} or None
        How it is stained.
    pixel_size_um : float or None
        Edge of a pixel in micrometers.
    section_um : float or None
        Thickness of the section in micrometers, as the case table gives it.
    planes : str or None
        The case table's word for what the image shows of the depth: `single`, `stack`, `projection`,
        `extended-focus`, or the number of planes; None when it says nothing.
    file_planes : int
        Focal planes in the file.
    sha256 : str or None
        Content of the file.
    control : {"positive", "negative"} or None
        Whether it is a control and belongs to no biopsy.
    fingerprint : str
        What its tissue is recognized by in another image (`ienfd.quality.same_tissue`).
    """

    section_id: str
    status: str
    crossings: int | None
    evaluable_mm: float | None
    density_per_mm: float | None
    length_line: str | None
    stain: str | None
    pixel_size_um: float | None
    section_um: float | None
    planes: str | None
    file_planes: int
    sha256: str | None
    control: str | None
    fingerprint: str = ""


@dataclass(frozen=True)
class BiopsyCall:
    """Density of a biopsy, and how it lies to the norm, or why that is not said.

    Parameters
    ----------
    sections_evaluable : int
        Sections with a density.
    crossings : int or None
        Crossings of all of them; None, like the next five, when there is none.
    evaluable_length_mm : float or None
        Their evaluable epidermis in millimeters.
    density_per_mm : float or None
        Crossings of all by length of all.
    mean_section_density_per_mm : float or None
        Mean of the densities of the sections.
    density_low_per_mm, density_high_per_mm : float or None
        Interval of `density_per_mm` at the level of the protocol. It covers sampling only, with the
        overdispersion of the sections.
    norm_id : str or None
        The norm that the protocol names for this stain.
    norm_limit_per_mm : float or None
        Its limit for this age and sex, unrounded; None when the call is withheld.
    below_norm : bool or None
        Whether the unrounded density lies below the limit; None when the call is withheld.
    certainty : {"clear", "borderline"} or None
        Borderline when the interval includes the limit; None when the call is withheld.
    sections_to_settle : str or None
        Further sections that would settle a borderline call: `1` to `20`, or `>20`.
    other_norms : tuple of str
        What further norms say whose frame fits, as `id=limit:below`, `id=limit:not below`, each with
        `, borderline` where it is.
    flags : tuple of str
        Codes from `ienfd.reasons` of what must be said beside the call.
    withheld_reasons : tuple of str
        Codes of why there is no call; empty when there is one.
    stain : str or None
        Stain of the evaluable sections, all of them with `|` where they differ.
    norm_caveat : str
        What the norm asks to have said with every call from it.
    overdispersion : float or None
        Variance of the count by its mean that the interval reckons with, 1 or more; None when there is
        no section with a density.
    norm_percentile, norm_percentile_low, norm_percentile_high : str or None
        Percentile of the norm's healthy persons at which the density and both ends of its interval lie: a
        whole number, or `<5` and `>95` beyond what the norm states; None where it states no distribution,
        or the call is withheld.
    """

    sections_evaluable: int
    crossings: int | None = None
    evaluable_length_mm: float | None = None
    density_per_mm: float | None = None
    mean_section_density_per_mm: float | None = None
    density_low_per_mm: float | None = None
    density_high_per_mm: float | None = None
    norm_id: str | None = None
    norm_limit_per_mm: float | None = None
    below_norm: bool | None = None
    certainty: Literal["clear", "borderline"] | None = None
    sections_to_settle: str | None = None
    other_norms: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    withheld_reasons: tuple[str, ...] = ()
    stain: str | None = None
    norm_caveat: str = ""
    overdispersion: float | None = None
    norm_percentile: str | None = None
    norm_percentile_low: str | None = None
    norm_percentile_high: str | None = None
