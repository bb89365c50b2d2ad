"""The figures of an image and of what lies along its surface against the bounds of the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ienfd.geometry import FloatArray
from ienfd.protocol import QualityBounds, Stain
from ienfd.quality.course import STEP_UM, Course
from ienfd.quality.image import ImageFigures
from ienfd.quality.section import Check

__all__ = ["check_course", "check_image", "check_unread"]

_ROUND_ABOUT_UM = 500.0  # longer than twice the width of any fold
_DOUBLE = 1.4  # times what is usual round about; a fold doubles it, before it is blurred
_NARROWEST, _AT_ENDS = 3, 8  # steps
_ONE_COLOR = 0.9  # weak nerve stains reach 0.97, nuclei and pigment of real skin 0.8
_FAINTEST = 0.3  # of the median: a pale dermis beside a paler one is no fold


def check_image(
    figures: ImageFigures,
    stain: Stain,
    bounds: QualityBounds,
    *,
    color_agreement: float | None = None,
    long_fibers: bool = False,
) -> tuple[Check, ...]:
    """Focus, noise and strength of the stain; what could not be measured is no check.

    Parameters
    ----------
    figures : ImageFigures
        What was measured.
    stain : {"bright-field", "fluorescence"}
        How the section was stained.
    bounds : QualityBounds
        Of the protocol.
    color_agreement : float, optional
        Share of the clearest lines that have the color of the nerve stain; not given in fluorescence.
    long_fibers : bool
        Whether there are many lines as long as only fibers are: then weak ones need not be of one color.
    """
    checks: list[Check] = []
    noisy = figures.noise_ratio is not None and figures.noise_ratio > bounds.max_noise_ratio
    least = bounds.min_nerve_density if stain == "bright-field" else bounds.min_nerve_light
    dim = figures.nerve_contrast is not None and figures.nerve_contrast < least
    if figures.detail_ratio is not None:
        checks.append(_sharpness(figures.detail_ratio, bounds))
    if figures.noise_ratio is not None:
        checks.append(Check(flag="noisy" if noisy else None, measure=("noise_ratio", figures.noise_ratio)))
    if figures.nerve_contrast is not None:
        # lines as weak as that, and no higher than the noise or not of one color, are no nerves
        of_one_color = long_fibers or color_agreement is None or color_agreement > _ONE_COLOR
        unstained = dim and (noisy or not of_one_color)
        checks.append(
            Check(
                refusal="no_nerve_stain" if unstained else None,
                flag="dim_stain" if dim else None,
                measure=("nerve_contrast", figures.nerve_contrast),
                detail=_weak(of_one_color) if unstained else "",
            )
        )
    return tuple(checks)


def _weak(of_one_color: bool) -> str:
    return "its clearest lines are weak, and " + (
        "no higher than the noise" if of_one_color else "not of one color"
    )


def _sharpness(ratio: float, bounds: QualityBounds) -> Check:
    measure = ("detail_ratio", ratio)
    if ratio < bounds.min_detail_ratio:
        detail = f"contrast at 1 um is {ratio:.2f} of that at 4 um"
        return Check(refusal="out_of_focus", measure=measure, detail=detail)
    return Check(flag="soft_focus" if ratio < bounds.soft_detail_ratio else None, measure=measure)


def check_course(along: Sequence[Course], bounds: QualityBounds) -> tuple[Check, ...]:
    """Whether the section was cut obliquely, and whether its tissue is folded.

    A section that is not cut at a right angle to the skin shows too thick an epidermis. A fold crosses all
    layers, and holds about twice as much of everything as the tissue beside it.
    """
    if not along:
        return ()
    thickness = float(np.median(np.concatenate([course.thickness_um for course in along])))
    oblique = thickness > bounds.max_epidermis_um
    folded = fold_fraction(along)
    return (
        Check(flag="oblique_cut" if oblique else None, measure=("epidermis_um", thickness)),
        Check(
            flag="tissue_fold" if folded > bounds.max_fold_fraction else None,
            measure=("fold_fraction", folded),
        ),
    )


def check_unread(fraction: float, bounds: QualityBounds) -> Check:
    """Whether the surface of the skin seems to go on where no epidermis was found."""
    partly = fraction > bounds.max_unread_fraction
    return Check(flag="partly_unread" if partly else None, measure=("unread_fraction", fraction))


def fold_fraction(along: Iterable[Course]) -> float:
    """Share of the surface at which every layer is darker, or brighter, than on both sides of it."""
    double = np.concatenate([_is_double(course.strips) for course in along])
    return float(double.mean())


def _is_double(strips: FloatArray) -> NDArray[np.bool_]:
    width = 2 * int(_ROUND_ABOUT_UM / 2 / STEP_UM) + 1
    usual = ndimage.median_filter(strips, size=(1, width), mode="reflect")
    floor = max(_FAINTEST * float(np.median(strips)), 1e-9)
    more: NDArray[np.bool_] = strips > _DOUBLE * np.maximum(usual, floor)
    double = np.asarray(more.all(axis=0))
    double[:_AT_ENDS] = double[-_AT_ENDS:] = False  # the strips leave the tissue there
    return np.asarray(ndimage.binary_opening(double, np.ones(_NARROWEST, np.bool_)), np.bool_)
