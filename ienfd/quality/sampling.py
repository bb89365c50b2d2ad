"""Whether the sections of a biopsy are enough, agree with each other, and show their fibers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import fsum

from ienfd.figures import SectionFigures
from ienfd.protocol import CallRules
from ienfd.quality.same_tissue import same_pairs

__all__ = [
    "PIXEL_SIZE_RATIO",
    "SINGLE_PLANE_UM",
    "amount_reasons",
    "consistency_reasons",
    "pixel_sizes_agree",
    "planes_reasons",
    "planes_unknown",
]

# Objectives, binning and zoom that are mixed up make factors of 1.25 and more, above all 2; scanners
# of one nominal magnification differ by less than this.
PIXEL_SIZE_RATIO = 1.2
SINGLE_PLANE_UM = 10.0  # a section up to here is in focus well enough in one plane

_SEVERAL = {"stack", "projection", "extended-focus"}
_SINGLE = "single"


def amount_reasons(sections: Sequence[SectionFigures], rules: CallRules) -> tuple[str, ...]:
    """Whether there is less epidermis than the protocol asks for.

    Parameters
    ----------
    sections : sequence of SectionFigures
        The evaluable sections.
    rules : CallRules
        How many sections and millimeters are asked for.
    """
    if not sections:
        return ("no_evaluable_section",)
    length = fsum(section.evaluable_mm or 0.0 for section in sections)
    short = {
        "too_few_sections": len(sections) < rules.min_sections,
        "too_short": not length >= rules.min_total_length_mm,  # a bound that is no number is never met
    }
    return tuple(code for code, holds in short.items() if holds)


def consistency_reasons(sections: Sequence[SectionFigures]) -> tuple[str, ...]:
    """Where the evaluable sections of a biopsy contradict each other."""
    # One file may hold several scenes, each a section of its own: it is the section that may not
    # come twice. Its id is made of the content, so that it tells a copy under another name.
    same = Counter((section.sha256, section.section_id) for section in sections if section.sha256)
    contradictions = {
        "stain_inconsistent": len({section.stain for section in sections if section.stain}) > 1,
        "length_line_inconsistent": len({section.length_line for section in sections}) > 1,
        "calibration_inconsistent": not pixel_sizes_agree([section.pixel_size_um for section in sections]),
        "duplicate_field": any(times > 1 for times in same.values())
        or bool(same_pairs([section.fingerprint for section in sections])),
    }
    return tuple(code for code, holds in contradictions.items() if holds)


def pixel_sizes_agree(sizes_um: Iterable[float | None]) -> bool:
    """Whether pixel sizes differ by no more than scanners do; those that are not known are left out."""
    known = [size for size in sizes_um if size is not None]
    return all(a <= PIXEL_SIZE_RATIO * b for a in known for b in known)


def planes_reasons(sections: Sequence[SectionFigures]) -> tuple[str, ...]:
    """Whether a thick section was taken in a single plane, which shows only part of its fibers.

    A single plane of a section whose thickness is not given is not taken for a thin one.
    """
    single = [section for section in sections if _shows_depth(section) is False]
    thickness = [section.section_um for section in single]
    shallow = {
        "single_plane": any(um is not None and not 0 < um <= SINGLE_PLANE_UM for um in thickness),
        "section_um_missing": None in thickness,
    }
    return tuple(code for code, holds in shallow.items() if holds)


def planes_unknown(sections: Sequence[SectionFigures]) -> bool:
    """Whether of some section it is not known if it is a single plane or shows its whole depth."""
    return any(_shows_depth(section) is None for section in sections)


def _shows_depth(section: SectionFigures) -> bool | None:
    """Whether the image shows more than one plane; what is in the file beats what is said of it."""
    word = (section.planes or "").strip().casefold()
    if section.file_planes > 1 or word in _SEVERAL:
        return True
    if word == _SINGLE:
        return False
    number = int(word) if word.isdecimal() else 0
    return number > 1 if number else None
