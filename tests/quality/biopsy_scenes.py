"""A biopsy that nothing keeps from being called, to be spoilt in one way at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ienfd.biopsy import BiopsyCall, SectionFigures, call_biopsy
from ienfd.norms import Norm, load
from ienfd.protocol import CallRules, Protocol

GOOD = SectionFigures(
    section_id="s",
    status="ok",
    crossings=14,
    evaluable_mm=2.5,
    density_per_mm=5.6,
    length_line="surface",
    stain="bright-field",
    pixel_size_um=0.5,
    section_um=50.0,
    planes="projection",
    file_planes=1,
    sha256="0",
    control=None,
)

# invented limits: a norm whose publication states its whole frame, as no built-in one does
FRAMED = replace(load("collongues2018"), id="framed", section_um=50.0, length_line="surface", percentile=5.0)


def section(number: int, **changes: Any) -> SectionFigures:
    return replace(GOOD, **{"section_id": f"s{number}", "sha256": f"{number}", **changes})


def biopsy(count: int = 3, **changes: Any) -> list[SectionFigures]:
    """Sections that all differ from the good one in the same way."""
    return [section(number, **changes) for number in range(count)]


def with_one(**changes: Any) -> list[SectionFigures]:
    """A biopsy of four sections of which the last is changed."""
    return [*biopsy(3), section(3, **changes)]


def called(
    sections: list[SectionFigures],
    *,
    age_years: float | None = 56,
    sex: str | None = "F",
    site: str | None = "distal_leg",
    protocol: Protocol | None = None,
    known_norms: list[Norm] | None = None,
    further_reasons: Sequence[str] = (),
) -> BiopsyCall:
    return call_biopsy(
        sections,
        age_years=age_years,
        sex=sex,
        site=site,
        protocol=protocol or Protocol(),
        known_norms=known_norms,
        further_reasons=further_reasons,
    )


def calling_by(norm_id: str, **others: Any) -> Protocol:
    """A protocol that calls bright-field biopsies by a norm."""
    return Protocol(call=CallRules(norm_bright_field=norm_id, **others))
